# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Batch by batch on the engine: a canary that is worth something, and what stops it."""

from __future__ import annotations

import time

import pytest
from flock import NAP, names

#: Fails in its second step as long as the switch `broken` is on, after trying for three seconds.
TRIES = {
    "steps": [
        {"do": "one"},
        {"do": "two", "fail_while": "broken", "retries": {"limit": 3, "delay_ms": 1000, "backoff": "constant"}},
        {"sleep": "nap", "ms": 3_600_000},
    ]
}
CANARY = {"state": "restarted", "from_failed_step": True, "batch_size": [2, 50], "max_failures": 1, "wait_sleep": 0.5}


@pytest.fixture
def trying(flock):
    """A Flock of six that have errored in a step that is tried for seconds; the switch `broken` is still on."""
    flock.control("POST", "/switch", {"name": "broken", "value": True})
    flock.create(names("failed", 6), TRIES, "errored")
    return flock


def test_one_look_is_no_canary(trying):
    """Each was fine at that look, and fails seconds later: all six are restarted, in green."""
    result = trying.run(select={"status": ["errored"]}, **CANARY)
    assert not result.get("failed") and result["summary"]["changed"] == 6 and result["summary"]["finished_again"] == 0
    trying.wait_for(names("failed", 6), "errored")


def test_past_the_step_it_is(trying):
    """Two are restarted, and fail in the end: nothing more is sent."""
    result = trying.run(select={"status": ["errored"]}, wait_until="past_step", **CANARY)
    assert result["failed"] and len(trying.patches()) == 2
    assert result["batches"] == [{"number": 1, "of": 2, "matched": 2, "changed": 0, "failed": 2, "errored_again": 2}]
    assert result["summary"]["not_attempted"] == 4 and len(result["ids"]["failed"]) == 2
    assert result["msg"].startswith("2 of 6 instances of fleet were restarted and have errored again: 2 with Error: two failed (failed-")
    assert "4 were not attempted (max_failures (1) is reached, in batch 1 of 2)" in result["msg"]


def test_a_canary_that_lives(trying):
    """The cause is mended while the canary tries: it gets past the step, and so do the others."""
    started = trying.start(select={"status": ["errored"]}, wait_until="past_step", **CANARY)
    while len(trying.patches()) < 2:
        time.sleep(0.05)
    time.sleep(1)
    assert len(trying.patches()) == 2, "the others wait"
    trying.control("POST", "/switch", {"name": "broken", "value": False})
    result = started.finish()
    trying.check(result)
    assert not result.get("failed") and [batch["changed"] for batch in result["batches"]] == [2, 4]
    assert all("it has passed two." in item["msg"] for item in result["instances"])
    assert set(trying.statuses(names("failed", 6)).values()) <= {"running", "waiting"}


def test_resumed_until_past_a_step(flock):
    """What was paused in a sleep is past it when the sleep has ended, not as soon as it runs."""
    steps = [{"sleep": "nap", "ms": 2500}, {"wait": "ever"}]
    flock.create(["a"], {"steps": steps})
    flock.op({"op": "pause", "instance": "a"})
    began = time.monotonic()
    result = flock.run(instance_id="a", state="running", wait_until="past_step", wait_sleep=0.3)
    assert not result.get("failed") and "it has passed a step" in result["msg"]
    assert time.monotonic() - began > 0.3 and flock.cost()[0] >= 3


def test_resumed_until_its_end(flock):
    steps = [{"sleep": "nap", "ms": 1500}, {"do": "last"}]
    flock.create(names("ok", 3), {"steps": steps})
    flock.op(*({"op": "pause", "instance": name} for name in names("ok", 3)))
    result = flock.run(instance_ids=names("ok", 3), state="running", wait_until="ended", wait_sleep=0.3)
    assert not result.get("failed") and {item["status"] for item in result["instances"]} == {"complete"}


def test_not_in_time_is_a_failure_that_names_what_is_lacking(flock):
    flock.create(["a"], {"steps": [{"wait": "ever"}]})
    flock.op({"op": "pause", "instance": "a"})
    result = flock.run(instance_id="a", state="running", wait_until="ended", wait_timeout=1, wait_sleep=0.2)
    assert result["failed"] and result["changed"] and len(flock.patches()) == 1
    assert "it runs, and has not ended yet (wait_until). Look at it; it needs no second resume." in result["msg"]


