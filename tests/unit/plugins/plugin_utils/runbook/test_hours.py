# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Counting by the hour, and ages."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.timestamps import to_utc
from ansible_collections.edgeops.cloudflare.plugins.plugin_utils.runbook.hours import ENDED, KINDS, MOST_SPANS, age, tells_ends, throughput
from ansible_collections.edgeops.cloudflare.tests.unit.tables import each_row

NOW = datetime(2026, 8, 6, 5, 17, 30, tzinfo=timezone.utc)
LATEST = datetime(9000, 1, 1)


def item(created, status="waiting", ended=None):
    return {"id": "a", "status": status, "created_on": created, "ended_on": ended}


def test_by_the_hour():
    """Hours without any are there; what an hour began with belongs to it."""
    items = [
        item("2026-08-06T02:59:59.999Z"),
        item("2026-08-06T03:00:00.000Z", "complete", "2026-08-06T05:00:00.000Z"),
        item("2026-08-06T03:10:00.000Z", "errored", "2026-08-06T03:20:00.000Z"),
        item("2026-08-06T03:10:00.000Z", "terminated", "2026-08-06T05:01:00.000Z"),
        item("2026-08-06T05:17:29.000Z", "paused", None),
    ]
    found = throughput(items, NOW - timedelta(hours=3), NOW)
    assert found.hours == 1
    assert [(span.begin, *span.counts.values()) for span in found.spans] == [
        ("2026-08-06T02:00:00Z", 1, 0, 0, 0),
        ("2026-08-06T03:00:00Z", 3, 0, 1, 0),
        ("2026-08-06T04:00:00Z", 0, 0, 0, 0),
        ("2026-08-06T05:00:00Z", 1, 1, 0, 1),
    ]


@each_row(
    "back, size, spans",
    [
        (timedelta(0), 1, 1),
        (timedelta(minutes=18), 1, 2),
        (timedelta(hours=24), 1, 25),
        (timedelta(hours=47), 1, 48),
        (timedelta(hours=48), 2, 25),
        (timedelta(days=7), 6, 29),
        (timedelta(days=30), 24, 31),
        (timedelta(days=365), 336, 27),
        (-timedelta(hours=5), 1, 1),
    ],
)
def test_spans(back, size, spans):
    """More hours than can be shown are taken together."""
    found = throughput([], NOW - back, NOW)
    assert (found.hours, len(found.spans)) == (size, spans)


@given(
    st.lists(st.tuples(st.datetimes(), st.sampled_from([*ENDED, "waiting"]), st.datetimes())),
    st.datetimes(max_value=LATEST),
    st.datetimes(max_value=LATEST),
)
def test_nothing_is_lost(rows, begin, end):
    items = [
        item(to_utc(created.replace(tzinfo=timezone.utc)), status, to_utc(ended.replace(tzinfo=timezone.utc)))
        for created, status, ended in rows
    ]
    found = throughput(items, begin.replace(tzinfo=timezone.utc), end.replace(tzinfo=timezone.utc))
    assert 1 <= len(found.spans) <= MOST_SPANS
    sums = {kind: sum(span.counts[kind] for span in found.spans) for kind in KINDS}
    assert sums == {"created": len(items), **{status: sum(each["status"] == status for each in items) for status in ENDED}}


def test_what_can_not_be_read_is_not_counted():
    found = throughput([item("soon", "complete", None), item(None)], NOW, NOW)
    assert found.spans[0].counts == dict.fromkeys(KINDS, 0)


def test_whether_ends_are_told():
    assert tells_ends([]) and tells_ends([item("x")]) and tells_ends([item("x", "complete", "y"), item("x", "errored", None)])
    assert not tells_ends([item("x", "complete", None), item("x")])


def test_age():
    assert age([], NOW) is None and age([item("soon")], NOW) is None
    items = [item("2026-08-06T05:17:20Z"), item("2026-08-06T05:16:30Z"), item("2026-08-05T05:17:30Z"), item("2026-08-06T05:18:00Z")]
    assert age(items, NOW) == (86400.0, 35.0), "and a clock that is ahead makes nobody unborn"
