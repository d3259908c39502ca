# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Looking at many instances by as few calls as possible: what `select` matches, and how those known are by now."""

from __future__ import annotations

import typing as t
from datetime import timedelta

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import (
    CloudflareError,
    InstanceNotFound,
    OptionError,
    Refused,
    TooManyMatched,
)
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.timestamps import parse_timestamp, to_utc
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.workflows import PAGE_SIZE
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.selection import (
    fence_of,
    pages_of,
    unfiltered_is_cheaper,
)
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.look import has_status

#: Listings of several statuses are repeated until no new instance appears, at most so often.
MOST_PASSES = 5

#: From so many instances on, a listing is tried even where its length isn't known yet: the try may cost one call.
WORTH_A_TRY = 10

_A_SECOND = timedelta(seconds=1)
_ALMOST_A_MILLISECOND = timedelta(microseconds=999)


class Found(t.NamedTuple):
    """What a selection matches: item and time of its look by id, the passes made, and whether the last found nothing new."""

    looks: dict
    passes: int
    converged: bool


class Surveyor:
    """Looks at the instances of one workflow.

    Args:
        workflow: workflows.Workflow.
        clock: clock.Clock.
        server_date: callable returning the server's Date header at its first answer, str or None.
    """

    def __init__(self, workflow, clock, server_date=lambda: None):
        self._workflow = workflow
        self._clock = clock
        self._server_date = server_date
        self._lengths = {}  # window → pages of its unfiltered listing, as far as known
        self._listing_is_refused = False
        self._failed_listings = 0  # in a row

    # -- one instance -------------------------------------------------------------------------------------------

    def look_at(self, pursuit, slots=1):
        """Look at one instance alone. One call.

        Raises:
            CloudflareError: one that meets all instances alike; any other is noted in the pursuit.
        """
        with_log = pursuit.reads_log
        try:
            detail, at = self._workflow.detail(pursuit.id, steps=with_log, slots=slots)
        except InstanceNotFound:
            pursuit.see_missing(self._clock.monotonic())
        except CloudflareError as error:
            if error.fatal and not (error.is_passing and pursuit.is_waiting):
                raise
            pursuit.see_nothing(error)
        else:
            if has_status(detail):
                pursuit.see_detail(detail, at, with_log)
            else:
                pursuit.see_nothing(CloudflareError("the API's answer tells no status"))

    # -- those known --------------------------------------------------------------------------------------------

    def survey(self, pursuits, statuses=()):
        """Look at many known instances by listing, as long as that is cheaper than one by one.

        Args:
            pursuits: list of Pursuit.
            statuses: the statuses they are expected in, likeliest first.

        Returns:
            list of Pursuit that are still to be looked at one by one: a listing in which an instance is missing proves
            nothing.
        """
        if self._listing_is_refused:
            return list(pursuits)
        wanted = {pursuit.id: pursuit for pursuit in pursuits if pursuit.listing_will_do}
        alone = [pursuit for pursuit in pursuits if not pursuit.listing_will_do]
        window = _window(wanted.values())
        try:
            if self._is_worth_listing(len(wanted), window):
                self._sweep(wanted, window)
            for status in statuses:
                if len(wanted) > WORTH_A_TRY:
                    self._sweep(wanted, window, status)
        except CloudflareError as error:
            if error.fatal and not error.is_passing:
                raise
            self._listing_is_refused = isinstance(error, Refused)
            self._failed_listings += 1
            if error.is_passing or not (self._listing_is_refused or self._failed_listings > 1):
                for pursuit in [pursuit for pursuit in wanted.values() if pursuit.is_waiting]:
                    pursuit.see_nothing(error)  # the next poll may fare better
                    del wanted[pursuit.id]
        else:
            self._failed_listings = 0
        return alone + list(wanted.values())

    def _is_worth_listing(self, count, window):
        known = self._lengths.get(window)
        return count > WORTH_A_TRY if known is None else count > known

    def _sweep(self, wanted, window, status=None):
        """Take the looks of one listing; stops as soon as looking at those left one by one costs no more.

        Args:
            wanted: dict of id: Pursuit; those seen are taken out of it.
        """
        read, total = 0, None
        for page in self._workflow.pages(status, *window):
            read += 1
            total = total if page.total is None else page.total
            self._learn(window if status is None else (window, status), page.total)
            before = len(wanted)
            for item in page.items:
                if has_status(item) and item["id"] in wanted:
                    wanted.pop(item["id"]).see_listed(item, page.at)
            left = 0 if total is None else pages_of(total, PAGE_SIZE) - read
            if left > 0:
                is_cheaper = len(wanted) > left
            else:
                is_cheaper = before - len(wanted) > 1  # nothing tells how long it is: as long as its pages pay for themselves
            if not (wanted and is_cheaper):
                return

    def _learn(self, window, total):
        if total is not None:
            self._lengths[window] = pages_of(total, PAGE_SIZE)

    # -- those sought -------------------------------------------------------------------------------------------

    def select(self, selection, max_instances):
        """List what a Selection matches: each instance once, by its newest look.

        An instance that held a wanted status throughout is found for certain; others may be missed while they move.
        What was created after the server's first answer is left out.

        Args:
            selection: selection.Selection.
            max_instances: int.

        Returns:
            Found

        Raises:
            TooManyMatched: more than max_instances match; listing stops there.
            OptionError: this server's listing can't answer one of the filters.
        """
        gathering = _Gathering(selection, max_instances, self._server_date)
        statuses = selection.statuses or ()
        window = _bounds(selection.created_after, selection.created_before)
        if len(statuses) == 1:
            for page in self._workflow.pages(statuses[0], *window):
                gathering.take(page)
            return Found(gathering.looks, passes=1, converged=True)
        by_status = None
        read = 0
        for page in self._workflow.pages(None, *window):
            read += 1
            gathering.take(page)
            self._learn(window, page.total)
            if statuses and by_status is None and page.total is not None:
                left = pages_of(page.total, PAGE_SIZE) - read
                if unfiltered_is_cheaper(left, [1] * len(statuses)):
                    continue
                by_status = {status: _Listing(self._workflow.pages(status, *window)) for status in statuses}
                for listing in by_status.values():
                    gathering.take(listing.first)
                if unfiltered_is_cheaper(left, [listing.pages for listing in by_status.values()]):
                    statuses = ()
                    continue
                return self._by_status(gathering, by_status, window)
        return Found(gathering.looks, passes=1, converged=True)

    def _by_status(self, gathering, listings, window):
        for listing in listings.values():
            for page in listing.rest:
                gathering.take(page)
        for passes in range(2, MOST_PASSES + 1):
            known = set(gathering.looks)
            for status in listings:
                for page in self._workflow.pages(status, *window):
                    gathering.take(page)
            if known.issuperset(gathering.looks):
                return Found(gathering.looks, passes, converged=True)
        return Found(gathering.looks, MOST_PASSES, converged=False)


