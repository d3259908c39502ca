# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Queues behind the gateway: the engine's own events, by a real queue, to whoever pulls."""

from __future__ import annotations

import base64
import json
import time

import pytest
from engine_helpers import error_of, make, patch

ALL = ["instance." + name for name in ("queued", "started", "paused", "errored", "terminated", "completed")]
NAP = [{"sleep": "nap", "ms": 3_600_000}]


class Queue:
    """A queue with a pull consumer, by the API."""

    def __init__(self, engine, name, **settings):
        self.engine = engine
        self.name = name
        self.id = result(call(engine, "POST", "queues", body={"queue_name": name}))["queue_id"]
        self.dead = settings.pop("dead_letter_queue", None)
        consumer = {"type": "http_pull", "settings": settings, **({"dead_letter_queue": self.dead} if self.dead else {})}
        result(call(engine, "POST", "queues", self.id, "consumers", body=consumer))

    def subscribe(self, workflow="lab", events=ALL):
        source, destination = {"type": "workflows.workflow", "workflow_name": workflow}, {"type": "queues.queue", "queue_id": self.id}
        body = {"name": "tests", "enabled": True, "source": source, "events": events, "destination": destination}
        return call(self.engine, "POST", "event_subscriptions", "subscriptions", body=body)

    def pull(self, **body):
        return result(call(self.engine, "POST", "queues", self.id, "messages", "pull", body=body))

    def ack(self, messages=(), retries=()):
        body = {"acks": [{"lease_id": one["lease_id"]} for one in messages], "retries": list(retries)}
        return result(call(self.engine, "POST", "queues", self.id, "messages", "ack", body=body))

    def events(self, count):
        """So many events, acknowledged, each (its type, its instance)."""
        found, end = [], time.monotonic() + 30
        while len(found) < count:
            assert time.monotonic() < end, found
            messages = self.pull(batch_size=100)["messages"]
            self.ack(messages)
            bodies = [json.loads(base64.b64decode(one["body"])) for one in messages]
            found += [(body["type"].rpartition(".")[2], body["payload"]["instanceId"]) for body in bodies]
            time.sleep(0.05)
        return found


def call(engine, method, *parts, body=None):
    return engine.api(method, "/" + "/".join(parts), body, below="")


def result(answer):
    status, _headers, body = answer
    assert status == 200 and body["success"], body
    return body["result"]


@pytest.fixture
def queue(engine):
    return Queue(engine, "events", visibility_timeout_ms=60_000)


def test_what_happens_to_instances(engine, queue):
    """All six, in their order, however they come about; none for an instance that is left alone."""
    make(engine, "before", NAP, "waiting")
    result(queue.subscribe())
    make(engine, "bad", [{"do": "one", "fail": 2}], "errored")
    assert queue.events(3) == [("queued", "bad"), ("started", "bad"), ("errored", "bad")]

    patch(engine, "bad", {"status": "restart", "from": {"name": "one"}})
    assert queue.events(2) == [("started", "bad"), ("errored", "bad")]
    patch(engine, "bad", {"status": "restart"})
    assert queue.events(3) == [("queued", "bad"), ("started", "bad"), ("completed", "bad")]

    patch(engine, "before", {"status": "pause"})
    assert queue.events(1) == [("paused", "before")]
    patch(engine, "before", {"status": "resume"})
    assert queue.events(1) == [("started", "before")]
    patch(engine, "before", {"status": "restart"})
    assert queue.events(2) == [("queued", "before"), ("started", "before")]
    patch(engine, "before", {"status": "terminate"})
    assert queue.events(1) == [("terminated", "before")]
    time.sleep(0.5)
    assert queue.pull()["messages"] == []


def test_a_message(engine, queue):
    """As production has it."""
    subscription = result(queue.subscribe(events=["instance.errored"]))
    make(engine, "bad", [{"throw": "no"}], "errored")
    end = time.monotonic() + 30
    while not (messages := queue.pull()["messages"]):
        assert time.monotonic() < end
    (message,) = messages
    body = json.loads(base64.b64decode(message["body"]))
    assert body["type"] == "cf.workflows.workflow.instance.errored"
    assert body["source"] == {"type": "workflows.workflow", "workflowName": "lab"}
    assert set(body["payload"]) == {"versionId", "instanceId"} and body["payload"]["instanceId"] == "bad"
    assert body["metadata"]["accountId"] == engine.account_id and body["metadata"]["eventSubscriptionId"] == subscription["id"]
    assert message["attempts"] == 0 and message["metadata"]["CF-Content-Type"] == "json"


def test_many(engine, queue):
    """Two hundred failures, none lost and none twice."""
    result(queue.subscribe(events=["instance.errored"]))
    names = [f"m-{number}" for number in range(200)]
    engine.control("POST", "/instances", {"workflow": "lab", "ids": names, "params": {"steps": [{"throw": "no"}]}, "status": "errored"})
    assert sorted(queue.events(200)) == sorted(("errored", name) for name in names)


