# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Parts of sentences about one instance: its id, what was sent, since when, with which error. Pure."""

from __future__ import annotations

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.text import clean, shown_id, shown_name
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.timestamps import parse_timestamp, to_utc
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.types import Json
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.lifecycle import FINISHED
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.record import Record
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.steplog import cut_off, name_of
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.wanted import EFFECT, ENDED

NOTHING_SENT = "nothing was sent"

_STEPS_SHOWN = 10


def few(texts: list[str], shown: int) -> str:
    """The first of some texts, at most `shown` of them, and whether there are more."""
    return ", ".join(texts[:shown]) + (", …" if len(texts) > shown else "")


def names(texts: list[str]) -> str:
    """Names of steps, which are other people's text."""
    return few([shown_name(text) for text in texts], _STEPS_SHOWN)


def error_text(error: Json | None) -> str:
    """An error of the API's ({name, message}), cleaned and bounded; empty where it tells nothing."""
    told = [error.get(key) for key in ("name", "message")] if isinstance(error, dict) else []
    return clean(": ".join(part for part in told if isinstance(part, str) and part))


def ident(record: Record) -> str:
    return shown_id(record.id)


def being(record: Record) -> str:
    return f"{ident(record)} is {record.status}" if record.status else f"{ident(record)} was not seen"


def origin(record: Record) -> str:
    return f" from {shown_name(record.step, 80)}" if record.step and record.wanted.state == "restarted" else ""


def accepted_at(record: Record) -> str:
    """The time of day at which the last PATCH was accepted; empty where that isn't known."""
    moment = parse_timestamp(record.timestamp)
    return to_utc(moment)[11:19] + "Z" if moment else ""


def answered(record: Record) -> str:
    return "sent" if record.answer_was_lost else "accepted"


def sent(record: Record) -> str:
    """What was sent, and how it was answered."""
    if not record.sends:
        return ""
    what = f"{record.action}{origin(record)}"
    if record.attempt is not None and record.attempt.is_unanswered:
        return f"{what} sent for many at once"
    if record.said_no:
        return f"{what} was answered {getattr(record.lost, 'answered', '')}"
    if record.lost is not None:
        return f"{what} sent, answer lost ({record.lost.message})"
    if record.is_refused:
        return f"{what} was refused"
    at = accepted_at(record)
    return f"{what} accepted{f' {at}' if at else ''}"


def sent_or_nothing(record: Record) -> str:
    return sent(record) or NOTHING_SENT


def since(record: Record) -> str:
    moment = parse_timestamp(record.look.ended) if record.look else None
    return f" since {to_utc(moment)[:19].rstrip('Z')}Z" if moment else ""


def rolled_back(record: Record) -> str:
    return " and its rollback is complete" if record.wanted.rollback and record.rollback_outcome == "complete" else ""


def cut_off_steps(record: Record) -> str:
    """Which steps a terminate cut off in the middle, where the log was read."""
    entries = cut_off(record.look.log) if record.look and record.look.log and record.action == "terminate" else []
    told = []
    for entry in entries:
        moment = parse_timestamp(entry.get("start"))
        told.append(shown_name(name_of(entry)) + (f" (started {to_utc(moment)[11:19]}Z)" if moment else ""))
    return f"cut off in the middle: {few(told, _STEPS_SHOWN)}" if told else ""


def no_effect(record: Record) -> tuple[str, str]:
    """Why the state is not reached, and what to do."""
    status = record.status
    if status == "queued" and record.action == "pause":
        return "the API ignores a pause until the instance starts", "Run again when it has started"
    if status == "waitingForPause":
        return "it will pause when the step under way ends", "Run again to wait for it, or raise wait_timeout"
    if status == "rollingBack":
        return (
            "its rollback handlers are running",
            "Look first what they undo; state=terminated waits until they have ended and sends nothing",
        )
    if record.effect and record.wanted.wait_until != EFFECT and record.attempt is not None:
        step = record.attempt.passage.step
        goal = "ended" if record.wanted.wait_until == ENDED else f"passed {shown_name(step.name, 80) if step else 'a step'}"
        return f"it runs, and has not {goal} yet (wait_until)", f"Look at it; it needs no second {record.action}"
    if record.wanted.rollback and status not in FINISHED:
        return "its rollback handlers may still be running", "Look first, before anything else is sent"
    return "no effect is seen", "See what holds it, then run again"


def with_error(error: Json | None) -> str:
    """ " with " and an error; an error of a rollback lies one deeper."""
    inner = error.get("error") if isinstance(error, dict) and "outcome" in error else error
    text = error_text(inner if isinstance(inner, dict) else None)
    return f" with {text}" if text else ""


def in_brackets(record: Record) -> str:
    text = error_text(record.look.error) if record.look and record.status == "errored" else ""
    return f" ({text})" if text else ""
