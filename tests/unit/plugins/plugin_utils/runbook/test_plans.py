# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run would do, and why it may not: with what the real modules find in check mode."""

from __future__ import annotations

import pytest

from ansible_collections.edgeops.cloudflare.plugins.filter.runbook import runbook
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import Refused, ServerFailed
from ansible_collections.edgeops.cloudflare.tests.unit.fakes import FakeInstance, many
from ansible_collections.edgeops.cloudflare.tests.unit.runbooks import failed, inputs_of
from ansible_collections.edgeops.cloudflare.tests.unit.tables import each_row

NOW = "2026-08-06T03:24:10Z"

#: What a task leaves that found nothing out, as `register` has it.
NOTHING = {
    "skipped": {"changed": False, "skipped": True, "skip_reason": "Conditional result was False"},
    "module failure": {
        "failed": False,
        "failed_when_result": False,
        "rc": 1,
        "msg": "MODULE FAILURE: See stdout/stderr for the exact error",
    },
    "bad option": {"failed": False, "failed_when_result": False, "msg": "api_token is missing: give it, or CLOUDFLARE_API_TOKEN."},
    "unreachable": {"unreachable": True, "changed": False, "msg": "Failed to connect to the host via ssh"},
    "nothing at all": {},
}
UNREAD = {
    "failed": False,
    "failed_when_result": False,
    "changed": False,
    "msg": "The instances of orders could not be read: no answer within 30 s (api_timeout). Run again.",
    "instances": [],
    "missing": [],
    "summary": {"matched": 0, "read": 0, "missing": 0, "by_status": {}, "logs": 0, "duration": 30.0},
    "ended_early": "no answer within 30 s (api_timeout)",
}


def looked(*changed):
    """What a look in check mode finds, as far as a plan needs it."""
    ids = {"changed": list(changed), "unchanged": [], "failed": [], "unknown": [], "not_attempted": []}
    summary = {"matched": len(changed), "changed": len(changed), "not_attempted": 0}
    return {"msg": "Would do it.", "instances": [], "ids": ids, "summary": summary, "ended_early": None}


def plan_of(entry_point, given, found, paused=None, sample=None):
    """The plan of what the role's tasks have found."""
    inputs = inputs_of(entry_point, workflow_name="orders", **given)
    context = {"entry_point": entry_point, "inputs": inputs, "record": "", "began": NOW, "job": "", "folder": "/srv"}
    known = {"context": context, "looked": found, "paused": paused, "sample": sample, "now": NOW, "is_check": False}
    plan = runbook(known, "plan")
    assert plan.pop("mistakes") == []
    return plan


def test_pause_all(of):
    run = of(*many(6, "running"), *many(2, "paused", "p"), *many(1, "queued", "q")).run(
        "pause_all", check=True, batch_size="4", id_glob="*"
    )
    assert run.plan["lines"] == [
        "Would pause 6 of 6 instances of orders, and wait (6 running) in 2 batches of 4, 2. About 6 calls, within the quota of 1,200 in five "
        "minutes.",
        "Selected by status running/waiting/waitingForPause, id_glob *, and by no other filter",
        "2 are paused already, and in no record given (p0001, p0000): resume_paused with the record of this run leaves such alone",
    ]
    assert (run.plan["stop"], run.plan["instance_ids"], run.plan["matched"], run.plan["calls"], run.plan["until"]) == ("", None, 6, 6, None)


def test_resume_paused(of):
    run = of(*many(4, "paused"), *many(1, "complete", "c")).run(
        "resume_paused", check=True, instance_ids="i0000 c0000 ghost", batch_size="1"
    )
    assert run.plan["lines"][0].startswith(
        "1 of 3 instances of orders can't be resumed: 1 not found (ghost). Would resume 1 of 3 instances of orders, and wait (1 paused). "
        "1 complete (skip_finished) (c0000). About 1 call, within"
    )
    assert run.plan["lines"][1] == "Asked for by instance_ids, which names 3 instances"
    assert run.plan["instance_ids"] == ["i0000", "c0000"] and run.plan["gone"] == ["ghost"] and run.plan["stop"] == ""


