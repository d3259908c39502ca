# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every fault of the table meets the PATCH of every kind of change.

A change that may be repeated is repeated until it is done. One that must not be done twice, a restart or a termination with
rollback, is sent once: then the instance itself is asked, and `unknown` is told only where it doesn't answer either.
"""

from __future__ import annotations

import re

import pytest
from faulttable import (
    ANSWER_LOST,
    COMMON,
    COMMON_HOPELESS,
    COMMON_THROTTLED,
    HARMLESS,
    HOPELESS,
    IMPATIENT,
    REFUSED,
    SMALL_LIMIT,
    STRANGERS,
    THROTTLED,
    but,
    every,
    only,
    those,
)
from goals import GOALS, Trial
from quickclock import quicken

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api import transport

every_goal = pytest.mark.parametrize("goal", GOALS.values(), ids=GOALS)
repeatable = pytest.mark.parametrize("goal", [pytest.param(goal, id=name) for name, goal in GOALS.items() if not goal.is_once_only])
once_only = pytest.mark.parametrize("goal", [pytest.param(goal, id=name) for name, goal in GOALS.items() if goal.is_once_only])


#: Holds up a call until the gate `late` is opened.
LATE = {"op": "await", "gate": "late", "open": True}


def attempts(fault):
    """How often a change that may be repeated is sent when every answer is lost."""
    return 1 + fault.options.get("api_retries", 4)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Waits pass quickly, and an answer is too large when it has a megabyte."""
    quicken(monkeypatch, pace=0.005)
    monkeypatch.setattr(transport, "LARGEST_ANSWER", SMALL_LIMIT)


def assert_done(trial, result, patches):
    """The task says that it was done, and it was, once, with so many PATCHes."""
    assert (result["instance"]["outcome"], result["changed"]) == ("changed", True), result["msg"]
    assert trial.patches() == patches
    trial.assert_done_once()


@every(HARMLESS)
@pytest.mark.parametrize("name", ["paused", "restarted from a step"])
def test_harmless(bench, name, fault, monkeypatch):
    """An odd answer that says what it should is good enough."""
    monkeypatch.setattr(transport, "LARGEST_ANSWER", 32 * SMALL_LIMIT)
    trial = Trial(bench, GOALS[name])
    trial.meet(fault.fault)
    assert_done(trial, trial.run(), patches=1)


@repeatable
@every(ANSWER_LOST)
def test_lost_once_and_repeated(bench, goal, fault):
    """Sent again, whether or not the first was done."""
    trial = Trial(bench, goal)
    trial.meet(fault.fault, times=1)
    assert_done(trial, trial.run(**fault.options), patches=2)


@repeatable
@every(only(ANSWER_LOST, COMMON))
def test_lost_thrice_and_repeated(bench, goal, fault):
    """Sent again and again."""
    trial = Trial(bench, goal)
    trial.meet(fault.fault, times=3)
    assert_done(trial, trial.run(), patches=4)


@every(those(ANSWER_LOST, works=True))
def test_lost_for_ever_but_done(bench, fault):
    """No answer ever comes, but the instance shows that it was done."""
    trial = Trial(bench, GOALS["paused"])
    trial.meet(fault.fault)
    result = trial.run(**fault.options)
    assert re.search(fault.says, result["msg"])
    assert "it was done, by this task or another" in result["msg"]
    assert_done(trial, result, patches=attempts(fault))


@every(those(ANSWER_LOST, works=False))
def test_lost_for_ever_and_not_done(bench, fault):
    """No answer ever comes and nothing happens: a failure that names the cause, since sending it again does no harm."""
    trial = Trial(bench, GOALS["paused"])
    trial.meet(fault.fault)
    result = trial.run(**fault.options)
    assert result["instance"]["outcome"] == "failed"
    assert result["changed"], "a lost answer may have had an effect"
    assert re.search(fault.says, result["msg"])
    assert trial.patches() == attempts(fault)
    trial.assert_not_done()


@pytest.mark.parametrize("name", ["running", "terminated"])
@every(only(ANSWER_LOST, COMMON))
def test_lost_for_ever(bench, name, fault):
    """The commonest of them also meet the other changes that may be repeated."""
    trial = Trial(bench, GOALS[name])
    trial.meet(fault.fault)
    result = trial.run()
    assert trial.patches() == 5
    if fault.works:
        assert_done(trial, result, patches=5)
    else:
        assert (result["instance"]["outcome"], result["changed"]) == ("failed", True)
        trial.assert_not_done()


@once_only
@every(those(ANSWER_LOST, works=True))
def test_lost_and_done(bench, goal, fault):
    """The instance shows that it was done; nothing is sent again."""
    trial = Trial(bench, goal)
    trial.meet(fault.fault)
    result = trial.run(wait_timeout=60, **fault.options)
    assert_done(trial, result, patches=1)


