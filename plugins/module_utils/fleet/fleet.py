# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The instances of one task: observed, decided on, acted on and settled, all together or batch by batch."""

from __future__ import annotations

import contextlib
import typing as t

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.clock import Clock
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import CloudflareError
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.ratelimit import RateGate
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.timestamps import parse_timestamp
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.workflows import Workflow
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.batches import Batches
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.bulk import Bulk
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.canary import proves_something
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.crew import Crew
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.gathering import Found
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.pursuer import Limits, Pursuer
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.selection import Selection
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.survey import Surveyor, last_statuses
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.pursuit import Pursuit
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.record import Record
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.wanted import Wanted

#: Instances that errored again whose errors are fetched: enough to tell what is wrong, too few to cost much.
_ERRORS_SHOWN = 5


class Logbook(t.Protocol):
    """Told of what is sent, as it is sent."""

    def before(self, records: list[Record]) -> None:
        """These may be changed from now on."""

    def after(self, records: list[Record]) -> None:
        """This is what became of them."""


class Fleet:
    """The instances of one task; `gone` tells why nobody listens any more, and None while somebody does."""

    def __init__(
        self,
        workflow: Workflow,
        surveyor: Surveyor,
        wanted: Wanted,
        limits: Limits,
        clock: Clock,
        gate: RateGate,
        gone: t.Callable[[], str | None],
        check_mode: bool = False,
        logbook: Logbook | None = None,
    ) -> None:
        self._workflow = workflow
        self._surveyor = surveyor
        self._wanted = wanted
        self._limits = limits
        self._clock = clock
        self._check_mode = check_mode
        self._logbook = logbook
        self._crew = Crew(limits.concurrency)
        self._pursuer = Pursuer(workflow, surveyor, wanted, limits, clock, gate, gone, self._crew, check_mode)
        self._bulk = Bulk(workflow, surveyor, self._pursuer, clock, limits.connection_attempts, wanted.wait_sleep) if wanted.bulk else None
        self._pursuits: list[Pursuit] = []  # in the order of the result: as given, or newest first
        #: Those begun so far, with `batch_size`.
        self.batches = Batches(limits.batch_sizes or ())
        self._alarm: str | None = None  # why nothing is sent after the canary
        #: How the selection was listed.
        self.found: Found | None = None

    @property
    def records(self) -> list[Record]:
        """What is known of the instances, in the order of the result: as given, or newest first."""
        return [pursuit.record for pursuit in self._pursuits]

    @property
    def fatal(self) -> CloudflareError | None:
        """What ended the task early."""
        return self._crew.fatal

    def run(self, instance_ids: list[str] | None = None, selection: Selection | None = None) -> None:
        """Bring every instance to the state wanted; afterwards each of `records` has an outcome.

        Args:
            instance_ids: without duplicates.
        """
        try:
            self._observe(instance_ids, selection)
            with self._crew.at_work(len(self._pursuits)):
                self._work()
                self._explain_errors()
        except Exception as error:  # noqa: BLE001  whatever was done is told
            self._crew.stop(error)
        self._end_all(self._pursuits)

    # -- observe ------------------------------------------------------------------------------------------------

    def _observe(self, instance_ids: list[str] | None, selection: Selection | None) -> None:
        """Make the pursuits, with looks where a listing gives them cheaply; the others are looked at one by one later."""
        if selection is None:
            self._pursuits = [self._pursuit(instance_id) for instance_id in instance_ids or ()]
            # A restart needs a fresh look of its own; but what needs none must not fill a batch.
            if self._wanted.state != "restarted" or self._check_mode or self._limits.batch_sizes:
                self._surveyor.survey(self._pursuits)
            return
        self.found = self._surveyor.select(selection, self._limits.max_instances)
        for instance_id, (item, at) in self.found.looks.items():
            pursuit = self._pursuit(instance_id)
            pursuit.record.see_listed(item, at)
            self._pursuits.append(pursuit)
        self._pursuits.sort(key=_created, reverse=True)

    def _pursuit(self, instance_id: str) -> Pursuit:
        return Pursuit(Record(instance_id, self._wanted, self._workflow.name))

    # -- act ----------------------------------------------------------------------------------------------------

    def _work(self) -> None:
        if self._check_mode:
            self._pursuer.pursue(self._pursuits)
            self.batches.plan([pursuit.record for pursuit in self._pursuits if pursuit.record.changed])
        elif self._limits.batch_sizes is None:
            self._act_on(self._pursuits)
        else:
            self._work_in_batches()

    def _work_in_batches(self) -> None:
        self._pursuer.pursue([pursuit for pursuit in self._pursuits if not pursuit.may_need_a_change])
        left = [pursuit for pursuit in self._pursuits if pursuit.record.outcome is None]
        self.batches.expect(len(left))
        canary = self._limits.canary
        while left and not self._pursuer.has_failed_enough and not self._alarm:
            size = self.batches.next_size()
            batch, left = left[:size], left[size:]
            if self.batches.begun:
                self._clock.sleep(self._limits.batch_pause)
                self._pursuer.ensure_heard()
                self._look_again(batch)
            records = [pursuit.record for pursuit in batch]
            self.batches.begin(records)
            if canary is not None:
                for record in records:
                    record.ask(canary.wanted(self._wanted))
            self._act_on(batch)
            if canary is not None:
                self._alarm = canary.alarm(records)
                canary = None if proves_something(records) else canary

    def _look_again(self, batch: list[Pursuit]) -> None:
        """What a batch is decided on must not be older than the batch before it; a restart is looked at alone anyway."""
        for pursuit in batch:
            pursuit.record.expire()
        if self._wanted.state != "restarted":
            self._surveyor.survey(batch, last_statuses(batch))

    def _act_on(self, pursuits: list[Pursuit]) -> None:
        concerned = [pursuit.record for pursuit in pursuits if self._logbook and pursuit.may_need_a_change]
        if self._logbook and concerned:
            self._logbook.before(concerned)
        try:
            if self._bulk:
                self._bulk.terminate(pursuits)
            self._pursuer.pursue(pursuits)
        except Exception as error:
            self._crew.stop(error)
            raise
        finally:
            if self._logbook and concerned:
                self._end_all(pursuits)
                self._logbook.after(concerned)

    # -- end ----------------------------------------------------------------------------------------------------

    def _end_all(self, pursuits: list[Pursuit]) -> None:
        """Give those an outcome that have none: nothing more is sent to them, and nothing more is waited for."""
        reason = self.fatal.message if self.fatal else self._alarm or f"max_failures ({self._limits.max_failures}) is reached"
        if self.batches.begun:
            reason += f", in batch {len(self.batches.begun)} of {self.batches.expected}"
        for pursuit in pursuits:
            if pursuit.record.outcome is not None:
                continue
            with contextlib.suppress(Exception):  # a mistake of our own has been told by now
                pursuit.conclude(self._pursuer.active_now())
            if pursuit.record.outcome is None:
                pursuit.abandon(reason)

    def _explain_errors(self) -> None:
        """Fetch with which error some of the instances ended again that a listing showed as errored."""
        unexplained = [pursuit for pursuit in self._pursuits if pursuit.record.lacks_error]
        self._crew.each(self._explain_error, unexplained[:_ERRORS_SHOWN])

    def _explain_error(self, pursuit: Pursuit) -> None:
        with contextlib.suppress(CloudflareError):  # the outcome is known without it
            pursuit.explain(self._workflow.detail(pursuit.record.id).detail)


def _created(pursuit: Pursuit) -> float:
    created = parse_timestamp(pursuit.record.look.created) if pursuit.record.look else None
    return created.timestamp() if created else 0.0
