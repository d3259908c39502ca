# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Deleting instances: looked at first, by the hundred, and proven by the API's word for each."""

from __future__ import annotations

import random
import typing as t

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api import codes
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.codes import ApiError
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import (
    AnswerLost,
    CloudflareError,
    InstanceNotFound,
    LookStale,
    Refused,
    WorkflowNotFound,
    internal_error_text,
)
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.ratelimit import backoff
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.text import clean
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.workflows import PAGE_SIZE
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.inspection import Dossier
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.lookout import Field, is_left_alone
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.deed import NOTHING_SENT, Deed
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.lifecycle import FINISHED
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.sentence import Sentence
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.steplog import LISTING

_NOT_THERE = (404, 405)

#: Times that one call is made at most: held back by the rate limit, or with its answer lost.
_MOST_TRIES = 5

#: Seconds that a `Retry-After` beside a failure is minded for.
_LONGEST_RETRY_AFTER = 60.0


class Deletion:
    """Deletes instances.

    Args:
        force: also those that have not finished: no handler of theirs will run.
        selected: the statuses that were selected; what has left them is left alone.
    """

    def __init__(self, field: Field, force: bool = False, selected: frozenset[str] | None = None) -> None:
        self._workflow = field.workflow
        self._field = field
        self._force = force
        self._selected = selected
        self._runs: dict[str, tuple[str, str | None]] = {}  # as they were when they were looked at first

    def run(self, deeds: list[Deed]) -> None:
        """Delete them; those that nothing was sent for, since the task ended, have no outcome afterwards.

        Raises:
            CloudflareError: what ends the task.
        """
        for begin in range(0, len(deeds), PAGE_SIZE):
            self._delete(deeds[begin : begin + PAGE_SIZE])

    def _delete(self, hundred: list[Deed]) -> None:
        """Look, and delete what is to be deleted; again where the look has grown too old, or the answer was lost."""
        for tries in range(1, _MOST_TRIES + 1):
            self._look(hundred)
            left = [deed for deed in hundred if deed.outcome is None]
            if self._field.check_mode:
                for deed in left:
                    deed.was_sent = True
                    deed.done(Sentence(f"{deed.name} is {deed.status}", "would delete it"))
            if not left or self._field.check_mode or self._is_answered(left, tries):
                return
        for deed in hundred:
            if deed.outcome is None:
                deed.abandon(f"it was tried {_MOST_TRIES} times")

    def _is_answered(self, left: list[Deed], tries: int) -> bool:
        """One call for them. False where they are to be looked at again."""
        self._field.ensure_heard()
        try:
            answer = self._workflow.delete_many([deed.id or "" for deed in left])
        except LookStale as error:
            _pass_on(left, error)
            return False
        except AnswerLost as error:
            self._lose(left, error, tries)
            return False
        except CloudflareError as error:
            _pass_on(left, error)
            is_missing = error.http_status in _NOT_THERE
            if isinstance(error, WorkflowNotFound) or (error.fatal and not is_missing):
                raise
            self._field.crew.each(self._delete_one, left)  # no such call, or one of them is in the way
        except Exception as error:
            self._lose(left, AnswerLost(internal_error_text(error)), tries)
            raise
        else:
            self._read(left, answer)
        return True

    def _delete_one(self, deed: Deed) -> None:
        """By a call of its own, as often as it takes."""
        for tries in range(1, _MOST_TRIES + 1):
            self._field.ensure_heard()
            try:
                self._workflow.delete(deed.id or "")
            except InstanceNotFound:
                self._is_not_there(deed)
            except LookStale as error:
                _pass_on([deed], error)
                self._look([deed])
            except AnswerLost as error:
                self._lose([deed], error, tries)
                self._look([deed])
            except CloudflareError as error:
                _pass_on([deed], error)
                if error.fatal:
                    raise
                deed.was_sent = True
                deed.is_refused(error, "its deletion")
            else:
                self._gone(deed)
            if deed.outcome is not None:
                return
        deed.abandon(f"it was tried {_MOST_TRIES} times")

    def _lose(self, deeds: list[Deed], error: AnswerLost, tries: int) -> None:
        """The answer was lost; the server may need some time."""
        for deed in deeds:
            deed.lose_answer(error)
        if error.fatal:
            raise error
        self._field.clock.sleep(max(backoff(tries, random.random), min(error.retry_after or 0.0, _LONGEST_RETRY_AFTER)))

    def _look(self, hundred: list[Deed]) -> None:
        dossiers = self._field.lookout.look(hundred, is_selection_enough=self._field.check_mode)
        for deed in hundred:
            dossier = dossiers[deed.id or ""]
            if is_left_alone(deed, dossier, self._selected):
                continue
            before, deed.status = deed.status, dossier.status
            run, first = _run_of(dossier), self._runs.get(deed.id or "")
            is_comparable = first is not None and first[0] == run[0] and None not in (first[1], run[1])
            if dossier.status is None:
                self._is_not_there(deed, was_there=before is not None)
            elif deed.lost_by is not None and is_comparable and run != first:
                deed.done(
                    Sentence(f"{deed.name} is {dossier.status}", why="it was deleted, and is there anew since", do="Look at it"), warn=True
                )
            elif deed.lost_by is not None and self._force and not is_comparable:
                deed.abandon("nothing tells whether it is the same run, and another must not be ended")
            elif dossier.status not in FINISHED and not self._force:
                deed.fail(
                    Sentence(
                        f"{deed.name} is {dossier.status}",
                        NOTHING_SENT,
                        "deleting it would end it, and run no rollback handlers",
                        "End it first, by workflow_instance_status with state=terminated (rollback=true undoes its steps), or give force=true",
                        group=dossier.status,
                    )
                )
            self._runs.setdefault(deed.id or "", run)

    def _read(self, deeds: list[Deed], answer: dict[str, t.Any]) -> None:
        """The API's word for each."""
        deleted, errors = answer.get("deleted"), answer.get("errors")
        gone = {row.get("id") for row in deleted if isinstance(row, dict)} if isinstance(deleted, list) else set()
        said = {row.get("id"): row for row in errors if isinstance(row, dict)} if isinstance(errors, list) else {}
        untold = []
        for deed in deeds:
            row = said.get(deed.id)
            if deed.id in gone:
                self._gone(deed)
            elif row is not None and _is_not_found(row):
                self._is_not_there(deed, was_there=True)
            elif row is not None:
                deed.was_sent = True
                deed.is_refused(Refused(f"the API says: {clean(row.get('message') or 'no reason')}"), "its deletion")
            else:
                untold.append(deed)
        self._field.crew.each(self._delete_one, untold)

    def _gone(self, deed: Deed) -> None:
        was, deed.status, deed.was_sent = deed.status, None, True
        deed.done(Sentence(f"{deed.name} is deleted (was {was})"))

    def _is_not_there(self, deed: Deed, was_there: bool = True) -> None:
        deed.status = None
        if deed.lost_by is not None:
            why = "the answer to its deletion was lost, and it was done, by this task or another"
            deed.done(Sentence(f"{deed.name} is gone", why=why), warn=True)
        elif was_there:
            deed.left(Sentence(f"{deed.name} is not there", why="something else deleted it first", group="not there"))
        else:
            deed.left(Sentence(f"{deed.name} is not there", NOTHING_SENT, group="not there"))


def _pass_on(deeds: list[Deed], error: CloudflareError) -> None:
    """An earlier try of the same call may have been done."""
    for deed in deeds:
        if error.after_lost_answer:
            deed.lose_answer(error)


def _is_not_found(row: dict[str, t.Any]) -> bool:
    code = row.get("code")
    return codes.meaning_of([ApiError(code if isinstance(code, int) else None, str(row.get("message")))]) == codes.NO_INSTANCE


def _run_of(dossier: Dossier) -> tuple[str, str | None]:
    """What tells one run of an id from the next: by which kind of look, and when it was queued or created."""
    if dossier.look is None or dossier.look.key is None or dossier.look.source == LISTING:
        return "listing", dossier.look.created if dossier.look else None
    return "look", dossier.look.key.queued
