# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`restart_failed`: what has failed goes on from where it failed, a few first, and nothing is restarted twice."""

from __future__ import annotations

import json

import pytest
from flock import BREAKS, NAP, NOTHING, names
from runbooks import run, typed

SINCE = "2020-01-01T00:00:00Z"


def test_from_the_step_that_failed(flock, tmp_path):
    """Which the plan tells, for twenty at most; what is complete is left alone."""
    errored, done = flock.create_errored(names("failed", 22)), flock.create(names("done", 2), NOTHING, "complete")

    told = run(flock, "restart_failed", tmp_path, "--check", "--diff", ended_after=SINCE)
    assert "Would restart 22 of 22 instances of fleet from the step that failed, and wait (22 errored)" in told.plan
    assert "in 2 batches of 5, 17, the first of them a canary" in told.plan
    assert "Step found in 20 of 22: two (1) 20" in told.plan and "beginning" not in told.plan
    assert flock.cost()[0] == 20 and flock.cost()[2] == 0

    green = run(flock, "restart_failed", tmp_path, ended_after=SINCE, batch_size="3, 50")
    assert "22 of 22 instances of fleet restarted by this run, 0 unchanged" in green.account
    flock.wait_for(errored, "waiting")
    assert [flock.ran(name) for name in errored] == [{"one": 1, "two": 2}] * 22
    assert flock.statuses(done) == dict.fromkeys(done, "complete")
    assert green.handed_on("restarted") == set(errored)

    again = run(flock, "restart_failed", tmp_path, ended_after=SINCE, warns=True)
    assert "0 of 0 instances of fleet restarted by this run" in again.account and flock.cost()[2] == 0


def test_a_canary_that_fails_again(flock, tmp_path):
    """The others are left alone; the command that it advises goes on without those that have failed again."""
    flock.control("POST", "/switch", {"name": "broken", "value": True})
    everyone = flock.create(names("failed", 6), BREAKS, "errored")
    red = run(flock, "restart_failed", tmp_path, ended_after=SINCE, batch_size=[2, 10], expect=2)
    assert "4 not attempted (the canary has failed: 2 of 2" in red.account and "2 errored again" in red.account
    assert "2 of 6 instances of fleet restarted by this run" in red.account and "two failed" in red.account
    assert flock.cost()[2] == 2 and len(red.handed_on("restarted")) == 2

    flock.control("POST", "/switch", {"name": "broken", "value": False})
    green = typed(flock, red.advised("restart_failed"), tmp_path)
    assert green.code == 0 and "4 of 4 instances of fleet restarted by this run" in green.account, green.output
    runs = [flock.ran(name)["two"] for name in everyone]
    assert sorted(runs) == [2] * 6 and len(flock.patches()) == 4


def test_a_canary_that_may_fail(flock, tmp_path):
    """As many as `canary_failures` says; the others follow."""
    flock.create_errored(names("good", 3))
    flock.create(names("poison", 1), {"steps": [{"do": "one"}, {"do": "two", "fail": "card declined"}]}, "errored")
    red = run(flock, "restart_failed", tmp_path, ended_after=SINCE, batch_size=[2, 10], canary_failures="1", expect=2)
    assert "1 errored again, 4 of 4 instances of fleet restarted by this run" in red.account and "card declined" in red.account


def test_a_canary_that_gets_nowhere(flock, tmp_path):
    """Undecided when its time is over: nobody knows, so nothing more is sent."""
    params = {"steps": [{"do": "one"}, {"do": "two", "fail": 1, "gate": "provider"}]}
    flock.control("POST", "/gate", {"name": "provider"})
    flock.create(names("stuck", 4), params, "errored")
    flock.control("POST", "/gate", {"name": "provider", "open": False})
    red = run(flock, "restart_failed", tmp_path, ended_after=SINCE, batch_size=[1, 10], canary_timeout=2, expect=2)
    assert "3 not attempted (the canary is undecided: 1 of 1" in red.account and flock.cost()[2] == 1
    flock.control("POST", "/gate", {"name": "provider"})


