# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The line that a long task shows while it runs: when it is due, its words, and how much longer it will take. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.text import shown_id, shown_name

#: Seconds until the first line: an ordinary task shows none.
FIRST = 5.0

#: Seconds that the pause between two lines grows to, and how fast.
LONGEST_PAUSE = 60.0
_GROWTH = 1.25

#: How much of what is known of the pace a new measurement replaces.
_LEARNING = 0.5

#: Ids that a line names, with -v.
_IDS_SHOWN = 10


class Snapshot(t.NamedTuple):
    """Where a task is.

    at: seconds, by a clock that never goes back.
    total: instances that the task is about; None while they are listed.
    changed: the ids of those that were changed, in order.
    on_their_way: instances that were sent a change and are waited for.
    calls: made so far.
    batch: the number of the batch under way and how many there are; (0, …) where there are none.
    blocked: seconds for which the rate limit blocks from now on; 0 where it doesn't.
    blocked_until: the time of day at which that ends; empty where it doesn't.
    """

    at: float
    total: int | None
    changed: tuple[str, ...]
    unchanged: int
    failed: int
    on_their_way: int
    calls: int
    blocked: float
    blocked_until: str
    batch: tuple[int, int] = (0, 0)

    @property
    def done(self) -> int:
        """Instances that have an outcome."""
        return len(self.changed) + self.unchanged + self.failed


class Progress:
    """What was shown, and what was learnt from it.

    Args:
        workflow_name: str.
        participle: what is done to the instances: `paused`.
        pause: seconds between two lines, to begin with.
        verbosity: how many -v were given.
        began: the Snapshot with which the task began.
    """

    def __init__(self, workflow_name: str, participle: str, pause: float, verbosity: int, began: Snapshot) -> None:
        self._workflow_name = workflow_name
        self._participle = participle
        self._pause = pause
        self._verbosity = verbosity
        self._last = began
        self._due = began.at + min(FIRST, pause)
        self._pace: float | None = None  # instances a second, while not blocked
        self._was_blocked = False

    def is_due(self, now: float, is_blocked: bool) -> bool:
        """Whether a line is to be shown: it's time, or a block of the rate limit has begun or ended."""
        return now >= self._due or is_blocked != self._was_blocked

    def line(self, now: Snapshot) -> str:
        """The line of this moment; the next one is due after a pause that grows."""
        self._learn(now)
        is_end_of_block = self._was_blocked and not now.blocked
        parts = [f"{shown_name(self._workflow_name)}: {self._state(now)}", self._speed(now, is_end_of_block)]
        if self._verbosity and len(now.changed) > len(self._last.changed):
            parts.append(self._newly_changed(now))
        self._was_blocked = bool(now.blocked)
        self._last = now
        self._due = now.at + self._pause
        self._pause = max(self._pause, min(self._pause * _GROWTH, LONGEST_PAUSE))
        return "; ".join(part for part in parts if part)

    def _state(self, now: Snapshot) -> str:
        if now.total is None:
            return f"listing instances, {_number(now.calls)} call{'s' if now.calls != 1 else ''} so far"
        counts = [f"{_number(len(now.changed))} of {_number(now.total)} {self._participle}"]
        for count, text in ((now.unchanged, "unchanged"), (now.failed, "failed"), (now.on_their_way, "on their way")):
            if count:
                counts.append(f"{_number(count)} {text}")
        if now.batch[0]:
            counts.append(f"batch {_number(now.batch[0])} of {_number(now.batch[1])}")
        return ", ".join(counts)

    def _speed(self, now: Snapshot, is_end_of_block: bool) -> str:
        left = self._left(now)
        about = f", about {duration(left)} left" if left else ""
        if now.blocked:
            return f"blocked by the rate limit until {now.blocked_until}, for {duration(now.blocked)} more{about}"
        if is_end_of_block:
            return f"the rate limit's block is over{about}"
        elapsed = now.at - self._last.at
        calls = (now.calls - self._last.calls) / elapsed if elapsed > 0 else 0.0
        return f"{calls:.0f} calls/s{about}" if calls >= 1 else f"{calls * 60:.0f} calls/min{about}"

    def _newly_changed(self, now: Snapshot) -> str:
        ids = now.changed[len(self._last.changed) :]
        more = f" and {_number(len(ids) - _IDS_SHOWN)} more" if len(ids) > _IDS_SHOWN else ""
        return f"{self._participle} since the last line: {', '.join(map(shown_id, ids[:_IDS_SHOWN]))}{more}"

    def _learn(self, now: Snapshot) -> None:
        """Take in how many instances were dealt with since the last line; what was blocked all the time tells nothing."""
        elapsed = now.at - self._last.at
        dealt_with = now.done + now.on_their_way - self._last.done - self._last.on_their_way
        if elapsed <= 0 or now.total is None or (self._was_blocked and not dealt_with):
            return
        measured = max(0.0, dealt_with / elapsed)
        self._pace = measured if self._pace is None else self._pace + _LEARNING * (measured - self._pace)

    def _left(self, now: Snapshot) -> float:
        """Seconds until all are dealt with; 0 where nothing is known, or where all are and the rest is waiting."""
        if now.total is None or not self._pace:
            return 0.0
        left = max(0, now.total - now.done - now.on_their_way)
        return left / self._pace + now.blocked if left else 0.0


def duration(seconds: float) -> str:
    """A duration as people say it: `8 s`, `6 min`, `2.5 h`."""
    if seconds < 59.5:
        return f"{max(1, round(seconds))} s"
    if seconds < 5400:
        return f"{round(seconds / 60)} min"
    return f"{seconds / 3600:.1f} h"


def _number(count: int) -> str:
    return f"{count:,}"
