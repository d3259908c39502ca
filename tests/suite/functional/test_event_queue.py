# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook `event_queue`: queue, pull consumer and subscriptions are made, kept and taken down, and events can be pulled by them."""

from __future__ import annotations

import base64
import re
import time

import pytest
from flock import NAP
from plays import Play

SETTINGS = {"ANSIBLE_PIPELINING": "true", "COLUMNS": "4000"}
QUEUE = "workflow-events"
QUEUES, SUBSCRIPTION, PULL = ("POST", "/queues"), ("POST", "/event_subscriptions/subscriptions"), ("POST", "/queues/messages/pull")
DEFAULTS = ["instance.errored", "instance.paused", "instance.terminated"]


class Queues:
    """What the API tells of queues, and the playbook beside it."""

    def __init__(self, bench):
        self.bench = bench
        self.output = ""

    def run(self, *arguments, expect=0, settings=None, **variables):
        """Run the playbook; returns what it said, without line breaks."""
        variables = {"workflow_names": ["fleet"], "queue_name": QUEUE, **variables}
        self.bench.control("POST", "/calls/reset")
        playing = Play(
            self.bench.engine,
            "edgeops.cloudflare.event_queue",
            *arguments,
            variables={name: value for name, value in variables.items() if value is not ...},
            settings={**SETTINGS, **(settings or {})},
        )
        code = playing.finish()
        self.output = playing.output
        assert code == expect and "Traceback" not in self.output and "WARNING" not in self.output, self.output
        assert self.bench.engine.api_token not in self.output and self.bench.engine.api_key not in self.output
        return re.sub(r"\s+", " ", self.output).replace("''", "'")

    @property
    def changed(self):
        """How many tasks have changed something."""
        return int(re.search(r"\bchanged=(\d+)", self.output).group(1))

    def sent(self):
        """What the playbook has called that is no look: a list of (method, what)."""
        log = self.bench.calls()["log"]
        return [
            (one["method"], re.sub(r"/[0-9a-f]{32}", "", one["path"].partition("accounts")[2])) for one in log if one["method"] != "GET"
        ]

    def looks(self):
        """How many looks it took."""
        return sum(one["method"] == "GET" for one in self.bench.calls()["log"])

    def api(self, method, path, body=None):
        """A call of the API; its result."""
        status, _headers, answer = self.bench.engine.api(method, path, body, below="")
        assert status == 200, answer
        return answer["result"]

    def make(self, name):
        """Make a queue; its id."""
        return self.api("POST", "/queues", {"queue_name": name})["queue_id"]

    def subscribe(self, workflow, queue_id, events=("instance.errored",), **more):
        """Make a subscription; it."""
        source, destination = {"type": "workflows.workflow", "workflow_name": workflow}, {"type": "queues.queue", "queue_id": queue_id}
        body = {"name": "by-hand", "enabled": True, "source": source, "events": list(events), "destination": destination, **more}
        return self.api("POST", "/event_subscriptions/subscriptions", body)

    def there(self):
        """What there is: {queue: (max_retries, visibility timeout, dead letter queue) or None}, {workflow: (queue, events, enabled)}."""
        queues = self.api("GET", "/queues")
        consumers = {}
        for queue in queues:
            settings = [
                (one["settings"]["max_retries"], one["settings"]["visibility_timeout_ms"] / 1000, one.get("dead_letter_queue"))
                for one in queue["consumers"]
            ]
            consumers[queue["queue_name"]] = settings[0] if settings else None
        by_id = {queue["queue_id"]: queue["queue_name"] for queue in queues}
        subscriptions = {
            one["source"]["workflow_name"]: (by_id.get(one["destination"]["queue_id"]), one["events"], one["enabled"])
            for one in self.api("GET", "/event_subscriptions/subscriptions")
        }
        return consumers, subscriptions


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


def test_a_second_subscription_is_refused(queues):
    """As it is for a while after one was deleted: tried again; or because somebody was faster: whose it is now tells."""
    second = {"status": 400, "code": 10002, "message": "We currently do not support multiple subscriptions on the same resource."}
    match = {"method": "POST", "path_regex": "subscriptions$"}
    queues.bench.control("POST", "/faults", {"match": match, "times": 1, "fault": second})
    assert "Made the subscription of fleet" in queues.run() and queues.sent().count(SUBSCRIPTION) == 2

    queues.run(state="absent")
    queues.bench.control("POST", "/faults", {"match": match, "fault": second})
    said = queues.run(wait_timeout=0, expect=2)
    assert "fleet has no subscription that is listed, and yet a second one was refused" in said and "Made queue workflow-events" in said
    assert queues.changed == 2 and queues.sent().count(SUBSCRIPTION) == 1

    queues.bench.control("DELETE", "/faults")
    queues.bench.control("POST", "/faults", {"match": match, "fault": {**second, "work": True}})
    said = queues.run(wait_timeout=0)
    assert "The subscription of fleet is there: something else has made it meanwhile" in said and queues.changed == 0


