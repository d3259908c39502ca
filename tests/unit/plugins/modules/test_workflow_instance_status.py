# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module as a playbook sees it: what goes in, what comes out, and that the documentation says the same."""

from __future__ import annotations

import pytest
import yaml

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import AnswerLost, Refused
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance import lifecycle
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task import module as module_module
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task import workflow_instance_status as task_room
from ansible_collections.edgeops.cloudflare.plugins.modules import workflow_instance_status
from ansible_collections.edgeops.cloudflare.tests.unit.fakes import FakeInstance, FakeWorkflow, many, stamp
from ansible_collections.edgeops.cloudflare.tests.unit.loopback import Reply
from ansible_collections.edgeops.cloudflare.tests.unit.running import ACCOUNT, TOKEN, TaskRunner
from ansible_collections.edgeops.cloudflare.tests.unit.tables import each_row

RETURNED = yaml.safe_load(workflow_instance_status.RETURN)
DOCUMENTED = yaml.safe_load(workflow_instance_status.DOCUMENTATION)

#: What is there on success and on failure, once the options are valid.
SHAPE = {"changed", "msg", "instances", "summary", "api_calls", "messages", "ids", "ended_early"}


@pytest.fixture
def task(monkeypatch, capfd, clock):
    """Runs tasks on a workflow of six instances."""
    clock.pass_by(1000)
    return TaskRunner(
        monkeypatch,
        capfd,
        FakeWorkflow(
            clock,
            FakeInstance("running"),
            FakeInstance("paused", "paused", created=1),
            FakeInstance("complete", "complete", created=2),
            FakeInstance("errored", "errored", created=3),
            FakeInstance("slow", pausing=10**6, created=4),
            FakeInstance("waiting", "waiting", created=5),
        ),
    )


def keys_of(result):
    """The keys of a result that are the module's own."""
    return set(result) - {"invocation", "warnings", "failed", "exception", "deprecations"}


# -- one instance -----------------------------------------------------------------------------------------------------


def test_success(task):
    ran = task.run(instance_id="running", state="paused", diff=True)
    assert ran.code == 0
    assert keys_of(ran.result) == SHAPE | {"instance", "ansible_facts", "diff"}
    assert ran.result["changed"] is True
    assert ran.result["msg"] == f"running is paused (was running): pause accepted {stamp(1000)[11:19]}Z."
    assert (
        ran.result["instance"]
        == ran.result["instances"][0]
        == {
            "id": "running",
            "status": "paused",
            "previous_status": "running",
            "action": "pause",
            "changed": True,
            "failed": False,
            "timestamp": stamp(1000),
            "outcome": "changed",
            "msg": ran.result["msg"],
        }
    )
    assert ran.result["ansible_facts"] == {"workflow_instance_status": {"running": {"status": "paused", "timestamp": stamp(1000)}}}
    assert ran.result["diff"] == {"before": {"running": "running"}, "after": {"running": "paused"}}
    assert ran.result["api_calls"] == {
        "total": 2,
        "reads": 1,
        "lists": 0,
        "patches": 1,
        "batches": 0,
        "retries": 0,
        "rate_limited_seconds": 0.0,
    }
    assert ran.warnings == []


def test_again(task):
    task.run(instance_id="running", state="paused")
    ran = task.run(instance_id="running", state="paused", diff=True)
    assert (ran.code, ran.result["changed"], ran.result["api_calls"]["total"]) == (0, False, 1)
    assert ran.result["diff"] == {"before": {}, "after": {}}
    assert ran.result["msg"] == "running is already paused: nothing was sent."


def test_failure_has_the_same_shape(task):
    ran = task.run(instance_id="complete", state="paused", diff=True)
    assert (ran.code, ran.result["failed"], ran.result["changed"]) == (1, True, False)
    assert keys_of(ran.result) == SHAPE | {"instance", "diff"}, "a failed task has no facts"
    assert ran.result["msg"] == "complete is complete, so there is nothing to pause. skip_finished=true leaves such instances alone."
    assert ran.result["instance"]["failed"] is True


