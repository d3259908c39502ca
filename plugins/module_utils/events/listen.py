# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""`workflow_queue`: pulls what event subscriptions of Workflows have put into a queue.

A message is acknowledged some time after its event was taken, since taken is not done: what a killed rule engine had taken
comes again. It says neither error nor step, and can be ahead of what the API tells, so that each failure is looked at.
"""

from __future__ import annotations

import contextlib
import typing as t

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import CloudflareError, OptionError
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.queues import PullQueue, queue_id_of
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.text import clean, shown_id, shown_name
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.types import Json
from ansible_collections.edgeops.cloudflare.plugins.module_utils.events.arguments import QueueSettings, queue_settings
from ansible_collections.edgeops.cloudflare.plugins.module_utils.events.keeping import Keeper
from ansible_collections.edgeops.cloudflare.plugins.module_utils.events.leases import MOST_DONE, Leases
from ansible_collections.edgeops.cloudflare.plugins.module_utils.events.pull import Message, message_of
from ansible_collections.edgeops.cloudflare.plugins.module_utils.events.reporter import Reporter
from ansible_collections.edgeops.cloudflare.plugins.module_utils.events.schedule import Budget
from ansible_collections.edgeops.cloudflare.plugins.module_utils.events.shape import ERRORED, Sighting
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

SOURCE = "workflow_queue"

#: Seconds that a message stays leased after its event may be acknowledged: for looks, and for an API that doesn't answer at once.
_MARGIN = 120.0

#: Leases in one acknowledgement.
_MOST_ACKS = 100

#: How many times its interval the source waits at most where nothing comes.
_SLOWEST = 2.5


async def run(queue: EventQueue, args: t.Mapping[str, t.Any], surroundings: Surroundings | None = None) -> None:
    """Report what happens until cancelled. Raises SourceError: what can't pass."""
    ensure_requests()
    surroundings = surroundings or Surroundings(SOURCE)
    try:
        settings = queue_settings(args)
        keeper = Keeper(surroundings, SOURCE, settings.connection, settings.state_path)
    except OptionError as error:
        raise SourceError(f"{SOURCE}: {error.text}.") from None
    with contextlib.closing(keeper):
        listener = Listener(surroundings, settings, keeper, queue)
        try:
            await listener.run()
        finally:
            listener.stop()
            keeper.save_finally()


