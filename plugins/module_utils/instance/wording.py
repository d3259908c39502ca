# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The sentences about one instance: its status, what was sent, what is true now, and what would help. Pure.

Every function but `few` takes a pursuit.Pursuit; all return a str.
"""

from __future__ import annotations

from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.lifecycle import FINISHED, PARTICIPLE_OF

_STEPS_SHOWN = 10


def sentence(pursuit, predicate):
    """ "instance order-1 " and what is to be said of it."""
    return f"instance {pursuit.id} {predicate}"


def few(texts, shown):
    """The first of some texts (list of str), at most `shown` (int) of them, and whether there are more."""
    return ", ".join(texts[:shown]) + (", …" if len(texts) > shown else "")


def not_found(pursuit):
    """There is no such instance, or no more."""
    if pursuit.sends:
        when = "before {0} reached it" if pursuit.is_refused else "after {0} was sent"
        return sentence(pursuit, f"is gone: it was deleted {when.format(pursuit.action)}; trigger it anew if it is needed")
    return sentence(
        pursuit,
        f"was not found in workflow {pursuit.workflow_name}; check the id; a finished instance is deleted after its retention",
    )


def unreadable(pursuit, error):
    """The first look failed."""
    return sentence(pursuit, f"could not be looked at: {error.message}; nothing was sent, run again")


def left_behind(pursuit, statuses):
    """The instance isn't in a status in which the task acts; `statuses`: set of str."""
    if pursuit.first_status in statuses and pursuit.first_status != pursuit.look.status:
        return sentence(pursuit, f"is no longer {pursuit.first_status} ({pursuit.look.status}); nothing was sent")
    return sentence(pursuit, "is {0}, not {1}; nothing was sent".format(pursuit.look.status, " or ".join(sorted(statuses))))


def not_errored(pursuit):
    """`from_failed_step` leaves what has not failed alone."""
    return sentence(pursuit, f"is {pursuit.look.status}; from_failed_step restarts errored instances only, so nothing was sent")


def would(pursuit):
    """Check mode: what would be sent."""
    ignored = "; the API ignores a pause until the instance starts" if (pursuit.look.status, pursuit.action) == ("queued", "pause") else ""
    missing = _steps_instead(pursuit) + "; the API may refuse it, check from_step" if pursuit.steps_instead else ""
    return sentence(pursuit, f"is {pursuit.look.status}; would send {pursuit.action}{_from(pursuit)}{ignored}{missing}")


def on_its_way(pursuit):
    """Pending, and nobody waits: by the task's wish, or in check mode."""
    status = pursuit.look.status
    end = "it will be terminated when its handlers have run" if status == "rollingBack" else "it will pause when the step under way ends"
    then = "a run would wait for it" if pursuit.wanted.wait else "run again with wait=true to wait for it"
    sent = f" (was {pursuit.first_status}; {_sent(pursuit)})" if pursuit.sends else ""
    return sentence(pursuit, f"is {status}{sent}; {end}; {then}")


def skipped(pursuit):
    """`skip_finished` leaves it as it is."""
    in_vain = "" if pursuit.changed else " in vain"
    sent = f"{pursuit.action} was sent{in_vain}; " if pursuit.sends else ""
    rollback = pursuit.look.rollback or {}
    failed = f"; its rollback failed{_with(rollback.get('error'))}" if rollback.get("outcome") == "failed" else ""
    return sentence(pursuit, f"is {pursuit.look.status}; {sent}left as it is (skip_finished){failed}")


def overtaken(pursuit):
    """The state is reached, but not by us."""
    status, participle = pursuit.look.status, PARTICIPLE_OF[pursuit.action]
    if pursuit.action == "terminate" and status != "terminated":
        return sentence(pursuit, f"is {status}: it ended before it could be terminated")
    return sentence(pursuit, f"is {status}: something else {participle} it first")


def reached(pursuit):
    """The state is reached after a send; None where there is nothing to explain."""
    if pursuit.answer_was_lost:
        return sentence(
            pursuit,
            f"is {pursuit.look.status}: the answer to {pursuit.action} was lost, and it was done, by this task or another",
        )
    return None if pursuit.changed or pursuit.action == "restart" else overtaken(pursuit)


def finished_again(pursuit):
    """Resumed or restarted, and over again by the time of the last look."""
    participle = PARTICIPLE_OF[pursuit.action]
    return sentence(pursuit, f"was {participle} and is {pursuit.look.status} again by now{_with(pursuit.look.error)}")


def rollback_failed(pursuit):
    """Terminated, but a rollback handler failed."""
    error = _with(pursuit.look.rollback.get("error"))
    return sentence(pursuit, f"is terminated, but its rollback failed{error}; what its steps did is not undone: undo it by hand")


def rollback_not_reported(pursuit):
    """Terminated, but nothing tells whether handlers ran."""
    return sentence(pursuit, "is terminated, but the API reports no rollback; it may have registered no handlers")


def rollback_unknown(pursuit):
    """Terminated, with the answer lost and no rollback reported."""
    return sentence(
        pursuit,
        f"is terminated, but the answer to terminate was lost ({pursuit.lost_because}) and the API reports no rollback: check "
        "whether its handlers ran, and undo by hand what they would have",
    )


