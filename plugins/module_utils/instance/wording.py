# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The sentences about one instance. Pure.

Each function takes the instance's Record and makes one Sentence, whose parts have their one order. They say nothing of their own:
what is true, what was sent and what was answered stand in the record.
"""

from __future__ import annotations

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import CloudflareError
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.text import shown_name
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance import phrases
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.lifecycle import ACTION_OF, FINISHED, PARTICIPLE_OF
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.record import Record
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.sentence import Sentence
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.steplog import Step, cut_off, name_of, rollback_of

_SKIP = "skip_finished=true leaves such instances alone"
_RUN_AGAIN = "Run again"


# -- nothing was sent -----------------------------------------------------------------------------------------------------


def satisfied(record: Record) -> Sentence:
    """It is as wanted, and was when it was first seen."""
    status = record.status
    already = "already " if record.wanted.state in (status, "terminated") else ""
    true = f"{phrases.ident(record)} is {already}{status}{phrases.rolled_back(record)}"
    if record.wanted.state == "terminated" and status != "terminated":
        return Sentence(
            true,
            phrases.NOTHING_SENT,
            "it ended by itself, and nothing was terminated" + ("" if phrases.rolled_back(record) else " or undone"),
        )
    return Sentence(true, phrases.NOTHING_SENT)


def not_found(record: Record) -> Sentence:
    """There is no such instance, or no more."""
    if record.sends:
        when = "before {0} reached it" if record.is_refused else "after {0} was sent"
        why = f"it was deleted {when.format(record.action)}"
        sent = "" if record.is_refused else phrases.sent(record)
        return Sentence(f"{phrases.ident(record)} is gone", sent, why, "Trigger it anew if it is needed", group="gone")
    return Sentence(
        f"{phrases.ident(record)} was not found in workflow {shown_name(record.workflow_name)}",
        phrases.NOTHING_SENT,
        do="Check the id; a finished instance is deleted after its retention",
        group="not found",
    )


def unreadable(record: Record, error: CloudflareError) -> Sentence:
    """The first look failed."""
    return Sentence(
        f"{phrases.ident(record)} could not be looked at",
        phrases.NOTHING_SENT,
        error.message,
        error.advice or _RUN_AGAIN,
        group="not readable",
    )


def left_behind(record: Record, statuses: frozenset[str]) -> Sentence:
    """The instance isn't in a status in which the task acts."""
    if record.first_status in statuses and record.first_status != record.status:
        return Sentence(f"{phrases.ident(record)} is no longer {record.first_status} ({record.status})", phrases.NOTHING_SENT)
    return Sentence("{0} is {1}, not {2}".format(phrases.ident(record), record.status, " or ".join(sorted(statuses))), phrases.NOTHING_SENT)


def not_errored(record: Record) -> Sentence:
    """`from_failed_step` leaves what has not failed alone."""
    return Sentence(phrases.being(record), phrases.NOTHING_SENT, "from_failed_step restarts errored instances only")


def other_error(record: Record) -> Sentence:
    """`select.error_glob` is for other errors than this one."""
    why = f"its error is not one that select.error_glob matches{phrases.in_brackets(record)}"
    return Sentence(phrases.being(record), phrases.NOTHING_SENT, why)


def unreachable(record: Record) -> Sentence:
    """The status admits of no way to the state. Restarting finished work is advised only with what it costs."""
    wanted, status = record.wanted, record.status or ""
    participle = PARTICIPLE_OF[ACTION_OF[wanted.state]]
    if status == "rollingBack":
        return Sentence(
            phrases.being(record),
            phrases.sent_or_nothing(record),
            f"its rollback handlers are running, so it can't be {participle}",
            "Look first what they undo; state=terminated waits until they have ended and sends nothing",
            group="rollingBack",
        )
    if wanted.state == "terminated":
        return _not_rolled_back(record)
    if record.is_refused and not record.answer_was_lost:
        return Sentence(phrases.being(record), phrases.sent(record), "it had ended before", _way_out(record), group=status)
    if record.sends:
        return _ended_meanwhile(record)
    verb = "pause" if wanted.state == "paused" else "resume"
    failed = f"{phrases.since(record)}{phrases.in_brackets(record)}" if status == "errored" else ""
    true = f"{phrases.ident(record)} is {status}{failed}, so there is nothing to {verb}"
    return Sentence(true, do=_way_out(record), group=status)


