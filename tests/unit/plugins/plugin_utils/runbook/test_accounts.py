# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run has done, in words: a green one is true, a red one says what to do, and its advice works when it is typed."""

from __future__ import annotations

import json

import pytest

from ansible_collections.edgeops.cloudflare.plugins.filter.runbook import runbook
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import (
    AuthenticationError,
    InstanceNotFound,
    Refused,
    ServerFailed,
)
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.ledger import read
from ansible_collections.edgeops.cloudflare.tests.unit.fakes import FakeInstance, many, stamp
from ansible_collections.edgeops.cloudflare.tests.unit.runbooks import failed, inputs_of, typed
from ansible_collections.edgeops.cloudflare.tests.unit.tables import each_row

NO = Refused("the API says: not today", http_status=400)
REVOKED = AuthenticationError("Authentication error", code=10000, http_status=401)
BROKEN = ServerFailed("internal error", http_status=500)


def patched(runbooks):
    """Those that were sent anything since the last time."""
    found = [name for name, _action in runbooks.workflow.patches()]
    runbooks.workflow.calls.clear()
    return found


def assert_in_order(run):
    """Whatever has happened, an account is some tens of clean lines, and the same as sentences."""
    account = run.account
    assert len(account["lines"]) <= 20 and all(account["lines"])
    assert all(line.isprintable() and len(line) <= 3000 for line in account["lines"])
    assert all(line.rstrip(".") in account["text"] for line in account["lines"]) and "\n" not in account["text"]


# -- a freeze -------------------------------------------------------------------------------------------------------------


def test_a_freeze(of):
    runbooks = of(*many(6, "running"), *many(2, "paused", "p"), *many(1, "queued", "q"))
    run = runbooks.run("pause_all")
    assert run.account["failed"] is False
    assert run.account["lines"] == [
        "6 of 6 instances of orders paused by this run, 0 unchanged",
        "2 were paused before this run and in no record (p0001, p0000): by whom, nothing tells",
        "As of 2026-08-06T00:16:40Z; 1 queued, which will run. What is triggered from now on runs: hold_for=600 would keep pausing for ten minutes",
        f"To undo it: ansible-playbook edgeops.cloudflare.resume_paused -e workflow_name=orders -e record_file={run.order['record_file']}",
    ]
    assert_in_order(run)
    patched(runbooks)
    undone = runbooks.typed(run.account["lines"], "To undo it: ", batch_pause=0)
    assert undone.account["failed"] is False and undone.headline == "6 of 6 instances of orders resumed by this run, 0 unchanged"
    assert len(undone.account["lines"]) == 1 and sorted(patched(runbooks)) == [f"i000{number}" for number in range(6)]


def test_a_freeze_of_nothing(of):
    """Nothing is to be undone."""
    run = of(*many(2, "complete")).run("pause_all")
    assert run.account["failed"] is False and run.headline == "0 of 0 instances of orders paused by this run, 0 unchanged"
    assert "To undo it" not in run.said and "queued" not in run.said


@each_row(
    "given, workflow, says",
    [
        ({}, {"workflow": {"counts": {"queued": 1234}}}, "; 1,234 queued, which will run. What"),
        ({}, {"workflow": {"counts": {"queued": 0, "paused": 3}}}, "40Z. What"),
        ({}, {"workflow": {"counts": {}}}, "40Z. What"),
        ({}, {"workflow": {"counts": None}}, "; how many are queued, and will run, is not known. What"),
        ({}, {"workflow": None}, "; how many are queued, and will run, is not known. What"),
        ({}, {"failed": False, "msg": "no answer"}, "; how many are queued, and will run, is not known. What"),
        ({}, {"changed": False, "skipped": True}, "; how many are queued, and will run, is not known. What"),
        ({}, None, "; how many are queued, and will run, is not known. What"),
        ({"statuses": "running, queued"}, None, "40Z. What"),
        ({"hold_for": 60}, {"workflow": {"counts": {}}}, "until then it was swept again and again"),
    ],
)
def test_as_of_when(given, workflow, says):
    assert says in _of_nothing("pause_all", given, [_result(changed=["a"])], workflow=workflow)["lines"][1]


