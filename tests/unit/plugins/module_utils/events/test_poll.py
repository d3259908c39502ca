# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`workflow_poll` over hours, in a moment: nothing is lost, nothing is told twice in one life, and the budget is kept."""

from __future__ import annotations

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.edgeops.cloudflare.plugins.module_utils.events import poll
from ansible_collections.edgeops.cloudflare.plugins.module_utils.events.keeping import Keeper
from ansible_collections.edgeops.cloudflare.plugins.module_utils.events.source import SourceError
from ansible_collections.edgeops.cloudflare.tests.unit.fakes import FakeClock, FakeInstance, FakeWorkflow, stamp
from ansible_collections.edgeops.cloudflare.tests.unit.loopback import Reply, failure
from ansible_collections.edgeops.cloudflare.tests.unit.sentences import assert_is_a_sentence
from ansible_collections.edgeops.cloudflare.tests.unit.sources import TOKEN, FakeCloud, World, names

BLOCKED = failure(429, 10429, Retry_After="300")
DENIED = failure(401, 9109, "Invalid access token")
DOWN = Reply(503, b"<html>down</html>")

HOUR = 3600


def one(name, *failures, created=0.0):
    """An instance that fails at these times, and is restarted a second before each but the first."""
    instance = FakeInstance(name, created=created)
    for number, at in enumerate(failures):
        if number:
            instance.later(at - 1, "running")
        instance.later(at, "errored")
    return instance


def world_of(monkeypatch, *instances, now=10 * HOUR, name="orders"):
    clock = FakeClock(now)
    workflow = FakeWorkflow(clock, *instances)
    workflow.name = name
    cloud = FakeCloud(clock, workflow)
    return World("workflow_poll", cloud, monkeypatch), cloud, workflow


def live(world, seconds, **args):
    return world.live(poll.run, seconds, **{"workflow_name": "orders", **args})


def calls_of_five_minutes(cloud):
    """The most calls that were made in any five minutes."""
    return max((sum(1 for at in cloud.asked_at if start <= at < start + 300) for start in cloud.asked_at), default=0)


# -- tiers and budget -----------------------------------------------------------------------------------------------------


def test_few_failures_take_a_call_a_round(monkeypatch):
    world, cloud, workflow = world_of(monkeypatch, one("a", 10 * HOUR + 100))
    events = live(world, HOUR)
    assert names(events) == ["a"] and events[0]["instance"]["ended_on"] == stamp(10 * HOUR + 100)
    assert workflow.count("list") == 121 and workflow.count("log") == 1 and len(cloud.asked_at) == 122


def test_of_many_the_recent_are_listed_often_and_all_now_and_then(monkeypatch):
    old = [one(f"old-{number}", 5 * HOUR, created=number) for number in range(450)]
    # Created a day and a half ago, and fails now; one more fails while another is restarted, so that the counts stand still.
    late, quiet = one("late", 36 * HOUR + 1000, created=10), one("quiet", 36 * HOUR + 2000, created=20)
    old[0].later(36 * HOUR + 2000, "running")
    recent = one("recent", 36 * HOUR + 3000, created=36 * HOUR + 500)
    world, cloud, _workflow = world_of(monkeypatch, *old, late, quiet, recent, now=36 * HOUR)
    told_at = {}
    put = world.put

    async def noting(item):
        told_at[item["instance"]["id"]] = world.clock.monotonic()
        await put(item)

    world.put = noting
    assert names(live(world, HOUR)) == ["late", "quiet", "recent"]
    assert told_at["late"] - 36 * HOUR - 1000 < 120  # its count moved
    assert told_at["quiet"] - 36 * HOUR - 2000 < 700  # the next sweep
    assert told_at["recent"] - 36 * HOUR - 3000 < 31  # the next round
    assert calls_of_five_minutes(cloud) <= 60
    assert not world.lines or all(line.startswith("INFO") for line in world.lines)


def test_what_the_budget_can_not_pay_is_stretched_and_said(monkeypatch):
    crowd = [one(f"old-{number:04}", 9 * HOUR, created=number) for number in range(1000)]
    late = one("late", 10 * HOUR + 600, created=1)
    world, cloud, _workflow = world_of(monkeypatch, *crowd, late, now=10 * HOUR)
    assert names(live(world, HOUR, catch_up=0, lookback=60, budget=20)) == ["late"]
    assert calls_of_five_minutes(cloud) <= 20
    (warned,) = [line for line in world.lines if "is not enough" in line]
    assert warned == (
        "WARNING budget=20 calls in 5 min is not enough: what was created of late is listed every 60 s, and not every 30 (interval). "
        "Raise budget, or name fewer workflows."
    )
    assert_is_a_sentence(warned)


