# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What both sources are built on: calls outside of the event loop, what can't pass, what passes, and the lines about it."""

from __future__ import annotations

import asyncio
import logging
import math
import typing as t
from importlib import metadata

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.client import CHANGES, LIST, QUEUE, READ, Client
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.clock import Clock
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.connection import Connection
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import (
    CloudflareError,
    InternalError,
    RateLimitExceeded,
    internal_error_text,
)
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.ratelimit import RateGate
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.timestamps import parse_timestamp
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.transport import REQUESTS_IMPORT_ERROR

_Result = t.TypeVar("_Result")


class SourceError(Exception):
    """What can't pass; its text is the one sentence that ansible-rulebook shows."""


class EventQueue(t.Protocol):
    """The rule engine's queue, or any that has `put`."""

    async def put(self, item: t.Any) -> None:
        """Hand an event on; may wait until there is room."""


class Halt(CloudflareError):
    """The source is being stopped."""


class Blocked(CloudflareError):
    """The rate limit blocks; the call was not made. seconds: for so long from now on."""

    is_passing = True

    def __init__(self, message: str, seconds: float) -> None:
        super().__init__(message)
        self.seconds = seconds


class Surroundings:
    """Time, and how it is waited for; replaced in tests.

    log: of the source; its name is in every line.
    """

    def __init__(self, source: str) -> None:
        self.source = source
        self.log = logging.getLogger("edgeops.cloudflare." + source)
        self.clock = Clock()

    async def pause(self, seconds: float) -> None:
        """Wait, and let others work."""
        await asyncio.sleep(seconds)

    def now(self) -> float:
        """Seconds since 1970."""
        moment = parse_timestamp(self.clock.timestamp())
        return moment.timestamp() if moment else 0.0


class Line:
    """The way to the API: calls are made in a thread, one at a time, so that the event loop goes on.

    Args:
        connection: whose account, and where.
    """

    def __init__(self, surroundings: Surroundings, connection: Connection) -> None:
        self._clock = surroundings.clock
        self._is_stopped = False
        self._gate = RateGate(self._clock, block_limit=math.inf, check=self._check_gate)
        self.client = Client(connection, self._gate, self._clock, core_version=_core_version(), check=self._check)

    async def call(self, function: t.Callable[..., _Result], *args: t.Any) -> _Result:
        """Run a function that calls the API. Raises CloudflareError; Blocked where the rate limit blocks, whatever it made of it."""
        self._check_gate()
        return await asyncio.to_thread(function, *args)

    def calls(self) -> int:
        """Calls that reached the network so far."""
        return sum(self.client.counts[kind] for kind in (READ, LIST, QUEUE, *CHANGES))

    @property
    def was_refused(self) -> bool:
        """A 429 has come; after one, an authentication error is no proof of a bad token (FACTS.md)."""
        return self._gate.refusals > 0

    def stop(self) -> None:
        """Make no more calls; one under way ends at its next pause."""
        self._is_stopped = True
        self._clock.wake()

    def _check(self) -> None:
        if self._is_stopped:
            raise Halt("the source is being stopped")

    def _check_gate(self) -> None:
        """A thread doesn't wait for the end of a block: that may take minutes, and there is a line to be written."""
        self._check()
        seconds = self._gate.blocked_seconds()
        if seconds > 0:
            raise Blocked("the API's rate limit blocks this token", seconds)
        left = self._gate.least_left()
        if left is not None and left[0] <= 0:
            raise Blocked("all calls that the API allows this token are used up", left[1])


def _core_version() -> str:
    try:
        return metadata.version("ansible-core")
    except metadata.PackageNotFoundError:
        return "none"


def ensure_requests() -> None:
    """Raise SourceError where the library for HTTP is missing."""
    if REQUESTS_IMPORT_ERROR is not None:
        raise SourceError("The Python library requests is missing where ansible-rulebook runs; install requests 2.25 or newer there.")


def as_error(error: Exception) -> CloudflareError:
    """Any exception as one with a sentence."""
    return error if isinstance(error, CloudflareError) else InternalError(internal_error_text(error))


def cant_pass(error: CloudflareError, was_refused: bool) -> bool:
    """Whether an error met before anything has succeeded is one that waiting doesn't mend."""
    return error.fatal and not error.is_passing and not was_refused and not isinstance(error, RateLimitExceeded)


#: Seconds: the first wait after a failure, and the longest.
_SHORTEST, LONGEST = 5.0, 300.0

#: Seconds after which one that lasts is told of again; a block's end is told each time, unless it is over in a moment.
_REMIND, _REMIND_OF_BLOCK = 1800.0, 60.0


class Trouble:
    """One thing that does not work at the moment. Pure.

    Args:
        what: begins the sentence, `the instances of orders can't be listed`.
        is_retried: it is tried again after the wait, and not only when there is need.
    """

    def __init__(self, what: str, is_retried: bool = True) -> None:
        self._what = what
        self._is_retried = is_retried
        self._failures = 0
        self._since = 0.0
        self._told = ""
        self._told_at = 0.0

    def met(self, error: CloudflareError, now: float, time_of_day: t.Callable[[float], str]) -> tuple[float, str | None]:
        """It has failed.

        Args:
            time_of_day: the time of day so many seconds from now.

        Returns:
            Seconds to wait, and the line to write: where the reason is new, or half an hour has passed.
        """
        if not self._failures:
            self._since = now
        self._failures += 1
        wait = error.seconds if isinstance(error, Blocked) else min(LONGEST, _SHORTEST * 2.0 ** min(self._failures - 1, 10))
        remind = _REMIND_OF_BLOCK if isinstance(error, Blocked) else _REMIND
        if error.message == self._told and now - self._told_at < remind:
            return wait, None
        self._told, self._told_at = error.message, now
        lasting = f" for {_duration(now - self._since)}" if now - self._since >= 60 else ""
        retry = f"It is tried again at {time_of_day(wait)}."
        if not isinstance(error, Blocked) and wait < LONGEST:
            retry = f"It is tried again at {time_of_day(wait)}, then less often, down to every {LONGEST / 60:.0f} min."
        return wait, f"{self._what}{lasting}: {error.text}." + (f" {retry}" if self._is_retried else "")

    def over(self, now: float) -> str | None:
        """It works. Returns the line to write, where it did not before."""
        if not self._failures:
            return None
        lasted = now - self._since
        self._failures, self._told = 0, ""
        return f"{self._what}: that is over, after {_duration(lasted)}."


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"