def test_a_second_freeze_with_its_record(of):
    """What the first one has paused is in a record, however many were read."""
    runbooks = of(*many(130, "running"))
    first = runbooks.run("pause_all")
    runbooks.workflow.instances["late"] = FakeInstance("late", created=99)
    second = runbooks.run("pause_all", record_file=first.order["record_file"], max_instances=100)
    assert second.headline == "1 of 1 instances of orders paused by this run, 0 unchanged" and "in no record" not in second.said
    assert len(read(second.record).entry("orders", "paused").placed) == 131
    runbooks.workflow.instances["other"] = FakeInstance("other", "paused", created=100)
    third = runbooks.run("pause_all", record_file=first.order["record_file"], max_instances=100)
    assert "1 was paused before this run and in no record: by whom, nothing tells" in third.said


def test_strangers_that_could_not_be_named(of):
    """More are paused than were read: the number is told, and those few that were read."""
    runbooks = of(*many(1, "running"), *many(130, "paused", "p"))
    run = runbooks.run("pause_all", edgeops_record=json.dumps(_record(paused=["p0000", "p0001"])))
    assert "128 were paused before this run and in no record (p0129, p0128, p0127 and 125 more): by whom" in run.said


def test_not_paused_in_time(of):
    """Red; the same inputs with the same record wait for them, and send nothing twice."""
    runbooks = of(*many(3, "running", pausing=60.0), *many(2, "running", "j"))
    run = runbooks.run("pause_all", wait_timeout=5)
    assert run.account["failed"] and run.headline == "3 failed, 2 of 5 instances of orders paused by this run, 0 unchanged"
    assert "3 still waitingForPause after 5 s (i0002, i0001, i0000)" in run.account["lines"][1]
    file = run.order["record_file"]
    assert run.account["lines"][-2:] == [
        f"For the rest: run pause_all again with the same inputs, and with -e record_file={file}, so that one record holds all",
        f"To undo it: ansible-playbook edgeops.cloudflare.resume_paused -e workflow_name=orders -e record_file={file}",
    ]
    assert_in_order(run)
    patched(runbooks)
    again = runbooks.run("pause_all", record_file=file)
    assert not again.account["failed"] and again.headline == "0 of 3 instances of orders paused by this run, 3 unchanged"
    assert patched(runbooks) == [] and set(read(again.record).entry("orders", "paused").placed) == {
        "i0000",
        "i0001",
        "i0002",
        "j0000",
        "j0001",
    }


def test_a_sweep_that_finds_them_paused(of):
    """What this run has sent a pause was paused by it, however long that took."""
    run = of(*many(3, "running", pausing=8.0)).run("pause_all", wait_timeout=5, sweeps=2)
    assert run.account["failed"] is False and run.headline == "3 of 3 instances of orders paused by this run, 0 unchanged"
    assert "for the rest" not in run.said.lower() and "still" not in run.said


def test_thousands_of_sweeps(of):
    """Each may have failed in its own way: an account of it stays one that can be read."""
    runbooks = of(*many(3, "running"))
    run = runbooks.run("pause_all")
    results = [{**run.results[0], "ended_early": "x", "msg": f"Sweep {number} failed: {'x' * 5000}."} for number in range(8640)]
    account = runbooks.account(run.context, run.plan, results)
    assert account["failed"] and len(account["lines"]) < 12 and len(account["text"]) < 15000
    assert "… and 8,635 more messages of its tasks" in account["lines"]


def test_token_revoked(of):
    """What was done is told, and what was not."""
    runbooks = of(*many(6, "running"))
    runbooks.workflow.fail(("patch", "i0003"), REVOKED)
    run = runbooks.run("pause_all", batch_size="2")
    assert run.account["failed"] and run.headline.startswith("4 not attempted (the API does not let the credentials from api_token do this")
    assert run.headline.endswith("2 of 6 instances of orders paused by this run, 0 unchanged")
    assert run.account["lines"][-1].startswith("To undo it: ")
    assert_in_order(run)


def test_in_awx(of):
    """As answers of templates."""
    runbooks = of(*many(3, "running", pausing=60.0))
    run = runbooks.run("pause_all", job="4711", wait_timeout=5)
    assert run.account["lines"][-2:] == [
        "For the rest: run pause_all again with the same inputs, and with the artifact edgeops_record of job 4711, so that one record holds all",
        'To undo it: launch the template "resume by record" with workflow_name=orders, record_job=4711',
    ]


