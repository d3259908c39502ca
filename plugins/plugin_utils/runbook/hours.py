# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How many instances were created and ended by the hour, and how old those are that have not ended. Pure."""

from __future__ import annotations

import statistics
import typing as t
from datetime import datetime, timedelta, timezone

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.timestamps import parse_timestamp, to_utc
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.types import Json

#: What is counted: by `created_on`, and by `ended_on` of those in this status.
CREATED = "created"
ENDED = ("complete", "errored", "terminated")
KINDS = (CREATED, *ENDED)

#: Spans at most. Where there are more hours, several are taken together.
MOST_SPANS = 48

#: Hours of a span: the smallest that makes few enough; beyond them, weeks are doubled.
_SIZES = (1, 2, 3, 6, 12, 24, 48, 168)

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


class Span(t.NamedTuple):
    """What happened in a span of time. begin: `2026-08-06T03:00:00Z`; counts: how many, by KINDS."""

    begin: str
    counts: dict[str, int]


class Throughput(t.NamedTuple):
    """Spans, all of the same length, without a gap, oldest first. hours: their length."""

    hours: int
    spans: list[Span]


class Age(t.NamedTuple):
    """Seconds since instances were created."""

    oldest: float
    median: float


def throughput(items: t.Iterable[Json], begin: datetime, end: datetime) -> Throughput:
    """Count what happened between two moments, all of the first and the last span included.

    What a clock that goes wrong puts outside is counted in the nearest span.
    """
    end = max(begin, end)
    hours = _size(begin, end)
    first = _floor(begin, hours)
    counts = [dict.fromkeys(KINDS, 0) for _number in range(_spans(begin, end, hours))]

    def count(kind: str, timestamp: object) -> None:
        moment = parse_timestamp(timestamp)
        if moment is not None:
            number = (moment - first) // timedelta(hours=hours)
            counts[min(max(0, number), len(counts) - 1)][kind] += 1

    for item in items:
        count(CREATED, item.get("created_on"))
        if item.get("status") in ENDED:
            count(item["status"], item.get("ended_on"))
    return Throughput(hours, [Span(to_utc(first + number * timedelta(hours=hours)), each) for number, each in enumerate(counts)])


def tells_ends(items: t.Iterable[Json]) -> bool:
    """Whether a listing tells when instances ended; that of a development session doesn't."""
    ended = [item for item in items if item.get("status") in ENDED]
    return not ended or any(item.get("ended_on") for item in ended)


def age(items: t.Iterable[Json], now: datetime) -> Age | None:
    """How old instances are; None where none of them tells when it was created."""
    created = [parse_timestamp(item.get("created_on")) for item in items]
    ages = [max(0.0, (now - moment).total_seconds()) for moment in created if moment is not None]
    return Age(max(ages), statistics.median(ages)) if ages else None


def _size(begin: datetime, end: datetime) -> int:
    for hours in _SIZES:
        if _spans(begin, end, hours) <= MOST_SPANS:
            return hours
    hours = _SIZES[-1]
    while _spans(begin, end, hours) > MOST_SPANS:
        hours *= 2
    return hours


def _spans(begin: datetime, end: datetime, hours: int) -> int:
    return (_floor(end, hours) - _floor(begin, hours)) // timedelta(hours=hours) + 1


def _floor(moment: datetime, hours: int) -> datetime:
    try:
        return moment - (moment - _EPOCH) % timedelta(hours=hours)
    except OverflowError:
        return datetime.min.replace(tzinfo=timezone.utc)  # at the beginning of time
