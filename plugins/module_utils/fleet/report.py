# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The result: one shape for one instance or a thousand, on success and on failure. Pure.

AWX shows the `msg` of a failed task first, so it names what was changed, what failed, and why.
"""

from __future__ import annotations

import collections
import re

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import AnswerLost, Refused
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.ratelimit import DOCUMENTED_QUOTA
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance import wording
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.lifecycle import ACTION_OF, PARTICIPLE_OF, PENDING, decide
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.record import (
    CHANGED,
    FAILED,
    NOT_ATTEMPTED,
    UNCHANGED,
    UNKNOWN,
)

#: Seconds in which the documented quota may be spent.
_QUOTA_WINDOW = 300

#: Seconds of waiting for the rate limit from which on the operator is told.
_WORTH_TELLING = 10

_GROUPS_SHOWN = 3
_IDS_SHOWN = 3
_WARNINGS_SHOWN = 5
_TIME = re.compile(r" \d\d:\d\d:\d\dZ")


def item(pursuit):
    """The result's item of one instance, dict."""
    look = pursuit.look
    entry = {
        "id": pursuit.id,
        "status": look.status if look else None,
        "previous_status": pursuit.first_status,
        "action": pursuit.action,
        "changed": pursuit.changed,
        "failed": pursuit.failed,
        "timestamp": pursuit.timestamp,
        "outcome": pursuit.outcome,
        "msg": pursuit.msg or wording.settled(pursuit),
    }
    if pursuit.action == "restart" and pursuit.step:
        entry["restarted_from"] = pursuit.step._asdict()
        entry["reruns"] = [step._asdict() for step in pursuit.reruns]
    if look and look.rollback:
        entry["rollback"] = look.rollback
    return entry


def summary(pursuits, found, duration):
    """The result's `summary`, dict.

    Args:
        pursuits: list of Pursuit.
        found: survey.Found or None.
        duration: float seconds.
    """
    outcomes = collections.Counter(pursuit.outcome for pursuit in pursuits)
    statuses = collections.Counter(pursuit.look.status for pursuit in pursuits if pursuit.look and pursuit.look.status)
    return {
        "matched": len(pursuits),
        "changed": outcomes[CHANGED],
        "unchanged": outcomes[UNCHANGED],
        "failed": outcomes[FAILED],
        "unknown": outcomes[UNKNOWN],
        "not_attempted": outcomes[NOT_ATTEMPTED],
        "finished_again": sum(pursuit.finished_again for pursuit in pursuits),
        "by_status": dict(statuses),
        "passes": found.passes if found else 0,
        "converged": found.converged if found else True,
        "duration": round(duration, 3),
    }


def diff(pursuits):
    """The result's `diff`: the changed instances before and after, the same in check mode and in earnest.

    A restart shows as such, since running → running would show nothing; a resumed instance as `running`, whether it waits by
    the time of the last look or not. What failed shows the status it was left in.
    """
    changed = [pursuit for pursuit in pursuits if pursuit.changed]
    return {
        "before": {pursuit.id: pursuit.first_status for pursuit in changed},
        "after": {pursuit.id: _after(pursuit) for pursuit in changed},
    }


def facts(pursuits):
    """The API's own result by instance: what was observed last, and when the API accepted the change."""
    return {pursuit.id: {"status": pursuit.look.status, "timestamp": pursuit.timestamp} for pursuit in pursuits if pursuit.look}


def warnings(pursuits, messages, found, held_seconds):
    """What the operator should read although the task may be green, list of str."""
    texts = [pursuit.warning for pursuit in pursuits if pursuit.warning]
    if len(texts) > _WARNINGS_SHOWN:
        texts[_WARNINGS_SHOWN:] = [f"and {len(texts) - _WARNINGS_SHOWN} more like these"]
    if found is not None and not found.converged:
        texts.append(f"new instances kept appearing in the selection during all {found.passes} passes; more may match by now: run again")
    if held_seconds > _WORTH_TELLING:
        texts.append(f"the API's rate limit held this task back for {held_seconds:.0f} s")
    texts.extend("the API says: {0}".format(message["message"]) for message in messages)
    return texts


