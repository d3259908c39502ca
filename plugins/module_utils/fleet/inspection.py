# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading instances without changing any: by listing where that is cheaper, and alone where more is asked than a listing tells."""

from __future__ import annotations

import fnmatch
import typing as t

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import CloudflareError, InstanceNotFound, TooLarge
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.timestamps import parse_timestamp
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.types import Json
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.workflows import Workflow
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.crew import Crew
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.gathering import Found
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.selection import Selection
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.survey import Surveyor
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.look import has_status
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.pursuit import Pursuit
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.record import Record
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.wanted import Wanted

#: Nothing is wanted of them; a state that a listing is enough for.
_NOTHING = Wanted("paused")


class Dossier(Record):
    """A record that keeps what was read as it was, for whoever asks."""

    def __init__(self, instance_id: str, workflow_name: str) -> None:
        super().__init__(instance_id, _NOTHING, workflow_name)
        self.listed: Json | None = None
        self.detail: Json | None = None
        self.has_log = False
        self.is_missing = False
        #: What kept the newest look at it alone from telling what was asked for.
        self.trouble: CloudflareError | None = None

    def see_listed(self, item: Json, at: float) -> None:
        """Take in an item of a listing."""
        super().see_listed(item, at)
        self.listed = item

    @property
    def was_read(self) -> bool:
        """It is there, and anything is known of it."""
        return not self.is_missing and (self.listed is not None or self.detail is not None)

    @property
    def fell_short(self) -> bool:
        """It could not be read as it was asked for, for another reason than its size."""
        return self.trouble is not None and not isinstance(self.trouble, TooLarge)


class Reading(t.NamedTuple):
    """What is asked for besides the status and the times.

    details: error and output of each, which takes a call each.
    most_logs: logs that are read at most, the newest instances first; 0 for none.
    most_pages: pages of a selection that are listed at most, the newest ones; None for all.
    """

    details: bool = False
    most_logs: int = 0
    most_pages: int | None = None


class Inspection:
    """Reads instances.

    Args:
        concurrency: requests under way at once.
    """

    def __init__(self, workflow: Workflow, surveyor: Surveyor, reading: Reading, max_instances: int, concurrency: int) -> None:
        self._workflow = workflow
        self._surveyor = surveyor
        self._reading = reading
        self._max_instances = max_instances
        self._crew = Crew(concurrency)
        self._pursuits: list[Pursuit] = []
        #: How a selection was listed.
        self.found: Found | None = None

    @property
    def dossiers(self) -> list[Dossier]:
        """What was read, in the order of the result: as given, or newest first; those that don't exist included."""
        return [dossier_of(pursuit) for pursuit in self._pursuits]

    @property
    def fatal(self) -> CloudflareError | None:
        """What ended the reading early."""
        return self._crew.fatal

    def run(self, instance_ids: list[str] | None, selection: Selection | None) -> None:
        """Read what is asked for; what ends it early is in `fatal`, and what was read until then stays."""
        try:
            if selection is not None:
                self._select(selection)
            else:
                self._pursuits = [Pursuit(Dossier(instance_id, self._workflow.name)) for instance_id in instance_ids or ()]
                self._survey()
            with self._crew.at_work(len(self._pursuits)):
                self._read(selection)
        except Exception as error:  # noqa: BLE001  whatever was read is told
            self._crew.stop(error)

    def _select(self, selection: Selection) -> None:
        self.found = self._surveyor.select(selection, self._max_instances, self._reading.most_pages)
        for instance_id, (item, at) in self.found.looks.items():
            dossier = Dossier(instance_id, self._workflow.name)
            dossier.see_listed(item, at)
            self._pursuits.append(Pursuit(dossier))
        self._pursuits.sort(key=_created, reverse=True)

    def _survey(self) -> None:
        """List those that are known, unless each is looked at alone anyway."""
        if not self._reading.details and len(self._pursuits) > self._reading.most_logs:
            self._surveyor.survey(self._pursuits)

    def _read(self, selection: Selection | None) -> None:
        """Look at those alone that a listing did not tell enough of; then at the logs of the newest that are left."""
        pattern = selection.error_glob if selection else None
        most_logs = self._reading.most_logs
        needs_all = self._reading.details or pattern is not None
        if needs_all and pattern is None and len(self._pursuits) <= most_logs:
            needs_all = False  # their logs come with all of it
        alone = [
            pursuit for pursuit in self._pursuits if needs_all or not (dossier_of(pursuit).was_read or most_logs >= len(self._pursuits))
        ]
        try:
            self._crew.each(lambda pursuit: self._look_at(dossier_of(pursuit), with_log=False), alone)
        finally:
            if pattern is not None:
                self._keep_matching(pattern)
        left = [pursuit for pursuit in self._pursuits if not dossier_of(pursuit).is_missing]
        with_log = sorted(left, key=_created, reverse=True)[:most_logs]
        self._crew.each(lambda pursuit: self._look_at(dossier_of(pursuit), with_log=True), with_log)

    def _keep_matching(self, pattern: str) -> None:
        """Drop those that are known not to match; those that could not be read are kept, and are no items."""
        kept = []
        for pursuit in self._pursuits:
            dossier = dossier_of(pursuit)
            if dossier.detail is None:
                dossier.listed = None  # whether it matches nobody knows
                kept.append(pursuit)
            elif _has_error(dossier, pattern):
                kept.append(pursuit)
        self._pursuits = kept

    def _look_at(self, dossier: Dossier, with_log: bool) -> None:
        dossier.trouble = None
        try:
            detail = self._workflow.detail(dossier.id, steps=with_log).detail
        except InstanceNotFound:
            dossier.is_missing = True
        except TooLarge as error:
            if with_log and dossier.detail is None:
                self._look_at(dossier, with_log=False)
            dossier.trouble = error
        except CloudflareError as error:
            if error.fatal:
                raise
            dossier.trouble = error
        else:
            if has_status(detail):
                dossier.detail, dossier.has_log = detail, with_log
            else:
                dossier.trouble = CloudflareError("the API's answer tells no status")


def dossier_of(pursuit: Pursuit) -> Dossier:
    """The dossier of a pursuit that was made with one."""
    if not isinstance(pursuit.record, Dossier):
        raise AssertionError("an inspection makes its own")
    return pursuit.record


def _created(pursuit: Pursuit) -> float:
    created = parse_timestamp((dossier_of(pursuit).listed or {}).get("created_on"))
    return created.timestamp() if created else 0.0


def _has_error(dossier: Dossier, pattern: str) -> bool:
    error = (dossier.detail or {}).get("error")
    if not isinstance(error, dict):
        return False
    told = [str(error.get("name") or ""), str(error.get("message") or "")]
    return any(fnmatch.fnmatchcase(text, pattern) for text in (*told, ": ".join(told)))
