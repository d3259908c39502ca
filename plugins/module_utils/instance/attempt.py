# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One PATCH: what it rested on, how it was answered, and what was seen since. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import CloudflareError
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.lifecycle import FINISHED
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.look import Look
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.passage import Passage, passage_of
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.steplog import Step, is_comparable, restarted_between

#: Seconds for which an effect that no answer tells of may be late.
OVERDUE = 10.0

# Statuses that show an action's effect, if the instance was in another one before. A restart shows in the key.
_EFFECTIVE: dict[str, t.Callable[[str], bool]] = {
    "pause": lambda status: status in ("paused", "waitingForPause"),
    "resume": lambda status: status not in ("paused", "waitingForPause", "rollingBack") and status not in FINISHED,
    "terminate": lambda status: status in ("terminated", "rollingBack"),
    "restart": lambda _status: False,
}


class Attempt:
    """A PATCH that went out.

    Args:
        look: that it rested on.
        now: seconds, when it was answered or given up.
        step: that it names.
    """

    def __init__(self, action: str, look: Look, now: float, step: Step | None = None) -> None:
        self.action = action
        self.look = look
        self.at = now
        self._step = step
        #: It was answered with 200. That alone proves nothing.
        self.accepted = False
        #: The API would not do it.
        self.refusal: CloudflareError | None = None
        #: Its answer was lost, and the rate limit kept it from being repeated.
        self.is_interrupted = False
        #: It was sent for many instances at once, so that its answer tells nothing of this one.
        self.is_unanswered = False
        #: Seconds between two looks that both show no effect, until it is taken to have none.
        self.patience = OVERDUE
        #: The status in the answer, and its timestamp.
        self.answered: str | None = None
        self.answered_at: str | None = None
        self._looks = 0
        self._first_look_at: float | None = None
        self._moved = False

    def see(self, look: Look) -> None:
        """Take in a look at the instance."""
        self._looks += 1
        self._first_look_at = look.at if self._first_look_at is None else self._first_look_at
        self._moved = self._moved or look.status != self.look.status

    @property
    def seen_since(self) -> bool:
        """The instance was looked at since."""
        return self._looks > 0

    @property
    def moved(self) -> bool:
        """The instance was in another status since.

        The answer's own status counts once two looks have failed to show it: the first may be older than the answer.
        """
        return self._moved or (self._looks > 1 and self.answered not in (None, self.look.status))

    @property
    def passage(self) -> Passage:
        """What the instance is to get past, for `wait_until: past_step`."""
        return passage_of(self.look, self.action, self._step)

    def is_overdue(self, look: Look | None) -> bool:
        """Whether looks over a time show that the instance was left alone, where no answer could tell."""
        return look is not None and self._first_look_at is not None and look.at - self._first_look_at >= self.patience

    def shows_in(self, status: str | None) -> bool:
        """Whether a status shows an effect of this attempt."""
        return status is not None and status != self.look.status and _EFFECTIVE[self.action](status)

    def is_restart_proven_by(self, look: Look) -> bool:
        """Whether a look proves that the instance was run anew: its key moved, or it had finished and has not by now."""
        if not self.seen_since:
            return False
        if self.look.status in FINISHED and look.status not in FINISHED:
            return True
        return restarted_between(self.look.key, look.key)

    def is_restart_provable_by(self, look: Look) -> bool:
        """Whether a look could prove it: not on a server that tells no timestamps, nor where their precision doesn't do."""
        return is_comparable(self.look.key, look.key, self.answered_at)
