# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A short `api_timeout` is for the calls that are to run into it, and for no others.

Tests in which an answer comes late or never don't want to wait for long. All their other calls would then have to be answered
within a third of a second, which a busy machine does not promise.
"""

from __future__ import annotations

import contextlib
import copy
from unittest import mock
from urllib.parse import unquote, urlsplit

from requests.adapters import HTTPAdapter

#: Seconds; an `api_timeout` shorter than that is meant to be run into.
SHORT = 5

#: Seconds that all other calls have.
LONG = 120


@contextlib.contextmanager
def patience(engine):
    """Give every call to the gateway all the time it needs, unless it is about to meet a fault that takes its time.

    Whatever else a test has the HTTP library do is to be arranged later, so that it comes first.
    """
    from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.clock import Clock
    from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.transport import Transport

    send, read = HTTPAdapter.send, Transport._read

    def send_patiently(adapter, request, **settings):
        if settings["timeout"] >= SHORT or not request.url.startswith(engine.api_url):
            return send(adapter, request, **settings)
        fault = _fault_to_meet(engine, request)
        if "hang_ms" not in fault:
            settings["timeout"] = LONG
        response = send(adapter, request, **settings)
        response.drips = "drip" in fault
        return response

    def read_patiently(self, response, timeout):
        if not getattr(response, "drips", False):
            return read(self, response, max(timeout, LONG))
        real = copy.copy(self)
        real._clock = Clock()  # a clock that passes by sleeping alone never ends a drip
        return read(real, response, timeout)

    with mock.patch.object(HTTPAdapter, "send", send_patiently), mock.patch.object(Transport, "_read", read_patiently):
        yield


def _fault_to_meet(engine, request):
    """The fault that a call will meet, by the gateway's own rules; empty where it meets none."""
    _workflows, _separator, below = urlsplit(request.url).path.partition("/instances")
    parts = [unquote(part) for part in below.split("/")[1:]]
    call = {"kind": _kind_of(request.method, parts), "instance": parts[0] if parts and parts[0] != "batch" else None}
    for rule in engine.control("GET", "/faults")["rules"]:
        is_spent = rule["times"] is not None and rule["fired"] >= rule["times"]
        if not is_spent and rule["seen"] >= rule["skip"] and all(call.get(key) == value for key, value in rule["match"].items()):
            return rule["fault"] or {}
    return {}


def _kind_of(method, parts):
    """The kind of a call, as the gateway counts it; parts: of the path below `instances`."""
    if method == "POST":
        below = {("batch", "terminate"): "batch", ("batch", "delete"): "delete"}
        return below.get(tuple(parts)) or ("event" if "events" in parts else "create")
    return {"PATCH": "patch", "DELETE": "delete"}.get(method) or ("read" if parts else "list")
