# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults rarely come alone: the answer of a change is lost, and then the repetition or the look meets another one."""

from __future__ import annotations

import re

import pytest
from faulttable import ANSWER_LOST, COMMON_HOPELESS, COMMON_THROTTLED, HOPELESS, REFUSED, THROTTLED, every, only
from goals import GOALS, Trial, assert_sound
from quickclock import quicken
from strangers import closed_port, lead_astray

FLEET = "scratch-6"

every_goal = pytest.mark.parametrize("goal", GOALS.values(), ids=GOALS)
repeatable = pytest.mark.parametrize("goal", [pytest.param(goal, id=name) for name, goal in GOALS.items() if not goal.is_once_only])
once_only = pytest.mark.parametrize("goal", [pytest.param(goal, id=name) for name, goal in GOALS.items() if goal.is_once_only])

DONE, NOT_DONE = ANSWER_LOST["cut after the work"].fault, ANSWER_LOST["reset before the work"].fault


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Waits pass quickly."""
    quicken(monkeypatch, pace=0.005)


# -- a change that must not be done twice, and then the look ------------------------------------------------------------


@once_only
@every({**only(ANSWER_LOST, ["503", "HTML page 502", "reset before the work", "cut after the work"]), **only(THROTTLED, COMMON_THROTTLED)})
def test_done_and_the_looks_fail_for_a_while(bench, goal, fault):
    """Whatever hides the effect for a while, it is seen in the end, and nothing is sent again."""
    trial = Trial(bench, goal)
    trial.meet(DONE)
    trial.meet(fault.fault, kind="read", skip=1, times=2)
    result = trial.run()
    assert (result["instance"]["outcome"], trial.patches()) == ("changed", 1), result["msg"]
    trial.assert_done_once()


@once_only
@every(only(ANSWER_LOST, ["503", "reset before the work"]))
def test_done_and_the_looks_fail_for_ever(bench, goal, fault):
    """It was done, but nothing can tell."""
    trial = Trial(bench, goal)
    trial.meet(DONE)
    trial.meet(fault.fault, kind="read", skip=1)
    result = trial.run(wait_timeout=40)
    assert (result["instance"]["outcome"], result["changed"], trial.patches()) == ("unknown", True, 1)
    assert "NOT sent again" in result["msg"]
    trial.assert_done_once()


@once_only
def test_done_and_the_server_is_gone(bench, goal, monkeypatch):
    """No connection can be made any more after the answer was lost."""
    trial = Trial(bench, goal)
    trial.meet(DONE)
    with closed_port() as base:
        astray = lead_astray(monkeypatch, "GET", base, skip=1)
        result = trial.run(wait_timeout=40)
    assert len(astray) > 1
    assert (result["instance"]["outcome"], result["changed"], trial.patches()) == ("unknown", True, 1)
    trial.assert_done_once()


@once_only
@every(only(HOPELESS, COMMON_HOPELESS))
def test_done_and_the_looks_are_refused(bench, goal, fault):
    """The task ends, and can't know what became of what it sent."""
    trial = Trial(bench, goal)
    trial.meet(DONE)
    trial.meet(fault.fault, kind="read", skip=1)
    result = trial.run()
    assert (result["instance"]["outcome"], result["changed"], trial.patches()) == ("unknown", True, 1)
    assert re.search(fault.says, result["msg"])
    trial.assert_done_once()


# -- a change that may be repeated, and then the repetition -------------------------------------------------------------


@repeatable
@pytest.mark.parametrize("first", [DONE, NOT_DONE], ids=["done", "not done"])
@every(only(THROTTLED, COMMON_THROTTLED))
def test_lost_and_then_throttled(bench, goal, first, fault):
    """The repetition is held back by the rate limit; after that it is decided anew, and sent if still needed."""
    trial = Trial(bench, goal)
    trial.meet(first, times=1)
    trial.meet(fault.fault, times=1)
    result = trial.run()
    assert (result["instance"]["outcome"], result["changed"]) == ("changed", True), result["msg"]
    assert trial.patches() == (2 if first is DONE else 3)
    trial.assert_done_once()


@repeatable
@every(only(HOPELESS, COMMON_HOPELESS))
def test_done_and_then_refused_for_good(bench, goal, fault):
    """The task ends, but what it may have done is told."""
    trial = Trial(bench, goal)
    trial.meet(DONE, times=1)
    trial.meet(fault.fault)
    result = trial.run()
    assert (result["instance"]["outcome"], result["changed"], trial.patches()) == ("failed", True, 2)
    assert re.search(fault.says, result["msg"]) and "answer lost" in result["instance"]["msg"]
    trial.assert_done_once()


@repeatable
@every(only(REFUSED, ["409", "refused with HTTP 500"]))
def test_done_and_then_refused(bench, goal, fault):
    """The repetition is refused since the first was done; the look tells."""
    trial = Trial(bench, goal)
    trial.meet(DONE, times=1)
    trial.meet(fault.fault)
    result = trial.run()
    assert (result["instance"]["outcome"], result["changed"], trial.patches()) == ("changed", True, 2)
    trial.assert_done_once()


