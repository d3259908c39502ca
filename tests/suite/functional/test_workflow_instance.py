# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Triggering and deleting instances on the engine: each once, whatever becomes of the answers."""

from __future__ import annotations

import json

import pytest
from asking import Asking, development
from flock import NAP, NOTHING, names


@pytest.fixture
def ask(flock):
    return Asking(flock, "workflow_instance")


def unknowns(flock, **settings):
    flock.control("POST", "/unknowns", settings)


def entries(instance_ids, params=None):
    return [{"instance_id": name, "params": params or NAP} for name in instance_ids]


# -- one ------------------------------------------------------------------------------------------------------------------


def test_once(ask, flock):
    """The second time it is there; its own params stay, and keys that differ are told, never values."""
    result = ask(instance_id="a", params=NAP, diff=True)
    assert result["changed"] and ask.cost("creates", "reads") == (1, 0)
    assert result["instance"]["status"] == "queued" and result["msg"] == "a is queued: it was triggered."
    assert result["diff"] == {"before": {"a": "absent"}, "after": {"a": "present"}}
    flock.wait_for(["a"], "waiting")
    again = ask(instance_id="a", params=NAP)
    assert not again["changed"] and ask.cost("creates", "reads") == (1, 1)
    assert again["msg"] == "a is waiting already: nothing was triggered." and "warnings" not in again
    other = ask(instance_id="a", params={"steps": [], "secret": "hidden-value-0123"})
    assert not other["changed"] and "other params than these: secret, steps" in str(other["warnings"])
    assert "hidden-value-0123" not in json.dumps({key: value for key, value in other.items() if key != "invocation"})


@pytest.mark.parametrize("status", [400, 409, 500])
def test_there_already_whatever_the_status(ask, flock, status):
    flock.create(["a"])
    unknowns(flock, exists_status=status)
    result = ask(instance_id="a")
    assert not result.get("failed") and not result["changed"] and result["instance"]["status"] == "waiting"


def test_without_an_id_each_time_one_more(ask, flock):
    first, second = ask(params=NAP)["instance"]["id"], ask(params=NAP)["instance"]["id"]
    assert first and second and first != second and ask.cost("creates") == (1,)


def test_check_mode(ask, flock):
    assert ask(instance_id="a", check_mode=True)["changed"] and ask.cost("creates", "reads") == (0, 1)
    flock.create(["a"])
    result = ask(instance_id="a", check_mode=True)
    assert not result["changed"] and result["msg"] == "a is waiting already: nothing was sent."
    assert ask(check_mode=True)["changed"] and flock.calls()["total"] == 0


@pytest.mark.parametrize("fault", [{"reset": "after"}, {"status": 502, "work": True}, {"cut": True}])
def test_an_answer_that_is_lost_with_an_id(ask, flock, fault):
    """It is looked for, and never sent again."""
    flock.meet("create", fault, times=1)
    result = ask(instance_id="a", params=NAP)
    assert result["changed"] and not result.get("failed") and "by this task or another" in result["msg"]
    assert ask.cost("creates", "reads") == (1, 1) and "by this task or another" in str(result["warnings"])


def test_an_answer_that_is_lost_and_nothing_is_there(ask, flock):
    """It may be made yet, so nothing is said to be so; and a second run is safe."""
    flock.meet("create", {"reset": "before"}, times=1)
    result = ask(instance_id="a", params=NAP)
    assert result["failed"] and result["changed"] and result["ids"]["unknown"] == ["a"] and ask.cost("creates") == (1,)
    assert result["msg"].startswith("a is not there: the trigger was sent once, answer lost")
    assert result["msg"].endswith("Run again: its id keeps it from being triggered twice.")
    assert ask(instance_id="a", params=NAP)["changed"]


@pytest.mark.parametrize("mode", ["check", "real"])
def test_one_that_nobody_can_look_at(ask, flock, mode):
    """It is neither there nor not there."""
    flock.create(["a"])
    flock.meet("read", {"status": 500})
    if mode == "real":
        flock.meet("create", {"reset": "after"})
    result = ask(instance_id="a", check_mode=mode == "check", api_retries=0)
    assert result["failed"] and "a could not be looked at" in result["msg"]
    assert result["instance"]["outcome"] == ("failed" if mode == "check" else "unknown")