def test_leases(engine):
    """What is not acknowledged comes again, and at last goes to the dead letters; a late acknowledgement counts."""
    dead = Queue(engine, "dead")
    queue = Queue(engine, "events", max_retries=1, visibility_timeout_ms=50, dead_letter_queue="dead")
    engine.control("POST", "/queues/put", {"queue": "events", "body": {"n": 1}, "copies": 2})
    first = queue.pull(batch_size=1)
    assert first["message_backlog_count"] == 2 and len(first["messages"]) == 1
    time.sleep(0.1)
    assert queue.ack(first["messages"]) == {"ackCount": 1, "retryCount": 0, "warnings": {}}  # late
    assert queue.ack(first["messages"])["ackCount"] == 0  # twice

    (again,) = queue.pull()["messages"]
    assert queue.pull()["messages"] == []  # leased
    time.sleep(0.1)
    (again,) = queue.pull()["messages"]
    assert again["attempts"] == 1
    assert queue.ack(retries=[{"lease_id": again["lease_id"], "delay_seconds": 0}])["retryCount"] == 1
    assert queue.pull()["messages"] == []
    assert len(dead.pull()["messages"]) == 1


def test_a_consumer_is_changed(engine, queue):
    """The whole of it, as the body has it; and what is no consumer's, or no settings, is refused."""
    (consumer,) = result(call(engine, "GET", "queues", queue.id, "consumers"))
    place = ("queues", queue.id, "consumers", consumer["consumer_id"])
    body = {"type": "http_pull", "dead_letter_queue": "dead", "settings": {"max_retries": 9}}
    changed = result(call(engine, "PUT", *place, body=body))
    assert changed["settings"]["max_retries"] == 9 and changed["settings"]["visibility_timeout_ms"] == 30_000
    assert (
        result(call(engine, "GET", "queues", queue.id, "consumers")) == [{**consumer, **changed}] and changed["dead_letter_queue"] == "dead"
    )
    assert error_of(call(engine, "PUT", *place, body={**body, "settings": {"max_retries": 101}})) == (400, 10207)
    assert error_of(call(engine, "PUT", *place[:3], "f" * 32, body=body)) == (404, 11001)


def test_bodies(engine, queue):
    """Encoded by their content type; as they are where production should turn out to do that."""
    engine.control("POST", "/queues/put", {"queue": "events", "body": "plain", "content_type": "text"})
    assert queue.pull()["messages"][0]["body"] == "plain"
    engine.control("POST", "/queues", {"plain": True})
    engine.control("POST", "/queues/put", {"queue": "events", "body": {"n": 1}})
    assert json.loads(queue.pull()["messages"][0]["body"]) == {"n": 1}


def test_refusals(engine, queue):
    """What production refuses, by its codes."""
    assert error_of(call(engine, "GET", "queues", "f" * 32)) == (404, 10104)
    assert error_of(call(engine, "GET", "queues", "nonsense")) == (400, 10107)
    assert error_of(call(engine, "POST", "queues", body={"queue_name": "Not A Name"})) == (400, 10207)
    assert call(engine, "POST", "queues", body={"queue_name": "events"})[0] == 409
    assert call(engine, "POST", "queues", queue.id, "consumers", body={"type": "http_pull"})[0] == 400
    assert error_of(call(engine, "POST", "queues", queue.id, "messages", "pull", body={"batch_size": 101})) == (400, 10207)
    result(queue.subscribe("scratch-1"))
    status, _headers, body = queue.subscribe("scratch-1")
    assert status == 400 and "multiple subscriptions" in body["errors"][0]["message"]
    assert queue.subscribe("nobody")[0] == 400 and queue.subscribe("lab", ["instance.exploded"])[0] == 400
    assert call(engine, "DELETE", "queues", queue.id)[0] == 409

    engine.control("POST", "/queues", {"pull_delay_ms": 60_000})
    fresh = Queue(engine, "fresh")
    assert error_of(call(engine, "POST", "queues", fresh.id, "messages", "pull", body={})) == (400, 10106)


def test_set_up_and_taken_down(engine, queue):
    """Lists tell what is there; what is deleted is gone, and nothing comes any more."""
    subscription = result(queue.subscribe())
    (listed,) = result(call(engine, "GET", "queues"))
    assert listed["queue_id"] == queue.id and listed["consumers_total_count"] == 1 and listed["producers_total_count"] == 1
    assert [one["id"] for one in result(call(engine, "GET", "event_subscriptions", "subscriptions"))] == [subscription["id"]]
    result(call(engine, "DELETE", "event_subscriptions", "subscriptions", subscription["id"]))
    (consumer,) = result(call(engine, "GET", "queues", queue.id, "consumers"))
    result(call(engine, "DELETE", "queues", queue.id, "consumers", consumer["consumer_id"]))
    make(engine, "one", [], "complete")
    assert engine.control("GET", "/queues")["queues"] == {"events": []}
    result(call(engine, "DELETE", "queues", queue.id))
    assert result(call(engine, "GET", "queues")) == []


def test_calls_and_faults(engine, queue):
    """Pulls and acknowledgements are counted as such, and meet faults."""
    engine.control("POST", "/calls/reset")
    engine.control("POST", "/faults", {"match": {"kind": "pull"}, "times": 1, "fault": {"status": 503}})
    assert call(engine, "POST", "queues", queue.id, "messages", "pull", body={})[0] == 503
    queue.ack(queue.pull()["messages"])
    by_kind = engine.control("GET", "/calls")["by_kind"]
    assert (by_kind["pulls"], by_kind["acks"]) == (2, 1)
