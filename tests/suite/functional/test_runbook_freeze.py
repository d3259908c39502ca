# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`pause_all` and `resume_paused`: a freeze, its record, and the thaw by it."""

from __future__ import annotations

import json
import stat

import pytest
from flock import NAP, NOTHING, names
from runbooks import run, typed

#: Ids that YAML takes for something else.
ODD = ["0123", "no", "null", "1e3", "2026-01-01", "y"]


def the_record_in(folder):
    """The one record's file in a folder."""
    (found,) = folder.glob("edgeops_record-*.json")
    return found


def test_freeze_and_thaw(flock, tmp_path):
    """Foretold, paused in batches, and exactly those resumed, by the command that the freeze itself advises."""
    mine, others = flock.create([*names("mine", 6), *ODD]), flock.create_paused(names("other", 2))

    told = run(flock, "pause_all", tmp_path, "--check", statuses="running,waiting", id_glob="*-00?", instance_ids="")
    assert "Would pause 6 of 6 instances of fleet" in told.plan
    assert "Selected by status running/waiting/waitingForPause, id_glob *-00?, and by no other filter" in told.plan
    assert flock.cost()[2] == 0 and not list(tmp_path.iterdir()) and told.record is None

    frozen = run(flock, "pause_all", tmp_path, batch_size=7)
    assert "2 are paused already, and in no record given (other-001, other-000)" in frozen.plan
    assert "12 of 12 instances of fleet paused by this run, 0 unchanged" in frozen.account
    assert "2 were paused before this run and in no record (other-001, other-000): by whom, nothing tells" in frozen.account
    assert flock.statuses([*mine, *others]) == dict.fromkeys([*mine, *others], "paused")
    assert flock.cost()[2] == 12
    assert frozen.handed_on("paused") == set(mine)

    path = the_record_in(tmp_path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 and json.loads(path.read_text()) == frozen.record

    thawed = typed(flock, [*frozen.advised("resume_paused"), "-e", "batch_pause=0"], tmp_path)
    assert thawed.code == 0 and "12 of 12 instances of fleet resumed by this run, 0 unchanged" in thawed.account, thawed.output
    assert "by the record of" in thawed.plan and "which holds 12 instances" in thawed.plan
    flock.wait_for(mine, "waiting")
    assert flock.statuses(others) == dict.fromkeys(others, "paused")
    assert thawed.handed_on("running") == set(mine) and thawed.handed_on("paused") == set()

    again = typed(flock, [*frozen.advised("resume_paused"), "-e", "batch_pause=0"], tmp_path)
    assert again.code == 0 and "0 of 0 instances" in again.account and flock.cost()[2] == 0


def test_a_second_freeze_loses_nothing(flock, tmp_path):
    """With its record it only adds to it; what has started meanwhile comes to what was paused before."""
    first = flock.create(names("first", 3))
    run(flock, "pause_all", tmp_path)
    path = the_record_in(tmp_path)
    second = flock.create(names("second", 2))
    frozen = run(flock, "pause_all", tmp_path, record_file=path.name)
    assert "2 of 2 instances of fleet paused by this run" in frozen.account and "in no record" not in frozen.said
    assert frozen.handed_on("paused") == {*first, *second}

    third = flock.create(names("third", 1))
    frozen = run(flock, "pause_all", tmp_path / "..", edgeops_record=json.dumps(frozen.record), record_file=...)
    assert frozen.handed_on("paused") == {*first, *second, *third}
    thawed = run(flock, "resume_paused", tmp_path, edgeops_record=json.dumps(frozen.record), batch_pause="0")
    assert "6 of 6 instances of fleet resumed by this run" in thawed.account


def test_another_workflow_travels_along(flock, tmp_path):
    """One record holds a freeze of several workflows, and each thaw takes its own."""
    flock.create(names("ok", 2))
    flock.bench.create("scratch-1", ["other-1"], NAP, "waiting")
    try:
        record = run(flock, "pause_all", tmp_path).record
        record = run(flock, "pause_all", tmp_path, workflow_name="scratch-1", edgeops_record=json.dumps(record)).record
        assert [(entry["workflow_name"], entry["ids"]) for entry in record["records"]] == [
            ("fleet", ["ok-001", "ok-000"]),
            ("scratch-1", ["other-1"]),
        ]
        thawed = run(flock, "resume_paused", tmp_path, edgeops_record=json.dumps(record))
        assert thawed.handed_on("paused", "scratch-1") == {"other-1"} and thawed.handed_on("running") == {"ok-000", "ok-001"}
    finally:
        flock.control("POST", "/purge", {"workflow": "scratch-1"})


def test_pause_again_after_a_timeout(flock, tmp_path):
    """What an earlier run could not see through is in its record, and is waited for: green when all are paused, and not before."""
    held = flock.create_gated(names("held", 3), "charging")
    frozen = run(flock, "pause_all", tmp_path, wait_timeout=0.5, expect=2)
    assert "3 failed, 0 of 3 instances of fleet paused by this run, 0 unchanged" in frozen.account
    assert "waitingForPause" in frozen.account and frozen.handed_on("paused", group="on_their_way") == set(held)

    again = run(flock, "pause_all", tmp_path, wait_timeout=0.5, expect=2, record_file=str(the_record_in(tmp_path)))
    assert "3 failed, 0 of 3 instances of fleet paused by this run" in again.account and flock.cost()[2] == 0
    assert again.handed_on("paused", group="on_their_way") == set(held)

    flock.meet("read", skip=3, before=[{"op": "gate", "name": "charging"}])
    green = run(flock, "pause_all", tmp_path, record_file=str(the_record_in(tmp_path)))
    assert "0 of 3 instances of fleet paused by this run, 3 unchanged" in green.account and flock.cost()[2] == 0
    assert flock.statuses(held) == dict.fromkeys(held, "paused")


def test_hold_for(flock, tmp_path):
    """What starts while the freeze lasts is paused, too, and is in the record."""
    flock.create(names("ok", 2))
    flock.meet("patch", skip=1, times=1, after=[{"op": "create", "workflow": "fleet", "instance": "late-000", "params": NAP}])
    frozen = run(flock, "pause_all", tmp_path, hold_for=10, hold_every="10")
    assert "3 of 3 instances of fleet paused by this run" in frozen.account
    assert frozen.handed_on("paused") == {"ok-000", "ok-001", "late-000"}
    assert "until then it was swept again and again" in frozen.account


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({}, "none is given, and nothing is not everything"),
        ({"instance_ids": "", "edgeops_record": None, "everything_paused": ""}, "none is given, and nothing is not everything"),
        ({"everything_paused": False}, "none is given"),
        ({"everything_paused": "yes", "instance_ids": "ok-000"}, "given are instance_ids and everything_paused"),
        ({"instance_ids": "ok-000", "id_glob": "ok-*"}, "id_glob would narrow nothing"),
        ({"record_file": "no-such-file"}, "there is no record in record_file"),
        ({"edgeops_record": "pause ok-000"}, "there is no record in what was given"),
    ],
    ids=["nothing", "blanks", "no", "two", "filter", "no-file", "no-record"],
)
def test_no_scope_is_no_order(flock, tmp_path, variables, says):
    """A blank answer never widens; nothing is asked of the API."""
    flock.create_paused(names("ok", 1))
    refused = run(flock, "resume_paused", tmp_path, expect=2, **variables)
    assert says in refused.refusal and flock.calls()["total"] == 0, refused.output


