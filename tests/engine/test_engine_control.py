# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The control endpoint: counting, quotas, latency, overlays, races."""

from __future__ import annotations

import json
import time

import pytest
from engine import OPENER, EngineError
from engine_helpers import detail, error_of, listed, make, patch, path_of, raw_call, reach, status_now


def test_calls_are_counted(engine):
    make(engine, "one", [{"wait": "w"}], "waiting")
    assert engine.control("GET", "/calls")["total"] == 0, "control calls are not counted"
    detail(engine, "one", "?simple=true")
    listed(engine, "", "lab")
    patch(engine, "one", {"status": "pause"})
    engine.api("GET", "/lab")
    engine.api("GET", path_of("ghost"), headers={"Authorization": "Bearer wrong"})
    calls = engine.control("GET", "/calls")
    assert calls["total"] == 5
    assert calls["by_kind"] == {**dict.fromkeys(calls["by_kind"], 0), "reads": 3, "lists": 1, "patches": 1}
    entry = engine.control("GET", "/calls?instance=one")["log"][0]
    assert (entry["kind"], entry["query"], entry["status"], entry["headers"]["authorization"]) == ("read", "simple=true", 200, "bearer")
    assert engine.control("GET", "/calls?workflow=lab&instance=one")["by_kind"]["patches"] == 1
    assert engine.api_token not in json.dumps(calls)
    engine.control("POST", "/calls/reset", {"cap": 2})
    for _n in range(5):
        engine.api("GET", "/lab/versions")
    calls = engine.control("GET", "/calls")
    assert calls["total"] == 5 and len(calls["log"]) == 2


def test_a_development_session_through_the_gateway_is_counted(engine):
    make(engine, "one", [{"wait": "w"}], "waiting")
    with OPENER.open(engine.dev_gateway_url + "/workflows/lab/instances/one", timeout=10) as response:
        assert json.loads(response.read().decode())["result"]["status"] == "running"
    assert engine.control("GET", "/calls")["by_kind"]["reads"] == 1


def test_the_quota_blocks_and_lifts(engine):
    engine.control("POST", "/quota", {"limit": 2, "window_s": 60, "block_s": 60, "auth_errors_after_429": 1})
    status, headers, _body = engine.api("GET", "/lab/versions")
    assert status == 200 and headers["Ratelimit"] == '"default";r=1;t=60' and headers["Ratelimit-Policy"] == '"default";q=2;w=60'
    engine.api("GET", "/lab/versions")
    status, headers, body = engine.api("GET", "/lab/versions")
    assert (status, body["errors"][0]["code"], headers["Retry-After"]) == (429, 10429, "60")
    assert error_of(engine.api("GET", "/lab/versions")) == (401, 9109)
    assert engine.api("GET", "/lab/versions")[0] == 429
    engine.control("POST", "/quota", {"limit": 1, "window_s": 60, "block_s": 1})
    assert [engine.api("GET", "/lab/versions")[0] for _call in range(2)] == [200, 429]
    time.sleep(1.05)
    assert engine.api("GET", "/lab/versions")[0] == 200
    engine.control("POST", "/quota", {"limit": 0, "headers": False, "retry_after": False})
    status, headers, _body = engine.api("GET", "/lab/versions")
    assert status == 429 and "Retry-After" not in headers and "Ratelimit" not in headers
    assert engine.control("GET", "/calls")["total"] == 9
    engine.control("POST", "/quota", None)
    assert "Ratelimit" not in engine.api("GET", "/lab/versions")[1]


def test_latency(engine):
    engine.control("POST", "/latency", {"ms": 80})
    began = time.monotonic()
    engine.api("GET", "/lab/versions")
    assert time.monotonic() - began > 0.078  # Node's timers count whole milliseconds


def test_races(engine, waiting):
    engine.control("POST", "/faults", {"match": {"kind": "patch"}, "times": 1, "before": [{"op": "terminate"}]})
    assert raw_call(engine, "PATCH", waiting)[1] and status_now(engine) == "terminated"
    make(engine, "two", [{"wait": "w"}], "waiting")
    engine.control(
        "POST",
        "/faults",
        {
            "match": {"kind": "read", "instance": "two"},
            "times": 1,
            "after": [{"op": "event", "type": "w"}, {"op": "await", "status": "complete"}, {"op": "terminate"}, {"op": "delete"}],
        },
    )
    assert detail(engine, "two")["status"] == "waiting"
    assert error_of(engine.api("GET", path_of("two"))) == (404, 10400)
    assert "cannot_terminate" in engine.control("GET", "/faults")["rules"][1]["op_errors"][0]
    assert engine.control("GET", "/calls")["total"] == 3, "race operations are not counted"


def test_what_waits_in_the_background_is_given_up(engine, waiting):
    late = {"op": "background", "ops": [{"op": "await", "gate": "never", "open": True}, {"op": "terminate"}]}
    engine.control("POST", "/faults", {"match": {"kind": "read"}, "times": 1, "before": [late]})
    assert detail(engine, "one")["status"] == "waiting"
    engine.control("DELETE", "/faults")
    engine.control("POST", "/idle")
    engine.control("POST", "/gate", {"name": "never"})
    assert status_now(engine) == "waiting"


def test_overlays(engine, waiting):
    def shown():
        return detail(engine, "one")["status"]

    def overlay(**rule):
        engine.control("POST", "/overlay", dict(rule, instance="one"))

    overlay(status="queued", patch=["pause"])
    assert shown() == "queued" and listed(engine, "status=queued", "lab")[1]["total_count"] == 1
    assert patch(engine, "one", {"status": "pause"})[2]["result"]["status"] == "queued"
    assert status_now(engine) == "waiting"
    overlay(statuses=["a new word", "rollingBack", None])
    assert [shown() for _look in range(4)] == ["a new word", "rollingBack", "waiting", "waiting"]
    overlay(status="paused", times=2)
    assert [shown() for _look in range(3)] == ["paused", "paused", "waiting"]
    overlay(fields={"rollback": {"outcome": "failed"}}, item={"ended_on": "x"})
    assert detail(engine, "one")["rollback"] == {"outcome": "failed"} and listed(engine, "", "lab")[0][0]["ended_on"] == "x"
    overlay(missing=True)
    assert error_of(engine.api("GET", path_of("one"))) == (404, 10400) and listed(engine, "", "lab")[0] == []
    overlay(status="queued", until_patch=True)
    patch(engine, "one", {"status": "pause"})
    assert shown() in ("paused", "waitingForPause")
    overlay(status="x")
    overlay(clear=True)
    assert engine.control("GET", "/overlay") == {"overlays": []}


def test_control_says_what_is_wrong(engine):
    for method, path, body in (("GET", "/nothing", None), ("POST", "/op", {"op": "dance"}), ("POST", "/instances", {"workflow": "ghost"})):
        with pytest.raises(EngineError):
            engine.control(method, path, body)
    with pytest.raises(EngineError, match="not reached"):
        reach(engine, "ghost", "complete", timeout_ms=20)
    assert engine.control("GET", "/health")["in_flight"] == 0
