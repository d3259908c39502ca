# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Midway the controller goes away, in every way that it can: nothing new is sent, nothing hangs, no traceback.

What was not attempted is told where somebody can still hear it: in the result, or in the system's log.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time

import ansible_runner
import harness
import pytest
from flock import HANGS, ids, names, wait_for_calls
from plays import Play, environment, pausing

#: A process that starts another one as the leader of a session, as ansible-core's workers are, and then only lives.
LAUNCHER = """
import os, subprocess, sys, time
if os.fork() == 0:
    os.setsid()
    os._exit(subprocess.call(sys.argv[1:]))
time.sleep(120)
"""

#: Seconds after which calls that hang are given up (`api_timeout`): enough for the signal to come before.
GIVEN_UP = 8

#: Holds up a call until `let_go`.
HELD = {"op": "await", "gate": "held", "open": True}


@pytest.fixture
def slow(flock):
    """A Flock of 40 that wait, behind a gateway that takes its time, and holds up all changes after six until `let_go`."""
    flock.create(names("ok", 40))
    flock.control("POST", "/latency", {"ms": 300})
    flock.meet("patch", skip=6, before=[HELD])
    return flock


def arrived(flock):
    """How many changes have arrived at the gateway by now."""
    return flock.calls()["by_kind"]["patches"]


def let_go(flock):
    """The controller is gone: count the changes that have arrived by now, and hold up none any more."""
    before = arrived(flock)
    flock.control("POST", "/gate", {"name": "held"})
    return before


def assert_nothing_new(flock, before, workers=2):
    """Since `before`, counted when the controller was gone, each worker has sent one more at most; and none arrives any more.

    Counted afterwards, since between a count and what it is to precede any number of changes can arrive on a busy machine.
    """
    time.sleep(0.7)
    flock.control("POST", "/idle")
    patches = arrived(flock)
    assert before <= patches <= before + workers and patches < 40
    time.sleep(0.7)
    assert arrived(flock) == patches


def interrupt_in_process(task, number, ready, then):
    """Run a task in this process, send it a signal once `ready` returns, and call `then`."""

    def send():
        ready()
        os.kill(os.getpid(), number)
        then()

    thread = threading.Thread(target=send)
    thread.start()
    try:
        return task()
    finally:
        thread.join()


# -- signals ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_signals(slow, name):
    """The changes under way end, the rest is not attempted, and all of it is told."""
    process = slow.start(select={"status": ["waiting"]}, state="paused", concurrency=2)
    wait_for_calls(slow, "patches", 4)
    process.popen.send_signal(getattr(signal, name))
    before = let_go(slow)
    result = process.finish()
    assert_nothing_new(slow, before)
    slow.check(result)
    assert result["failed"] and result["changed"] and result.stderr == ""
    done, left = ids(result, outcome="changed", status="paused"), ids(result, outcome="not_attempted", status="waiting")
    assert len(done) == slow.cost()[2] and len(done) + len(left) == 40
    assert f"{len(left)} of 40 instances of fleet were not attempted" in result["msg"]
    assert f"({len(done)} by this task): stopped by {name}, and nothing more is sent. Run again for the rest." in result["msg"]
    assert slow.statuses(names("ok", 40)) == {**dict.fromkeys(done, "paused"), **dict.fromkeys(left, "waiting")}


def test_told_in_the_system_log(slow, monkeypatch):
    """Where the controller is gone, nobody reads the result: what was not attempted goes to the log as well."""
    from ansible.module_utils.basic import AnsibleModule

    told = []
    monkeypatch.setattr(AnsibleModule, "log", lambda self, message, **more: told.append(message))
    slow.forget_calls()
    result = interrupt_in_process(
        lambda: slow.run(select={"status": ["waiting"]}, state="paused", concurrency=2),
        signal.SIGTERM,
        lambda: wait_for_calls(slow, "patches", 4),
        lambda: let_go(slow),
    )
    assert result["failed"] and [text for text in told if result["msg"] in text]


