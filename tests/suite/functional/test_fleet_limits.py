# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What fails, fails alone, unless it would meet all alike; what was not attempted is told."""

from __future__ import annotations

import re

import pytest
from flock import NOTHING, ids, names
from quickclock import quicken

# -- mixed failures ---------------------------------------------------------------------------------------------------


def test_every_instance_is_attempted(flock):
    """Some can't, some aren't there, one is refused: the rest is done, and the result holds all, in the order given."""
    flock.create(names("ok", 6))
    flock.create(names("done", 3), NOTHING, "complete")
    flock.meet("patch", {"status": 400, "code": 10002, "message": "no pause today"}, match={"instance": "ok-002"})
    given = ["ghost-1", *names("done", 3), *names("ok", 6), "ghost-2"]
    result = flock.run(instance_ids=given, state="paused", diff=True)
    assert result["failed"] and result["changed"] and ids(result) == given
    done = [name for name in names("ok", 6) if name != "ok-002"]
    assert ids(result, outcome="changed", status="paused") == done
    assert ids(result, outcome="failed") == ["ghost-1", *names("done", 3), "ok-002", "ghost-2"]
    assert result["diff"] == {"before": dict.fromkeys(done, "waiting"), "after": dict.fromkeys(done, "paused")}
    assert "ansible_facts" not in result
    assert result["summary"]["by_status"] == {"paused": 5, "complete": 3, "waiting": 1}


def test_reasons_are_grouped(flock):
    """A summary for three in the morning: the most frequent reason first, each with the first few it concerns."""
    flock.create(names("ok", 4))
    flock.create(names("done", 3), NOTHING, "complete")
    flock.meet("patch", {"status": 400, "message": "no pause today"}, match={"instance": "ok-002"})
    result = flock.run(instance_ids=["ghost-1", *names("done", 3), *names("ok", 4), "ghost-2"], state="paused")
    assert result["msg"] == (
        "6 of 9 instances of fleet are not paused: 3 complete (done-000, done-001, done-002), 2 not found (ghost-1, ghost-2), "
        "1 refused (the API says: no pause today (code 10001)) (ok-002). The other 3 are paused (3 by this task). "
        "Check the id; a finished instance is deleted after its retention. skip_finished=true leaves such instances alone. "
        "See what the API objects to; nothing was changed."
    )


def test_long_groups_are_cut(flock):
    """Three ids are enough to go on with; a fourth reason is only counted."""
    flock.create(names("done", 5), NOTHING, "complete")
    flock.create(names("ok", 4))
    for number in range(3):
        flock.meet("patch", {"status": 400, "message": f"reason {number}"}, match={"instance": f"ok-00{number}"})
    result = flock.run(instance_ids=[*names("done", 5), *names("ok", 4), "ghost"], state="paused")
    assert "5 complete (done-000, done-001, done-002 and 2 more in instances), " in result["msg"]
    assert "done-003" not in result["msg"] and result["msg"].count("reason ") == 3


def test_only_what_reached_the_state_counts(flock):
    """What is only on its way when time runs out was not paused, whatever was sent."""
    flock.create_gated(names("held", 2), "never")
    flock.create(["ok"])
    result = flock.run(select={"status": ["running", "waiting"]}, state="paused", wait_sleep=0.2, wait_timeout=0.5)
    assert result["msg"].startswith("2 of 3 instances of fleet are not paused: 2 still waitingForPause after 0.5 s (held-")
    assert "The other 1 is paused (1 by this task)." in result["msg"]


def test_skip_finished(flock):
    """Finished ones that can't reach the state are left as they are, and the task is green."""
    flock.create(names("ok", 2))
    flock.create(names("done", 2), NOTHING, "complete")
    flock.create_errored(["failed"])
    result = flock.run(select={"status": ["waiting", "complete", "errored"]}, state="paused", skip_finished=True)
    assert flock.cost() == (0, 1, 2) and not result.get("failed")
    assert set(ids(result, outcome="unchanged")) == {*names("done", 2), "failed"}
    assert result["msg"] == (
        "5 instances of fleet: 2 are paused (2 by this task), 2 complete (skip_finished) (done-001, done-000), "
        "1 errored (skip_finished) (failed)."
    )
    assert set(result["ansible_facts"]["workflow_instance_status"]) == set(ids(result))


def test_finished_between_listing_and_change(flock):
    """A pause that comes too late for one: with `skip_finished` that one is unchanged, without it fails; the others are paused."""
    for number, options in enumerate(({"skip_finished": True}, {})):
        first, second, third = flock.create(names(f"round-{number}", 3))
        flock.meet("list", times=1, after=[{"op": "terminate", "instance": second}])
        result = flock.run(select={"id_glob": f"round-{number}-*"}, state="paused", **options)
        assert flock.cost() == (0, 1, 3)
        assert set(ids(result, outcome="changed")) == {first, third}
        assert ids(result, outcome="unchanged" if options else "failed", status="terminated") == [second]