def test_records_that_do_not_fit(flock, tmp_path):
    """Refused, by what does not fit, before anything is changed."""
    flock.create_paused(names("ok", 1))
    entry = {"workflow_name": "fleet", "state": "paused", "made_at": "2026-11-01T00:00:00Z", "job": None, "ids": ["ok-000"]}
    engine = flock.bench.engine
    whole = {"version": 1, "account_id": engine.account_id, "api_url": engine.api_url, "records": [entry]}
    for change, says in (
        ({"account_id": "f" * 32}, "the record is of account ffffffff"),
        ({"api_url": "https://api.cloudflare.com/client/v4"}, "the record is of API https://api.cloudflare.com"),
        ({"version": 2}, "the record is of version 2"),
        ({"records": [{**entry, "state": "terminated"}]}, "that was paused (it holds: fleet terminated)"),
        ({"records": [{**entry, "workflow_name": "orders"}]}, "that was paused (it holds: orders paused)"),
        ({"records": [{**entry, "ids": [83]}]}, "ids[0] of the record for fleet is 83 and not text"),
    ):
        refused = run(flock, "resume_paused", tmp_path, expect=2, edgeops_record=json.dumps({**whole, **change}))
        assert says in refused.refusal and flock.patches() == [], refused.output
    cut = json.dumps(whole)[:-5]
    assert "cut off" in run(flock, "resume_paused", tmp_path, expect=2, edgeops_record=cut).refusal


