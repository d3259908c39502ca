# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether anybody still listens."""

from __future__ import annotations

import contextlib
import os
import signal
import sys

import pytest

from ansible_collections.edgeops.cloudflare.plugins.module_utils.task import controller as controller_module
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.controller import Controller, ModuleListener

SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")


@pytest.fixture
def pipe(monkeypatch):
    """A pipe in place of standard output: its two ends as files."""
    reading, writing = (os.fdopen(number, mode) for number, mode in zip(os.pipe(), "rw"))
    monkeypatch.setattr(sys, "__stdout__", writing)
    yield reading, writing
    for end in (reading, writing):
        with contextlib.suppress(OSError):
            end.close()


@pytest.fixture
def parents(monkeypatch):
    """The parents of processes, by their ids, in place of the system's."""
    table = {}
    monkeypatch.setattr(controller_module, "_parent_of", table.get)
    monkeypatch.setattr(controller_module, "_session_leader", lambda: table.get("leader"))
    return table


@pytest.fixture
def restored_signals():
    # Set, since what a shell starts in the background ignores SIGINT.
    handlers = {name: signal.signal(getattr(signal, name), signal.default_int_handler) for name in SIGNALS}
    yield
    for name, handler in handlers.items():
        signal.signal(getattr(signal, name), handler)


# -- standard output --------------------------------------------------------------------------------------------------


def test_somebody_reads(clock, pipe):
    controller = Controller(clock, ModuleListener())
    assert controller.gone() is None
    pipe[1].write("a result")
    assert controller.gone() is None
    assert not clock.is_woken


def test_nobody_reads_any_more(clock, pipe):
    controller = Controller(clock, ModuleListener())
    pipe[0].close()
    assert controller.gone() == "the controller closed its end (a task timeout, or the playbook was stopped)"
    assert clock.is_woken, "nobody sleeps for nobody"


def test_a_full_pipe_is_no_closed_one(clock, pipe):
    os.set_blocking(pipe[1].fileno(), False)
    try:
        while True:
            os.write(pipe[1].fileno(), b"x" * 65536)
    except BlockingIOError:
        pass
    assert Controller(clock, ModuleListener()).gone() is None


@pytest.mark.parametrize("stream", [None, object()])
def test_no_standard_output_at_all(clock, monkeypatch, stream):
    monkeypatch.setattr(sys, "__stdout__", stream)
    assert Controller(clock, ModuleListener()).gone() is None


def test_standard_output_into_a_file(clock, monkeypatch, tmp_path):
    with (tmp_path / "output").open("w", encoding="utf-8") as output:
        monkeypatch.setattr(sys, "__stdout__", output)
        assert Controller(clock, ModuleListener()).gone() is None


def test_no_poll_on_this_system(clock, pipe, monkeypatch):
    monkeypatch.delattr(controller_module.select, "poll")
    pipe[0].close()
    assert Controller(clock, ModuleListener()).gone() is None


# -- orphans ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("then", "is_gone"),
    [
        ({100: 50}, False),  # all as it was
        ({100: 1}, True),  # adopted by init
        ({100: 7}, True),  # or by another that adopts
        ({}, False),  # the leader has ended by itself (nohup, async)
    ],
)
def test_orphans(clock, pipe, parents, then, is_gone):
    parents.update({"leader": 100, 100: 50})
    controller = Controller(clock, ModuleListener())
    assert controller.gone() is None
    parents.clear()
    parents.update(then, leader=100)
    assert controller.gone() == ("the controller is gone (a cancelled job)" if is_gone else None)
    assert clock.is_woken is is_gone


@pytest.mark.parametrize("parent", [None, 0, 1])
def test_what_was_no_child_to_begin_with(clock, pipe, parents, parent):
    """Without /proc, at the top of a container, or as a daemon."""
    parents.update({"leader": 100, 100: parent})
    controller = Controller(clock, ModuleListener())
    parents[100] = 1
    assert controller.gone() is None


def test_parents_of_real_processes():
    """Whatever is in a process's name."""
    assert controller_module._parent_of(os.getpid()) in (os.getppid(), None)
    assert controller_module._parent_of(None) is None
    assert controller_module._parent_of(2**31) is None


@pytest.mark.parametrize(
    ("stat", "parent"),
    [
        (b"100 (python3) S 50 100 100 0", 50),
        (b"100 (odd) S 1 name) S 50 100 100 0", 50),
        (b"100 (python3)", None),
        (b"", None),
        (b"100 (python3) S fifty", None),
    ],
)
def test_what_the_system_tells_of_a_process(monkeypatch, tmp_path, stat, parent):
    told = tmp_path / "stat"
    told.write_bytes(stat)
    monkeypatch.setattr(controller_module, "open", lambda path, mode: told.open(mode), raising=False)
    assert controller_module._parent_of(100) == parent


# -- signals ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SIGNALS)
def test_signals(clock, pipe, restored_signals, name):
    controller = Controller(clock, ModuleListener())
    controller.watch_signals()
    assert controller.gone() is None
    os.kill(os.getpid(), getattr(signal, name))
    assert controller.gone() == f"stopped by {name}"
    assert clock.is_woken


def test_the_first_reason_stays(clock, pipe, restored_signals):
    controller = Controller(clock, ModuleListener())
    controller.watch_signals()
    os.kill(os.getpid(), signal.SIGTERM)
    pipe[0].close()
    assert controller.gone() == "stopped by SIGTERM"


def test_signals_that_are_ignored_stay_so(clock, pipe, restored_signals):
    """As under nohup."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    controller = Controller(clock, ModuleListener())
    controller.watch_signals()
    os.kill(os.getpid(), signal.SIGHUP)
    assert controller.gone() is None


class Timed:
    """A listener that says by SIGALRM that it has waited for long enough."""

    def __init__(self):
        self.signals = {"SIGALRM": "the task's timeout is over"}

    def gone(self):
        return None


def test_the_alarm_of_a_listener(clock):
    """It is the wish to end; whoever has set it gets another one, in case the work doesn't."""
    got = []
    before = signal.signal(signal.SIGALRM, lambda number, frame: got.append(number))
    handlers = {name: signal.getsignal(getattr(signal, name)) for name in SIGNALS}
    try:
        controller = Controller(clock, Timed())
        controller.watch_signals()
        os.kill(os.getpid(), signal.SIGALRM)
        assert controller.gone() == "the task's timeout is over" and clock.is_woken
        assert got == [] and 0 < signal.alarm(0) <= 10
        os.kill(os.getpid(), signal.SIGALRM)
        assert got == [signal.SIGALRM]
    finally:
        signal.signal(signal.SIGALRM, before)
        for name, handler in handlers.items():
            signal.signal(getattr(signal, name), handler)


def test_no_alarm_is_watched_for_a_module(clock, pipe, restored_signals):
    before = signal.getsignal(signal.SIGALRM)
    Controller(clock, ModuleListener()).watch_signals()
    assert signal.getsignal(signal.SIGALRM) is before
