# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is known of one instance: what was seen, what was sent, how it ended. Pure: no I/O, no clock."""

from __future__ import annotations

from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance import wording
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.attempt import Attempt
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.look import (
    ANSWER,
    look_at_detail,
    look_at_listed,
    look_at_nothing,
    text_of,
)
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.steplog import (
    LISTING,
    entries,
    entry_of,
    failed_step,
    reruns,
    step_of,
)

# What happened in the end.
UNCHANGED, CHANGED, FAILED, UNKNOWN, NOT_ATTEMPTED = "unchanged", "changed", "failed", "unknown", "not_attempted"


class Record:
    """The record of one instance.

    Args:
        instance_id: str.
        wanted: wanted.Wanted.
        workflow_name: str, for the sentences.
    """

    def __init__(self, instance_id, wanted, workflow_name):
        self.id = instance_id
        self.wanted = wanted
        self.workflow_name = workflow_name
        self.first_status = None
        self.look = None
        self.step = wanted.step
        self.reruns = []
        self._looks_alone = 0  # before the PATCH
        self.steps_instead = []  # the steps that its log has, where the one to restart from is not among them
        self.sends = 0
        self.is_repetition = False  # the next PATCH repeats one that was refused with a 429
        self.unsent = 0  # changes for which no connection was made
        self.action = None
        self.timestamp = None  # the API's own, of the last accepted PATCH
        self.outcome = None
        self.msg = None
        self.warning = None
        self.finished_again = False
        self._is_stale = False  # a change was held back: look before deciding again
        self._attempt = None  # the last PATCH
        self._lost = None  # the error that any PATCH's answer was lost by
        self._effect = False  # of any PATCH
        self._waiting_since = None
        self._looked_while_waiting = False
        self._look_error = None

    # -- what was seen ------------------------------------------------------------------------------------------

    def see_detail(self, detail, at, with_log=False):
        """Take in an instance's detail (dict with a status), read `at` seconds; with_log: its steps were asked for."""
        if with_log and not self.sends:
            if self.wanted.from_failed_step:
                self.step = failed_step(detail)
            self._place_step(entries(detail))
        self._looks_alone += 1
        self._see(look_at_detail(detail, at, with_log, self.step))

    def _place_step(self, log):
        self.reruns, self.steps_instead = [], []
        if self.step is None:
            return
        if entry_of(log, self.step):
            self.reruns = reruns(log, self.step)
        else:
            self.steps_instead = [step for step in map(step_of, log) if step]

    def see_listed(self, item, at):
        """Take in an item of a listing (dict with a status), read `at` seconds."""
        self._see(look_at_listed(item, at))

    def see_missing(self, at):
        """Take in that there is no such instance."""
        self._see(look_at_nothing(at))

    def see_nothing(self, error):
        """Take in that the instance could not be looked at (CloudflareError): one that waits is looked at again later."""
        self._look_error = error
        self._looked_while_waiting = True
        if not self.is_waiting:
            self._end(FAILED, wording.unreadable(self, error))

    def _see(self, look):
        if self.first_status is None:
            self.first_status = look.status
        if self._attempt is not None:
            self._attempt.see(look)
            if self._attempt.refusal is None or self._lost is not None:
                self._note_effect(look.status)
        self.look = look._replace(created=look.created or (self.look.created if self.look else None))
        self._is_stale = False
        self._looked_while_waiting = True
        self._look_error = None

    # -- what was sent ------------------------------------------------------------------------------------------

    def held_back(self, action, error, now):
        """A PATCH was not processed (LookStale); an earlier attempt at it may have been."""
        if error.after_lost_answer:
            self.answer_lost(action, error, now)
            self._attempt.is_interrupted = True
        self._is_stale = True
        self.is_repetition = self.is_repetition or error.went_out
        self._looks_alone = 0
        if error.cause is not None:
            self.unsent += 1

    def accepted(self, action, answer, now):
        """A PATCH was answered with {status, timestamp}; `now` in seconds, as in `next_move`."""
        self._sent(action, now)
        self._attempt.accepted = True
        self.timestamp = self._attempt.answered_at = text_of(answer.get("timestamp"))
        status = self._attempt.answered = text_of(answer.get("status"))
        if status:
            self._note_effect(status)
            self.look = self.look._replace(status=status, source=ANSWER)

    def refused(self, action, error, now):
        """The API will not do it (Refused): one look tells whether the state is reached all the same."""
        self._sent(action, now)
        self._attempt.refusal = error
        if error.after_lost_answer:
            self._lost = error

    def answer_lost(self, action, error, now):
        """A PATCH went out and no answer came back (AnswerLost): it may have been done, or may be done yet."""
        self._sent(action, now)
        self._lost = error

    def _sent(self, action, now):
        self.sends += 1
        self.is_repetition = False
        self.action = action
        self._attempt = Attempt(action, self.look, now)
        self._waiting_since = None

    def _note_effect(self, status):
        self._effect = self._effect or self._attempt.shows_in(status)

    def _note_accepted_once(self):
        # An accepted restart whose effect can't be seen may still have had one.
        if self._attempt is not None and self._attempt.accepted and self.wanted.is_once_only:
            self._effect = True

    # -- how it ended -------------------------------------------------------------------------------------------

    @property
    def is_waiting(self):
        """bool: a change was sent or is under way, so that a look that fails now may succeed later."""
        return bool(self.sends) or self._waiting_since is not None

    @property
    def look_failed(self):
        """bool: the newest attempt to look at it failed; where it still has no outcome, it waits and is looked at again later."""
        return self._look_error is not None

    @property
    def is_refused(self):
        """bool: the API would not do what was sent last; a look tells whether that is a failure."""
        return self._attempt is not None and self._attempt.refusal is not None

    @property
    def changed(self):
        """bool: an effect was seen, or a send whose answer was lost may have had one."""
        return self.outcome == CHANGED or self._effect or self._lost is not None

    @property
    def failed(self):
        """bool: the state wanted is not reached, as far as this task can tell."""
        return self.outcome in (FAILED, UNKNOWN, NOT_ATTEMPTED)

    @property
    def answer_was_lost(self):
        """bool: a PATCH went out of which no answer came back."""
        return self._lost is not None

    @property
    def lacks_error(self):
        """bool: it errored again, and a listing, which tells no error, was all that was read."""
        return self.finished_again and self.look.status == "errored" and self.look.source == LISTING

    def explain(self, detail):
        """Take in with which error it ended again."""
        self.look = self.look._replace(error=detail.get("error") if isinstance(detail.get("error"), dict) else None)
        self.warning = self.msg = wording.finished_again(self)

    @property
    def lost_because(self):
        """str: why that answer is missing."""
        return self._lost.message if self._lost else ""

    def _forget_effect(self):
        # It has ended: a pause that it was sent, or a terminate that did not end it, came to nothing.
        self._effect, self._lost = False, None

    def abandon(self, reason):
        """End because the task ends: nothing more is sent, and nothing more can be watched."""
        if not self.sends:
            self._end(NOT_ATTEMPTED, wording.not_attempted(self, reason))
        elif self.is_refused and self._lost is None:
            self._end(FAILED, wording.refused(self, self._attempt.refusal))
        elif self._lost is not None and not self._effect and self.wanted.is_once_only:
            self._end(UNKNOWN, wording.unknown(self))
        else:
            self._note_accepted_once()
            self._end(FAILED, wording.unwatched(self, reason))

    def _end(self, outcome, msg):
        self.outcome = outcome
        self.msg = msg