def test_while_listing(slow):
    """No further page is asked for: nothing has been matched, so nothing was attempted."""
    slow.meet("list", {"hang_ms": 0, "work": "never"}, before=[HELD])
    process = slow.start(select={"status": ["waiting"]}, state="paused")
    wait_for_calls(slow, "lists", 1)
    process.popen.send_signal(signal.SIGTERM)
    let_go(slow)
    result = process.finish()
    assert slow.cost() == (0, 1, 0)
    assert result["failed"] and not result["changed"] and "stopped by SIGTERM" in result["msg"]


def test_while_changes_hang(slow):
    """Calls that never end are given up after `api_timeout`, and not repeated."""
    slow.meet("patch", {"hang_ms": 600_000, "work": "never"})
    process = slow.start(select={"status": ["waiting"]}, state="paused", concurrency=2, api_timeout=GIVEN_UP)
    wait_for_calls(slow, "patches", 2)
    process.popen.send_signal(signal.SIGTERM)
    result = process.finish()
    slow.check(result)
    assert slow.cost()[2] == 2
    assert len(ids(result, outcome="failed", changed=True)) == 2 and len(ids(result, outcome="not_attempted")) == 38
    assert "pause sent, answer lost" in str(result["instances"]) and "NOT" not in str(result["instances"])


def test_while_restarts_hang(flock):
    """Of a restart whose answer never came nothing can be said: unknown, with what to do."""
    flock.create_errored(names("failed", 6))
    flock.meet("patch", {"hang_ms": 600_000, "work": "never"})
    process = flock.start(select={"status": ["errored"]}, state="restarted", concurrency=2, api_timeout=GIVEN_UP)
    wait_for_calls(flock, "patches", 2)
    process.popen.send_signal(signal.SIGTERM)
    result = process.finish()
    assert flock.cost()[2] == 2
    assert len(ids(result, outcome="unknown", changed=True)) == 2 and len(ids(result, outcome="not_attempted")) == 4
    assert "NOT sent again. Check it, then run again with when_status: [errored]" in str(result["instances"])


def test_while_blocked(flock):
    """In the middle of a block of five minutes: it does not wait for its end."""
    flock.create(names("ok", 12))
    flock.meet("patch", {"status": 429, "retry_after": 300}, skip=3)
    process = flock.start(select={"status": ["waiting"]}, state="paused", concurrency=1)
    wait_for_calls(flock, "patches", 4)
    process.popen.send_signal(signal.SIGTERM)
    result = process.finish()
    flock.check(result)
    assert flock.cost()[2] == 4 and result["summary"]["duration"] < 150
    assert len(ids(result, outcome="changed")) == 3 and len(ids(result, outcome="not_attempted")) == 9


def test_while_settling(flock):
    """Accepted and not seen through: told as failed and changed."""
    flock.create_gated(names("held", 12), "never")
    process = flock.start(select={"status": ["running"]}, state="paused", wait_sleep=0.2)
    wait_for_calls(flock, "lists", 2)
    process.popen.send_signal(signal.SIGTERM)
    result = process.finish()
    assert flock.cost()[2] == 12
    assert len(ids(result, outcome="failed", changed=True, status="waitingForPause")) == 12
    assert "pause accepted" in result["instances"][0]["msg"] and "not waited for: stopped by SIGTERM" in result["instances"][0]["msg"]


# -- nobody listens ---------------------------------------------------------------------------------------------------


def test_closed_output(slow):
    """A task timeout closes the module's standard output and does not stop it: it notices."""
    process = slow.start(select={"status": ["waiting"]}, state="paused", concurrency=2)
    wait_for_calls(slow, "patches", 4)
    process.popen.stdout.close()
    before = let_go(slow)
    process.popen.wait(timeout=HANGS)
    assert_nothing_new(slow, before)
    assert process.popen.stderr.read() == ""


