# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether anybody still listens: signals, a closed standard output, an orphaned session.

A module outlives its task easily: the task keyword `timeout:` closes its standard output but does not stop it, and a
cancelled AWX job kills the runner and not the module, which ansible-core runs in a session of its own.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import typing as t
from types import FrameType

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.clock import Clock
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.host import Listener

_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")

#: Seconds that the work has to end after a SIGALRM, before whoever has set it gets another one.
_GRACE = 10


class Controller:
    """The other end of a run, and whether it has gone.

    Args:
        clock: woken by a signal, so that no wait outlasts it.
        listener: tells whether the result still has a reader.
    """

    def __init__(self, clock: Clock, listener: Listener) -> None:
        self._clock = clock
        self._listener = listener
        self._reason: str | None = None
        self._previous: dict[int, t.Any] = {}

    def watch_signals(self) -> None:
        """Take SIGINT, SIGTERM, SIGHUP, and what the listener names, as the wish to end, instead of dying in the middle of a call."""
        for name in (*_SIGNALS, *self._listener.signals):
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                self._previous[number] = signal.signal(number, self._on_signal)

    def gone(self) -> str | None:
        """Why nobody listens any more; None while somebody does."""
        if self._reason is None:
            self._reason = self._listener.gone()
        if self._reason is not None:
            self._clock.wake()
        return self._reason

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        name = signal.Signals(number).name
        self._reason = self._listener.signals.get(name) or f"stopped by {name}"
        if name == "SIGALRM":
            # Its own handler would raise in the middle of a call; it is left to end work that doesn't.
            signal.signal(number, self._previous.get(number, signal.SIG_DFL))
            signal.alarm(_GRACE)
        self._clock.wake()


class ModuleListener:
    """Who reads a module's result: its standard output, and the session that ansible-core started it in."""

    signals: t.Mapping[str, str] = {}

    def __init__(self) -> None:
        self._leader_parent = _parent_of(_session_leader())

    def gone(self) -> str | None:
        """Why nobody reads any more; None while somebody does."""
        if _is_closed(sys.__stdout__):
            return "the controller closed its end (a task timeout, or the playbook was stopped)"
        if self._is_orphaned():
            return "the controller is gone (a cancelled job)"
        return None

    def _is_orphaned(self) -> bool:
        # Being adopted by another process gives it away; a leader that ended by itself (nohup, async) does not.
        if self._leader_parent in (None, 0, 1):
            return False
        now = _parent_of(_session_leader())
        return now is not None and now != self._leader_parent


def _session_leader() -> int | None:
    try:
        return os.getsid(0)
    except (AttributeError, OSError):
        return None


def _parent_of(pid: int | None) -> int | None:
    """The parent's process id; None where it can't be known (no such process, or no /proc)."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as stat:
            # The name, in parentheses, may hold anything; state and parent follow the last of them.
            return int(stat.read().rpartition(b")")[2].split()[1])
    except (OSError, ValueError, IndexError):
        return None


def _is_closed(stream: t.Any) -> bool:
    try:
        poller = select.poll()
        poller.register(stream.fileno(), 0)  # errors and hang-ups are reported unasked
        return any(events & (select.POLLERR | select.POLLHUP | select.POLLNVAL) for _fd, events in poller.poll(0))
    except (AttributeError, OSError, ValueError):
        return False
