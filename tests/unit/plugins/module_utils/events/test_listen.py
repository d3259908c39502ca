# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`workflow_queue` over hours, in a moment: every message is told at least once, and acknowledged when its event is taken for long enough."""

from __future__ import annotations

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.edgeops.cloudflare.plugins.module_utils.events import listen
from ansible_collections.edgeops.cloudflare.plugins.module_utils.events.keeping import Keeper
from ansible_collections.edgeops.cloudflare.plugins.module_utils.events.source import SourceError
from ansible_collections.edgeops.cloudflare.tests.unit.fakes import FakeClock, FakeInstance, FakeWorkflow, stamp
from ansible_collections.edgeops.cloudflare.tests.unit.loopback import Reply, failure
from ansible_collections.edgeops.cloudflare.tests.unit.sentences import assert_is_a_sentence
from ansible_collections.edgeops.cloudflare.tests.unit.sources import QUEUE_ID, FakeCloud, World, names

BLOCKED = failure(429, 10429, Retry_After="300")
DENIED = failure(401, 9109, "Invalid access token")
DOWN = Reply(503, b"<html>down</html>")
HOUR = 3600


def errored(name, at=100.0):
    instance = FakeInstance(name, created=at - 1)
    instance.later(at, "errored")
    return instance


def world_of(monkeypatch, *instances, now=1000.0):
    clock = FakeClock(now)
    workflow = FakeWorkflow(clock, *instances)
    cloud = FakeCloud(clock, workflow)
    return World("workflow_queue", cloud, monkeypatch), cloud, workflow


def live(world, seconds, **args):
    return world.live(listen.run, seconds, **{"queue_id": QUEUE_ID, **args})


def test_told_at_once_and_acknowledged_a_minute_later(monkeypatch):
    world, cloud, workflow = world_of(monkeypatch, errored("a"))
    cloud.put("a")
    (event,) = live(world, 50)
    assert names([event]) == ["a"] and event["instance"]["ended_on"] == stamp(100.0) and len(cloud.messages) == 1
    assert workflow.count("log") == 1
    # What was not acknowledged comes again when its lease is over, and as the same.
    assert live(world, 100) == []
    assert live(world, 100) == [event] and cloud.messages == []
    assert live(world, 1000) == []


def test_pulls_grow_rarer_where_nothing_comes(monkeypatch):
    world, cloud, _workflow = world_of(monkeypatch)
    live(world, HOUR)
    assert HOUR / 5 <= len(cloud.asked_at) <= HOUR / 5 + 10


def test_a_full_batch_is_followed_by_the_next_at_once(monkeypatch):
    world, cloud, _workflow = world_of(monkeypatch, *[errored(f"i{number}") for number in range(250)])
    for number in range(250):
        cloud.put(f"i{number}")
    events = live(world, 100)
    assert len(events) == 250 and cloud.messages == []
    assert [event["workflow"]["recent_failures"] for event in events[:100]] == [100] * 100
    # The budget was for sixty looks; the rest is told as the message tells it.
    assert sum(event["instance"]["error"] is not None for event in events) == 60


def test_what_the_api_does_not_confirm_gets_a_second_chance(monkeypatch):
    running, late = FakeInstance("running"), FakeInstance("late")
    late.later(1100.0, "errored")
    world, cloud, _workflow = world_of(monkeypatch, running, late)
    for name in ("running", "late", "gone"):
        cloud.put(name)
    assert live(world, 60) == [] and len(cloud.messages) == 3
    events = live(world, 600)
    assert names(events) == ["late"] and cloud.messages == []
    assert sum("which the API does not confirm" in line for line in world.lines) >= 2


def test_failures_are_counted_over_lives(monkeypatch, tmp_path):
    state_path = str(tmp_path / "state.json")
    instance = errored("a")
    world, cloud, _workflow = world_of(monkeypatch, instance)
    cloud.put("a", at=100.0)
    (first,) = live(world, 300, state_path=state_path)
    cloud.put("a", at=100.0)  # a duplicate, much later
    assert live(world, 300, state_path=state_path) == [] and cloud.messages == []
    instance.later(world.clock.monotonic(), "running")
    instance.later(world.clock.monotonic() + 1, "errored")
    world.clock.pass_by(10)
    cloud.put("a")
    (second,) = live(world, 300, state_path=state_path)
    assert [event["instance"]["failures"] for event in (first, second)] == [1, 2]
    assert first["meta"] != second["meta"]