def test_calls_of_batches(flock):
    """One listing for each batch but the first, which is decided on the selection's, and the pauses in between."""
    flock.create(names("ok", 45))
    began = time.monotonic()
    result = flock.run(select={"status": ["waiting"]}, state="paused", batch_size=[5, 20], batch_pause=0.5)
    assert [batch["matched"] for batch in result["batches"]] == [5, 20, 20] and result["summary"]["changed"] == 45
    assert flock.cost() == (0, 3, 45) and time.monotonic() - began >= 1


def test_what_has_moved_by_its_batch_is_left_alone(flock):
    """Two of the second batch are resumed by somebody while the first one is paused."""
    flock.create_paused(names("held", 6))
    newest = [item["id"] for item in flock.run(select={"status": ["paused"]}, state="running", check_mode=True)["instances"]]
    others = newest[-2:]
    flock.meet("patch", before=[{"op": "terminate", "instance": name} for name in others], times=1)
    result = flock.run(select={"status": ["paused"]}, state="running", batch_size=[2, 10])
    assert result["ids"]["unchanged"] == others and len(flock.patches()) == 4
    assert all("no longer paused (terminated)" in item["msg"] for item in result["instances"] if item["id"] in others)


def test_paused_before_it_is_rolled_back(flock):
    """The step under way ends first, and its handler runs; without the pause it would be cut off."""
    steps = [{"do": "charge", "gate": "charging", "rollback": True}, *NAP["steps"]]
    flock.create(["a"], {"steps": steps}, "running")
    flock.control("POST", "/await", {"gate": "charging", "waiting": 1})
    started = flock.start(instance_id="a", state="terminated", rollback=True, pause_first=True, wait_sleep=0.2)
    while not flock.patches():
        time.sleep(0.05)
    time.sleep(1)
    assert flock.patches() == [("a", "pause")]
    flock.control("POST", "/gate", {"name": "charging"})
    result = started.finish()
    flock.check(result)
    assert not result.get("failed") and result["instance"]["rollback"]["outcome"] == "complete", result["msg"]
    assert flock.patches() == [("a", "pause"), ("a", "terminate")]
    assert flock.bench.steps(flock.workflow, "a")["rollbacks"] == {"charge": 1} and "cut off" not in result["msg"]


def test_not_paused_in_time_is_not_terminated(flock):
    flock.create_gated(["a"], "work")
    result = flock.run(instance_id="a", state="terminated", rollback=True, pause_first=True, wait_timeout=1, wait_sleep=0.2)
    assert result["failed"] and flock.patches() == [("a", "pause")]
    assert "so no terminate was sent. Run again to wait for it, or raise wait_timeout." in result["msg"]
    flock.control("POST", "/gate", {"name": "work"})


def test_check_mode_tells_the_batches(flock):
    flock.create(names("ok", 25))
    result = flock.run(select={"status": ["waiting"]}, state="paused", batch_size=[5, 10], check_mode=True)
    assert [batch["matched"] for batch in result["batches"]] == [5, 10, 10] and flock.patches() == []
    assert "(25 waiting) in 3 batches of 5, 10, 10. About 25 calls" in result["msg"]


def test_brief(flock):
    """Only what something is to be told of; ids hold all."""
    flock.create(names("ok", 12))
    flock.create(names("done", 1), {"steps": []}, "complete")
    task = {"instance_ids": [*names("ok", 12), "done-000"], "state": "paused", "details": "brief"}
    result = flock.run(diff=True, **task)
    assert [item["id"] for item in result["instances"]] == ["done-000"]
    assert result["diff"] == {"before": {"waiting": 12}, "after": {"paused": 12}}
    assert result["ids"]["changed"] == names("ok", 12) and "ansible_facts" not in result
    left = flock.run(skip_finished=True, **task)
    assert "ansible_facts" not in left and [item["id"] for item in left["instances"]] == ["done-000"]
