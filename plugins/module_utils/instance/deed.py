# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Something that is done to an instance once: it is triggered, deleted, or sent an event; and what is said of that. Pure.

Unlike a pursuit, a deed is no way to a state: it is done, or it isn't, or nobody can tell.
"""

from __future__ import annotations

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import CloudflareError, ServerFailed
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.text import shown_id
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.types import Json
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.record import CHANGED, FAILED, NOT_ATTEMPTED, UNCHANGED, UNKNOWN
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.sentence import Sentence

NOTHING_SENT = "nothing was sent"


class Deed:
    """What is done to one instance.

    Args:
        instance_id: None for one that the API makes up an id for.
        action: `create`, `delete` or `event`.
    """

    def __init__(self, instance_id: str | None, action: str) -> None:
        self.id = instance_id
        self.action = action
        #: Whether it was sent, or, in check mode, would be.
        self.was_sent = False
        #: The status last seen; None where there is no such instance, or nobody has looked.
        self.status: str | None = None
        #: Its detail, where it was looked at alone.
        self.detail: Json | None = None
        self.has_log = False
        #: The error that an answer was lost by: it may have been done.
        self.lost_by: CloudflareError | None = None
        #: Its item of the listing that it was selected by, and when that was read; None where it was named.
        self.listed: tuple[Json, float] | None = None
        self.outcome: str | None = None
        self.changed = False
        self.sentence: Sentence | None = None
        self.warning: Sentence | None = None

    @property
    def name(self) -> str:
        """Its id as it may stand in a sentence."""
        return shown_id(self.id) if self.id is not None else "The new instance"

    @property
    def failed(self) -> bool:
        """It isn't done, as far as this task can tell."""
        return self.outcome in (FAILED, UNKNOWN, NOT_ATTEMPTED)

    @property
    def msg(self) -> str:
        """What is said of it."""
        return str(self.sentence) if self.sentence else ""

    def see(self, detail: Json, with_log: bool = False) -> None:
        """Take in a look at the instance."""
        self.detail, self.status, self.has_log = detail, str(detail["status"]), with_log

    def lose_answer(self, error: CloudflareError) -> None:
        """It went out, and nothing that was answered tells what came of it."""
        self.was_sent, self.lost_by = True, error

    def unheard(self, what: str) -> str:
        """How it was answered that something went out; what: `the trigger`."""
        if isinstance(self.lost_by, ServerFailed):
            return f"{what} was answered {self.lost_by.answered}"
        return f"{what} was sent once, answer lost ({self.lost_by.message if self.lost_by else 'the task ended'})"

    # -- how it ends --------------------------------------------------------------------------------------------

    def done(self, sentence: Sentence, warn: bool = False) -> None:
        """It is done."""
        self._end(CHANGED, sentence)
        self.changed = True
        self.warning = sentence if warn else None

    def left(self, sentence: Sentence, warn: bool = False) -> None:
        """Nothing was to be done."""
        self._end(UNCHANGED, sentence)
        self.warning = sentence if warn else None

    def fail(self, sentence: Sentence, changed: bool = False) -> None:
        """It can't be, or what was to come of it has not."""
        self._end(FAILED, sentence)
        self.changed = self.changed or changed

    def lose(self, sentence: Sentence) -> None:
        """It was sent, and nothing tells whether it was done."""
        self._end(UNKNOWN, sentence)
        self.changed = True

    def abandon(self, reason: str) -> None:
        """The task ends before it, or before anybody could look what became of it."""
        if self.lost_by is not None:
            what = {"create": "the trigger", "delete": "its deletion", "event": "the event"}[self.action]
            being = f"{self.name} was {self.status} when last seen" if self.status else f"Nobody can tell whether {self.name} is there"
            do = "Look first, before it is sent once more" if self.action == "event" or self.id is None else "Run again"
            self.lose(Sentence(being, self.unheard(what), reason, do, group="unknown"))
            return
        self.was_sent = False  # it was about to be
        self._end(NOT_ATTEMPTED, Sentence(f"{self.name} was not attempted", why=reason, group="not attempted"))

    def _end(self, outcome: str, sentence: Sentence) -> None:
        self.outcome, self.sentence = outcome, sentence

    def is_refused(self, error: CloudflareError, what: str) -> None:
        """The API will not do it; what: `the trigger`."""
        being = (
            f"{self.name} is {self.status}" if self.status else f"{self.name} was not triggered" if self.action == "create" else self.name
        )
        do = error.advice or "See what the API objects to; nothing was changed"
        self.fail(Sentence(being, f"{what} was refused: {error.message}", do=do, group=f"refused ({error.message})"))
