# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waiting for what was asked for to become true: one poll of all that wait, then a growing pause, with an injected clock."""

from __future__ import annotations

import typing as t

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.clock import Clock
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.ratelimit import RateGate
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.survey import Surveyor
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.pursuit import Pursuit
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.wanted import ENDED, Wanted

#: Seconds between two calls while settling, for the whole task: polling must not eat the quota.
SPACING = 0.5

#: Seconds that the pause between two polls grows to.
LONGEST_SLEEP = 10.0

_GROWTH = 1.5

#: state wanted → the statuses on the way to it, likeliest first.
EXPECTED = {
    "paused": ("waitingForPause", "paused"),
    "terminated": ("rollingBack", "terminated"),
    "running": ("running", "waiting", "queued"),
    "restarted": ("running", "waiting", "queued"),
}


def expected_statuses(wanted: Wanted) -> tuple[str, ...]:
    """Where instances are expected while they settle, likeliest first."""
    if wanted.pause_first:
        return EXPECTED["paused"] + EXPECTED[wanted.state]
    if wanted.wait_until == ENDED:
        return (*EXPECTED[wanted.state], "complete", "errored")
    return EXPECTED[wanted.state]


class Settler:
    """Polls the pursuits that wait.

    Args:
        each: calls a function with each of many pursuits, several at once.
    """

    def __init__(
        self,
        surveyor: Surveyor,
        clock: Clock,
        gate: RateGate,
        wanted: Wanted,
        each: t.Callable[[t.Callable[[Pursuit], None], list[Pursuit]], None],
    ) -> None:
        self._surveyor = surveyor
        self._clock = clock
        self._gate = gate
        self._wanted = wanted
        self._each = each
        self._interval = wanted.wait_sleep

    def begin(self) -> None:
        """Others are waited for from now on: the pauses begin short again."""
        self._interval = self._wanted.wait_sleep

    def active_now(self) -> float:
        """Seconds, by a clock that stands still while the rate limit blocks: waits are measured by it."""
        return self._clock.monotonic() - self._gate.held_seconds()

    def poll(self, pursuits: list[Pursuit], at_once: bool) -> None:
        """Look again at every pursuit that waits.

        Args:
            at_once: look without a pause first.
        """
        if not at_once:
            until_deadline = min(pursuit.deadline() for pursuit in pursuits) - self.active_now()
            self._clock.sleep(max(0.0, min(self._interval, until_deadline)))
            self._interval = next_interval(self._interval, self._wanted.wait_sleep)
        with self._gate.spaced(SPACING):
            self._each(self._surveyor.look_at, self._surveyor.survey(pursuits, expected_statuses(self._wanted)))


def next_interval(interval: float, first: float) -> float:
    """The pause after this one, seconds: half as long again, up to LONGEST_SLEEP or the first one if that is longer."""
    return min(interval * _GROWTH, max(LONGEST_SLEEP, first))
