# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run would cost, told in check mode. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.ratelimit import DOCUMENTED_QUOTA
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.bulk import A_FEW, A_HUNDRED
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.wanted import PAST_STEP, Wanted

#: Seconds in which the documented quota may be spent.
_QUOTA_WINDOW = 300


class Calls(t.NamedTuple):
    """How many calls a run would make; `otherwise`: how many without what makes it cheaper, None where nothing does."""

    made: int
    otherwise: int | None = None


def of_changes(changes: int, wanted: Wanted, listed: int) -> Calls:
    """The calls for so many changes, without those for waiting.

    Args:
        listed: pages that are listed to find the instances.
    """
    if wanted.bulk and changes > A_FEW:
        hundreds = -(-changes // A_HUNDRED)
        return Calls(listed + 2 * hundreds, listed + changes)  # each is proven by a page
    looks = wanted.state == "restarted" or (wanted.state == "running" and wanted.wait_until == PAST_STEP)
    return Calls(changes * (1 + looks + wanted.pause_first))


class Estimate(t.NamedTuple):
    """What a run would cost; seconds: how long the calls alone take, at least."""

    calls: Calls
    seconds: float
    text: str


def estimate(calls: Calls, requests_per_second: float | None, reserve: float, least_left: tuple[int, float] | None = None) -> Estimate:
    """What a real run would cost, also in words.

    Args:
        requests_per_second: the task's own ceiling.
        reserve: the part of the quota left to others.
        least_left: the calls that the API still allows, and the seconds until there are more.
    """
    about = f"about {calls.made:,} call{'' if calls.made == 1 else 's'}" + (
        f" instead of {calls.otherwise:,} (bulk_terminate)" if calls.otherwise else ""
    )
    per_second = DOCUMENTED_QUOTA / _QUOTA_WINDOW
    seconds = max(0.0, calls.made - DOCUMENTED_QUOTA * (1 - reserve)) / per_second
    if requests_per_second:
        seconds = max(seconds, calls.made / requests_per_second)
    if least_left is not None and calls.made > least_left[0]:
        text = f"{about}, of which the API allows {least_left[0]:,} in the next {duration(least_left[1])}"
        return Estimate(calls, max(seconds, least_left[1]), text)
    if seconds < 1:
        return Estimate(calls, seconds, f"{about}, within the quota of {DOCUMENTED_QUOTA:,} in five minutes")
    return Estimate(calls, seconds, f"{about}, {duration(seconds)} under the rate limit")


def duration(seconds: float) -> str:
    """Seconds in words."""
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} minutes"
