# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook `event_queue` as an operator runs it, and what the API tells of queues afterwards."""

from __future__ import annotations

import re

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
