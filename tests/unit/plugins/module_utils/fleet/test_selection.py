# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.selection import (
    Selection,
    fence_of,
    pages_of,
    unfiltered_is_cheaper,
)
from ansible_collections.edgeops.cloudflare.tests.unit.fakes import MIDNIGHT, stamp
from ansible_collections.edgeops.cloudflare.tests.unit.tables import each_row

NINE = MIDNIGHT + timedelta(seconds=9)
MILLISECOND = timedelta(milliseconds=1)


def item(**fields):
    made = {
        "id": "order-1",
        "status": "errored",
        "created_on": stamp(0),
        "started_on": stamp(1),
        "ended_on": stamp(9),
        "version_id": "v1",
        "trigger_source": "api",
    }
    made.update(fields)
    return made


@each_row(
    "selection, fields, matches",
    [
        ({"statuses": ("errored", "paused")}, {}, True),
        ({"statuses": ("paused",)}, {}, False),
        ({"statuses": ("paused",)}, {"status": "Paused"}, False),
        ({"id_glob": "order-*"}, {}, True),
        ({"id_glob": "order-?"}, {}, True),
        ({"id_glob": "Order-*"}, {}, False),
        ({"id_glob": "order"}, {}, False),
        ({"id_glob": "order-[0-9]"}, {}, True),
        ({"id_glob": "order-[!0-9]"}, {}, False),
        ({"id_glob": "[*]/30*"}, {"id": "*/30 * * * *-1786001400000"}, True),
        ({"id_glob": "*a*"}, {"id": "x\ny-a-z"}, True),
        ({"version_id": "v1"}, {}, True),
        ({"version_id": "v"}, {}, False),
        ({"trigger_source": "api"}, {}, True),
        ({"trigger_source": "cron"}, {}, False),
        ({"ended_after": NINE}, {}, True),
        ({"ended_after": NINE + MILLISECOND}, {}, False),
        ({"ended_before": NINE}, {}, True),
        ({"ended_before": NINE - MILLISECOND}, {}, False),
        ({"ended_after": NINE, "ended_before": NINE}, {}, True),
        ({"ended_after": MIDNIGHT}, {"ended_on": None}, False),
        ({"ended_before": NINE}, {"ended_on": None}, False),
        ({"ended_after": MIDNIGHT}, {"ended_on": "some day"}, False),
        ({"created_after": MIDNIGHT}, {}, True),
        ({"created_after": MIDNIGHT + MILLISECOND}, {}, False),
        ({"created_before": MIDNIGHT}, {}, True),
        ({"created_before": MIDNIGHT - MILLISECOND}, {}, False),
        # The server filters by creation itself; what doesn't tell is believed.
        ({"created_after": MIDNIGHT}, {"created_on": None}, True),
        ({"statuses": ("errored",), "id_glob": "order-*", "version_id": "v1", "trigger_source": "api", "ended_after": NINE}, {}, True),
        ({"statuses": ("errored",), "id_glob": "order-*", "version_id": "v2", "trigger_source": "api", "ended_after": NINE}, {}, False),
    ],
)
def test_matches(selection, fields, matches):
    assert Selection(**selection).matches(item(**fields)) is matches


def test_fence():
    """What was created after the server's own time of the first answer came too late."""
    anything = Selection(id_glob="*")
    fence = MIDNIGHT + timedelta(seconds=5)
    assert anything.matches(item(created_on=stamp(5)), fence)
    assert not anything.matches(item(created_on=stamp(5.001)), fence)
    assert anything.matches(item(created_on=stamp(5.001)), None)
    assert Selection(created_before=NINE).matches(item(created_on=stamp(5)), fence)
    assert not Selection(created_before=NINE).matches(item(created_on=stamp(6)), fence)
    assert not Selection(created_before=MIDNIGHT).matches(item(created_on=stamp(1)), fence)


@each_row(
    "header, fence",
    [
        ("Thu, 06 Aug 2026 00:00:09 GMT", NINE + timedelta(seconds=1)),
        ("Thu, 06 Aug 2026 02:00:09 +0200", NINE + timedelta(seconds=1)),
        (None, None),
        ("", None),
        ("yesterday", None),
        ("Thu, 99 Aug 2026 00:00:09 GMT", None),
        ("9", None),
        (",", None),
        ("Fri, 31 Dec 9999 23:59:59 GMT", None),
        ("6 Aug 2026 0:3000000000", None),
    ],
)
def test_fence_of(header, fence):
    assert fence_of(header) == fence


@given(st.one_of(st.none(), st.text(), st.from_regex(r"[A-Z][a-z]{2}, \d+ [A-Z][a-z]{2} \d+ \d+:\d+:\d+ ?(GMT|[+-]\d+)?")))
def test_any_fence(header):
    fence = fence_of(header)
    assert fence is None or isinstance(fence, datetime)
    if fence is not None:
        Selection(id_glob="*").matches(item(), fence)


@each_row(
    "selection, missing, option",
    [
        ({"ended_after": NINE}, "ended_on", "ended_after"),
        ({"ended_before": NINE}, "ended_on", "ended_before"),
        ({"version_id": "v1"}, "version_id", "version_id"),
        ({"trigger_source": "api"}, "trigger_source", "trigger_source"),
        ({"id_glob": "*", "statuses": ("errored",), "created_after": NINE}, "ended_on", None),
    ],
)
def test_field_missing(selection, missing, option):
    fields = item()
    del fields[missing]
    assert Selection(**selection).field_missing(fields) == option
    assert Selection(**selection).field_missing(item(**{missing: None})) is None


@each_row("total, pages", [(0, 1), (1, 1), (99, 1), (100, 1), (101, 2), (200, 2), (201, 3)])
def test_pages(total, pages):
    assert pages_of(total, 100) == pages


@given(st.integers(0, 50), st.lists(st.integers(1, 20), min_size=2, max_size=9))
def test_unfiltered_is_cheaper(left, by_status):
    """Listings by status are made twice at least, until nothing new appears."""
    assert unfiltered_is_cheaper(left, by_status) == (left <= 2 * sum(by_status))


MOMENTS = st.one_of(st.none(), st.integers(0, 20).map(lambda seconds: MIDNIGHT + timedelta(seconds=seconds)))


@given(MOMENTS, MOMENTS, MOMENTS, MOMENTS, st.integers(0, 20), st.one_of(st.none(), st.integers(0, 20)))
def test_times(created_after, created_before, ended_after, ended_before, created, ended):
    selection = Selection(created_after=created_after, created_before=created_before, ended_after=ended_after, ended_before=ended_before)
    listed = item(created_on=stamp(created), ended_on=None if ended is None else stamp(ended))
    expected = _within(created, created_after, created_before) and (
        (ended_after is None and ended_before is None) or (ended is not None and _within(ended, ended_after, ended_before))
    )
    assert selection.matches(listed) == expected


def _within(seconds, after, before):
    moment = datetime(2026, 8, 6, tzinfo=timezone.utc) + timedelta(seconds=seconds)
    return (after is None or after <= moment) and (before is None or moment <= before)
