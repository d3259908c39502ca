# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From what was seen to events in the queue: looks at what is new, counts, puts, remembers. Shared by both sources."""

from __future__ import annotations

import typing as t

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import CloudflareError, InstanceNotFound, TooLarge
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.text import clean, shown_id, shown_name
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.types import Json
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.workflows import Workflow
from ansible_collections.edgeops.cloudflare.plugins.module_utils.events.enrich import PATIENCE, Insight, insight_of
from ansible_collections.edgeops.cloudflare.plugins.module_utils.events.memory import Memory
from ansible_collections.edgeops.cloudflare.plugins.module_utils.events.schedule import LOOK, Budget
from ansible_collections.edgeops.cloudflare.plugins.module_utils.events.shape import ERRORED, Sighting, event_of
from ansible_collections.edgeops.cloudflare.plugins.module_utils.events.source import EventQueue, Halt, Line, Surroundings, Trouble
from ansible_collections.edgeops.cloudflare.plugins.module_utils.events.storm import Storm


class Reporter:
    """Puts events into the rule engine's queue.

    Args:
        account: its id; empty in a development session.
        counts_failures: whether the memory outlives the source, so that a count of failures is worth telling.
    """

    def __init__(
        self, surroundings: Surroundings, line: Line, budget: Budget, memory: Memory, queue: EventQueue, account: str, counts_failures: bool
    ) -> None:
        self._surroundings = surroundings
        self._line = line
        self._budget = budget
        self._memory = memory
        self._queue = queue
        self._account = account
        self._counts_failures = counts_failures
        self._storm = Storm()
        self._trouble = Trouble("new failures can't be looked at, and are reported without their error", is_retried=False)
        self._workflows: dict[str, Workflow] = {}

    def workflow(self, name: str) -> Workflow:
        """The endpoints of a workflow."""
        if name not in self._workflows:
            self._workflows[name] = Workflow(self._line.client, name)
        return self._workflows[name]

    async def report(self, sightings: t.Iterable[Sighting]) -> list[Sighting]:
        """Put what is new into the queue, the oldest first; each is remembered as soon as it was taken.

        Returns:
            Those that were put.
        """
        ordered = sorted(sightings, key=lambda sighting: (sighting.moment or "", sighting.id))
        now = self._surroundings.clock.monotonic()
        # All of them first: the first of a storm is no single failure.
        for sighting in ordered:
            if sighting.status == ERRORED:
                self._storm.note(sighting.workflow_name, sighting.id, sighting.failed_on, now)
        for sighting in ordered:
            await self._put(sighting)
        return ordered

    async def _put(self, sighting: Sighting) -> None:
        failures = self._memory.failures(sighting) if self._counts_failures else None
        recent = self._storm.count(sighting.workflow_name, self._surroundings.clock.monotonic())
        event = event_of(self._account, sighting, self._memory.previous_status(sighting), failures, recent)
        await self._queue.put(event)
        self._memory.note(sighting, self._surroundings.now(), told=True)
        self._surroundings.log.info(
            "%s of %s is %s: reported as %s",
            shown_id(sighting.id),
            shown_name(sighting.workflow_name),
            clean(sighting.status, 40),
            event["meta"]["uuid"],
        )

    async def looked_at(self, sightings: t.Sequence[Sighting], patience: t.Sequence[float] = PATIENCE) -> dict[tuple[str, str], Insight]:
        """Look at instances alone, as many as the budget has room for, and again for some seconds where the API has not caught up.

        Args:
            patience: seconds before each look.

        Returns:
            What was found of those that were looked at, by their keys; one that is gone does not hold. What trouble left out is not there.
        """
        now = self._surroundings.clock.monotonic()
        waiting = list(sightings[: self._budget.room(LOOK, now)])
        found: dict[tuple[str, str], Insight] = {}
        try:
            for seconds in patience:
                if not waiting:
                    break
                if seconds:
                    await self._surroundings.pause(seconds)
                for sighting in waiting:
                    found[sighting.key] = await self._look(sighting)
                waiting = [sighting for sighting in waiting if not found[sighting.key].is_ripe]
        except Halt:
            raise
        except CloudflareError as error:
            clock = self._surroundings.clock
            _wait, line = self._trouble.met(error, clock.monotonic(), clock.time_of_day)
        else:
            line = self._trouble.over(self._surroundings.clock.monotonic()) if sightings else None
        if line:
            self._surroundings.log.warning("%s", line)
        return found

    async def _look(self, sighting: Sighting) -> Insight:
        calls = self._line.calls()
        try:
            return insight_of(sighting, await self._line.call(self._detail, sighting))
        except InstanceNotFound:
            return Insight(sighting, holds=False, is_ripe=False)
        finally:
            self._budget.spend(LOOK, self._line.calls() - calls, self._surroundings.clock.monotonic())

    def _detail(self, sighting: Sighting) -> Json:
        workflow = self.workflow(sighting.workflow_name)
        try:
            return workflow.detail(sighting.id, steps=sighting.status == ERRORED).detail
        except TooLarge:
            return workflow.detail(sighting.id).detail
