# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rate limit: one refusal stops all workers, what follows is decided anew, and with headers it doesn't come to that.

Small quotas of a second or two run in real time, by the gateway's own clock. Where a block takes minutes, as in production,
the module is given a clock by which they pass in a moment. No test asserts on speed.
"""

from __future__ import annotations

import re
import time

import pytest
from flock import at, ids, names, queries
from quickclock import note_calls, quicken

FIVE_MINUTES = {"status": 429, "retry_after": 300}


def limit(flock, calls, **quota):
    """Set a quota; see tests/engine/README.md."""
    flock.control("POST", "/quota", {"limit": calls, **quota})


def refused(flock):
    """The calls that were answered with 429."""
    return [entry for entry in flock.calls()["log"] if entry["status"] == 429]


def between(flock, since, until):
    """The calls that arrived between so many seconds after the first refusal."""
    start = at(refused(flock)[0])
    return [entry for entry in flock.calls()["log"] if since < at(entry) - start < until]


def accepted(flock):
    """How many changes of each instance were accepted, as a list of (instance, times)."""
    done = [entry["instance"] for entry in flock.calls()["log"] if entry["kind"] == "patch" and entry["status"] == 200]
    return {name: done.count(name) for name in done}


def looked_at_again(flock, count):
    """How many of so many instances were not accepted before the first look at one alone."""
    kinds = [(entry["kind"], entry["status"]) for entry in flock.calls()["log"]]
    return count - kinds[: kinds.index(("read", 200))].count(("patch", 200))


def too_early(flock, began, moments):
    """The calls that arrived before these moments, seconds since `began`. One that comes late is no offence, nor are those after it."""
    return [entry for entry, moment in zip(flock.calls()["log"], moments) if at(entry) - began < moment - 0.01]


def warned(result):
    """All warnings as one text."""
    return str(result.get("warnings", ""))


# -- a block ----------------------------------------------------------------------------------------------------------


def test_block(flock):
    """All workers stop until `Retry-After`; what is left is looked at again, changed once, and nothing is lost."""
    everyone = flock.create(names("ok", 20))
    limit(flock, 15, window_s=30, block_s=2, headers=False)
    result = flock.run(select={"status": ["waiting"]}, state="paused", concurrency=4)
    assert not result.get("failed") and len(ids(result, outcome="changed", status="paused")) == 20
    assert accepted(flock) == dict.fromkeys(everyone, 1)
    # Whatever comes before the block is over is refused: what each worker had under way, and nothing more.
    assert 1 <= len(refused(flock)) <= 4
    # Six are left, less those whose change was so long under way that it came after the block.
    assert 3 <= looked_at_again(flock, 20) <= 6
    assert flock.cost() == (looked_at_again(flock, 20), 1, 20 + len(refused(flock)))
    assert result["api_calls"]["retries"] == len(refused(flock))
    assert 0 < result["api_calls"]["rate_limited_seconds"] <= result["summary"]["duration"]
    assert "rate limit" not in warned(result)


def test_block_while_listing(flock):
    """A refused page is asked for again, and none is lost or read twice."""
    flock.create(names("ok", 120))
    flock.meet("list", {"status": 429, "retry_after": 1}, skip=1, times=1)
    result = flock.run(check_mode=True, select={"status": ["waiting"]}, state="paused")
    assert flock.cost() == (0, 3, 0) and result["api_calls"]["retries"] == 1
    assert result["summary"]["matched"] == 120
    first, second, third = queries(flock.calls())
    assert second == third != first
    assert between(flock, 0.2, 0.9) == []


@pytest.mark.parametrize(
    "quota",
    [
        pytest.param({"headers": False, "retry_after": False}, id="neither"),
        pytest.param({"headers": False, "retry_after": True}, id="only Retry-After"),
        pytest.param({"headers": True, "retry_after": False}, id="only Ratelimit"),
        pytest.param({"headers": True, "retry_after": True}, id="both"),
    ],
)
def test_small_quotas(flock, quota):
    """Whatever the server tells of its limits: everything is done once, however long it takes."""
    everyone = flock.create(names("ok", 24))
    # Windows so long that no stall makes the limit superfluous; a block ends them.
    limit(flock, 14, window_s=3 if quota["headers"] else 30, block_s=1, **quota)
    result = flock.run(select={"status": ["waiting"]}, state="paused", concurrency=6)
    assert not result.get("failed") and len(ids(result, outcome="changed", status="paused")) == 24
    assert accepted(flock) == dict.fromkeys(everyone, 1)
    assert len(refused(flock)) <= (0 if quota["headers"] else 20)
    assert result["api_calls"]["rate_limited_seconds"] > 0


def test_refused_with_ratelimit_alone(flock, monkeypatch):
    """Somebody else has spent the quota, and the refusal has no `Retry-After`: `Ratelimit` tells when it is renewed."""
    noted = note_calls(monkeypatch, quicken(monkeypatch))
    flock.create(names("ok", 12))
    headers = {"Ratelimit": '"default";r=0;t=2', "Ratelimit-Policy": '"default";q=1200;w=300'}
    flock.meet("patch", {"status": 429, "headers": headers}, skip=3, times=1)
    result = flock.run(select={"status": ["waiting"]}, state="paused", concurrency=2)
    assert len(ids(result, outcome="changed")) == 12
    moments = [moment for moment, _method, _url in noted]
    assert [moment for moment in moments if 0 < moment < 2] == [] and max(moments) >= 2


def test_five_minutes(flock, monkeypatch):
    """A block as production has it: waited for, told in the result, and warned of."""
    quicken(monkeypatch, 0.003)
    flock.create(names("ok", 15))
    flock.meet("patch", FIVE_MINUTES, skip=5, times=1)
    result = flock.run(select={"status": ["waiting"]}, state="paused", concurrency=4)
    assert len(ids(result, outcome="changed")) == 15
    assert 299 < result["api_calls"]["rate_limited_seconds"] < 310
    assert "the API's rate limit held this task back for 30" in warned(result)


# -- what follows a block is decided anew -----------------------------------------------------------------------------


def test_decided_anew(flock, monkeypatch):
    """During the block others pause one, terminate another and delete a third: each is judged by what it is afterwards."""
    quicken(monkeypatch, 0.003)
    flock.create(names("ok", 15))
    order = ids(flock.run(check_mode=True, select={"status": ["waiting"]}, state="paused"))
    paused, terminated, deleted = order[-3:]
    others = [{"op": "pause", "instance": paused}, {"op": "terminate", "instance": terminated}, {"op": "delete", "instance": deleted}]
    flock.meet("patch", FIVE_MINUTES, skip=2, times=1, before=others)
    result = flock.run(select={"status": ["waiting"]}, state="paused", concurrency=1, skip_finished=True)
    # The page again, since thirteen are left; the deleted one is not on it and is looked at alone.
    assert flock.cost() == (1, 2, 2 + 1 + 10)
    assert accepted(flock) == dict.fromkeys(order[:-3], 1)
    assert ids(result, outcome="changed") == order[:-3]
    assert ids(result, outcome="unchanged", status="paused") == [paused]
    assert ids(result, outcome="unchanged", status="terminated") == [terminated]
    assert ids(result, outcome="failed", status=None) == [deleted]


def test_selected_no_longer(flock, monkeypatch):
    """What left the selected status during the block is left alone, whatever state is wanted."""
    quicken(monkeypatch, 0.003)
    everyone = flock.create_paused(names("held", 5))
    resumed = [{"op": "resume", "instance": name} for name in everyone]
    flock.meet("patch", FIVE_MINUTES, times=1, before=[*resumed, {"op": "await", "instances": everyone, "status": "waiting"}])
    result = flock.run(select={"status": ["paused"]}, state="terminated", concurrency=1)
    assert flock.cost() == (5, 1, 1) and accepted(flock) == {}
    assert not result["changed"] and len(ids(result, outcome="unchanged", previous_status="paused", status="waiting")) == 5
    assert "is no longer paused (waiting): nothing was sent" in result["instances"][0]["msg"]


def test_restarts_are_sent_once(flock, monkeypatch):
    """A refused restart was not processed: it is sent again, after a new look, and what somebody restarted meanwhile is not."""
    quicken(monkeypatch, 0.003)
    flock.create_errored(names("failed", 12))
    order = ids(flock.run(check_mode=True, select={"status": ["errored"]}, state="restarted"))
    restarted = [{"op": "restart", "instance": order[-1]}, {"op": "await", "instance": order[-1], "status": "waiting"}]
    flock.meet("patch", FIVE_MINUTES, skip=3, times=1, before=restarted)
    result = flock.run(select={"status": ["errored"]}, state="restarted", concurrency=1, wait=False)
    assert accepted(flock) == dict.fromkeys(order[:-1], 1)
    assert ids(result, outcome="unchanged", status="waiting") == order[-1:]
    assert flock.cost() == (9, 1, 12)
    flock.wait_for(order, "waiting")
    assert all(flock.ran(name) == {"one": 2, "two": 2} for name in order)


def test_waiting_does_not_count_the_block(flock, monkeypatch):
    """`wait_timeout` is for the instance's own time: a block of a minute while it settles leaves it the same."""
    quicken(monkeypatch)
    held = flock.create_gated(names("held", 12), "blocked")
    flock.meet("list", {"status": 429, "retry_after": 60}, skip=1, times=1)
    opened = [{"op": "gate", "name": "blocked"}, {"op": "await", "instances": held, "status": "paused"}]
    flock.meet("list", skip=1, times=1, before=opened)  # a call that one rule takes is not seen by the next
    result = flock.run(select={"status": ["running"]}, state="paused", wait_timeout=20, wait_sleep=1)
    assert flock.cost() == (0, 3, 12)
    assert len(ids(result, outcome="changed", status="paused")) == 12
    assert 59 < result["api_calls"]["rate_limited_seconds"] < 62


