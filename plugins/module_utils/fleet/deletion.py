# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Deleting instances: looked at first, by the hundred, and proven by the API's word for each."""

from __future__ import annotations

import typing as t

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import (
    AnswerLost,
    CloudflareError,
    InstanceNotFound,
    LookStale,
    NotTheApi,
    Refused,
    UnusableServer,
)
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.text import clean
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.workflows import PAGE_SIZE
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.lookout import Field, is_left_alone
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.deed import NOTHING_SENT, Deed
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.lifecycle import FINISHED
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.sentence import Sentence

_NOT_THERE = (404, 405)

#: Times that one call is made at most: held back by the rate limit, or with its answer lost.
_MOST_TRIES = 5


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

    def run(self, deeds: list[Deed]) -> None:
        """Delete them; those that nothing was sent for, since the task ended, have no outcome afterwards.

        Raises:
            CloudflareError: what ends the task.
        """
        for begin in range(0, len(deeds), PAGE_SIZE):
            self._delete(deeds[begin : begin + PAGE_SIZE], tries=0)

    def _delete(self, hundred: list[Deed], tries: int) -> None:
        """Look, and delete what is to be deleted; again where the look has grown too old, or the answer was lost."""
        self._look(hundred)
        left = [deed for deed in hundred if deed.outcome is None]
        if self._field.check_mode:
            for deed in left:
                deed.was_sent = True
                deed.done(Sentence(f"{deed.name} is {deed.status}", "would delete it"))
            return
        if not left:
            return
        self._field.ensure_heard()
        try:
            answer = self._workflow.delete_many([deed.id or "" for deed in left])
        except (LookStale, AnswerLost) as error:
            if tries >= _MOST_TRIES:
                self._give_up(left, error)
                return
            if isinstance(error, AnswerLost):
                for deed in left:
                    deed.was_sent = True
            self._delete(left, tries + 1)
        except (InstanceNotFound, NotTheApi, Refused, UnusableServer) as error:
            if error.http_status not in _NOT_THERE and isinstance(error, (NotTheApi, UnusableServer)):
                raise
            self._field.crew.each(self._delete_one, left)  # no such call, or one of them is in the way
        else:
            self._read(left, answer)

    def _look(self, hundred: list[Deed]) -> None:
        dossiers = self._field.lookout.look(hundred)
        for deed in hundred:
            dossier = dossiers[deed.id or ""]
            before, deed.status = deed.status, dossier.status
            if is_left_alone(deed, dossier, self._selected):
                continue
            if dossier.status is None and deed.was_sent:
                deed.done(
                    Sentence(f"{deed.name} is gone", why="the answer to its deletion was lost, and it was done, by this task or another")
                )
            elif dossier.status is None:
                deed.left(
                    Sentence(
                        f"{deed.name} is not there", NOTHING_SENT if not before else "it was deleted by something else", group="not there"
                    )
                )
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

    def _read(self, deeds: list[Deed], answer: dict[str, t.Any]) -> None:
        """The API's word for each."""
        deleted, errors = answer.get("deleted"), answer.get("errors")
        gone = {row.get("id") for row in deleted if isinstance(row, dict)} if isinstance(deleted, list) else set()
        said = {row.get("id"): row for row in errors if isinstance(row, dict)} if isinstance(errors, list) else {}
        untold = []
        for deed in deeds:
            deed.was_sent = True
            if deed.id in gone:
                self._gone(deed)
            elif deed.id in said and said[deed.id].get("code") in (10400, 10201):
                deed.left(Sentence(f"{deed.name} is not there", why="something else deleted it first", group="not there"))
            elif deed.id in said:
                deed.is_refused(Refused(f"the API says: {clean(said[deed.id].get('message') or 'no reason')}"), "its deletion")
            else:
                untold.append(deed)
        self._field.crew.each(self._delete_one, untold)

    def _delete_one(self, deed: Deed) -> None:
        self._field.ensure_heard()
        deed.was_sent = True
        try:
            self._workflow.delete(deed.id or "")
        except InstanceNotFound:
            deed.left(Sentence(f"{deed.name} is not there", why="something else deleted it first", group="not there"))
        except (AnswerLost, LookStale) as error:
            self._give_up([deed], error)
        except Refused as error:
            deed.is_refused(error, "its deletion")
        else:
            self._gone(deed)

    def _gone(self, deed: Deed) -> None:
        was, deed.status = deed.status, None
        deed.done(Sentence(f"{deed.name} is deleted (was {was})"))

    def _give_up(self, deeds: list[Deed], error: CloudflareError) -> None:
        for deed in deeds:
            if deed.was_sent:
                deed.lose(
                    Sentence(
                        f"{deed.name} was {deed.status} when last seen", f"its deletion sent, answer lost ({error.message})", do="Run again"
                    )
                )
            else:
                deed.abandon(error.message)
