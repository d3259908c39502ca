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
from datetime import datetime, timezone

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import (
    CloudflareError,
    InternalError,
    ListingBroken,
    OptionError,
    Refused,
    TooLarge,
    WorkflowNotFound,
)
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.text import shown_name
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.timestamps import to_utc
from ansible_collections.edgeops.cloudflare.plugins.module_utils.events.arguments import PollSettings, poll_settings
from ansible_collections.edgeops.cloudflare.plugins.module_utils.events.intake import Intake
from ansible_collections.edgeops.cloudflare.plugins.module_utils.events.keeping import Keeper
from ansible_collections.edgeops.cloudflare.plugins.module_utils.events.listing import Lister, Listing, Target
from ansible_collections.edgeops.cloudflare.plugins.module_utils.events.reporter import Reporter
from ansible_collections.edgeops.cloudflare.plugins.module_utils.events.schedule import SWEEP, WINDOW, Budget, Plan, plan
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

#: Errors that say nothing of other workflows.
_OF_ONE_WORKFLOW = (WorkflowNotFound, Refused, ListingBroken, TooLarge, InternalError)


#: What is listed by each of the intervals of a Plan.
_WHAT = ("what was created of late is listed", "all there is is listed")


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


class Poll:
    """The source at work."""

    def __init__(self, surroundings: Surroundings, settings: PollSettings, keeper: Keeper, queue: EventQueue) -> None:
        self._surroundings = surroundings
        self._settings = settings
        self._keeper = keeper
        self._line = Line(surroundings, settings.connection)
        # A development session has no limit to keep.
        self._is_development = settings.connection.account_id is None
        self._budget = Budget(None if self._is_development else settings.budget)
        account = settings.connection.account_id or ""
        reporter = Reporter(surroundings, self._line, self._budget, keeper.memory, queue, account, keeper.is_kept)
        self._lister = Lister(surroundings, self._line, self._budget, reporter.workflow, self._expected_rounds)
        self._intake = Intake(surroundings, settings, keeper, self._line, reporter)
        now = surroundings.clock.monotonic()
        self._targets = [Target(name, status, now) for name in settings.workflow_names for status in settings.statuses]
        self._wanted = Plan(settings.interval, settings.sweep_interval)
        self._plan = self._told_plan = self._wanted
        self._has_worked: set[str] = set()  # workflows of which anything was listed
        names = settings.workflow_names
        self._trouble = Trouble(f"instances of {shown_name(names[0]) if len(names) == 1 else f'{len(names)} workflows'} can't be listed")

    def stop(self) -> None:
        """Make no more calls."""
        self._line.stop()

    async def run(self) -> None:
        """List, report and wait, until cancelled."""
        self._keeper.memory.keep_only(self._settings.workflow_names)
        again = self._keeper.memory.tell_again(self._keeper.lived_until - self._settings.replay) if self._settings.replay else 0
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
                self._suffer(target, as_error(error))
            else:
                self._has_worked.add(target.workflow_name)
                now = self._surroundings.clock.monotonic()
                self._tell(self._trouble.over(now))
                self._tell(target.trouble.over(now))
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
            self._tell("The budget is enough again: rounds and sweeps are made as often as asked for.")
            return
        stretched = [
            f"{what} every {now:.0f} s, and not every {wanted:g} ({option})"
            for what, option, now, wanted in zip(_WHAT, self._plan._fields, self._plan, self._wanted)
            if now > wanted
        ]
        self._tell(
            f"budget={self._settings.budget} calls in 5 min is not enough: {'; '.join(stretched)}. Raise budget, or name fewer workflows."
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
        listing = self._lister.begin(target)
        items = await self._lister.all(listing)
        await self._intake.take_in(target.workflow_name, target.status, items)
        self._finish(target, listing)
        target.round_cost = max(1, listing.taken)
        self._replan()
        target.sweep_at = began + self._plan.interval
        if not target.fits_a_page:
            target.round_at, target.sweep_at = target.sweep_at, began + self._plan.sweep_interval

    async def _round(self, target: Target) -> None:
        """List what was created of late, and see by the workflow's own count whether anything else has moved."""
        began, calls = self._surroundings.clock.monotonic(), self._line.calls()
        count = await self._lister.count(target)
        after = to_utc(datetime.fromtimestamp(self._intake.server_now() - self._settings.lookback, timezone.utc))
        items = await self._lister.all(self._lister.begin(target, created_after=after))
        target.round_cost = max(1, self._line.calls() - calls)
        new = await self._intake.take_in(target.workflow_name, target.status, items)
        # What came and was found explains as much of the change; anything else is to be looked for.
        if count is not None and target.count is not None and count - target.count != new:
            target.sweep_at = min(target.sweep_at, began)
        target.count = count
        self._replan()
        target.round_at = began + self._plan.interval

    async def _sweep_page(self, target: Target) -> None:
        """The next page of all there is."""
        began = self._surroundings.clock.monotonic()
        sweep = target.sweep = target.sweep or self._lister.begin(target)
        page = await self._lister.page(sweep, SWEEP)
        while page is not None:
            await self._intake.take_in(target.workflow_name, target.status, page.items)
            if not sweep.looks_done:
                target.round_at = min(target.round_at, began + self._plan.interval)
                return
            page = await self._lister.page(sweep, SWEEP)
        target.sweep = None
        self._finish(target, sweep)
        target.sweep_cost, target.count = max(1, sweep.taken), None
        target.round_at = math.inf if target.fits_a_page else min(target.round_at, began + self._plan.interval)
        self._replan()
        target.sweep_at = began + (self._plan.interval if target.fits_a_page else self._plan.sweep_interval)

    def _finish(self, target: Target, listing: Listing) -> None:
        """All of a status was listed."""
        target.total = max(listing.seen, listing.total or 0)
        self._intake.finish(target.workflow_name, target.status, listing.began_at)

    # -- what goes wrong --------------------------------------------------------------------------------------------------

    def _suffer(self, target: Target, error: CloudflareError) -> None:
        """What can't pass ends the source, before anything of that workflow was listed; the rest is waited out."""
        is_first = target.workflow_name not in self._has_worked if isinstance(error, WorkflowNotFound) else not self._has_worked
        if is_first and cant_pass(error, self._line.was_refused):
            raise SourceError(f"{SOURCE}: {error.text}.")
        clock = self._surroundings.clock
        is_its_own = isinstance(error, _OF_ONE_WORKFLOW)
        wait, line = (target.trouble if is_its_own else self._trouble).met(error, clock.monotonic(), clock.time_of_day)
        self._tell(line)
        target.sweep = None  # its pages can't be gone on with
        again_at = clock.monotonic() + wait
        for one in [target] if is_its_own else self._targets:
            one.sweep_at = max(one.sweep_at, again_at)
            if one.round_at < math.inf:
                one.round_at = max(one.round_at, again_at)

    def _tell(self, line: str | None) -> None:
        if line:
            self._surroundings.log.warning("%s", line)
