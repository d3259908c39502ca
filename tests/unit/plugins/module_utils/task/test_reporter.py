# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The thread that shows progress."""

from __future__ import annotations

import threading

import pytest

from ansible_collections.edgeops.cloudflare.plugins.module_utils.task import reporter
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.progress import Snapshot


class Shows:
    """A host that keeps the lines, and by whom they were shown."""

    verbosity = 0

    def __init__(self, shows_lines=True):
        self.shows_lines = shows_lines
        self.lines = []
        self.threads = set()
        self.has_shown = threading.Event()

    def show(self, line):
        self.lines.append(line)
        self.threads.add(threading.current_thread())
        self.has_shown.set()


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(reporter, "_SLICE", 0.001)


def report(host, pause=10, glance=lambda: (6.0, False), look=lambda: Snapshot(0.0, 5, ("a",), 0, 0, 0, 6, 0.0, "")):
    return reporter.reported(host, "orders", "paused", pause, look, glance)


def test_lines_come_from_a_thread_of_their_own_and_end_with_the_work():
    host = Shows()
    with report(host):
        assert host.has_shown.wait(10)
    assert host.lines[0].startswith("orders: 1 of 5 paused")
    assert threading.current_thread() not in host.threads and not any(thread.is_alive() for thread in host.threads)


@pytest.mark.parametrize(("host", "pause"), [(Shows(shows_lines=False), 10), (Shows(), 0)])
def test_no_lines_and_no_thread(host, pause):
    before = threading.active_count()
    with report(host, pause):
        assert threading.active_count() == before
    assert host.lines == []


def test_an_ordinary_task_shows_nothing():
    host = Shows()
    with report(host, glance=lambda: (4.9, False)):
        assert not host.has_shown.wait(0.05)


def test_a_mistake_in_a_line_costs_no_task():
    host = Shows()
    host.show = lambda line: 1 / 0
    with report(host):
        pass


def test_what_the_work_raises_is_raised():
    with pytest.raises(KeyError), report(Shows()):
        raise KeyError
    assert not [thread for thread in threading.enumerate() if thread.name == "progress"]


def test_where_no_more_threads_are_to_be_had(monkeypatch):
    def refuse(thread):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    host, done = Shows(), []
    with report(host):
        done.append(True)
    assert done and host.lines == []
