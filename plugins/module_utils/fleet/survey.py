# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Looking at many instances by as few calls as possible: what `select` matches, and how those known are by now."""

from __future__ import annotations

import collections
import itertools
import typing as t
from datetime import datetime, timedelta

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.clock import Clock
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import (
    CloudflareError,
    InstanceNotFound,
    Refused,
    TooLarge,
)
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.timestamps import parse_timestamp, to_utc
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.workflows import PAGE_SIZE, Workflow
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.gathering import Extent, Found, Gathering, Listing
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.selection import (
    Selection,
    pages_of,
    unfiltered_is_cheaper,
)
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.look import has_status
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.pursuit import Pursuit

#: Listings of several statuses are repeated until no new instance appears, at most so often.
MOST_PASSES = 5

#: Pages that are read, at most, to make up for a filter that the server refuses.
MOST_UNFILTERED = 20

#: From so many instances on, a listing is tried even where its length isn't known yet: the try may cost one call.
WORTH_A_TRY = 10

#: The bounds of a listing by creation, (after, before), as the API takes them.
Window = t.Tuple[t.Optional[str], t.Optional[str]]  # noqa: UP006  evaluated at run time, on Python 3.9

_A_SECOND = timedelta(seconds=1)
_ALMOST_A_MILLISECOND = timedelta(microseconds=999)


