# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is known of one instance: what was seen, what was sent, how it ended. Pure: no I/O, no clock.

What follows from it is decided in `pursuit`, and what is said of it in `wording`; neither knows more than stands here.
"""

from __future__ import annotations

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import CloudflareError, LookStale, ServerFailed
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.types import Json
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.attempt import Attempt
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.lifecycle import FINISHED
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.look import (
    ANSWER,
    Look,
    has_status,
    look_at_detail,
    look_at_listed,
    look_at_nothing,
    text_of,
)
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.sentence import Sentence
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.steplog import (
    LISTING,
    Step,
    entries,
    entry_of,
    failed_step,
    reruns,
    step_of,
)
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.wanted import Wanted

#: Characters of a timestamp at most.
_LONGEST_TIMESTAMP = 64

#: Statuses in which no step is under way that a terminate could cut off.
_AT_REST = FINISHED | {"queued", "paused", "rollingBack"}

# What happened in the end.
UNCHANGED, CHANGED, FAILED, UNKNOWN, NOT_ATTEMPTED = "unchanged", "changed", "failed", "unknown", "not_attempted"


class Record:
    """The record of one instance; `workflow_name` is for the sentences."""

    def __init__(self, instance_id: str, wanted: Wanted, workflow_name: str) -> None:
        self.id = instance_id
        self.wanted = wanted
        self.afterwards: Wanted | None = None  # what is wanted once it is paused (`pause_first`)
        self._asked = wanted  # by the task, whatever is wanted at the moment
        self._pauses: tuple[int, Attempt | None] = (0, None)  # how many were sent, and the last one
        if wanted.pause_first:
            self._turn_to_pausing()
        self.workflow_name = workflow_name
        # what was seen
        self.first_status: str | None = None
        self.look: Look | None = None
        self.look_error: CloudflareError | None = None  # of the newest attempt to look
        self.looks_alone = 0  # before the PATCH
        self.is_stale = False  # a change was held back: look before deciding again
        self.reads_no_log = False  # its log is too large to be read
        self.step = wanted.step
        self.reruns: list[Step] = []
        self.steps_instead: list[Step] = []  # the steps that its log has, where the one to restart from is not among them
        # what was sent
        self.sends = 0
        self.unsent = 0  # changes for which no connection was made
        self.is_repetition = False  # the next PATCH repeats one that was refused with a 429
        self.action: str | None = None
        self.timestamp: str | None = None  # the API's own, of the last accepted PATCH
        self.attempt: Attempt | None = None  # the last PATCH
        self.lost: CloudflareError | None = None  # the error that any PATCH's answer was lost by
        self.effect = False  # of any PATCH
        # waiting, by the clock of Pursuit.next_move
        self.waiting_since: float | None = None
        self.looked_while_waiting = False
        # how it ended
        self.outcome: str | None = None
        self.sentence: Sentence | None = None
        self.warning: Sentence | None = None
        self.finished_again = False

    def ask(self, wanted: Wanted) -> None:
        """Something else is wanted of it than of the others; nothing was sent yet."""
        self.wanted = self._asked = wanted

    # -- what was seen ------------------------------------------------------------------------------------------

    def see_detail(self, detail: Json, at: float, with_log: bool = False) -> None:
        """Take in an instance's detail (with a status), read `at` seconds; with_log: its steps were asked for."""
        if with_log and not self.sends:
            if self.wanted.from_failed_step:
                self.step = failed_step(detail)
            self._place_step(entries(detail))
        self.looks_alone += 1
        self._see(look_at_detail(detail, at, with_log, self.step))

    def _place_step(self, log: list[Json]) -> None:
        self.reruns, self.steps_instead = [], []
        if self.step is None:
            self.steps_instead = [step for step in map(step_of, log) if step]
        elif entry_of(log, self.step):
            self.reruns = reruns(log, self.step)
        else:
            self.steps_instead = [step for step in map(step_of, log) if step]

    def see_listed(self, item: Json, at: float) -> None:
        """Take in an item of a listing (with a status), read `at` seconds."""
        self._see(look_at_listed(item, at))

    def see_missing(self, at: float) -> None:
        """Take in that there is no such instance."""
        self._see(look_at_nothing(at))

    def see_nothing(self, error: CloudflareError) -> None:
        """Take in that the instance could not be looked at."""
        self.look_error = error
        self.looked_while_waiting = True

    def _see(self, look: Look) -> None:
        if self.first_status is None:
            self.first_status = look.status
        if self.attempt is not None:
            self.attempt.see(look)
            if look.status and (self.attempt.refusal is None or self.lost is not None):
                self._note_effect(look.status)
        self.look = look._replace(created=look.created or (self.look.created if self.look else None))
        self.is_stale = False
        self.looked_while_waiting = True
        self.look_error = None
        if self._asked.pause_first and not self._is_past_pausing:
            self._turn(look)

    def expire(self) -> None:
        """What is known by now is too old to send anything on."""
        self.is_stale = True
        self.looks_alone = 0

    @property
    def _is_past_pausing(self) -> bool:
        """The terminate itself has been sent."""
        return self.afterwards is None and self.sends > 0

    def _turn(self, look: Look) -> None:
        """By what was seen: is it to be paused first, or to be terminated from here on?"""
        is_at_rest = look.status in _AT_REST
        if self.afterwards is not None and is_at_rest:
            if look.status != "paused":
                self.forget_effect()
            self.wanted, self.afterwards = self.afterwards, None
            if self.sends:
                # It is paused by this task: what its status and its error had to be was tested before.
                self.wanted = self.wanted._replace(when_status=None, selected=None, error_glob=None)
            self._pauses = (self.sends, self.attempt)
            self.sends, self.attempt, self.lost, self.waiting_since = 0, None, None, None
        elif self.afterwards is None and look.status is not None and not is_at_rest:
            # Somebody has resumed it, or it was queued and has started: no step of it is to be cut off.
            self._turn_to_pausing()
            self.sends, self.attempt = self._pauses
            if self.attempt is not None:
                self.attempt.see(look)

    def _turn_to_pausing(self) -> None:
        self.wanted, self.afterwards = self._asked._replace(state="paused", rollback=False), self._asked

    @property
    def status(self) -> str | None:
        """The status last observed; None where there is none to be seen, or nobody has looked."""
        return self.look.status if self.look else None

    @property
    def rollback_outcome(self) -> str | None:
        """What the newest look tells of a rollback: `complete`, `failed`, or None."""
        return text_of((self.look.rollback or {}).get("outcome")) if self.look else None

    # -- what was sent ------------------------------------------------------------------------------------------

    def held_back(self, action: str, error: LookStale, now: float) -> None:
        """A PATCH was not processed; an earlier attempt at it may have been."""
        if error.after_lost_answer:
            self.answer_lost(action, error, now).is_interrupted = True
        self.expire()
        self.is_repetition = self.is_repetition or error.went_out
        if error.cause is not None:
            self.unsent += 1

    def accepted(self, action: str, answer: Json, now: float) -> None:
        """A PATCH was answered with {status, timestamp}; `now` in seconds, as in Pursuit.next_move."""
        attempt = self._sent(action, now)
        attempt.accepted = True
        timestamp = text_of(answer.get("timestamp"))
        self.timestamp = attempt.answered_at = timestamp if timestamp and len(timestamp) <= _LONGEST_TIMESTAMP else None
        # Whatever is no word for a status tells nothing.
        status = attempt.answered = text_of(answer.get("status")) if has_status(answer) else None
        if status and self.look:
            self._note_effect(status)
            self.look = self.look._replace(status=status, source=ANSWER)

    def sent_with_others(self, action: str, now: float) -> None:
        """A change went out for many at once: nothing that is answered to it tells of this one."""
        attempt = self._sent(action, now)
        attempt.is_unanswered = True
        attempt.patience = min(attempt.patience, self.wanted.wait_timeout / 2)

    def refused(self, action: str, error: CloudflareError, now: float) -> None:
        """The API will not do it: one look tells whether the state is reached all the same."""
        self._sent(action, now).refusal = error
        if error.after_lost_answer:
            self.lost = error

    def answer_lost(self, action: str, error: CloudflareError, now: float) -> Attempt:
        """A PATCH went out and no answer came back that tells anything: it may have been done, or may be done yet."""
        attempt = self._sent(action, now)
        self.lost = error
        return attempt

    def _sent(self, action: str, now: float) -> Attempt:
        if self.look is None:
            raise AssertionError("nothing is sent without a look")
        self.sends += 1
        self.is_repetition = False
        self.action = action
        self.attempt = Attempt(action, self.look, now, self.step)
        self.waiting_since = None
        return self.attempt

    def _note_effect(self, status: str) -> None:
        self.effect = self.effect or (self.attempt is not None and self.attempt.shows_in(status))

    def note_accepted_once(self) -> None:
        """Count an accepted restart whose effect can't be seen as one that may have had one."""
        if self.attempt is not None and self.attempt.accepted and self.wanted.is_once_only:
            self.effect = True

    def forget_effect(self) -> None:
        """It has ended: a pause that it was sent, or a terminate that did not end it, came to nothing."""
        self.effect, self.lost = False, None

    @property
    def is_waiting(self) -> bool:
        """A change was sent or is under way, so that a look that fails now may succeed later."""
        return bool(self.sends) or self.waiting_since is not None

    @property
    def look_failed(self) -> bool:
        """The newest attempt to look at it failed; where it still has no outcome, it waits and is looked at again later."""
        return self.look_error is not None

    @property
    def is_refused(self) -> bool:
        """The API would not do what was sent last; a look tells whether that is a failure."""
        return self.attempt is not None and self.attempt.refusal is not None

    @property
    def answer_was_lost(self) -> bool:
        """A PATCH went out, and nothing that was answered told what came of it."""
        return self.lost is not None

    @property
    def said_no(self) -> bool:
        """What was answered to that PATCH was the API's own word that it failed, which is no lost answer."""
        return isinstance(self.lost, ServerFailed)

    # -- how it ended -------------------------------------------------------------------------------------------

    def end(self, outcome: str, sentence: Sentence) -> None:
        """Its end, and what is said of it."""
        self.outcome = outcome
        self.sentence = sentence
        # Logs are large, and nobody reads them any more.
        self.look = self.look and self.look._replace(log=None)
        if self.attempt is not None:
            self.attempt.look = self.attempt.look._replace(log=None)

    @property
    def msg(self) -> str:
        """What is said of it."""
        return str(self.sentence) if self.sentence else ""

    @property
    def changed(self) -> bool:
        """An effect was seen, or a send whose answer was lost may have had one."""
        return self.outcome == CHANGED or self.effect or self.lost is not None or self._may_have_changed

    @property
    def _may_have_changed(self) -> bool:
        """It was sent a change with many others, and nothing that was seen tells by now that it was left alone."""
        attempt = self.attempt
        if attempt is None or not attempt.is_unanswered or self.status in ("complete", "errored"):
            return False
        return not attempt.is_overdue(self.look)

    @property
    def failed(self) -> bool:
        """The state wanted is not reached, as far as this task can tell."""
        return self.outcome in (FAILED, UNKNOWN, NOT_ATTEMPTED)

    @property
    def errored_again(self) -> bool:
        """It was resumed or restarted, and has failed by the time of the last look."""
        return self.finished_again and self.status == "errored"

    @property
    def lacks_error(self) -> bool:
        """It errored again, and a listing, which tells no error, was all that was read."""
        return self.errored_again and self.look is not None and self.look.source == LISTING

    def explain(self, detail: Json) -> None:
        """Take in with which error it ended again."""
        if self.look is not None:
            error = detail.get("error")
            self.look = self.look._replace(error=error if isinstance(error, dict) else None, ended=text_of(detail.get("end")))
