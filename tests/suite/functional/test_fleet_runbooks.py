# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The runbooks in playbooks/, run by ansible-playbook as an operator or a job template does."""

from __future__ import annotations

import re

import pytest
from flock import BREAKS, NAP, NOTHING, WORKFLOW, names
from plays import play

#: Show what the run hands over, and lose no time between tasks.
SETTINGS = {"ANSIBLE_SHOW_CUSTOM_STATS": "true", "ANSIBLE_PIPELINING": "true"}


def run(flock, name, *arguments, expect=0, warns=False, **variables):
    """Run a runbook; returns what it said, its line breaks made spaces. It warns of something where that is expected only."""
    flock.forget_calls()
    variables = {"workflow_name": WORKFLOW, **variables}
    said = play(flock.bench.engine, "edgeops.cloudflare." + name, *arguments, variables=variables, settings=SETTINGS, expect=expect)
    assert "Traceback" not in said and ("WARNING" in said) is warns, said
    return re.sub(r"\s+", " ", said)


def handed_over(said):
    """The ids that the run left for the next one."""
    text = said.partition("CUSTOM STATS: ")[2]
    return set(re.findall(r"[a-z]+-\d{3}", text))


def test_pause_and_resume(flock):
    """Foretold, paused in visible batches, and exactly those resumed; what others have paused stays paused."""
    mine, others = flock.create(names("mine", 12)), flock.create_paused(names("other", 3))

    said = run(
        flock, "pause_all", "--check", statuses="running,waiting", id_glob="*-00?", created_after="2020-01-01T00:00:00Z", instance_ids=""
    )
    assert "Would pause 10 of 10 instances of fleet" in said
    assert flock.cost() == (0, 1, 0)

    said = run(flock, "pause_all", batch_size=7)
    assert "Change batch 1 of 2" in said and "All 7 instances of fleet are paused (7 by this task)" in said
    assert "Change batch 2 of 2" in said and "All 5 instances of fleet are paused (5 by this task)" in said
    assert "12 of 12 instances of fleet paused by this run, 0 unchanged" in said
    assert flock.statuses([*mine, *others]) == dict.fromkeys([*mine, *others], "paused")
    assert flock.cost() == (12, 1, 12)  # batches this small are cheaper to look at one by one
    assert handed_over(said) == set(mine)

    said = run(flock, "resume_paused", instance_ids=sorted(handed_over(said)), batch_size="100", wait="false")
    assert "12 of 12 instances of fleet resumed" in said and "not waited for (wait=false)" in said
    flock.wait_for(mine, "waiting")
    assert flock.statuses(others) == dict.fromkeys(others, "paused")


def test_pause_again_after_a_timeout(flock):
    """What an earlier run could not see through is waited for: the run is green when all are paused, and not before."""
    held = flock.create_gated(names("held", 3), "charging")
    said = run(flock, "pause_all", wait_timeout=0.5, expect=2)
    assert "3 failed, 0 of 3 instances of fleet paused by this run, 0 unchanged" in said and "Run again to wait" in said

    said = run(flock, "pause_all", wait_timeout=0.5, expect=2)
    assert "3 failed, 0 of 3 instances of fleet paused by this run, 0 unchanged" in said and flock.cost()[2] == 0

    said = run(flock, "pause_all", wait="no")
    assert "0 of 3 instances of fleet paused by this run, 3 unchanged; not waited for (wait=false)" in said

    flock.meet("read", skip=3, before=[{"op": "gate", "name": "charging"}])
    said = run(flock, "pause_all")
    assert "0 of 3 instances of fleet paused by this run, 3 unchanged" in said and flock.cost()[2] == 0
    assert flock.statuses(held) == dict.fromkeys(held, "paused")


def test_the_plan_tells_what_was_asked_for(flock):
    """What is in force, and that nothing else is."""
    flock.create(names("ok", 2))
    said = run(flock, "pause_all", "--check", id_glob="ok-*", created_by="2020-01-01T00:00:00Z")
    assert "selected by status running/waiting/waitingForPause, id_glob ok-*, and by no other filter" in said
    assert "asked for by instance_ids" in run(flock, "pause_all", "--check", instance_ids=["ok-000"])


def test_nothing_handed_over(flock):
    """An empty list of ids is nothing to do, and not everything."""
    flock.create_paused(names("other", 3))
    said = run(flock, "resume_paused", instance_ids=[])
    assert "0 of 0 instances of fleet resumed" in said and flock.cost() == (0, 0, 0)


def test_restart_failed(flock):
    """From the step that failed, which check mode finds as well; what is complete is left alone, whatever the variables say."""
    errored, done = flock.create_errored(names("failed", 6)), flock.create(names("done", 2), NOTHING, "complete")

    said = run(flock, "restart_failed", "--check", "--diff")
    assert "failed-000: restarted from two (1)" in said and flock.cost() == (6, 1, 0)

    said = run(flock, "restart_failed", batch_size=4, ended_after="2020-01-01T00:00:00Z", statuses="complete")
    assert "6 of 6 instances of fleet restarted by this run, 0 unchanged" in said
    flock.wait_for(errored, "waiting")
    assert [flock.ran(name) for name in errored] == [{"one": 1, "two": 2}] * 6
    assert flock.statuses(done) == dict.fromkeys(done, "complete")


