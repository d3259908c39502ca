# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every fault of the table meets the looks: the first one, those after the PATCH, and the listing of a selection.

A look may be repeated, so a fault that passes leaves no trace. One that lasts ends the instance before anything was sent, or,
after the PATCH, ends the wait for it; what is not known then is said.
"""

from __future__ import annotations

import re

import pytest
from faulttable import ANSWER_LOST, COMMON, COMMON_HOPELESS, HARMLESS, HOPELESS, SMALL_LIMIT, STRANGERS, THROTTLED, but, every, only
from goals import GOALS, NAP, WORKFLOW, Trial, assert_sound
from quickclock import quicken

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api import transport

FLEET = "scratch-2"

every_goal = pytest.mark.parametrize("goal", GOALS.values(), ids=GOALS)

#: Goals that look again after their PATCH.
looking_again = pytest.mark.parametrize("name", ["running", "restarted from a step"])


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Waits pass quickly, and an answer is too large when it has a megabyte."""
    quicken(monkeypatch, pace=0.005)
    monkeypatch.setattr(transport, "LARGEST_ANSWER", SMALL_LIMIT)


# -- the first look -----------------------------------------------------------------------------------------------------


@every({**but(ANSWER_LOST, ["huge"]), **THROTTLED})
def test_passing(bench, fault):
    """It passes, and leaves no trace but the calls it cost."""
    trial = Trial(bench, GOALS["restarted from a step"])
    trial.meet(fault.fault, kind="read", times=2 if fault in THROTTLED.values() else 1)
    result = trial.run(**fault.options)
    assert (result["instance"]["outcome"], trial.patches()) == ("changed", 1), result["msg"]
    assert result["api_calls"]["retries"] >= 1
    trial.assert_done_once()


@every_goal
@every(only(ANSWER_LOST, ["503", "HTML page 502", "reset before the work", "cut after the work"]))
def test_passing_for_every_goal(bench, goal, fault):
    """The commonest of them, three times in a row."""
    trial = Trial(bench, goal)
    trial.meet(fault.fault, kind="read", times=3)
    result = trial.run()
    assert (result["instance"]["outcome"], trial.patches(), result["api_calls"]["retries"]) == ("changed", 1, 3)
    trial.assert_done_once()


@every(HARMLESS)
def test_harmless(bench, fault, monkeypatch):
    """An odd answer that says what it should is good enough."""
    monkeypatch.setattr(transport, "LARGEST_ANSWER", 32 * SMALL_LIMIT)
    trial = Trial(bench, GOALS["restarted from a step"])
    trial.meet(fault.fault, kind="read")
    result = trial.run()
    assert (result["instance"]["outcome"], trial.patches()) == ("changed", 1)
    trial.assert_done_once()


@every(ANSWER_LOST)
def test_lasting(bench, fault):
    """It lasts: a failure that names it; nothing was sent. What is not the API at all ends the task."""
    trial = Trial(bench, GOALS["restarted from a step"])
    trial.meet(fault.fault, kind="read")
    result = trial.run(**fault.options)
    outcome = "not_attempted" if fault.stranger else "failed"
    assert (result["instance"]["outcome"], result["changed"], trial.patches()) == (outcome, False, 0)
    assert result["instance"]["status"] is None
    assert re.search(fault.says, result["msg"]) and ("nothing was sent" in result["msg"] or fault.stranger)
    assert result["api_calls"]["reads"] == (fault.reads or 1 + fault.options.get("api_retries", 4))


@every({**HOPELESS, **STRANGERS})
def test_hopeless(bench, fault):
    """Refused for good: the task ends at the first call."""
    trial = Trial(bench, GOALS["paused"])
    trial.meet(fault.fault, kind="read")
    result = trial.run()
    assert (result["instance"]["outcome"], result["changed"], trial.patches()) == ("not_attempted", False, 0)
    assert re.search(fault.says, result["msg"])
    assert result["api_calls"]["reads"] == 1


@pytest.mark.parametrize(
    ("task", "reads", "outcome", "says"),
    [
        ({"state": "restarted", "from_step": {"name": "two"}}, 2, "changed", "restart from two"),
        (
            {"state": "restarted", "from_failed_step": True},
            1,
            "failed",
            "larger than 32 MiB.*Name the step with from_step: that needs no log",
        ),
    ],
)
def test_a_log_beyond_the_real_limit(bench, monkeypatch, task, reads, outcome, says):
    """More than 32 MiB are not read to their end, nor again. A step that is named can be restarted from without the log."""
    monkeypatch.undo()
    assert transport.LARGEST_ANSWER == 32 * SMALL_LIMIT
    quicken(monkeypatch)
    trial = Trial(bench, GOALS["restarted from a step"])
    trial.meet({"huge_mb": 34}, kind="read", times=1)
    result = bench.module(workflow_name=WORKFLOW, instance_id=trial.id, wait=False, **task)
    assert (result["instance"]["outcome"], result["api_calls"]["reads"], result["api_calls"]["retries"]) == (outcome, reads, 0), result[
        "msg"
    ]
    assert re.search(says, result["msg"])


