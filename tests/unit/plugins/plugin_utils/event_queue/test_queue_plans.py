# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What has to be sent, and what is said in the end."""

from __future__ import annotations

import pytest

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import AnswerLost, CloudflareError, Refused
from ansible_collections.edgeops.cloudflare.plugins.plugin_utils.event_queue import accounts, plans
from ansible_collections.edgeops.cloudflare.plugins.plugin_utils.event_queue.orders import DEFAULT_EVENTS, Wanted
from ansible_collections.edgeops.cloudflare.plugins.plugin_utils.event_queue.seen import Seen

WANTED = Wanted(["orders"], "events", None, None, None, None, False)
ABSENT = WANTED._replace(is_absent=True)
QUEUE = {"queue_id": "q1", "queue_name": "events"}
OTHER = {"queue_id": "q2", "queue_name": "other"}
CONSUMER = {"consumer_id": "c1", "type": "http_pull", "settings": {"batch_size": 7, "max_retries": 3, "visibility_timeout_ms": 5000}}
EMPTY = Seen([], [], [])


def subscription(workflow="orders", queue="q1", events=("instance.errored",), **more):
    """One as the API lists it."""
    source, destination = {"type": "workflows.workflow", "workflow_name": workflow}, {"type": "queues.queue", "queue_id": queue}
    return {
        "id": "s-" + workflow,
        "name": "mine",
        "enabled": True,
        "source": source,
        "events": list(events),
        "destination": destination,
        **more,
    }


def calls(plan, phase=None):
    """What would be sent: (method, path) each."""
    return [(step.method, step.path) for step in plan.steps if phase in (None, step.phase)]


WHOLE = Seen([QUEUE], [CONSUMER], [subscription()])


def test_from_nothing():
    """Queue first, then what needs its id."""
    plan = plans.plan(WANTED._replace(dead_letter_queue="dead"), EMPTY)
    assert calls(plan, 1) == [("POST", "/queues"), ("POST", "/queues")]
    assert [step.body for step in plan.steps[:2]] == [{"queue_name": "dead"}, {"queue_name": "events"}]
    consumer, subscribed = plans.addressed(plan.steps[2:], "q 1")
    assert consumer.path == "/queues/q%201/consumers" and consumer.body["dead_letter_queue"] == "dead"
    assert consumer.body["settings"] == {"max_retries": 100, "visibility_timeout_ms": 120_000}
    assert subscribed.body["destination"] == {"type": "queues.queue", "queue_id": "q 1"} and subscribed.body["events"] == DEFAULT_EVENTS


@pytest.mark.parametrize(
    ("wanted", "seen", "expected"),
    [
        ({}, {}, []),
        ({"events": ["instance.errored"], "max_retries": 3, "visibility_timeout": 5}, {}, []),
        ({"max_retries": 0}, {}, [("PUT", "/queues/q1/consumers/c1")]),
        ({"visibility_timeout": 6}, {}, [("PUT", "/queues/q1/consumers/c1")]),
        ({"dead_letter_queue": "dead"}, {}, [("POST", "/queues"), ("PUT", "/queues/q1/consumers/c1")]),
        ({"dead_letter_queue": "other"}, {"queues": [QUEUE, OTHER]}, [("PUT", "/queues/q1/consumers/c1")]),
        ({"dead_letter_queue": "other"}, {"queues": [QUEUE, OTHER], "consumers": [{**CONSUMER, "dead_letter_queue": "other"}]}, []),
        ({}, {"consumers": [{**CONSUMER, "dead_letter_queue": "other"}]}, []),
        ({"events": ["instance.paused"]}, {}, [("PATCH", "/event_subscriptions/subscriptions/s-orders")]),
        ({}, {"subscriptions": [subscription(enabled=False)]}, [("PATCH", "/event_subscriptions/subscriptions/s-orders")]),
        ({}, {"subscriptions": []}, [("POST", "/event_subscriptions/subscriptions")]),
        ({}, {"consumers": []}, [("POST", "/queues/q1/consumers")]),
        ({"workflows": ["orders", "b"]}, {}, [("POST", "/event_subscriptions/subscriptions")]),
        ({}, {"consumers": [{"type": "http_pull", "consumer_id": "c1"}]}, []),
    ],
)
def test_what_differs(wanted, seen, expected):
    """Only that is sent; what is not given is left as it is."""
    assert calls(plans.plan(WANTED._replace(**wanted), WHOLE._replace(**seen))) == expected


def test_a_change_keeps_the_rest():
    """A consumer is sent whole, with what nobody has asked to change; a subscription by what differs."""
    (step,) = plans.plan(WANTED._replace(max_retries=9), WHOLE._replace(consumers=[{**CONSUMER, "dead_letter_queue": "d"}])).steps
    assert step.body == {"type": "http_pull", "dead_letter_queue": "d", "settings": {**CONSUMER["settings"], "max_retries": 9}}
    (step,) = plans.plan(WANTED, WHOLE._replace(subscriptions=[subscription(enabled=False)])).steps
    assert step.body == {"enabled": True} and "disabled" in step.what


