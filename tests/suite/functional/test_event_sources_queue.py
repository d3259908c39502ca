# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`workflow_queue` on the engine: its own events, by a real queue, pulled, reported and acknowledged, whatever gets in its way."""

from __future__ import annotations

import base64
import json

import pytest
from eventing import Source, SourceProcess, until

WORKFLOW = "fleet"
QUEUE = "workflow-events"


class Bed:
    """A queue that the events of a workflow reach, and sources that pull from it."""

    def __init__(self, bench, folder):
        self.bench = bench
        self.state_path = str(folder / "state.json")
        self.queue_id = self.api("POST", "/queues", {"queue_name": QUEUE})["queue_id"]
        consumer = {"type": "http_pull", "settings": {"max_retries": 100, "visibility_timeout_ms": 1000}}
        self.api("POST", f"/queues/{self.queue_id}/consumers", consumer)

    def subscribe(self, *events):
        source = {"type": "workflows.workflow", "workflow_name": WORKFLOW}
        destination = {"type": "queues.queue", "queue_id": self.queue_id}
        names = [f"instance.{event}" for event in events or ("errored",)]
        body = {"name": "tests", "enabled": True, "source": source, "events": names, "destination": destination}
        self.api("POST", "/event_subscriptions/subscriptions", body)

    def api(self, method, path, body=None):
        status, _headers, answer = self.bench.engine.api(method, path, body, below="")
        assert status == 200, answer
        return answer["result"]

    def arguments(self, **args):
        engine = self.bench.engine
        own = {"api_url": engine.api_url, "account_id": engine.account_id, "api_token": engine.api_token, "queue_name": QUEUE}
        given = {**own, "poll_interval": 0.2, "ack_delay": 1, **args}
        return {name: value for name, value in given.items() if value is not None}

    def source(self, **args):
        return Source("workflow_queue", **self.arguments(**args))

    def process(self, **args):
        return SourceProcess("workflow_queue", **self.arguments(**args))

    def fail(self, *ids):
        steps = [{"do": "reserve"}, {"do": "charge", "fail": "card declined"}]
        self.bench.create(WORKFLOW, list(ids), {"steps": steps}, "errored")

    def restart(self, instance):
        self.bench.control("POST", "/op", {"op": "restart", "workflow": WORKFLOW, "instance": instance})

    def put(self, body, **more):
        self.bench.control("POST", "/queues/put", {"queue": QUEUE, "body": body, **more})

    def message(self, instance, at="2026-08-06T03:24:10.000Z", kind="errored", workflow=WORKFLOW):
        """A message as the API has it."""
        return {
            "type": f"cf.workflows.workflow.instance.{kind}",
            "source": {"type": "workflows.workflow", "workflowName": workflow},
            "payload": {"versionId": "v1", "instanceId": instance},
            "metadata": {"accountId": "a", "eventSubscriptionId": "s", "eventSchemaVersion": 1, "eventTimestamp": at},
        }

    def left(self):
        """The messages in the queue, leased ones included."""
        return self.bench.control("GET", "/queues")["queues"][QUEUE]

    def await_empty(self, source):
        until(lambda: not self.left(), lambda: (self.left(), source.error, source.log.lines))

    def pulls(self, source, count=3):
        """Wait until the source has pulled so many times more."""
        made = self.bench.calls()["by_kind"]["pulls"]
        until(lambda: self.bench.calls()["by_kind"]["pulls"] >= made + count, lambda: (source.error, source.log.lines))


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


def test_a_failure_is_reported_and_then_acknowledged(bed):
    bed.subscribe()
    with bed.source(state_path=bed.state_path, ack_delay=2) as source:
        bed.fail("order-1")
        (event,) = source.await_events(1)
        assert len(bed.left()) == 1  # taken is not done
        bed.await_empty(source)
        assert len(source.events) == 1
    assert source.error == "cancelled"
    assert event["instance"].pop("ended_on").endswith("Z") and len(event["meta"].pop("uuid")) == 36
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


def test_both_sources_tell_the_same_of_the_same(bed):
    bed.subscribe()
    bed.fail("order-1")
    with bed.source(state_path=bed.state_path) as source:
        (pulled,) = source.await_events(1)
    arguments = bed.arguments(queue_name=None, poll_interval=None, ack_delay=None, workflow_name=WORKFLOW, state_path=bed.state_path + "2")
    with Source("workflow_poll", **arguments) as source:
        (polled,) = source.await_events(1)
    assert pulled == polled


