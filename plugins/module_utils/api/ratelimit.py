# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one gate that every call passes: blocks after a 429, pacing ahead of the limit, and the task's own ceiling.

The API counts calls per user and shares the quota among everything that uses the token; past it all calls are refused
until `Retry-After` (five minutes in production). So one refusal stops every worker, and past the reserve that belongs
to others the gate spreads what remains over the time to the reset.
"""

from __future__ import annotations

import contextlib
import random
import threading
import typing as t

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.clock import Clock
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import LookStale, RateLimitExceeded

#: Documented quota of a token, calls in five minutes; assumed where the server names no policy.
DOCUMENTED_QUOTA = 1200

_LONGEST_BACKOFF = 60.0

#: Seconds; a header that promises a renewal only later than this is taken for a mistake. Production's window is 300 s.
_LONGEST_WINDOW = 3600


class Allowance(t.NamedTuple):
    """What one policy still allows: calls remaining, seconds to the reset, and its whole quota (None: not told)."""

    name: str
    remaining: int
    seconds: float
    quota: int | None


def parse_allowances(ratelimit: str | None, policy: str | None) -> list[Allowance]:
    """Read the headers `Ratelimit` (`"default";r=50;t=30`) and `Ratelimit-Policy` (`"default";q=1200;w=300`).

    Returns:
        What the policies allow; empty where nothing usable was sent.
    """
    quotas = {name: values.get("q") for name, values in _items(policy)}
    return [
        Allowance(name, values["r"], float(values["t"]), quotas.get(name))
        for name, values in _items(ratelimit)
        if "r" in values and values.get("t", _LONGEST_WINDOW + 1) <= _LONGEST_WINDOW
    ]


def backoff(attempt: int, rng: t.Callable[[], float] = random.random, base: float = 0.5, longest: float = 30.0) -> float:
    """Seconds to wait before attempt number `attempt` + 1: exponential, half of it jitter.

    Args:
        attempt: attempts made so far, ≥ 1.
        rng: returns a number in [0, 1).
        base, longest: seconds.
    """
    ceiling = min(longest, base * 2.0 ** min(attempt - 1, 16))
    return ceiling * (0.5 + 0.5 * rng())


class _Balance:
    """What the gate believes that one policy still allows; calls that were let through since are taken off."""

    def __init__(self, told: Allowance, told_at: float, under_way: int) -> None:
        self.told = told  # Allowance, as the server told it at `told_at`
        self.told_at = told_at
        self.quota = told.quota or max(DOCUMENTED_QUOTA, told.remaining)
        self.resets_at = told_at + told.seconds
        # The other calls under way are not in the server's count yet, or may not be.
        self.remaining = told.remaining - max(under_way - 1, 0)

    def has_overtaken(self, allowance: Allowance, sent_at: float, now: float) -> bool:
        """Whether an allowance, told in answer to a call sent at `sent_at`, is older than this: no count rises before its reset."""
        return sent_at < self.told_at and now < self.resets_at and allowance.remaining > self.told.remaining


class RateGate:
    """Lets calls through as fast as the limits allow; shared by all workers of a task.

    Args:
        requests_per_second: the task's own ceiling.
        reserve: in [0, 1), the part of the quota left to others.
        block_limit: seconds that the task may be blocked by 429s in all.
        check: called about once a second while waiting; may raise to end the wait.
    """

    def __init__(
        self,
        clock: Clock,
        requests_per_second: float | None = None,
        reserve: float = 0.2,
        block_limit: float = 330.0,
        check: t.Callable[[], None] = lambda: None,
    ) -> None:
        self._clock = clock
        self._own_interval = 1.0 / requests_per_second if requests_per_second else 0.0
        self._spacing = 0.0
        self._reserve = reserve
        self._block_limit = block_limit
        self._check = check
        self._lock = threading.Lock()
        self._next_slot = clock.monotonic()
        self._balances: dict[str, _Balance] = {}  # by the policy's name
        self._block_began = self._blocked_until = clock.monotonic()
        self._blocked_before = 0.0
        self._unexplained = {False: 0, True: 0}  # changes have limits of their own
        self._exceeded: str | None = None
        self._under_way = 0
        self._holding = 0
        self._held_since = 0.0
        self._held = 0.0
        #: How many calls were refused with 429.
        self.refusals = 0

    def enter(self, slots: int = 1, change: bool = False, longest_wait: float | None = None) -> None:
        """Wait until a call may be made.

        Args:
            slots: calls to reserve: 2 for a look whose change must follow at once, 0 for that change.
            change: True for a call that rests on a look: it does not outwait a block.
            longest_wait: seconds for which that look stays good.

        Raises:
            LookStale: `change`, and a block holds or the wait would be too long.
            RateLimitExceeded: the block outlasts what the task may wait.

        Whoever entered calls `leave` afterwards, with the same slots; who got an exception did not enter.
        """
        slot, limited_slot = self._take_slot(slots, change, longest_wait)
        try:
            self._await(slot, limited_slot, change)
        except BaseException:
            self.leave(slots)
            raise

    def _await(self, slot: float, limited_slot: bool, change: bool) -> None:
        while True:
            with self._lock:
                now = self._clock.monotonic()
                if self._exceeded:
                    raise RateLimitExceeded(self._exceeded, "Run again after that, or raise rate_limit_timeout")
                blocked = self._blocked_until - now
                wait, limited = max(blocked, slot - now), blocked > 0 or limited_slot
            if wait <= 0:
                return
            if blocked > 0 and change:
                raise LookStale("held back by the rate limit")
            self._wait(min(wait, 1.0), limited)

    def leave(self, slots: int = 1) -> None:
        """Tell that a call that entered (`slots`: as it did) has been answered, or given up."""
        with self._lock:
            self._under_way -= max(slots, 1)

    def passed(self, change: bool) -> None:
        """Tell that a call (`change`: a PATCH) was not refused by the limit."""
        with self._lock:
            self._unexplained[change] = 0

    def observe(self, ratelimit: str | None, policy: str | None, sent_at: float) -> None:
        """Learn from an answer's headers what the limits still allow.

        Args:
            ratelimit, policy: the headers' values.
            sent_at: when the call was sent, by the clock. Answers are not read in the order in which they were given.
        """
        with self._lock:
            now = self._clock.monotonic()
            was_paced = self._pace(now) != (0.0, now)
            for allowance in parse_allowances(ratelimit, policy):
                balance = self._balances.get(allowance.name)
                if balance is None or not balance.has_overtaken(allowance, sent_at, now):
                    self._balances[allowance.name] = _Balance(allowance, now, self._under_way)
            if was_paced and self._pace(now) == (0.0, now) and not self._own_interval:
                self._next_slot = min(self._next_slot, now + self._spacing)  # a renewed quota ends the pace of the old one

    def refused(self, retry_after: float | None, sent_at: float, change: bool = False) -> None:
        """Block every call after a 429.

        Args:
            retry_after: seconds; None where the answer didn't tell: then the waits double from 1 s.
            sent_at: when the refused call was sent, by the clock.
            change: whether it was a PATCH.

        Raises:
            RateLimitExceeded: waiting that long would pass the task's limit.
        """
        with self._lock:
            self.refusals += 1
            now = self._clock.monotonic()
            if not retry_after or retry_after < 0:
                if sent_at < self._block_began or now < self._blocked_until:
                    return  # it was under way when the block began, and tells nothing new
                self._unexplained[change] += 1
                retry_after = backoff(self._unexplained[change], base=1.0, longest=_LONGEST_BACKOFF)
            if now >= self._blocked_until:
                self._blocked_before += self._blocked_until - self._block_began
                self._block_began = now
            self._blocked_until = max(self._blocked_until, now + retry_after)
            total = self._blocked_before + self._blocked_until - self._block_began
            if total > self._block_limit:
                left = self._blocked_until - now
                self._exceeded = (
                    f"the API's rate limit blocks this token until {self._clock.time_of_day(left)}, for {left:.0f} s more, and "
                    f"rate_limit_timeout allows {self._block_limit:.0f} s in all"
                )
                raise RateLimitExceeded(self._exceeded, "Run again after that, or raise rate_limit_timeout")

    @contextlib.contextmanager
    def spaced(self, seconds: float) -> t.Iterator[None]:
        """Keep calls at least so many seconds apart, as long as the context lasts."""
        self._spacing = seconds
        try:
            yield
        finally:
            self._spacing = 0.0

    def least_left(self) -> tuple[int, float] | None:
        """The fewest calls that a policy still allows, and the seconds until it is renewed; None where none is told."""
        with self._lock:
            now = self._clock.monotonic()
            left = [(max(0, balance.remaining), balance.resets_at - now) for balance in self._balances.values() if balance.resets_at > now]
            return min(left, default=None)

    def blocked_seconds(self) -> float:
        """Seconds for which a block holds from now on; 0 where there is none."""
        with self._lock:
            return max(0.0, self._blocked_until - self._clock.monotonic())

    def held_seconds(self) -> float:
        """Seconds in which the API's limits, by block or by pacing, held back at least one call; float."""
        with self._lock:
            return self._held + (self._clock.monotonic() - self._held_since if self._holding else 0.0)

    def _take_slot(self, slots: int, change: bool, longest_wait: float | None) -> tuple[float, bool]:
        """The moment at which the call may go by pacing alone, and whether the API's limits set it."""
        with self._lock:
            now = self._clock.monotonic()
            spent_until = self._pace(now, slots)[1]
            slot = max(now, self._next_slot, spent_until) if slots else now
            spread = self._pace(slot)[0]
            own = max(self._own_interval, self._spacing)
            is_late = longest_wait is not None and slot - now > longest_wait
            if change and slots and (spent_until > now or is_late):
                raise LookStale("held back by the rate limit")
            if slots:
                self._next_slot = slot + max(own, spread) * slots
                for balance in self._balances.values():
                    balance.remaining -= slots
            self._under_way += max(slots, 1)  # the change of a pair is as good as under way
            return slot, spread > own or spent_until > now

    def _pace(self, at: float, slots: int = 1) -> tuple[float, float]:
        """At a moment: seconds between calls that make the remaining ones last, and until when too few for `slots` are left."""
        interval, spent_until = 0.0, at
        for balance in self._balances.values():
            if balance.resets_at <= at:
                continue  # renewed by then
            if balance.remaining < max(slots, 1):
                spent_until = max(spent_until, balance.resets_at)
            elif balance.remaining <= self._reserve * balance.quota:
                interval = max(interval, (balance.resets_at - at) / balance.remaining)
        return interval, spent_until

    def _wait(self, seconds: float, limited: bool) -> None:
        self._check()
        with self._lock:
            if limited:
                if not self._holding:
                    self._held_since = self._clock.monotonic()
                self._holding += 1
        try:
            self._clock.sleep(seconds)
        finally:
            with self._lock:
                if limited:
                    self._holding -= 1
                    if not self._holding:
                        self._held += self._clock.monotonic() - self._held_since


def _items(header: str | None) -> t.Iterator[tuple[str, dict[str, int]]]:
    """The items of a header as (name, {parameter: int}); what isn't of that form is left out."""
    for item in (header or "").split(","):
        name, *parameters = (part.strip() for part in item.split(";"))
        pairs = [parameter.partition("=")[::2] for parameter in parameters]
        values = {key: int(value) for key, value in pairs if value.isascii() and value.isdigit() and len(value) < 10}
        if name and values:
            yield name.strip('"'), values