def test_what_became_of_all(flock, tmp_path):
    """Resumed, running already, ended meanwhile and gone are told apart; only what errored is red."""
    everyone = flock.create(names("ok", 5))
    record = json.dumps(run(flock, "pause_all", tmp_path).record)
    flock.op({"op": "resume", "instance": "ok-001"}, {"op": "terminate", "instance": "ok-002"})
    flock.op({"op": "delete", "instance": "ok-003"})
    thawed = run(flock, "resume_paused", tmp_path, edgeops_record=record, batch_pause=0)
    assert "2 of 4 instances of fleet resumed by this run, 2 unchanged" in thawed.account
    assert "Ended meanwhile: 1 terminated (ok-002)" in thawed.account and "Running already: 1 (ok-001)" in thawed.account
    assert "Gone (not found any more): 1 (ok-003)" in thawed.account
    assert flock.statuses(everyone)["ok-002"] == "terminated"

    flock.show("ok-004", status="errored")
    red = run(flock, "resume_paused", tmp_path, edgeops_record=record, batch_pause=0, expect=2)
    assert "1 errored (ok-004)" in red.account, red.output


def test_everything_paused(flock, tmp_path):
    """Whoever has paused it, where that is said."""
    flock.create_paused(names("ok", 3))
    done = run(flock, "resume_paused", tmp_path, everything_paused="true", id_glob="ok-00[01]")
    assert "2 of 2 instances of fleet resumed by this run" in done.account
    assert flock.statuses(["ok-002"]) == {"ok-002": "paused"}


def test_bit_by_bit_until_too_many_fail(flock, tmp_path):
    """Fifty at a time, or as told; the rest stays paused, and can be gone on with."""
    flock.create_paused(names("ok", 6))
    flock.meet("patch", {"status": 400, "message": "no resume today"})
    stopped = run(
        flock, "resume_paused", tmp_path, instance_ids=names("ok", 6), batch_size="2, 4", batch_pause="0.1", max_failures=2, expect=2
    )
    assert "2 failed, 4 not attempted (max_failures (2) is reached" in stopped.account and "no resume today" in stopped.account
    assert flock.cost()[2] == 2


def test_failures_are_not_done(flock, tmp_path):
    """Seven were paused; the eighth was sent a pause and is not. The reason is told, and what was done is in the record."""
    flock.create(names("ok", 7))
    flock.create_gated(names("held", 1), "charging")
    red = run(flock, "pause_all", tmp_path, wait_timeout=0.5, expect=2)
    assert "1 failed, 7 of 8 instances of fleet paused by this run" in red.account and "held-000" in red.account
    assert len(red.handed_on("paused")) == 7 and red.handed_on("paused", group="on_their_way") == {"held-000"}
    assert "To undo it: ansible-playbook edgeops.cloudflare.resume_paused" in red.account


def test_token_revoked(flock, tmp_path):
    """What meets all alike ends the run; what was done is told, and handed on."""
    flock.create(names("ok", 6))
    flock.meet("patch", {"status": 403, "code": 10000, "message": "Authentication error"}, skip=2)
    red = run(flock, "pause_all", tmp_path, batch_size=3, expect=2)
    assert "4 not attempted" in red.account and "credentials" in red.account and "2 of 6 instances of fleet paused" in red.account
    assert len(red.handed_on("paused")) == 2 and flock.cost()[2] == 3


def test_nothing_to_do(flock, tmp_path):
    """An empty list of ids is nothing to do, and not everything."""
    flock.create_paused(names("other", 3))
    done = run(flock, "resume_paused", tmp_path, instance_ids=[])
    assert "0 of 0 instances of fleet resumed" in done.account and flock.patches() == []


def test_too_many(flock, tmp_path):
    """More than allowed: the number is told, and nothing is changed."""
    flock.create(names("ok", 12))
    refused = run(flock, "pause_all", tmp_path, max_instances="5", expect=2)
    assert "12 instances of fleet match (waiting 12), more than max_instances=5; nothing was changed." in refused.refusal
    assert flock.patches() == []


def test_a_plan_in_a_file(flock, tmp_path):
    """The plan can be kept, in check mode as well."""
    flock.create(names("ok", 2))
    flock.create(names("done", 1), NOTHING, "complete")
    run(flock, "pause_all", tmp_path, "--check", "--diff", plan_file="plan.json")
    kept = json.loads((tmp_path / "plan.json").read_text())
    assert kept["runbook"] == "pause_all" and kept["ids"]["changed"] == ["ok-001", "ok-000"] and kept["plan"]["matched"] == 2