def test_failed_and_changed(task):
    ran = task.run(instance_id="slow", state="paused", wait_timeout=60)
    assert (ran.code, ran.result["failed"], ran.result["changed"]) == (1, True, True)
    assert "still waitingForPause after 60 s" in ran.result["msg"]


def test_no_diff_unless_asked_for(task):
    assert "diff" not in task.run(instance_id="running", state="paused").result


def test_defaults(task):
    """An option at its default counts as not given."""
    ran = task.run(instance_id="running", state="paused", from_failed_step=False, rollback=False, wait=True, concurrency=8)
    assert ran.code == 0


# -- check mode -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", lifecycle.STATES)
@pytest.mark.parametrize("instance_id", ["running", "paused", "complete", "errored", "waiting"])
def test_check_mode_foretells(task, state, instance_id):
    """The same colour, the same diff, the same item but for what only the API can tell; and nothing is sent."""
    foretold = task.run(instance_id=instance_id, state=state, check_mode=True, diff=True)
    assert task.workflow.patches() == []
    assert foretold.result["api_calls"]["patches"] == 0
    was = task.run(instance_id=instance_id, state=state, diff=True)
    for key in ("changed", "diff"):
        assert foretold.result[key] == was.result[key]
    assert foretold.code == was.code
    for key in ("id", "previous_status", "action", "changed", "failed", "outcome"):
        assert foretold.result["instance"][key] == was.result["instance"][key]


def test_check_mode_tells_the_status_as_it_is(task):
    ran = task.run(instance_id="running", state="paused", check_mode=True)
    assert (ran.result["instance"]["status"], ran.result["instance"]["timestamp"]) == ("running", None)
    assert ran.result["msg"] == "running is running: would send pause and wait."


def test_check_mode_estimates_for_many(task):
    ran = task.run(select={"status": ["running", "waiting"]}, state="paused", check_mode=True)
    assert ran.result["msg"] == (
        "Would pause 3 of 3 instances of orders, and wait (2 running, 1 waiting). About 3 calls, within the quota of 1,200 in five minutes."
    )


# -- many -------------------------------------------------------------------------------------------------------------


def test_many(task):
    ran = task.run(instance_ids=["running", "complete", "nowhere", "waiting", "running"], state="paused", diff=True)
    assert (ran.code, ran.result["changed"], ran.result["failed"]) == (1, True, True)
    assert keys_of(ran.result) == SHAPE | {"diff"}
    assert [item["id"] for item in ran.result["instances"]] == ["running", "complete", "nowhere", "waiting"]
    assert ran.result["msg"].startswith(
        "2 of 4 instances of orders can't be paused: 1 complete (complete), 1 not found (nowhere). The other 2 are paused"
    )
    assert ran.result["ids"]["failed"] == ["complete", "nowhere"]
    assert ran.result["diff"]["after"] == {"running": "paused", "waiting": "paused"}
    summary = ran.result["summary"]
    assert (summary["matched"], summary["changed"], summary["failed"]) == (4, 2, 2)


def test_nothing_to_do(task):
    ran = task.run(instance_ids=[], state="paused")
    assert (ran.code, ran.result["changed"], ran.result["instances"]) == (0, False, [])
    assert ran.result["ansible_facts"] == {"workflow_instance_status": {}}
    assert ran.result["api_calls"]["total"] == 0


def test_a_selection(task):
    ran = task.run(select={"status": ["errored"], "ended_after": "2026-08-06T02:00:00+02:00"}, state="restarted")
    assert ran.code == 0
    assert [item["id"] for item in ran.result["instances"]] == ["errored"]
    assert (ran.result["summary"]["passes"], ran.result["summary"]["converged"]) == (1, True)


def test_a_selection_without_a_match(task):
    ran = task.run(select={"id_glob": "none*"}, state="paused")
    assert (ran.code, ran.result["changed"], ran.result["summary"]["matched"]) == (0, False, 0)


def test_a_selection_that_is_too_large(task):
    task.workflow.instances.update({instance.id: instance for instance in many(30)})
    ran = task.run(select={"status": ["running"]}, state="paused", max_instances=20)
    assert (ran.code, ran.result["changed"]) == (1, False)
    assert ran.result["msg"] == (
        "32 instances of orders match (running 32), more than max_instances=20; nothing was changed. Narrow select, or set max_instances=100."
    )
    assert ran.result["summary"]["matched"] == 32
    assert keys_of(ran.result) == SHAPE


