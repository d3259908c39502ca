# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Blocks by the rate limit: waited out, not run against, and ended where they outlast the task's patience."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from goals import GOALS, NAP, Trial, assert_sound
from quickclock import note_calls, quicken

FLEET = "scratch-3"

every_goal = pytest.mark.parametrize("goal", GOALS.values(), ids=GOALS)

#: How long production blocks, seconds.
BLOCK = 300


# -- as long as in production, by a quick clock -------------------------------------------------------------------------


@every_goal
@pytest.mark.parametrize("kind", ["read", "patch"])
def test_a_block_of_five_minutes(bench, goal, kind, monkeypatch):
    """It is waited out to its end, the wait is told, and nothing is sent in it."""
    quicken(monkeypatch, pace=0.0002)
    trial = Trial(bench, goal)
    trial.meet({"status": 429, "retry_after": BLOCK}, kind=kind, times=1)
    result = trial.run()
    assert (result["instance"]["outcome"], trial.patches()) == ("changed", 1 if kind == "read" else 2)
    assert BLOCK - 1 < result["api_calls"]["rate_limited_seconds"] < BLOCK + 5
    assert result["summary"]["duration"] >= BLOCK
    assert "rate limit" in "".join(str(warning) for warning in result["warnings"])
    trial.assert_done_once()


def test_the_wait_for_the_state_does_not_count_the_block(bench, monkeypatch):
    """A restart is waited for by a clock that stands still during the block, so even a short timeout outlasts it."""
    quicken(monkeypatch, pace=0.0002)
    trial = Trial(bench, GOALS["restarted"])
    trial.meet({"status": 429, "retry_after": BLOCK}, kind="read", skip=1, times=1)
    result = trial.run(wait_timeout=5)
    assert result["instance"]["outcome"] == "changed"
    trial.assert_done_once()


@every_goal
@pytest.mark.parametrize("kind", ["read", "patch"])
def test_a_block_longer_than_the_task_waits(bench, goal, kind, monkeypatch):
    """It ends the task at once: not attempted, unchanged, and how long the block takes."""
    quicken(monkeypatch, pace=0.0002)
    trial = Trial(bench, goal)
    trial.meet({"status": 429, "retry_after": 331}, kind=kind)
    result = trial.run()
    assert (result["instance"]["outcome"], result["changed"]) == ("not_attempted", False)
    assert "331 s more" in result["msg"] and "rate_limit_timeout allows 330 s" in result["msg"]
    assert result["summary"]["duration"] < 30, "there is no use in waiting for some of it"
    trial.assert_not_done()


def test_blocks_add_up(bench, monkeypatch):
    """Two blocks are more than the task waits in all."""
    quicken(monkeypatch, pace=0.0002)
    trial = Trial(bench, GOALS["paused"])
    trial.meet({"status": 429, "retry_after": 200}, times=2)
    result = trial.run()
    assert (result["instance"]["outcome"], trial.patches()) == ("not_attempted", 2)
    assert 200 <= result["summary"]["duration"] < 210
    trial.assert_not_done()


def test_a_block_that_never_ends_and_tells_nothing(bench, monkeypatch):
    """Without Retry-After the waits double, so that few calls are made in the time that the task waits."""
    quicken(monkeypatch, pace=0.0002)
    trial = Trial(bench, GOALS["paused"])
    trial.meet({"status": 429}, kind="read")
    result = trial.run()
    assert (result["instance"]["outcome"], result["changed"]) == ("not_attempted", False)
    assert 8 <= result["api_calls"]["reads"] <= 20


# -- scaled down, by the real clock, and with many workers --------------------------------------------------------------


def sleepers(bench, count):
    """Ids of so many instances that wait."""
    bench.control("POST", "/purge", {"workflow": FLEET})
    ids = bench.create(FLEET, [f"sleeper-{number}" for number in range(count)], {"steps": [{"do": "one"}, NAP]}, status="waiting")
    bench.control("POST", "/calls/reset")
    return ids