def test_authentication_error_after_a_429(bench):
    """It is doubted once, and believed the second time."""
    trial = Trial(bench, GOALS["paused"])
    trial.meet({"status": 429, "retry_after": 1}, kind="read", times=1)
    trial.meet(HOPELESS["bad token"].fault, kind="read", times=1)
    assert trial.run()["instance"]["outcome"] == "changed"
    trial = Trial(bench, GOALS["paused"])
    trial.meet({"status": 429, "retry_after": 1}, kind="read", times=1)
    trial.meet(HOPELESS["bad token"].fault, kind="read")
    result = trial.run()
    assert (result["instance"]["outcome"], result["api_calls"]["reads"]) == ("not_attempted", 3)


# -- the looks after the PATCH ------------------------------------------------------------------------------------------


@every({**but(ANSWER_LOST, ["huge"]), **THROTTLED})
def test_passing_after_the_change(bench, fault):
    """The change was accepted, and its effect is seen as soon as a look succeeds."""
    trial = Trial(bench, GOALS["restarted"])
    trial.meet(fault.fault, kind="read", skip=1, times=1)
    result = trial.run(**fault.options)
    assert (result["instance"]["outcome"], trial.patches()) == ("changed", 1)
    trial.assert_done_once()


@looking_again
@every(only(ANSWER_LOST, COMMON))
def test_lasting_after_the_change(bench, name, fault):
    """The change was accepted, but nothing can be seen any more: changed, and failed, since the state was not seen."""
    trial = Trial(bench, GOALS[name])
    trial.meet(fault.fault, kind="read", skip=1)
    result = trial.run(wait_timeout=30)
    assert (result["instance"]["outcome"], result["changed"], trial.patches()) == ("failed", True, 1)
    assert "accepted" in result["msg"] and re.search(fault.says, result["msg"])
    trial.assert_done_once()


@looking_again
@every(only(HOPELESS, COMMON_HOPELESS))
def test_hopeless_after_the_change(bench, name, fault):
    """The change was accepted, and then the token is refused: that ends the task, and the change is still told."""
    trial = Trial(bench, GOALS[name])
    trial.meet(fault.fault, kind="read", skip=1)
    result = trial.run()
    assert (result["instance"]["outcome"], result["changed"], trial.patches()) == ("failed", True, 1)
    assert re.search(fault.says, result["msg"]) and "accepted" in result["instance"]["msg"]
    trial.assert_done_once()


# -- listings -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def sleepers(bench):
    """Ids of three instances that wait, and the task that pauses them by a selection."""
    bench.control("POST", "/purge", {"workflow": FLEET})
    ids = bench.create(FLEET, ["sleeper-1", "sleeper-2", "sleeper-3"], {"steps": [{"do": "one"}, NAP]}, status="waiting")
    bench.control("POST", "/calls/reset")
    return ids


def pause(bench, **options):
    """Pause what waits, and hold the result against what every result must be."""
    result = bench.module(workflow_name=FLEET, select={"status": ["waiting"]}, state="paused", **options)
    assert_sound(bench, result)
    assert result["api_calls"]["total"] == bench.calls()["total"]
    return result


@every({**but(ANSWER_LOST, ["list result", "huge"]), **THROTTLED})
def test_passing_listing(bench, sleepers, fault):
    """All are found and paused. (A list is what a listing answers, so that one is no fault here.)"""
    bench.control("POST", "/faults", {"match": {"kind": "list"}, "times": 1, "fault": fault.fault})
    result = pause(bench, **fault.options)
    assert (result["summary"]["changed"], result["summary"]["matched"], bench.calls()["by_kind"]["patches"]) == (3, 3, 3), result["msg"]


@every({**only(ANSWER_LOST, [*COMMON, "string result", "huge"]), **HOPELESS, **STRANGERS})
def test_lasting_listing(bench, sleepers, fault):
    """Without a listing nothing is matched, nothing is sent, and the task fails."""
    bench.control("POST", "/faults", {"match": {"kind": "list"}, "fault": fault.fault})
    result = pause(bench, **fault.options)
    assert (result["failed"], result["changed"], result["instances"]) == (True, False, [])
    assert re.search(fault.says.replace("scratch-1", FLEET), result["msg"])
    assert bench.calls()["by_kind"]["patches"] == 0