def _way_out(record: Record) -> str:
    if record.wanted.state == "running" and record.status == "errored":
        return "state=restarted, from_failed_step=true restarts it from the step that failed"
    if record.wanted.state == "running" and record.status == "terminated":
        return f"state=restarted runs every step again; {_SKIP}"
    return _SKIP


def _not_rolled_back(record: Record) -> Sentence:
    """Rollback was wanted of one that is over."""
    if record.rollback_outcome == "failed":
        return rollback_failed(record)
    return Sentence(
        f"{phrases.being(record)} without a completed rollback{phrases.in_brackets(record)}",
        phrases.sent_or_nothing(record),
        "no handler can run any more",
        "Undo by hand what its steps did; rollback=false accepts it as it is",
        group=f"{record.status} without a completed rollback",
    )


def _ended_meanwhile(record: Record) -> Sentence:
    """It is over although something else was sent: by itself, or by another hand."""
    at, status = phrases.accepted_at(record), record.status or ""
    after = f"after our {record.action} was {phrases.answered(record)}{f' ({at})' if at else ''}"
    if status == "terminated":
        return Sentence(
            phrases.being(record),
            why=f"something else ended it {after}",
            do=f"See the account's audit log from {at or 'then'} on",
            group="terminated by something else",
        )
    how = f"failed{phrases.in_brackets(record)}" if status == "errored" else "ended"
    return Sentence(phrases.being(record), why=f"it {how} by itself {after}", do=_way_out(record), group=status)


def step_refusal(record: Record) -> Sentence | None:
    """Why no restart from a step can be sent; None where one can."""
    if record.look is not None and record.look.rollback is not None:
        return Sentence(
            f"{phrases.being(record)} and has been rolled back",
            phrases.NOTHING_SENT,
            "the results of its earlier steps no longer hold",
            "Restart it without a step; that runs every step again",
            group="rolled back",
        )
    if record.step is None:
        steps = phrases.names([step.name for step in record.steps_instead])
        starts = f"; from_step can name one of its steps: {steps}" if steps else ""
        return Sentence(
            f"{phrases.being(record)} outside any step{phrases.in_brackets(record)}",
            phrases.NOTHING_SENT,
            "its log names no step that failed with this error",
            f"from_failed_step=false runs every step again{starts}",
            group="failed outside any step",
        )
    if record.steps_instead:
        return unknown_step(record, record.step)
    return None


def unknown_step(record: Record, step: Step) -> Sentence:
    """Its log has no such step. Whoever copied a name from the log has its count at the end."""
    bare, _dash, count = step.name.rpartition("-")
    for there in record.steps_instead:
        if there.name == bare and count.isdigit():
            asked = f"name: {shown_name(bare)}" + (f", count: {count}" if int(count) > 1 else "")
            hint = f'"-{count}" is the log\'s count: use from_step: {{{asked}}}'
            break
        if there.name == step.name and there.type == step.type:
            hint = f"It has {shown_name(step.name)} fewer than {step.count} times: lower from_step.count"
            break
        if there.name == step.name:
            hint = f"It is of another type: use from_step: {{name: {shown_name(step.name)}, type: {there.type}}}"
            break
    else:
        hint = "Check from_step"
    shown = shown_name(step.name) + (f" ({step.count})" if step.count > 1 else "") + ("" if step.type == "do" else f" of type {step.type}")
    have = phrases.names(list(dict.fromkeys(there.name for there in record.steps_instead)))
    return Sentence(f"{phrases.being(record)}; it has no step {shown}", do=f"Its steps: {have}. {hint}", group=f"no step {shown}")


def not_attempted(record: Record, reason: str) -> Sentence:
    """Nothing was sent, since the task ends."""
    return Sentence(f"{phrases.ident(record)} was not attempted", why=reason, group="not attempted")


# -- check mode -----------------------------------------------------------------------------------------------------------


def would(record: Record) -> Sentence:
    """What would be sent, and what of it can't be taken back."""
    wanted = record.wanted
    extent, before = "", ""
    if record.afterwards is not None:
        before = "pause, wait until it is paused, and then send "
    if record.action == "restart":
        extent = phrases.origin(record) or " from the beginning"
    elif record.action == "terminate":
        extent = " with rollback" if wanted.rollback else " WITHOUT rollback"
    waits = " and wait" if wanted.wait else " and not wait"
    why = ""
    if (record.status, record.action) == ("queued", "pause"):
        why = "the API ignores a pause until the instance starts"
    elif record.reruns:
        why = f"succeeded later steps run again: {phrases.names([str(step) for step in record.reruns])}"
    return Sentence(phrases.being(record), f"would send {before}{record.action}{extent}{waits}", why)