def test_until_when(of):
    """The calls under the rate limit, and the pauses between batches."""
    run = of(*many(260, "paused")).run("resume_paused", check=True, everything_paused=True)
    assert run.plan["until"] == "00:19:10Z (2 minutes)", "five pauses of 30 s"
    assert "Its calls and pauses last until 00:19:10Z (2 minutes) at least; waiting for the instances comes on top" in run.told


def test_restart_failed(of):
    run = of(*failed(30), *many(2, "complete", "c")).run("restart_failed", check=True, ended_after="all")
    assert run.plan["lines"] == [
        "Would restart 30 of 30 instances of orders from the step that failed, and wait (30 errored) in 2 batches of 5, 25, the first of "
        "them a canary. About 60 calls, within the quota of 1,200 in five minutes.",
        "Selected by status errored, ended_before 2026-08-06T00:16:41Z, and by no other filter",
        "Step found in 20 of 30: charge (1) 20",
    ]
    assert len(run.plan["instance_ids"]) == 30 and run.plan["stop"] == ""


def test_restart_from_the_beginning(of):
    run = of(*failed(3)).run("restart_failed", check=True, ended_after="all", from_failed_step="no")
    assert "from the beginning" in run.plan["lines"][0] and "the step" not in run.told
    assert run.plan["lines"][2] == "Every step of them runs again, from the beginning"


def test_steps_that_were_not_found(of):
    """The first few are told with their reason, and with advice that this runbook can follow."""
    instances = failed(6)
    for instance in instances[:-1]:
        instance.steps = [{"name": "re.serve-1", "type": "step", "start": "2026-08-06T00:00:00Z", "success": True, "error": None}]
    run = of(*instances).run("restart_failed", check=True, ended_after="all")
    lines = run.plan["lines"]
    assert lines[2] == "Step found in 1 of 6: charge (1) 1"
    assert lines[3] == (
        "f0004 is errored outside any step (Error: card declined): nothing was sent; its log names no step that failed with this error. "
        "from_failed_step=false runs every step again."
    )
    assert len(lines) == 7 and lines[6] == "… and 2 more that can't be restarted from a step"


@each_row("name", list(NOTHING))
def test_steps_that_nobody_looked_for(name):
    """The plan says so; the change finds them out anyway."""
    lines = plan_of("restart_failed", {"ended_after": "all"}, looked("a"), sample=NOTHING[name])["lines"]
    assert lines[-1].startswith("In which steps they failed was not found out. ") and lines[-1].endswith(
        NOTHING[name].get("msg") or "The task that finds it out did not run. Run again."
    )


def test_a_plan_of_nothing(of):
    run = of().run("restart_failed", check=True, ended_after="all")
    assert run.plan["lines"] == [
        "No instance of orders matches (status: errored; ended_before: 2026-08-06T00:16:41Z): nothing was sent.",
        "Selected by status errored, ended_before 2026-08-06T00:16:41Z, and by no other filter",
    ]
    assert run.plan["instance_ids"] == [] and run.plan["stop"] == ""


def test_thousands(of):
    """In brief; the lines are as many as for a few."""
    run = of(*many(4312, "running")).run("pause_all", check=True, max_instances=5000)
    assert len(run.plan["lines"]) == 3 and run.plan["details"] == "brief" and run.plan["matched"] == 4312
    assert (
        "Would pause 4,312 of 4,312 instances of orders, and wait (4,312 running) in 22 batches of 200, 200, 200, 200, 200, …, 112."
        in run.told
    )
    assert max(map(len, run.plan["lines"])) < 400


def test_twenty_logs(of):
    run = of(*failed(412)).run("restart_failed", check=True, ended_after="all")
    assert "Step found in 20 of 412: charge (1) 20" in run.told and run.plan["details"] == "full"


# -- what stands in the way -----------------------------------------------------------------------------------------------


