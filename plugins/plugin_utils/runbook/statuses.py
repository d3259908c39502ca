# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How many instances are in which status, and how old those are that have not ended. Pure."""

from __future__ import annotations

import collections
import typing as t
from datetime import datetime

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.text import clean
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.types import Json
from ansible_collections.edgeops.cloudflare.plugins.plugin_utils.runbook import hours

#: The statuses, bad news first. Words that are not known yet come behind the first.
STATUSES = ("errored", "terminated", "rollingBack", "waitingForPause", "paused", "queued", "running", "waiting", "complete")


class Row(t.NamedTuple):
    """Instances in a status.

    listed: how many were listed; all: how many the workflow has, None where that is not told; age: of those listed.
    """

    status: str
    listed: int
    all: int | None
    age: hours.Age | None


def rows(items: list[Json], counts: Json | None, now: datetime) -> list[Row]:
    """The statuses that there are, bad news first; `counts`: of the whole workflow, None where they are not told."""
    by_status: dict[str, list[Json]] = collections.defaultdict(list)
    for item in items:
        by_status[str(item["status"])].append(item)
    known = {str(status) for status, count in (counts or {}).items() if count} | set(by_status)
    unknown = sorted(known - set(STATUSES))
    return [
        Row(
            clean(status, 40),
            len(by_status[status]),
            None if counts is None else counts.get(status, 0),
            None if status in hours.ENDED else hours.age(by_status[status], now),
        )
        for status in (STATUSES[0], *unknown, *STATUSES[1:])
        if status in known
    ]
