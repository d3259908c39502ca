# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a selection has matched so far, page by page."""

from __future__ import annotations

import collections
import typing as t
from datetime import datetime

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import OptionError, TooManyMatched
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.timestamps import parse_timestamp
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.types import Json
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.workflows import PAGE_SIZE, Page
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.selection import Selection, fence_of, pages_of
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.look import has_status

#: Pages that are read, at most, to count what is too much anyway.
MOST_COUNTED = 100


class Found(t.NamedTuple):
    """What a selection matches.

    looks: item and time (seconds, by the task's clock) of its look, by id.
    passes: how often it was listed; converged: the last of these found nothing new.
    remarks: what the operator should know of it.
    extent: how much of the listing was read; None where it was read as far as it had to be.
    """

    looks: dict[str, tuple[Json, float]]
    passes: int
    converged: bool
    remarks: tuple[str, ...] = ()
    extent: Extent | None = None


class Extent(t.NamedTuple):
    """How much was read of a listing that was bounded.

    listed: instances on the pages that were read; total: on all, as the server announces it, None where it doesn't.
    is_cut: pages were left unread.
    """

    listed: int
    total: int | None
    is_cut: bool


class Listing:
    """A listing whose first page has been read: `first`, `pages` in all, and `rest`."""

    def __init__(self, pages: t.Iterator[Page]) -> None:
        self.rest = pages
        self.first = next(self.rest)
        self.pages = pages_of(self.first.total or 0, PAGE_SIZE)


class Gathering:
    """The matching instances found so far."""

    def __init__(self, selection: Selection, max_instances: int, server_date: t.Callable[[], str | None]) -> None:
        self._selection = selection
        self._max_instances = max_instances
        self._server_date = server_date
        self._fence: datetime | None = None
        self._pages = 0
        self._is_cut = False
        #: Each instance by its newest look, in the order found.
        self.looks: dict[str, tuple[Json, float]] = {}

    @property
    def are_too_many(self) -> bool:
        """More match than may be changed: from here on they are only counted."""
        return len(self.looks) > self._max_instances

    def take(self, page: Page) -> bool:
        """Take in one page; False where there is no use in another one."""
        if not self._pages:
            self._fence = self._first_fence(page)
        self._pages += 1
        for item in filter(has_status, page.items):
            missing = self._selection.field_missing(item)
            if missing:
                raise OptionError(
                    f"select.{missing} needs a listing that tells it, and this server's doesn't (a development session); "
                    f"leave select.{missing} out"
                )
            if self._selection.matches(item, self._fence):
                self.looks[item["id"]] = (item, page.at)
            elif item["id"] in self.looks:
                del self.looks[item["id"]]  # its newest look no longer matches
        self._is_cut = self.are_too_many and self._pages >= MOST_COUNTED
        return not self._is_cut

    def _first_fence(self, page: Page) -> datetime | None:
        """The server's own time of the first answer. What that answer shows existed by then, whatever its Date header says."""
        fence = fence_of(self._server_date())
        if fence is None:
            return None
        shown = [parse_timestamp(item.get("created_on")) for item in page.items]
        return max([fence, *(moment for moment in shown if moment is not None)])

    def found(self, passes: int, converged: bool = True, remarks: tuple[str, ...] = (), extent: Extent | None = None) -> Found:
        """What was found; raises TooManyMatched where that is more than may be changed."""
        if self.are_too_many:
            by_status = collections.Counter(str(item["status"]) for item, _at in self.looks.values())
            raise TooManyMatched(len(self.looks), dict(by_status.most_common()), not self._is_cut)
        return Found(self.looks, passes, converged, remarks, extent)
