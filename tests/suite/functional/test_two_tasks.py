# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two tasks of this collection meet at one instance."""

from __future__ import annotations

import json
import time

import pytest
from goals import GOALS, NAP, Trial, assert_sound

UNDOING = [{"do": "one", "rollback": {"gate": "undo"}}, NAP]


def both(trial, first, second):
    """Run two tasks at the same time; their results."""
    tasks = [trial.bench.process(**trial.task(**options)) for options in (first, second)]
    results = [task.finish() for task in tasks]
    for result in results:
        assert_sound(trial.bench, result)
    return results


def sent(trial):
    """The actions that the gateway took, as (action, status) of each PATCH."""
    calls = trial.bench.calls(instance=trial.id)["log"]
    return [(json.loads(call["body"])["status"], call["status"]) for call in calls if call["kind"] == "patch"]


@pytest.mark.parametrize("name", ["paused", "running", "terminated"])
def test_both_want_the_same(bench, name):
    """Both are green, at least one has changed something, and the instance is as wanted."""
    trial = Trial(bench, GOALS[name])
    bench.control("POST", "/latency", {"ms": 100})
    results = both(trial, {}, {})
    bench.control("POST", "/latency", {"ms": 0})
    assert [result["instance"]["outcome"] for result in results if result["instance"]["outcome"] not in ("changed", "unchanged")] == []
    assert any(result["changed"] for result in results)
    assert 1 <= len(sent(trial)) <= 2
    trial.assert_done_once()


def test_a_rollback_is_joined(bench):
    """The second finds the handlers running: it waits for them, starts none, and reports how they ended."""
    trial = Trial(bench, GOALS["rolled back"], steps=UNDOING)
    first = bench.process(**trial.task(wait_sleep=0.2))
    bench.control("POST", "/await", {"gate": "undo"})
    second = bench.process(**trial.task(wait_sleep=0.2))
    end = time.monotonic() + 120
    while bench.calls(instance=trial.id)["by_kind"]["reads"] < 3:  # the first task's, and two of the second's
        assert time.monotonic() < end
        time.sleep(0.1)
    bench.control("POST", "/gate", {"name": "undo", "open": True})
    first, second = first.finish(), second.finish()
    assert (first["instance"]["outcome"], second["instance"]["outcome"]) == ("changed", "unchanged"), second["msg"]
    assert second["instance"]["rollback"]["outcome"] == "complete"
    assert sent(trial) == [("terminate", 200)]
    trial.assert_done_once()


@pytest.mark.parametrize("name", ["restarted", "restarted from a step"])
def test_a_restart_is_not_repeated(bench, name):
    """A guarded second task finds it no longer errored, as soon as the first has been accepted."""
    trial = Trial(bench, GOALS[name])
    guarded = {"when_status": ["errored"]}
    first = bench.module(**trial.task(**guarded))
    second = bench.module(**trial.task(**guarded))
    assert (first["instance"]["outcome"], second["instance"]["outcome"], len(sent(trial))) == ("changed", "unchanged", 1)
    trial.assert_done_once()


@pytest.mark.parametrize("name", ["restarted", "restarted while it runs"])
def test_two_restarts_at_the_same_moment(bench, name):
    """No lock exists between tasks: each sends one at most, and neither sends a second for the trouble of the other."""
    trial = Trial(bench, GOALS[name])
    bench.control("POST", "/latency", {"ms": 150})
    results = both(trial, {"wait_timeout": 5}, {"wait_timeout": 5})
    bench.control("POST", "/latency", {"ms": 0})
    assert len(sent(trial)) == sum(result["api_calls"]["patches"] for result in results) <= 2
    assert all(result["api_calls"]["patches"] <= 1 for result in results)
    runs = trial.ran()["one"]
    assert runs <= 1 + len(sent(trial)), "each of them at most once"
    for result in results:
        assert result["instance"]["outcome"] in ("changed", "failed", "unknown")


def test_against_each_other(bench):
    """One pauses and one resumes: it ends, each with what it saw, and the instance is what one of them wanted."""
    trial = Trial(bench, GOALS["paused"])
    bench.control("POST", "/latency", {"ms": 60})
    results = both(trial, {"state": "paused", "wait_timeout": 5}, {"state": "running", "wait_timeout": 5})
    bench.control("POST", "/latency", {"ms": 0})
    assert all(result["api_calls"]["patches"] <= 3 for result in results)
    assert any(not result["instance"]["failed"] for result in results)
    assert trial.status() in ("paused", "running", "waiting")
    assert trial.ran() == {"one": 1}