class _Listing:
    """A listing whose first page has been read: `first`, `pages` in all, and `rest`."""

    def __init__(self, pages):
        self.rest = iter(pages)
        self.first = next(self.rest)
        self.pages = pages_of(self.first.total or 0, PAGE_SIZE)


class _Gathering:
    """The matching instances found so far."""

    def __init__(self, selection, max_instances, server_date):
        self._selection = selection
        self._max_instances = max_instances
        self._server_date = server_date
        self._fence = None
        #: dict of id: (item, seconds), each instance by its newest look, in the order found.
        self.looks = {}

    def take(self, page):
        """Take in one page."""
        if self._fence is None:
            self._fence = fence_of(self._server_date())
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
        if len(self.looks) > self._max_instances:
            raise TooManyMatched(self._too_many(page.total))

    def _too_many(self, total):
        said = f" (the server says {total})" if total is not None and self._is_counted_by_server() else ""
        return f"more than {self._max_instances} instances match{said}; narrow the selection, or raise max_instances"

    def _is_counted_by_server(self):
        """Whether the server's total is of what is selected: all filters but one status and the creation are ours."""
        plain = self._selection._replace(statuses=None, created_after=None, created_before=None)
        return len(self._selection.statuses or ()) <= 1 and not any(plain)


def _window(pursuits):
    """The bounds of a listing that holds all of them: (after, before), str or None each."""
    moments = [parse_timestamp(pursuit.look.created) if pursuit.look else None for pursuit in pursuits]
    if not moments or None in moments:
        return None, None
    return _bounds(min(moments), _later(max(moments), _A_SECOND))


def _bounds(after, before):
    # Sent in milliseconds: cut downwards, so what is to lie before is rounded up first.
    return to_utc(after) if after else None, to_utc(_later(before, _ALMOST_A_MILLISECOND)) if before else None


def _later(moment, by):
    try:
        return moment + by
    except OverflowError:
        return moment  # at the end of time
