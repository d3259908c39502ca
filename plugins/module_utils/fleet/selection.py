# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What `select` matches, and which way of listing costs fewer calls. Pure."""

from __future__ import annotations

import fnmatch
import typing as t
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.text import clean
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.timestamps import parse_timestamp, to_utc
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.types import Json

TRIGGER_SOURCES = ("unknown", "api", "binding", "event", "cron")

#: Filters applied here → the field of a listed instance that they need. (The API filters by creation and status itself.)
_NEEDS = {
    "ended_after": "ended_on",
    "ended_before": "ended_on",
    "version_id": "version_id",
    "trigger_source": "trigger_source",
}


class Selection(t.NamedTuple):
    """A validated `select`; times are aware, all None where not asked for.

    error_glob: of what an instance failed with; a listing holds no error, so it is tested on the look that precedes a change.
    """

    statuses: tuple[str, ...] | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    ended_after: datetime | None = None
    ended_before: datetime | None = None
    id_glob: str | None = None
    version_id: str | None = None
    trigger_source: str | None = None
    error_glob: str | None = None

    def matches(self, item: Json, fence: datetime | None = None) -> bool:
        """Whether an item of a listing is selected; what was created after the fence came too late."""
        if self.statuses is not None and item.get("status") not in self.statuses:
            return False
        if self.id_glob is not None and not fnmatch.fnmatchcase(item["id"], self.id_glob):
            return False
        if self.version_id is not None and item.get("version_id") != self.version_id:
            return False
        if self.trigger_source is not None and item.get("trigger_source") != self.trigger_source:
            return False
        if not _is_within(item.get("ended_on"), self.ended_after, self.ended_before):
            return False
        return _is_within(item.get("created_on"), self.created_after, _earliest(self.created_before, fence), lenient=True)

    def told(self) -> str:
        """The filters in force, for a sentence: `status: errored; id_glob: order-*`."""
        shown = []
        for option, value in zip(self._fields, self):
            if value is not None:
                text = ", ".join(value) if isinstance(value, tuple) else to_utc(value) if isinstance(value, datetime) else str(value)
                shown.append(f"{'status' if option == 'statuses' else option}: {clean(text, 80)}")
        return "; ".join(shown)

    def field_missing(self, item: Json) -> str | None:
        """The name of a filter that this server's listing can't answer, or None: a development session lists less.

        `ended_on` of an instance that hasn't ended is null; a server that knows it at least has the key.
        """
        for option, field in _NEEDS.items():
            if getattr(self, option) is not None and field not in item:
                return option
        return None


def fence_of(date_header: str | None) -> datetime | None:
    """The end of the second that the server's `Date` header names; None where it can't be read."""
    try:
        moment = parsedate_to_datetime(date_header or "")
        return moment + timedelta(seconds=1) if moment.tzinfo else None
    except (TypeError, ValueError, IndexError, OverflowError):
        return None


def pages_of(total: int, page_size: int) -> int:
    """Calls that a listing of `total` instances takes; an empty one takes one."""
    return max(1, -(-total // page_size))


def unfiltered_is_cheaper(unfiltered_left: int, by_status: t.Iterable[int]) -> bool:
    """Whether to go on with an unfiltered listing rather than list each status.

    Listings by status are repeated until no new instance appears, since instances move between them: twice at least.

    Args:
        unfiltered_left: pages still to come of the unfiltered listing.
        by_status: the pages that each status takes.
    """
    return unfiltered_left <= 2 * sum(by_status)


def _is_within(timestamp: object, after: datetime | None, before: datetime | None, lenient: bool = False) -> bool:
    if after is None and before is None:
        return True
    moment = parse_timestamp(timestamp)
    if moment is None:
        return lenient
    return (after is None or moment >= after) and (before is None or moment <= before)


def _earliest(*moments: datetime | None) -> datetime | None:
    known = [moment for moment in moments if moment is not None]
    return min(known) if known else None
