# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`terminate`: there is no way back, so it ends what its plan has named, and no more than was confirmed."""

from __future__ import annotations

import pytest
from flock import NAP, NOTHING, names
from runbooks import run

UNDOES = {"steps": [{"do": "work", "rollback": True}, *NAP["steps"]]}


def test_with_rollback(flock, tmp_path):
    """Foretold with its extent; paused first, and its handlers have run; only the statuses named."""
    waiting = flock.create(names("undo", 3), UNDOES)
    paused = flock.create_paused(names("held", 2))

    told = run(flock, "terminate", tmp_path, "--check", statuses="waiting", rollback="yes")
    assert "Would terminate 3 of 3 instances of fleet with rollback" in told.plan and "run it with confirm=3" in told.plan
    assert flock.patches() == []

    done = run(flock, "terminate", tmp_path, statuses=["waiting"], rollback=True, confirm=3)
    assert "3 of 3 instances of fleet terminated with rollback by this run, 0 unchanged" in done.account
    assert flock.statuses([*waiting, *paused]) == {**dict.fromkeys(waiting, "terminated"), **dict.fromkeys(paused, "paused")}
    assert all(flock.bench.steps("fleet", name)["rollbacks"] == {"work": 1} for name in waiting)
    assert sorted(flock.patches()) == sorted([(name, action) for name in waiting for action in ("pause", "terminate")])
    assert done.handed_on("terminated") == set(waiting)


@pytest.mark.parametrize("allow", [False, True])
def test_a_typo_among_the_ids(flock, tmp_path, allow):
    """One that is missing and one that has finished end it before anything is sent, unless that is allowed."""
    waiting = flock.create(names("ok", 3))
    flock.create(names("done", 1), NOTHING, "complete")
    given = {"instance_ids": "ok-000, ok-001, done-000, ok-01", "confirm": 12}
    if allow:
        done = run(flock, "terminate", tmp_path, allow_partial="true", warns=True, **given)
        assert "2 of 2 instances of fleet terminated WITHOUT rollback by this run" in done.account
        assert "Gone (not found any more): 1 (ok-01)" in done.account
        assert flock.statuses(waiting) == {"ok-000": "terminated", "ok-001": "terminated", "ok-002": "waiting"}
    else:
        refused = run(flock, "terminate", tmp_path, expect=2, warns=True, **given)
        assert "2 of the 4 named can't be terminated: 1 complete, 1 not found (done-000, ok-01); nothing was changed" in refused.refusal
        assert "allow_partial=true" in refused.refusal and flock.patches() == []


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({"statuses": ["waiting"]}, "3 instances of fleet would be terminated WITHOUT rollback, and nothing says that it is meant"),
        ({"statuses": ["waiting"], "confirm": "2"}, "more than confirm=2; nothing was changed. Narrow it, or set confirm=3"),
        ({"statuses": ["waiting"], "confirm": 5, "max_instances": 2}, "3 instances of fleet match (waiting 3), more than max_instances=2"),
    ],
    ids=["unconfirmed", "more", "too-many"],
)
def test_unconfirmed(flock, tmp_path, variables, says):
    """The number is told, and what to set; nothing is changed."""
    flock.create(names("ok", 3))
    refused = run(flock, "terminate", tmp_path, expect=2, **variables)
    assert says in refused.refusal and flock.patches() == [], refused.output


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({"confirm": 5}, "what to terminate is told by exactly one of instance_ids and statuses; none is given"),
        ({"statuses": "", "instance_ids": ""}, "none is given, and nothing is not everything"),
        ({"statuses": "waiting", "instance_ids": "ok-000"}, "given are instance_ids and statuses"),
        ({"statuses": "wating"}, "statuses[0] must be one of queued, running, waiting"),
        ({"statuses": "waiting", "rolback": "yes"}, "rolback is no input of this runbook; did you mean rollback?"),
        ({"instance_ids": [83]}, "instance_ids[0] is 83, a number and not text"),
        ({"workflow_name": 2026, "statuses": "waiting"}, "workflow_name is 2026, a number and not text"),
        ({"statuses": "waiting", "confirm": "many"}, "confirm must be a number from 0 to 1000000; it is 'many'"),
        ({"statuses": "waiting", "wait": "maybe"}, "wait must be yes or no; it is 'maybe'"),
        ({"statuses": "waiting", "workflow_name": ""}, "workflow_name is missing"),
        ({"statuses": "waiting", "rollback": True, "wait": "no"}, "rollback pauses each instance first and waits for that"),
    ],
)
def test_inputs(flock, tmp_path, variables, says):
    """What can't be meant is refused before the first call, by its name, and how to see all inputs is told."""
    refused = run(flock, "terminate", tmp_path, expect=2, **variables)
    assert says in refused.refusal and "ansible-doc -t role edgeops.cloudflare.runbook -e terminate" in refused.refusal, refused.output
    assert flock.calls()["total"] == 0


def test_what_was_planned_and_no_more(flock, tmp_path):
    """One that comes to wait after the plan is left alone; one that has ended meanwhile is told."""
    flock.create(names("ok", 3))
    flock.meet("patch", times=1, before=[{"op": "create", "workflow": "fleet", "instance": "late-000", "params": NAP}])
    done = run(flock, "terminate", tmp_path, statuses="waiting", confirm=10, bulk_terminate="no")
    assert "3 of 3 instances of fleet terminated WITHOUT rollback by this run" in done.account
    flock.wait_for(["late-000"], "waiting")
