# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each fault does what README.md says, to the answer and to the work."""

from __future__ import annotations

import http.client
import json
import socket
import time

import pytest
from engine import EngineError
from engine_helpers import fault, patch, path_of, raw_call, reach, status_now, until


def test_fault_status(engine, waiting):
    name = fault(engine, {"status": 503, "retry_after": 7}, skip=1, times=2)
    patch(engine, "one", {"status": "resume"})
    status, headers, body = patch(engine, "one", {"status": "pause"})
    assert (status, headers["Retry-After"], body["errors"][0]["code"]) == (503, "7", 10001)
    assert patch(engine, "one", {"status": "pause"})[0] == 503
    assert status_now(engine) == "waiting", "no work was done"
    assert patch(engine, "one", {"status": "pause"})[0] == 200
    assert engine.control("GET", "/faults")["rules"][0]["fired"] == 2
    assert [entry["fault"] for entry in engine.control("GET", "/calls")["log"]] == [None, name, name, None]
    engine.control("DELETE", "/faults")
    fault(engine, {"status": 502, "body": "<html>bad gateway</html>", "work": True})
    response, body = raw_call(engine, "PATCH", waiting)
    assert response.status == 502 and body == b"<html>bad gateway</html>"


def test_fault_reset(engine, waiting):
    fault(engine, {"reset": "before"})
    with pytest.raises(ConnectionResetError):
        raw_call(engine, "PATCH", waiting)
    assert status_now(engine) == "waiting"
    fault(engine, {"reset": "after"})
    with pytest.raises(ConnectionResetError):
        raw_call(engine, "PATCH", waiting)
    reach(engine, "one", "paused")
    assert [entry["status"] for entry in engine.control("GET", "/calls")["log"]] == ["reset", "reset"]


@pytest.mark.parametrize(("work", "done"), [("before", True), ("after", False), ("later", True), ("never", False)])
def test_fault_hang_and_the_client_gives_up(engine, waiting, work, done):
    # Held until the client has gone, however long that takes; what then lands later lands after the look at it.
    landing = [{"op": "await", "gate": "landing", "open": True}] if work == "later" else []
    fault(engine, {"hang_ms": 0 if landing else 600_000, "work": work}, before=landing)
    with pytest.raises(socket.timeout):
        raw_call(engine, "PATCH", waiting, timeout=0.15)
    until(lambda: engine.control("GET", "/calls")["total"])  # a client's patience can end before its call has even been seen
    if work == "later":
        assert status_now(engine) == "waiting", "it lands only after the client's timeout"
        engine.control("POST", "/gate", {"name": "landing"})
    engine.control("POST", "/idle")
    assert (status_now(engine) in ("paused", "waitingForPause")) is done
    assert engine.control("GET", "/calls")["log"][0]["status"] == "closed"


def test_fault_hang_and_the_client_stays(engine, waiting):
    for work in ("before", "after", "later"):
        fault(engine, {"hang_ms": 50, "work": work})
        assert raw_call(engine, "PATCH", waiting)[0].status == 200
    fault(engine, {"hang_ms": 50, "work": "never"})
    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
        raw_call(engine, "PATCH", waiting)


def test_fault_cut(engine, waiting):
    fault(engine, {"cut": True})
    with pytest.raises(http.client.IncompleteRead):
        raw_call(engine, "PATCH", waiting)
    reach(engine, "one", "paused")


def test_fault_raw(engine, waiting):
    fault(engine, {"raw": "<html>hello</html>", "content_type": "text/html"})
    response, body = raw_call(engine, "PATCH", waiting)
    assert (response.status, body, response.headers["Content-Type"]) == (200, b"<html>hello</html>", "text/html")
    assert status_now(engine) == "waiting"
    fault(engine, {"raw": "{", "work": True})
    raw_call(engine, "PATCH", waiting)
    reach(engine, "one", "paused")


@pytest.mark.parametrize("result", [None, "text", [], 7])
def test_fault_envelope(engine, waiting, result):
    fault(engine, {"envelope": {"success": False, "result": result, "errors": [{"code": 1, "message": "odd"}]}})
    _response, body = raw_call(engine, "PATCH", waiting)
    assert json.loads(body.decode()) == {"success": False, "errors": [{"code": 1, "message": "odd"}], "messages": [], "result": result}
    reach(engine, "one", "paused")
    fault(engine, {"remove": ["result"]})
    assert "result" not in json.loads(raw_call(engine, "PATCH", waiting)[1].decode())


def test_fault_redirect_drip_and_huge(engine, waiting):
    fault(engine, {"redirect": "http://127.0.0.1:9/elsewhere"})
    response, _body = raw_call(engine, "PATCH", waiting)
    assert (response.status, response.headers["Location"]) == (302, "http://127.0.0.1:9/elsewhere")
    assert status_now(engine) == "waiting"
    fault(engine, {"drip": {"chunk_bytes": 20, "every_ms": 20}})
    began = time.monotonic()
    response, body = raw_call(engine, "PATCH", waiting)
    assert json.loads(body.decode())["success"] and time.monotonic() - began > 0.06
    fault(engine, {"huge_mb": 3})
    response, body = raw_call(engine, "PATCH", waiting)
    assert len(body) > 3 * 1024 * 1024 and json.loads(body.decode())["success"]


def test_faults_match_by_what_the_call_is(engine, waiting):
    fault(engine, {"status": 500}, match={"action": "restart"}, times=None)
    fault(engine, {"status": 501}, match={"instance": "other"}, times=None)
    fault(engine, {"status": 502}, match={"path_regex": "/versions$", "method": "GET"}, times=None)
    assert patch(engine, "one", {"status": "pause"})[0] == 200
    assert patch(engine, "one", {"status": "restart"})[0] == 500
    assert engine.api("GET", path_of("other"))[0] == 501
    assert engine.api("GET", "/lab/versions")[0] == 502
    with pytest.raises(EngineError):
        fault(engine, {"status": 500}, match={"typo": 1})
