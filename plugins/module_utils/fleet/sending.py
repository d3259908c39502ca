# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sending an event to instances: looked at first, and sent to each at most once."""

from __future__ import annotations

import typing as t

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import (
    AnswerLost,
    CloudflareError,
    InstanceNotFound,
    LookStale,
    Refused,
    internal_error_text,
)
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.text import shown_name
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.lookout import Field, is_left_alone
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.deed import NOTHING_SENT, Deed
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.lifecycle import FINISHED
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.sentence import Sentence

#: Times that one event is held back before it is given up.
_MOST_HELD_BACK = 20


class Event(t.NamedTuple):
    """What is sent; payload: any JSON."""

    type: str
    payload: t.Any


class Sending:
    """Sends an event to instances.

    Args:
        skip_finished: those that have finished are left alone instead of failing.
        selected: the statuses that were selected; what has left them is left alone.
        connection_attempts: for an event that can't be sent.
    """

    def __init__(
        self,
        field: Field,
        event: Event,
        skip_finished: bool = False,
        selected: frozenset[str] | None = None,
        connection_attempts: int = 5,
    ) -> None:
        self._workflow = field.workflow
        self._field = field
        self._event = event
        self._skip_finished = skip_finished
        self._selected = selected
        self._attempts = connection_attempts

    def run(self, deeds: list[Deed]) -> None:
        """Send it to them; those that nothing was sent to, since the task ended, have no outcome afterwards.

        Raises:
            CloudflareError: what ends the task.
        """
        self._look(deeds)
        self._field.crew.each(self._send, [deed for deed in deeds if deed.outcome is None])

    def _look(self, deeds: t.Sequence[Deed]) -> None:
        dossiers = self._field.lookout.look(deeds)
        for deed in deeds:
            dossier = dossiers[deed.id or ""]
            deed.status = dossier.status
            if is_left_alone(deed, dossier, self._selected):
                continue
            if dossier.status is None:
                deed.fail(
                    Sentence(
                        f"{deed.name} was not found in workflow {shown_name(self._workflow.name)}",
                        NOTHING_SENT,
                        do="Check the id; a finished instance is deleted after its retention",
                        group="not found",
                    )
                )
            elif dossier.status in FINISHED and self._skip_finished:
                deed.left(Sentence(f"{deed.name} is {dossier.status}", NOTHING_SENT, "left as it is (skip_finished)", group=dossier.status))
            elif dossier.status in FINISHED:
                deed.fail(
                    Sentence(
                        f"{deed.name} is {dossier.status}",
                        NOTHING_SENT,
                        "it waits for no event any more",
                        "skip_finished=true leaves such instances alone",
                        group=dossier.status,
                    )
                )
            elif self._field.check_mode:
                deed.was_sent = True
                deed.done(Sentence(f"{deed.name} is {dossier.status}", f"would send it the event {self._name}"))

    def _send(self, deed: Deed) -> None:
        held_back = unsent = 0
        while deed.outcome is None:
            self._field.ensure_heard()
            try:
                self._workflow.send_event(deed.id or "", self._event.type, self._event.payload)
            except LookStale as error:
                held_back += 1
                unsent += error.cause is not None
                if error.cause is not None and unsent >= self._attempts:
                    raise error.cause from None
                if held_back > _MOST_HELD_BACK:
                    deed.abandon(error.message)
                    return
                self._look([deed])  # waits for the end of a block
            except AnswerLost as error:
                self._lose(deed, error)
                if error.fatal:
                    raise
            except InstanceNotFound:
                deed.was_sent, deed.status = True, None
                deed.fail(Sentence(f"{deed.name} is gone", why="it was deleted before the event reached it", group="gone"))
            except Refused as error:
                deed.was_sent = True
                deed.is_refused(error, f"the event {self._name}")
            except CloudflareError as error:
                if error.after_lost_answer:
                    self._lose(deed, error)
                if error.fatal:
                    raise
                deed.was_sent = True
                deed.is_refused(error, f"the event {self._name}")
            except Exception as error:
                self._lose(deed, AnswerLost(internal_error_text(error)))
                raise
            else:
                deed.was_sent = True
                deed.done(Sentence(f"{deed.name} is {deed.status}", f"the event {self._name} was accepted"))

    @property
    def _name(self) -> str:
        return shown_name(self._event.type, 100)

    def _lose(self, deed: Deed, error: CloudflareError) -> None:
        deed.lose_answer(error)
        deed.lose(
            Sentence(
                f"{deed.name} is {deed.status}",
                deed.unheard(f"the event {self._name}"),
                "NOT sent again",
                "See by its log whether it has arrived, before it is sent once more",
                group="unknown, NOT sent again",
            )
        )
