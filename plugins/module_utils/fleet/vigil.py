# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waiting for instances that were triggered: until they have ended, or hold a status."""

from __future__ import annotations

import typing as t

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.clock import Clock
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import CloudflareError, TooLarge
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.ratelimit import RateGate
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.lookout import Field
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.settle import SPACING, next_interval
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance import phrases
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.deed import Deed
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.lifecycle import FINISHED
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.look import has_status
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.sentence import Sentence


class Patience(t.NamedTuple):
    """How to wait, seconds; statuses: None until the end."""

    timeout: float
    sleep: float
    statuses: frozenset[str] | None = None


class Vigil:
    """Waits for instances."""

    def __init__(self, field: Field, clock: Clock, gate: RateGate, patience: Patience) -> None:
        self._workflow = field.workflow
        self._field = field
        self._clock = clock
        self._gate = gate
        self._patience = patience

    def wait(self, deeds: list[Deed]) -> None:
        """Wait for those that are there; one that is not where it should be in time, or has errored, fails.

        Raises:
            CloudflareError: what ends the task.
        """
        patience, interval = self._patience, self._patience.sleep
        since = self._active_now()
        waiting = [deed for deed in deeds if not deed.failed and deed.id is not None]
        while True:
            self._field.ensure_heard()
            is_over = self._active_now() - since >= patience.timeout
            with self._gate.spaced(SPACING):
                self._look(waiting)
            waiting = [deed for deed in waiting if not self._is_there(deed) and not deed.failed]
            if not waiting or is_over:
                break
            self._clock.sleep(max(0.0, min(interval, patience.timeout - (self._active_now() - since))))
            interval = next_interval(interval, patience.sleep)
        for deed in waiting:
            goal = "has not ended" if patience.statuses is None else f"was not {' or '.join(sorted(patience.statuses))}"
            deed.fail(
                Sentence(
                    f"{deed.name} is {deed.status}",
                    "it was triggered" if deed.was_sent else "",
                    f"it {goal} after {patience.timeout:g} s (wait_timeout)",
                    "Run again to wait for it, or raise wait_timeout",
                    group=f"still {deed.status} after {patience.timeout:g} s",
                )
            )
        self._field.crew.each(self._tell, [deed for deed in deeds if not deed.failed or deed.status == "errored"])

    def _look(self, waiting: list[Deed]) -> None:
        dossiers = self._field.lookout.look(waiting, ("running", "waiting", "queued", "complete", "errored"), is_waiting=True)
        for deed in waiting:
            dossier = dossiers[deed.id or ""]
            if dossier.look_error is not None:
                continue  # the next look may fare better
            if dossier.status is None:
                deed.fail(
                    Sentence(
                        f"{deed.name} is gone",
                        why="it was deleted after it was triggered",
                        do="Trigger it anew if it is needed",
                        group="gone",
                    )
                )
            deed.status = dossier.status

    def _is_there(self, deed: Deed) -> bool:
        statuses = self._patience.statuses
        return deed.status in FINISHED or (statuses is not None and deed.status in statuses)

    def _tell(self, deed: Deed) -> None:
        """Read what it has returned, or failed with."""
        sent = "it was triggered" if deed.was_sent else "it was there already"
        if deed.status not in FINISHED:
            deed.sentence = Sentence(f"{deed.name} is {deed.status}", sent)
            return
        trouble = self._read(deed, with_log=deed.status == "errored")
        is_wanted = deed.status == "complete" or (self._patience.statuses is not None and deed.status in self._patience.statuses)
        if is_wanted and trouble is None:
            deed.sentence = Sentence(f"{deed.name} is {deed.status}", sent)
        elif is_wanted:
            why = f"what it returned could not be read: {trouble.message}" if trouble else ""
            deed.fail(Sentence(f"{deed.name} is {deed.status}", sent, why, "Run again to read it", group="not readable"))
        elif deed.status == "errored":
            why = f"it failed{phrases.with_error(deed.detail.get('error') if deed.detail else None)}"
            do = "workflow_instance_status with state=restarted, from_failed_step=true, when_status=[errored] runs it on"
            deed.fail(Sentence(f"{deed.name} is errored", sent, why, do, group="errored"))
        else:
            deed.fail(Sentence(f"{deed.name} is {deed.status}", sent, "it was ended", group=deed.status or ""))

    def _read(self, deed: Deed, with_log: bool) -> CloudflareError | None:
        """Its detail, without its log where that is too large; returns what kept it from being read."""
        try:
            detail = self._workflow.detail(deed.id or "", steps=with_log).detail
        except TooLarge as error:
            return self._read(deed, with_log=False) if with_log else error
        except CloudflareError as error:
            if error.fatal and not error.is_passing:
                raise
            return error
        if not has_status(detail):
            return CloudflareError("the API's answer tells no status")
        deed.see(detail, with_log)
        return None

    def _active_now(self) -> float:
        """Seconds, by a clock that stands still while the rate limit blocks."""
        return self._clock.monotonic() - self._gate.held_seconds()