def test_what_happens_to_an_instance(bed):
    bed.subscribe("queued", "started", "paused", "errored", "terminated", "completed")
    with bed.source(statuses=["errored", "running", "paused", "terminated", "complete"]) as source:
        bed.bench.create(WORKFLOW, ["order-1"], {"steps": [{"wait": "approval"}]}, "waiting")
        source.await_events(1)
        for count, op in enumerate(("pause", "resume", "terminate"), 2):
            bed.bench.control("POST", "/op", {"op": op, "workflow": WORKFLOW, "instance": "order-1"})
            source.await_events(count)
        bed.await_empty(source)
        told = [(event["type"], event["instance"]["previous_status"]) for event in source.events]
        ends = [event["instance"]["ended_on"] for event in source.events]
    assert told == [
        ("instance.running", None),
        ("instance.paused", "running"),
        ("instance.running", "paused"),
        ("instance.terminated", "running"),
    ]
    assert ends[:3] == [None] * 3 and ends[3].endswith("Z")


def test_a_second_failure_is_another_event_and_is_counted(bed):
    bed.subscribe()
    with bed.source(state_path=bed.state_path) as source:
        bed.fail("order-1")
        source.await_events(1)
        bed.restart("order-1")
        first, second = source.await_events(2)
    assert [first["instance"]["failures"], second["instance"]["failures"]] == [1, 2]
    assert first["meta"]["uuid"] != second["meta"]["uuid"]


def test_a_storm_is_one_from_its_first_event_on(bed):
    bed.subscribe()
    ids = [f"order-{number}" for number in range(25)]
    bed.fail(*ids)
    until(lambda: len(bed.left()) == 25, bed.left)
    with bed.source(budget=10) as source:
        events = source.await_events(25)
        bed.await_empty(source)
    assert names(events) == sorted(ids)
    assert {event["workflow"]["recent_failures"] for event in events} == {25}
    assert sum(event["instance"]["error"] is None for event in events) == 15  # the budget is for ten looks
    assert all(event["instance"]["ended_on"] for event in events)


def test_bodies_of_every_kind(bed):
    """Nobody knows how production encodes the messages of subscriptions."""
    bed.fail("order-1", "order-2", "order-3", "order-4")
    with bed.source(queue_name=None, queue_id=bed.queue_id) as source:
        bed.put(bed.message("order-1"))
        bed.put(bed.message("order-2"), content_type="text")
        bed.put(json.dumps(json.dumps(bed.message("order-3"))))
        bed.put(base64.b64encode(json.dumps(bed.message("order-4")).encode()).decode(), content_type="text")
        assert names(source.await_events(4)) == ["order-1", "order-2", "order-3", "order-4"]
        bed.bench.control("POST", "/queues", {"plain": True})
        bed.put(bed.message("order-1", at="2026-08-06T03:24:11.000Z"))
        source.await_events(5)
        bed.await_empty(source)


def test_the_same_message_twice_is_one_event(bed):
    bed.fail("order-1")
    with bed.source(state_path=bed.state_path) as source:
        bed.put(bed.message("order-1"), copies=2)
        bed.await_empty(source)
        bed.put(bed.message("order-1"))
        bed.await_empty(source)
        assert len(source.events) == 1
    with bed.source(state_path=bed.state_path) as source:
        bed.put(bed.message("order-1"))
        bed.await_empty(source)
        assert source.events == []


def test_what_is_not_asked_for_is_acknowledged_and_what_is_strange_is_left(bed):
    bed.fail("order-1")
    with bed.source(workflow_names=[WORKFLOW]) as source:
        bed.put({"type": "cf.r2.object.created"})
        bed.put("no JSON at all", content_type="text")
        bed.put(bed.message("order-2", kind="completed"))
        bed.put(bed.message("order-3", workflow="orders"))
        bed.put(bed.message("order-1"))
        source.await_events(1)
        until(lambda: len(bed.left()) == 2, bed.left)
        bed.pulls(source)
        assert len(source.log.holding("is none of Workflows")) == 2
        assert len(source.log.holding("messages about workflow orders")) == 1
    assert names(source.events) == ["order-1"]


# -- the API is behind ----------------------------------------------------------------------------------------------------


def test_an_event_ahead_of_the_api_waits_for_it(bed):
    """The status comes a look later, and the error one later still."""
    bed.fail("order-1")
    overlay = {"workflow": WORKFLOW, "instance": "order-1", "status": "running", "times": 1}
    bed.bench.control("POST", "/overlay", overlay)
    with bed.source() as source:
        bed.put(bed.message("order-1"))
        (event,) = source.await_events(1)
    assert event["instance"]["error"] == {"name": "Error", "message": "card declined"}


