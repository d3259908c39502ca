# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module without an API: what it sends goes nowhere, is kept, and is answered from here."""

from __future__ import annotations

import io
import json
from unittest import mock
from urllib.parse import unquote, urlsplit

import requests
import urllib3
from harness import MODULE, run_module
from requests.adapters import HTTPAdapter

URL = "https://api.edgeops.example/client/v4"
ACCOUNT = "0123456789abcdef0123456789abcdef"
TOKEN = "token-of-a-test-that-sends-nothing"

#: The longest name of a step there may be.
LONGEST = "a" * 256


def _failed_step(name):
    return {
        "name": name,
        "type": "step",
        "start": "2026-08-06T03:00:00.002Z",
        "end": "2026-08-06T03:00:01.000Z",
        "success": False,
        "error": {"name": "Error", "message": "declined"},
        "attempts": [],
    }


_DETAIL = {
    "status": "errored",
    "queued": "2026-08-06T03:00:00.000Z",
    "start": "2026-08-06T03:00:00.001Z",
    "end": "2026-08-06T03:00:01.000Z",
    "error": {"name": "Error", "message": "declined"},
    "steps": [_failed_step("charge-1"), _failed_step("charge-2"), _failed_step(LONGEST + "-1")],
}


class PretendedAPI:
    """A context in which the HTTP library sends nothing. Every instance has errored."""

    def __init__(self):
        #: list of (method, URL, decoded body or None) in the order sent.
        self.requests = []
        self._patch = None

    def __enter__(self):
        self._patch = mock.patch.object(HTTPAdapter, "send", lambda _adapter, request, **_settings: self._answer(request))
        self._patch.start()
        return self

    def __exit__(self, *unused):
        self._patch.stop()

    def _answer(self, request):
        self.requests.append((request.method, request.url, json.loads(request.body) if request.body else None))
        result = dict(_DETAIL)
        if request.method == "PATCH":
            result = {"status": "running", "timestamp": "2026-08-06T04:00:00.000Z"}
        elif urlsplit(request.url).path.endswith(("/instances", "/workflows", "/versions")):
            result = []
        body = json.dumps({"success": True, "errors": [], "messages": [], "result": result, "result_info": {"total_count": 0}})
        response = requests.Response()
        response.status_code = 200
        response.url = request.url
        response.headers["Content-Type"] = "application/json"
        response.raw = urllib3.HTTPResponse(io.BytesIO(body.encode()), status=200, preload_content=False)
        return response

    def assert_addressed(self, task):
        """Every request went to the workflow, and to one of the instances, that the task names, and nowhere else."""
        url = str(task.get("api_url") or "").strip()
        base = urlsplit(url or ("https://api.cloudflare.com/client/v4" if "api_url" in task else URL))
        for _method, url, _body in self.requests:
            parts = urlsplit(url)
            host = base.hostname if base.hostname.isascii() else base.hostname.encode("idna").decode()
            assert parts.hostname == host.lower() and not parts.username, url
            path = parts.path[len(base.path.rstrip("/")) :].split("/")
            if path[1] == "accounts":
                del path[1:3]
            assert (path[0], path[1], path[3]) == ("", "workflows", "instances"), url
            assert unquote(path[2]) == str(task["workflow_name"]), url
            assert len(path) in (4, 5, 6) and (len(path) < 5 or unquote(path[4]) in ids_of(task)), url


def ids_of(task):
    """The instances that a task names, as the argument spec reads them: list of str."""
    ids = task.get("instance_ids")
    if ids is None:
        return [str(task.get("instance_id"))]
    if isinstance(ids, str):
        return ids.split(",")
    return [str(one) for one in (ids if isinstance(ids, list) else [ids])]


def run(task, check_mode=True, module=MODULE):
    """Run a module on this task, with credentials and an address unless it says otherwise."""
    return run_module({"api_url": URL, "account_id": ACCOUNT, "api_token": TOKEN, **task}, check_mode=check_mode, module=module)