@pytest.mark.parametrize("many", [False, True], ids=["one", "many"])
@pytest.mark.parametrize("state", ["present", "absent"])
def test_what_went_out_is_never_denied(ask, flock, state, many):
    """The answer is lost, and then the credentials are refused: what was sent may have been done."""
    ids = names("x", 3) if many else ["x"]
    if state == "absent":
        flock.create(ids, NOTHING, "complete")
    refused = {"status": 403, "code": 10000, "message": "Authentication error"}
    flock.meet("create" if state == "present" else "delete", {"reset": "after"}, times=1)
    for kind in ("read", "list"):
        flock.meet(kind, refused, skip=0 if state == "present" else len(ids) if kind == "read" else 0)
    task = {"instances": entries(ids)} if many and state == "present" else {"instance_ids": ids} if many else {"instance_id": "x"}
    result = ask(state=state, **task)
    assert result["failed"] and result["changed"] and result["ids"]["unknown"] == ids, result["msg"]
    assert "answer lost" in str([item["msg"] for item in result["instances"]])


def test_by_an_error_nothing_is_deleted(flock):
    """A listing holds no error, so that the filter would match all of them."""
    result = flock.bench.module(
        module="workflow_instance", workflow_name="fleet", state="absent", select={"status": ["errored"], "error_glob": "*card*"}
    )
    assert result["failed"] and "select.error_glob does not work with state=absent" in result["msg"]


def test_retention_reaches_the_api(ask, flock):
    """Under the API's own name."""
    ask(instance_id="a", params=NOTHING, retention={"success_retention": 86400000, "error_retention": "3 days"})
    sent = next(json.loads(entry["body"]) for entry in flock.calls()["log"] if entry["kind"] == "create")
    assert sent["instance_retention"] == {"success_retention": 86400000, "error_retention": "3 days"}


def test_an_output_that_could_not_be_read_is_no_green_task(ask, flock):
    flock.create(["a"], NOTHING, "complete")
    flock.meet("read", {"status": 500}, skip=2)
    result = ask(instance_id="a", wait=True, api_retries=0)
    assert result["failed"] and "what it returned could not be read" in result["msg"]


def test_an_outage_while_waiting(ask, flock):
    """It passes, and the wait goes on."""
    flock.meet("read", {"status": 502, "body": "<title>Bad gateway</title>"}, skip=1, times=2)
    result = ask(instance_id="a", params={"steps": [{"do": "one", "ms": 1500}]}, wait=True, wait_sleep=0.3, api_retries=0)
    assert not result.get("failed") and result["instance"]["status"] == "complete", result["msg"]


def test_forced_deletion_spares_a_newer_run(ask, flock):
    """The answer is lost, and its owner has triggered it anew by the next look."""
    flock.create(["a"])
    again = [{"op": "create", "workflow": flock.workflow, "instance": "a", "params": NAP}]
    flock.meet("delete", {"reset": "after"}, times=1, after=again)
    result = ask(instance_id="a", state="absent", force=True)
    assert ask.cost("deletes") == (1,) and "is there anew since" in str(result["warnings"]), result["msg"]
    assert flock.statuses(["a"])["a"] in ("queued", "running", "waiting")


@pytest.mark.parametrize("fault", [{"reset": "after"}, {"status": 502, "work": True}, {"hang_ms": 60_000, "work": "before"}])
def test_an_answer_that_is_lost_without_an_id(ask, flock, fault):
    """Nobody can know, and it is never sent again."""
    flock.meet("create", fault)
    result = ask(params=NAP, api_timeout=1)
    assert result["failed"] and result["changed"] and result["instance"]["outcome"] == "unknown"
    assert ask.cost("creates") == (1,) and "without an id it is NOT sent again" in result["msg"]
    assert result["msg"].endswith("Look for it; with an instance_id a second run is safe.")


def test_a_block_of_the_rate_limit_is_waited_for(ask, flock):
    """What was refused with 429 was not processed, so that it is made again even without an id."""
    flock.meet("create", {"status": 429, "retry_after": 1}, times=1)
    result = ask(params=NAP)
    assert result["changed"] and not result.get("failed") and ask.cost("creates") == (2,)


def test_refused(ask, flock):
    flock.meet("create", {"status": 400, "code": 10002, "message": "workflows.api.error.instance.too_many_queued"})
    result = ask(instance_id="a")
    assert result["failed"] and not result["changed"] and "a was not triggered: the trigger was refused: the API says" in result["msg"]


