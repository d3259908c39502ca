# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Time and its passing, injected everywhere so that tests need not wait."""

from __future__ import annotations

import threading
import time


class Clock:
    """The real clock. Sleeping ends early, and stays short, once `wake` was called: by then nobody waits for us."""

    def __init__(self):
        self._woken = threading.Event()

    def monotonic(self):
        """Seconds since some moment, float; never goes back."""
        return time.monotonic()

    def sleep(self, seconds):
        """Wait for so many seconds, or until `wake` is called."""
        if seconds > 0:
            self._woken.wait(seconds)

    def wake(self):
        """End every sleep now and to come."""
        self._woken.set()