def test_closed_output_while_blocked(flock):
    """It notices in the middle of a block, too."""
    flock.create(names("ok", 12))
    flock.meet("patch", {"status": 429, "retry_after": 300}, skip=3)
    process = flock.start(select={"status": ["waiting"]}, state="paused", concurrency=1)
    wait_for_calls(flock, "patches", 4)
    process.popen.stdout.close()
    process.popen.wait(timeout=HANGS)
    assert flock.cost()[2] == 4 and process.popen.stderr.read() == ""


def test_orphaned_session(slow, monkeypatch):
    """A cancelled job kills the parent of the session's leader and nobody else: the module notices that, too."""
    command = [sys.executable, "-c", LAUNCHER, sys.executable]
    start = subprocess.Popen
    monkeypatch.setattr(harness.subprocess, "Popen", lambda argv, **more: start([*command, *argv[1:]], **more))
    process = slow.start(select={"status": ["waiting"]}, state="paused", concurrency=2)
    wait_for_calls(slow, "patches", 4)
    process.popen.kill()
    process.popen.wait(timeout=HANGS)
    before = let_go(slow)
    result = process.finish()  # the pipe is still open: the result can be read all the same
    assert_nothing_new(slow, before)
    assert "by this task): the controller is gone (a cancelled job), and nothing more is sent" in result["msg"] and result.stderr == ""
    assert len(ids(result, outcome="changed")) + len(ids(result, outcome="not_attempted")) == 40


# -- through ansible-playbook -----------------------------------------------------------------------------------------


def start_play(flock, tmp_path, timeout=0, settings=None):
    """Pause everything until its first changes have arrived."""
    playbook = tmp_path / "pause.yml"
    playbook.write_text(pausing(options={"concurrency": 2}, timeout=timeout), encoding="utf-8")
    flock.forget_calls()
    play = Play(flock.bench.engine, str(playbook), settings=settings)
    flock.started.append(play.popen)
    wait_for_calls(flock, "patches", 2)
    return play


def test_task_timeout(slow, tmp_path):
    """The task keyword `timeout`: the task fails, and the module stops sending. (In the worker: test_in_worker.py.)"""
    play = start_play(
        slow, tmp_path, timeout=12, settings={"EDGEOPS_CLOUDFLARE_RUN_AS": "module"}
    )  # in which a busy machine has started the module, too
    assert play.finish() == 2
    assert re.search(r"[Tt]imed out after 12 s|expected time frame \(12\)", play.output), play.output
    assert "Traceback" not in play.output
    assert_nothing_new(slow, let_go(slow))


@pytest.mark.parametrize("settings", [{}, {"EDGEOPS_CLOUDFLARE_RUN_AS": "module"}], ids=["worker", "module"])
@pytest.mark.parametrize("name", ["SIGINT", "SIGKILL"])
def test_playbook_stopped(slow, tmp_path, name, settings):
    """Ctrl-C in the terminal, and a playbook that is killed."""
    play = start_play(slow, tmp_path, settings=settings)
    os.killpg(play.popen.pid, getattr(signal, name))  # the whole group, as terminals and runners do
    play.popen.wait(timeout=HANGS)
    assert_nothing_new(slow, let_go(slow))
    play.finish()
    assert "Traceback" not in play.output


# -- through ansible-runner, as AWX does ------------------------------------------------------------------------------


@pytest.mark.parametrize("settings", [{}, {"EDGEOPS_CLOUDFLARE_RUN_AS": "module"}], ids=["worker", "module"])
def test_runner_job_cancelled(slow, tmp_path, settings):
    """A cancelled job: the runner kills the playbook's processes and not the module, which stops by itself."""
    playbook = tmp_path / "pause.yml"
    playbook.write_text(pausing(options={"concurrency": 2}), encoding="utf-8")
    slow.forget_calls()
    runner = ansible_runner.run(
        private_data_dir=str(tmp_path),
        playbook=str(playbook),
        envvars=environment(slow.bench.engine, **settings),
        settings={"pexpect_timeout": 1},
        cancel_callback=lambda: arrived(slow) >= 2,
        quiet=True,
    )
    assert runner.status == "canceled"
    assert_nothing_new(slow, let_go(slow))
