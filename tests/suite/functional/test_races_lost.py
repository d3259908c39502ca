# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The answer of a restart is lost, it was not done, and the instance moves all the same: what is proof of a restart, and what isn't.

An instance starts, reaches its next step, ends, is paused or terminated by itself or by others. None of that is a restart, and
a task that took it for one would be green while nothing had been run again.
"""

from __future__ import annotations

import pytest
from goals import GOALS, NAP, Trial
from quickclock import quicken
from test_races import GO, PATIENT, until

LOST = {"reset": "before"}

RESTARTED, FROM_STEP = GOALS["restarted while it runs"], GOALS["restarted from a step"]

BEHIND_GATES = [{"do": "one", "gate": "first"}, {"do": "two", "gate": "second"}, NAP]


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Waits pass quickly."""
    quicken(monkeypatch, pace=0.005)


def lose(trial, *ops):
    """Lose the PATCH before its work, and let this happen after the first look that follows."""
    trial.meet(LOST)
    trial.meet(kind="read", skip=2, times=1, before=list(ops))


def outcome_of(trial, result):
    """What the task says, the PATCHes it took, and what has run."""
    rule = trial.bench.control("GET", "/faults")["rules"][-1]
    assert (rule["fired"], rule["op_errors"]) == (1, [])
    return result["instance"]["outcome"], trial.patches(), trial.ran()


@pytest.mark.parametrize(
    ("ops", "ran"),
    [
        pytest.param([GO, until("complete")], {"one": 1, "two": 1}, id="finishes"),
        pytest.param([{"op": "terminate"}, until("terminated")], {"one": 1}, id="is terminated"),
        pytest.param([{"op": "pause"}, until("paused")], {"one": 1}, id="is paused"),
        pytest.param([{"op": "pause"}, until("paused"), {"op": "resume"}, until("waiting")], {"one": 1}, id="is paused and resumed"),
    ],
)
def test_no_proof_of_a_restart(bench, ops, ran):
    """It moves, but it was not run again: nothing can tell whether the restart is yet to come."""
    trial = Trial(bench, RESTARTED, steps=PATIENT)
    lose(trial, *ops)
    result = trial.run()
    assert outcome_of(trial, result) == ("unknown", 1, ran), result["msg"]


def test_an_instance_that_starts_was_not_restarted(bench):
    """Queued at first, it begins by itself."""
    trial = Trial(bench, RESTARTED, steps=[{"do": "one", "gate": "first"}, NAP], start="running")
    trial.show(status="queued", fields={"start": None}, times=2)
    trial.meet(LOST)
    result = trial.run()
    assert (result["instance"]["outcome"], result["instance"]["previous_status"], trial.patches()) == ("unknown", "queued", 1)
    bench.control("POST", "/gate", {"name": "first", "open": True})


def test_an_instance_that_ends_the_step_was_not_restarted_from_it(bench):
    """The step that it was to be restarted from ends by itself."""
    trial = Trial(bench, FROM_STEP, steps=BEHIND_GATES, start="running")
    bench.control("POST", "/await", {"gate": "first"})
    lose(trial, {"op": "gate", "name": "first"}, {"op": "await", "gate": "second"})
    result = trial.run(from_step={"name": "one"})
    assert outcome_of(trial, result) == ("unknown", 1, {"one": 1, "two": 1}), result["msg"]


def test_a_step_that_has_not_begun_is_none_to_restart_from(bench):
    """The API would refuse it; nothing is sent."""
    trial = Trial(bench, FROM_STEP, steps=BEHIND_GATES, start="running")
    bench.control("POST", "/await", {"gate": "first"})
    result = trial.run(from_step={"name": "two"})
    assert (result["instance"]["outcome"], trial.patches()) == ("failed", 0)
    assert "it has no step two. Its steps: one." in result["msg"]
    bench.control("POST", "/gate", {"name": "first", "open": True})
    bench.control("POST", "/gate", {"name": "second", "open": True})


def test_a_step_that_is_tried_again_was_not_restarted(bench):
    """The engine's own retries of the step run it again; that is not a restart."""
    retried = {"do": "two", "fail": 2, "retries": {"limit": 3, "delay_ms": 300}}
    trial = Trial(bench, FROM_STEP, steps=[{"do": "one"}, retried, NAP], start="waiting")
    lose(trial, {"op": "await", "step": "two", "phase": "finish"})
    result = trial.run(from_step={"name": "two"})
    assert outcome_of(trial, result) == ("unknown", 1, {"one": 1, "two": 3}), result["msg"]


@pytest.mark.parametrize("name", ["restarted", "restarted while it runs", "restarted from a step"])
def test_restarted_by_somebody_else(bench, name):
    """The state is what the task asked for, whoever brought it about; it says so."""
    trial = Trial(bench, GOALS[name])
    restart = {"op": "restart", **({"from": {"name": "two"}} if "step" in name else {})}
    lose(trial, restart, {"op": "await", "step": "two" if GOALS[name].start == "errored" else "one", "phase": "finish"})
    result = trial.run()
    assert outcome_of(trial, result)[:2] == ("changed", 1)
    assert "by this task or another" in result["msg"]
    trial.assert_done_once()


@pytest.mark.parametrize("shown", ["2026-01-02T03:04:05Z", "2026-01-02T03:04:05.123456789Z"], ids=["whole seconds", "nanoseconds"])
def test_timestamps_cut_differently_are_no_proof(bench, shown):
    """The listing and the detail of one instance tell the same moment with more or fewer digits."""
    trial = Trial(bench, GOALS["restarted"])
    moment = "2026-01-02T03:04:05.123Z"
    detail = {"queued": moment, "start": moment, "end": moment}
    trial.show(detail=detail, item={"started_on": shown, "ended_on": shown})
    bench.control("POST", "/faults", {"match": {"kind": "patch"}, "fault": LOST})
    options = {**trial.task(), "select": {"status": ["errored"], "id_glob": trial.id}}
    del options["instance_id"]
    result = bench.module(**options)
    trial.check(result)
    assert (result["instances"][0]["outcome"], trial.patches()) == ("unknown", 1), result["msg"]
    trial.assert_not_done()


def test_terminated_by_somebody_else_is_not_rolled_back(bench):
    """Terminated without rollback by somebody else: the handlers did not run, and no green task says that they did."""
    trial = Trial(bench, GOALS["rolled back"])
    lose(trial, {"op": "terminate"}, until("terminated"))
    result = trial.run(wait_timeout=60)
    assert outcome_of(trial, result)[1:] == (1, {"one": 1})
    assert (result["instance"]["status"], result["instance"]["failed"]) == ("terminated", True), result["msg"]
