# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading instances on the engine."""

from __future__ import annotations

import pytest
from asking import Asking, development
from flock import names

FAILS = {"steps": [{"do": "one"}, {"do": "two", "fail": "no carrier"}]}


@pytest.fixture
def ask(flock):
    return Asking(flock, "workflow_instance_info")


def test_one(ask, flock):
    """By one look, which tells all but the log."""
    flock.create(["a"], {"steps": [], "output": {"n": 1}}, "complete")
    result = ask(instance_id="a")
    item = result["instance"]
    assert ask.cost("reads", "lists") == (1, 0) and result["instances"] == [item] and not result["changed"]
    assert (item["id"], item["status"], item["output"], item["output_truncated"], item["log"]) == ("a", "complete", {"n": 1}, False, None)
    assert item["created_on"] and item["started_on"] and item["ended_on"] and item["version_id"] and item["trigger_source"] == "api"
    assert result["msg"] == "a is complete." and result["summary"]["by_status"] == {"complete": 1}


def test_the_step_that_failed_is_what_a_restart_takes(ask, flock):
    flock.create(["a"], FAILS, "errored")
    item = ask(instance_id="a", steps=True)["instance"]
    assert ask.cost("reads", "lists") == (1, 0)
    assert item["error"] == {"name": "Error", "message": "no carrier"} == item["failed_step_error"]
    assert item["failed_step"] == {"name": "two", "count": 1, "type": "do"}
    assert [(entry["name"], entry["success"]) for entry in item["log"]] == [("one", True), ("two", False)] and item["step_count"] == 2
    restarted = flock.run(instance_id="a", state="restarted", from_step=item["failed_step"])
    assert not restarted.get("failed") and restarted["instance"]["restarted_from"] == item["failed_step"]


def test_several_by_a_listing(ask, flock):
    """Some of them twice, and some that there are none of."""
    flock.create(names("ok", 20))
    result = ask(instance_ids=[*names("ok", 20), "ok-000", "ghost"])
    assert ask.cost("reads", "lists") == (1, 1), "the one that a listing lacks is looked at"
    assert [item["id"] for item in result["instances"]] == names("ok", 20) and result["missing"] == ["ghost"]
    assert not result.get("failed") and result["summary"]["matched"] == 20
    assert result["msg"] == "20 instances of fleet: 20 waiting; not found: ghost."


def test_a_selection_newest_first(ask, flock):
    for name in ("old", "middle", "new"):
        flock.create([name])
    flock.create(["done"], {"steps": []}, "complete")
    result = ask(select={"status": ["waiting"]})
    assert [item["id"] for item in result["instances"]] == ["new", "middle", "old"]
    assert ask.cost("reads", "lists") == (0, 1) and result["instances"][0]["error"] is None


def test_details_take_a_call_each(ask, flock):
    flock.create(names("bad", 3), FAILS, "errored")
    result = ask(select={"status": ["errored"]}, details=True)
    assert ask.cost("reads", "lists") == (3, 1)
    assert {item["error"]["message"] for item in result["instances"]} == {"no carrier"}


def test_logs_are_bounded(ask, flock):
    """The newest ones, and it is said."""
    for name in names("bad", 4):
        flock.create([name], FAILS, "errored")
    result = ask(select={"status": ["errored"]}, steps=True, max_logs=2)
    assert ask.cost("reads", "lists") == (2, 1)
    assert [item["log"] is not None for item in result["instances"]] == [True, True, False, False]
    assert "the logs of 2 of 4 instances were read, the newest; max_logs=4 reads them all" in str(result["warnings"])
    assert result["summary"]["logs"] == 2
    again = ask(select={"status": ["errored"]}, steps=True, max_logs=4)
    assert all(item["failed_step"]["name"] == "two" for item in again["instances"])


def test_by_their_error(ask, flock):
    flock.create(names("bad", 2), FAILS, "errored")
    flock.create(["other"], {"steps": [{"do": "one", "fail": "card declined"}]}, "errored")
    result = ask(select={"status": ["errored"], "error_glob": "no *"})
    assert {item["id"] for item in result["instances"]} == set(names("bad", 2)) and ask.cost("reads") == (3,)


def test_too_many(ask, flock):
    flock.create(names("ok", 5))
    result = ask(select={"status": ["waiting"]}, max_instances=3)
    assert result["failed"] and result["instances"] == [] and result["summary"]["matched"] == 5
    assert result["msg"] == (
        "5 instances of fleet match (waiting 5), more than max_instances=3; nothing was read. Narrow select, or set max_instances=100."
    )