def test_pulls_are_waited_for(queues):
    """A new consumer refuses pulls for a while; one that does for too long is told, and what was made is told beside it."""
    queues.bench.control("POST", "/queues", {"pull_delay_ms": 3000})
    assert "A pull was accepted" in queues.run() and queues.sent().count(PULL) >= 2
    queues.run(state="absent")
    queues.bench.control("POST", "/queues", {"pull_delay_ms": 600_000})
    said = queues.run(wait_timeout=1, expect=2)
    assert "Queue workflow-events does not accept pulls yet, though its consumer is made: the API says: HTTP pull not enabled" in said
    assert "Made the subscription of fleet" in said


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({"workflow_names": ""}, "workflow_names is missing"),
        (
            {"workflow_names": None, "queue_name": ...},
            "workflow_names is missing: give it by -e workflow_names=VALUE, or in the survey; queue_name is missing",
        ),
        ({"workflow_names": []}, "workflow_names is an empty list"),
        ({"workflow_names": ..., "workflow_name": "fleet"}, "did you mean workflow_names?"),
        ({"events": "exploded"}, "events must be of instance.queued"),
        ({"max_retries": "101"}, "max_retries must be a number from 0 to 100"),
        ({"visibility_timeout": 0}, "visibility_timeout must be a number from 1 to 43200"),
        ({"queue_name": "a/b"}, "queue_name must have 1 to 63 letters"),
        ({"queue_name": 83}, "queue_name is 83, a number and not text"),
        ({"dead_letter_queue": QUEUE}, "dead_letter_queue is workflow-events, the queue itself"),
        ({"state": "gone"}, "state must be of present, absent"),
    ],
    ids=lambda value: None if isinstance(value, str) else "-".join(value),
)
def test_nothing_is_guessed(queues, variables, says):
    """A blank answer is none; what can't be meant is refused before any call."""
    assert says in queues.run(expect=2, **variables) and queues.looks() == 0


def test_blanks_are_defaults(queues):
    """As a survey hands them over."""
    blanks = {"state": "", "events": None, "max_retries": "", "visibility_timeout": None, "dead_letter_queue": "", "wait_timeout": ""}
    queues.run(workflow_name="orders", **blanks)
    assert queues.there() == ({QUEUE: (100, 120, None)}, {"fleet": (QUEUE, DEFAULTS, True)})


WRONG = "engine-token-of-nobody-at-all"


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"CLOUDFLARE_API_TOKEN": WRONG}, "the API does not know the credentials from CLOUDFLARE_API_TOKEN, or they have expired"),
        ({"CLOUDFLARE_API_TOKEN": ""}, "Set CLOUDFLARE_API_TOKEN, or CLOUDFLARE_EMAIL and CLOUDFLARE_API_KEY."),
        (
            {"CLOUDFLARE_API_TOKEN": "", "CLOUDFLARE_EMAIL": "a@b.example", "CLOUDFLARE_API_KEY": WRONG},
            "credentials from CLOUDFLARE_API_KEY",
        ),
        ({"CLOUDFLARE_ACCOUNT_ID": "f" * 32}, "may edit Queues in it."),
        ({"CLOUDFLARE_ACCOUNT_ID": ""}, "CLOUDFLARE_ACCOUNT_ID is missing"),
        ({"CLOUDFLARE_API_TOKEN": "Bearer " + WRONG}, "CLOUDFLARE_API_TOKEN begins with 'Bearer'"),
        ({"CLOUDFLARE_BASE_URL": "http://127.0.0.1:9/client/v4"}, "it refuses connections. Check CLOUDFLARE_BASE_URL"),
    ],
    ids=["unknown", "none", "key", "account", "no-account", "pasted", "nobody-there"],
)
def test_credentials(queues, settings, says):
    """What is wrong is said in a sentence, without a secret, however loud the output is."""
    said = queues.run("-vvvv", expect=2, settings=settings)
    assert says in said and WRONG not in said and queues.looks() <= 1


def test_key_and_email(queues):
    """Do as well as a token."""
    engine = queues.bench.engine
    settings = {"CLOUDFLARE_API_TOKEN": "", "CLOUDFLARE_EMAIL": engine.api_email, "CLOUDFLARE_API_KEY": engine.api_key}
    assert "A pull was accepted" in queues.run("-vvvv", settings=settings)


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (
            {"status": 403, "code": 10000, "message": "Authentication error"},
            "The subscription of fleet ({events}) was not made: the API does not let",
        ),
        ({"status": 429, "retry_after": 17}, "holds calls of these credentials back for 17 s. Run it again then"),
        ({"reset": "after"}, "Whether the subscription of fleet ({events}) was made is not known"),
        ({"raw": "<title>Blocked</title>", "status": 403}, 'not Cloudflare\'s API: HTTP 403 with a page titled "Blocked"'),
    ],
    ids=["forbidden", "too-often", "lost", "stranger"],
)
def test_failures_on_the_way(queues, fault, says):
    """Told first, with what was made beside it; a second run does the rest."""
    queues.bench.control("POST", "/faults", {"match": {"method": "POST", "path_regex": "subscriptions$"}, "times": 1, "fault": fault})
    said = queues.run(expect=2)
    assert says.format(events=", ".join(DEFAULTS)) in said and "Made queue workflow-events" in said, said
    queues.run()
    assert queues.there() == ({QUEUE: (100, 120, None)}, {"fleet": (QUEUE, DEFAULTS, True)})


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


def test_more_than_a_page(queues):
    """What stands on the second page is found."""
    for number in range(100):
        queues.make(f"q-{number}")
    queues.run("--check", queue_name="q-99")
    queues.make("q-100")
    said = queues.run("--check", queue_name="q-100")
    assert "Queue q-100 is there" in said and queues.looks() == 4
