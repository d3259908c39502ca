# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The budget: never overspent, nobody starves, and what doesn't fit is stretched."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.edgeops.cloudflare.plugins.module_utils.events.schedule import LOOK, ROUND, SWEEP, WINDOW, Budget, Plan, plan
from ansible_collections.edgeops.cloudflare.plugins.module_utils.events.storm import Storm
from ansible_collections.edgeops.cloudflare.tests.unit.tables import each_row

WANTED = Plan(30.0, 600.0)


@each_row(
    "budget, round_cost, sweep_cost, planned",
    [
        (60, 1, 0, WANTED),  # one workflow whose failures fit a page
        (60, 3, 0, WANTED),
        (60, 3, 20, WANTED),
        (60, 6, 0, Plan(60.0, 600.0)),  # 6 calls every 60 s are half of it
        (60, 2, 200, Plan(30.0, 200 * 300 / 25.0)),  # 60 - 20 for rounds - 15 for looks
        (60, 60, 200, Plan(600.0, 200 * 300 / 15.0)),
        (10, 1, 0, Plan(60.0, 600.0)),
        (1200, 30, 100, WANTED),
    ],
)
def test_plan(budget, round_cost, sweep_cost, planned):
    assert plan(budget, WANTED, round_cost, sweep_cost) == pytest.approx(planned)


@given(st.integers(10, 1200), st.integers(1, 500), st.integers(0, 5000))
def test_no_plan_is_more_than_the_budget(budget, round_cost, sweep_cost):
    planned = plan(budget, WANTED, round_cost, sweep_cost)
    assert planned.interval >= WANTED.interval and planned.sweep_interval >= WANTED.sweep_interval
    rounds, sweeps = round_cost * WINDOW / planned.interval, sweep_cost * WINDOW / planned.sweep_interval
    assert rounds <= budget / 2 + 1e-6
    assert rounds + sweeps <= budget + 1e-6


def test_shares():
    budget = Budget(60)
    assert [budget.room(kind, 0.0) for kind in (ROUND, SWEEP, LOOK)] == [30, 45, 15]
    assert budget.room(SWEEP, 0.0, expected_rounds=30) == 15
    budget.spend(ROUND, 30, 0.0)
    assert [budget.room(kind, 0.0) for kind in (ROUND, SWEEP, LOOK)] == [0, 30, 15]
    budget.spend(SWEEP, 20, 100.0)
    budget.spend(LOOK, 10, 100.0)
    assert [budget.room(kind, 100.0) for kind in (ROUND, SWEEP, LOOK)] == [0, 0, 0]
    assert budget.wait(ROUND, 100.0) == 200.0 and budget.wait(SWEEP, 100.0) == 200.0
    assert [budget.room(kind, 300.0) for kind in (ROUND, SWEEP, LOOK)] == [30, 25, 5]
    assert budget.wait(ROUND, 300.0) == 0.0


def test_no_limit():
    budget = Budget(None)
    budget.spend(ROUND, 10_000, 0.0)
    assert budget.room(ROUND, 0.0) > 10_000 and budget.wait(LOOK, 0.0) == 0.0


@given(
    st.integers(10, 100),
    st.lists(st.tuples(st.sampled_from([ROUND, SWEEP, LOOK]), st.floats(0, 120), st.integers(1, 20)), max_size=60),
)
def test_it_is_never_overspent_and_nobody_waits_for_ever(calls, story):
    budget, now, spent = Budget(calls), 0.0, []
    for kind, pause, wish in story:
        now += pause
        wait = budget.wait(kind, now, expected_rounds=calls / 2)
        assert 0.0 <= wait <= WINDOW
        now += wait
        made = min(wish, budget.room(kind, now, expected_rounds=calls / 2))
        assert made > 0 or wait == WINDOW
        budget.spend(kind, made, now)
        spent.append((now, made))
        assert sum(count for at, count in spent if at > now - WINDOW) <= calls


# -- storms ---------------------------------------------------------------------------------------------------------------


def test_a_storm_counts_distinct_failures_of_five_minutes():
    storm = Storm()
    assert storm.count("orders", 0.0) == 0
    for number in range(9):
        storm.note("orders", f"order-{number}", "t", 0.0)
    storm.note("orders", "order-0", "t", 10.0)
    storm.note("orders", "order-0", "u", 10.0)
    storm.note("invoices", "invoice-1", "t", 10.0)
    assert storm.count("orders", 10.0) == 10 and storm.count("invoices", 10.0) == 1
    assert storm.count("orders", 300.0) == 2
    assert storm.count("orders", 310.0) == 0