def test_terminated_by_somebody_else(flock):
    """A terminate that is refused because somebody was faster: one look, and nothing has failed."""
    flock.create(names("ok", 3))
    flock.meet("list", times=1, after=[{"op": "terminate", "instance": "ok-001"}])
    result = flock.run(select={"status": ["waiting"]}, state="terminated")
    assert flock.cost() == (1, 1, 3)
    assert not result.get("failed") and ids(result, outcome="unchanged", status="terminated") == ["ok-001"]


def test_when_status(flock):
    """Those in other statuses are unchanged, with the reason, and cost nothing."""
    flock.create(names("ok", 2))
    flock.create_paused(names("held", 3))
    result = flock.run(select={"id_glob": "*"}, state="terminated", when_status=["paused"])
    assert flock.cost() == (0, 1, 3)
    assert set(ids(result, outcome="unchanged", status="waiting")) == set(names("ok", 2))
    assert "is waiting, not paused: nothing was sent" in str(result["instances"])


def test_a_server_in_trouble(flock, monkeypatch):
    """One instance whose change always ends in a 500 fails after its repetitions; they are counted, and the others are done."""
    quicken(monkeypatch)
    flock.create(names("ok", 5))
    flock.meet("patch", {"status": 500}, match={"instance": "ok-003"})
    result = flock.run(select={"status": ["waiting"]}, state="paused", api_retries=2, wait=False)
    assert ids(result, outcome="failed") == ["ok-003"] and len(ids(result, outcome="changed")) == 4
    assert result["api_calls"]["patches"] == 4 + 3 and result["api_calls"]["retries"] == 2


# -- max_failures -----------------------------------------------------------------------------------------------------


def test_max_failures(flock):
    """Nothing more is sent after so many failures; what was not attempted is told, and why."""
    flock.create(names("done", 3), NOTHING, "complete")
    flock.create(names("ok", 4))
    given = ["ok-000", "done-000", "ok-001", "done-001", "ok-002", "done-002", "ok-003"]
    result = flock.run(instance_ids=given, state="paused", max_failures=2, concurrency=1)
    assert flock.cost() == (4, 0, 2)
    assert ids(result) == given and result["failed"]
    assert ids(result, outcome="changed") == ["ok-000", "ok-001"]
    assert ids(result, outcome="failed") == ["done-000", "done-001"]
    assert ids(result, outcome="not_attempted") == ["ok-002", "done-002", "ok-003"]
    assert "3 were not attempted (max_failures (2) is reached)" in result["msg"]
    assert "ok-002 was not attempted: max_failures (2) is reached" in result["instances"][4]["msg"]


def test_max_failures_of_a_selection(flock):
    """The listing tells who can't, before anything is sent."""
    flock.create(names("ok", 20))
    flock.create(names("done", 2), NOTHING, "complete")
    result = flock.run(select={"status": ["waiting", "complete"]}, state="paused", max_failures=1, concurrency=1)
    assert flock.cost() == (0, 1, 0)  # the newest come first, and have failed
    assert result["summary"]["failed"] == 2 and len(ids(result, outcome="not_attempted", status="waiting")) == 20


def test_max_failures_with_several_workers(flock):
    """What was under way may still be done, and no more than that."""
    flock.create(names("ok", 40))
    flock.meet("patch", {"status": 400, "message": "no"})
    result = flock.run(select={"status": ["waiting"]}, state="paused", max_failures=3, concurrency=4)
    assert 3 <= result["summary"]["failed"] == result["api_calls"]["patches"] <= 3 + 3
    assert result["summary"]["not_attempted"] == 40 - result["summary"]["failed"]


def test_max_failures_still_waits_for_what_was_sent(flock):
    """It stops sending; what was accepted before is watched until it is there."""
    flock.create_gated(["slow"], "slow")
    flock.create(["done"], NOTHING, "complete")
    flock.create(["other"])
    opened = [{"op": "sleep", "ms": 600}, {"op": "gate", "name": "slow"}]
    flock.meet("patch", times=1, after=[{"op": "background", "ops": opened}])
    task = {"instance_ids": ["slow", "done", "other"], "state": "paused", "max_failures": 1}
    result = flock.run(concurrency=1, wait_sleep=0.5, **task)
    assert [item["outcome"] for item in result["instances"]] == ["changed", "failed", "not_attempted"]
    assert result["instances"][0]["status"] == "paused"


def test_max_failures_not_reached(flock):
    """One less than allowed changes nothing."""
    flock.create(names("done", 2), NOTHING, "complete")
    flock.create(names("ok", 3))
    result = flock.run(instance_ids=[*names("done", 2), *names("ok", 3)], state="paused", max_failures=3)
    assert result["failed"] and len(ids(result, outcome="changed")) == 3 and not ids(result, outcome="not_attempted")


