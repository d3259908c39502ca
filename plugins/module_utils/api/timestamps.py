# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Timestamps as the API and its users write them. Pure.

Python 3.9's `fromisoformat` knows neither `Z` nor fractions of other than 3 or 6 digits.
"""

from __future__ import annotations

import re
from datetime import datetime, timezone

_ISO_8601 = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d)[Tt ](?P<time>\d\d:\d\d)(?P<seconds>:\d\d)?(?:[.,](?P<fraction>\d+))?"
    r"(?:(?P<zulu>[Zz])|(?P<hours>[+-]\d\d):?(?P<minutes>\d\d)?)",
    re.ASCII,
)


def parse_timestamp(text: object) -> datetime | None:
    """The aware datetime of an ISO 8601 timestamp that has an offset; None for anything else.

    Args:
        text: str or None. Fractions of a second may have any number of digits; those past microseconds are dropped.
    """
    matched = _ISO_8601.fullmatch(text.strip()) if isinstance(text, str) else None
    if not matched:
        return None
    normal = "{date}T{time}{seconds}.{fraction}{offset}".format(
        date=matched["date"],
        time=matched["time"],
        seconds=matched["seconds"] or ":00",
        fraction=(matched["fraction"] or "")[:6].ljust(6, "0"),
        offset="+00:00" if matched["zulu"] else "{0}:{1}".format(matched["hours"], matched["minutes"] or "00"),
    )
    try:
        return datetime.fromisoformat(normal).astimezone(timezone.utc)
    except (ValueError, OverflowError):
        return None


def to_utc(moment: datetime) -> str:
    """An aware datetime as the API takes it: UTC, `Z`, milliseconds only where there are any."""
    utc = moment.astimezone(timezone.utc)
    precision = "milliseconds" if utc.microsecond >= 1000 else "seconds"
    return utc.replace(tzinfo=None).isoformat(timespec=precision) + "Z"