def message(pursuits, workflow_name, state, check_mode, fatal=None, estimate=None, is_selection=False):
    """The result's `msg`: one sentence of an operator's, for one instance or many.

    Args:
        pursuits: list of Pursuit.
        workflow_name, state: str.
        check_mode: bool.
        fatal: CloudflareError or None, what ended the task early.
        estimate: str or None, what a real run would cost.
        is_selection: bool, whether `select` was given.
    """
    if not pursuits and fatal is None:
        return f"no instance of {workflow_name} {'matches' if is_selection else 'is asked for'}; nothing was sent"
    if len(pursuits) == 1 and fatal is None:
        only = pursuits[0]
        return only.msg or wording.settled(only)
    on_their_way, others = [], []
    for pursuit in pursuits:
        (on_their_way if _is_on_its_way(pursuit, state) else others).append(pursuit)
    reached = sum(pursuit.outcome == CHANGED for pursuit in others)
    if fatal is not None and not any(pursuit.changed for pursuit in pursuits):
        text = "nothing was changed"
    elif check_mode:
        text = f"would {ACTION_OF[state]} {reached} of {_count(len(pursuits))} of {workflow_name}"
    else:
        text = f"{PARTICIPLE_OF[ACTION_OF[state]]} {reached} of {_count(len(pursuits))} of {workflow_name}"
    parts = [text]
    if on_their_way:
        parts.append(f"{len(on_their_way)} still {on_their_way[0].look.status}")
    unchanged = sum(pursuit.outcome == UNCHANGED for pursuit in others)
    if unchanged:
        parts.append(f"{unchanged} unchanged")
    again = [pursuit for pursuit in pursuits if pursuit.finished_again]
    if again:
        parts.append(f"{len(again)} finished again: {_grouped(again)}")
    for outcome, words in ((FAILED, "failed"), (UNKNOWN, "unknown")):
        concerned = [pursuit for pursuit in pursuits if pursuit.outcome == outcome]
        if concerned:
            parts.append(f"{len(concerned)} {words}: {_grouped(concerned)}")
    left = [pursuit for pursuit in pursuits if pursuit.outcome == NOT_ATTEMPTED]
    if left:
        reason = "" if fatal is not None else ": " + left[0].msg.partition("was not attempted: ")[2]
        parts.append(f"{len(left)} not attempted{reason}")
    if estimate:
        parts.append(estimate)
    if isinstance(fatal, (AnswerLost, Refused)):
        parts.append("run again")
    text = "; ".join(parts)
    return text if fatal is None else f"{fatal.message}; {text}"


def estimate(changes, calls_each, requests_per_second, reserve, least_left=None):
    """What a real run would cost, in words.

    Args:
        changes: int, instances that would be changed.
        calls_each: int, calls for each of them.
        requests_per_second: float or None, the task's own ceiling.
        reserve: float, the part of the quota left to others.
        least_left: (int, float) or None, the calls that the API still allows, and the seconds until there are more.
    """
    calls = changes * calls_each
    if least_left is not None and calls > least_left[0]:
        return f"about {calls:,} calls, of which the API allows {least_left[0]:,} in the next {_duration(least_left[1])}"
    per_second = DOCUMENTED_QUOTA / _QUOTA_WINDOW
    seconds = max(0.0, calls - DOCUMENTED_QUOTA * (1 - reserve)) / per_second
    if requests_per_second:
        seconds = max(seconds, calls / requests_per_second)
    if seconds < 1:
        return f"about {calls:,} calls, within the quota of {DOCUMENTED_QUOTA:,} in five minutes"
    return f"about {calls:,} calls, {_duration(seconds)} under the rate limit"


def _after(pursuit):
    if pursuit.outcome != CHANGED:
        return pursuit.look.status
    return f"restarted from {pursuit.step}" if pursuit.action == "restart" and pursuit.step else pursuit.wanted.state


def _is_on_its_way(pursuit, state):
    """Whether it was left heading for the state, since nobody waits: by the task's wish, or in check mode."""
    return pursuit.outcome in (CHANGED, UNCHANGED) and decide(pursuit.look.status, state).kind == PENDING


def _count(number):
    return "{0} instance{1}".format(number, "" if number == 1 else "s")


def _grouped(pursuits):
    """The reasons, the most frequent first, each with the first few it concerns."""
    groups = collections.defaultdict(list)
    for pursuit in pursuits:
        predicate = pursuit.msg[len(wording.sentence(pursuit, "")) :].strip()
        groups[_TIME.sub("", predicate)].append(pursuit.id)
    ordered = sorted(groups.items(), key=lambda group: -len(group[1]))
    shown = [f"{len(ids)} × {predicate} ({wording.few(ids, _IDS_SHOWN)})" for predicate, ids in ordered[:_GROUPS_SHOWN]]
    if len(ordered) > _GROUPS_SHOWN:
        shown.append(f"and {sum(len(ids) for _text, ids in ordered[_GROUPS_SHOWN:])} for other reasons")
    return "; ".join(shown)


def _duration(seconds):
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} minutes"