@pytest.mark.parametrize(
    ("trouble", "word"), [(BLOCKED, "rate limit"), (DENIED, "edit Queues"), (DOWN, "HTTP 503")], ids=["429", "401", "503"]
)
def test_what_passes_is_waited_out_with_one_line(monkeypatch, trouble, word):
    world, cloud, _workflow = world_of(monkeypatch, errored("a"))

    def at_times(path):
        now = cloud.clock.monotonic()
        if now >= 1500 and not cloud.messages and not world.events:
            cloud.put("a")
        return trouble if 1300 <= now < 1700 else None

    cloud.trouble = at_times
    assert names(live(world, HOUR)) == ["a"] and cloud.messages == []
    warned = [line for line in world.lines if line.startswith("WARNING")]
    assert word in warned[0] and warned[0].startswith(f"WARNING queue {QUEUE_ID} can't be pulled from") and "over, after" in warned[-1]
    assert len(warned) <= 4
    for line in warned:
        assert_is_a_sentence(line)


def test_a_block_between_pull_and_look_loses_nothing(monkeypatch):
    world, cloud, _workflow = world_of(monkeypatch, errored("a"))
    cloud.put("a")
    cloud.trouble = lambda path: BLOCKED if "/instances/" in path or ("/ack" in path and cloud.clock.monotonic() < 2000) else None
    (event,) = live(world, 2 * HOUR)
    assert event["instance"]["error"] is None and cloud.messages == []
    (line,) = [line for line in world.lines if "can't be looked at" in line]
    assert "are reported without their error: " in line and "tried again" not in line


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        ({"api_token": "another-token-0001"}, "workflow_queue: the API does not know the credentials from api_token, or they have expired"),
        ({"queue_id": "0123"}, "workflow_queue: queue 0123 was not found in account 0123456789abcdef (from account_id)."),
        ({"queue_id": None}, "workflow_queue: no queue is named: give one of queue_id and queue_name."),
    ],
)
def test_what_can_not_pass_ends_it(monkeypatch, args, sentence):
    world, _cloud, _workflow = world_of(monkeypatch)
    with pytest.raises(SourceError) as error:
        live(world, 600, **args)
    assert str(error.value).startswith(sentence)
    assert_is_a_sentence(str(error.value))


TROUBLES = st.lists(st.tuples(st.integers(0, 1800), st.integers(10, 400), st.sampled_from([BLOCKED, DENIED, DOWN])), max_size=3)
LIVES = st.lists(st.tuples(st.integers(1, 300), st.booleans(), st.integers(0, 100)), max_size=5)


@settings(max_examples=20)
@given(messages=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 1800)), max_size=10), troubles=TROUBLES, lives=LIVES)
def test_whatever_happens_each_message_is_told(tmp_path_factory, messages, troubles, lives):
    """In lives that end well or are killed, with an API that fails: at the end each message was told and is acknowledged."""
    state_path = str(tmp_path_factory.mktemp("state") / "state.json")
    with pytest.MonkeyPatch.context() as monkeypatch:
        world, cloud, _workflow = world_of(monkeypatch, *[errored(f"i{number}") for number in range(4)])
        monkeypatch.setattr(os, "fsync", lambda handle: None)  # a power failure is none of the tests' business
        waiting = sorted({(1000.0 + at, f"i{number}") for number, at in messages})
        expected = {name for _at, name in waiting}
        replies = [(1000.0 + begin, 1000.0 + begin + lasts, reply) for begin, lasts, reply in troubles]

        def happen(path):
            now = cloud.clock.monotonic()
            while waiting and waiting[0][0] <= now:
                at, name = waiting.pop(0)
                cloud.put(name, at=at)
            return next((reply for begin, end, reply in replies if begin <= now < end), None)

        cloud.trouble = happen
        save_finally = Keeper.save_finally
        for seconds, is_killed, pause in lives:
            monkeypatch.setattr(Keeper, "save_finally", (lambda keeper: None) if is_killed else save_finally)
            try:
                live(world, seconds, state_path=state_path)
            except SourceError as error:
                assert "api_token" in str(error)  # refused at its start
            world.clock.pass_by(pause)
        monkeypatch.setattr(Keeper, "save_finally", save_finally)
        replies.clear()
        live(world, max(3000.0 - world.clock.monotonic(), 0.0) + 300, state_path=state_path)
        assert set(names(world.events)) == expected and cloud.messages == [] and not waiting
