# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One instance on its way to the state wanted: what comes next. Pure: no I/O, no clock.

Level-triggered: the next move follows from the newest look and from what was sent before, never from an answer alone,
since a 200 proves nothing.
"""

from __future__ import annotations

import typing as t

from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance import lifecycle, wording
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.look import ANSWER
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.record import CHANGED, FAILED, UNCHANGED, UNKNOWN, Record
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.steplog import LISTING, LOG

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


class Pursuit(Record):
    """The pursuit of one instance; see Record for its arguments and for what it knows."""

    def __init__(self, *args):
        super().__init__(*args)
        self.move = None  # the newest Move

    def look_needed(self, at):
        """Whether the next move needs a look of its own first. `at` in seconds, by the task's clock."""
        if self.outcome or self.sends or self.look_failed:
            return False
        if self.look is None or self._is_stale:
            return True
        if self.look.status is None or (self._waiting_since is None and self._held_back()):
            return False
        if self.wanted.rollback and self.look.status in lifecycle.FINISHED:
            return self.look.source == LISTING
        if self.wanted.state != "restarted" or self._decision().kind != lifecycle.ACT:
            return False
        is_good = self.look.key is not None and (self.look.source == LOG or not self.wanted.needs_log)
        # Where the API is so slow that no look is ever fresh, the newest one has to do.
        return not is_good or (at - self.look.at > FRESH and self._looks_alone < MOST_LOOKS)

    @property
    def reads_log(self):
        """bool: a look at this instance alone must bring its log."""
        return self.wanted.needs_log

    @property
    def listing_will_do(self):
        """bool: an item of a listing tells all that the next move needs."""
        if not self.sends:
            return not self.wanted.needs_log
        if self.wanted.state == "restarted":
            return self._attempt.accepted and not self._attempt.seen_since
        return not (self.wanted.rollback and self.look.status in lifecycle.FINISHED)

    def next_move(self, now):
        """Decide the next Move from the newest look.

        Args:
            now: float seconds, by a clock that stands still while the rate limit blocks.
        """
        if self.outcome is not None:
            return Move(DONE)
        move = self._next()
        if move.kind in (WAIT, LOOK):
            if self._waiting_since is None:
                self._waiting_since = now
                self._looked_while_waiting = False
            elif self._looked_while_waiting and now >= self.deadline():
                return self._give_up()
        return move

    def deadline(self):
        """When waiting ends, float seconds by the clock of `next_move`; only for an instance that waits."""
        if self._is_refused_unseen:
            return self._attempt.at + min(LOST_PATIENCE, self.wanted.wait_timeout)
        if not self.wanted.wait or (self._lost is not None and not self._effect and not self.wanted.rollback):
            return self._attempt.at + LOST_PATIENCE
        return self._waiting_since + self.wanted.wait_timeout

    @property
    def _is_refused_unseen(self):
        return self.is_refused and self._lost is None and not self._attempt.seen_since

    def _next(self):
        if self.look.status is None:
            self._note_accepted_once()
            return self._done_with(FAILED, wording.not_found(self))
        if not self.sends:
            return Move(WAIT) if self.look_failed else self._first_move()
        if self._is_stale or self._needs_look_since():
            return Move(LOOK)
        if self.wanted.state == "restarted":
            return self._after_restart()
        return self._after_change()

    def _first_move(self):
        decision = self._decision()
        held = self._held_back()
        if held and (self._waiting_since is None or decision.kind == lifecycle.ACT):
            return self._done_with(UNCHANGED, held)
        if decision.kind == lifecycle.SATISFIED:
            return self._done_with(UNCHANGED, wording.sentence(self, decision.why) if decision.why else None)
        if decision.kind == lifecycle.PENDING:
            return self._pending()
        if decision.kind == lifecycle.UNREACHABLE:
            return self._unreachable(decision)
        refusal = self._step_refusal() if self.wanted.needs_log else None
        if refusal:
            return self._done_with(FAILED, wording.sentence(self, refusal))
        return Move(SEND, decision.action)

    def _held_back(self):
        """Why nothing is to be done although the state is not reached, or None."""
        for statuses in (self.wanted.when_status, self.wanted.selected):
            if statuses is not None and self.look.status not in statuses:
                return wording.left_behind(self, statuses)
        if self.wanted.from_failed_step and self.look.status != "errored":
            return wording.not_errored(self)
        return None

    def _step_refusal(self):
        if self.look.rollback is not None:
            return "has been rolled back, so the results of its earlier steps no longer hold; restart it without a step"
        if self.step is None:
            return (
                "failed outside any step, or its log can't tell in which; use from_step to name one, or restart it "
                "from the beginning without from_failed_step"
            )
        return None

    def _decision(self):
        outcome = (self.look.rollback or {}).get("outcome")
        return lifecycle.decide(self.look.status, self.wanted.state, self.wanted.rollback, outcome)

    def _needs_look_since(self):
        """Where the answer tells no status always; after a restart, a resume or a rollback to see what is true by now."""
        if self._attempt.seen_since:
            return False
        if self._lost is not None or self._attempt.answered is None:
            return True
        if not self.wanted.wait or (self.action == "resume" and self.look.status in lifecycle.FINISHED):
            return False
        return self.action in ("resume", "restart") or (self.wanted.rollback and self.look.status in lifecycle.FINISHED)

    def _after_restart(self):
        attempt = self._attempt
        is_proven = attempt.is_restart_proven_by(self.look)
        if attempt.refusal is not None and self._lost is None:
            return self._done_with(UNCHANGED, wording.overtaken(self)) if is_proven else self._refused()
        its_word_is_enough = attempt.accepted and not (self.wanted.wait and attempt.is_restart_provable_by(self.look))
        if is_proven or its_word_is_enough:
            return self._ran_again()
        return Move(WAIT)

    def _after_change(self):
        if self.action == "resume" and self.look.status in _OVER and self._was_resumed():
            return self._ran_again()
        may_have_acted = self._attempt.accepted or self._lost is not None
        if may_have_acted and self.wanted.rollback and self.look.status == "terminated":
            return self._rolled_back()
        decision = self._decision()
        if decision.kind == lifecycle.SATISFIED:
            if self.action == "terminate" and self.look.status in ("complete", "errored"):
                self._forget_effect()
            return self._done_with(self._done(), wording.reached(self))
        if decision.kind == lifecycle.PENDING:
            return self._pending()
        if decision.kind == lifecycle.UNREACHABLE:
            return self._unreachable(decision)
        may_repeat = not self._held_back() if self._attempt.is_interrupted else self._attempt.moved
        if may_repeat and not self.wanted.is_once_only:
            return Move(SEND, decision.action) if self.sends < MOST_SENDS else self._done_with(FAILED, wording.tug_of_war(self))
        if self._attempt.refusal is not None:
            return self._refused()
        if not self.wanted.wait and self._lost is None:
            return self._done_with(CHANGED, None) if self._effect else self._done_with(FAILED, wording.ignored(self))
        return Move(WAIT)

    def _was_resumed(self):
        if self._attempt.refusal is not None and self._lost is None:
            return False
        if self._attempt.look.status == "paused" and self.look.status in ("errored", "complete"):
            return True  # what was paused can't have ended by itself, though it can have been terminated
        return self._effect and self._attempt.answered not in lifecycle.FINISHED

    def _refused(self):
        return self._done_with(FAILED, wording.refused(self, self._attempt.refusal))

    def _ran_again(self):
        self._effect = True
        # The answer to a restart may still tell how the run before had ended.
        self.finished_again = self.look.status in _OVER and (self.look.source != ANSWER or self.action == "resume")
        if self.finished_again:
            self.warning = wording.finished_again(self)
        return self._done_with(CHANGED, self.warning or wording.reached(self))

    def _rolled_back(self):
        if self.look.source == LISTING:
            return Move(LOOK)  # a listing doesn't tell how the handlers ended
        outcome = (self.look.rollback or {}).get("outcome")
        if outcome is None and not self._attempt.accepted:
            return self._done_with(UNKNOWN, wording.rollback_unknown(self))
        self._effect = True
        if outcome == "failed":
            return self._done_with(FAILED, wording.rollback_failed(self))
        if outcome != "complete" and self.wanted.wait:
            self.warning = wording.rollback_not_reported(self)
        return self._done_with(CHANGED, self.warning or wording.reached(self))

    def _pending(self):
        return Move(WAIT) if self.wanted.wait else self._done_with(self._done(), wording.on_its_way(self))

    def _unreachable(self, decision):
        if self.wanted.skip_finished and self.look.status in lifecycle.FINISHED:
            if self.action == "pause":
                self._forget_effect()
            return self._done_with(self._done(), wording.skipped(self))
        return self._done_with(FAILED, wording.sentence(self, decision.why))

    def _done(self):
        return CHANGED if self._effect or self._lost is not None else UNCHANGED

    def _give_up(self):
        if self._is_refused_unseen:
            return self._refused()
        if self._lost is not None and not self._effect:
            if self.wanted.is_once_only:
                return self._done_with(UNKNOWN, wording.unknown(self))
            return self._done_with(FAILED, wording.lost_without_effect(self))
        self._note_accepted_once()
        if self._look_error is not None and not self.wanted.wait:
            return self._done_with(FAILED, wording.unwatched(self, self._look_error.message))
        return self._done_with(FAILED, wording.timed_out(self, self._look_error))

    def conclude(self, now):
        """The task ends early: end as the newest look tells, where it was being waited for and that look has been taken since."""
        if self.is_waiting and not self.look_needed(self.look.at):
            self.next_move(now)

    def predict(self, move):
        """Check mode: end with what would be done."""
        if move.kind == SEND:
            self.action = move.action
            self._end(CHANGED, wording.would(self))
            self.warning = self.msg if self.steps_instead else None
        else:
            self._end(UNCHANGED, wording.on_its_way(self))

    def _done_with(self, outcome, msg):
        self._end(outcome, msg)
        return Move(DONE)
