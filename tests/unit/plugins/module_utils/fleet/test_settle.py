# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.settle import (
    EXPECTED,
    LONGEST_SLEEP,
    SPACING,
    Settler,
    next_interval,
)
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.survey import Surveyor
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance import lifecycle
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.pursuit import DONE, WAIT, Pursuit
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.record import Record
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.wanted import Wanted
from ansible_collections.edgeops.cloudflare.tests.unit.fakes import FakeWorkflow, OpenGate, many


def one_by_one(function, pursuits):
    for pursuit in pursuits:
        function(pursuit)


def waiting(workflow, wanted):
    """Pursuits of all instances of the workflow, each pending from now on."""
    pursuits = [Pursuit(Record(instance_id, wanted, "orders")) for instance_id in workflow.instances]
    for pursuit in pursuits:
        pursuit.record.see_listed(workflow.instances[pursuit.record.id].item(), workflow.clock.monotonic())
        assert pursuit.next_move(workflow.clock.monotonic()).kind == WAIT
    return pursuits


@pytest.fixture
def gate():
    return OpenGate()


def settler_of(workflow, gate, wanted):
    return Settler(Surveyor(workflow, workflow.clock), workflow.clock, gate, wanted, one_by_one)


def test_pauses_grow(clock, gate):
    wanted = Wanted(state="paused", wait_sleep=2.0)
    workflow = FakeWorkflow(clock, *many(1, "waitingForPause"))
    settler, pursuits = settler_of(workflow, gate, wanted), waiting(workflow, wanted)
    for _poll in range(8):
        settler.poll(pursuits, at_once=False)
    assert clock.sleeps == [2.0, 3.0, 4.5, 6.75, 10.0, 10.0, 10.0, 10.0]
    assert workflow.calls == [("detail", "i0000")] * 8


def test_at_once(clock, gate):
    wanted = Wanted(state="paused")
    workflow = FakeWorkflow(clock, *many(1, "waitingForPause"))
    settler_of(workflow, gate, wanted).poll(waiting(workflow, wanted), at_once=True)
    assert clock.sleeps == []
    assert workflow.count("detail") == 1


def test_the_last_look_is_at_the_deadline(clock, gate):
    """Nobody sleeps past the first deadline there is."""
    wanted = Wanted(state="paused", wait_sleep=4.0, wait_timeout=9.0)
    workflow = FakeWorkflow(clock, *many(1, "waitingForPause"))
    settler, pursuits = settler_of(workflow, gate, wanted), waiting(workflow, wanted)
    while pursuits[0].next_move(settler.active_now()).kind != DONE:
        settler.poll(pursuits, at_once=False)
    assert clock.monotonic() == 9.0
    assert workflow.count("detail") == 2
    assert "still waitingForPause after 9 s" in pursuits[0].record.msg


def test_time_held_back_by_the_rate_limit_does_not_count(clock, gate):
    wanted = Wanted(state="paused", wait_sleep=5.0, wait_timeout=10.0)
    workflow = FakeWorkflow(clock, *many(1, "waitingForPause"))
    settler, pursuits = settler_of(workflow, gate, wanted), waiting(workflow, wanted)

    def blocked():
        clock.pass_by(300)
        gate.held += 300

    workflow.before(("detail",), blocked, times=2)
    while pursuits[0].next_move(settler.active_now()).kind != DONE:
        settler.poll(pursuits, at_once=False)
    assert clock.monotonic() == 610.0


def test_polls_are_spaced(clock, gate):
    """Two calls a second at most, for the whole task."""
    wanted = Wanted(state="paused")
    workflow = FakeWorkflow(clock, *many(5, "waitingForPause"))
    settler_of(workflow, gate, wanted).poll(waiting(workflow, wanted), at_once=True)
    assert gate.spacings == [SPACING] == [0.5]
    assert workflow.count("detail") == 5


def test_many_are_polled_by_listing(clock, gate):
    wanted = Wanted(state="paused")
    workflow = FakeWorkflow(clock, *many(250, "waitingForPause"))
    pursuits = waiting(workflow, wanted)
    workflow.instances["i0003"].status = "paused"
    settler_of(workflow, gate, wanted).poll(pursuits, at_once=True)
    assert workflow.calls == [("list", None, page) for page in (1, 2, 3)]
    assert [pursuit.record.id for pursuit in pursuits if pursuit.record.look.status == "paused"] == ["i0003"]


def test_what_is_missing_from_the_listing_is_asked_for(clock, gate):
    wanted = Wanted(state="paused")
    workflow = FakeWorkflow(clock, *many(50, "waitingForPause"))
    pursuits = waiting(workflow, wanted)
    hidden = workflow.instances["i0003"]
    workflow.before(("list",), lambda: workflow.instances.pop("i0003"))
    workflow.before(("detail",), lambda: workflow.instances.update(i0003=hidden))
    settler_of(workflow, gate, wanted).poll(pursuits, at_once=True)
    assert workflow.calls == [("list", None, 1), ("detail", "i0003")]
    assert all(pursuit.record.look.status == "waitingForPause" for pursuit in pursuits)


def test_expected_statuses():
    """Where they are likeliest, for every state; all of them statuses that there are."""
    assert set(EXPECTED) == set(lifecycle.STATES)
    for state, statuses in EXPECTED.items():
        assert set(statuses) <= set(lifecycle.STATUSES)
        assert lifecycle.decide(statuses[0], state).kind in (lifecycle.PENDING, lifecycle.SATISFIED, lifecycle.ACT)


@given(st.floats(0.1, 3600), st.integers(1, 60))
def test_any_pause(first, polls):
    """It never shrinks, and never grows past ten seconds or the first pause, whichever is longer."""
    interval = first
    for _poll in range(polls):
        after = next_interval(interval, first)
        assert interval <= after <= max(LONGEST_SLEEP, first)
        interval = after
