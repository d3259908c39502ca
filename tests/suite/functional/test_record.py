# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The record that a task prints: what a cancelled job leaves behind to undo it by."""

from __future__ import annotations

import json
import os
import signal
import time

import ansible_runner
import pytest
from flock import names, wait_for_calls
from plays import Play, environment, pausing

MARK = "edgeops_record: "
ALL = names("ok", 12)


def entries(text):
    """The records of an output, in their order: (its head, its one entry)."""
    found = []
    for line in text.splitlines():
        if MARK in line:
            whole = json.loads(line[line.index(MARK) + len(MARK) :])
            (entry,) = whole.pop("records")
            found.append((whole, entry))
    return found


def places(text):
    """Where each id lies by its newest line: {id: group}."""
    found = {}
    for _head, entry in entries(text):
        for group in ("ids", "on_their_way", "unknown", "untouched"):
            found.update((name, group) for name in entry[group])
    return found


def playbook(tmp_path, **options):
    path = tmp_path / "pause.yml"
    keywords = {name: options.pop(name) for name in ("no_log", "check_mode") if name in options}
    path.write_text(pausing(options={"record": True, **options}, **keywords), encoding="utf-8")
    return str(path)


def test_before_and_after_each_batch_as_events(flock, tmp_path):
    """Within the task, so that AWX keeps them with it; the number of the job is AWX's."""
    flock.create(ALL)
    runner = ansible_runner.run(
        private_data_dir=str(tmp_path),
        playbook=playbook(tmp_path, batch_size=[2, 100]),
        envvars={**environment(flock.bench.engine), "JOB_ID": "4711"},
        quiet=True,
    )
    assert runner.status == "successful", runner.stdout.read()
    events = [(event["event"], event["stdout"]) for event in runner.events]
    kinds = [kind for kind, _text in events]
    lines = [number for number, (_kind, text) in enumerate(events) if MARK in text]
    assert kinds.index("runner_on_start") < lines[0] and lines[-1] < kinds.index("runner_on_ok")
    told = entries("\n".join(text for _kind, text in events))
    assert [{group: len(entry[group]) for group in ("ids", "unknown")} for _head, entry in told] == [
        {"ids": 0, "unknown": 2},
        {"ids": 2, "unknown": 0},
        {"ids": 0, "unknown": 10},
        {"ids": 10, "unknown": 0},
    ]
    head, entry = told[0]
    assert head == {"version": 1, "account_id": flock.bench.engine.account_id, "api_url": flock.bench.engine.api_url}
    assert (entry["workflow_name"], entry["state"], entry["job"]) == ("fleet", "paused", "4711") and entry["made_at"].endswith("Z")


@pytest.mark.parametrize("options", [{"no_log": True}, {"check_mode": True}], ids=["no_log", "check_mode"])
def test_nothing_is_printed(flock, tmp_path, options):
    flock.create(ALL)
    play = Play(flock.bench.engine, playbook(tmp_path, **options))
    assert play.finish() == 0 and MARK not in play.output


def test_a_module_prints_nothing(flock, tmp_path):
    """It can't, before it ends; and what it prints then would not be its result any more."""
    flock.create(ALL)
    play = Play(flock.bench.engine, playbook(tmp_path), settings={"EDGEOPS_CLOUDFLARE_RUN_AS": "module"})
    assert play.finish() == 0 and MARK not in play.output


def test_what_a_killed_job_leaves(flock, tmp_path):
    """Every id that may have been changed is in what it has printed, and the batch that was over is told as it is."""
    flock.create(ALL)
    flock.meet("patch", {"hang_ms": 8_000, "work": "before"}, skip=5)
    flock.forget_calls()
    play = Play(flock.bench.engine, playbook(tmp_path, batch_size=[3, 100], concurrency=2, api_timeout=10))
    flock.started.append(play.popen)
    wait_for_calls(flock, "patches", 7)
    os.killpg(play.popen.pid, signal.SIGKILL)
    play.finish(timeout=60)
    told = places(play.output)
    paused = {name for name, status in flock.statuses(ALL).items() if status == "paused"}
    assert sorted(told.values()) == ["ids"] * 3 + ["unknown"] * 9
    assert {name for name, group in told.items() if group == "ids"} < paused <= set(told)


def test_what_a_cancelled_job_leaves(flock, tmp_path):
    """It ends between two calls, and says what it has done."""
    flock.create(ALL)
    flock.control("POST", "/latency", {"ms": 500})
    flock.forget_calls()
    play = Play(flock.bench.engine, playbook(tmp_path, concurrency=1))
    flock.started.append(play.popen)
    wait_for_calls(flock, "patches", 3)
    os.killpg(play.popen.pid, signal.SIGTERM)
    play.finish(timeout=60)
    time.sleep(1)
    paused = {name for name, status in flock.statuses(ALL).items() if status == "paused"}
    told = places(play.output)
    assert set(told) == set(ALL) and {name for name, group in told.items() if group != "untouched"} >= paused, play.output