class Surveyor:
    """Looks at the instances of one workflow.

    Args:
        server_date: tells the server's Date header at its first answer.
    """

    def __init__(self, workflow: Workflow, clock: Clock, server_date: t.Callable[[], str | None] = lambda: None) -> None:
        self._workflow = workflow
        self._clock = clock
        self._server_date = server_date
        self._lengths: dict[t.Any, int] = {}  # window → pages of its unfiltered listing, as far as known
        self._refused_statuses: set[str] = set()  # that this server knows no filter for
        self._listing_is_refused = False
        self._failed_listings = 0  # in a row

    # -- one instance -------------------------------------------------------------------------------------------

    def look_at(self, pursuit: Pursuit, slots: int = 1) -> None:
        """Look at one instance alone. One call; two where its log is too large to be read and can be done without.

        Raises:
            CloudflareError: one that meets all instances alike; any other is noted in the pursuit.
        """
        with_log = pursuit.reads_log
        try:
            detail, at = self._workflow.detail(pursuit.record.id, steps=with_log, slots=slots)
        except InstanceNotFound:
            pursuit.record.see_missing(self._clock.monotonic())
        except TooLarge as error:
            if with_log and not pursuit.wanted.from_failed_step:
                pursuit.record.reads_no_log = True  # a step that was named can be restarted from without it
                self.look_at(pursuit, slots)
                return
            error.advice = "Name the step with from_step: that needs no log"
            pursuit.see_nothing(error)
        except CloudflareError as error:
            if error.fatal and not (error.is_passing and pursuit.record.is_waiting):
                raise
            pursuit.see_nothing(error)
        else:
            if has_status(detail):
                pursuit.record.see_detail(detail, at, with_log)
            else:
                pursuit.see_nothing(CloudflareError("the API's answer tells no status"))

    # -- those known --------------------------------------------------------------------------------------------

    def survey(self, pursuits: list[Pursuit], statuses: t.Sequence[str] = ()) -> list[Pursuit]:
        """Look at many known instances by listing, as long as that is cheaper than one by one.

        Args:
            statuses: the statuses they are expected in, likeliest first.

        Returns:
            Those that are still to be looked at one by one: a listing in which an instance is missing proves
            nothing.
        """
        if self._listing_is_refused:
            return list(pursuits)
        wanted = {pursuit.record.id: pursuit for pursuit in pursuits if pursuit.listing_will_do}
        alone = [pursuit for pursuit in pursuits if not pursuit.listing_will_do]
        window = _window(wanted.values())
        try:
            if self._is_worth_listing(len(wanted), window):
                self._sweep(wanted, window)
            for status in statuses:
                if len(wanted) > WORTH_A_TRY and status not in self._refused_statuses:
                    self._sweep_status(wanted, window, status)
        except CloudflareError as error:
            if error.fatal and not error.is_passing:
                raise
            self._listing_is_refused = isinstance(error, Refused)
            self._failed_listings += 1
            if error.is_passing or not (self._listing_is_refused or self._failed_listings > 1):
                for pursuit in [pursuit for pursuit in wanted.values() if pursuit.record.is_waiting]:
                    pursuit.see_nothing(error)  # the next poll may fare better
                    del wanted[pursuit.record.id]
        else:
            self._failed_listings = 0
        return alone + list(wanted.values())

    def _is_worth_listing(self, count: int, window: Window) -> bool:
        known = self._lengths.get(window)
        return count > WORTH_A_TRY if known is None else count > known

    def _sweep_status(self, wanted: dict[str, Pursuit], window: Window, status: str) -> None:
        try:
            self._sweep(wanted, window, status)
        except Refused:  # an older server that doesn't know this status; there is another way to look
            self._refused_statuses.add(status)

    def _sweep(self, wanted: dict[str, Pursuit], window: Window, status: str | None = None) -> None:
        """Take the looks of one listing; stops as soon as looking at those left one by one costs no more.

        Args:
            wanted: by id; those seen are taken out of it.
        """
        total = None
        for read, page in enumerate(self._workflow.pages(status, *window), 1):
            total = total if page.total is None else page.total
            self._learn(window if status is None else (window, status), page.total)
            before = len(wanted)
            for item in page.items:
                if has_status(item) and item["id"] in wanted:
                    wanted.pop(item["id"]).record.see_listed(item, page.at)
            left = 0 if total is None else pages_of(total, PAGE_SIZE) - read
            # Where nothing tells how long it is, it is read as long as its pages pay for themselves.
            is_cheaper = len(wanted) > left if left > 0 else before - len(wanted) > 1
            if not (wanted and is_cheaper):
                return

    def _learn(self, window: t.Any, total: int | None) -> None:
        if total is not None:
            self._lengths[window] = pages_of(total, PAGE_SIZE)

    # -- those sought -------------------------------------------------------------------------------------------

    def select(self, selection: Selection, max_instances: int, max_pages: int | None = None) -> Found:
        """List what a Selection matches: each instance once, by its newest look.

        An instance that held a wanted status throughout is found for certain; others may be missed while they move.
        What was created after the server's first answer is left out.

        Args:
            max_pages: pages that are read at most, the newest ones, of one listing; None: as many as there are.

        Raises:
            TooManyMatched: more than max_instances match; they were counted to the end, by MOST_COUNTED pages at most.
            OptionError: this server's listing can't answer one of the filters.
            ListingBroken: what was listed is not all that the server announces.
            Refused: the server will not list by these filters, and listing without them would take too long.
        """
        gathering = Gathering(selection, max_instances, self._server_date)
        window = _bounds(selection.created_after, selection.created_before)
        statuses = selection.statuses or ()
        try:
            if max_pages is not None:
                return self._select_newest(gathering, statuses, window, max_pages)
            return self._select(gathering, statuses, window)
        except Refused as error:
            if not statuses and window == (None, None):
                raise
            return self._select_unfiltered(Gathering(selection, max_instances, self._server_date), error, max_pages)

    def _select(self, gathering: Gathering, statuses: tuple[str, ...], window: Window) -> Found:
        if len(statuses) == 1:
            for page in self._workflow.pages(statuses[0], *window):
                if not gathering.take(page):
                    break
            return gathering.found(passes=1)
        is_decided = not statuses
        for read, page in enumerate(self._workflow.pages(None, *window), 1):
            wants_more = gathering.take(page)
            self._learn(window, page.total)
            if not is_decided and page.total is not None:
                is_decided = True
                left = pages_of(page.total, PAGE_SIZE) - read
                if not unfiltered_is_cheaper(left, [1] * len(statuses)):
                    by_status = {status: Listing(self._workflow.pages(status, *window)) for status in statuses}
                    for listing in by_status.values():
                        gathering.take(listing.first)
                    if not unfiltered_is_cheaper(left, [listing.pages for listing in by_status.values()]):
                        return self._by_status(gathering, by_status, window)
            if not wants_more:
                break
        return gathering.found(passes=1)

    def _select_newest(
        self, gathering: Gathering, statuses: tuple[str, ...], window: Window, max_pages: int, remarks: tuple[str, ...] = ()
    ) -> Found:
        """By the newest pages of one listing; the server filters it by a status where that is the only one."""
        listed, read, total, is_full = 0, 0, None, False
        pages = self._workflow.pages(statuses[0] if len(statuses) == 1 else None, *window)
        for page in itertools.islice(pages, max_pages):
            wants_more = gathering.take(page)
            read, listed, is_full = read + 1, listed + len(page.items), len(page.items) >= PAGE_SIZE
            total = total if page.total is None else page.total
            if not wants_more:
                break
        is_cut = read == max_pages and (is_full if total is None else listed < total)
        return gathering.found(1, remarks=remarks, extent=Extent(listed, total, is_cut))

    def _by_status(self, gathering: Gathering, listings: dict[str, Listing], window: Window) -> Found:
        for listing in listings.values():
            for page in listing.rest:
                if not gathering.take(page):
                    break
        passes = 1
        while passes < MOST_PASSES and not gathering.are_too_many:
            passes += 1
            known = set(gathering.looks)
            for status in listings:
                for page in self._workflow.pages(status, *window):
                    gathering.take(page)
            if known.issuperset(gathering.looks):
                return gathering.found(passes)
        return gathering.found(passes, converged=False)

    def _select_unfiltered(self, gathering: Gathering, error: Refused, max_pages: int | None) -> Found:
        """By a listing of everything, where the server will not filter and that does not take too long."""
        if max_pages is not None:
            return self._select_newest(gathering, (), (None, None), max_pages, (_unfiltered(error),))
        for read, page in enumerate(self._workflow.pages(), 1):
            gathering.take(page)
            pages = pages_of(page.total or 0, PAGE_SIZE)
            if max(pages, read) > MOST_UNFILTERED:
                raise Refused(
                    f"the server refuses a filter of select: {error.message}; listing everything instead would take "
                    f"{pages if page.total else f'more than {MOST_UNFILTERED}'} calls",
                    "Leave that filter out, or name the instances by instance_ids",
                )
        return gathering.found(passes=1, remarks=(_unfiltered(error),))