# -- authentication errors after a refusal ----------------------------------------------------------------------------


def test_authentication_errors_after_a_refusal(flock):
    """After a 429 an authentication error is no proof of a bad token: the call is repeated once."""
    flock.create(names("ok", 20))
    limit(flock, 15, window_s=30, block_s=1, headers=False, auth_errors_after_429=1)
    result = flock.run(select={"status": ["waiting"]}, state="paused", concurrency=1)
    assert not result.get("failed") and len(ids(result, outcome="changed")) == 20
    assert [entry["status"] for entry in flock.calls()["log"]].count(401) == 1


def test_authentication_errors_that_last(flock):
    """The second one in a row is believed."""
    flock.create(names("ok", 20))
    limit(flock, 15, window_s=30, block_s=1, headers=False, auth_errors_after_429=5)
    result = flock.run(select={"status": ["waiting"]}, state="paused", concurrency=1)
    assert result["failed"] and len(ids(result, outcome="changed")) == 14
    assert len(ids(result, outcome="not_attempted")) == 6
    assert [entry["status"] for entry in flock.calls()["log"]].count(401) == 2


# -- rate_limit_timeout -----------------------------------------------------------------------------------------------


def test_rate_limit_timeout(flock):
    """A block longer than the task may wait ends it at once: nobody waits for what will not come."""
    flock.create(names("ok", 20))
    flock.meet("patch", FIVE_MINUTES, skip=4)
    result = flock.run(select={"status": ["waiting"]}, state="paused", concurrency=2, rate_limit_timeout=60)
    assert result["failed"] and result["changed"] and result["summary"]["duration"] < 60
    assert len(ids(result, outcome="changed")) == 4 and len(ids(result, outcome="not_attempted")) == 16
    assert flock.cost()[2] - 4 <= 2
    told = re.sub(r"\d\d:\d\d:\d\dZ", "HH:MM:SSZ", result["msg"])
    assert told == (
        "16 of 20 instances of fleet were not attempted. The other 4 are paused (4 by this task): the API's rate limit blocks this token "
        "until HH:MM:SSZ, for 300 s more, and rate_limit_timeout allows 60 s in all. Run again after that, or raise rate_limit_timeout."
    )


