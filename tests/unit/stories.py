# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stories of one instance: scripts of what is seen and answered, played through as the fleet does."""

from __future__ import annotations

import typing as t

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import AnswerLost, InstanceNotFound, LookStale, NotSent, Refused
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.pursuit import DONE, SEND, Pursuit
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.record import Record
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.steplog import Step
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.wanted import Wanted
from ansible_collections.edgeops.cloudflare.tests.unit.fakes import stamp

FINISHED = ("errored", "complete", "terminated")


class Event(t.NamedTuple):
    """What happens next in a script: a look or an answer to a PATCH, so many seconds after what happened before."""

    kind: str
    value: t.Any = None
    after: float = 0.0


LOOKS = ("detail", "listed", "missing", "unseen")


# -- what a script is made of --


def saw(status, run=0, after=0.0, ended=None, **fields):
    """A look at the detail; `run`: how often the instance was restarted; `ended`: seconds, where it has finished."""
    ended = 9 if ended is None and status in FINISHED else ended
    detail = {
        "status": status,
        "queued": stamp(100 * run),
        "start": None if status == "queued" else stamp(100 * run + 1),
        "end": None if ended is None else stamp(100 * run + ended),
        "error": None,
        "rollback": None,
    }
    detail.update(fields)
    return Event("detail", detail, after)


def bare(status, after=0.0):
    """A look at a detail that tells the status alone."""
    return Event("detail", {"status": status}, after)


def listed(status, run=0, after=0.0):
    """A look at an item of a listing."""
    item = {
        "id": "order-1",
        "status": status,
        "created_on": stamp(0),
        "started_on": None if status == "queued" else stamp(100 * run + 1),
        "ended_on": stamp(100 * run + 9) if status in FINISHED else None,
    }
    return Event("listed", item, after)


def gone(after=0.0):
    """There is no such instance."""
    return Event("missing", None, after)


def unseen(after=0.0):
    """The look itself fails."""
    return Event("unseen", AnswerLost("no answer within 30 s (api_timeout)"), after)


def later(seconds):
    """Time passes."""
    return Event("time", None, seconds)


def ok(status="running", after=0.0):
    """The PATCH is accepted."""
    return Event("ok", {"status": status, "timestamp": stamp(3 * 3600 + 127)}, after)


def refused(lost=False):
    """The API will not do it; lost: an earlier attempt of the same call lost its answer."""
    error = Refused("the API says: workflows.api.error.instance.cannot_terminate (code 10401)", code=10401, http_status=409)
    error.after_lost_answer = lost
    return Event("refused", error)


def lost(after=0.0):
    """No answer came."""
    return Event("lost", AnswerLost("no answer within 30 s (api_timeout)"), after)


def stale(was_lost=False):
    """The rate limit held the PATCH back."""
    error = LookStale("held back by the rate limit")
    error.after_lost_answer = was_lost
    return Event("stale", error)


def unsent():
    """No connection was made."""
    return Event("stale", LookStale("no connection was made", cause=NotSent("no connection")))


def drive(script, check_mode=False, instance_id="order-1", **wanted):
    """Play a script through as the fleet does; returns the Record, and what was sent: (action, at) each."""
    record = Record(instance_id, Wanted(**wanted), "orders")
    pursuit = Pursuit(record)
    script, sent, now = list(script), [], 0.0

    def happen(kinds):
        nonlocal now
        assert script, f"the script ended, and the pursuit asks for one of {kinds}"
        event = script.pop(0)
        assert event.kind in kinds, f"the pursuit asks for one of {kinds}, not for {event}"
        now += event.after
        return event

    def look():
        event = happen(LOOKS)
        if event.kind == "detail":
            record.see_detail(event.value, now, with_log=pursuit.reads_log)
        elif event.kind == "listed":
            record.see_listed(event.value, now)
        elif event.kind == "missing":
            record.see_missing(now)
        else:
            pursuit.see_nothing(event.value)

    while script and script[0].kind == "listed" and record.look is None:
        look()
    while record.outcome is None:
        if script and script[0].kind == "time":
            now += script.pop(0).after
        if pursuit.look_needed(record.look.at if check_mode and record.look else now):
            look()
            continue
        move = pursuit.next_move(now)
        if move.kind == DONE:
            break
        if check_mode:
            pursuit.predict(move)
        elif move.kind == SEND:
            event = happen(("ok", "refused", "lost", "stale", "missing"))
            if event.kind != "stale" or event.value.after_lost_answer:
                sent.append((move.action, now))
            if event.kind == "ok":
                record.accepted(move.action, event.value, now)
            elif event.kind == "refused":
                record.refused(move.action, event.value, now)
            elif event.kind == "lost":
                record.answer_lost(move.action, event.value, now)
            elif event.kind == "missing":
                record.refused(move.action, InstanceNotFound("the API says: instance.not_found"), now)
                record.see_missing(now)
            else:
                record.held_back(move.action, event.value, now)
        else:
            look()
    assert not script, f"the pursuit ended as {record.outcome}, and asks for none of {script}"
    return record, sent


STEPS = [
    {"name": "reserve-1", "type": "step", "start": stamp(1), "end": stamp(2), "success": True},
    {
        "name": "charge-1",
        "type": "step",
        "start": stamp(3),
        "end": stamp(9),
        "success": False,
        "attempts": [{"success": False, "error": {"name": "Error", "message": "card declined"}}],
    },
    {"name": "notify-1", "type": "step", "start": stamp(4), "end": stamp(5), "success": True},
]
DECLINED = {"name": "Error", "message": "card declined"}
CHARGE = Step("charge", 1, "do")


def again(*moved):
    """The log of STEPS after a restart from `charge`."""
    return [dict(STEPS[0]), dict(STEPS[1], start=stamp(50), end=None, success=None, attempts=[]), *list(moved)]