def test_the_result_is_complete_when_the_task_ends_early(task):
    task.api.workflow.fail(("patch",), Refused("no", code=10000, http_status=403), times=99)
    ran = task.run(instance_ids=["running", "waiting"], state="paused", concurrency=1)
    assert ran.code == 1
    assert keys_of(ran.result) == SHAPE
    assert [item["outcome"] for item in ran.result["instances"]] == ["not_attempted"] * 2
    assert ran.result["msg"].startswith(
        "2 of 2 instances of orders were not attempted: the API does not let the credentials from api_token do this"
    )
    assert "2 of 2 instances of orders were not attempted" in ran.log, "where nobody else may listen any more"


def test_the_controller_goes(task):
    task.controller.reason = "stopped by SIGTERM"
    ran = task.run(instance_ids=["running", "waiting"], state="paused")
    assert ran.code == 1
    assert (task.workflow.calls, ran.result["api_calls"]["total"]) == ([], 0)
    assert (
        ran.result["msg"]
        == "2 of 2 instances of orders were not attempted: stopped by SIGTERM, and nothing more is sent. Run again for the rest."
    )


# -- messages and warnings --------------------------------------------------------------------------------------------


def test_messages_of_the_api(task):
    task.api.messages = [{"code": 1000, "message": "This feature is in beta."}]
    ran = task.run(instance_id="running", state="paused")
    assert ran.result["messages"] == [{"code": 1000, "message": "This feature is in beta."}]
    assert ran.warnings == ["the API says: This feature is in beta."]


def test_waiting_for_the_limit_is_told(task):
    adapter_send, refused = task.api.send, []

    def send(request, **settings):
        if not refused:
            refused.append(request)
            task.api._answers = [Reply(429, b"", {"Retry-After": "120"})]
        else:
            task.api._answers = [task.api._answer]
        return adapter_send(request, **settings)

    task.api.send = send
    ran = task.run(instance_id="running", state="paused")
    assert (ran.code, ran.result["api_calls"]["retries"], ran.result["api_calls"]["rate_limited_seconds"]) == (0, 1, 120.0)
    assert ran.warnings == ["the API's rate limit held this task back for 120 s"]


# -- bad input --------------------------------------------------------------------------------------------------------

#: (options, what the message must hold)
BAD = [
    ({"instance_id": "a"}, ["state"]),
    ({"instance_id": "a", "state": "stopped"}, ["state", "stopped"]),
    ({"state": "paused"}, ["exactly one of instance_id, instance_ids and select"]),
    ({"instance_id": "", "state": "paused"}, ["instance_id must have 1 to 271 characters"]),
    ({"instance_id": "..", "state": "paused"}, ["instance_id must not be '..'"]),
    ({"instance_id": "a" * 272, "state": "paused"}, ["instance_id must have 1 to 271 characters"]),
    ({"workflow_name": "a" * 65, "instance_id": "a", "state": "paused"}, ["workflow_name must have 1 to 64 characters"]),
    ({"select": {}, "state": "paused"}, ["select is empty"]),
    ({"select": {"status": []}, "state": "paused"}, ["select.status is empty"]),
    ({"select": {"status": ["failed"]}, "state": "paused"}, ["status", "failed"]),
    ({"select": {"id_glob": "*"}, "state": "restarted"}, ["select.status or when_status"]),
    ({"select": {"colour": "red"}, "state": "paused"}, ["colour"]),
    ({"instance_id": "a", "state": "paused", "from_step": {"name": "x"}}, ["from_step works with state=restarted only"]),
    ({"instance_id": "a", "state": "restarted", "from_step": {"name": "x"}, "from_failed_step": True}, ["exclude each other"]),
    ({"instance_id": "a", "state": "restarted", "from_step": {"name": "x", "count": 0}}, ["from_step.count must be a number from 1"]),
    ({"instance_id": "a", "state": "restarted", "from_step": {}}, ["name"]),
    ({"instance_id": "a", "state": "running", "rollback": True}, ["rollback works with state=terminated only"]),
    ({"instance_id": "a", "state": "paused", "wait_timeout": "inf"}, ["wait_timeout must be a number"]),
    ({"instance_id": "a", "state": "paused", "wait_timeout": -1}, ["wait_timeout must be a number"]),
    ({"instance_id": "a", "state": "paused", "wait_sleep": "nan"}, ["wait_sleep must be a number"]),
    ({"instance_id": "a", "state": "paused", "concurrency": 65}, ["concurrency must be a number from 1 to 64"]),
    ({"instance_id": "a", "state": "paused", "api_timeout": 0}, ["api_timeout must be a number"]),
    ({"instance_id": "a", "state": "paused", "api_token": ""}, ["no credentials", "CLOUDFLARE_API_TOKEN"]),
    ({"instance_id": "a", "state": "paused", "api_key": "key-0001-abcdefgh"}, ["both given"]),
    ({"instance_id": "a", "state": "paused", "api_token": None, "api_key": "key-0001-abcdefgh"}, ["api_email is missing"]),
    ({"instance_id": "a", "state": "paused", "account_id": ""}, ["account_id is missing", "CLOUDFLARE_ACCOUNT_ID"]),
    ({"instance_id": "a", "state": "paused", "api_url": "http://api.cloudflare.com/client/v4"}, ["api_url must use https"]),
    (
        {"instance_id": "a", "state": "paused", "api_url": f"https://user:{TOKEN}@api.cloudflare.com"},
        ["api_url must not contain credentials"],
    ),
    ({"instance_id": "a", "state": "paused", "ca_path": "/no/such/file"}, ["ca_path names nothing"]),
]