def test_several_workflows_share_the_budget(monkeypatch):
    world, cloud, workflow = world_of(monkeypatch, one("a", 10 * HOUR + 1000))
    others = []
    for number in range(9):
        other = FakeWorkflow(cloud.clock, one("a", 10 * HOUR + 1000))
        other.name = f"w{number}"
        others.append(other)
        cloud.workflows[other.name] = other
    events = live(world, HOUR, workflow_name=None, workflow_names=["orders", *(other.name for other in others)])
    assert len(events) == 10 and {event["workflow"]["recent_failures"] for event in events} == {1}
    assert calls_of_five_minutes(cloud) <= 60 and workflow.count("list") < 60
    assert len({event["meta"]["uuid"] for event in events}) == 10
    assert sum("is not enough" in line for line in world.lines) == 1


# -- beginnings -----------------------------------------------------------------------------------------------------------


def test_the_first_start(monkeypatch):
    instances = [one("old", 5 * HOUR), one("recent", 9.5 * HOUR), one("new", 10 * HOUR + 60)]
    world, _cloud, _workflow = world_of(monkeypatch, *instances)
    assert names(live(world, 600)) == ["recent", "new"]
    assert names(live(world, 600, catch_up=0)) == []
    assert names(live(world, 600, initial="report")) == ["old", "recent", "new"]


def test_a_status_that_is_added_later_has_a_first_start_of_its_own(monkeypatch, tmp_path):
    world, _cloud, workflow = world_of(monkeypatch, one("a", 9.9 * HOUR), FakeInstance("p", "paused"))
    state_path = str(tmp_path / "state.json")
    assert names(live(world, 600, state_path=state_path)) == ["a"]
    assert names(live(world, 600, state_path=state_path, statuses="errored, paused", replay=0)) == []
    workflow.instances["q"] = FakeInstance("q", "paused", created=10 * HOUR)
    assert names(live(world, 600, state_path=state_path, statuses="errored, paused", replay=0)) == ["q"]


def test_with_a_state_nothing_is_lost_however_long_it_was_down(monkeypatch, tmp_path):
    world, _cloud, _workflow = world_of(monkeypatch, one("a", 10 * HOUR + 60, 20 * HOUR))
    state_path = str(tmp_path / "state.json")
    (first,) = live(world, 600, state_path=state_path)
    world.clock.pass_by(30 * HOUR)
    (second,) = live(world, 100, state_path=state_path)
    assert (first["instance"]["failures"], second["instance"]["failures"]) == (1, 2)
    assert live(world, 100, state_path=state_path, replay=0) == []
    world.clock.pass_by(30 * HOUR)  # what counts is how long it lived on
    assert live(world, 1000, state_path=state_path) == [second]
    assert live(world, 100, state_path=state_path) == []


def test_an_end_that_is_told_later_is_waited_for(monkeypatch):
    """It is what one failure is told apart by from the next."""
    instance = FakeInstance("a", "errored", created=10 * HOUR)
    instance.ended, ended = None, instance.ended
    world, _cloud, workflow = world_of(monkeypatch, instance)
    assert live(world, 20) == []

    def end():
        instance.ended = ended

    workflow.before(("list",), end)
    (event,) = live(world, 600)
    assert event["instance"]["ended_on"] == ended and event["instance"]["failures"] is None


def test_one_that_has_moved_on_is_not_reported(monkeypatch):
    instance = one("a", 10 * HOUR + 10)
    world, _cloud, workflow = world_of(monkeypatch, instance)

    def resumed():
        instance.status = "running"

    workflow.before(("log",), resumed)
    assert live(world, 600) == []


def test_an_error_that_is_told_later_is_waited_for(monkeypatch):
    instance = one("a", 10 * HOUR + 10)
    world, _cloud, workflow = world_of(monkeypatch, instance)

    shown = iter([{"error": None}, {}])
    workflow.before(("log",), lambda: setattr(instance, "fields", next(shown)), times=2)
    (event,) = live(world, 600)
    assert event["instance"]["error"] == {"name": "Error", "message": "card declined"} and workflow.count("log") == 2


# -- what passes ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("trouble", "word"), [(BLOCKED, "rate limit"), (DENIED, "api_token"), (DOWN, "HTTP 503")], ids=["429", "401", "503"]
)
def test_what_passes_is_waited_out_with_one_line(monkeypatch, trouble, word):
    world, cloud, _workflow = world_of(monkeypatch, one("a", 10 * HOUR + 700))
    cloud.trouble = lambda path: trouble if 600 <= cloud.clock.monotonic() - 10 * HOUR < 1200 else None
    assert names(live(world, HOUR)) == ["a"]
    warned = [line for line in world.lines if line.startswith("WARNING")]
    told, over = warned[0], warned[-1]
    assert word in told and "It is tried again at 10:" in told
    assert over.startswith("WARNING instances of orders can't be listed: that is over, after ")
    assert len(warned) <= 4
    for line in warned:
        assert TOKEN not in line
        assert_is_a_sentence(line)


