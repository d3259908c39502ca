# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many instances in one task, or one: observe, decide, act concurrently, settle together.

Check mode takes the same way up to the decision, and stops there.
"""

from __future__ import annotations

import collections
import contextlib
import threading
import typing as t
from concurrent.futures import Future, ThreadPoolExecutor

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.clock import Clock
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import (
    AnswerLost,
    CloudflareError,
    ControllerGone,
    InstanceNotFound,
    InternalError,
    LookStale,
    NotTheApi,
    Refused,
    internal_error_text,
)
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.ratelimit import RateGate
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.timestamps import parse_timestamp
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.workflows import Workflow
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.gathering import Found
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.selection import Selection
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.settle import Settler
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.survey import Surveyor
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.pursuit import FRESH, LOOK, SEND, WAIT, Move, Pursuit
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.record import Record
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.steplog import LISTING
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.wanted import Wanted

#: Instances that errored again whose errors are fetched: enough to tell what is wrong, too few to cost much.
_ERRORS_SHOWN = 5


class Limits(t.NamedTuple):
    """How far a task may go.

    max_instances: a larger selection is refused.
    max_failures: failed instances after which nothing more is sent.
    concurrency: requests under way at once.
    connection_attempts: for a change that must go out right after its look.
    """

    max_instances: int = 1000
    max_failures: int | None = None
    concurrency: int = 8
    connection_attempts: int = 5


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
    ) -> None:
        self._workflow = workflow
        self._surveyor = surveyor
        self._wanted = wanted
        self._limits = limits
        self._clock = clock
        self._gone = gone
        self._check_mode = check_mode
        self._settler = Settler(surveyor, clock, gate, wanted, self._each)
        self._lock = threading.Lock()
        self._failures = 0
        self._executor: ThreadPoolExecutor | None = None
        self._pursuits: list[Pursuit] = []  # in the order of the result: as given, or newest first
        #: How the selection was listed.
        self.found: Found | None = None
        #: What ended the task early.
        self.fatal: CloudflareError | None = None

    @property
    def records(self) -> list[Record]:
        """What is known of the instances, in the order of the result: as given, or newest first."""
        return [pursuit.record for pursuit in self._pursuits]

    def run(self, instance_ids: list[str] | None = None, selection: Selection | None = None) -> None:
        """Bring every instance to the state wanted; afterwards each of `records` has an outcome.

        Args:
            instance_ids: without duplicates.
        """
        try:
            self._observe(instance_ids, selection)
            with self._workers(len(self._pursuits)):
                self._pursue()
                self._explain_errors()
        except CloudflareError as error:
            self._stop(error)
        except Exception as error:  # noqa: BLE001  whatever was done is told
            self._stop(InternalError(internal_error_text(error)))
        reason = self.fatal.message if self.fatal else f"max_failures ({self._limits.max_failures}) is reached"
        for pursuit in self._open():
            with contextlib.suppress(Exception):  # a mistake of our own has been told by now
                pursuit.conclude(self._settler.active_now())
            if pursuit.record.outcome is None:
                pursuit.abandon(reason)

    # -- observe ------------------------------------------------------------------------------------------------

    def _observe(self, instance_ids: list[str] | None, selection: Selection | None) -> None:
        """Make the pursuits, with looks where a listing gives them cheaply; the others are looked at one by one later."""
        if selection is None:
            self._pursuits = [self._pursuit(instance_id) for instance_id in instance_ids or ()]
            if self._wanted.state != "restarted" or self._check_mode:  # a restart needs a fresh look of its own
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

    # -- decide and act -----------------------------------------------------------------------------------------

    def _pursue(self) -> None:
        if len(self._pursuits) > 1 and self._pursuits[0].record.look is None:
            self._each(self._look_before_sending, self._pursuits[:1])  # what is refused for all is refused once
        self._each(self._advance, self._pursuits)
        while True:
            gone = self._gone()
            if gone:
                raise ControllerGone(f"{gone}, and nothing more is sent", "Run again for the rest")
            held_back = [pursuit for pursuit in self._open() if pursuit.move is None]
            waiting = [pursuit for pursuit in self._open() if pursuit.move and pursuit.move.kind in (WAIT, LOOK)]
            if held_back and not self._has_failed_enough():
                self._surveyor.survey(held_back)
            elif waiting:
                # A look that has failed is made up for with the others, without haste.
                at_once = any(pursuit.move == Move(LOOK) and not pursuit.record.look_failed for pursuit in waiting)
                self._settler.poll(waiting, at_once)
            else:
                return
            self._each(self._advance, self._open())

    def _advance(self, pursuit: Pursuit) -> None:
        """Take one pursuit as far as it gets without waiting; `pursuit.move` tells why it stopped, None: held back."""
        try:
            pursuit.move, has_looked = None, False
            record = pursuit.record
            while record.outcome is None:
                if pursuit.look_needed(self._look_time(pursuit)):
                    if self._has_failed_enough():
                        return
                    self._look_before_sending(pursuit)
                    continue
                move = pursuit.move = pursuit.next_move(self._settler.active_now())
                if record.outcome is None and self._check_mode:
                    if move.kind == SEND and self._has_failed_enough():
                        return
                    pursuit.predict(move)
                elif move.kind == LOOK and record.is_refused and self._limits.max_failures and not has_looked:
                    has_looked = True
                    self._surveyor.look_at(pursuit)  # whether it failed must be known before more is sent
                elif move.kind != SEND or self._has_failed_enough() or not self._send(pursuit, move.action or ""):
                    return
        finally:
            if pursuit.record.failed:
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
        now = self._settler.active_now()
        try:
            answer = self._workflow.change_status(
                record.id,
                action,
                step=record.step,
                rollback=self._wanted.rollback,
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
            record.answer_lost(action, error, self._settler.active_now())
        except Refused as error:
            record.refused(action, error, self._settler.active_now())
        except InstanceNotFound as error:
            record.refused(action, error, now)
            record.see_missing(self._clock.monotonic())
        except CloudflareError as error:
            if isinstance(error, NotTheApi) and not error.fatal:
                record.refused(action, error, self._settler.active_now())
                return True
            if error.after_lost_answer:
                record.answer_lost(action, error, now)
            raise
        except Exception as error:
            record.answer_lost(action, AnswerLost(internal_error_text(error)), now)  # it may have gone out
            raise
        else:
            record.accepted(action, answer, self._settler.active_now())
        return True

    def _has_failed_enough(self) -> bool:
        return self._limits.max_failures is not None and self._failures >= self._limits.max_failures

    # -- together -----------------------------------------------------------------------------------------------

    def _open(self) -> list[Pursuit]:
        return [pursuit for pursuit in self._pursuits if pursuit.record.outcome is None]

    @contextlib.contextmanager
    def _workers(self, count: int) -> t.Iterator[None]:
        if count < 2 or self._limits.concurrency < 2:
            yield
            return
        with ThreadPoolExecutor(min(count, self._limits.concurrency) - 1) as self._executor:  # this thread works, too
            yield
        self._executor = None

    def _each(self, function: t.Callable[[Pursuit], None], pursuits: list[Pursuit]) -> None:
        """Call the function with each pursuit, several at once; raises what stops the task, when all have ended."""

        def guarded(pursuit: Pursuit) -> None:
            if self.fatal is not None:
                return
            try:
                function(pursuit)
            except CloudflareError as error:
                self._stop(error)
            except Exception as error:  # noqa: BLE001  the other workers go on
                self._stop(InternalError(internal_error_text(error)))

        left = collections.deque(pursuits)

        def work() -> None:
            with contextlib.suppress(IndexError):
                while True:
                    guarded(left.popleft())

        futures: list[Future[None]] = []
        if self._executor:
            with contextlib.suppress(RuntimeError):  # where no more threads are to be had, fewer do
                for _thread in range(min(len(pursuits), self._limits.concurrency) - 1):
                    futures.append(self._executor.submit(work))  # noqa: PERF401  those begun before the error count
        work()
        for future in futures:
            future.result()
        if self.fatal is not None:
            raise self.fatal

    def _stop(self, error: CloudflareError) -> None:
        with self._lock:
            self.fatal = self.fatal or error

    def _explain_errors(self) -> None:
        """Fetch with which error some of the instances ended again that a listing showed as errored."""
        unexplained = [pursuit for pursuit in self._pursuits if pursuit.record.lacks_error]
        self._each(self._explain_error, unexplained[:_ERRORS_SHOWN])

    def _explain_error(self, pursuit: Pursuit) -> None:
        with contextlib.suppress(CloudflareError):  # the outcome is known without it
            pursuit.explain(self._workflow.detail(pursuit.record.id).detail)


def _created(pursuit: Pursuit) -> float:
    created = parse_timestamp(pursuit.record.look.created) if pursuit.record.look else None
    return created.timestamp() if created else 0.0
