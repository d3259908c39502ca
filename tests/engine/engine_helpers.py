# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Short words for what tests ask of the engine, its gateway and its control endpoint."""

from __future__ import annotations

import http.client
import json
import time
import urllib.parse

CRON_ID = "*/30 * * * *-1786001400000"


def make(engine, name, steps, status=None, workflow="lab", **more):
    body = dict({"workflow": workflow, "ids": [name], "params": {"steps": steps}}, **more)
    engine.control("POST", "/instances", dict(body, status=status) if status else body)


def until(condition):
    """Wait until a callable says yes; a minute is enough for the busiest machine."""
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def reach(engine, instance, status, workflow="lab", timeout_ms=60_000):
    body = {"workflow": workflow, "instance": instance, "status": status, "timeout_ms": timeout_ms}
    return engine.control("POST", "/await", body)


def path_of(instance, rest="", workflow="lab"):
    return "/{}/instances/{}{}".format(workflow, urllib.parse.quote(instance, safe=""), rest)


def detail(engine, instance, query=""):
    status, _headers, body = engine.api("GET", path_of(instance, query))
    assert status == 200, body
    return body["result"]


def patch(engine, instance, body):
    return engine.api("PATCH", path_of(instance, "/status"), body)


def error_of(answer):
    status, _headers, body = answer
    assert body["success"] is False and body["result"] is None
    return status, body["errors"][0]["code"]


def ran(engine, instance, workflow="lab"):
    return engine.control("GET", "/steps?" + urllib.parse.urlencode({"workflow": workflow, "instance": instance}))


def listed(engine, query, workflow="fleet"):
    status, _headers, body = engine.api("GET", f"/{workflow}/instances?{query}")
    assert status == 200, body
    return body["result"], body["result_info"]


def raw_call(engine, method, path, timeout=10, url=None, **options):
    """One call on a connection of its own, so that what the socket does is seen."""
    parts = urllib.parse.urlsplit(url or engine.api_url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname, parts.port, timeout=timeout, **options)
    try:
        headers = {"Authorization": "Bearer " + engine.api_token, "Content-Type": "application/json"}
        body = json.dumps({"status": "pause"}) if method == "PATCH" else None
        connection.request(method, f"{parts.path}/accounts/{engine.account_id}/workflows{path}", body, headers)
        response = connection.getresponse()
        return response, response.read()
    finally:
        connection.close()


def status_now(engine, instance="one"):
    return engine.control(
        "POST", "/await", {"instance": instance, "statuses": ["waiting", "paused", "terminated", "complete", "waitingForPause"]}
    )["statuses"][instance]


def fault(engine, rule, **more):
    return engine.control("POST", "/faults", dict({"match": {"kind": "patch"}, "times": 1, "fault": rule}, **more))["ids"][0]
