# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What instances of the sample workflows can be and do."""

from __future__ import annotations

import json

import pytest
from engine_helpers import detail, listed, make, patch, path_of, ran, reach, until


@pytest.mark.parametrize(
    ("status", "steps", "operation"),
    [
        ("running", [{"do": "a", "gate": "shut"}], None),
        ("running", [{"parallel": [{"do": "a", "gate": "shut"}, {"sleep": "b", "ms": 600000}]}], None),
        ("waiting", [{"sleep": "a", "ms": 600000}], None),
        ("waiting", [{"wait": "a"}], None),
        ("waiting", [{"do": "a", "fail": True, "retries": {"limit": 1, "delay_ms": 600000}}], None),
        ("waitingForPause", [{"do": "a", "gate": "shut"}], {"op": "pause"}),
        ("paused", [{"wait": "a"}], {"op": "pause"}),
        ("errored", [{"do": "a", "fail": True}], None),
        ("complete", [], None),
        ("terminated", [{"wait": "a"}], {"op": "terminate"}),
        ("queued", [{"wait": "a"}], {"op": "strand"}),
    ],
)
def test_an_instance_comes_to_rest_in_every_status(engine, status, steps, operation):
    make(engine, "one", steps)
    if steps and "gate" in json.dumps(steps):
        engine.control("POST", "/await", {"gate": "shut"})
    elif operation:
        reach(engine, "one", "waiting")
    if operation:
        engine.control("POST", "/op", dict(operation, instance="one"))
    reach(engine, "one", status)
    assert detail(engine, "one")["status"] == status
    items, info = listed(engine, "status=" + status, "lab")
    assert [item["id"] for item in items] == ["one"] and info["total_count"] == 1


def test_rolling_back_is_seen_while_handlers_run(engine):
    make(engine, "one", [{"do": "a", "rollback": {"gate": "shut"}}, {"wait": "w"}], "waiting")
    engine.control("POST", "/op", {"op": "background", "instance": "one", "ops": [{"op": "terminate", "rollback": True}]})
    engine.control("POST", "/await", {"gate": "shut"})
    assert detail(engine, "one")["status"] == "rollingBack"
    assert detail(engine, "one")["rollback"] is None
    assert listed(engine, "status=rollingBack", "lab")[1]["total_count"] == 1
    engine.control("POST", "/gate", {"name": "shut"})
    reach(engine, "one", "terminated")
    assert detail(engine, "one")["rollback"] == {"outcome": "complete", "error": None}
    assert ran(engine, "one")["rollbacks"] == {"a": 1}


def test_the_outcome_of_a_rollback(engine):
    make(engine, "bad", [{"do": "a", "rollback": True}, {"do": "b", "rollback": {"fail": "no refund"}}, {"wait": "w"}], "waiting")
    assert patch(engine, "bad", {"status": "terminate", "rollback": True})[2]["result"]["status"] == "terminated"
    assert detail(engine, "bad")["rollback"] == {"outcome": "failed", "error": {"name": "Error", "message": "no refund"}}
    assert ran(engine, "bad")["rollbacks"] == {"b": 1}, "handlers of earlier steps do not run after a failed one"
    make(engine, "none", [{"wait": "w"}], "waiting")
    patch(engine, "none", {"status": "terminate", "rollback": True})
    assert detail(engine, "none")["rollback"] is None
    make(engine, "self", [{"do": "a", "rollback": True}, {"do": "b", "fail": True}], "errored")
    assert detail(engine, "self")["rollback"]["outcome"] == "complete"


def test_a_stranded_instance_ignores_a_pause_and_runs_on_when_told(engine):
    make(engine, "one", [{"do": "a"}, {"wait": "w"}], "waiting")
    assert engine.control("POST", "/strand", {"instance": "one"}) == {"status": "queued"}
    assert patch(engine, "one", {"status": "pause"})[2]["result"]["status"] == "queued"
    engine.control("POST", "/strand", {"instance": "one", "undo": True})
    reach(engine, "one", "waiting")
    assert ran(engine, "one")["steps"] == {"a": 1}


def test_pause_lets_the_step_under_way_finish(engine):
    make(engine, "one", [{"do": "a", "gate": "shut"}, {"do": "b"}])
    engine.control("POST", "/await", {"gate": "shut"})
    assert patch(engine, "one", {"status": "pause"})[2]["result"]["status"] == "waitingForPause"
    engine.control("POST", "/gate", {"name": "shut", "open": True})
    reach(engine, "one", "paused")
    assert ran(engine, "one")["finished"] == {"a": 1}
    patch(engine, "one", {"status": "resume"})
    reach(engine, "one", "complete")
    assert ran(engine, "one")["steps"] == {"a": 1, "b": 1}


def test_the_recorder_counts_what_truly_ran(engine):
    make(engine, "one", [{"do": "a"}, {"do": "b", "fail": 1}], "errored")
    assert patch(engine, "one", {"status": "restart", "from": {"name": "b"}})[0] == 200
    reach(engine, "one", "complete")
    assert ran(engine, "one")["steps"] == {"a": 1, "b": 2}
    assert ran(engine, "one")["finished"] == {"a": 1, "b": 1}
    patch(engine, "one", {"status": "restart"})
    engine.control("POST", "/await", {"instance": "one", "step": "b", "phase": "finish", "count": 2})
    assert ran(engine, "one")["steps"] == {"a": 2, "b": 3}
    assert [row["event"] for row in engine.control("GET", "/enginelog?instance=one")["rows"]][:2] == [0, 1]


def test_a_step_that_is_cancelled_never_finishes(engine):
    make(engine, "one", [{"do": "a", "gate": "shut"}])
    engine.control("POST", "/await", {"gate": "shut"})
    patch(engine, "one", {"status": "terminate"})
    until(lambda: not engine.control("GET", "/gate")["gates"]["shut"]["waiting"])
    assert [line["phase"] for line in ran(engine, "one")["log"]] == ["start", "cancel"]
    assert ran(engine, "one")["finished"] == {}


def test_switches(engine):
    engine.control("POST", "/switch", {"name": "bank is down", "value": True})
    make(engine, "one", [{"do": "a", "fail_while": "bank is down", "message": "no bank"}], "errored")
    assert detail(engine, "one")["error"]["message"] == "no bank"
    engine.control("POST", "/switch", {"name": "bank is down", "value": False})
    patch(engine, "one", {"status": "restart", "from": {"name": "a"}})
    reach(engine, "one", "complete")


def test_orders(engine):
    params = {"approval": True, "cooling_off_ms": 20, "rollback": True, "steps": {"ship": {"fail": 1}}}
    engine.control("POST", "/instances", {"workflow": "orders", "ids": ["o-1"], "params": params, "status": "waiting"})
    status, _headers, body = engine.api("POST", path_of("o-1", "/events/approval", "orders"), {"by": "me"})
    assert status == 200 and body["result"]["instanceId"] == "o-1"
    reach(engine, "o-1", "errored", "orders")
    counts = ran(engine, "o-1", "orders")
    assert counts["steps"] == {"reserve": 1, "charge": 1, "ship": 1}
    assert counts["rollbacks"] == {"ship": 1, "charge": 1, "reserve": 1}
    engine.control("POST", "/instances", {"workflow": "orders", "ids": ["o-2"], "status": "complete"})
    assert engine.api("GET", path_of("o-2", "", "orders"))[2]["result"]["output"] == {"order": "o-2", "charged": True, "shipped": True}