def test_more_than_a_thousand(of):
    """In brief, and as short as of a few."""
    runbooks = of(*many(1312, "running"))
    run = runbooks.run("pause_all", max_instances=5000)
    assert run.headline == "1,312 of 1,312 instances of orders paused by this run, 0 unchanged" and run.plan["details"] == "brief"
    assert len(run.account["lines"]) == 3 and len(run.account["text"]) < 600


# -- a thaw ---------------------------------------------------------------------------------------------------------------


def _frozen(of, count=6):
    runbooks = of(*many(count, "running"))
    return runbooks, runbooks.run("pause_all", max_instances=5000)


def test_what_became_of_each(of):
    runbooks, freeze = _frozen(of)
    instances = runbooks.workflow.instances
    instances["i0000"].status, instances["i0001"].status, instances["i0002"].status = "terminated", "running", "complete"
    instances["i0003"].status = "rollingBack"
    del instances["i0004"]
    run = runbooks.run("resume_paused", record_file=freeze.order["record_file"])
    assert run.account["failed"] is False
    assert run.account["lines"] == [
        "1 of 5 instances of orders resumed by this run, 4 unchanged",
        "Ended meanwhile: 1 rollingBack (i0003), 1 terminated (i0000), 1 complete",
        "Running already: 1 (i0001)",
        "Gone (not found any more): 1 (i0004)",
    ]
    assert_in_order(run)


@pytest.mark.parametrize("count", [6, 1010])
def test_what_has_errored_meanwhile(of, count):
    """Red, by id, and with what to do; among thousands as among a few."""
    runbooks, freeze = _frozen(of, count)
    for name in ("i0000", "i0001"):
        runbooks.workflow.instances[name].status = "errored"
        runbooks.workflow.instances[name].steps = failed(1)[0].steps
        runbooks.workflow.instances[name].error = failed(1)[0].error
    runbooks.workflow.instances["i0002"].status = "running"
    run = runbooks.run("resume_paused", record_file=freeze.order["record_file"], max_instances=5000)
    assert run.account["failed"] and run.headline == f"{count - 3:,} of {count:,} instances of orders resumed by this run, 3 unchanged"
    assert "Ended meanwhile: 2 errored (i0001, i0000)" in run.said or "Ended meanwhile: 2 errored (i0000, i0001)" in run.said
    assert "Running already: 1 (i0002)" in run.said
    assert_in_order(run)
    patched(runbooks)
    mended = runbooks.typed(
        run.account["lines"], "To restart what has errored, once its cause is mended: ", while_paused=True, canary_timeout=1
    )
    assert sorted(patched(runbooks)) == ["i0000", "i0001"] and mended.order["instance_ids"]


def test_one_that_errored_again(of):
    runbooks, freeze = _frozen(of)
    runbooks.workflow.instances["i0000"].after_resume = "errored"
    run = runbooks.run("resume_paused", record_file=freeze.order["record_file"])
    assert run.account["failed"] and run.headline == "1 errored again, 6 of 6 instances of orders resumed by this run, 0 unchanged"
    assert typed(run.account["lines"], "To restart what has errored") == ("restart_failed", {"instance_ids": "i0000"})


def test_one_that_could_not_be_looked_at(of):
    """It is not gone, and the run is not green."""
    runbooks, freeze = _frozen(of)
    runbooks.workflow.fail(("detail", "i0000"), BROKEN, times=99)
    runbooks.workflow.fail(("list",), BROKEN, times=99)
    run = runbooks.run("resume_paused", record_file=freeze.order["record_file"])
    assert run.account["failed"] and run.headline == "1 failed, 5 of 6 instances of orders resumed by this run, 0 unchanged"
    assert "Gone" not in run.said and "i0000" in run.account["lines"][1]
    runbooks.workflow._faults.clear()
    patched(runbooks)
    rest = runbooks.typed(run.account["lines"], "For the rest: ")
    assert not rest.account["failed"] and patched(runbooks) == ["i0000"]


