# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pursuing many instances: look, decide, send, and look again until each has its outcome."""

from __future__ import annotations

import threading
import typing as t

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.clock import Clock
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import (
    AnswerLost,
    CloudflareError,
    ControllerGone,
    InstanceNotFound,
    LookStale,
    NotTheApi,
    Refused,
    internal_error_text,
)
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.ratelimit import RateGate
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.workflows import Workflow
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.canary import Canary
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.crew import Crew
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.settle import Settler
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.survey import Surveyor
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.pursuit import FRESH, LOOK, SEND, WAIT, Move, Pursuit
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.steplog import LISTING
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.wanted import Wanted


class Limits(t.NamedTuple):
    """How far a task may go.

    max_instances: a larger selection is refused.
    max_failures: instances that failed, or errored again, after which nothing more is sent.
    concurrency: requests under way at once.
    connection_attempts: for a change that must go out right after its look.
    batch_sizes: how many instances each batch is of, the last one repeated; None for all at once.
    batch_pause: seconds between two batches.
    canary: how the first batch in which something is sent is watched; None: as the others.
    """

    max_instances: int = 1000
    max_failures: int | None = None
    concurrency: int = 8
    connection_attempts: int = 5
    batch_sizes: tuple[int, ...] | None = None
    batch_pause: float = 0.0
    canary: Canary | None = None


class Pursuer:
    """Takes pursuits to their ends; `gone` tells why nobody listens any more, and None while somebody does."""

    def __init__(
        self,
        workflow: Workflow,
        surveyor: Surveyor,
        wanted: Wanted,
        limits: Limits,
        clock: Clock,
        gate: RateGate,
        gone: t.Callable[[], str | None],
        crew: Crew,
        check_mode: bool = False,
    ) -> None:
        self._workflow = workflow
        self._surveyor = surveyor
        self._wanted = wanted
        self._limits = limits
        self._clock = clock
        self._gone = gone
        self._crew = crew
        self._check_mode = check_mode
        self._settler = Settler(surveyor, clock, gate, wanted, crew.each)
        self._lock = threading.Lock()
        self._failures = 0
        self._has_looked = False

    @property
    def has_failed_enough(self) -> bool:
        """As many instances as `max_failures` allows have failed, so that nothing more is sent."""
        return self._limits.max_failures is not None and self._failures >= self._limits.max_failures

    def active_now(self) -> float:
        """Seconds, by a clock that stands still while the rate limit blocks: waits are measured by it."""
        return self._settler.active_now()

    def ensure_heard(self) -> None:
        """Raise ControllerGone where nobody listens any more."""
        gone = self._gone()
        if gone:
            raise ControllerGone(f"{gone}, and nothing more is sent", "Run again for the rest")

    def pursue(self, pursuits: list[Pursuit]) -> None:
        """Take each as far as it gets; afterwards those have no outcome that `max_failures` has left out.

        Raises:
            CloudflareError: what ends the task.
        """
        self._settler.begin()
        pursuits = [pursuit for pursuit in pursuits if pursuit.record.outcome is None]
        if not self._has_looked and len(pursuits) > 1 and pursuits[0].record.look is None:
            self._crew.each(self._look_before_sending, pursuits[:1])  # what is refused for all is refused once
        self._has_looked = True
        self._crew.each(self._advance, pursuits)
        while True:
            self.ensure_heard()
            left = [pursuit for pursuit in pursuits if pursuit.record.outcome is None]
            held_back = [pursuit for pursuit in left if pursuit.move is None]
            waiting = [pursuit for pursuit in left if pursuit.move and pursuit.move.kind in (WAIT, LOOK)]
            if held_back and not self.has_failed_enough:
                self._surveyor.survey(held_back)
            elif waiting:
                # A look that has failed is made up for with the others, without haste.
                at_once = any(pursuit.move == Move(LOOK) and not pursuit.record.look_failed for pursuit in waiting)
                self._settler.poll(waiting, at_once)
            else:
                return
            self._crew.each(self._advance, left)

    def _advance(self, pursuit: Pursuit) -> None:
        """Take one pursuit as far as it gets without waiting; `pursuit.move` tells why it stopped, None: held back."""
        record = pursuit.record
        try:
            pursuit.move, has_looked = None, False
            while record.outcome is None:
                if pursuit.look_needed(self._look_time(pursuit)):
                    if self.has_failed_enough:
                        return
                    self._look_before_sending(pursuit)
                    continue
                move = pursuit.move = pursuit.next_move(self.active_now())
                if record.outcome is None and self._check_mode:
                    if move.kind == SEND and self.has_failed_enough:
                        return
                    pursuit.predict(move)
                elif move.kind == LOOK and record.is_refused and self._limits.max_failures and not has_looked:
                    has_looked = True
                    self._surveyor.look_at(pursuit)  # whether it failed must be known before more is sent
                elif move.kind != SEND or self.has_failed_enough or not self._send(pursuit, move.action or ""):
                    return
        finally:
            if record.outcome is not None and (record.failed or record.errored_again):
                with self._lock:
                    self._failures += 1

    def _look_time(self, pursuit: Pursuit) -> float:
        # In check mode nothing is sent, so no look grows too old.
        look = pursuit.record.look
        return look.at if self._check_mode and look else self._clock.monotonic()

    def _look_before_sending(self, pursuit: Pursuit) -> None:
        # The restart that rests on the look must go out at once, so its place in the queue is taken with the look's.
        pairs = self._wanted.state == "restarted" and not self._check_mode
        self._surveyor.look_at(pursuit, slots=2 if pairs else 1)

    def _send(self, pursuit: Pursuit, action: str) -> bool:
        """Send a change. Returns whether to go on at once: False where it was held back and is to be observed anew."""
        record = pursuit.record
        slots, longest_wait = 1, None
        if self._wanted.state == "restarted" and record.look is not None:
            slots = 1 if record.look.source == LISTING else 0
            longest_wait = max(0.0, FRESH - (self._clock.monotonic() - record.look.at))
        now = self.active_now()
        try:
            answer = self._workflow.change_status(
                record.id,
                action,
                step=record.step,
                rollback=pursuit.wanted.rollback,
                slots=slots,
                longest_wait=longest_wait,
                is_repetition=record.is_repetition,
            )
        except LookStale as error:
            record.held_back(action, error, now)
            if error.cause is not None and record.unsent >= self._limits.connection_attempts:
                raise error.cause from None
            pursuit.move = None
            # A restart needs a look of its own again; the others are looked at together.
            return self._wanted.state == "restarted"
        except AnswerLost as error:
            record.answer_lost(action, error, self.active_now())
            if error.fatal:
                raise
        except Refused as error:
            record.refused(action, error, self.active_now())
        except InstanceNotFound as error:
            record.refused(action, error, now)
            record.see_missing(self._clock.monotonic())
        except CloudflareError as error:
            if isinstance(error, NotTheApi) and not error.fatal:
                record.refused(action, error, self.active_now())
                return True
            if error.after_lost_answer:
                record.answer_lost(action, error, now)
            raise
        except Exception as error:
            record.answer_lost(action, AnswerLost(internal_error_text(error)), now)  # it may have gone out
            raise
        else:
            record.accepted(action, answer, self.active_now())
        return True
