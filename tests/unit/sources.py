# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Event sources in a world whose time passes where they wait: the API's HTTP over workflows in memory, and a queue with leases."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import logging
import re
from urllib.parse import parse_qs, unquote, urlsplit

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api import transport as transport_module
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import InstanceNotFound
from ansible_collections.edgeops.cloudflare.plugins.module_utils.events.source import Surroundings
from ansible_collections.edgeops.cloudflare.tests.unit.fakes import http_date, stamp
from ansible_collections.edgeops.cloudflare.tests.unit.loopback import Reply, ScriptedAdapter, envelope, failure, mount

TOKEN = "token-0001-abcdefgh"
ACCOUNT = "0123456789abcdef"
CREDENTIALS = {"api_token": TOKEN, "account_id": ACCOUNT, "api_retries": 0}
QUEUE_ID = "f" * 32

_INSTANCES = re.compile(r"/workflows/(?P<workflow>[^/]+)(?P<instances>/instances(/(?P<id>[^/]+))?)?$")
_MESSAGES = re.compile(r"/queues/(?P<queue>[^/]+)/messages/(?P<what>pull|ack)$")


class FakeCloud(ScriptedAdapter):
    """Answers as the API does.

    Args:
        clock: fakes.FakeClock.
        workflows: fakes.FakeWorkflow each.
    """

    def __init__(self, clock, *workflows):
        super().__init__(self._answer)
        self.clock = clock
        self.workflows = {workflow.name: workflow for workflow in workflows}
        #: callable(path) → Reply, an exception, or None where nothing is wrong.
        self.trouble = lambda path: None
        #: Moments at which anything was asked for.
        self.asked_at = []
        self.messages = []

    # -- messages ---------------------------------------------------------------------------------------------------------

    def send(self, request, **settings):
        self.asked_at.append(self.clock.monotonic())
        return super().send(request, **settings)

    def put(self, instance, kind="errored", at=None, workflow="orders"):
        """What an event subscription would put into the queue."""
        body = {
            "type": f"cf.workflows.workflow.instance.{kind}",
            "source": {"type": "workflows.workflow", "workflowName": workflow},
            "payload": {"versionId": "v1", "instanceId": instance},
            "metadata": {"eventTimestamp": stamp(self.clock.monotonic() if at is None else at)},
        }
        self.messages.append(
            {"body": base64.b64encode(json.dumps(body).encode()).decode(), "lease": None, "visible_at": 0.0, "attempts": 0}
        )

    def _pull(self, body):
        now, pulled = self.clock.monotonic(), []
        for message in self.messages:
            if message["visible_at"] <= now and len(pulled) < body["batch_size"]:
                message["attempts"] += 1
                message["lease"] = f"lease-{id(message)}-{message['attempts']}"
                message["visible_at"] = now + body["visibility_timeout_ms"] / 1000
                pulled.append({"id": "m", "body": message["body"], "lease_id": message["lease"], "metadata": {"CF-Content-Type": "json"}})
        return {"messages": pulled}

    def _acknowledge(self, body):
        leases = {one["lease_id"] for one in body["acks"]}
        self.messages = [message for message in self.messages if message["lease"] not in leases]
        return {"ackCount": len(leases), "retryCount": 0, "warnings": {}}

    # -- answers ----------------------------------------------------------------------------------------------------------

    def _answer(self, request):
        url = urlsplit(request.url)
        trouble = self.trouble(url.path)
        if trouble is not None:
            return trouble
        if request.headers.get("Authorization") != "Bearer " + TOKEN or f"/accounts/{ACCOUNT}/" not in url.path:
            return failure(401, 9109, "Invalid access token")
        result, info = self._work(url.path, {name: values[0] for name, values in parse_qs(url.query).items()}, request.body)
        if isinstance(result, Reply):
            return result
        return Reply(200, envelope(result, result_info=info), {"Date": http_date(self.clock.monotonic())})

    def _work(self, path, query, body):
        messages = _MESSAGES.search(path)
        if messages:
            if messages["queue"] != QUEUE_ID:
                return failure(404, 10104, "queue_not_found"), None
            return (self._pull if messages["what"] == "pull" else self._acknowledge)(json.loads(body)), None
        found = _INSTANCES.search(path)
        if not found or unquote(found["workflow"]) not in self.workflows:
            return failure(404, 10200, "workflows.api.error.workflow.not_found"), None
        workflow = self.workflows[unquote(found["workflow"])]
        if found["id"]:
            try:
                return workflow.detail(unquote(found["id"]), steps="simple" not in query).detail, None
            except InstanceNotFound:
                return failure(404, 10400, "workflows.api.error.instance.not_found"), None
        if not found["instances"]:
            return {"name": workflow.name, "instances": self._counts(workflow)}, None
        number, last = json.loads(query.get("cursor", "[1, null]"))
        page, last = workflow.page(number, last and tuple(last), query.get("status"), query.get("date_start"))
        info = {"total_count": page.total, "count": len(page.items), "per_page": 100}
        return page.items, {**info, "cursor": json.dumps([number + 1, last])} if last else info

    def _counts(self, workflow):
        counts = {}
        for instance in workflow.instances.values():
            instance.live(self.clock.monotonic())
            counts[instance.status] = counts.get(instance.status, 0) + 1
        return counts


class World(Surroundings):
    """Where a source lives: its time is the test's, and ends it.

    Args:
        cloud: FakeCloud.
        monkeypatch: pytest's own.
    """

    def __init__(self, source, cloud, monkeypatch):
        super().__init__(source)
        self.clock = cloud.clock
        self.events = []
        self.lines = []
        self.ends_at = 0.0
        self.log = _Log(self.lines)
        new_session = transport_module.new_session

        def session_in_this_world(*args):
            session = new_session(*args)
            mount(session, cloud)
            return session

        monkeypatch.setattr(transport_module, "new_session", session_in_this_world)

    async def pause(self, seconds):
        left = self.ends_at - self.clock.monotonic()
        if left <= 0:
            raise asyncio.CancelledError
        self.clock.pass_by(min(max(seconds, 0.001), left))
        await asyncio.sleep(0)

    async def put(self, item):
        """As the rule engine's queue."""
        self.events.append(item)

    def live(self, run, seconds, **args):
        """Run a source for so many seconds; returns the events of that time."""
        self.ends_at = self.clock.monotonic() + seconds
        before = len(self.events)

        async def life():
            with contextlib.suppress(asyncio.CancelledError):
                await run(self, {**CREDENTIALS, **args}, self)

        asyncio.run(life())
        return self.events[before:]


class _Log(logging.Logger):
    def __init__(self, lines):
        super().__init__("test")
        self._lines = lines

    def _log(self, level, msg, args, **_more):
        self._lines.append(f"{logging.getLevelName(level)} {msg % args if args else msg}")


def names(events):
    """The ids of events, in their order."""
    return [event["instance"]["id"] for event in events]