@each_row(
    "given",
    [{"everything_paused": True}, {"everything_paused": True, "id_glob": "i*"}, {"instance_ids": [f"i000{number}" for number in range(6)]}],
)
def test_the_rest_without_a_record(given):
    """This run's own record holds nothing paused: the rest is named, or asked for as before."""
    ids = [f"i000{number}" for number in range(6)]
    results = [_result(changed=ids[:2], failed=ids[2:4], not_attempted=ids[4:])]
    assert typed(_of_nothing("resume_paused", given, results)["lines"], "For the rest: ") == (
        "resume_paused",
        {"instance_ids": ",".join(ids[2:])},
    )
    many_ids = [f"i{number:04d}" for number in range(40)]
    lines = _of_nothing("resume_paused", given, [_result(not_attempted=many_ids)])["lines"]
    assert lines[-1] == "For the rest: run resume_paused again with the same inputs"


def test_the_rest_by_the_record(of):
    runbooks, freeze = _frozen(of)
    runbooks.workflow.fail(("patch",), NO, times=2)
    run = runbooks.run("resume_paused", edgeops_record=freeze.record, max_failures=2, batch_size="2, 4")
    assert run.headline == (
        "2 failed, 4 not attempted (max_failures (2) is reached, in batch 1 of 2), 0 of 6 instances of orders resumed by this run, 0 unchanged"
    )
    assert_in_order(run)
    rest = runbooks.typed(run.account["lines"], "For the rest: ", batch_pause=0)
    assert not rest.account["failed"] and rest.headline == "6 of 6 instances of orders resumed by this run, 0 unchanged"


# -- a restart ------------------------------------------------------------------------------------------------------------


def test_a_restart(of):
    runbooks = of(*failed(12, after_restart="complete"))
    run = runbooks.run("restart_failed", ended_after="all")
    assert run.account == {
        "mistakes": [],
        "failed": False,
        "lines": ["12 of 12 instances of orders restarted by this run, 0 unchanged"],
        "text": "12 of 12 instances of orders restarted by this run, 0 unchanged.",
    }
    assert sorted(patched(runbooks)) == sorted(runbooks.workflow.instances)
    again = runbooks.run("restart_failed", ended_after="all")
    assert again.headline == "0 of 0 instances of orders restarted by this run, 0 unchanged" and patched(runbooks) == []


@pytest.mark.parametrize(
    "given",
    [
        {"ended_after": "all"},
        {"ended_after": "all", "ended_before": "2026-08-06T00:16:41+00:00"},
        {"ended_after": "2026-08-06T00:00:00Z"},
        {"ended_after": "2026-08-06T00:00:00Z", "id_glob": "f*", "error_glob": "Error: card*", "trigger_source": "api"},
        {"ended_after": "all", "from_failed_step": "no", "while_paused": True},
    ],
)
def test_the_rest_of_a_window(of, given):
    """By the same filters, and without what has failed again: nothing is restarted twice."""
    canary = failed(2, "f9", after_restart="errored")
    for instance in canary:
        instance.created_on = stamp(50)
    strangers = failed(2, "x") if "id_glob" in given else []
    runbooks = of(*failed(25, "f", after_restart="complete"), *canary, *strangers)
    runbooks.workflow.before(("patch",), lambda: runbooks.clock.pass_by(5))
    run = runbooks.run("restart_failed", batch_size="2, 100", **given)
    first = patched(runbooks)
    assert sorted(first) == ["f90000", "f90001"] and run.account["failed"]
    assert (
        run.headline.startswith("25 not attempted (the canary has failed: 2 of 2") and "2 errored again, 2 of 27 instances" in run.headline
    )
    assert_in_order(run)
    rest = runbooks.typed(run.account["lines"], "For the rest, without those that have failed again: ")
    assert not rest.account["failed"] and rest.headline == "25 of 25 instances of orders restarted by this run, 0 unchanged"
    assert sorted(patched(runbooks)) == [f"f{number:04d}" for number in range(25)]
    filters = ("id_glob", "error_glob", "trigger_source", "from_failed_step", "while_paused")
    assert {name: rest.context["inputs"][name] for name in filters} == {name: run.context["inputs"][name] for name in filters}


def test_the_rest_of_those_named(of):
    """The ones that were not attempted, by their ids; one that holds commas and blanks, too."""
    odd = failed(1, "*/30 0,12 * * *-1", after_restart="complete")
    runbooks = of(*failed(2, "j", after_restart="errored"), *failed(2, after_restart="complete"), *odd)
    ids = ["j0000", "j0001", "f0000", "f0001", odd[0].id]
    run = runbooks.run("restart_failed", instance_ids=ids, batch_size="2, 100")
    assert patched(runbooks) == ids[:2] and "3 not attempted" in run.headline
    rest = runbooks.typed(run.account["lines"], "For the rest, without those that have failed again: ")
    assert patched(runbooks) == ids[2:] and not rest.account["failed"]