def test_failed_again(flock):
    """A cause that has not been mended stops the run after the first batch, and the play fails."""
    flock.control("POST", "/switch", {"name": "broken", "value": True})
    flock.create(names("failed", 6), BREAKS, "errored")
    again = [{"op": "await", "instances": names("failed", 6), "statuses": ["errored"]}]
    flock.meet("read", before=again)
    said = run(flock, "restart_failed", batch_size=2, max_failures=2, expect=2, warns=True)
    assert (
        "4 not attempted (max_failures (2) is reached), 2 errored again, 2 of 6 instances of fleet restarted by this run, 0 unchanged"
        in said
    )
    assert "errored again" in said
    assert flock.cost()[2] == 2


def test_terminate_with_rollback(flock):
    """Only the statuses named, and their handlers have run."""
    params = {"steps": [{"do": "work", "rollback": True}, *NAP["steps"]]}
    waiting = flock.create(names("undo", 3), params)
    paused = flock.create_paused(names("held", 2))
    said = run(flock, "terminate", statuses=["waiting"], rollback=True)
    assert "3 of 3 instances of fleet terminated" in said
    assert flock.statuses([*waiting, *paused]) == {**dict.fromkeys(waiting, "terminated"), **dict.fromkeys(paused, "paused")}
    assert all(flock.bench.steps(WORKFLOW, name)["rollbacks"] == {"work": 1} for name in waiting)


@pytest.mark.parametrize(
    ("name", "variables", "says"),
    [
        ("terminate", {}, "statuses is missing: name those to act on"),
        ("pause_all", {"workflow_name": ""}, "workflow_name is missing"),
        ("pause_all", {"batch_size": 0}, "batch_size must be a number from 1 to 1000"),
        ("pause_all", {"wait_timeout": "soon"}, "wait_timeout must be a number of seconds"),
        ("pause_all", {"wait": ""}, "wait must be yes or no"),
        ("restart_failed", {"from_failed_step": ""}, "from_failed_step must be yes or no"),
        (
            "restart_failed",
            {"max_failures": "", "max_instances": "0"},
            "max_instances must be a number, at least 1; max_failures must be a number",
        ),
        ("restart_failed", {"max_failures": "five"}, "max_failures must be a number"),
    ],
)
def test_inputs(flock, name, variables, says):
    """What can't be meant is refused before the first call, by its name."""
    said = run(flock, name, expect=2, **variables)
    assert says in said and "described at the beginning of the playbook" in said
    assert flock.calls()["total"] == 0


def test_too_many(flock):
    """More than allowed: the number is told, and nothing is changed."""
    flock.create(names("ok", 12))
    said = run(flock, "pause_all", max_instances="5", expect=2)
    assert (
        "12 instances of fleet match (waiting 12), more than max_instances=5; nothing was changed. Narrow select, or set max_instances=100."
        in said
    )
    assert flock.cost() == (0, 1, 0)


def test_a_failure(flock):
    """One that is refused in the first batch: the others are done, the reason is told at the end, and the play fails."""
    everyone = flock.create(names("ok", 6))
    flock.meet("patch", {"status": 400, "message": "no pause today"}, match={"instance": everyone[-1]})
    said = run(flock, "pause_all", batch_size=3, expect=2)
    assert "1 failed, 5 of 6 instances of fleet paused by this run, 0 unchanged" in said
    assert said.count("no pause today") >= 2
    assert flock.statuses(everyone)[everyone[0]] == "paused"
    assert len([name for name, action in flock.patches()]) == 6


def test_enough_failures(flock):
    """Past `max_failures` no further batch begins."""
    flock.create(names("ok", 6))
    flock.meet("patch", {"status": 400, "message": "no pause today"})
    said = run(flock, "pause_all", batch_size=3, max_failures=3, requests_per_second="50", expect=2)
    assert "3 failed, 3 not attempted (max_failures (3) is reached), 0 of 6 instances of fleet paused by this run, 0 unchanged" in said
    assert flock.cost()[2] == 3


def test_token_revoked(flock):
    """What meets every batch alike ends the run; what was done is told."""
    flock.create(names("ok", 6))
    flock.meet("patch", {"status": 403, "code": 10000, "message": "Authentication error"}, skip=2)
    said = run(flock, "pause_all", batch_size=3, expect=2)
    assert re.search(r"4 not attempted \(the API [^()]*credentials.*\), 2 of 6 instances of fleet paused by this run, 0 unchanged", said)
    assert flock.cost()[0] == 3 and flock.cost()[2] == 3  # nothing of the second batch
