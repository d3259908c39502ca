# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages of a queue: bodies in every encoding that was seen, and leases until they are acknowledged."""

from __future__ import annotations

import base64
import json

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.edgeops.cloudflare.plugins.module_utils.events import leases as leases_module
from ansible_collections.edgeops.cloudflare.plugins.module_utils.events.leases import Leases
from ansible_collections.edgeops.cloudflare.plugins.module_utils.events.pull import message_of
from ansible_collections.edgeops.cloudflare.tests.unit.tables import each_row

AT = "2026-08-06T03:24:10.000Z"


def body(kind="errored", workflow="orders", instance="order-1", version="v1", at=AT, **more):
    return {
        "type": f"cf.workflows.workflow.instance.{kind}",
        "source": {"type": "workflows.workflow", "workflowName": workflow},
        "payload": {"versionId": version, "instanceId": instance},
        "metadata": {"accountId": "0123", "eventSubscriptionId": "s", "eventSchemaVersion": 1, "eventTimestamp": at},
        **more,
    }


def encoded(value):
    return base64.b64encode(json.dumps(value).encode()).decode()


def raw(value, content_type="json"):
    metadata = {} if content_type is None else {"CF-Content-Type": content_type}
    return {"id": "m", "body": value, "attempts": 0, "timestamp_ms": 1, "lease_id": "l", "metadata": metadata}


TOLD = ("orders", "order-1", "errored", "v1", AT)


@each_row(
    "message",
    [
        raw(encoded(body())),
        raw(encoded(body()), "bytes"),
        raw(json.dumps(body()), "text"),
        raw(json.dumps(body())),
        raw(encoded(body()), "text"),
        raw(encoded(body()), None),
        raw(json.dumps(body()), None),
        raw(json.dumps(body()), "v9"),
        raw(body()),
        raw(encoded(json.dumps(body()))),
        raw(json.dumps(json.dumps(body())), "text"),
        dict(raw(encoded(body())), metadata=None),
        raw(json.dumps(body(at="2026-08-06T05:24:10+02:00"))),
    ],
)
def test_bodies(message):
    found = message_of(message)
    assert (found.workflow_name, found.instance_id, found.status, found.version_id, found.at) == TOLD


@each_row(
    "kind, status",
    [
        ("errored", "errored"),
        ("completed", "complete"),
        ("started", "running"),
        ("queued", "queued"),
        ("paused", "paused"),
        ("terminated", "terminated"),
        ("exploded", None),
    ],
)
def test_kinds(kind, status):
    assert message_of(raw(body(kind))).status == status


@each_row(
    "value",
    [
        None,
        5,
        [],
        "",
        "no JSON",
        "AAAA",
        encoded([1]),
        encoded("text"),
        "[" * 100_000,
        {},
        {"type": "cf.r2.object.created", "source": {}, "payload": {}},
        {"type": 5},
        body(source=None),
        body(source={"workflowName": 5}),
        body(payload=None),
        body(instance=""),
        body(instance="{{ lookup('pipe', 'id') }}"),
        body(workflow="a" * 65),
    ],
)
def test_what_is_none_of_workflows(value):
    assert message_of(raw(value)) is None


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda one: st.lists(one) | st.dictionaries(st.text(), one)))
def test_nothing_that_comes_is_too_strange(value):
    assert message_of(raw(value)) is None
    assert message_of({"body": encoded(value), "metadata": value}) is None


def test_the_key_is_of_the_event_and_not_of_the_delivery():
    first, again = message_of(raw(encoded(body()))), message_of(raw(json.dumps(body()), "text"))
    assert first.key == again.key
    others = [body(instance="order-2"), body("completed"), body(workflow="b"), body(version="v2"), body(at="2026-08-06T03:24:11Z")]
    assert len({first.key, *(message_of(raw(other)).key for other in others)}) == 6


def test_what_the_message_alone_tells():
    told = message_of(raw(body())).sighting()
    assert (told.status, told.ended_on, told.moment, told.occasion, told.error) == ("errored", AT, AT, AT, None)
    assert message_of(raw(body("paused"))).sighting().ended_on is None


# -- leases ---------------------------------------------------------------------------------------------------------------


def test_a_message_is_acknowledged_some_time_after_it_was_told():
    leases = Leases(60.0)
    assert not leases.is_known("a", "l1") and leases.due_at() is None
    leases.tell("a", ["l1"], 100.0)
    assert leases.due(159.0) == [] and leases.due_at() == 160.0
    assert leases.due(160.0) == ["l1"] and leases.done() == []
    leases.acknowledged(["l1"])
    assert leases.due(999.0) == [] and leases.done() == ["a"]


def test_another_delivery_is_known_before_and_after():
    leases = Leases(60.0)
    leases.tell("a", ["l1"], 100.0)
    assert leases.is_known("a", "l2")
    assert leases.due(160.0) == ["l1", "l2"]
    leases.acknowledged(["l1"])  # the other didn't fit
    assert leases.due(160.0) == ["l1", "l2"] and leases.done() == []
    leases.acknowledged(["l1", "l2"])
    assert leases.is_known("a", "l3") and leases.due(0.0) == ["l3"] and leases.due_at() == 0.0
    leases.acknowledged(["l3"])
    assert leases.due_at() is None


def test_what_nothing_is_to_be_done_about_is_acknowledged_at_once():
    leases = Leases(60.0)
    leases.drop("l1", "l2")
    assert leases.due(0.0) == ["l1", "l2"]


def test_after_a_restart_what_was_done_is_known_and_nothing_else():
    leases = Leases(60.0)
    leases.tell("a", ["l1"], 0.0)
    leases.tell("b", ["l2"], 50.0)
    leases.acknowledged(leases.due(60.0))
    after = Leases(60.0, leases.done())
    assert after.is_known("a", "l3") and not after.is_known("b", "l4")


def test_its_room_is_bounded(monkeypatch):
    monkeypatch.setattr(leases_module, "MOST_DONE", 10)
    leases = Leases(0.0)
    for number in range(30):
        leases.tell(f"k{number}", [f"l{number}"], 0.0)
        leases.acknowledged(leases.due(0.0))
    assert leases.done() == [f"k{number}" for number in range(20, 30)]
    leases = Leases(60.0)
    leases.tell("a", ["l0"], 0.0)
    for number in range(30):
        leases.is_known("a", f"l{number}")
    assert leases.due(60.0) == [f"l{number}" for number in range(25, 30)]