def refused(pursuit, error):
    """The API will not do it."""
    sent = f"{pursuit.action}{_from(pursuit)} was refused: " if pursuit.action else ""
    remedy = "check from_step" if pursuit.steps_instead else "find out why, then run again"
    return sentence(pursuit, f"{_is(pursuit)}{_steps_instead(pursuit)}; {sent}{error.message}; {remedy}")


def ignored(pursuit):
    """A 200 that changed nothing, and nobody waits."""
    return sentence(pursuit, f"{_is(pursuit)} all the same: {_sent(pursuit)}; {_no_effect(pursuit)}")


def tug_of_war(pursuit):
    """Sent as often as allowed, and the status moves on every time."""
    return sentence(
        pursuit,
        f"{_is(pursuit)} after {pursuit.action} was sent {pursuit.sends} times: something else keeps changing it; find out what, then run again",
    )


def timed_out(pursuit, look_error):
    """Accepted, or on its way, and not reached in time; `look_error`: CloudflareError or None."""
    sent = f"{_sent(pursuit)}, " if pursuit.sends else ""
    text = f"instance {pursuit.id}: {sent}still {pursuit.look.status} after {pursuit.wanted.wait_timeout:g} s"
    if look_error is not None:
        return f"{text}, as last seen; it can't be looked at now: {look_error.message}; run again to wait"
    return f"{text}; {_no_effect(pursuit)}"


def lost_without_effect(pursuit):
    """Pause, resume or terminate: sent, answers lost, no effect."""
    return sentence(
        pursuit,
        f"{_is(pursuit)}: {pursuit.action} was sent, its answer was lost, and no effect is seen: {pursuit.lost_because}; run again",
    )


def unknown(pursuit):
    """Restart, or terminate with rollback: sent, answer lost, no effect seen, never to be sent again."""
    if pursuit.action == "restart":
        then = f"Check it, then rerun with when_status: [{pursuit.first_status}]"
    else:
        then = "Check whether its rollback handlers ran, then run again"
    return sentence(
        pursuit,
        f"{_is(pursuit)}: {pursuit.action}{_from(pursuit)} sent, answer lost ({pursuit.lost_because}), no effect seen; NOT sent again. {then}",
    )


def unwatched(pursuit, reason):
    """Sent, and the task ends before the state was seen."""
    return sentence(pursuit, f"{_is(pursuit)} when last seen: {_sent(pursuit)}, but not waited for: {reason}")


def settled(pursuit):
    """The plain end: what it is now, what it was, what was sent."""
    if not pursuit.changed:
        is_it = "is already" if pursuit.look.status == pursuit.wanted.state else "is"
        return sentence(pursuit, f"{is_it} {pursuit.look.status}{_undone(pursuit)}; nothing was sent")
    if pursuit.action == "restart":
        return sentence(pursuit, f"was {pursuit.first_status}, {_sent(pursuit)}; it is {pursuit.look.status} now")
    return sentence(pursuit, f"is {pursuit.look.status}{_undone(pursuit)} (was {pursuit.first_status}; {_sent(pursuit)})")


def not_attempted(pursuit, reason):
    """Nothing was sent."""
    return sentence(pursuit, f"was not attempted: {reason}")


def _undone(pursuit):
    is_undone = pursuit.wanted.rollback and (pursuit.look.rollback or {}).get("outcome") == "complete"
    return " and its rollback is complete" if is_undone else ""


def _is(pursuit):
    return f"is {pursuit.look.status}" if pursuit.look and pursuit.look.status else "was not seen"


def _from(pursuit):
    return f" from {pursuit.step}" if pursuit.step and pursuit.wanted.state == "restarted" else ""


def _sent(pursuit):
    if pursuit.answer_was_lost:
        return f"{pursuit.action}{_from(pursuit)} sent, answer lost"
    time = (pursuit.timestamp or "")[11:19]
    return "{0}{1} accepted{2}".format(pursuit.action, _from(pursuit), f" {time}Z" if time else "")


def _no_effect(pursuit):
    status = pursuit.look.status
    if status == "queued" and pursuit.action == "pause":
        return "the API ignores a pause until the instance starts; run again when it has"
    if status == "waitingForPause":
        return "it will pause when the step under way ends; run again to wait"
    if status == "rollingBack":
        return "its rollback handlers are running; run again to wait"
    if pursuit.wanted.rollback and status not in FINISHED:
        return "its rollback handlers may still be running; look again before anything else is sent"
    return "see what holds it, then run again"


def _steps_instead(pursuit):
    if not pursuit.steps_instead:
        return ""
    steps = few([f"{step.type} {step}" for step in pursuit.steps_instead], _STEPS_SHOWN)
    return f"; its log has no {pursuit.step.type} {pursuit.step}, but {steps}"


def _with(error):
    """ " with " and an error of the API's ({name, message}); empty where it tells nothing."""
    told = [error.get(key) for key in ("name", "message")] if isinstance(error, dict) else []
    text = ": ".join(part for part in told if isinstance(part, str) and part)
    return f" with {text}" if text else ""
