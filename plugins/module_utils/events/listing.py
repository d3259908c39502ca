# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pages of listings, taken as the budget has room for them."""

from __future__ import annotations

import math
import typing as t

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.paging import count_of
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.text import clean, shown_name
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.types import Json
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.workflows import PAGE_SIZE, Page, Workflow
from ansible_collections.edgeops.cloudflare.plugins.module_utils.events.schedule import ROUND, Budget
from ansible_collections.edgeops.cloudflare.plugins.module_utils.events.source import Line, Surroundings, Trouble


class Target:
    """One status of one workflow: what is known of its size, and when it is due.

    total: how many there are by the last sweep; None before the first.
    count: how many there were by the workflow's own count.
    round_cost, sweep_cost: calls.
    round_at, sweep_at: when they are due, by the monotonic clock.
    """

    def __init__(self, workflow_name: str, status: str, now: float) -> None:
        self.workflow_name = workflow_name
        self.status = status
        self.total: int | None = None
        self.count: int | None = None
        self.round_cost = self.sweep_cost = 1
        self.round_at = math.inf
        self.sweep_at = now
        self.sweep: Listing | None = None
        self.trouble = Trouble(f"{clean(status, 40)} instances of {shown_name(workflow_name)} can't be listed")

    @property
    def fits_a_page(self) -> bool:
        """One page holds all of them, so that a sweep is as cheap as a round."""
        return self.total is not None and self.total <= PAGE_SIZE


class Listing:
    """A listing under way. began_at: seconds since 1970."""

    def __init__(self, pages: t.Iterator[Page], began_at: float) -> None:
        self.pages = pages
        self.began_at = began_at
        self.taken = 0
        self.seen = 0
        self.total: int | None = None
        self._newest: Page | None = None

    def add(self, page: Page) -> None:
        """A page was taken."""
        self.taken, self.seen, self.total, self._newest = self.taken + 1, self.seen + len(page.items), page.total, page

    @property
    def looks_done(self) -> bool:
        """Nothing more is announced, so that asking for the next page takes no call."""
        page = self._newest
        return page is not None and (len(page.items) < PAGE_SIZE or (page.total is not None and self.seen >= page.total))


class Lister:
    """Lists instances; what it takes is spent from the budget.

    Args:
        workflow: the endpoints of a workflow, by its name.
        expected_rounds: see Budget.room.
    """

    def __init__(
        self,
        surroundings: Surroundings,
        line: Line,
        budget: Budget,
        workflow: t.Callable[[str], Workflow],
        expected_rounds: t.Callable[[], float],
    ) -> None:
        self._surroundings = surroundings
        self._line = line
        self._budget = budget
        self._workflow = workflow
        self._expected_rounds = expected_rounds

    def begin(self, target: Target, created_after: str | None = None) -> Listing:
        """A listing of which no page is taken yet."""
        pages = self._workflow(target.workflow_name).pages(target.status, created_after=created_after)
        return Listing(pages, self._surroundings.now())

    async def count(self, target: Target) -> int | None:
        """How many there are by the workflow's own count. One call."""
        described = await self._counted(ROUND, self._workflow(target.workflow_name).describe)
        counts = described.get("instances")
        return count_of(counts.get(target.status, 0)) if isinstance(counts, dict) else None

    async def all(self, listing: Listing) -> list[Json]:
        """All that is left of a listing."""
        items: list[Json] = []
        page = await self.page(listing, ROUND)
        while page is not None:
            items += page.items
            page = await self.page(listing, ROUND)
        return items

    async def page(self, listing: Listing, kind: str) -> Page | None:
        """The next page of a listing, as soon as the budget has room for it; None where there is none."""
        if not listing.looks_done:
            await self._await_room(kind)
        page: Page | None = await self._counted(kind, next, listing.pages, None)
        if page is not None:
            listing.add(page)
        return page

    async def _await_room(self, kind: str) -> None:
        clock = self._surroundings.clock
        wait = self._budget.wait(kind, clock.monotonic(), self._expected_rounds())
        while wait > 0:
            await self._surroundings.pause(min(wait, 60.0))
            wait = self._budget.wait(kind, clock.monotonic(), self._expected_rounds())

    async def _counted(self, kind: str, function: t.Callable[..., t.Any], *args: t.Any) -> t.Any:
        before = self._line.calls()
        try:
            return await self._line.call(function, *args)
        finally:
            self._budget.spend(kind, self._line.calls() - before, self._surroundings.clock.monotonic())
