# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`workflow_poll` on the engine: what fails is reported, once while it lives and again after it was killed, whatever gets in its way."""

from __future__ import annotations

import json
import os
import stat
import time

import pytest
from eventing import Source, SourceProcess, until

WORKFLOW = "fleet"


class Bed:
    """A workflow of its own, and sources pointed at it."""

    def __init__(self, bench, folder):
        self.bench = bench
        self.state_path = str(folder / "state.json")

    def arguments(self, **args):
        """The arguments of a source that looks every second."""
        engine = self.bench.engine
        own = {"api_url": engine.api_url, "account_id": engine.account_id, "api_token": engine.api_token, "workflow_name": WORKFLOW}
        # The engine makes a second what takes production five minutes.
        given = {**own, "interval": 1, "sweep_interval": 2, "budget": 1200, **args}
        return {name: value for name, value in given.items() if value is not None}

    def source(self, **args):
        return Source("workflow_poll", **self.arguments(**args))

    def process(self, **args):
        return SourceProcess("workflow_poll", **self.arguments(**args))

    def fail(self, *ids, **step):
        """Instances that fail in their second step."""
        steps = [{"do": "reserve"}, {"do": "charge", "fail": "card declined", **step}]
        self.bench.create(WORKFLOW, list(ids), {"steps": steps}, "errored")

    def wait_at(self, gate, *ids):
        """Instances that fail as soon as a gate is opened."""
        self.bench.create(WORKFLOW, list(ids), {"steps": [{"do": "reserve"}, {"do": "charge", "fail": "card declined", "gate": gate}]})
        for instance in ids:
            self.bench.control("POST", "/await", {"workflow": WORKFLOW, "instance": instance, "step": "charge", "phase": "start"})

    def open(self, gate):
        self.bench.control("POST", "/gate", {"name": gate, "open": True})

    def rounds(self, source, count=2):
        """Wait until the source has made so many more listings."""
        made = self.bench.calls()["by_kind"]["lists"]
        until(lambda: self.bench.calls()["by_kind"]["lists"] >= made + count, lambda: (source.error, source.log.lines))


@pytest.fixture
def bed(bench, tmp_path):
    bench.control("POST", "/purge", {"workflow": WORKFLOW})
    bench.control("POST", "/calls/reset")
    yield Bed(bench, tmp_path)
    bench.control("POST", "/reset")
    bench.control("POST", "/purge", {"workflow": WORKFLOW})


def names(events):
    return sorted(event["instance"]["id"] for event in events)


# -- what is reported -----------------------------------------------------------------------------------------------------


def test_an_errored_instance_is_reported_once(bed):
    with bed.source(state_path=bed.state_path) as source:
        bed.rounds(source)
        bed.fail("order-1")
        source.await_events(1)
        bed.rounds(source, 3)
        (event,) = source.events
    assert source.error == "cancelled"
    ended_on, uuid = event["instance"].pop("ended_on"), event["meta"].pop("uuid")
    assert ended_on.endswith("Z") and len(uuid) == 36
    assert event["instance"].pop("version_id")
    assert event == {
        "type": "instance.errored",
        "workflow": {"name": WORKFLOW, "recent_failures": 1},
        "instance": {
            "id": "order-1",
            "workflow_name": WORKFLOW,
            "status": "errored",
            "previous_status": None,
            "error": {"name": "Error", "message": "card declined"},
            "failed_step": {"name": "charge", "count": 1, "type": "do"},
            "failures": 1,
        },
        "meta": {},
    }


def test_what_was_there_first_is_silent_but_for_the_last_hour(bed):
    bed.fail("order-1")
    time.sleep(2)  # the clock of the API is told in whole seconds
    with bed.source(catch_up=0) as source:
        bed.rounds(source)
        bed.fail("order-2")
        assert names(source.await_events(1)) == ["order-2"]
    with bed.source(catch_up=0, initial="report") as source:
        assert names(source.await_events(2)) == ["order-1", "order-2"]
    with bed.source() as source:
        assert names(source.await_events(2)) == ["order-1", "order-2"]
        assert {event["instance"]["failures"] for event in source.events} == {None}


