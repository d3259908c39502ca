# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How often to look, within a budget of calls. Pure.

The budget is divided: rounds (what is recent) have half of it at most, looks at single instances a quarter, and sweeps (all there is)
what rounds leave. So none of them can starve another, and what doesn't fit is stretched over more time.
"""

from __future__ import annotations

import collections
import typing as t

#: Seconds to which a budget belongs.
WINDOW = 300.0

ROUND, SWEEP, LOOK = "round", "sweep", "look"


class Plan(t.NamedTuple):
    """Seconds between two rounds, and between two sweeps."""

    interval: float
    sweep_interval: float


def plan(budget: int, wanted: Plan, round_cost: int, sweep_cost: int) -> Plan:
    """How often a budget lets rounds and sweeps be made.

    Args:
        budget: calls in WINDOW.
        wanted: as the arguments say.
        round_cost, sweep_cost: calls that one of them takes.
    """
    interval = max(wanted.interval, round_cost * WINDOW / _share(budget, 2))
    left = max(budget - round_cost * WINDOW / interval - _share(budget, 4), _share(budget, 4))
    return Plan(interval, max(wanted.sweep_interval, sweep_cost * WINDOW / left))


def _share(budget: int, parts: int) -> float:
    return max(1.0, budget / parts)


class Budget:
    """What was spent in the last WINDOW, by kind.

    Args:
        calls: in WINDOW; None: there is no limit.
        look_parts: looks at single instances have one of so many parts of it.
    """

    def __init__(self, calls: int | None, look_parts: int = 4) -> None:
        self._calls = calls
        self._look_parts = look_parts
        self._spent: collections.deque[tuple[float, str, int]] = collections.deque()

    def spend(self, kind: str, calls: int, now: float) -> None:
        """Calls were made."""
        if calls > 0:
            self._spent.append((now, kind, calls))

    def room(self, kind: str, now: float, expected_rounds: float = 0.0) -> int:
        """Calls of a kind that may be made at once.

        Args:
            expected_rounds: calls that rounds take in WINDOW; what they don't need is free for sweeps.
        """
        if self._calls is None:
            return 1_000_000
        self._forget(now)
        spent = sum(calls for _at, of, calls in self._spent if of == kind)
        total = sum(calls for _at, _of, calls in self._spent)
        most = self._most(kind, expected_rounds)
        return max(0, min(int(most) - spent, self._calls - total))

    def wait(self, kind: str, now: float, expected_rounds: float = 0.0) -> float:
        """Seconds until one more call of a kind may be made."""
        if self.room(kind, now, expected_rounds) > 0:
            return 0.0
        ends = [at + WINDOW - now for at, _of, _calls in self._spent]
        return next((end for end in ends if self._room_after(kind, now + end, expected_rounds) > 0), WINDOW)

    def _room_after(self, kind: str, moment: float, expected_rounds: float) -> int:
        later = Budget(self._calls, self._look_parts)
        later._spent = collections.deque(entry for entry in self._spent if entry[0] + WINDOW > moment)
        return later.room(kind, moment, expected_rounds)

    def _most(self, kind: str, expected_rounds: float) -> float:
        budget = self._calls or 0
        if kind == ROUND:
            return _share(budget, 2)
        if kind == LOOK:
            return _share(budget, self._look_parts)
        return max(_share(budget, 4), budget - expected_rounds - _share(budget, 4))

    def _forget(self, now: float) -> None:
        while self._spent and self._spent[0][0] + WINDOW <= now:
            self._spent.popleft()