def test_a_failure_that_the_api_does_not_confirm_is_not_reported(bed):
    bed.bench.create(WORKFLOW, ["order-1"], {"steps": [{"wait": "approval"}]}, "waiting")
    with bed.source() as source:
        bed.put(bed.message("order-1"))
        source.await_line("the API does not confirm")
        assert len(bed.left()) == 1  # it comes once more
        assert source.events == []


def test_what_can_not_be_looked_at_is_reported_all_the_same(bed):
    bed.fail("order-1")
    with bed.source(api_retries=0) as source:
        bed.bench.control("POST", "/faults", [{"match": {"kind": "read"}, "fault": {"status": 503}}])
        bed.put(bed.message("order-1"))
        (event,) = source.await_events(1)
        source.await_line("new failures can't be looked at")
    assert event["instance"]["error"] is None and event["instance"]["ended_on"] == "2026-08-06T03:24:10.000Z"


# -- its end, and its next beginning --------------------------------------------------------------------------------------


def test_killed_before_the_acknowledgement_it_reports_again(bed):
    bed.subscribe()
    first = bed.process(state_path=bed.state_path, ack_delay=30)
    bed.fail("order-1")
    (told,) = first.await_events(1)
    first.kill()
    bed.fail("order-2")
    # What would take the lease two minutes to do.
    (lease,) = [one for one in bed.left() if one["leased"]]
    assert lease
    bed.put(json.loads(lease["text"]))
    with bed.source(state_path=bed.state_path) as second:
        events = {event["instance"]["id"]: event for event in second.await_events(2)}
    assert events["order-1"]["meta"] == told["meta"]
    assert {event["instance"]["failures"] for event in events.values()} == {1}


# -- what passes ----------------------------------------------------------------------------------------------------------


def test_pulls_and_acknowledgements_that_fail_are_made_again(bed):
    bed.subscribe()
    with bed.source(api_retries=0) as source:
        bed.pulls(source)
        bed.bench.control("POST", "/faults", [{"match": {"kind": "pull"}, "times": 1, "fault": {"status": 503}}])
        source.await_line("can't be pulled from")
        bed.bench.control("POST", "/faults", [{"match": {"kind": "ack"}, "times": 1, "fault": {"status": 500}}])
        bed.fail("order-1")
        source.await_events(1)
        bed.await_empty(source)
        assert source.log.holding("can't be acknowledged")
        assert len(source.events) == 1


def test_a_block_is_waited_out_with_one_line(bed):
    bed.subscribe()
    with bed.source() as source:
        bed.pulls(source)
        bed.bench.control("POST", "/quota", {"limit": 1, "window_s": 3, "block_s": 3, "headers": False})
        line = source.await_line("rate limit blocks")
        bed.bench.control("POST", "/quota")
        bed.fail("order-1")
        source.await_events(1)
        bed.await_empty(source)
    assert line.startswith("WARNING queue workflow-events can't be pulled from: ") and "It is tried again at " in line


def test_a_fresh_consumer_is_waited_for(bed):
    """It refuses pulls for some seconds."""
    (consumer,) = bed.api("GET", f"/queues/{bed.queue_id}/consumers")
    bed.api("DELETE", f"/queues/{bed.queue_id}/consumers/{consumer['consumer_id']}")
    bed.fail("order-1")
    with bed.source() as source:
        line = source.await_line("can't be pulled from")
        bed.api("POST", f"/queues/{bed.queue_id}/consumers", {"type": "http_pull"})
        bed.put(bed.message("order-1"))
        source.await_events(1)
    assert "HTTP pull not enabled for this queue" in line


# -- what can't pass ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        ({"api_token": "a-token-that-nobody-knows"}, "workflow_queue: the API does not know the credentials from api_token"),
        ({"queue_name": "no-such-queue"}, "workflow_queue: queue no-such-queue was not found in account"),
        ({"queue_name": None, "queue_id": "f" * 32}, f"workflow_queue: queue {'f' * 32} was not found in account"),
        ({"queue_name": None, "queue_id": "nonsense"}, "workflow_queue: queue nonsense was not found in account"),
        ({"account_id": None}, "workflow_queue: account_id is missing: queues belong to an account"),
        ({"queue": "x"}, "workflow_queue: queue is no argument of this source; did you mean queue_id."),
    ],
    ids=["token", "name", "id", "nonsense", "account", "argument"],
)
def test_what_can_not_pass_ends_it_with_one_sentence(bed, args, sentence):
    with bed.source(**args) as source:
        error = source.ended()
    assert type(error).__name__ == "SourceError"
    text = str(error)
    assert text.startswith(sentence) and text.endswith(".") and len(text.splitlines()) == 1
    assert source.events == []