def test_the_newest_pages(ask, flock):
    """No more calls than that, and it is said of how many."""
    for number in range(3):
        flock.create([f"{'abc'[number]}-{one:03d}" for one in range(50)])
    since = {"created_after": "2020-01-01T00:00:00Z"}
    result = ask(select=since, max_pages=1, fields=["status"])
    assert ask.cost("reads", "lists") == (0, 1)
    assert result["instances"][0].keys() == {"id", "status"} and {item["id"][0] for item in result["instances"]} == {"b", "c"}
    summary = result["summary"]
    assert (summary["matched"], summary["listed"], summary["total"], summary["truncated"]) == (100, 100, 150, True)
    assert result["msg"] == "100 instances of fleet: 100 waiting; the newest 100 of 150 were looked through (max_pages)."
    few = ask(select={**since, "id_glob": "?-00[01]"}, max_pages=2)
    assert ask.cost("lists") == (2,) and few["summary"]["truncated"] is False and len(few["instances"]) == 6
    assert few["msg"] == "6 instances of fleet: 6 waiting."
    none = ask(select={**since, "id_glob": "a-00?"}, max_pages=1)
    assert none["msg"].endswith("; the newest 100 of 150 were looked through (max_pages).") and none["instances"] == []
    dev = ask(select=since, max_pages=1, fields=["status", "ended_on"], **development(flock))
    assert len(dev["instances"]) == 100 and dev["summary"]["truncated"] is True


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"instance_id": "a", "max_pages": 1}, "max_pages bounds the listing of a selection"),
        ({"select": {"status": ["paused"]}, "max_pages": 0}, "max_pages must be a number from 1 to 1000; it is 0"),
        ({"instance_id": "a", "fields": []}, "fields is empty and would tell nothing but ids"),
        ({"instance_id": "a", "fields": ["id"]}, "fields"),
    ],
)
def test_bounds_that_mean_nothing(flock, options, says):
    result = flock.bench.module(module="workflow_instance_info", workflow_name=flock.workflow, **options)
    assert result["failed"] and says in result["msg"] and flock.calls()["total"] == 0


def test_none(ask, flock):
    assert ask(instance_id="ghost")["msg"] == "No instance of fleet was found; not found: ghost."
    assert ask(instance_id="ghost")["instance"] is None
    assert ask(select={"status": ["paused"]})["msg"] == "No instance of fleet matches (status: paused)."
    assert ask(instance_ids=[])["msg"] == "No instance of fleet is asked for."


def test_what_could_not_be_read_is_red_and_the_others_are_told(ask, flock):
    flock.create(names("ok", 3))
    flock.meet("read", {"status": 500}, match={"instance": "ok-001"})
    result = ask(instance_ids=names("ok", 3), api_retries=0)
    assert result["failed"] and [item["id"] for item in result["instances"]] == ["ok-000", "ok-002"]
    assert result["msg"].startswith("2 instances of fleet: 2 waiting; 1 could not be read as asked for: HTTP 500")


def test_an_error_that_could_not_be_read_is_red(ask, flock):
    """Whether it matches nobody knows, and whoever asked for details has none."""
    flock.create(names("bad", 3), FAILS, "errored")
    flock.meet("read", {"status": 500}, match={"instance": "bad-001"})
    by_error = ask(select={"status": ["errored"], "error_glob": "no *"}, api_retries=0)
    assert by_error["failed"] and len(by_error["instances"]) == 2
    assert "2 instances of fleet: 2 errored; 1 could not be read as asked for" in by_error["msg"]
    details = ask(select={"status": ["errored"]}, details=True, api_retries=0)
    assert details["failed"] and len(details["instances"]) == 3 and "1 could not be read as asked for" in details["msg"]


def test_what_ends_it_early_is_told_with_what_was_read(ask, flock):
    flock.create(names("ok", 3))
    flock.meet("list", {"status": 403, "code": 10000, "message": "Authentication error"})
    result = ask(select={"status": ["waiting"]})
    assert result["failed"] and result["msg"].startswith("The instances of fleet could not be read: the API does not let the credentials")


def test_names_that_paths_take_up(flock):
    for module, options in (("workflow_info", {"workflow_name": "settings"}), ("workflow_instance_info", {"instance_id": "terminate"})):
        result = flock.bench.module(module=module, **{"workflow_name": "fleet", **options})
        assert result["failed"] and "which a path of the API takes up" in result["msg"]


def test_a_development_session(ask, flock):
    """What it doesn't tell is null."""
    flock.create(names("ok", 2))
    flock.create(["bad"], FAILS, "errored")
    result = ask(instance_ids=[*names("ok", 2), "bad", "ghost"], steps=True, **development(flock))
    assert {item["id"]: item["status"] for item in result["instances"]}["bad"] == "errored" and result["missing"] == ["ghost"]
    bad = next(item for item in result["instances"] if item["id"] == "bad")
    assert bad["failed_step"] == {"name": "two", "count": 1, "type": "do"} and bad["version_id"] is None
    listed = ask(select={"id_glob": "ok-*"}, **development(flock))
    assert len(listed["instances"]) == 2 and listed["instances"][0]["ended_on"] is None


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({}, "give exactly one of instance_id, instance_ids and select"),
        ({"instance_id": "a", "max_logs": 3}, "max_logs bounds what steps=true reads"),
        ({"instance_id": "a", "steps": True, "max_logs": 0}, "max_logs must be a number from 1 to 1000"),
        ({"select": {}}, "select is empty"),
        ({"instance_id": "a b "}, "blanks"),
    ],
)
def test_bad_input(flock, options, says):
    flock.forget_calls()
    result = flock.bench.module(module="workflow_instance_info", workflow_name="fleet", **options)
    assert result["failed"] and says in result["msg"] and flock.calls()["total"] == 0
