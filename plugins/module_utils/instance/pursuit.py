# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One instance on its way to the state wanted: what comes next. Pure: no I/O, no clock.

Level-triggered: the next move follows from the newest look and from what was sent before, never from an answer alone,
since a 200 proves nothing. All that is known stands in the Record; when something is sent, and sent again, is decided in
`_first_move` and `_may_send_again`.
"""

from __future__ import annotations

import fnmatch
import typing as t

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.types import Json
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance import lifecycle, wording
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.attempt import Attempt
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.look import ANSWER, Look
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.passage import is_passed
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.record import (
    CHANGED,
    FAILED,
    NOT_ATTEMPTED,
    UNCHANGED,
    UNKNOWN,
    Record,
)
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.sentence import Sentence
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.steplog import LISTING, LOG
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.wanted import EFFECT, ENDED, PAST_STEP, Wanted

#: Seconds for which a look is good enough to rest a restart on.
FRESH = 2.0

#: Looks before a restart, at most, where every answer takes longer than that.
MOST_LOOKS = 3

#: Seconds for which an effect is looked for after a send whose answer was lost.
LOST_PATIENCE = 30.0

#: PATCHes for one instance in one task, at most.
MOST_SENDS = 3

#: Statuses of an instance that won't work on by itself any more, or is about to stop.
_OVER = lifecycle.FINISHED | {"rollingBack"}

# What to do next.
DONE, SEND, LOOK, WAIT = "done", "send", "look", "wait"


class Move(t.NamedTuple):
    """What to do next: DONE, SEND (action), LOOK (now) or WAIT (and look later)."""

    kind: str
    action: str | None = None


class Pursuit:
    """The pursuit of one instance; what is known of it is its `record`."""

    def __init__(self, record: Record) -> None:
        self.record = record
        #: The newest Move; None where a change was held back.
        self.move: Move | None = None

    @property
    def wanted(self) -> Wanted:
        """What is wanted of it; another thing while it is paused for its rollback."""
        return self.record.wanted

    # -- looks --------------------------------------------------------------------------------------------------

    def look_needed(self, at: float) -> bool:
        """Whether the next move needs a look of its own first. `at` in seconds, by the task's clock."""
        record, look = self.record, self.record.look
        if record.outcome or record.sends or record.look_failed:
            return False
        if look is None or record.is_stale:
            return True
        if look.status is None or (record.waiting_since is None and self._held_back()):
            return False
        if self.wanted.rollback and look.status in lifecycle.FINISHED:
            return look.source == LISTING
        if self._decision().kind != lifecycle.ACT:
            return False
        if self.wanted.error_glob is not None and look.source == LISTING:
            return True
        if self.wanted.state != "restarted":
            return self.wanted.wait_until == PAST_STEP and self.reads_log and look.source != LOG
        is_good = look.key is not None and (look.source == LOG or not self.reads_log)
        # Where the API is so slow that no look is ever fresh, the newest one has to do.
        return not is_good or (at - look.at > FRESH and record.looks_alone < MOST_LOOKS)

    @property
    def reads_log(self) -> bool:
        """A look at this instance alone must bring its log: for the step to restart from or to get past, or for what a terminate left."""
        wanted = self.wanted
        return (wanted.needs_log or wanted.rollback or wanted.wait_until == PAST_STEP) and not self.record.reads_no_log

    @property
    def may_need_a_change(self) -> bool:
        """By what is known of it something may have to be sent, or waited for."""
        look = self.record.look
        if self.record.outcome:
            return False
        if look is None or self.look_needed(look.at):
            return True
        return look.status is not None and not self._held_back() and self._decision().kind in (lifecycle.ACT, lifecycle.PENDING)

    @property
    def is_to_be_changed(self) -> bool:
        """By the newest look something is to be sent, for the first time."""
        record = self.record
        if record.outcome or record.sends or record.look is None or record.status is None or self.look_needed(record.look.at):
            return False
        return not self._held_back() and self._decision().kind == lifecycle.ACT

    @property
    def listing_will_do(self) -> bool:
        """An item of a listing tells all that the next move needs."""
        record = self.record
        if not record.sends:
            return not self.wanted.needs_log
        if self.wanted.wait_until == PAST_STEP:
            return False
        if self.wanted.state == "restarted" and not (record.effect and self.wanted.wait_until == ENDED):
            return record.attempt is not None and record.attempt.accepted and not record.attempt.seen_since
        return not (self.wanted.rollback and record.status in lifecycle.FINISHED)

    def see_nothing(self, error: t.Any) -> None:
        """Take in that the instance could not be looked at: one that waits is looked at again later."""
        self.record.see_nothing(error)
        if not self.record.is_waiting:
            self.record.end(FAILED, wording.unreadable(self.record, error))

    def explain(self, detail: Json) -> None:
        """Take in with which error it ended again."""
        record = self.record
        record.explain(detail)
        record.sentence = wording.finished_again(record)
        record.warning = record.sentence if record.outcome == CHANGED else None

    # -- what comes next ----------------------------------------------------------------------------------------

    def next_move(self, now: float) -> Move:
        """Decide the next Move from the newest look.

        Args:
            now: seconds, by a clock that stands still while the rate limit blocks.
        """
        record = self.record
        if record.outcome is not None:
            return Move(DONE)
        move = self._next()
        if move.kind in (WAIT, LOOK):
            if record.waiting_since is None:
                record.waiting_since = now
                record.looked_while_waiting = False
            elif record.looked_while_waiting and now >= self.deadline():
                return self._give_up()
        return move

    def deadline(self) -> float:
        """When waiting ends, seconds by the clock of `next_move`; only for an instance that waits."""
        record, attempt = self.record, self.record.attempt
        if attempt is not None:
            if self._is_refused_unseen:
                return attempt.at + min(LOST_PATIENCE, self.wanted.wait_timeout)
            is_lost = record.lost is not None and not record.effect and not self.wanted.rollback
            if not self.wanted.wait or is_lost:
                return attempt.at + LOST_PATIENCE
        return (record.waiting_since or 0.0) + self.wanted.wait_timeout

    @property
    def _is_refused_unseen(self) -> bool:
        record = self.record
        return record.is_refused and record.lost is None and record.attempt is not None and not record.attempt.seen_since

    def _next(self) -> Move:
        record, attempt = self.record, self.record.attempt
        if record.status is None:
            record.note_accepted_once()
            return self._end(FAILED, wording.not_found(record))
        if attempt is None:
            return Move(WAIT) if record.look_failed else self._first_move()
        if record.is_stale or self._needs_look_since(attempt):
            return Move(LOOK)
        if self.wanted.state == "restarted":
            return self._after_restart(attempt)
        return self._after_change(attempt)

    def _first_move(self) -> Move:
        """Nothing was sent yet: is anything to be?"""
        record = self.record
        decision = self._decision()
        held = self._held_back()
        if held and (record.waiting_since is None or decision.kind == lifecycle.ACT):
            return self._end(UNCHANGED, held)
        if decision.kind == lifecycle.SATISFIED:
            return self._satisfied()
        if decision.kind == lifecycle.PENDING:
            return self._pending()
        if decision.kind == lifecycle.UNREACHABLE:
            return self._unreachable()
        refusal = wording.step_refusal(record) if self.wanted.needs_log and not record.reads_no_log else None
        return self._end(FAILED, refusal) if refusal else Move(SEND, decision.action)

    def _may_send_again(self, attempt: Attempt) -> bool:
        """When a change is sent again: never what runs steps or handlers a second time; else once for each status seen since.

        Where the rate limit held a repetition back, only if the task would still act on the instance. Where it was sent for many at
        once, only when it has shown no effect for a while.
        """
        if self.wanted.is_once_only:
            return False
        if attempt.is_unanswered:
            return attempt.is_overdue(self._look)
        return not self._held_back() if attempt.is_interrupted else attempt.moved

    def _held_back(self) -> Sentence | None:
        """Why nothing is to be done although the state is not reached."""
        for statuses in (self.wanted.when_status, self.wanted.selected):
            if statuses is not None and self.record.status not in statuses:
                return wording.left_behind(self.record, statuses)
        if self.wanted.from_failed_step and self.record.status != "errored":
            return wording.not_errored(self.record)
        return wording.other_error(self.record) if self._error_differs() else None

    def _error_differs(self) -> bool:
        """Its error, as far as the look tells it, is not one of those that `error_glob` is for."""
        look, pattern = self.record.look, self.wanted.error_glob
        if pattern is None or look is None or look.source in (LISTING, ANSWER):
            return False
        if not look.error:
            return True
        told = [str(look.error.get("name") or ""), str(look.error.get("message") or "")]
        return not any(fnmatch.fnmatchcase(text, pattern) for text in (*told, ": ".join(told)))

    def _decision(self) -> lifecycle.Decision:
        return lifecycle.decide(self.record.status or "", self.wanted.state, self.wanted.rollback, self.record.rollback_outcome)

    def _needs_look_since(self, attempt: Attempt) -> bool:
        """Where the answer tells no status always; after a restart, a resume or a rollback to see what is true by now."""
        if attempt.seen_since:
            return False
        if self.record.lost is not None or attempt.answered is None:
            return True
        if self.record.afterwards is not None and self.record.status == "paused":
            return True  # what can't be taken back rests on a look, and not on an answer
        is_over = self.record.status in lifecycle.FINISHED
        if not self.wanted.wait or (attempt.action == "resume" and is_over):
            return False
        return attempt.action in ("resume", "restart") or (self.wanted.rollback and is_over)

    def _after_restart(self, attempt: Attempt) -> Move:
        record, look = self.record, self._look
        is_proven = record.effect or attempt.is_restart_proven_by(look)
        if attempt.refusal is not None and record.lost is None:
            return self._end(UNCHANGED, wording.overtaken(record)) if is_proven else self._refused()
        its_word_is_enough = attempt.accepted and not (self.wanted.wait and attempt.is_restart_provable_by(look))
        if is_proven or its_word_is_enough:
            return self._ran_again(attempt)
        return Move(WAIT)

    def _after_change(self, attempt: Attempt) -> Move:
        record = self.record
        if attempt.action == "resume" and record.status in _OVER and self._was_resumed(attempt):
            return self._ran_again(attempt)
        may_have_acted = attempt.accepted or record.lost is not None
        if may_have_acted and self.wanted.rollback and record.status == "terminated":
            return self._rolled_back(attempt)
        decision = self._decision()
        if decision.kind == lifecycle.SATISFIED:
            if attempt.action == "resume" and may_have_acted and record.effect and self._waits_on:
                return self._ran_again(attempt)
            if attempt.action == "terminate" and record.status in ("complete", "errored"):
                record.forget_effect()
            return self._reached()
        if decision.kind == lifecycle.PENDING:
            return self._pending()
        if decision.kind == lifecycle.UNREACHABLE:
            return self._unreachable()
        if self._may_send_again(attempt):
            return Move(SEND, decision.action) if record.sends < MOST_SENDS else self._end(FAILED, wording.tug_of_war(record))
        if attempt.refusal is not None:
            return self._refused()
        if record.said_no and attempt.seen_since and not self.wanted.is_once_only:
            return self._end(FAILED, wording.lost_without_effect(record))  # it has said no as often as it was asked
        if not self.wanted.wait and record.lost is None:
            return self._reached() if record.effect else self._end(FAILED, wording.ignored(record))
        return Move(WAIT)

    @property
    def _look(self) -> Look:
        if self.record.look is None:
            raise AssertionError("nothing is decided without a look")
        return self.record.look

    def _was_resumed(self, attempt: Attempt) -> bool:
        if attempt.refusal is not None and self.record.lost is None:
            return False
        if attempt.look.status == "paused" and self.record.status in ("errored", "complete"):
            return True  # what was paused can't have ended by itself, though it can have been terminated
        return self.record.effect and attempt.answered not in lifecycle.FINISHED

    # -- ends ---------------------------------------------------------------------------------------------------

    def _satisfied(self) -> Move:
        sentence = wording.satisfied(self.record)
        if self.wanted.state == "terminated" and self.record.status != "terminated":
            self.record.warning = sentence
        return self._end(UNCHANGED, sentence)

    def _reached(self) -> Move:
        record = self.record
        sentence = wording.reached(record)
        # A green task says nothing on a terminal.
        if record.answer_was_lost:
            record.warning = wording.done_unheard(record)
        elif record.action == "terminate" and record.status != "terminated":
            record.warning = sentence
        return self._end(CHANGED if record.effect or record.lost is not None else UNCHANGED, sentence)

    def _refused(self) -> Move:
        attempt = self.record.attempt
        if attempt is None or attempt.refusal is None:
            raise AssertionError("it was not refused")
        return self._end(FAILED, wording.refused(self.record, attempt.refusal))

    @property
    def _waits_on(self) -> bool:
        """One look after a resume or restart is not enough."""
        return self.wanted.wait and self.wanted.wait_until != EFFECT

    def _ran_again(self, attempt: Attempt) -> Move:
        record = self.record
        record.effect = True
        if self._waits_on and (self._look.source == ANSWER or record.status not in lifecycle.FINISHED):
            return self._wait_on(attempt)
        # The answer to a restart may still tell how the run before had ended.
        record.finished_again = record.status in _OVER and (self._look.source != ANSWER or attempt.action == "resume")
        if not record.finished_again:
            return self._reached()
        sentence = wording.finished_again(record)
        if self._waits_on and record.status == "errored":
            return self._end(FAILED, sentence)
        if record.status != "complete":
            record.warning = sentence
        return self._end(CHANGED, sentence)

    def _wait_on(self, attempt: Attempt) -> Move:
        """It runs: has it got as far as it should?"""
        if self._look.source == ANSWER:
            return Move(LOOK)
        if self.wanted.wait_until == PAST_STEP and is_passed(attempt.passage, self._look.log or ()):
            return self._end(CHANGED, wording.passed(self.record, attempt.passage.step))
        return Move(WAIT)

    def _rolled_back(self, attempt: Attempt) -> Move:
        record = self.record
        if self._look.source == LISTING:
            return Move(LOOK)  # a listing doesn't tell how the handlers ended
        if record.rollback_outcome is None and not attempt.accepted:
            return self._end(UNKNOWN, wording.rollback_unknown(record))
        record.effect = True
        if record.rollback_outcome == "failed":
            return self._end(FAILED, wording.rollback_failed(record))
        sentence = wording.reached(record)
        if record.rollback_outcome != "complete" and self.wanted.wait:
            sentence = record.warning = wording.rollback_not_reported(record)
        elif record.answer_was_lost:
            record.warning = wording.done_unheard(record)
        elif sentence.do:
            record.warning = sentence
        return self._end(CHANGED, sentence)

    def _pending(self) -> Move:
        if self.wanted.wait:
            return Move(WAIT)
        done = CHANGED if self.record.effect or self.record.lost is not None else UNCHANGED
        return self._end(done, wording.on_its_way(self.record))

    def _unreachable(self) -> Move:
        record = self.record
        if self.wanted.skip_finished and record.status in lifecycle.FINISHED:
            if record.action == "pause":
                record.forget_effect()
            return self._end(CHANGED if record.effect or record.lost is not None else UNCHANGED, wording.skipped(record))
        return self._end(FAILED, wording.unreachable(record))

    def _give_up(self) -> Move:
        record = self.record
        if self._is_refused_unseen:
            return self._refused()
        if record.lost is not None and not record.effect:
            if self.wanted.is_once_only:
                return self._end(UNKNOWN, wording.unknown(record))
            return self._end(FAILED, wording.lost_without_effect(record))
        record.note_accepted_once()
        if record.look_error is not None and not self.wanted.wait:
            return self._end(FAILED, wording.unwatched(record, record.look_error.message))
        return self._end(FAILED, wording.timed_out(record, record.look_error))

    def conclude(self, now: float) -> None:
        """The task ends early: end as the newest look tells, where it was being waited for and that look has been taken since."""
        if self.record.is_waiting and self.record.look and not self.look_needed(self.record.look.at):
            self.next_move(now)

    def abandon(self, reason: str) -> None:
        """End because the task ends: nothing more is sent, and nothing more can be watched."""
        record = self.record
        if not record.sends and record.effect:
            self._end(FAILED, wording.left_paused(record, reason))
        elif not record.sends:
            self._end(NOT_ATTEMPTED, wording.not_attempted(record, reason))
        elif record.is_refused and record.lost is None:
            self._refused()
        elif record.lost is not None and not record.effect and self.wanted.is_once_only:
            self._end(UNKNOWN, wording.unknown(record))
        else:
            record.note_accepted_once()
            self._end(FAILED, wording.unwatched(record, reason))

    def predict(self, move: Move) -> None:
        """Check mode: end with what would be done."""
        record = self.record
        if record.afterwards is not None:
            record.wanted, record.action = record.afterwards, "terminate"
            self._end(CHANGED, wording.would(record))
        elif move.kind == SEND:
            record.action = move.action
            self._end(CHANGED, wording.would(record))
        else:
            self._end(UNCHANGED, wording.on_its_way(self.record))

    def _end(self, outcome: str, sentence: Sentence) -> Move:
        if self.record.afterwards is not None and outcome == FAILED:
            sentence = wording.not_terminated(self.record, sentence)
        self.record.end(outcome, sentence)
        return Move(DONE)