@each_row("given, parts", BAD)
def test_bad_input(task, given, parts):
    ran = task.run(**given)
    assert (ran.code, ran.result["failed"]) == (1, True)
    assert [part for part in parts if part not in ran.result["msg"]] == [], ran.result["msg"]
    assert task.workflow.calls == [], "no call is made"
    assert TOKEN not in ran.printed + ran.log and "key-0001-abcdefgh" not in ran.printed + ran.log


# -- secrets ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("instance_id", "wanted"), [("running", {"state": "paused"}), ("complete", {"state": "paused"}), ("nowhere", {"state": "paused"})]
)
@pytest.mark.parametrize("source", ["task", "environment"])
def test_secrets_are_nowhere(task, monkeypatch, instance_id, wanted, source):
    task.api.messages = [{"code": 1, "message": f"your token {TOKEN} is about to expire"}]
    given = {}
    if source == "environment":
        given["api_token"] = None
        monkeypatch.setenv("CLOUDFLARE_API_TOKEN", TOKEN)
    ran = task.run(instance_id=instance_id, diff=True, **dict(wanted, **given))
    assert task.workflow.calls
    assert TOKEN not in ran.printed
    assert TOKEN not in ran.log


def test_secrets_of_an_unforeseen_error(task, monkeypatch):
    def broken(*args, **kwargs):
        raise RuntimeError(f"Authorization: Bearer {TOKEN}")

    monkeypatch.setattr(task_room, "Surveyor", broken)
    ran = task.run(instance_id="running", state="paused")
    assert ran.code == 1
    assert ran.result["msg"].startswith("internal error: RuntimeError at test_workflow_instance_status.py:")
    assert TOKEN not in ran.printed + ran.log


def test_email_and_key(task):
    ran = task.run(instance_id="running", state="paused", api_token=None, api_email="ops@example.com", api_key="key-0001-abcdefgh")
    assert ran.code == 1 and ran.result["msg"].startswith(
        "running was not attempted: the API does not let the credentials from api_key do this"
    )
    request = task.api.requests[0]
    assert (request.headers["X-Auth-Email"], request.headers["X-Auth-Key"]) == ("ops@example.com", "key-0001-abcdefgh")
    assert "key-0001-abcdefgh" not in ran.printed + ran.log


def test_without_requests(task, monkeypatch):
    monkeypatch.setattr(module_module, "REQUESTS_IMPORT_ERROR", "Traceback (most recent call last): …")
    ran = task.run(instance_id="running", state="paused")
    assert ran.code == 1
    assert "Failed to import the required Python library (requests)" in ran.result["msg"]
    assert task.workflow.calls == []


