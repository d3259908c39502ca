# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Somebody else changes the instance after our look, and before our PATCH takes effect.

Either right before the PATCH is processed, or while the rate limit holds it back. In the first case the PATCH has gone out and
is judged by what is true afterwards; in the second everything is decided anew, on a new look.
"""

from __future__ import annotations

import re
import typing as t

import pytest
from goals import GOALS, Trial
from quickclock import quicken

#: An instance that does one step, then waits for `go`, then does another.
PATIENT = [{"do": "one", "rollback": True}, {"wait": "go"}, {"do": "two"}]
PATIENT_AND_BAD = [{"do": "one", "rollback": True}, {"wait": "go"}, {"do": "two", "fail": "boom"}]

GO = {"op": "event", "type": "go", "body": {}}


def until(*statuses):
    """The operation that waits for one of these statuses."""
    return {"op": "await", "statuses": list(statuses)}


#: What somebody else does: the instance's steps, and the operations on it.
EVENTS = {
    "finishes": (PATIENT, [GO, until("complete")]),
    "fails": (PATIENT_AND_BAD, [GO, until("errored")]),
    "is resumed and finishes": (PATIENT, [{"op": "resume"}, GO, until("complete")]),
    "is terminated": (PATIENT, [{"op": "terminate"}, until("terminated")]),
    "is rolled back": (PATIENT, [{"op": "terminate", "rollback": True}, until("terminated")]),
    "is paused": (PATIENT, [{"op": "pause"}, until("paused")]),
    "is resumed": (PATIENT, [{"op": "resume"}, until("waiting")]),
    "is deleted": (PATIENT, [{"op": "delete"}, until(None)]),
    "is restarted": (PATIENT, [{"op": "restart"}, {"op": "await", "step": "one", "count": 2, "phase": "finish"}, until("waiting")]),
    "is restarted, and was errored": (None, [{"op": "restart"}, {"op": "await", "step": "two", "phase": "finish"}, until("waiting")]),
    "is deleted, and was errored": (None, [{"op": "delete"}, until(None)]),
}


class Expected(t.NamedTuple):
    """How the task ends: outcome, the status then, what has run, and how a sentence says it."""

    outcome: str
    status: str | None
    ran: dict
    says: str = ""


_ONE = {"one": 1}
_FINISHED = {"one": 1, "two": 1}
_UNDONE = {"one": 1, "undo one": 1}
_FAILED = {"one": 1, "two": 1, "undo one": 1}  # an instance that fails runs its handlers by itself

_GONE_IN_BETWEEN = Expected("failed", None, {}, "is gone: it was deleted before")
_GONE = Expected("failed", None, {}, "was not found")

#: (goal, what somebody else does): (how it ends if that comes right before the PATCH, and if it comes while that is held back).
RACES = {
    ("paused", "finishes"): (
        Expected("failed", "complete", _FINISHED, "is complete: it ended by itself after our pause was accepted"),
        Expected("failed", "complete", _FINISHED, "is complete, so there is nothing to pause"),
    ),
    ("paused", "fails"): (
        Expected("failed", "errored", _FAILED, "is errored: it failed .*by itself after our pause was accepted"),
        Expected("failed", "errored", _FAILED, "is errored .*so there is nothing to pause"),
    ),
    ("paused", "is terminated"): (
        Expected("failed", "terminated", _ONE, "is terminated: something else ended it after our pause was accepted"),
        Expected("failed", "terminated", _ONE, "is terminated, so there is nothing to pause"),
    ),
    ("paused", "is paused"): (Expected("changed", "paused", _ONE), Expected("unchanged", "paused", _ONE)),
    ("paused", "is deleted"): (_GONE_IN_BETWEEN, _GONE),
    ("paused", "is restarted"): (Expected("changed", "paused", {"one": 2}), Expected("changed", "paused", {"one": 2})),
    ("running", "is resumed"): (Expected("changed", "waiting", _ONE), Expected("unchanged", "waiting", _ONE)),
    ("running", "is resumed and finishes"): (
        # Nobody can know: it may as well have finished while our resume was being answered.
        Expected("changed", "complete", _FINISHED, "is complete: resume accepted .*it is over already"),
        Expected("failed", "complete", _FINISHED, "is complete, so there is nothing to resume"),
    ),
    ("running", "is terminated"): (
        Expected("failed", "terminated", _ONE, "is terminated: something else ended it after our resume was accepted"),
        Expected("failed", "terminated", _ONE, "is terminated, so there is nothing to resume"),
    ),
    ("running", "is deleted"): (_GONE_IN_BETWEEN, _GONE),
    ("running", "is restarted"): (Expected("changed", "waiting", {"one": 2}), Expected("unchanged", "waiting", {"one": 2})),
    ("terminated", "finishes"): (
        Expected("unchanged", "complete", _FINISHED, "is complete: it ended before it could be terminated"),
        Expected("unchanged", "complete", _FINISHED, "is already complete: .*nothing was terminated or undone"),
    ),
    ("terminated", "fails"): (
        Expected("unchanged", "errored", _FAILED, "is errored: it ended before it could be terminated"),
        Expected("unchanged", "errored", _FAILED, "is already errored: .*nothing was terminated"),
    ),
    ("terminated", "is terminated"): (
        Expected("unchanged", "terminated", _ONE, "something else terminated it first"),
        Expected("unchanged", "terminated", _ONE, "is already terminated"),
    ),
    ("terminated", "is paused"): (Expected("changed", "terminated", _ONE), Expected("changed", "terminated", _ONE)),
    ("terminated", "is deleted"): (_GONE_IN_BETWEEN, _GONE),
    ("terminated", "is restarted"): (Expected("changed", "terminated", {"one": 2}), Expected("changed", "terminated", {"one": 2})),
    ("rolled back", "finishes"): (
        Expected("failed", "complete", _FINISHED, "is complete without a completed rollback"),
        Expected("failed", "complete", _FINISHED, "is complete without a completed rollback"),
    ),
    ("rolled back", "fails"): (
        Expected("unchanged", "errored", _FAILED),
        Expected("unchanged", "errored", _FAILED),
    ),
    ("rolled back", "is terminated"): (
        Expected("failed", "terminated", _ONE, "is terminated without a completed rollback"),
        Expected("failed", "terminated", _ONE, "is terminated without a completed rollback"),
    ),
    ("rolled back", "is rolled back"): (
        Expected("unchanged", "terminated", _UNDONE, "something else terminated it first"),
        Expected("unchanged", "terminated", _UNDONE),
    ),
    ("rolled back", "is paused"): (Expected("changed", "terminated", _UNDONE), Expected("changed", "terminated", _UNDONE)),
    ("rolled back", "is deleted"): (_GONE_IN_BETWEEN, _GONE),
    ("restarted", "is restarted, and was errored"): (
        Expected("changed", "waiting", {"one": 3, "two": 3}),  # nobody can know: the other's run, and one by us
        Expected("unchanged", "waiting", {"one": 2, "two": 2}, "no longer errored"),
    ),
    ("restarted", "is deleted, and was errored"): (_GONE_IN_BETWEEN, _GONE),
    ("restarted from a step", "is restarted, and was errored"): (
        Expected("changed", "waiting", {"one": 2, "two": 3}),
        Expected("unchanged", "waiting", {"one": 2, "two": 2}, "no longer errored"),
    ),
    ("restarted from a step", "is deleted, and was errored"): (_GONE_IN_BETWEEN, _GONE),
    ("restarted while it runs", "finishes"): (
        Expected("changed", "waiting", {"one": 2, "two": 1}),
        Expected("unchanged", "complete", _FINISHED, "no longer waiting"),
    ),
    ("restarted while it runs", "is terminated"): (
        Expected("changed", "waiting", {"one": 2}),
        Expected("unchanged", "terminated", _ONE, "no longer waiting"),
    ),
    ("restarted while it runs", "is paused"): (
        Expected("changed", "waiting", {"one": 2}),
        Expected("unchanged", "paused", _ONE, "no longer waiting"),
    ),
    ("restarted while it runs", "is deleted"): (_GONE_IN_BETWEEN, _GONE),
}

every_race = pytest.mark.parametrize(("goal", "event"), RACES, ids=["{}, {}".format(*race) for race in RACES])

#: Restarts are guarded as the guide says; the others need no guard.
GUARDS = {
    "restarted": {"when_status": ["errored"]},
    "restarted from a step": {"when_status": ["errored"]},
    "restarted while it runs": {"when_status": ["waiting", "running"]},
}


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Waits pass quickly."""
    quicken(monkeypatch, pace=0.005)