def _unfiltered(error: Refused) -> str:
    return f"the server refuses a filter of select ({error.message}); everything was listed instead, and filtered here"


def last_statuses(pursuits: t.Iterable[Pursuit]) -> list[str]:
    """The statuses in which they were seen last, the most frequent first: where they are to be expected."""
    return [status for status, _count in collections.Counter(p.record.status for p in pursuits if p.record.status).most_common()]


def _window(pursuits: t.Collection[Pursuit]) -> Window:
    """The bounds of a listing that holds all of them."""
    looks = [pursuit.record.look for pursuit in pursuits]
    created = [parse_timestamp(look.created) if look else None for look in looks]
    moments = [moment for moment in created if moment is not None]
    if not moments or len(moments) < len(created):
        return None, None
    # What is told in whole seconds may have been created at any moment of the last one.
    is_precise = all(look is not None and "." in (look.created or "") for look in looks)
    return _bounds(min(moments), max(moments) if is_precise else _later(max(moments), _A_SECOND))


def _bounds(after: datetime | None, before: datetime | None) -> Window:
    # Sent in milliseconds: cut downwards, so what is to lie before is rounded up first.
    return to_utc(after) if after else None, to_utc(_later(before, _ALMOST_A_MILLISECOND)) if before else None


def _later(moment: datetime, by: timedelta) -> datetime:
    try:
        return moment + by
    except OverflowError:
        return moment  # at the end of time
