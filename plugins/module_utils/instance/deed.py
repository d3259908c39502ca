# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Something that is done to an instance once: it is triggered, deleted, or sent an event; and what is said of that. Pure.

Unlike a pursuit, a deed is no way to a state: it is done, or it isn't, or nobody can tell.
"""

from __future__ import annotations

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import CloudflareError
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
        """The task ends before it."""
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