class Listener:
    """The source at work."""

    def __init__(self, surroundings: Surroundings, settings: QueueSettings, keeper: Keeper, queue: EventQueue) -> None:
        self._surroundings = surroundings
        self._settings = settings
        self._keeper = keeper
        self._line = Line(surroundings, settings.connection)
        account = settings.connection.account_id or ""
        self._reporter = Reporter(
            surroundings, self._line, Budget(settings.budget, look_parts=1), keeper.memory, queue, account, keeper.is_kept
        )
        done = keeper.more.get("done")
        self._leases = Leases(settings.ack_delay, [key for key in done if isinstance(key, str)] if isinstance(done, list) else [])
        self._queue: PullQueue | None = None
        self._has_worked = False
        name = shown_name(settings.queue_name or settings.queue_id)
        self._pull_trouble = Trouble(f"queue {name} can't be pulled from")
        self._ack_trouble = Trouble(f"messages of queue {name} can't be acknowledged")
        self._pull_at = self._ack_at = surroundings.clock.monotonic()
        self._interval = settings.poll_interval
        self._unconfirmed: set[str] = set()  # keys of messages
        self._told_of: set[str] = set()  # what was logged once and is not again

    def stop(self) -> None:
        """Make no more calls."""
        self._line.stop()

    async def run(self) -> None:
        """Pull, report, acknowledge and wait, until cancelled."""
        clock = self._surroundings.clock
        while True:
            if self._pull_at <= clock.monotonic():
                await self._guarded(self._pull, self._pull_trouble, "_pull_at")
            if self._leases.due(clock.monotonic()) and self._ack_at <= clock.monotonic():
                await self._guarded(self._acknowledge, self._ack_trouble, "_ack_at")
            self._keeper.save_if_due()
            now, due_at = clock.monotonic(), self._leases.due_at()
            next_at = self._pull_at if due_at is None else min(self._pull_at, max(due_at, self._ack_at))
            await self._surroundings.pause(min(max(next_at - now, 0.0), 60.0))

    async def _guarded(self, work: t.Callable[[], t.Awaitable[None]], trouble: Trouble, again_at: str) -> None:
        """Do something that may fail; what can't pass ends the source, before anything has worked."""
        clock = self._surroundings.clock
        try:
            await work()
        except Halt:
            raise
        except Exception as failure:  # noqa: BLE001  the activation goes on
            error = as_error(failure)
            if not self._has_worked and cant_pass(error, self._line.was_refused):
                raise SourceError(f"{SOURCE}: {error.text}.") from None
            wait, line = trouble.met(error, clock.monotonic(), clock.time_of_day)
            setattr(self, again_at, clock.monotonic() + wait)
        else:
            self._has_worked = True
            line = trouble.over(clock.monotonic())
        if line:
            self._surroundings.log.warning("%s", line)

    # -- messages ---------------------------------------------------------------------------------------------------------

    async def _pull(self) -> None:
        settings = self._settings
        if self._queue is None:
            name = settings.queue_name or ""
            queue_id = settings.queue_id
            if queue_id is None:
                queue_id = await self._line.call(queue_id_of, self._line.client, name)
            self._queue = PullQueue(self._line.client, queue_id, name or queue_id)
        messages = await self._line.call(self._queue.pull, settings.batch_size, settings.ack_delay + _MARGIN)
        await self._take_in(messages)
        self._interval = settings.poll_interval if messages else min(self._interval * 1.2, settings.poll_interval * _SLOWEST)
        wait = 0.0 if len(messages) >= settings.batch_size else self._interval
        self._pull_at = self._surroundings.clock.monotonic() + wait

    async def _take_in(self, raw_messages: t.Iterable[Json]) -> None:
        """Report what is new among messages, and note what is to become of each."""
        fresh: dict[str, tuple[Message, list[str]]] = {}
        for raw in raw_messages:
            message, lease_id = message_of(raw), raw.get("lease_id")
            if message is None or not isinstance(lease_id, str):
                self._leave(raw)
            elif not self._is_wanted(message):
                self._leases.drop(lease_id)
            elif not self._leases.is_known(message.key, lease_id):
                fresh.setdefault(message.key, (message, []))[1].append(lease_id)
        if not fresh:
            return
        sightings = await self._enriched([message for message, _lease_ids in fresh.values()])
        await self._reporter.report(sightings.values())
        now = self._surroundings.clock.monotonic()
        for key, (_message, lease_ids) in fresh.items():
            if key in sightings:
                self._leases.tell(key, lease_ids, now)
            elif self._is_given_up(key):
                self._leases.drop(*lease_ids)
        self._keeper.has_changed = True

    async def _enriched(self, messages: list[Message]) -> dict[str, Sighting]:
        """What is to be reported, by the messages' keys: without failures that the API does not confirm."""
        failures = [message.sighting()._replace(ended_on=None) for message in messages if message.status == ERRORED]
        found = await self._reporter.looked_at(failures)
        sightings = {}
        for message in messages:
            sighting = message.sighting()
            insight = found.get(sighting.key) if message.status == ERRORED else None
            if insight is None:
                sightings[message.key] = sighting
            elif insight.holds:
                told = insight.sighting
                sightings[message.key] = told._replace(ended_on=told.ended_on or sighting.ended_on, occasion=message.at)
            else:
                self._surroundings.log.info(
                    "a message says that %s of %s has failed, which the API does not confirm: not reported unless it does when the message comes again",
                    shown_id(message.instance_id),
                    shown_name(message.workflow_name),
                )
        return sightings

    def _is_given_up(self, key: str) -> bool:
        """Whether a failure that the API does not confirm is let go: it is left to come once more, when the API has had minutes."""
        if key in self._unconfirmed or len(self._unconfirmed) >= MOST_DONE:
            self._unconfirmed.discard(key)
            return True
        self._unconfirmed.add(key)
        return False

    def _is_wanted(self, message: Message) -> bool:
        names = self._settings.workflow_names
        if names and message.workflow_name not in names:
            self._once(
                f"messages about workflow {shown_name(message.workflow_name)}, which workflow_names does not hold, are acknowledged and "
                "not reported. Give each source a queue of its own."
            )
            return False
        return message.status in self._settings.statuses

    def _leave(self, raw: Json) -> None:
        """What is no message of Workflows comes again until the queue gives it up, to its dead letters where it has any."""
        self._once(
            f"message {clean(raw.get('id'), 60)} is none of Workflows; it is left to the queue, which gives it up after max_retries."
        )

    def _once(self, line: str) -> None:
        if line not in self._told_of and len(self._told_of) < 1000:
            self._told_of.add(line)
            self._surroundings.log.warning("%s", line)

    async def _acknowledge(self) -> None:
        if self._queue is None:
            raise CloudflareError("the queue is not known yet")
        due = self._leases.due(self._surroundings.clock.monotonic())[:_MOST_ACKS]
        await self._line.call(self._queue.acknowledge, due)
        self._leases.acknowledged(due)
        self._keeper.more["done"] = self._leases.done()
        self._keeper.has_changed = True
