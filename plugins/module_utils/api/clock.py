# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Time and its passing, injected everywhere so that tests need not wait."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone

#: Seconds after which a sleeper looks whether it was woken.
_SLICE = 0.2


class Clock:
    """The real clock. Sleeping ends early, and stays short, once `wake` was called: by then nobody waits for us."""

    def __init__(self) -> None:
        # No threading.Event: a signal handler that sets one may wait for ever for a lock of the thread that it interrupted.
        self._is_woken = False

    def monotonic(self) -> float:
        """Seconds since some moment; never goes back."""
        return time.monotonic()

    def time_of_day(self, seconds: float) -> str:
        """The time of day so many seconds from now, in UTC: `03:24:10Z`."""
        return (datetime.now(timezone.utc) + timedelta(seconds=seconds)).strftime("%H:%M:%SZ")

    def timestamp(self) -> str:
        """This moment, in UTC: `2026-08-06T03:24:10Z`."""
        return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")

    def sleep(self, seconds: float) -> None:
        """Wait for so many seconds, or until `wake` is called."""
        until = time.monotonic() + seconds
        while not self._is_woken:
            left = until - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(left, _SLICE))

    def wake(self) -> None:
        """End every sleep, now (within a fifth of a second) and to come."""
        self._is_woken = True
