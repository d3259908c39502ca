# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Somebody else changes the instance while the task waits for it: the wait ends at the look that shows it, and not later."""

from __future__ import annotations

import pytest
from goals import GOALS, NAP, Trial
from quickclock import quicken
from test_races import until

AT_WORK = [{"do": "one", "gate": "work"}, {"do": "two"}]
UNDOING = [{"do": "one", "rollback": {"gate": "undo"}}, NAP]
OPEN_WORK = {"op": "gate", "name": "work"}
OPEN_UNDO = {"op": "gate", "name": "undo"}

#: The look at which it happens: the third, so that the second has shown an instance that is on its way.
LOOK = 3


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Waits pass quickly."""
    quicken(monkeypatch, pace=0.005)


@pytest.fixture
def at_work(bench):
    """An instance whose step is under way, so that a pause has to wait for it."""
    trial = Trial(bench, GOALS["paused"], steps=AT_WORK, start="running")
    bench.control("POST", "/await", {"gate": "work"})
    bench.control("POST", "/calls/reset")
    return trial


def meanwhile(trial, *ops, look=LOOK):
    """Let this happen right before a certain look."""
    trial.meet(kind="read", skip=look - 1, times=1, before=list(ops))


def reads(trial):
    """How often the task looked."""
    return trial.bench.calls(instance=trial.id)["by_kind"]["reads"]


def happened(bench):
    """That what was to happen in between did happen."""
    return [(rule["fired"], rule["op_errors"]) for rule in bench.control("GET", "/faults")["rules"]] == [(1, [])]


# -- waiting for a pause ------------------------------------------------------------------------------------------------


def test_the_step_ends(bench, at_work):
    """What the task waits for."""
    meanwhile(at_work, OPEN_WORK, until("paused"))
    result = at_work.run()
    assert (result["instance"]["outcome"], result["instance"]["status"], reads(at_work), at_work.patches()) == (
        "changed",
        "paused",
        LOOK,
        1,
    )
    assert at_work.ran() == {"one": 1}


@pytest.mark.parametrize(
    ("ops", "status", "says"),
    [
        pytest.param(
            [{"op": "terminate"}, until("terminated")],
            "terminated",
            "is terminated: something else ended it after our pause was accepted",
            id="is terminated",
        ),
        pytest.param(
            [{"op": "resume"}, OPEN_WORK, until("complete")],
            "complete",
            "is complete: it ended by itself after our pause was accepted",
            id="is resumed and finishes",
        ),
        pytest.param([{"op": "delete"}, until(None)], None, "is gone", id="is deleted"),
    ],
)
def test_a_pause_becomes_unreachable(bench, at_work, ops, status, says):
    """The wait ends at the first look that shows it, although minutes of the timeout are left."""
    meanwhile(at_work, *ops)
    result = at_work.run()
    assert happened(bench)
    assert (result["instance"]["outcome"], result["instance"]["status"], at_work.patches()) == ("failed", status, 1)
    assert reads(at_work) == LOOK
    assert says in result["msg"]
    assert result["changed"], "it was about to pause, by our pause"


def test_a_pause_is_undone_once(bench, at_work):
    """Somebody resumes it: it is paused again."""
    meanwhile(at_work, {"op": "resume"})
    at_work.meet(kind="read", skip=4, times=1, before=[OPEN_WORK, until("paused")])
    result = at_work.run()
    assert (result["instance"]["outcome"], at_work.patches(), at_work.ran()) == ("changed", 2, {"one": 1})


def test_a_tug_of_war(bench, at_work):
    """Somebody resumes it whenever it is about to pause: that ends after three PATCHes, and says why."""
    at_work.meet(kind="read", skip=1, before=[{"op": "resume"}])
    result = at_work.run()
    assert (result["instance"]["outcome"], result["changed"], at_work.patches()) == ("failed", True, 3)
    assert "something else keeps changing it" in result["msg"]


def test_a_pause_that_was_on_its_way_before_us(bench, at_work):
    """Nothing is sent for what is on its way already, and it is waited for."""
    at_work.op("pause")
    meanwhile(at_work, OPEN_WORK, until("paused"))
    result = at_work.run()
    assert (result["instance"]["outcome"], result["changed"], at_work.patches(), reads(at_work)) == ("unchanged", False, 0, LOOK)


def test_a_wait_that_runs_out(bench, at_work):
    """Accepted and not reached in time is failed and changed, and says how to go on."""
    result = at_work.run(wait_timeout=20)
    assert (result["instance"]["outcome"], result["changed"], result["instance"]["status"]) == ("failed", True, "waitingForPause")
    assert "still waitingForPause after 20 s" in result["msg"] and "Run again to wait for it" in result["msg"]


# -- waiting for handlers -----------------------------------------------------------------------------------------------


def undoing(bench, handler=None):
    """An instance with a handler that takes its time; the task's call stays open meanwhile, and times out."""
    steps = [{"do": "one", "rollback": handler}, NAP] if handler else UNDOING
    return Trial(bench, GOALS["rolled back"], steps=steps)