def test_one_workflow_that_is_gone_does_not_end_the_others(monkeypatch):
    world, cloud, _workflow = world_of(monkeypatch, one("a", 10 * HOUR + 2000))
    other = FakeWorkflow(cloud.clock)
    other.name = "invoices"
    cloud.workflows["invoices"] = other

    def vanish(path):
        if cloud.clock.monotonic() > 10 * HOUR + 600:
            cloud.workflows.pop("invoices", None)

    cloud.trouble = vanish
    assert names(live(world, HOUR, workflow_name=None, workflow_names="orders, invoices")) == ["a"]
    (line,) = [line for line in world.lines if "was not found" in line and "for " not in line.partition(":")[0]]
    assert line.startswith("WARNING errored instances of invoices can't be listed: workflow invoices was not found in account")


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        ({"api_token": "another-token-0001"}, "workflow_poll: the API does not know the credentials from api_token, or they have expired"),
        ({"workflow_name": "invoices"}, "workflow_poll: workflow invoices was not found in account 0123456789abcdef (from account_id)"),
        ({"interval": "often"}, "workflow_poll: interval must be a number from 1 to 3600; it is often."),
    ],
)
def test_what_can_not_pass_ends_it(monkeypatch, args, sentence):
    world, _cloud, _workflow = world_of(monkeypatch)
    with pytest.raises(SourceError) as error:
        live(world, 600, **args)
    assert str(error.value).startswith(sentence)
    assert_is_a_sentence(str(error.value))


def test_a_state_that_can_not_be_written_is_told_and_waited_for(monkeypatch, tmp_path):
    world, _cloud, _workflow = world_of(monkeypatch, one("a", 10 * HOUR + 100))
    folder = tmp_path / "folder"
    folder.mkdir()
    moved = tmp_path / "moved"
    put = world.put

    async def moving(item):
        folder.rename(moved)
        await put(item)

    world.put = moving
    assert names(live(world, 600, state_path=str(folder / "state.json"))) == ["a"]
    assert any("the state can't be kept: state_path " in line for line in world.lines)


# -- all of it ------------------------------------------------------------------------------------------------------------

FAILURES = st.lists(st.integers(0, 300), max_size=3, unique=True)
TROUBLES = st.lists(st.tuples(st.integers(0, 3600), st.integers(10, 600), st.sampled_from([BLOCKED, DENIED, DOWN])), max_size=3)
LIVES = st.lists(st.tuples(st.integers(10, 900), st.booleans(), st.integers(0, 300)), max_size=5)


@settings(max_examples=20)
@given(instances=st.lists(FAILURES, min_size=1, max_size=6), troubles=TROUBLES, lives=LIVES)
def test_whatever_happens_the_failures_that_hold_are_reported(tmp_path_factory, instances, troubles, lives):
    """In lives that end well or are killed, with an API that fails: at the end each failure that still holds was told, with one uuid."""
    start = 10 * HOUR
    failures = {f"order-{number}": sorted(start + 10 * at for at in times) for number, times in enumerate(instances)}
    state_path = str(tmp_path_factory.mktemp("state") / "state.json")
    with pytest.MonkeyPatch.context() as monkeypatch:
        fakes = [one(name, *times, created=start - 100) for name, times in failures.items()]
        world, cloud, _workflow = world_of(monkeypatch, *fakes, now=start)
        monkeypatch.setattr(os, "fsync", lambda handle: None)  # a power failure is none of the tests' business
        until = start + 3000 + 600
        cloud.trouble = lambda path: next(
            (reply for begin, lasts, reply in troubles if begin <= cloud.clock.monotonic() - start < begin + lasts), None
        )
        save_finally = Keeper.save_finally
        for seconds, is_killed, pause in lives:
            monkeypatch.setattr(Keeper, "save_finally", (lambda keeper: None) if is_killed else save_finally)
            try:
                told = live(world, seconds, state_path=state_path)
            except SourceError as error:
                assert "api_token" in str(error)  # refused at its start
                told = []
            uuids = [event["meta"]["uuid"] for event in told]
            assert len(uuids) == len(set(uuids))
            world.clock.pass_by(pause)
        cloud.trouble = lambda path: None
        monkeypatch.setattr(Keeper, "save_finally", save_finally)
        live(world, max(until - world.clock.monotonic(), 1200), state_path=state_path)
        told = {(event["instance"]["id"], event["instance"]["ended_on"]) for event in world.events}
        assert {(name, stamp(times[-1])) for name, times in failures.items() if times} <= told
        assert calls_of_five_minutes(cloud) <= 60 + 5 * len(lives)  # a new life doesn't know what the last one has spent
        for event in world.events:
            instance = event["instance"]
            assert 1 <= instance["failures"] <= sum(stamp(at) <= instance["ended_on"] for at in failures[instance["id"]])
        assert len({event["meta"]["uuid"] for event in world.events}) == len(told)
