# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run would cost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet import cost
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.cost import Calls
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.wanted import PAST_STEP, Wanted
from ansible_collections.edgeops.cloudflare.tests.unit.tables import each_row


@each_row(
    "changes, wanted, listed, calls",
    [
        (100, Wanted("paused"), 1, Calls(100)),
        (100, Wanted("restarted"), 1, Calls(200)),
        (100, Wanted("running", wait_until=PAST_STEP), 1, Calls(200)),
        (100, Wanted("terminated", rollback=True, pause_first=True), 1, Calls(200)),
        (4312, Wanted("terminated", bulk=True), 44, Calls(132, 4356)),
        (10, Wanted("terminated", bulk=True), 1, Calls(10)),
    ],
)
def test_calls(changes, wanted, listed, calls):
    assert cost.of_changes(changes, wanted, listed) == calls


@each_row(
    "calls, rate, reserve, text",
    [
        (Calls(1), None, 0.2, "about 1 call, within the quota of 1,200 in five minutes"),
        (Calls(10), None, 0.2, "about 10 calls, within the quota of 1,200 in five minutes"),
        (Calls(960), None, 0.2, "about 960 calls, within the quota of 1,200 in five minutes"),
        (Calls(1200), None, 0.0, "about 1,200 calls, within the quota of 1,200 in five minutes"),
        (Calls(1200), None, 0.2, "about 1,200 calls, 60 s under the rate limit"),
        (Calls(2400), None, 0.2, "about 2,400 calls, 6 minutes under the rate limit"),
        (Calls(10000), None, 0.2, "about 10,000 calls, 38 minutes under the rate limit"),
        (Calls(100), 10.0, 0.2, "about 100 calls, 10 s under the rate limit"),
        (Calls(10000), 100.0, 0.2, "about 10,000 calls, 38 minutes under the rate limit"),
        (Calls(132, 4356), None, 0.2, "about 132 calls instead of 4,356 (bulk_terminate), within the quota of 1,200 in five minutes"),
    ],
)
def test_told(calls, rate, reserve, text):
    assert cost.estimate(calls, rate, reserve).text == text


@each_row(
    "least_left, text",
    [
        (None, "about 100 calls, within the quota of 1,200 in five minutes"),
        ((100, 60.0), "about 100 calls, within the quota of 1,200 in five minutes"),
        ((29, 60.0), "about 100 calls, of which the API allows 29 in the next 60 s"),
        ((0, 280.0), "about 100 calls, of which the API allows 0 in the next 5 minutes"),
    ],
)
def test_told_by_what_the_api_tells(least_left, text):
    assert cost.estimate(Calls(100), None, 0.2, least_left).text == text


@each_row(
    "calls, rate, reserve, least_left, seconds",
    [
        (Calls(960), None, 0.2, None, 0.0),
        (Calls(1200), None, 0.2, None, 60.0),
        (Calls(1200), None, 0.0, None, 0.0),
        (Calls(2400), None, 0.0, None, 300.0),
        (Calls(100), 10.0, 0.2, None, 10.0),
        (Calls(2400), 100.0, 0.0, None, 300.0),
        # What the API itself tells is the least, and never less than what is known besides.
        (Calls(100), None, 0.2, (29, 60.0), 60.0),
        (Calls(100), None, 0.2, (100, 60.0), 0.0),
        (Calls(2400), None, 0.0, (29, 60.0), 300.0),
    ],
)
def test_how_long_it_takes(calls, rate, reserve, least_left, seconds):
    assert cost.estimate(calls, rate, reserve, least_left).seconds == pytest.approx(seconds)


@given(
    st.integers(0, 100000),
    st.none() | st.floats(0.01, 1000),
    st.floats(0, 0.9),
    st.none() | st.tuples(st.integers(0, 1200), st.floats(0, 300)),
)
def test_more_calls_never_take_less_time(made, rate, reserve, least_left):
    few, more = (cost.estimate(Calls(count), rate, reserve, least_left) for count in (made, made + 100))
    assert 0 <= few.seconds <= more.seconds and few.text.startswith(f"about {made:,} call")