@repeatable
@every(only(REFUSED, ["409", "refused with HTTP 500"]))
def test_not_done_and_then_refused(bench, goal, fault):
    """The first may yet be done, so the task looks for a while before it fails."""
    trial = Trial(bench, goal)
    trial.meet(NOT_DONE, times=1)
    trial.meet(fault.fault)
    result = trial.run()
    assert (result["instance"]["outcome"], result["changed"], trial.patches()) == ("failed", True, 2)
    trial.assert_not_done()


@repeatable
def test_done_and_then_deleted(bench, goal):
    """What may have been changed is gone by the time of the repetition."""
    trial = Trial(bench, goal)
    trial.meet(DONE, times=1, after=[{"op": "delete"}])
    result = trial.run()
    assert (result["instance"]["outcome"], result["changed"], result["instance"]["status"]) == ("failed", True, None)
    assert "is gone" in result["msg"]


# -- a change that was refused by the rate limit, and then everything else ----------------------------------------------


@every_goal
@pytest.mark.parametrize("first", [DONE, NOT_DONE], ids=["done", "not done"])
def test_throttled_and_then_lost(bench, goal, first):
    """The one after the block is the first that may have been processed."""
    trial = Trial(bench, goal)
    trial.meet({"status": 429, "retry_after": 1}, times=2)
    trial.meet(first, times=1)
    result = trial.run(wait_timeout=40)
    if goal.is_once_only and first is NOT_DONE:
        assert (result["instance"]["outcome"], trial.patches()) == ("unknown", 3)
        trial.assert_not_done()
    else:
        assert (result["instance"]["outcome"], trial.patches()) == ("changed", 3 if goal.is_once_only else 4), result["msg"]
        trial.assert_done_once()


# -- without waiting, and many at once ----------------------------------------------------------------------------------


@every_goal
@pytest.mark.parametrize("first", [DONE, NOT_DONE], ids=["done", "not done"])
def test_lost_without_waiting_for_the_state(bench, goal, first):
    """`wait: false` doesn't wait for the state, but a lost answer is looked into all the same."""
    trial = Trial(bench, goal)
    trial.meet(first)
    result = trial.run(wait=False, api_retries=1)
    assert trial.patches() == (1 if goal.is_once_only else 2)
    if first is DONE:
        assert (result["instance"]["outcome"], result["changed"]) == ("changed", True), result["msg"]
        trial.assert_done_once()
    else:
        assert (result["instance"]["outcome"], result["changed"]) == ("unknown" if goal.is_once_only else "failed", True)
        trial.assert_not_done()


#: Faults that meet one instance each, and what becomes of its restart.
SIDE_BY_SIDE = {
    "well": (None, "changed", 1),
    "throttled": (THROTTLED["429 with Retry-After"].fault, "changed", 2),
    "cut": (ANSWER_LOST["cut after the work"].fault, "changed", 1),
    "reset": (ANSWER_LOST["reset before the work"].fault, "unknown", 1),
    "failing": (ANSWER_LOST["503"].fault, "unknown", 1),
    "refused": (REFUSED["409"].fault, "failed", 1),
    "null": (ANSWER_LOST["null result"].fault, "changed", 1),
    "gone": (None, "failed", 0),
}


def test_side_by_side(bench):
    """One task restarts many; each meets a fault of its own, and none hides or stops the others."""
    bench.control("POST", "/purge", {"workflow": FLEET})
    present = [name for name in SIDE_BY_SIDE if name != "gone"]
    bench.create(FLEET, present, {"steps": GOALS["restarted"].steps}, status="errored")
    for name, (fault, _outcome, _patches) in SIDE_BY_SIDE.items():
        if fault:
            times = 1 if name == "throttled" else None
            bench.control("POST", "/faults", {"match": {"kind": "patch", "instance": name}, "fault": fault, "times": times})
    bench.control("POST", "/calls/reset")
    result = bench.module(workflow_name=FLEET, instance_ids=list(SIDE_BY_SIDE), state="restarted", concurrency=4)
    assert_sound(bench, result)
    assert {item["id"]: item["outcome"] for item in result["instances"]} == {name: case[1] for name, case in SIDE_BY_SIDE.items()}
    assert {key: result["summary"][key] for key in ("matched", "changed", "failed", "unknown")} == {
        "matched": 8,
        "changed": 4,
        "failed": 2,
        "unknown": 2,
    }
    assert result["api_calls"]["total"] == bench.calls()["total"]
    bench.control("POST", "/await", {"workflow": FLEET, "instances": present, "statuses": ["errored", "waiting"]})
    for name, (_fault, outcome, patches) in SIDE_BY_SIDE.items():
        assert bench.calls(instance=name)["by_kind"]["patches"] == patches
        if name != "gone":
            assert bench.steps(FLEET, name)["steps"] == ({"one": 2, "two": 2} if outcome == "changed" else {"one": 1, "two": 1})