# -- waiting --------------------------------------------------------------------------------------------------------------


def test_waiting_for_what_it_returns(ask, flock):
    result = ask(instance_id="a", params={"steps": [{"do": "one", "ms": 300}], "output": {"n": 1}}, wait=True, wait_sleep=0.2)
    assert not result.get("failed") and result["instance"]["output"] == {"n": 1} and result["msg"] == "a is complete: it was triggered."


def test_one_that_errors_fails_with_its_step(ask, flock):
    result = ask(instance_id="a", params={"steps": [{"do": "one", "fail": "card declined"}]}, wait=True, wait_sleep=0.2)
    assert result["failed"] and result["changed"] and result["instance"]["failed_step"] == {"name": "one", "count": 1, "type": "do"}
    assert result["msg"] == (
        "a is errored: it was triggered; it failed with Error: card declined. workflow_instance_status with state=restarted, "
        "from_failed_step=true, when_status=[errored] runs it on."
    )


def test_waiting_for_a_status(ask, flock):
    result = ask(instance_id="a", params=NAP, wait=True, wait_for=["waiting"], wait_sleep=0.2)
    assert not result.get("failed") and result["instance"]["status"] == "waiting"


def test_not_in_time(ask, flock):
    result = ask(instance_id="a", params=NAP, wait=True, wait_timeout=1, wait_sleep=0.2)
    assert result["failed"] and result["changed"]
    assert result["msg"].endswith("it has not ended after 1 s (wait_timeout). Run again to wait for it, or raise wait_timeout.")


def test_waiting_for_one_that_was_there(ask, flock):
    flock.create(["a"], NOTHING, "complete")
    result = ask(instance_id="a", wait=True)
    assert not result["changed"] and result["instance"]["status"] == "complete" and "it was there already" in result["msg"]


# -- many -----------------------------------------------------------------------------------------------------------------


def test_many_by_one_call(ask, flock):
    result = ask(instances=entries(names("new", 30)))
    assert result["summary"]["changed"] == 30 and ask.cost("creates", "reads") == (1, 0)
    assert [item["id"] for item in result["instances"]] == names("new", 30)
    assert result["msg"] == "All 30 instances of fleet were triggered."


def test_more_than_a_hundred(ask, flock):
    result = ask(instances=entries(names("new", 130), NOTHING))
    assert result["summary"]["changed"] == 130 and ask.cost("creates", "reads") == (2, 0)


@pytest.mark.parametrize("form", ["list", "object"])
@pytest.mark.parametrize("existing", ["skipped", "refused"])
def test_some_are_there_already(ask, flock, form, existing):
    """Whatever the API does with them, and however it answers."""
    flock.create(names("new", 2))
    unknowns(flock, batch_form=form, batch_existing=existing)
    result = ask(instances=entries(names("new", 6)))
    assert result["ids"]["unchanged"] == names("new", 2) and result["ids"]["changed"] == names("new", 6)[2:], result["msg"]
    assert "2 left as they are: 2 there already (new-000, new-001)" in result["msg"]


@pytest.mark.parametrize("form", ["list", "object"])
def test_one_that_the_answer_lacks_is_looked_at(ask, flock, form):
    """It may be there, and it may not: then it is triggered alone."""
    unknowns(flock, batch_form=form, batch_omits=["new-001"], batch_forgets=["new-002"])
    result = ask(instances=entries(names("new", 4)))
    assert not result.get("failed") and ask.cost("creates", "reads") == (2, 2)
    assert set(result["ids"]["changed"]) == {"new-000", "new-002", "new-003"} and result["ids"]["unchanged"] == ["new-001"]
    assert set(flock.statuses(names("new", 4)).values()) <= {"queued", "running", "waiting"}


def test_the_answer_for_many_is_lost(ask, flock):
    flock.meet("create", {"reset": "after"}, times=1)
    result = ask(instances=entries(names("new", 5)))
    assert result["summary"]["changed"] == 5 and ask.cost("creates", "reads") == (1, 5)
    assert "by this task or another" in str(result["warnings"])


@pytest.mark.parametrize(
    "fault",
    [{"status": 404, "raw": "404 Not Found"}, {"status": 405, "code": 7001, "message": "Method POST not available"}],
    ids=["plain text", "no such method"],
)
def test_a_server_without_batches(ask, flock, fault):
    flock.meet("create", fault, match={"path_regex": "/batch$"})
    result = ask(instances=entries(names("new", 12)))
    assert result["summary"]["changed"] == 12 and ask.cost("creates") == (13,)


