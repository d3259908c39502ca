# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sending events on the engine: looked at first, and to each at most once."""

from __future__ import annotations

import pytest
from asking import Asking, development
from flock import NAP, NOTHING, names

#: Params of an instance that waits for an event of the type `go`, and is complete then.
WAITS = {"steps": [{"wait": "go"}]}


@pytest.fixture
def ask(flock):
    return Asking(flock, "workflow_instance_event")


def test_one(ask, flock):
    flock.create(["a"], WAITS)
    result = ask(instance_id="a", event_type="go", payload={"by": "me"}, diff=True)
    assert result["changed"] and ask.cost("reads", "events") == (1, 1)
    assert result["msg"] == "a is waiting: the event go was accepted."
    assert result["diff"] == {"before": {"a": "not sent"}, "after": {"a": "sent"}}
    flock.wait_for(["a"], "complete")
    assert next(entry["body"] for entry in flock.calls()["log"] if entry["kind"] == "event") == '{"by": "me"}'


def test_running_counts_as_waiting(ask, flock):
    """Production shows one that waits for an event as running."""
    flock.create(["a"], WAITS)
    flock.show("a", status="running")
    assert ask(instance_id="a", event_type="go")["changed"]
    flock.control("DELETE", "/overlay")
    flock.wait_for(["a"], "complete")


@pytest.mark.parametrize("status", ["paused", "waitingForPause", "queued"])
def test_kept_until_it_is_waited_for(ask, flock, status):
    """Whatever it does by now, it finds the event when it waits for it."""
    if status == "waitingForPause":
        flock.create(["a"], {"steps": [{"do": "work", "gate": "work"}, {"wait": "go"}]}, "running")
        flock.control("POST", "/await", {"gate": "work", "waiting": 1})
        flock.op({"op": "pause", "instance": "a"})
    else:
        flock.create(["a"], WAITS)
        flock.op({"op": "pause", "instance": "a"} if status == "paused" else {"op": "strand", "instance": "a"})
    flock.wait_for(["a"], status)
    result = ask(instance_id="a", event_type="go")
    assert result["changed"] and result["msg"] == f"a is {status}: the event go was accepted."
    flock.control("POST", "/gate", {"name": "work"})
    flock.op(*([] if status == "queued" else [{"op": "resume", "instance": "a"}]))
    flock.wait_for(["a"], "complete")


def test_of_a_type_that_nobody_waits_for(ask, flock):
    flock.create(["a"], WAITS)
    assert ask(instance_id="a", event_type="other")["changed"] and flock.statuses(["a"]) == {"a": "waiting"}


def test_many_are_listed_first(ask, flock):
    flock.create(names("ok", 15), WAITS)
    result = ask(instance_ids=names("ok", 15), event_type="go")
    assert result["summary"]["changed"] == 15 and ask.cost("reads", "lists", "events") == (0, 1, 15)
    assert result["msg"] == "All 15 instances of fleet were sent the event."
    flock.wait_for(names("ok", 15), "complete")


def test_a_selection(ask, flock):
    flock.create(names("ok", 12), WAITS)
    flock.create(["done"], NOTHING, "complete")
    check = ask(select={"status": ["waiting"]}, event_type="go", check_mode=True)
    assert check["summary"]["changed"] == 12 and ask.cost("events") == (0,)
    result = ask(select={"status": ["waiting"]}, event_type="go")
    assert result["summary"]["changed"] == 12 and ask.cost("events") == (12,)


def test_finished_ones_are_refused(ask, flock):
    """The API may accept it, and it would mean nothing."""
    flock.create(["done"], NOTHING, "complete")
    flock.create(["a"], WAITS)
    result = ask(instance_ids=["done", "a", "ghost"], event_type="go")
    assert result["failed"] and result["ids"] == {
        "changed": ["a"],
        "unchanged": [],
        "failed": ["done", "ghost"],
        "unknown": [],
        "not_attempted": [],
    }
    assert ask.cost("events") == (1,) and "skip_finished=true leaves such instances alone" in result["msg"]
    left = ask(instance_ids=["done"], event_type="go", skip_finished=True)
    assert not left.get("failed") and not left["changed"]