def test_a_second_failure_is_another_event_and_is_counted(bed):
    with bed.source(state_path=bed.state_path) as source:
        bed.fail("order-1")
        source.await_events(1)
        bed.bench.control("POST", "/op", {"op": "restart", "workflow": WORKFLOW, "instance": "order-1"})
        first, second = source.await_events(2)
    assert [first["instance"]["failures"], second["instance"]["failures"]] == [1, 2]
    assert first["meta"]["uuid"] != second["meta"]["uuid"]
    assert first["instance"]["ended_on"] < second["instance"]["ended_on"]


def test_other_statuses(bed):
    bed.bench.create(WORKFLOW, ["order-1"], {"steps": [{"wait": "approval"}]}, "waiting")
    with bed.source(statuses="paused, terminated", state_path=bed.state_path) as source:
        bed.rounds(source)
        for op in ("pause", "resume", "pause", "terminate"):
            bed.bench.control("POST", "/op", {"op": op, "workflow": WORKFLOW, "instance": "order-1"})
            bed.rounds(source, 6)
        told = [(event["type"], event["instance"]["previous_status"], event["instance"]["failures"]) for event in source.events]
    assert told == [("instance.paused", None, 0), ("instance.paused", None, 0), ("instance.terminated", "paused", 0)]


def test_a_storm_is_one_from_its_first_event_on(bed):
    ids = [f"order-{number}" for number in range(12)]
    bed.fail(*ids)
    with bed.source() as source:
        events = source.await_events(12)
    assert names(events) == sorted(ids)
    assert {event["workflow"]["recent_failures"] for event in events} == {12}


# -- long after its creation ----------------------------------------------------------------------------------------------


def crowd(bed):
    """More failed instances than a page holds, and two that wait; what was created is old by then."""
    bed.wait_at("late", "late-1")
    bed.wait_at("later", "late-2")
    bed.fail(*[f"old-{number}" for number in range(105)])
    time.sleep(2)  # the clock of the API is told in whole seconds


def test_what_fails_long_after_its_creation_is_found_by_its_count(bed):
    crowd(bed)
    with bed.source(catch_up=0, lookback=1, sweep_interval=3600, state_path=bed.state_path) as source:
        bed.rounds(source, 6)
        bed.open("late")
        assert names(source.await_events(1)) == ["late-1"]


def test_where_counts_stand_still_the_sweep_finds_it(bed):
    crowd(bed)
    with bed.source(catch_up=0, lookback=1, sweep_interval=3, state_path=bed.state_path) as source:
        bed.rounds(source, 6)
        # The count that the source reads does not move.
        bed.bench.control("POST", "/faults", [{"match": {"kind": "other", "method": "GET"}, "fault": {"envelope": {"result": {}}}}])
        bed.open("late")
        assert names(source.await_events(1)) == ["late-1"]


# -- its end, and its next beginning --------------------------------------------------------------------------------------


def test_killed_it_reports_the_newest_again_and_loses_nothing(bed):
    """Killed without notice: what was told just before is told again with the same uuid, and what failed meanwhile is told."""
    first = bed.process(state_path=bed.state_path)
    bed.fail("order-1")
    (told,) = first.await_events(1)
    first.kill()
    bed.fail("order-2")
    with bed.source(state_path=bed.state_path) as second:
        events = {event["instance"]["id"]: event for event in second.await_events(2)}
        bed.rounds(second, 3)
        assert len(second.events) == 2
    assert sorted(events) == ["order-1", "order-2"]
    assert events["order-1"]["meta"] == told["meta"]
    assert {event["instance"]["failures"] for event in events.values()} == {1}


def test_what_no_longer_holds_is_not_reported_again(bed):
    bed.fail("order-1", "order-2")
    with bed.source(state_path=bed.state_path) as first:
        first.await_events(2)
    bed.bench.control("POST", "/op", {"op": "delete", "workflow": WORKFLOW, "instance": "order-1"})
    with bed.source(state_path=bed.state_path) as second:
        assert names(second.await_events(1)) == ["order-2"]
        bed.rounds(second)
        assert len(second.events) == 1
    with bed.source(state_path=bed.state_path, replay=0) as third:
        bed.rounds(third)
        assert third.events == []


