# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""`workflow_poll`: finds instances by listing them.

Creation is all that the API filters by, and an instance may fail long after it was created. So what is recent is listed often, in
rounds, and all of a status now and then, in sweeps; where one page holds all of it, that page is both.
"""

from __future__ import annotations

import contextlib
import math
import typing as t
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import CloudflareError, OptionError, WorkflowNotFound
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.paging import count_of
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.text import clean, shown_name
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.timestamps import to_utc
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.types import Json
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.workflows import PAGE_SIZE, Page
from ansible_collections.edgeops.cloudflare.plugins.module_utils.events.arguments import PollSettings, poll_settings
from ansible_collections.edgeops.cloudflare.plugins.module_utils.events.enrich import sighting_of
from ansible_collections.edgeops.cloudflare.plugins.module_utils.events.keeping import Keeper
from ansible_collections.edgeops.cloudflare.plugins.module_utils.events.memory import Baseline, Memory
from ansible_collections.edgeops.cloudflare.plugins.module_utils.events.reporter import Reporter
from ansible_collections.edgeops.cloudflare.plugins.module_utils.events.schedule import ROUND, SWEEP, WINDOW, Budget, Plan, plan
from ansible_collections.edgeops.cloudflare.plugins.module_utils.events.shape import ERRORED, FINISHED, Sighting, normal_time
from ansible_collections.edgeops.cloudflare.plugins.module_utils.events.source import (
    EventQueue,
    Halt,
    Line,
    SourceError,
    Surroundings,
    Trouble,
    as_error,
    cant_pass,
    ensure_requests,
)

SOURCE = "workflow_poll"

#: Looks in a row at a finished instance of which nobody says when it ended, before it is reported all the same.
_MOST_UNRIPE = 3


async def run(queue: EventQueue, args: t.Mapping[str, t.Any], surroundings: Surroundings | None = None) -> None:
    """Report instances until cancelled. Raises SourceError: what can't pass."""
    ensure_requests()
    surroundings = surroundings or Surroundings(SOURCE)
    try:
        settings = poll_settings(args)
        keeper = Keeper(surroundings, SOURCE, settings.connection, settings.state_path)
    except OptionError as error:
        raise SourceError(f"{SOURCE}: {error.text}.") from None
    with contextlib.closing(keeper):
        poll = Poll(surroundings, settings, keeper, queue)
        try:
            await poll.run()
        finally:
            poll.stop()
            keeper.save_finally()


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
        self.sweep: _Listing | None = None
        self.unripe: dict[str, int] = {}
        self.trouble = Trouble(f"{clean(status, 40)} instances of {shown_name(workflow_name)} can't be listed")

    @property
    def fits_a_page(self) -> bool:
        """One page holds all of them, so that a sweep is as cheap as a round."""
        return self.total is not None and self.total <= PAGE_SIZE


class _Listing:
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


