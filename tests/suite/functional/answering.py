# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An API in this process whose answers a test replaces one by one: whatever may stand between a task and Cloudflare can be played.

It answers where the HTTP library would send, at an https address that is not of this machine, so that the module behaves as
in production. What no rule answers, a workflow in memory does: it keeps statuses, lists by cursor, and takes changes.
"""

from __future__ import annotations

import io
import json
import re
from unittest import mock
from urllib.parse import parse_qs, unquote, urlsplit

import urllib3
from harness import run_module
from pretended_api import ACCOUNT, TOKEN, URL
from requests.adapters import HTTPAdapter

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api import transport
from ansible_collections.edgeops.cloudflare.tests.unit.loopback import Reply, envelope, failure

WORKFLOW = "orders"
DATE = "Thu, 26 Nov 2026 03:06:00 GMT"
CREATED = "2026-11-26T02:05:00.000Z"

_AFTER = {"pause": "paused", "resume": "running", "terminate": "terminated", "restart": "running"}
_TARGET = re.compile(r"/instances(?:/(?P<id>[^/?]+)(?P<status>/status)?)?$")


def ok(result=None, **more):
    """A Reply that the API would give."""
    return Reply(200, envelope(result, **more))


def refusal(status, code, message="no", chain=()):
    """A Reply with an error, and the `error_chain` that tells why: pairs of code and message."""
    error = {"code": code, "message": message}
    if chain:
        error["error_chain"] = [{"code": inner, "message": said} for inner, said in chain]
    return Reply(status, envelope(errors=[error]))


def page(text, status=200, content_type="text/html; charset=UTF-8", **headers):
    """A Reply that is no API's: a page, a word, another service's JSON."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status, text.encode("utf-8"), {"Content-Type": content_type, **named})


class Rule:
    """Calls that are answered in another way than the API would.

    Args:
        reply: Reply, or a callable that is given the decoded query and returns one.
        method: str or None, "GET" or "PATCH".
        path: regular expression, searched for in the path and the query.
        times: int or None, how often it holds.
        skip: int, how many calls that match it lets pass first.
    """

    def __init__(self, reply, method=None, path="", times=None, skip=0):
        self.reply = reply
        self.method = method
        self.path = re.compile(path)
        self.times = times
        self.skip = skip

    def takes(self, method, target):
        """Whether this call is answered by the rule; it is used up by that."""
        if self.times == 0 or self.method not in (None, method) or not self.path.search(target):
            return False
        if self.skip:
            self.skip -= 1
            return False
        if self.times is not None:
            self.times -= 1
        return True