@pytest.mark.parametrize("fault", [{"reset": "after"}, {"status": 502, "work": True}, {"hang_ms": 60_000, "work": "before"}, {"cut": True}])
def test_an_answer_that_is_lost(ask, flock, fault):
    """It is never sent again: the instance might get it twice."""
    flock.create(["a"], {"steps": [{"wait": "go"}, *NAP["steps"]]})
    flock.meet("event", fault)
    result = ask(instance_id="a", event_type="go", api_timeout=1)
    assert result["failed"] and result["changed"] and result["instance"]["outcome"] == "unknown" and ask.cost("events") == (1,)
    assert "NOT sent again. See by its log whether it has arrived" in result["msg"]


def test_a_proxy_that_has_lost_its_way_ends_it(ask, flock):
    """Five pages in a row, and not one for each instance."""
    flock.create(names("ok", 12), WAITS)
    flock.meet("event", {"status": 502, "body": "<title>Bad gateway</title>"})
    result = ask(instance_ids=names("ok", 12), event_type="go", concurrency=1)
    assert result["failed"] and ask.cost("events") == (5,) and result["summary"]["unknown"] == 5 and result["summary"]["not_attempted"] == 7


def test_a_name_that_a_path_takes_up(flock):
    result = flock.bench.module(module="workflow_instance_event", workflow_name="fleet", instance_id="terminate", event_type="go")
    assert result["failed"] and "which a path of the API takes up" in result["msg"]


def test_a_selection_that_matches_nothing_is_warned_of(ask):
    result = ask(select={"status": ["paused"]}, event_type="go")
    assert not result.get("failed") and "No instance of fleet matches (status: paused)" in str(result["warnings"])


def test_a_block_of_the_rate_limit(ask, flock):
    """It was not processed; the instance is looked at once more before it is sent."""
    flock.create(["a"], WAITS)
    flock.meet("event", {"status": 429, "retry_after": 1}, times=1)
    result = ask(instance_id="a", event_type="go")
    assert result["changed"] and not result.get("failed") and ask.cost("reads", "events") == (2, 2)


def test_one_that_has_finished_after_a_block(ask, flock):
    flock.create(["a"], WAITS)
    flock.meet("event", {"status": 429, "retry_after": 1}, times=1, before=[{"op": "terminate", "instance": "a"}])
    result = ask(instance_id="a", event_type="go")
    assert result["failed"] and not result["changed"] and ask.cost("events") == (1,) and "a is terminated" in result["msg"]


def test_refused_by_the_api(ask, flock):
    """It has finished between the look and the event."""
    flock.create(["a"], WAITS)
    flock.control("POST", "/unknowns", {"events_to_finished": "refused"})
    flock.meet("event", before=[{"op": "terminate", "instance": "a"}])
    result = ask(instance_id="a", event_type="go")
    assert result["failed"] and not result["changed"] and "the event go was refused" in result["msg"]


def test_refused_credentials_end_it(ask, flock):
    flock.create(names("ok", 3), WAITS)
    flock.meet("event", {"status": 403, "code": 10000, "message": "Authentication error"})
    result = ask(instance_ids=names("ok", 3), event_type="go", concurrency=1)
    assert result["failed"] and ask.cost("events") == (1,) and result["summary"]["not_attempted"] == 3


def test_in_a_development_session(ask, flock):
    flock.create(names("ok", 2), WAITS)
    flock.create(["done"], NOTHING, "complete")
    result = ask(instance_ids=[*names("ok", 2), "done"], event_type="go", skip_finished=True, **development(flock))
    assert result["ids"]["changed"] == names("ok", 2) and result["ids"]["unchanged"] == ["done"], result["msg"]
    flock.wait_for(names("ok", 2), "complete")


BAD = [
    ({"event_type": "a b"}, "event_type must have 1 to 100 letters"),
    ({"event_type": ".."}, "event_type must have 1 to 100 letters"),
    ({"event_type": "go", "payload": {"x": "y" * 1024 * 1024}}, "payload has 1,048,585 bytes as JSON"),
    ({"event_type": "go", "payload": "x"}, "payload must be a dictionary such as"),
    ({"event_type": "go", "instance_id": None, "select": {"error_glob": "x"}}, "select.error_glob is for instances that have failed"),
    ({"event_type": "go", "instance_id": None}, "give exactly one of instance_id, instance_ids and select"),
]


@pytest.mark.parametrize(("options", "says"), BAD)
def test_bad_input(flock, options, says):
    flock.forget_calls()
    result = flock.bench.module(module="workflow_instance_event", **{"workflow_name": "fleet", "instance_id": "a", **options})
    assert result["failed"] and says in result["msg"] and flock.calls()["total"] == 0, result["msg"]
