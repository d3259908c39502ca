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
    NotTheApi,
    Refused,
)
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.text import shown_name
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.workflows import Workflow
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.crew import Crew
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.lookout import Lookout
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
        workflow: Workflow,
        lookout: Lookout,
        crew: Crew,
        ensure_heard: t.Callable[[], None],
        event: Event,
        skip_finished: bool = False,
        selected: frozenset[str] | None = None,
        connection_attempts: int = 5,
        check_mode: bool = False,
    ) -> None:
        self._workflow = workflow
        self._lookout = lookout
        self._crew = crew
        self._ensure_heard = ensure_heard
        self._event = event
        self._skip_finished = skip_finished
        self._selected = selected
        self._attempts = connection_attempts
        self._check_mode = check_mode

    def run(self, deeds: list[Deed]) -> None:
        """Send it to them; those that nothing was sent to, since the task ended, have no outcome afterwards.

        Raises:
            CloudflareError: what ends the task.
        """
        self._look(deeds)
        self._crew.each(self._send, [deed for deed in deeds if deed.outcome is None])

    def _look(self, deeds: t.Sequence[Deed]) -> None:
        dossiers = self._lookout.look(deeds)
        for deed in deeds:
            dossier = dossiers[deed.id or ""]
            deed.status = dossier.status
            if dossier.look_error is not None:
                deed.fail(
                    Sentence(
                        f"{deed.name} could not be looked at",
                        NOTHING_SENT,
                        dossier.look_error.message,
                        dossier.look_error.advice or "Run again",
                    )
                )
            elif dossier.status is None:
                deed.fail(
                    Sentence(
                        f"{deed.name} was not found in workflow {shown_name(self._workflow.name)}",
                        NOTHING_SENT,
                        do="Check the id; a finished instance is deleted after its retention",
                        group="not found",
                    )
                )
            elif self._selected is not None and dossier.status not in self._selected:
                deed.left(
                    Sentence(
                        f"{deed.name} is no longer {' or '.join(sorted(self._selected))} ({dossier.status})", NOTHING_SENT, group="moved on"
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
            elif self._check_mode:
                deed.was_sent = True
                deed.done(Sentence(f"{deed.name} is {dossier.status}", f"would send it the event {self._name}"))

    def _send(self, deed: Deed) -> None:
        held_back = unsent = 0
        while deed.outcome is None:
            self._ensure_heard()
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
                deed.was_sent = True
                deed.lose(
                    Sentence(
                        f"{deed.name} is {deed.status}",
                        f"the event {self._name} was sent once, answer lost ({error.message})",
                        "NOT sent again",
                        "See by its log whether it has arrived, before it is sent once more",
                        group="unknown, NOT sent again",
                    )
                )
            except InstanceNotFound:
                deed.was_sent, deed.status = True, None
                deed.fail(Sentence(f"{deed.name} is gone", why="it was deleted before the event reached it", group="gone"))
            except Refused as error:
                deed.was_sent = True
                deed.is_refused(error, f"the event {self._name}")
            except CloudflareError as error:
                deed.was_sent = True
                if isinstance(error, NotTheApi) and not error.fatal:
                    deed.is_refused(error, f"the event {self._name}")
                    return
                raise
            else:
                deed.was_sent = True
                deed.done(Sentence(f"{deed.name} is {deed.status}", f"the event {self._name} was accepted"))

    @property
    def _name(self) -> str:
        return shown_name(self._event.type, 100)
