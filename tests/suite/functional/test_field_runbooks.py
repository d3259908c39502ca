# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the runbooks say in the end is true, and what they are told is not passed over in silence."""

from __future__ import annotations

import re

import pytest
from flock import WORKFLOW, names
from plays import Play


def run(flock, name, *arguments, **variables):
    """Run a runbook: (its exit code, what it said without line breaks)."""
    flock.forget_calls()
    playing = Play(flock.bench.engine, "edgeops.cloudflare." + name, *arguments, variables={"workflow_name": WORKFLOW, **variables})
    code = playing.finish()
    assert "Traceback" not in playing.output, playing.output
    return code, re.sub(r"\s+", " ", playing.output)


def test_failures_are_not_done(flock):
    """Seven were paused; the eighth was sent a pause and is not."""
    flock.create(names("ok", 7))
    flock.create_gated(names("held", 1), "charging")
    code, said = run(flock, "pause_all", wait_timeout=0.5)
    done = said.partition("TASK [What was done]")[2] or said.rpartition("TASK [")[2]
    assert code == 2 and "7 of 8" in done and "8 of 8" not in done, said
    assert "held-000" in said and "waitingForPause" in said


def test_what_was_unchanged_is_not_done(flock):
    """An outcome is counted, not a flag: two of three were paused already."""
    flock.create_paused(names("paused", 2))
    flock.create(names("ok", 1))
    code, said = run(flock, "pause_all", instance_ids=[*names("paused", 2), *names("ok", 1)], statuses=["running", "waiting", "paused"])
    assert code == 0 and "3 of 3 instances of fleet paused" not in said, said


def test_why_they_were_not_attempted(flock):
    """The last line still knows it."""
    flock.create(names("ok", 6))
    flock.meet("patch", {"status": 400, "message": "no pause today"})
    code, said = run(flock, "pause_all", batch_size=3, max_failures=3)
    last = said.rpartition("PLAY RECAP")[0][-1500:]
    assert code == 2 and "max_failures" in last and "no pause today" in last, said


def test_advice_that_a_runbook_can_follow(flock):
    """`from_step` is no variable of a runbook, so none tells its reader to use it."""
    flock.create(names("thrown", 1), {"steps": [{"do": "one"}, {"throw": "out of stock"}]}, "errored")
    code, said = run(flock, "restart_failed", ended_after="2020-01-01T00:00:00Z")
    assert code == 2 and "out of stock" in said and "from_failed_step=false" in said, said
    assert "from_step" not in said

    code, said = run(flock, "restart_failed", ended_after="2020-01-01T00:00:00Z", from_failed_step=False)
    assert flock.ran("thrown-000") == {"one": 2}, said


@pytest.mark.parametrize(
    ("name", "variable", "value", "meant"),
    [
        ("terminate", "rolback", "yes", "rollback"),
        ("terminate", "roll_back", "yes", "rollback"),
        ("pause_all", "id_globb", "ok-*", "id_glob"),
        ("pause_all", "max_instance", "5", "max_instances"),
        ("restart_failed", "from_failed_steps", "no", "from_failed_step"),
        ("resume_paused", "instance_id", "ok-000", "instance_ids"),
    ],
)
def test_a_variable_that_nearly_matches(flock, name, variable, value, meant):
    """It is named, with what was meant, before anything is changed."""
    flock.create(names("ok", 1))
    more = {"statuses": ["waiting"]} if name == "terminate" else {}
    _code, said = run(flock, name, "--check", **{variable: value}, **more)
    assert re.search(rf"\b{variable}\b", said) and re.search(rf"\b{meant}\b", said), said
    assert re.search(rf"{variable}\b.{{0,80}}\b{meant}\b|\b{meant}\b.{{0,80}}\b{variable}", said), said


@pytest.mark.parametrize(("rollback", "says"), [(True, "with rollback"), (False, "WITHOUT rollback")], ids=["with", "without"])
def test_a_plan_says_what_can_not_be_taken_back(flock, rollback, says):
    """A plan to terminate says whether handlers will run."""
    flock.create(names("ok", 2), {"steps": [{"do": "work", "rollback": True}, {"sleep": "nap", "ms": 3_600_000}]})
    _code, said = run(flock, "terminate", "--check", statuses=["waiting"], rollback=rollback)
    assert says in said and flock.patches() == [], said
