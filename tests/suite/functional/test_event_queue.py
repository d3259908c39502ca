# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook `event_queue`: queue, pull consumer and subscriptions are made, kept and taken down, and events can be pulled by them."""

from __future__ import annotations

import base64
import time

import pytest
from flock import NAP
from queues import DEFAULTS, PULL, QUEUE, QUEUES, SUBSCRIPTION, Queues


@pytest.fixture
def queues(bench):
    return Queues(bench)


def test_made_once(queues):
    """Foretold without a word sent, made, found as it is, and taken down twice; each said in words."""
    foretold = queues.run("--check", workflow_names="fleet, orders")
    assert (
        f"Would make queue {QUEUE}" in foretold
        and "Would make its HTTP pull consumer (max_retries 100, visibility_timeout 120 s" in foretold
    )
    assert "Would make the subscription of orders (instance.errored, instance.paused, instance.terminated)" in foretold
    assert queues.sent() == [] and queues.looks() == 2 and queues.changed == 1 and queues.there() == ({}, {})

    made = queues.run(workflow_names=["fleet", "orders"])
    assert queues.sent() == [QUEUES, ("POST", "/queues/consumers"), *[SUBSCRIPTION] * 2, PULL] and queues.changed == 2
    assert f"Made queue {QUEUE}" in made and "Made the subscription of fleet" in made and "A pull was accepted" in made
    subscribed = (QUEUE, DEFAULTS, True)
    assert queues.there() == ({QUEUE: (100, 120, None)}, {"fleet": subscribed, "orders": subscribed})

    again = queues.run(workflow_names="fleet\norders")
    assert queues.sent() == [] and queues.looks() == 3 and queues.changed == 0
    assert "Nothing is to be done" in again and f"The subscription of fleet is there ({', '.join(DEFAULTS)})" in again

    foretold = queues.run("--check", state="absent")
    assert (
        "Would delete the subscription of fleet" in foretold
        and "Kept: queue workflow-events, since subscriptions of orders lead to it" in foretold
    )
    assert queues.sent() == [] and queues.changed == 1
    kept = queues.run(state="absent")
    assert queues.sent() == [("DELETE", "/event_subscriptions/subscriptions")] and "Kept: queue workflow-events" in kept
    assert queues.there() == ({QUEUE: (100, 120, None)}, {"orders": subscribed})

    queues.bench.control("POST", "/queues/put", {"queue": QUEUE, "body": {"n": 1}, "copies": 2})
    gone = queues.run(state="absent", workflow_names="fleet, orders")
    assert "Deleted queue workflow-events and the 2 messages in it" in gone and queues.changed == 2 and queues.there() == ({}, {})
    again = queues.run(state="absent", workflow_names="fleet, orders")
    assert "There is no queue workflow-events" in again and queues.sent() == [] and queues.changed == 0


def test_events_can_be_pulled(queues, flock):
    """What happens to an instance afterwards is in the queue; what was pulled to try it is given back."""
    queue_id = queues.make(QUEUE)
    queues.bench.control("POST", "/queues/put", {"queue": QUEUE, "body": {"n": 1}})
    queues.run(events="errored, cf.workflows.workflow.instance.terminated")
    assert queues.sent()[-1] == ("POST", "/queues/messages/ack")
    flock.create(["one"], NAP)
    flock.op({"op": "terminate", "instance": "one"})
    pulled, end = [], time.monotonic() + 30
    while len(pulled) < 2:
        assert time.monotonic() < end, pulled
        pulled += queues.api("POST", f"/queues/{queue_id}/messages/pull", {"batch_size": 100})["messages"]
    assert "instance.terminated" in base64.b64decode(pulled[1]["body"]).decode()


def test_what_is_given_is_changed(queues):
    """Of what is there, what is given is made so, and nothing else; a disabled subscription is enabled."""
    queue_id = queues.make(QUEUE)
    settings = {"batch_size": 7, "max_retries": 3, "visibility_timeout_ms": 5000}
    queues.api("POST", f"/queues/{queue_id}/consumers", {"type": "http_pull", "settings": settings})
    queues.subscribe("fleet", queue_id, enabled=False)
    queues.run()
    assert queues.there() == ({QUEUE: (3, 5, None)}, {"fleet": (QUEUE, ["instance.errored"], True)})
    assert queues.sent() == [] or queues.changed == 1

    said = queues.run(max_retries="9", dead_letter_queue="dead", events="completed,errored")
    assert "to max_retries 9, visibility_timeout 5 s, dead letter queue dead" in said and "Made dead letter queue dead" in said
    assert queues.there() == ({"dead": None, QUEUE: (9, 5, "dead")}, {"fleet": (QUEUE, ["instance.completed", "instance.errored"], True)})
    (consumer,) = queues.api("GET", f"/queues/{queue_id}/consumers")
    assert consumer["settings"]["batch_size"] == 7

    queues.run(max_retries=9, dead_letter_queue="dead", events=["instance.errored", "instance.completed"])
    assert queues.changed == 0
    assert "Kept: the dead letter queue dead" in queues.run(state="absent") and queues.there() == ({"dead": None}, {})


def test_blanks_are_defaults(queues):
    """As a survey hands them over."""
    blanks = {"state": "", "events": None, "max_retries": "", "visibility_timeout": None, "dead_letter_queue": "", "wait_timeout": ""}
    queues.run(workflow_name="orders", **blanks)
    assert queues.there() == ({QUEUE: (100, 120, None)}, {"fleet": (QUEUE, DEFAULTS, True)})


def test_key_and_email(queues):
    """Do as well as a token."""
    engine = queues.bench.engine
    settings = {"CLOUDFLARE_API_TOKEN": "", "CLOUDFLARE_EMAIL": engine.api_email, "CLOUDFLARE_API_KEY": engine.api_key}
    assert "A pull was accepted" in queues.run("-vvvv", settings=settings)


def test_more_than_a_page(queues):
    """What stands on the second page is found."""
    for number in range(100):
        queues.make(f"q-{number}")
    queues.make("q-100")
    said = queues.run("--check", queue_name="q-100")
    assert "Queue q-100 is there" in said and queues.looks() == 4