def test_many_and_waiting(ask, flock):
    flock.control("POST", "/switch", {"name": "broken", "value": True})
    some = [{"instance_id": "bad", "params": {"steps": [{"do": "one", "fail_while": "broken"}]}}, *entries(names("ok", 3), NOTHING)]
    result = ask(instances=some, wait=True, wait_sleep=0.2)
    assert result["failed"] and result["ids"]["failed"] == ["bad"] and result["summary"]["changed"] == 3
    assert {item["status"] for item in result["instances"]} == {"errored", "complete"}


# -- absent ---------------------------------------------------------------------------------------------------------------


def test_deleting(ask, flock):
    flock.create(["a"], NOTHING, "complete")
    result = ask(instance_id="a", state="absent", diff=True)
    assert result["changed"] and ask.cost("reads", "deletes") == (1, 1) and result["msg"] == "a is deleted (was complete)."
    assert result["diff"] == {"before": {"a": "present"}, "after": {"a": "absent"}}
    again = ask(instance_id="a", state="absent")
    assert not again["changed"] and ask.cost("reads", "deletes") == (1, 0) and again["msg"] == "a is not there: nothing was sent."


def test_a_deleted_id_can_be_used_again(ask, flock):
    flock.create(["a"], NOTHING, "complete")
    assert ask(instance_id="a", state="absent")["changed"]
    assert ask(instance_id="a", params=NAP)["changed"]
    flock.wait_for(["a"], "waiting")


@pytest.mark.parametrize("status", ["running", "paused", "waiting", "errored", "terminated"])
def test_deleting_whatever_it_does(ask, flock, status):
    """With force also what has not finished."""
    steps = {"running": [{"do": "work", "gate": "work"}], "errored": [{"do": "one", "fail": "boom"}]}.get(status, NAP["steps"])
    flock.create(["a"], {"steps": steps}, {"paused": "waiting", "terminated": "waiting"}.get(status, status))
    if status in ("paused", "terminated"):
        flock.op({"op": "pause" if status == "paused" else "terminate", "instance": "a"})
    result = ask(instance_id="a", state="absent", force=True)
    assert result["changed"] and result["msg"] == f"a is deleted (was {status})." and flock.statuses(["a"]) == {"a": None}
    flock.control("POST", "/gate", {"name": "work"})


def test_deleting_more_than_a_hundred(ask, flock):
    flock.create(names("done", 120), NOTHING, "complete")
    result = ask(select={"status": ["complete"]}, state="absent")
    assert result["summary"]["changed"] == 120 and ask.cost("deletes") == (2,)


def test_what_runs_is_not_deleted(ask, flock):
    flock.create(["a"])
    result = ask(instance_id="a", state="absent")
    assert result["failed"] and not result["changed"] and ask.cost("deletes") == (0,)
    assert "state=terminated (rollback=true undoes its steps), or give force=true." in result["msg"]
    assert ask(instance_id="a", state="absent", force=True)["changed"] and flock.statuses(["a"]) == {"a": None}


def test_deleting_a_selection(ask, flock):
    flock.create(names("done", 12), NOTHING, "complete")
    flock.create(names("ok", 2))
    check = ask(select={"status": ["complete"]}, state="absent", check_mode=True)
    assert check["summary"]["changed"] == 12 and ask.cost("deletes") == (0,) and check["msg"].startswith("Would delete 12 of 12")
    result = ask(select={"status": ["complete"]}, state="absent")
    assert result["summary"]["changed"] == 12 and ask.cost("deletes", "reads") == (1, 0)
    assert flock.statuses(names("ok", 2)) == dict.fromkeys(names("ok", 2), "waiting")
    assert (
        ask(select={"status": ["complete"]}, state="absent")["msg"] == "No instance of fleet matches (status: complete): nothing was sent."
    )


def test_the_answer_to_a_deletion_is_lost(ask, flock):
    flock.create(names("done", 3), NOTHING, "complete")
    flock.meet("delete", {"reset": "after"}, times=1)
    result = ask(instance_ids=names("done", 3), state="absent")
    assert result["summary"]["changed"] == 3 and not result.get("failed") and ask.cost("deletes") == (1,)


