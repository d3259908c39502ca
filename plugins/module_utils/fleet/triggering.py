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
    WorkflowNotFound,
    internal_error_text,
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
        self._unseen: dict[Trigger, str] = {}  # why the newest look at one told nothing

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
        is_there = trigger.id is not None and self._look(trigger)
        if is_there:
            self._exists(trigger)
        elif is_there is None:
            trigger.fail(Sentence(f"{trigger.name} could not be looked at", NOTHING_SENT, self._why_unseen(trigger), "Run again"))
        else:
            trigger.was_sent = True
            true = f"{trigger.name} is not there" if trigger.id else f"An instance of {self._name} without an id"
            trigger.done(Sentence(true, "would trigger it"))

    def _trigger(self, trigger: Trigger) -> None:
        """One call, which is never made again where it may have been processed."""
        self._field.ensure_heard()
        trigger.was_sent = True
        try:
            created = self._workflow.create(trigger.creation)
        except AlreadyExists:
            trigger.was_sent = False
            self._look(trigger)
            self._exists(trigger)
        except AnswerLost as error:
            trigger.lose_answer(error)
            if error.fatal:
                raise
            self._look_for(trigger)
        except Refused as error:
            trigger.is_refused(error, "the trigger")
        except CloudflareError as error:
            if isinstance(error, NotTheApi) and not error.fatal:
                trigger.is_refused(error, "the trigger")
                return
            if error.after_lost_answer:
                trigger.lose_answer(error)
            raise
        except Exception as error:
            trigger.lose_answer(AnswerLost(internal_error_text(error)))
            raise
        else:
            self._made(trigger, created)

    def _made(self, trigger: Trigger, created: Json) -> None:
        trigger.was_sent = True
        trigger.id = trigger.id or text_of(created.get("id"))
        trigger.status = text_of(created.get("status")) if has_status(created) else "queued"
        trigger.done(Sentence(f"{trigger.name} is {trigger.status}", "it was triggered"))

    def _exists(self, trigger: Trigger) -> None:
        different = differing(trigger.creation.params, trigger.detail)
        why = f"other params than these: {', '.join(different)}" if different else ""
        sent = NOTHING_SENT if self._field.check_mode else "nothing was triggered"
        trigger.left(Sentence(f"{self._being(trigger)} already", sent, why, group="there already"), warn=bool(different))

    def _look_for(self, trigger: Trigger) -> None:
        """An answer was lost: is it there? It is never sent again by itself."""
        if trigger.id is None:
            trigger.lose(
                Sentence(
                    f"Nobody can tell whether an instance of {self._name} was triggered",
                    trigger.unheard("the trigger"),
                    "without an id it is NOT sent again",
                    "Look for it; with an instance_id a second run is safe",
                    group="unknown, NOT sent again",
                )
            )
            return
        is_there = self._look(trigger)
        if is_there:
            trigger.done(
                Sentence(self._being(trigger), why="the answer was lost, and it was triggered, by this task or another"), warn=True
            )
            return
        true = f"{trigger.name} is not there" if is_there is False else f"{trigger.name} could not be looked at"
        why = "" if is_there is False else self._why_unseen(trigger)
        trigger.lose(
            Sentence(true, trigger.unheard("the trigger"), why, "Run again: its id keeps it from being triggered twice", group="unknown")
        )

    def _look(self, trigger: Trigger) -> bool | None:
        """Whether it is there; None where nobody can tell."""
        try:
            detail = self._workflow.detail(trigger.id or "").detail
        except InstanceNotFound:
            return False
        except CloudflareError as error:
            if error.fatal:
                raise
            self._unseen[trigger] = error.message
            return None
        if not has_status(detail):
            self._unseen[trigger] = "the API's answer tells no status"
            return None
        trigger.see(detail)
        return True

    def _why_unseen(self, trigger: Trigger) -> str:
        return self._unseen.get(trigger, "")

    def _being(self, trigger: Trigger) -> str:
        return f"{trigger.name} is {trigger.status}" if trigger.status else f"{trigger.name} is there"

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
            except AnswerLost as error:
                self._lose(piece, error)
                if error.fatal:
                    raise
                self._field.crew.each(self._look_for, piece)
            except CloudflareError as error:
                if error.after_lost_answer:
                    self._lose(piece, error)
                    raise
                is_missing = error.http_status in _NOT_THERE
                if isinstance(error, WorkflowNotFound) or (error.fatal and not is_missing):
                    raise
                alone += piece  # one by one tells which of them it was
                if is_missing:
                    return alone + [trigger for later in pieces for trigger in later]
            except Exception as error:
                self._lose(piece, AnswerLost(internal_error_text(error)))
                raise
            else:
                self._read(piece, answer)
                untold = [trigger for trigger in piece if trigger.outcome is None]
                self._field.crew.each(self._look_at_untold, untold)
                alone += [trigger for trigger in untold if trigger.outcome is None]
        return alone

    def _lose(self, piece: list[Trigger], error: CloudflareError) -> None:
        for trigger in piece:
            trigger.lose_answer(error)

    def _look_at_untold(self, trigger: Trigger) -> None:
        """An answer lacks it: that proves neither that it was there before nor that it is there at all."""
        is_there = self._look(trigger)
        if is_there:
            self._exists(trigger)
        elif is_there is None:
            trigger.lose_answer(CloudflareError("the API's answer lacks it"))
            trigger.abandon(f"it could not be looked at: {self._why_unseen(trigger)}")

    def _read(self, piece: list[Trigger], answer: list[Json] | Json) -> None:
        """What an answer tells of each, in whichever of the two forms."""
        created, errors = (answer.get("created"), answer.get("errors")) if isinstance(answer, dict) else (answer, [])
        by_id = {trigger.id: trigger for trigger in piece}
        for row in created if isinstance(created, list) else []:
            trigger = by_id.get(row.get("id")) if isinstance(row, dict) else None
            if trigger is not None:
                self._made(trigger, row)
        for row in errors if isinstance(errors, list) else []:
            trigger = by_id.get(row.get("id")) if isinstance(row, dict) else None
            if trigger is None or trigger.outcome is not None or row.get("code") in (10405, 10415):
                continue
            trigger.was_sent = True
            trigger.is_refused(Refused(f"the API says: {clean(row.get('message') or 'no reason')}"), "the trigger")


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
