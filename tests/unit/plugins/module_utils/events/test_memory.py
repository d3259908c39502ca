# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The memory: nothing is told twice, nothing is left out, and failures are counted by what makes them distinct."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.edgeops.cloudflare.plugins.module_utils.events import memory as memory_module
from ansible_collections.edgeops.cloudflare.plugins.module_utils.events.memory import Baseline, Memory
from ansible_collections.edgeops.cloudflare.plugins.module_utils.events.shape import Sighting
from ansible_collections.edgeops.cloudflare.tests.unit.fakes import stamp
from ansible_collections.edgeops.cloudflare.tests.unit.tables import each_row


def errored(ended=10, instance="order-1", **more):
    return Sighting("orders", instance, "errored", None if ended is None else stamp(ended), None if ended is None else stamp(ended), **more)


def paused(instance="order-1"):
    return Sighting("orders", instance, "paused")


def reread(memory):
    """The memory as it comes back from its file."""
    return Memory.from_json(json.loads(json.dumps(memory.as_json())))


# -- what is news ---------------------------------------------------------------------------------------------------------


@each_row(
    "noted, seen, is_known",
    [
        ([], errored(10), False),
        ([errored(10)], errored(10), True),
        ([errored(10)], errored(20), False),
        ([errored(10)], errored(10, "order-2"), False),
        ([errored(None)], errored(10), True),  # its end is told later than its status
        ([errored(10)], errored(None), True),
        ([errored(10)], paused(), False),
        ([paused()], paused(), True),
        ([errored(10), paused()], errored(10), False),
    ],
)
def test_what_is_known(noted, seen, is_known):
    memory = Memory()
    for sighting in noted:
        memory.note(sighting, 100.0, told=True)
    assert memory.knows(seen) is is_known
    assert reread(memory).knows(seen) is is_known


@each_row(
    "baseline, sighting, is_silent",
    [
        (Baseline(stamp(100)), errored(99), True),
        (Baseline(stamp(100)), errored(100), False),
        (Baseline(stamp(100)), errored(101), False),
        (Baseline(stamp(100)), paused(), True),  # nobody says since when
        (Baseline(stamp(100), True), errored(99), False),
        (Baseline(None), errored(1), False),
        (None, errored(1), False),
    ],
)
def test_what_was_there_first(baseline, sighting, is_silent):
    memory = Memory()
    if baseline is not None:
        memory.baselines["orders", sighting.status] = baseline
    assert memory.is_silent(sighting) is is_silent
    assert reread(memory).is_silent(sighting) is is_silent


def test_one_that_left_a_lasting_status_and_came_back_is_news():
    memory = Memory()
    memory.note(paused(), 100.0, told=True)
    memory.finish_sweep("orders", "paused", 100.0, 100.0)
    assert memory.knows(paused())
    memory.finish_sweep("orders", "paused", 200.0, 200.0)
    assert not memory.knows(paused())
    memory.note(paused(), 300.0, told=True)
    assert memory.knows(paused())


def test_a_finished_one_that_is_not_listed_for_once_is_no_news_afterwards():
    memory = Memory()
    memory.note(errored(10), 100.0, told=True)
    memory.finish_sweep("orders", "errored", 200.0, 200.0)
    assert memory.knows(errored(10)) and not memory.knows(errored(20))


def test_what_is_gone_for_long_is_forgotten():
    memory = Memory()
    memory.note(errored(10), 100.0, told=True)
    memory.finish_sweep("orders", "errored", 100.0 + 44 * 86400, 100.0 + 44 * 86400)
    assert len(memory) == 1
    memory.finish_sweep("orders", "errored", 100.0 + 46 * 86400, 100.0 + 46 * 86400)
    assert len(memory) == 0


def test_workflows_that_nobody_asks_for_are_forgotten():
    memory = Memory()
    memory.note(errored(10), 100.0, told=True)
    memory.baselines["orders", "errored"] = Baseline(None, True)
    memory.keep_only(["orders"])
    assert len(memory) == 1 and memory.baselines
    memory.keep_only(["invoices"])
    assert len(memory) == 0 and not memory.baselines


# -- failures -------------------------------------------------------------------------------------------------------------


