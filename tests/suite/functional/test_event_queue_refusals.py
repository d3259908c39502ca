# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook `event_queue` where something stands in its way: told in a sentence, and what was done beside it."""

from __future__ import annotations

import pytest
from queues import DEFAULTS, PULL, QUEUE, QUEUES, SUBSCRIPTION, Queues


@pytest.fixture
def queues(bench):
    return Queues(bench)


def test_a_subscription_to_elsewhere(queues):
    """Told in a sentence, and nothing sent; taking down leaves it alone."""
    queues.subscribe("orders", queues.make("other"))
    for arguments in (["--check"], []):
        said = queues.run(*arguments, workflow_names=["fleet", "orders"], expect=2)
        assert "orders has a subscription, by-hand (" in said and "that leads to queue other, and Cloudflare allows one" in said
        assert queues.sent() == []
    queues.make(QUEUE)
    kept = queues.run(state="absent", workflow_names="orders")
    assert "Kept: the subscription of orders, which leads to queue other" in kept
    assert queues.there() == ({"other": None}, {"orders": ("other", ["instance.errored"], True)})


SECOND = {"status": 400, "code": 10002, "message": "We currently do not support multiple subscriptions on the same resource."}


def test_a_second_subscription_is_refused(queues):
    """As it is for a while after one was deleted: tried again; or because somebody was faster: whose it is now tells."""
    match = {"method": "POST", "path_regex": "subscriptions$"}
    queues.bench.control("POST", "/faults", {"match": match, "times": 1, "fault": SECOND})
    assert "Made the subscription of fleet" in queues.run() and queues.sent().count(SUBSCRIPTION) == 2

    queues.bench.control("POST", "/faults", {"match": match, "times": 1, "fault": SECOND})
    said = queues.run(workflow_names="orders", wait_timeout=0, expect=2)
    assert "orders has no subscription that is listed, and yet a second one was refused" in said
    assert queues.changed == 0 and queues.sent() == [SUBSCRIPTION]

    queues.bench.control("POST", "/faults", {"match": match, "times": 1, "fault": {**SECOND, "work": True}})
    said = queues.run(workflow_names="orders", wait_timeout=0)
    assert "The subscription of orders is there: something else has made it meanwhile" in said and queues.changed == 0


def test_pulls_are_waited_for(queues):
    """A new consumer refuses pulls for a while; one that does for too long is told, and what was made is told beside it."""
    refused = {"status": 400, "code": 10106, "message": "HTTP pull not enabled for this queue."}
    queues.bench.control("POST", "/faults", {"match": {"kind": "pull"}, "times": 2, "fault": refused})
    assert "A pull was accepted" in queues.run() and queues.sent().count(PULL) == 3
    queues.bench.control("POST", "/queues", {"pull_delay_ms": 600_000})
    said = queues.run(workflow_names="orders", queue_name="other", wait_timeout=1, expect=2)
    assert "Queue other does not accept pulls yet, though its consumer is made: the API says: HTTP pull not enabled" in said
    assert "Made the subscription of orders" in said


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        (
            {"workflow_names": None, "queue_name": ""},
            "workflow_names is missing: give it by -e workflow_names=VALUE, or in the survey; queue_name is missing",
        ),
        ({"workflow_names": ..., "workflow_name": "fleet"}, "did you mean workflow_names?"),
        (
            {"max_retries": "101", "visibility_timeout": 0, "state": "gone"},
            "state must be one of present, absent; it is 'gone'; max_retries must be a number from 0 to 100; it is '101'; visibility_timeout must be",
        ),
    ],
    ids=["blank", "mistyped", "numbers"],
)
def test_nothing_is_guessed(queues, variables, says):
    """A blank answer is none; what can't be meant is refused before any call."""
    assert says in queues.run(expect=2, **variables) and queues.looks() == 0


WRONG = "engine-token-of-nobody-at-all"


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"CLOUDFLARE_API_TOKEN": WRONG}, "the API does not know the credentials from CLOUDFLARE_API_TOKEN, or they have expired"),
        ({"CLOUDFLARE_API_TOKEN": ""}, "Set CLOUDFLARE_API_TOKEN, or CLOUDFLARE_EMAIL and CLOUDFLARE_API_KEY."),
        ({"CLOUDFLARE_ACCOUNT_ID": "f" * 32}, "may edit Queues in it."),
        ({"CLOUDFLARE_BASE_URL": "http://127.0.0.1:9/client/v4"}, "it refuses connections. Check CLOUDFLARE_BASE_URL"),
    ],
    ids=["unknown", "none", "account", "nobody-there"],
)
def test_credentials(queues, settings, says):
    """What is wrong is said in a sentence, without a secret, however loud the output is."""
    said = queues.run("-vvvv", expect=2, settings=settings)
    assert says in said and WRONG not in said and queues.looks() <= 1


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (
            {"status": 403, "code": 10000, "message": "Authentication error"},
            "The subscription of fleet ({events}) was not made: the API does not let",
        ),
        ({"status": 429, "retry_after": 17}, "holds calls of these credentials back for 17 s. Run it again then"),
    ],
    ids=["forbidden", "too-often"],
)
def test_failures_on_the_way(queues, fault, says):
    """Told first, with what was made beside it."""
    queues.bench.control("POST", "/faults", {"match": {"method": "POST", "path_regex": "subscriptions$"}, "times": 1, "fault": fault})
    said = queues.run(expect=2)
    assert says.format(events=", ".join(DEFAULTS)) in said and "Made queue workflow-events" in said, said


def test_a_lost_answer(queues):
    """The second run looks first, and finds what the first has made."""
    queues.bench.control("POST", "/faults", {"match": {"method": "POST", "path_regex": "subscriptions$"}, "fault": {"reset": "after"}})
    said = queues.run(expect=2)
    assert f"Whether the subscription of fleet ({', '.join(DEFAULTS)}) was made is not known" in said and queues.changed == 2
    queues.run()
    assert queues.sent() == [] and queues.there() == ({QUEUE: (100, 120, None)}, {"fleet": (QUEUE, DEFAULTS, True)})


def test_a_queue_that_is_refused(queues):
    """What needs it is not attempted, and told."""
    said = queues.run(queue_name="Upper", expect=2)
    assert (
        "Queue Upper was not made: the API says: " in said
        and "Not attempted, since what comes before it has failed: make its HTTP pull" in said
    )
    assert queues.sent() == [QUEUES] and queues.changed == 0


def test_a_failed_look(queues):
    """Looked again where it may pass; a list is never taken for whole that is not."""
    queues.bench.control("POST", "/faults", {"match": {"path_regex": "/queues"}, "times": 1, "fault": {"status": 503}})
    assert "Would make queue" in queues.run("--check")
    fault = {"envelope": {"result_info": {"page": 1, "per_page": 100, "count": 0, "total_count": 3, "total_pages": 1}}}
    queues.bench.control("POST", "/faults", {"match": {"path_regex": "subscriptions$"}, "fault": fault})
    said = queues.run(expect=2)
    assert "the list of event subscriptions was not read: the list of event subscriptions ends after 0 of 3" in said and queues.sent() == []