def test_the_rest_of_more_than_can_be_named(of):
    runbooks = of(*failed(40, after_restart="errored"))
    run = runbooks.run("restart_failed", instance_ids=list(runbooks.workflow.instances))
    assert run.account["lines"][-1] == (
        "For the rest, without those that have failed again: give as instance_ids what the task's result has as ids.not_attempted"
    )


def test_one_gone_meanwhile(of):
    """It was there in the plan, and was deleted before it was restarted."""
    runbooks = of(*failed(3, after_restart="complete"))
    runbooks.workflow.before(("patch", "f0002"), lambda: runbooks.workflow.instances.pop("f0002"))
    runbooks.workflow.fail(("patch", "f0002"), InstanceNotFound("not found", code=10400, http_status=404))
    run = runbooks.run("restart_failed", instance_ids="f0000 f0001 f0002", batch_size="1")
    assert "Gone (not found any more): 1 (f0002)" in run.said and "2 of 2 instances of orders restarted" in run.headline


def test_what_cannot_be_restarted_from_a_step(of):
    """Red, with a reason and advice that can be followed here."""
    instances = failed(3, after_restart="complete")
    instances[0].steps = []
    runbooks = of(*instances)
    run = runbooks.run("restart_failed", ended_after="all", batch_size="1")
    assert run.account["failed"] and run.headline == "1 failed, 2 of 3 instances of orders restarted by this run, 0 unchanged"
    assert "from_failed_step=false runs every step again." in run.account["lines"][1] and "from_step" not in run.said


# -- the end --------------------------------------------------------------------------------------------------------------


def test_terminated(of):
    runbooks = of(*many(3, "running", rolling_back=5.0))
    run = runbooks.run("terminate", statuses="running", rollback=True, confirm=3)
    assert run.account["lines"] == ["3 of 3 instances of orders terminated with rollback by this run, 0 unchanged"]
    run = of(*many(3, "running")).run("terminate", instance_ids="i0000 ghost", confirm=3, allow_partial=True)
    assert run.account["lines"] == [
        "1 of 1 instances of orders terminated WITHOUT rollback by this run, 0 unchanged",
        "Gone (not found any more): 1 (ghost)",
    ]


def test_terminated_until_too_many_failed(of):
    runbooks = of(*many(4, "running"))
    runbooks.workflow.fail(("patch",), NO, times=2)
    run = runbooks.run("terminate", statuses="running", confirm=4, max_failures=1, batch_size="1")
    assert run.headline.startswith(
        "1 failed, 3 not attempted (max_failures (1) is reached, in batch 1 of 4), 0 of 4 instances of orders terminated"
    )
    assert run.account["lines"][-1] == "For the rest: run terminate again with the same inputs"


def test_not_waited_for(of):
    run = of(*many(2, "running", pausing=60.0)).run("pause_all", wait="no")
    assert run.headline == "2 of 2 instances of orders paused by this run, 0 unchanged; not waited for (wait=false)"
    assert run.account["failed"] is False


# -- results that are none ------------------------------------------------------------------------------------------------

BROKEN_RESULTS = {
    "none": [],
    "skipped": [{"changed": False, "skipped": True}],
    "module failure": [{"failed": False, "rc": 1, "msg": "MODULE FAILURE"}],
    "bad option": [{"failed": False, "msg": "record_file can't be written. Make room."}],
    "unreachable": [{"unreachable": True, "msg": "Failed to connect"}],
    "nothing": [{}],
}