def run_impatiently(trial, **options):
    """Run the task with an api_timeout that the handlers outlast; no answer comes, even if they are quicker than that."""
    trial.meet({"hang_ms": 600_000, "work": "before"})
    return trial.run(api_timeout=0.3, **options)


def test_the_handlers_end(bench):
    """A timeout of the call is no failure: the handlers run once, and the task waits for them."""
    trial = undoing(bench)
    meanwhile(trial, OPEN_UNDO, until("terminated"))
    result = run_impatiently(trial)
    assert (result["instance"]["outcome"], result["instance"]["rollback"], trial.patches()) == (
        "changed",
        {"outcome": "complete", "error": None},
        1,
    )
    trial.assert_done_once()


def test_a_handler_fails(bench):
    """Terminated, but not undone: a failure, with the handler's error."""
    trial = undoing(bench, {"gate": "undo", "fail": "cannot refund"})
    meanwhile(trial, OPEN_UNDO, until("terminated"))
    result = run_impatiently(trial)
    assert (result["instance"]["outcome"], result["changed"], result["instance"]["status"], trial.patches()) == (
        "failed",
        True,
        "terminated",
        1,
    )
    assert "cannot refund" in result["msg"] and "Undo by hand what these steps did: one" in result["msg"]
    assert trial.ran() == {"one": 1, "undo one": 1}


def test_handlers_that_outlast_the_wait(bench):
    """The wait runs out while they run: they are not started again."""
    trial = undoing(bench)
    result = run_impatiently(trial, wait_timeout=20)
    assert (result["instance"]["outcome"], result["changed"], result["instance"]["status"], trial.patches()) == (
        "failed",
        True,
        "rollingBack",
        1,
    )
    bench.control("POST", "/calls/reset")
    again = run_impatiently(trial, wait_timeout=20)
    assert (again["instance"]["outcome"], again["changed"], trial.patches()) == ("failed", False, 0), (
        "a second task waits, too, and sends nothing"
    )
    bench.control("POST", "/gate", {"name": "undo", "open": True})
    trial.assert_done_once()


@pytest.mark.parametrize(
    ("ops", "status"),
    [
        pytest.param([{"op": "terminate"}, until("terminated")], "terminated", id="is terminated at once"),
        pytest.param([{"op": "delete"}, until(None)], None, id="is deleted"),
        pytest.param(
            [{"op": "restart"}, {"op": "await", "step": "one", "count": 2, "phase": "finish"}, until("waiting")],
            "waiting",
            id="is restarted",
        ),
    ],
)
def test_the_rollback_is_cut_short(bench, ops, status):
    """Whatever comes of it, the handlers are not started a second time, and nobody claims that they have ended."""
    trial = undoing(bench)
    meanwhile(trial, *ops)
    result = run_impatiently(trial, wait_timeout=20)
    assert (result["instance"]["status"], trial.patches()) == (status, 1)
    assert result["changed"]
    if status == "terminated":
        assert "reports no rollback" in result["msg"]
    else:
        assert result["instance"]["outcome"] == "failed", result["msg"]
    assert trial.ran().get("undo one", 1) == 1  # what ran of a deleted one is forgotten


# -- after a resume or a restart ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["running", "restarted", "restarted while it runs", "restarted from a step"])
def test_terminated_right_after(bench, name):
    """It was done, and the look that follows finds it over: green, with a warning."""
    trial = Trial(bench, GOALS[name])
    meanwhile(trial, until("waiting"), {"op": "terminate"}, until("terminated"), look=2)
    result = trial.run()
    assert (result["instance"]["outcome"], result["instance"]["status"], trial.patches()) == ("changed", "terminated", 1)
    assert result["summary"]["finished_again"] == 1
    assert "is terminated by now" in str(result["warnings"])
    assert trial.ran() == trial.goal.after


@pytest.mark.parametrize("name", ["running", "restarted", "restarted while it runs", "restarted from a step"])
def test_deleted_right_after(bench, name):
    """It was done and is gone: failed, since there is no such instance, and changed, since it was."""
    trial = Trial(bench, GOALS[name])
    meanwhile(trial, until("waiting"), {"op": "delete"}, until(None), look=2)
    result = trial.run()
    assert (result["instance"]["outcome"], result["instance"]["status"], trial.patches()) == ("failed", None, 1)
    assert result["changed"]


def test_paused_right_after_a_resume(bench):
    """A pause by somebody else right after our resume: whatever is done about it, green means that it runs."""
    trial = Trial(bench, GOALS["running"])
    meanwhile(trial, {"op": "pause"}, until("paused"), look=2)
    result = trial.run(wait_timeout=20)
    assert result["instance"]["outcome"] in ("changed", "failed")
    assert (trial.status() == "paused") is (result["instance"]["outcome"] == "failed")
    assert result["changed"] and trial.ran() == {"one": 1}
