# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What listings of `workflow_poll` show, and what of it is news."""

from __future__ import annotations

import typing as t
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.timestamps import to_utc
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.types import Json
from ansible_collections.edgeops.cloudflare.plugins.module_utils.events.arguments import PollSettings
from ansible_collections.edgeops.cloudflare.plugins.module_utils.events.enrich import sighting_of
from ansible_collections.edgeops.cloudflare.plugins.module_utils.events.keeping import Keeper
from ansible_collections.edgeops.cloudflare.plugins.module_utils.events.memory import Baseline
from ansible_collections.edgeops.cloudflare.plugins.module_utils.events.reporter import Reporter
from ansible_collections.edgeops.cloudflare.plugins.module_utils.events.shape import ERRORED, FINISHED, Sighting, normal_time
from ansible_collections.edgeops.cloudflare.plugins.module_utils.events.source import Line, Surroundings

#: Looks in a row at a finished instance of which nobody says when it ended, before it is reported all the same.
_MOST_UNRIPE = 3


class Intake:
    """Takes listings in."""

    def __init__(self, surroundings: Surroundings, settings: PollSettings, keeper: Keeper, line: Line, reporter: Reporter) -> None:
        self._surroundings = surroundings
        self._settings = settings
        self._keeper = keeper
        self._memory = keeper.memory
        self._line = line
        self._reporter = reporter
        self._is_development = settings.connection.account_id is None
        self._unripe: dict[tuple[str, str], int] = {}
        self._skew: float | None = None

    async def take_in(self, workflow_name: str, status: str, items: t.Iterable[Json]) -> int:
        """Report what is new in a listing, and remember all of it. Returns how many were not known."""
        self._begin_baseline(workflow_name, status)
        found = [sighting_of(workflow_name, item) for item in items]
        sightings = list(dict.fromkeys(sighting for sighting in found if sighting is not None and sighting.status == status))
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
            await self._reporter.report(await self._enriched(loud))
        return new

    async def _enriched(self, sightings: list[Sighting]) -> list[Sighting]:
        """With what a look adds; without those that have moved on meanwhile, and those of which the end is not known yet."""
        wanted = [sighting for sighting in sightings if _needs_a_look(sighting)]
        found = await self._reporter.looked_at(wanted)
        enriched = []
        for sighting in sightings:
            insight = found.get(sighting.key)
            if insight is not None and not insight.holds:
                continue  # what it is now is another event, or none
            told = insight.sighting if insight is not None else sighting
            if told.status in FINISHED and told.ended_on is None and self._may_ripen(told):
                continue
            self._unripe.pop(told.key, None)
            enriched.append(told)
        return enriched

    def _may_ripen(self, sighting: Sighting) -> bool:
        """Whether to wait for the next round: the end of an instance is a part of what it is told apart by."""
        self._unripe[sighting.key] = self._unripe.get(sighting.key, 0) + 1
        return self._unripe[sighting.key] <= _MOST_UNRIPE

    async def _with_their_ends(self, sightings: list[Sighting]) -> list[Sighting]:
        """A development session lists no ends: each is looked at, which costs nothing there."""
        finished = [sighting for sighting in sightings if sighting.status in FINISHED and sighting.ended_on is None]
        found = await self._reporter.looked_at(finished, patience=(0.0,))
        kept = [sighting for sighting in sightings if sighting.key not in found or found[sighting.key].holds]
        return [found[sighting.key].sighting if sighting.key in found else sighting for sighting in kept]

    def finish(self, workflow_name: str, status: str, began_at: float) -> None:
        """All of a status has been listed since `began_at` (seconds since 1970)."""
        self._begin_baseline(workflow_name, status)
        if not self._memory.baselines[workflow_name, status].is_done:
            self._keeper.has_changed = True
        self._memory.finish_sweep(workflow_name, status, began_at, self._surroundings.now())

    def _begin_baseline(self, workflow_name: str, status: str) -> None:
        """What came to this status before the source did is not reported, the first time that it is asked for."""
        key = (workflow_name, status)
        if key in self._memory.baselines:
            return
        since = None
        if self._settings.initial == "ignore":
            began = datetime.fromtimestamp(self.server_now(), timezone.utc) - timedelta(seconds=self._settings.catch_up)
            since = normal_time(to_utc(began))
        self._memory.baselines[key] = Baseline(since)

    def server_now(self) -> float:
        """Seconds since 1970 by the API's clock, as its first answer told it."""
        now, date = self._surroundings.now(), _date_of(self._line.client.server_date)
        if self._skew is None and date is not None:
            self._skew = date - now
        return now + (self._skew or 0.0)


def _needs_a_look(sighting: Sighting) -> bool:
    return (sighting.status == ERRORED and sighting.error is None) or (sighting.status in FINISHED and sighting.ended_on is None)


def _date_of(header: str | None) -> float | None:
    """A `Date` header in seconds since 1970."""
    try:
        return parsedate_to_datetime(header).timestamp() if header else None
    except (TypeError, ValueError, IndexError):
        return None