@each_row("name", list(BROKEN_RESULTS))
def test_a_change_of_which_nothing_is_known(name):
    """Red in every case; what may have been restarted is unknown, and not offered once more."""
    results = BROKEN_RESULTS[name]
    for entry_point, given in (
        ("pause_all", {}),
        ("resume_paused", {"instance_ids": "a b"}),
        ("restart_failed", {"instance_ids": "a b"}),
        ("terminate", {"instance_ids": "a b"}),
    ):
        account = _of_nothing(entry_point, given, results, plan_ids=None if entry_point == "pause_all" else ["a", "b"])
        assert account["failed"] and account["lines"][0].startswith(
            "The change of orders broke off, and its record alone tells what was done"
        )
        assert account["lines"][1] == (results and results[0].get("msg")) or account["lines"][1].startswith(
            "The task of the change did not run"
        )
        assert ("2 unknown, at least 0 of at least 2 instances" in account["lines"][0]) is (entry_point != "pause_all")
        assert "For the rest" not in account["text"] or entry_point == "resume_paused"
    assert _of_nothing("pause_all", {}, results)["lines"][-1].startswith("To undo it: ")


def test_a_sweep_of_which_nothing_is_known(of):
    """What came before it is told."""
    runbooks = of(*many(3, "running"))
    run = runbooks.run("pause_all")
    account = runbooks.account(run.context, run.plan, [*run.results, {"failed": False, "msg": "MODULE FAILURE"}])
    assert account["failed"] and "at least 3 of at least 3 instances of orders paused by this run" in account["lines"][0]


def test_ids_that_were_cut():
    """Those that are not named were not left out."""
    result = {**_result(changed=["a"]), "ids_truncated": {"changed": 2}}
    account = _of_nothing("resume_paused", {"instance_ids": "a b c"}, [result], plan_ids=["a", "b", "c"])
    assert not account["failed"] and account["lines"][0].startswith("at least 1 of at least 1 instances of orders resumed")


def test_what_the_plan_named_and_nothing_tells_of():
    """It was not attempted, and the run is red."""
    account = _of_nothing("terminate", {"instance_ids": "a b"}, [_result(changed=["a"])], plan_ids=["a", "b"])
    assert account["failed"] and account["lines"][0].startswith("1 not attempted, 1 of 2 instances of orders terminated WITHOUT rollback")


def test_other_peoples_text(of):
    """Errors and ids are one clean line each, in an account as in the command that it advises."""
    evil = "\x1b[31m{{ lookup('env', 'HOME') }}\n" * 300
    odd = failed(3, "*/30 {{ x }} ", after_restart="errored")
    runbooks = of(*odd)
    runbooks.workflow.fail(("patch",), Refused(evil, http_status=400), times=9)
    run = runbooks.run("restart_failed", ended_after="all", error_glob="*")
    assert run.account["failed"] and "{{" not in run.account["text"]
    assert_in_order(run)


def test_quotes_where_they_are_needed(of, tmp_path):
    """A path with blanks is one word to the shell, and to ansible-core."""
    file = tmp_path / "the freeze's record.json"
    runbooks = of(*many(2, "running"))
    run = runbooks.run("pause_all", record_file=str(file))
    assert typed(run.account["lines"], "To undo it: ") == ("resume_paused", {"record_file": str(file)})
    assert not runbooks.typed(run.account["lines"], "To undo it: ").account["failed"]


# -- made by hand ---------------------------------------------------------------------------------------------------------


def _record(**ids):
    entries = [
        {"workflow_name": "orders", "state": state, "made_at": "2026-08-06T00:00:00Z", "job": None, "ids": found}
        for state, found in ids.items()
    ]
    return {"version": 1, "account_id": "0123456789abcdef", "api_url": "https://api.cloudflare.com/client/v4", "records": entries}


def _result(**ids):
    """A result in brief of which each id is of one outcome."""
    return {
        "msg": "It was done.",
        "instances": [],
        "ids": {name: ids.get(name, []) for name in ("changed", "unchanged", "failed", "unknown", "not_attempted")},
        "summary": {},
        "ended_early": None,
    }


def _of_nothing(entry_point, given, results, plan_ids=None, workflow=None):
    """The account of results that no module has made."""
    inputs = inputs_of(entry_point, workflow_name="orders", **given)
    now = "2026-08-06T00:16:40Z"
    context = {"entry_point": entry_point, "inputs": inputs, "record": "", "began": now, "job": "", "folder": "/srv"}
    plan = {
        "stop": "", "lines": [], "instance_ids": plan_ids, "matched": 0, "gone": [], "details": "brief", "calls": 0, "until": None,
    }  # fmt: skip
    known = {"context": context, "plan": plan, "results": results, "paused": None, "workflow": workflow, "now": now}
    return runbook(known, "account")