def test_the_state_is_its_owners_alone_and_of_one_source(bed):
    with bed.source(state_path=bed.state_path) as source:
        bed.rounds(source)
        with bed.source(state_path=bed.state_path) as other:
            assert "is in use by another source" in str(other.ended())
    with open(bed.state_path, encoding="utf-8") as file:
        text = file.read()
    assert bed.bench.engine.api_token not in text and json.loads(text)["account_id"] == bed.bench.engine.account_id
    with open(bed.state_path, "rb") as file:
        assert stat.S_IMODE(os.fstat(file.fileno()).st_mode) == 0o600
    with bed.source(state_path=bed.state_path, api_url=bed.bench.engine.tls_url, ca_path=bed.bench.engine.ready["tls_ca"]) as foreign:
        assert "is of api_url" in str(foreign.ended())


# -- what passes ----------------------------------------------------------------------------------------------------------


def test_a_block_is_waited_out_with_one_line(bed):
    with bed.source() as source:
        bed.rounds(source)
        bed.bench.control("POST", "/quota", {"limit": 1, "window_s": 3, "block_s": 3, "headers": False})
        line = source.await_line("rate limit blocks")
        bed.bench.control("POST", "/quota")
        bed.fail("order-1")
        source.await_events(1)
        assert source.log.holding("that is over")
    assert "It is tried again at " in line and line.startswith("WARNING instances of fleet can't be listed: ")


def test_a_token_that_is_revoked_in_the_middle_is_waited_for(bed):
    token = "a-token-that-is-revoked"
    bed.bench.control("POST", "/credentials", {"token": token})
    with bed.source(api_token=token) as source:
        bed.rounds(source)
        bed.bench.control("POST", "/reset")  # which forgets it
        line = source.await_line("can't be listed")
        bed.bench.control("POST", "/credentials", {"token": token})
        bed.fail("order-1")
        source.await_events(1)
    assert "credentials from api_token" in line
    assert not source.log.holding(token)


def test_an_api_that_is_down_is_waited_for(bed):
    with bed.source(api_retries=0) as source:
        bed.rounds(source)
        bed.bench.control("POST", "/faults", [{"match": {"kind": "list"}, "times": 1, "fault": {"status": 503}}])
        source.await_line("can't be listed")
        bed.fail("order-1")
        source.await_events(1)
        assert len(source.log.holding("can't be listed")) == 2  # and that it is over


def test_the_budget_stretches_what_it_can_not_pay(bed):
    bed.fail(*[f"old-{number}" for number in range(205)])
    with bed.source(budget=12, sweep_interval=10) as source:
        line = source.await_line("is not enough")
        source.await_events(205)
        until(lambda: bed.bench.calls()["total"] >= 6, lambda: bed.bench.calls()["total"])
        assert bed.bench.calls()["total"] <= 12
    assert line.startswith("WARNING budget=12 calls in 5 min is not enough: ") and line.endswith("name fewer workflows.")


# -- what can't pass ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        ({"api_token": "a-token-that-nobody-knows"}, "workflow_poll: the API does not know the credentials from api_token"),
        ({"workflow_name": "no-such-workflow"}, "workflow_poll: workflow no-such-workflow was not found in account"),
        ({"account_id": "another-account"}, "workflow_poll: the API does not let the credentials from api_token do this in account"),
        ({"intervall": 5}, "workflow_poll: intervall is no argument of this source; did you mean interval."),
    ],
    ids=["token", "workflow", "account", "argument"],
)
def test_what_can_not_pass_ends_it_with_one_sentence(bed, args, sentence):
    with bed.source(**args) as source:
        error = source.ended()
    assert type(error).__name__ == "SourceError" and error.__cause__ is None
    text = str(error)
    assert text.startswith(sentence) and text.endswith(".") and len(text.splitlines()) == 1
    assert source.events == []


# -- a development session ------------------------------------------------------------------------------------------------


def test_a_development_session_is_looked_at_for_what_it_does_not_list(bed):
    own = {"api_url": bed.bench.engine.ready["dev_gateway_url"], "account_id": None, "api_token": None}
    with bed.source(state_path=bed.state_path, **own) as source:
        bed.fail("order-1")
        source.await_events(1)
        bed.rounds(source)
        bed.bench.control("POST", "/op", {"op": "restart", "workflow": WORKFLOW, "instance": "order-1"})
        first, second = source.await_events(2)
        bed.rounds(source)
        assert len(source.events) == 2
    assert [first["instance"]["failures"], second["instance"]["failures"]] == [1, 2]
    assert None not in (first["instance"]["ended_on"], second["instance"]["ended_on"])
    assert first["instance"]["failed_step"] == {"name": "charge", "count": 1, "type": "do"}
