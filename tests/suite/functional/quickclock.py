# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A clock by which minutes of waiting pass in a moment, so that the real limits can be tested as they are."""

from __future__ import annotations

import threading

from ansible_collections.edgeops.cloudflare.plugins.module_utils import module
from ansible_collections.edgeops.cloudflare.plugins.module_utils.clock import Clock


def quicken(monkeypatch, pace=0.01):
    """Give the module a clock whose sleeps take only so much of their time (float); calls take the time they take."""

    class QuickClock(Clock):
        """Sleeps briefly, and claims to have slept as long as asked."""

        def __init__(self):
            super().__init__()
            self._skipped = 0.0
            self._lock = threading.Lock()

        def monotonic(self):
            return super().monotonic() + self._skipped

        def sleep(self, seconds):
            if seconds > 0:
                super().sleep(seconds * pace)
                with self._lock:
                    self._skipped += seconds * (1 - pace)

    monkeypatch.setattr(module, "Clock", QuickClock)