def test_too_many(of):
    runbooks = of(*many(12, "running"))
    run = runbooks.run("pause_all", max_instances=5)
    assert run.plan["stop"] == (
        "12 instances of orders match (running 12), more than max_instances=5; nothing was changed. Narrow what is selected, or set "
        "max_instances=100."
    )
    assert runbooks.workflow.patches() == []


@each_row("name", list(NOTHING))
@pytest.mark.parametrize("entry_point", ["pause_all", "resume_paused", "restart_failed", "terminate"])
def test_a_look_that_found_nothing(entry_point, name):
    """No traceback, and no change."""
    scope = {} if entry_point == "pause_all" else {"instance_ids": ["a"]}
    plan = plan_of(entry_point, scope, NOTHING[name], paused=NOTHING["skipped"], sample=NOTHING["skipped"])
    assert plan["stop"].startswith(
        NOTHING[name].get("msg") or "Nothing is known of the instances: the task that looks at them did not run."
    )
    assert all(plan["lines"]) and runbook({"looked": NOTHING[name]}, "logs") == {"mistakes": [], "ids": []}


def test_ids_that_are_too_many_for_a_result():
    plan = plan_of("pause_all", {}, {**looked("a", "b"), "ids_truncated": {"changed": 1}})
    assert (
        plan["stop"]
        == "The ids of 2 instances are too long for one plan; nothing was changed. Narrow what is selected, and run it in parts."
    )


def test_into_a_freeze(of):
    runbooks = of(*failed(3), *many(4, "paused", "p"), FakeInstance("w", "waitingForPause", created=99))
    run = runbooks.run("restart_failed", ended_after="all")
    assert run.plan["stop"] == (
        "5 instances of orders are paused (w, p0003, p0002 and 2 more), and a restart would run into that freeze; nothing was changed. "
        "Resume them first, or set while_paused=true."
    )
    assert runbooks.run("restart_failed", ended_after="all", while_paused="yes", check=True).plan["stop"] == ""


def test_into_a_freeze_of_more_than_can_be_read(of):
    """They are counted, and that is enough."""
    run = of(*failed(3), *many(120, "paused", "p")).run("restart_failed", ended_after="all", max_instances=50)
    assert run.plan["stop"].startswith("120 instances of orders are paused, and a restart would run into that freeze; nothing was changed.")


@each_row("name", [*NOTHING, "unread"])
def test_into_what_may_be_a_freeze(name):
    """Where nobody knows, nothing is restarted. A freeze goes on all the same, and says so."""
    paused = NOTHING.get(name, UNREAD)
    why = paused.get("msg") or "The task that finds it out did not run. Run again."
    plan = plan_of("restart_failed", {"ended_after": "all"}, looked("a"), paused=paused)
    assert plan["stop"] == (
        "Nobody knows whether instances of orders are paused, and a restart would run into that freeze; nothing was changed. " + why
    )
    assert plan_of("restart_failed", {"ended_after": "all", "while_paused": True}, looked("a"), paused=paused)["stop"] == ""
    freeze = plan_of("pause_all", {}, looked("a"), paused=paused)
    assert freeze["stop"] == "" and freeze["lines"][2] == f"What is paused already was not found out. {why}"


# -- terminate ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "stop"),
    [
        (
            {"statuses": "running"},
            "3 instances of orders would be terminated WITHOUT rollback, and nothing says that it is meant; nothing was changed. Set confirm=3.",
        ),
        ({"statuses": "running", "rollback": True}, "3 instances of orders would be terminated with rollback, and nothing says"),
        (
            {"statuses": "running", "confirm": 2},
            "3 instances of orders would be terminated WITHOUT rollback, more than confirm=2; nothing was changed. Narrow it, or set confirm=3.",
        ),
        ({"statuses": "running", "confirm": 0}, "3 instances of orders would be terminated WITHOUT rollback, more than confirm=0"),
        ({"instance_ids": "i0000"}, "1 instance of orders would be terminated WITHOUT rollback, and nothing says"),
        ({"statuses": "running", "confirm": 3}, ""),
        ({"statuses": "running", "confirm": 9}, ""),
        ({"statuses": "queued"}, ""),
        ({"instance_ids": []}, ""),
    ],
)
def test_confirmed(of, given, stop):
    run = of(*many(3, "running")).run("terminate", **given)
    assert run.plan["stop"].startswith(stop) if stop else run.plan["stop"] == ""


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({}, "To do it, run it with confirm=3"),
        ({"confirm": 2}, "To do it, run it with confirm=3"),
        ({"confirm": 3}, None),
        ({"rollback": True}, "To do it, run it with confirm=3"),
    ],
)
def test_confirmed_in_check_mode(of, given, line):
    """The plan tells the number, and stops nothing."""
    run = of(*many(3, "running")).run("terminate", check=True, statuses="running", **given)
    assert run.plan["stop"] == "" and (run.plan["lines"][-1] == line if line else "confirm" not in run.told)
    assert ("with rollback" if given.get("rollback") else "WITHOUT rollback") in run.plan["lines"][0]


