# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Triggering instances, each at most once: alone or by the hundred, in either dialect."""

from __future__ import annotations

import json
import typing as t

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import (
    AlreadyExists,
    AnswerLost,
    CloudflareError,
    InstanceNotFound,
    NotTheApi,
    Refused,
    UnusableServer,
)
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.text import clean, shown_name
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.types import Json
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.workflows import PAGE_SIZE, Creation
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.lookout import Field
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.deed import NOTHING_SENT, Deed
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.look import has_status, text_of
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.sentence import Sentence

#: Bytes of one batch at most; production takes 1 MiB (API.md, 3).
LARGEST_BATCH = 900_000

_NOT_THERE = (404, 405)


class Trigger(Deed):
    """An instance that is to be triggered."""

    def __init__(self, creation: Creation) -> None:
        super().__init__(creation.instance_id, "create")
        self.creation = creation


class Triggering:
    """Triggers instances."""

    def __init__(self, field: Field) -> None:
        self._workflow = field.workflow
        self._field = field

    def run(self, triggers: list[Trigger]) -> None:
        """Trigger them; those that nothing was sent for, since the task ended, have no outcome afterwards.

        Raises:
            CloudflareError: what ends the task.
        """
        if self._field.check_mode:
            self._field.crew.each(self._predict, triggers)
            return
        alone = triggers if len(triggers) == 1 else self._by_batches(triggers)
        self._field.crew.each(self._trigger, alone)

    # -- one ----------------------------------------------------------------------------------------------------

    def _predict(self, trigger: Trigger) -> None:
        if trigger.id is not None and self._look(trigger):
            self._exists(trigger)
            return
        trigger.was_sent = True
        trigger.done(
            Sentence(f"{trigger.name} is not there" if trigger.id else f"An instance of {self._name} without an id", "would trigger it")
        )

    def _trigger(self, trigger: Trigger) -> None:
        """One call, which is made again only where an id keeps it from being done twice."""
        self._field.ensure_heard()
        trigger.was_sent = True
        try:
            created = self._workflow.create(trigger.creation)
        except AlreadyExists as error:
            self._look(trigger)
            if error.after_lost_answer:
                trigger.done(
                    Sentence(self._being(trigger), why="the answer was lost, and it was triggered, by this task or another"), warn=True
                )
            else:
                trigger.was_sent = False
                self._exists(trigger)
        except AnswerLost as error:
            self._lost(trigger, error)
        except Refused as error:
            trigger.is_refused(error, "the trigger")
        except CloudflareError as error:
            if isinstance(error, NotTheApi) and not error.fatal:
                trigger.is_refused(error, "the trigger")
                return
            if error.after_lost_answer:
                self._lost(trigger, error)
            raise
        else:
            self._made(trigger, created)

    def _made(self, trigger: Trigger, created: Json) -> None:
        trigger.id = trigger.id or text_of(created.get("id"))
        trigger.status = text_of(created.get("status")) or "queued"
        trigger.done(Sentence(f"{trigger.name} is {clean(trigger.status, 40)}", "it was triggered"))

    def _exists(self, trigger: Trigger) -> None:
        different = differing(trigger.creation.params, trigger.detail)
        why = f"other params than these: {', '.join(different)}" if different else ""
        trigger.left(
            Sentence(
                f"{self._being(trigger)} already",
                NOTHING_SENT if self._field.check_mode else "nothing was triggered",
                why,
                group="there already",
            ),
            warn=bool(different),
        )

    def _lost(self, trigger: Trigger, error: CloudflareError) -> None:
        if trigger.id is None:
            trigger.lose(
                Sentence(
                    f"Nobody can tell whether an instance of {self._name} was triggered",
                    f"the trigger was sent once, answer lost ({error.message})",
                    "without an id it is NOT sent again",
                    "Look for it; with an instance_id a second run is safe",
                    group="unknown, NOT sent again",
                )
            )
        elif self._look(trigger):
            trigger.done(
                Sentence(self._being(trigger), why="the answer was lost, and it was triggered, by this task or another"), warn=True
            )
        else:
            trigger.lose(
                Sentence(
                    f"{trigger.name} is not there",
                    f"the trigger was sent, answer lost ({error.message})",
                    do="Run again: its id keeps it from being triggered twice",
                    group="unknown",
                )
            )

    def _look(self, trigger: Trigger) -> bool:
        """Whether it is there."""
        try:
            detail = self._workflow.detail(trigger.id or "").detail
        except InstanceNotFound:
            return False
        except CloudflareError as error:
            if error.fatal:
                raise
            return trigger.action == "create" and not self._field.check_mode and trigger.was_sent and isinstance(error, Refused)
        if has_status(detail):
            trigger.see(detail)
        return True

    def _being(self, trigger: Trigger) -> str:
        return f"{trigger.name} is {clean(trigger.status, 40)}" if trigger.status else f"{trigger.name} is there"

    @property
    def _name(self) -> str:
        return shown_name(self._workflow.name)

    # -- many ---------------------------------------------------------------------------------------------------

    def _by_batches(self, triggers: list[Trigger]) -> list[Trigger]:
        """Trigger by the hundred; returns those that must be triggered alone."""
        if not self._workflow.creates_by_hundreds:
            return triggers
        alone: list[Trigger] = []
        pieces = chunks(triggers)
        while pieces:
            piece = pieces.pop(0)
            self._field.ensure_heard()
            try:
                answer = self._workflow.create_many([trigger.creation for trigger in piece])
            except AnswerLost:
                alone += self._not_found(piece, was_lost=True)
            except (AlreadyExists, InstanceNotFound, NotTheApi, Refused, UnusableServer) as error:
                is_missing = error.http_status in _NOT_THERE
                if not is_missing and isinstance(error, (NotTheApi, UnusableServer)):
                    raise
                alone += piece  # one by one tells which of them it was
                if is_missing:
                    return alone + [trigger for later in pieces for trigger in later]
            else:
                self._read(piece, answer)
                alone += self._not_found([trigger for trigger in piece if trigger.outcome is None], was_lost=False)
        return alone

    def _read(self, piece: list[Trigger], answer: list[Json] | Json) -> None:
        """What an answer tells of each, in whichever of the two forms."""
        created, errors = (answer.get("created"), answer.get("errors")) if isinstance(answer, dict) else (answer, [])
        by_id = {trigger.id: trigger for trigger in piece}
        for row in created if isinstance(created, list) else []:
            trigger = by_id.get(row.get("id")) if isinstance(row, dict) else None
            if trigger is not None:
                trigger.was_sent = True
                self._made(trigger, row)
        for row in errors if isinstance(errors, list) else []:
            trigger = by_id.get(row.get("id")) if isinstance(row, dict) else None
            if trigger is None or trigger.outcome is not None or row.get("code") in (10405, 10415):
                continue
            trigger.was_sent = True
            trigger.is_refused(Refused(f"the API says: {clean(row.get('message') or 'no reason')}"), "the trigger")

    def _not_found(self, piece: list[Trigger], was_lost: bool) -> list[Trigger]:
        """Look at those that no answer tells of; returns those that aren't there: what an answer lacks need not exist."""

        def look(trigger: Trigger) -> None:
            if not self._look(trigger):
                return
            if was_lost:
                trigger.was_sent = True
                trigger.done(
                    Sentence(self._being(trigger), why="the answer was lost, and it was triggered, by this task or another"), warn=True
                )
            else:
                self._exists(trigger)

        self._field.crew.each(look, piece)
        return [trigger for trigger in piece if trigger.outcome is None]


def chunks(triggers: t.Sequence[Trigger]) -> list[list[Trigger]]:
    """Pieces of at most 100 instances and LARGEST_BATCH bytes."""
    pieces: list[list[Trigger]] = []
    room = 0
    for trigger in triggers:
        size = len(json.dumps(trigger.creation.body(False)).encode()) + 2
        if not pieces or len(pieces[-1]) >= PAGE_SIZE or size > room:
            pieces.append([])
            room = LARGEST_BATCH
        pieces[-1].append(trigger)
        room -= size
    return pieces


def differing(params: Json | None, detail: Json | None) -> list[str]:
    """The keys of params in which an instance differs from what was given, never the values: {} and null are the same."""
    there = (detail or {}).get("params")
    if params is None or detail is None or "params" not in detail:
        return []
    if isinstance(there, str):
        try:
            there = json.loads(there)
        except (ValueError, RecursionError):
            return []
    there = there if isinstance(there, dict) else {}
    given = json.loads(json.dumps(params))
    return [clean(key, 40) for key in sorted({*given, *there}, key=str) if given.get(key) != there.get(key)][:10]