@each_row(
    "story, failures",
    [
        ([errored(10)], 1),
        ([errored(10), errored(10)], 1),
        ([errored(10), errored(20)], 2),
        ([errored(10), paused(), errored(20)], 2),
        ([errored(10), paused(), errored(10)], 1),
        ([errored(None), errored(10)], 1),
        ([errored(10), errored(None)], 1),
        ([errored(10), errored(20), errored(30)], 3),
        ([paused()], 0),
        ([errored(10, occasion="a"), errored(11, occasion="a")], 1),  # the same message, looked at twice
        ([errored(10, occasion="a"), errored(10, occasion="b")], 2),
    ],
)
def test_failures_are_counted_by_what_tells_them_apart(story, failures):
    memory = Memory()
    for sighting in story:
        count = memory.failures(sighting)
        memory.note(sighting, 100.0, told=True)
        assert count == memory.failures(sighting)
        memory = reread(memory)
    assert count == failures


def test_previous_status():
    memory = Memory()
    assert memory.previous_status(paused()) is None
    memory.note(paused(), 100.0, told=True)
    assert memory.previous_status(paused()) is None
    assert memory.previous_status(errored(10)) == "paused"


def test_its_end_is_learned_later():
    memory = Memory()
    memory.note(errored(None), 100.0, told=True)
    memory.see(errored(10), 200.0)
    assert memory.knows(errored(10)) and not memory.knows(errored(20))
    assert memory.failures(errored(20)) == 2


# -- told again -----------------------------------------------------------------------------------------------------------


def test_what_was_told_of_late_is_told_again_as_the_same_failure():
    memory = Memory()
    memory.note(errored(10, "old"), 100.0, told=True)
    memory.note(errored(20, "new"), 1000.0, told=True)
    memory.note(errored(30, "silent"), 1000.0, told=False)
    memory = reread(memory)
    assert memory.tell_again(500.0) == 1
    assert [memory.knows(errored(*one)) for one in ((10, "old"), (20, "new"), (30, "silent"))] == [True, False, True]
    assert memory.failures(errored(20, "new")) == 1
    memory.note(errored(20, "new"), 2000.0, told=True)
    assert memory.knows(errored(20, "new"))
    # It is as old as when it was told first, so that this ends.
    assert memory.tell_again(1500.0) == 0 and memory.tell_again(500.0) == 1


# -- room -----------------------------------------------------------------------------------------------------------------


def test_its_room_is_bounded_and_nothing_that_was_forgotten_is_told_again(monkeypatch):
    monkeypatch.setattr(memory_module, "MOST_INSTANCES", 100)
    memory = Memory()
    for number in range(250):
        memory.note(errored(number, f"order-{number}"), 1000.0 + number, told=True)
        assert len(memory) <= 100
    memory = reread(memory)
    assert all(memory.knows(errored(number, f"order-{number}")) for number in range(250))
    assert not memory.knows(errored(250, "order-250"))
    assert not memory.knows(errored(300, "order-0"))


@pytest.mark.parametrize(
    "kept",
    [
        None,
        [],
        {},
        {"instances": []},
        {"instances": {"orders": {"a": [1]}}, "baselines": [], "forgotten_until": {}},
        {"instances": {}, "baselines": [["a"]], "forgotten_until": {}},
        {"instances": {}, "baselines": [], "forgotten_until": {"a": 1}},
    ],
)
def test_what_is_no_memory(kept):
    with pytest.raises(ValueError):
        Memory.from_json(kept)


SIGHTINGS = st.builds(errored, st.integers(0, 4), st.sampled_from(["a", "b", "c"]))


@given(st.lists(st.tuples(SIGHTINGS, st.booleans()), max_size=40))
def test_whatever_is_seen_each_failure_is_told_once(story):
    """A failure is news until it is noted, and never again as long as the instance doesn't fail anew; however often the source is restarted."""
    memory, told = Memory(), []
    newest = {}
    for sighting, restarts in story:
        if (sighting.ended_on or "") < newest.get(sighting.id, ""):
            continue  # time does not run backwards
        newest[sighting.id] = sighting.ended_on
        if not memory.knows(sighting):
            told.append((sighting.id, sighting.ended_on))
            memory.note(sighting, 100.0, told=True)
        assert memory.failures(sighting) == len({end for name, end in told if name == sighting.id})
        if restarts:
            memory = reread(memory)
    assert len(told) == len(set(told))