@once_only
@every(those(ANSWER_LOST, works=False))
def test_lost_and_not_done(bench, goal, fault):
    """Nothing shows that it was done, and it may be done yet: the one case in which the task says that it doesn't know."""
    trial = Trial(bench, goal)
    trial.meet(fault.fault)
    result = trial.run(wait_timeout=60, **fault.options)
    assert (result["instance"]["outcome"], result["changed"]) == ("unknown", True)
    assert re.search(fault.says, result["msg"])
    assert "NOT sent again" in result["msg"]
    assert result["summary"]["duration"] >= 30, "it has to be looked for long enough"
    assert trial.patches() == 1
    trial.assert_not_done()


@every_goal
def test_work_that_lands_late(bench, goal):
    """The work goes on after our timeout: before the second look that follows, or after what may be repeated has been."""
    trial = Trial(bench, goal)
    trial.meet({"hang_ms": 0, "work": "later"}, times=1, before=[LATE])
    trial.meet(kind="read", skip=2, times=1, before=[{"op": "gate", "name": "late"}, *trial.until_done()])
    result = trial.run(api_timeout=IMPATIENT)
    bench.control("POST", "/gate", {"name": "late"})
    assert_done(trial, result, patches=1 if goal.is_once_only else 2)


@once_only
def test_work_that_lands_too_late(bench, goal):
    """It lands when nobody looks any more. To have sent it again would have done it twice."""
    trial = Trial(bench, goal)
    trial.meet({"hang_ms": 0, "work": "later"}, times=1, before=[LATE])
    result = trial.run(api_timeout=IMPATIENT, wait_timeout=60)
    bench.control("POST", "/gate", {"name": "late"})
    assert (result["instance"]["outcome"], result["changed"], trial.patches()) == ("unknown", True, 1)
    trial.assert_done_once()


@every_goal
@every(only(THROTTLED, COMMON_THROTTLED))
@pytest.mark.parametrize("times", [1, 3])
def test_throttled(bench, goal, fault, times):
    """What the rate limit refused was not processed: it is sent again after the wait, restarts too."""
    trial = Trial(bench, goal)
    trial.meet(fault.fault, times=times)
    result = trial.run()
    assert result["api_calls"]["rate_limited_seconds"] > {1: 0.4, 3: 3}[times], (
        "each wait is longer where the answer doesn't tell for how long"
    )
    assert_done(trial, result, patches=1 + times)


@every(but(THROTTLED, COMMON_THROTTLED))
@pytest.mark.parametrize("name", ["paused", "restarted from a step"])
def test_throttled_in_other_words(bench, name, fault):
    """However it is said; but a restart is sent again only where the status, too, says that it was refused."""
    trial = Trial(bench, GOALS[name])
    trial.meet(fault.fault, times=1)
    result = trial.run()
    if trial.goal.is_once_only and fault.fault.get("status") == 200:
        assert (result["instance"]["outcome"], trial.patches()) == ("unknown", 1), result["msg"]
        return
    assert result["api_calls"]["rate_limited_seconds"] > 0
    assert_done(trial, result, patches=2)


@every_goal
def test_authentication_error_after_a_429(bench, goal):
    """While a token is blocked, a good one may be called bad: one such answer after a 429 is not believed."""
    trial = Trial(bench, goal)
    trial.meet({"status": 429, "retry_after": 1}, times=1)
    trial.meet(HOPELESS["bad token"].fault, times=1)
    assert_done(trial, trial.run(), patches=3)


@every_goal
@every(only(HOPELESS, COMMON_HOPELESS))
def test_hopeless(bench, goal, fault):
    """Refused for good, before any work: the task ends at once, and says so."""
    trial = Trial(bench, goal)
    trial.meet(fault.fault)
    result = trial.run()
    assert (result["instance"]["outcome"], result["changed"]) == ("not_attempted", False)
    assert re.search(fault.says, result["msg"])
    assert trial.patches() == 1
    trial.assert_not_done()


@every(but(HOPELESS, COMMON_HOPELESS))
def test_hopeless_in_other_words(bench, fault):
    """The same for all other ways in which a server tells that it won't do."""
    test_hopeless(bench, GOALS["restarted"], fault)


@every_goal
@every({**REFUSED, **STRANGERS})
def test_refused(bench, goal, fault):
    """The API won't do it: one look tells that the state is not reached, so the task fails, unchanged."""
    trial = Trial(bench, goal)
    trial.meet(fault.fault)
    result = trial.run()
    assert (result["instance"]["outcome"], result["changed"]) == ("failed", False)
    assert re.search(fault.says, result["msg"])
    assert trial.patches() == 1
    trial.assert_not_done()