class Answering:
    """A context in which the HTTP library sends nothing, and this answers.

    Args:
        statuses: dict of id: status, or a list of ids that all are `running`.
        rules: Rule each; the first that takes a call answers it.
    """

    def __init__(self, statuses=(), *rules):
        if not isinstance(statuses, dict):
            statuses = dict.fromkeys(statuses, "running")
        #: dict of id: status.
        self.statuses = statuses
        #: dict of id: more of its detail.
        self.details = {}
        #: list of Rule.
        self.rules = list(rules)
        #: list of (method, path with query), in the order sent.
        self.calls = []
        #: str or None: the header of that name.
        self.date = DATE
        self._builder = HTTPAdapter()
        self._patch = None

    def __enter__(self):
        new_session = transport.new_session
        answers = HTTPAdapter()
        answers.send = lambda request, **_settings: self._send(request)

        def session_of_this_api(*arguments):
            session = new_session(*arguments)
            session.mount("https://", answers)
            session.mount("http://", answers)
            return session

        self._patch = mock.patch.object(transport, "new_session", session_of_this_api)
        self._patch.start()
        return self

    def __exit__(self, *unused):
        self._patch.stop()

    # -- what it was asked for ------------------------------------------------------------------------------------

    def count(self, method=None, path=""):
        """How many calls of this method (None: any) have this in their path or query (a regular expression)."""
        return sum(method in (None, sent) and re.search(path, target) is not None for sent, target in self.calls)

    def queries(self):
        """The decoded query of each listing, in the order asked."""
        return [parse_qs(urlsplit(target).query) for _method, target in self.calls if urlsplit(target).path.endswith("/instances")]

    # -- answers --------------------------------------------------------------------------------------------------

    def _send(self, request):
        target = request.path_url
        self.calls.append((request.method, target))
        rule = next((rule for rule in self.rules if rule.takes(request.method, target)), None)
        query = {name: values[0] for name, values in parse_qs(urlsplit(target).query).items()}
        reply = rule.reply if rule else self._work(request, query)
        if callable(reply):
            reply = reply(query)
        headers = {"Date": self.date} if self.date else {}
        headers.update(reply.headers)
        raw = urllib3.HTTPResponse(io.BytesIO(reply.content()), headers=headers, status=reply.status, preload_content=False)
        return self._builder.build_response(request, raw)

    def _work(self, request, query):
        parts = _TARGET.search(urlsplit(request.path_url).path)
        instance = parts and parts["id"] and unquote(parts["id"])
        if instance is None:
            return listing(self.statuses, query)
        if instance not in self.statuses:
            return failure(404, 10400, "workflows.api.error.instance.not_found")
        if parts["status"]:
            action = json.loads(request.body)["status"]
            self.statuses[instance] = _AFTER[action]
            if action == "restart":  # told by its times
                again = {"queued": "2026-11-26T03:06:00.000Z", "start": "2026-11-26T03:06:00.001Z", "end": None, "error": None}
                self.details.setdefault(instance, {}).update(again)
            return ok({"status": self.statuses[instance], "timestamp": "2026-11-26T03:06:00.000Z"})
        return ok(self.detail(instance))

    def detail(self, instance):
        """What the API tells of one instance."""
        status = self.statuses[instance]
        return {
            "status": status,
            "queued": "2026-11-26T02:05:00.000Z",
            "start": "2026-11-26T02:05:01.000Z",
            "end": "2026-11-26T02:06:00.000Z" if status in ("errored", "complete", "terminated") else None,
            "error": {"name": "Error", "message": "card declined"} if status == "errored" else None,
            "output": None,
            "rollback": None,
            "steps": [],
            **self.details.get(instance, {}),
        }


def listed(instance, status="running"):
    """An instance as a listing shows it."""
    ended = CREATED if status in ("errored", "complete", "terminated") else None
    return {
        "id": instance,
        "status": status,
        "created_on": CREATED,
        "modified_on": CREATED,
        "started_on": CREATED,
        "ended_on": ended,
        "version_id": "v",
        "workflow_id": "w",
        "trigger_source": "api",
    }


def listing(statuses, query):
    """A page of a listing as the API answers it: by status, a hundred at a time, the next one by cursor."""
    matching = [listed(*pair) for pair in statuses.items() if query.get("status") in (None, pair[1])]
    begin = int(query.get("cursor", "0"))
    items = matching[begin : begin + 100]
    info = {"count": len(items), "per_page": 100, "total_count": len(matching)}
    if begin + 100 < len(matching):
        info["cursor"] = str(begin + 100)
    return ok(items, result_info=info)


def run(check_mode=False, environ=None, **task):
    """Run the module against the API that is answering: to pause, unless the task says otherwise."""
    options = {"api_url": URL, "account_id": ACCOUNT, "api_token": TOKEN, "workflow_name": WORKFLOW, "state": "paused", **task}
    return run_module({name: value for name, value in options.items() if value is not None}, check_mode, environ=environ)


def names(count, prefix="order"):
    """So many ids, list of str."""
    return [f"{prefix}-{number}" for number in range(count)]


def sentences(result):
    """Every sentence of a result, list of str: its own, those of the items, and the warnings."""
    warned = [warning if isinstance(warning, str) else warning["event"]["msg"] for warning in result.get("warnings", [])]
    return [result["msg"], *(item["msg"] for item in result.get("instances", []) if item.get("msg")), *warned]


def assert_plain(result):
    """One line each, no control characters, no traceback."""
    assert "Traceback" not in result.output and "internal error" not in result.output, result.output
    for sentence in sentences(result):
        assert sentence.isprintable(), ascii(sentence)