def test_rate_limit_timeout_of_all_blocks(flock, monkeypatch):
    """The second block of five minutes passes the default of 330 seconds in all."""
    quicken(monkeypatch, 0.003)
    flock.create(names("ok", 20))
    flock.meet("patch", FIVE_MINUTES, skip=4, times=1)
    flock.meet("patch", FIVE_MINUTES, skip=9, times=1)
    result = flock.run(select={"status": ["waiting"]}, state="paused", concurrency=1)
    assert len(refused(flock)) == 2
    assert len(ids(result, outcome="changed")) == 9 and len(ids(result, outcome="not_attempted")) == 11
    assert "rate_limit_timeout allows 330 s in all" in result["msg"]


def test_rate_limit_timeout_of_nothing(flock):
    """With 0 the first refusal ends the task, before anything was matched even."""
    flock.meet("list", {"status": 429})
    result = flock.run(select={"status": ["waiting"]}, state="paused", rate_limit_timeout=0)
    assert result["failed"] and flock.cost() == (0, 1, 0)
    assert result["msg"].startswith("No instance of fleet was changed: the API's rate limit blocks this token until ")


# -- ahead of the limit -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reserve", [0.0, 0.5])
def test_ahead_of_the_limit(flock, reserve):
    """With headers it comes to no refusal; past the reserve the rest of the quota is spread, so that others find some left."""
    flock.create(names("ok", 36))
    limit(flock, 30, window_s=5, block_s=1)  # so long that no stall makes the limit superfluous
    result = flock.run(select={"status": ["waiting"]}, state="paused", concurrency=4, rate_limit_reserve=reserve)
    assert refused(flock) == [] and not result.get("failed")
    assert result["summary"]["changed"] == flock.cost()[2] == 36 and result["api_calls"]["retries"] == 0
    assert flock.cost()[0] <= 10  # those left when the quota was spent are looked at again
    assert result["api_calls"]["rate_limited_seconds"] > 0
    log = flock.calls()["log"]
    early = [entry for entry in log if at(entry) - at(log[0]) < 1]
    assert len(early) <= (30 if reserve == 0 else 30 * (1 - reserve) + 30 * reserve / 5 + 4)