def race(bench, goal, event, fault=None):
    """Let the event happen right before the first PATCH is processed or meets the fault; returns the trial and its result."""
    steps, ops = EVENTS[event]
    trial = Trial(bench, GOALS[goal], steps=steps)
    trial.meet(fault, before=ops, times=1)
    result = trial.run(**GUARDS.get(goal, {}))
    [rule] = bench.control("GET", "/faults")["rules"]
    assert (rule["fired"], rule["op_errors"]) == (1, [])
    return trial, result


def assert_ends(trial, result, expected):
    """The task says what is true."""
    instance = result["instance"]
    now = "waiting" if instance["status"] == "running" else instance["status"]  # a restart may still be on its way to its wait
    assert (instance["outcome"], now) == (expected.outcome, expected.status), result["msg"]
    assert result["changed"] is (expected.outcome == "changed")
    assert re.search(expected.says, result["msg"])
    if expected.status:
        trial.wait_for(expected.status)
    assert trial.ran() == expected.ran


@every_race
def test_right_before_the_patch(bench, goal, event):
    """Our PATCH finds another instance than we saw; it went out once."""
    trial, result = race(bench, goal, event)
    assert trial.patches() == 1
    assert_ends(trial, result, RACES[goal, event][0])


@every_race
def test_while_the_rate_limit_holds_it_back(bench, goal, event):
    """It is sent again only if it still makes sense."""
    trial, result = race(bench, goal, event, {"status": 429, "retry_after": 1})
    expected = RACES[goal, event][1]
    assert trial.patches() == (2 if expected.outcome == "changed" else 1)
    assert_ends(trial, result, expected)