@pytest.mark.parametrize(
    ("seen", "says"),
    [
        ({"subscriptions": [subscription(queue="q2")]}, "orders has a subscription, mine (s-orders), that leads to queue other, and"),
        ({"subscriptions": [subscription(queue="q3")]}, "leads to queue q3, which is not listed"),
        ({"consumers": [{"type": "worker", "script": "shop"}]}, "queue events has a consumer of type worker (shop), and a queue has one"),
        ({"queues": [OTHER], "consumers": [], "subscriptions": [subscription(queue="q2")]}, "leads to queue other"),
    ],
)
def test_what_stands_in_the_way(seen, says):
    """Told, and nothing is sent."""
    plan = plans.plan(WANTED._replace(workflows=["orders", "b"]), Seen([QUEUE, OTHER], [CONSUMER], [])._replace(**seen))
    assert says in plan.stop and plan.steps == []


OF_SOMETHING_ELSE = subscription()
OF_SOMETHING_ELSE["source"] = {"type": "r2"}


@pytest.mark.parametrize(
    ("seen", "methods", "says"),
    [
        ({}, 3, ""),
        ({"backlog": 1}, 3, "queue events and the one message in it"),
        ({"backlog": 0}, 3, "queue events, which is empty"),
        ({"consumers": [{**CONSUMER, "dead_letter_queue": "dead"}]}, 3, "Kept: the dead letter queue dead"),
        ({"subscriptions": [subscription(), subscription("b")]}, 1, "Kept: queue events, since subscriptions of b lead to it"),
        ({"subscriptions": [subscription(), OF_SOMETHING_ELSE]}, 1, "since subscriptions of r2 lead to it"),
        ({"subscriptions": [subscription(queue="q2")], "queues": [QUEUE, OTHER]}, 2, "subscription of orders, which leads to queue other"),
        ({"queues": [{**QUEUE, "producers": [{"type": "worker", "script": "shop"}]}]}, 1, "since shop put messages into it"),
        ({"queues": [{**QUEUE, "producers": [{"type": "event_subscription"}]}]}, 3, ""),
        ({"consumers": [{"type": "worker", "script": "shop"}]}, 1, "since it has a consumer of type worker (shop)"),
        ({"queues": [], "consumers": []}, 0, "There is no queue events"),
    ],
)
def test_taking_down(seen, methods, says):
    """Only what is this queue's, and the queue itself only where nobody else needs it."""
    plan = plans.plan(ABSENT, WHOLE._replace(**seen))
    assert {step.method for step in plan.steps} <= {"DELETE"} and len(plan.steps) == methods
    assert says in "; ".join(plan.lines)


# -- afterwards -----------------------------------------------------------------------------------------------------------


def replies(plan, *errors):
    """As many steps answered as there are errors; None is a good answer."""
    return [accounts.Reply(step, {"queue_id": "q1"} if error is None else None, error) for step, error in zip(plan.steps, errors)]


PLAN = plans.plan(WANTED, EMPTY)
SECOND = Refused("the API says: no multiple subscriptions on the same resource", http_status=400)


def test_phases():
    """The second waits for all of the first, and knows the queue by then."""
    assert len(accounts.next_steps(PLAN, WANTED, 1, [])) == 1
    assert [step.path for step in accounts.next_steps(PLAN, WANTED, 2, replies(PLAN, None))] == [
        "/queues/q1/consumers",
        plans.SUBSCRIPTIONS,
    ]
    assert accounts.next_steps(PLAN, WANTED, 2, replies(PLAN, CloudflareError("no"))) == []
    gone = plans.plan(ABSENT, WHOLE)
    assert len(accounts.next_steps(gone, ABSENT, 2, replies(gone, CloudflareError("x", http_status=404), None))) == 1


@pytest.mark.parametrize(
    ("errors", "pull", "again", "says", "failed"),
    [
        ((None, None, None), None, None, "A pull was accepted", False),
        ((None, None, None), Refused("HTTP pull not enabled"), None, "does not accept pulls yet", True),
        ((CloudflareError("no"),), None, None, "Not attempted, since what comes before it has failed: make its HTTP pull consumer", True),
        ((None, AnswerLost("broke"), None), None, None, "was made is not known: broke. Run it again: it looks first", True),
        ((None, None, SECOND), None, [], "orders has no subscription that is listed", True),
        ((None, None, SECOND), None, [subscription()], "something else has made it meanwhile", False),
        ((None, None, SECOND), None, [subscription(queue="q2")], "that leads to queue q2", True),
    ],
)
def test_the_account(errors, pull, again, says, failed):
    """Bad news first, and what was made beside it."""
    seen_again = None if again is None else EMPTY._replace(subscriptions=again)
    told = accounts.account(WANTED, PLAN, replies(PLAN, *errors), pull, seen_again)
    assert says in ". ".join(told.lines) and told.failed is failed
    if failed:
        assert not told.lines[0].startswith("Made")
    if errors[0] is None:
        assert "Made queue events" in told.lines


def test_gone_already():
    """What somebody else has deleted meanwhile is no failure."""
    plan = plans.plan(ABSENT, WHOLE)
    told = accounts.account(ABSENT, plan, replies(plan, *[CloudflareError("x", http_status=404)] * 3), None)
    assert not told.failed and "Already gone: queue events" in told.lines