def test_some_of_those_named(of):
    """A typo among the ids ends it before anything is sent."""
    runbooks = of(*many(3, "running"), FakeInstance("done", "complete"), FakeInstance("undone", "rollingBack"))
    given = {"instance_ids": "i0000 ghost done undone", "confirm": 9}
    refused = runbooks.run("terminate", **given)
    assert refused.plan["stop"] == (
        "3 of the 4 named can't be terminated: 1 not found, 1 complete, 1 rollingBack (ghost, done, undone); nothing was changed. Check the "
        "ids, or set allow_partial=true to terminate the others."
    )
    assert runbooks.workflow.patches() == []
    assert runbooks.run("terminate", check=True, **given).plan["stop"] == refused.plan["stop"]
    allowed = runbooks.run("terminate", allow_partial="yes", check=True, **given)
    assert allowed.plan["stop"] == "" and allowed.plan["instance_ids"] == ["i0000"] and allowed.plan["gone"] == ["ghost"]


@pytest.mark.parametrize("allow_partial", [False, True])
def test_one_that_could_not_be_looked_at(of, allow_partial):
    """It is not taken for gone, and what can't be taken back waits until it is known."""
    runbooks = of(*many(3, "running"))
    runbooks.workflow.fail(("detail", "i0001"), ServerFailed("internal error", http_status=500), times=9)
    run = runbooks.run("terminate", instance_ids="i0000 i0001", confirm=9, allow_partial=allow_partial)
    assert run.plan["stop"].startswith(
        "1 instance of orders could not be looked at (i0001); nothing was changed. i0001 could not be looked at:"
    )
    assert run.plan["gone"] == [] and runbooks.workflow.patches() == []


@pytest.mark.parametrize("entry_point", ["resume_paused", "restart_failed"])
def test_one_that_is_looked_at_again(of, entry_point):
    """It stays among those that the change is of."""
    runbooks = of(*many(3, "paused" if entry_point == "resume_paused" else "errored"))
    runbooks.workflow.fail(("detail", "i0001"), ServerFailed("internal error", http_status=500), times=9)
    run = runbooks.run(entry_point, check=True, instance_ids="i0000 i0001 ghost")
    assert run.plan["instance_ids"] == ["i0000", "i0001"] and run.plan["gone"] == ["ghost"]


# -- other people's text --------------------------------------------------------------------------------------------------


def test_other_peoples_text(of):
    """Errors, names of steps and ids are one clean line each."""
    instances = failed(1)
    instances[0].steps[0]["name"] = "\x1b[31mred\n{{ lookup('env', 'HOME') }}" * 50 + "-1"
    odd = FakeInstance("*/30 * * * *-1786 {{ x }}", "errored", error={"name": "Error", "message": "\x1b[31m{{ evil }}\n" * 1000})
    odd.steps = []
    runbooks = of(*instances, odd)
    runbooks.workflow.fail(("list",), Refused("the API says: \x1b[31mno", http_status=400), times=0)
    run = runbooks.run("restart_failed", check=True, ended_after="all")
    for line in run.plan["lines"]:
        assert line.isprintable() and "{{" not in line and len(line) <= 2000, line