# -- on its way -----------------------------------------------------------------------------------------------------------


def on_its_way(record: Record) -> Sentence:
    """Pending, and nobody waits: by the task's wish, or in check mode."""
    rolling = record.status == "rollingBack"
    why = "it will be terminated when its handlers have run" if rolling else "it will pause when the step under way ends"
    if record.wanted.wait:
        return Sentence(phrases.being(record), phrases.sent_or_nothing(record), f"{why}, and a run would wait for it")
    return Sentence(phrases.being(record), phrases.sent_or_nothing(record), why, "wait=true waits for it")


def skipped(record: Record) -> Sentence:
    """`skip_finished` leaves it as it is."""
    in_vain = "" if record.changed else " in vain"
    sent = f"{phrases.sent(record)}{in_vain}" if record.sends else phrases.NOTHING_SENT
    failed = (
        f"; its rollback failed{phrases.with_error(record.look.rollback)}" if record.look and record.rollback_outcome == "failed" else ""
    )
    return Sentence(phrases.being(record), sent, f"left as it is (skip_finished){failed}")


def not_terminated(record: Record, so_far: Sentence) -> Sentence:
    """It was to be paused before its rollback, and wasn't: the sentence so far tells of that."""
    held = "so no terminate was sent" if record.sends else "nothing was terminated"
    return so_far._replace(why="; ".join(part for part in (so_far.why, held) if part))


def left_paused(record: Record, reason: str) -> Sentence:
    """Paused for its rollback, and the task ends before that."""
    return Sentence(
        phrases.being(record),
        f"pause accepted (was {record.first_status})",
        f"not terminated: {reason}",
        "Run again for the rest",
        group="paused and not terminated",
    )


def timed_out(record: Record, look_error: CloudflareError | None) -> Sentence:
    """Accepted, or on its way, and not reached in time."""
    true = f"{phrases.ident(record)} is still {record.status} after {record.wanted.wait_timeout:g} s (wait_timeout)"
    if look_error is not None:
        return Sentence(
            f"{true}, as last seen",
            phrases.sent(record),
            f"it can't be looked at now: {look_error.message}",
            _RUN_AGAIN,
            group="not reached in time",
        )
    why, do = phrases.no_effect(record)
    return Sentence(true, phrases.sent(record), why, do, group=f"still {record.status} after {record.wanted.wait_timeout:g} s")


def unwatched(record: Record, reason: str) -> Sentence:
    """Sent, and the task ends before the state was seen."""
    once_only = record.wanted.is_once_only
    return Sentence(
        f"{phrases.ident(record)} was {record.status or 'not seen'} when last seen",
        phrases.sent(record),
        f"not waited for: {reason}",
        f"Look first, before {record.action} is sent once more" if once_only else "Run again to wait for it",
        group="not waited for",
    )


# -- it went wrong --------------------------------------------------------------------------------------------------------


def refused(record: Record, error: CloudflareError) -> Sentence:
    """The API will not do it."""
    do = error.advice or "See what the API objects to; nothing was changed"
    if record.steps_instead and record.step:
        do = unknown_step(record, record.step).do
    return Sentence(
        phrases.being(record),
        f"{record.action}{phrases.origin(record)} was refused: {error.message}" if record.action else error.message,
        do=do,
        group=f"refused ({error.message})",
    )


def ignored(record: Record) -> Sentence:
    """A 200 that changed nothing, and nobody waits."""
    why, do = phrases.no_effect(record)
    return Sentence(f"{phrases.being(record)} all the same", phrases.sent(record), why, do, group=f"{record.status} all the same")


def tug_of_war(record: Record) -> Sentence:
    """Sent as often as allowed, and the status moves on every time."""
    return Sentence(
        phrases.being(record),
        f"{record.action} was sent {record.sends} times",
        "something else keeps changing it",
        "Find out what, by the account's audit log, then run again",
        group="changed by something else",
    )


def lost_without_effect(record: Record) -> Sentence:
    """Pause, resume or terminate: sent, no effect seen, and nothing that was answered tells why."""
    do = record.lost.advice if record.lost and record.lost.advice else _RUN_AGAIN
    return Sentence(phrases.being(record), phrases.sent(record), "no effect is seen", do, group="no effect seen")