def test_into_a_freeze(flock, tmp_path):
    """Refused while anything is paused, unless it is meant."""
    flock.create_errored(names("failed", 2))
    flock.create_paused(names("held", 4))
    refused = run(flock, "restart_failed", tmp_path, ended_after=SINCE, expect=2)
    assert "4 instances of fleet are paused (held-003, held-002, held-001 and 1 more)" in refused.refusal
    assert "while_paused=true" in refused.refusal and flock.patches() == []
    meant = run(flock, "restart_failed", tmp_path, ended_after=SINCE, while_paused="yes")
    assert "2 of 2 instances of fleet restarted" in meant.account


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({}, "none is given, and nothing is not everything"),
        ({"ended_after": "", "instance_ids": None, "edgeops_record": ""}, "none is given"),
        ({"ended_after": "all", "instance_ids": "failed-000"}, "given are ended_after and instance_ids"),
        ({"instance_ids": "failed-000", "error_glob": "card*"}, "error_glob would narrow nothing"),
        ({"ended_after": "yesterday"}, "ended_after must be a time with its offset"),
        (
            {"ended_after": "all", "from_failed_steps": "no"},
            "from_failed_steps is no input of this runbook; did you mean from_failed_step?",
        ),
    ],
    ids=["nothing", "blanks", "two", "filter", "no-time", "mistyped"],
)
def test_no_scope_is_no_order(flock, tmp_path, variables, says):
    """A month of failures is not restarted by a blank answer."""
    refused = run(flock, "restart_failed", tmp_path, expect=2, **variables)
    assert says in refused.refusal and flock.calls()["total"] == 0, refused.output


def test_those_of_a_record(flock, tmp_path):
    """Of what a freeze has held, those that have failed meanwhile; the others are left alone."""
    flock.create(names("ok", 2))
    failed = flock.create_errored(names("failed", 2))
    engine = flock.bench.engine
    entry = {"workflow_name": "fleet", "state": "running", "made_at": "2026-11-01T00:00:00Z", "job": "7", "ids": ["ok-000", "failed-001"]}
    record = {"version": 1, "account_id": engine.account_id, "api_url": engine.api_url, "records": [entry]}
    green = run(flock, "restart_failed", tmp_path, edgeops_record=json.dumps(record))
    assert "(job 7), which holds 2 instances" in green.plan
    assert "1 of 1 instances of fleet restarted by this run" in green.account
    assert flock.patches() == [("failed-001", "restart")] and flock.statuses(failed)["failed-000"] == "errored"


def test_only_of_one_error(flock, tmp_path):
    """`error_glob` chooses, in the plan and in earnest."""
    flock.create_errored(names("failed", 2))
    flock.create(names("card", 1), {"steps": [{"do": "one", "fail": 1, "message": "card declined"}, *NAP["steps"]]}, "errored")
    green = run(flock, "restart_failed", tmp_path, ended_after="all", error_glob="*declined")
    assert "1 of 1 instances of fleet restarted by this run" in green.account and flock.patches() == [("card-000", "restart")]


def test_thrown_outside_any_step(flock, tmp_path):
    """It is told before anything is sent; the advice can be followed with this runbook."""
    flock.create(names("thrown", 1), {"steps": [{"do": "one"}, {"throw": "out of stock"}]}, "errored")
    red = run(flock, "restart_failed", tmp_path, ended_after=SINCE, expect=2)
    assert (
        "out of stock" in red.account
        and "from_failed_step=false" in red.account
        and "from_step " not in red.account
        and "from_step can" not in red.plan
    )
    assert flock.patches() == []

    run(flock, "restart_failed", tmp_path, ended_after=SINCE, from_failed_step="no", canary_timeout=5, expect=2)
    assert flock.ran("thrown-000") == {"one": 2}