def moments(calls, refused):
    """When the calls that the gateway refused with 429, or those it took, arrived there."""
    return [datetime.fromisoformat(call["at"].replace("Z", "+00:00")) for call in calls if (call["status"] == 429) is refused]


@pytest.mark.parametrize("retry_after", [True, False], ids=["with Retry-After", "without"])
def test_one_refusal_stops_all_workers(bench, retry_after):
    """Calls that were under way are refused together; from then on nobody calls until the block is over."""
    ids = sleepers(bench, 14)
    bench.control("POST", "/quota", {"limit": 12, "window_s": 30, "block_s": 2, "headers": False, "retry_after": retry_after})
    result = bench.module(workflow_name=FLEET, instance_ids=ids, state="paused", concurrency=4)
    assert_sound(bench, result)
    assert result["summary"]["changed"] == 14, result["msg"]
    calls = bench.calls()["log"]
    refused = moments(calls, refused=True)
    assert result["api_calls"]["rate_limited_seconds"] > 0
    if retry_after:
        bursts = [moment for before, moment in zip([None, *refused], refused) if before is None or moment - before > timedelta(seconds=1)]
        assert len(refused) <= 4 * len(bursts), "each block is met by the workers' calls under way, and by no more"
    assert result["api_calls"]["patches"] == len([call for call in calls if call["kind"] == "patch"])
    for instance in ids:
        assert bench.steps(FLEET, instance)["steps"] == {"one": 1}


def test_authentication_errors_during_a_block(bench):
    """The gateway calls a good token bad right after its 429, once for each worker; none of them believes it."""
    ids = sleepers(bench, 12)
    settings = {"limit": 6, "window_s": 30, "block_s": 1, "headers": False, "auth_errors_after_429": 1}
    bench.control("POST", "/quota", settings)
    result = bench.module(workflow_name=FLEET, instance_ids=ids, state="paused", concurrency=2)
    assert_sound(bench, result)
    assert result["summary"]["changed"] == 12, result["msg"]


def test_the_quota_is_not_run_into(bench):
    """Where the server tells what is left, the task slows down in time and is never refused."""
    ids = sleepers(bench, 16)
    bench.control("POST", "/quota", {"limit": 14, "window_s": 1, "block_s": 30})
    result = bench.module(workflow_name=FLEET, instance_ids=ids, state="paused", concurrency=4, rate_limit_reserve=0.5)
    assert_sound(bench, result)
    assert result["summary"]["changed"] == 16
    assert moments(bench.calls()["log"], refused=True) == []


def test_restarts_are_looked_at_again_after_a_block(bench, monkeypatch):
    """A restart rests on a look that is fresh when it goes out, whenever that is."""
    noted = note_calls(monkeypatch, quicken(monkeypatch, pace=1))
    bench.control("POST", "/purge", {"workflow": FLEET})
    steps = {"steps": [{"do": "one"}, {"do": "two", "fail": 1}, NAP]}
    ids = bench.create(FLEET, [f"failed-{number}" for number in range(8)], steps, status="errored")
    bench.control("POST", "/calls/reset")
    bench.control("POST", "/quota", {"limit": 10, "window_s": 30, "block_s": 1, "headers": False})
    result = bench.module(workflow_name=FLEET, instance_ids=ids, state="restarted", when_status=["errored"], concurrency=4)
    assert_sound(bench, result)
    assert result["summary"]["changed"] == 8, result["msg"]
    assert moments(bench.calls()["log"], refused=True)
    last_look = {}
    for moment, method, url in noted:
        instance = url.partition("/instances/")[2].partition("/")[0].partition("?")[0]
        if method == "PATCH":
            assert moment - last_look[instance] <= 2
        else:
            last_look[instance] = moment
    bench.control("POST", "/await", {"workflow": FLEET, "instances": ids, "status": "waiting"})
    for instance in ids:
        assert bench.steps(FLEET, instance)["steps"] == {"one": 2, "two": 2}