# -- the documentation ------------------------------------------------------------------------------------------------


def returned(documented, condition="always"):
    return {key for key, value in documented.items() if value["returned"] == condition}


def test_the_result_is_what_the_documentation_says(task):
    """Every key of a result is documented, and those that are always there are."""
    everything = {
        "success": task.run(instance_id="running", state="paused"),
        "failure": task.run(instance_id="complete", state="paused"),
        "many": task.run(instance_ids=["paused", "errored"], state="terminated"),
        "batches": task.run(instance_ids=["running", "waiting"], state="terminated", batch_size=[1]),
    }
    for name, ran in everything.items():
        assert keys_of(ran.result) - {"changed"} <= set(RETURNED), name
        assert set(ran.result["summary"]) == set(RETURNED["summary"]["contains"]), name
        assert set(ran.result["api_calls"]) == set(RETURNED["api_calls"]["contains"]), name
        for item in ran.result["instances"]:
            assert set(item) - {"error"} == returned(RETURNED["instances"]["contains"]), name
            assert ("error" in item) == (item["status"] == "errored"), name
    assert set(RETURNED) == keys_of(everything["success"].result) - {"changed"} | {"batches", "estimate", "ids_truncated"}
    assert [set(batch) for batch in everything["batches"].result["batches"]] == [set(RETURNED["batches"]["contains"])] * 2
    assert set(everything["success"].result["ansible_facts"]) == set(RETURNED["ansible_facts"]["contains"])


def test_the_result_of_a_restart_is_what_the_documentation_says(task):
    task.workflow.instances["errored"].steps = [
        {
            "name": "charge-1",
            "type": "step",
            "start": stamp(3.1),
            "end": stamp(3.2),
            "success": False,
            "error": {"name": "Error", "message": "card declined"},
        },
    ]
    item = task.run(instance_id="errored", state="restarted", from_failed_step=True).result["instance"]
    assert set(item) == set(RETURNED["instances"]["contains"]) - {"rollback", "error"}
    task.workflow.instances["running"].rolling_back = 1.0
    item = task.run(instance_id="running", state="terminated", rollback=True).result["instance"]
    assert set(item) == set(RETURNED["instances"]["contains"]) - {"restarted_from", "reruns", "error"}


def test_types_are_those_documented(task):
    kinds = {"str": str, "bool": bool, "int": int, "float": float, "dict": dict, "list": list}
    result = task.run(instance_id="running", state="paused").result
    for documented, values in (
        (RETURNED, result),
        (RETURNED["summary"]["contains"], result["summary"]),
        (RETURNED["api_calls"]["contains"], result["api_calls"]),
        (RETURNED["instances"]["contains"], result["instance"]),
    ):
        for key, about in documented.items():
            if values.get(key) is not None:
                assert isinstance(values[key], kinds[about["type"]]), key


def test_no_return_key_is_a_method_of_dicts():
    assert not set(RETURNED) & set(dir(dict))


def test_examples_are_tasks():
    """Each names the module, the workflow and a state, and passes the spec."""
    for example in yaml.safe_load(workflow_instance_status.EXAMPLES):
        args = dict(example["edgeops.cloudflare.workflow_instance_status"])
        assert example["name"]
        assert set(args) <= set(task_room.argument_spec())
        assert args["workflow_name"] and args["state"] in lifecycle.STATES


def test_lost_answers_show_in_the_result(task):
    task.workflow.fail(("patch",), AnswerLost("the API failed"), work=True)
    ran = task.run(instance_id="errored", state="restarted")
    assert (ran.code, ran.result["changed"]) == (0, True)
    assert ran.result["api_calls"]["patches"] == 1
    assert ran.result["msg"].endswith("it was done, by this task or another.")


def test_the_account_is_in_the_path(task):
    task.run(instance_id="running", state="paused")
    assert task.api.requests[0].url == (
        f"https://api.cloudflare.com/client/v4/accounts/{ACCOUNT}/workflows/orders/instances/running?simple=true"
    )
