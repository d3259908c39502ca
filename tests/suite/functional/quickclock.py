# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A clock by which minutes of waiting pass in a moment, so that the real limits can be tested as they are.

It passes by sleeping alone. How long this machine takes for anything else, and how long it gives the processor to others,
is nothing to it: what a task decides by it is the same on an idle machine and on one that stalls for seconds.
"""

from __future__ import annotations

import threading

from requests.adapters import HTTPAdapter

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.clock import Clock
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task import session


def quick_clock(pace):
    """A class of clocks whose sleeps take only so much of their time (float); its `newest` is that of the newest run."""

    class QuickClock(Clock):
        """Sleeps briefly, and claims to have slept as long as asked. Who sleeps at the same time sleeps side by side."""

        newest = None

        def __init__(self):
            super().__init__()
            self._now = 0.0
            self._lock = threading.Lock()
            type(self).newest = self

        def monotonic(self):
            return self._now

        def sleep(self, seconds):
            if seconds > 0:
                until = self._now + seconds
                super().sleep(seconds * pace)
                self.pass_until(until)

        def pass_until(self, moment):
            """Let time pass."""
            with self._lock:
                self._now = max(self._now, moment)

    return QuickClock


def quicken(monkeypatch, pace=0.01):
    """Give the module a quick clock; returns its class."""
    clock = quick_clock(pace)
    monkeypatch.setattr(session, "Clock", clock)
    return clock


def slow_down(monkeypatch, clock, method, seconds):
    """By a quick clock (what `quicken` returned), let the first call of a method take so many seconds."""
    send, slowed = HTTPAdapter.send, []

    def send_slowly(adapter, request, **options):
        response = send(adapter, request, **options)
        if request.method == method and not slowed:
            slowed.append(request)
            clock.newest.pass_until(clock.newest.monotonic() + seconds)
        return response

    monkeypatch.setattr(HTTPAdapter, "send", send_slowly)


def note_calls(monkeypatch, clock):
    """By a quick clock, note when each call goes out.

    Returns:
        list of (float seconds, method, URL): grows by one for each call.
    """
    send, noted = HTTPAdapter.send, []

    def send_noted(adapter, request, **options):
        noted.append((clock.newest.monotonic(), request.method, request.url))
        return send(adapter, request, **options)

    monkeypatch.setattr(HTTPAdapter, "send", send_noted)
    return noted
