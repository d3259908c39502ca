# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lists: cursors that hold while instances move, filters, and that they are true and fast."""

from __future__ import annotations

import json
import time
import urllib.parse
import urllib.request

from engine import OPENER
from engine_helpers import error_of, listed, make, path_of, reach


def follow(engine, query, between=None):
    """All items of a listing by cursor."""
    items, cursor = [], None
    for _page in range(100):
        page, info = listed(engine, query + ("" if cursor is None else "&cursor=" + urllib.parse.quote(cursor)))
        items += page
        cursor = info.get("cursor")
        if cursor is None:
            return items
        if between:
            between()
    raise AssertionError("the listing does not end")


def test_cursors_are_exact_while_instances_move(engine):
    ids = engine.control(
        "POST", "/instances", {"workflow": "fleet", "prefix": "f-", "count": 40, "params": {"steps": [{"wait": "w"}]}, "status": "waiting"}
    )["ids"]
    newest_first = [item["id"] for item in follow(engine, "per_page=7")]
    assert sorted(newest_first) == sorted(ids)
    assert [item["id"] for item in follow(engine, "per_page=7&direction=asc")] == newest_first[::-1]
    created = [item["created_on"] for item in follow(engine, "per_page=100")]
    assert created == sorted(created, reverse=True)

    moved = iter(newest_first)

    def move():
        for _one in range(5):
            engine.control("POST", "/op", {"op": "pause", "workflow": "fleet", "instance": next(moved)})
        engine.control("POST", "/instances", {"workflow": "fleet", "prefix": f"new-{time.time_ns()}-", "count": 1})

    seen = [item["id"] for item in follow(engine, "per_page=8", move)]
    assert len(seen) == len(set(seen)) and set(ids) <= set(seen)
    # By status, too: whoever keeps the status while it is listed appears once.
    stay = [item["id"] for item in listed(engine, "status=waiting&per_page=100")[0]]
    seen = [item["id"] for item in follow(engine, "status=waiting&per_page=5")]
    assert seen == stay
    items, info = listed(engine, "status=paused&per_page=3")
    assert info["count"] == 3 == len(items) and info["total_count"] > 3 and {item["status"] for item in items} == {"paused"}


def test_filters_and_bad_queries(engine):
    make(engine, "old", [], "complete", "fleet")
    time.sleep(0.05)
    make(engine, "new", [], "complete", "fleet")
    newest = listed(engine, "")[0][0]["created_on"]
    assert [item["id"] for item in listed(engine, "date_start=" + newest)[0]] == ["new"]
    assert len(listed(engine, "date_end=" + newest)[0]) == 2
    assert listed(engine, "page=1&per_page=1")[1] == {"count": 1, "page": 1, "per_page": 1, "total_count": 2, "total_pages": 2}
    assert [item["id"] for item in listed(engine, "page=2&per_page=1")[0]] == ["old"]
    cursor = listed(engine, "per_page=1")[1]["cursor"]
    for bad in (
        "per_page=101",
        "per_page=0",
        "page=0",
        "page=1&cursor=" + cursor,
        "cursor=x",
        "status=asleep",
        "direction=up",
        "status=paused&status=errored",
        "date_start=yesterday",
        "date_end=2026-01-01T00:00:00%2B01:00",
    ):
        assert error_of(engine.api("GET", "/fleet/instances?" + bad)) == (400, 10002), bad


def test_instances_of_development_sessions_are_listed_and_can_vanish(engine):
    url = engine.dev_url + "/workflows/fleet/instances"
    body = json.dumps({"id": "dev-1", "params": {"steps": [{"wait": "w"}]}}).encode()
    OPENER.open(urllib.request.Request(url, body, {"Content-Type": "application/json"}, method="POST"), timeout=10).close()
    reach(engine, "dev-1", "waiting", "fleet")
    assert [item["id"] for item in listed(engine, "")[0]] == ["dev-1"]
    OPENER.open(urllib.request.Request(url + "/dev-1", method="DELETE"), timeout=10).close()
    assert listed(engine, "")[0] == []
    assert error_of(engine.api("GET", path_of("dev-1", "", "fleet"))) == (404, 10400)


def test_lists_stay_fast_and_true(engine):
    count = 300
    engine.control("POST", "/instances", {
        "workflow": "fleet", "prefix": "f-", "count": count, "params": {"steps": [{"wait": "w"}]}, "status": "waiting", "timeout_ms": 60000})  # fmt: skip

    def looks():
        return engine.control("GET", "/health")["looks"]

    # Fast, whatever the machine, is what doesn't ask the engine at all; it may still be writing when the first list is made.
    end = time.monotonic() + 60
    before = None
    while before != looks():
        assert time.monotonic() < end, "instances that don't move are looked at again and again"
        before = looks()
        assert listed(engine, "per_page=100")[1]["total_count"] == count
    for n in range(0, count, 60):
        engine.control("POST", "/op", {"op": "terminate", "workflow": "fleet", "instance": "f-%d" % n})
        assert listed(engine, "status=terminated")[1]["total_count"] == n // 60 + 1, "a list never tells of yesterday"