def unknown(record: Record) -> Sentence:
    """Restart, or terminate with rollback: sent, nothing tells what came of it, never to be sent again."""
    if record.action == "restart" and record.first_status in FINISHED:
        do = f"Check it, then run again with when_status: [{record.first_status}]"
    elif record.action == "restart":
        do = "Look first whether it was restarted, before restart is sent once more"
    else:
        do = "Look first whether its rollback handlers ran, and undo by hand what they would have"
    return Sentence(phrases.being(record), phrases.sent(record), "no effect seen; NOT sent again", do, group="unknown, NOT sent again")


def rollback_failed(record: Record) -> Sentence:
    """Terminated, but a rollback handler failed: which steps are undone, which not, where the log was read."""
    why = "its rollback failed" + phrases.with_error(record.look.rollback if record.look else None)
    todo = "what its steps did"
    rollback = rollback_of(record.look.log) if record.look and record.look.log else None
    if rollback and (rollback.undone or rollback.not_undone):
        why += f"; undone: {phrases.names(rollback.undone) or 'nothing'}; NOT undone: {phrases.names(rollback.not_undone) or 'nothing'}"
        todo = f"what these steps did: {phrases.names(rollback.not_undone)}" if rollback.not_undone else todo
    return Sentence(
        f"{phrases.being(record)}, not rolled back", phrases.sent_or_nothing(record), why, f"Undo by hand {todo}", group="rollback failed"
    )


def rollback_not_reported(record: Record) -> Sentence:
    """Terminated, but nothing tells whether handlers ran."""
    return Sentence(
        f"{phrases.being(record)}, but the API reports no rollback",
        phrases.sent(record),
        "; ".join(part for part in ("it may have registered no handlers", phrases.cut_off_steps(record)) if part),
        "Look first whether anything is to be undone",
        group="no rollback reported",
    )


def rollback_unknown(record: Record) -> Sentence:
    """Terminated, with the answer lost and no rollback reported."""
    return Sentence(
        f"{phrases.being(record)}, but the API reports no rollback",
        phrases.sent(record),
        do="Look first whether its handlers ran, and undo by hand what they would have",
        group="rollback unknown",
    )


# -- it is as wanted ------------------------------------------------------------------------------------------------------


def reached(record: Record) -> Sentence:
    """The state is reached after a send, by us or by others."""
    if record.answer_was_lost:
        return Sentence(phrases.being(record), phrases.sent(record), "it was done, by this task or another")
    if record.changed or record.action == "restart":
        return _settled(record)
    return overtaken(record)


def done_unheard(record: Record) -> Sentence:
    """The news of a green task whose change was not answered as it should have been."""
    lost = f"the API said that {record.action} failed" if record.said_no else f"the answer to {record.action} was lost"
    return Sentence(phrases.being(record), why=f"{lost}, and it was done, by this task or another")


def overtaken(record: Record) -> Sentence:
    """The state is reached, but not by us."""
    if record.action == "terminate" and record.status != "terminated":
        undone = "" if record.rollback_outcome == "complete" else "; nothing was undone"
        return Sentence(phrases.being(record), why=f"it ended before it could be terminated{undone}")
    return Sentence(phrases.being(record), why=f"something else {PARTICIPLE_OF[record.action or 'pause']} it first")


def finished_again(record: Record) -> Sentence:
    """Resumed or restarted, and over by the time of the last look."""
    if record.status == "errored":
        return Sentence(
            f"{phrases.being(record)}{phrases.since(record)}",
            f"{phrases.sent(record)} (was {record.first_status})",
            f"it ran and failed{phrases.with_error(record.look.error if record.look else None)}",
            "Find out why before it is restarted once more",
            group="errored again",
        )
    ended = "it is over already" if record.status == "complete" else f"it has run and is {record.status} by now"
    return Sentence(phrases.being(record), f"{phrases.sent(record)} (was {record.first_status})", ended)


def passed(record: Record, step: Step | None) -> Sentence:
    """Resumed or restarted, and past the step that counts."""
    beyond = f"it has passed {shown_name(step.name, 80)}" if step else "it has passed a step"
    return Sentence(f"{phrases.being(record)} (was {record.first_status})", phrases.sent(record), beyond)


def _settled(record: Record) -> Sentence:
    """The plain end: what it is now, what it was, what was sent."""
    cut = phrases.cut_off_steps(record)
    steps = phrases.names([name_of(entry) for entry in cut_off(record.look.log or ())]) if record.look else ""
    true = f"{phrases.being(record)}{phrases.rolled_back(record)} (was {record.first_status})"
    return Sentence(true, phrases.sent(record), cut, f"Check by hand what became of {steps}" if cut else "")