# -- what meets all alike ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "task",
    [
        {"select": {"status": ["waiting"]}},
        {"instance_ids": names("ok", 4)},
        {"instance_ids": names("ok", 12)},
    ],
)
@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"api_token": "engine-token-that-is-wrong"}, "does not know the credentials"),
        ({"account_id": "ffffffffffffffffffffffffffffffff"}, "does not let the credentials"),
        ({"workflow_name": "no-such-workflow"}, "no-such-workflow"),
    ],
)
def test_stops_at_once(flock, task, wrong, words):
    """A wrong token or account, an unknown workflow: one call for each that was under way, and all are not attempted."""
    flock.create(names("ok", 12))
    result = flock.run(state="paused", concurrency=2, **task, **wrong)
    assert result["failed"] and not result["changed"]
    assert words in result["msg"] and re.search("No instance of .* was changed|were not attempted", result["msg"]), result["msg"]
    assert flock.cost()[2] == 0 and 1 <= flock.calls()["total"] <= 2
    assert ids(result) == ids(result, outcome="not_attempted") == task.get("instance_ids", [])
    assert "engine-token-that-is-wrong" not in result.output


def test_token_revoked_midway(flock):
    """From the eleventh change on the token is refused: what is done stays told, the rest is not attempted."""
    flock.create(names("ok", 40))
    flock.meet("patch", {"status": 403, "code": 10000, "message": "Authentication error"}, skip=10)
    result = flock.run(select={"status": ["waiting"]}, state="paused", concurrency=4)
    assert result["failed"] and result["changed"]
    assert len(ids(result, outcome="changed", status="paused")) == 10
    assert len(ids(result, outcome="not_attempted", status="waiting")) == 30
    assert 1 <= flock.cost()[2] - 10 <= 4
    assert (
        "30 of 40 instances of fleet were not attempted. The other 10 are paused (10 by this task): the API does not let" in result["msg"]
    )


def test_token_revoked_while_settling(flock):
    """Accepted and not seen through: told as failed and changed, for it may get there by itself."""
    flock.create_gated(names("held", 3), "never")
    flock.meet("read", {"status": 401, "code": 9109, "message": "Invalid access token"})
    result = flock.run(select={"status": ["running"]}, state="paused", wait_sleep=0.1, concurrency=1)
    assert flock.cost() == (1, 1, 3)
    assert len(ids(result, outcome="failed", changed=True, status="waitingForPause")) == 3
    assert "pause accepted" in result["instances"][0]["msg"] and "not waited for" in result["instances"][0]["msg"]


def test_no_server(flock):
    """Nobody listens: said once, after the retries of one call each."""
    flock.forget_calls()
    task = {"instance_ids": names("ok", 12), "state": "paused", "api_retries": 1, "concurrency": 4}
    result = flock.bench.module(workflow_name="fleet", **task, api_url="http://127.0.0.1:9/client/v4")
    assert result["failed"] and "no connection to 127.0.0.1:9 can be made" in result["msg"]
    assert [item["outcome"] for item in result["instances"]] == ["not_attempted"] * 12
    assert flock.calls()["total"] == result["api_calls"]["total"] == 0


# -- check mode -------------------------------------------------------------------------------------------------------


def test_check_mode_foretells(flock):
    """The same decisions from the same listing, the same diff, and no change sent."""
    flock.create(names("ok", 3))
    flock.create_paused(names("held", 2))
    flock.create(names("done", 2), NOTHING, "complete")
    task = {"select": {"status": ["waiting", "paused", "complete"]}, "state": "paused", "diff": True}
    foretold = flock.run(check_mode=True, **task)
    assert flock.cost() == (0, 1, 0)
    done = flock.run(**task)
    assert flock.cost() == (0, 1, 3)
    for key in ("changed", "failed", "diff"):
        assert foretold[key] == done[key]
    for key in ("id", "previous_status", "action", "changed", "failed", "outcome"):
        assert [item[key] for item in foretold["instances"]] == [item[key] for item in done["instances"]]
    assert foretold["msg"].startswith(
        "2 of 7 instances of fleet can't be paused: 2 complete (done-001, done-000). "
        "Would pause 3 of 7 instances of fleet, and wait (3 waiting). 2 paused already. About 3 calls, within the quota"
    )


def test_check_mode_estimates(flock):
    """What a task will cost at its own pace."""
    flock.create(names("ok", 30))
    result = flock.run(check_mode=True, select={"status": ["waiting"]}, state="paused", requests_per_second=1)
    assert "About 30 calls, 30 s under the rate limit" in result["msg"]
    result = flock.run(check_mode=True, select={"status": ["waiting"]}, state="restarted", requests_per_second=10)
    assert "About 60 calls, 6 s under the rate limit" in result["msg"]