class Poll:
    """The source at work."""

    def __init__(self, surroundings: Surroundings, settings: PollSettings, keeper: Keeper, queue: EventQueue) -> None:
        self._surroundings = surroundings
        self._settings = settings
        self._keeper = keeper
        self._memory: Memory = keeper.memory
        self._line = Line(surroundings, settings.connection)
        # A development session has no limit to keep.
        self._is_development = settings.connection.account_id is None
        self._budget = Budget(None if self._is_development else settings.budget)
        account = settings.connection.account_id or ""
        self._reporter = Reporter(surroundings, self._line, self._budget, self._memory, queue, account, keeper.is_kept)
        now = surroundings.clock.monotonic()
        self._targets = [Target(name, status, now) for name in settings.workflow_names for status in settings.statuses]
        self._wanted = Plan(settings.interval, settings.sweep_interval)
        self._plan = self._told_plan = self._wanted
        self._has_worked: set[str] = set()  # workflows of which anything was listed
        self._skew: float | None = None

    def stop(self) -> None:
        """Make no more calls."""
        self._line.stop()

    async def run(self) -> None:
        """List, report and wait, until cancelled."""
        self._memory.keep_only(self._settings.workflow_names)
        again = self._memory.tell_again(self._keeper.lived_until - self._settings.replay) if self._settings.replay else 0
        if again:
            self._surroundings.log.info("%s instances were reported shortly before the last end; those that still hold are again", again)
        while True:
            now = self._surroundings.clock.monotonic()
            target = min(self._targets, key=lambda target: (min(target.round_at, self._sweep_at(target, now)), target.round_at))
            due_at = min(target.round_at, self._sweep_at(target, now))
            if due_at > now:
                await self._surroundings.pause(min(due_at - now, 60.0))
                self._keeper.save_if_due()
                continue
            try:
                await self._work(target, is_round=target.round_at <= now)
            except Halt:
                raise
            except Exception as error:  # noqa: BLE001  the activation goes on
                await self._suffer(target, as_error(error))
            else:
                self._has_worked.add(target.workflow_name)
                self._tell(target.trouble.over(self._surroundings.clock.monotonic()))
            self._keeper.save_if_due()

    # -- when -------------------------------------------------------------------------------------------------------------

    def _sweep_at(self, target: Target, now: float) -> float:
        """When a target's next page of a sweep may be taken."""
        if target.fits_a_page and target.sweep is None:
            return target.sweep_at
        return max(target.sweep_at, now + self._budget.wait(SWEEP, now, self._expected_rounds()))

    def _expected_rounds(self) -> float:
        return self._round_cost() * WINDOW / self._plan.interval

    def _round_cost(self) -> int:
        return sum(target.round_cost for target in self._targets)

    def _replan(self) -> None:
        """Set the intervals by what rounds and sweeps have cost, and say where they are no longer those asked for."""
        if self._is_development:
            return
        sweep_cost = sum(target.sweep_cost for target in self._targets if not target.fits_a_page)
        self._plan = plan(self._settings.budget, self._wanted, self._round_cost(), sweep_cost)
        if all(0.8 < now / told < 1.25 for now, told in zip(self._plan, self._told_plan)):
            return
        self._told_plan = self._plan
        if self._plan == self._wanted:
            self._surroundings.log.warning("the budget is enough again: rounds and sweeps are made as often as asked for")
            return
        self._surroundings.log.warning(
            "budget=%s calls in 5 min is not enough: what is recent is listed every %.0f s (interval=%g), and all there is every %.0f s "
            "(sweep_interval=%g). Raise budget, or name fewer workflows.",
            self._settings.budget,
            self._plan.interval,
            self._wanted.interval,
            self._plan.sweep_interval,
            self._wanted.sweep_interval,
        )

    # -- what -------------------------------------------------------------------------------------------------------------

    async def _work(self, target: Target, is_round: bool) -> None:
        if target.fits_a_page and target.sweep is None:
            await self._whole(target)
        elif is_round:
            await self._round(target)
        else:
            await self._sweep_page(target)

    async def _whole(self, target: Target) -> None:
        """A sweep of a page, in the place of a round."""
        began = self._surroundings.clock.monotonic()
        listing = self._listing(target)
        items = await self._all(listing)
        await self._take_in(target, items)
        self._finish(target, listing)
        target.round_cost = max(1, listing.taken)
        self._replan()
        target.sweep_at = began + self._plan.interval
        if not target.fits_a_page:
            target.round_at, target.sweep_at = target.sweep_at, began + self._plan.sweep_interval

    async def _round(self, target: Target) -> None:
        """List what was created of late, and see by the workflow's own count whether anything else has moved."""
        began, calls = self._surroundings.clock.monotonic(), self._line.calls()
        count = await self._count(target)
        after = to_utc(datetime.fromtimestamp(self._server_now() - self._settings.lookback, timezone.utc))
        items = await self._all(self._listing(target, created_after=after))
        target.round_cost = max(1, self._line.calls() - calls)
        new = await self._take_in(target, items)
        # What came and was found explains as much of the change; anything else is to be looked for.
        if count is not None and target.count is not None and count - target.count != new:
            target.sweep_at = min(target.sweep_at, began)
        target.count = count
        self._replan()
        target.round_at = began + self._plan.interval

    async def _count(self, target: Target) -> int | None:
        described = await self._counted(ROUND, self._reporter.workflow(target.workflow_name).describe)
        counts = described.get("instances")
        return count_of(counts.get(target.status, 0)) if isinstance(counts, dict) else None

    async def _sweep_page(self, target: Target) -> None:
        """The next page of all there is."""
        began = self._surroundings.clock.monotonic()
        sweep = target.sweep = target.sweep or self._listing(target)
        page = await self._page(sweep, SWEEP)
        while page is not None:
            await self._take_in(target, page.items)
            if not sweep.looks_done:
                target.round_at = min(target.round_at, began + self._plan.interval)
                return
            page = await self._page(sweep, SWEEP)
        target.sweep = None
        self._finish(target, sweep)
        target.sweep_cost, target.count = max(1, sweep.taken), None
        target.round_at = math.inf if target.fits_a_page else min(target.round_at, began + self._plan.interval)
        self._replan()
        target.sweep_at = began + (self._plan.interval if target.fits_a_page else self._plan.sweep_interval)

    def _listing(self, target: Target, created_after: str | None = None) -> _Listing:
        pages = self._reporter.workflow(target.workflow_name).pages(target.status, created_after=created_after)
        return _Listing(pages, self._surroundings.now())

    def _finish(self, target: Target, listing: _Listing) -> None:
        """All of a status was listed."""
        target.total = max(listing.seen, listing.total or 0)
        self._begin_baseline(target)
        if not self._memory.baselines[target.workflow_name, target.status].is_done:
            self._keeper.has_changed = True
        self._memory.finish_sweep(target.workflow_name, target.status, listing.began_at, self._surroundings.now())

    async def _all(self, listing: _Listing) -> list[Json]:
        items: list[Json] = []
        page = await self._page(listing, ROUND)
        while page is not None:
            items += page.items
            page = await self._page(listing, ROUND)
        return items

    async def _page(self, listing: _Listing, kind: str) -> Page | None:
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

    # -- what it tells ----------------------------------------------------------------------------------------------------

    async def _take_in(self, target: Target, items: t.Iterable[Json]) -> int:
        """Report what is new in a listing, and remember all of it. Returns how many were not known."""
        self._begin_baseline(target)
        found = [sighting_of(target.workflow_name, item) for item in items]
        sightings = list(dict.fromkeys(sighting for sighting in found if sighting is not None and sighting.status == target.status))
        if self._is_development:
            sightings = await self._with_their_ends(sightings)
        now = self._surroundings.now()
        new, loud = 0, []
        for sighting in sightings:
            if self._memory.knows(sighting):
                self._memory.see(sighting, now)
                continue
            new += 1
            if self._memory.is_silent(sighting):
                self._memory.note(sighting, now, told=False)
            else:
                loud.append(sighting)
        if new:
            self._keeper.has_changed = True
        if loud:
            await self._reporter.report(await self._enriched(target, loud))
        return new

    async def _enriched(self, target: Target, sightings: list[Sighting]) -> list[Sighting]:
        """With what a look adds; without those that have moved on meanwhile, and those of which the end is not known yet."""
        wanted = [sighting for sighting in sightings if _needs_a_look(sighting)]
        found = await self._reporter.looked_at(wanted)
        enriched = []
        for sighting in sightings:
            insight = found.get(sighting.key)
            if insight is not None and not insight.holds:
                continue  # what it is now is another event, or none
            told = insight.sighting if insight is not None else sighting
            if told.status in FINISHED and told.ended_on is None and self._may_ripen(target, told.id):
                continue
            target.unripe.pop(told.id, None)
            enriched.append(told)
        return enriched

    def _may_ripen(self, target: Target, instance_id: str) -> bool:
        """Whether to wait for the next round: the end of an instance is a part of what it is told apart by."""
        target.unripe[instance_id] = target.unripe.get(instance_id, 0) + 1
        return target.unripe[instance_id] <= _MOST_UNRIPE

    async def _with_their_ends(self, sightings: list[Sighting]) -> list[Sighting]:
        """A development session lists no ends: each is looked at, which costs nothing there."""
        finished = [sighting for sighting in sightings if sighting.status in FINISHED and sighting.ended_on is None]
        found = await self._reporter.looked_at(finished, patience=(0.0,))
        kept = [sighting for sighting in sightings if sighting.key not in found or found[sighting.key].holds]
        return [found[sighting.key].sighting if sighting.key in found else sighting for sighting in kept]

    def _begin_baseline(self, target: Target) -> None:
        """What came to this status before the source did is not reported, the first time that it is asked for."""
        key = (target.workflow_name, target.status)
        if key in self._memory.baselines:
            return
        since = None
        if self._settings.initial == "ignore":
            began = datetime.fromtimestamp(self._server_now(), timezone.utc) - timedelta(seconds=self._settings.catch_up)
            since = normal_time(to_utc(began))
        self._memory.baselines[key] = Baseline(since)

    def _server_now(self) -> float:
        """Seconds since 1970 by the API's clock, as its first answer told it."""
        now, date = self._surroundings.now(), _date_of(self._line.client.server_date)
        if self._skew is None and date is not None:
            self._skew = date - now
        return now + (self._skew or 0.0)

    # -- what goes wrong --------------------------------------------------------------------------------------------------

    async def _suffer(self, target: Target, error: CloudflareError) -> None:
        """What can't pass ends the source, before anything of that workflow was listed; the rest is waited out."""
        is_first = target.workflow_name not in self._has_worked if isinstance(error, WorkflowNotFound) else not self._has_worked
        if is_first and cant_pass(error, self._line.was_refused):
            raise SourceError(f"{SOURCE}: {error.text}.")
        clock = self._surroundings.clock
        wait, line = target.trouble.met(error, clock.monotonic(), clock.time_of_day)
        self._tell(line)
        target.sweep = None
        again_at = clock.monotonic() + wait
        target.sweep_at = max(target.sweep_at, again_at)
        if target.round_at < math.inf:
            target.round_at = max(target.round_at, again_at)

    def _tell(self, line: str | None) -> None:
        if line:
            self._surroundings.log.warning("%s", line)


def _needs_a_look(sighting: Sighting) -> bool:
    return (sighting.status == ERRORED and sighting.error is None) or (sighting.status in FINISHED and sighting.ended_on is None)


def _date_of(header: str | None) -> float | None:
    """A `Date` header in seconds since 1970."""
    try:
        return parsedate_to_datetime(header).timestamp() if header else None
    except (TypeError, ValueError, IndexError):
        return None