def test_short_windows(flock):
    """Many small quotas one after the other."""
    flock.create(names("ok", 24))
    limit(flock, 10, window_s=1, block_s=1)
    result = flock.run(select={"status": ["waiting"]}, state="paused", concurrency=4)
    assert refused(flock) == []
    assert result["summary"]["changed"] == flock.cost()[2] == 24


def test_requests_per_second(flock):
    """The task's own ceiling, however many workers there are."""
    flock.create(names("ok", 24))
    began = time.time()
    result = flock.run(select={"status": ["waiting"]}, state="paused", requests_per_second=10, concurrency=16)
    assert flock.calls()["total"] == 25
    assert too_early(flock, began, [number / 10 for number in range(25)]) == []
    assert result["api_calls"]["rate_limited_seconds"] == 0  # that was the task's own wish


def test_requests_per_second_of_late_restarts(flock):
    """A look and its restart are two calls."""
    flock.create_errored(names("failed", 6))
    began = time.time()
    flock.run(instance_ids=names("failed", 6), state="restarted", requests_per_second=4, wait=False)
    assert flock.cost()[1:] == (0, 6)
    assert too_early(flock, began, [number // 2 / 2 for number in range(flock.calls()["total"])]) == []


def test_requests_per_second_of_late_restarts_in_a_row(flock, monkeypatch):
    """The restart follows its look at once, and the next look waits for both."""
    noted = note_calls(monkeypatch, quicken(monkeypatch))
    flock.create_errored(names("failed", 6))
    flock.run(instance_ids=names("failed", 6), state="restarted", requests_per_second=4, wait=False, concurrency=1)
    assert flock.cost() == (6, 0, 6)
    assert [(moment, method) for moment, method, _url in noted] == [
        (number / 2, method) for number in range(6) for method in ("GET", "PATCH")
    ]