def test_a_server_that_deletes_one_by_one(ask, flock):
    flock.create(names("done", 3), NOTHING, "complete")
    flock.meet("delete", {"status": 404, "raw": "404 Not Found"}, match={"path_regex": "/batch/delete$"})
    result = ask(instance_ids=names("done", 3), state="absent")
    assert result["summary"]["changed"] == 3 and ask.cost("deletes") == (4,)


def test_one_that_goes_first(ask, flock):
    flock.create(names("done", 2), NOTHING, "complete")
    flock.meet("delete", before=[{"op": "delete", "workflow": flock.workflow, "instance": "done-000"}], times=1)
    result = ask(instance_ids=names("done", 2), state="absent")
    assert result["ids"]["unchanged"] == ["done-000"] and result["ids"]["changed"] == ["done-001"]


def test_a_block_while_deleting(ask, flock):
    flock.create(names("done", 2), NOTHING, "complete")
    flock.meet("delete", {"status": 429, "retry_after": 1}, times=1)
    assert ask(instance_ids=names("done", 2), state="absent")["summary"]["changed"] == 2


# -- a development session ------------------------------------------------------------------------------------------------


def test_in_a_development_session(ask, flock):
    """It has names of its own, and no batches; an id that was only looked at is none."""
    there = development(flock)
    result = ask(instance_id="a", params={"steps": [], "output": 7}, wait=True, wait_sleep=0.2, **there)
    assert result["changed"] and result["instance"]["output"] == 7 and result["instance"]["id"] == "a", result["msg"]
    assert not ask(instance_id="a", **there)["changed"]
    many = ask(instances=entries(names("new", 4)), **there)
    assert many["summary"]["changed"] == 4 and many["api_calls"]["creates"] == 4
    assert not ask(instance_id="ghost", state="absent", **there)["changed"]
    assert not ask(instance_id="ghost", state="absent", **there)["changed"]
    gone = ask(instance_ids=["a", *names("new", 2)], state="absent", force=True, **there)
    assert gone["summary"]["changed"] == 3, gone["msg"]


# -- bad input ------------------------------------------------------------------------------------------------------------

BAD = [
    ({"instance_id": "-a"}, "instance_id must have 1 to 100 letters, digits, underscores or hyphens"),
    ({"instance_id": "batch"}, "which the API keeps for itself"),
    ({"instance_id": "cf_" + "0" * 64}, "which the API keeps for itself"),
    ({"instances": [{"instance_id": "a b"}]}, "instances[0].instance_id must have"),
    (
        {"instances": [{"instance_id": "a"}, {"instance_id": "a", "params": {"x": 1}}]},
        "instances[1].instance_id is 'a' again, with other params",
    ),
    ({"instances": [], "params": {"x": 1}}, "params and instances exclude each other"),
    (
        {"instance_id": "a", "retention": {"success_retention": "3days"}},
        "retention.success_retention must be milliseconds, or a number and a unit",
    ),
    ({"instance_id": "a", "params": {"x": float("nan")}}, "params holds a number that JSON can't hold"),
    ({"instances": [{"instance_id": 83}]}, "instances[0].instance_id is 83, a number and not text; quote it"),
    ({"instance_id": "a", "params": {"x": "y" * 1024 * 1024}}, "params has 1,048,585 bytes as JSON, and the API takes 1,048,576"),
    ({"instance_ids": ["a"]}, "instance_ids works with state=absent only"),
    ({"instance_id": "a", "force": True}, "force works with state=absent only"),
    ({"instance_id": "a", "wait_for": ["running"]}, "wait_for says what wait=true waits for"),
    ({"state": "absent"}, "give exactly one of instance_id, instance_ids and select"),
    ({"state": "absent", "select": {"id_glob": "*"}}, "state=absent with select needs select.status"),
    ({"state": "absent", "instance_id": "a", "wait": True}, "wait works with state=present only"),
    ({"state": "absent", "instance_id": "a", "params": {}}, "params works with state=present only"),
    ({"instance_id": "a", "params": "x"}, "params must be a dictionary such as"),
]


@pytest.mark.parametrize(("options", "says"), BAD)
def test_bad_input(flock, options, says):
    flock.forget_calls()
    result = flock.bench.module(module="workflow_instance", workflow_name="fleet", **options)
    assert result["failed"] and says in result["msg"] and flock.calls()["total"] == 0, result["msg"]
