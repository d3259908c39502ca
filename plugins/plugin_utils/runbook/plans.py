# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run of a runbook would do, and why it may not: made of what the modules found in check mode. Pure."""

from __future__ import annotations

import collections
import datetime
import typing as t

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.text import clean, shown_name
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.timestamps import parse_timestamp
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.types import Json
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.account import FROM_FAILED_STEP, FROM_THE_BEGINNING
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.cost import duration
from ansible_collections.edgeops.cloudflare.plugins.plugin_utils.runbook.advice import followable
from ansible_collections.edgeops.cloudflare.plugins.plugin_utils.runbook.orders import Order
from ansible_collections.edgeops.cloudflare.plugins.plugin_utils.runbook.words import are, instances, is_gone, is_unseen, named

#: Logs that a plan reads, at most.
MOST_LOGS = 20

#: Instances up to which the result of the change names each; above, it is brief.
MOST_ITEMS = 1000

_SHOWN = 3


class Plan(t.NamedTuple):
    """A plan.

    stop: why nothing may be changed; empty where something may.
    lines: the plan in words.
    instance_ids: what the change is of; None where it is of the selection.
    matched: how many instances it is about.
    gone: ids that were asked for and do not exist.
    details: how much the result of the change is to tell.
    calls: for the changes; until: the time of day until which they and the pauses last, at least; None where that is nothing.
    """

    stop: str
    lines: list[str]
    instance_ids: list[str] | None
    matched: int
    gone: list[str]
    details: str
    calls: int
    until: str | None


def plan(order: Order, looked: Json, paused: Json | None = None, sample: Json | None = None, now: str = "", is_check: bool = False) -> Plan:
    """Make the plan.

    Args:
        looked: the result of workflow_instance_status in check mode.
        paused: of workflow_instance_info, what is paused; for pause_all and restart_failed.
        sample: of workflow_instance_status in check mode with from_failed_step, for the first MOST_LOGS.
        now: the time, `2026-08-06T03:24:10Z`.
        is_check: whether the whole run is one in check mode.
    """
    ids = _to_change(order, looked)
    gone = [item["id"] for item in looked.get("instances", []) if is_gone(item)]
    matched = looked.get("summary", {}).get("matched", 0)
    changes = looked.get("summary", {}).get("changed", 0)
    estimate = looked.get("estimate") or {}
    until = _until(now, estimate.get("seconds", 0)) if estimate else None
    stop = _obstacle(order, looked, paused, is_check)
    told = followable(_told(order, looked))
    lines = [*([told] if told else []), f"{'Selected' if order.select else 'Asked for'} {order.scope}"]
    if order.entry_point == "restart_failed":
        lines.extend(_steps(order, changes, sample))
    if order.entry_point == "pause_all":
        lines.extend(_paused_before(order, paused))
    if until:
        lines.append(f"Its calls and pauses last until {until} at least; waiting for the instances comes on top")
    if order.entry_point == "terminate" and is_check and changes > (order.inputs["confirm"] or 0):
        lines.append(f"To do it, run it with confirm={changes}")
    return Plan(
        stop=stop,
        lines=lines,
        instance_ids=ids,
        matched=matched,
        gone=gone,
        details="full" if matched <= MOST_ITEMS else "brief",
        calls=estimate.get("calls", 0),
        until=until,
    )


def logs_to_read(looked: Json) -> list[str]:
    """The ids of those whose logs a plan reads."""
    found: list[str] = looked.get("ids", {}).get("changed", [])[:MOST_LOGS]
    return found


def ended_early(result: Json) -> bool:
    """Whether a task of workflow_instance_status or workflow_instance_info did not get to the end of its work.

    Its own `failed` is not asked: the role's tasks go on whatever it says, and ansible-core clears it then.
    """
    return "summary" not in result or bool(result.get("ended_early"))


def paused_elsewhere(order: Order, paused: Json | None) -> tuple[int, list[str]]:
    """How many instances are paused that the record given does not hold, at least, and the ids of those that could be named."""
    count, ids = _all_paused(paused)
    recorded = order.ledger.entry(order.workflow_name, "paused") if order.ledger else None
    known = set(recorded.placed) if recorded else set()
    strangers = [instance_id for instance_id in ids if instance_id not in known]
    return max(len(strangers), count - len(known)), strangers


# -- which -----------------------------------------------------------------------------------------------------------------


def _to_change(order: Order, looked: Json) -> list[str] | None:
    """The instances that the change is of; None: all that the selection matches by then."""
    items = looked.get("instances", [])
    if order.entry_point == "terminate":
        return list(looked.get("ids", {}).get("changed", []))
    if order.entry_point == "restart_failed":
        # What could not be looked at is looked at again: nothing that was meant drops out in silence.
        return [*looked.get("ids", {}).get("changed", []), *(item["id"] for item in items if is_unseen(item))]
    if order.instance_ids is None:
        return None
    gone = {item["id"] for item in items if is_gone(item)}
    return [instance_id for instance_id in order.instance_ids if instance_id not in gone]


# -- what stands in the way ------------------------------------------------------------------------------------------------


def _obstacle(order: Order, looked: Json, paused: Json | None, is_check: bool) -> str:
    if ended_early(looked):
        return followable(looked.get("msg") or "Nothing is known of the instances: the task that looks at them did not run. Run again.")
    if looked.get("ids_truncated"):
        return (
            f"The ids of {looked['summary']['matched']:,} instances are too long for one plan; nothing was changed. "
            "Narrow what is selected, and run it in parts."
        )
    if order.entry_point == "restart_failed" and not order.inputs["while_paused"]:
        return _frozen(order, paused)
    if order.entry_point == "terminate":
        return _unconfirmed(order, looked, is_check)
    return ""


def _frozen(order: Order, paused: Json | None) -> str:
    count, ids = _all_paused(paused)
    if count:
        return (
            f"{instances(count)} of {_workflow(order)} {are(count)} paused{named(ids, count)}, and a restart would run into that freeze; "
            "nothing was changed. Resume them first, or set while_paused=true."
        )
    if ended_early(paused or {}):
        return (
            f"Nobody knows whether instances of {_workflow(order)} are paused, and a restart would run into that freeze; nothing was changed. "
            f"{_why_unread(paused)}"
        )
    return ""


def _unconfirmed(order: Order, looked: Json, is_check: bool) -> str:
    changes, confirm = looked["summary"]["changed"], order.inputs["confirm"]
    extent = "with rollback" if order.inputs["rollback"] else "WITHOUT rollback"
    unseen = [item for item in looked["instances"] if is_unseen(item)]
    if unseen:
        return (
            f"{instances(len(unseen))} of {_workflow(order)} could not be looked at{named([item['id'] for item in unseen])}; "
            f"nothing was changed. {followable(unseen[0]['msg'])}"
        )
    if order.instance_ids is not None and not order.inputs["allow_partial"]:
        unfit = [item for item in looked["instances"] if not item["changed"]]
        if unfit:
            reasons = collections.Counter(_unfit(item) for item in unfit)
            told = ", ".join(f"{count:,} {reason}" for reason, count in reasons.most_common())
            return (
                f"{len(unfit):,} of the {len(order.instance_ids):,} named can't be terminated: {told}"
                f"{named([item['id'] for item in unfit])}; nothing was changed. "
                "Check the ids, or set allow_partial=true to terminate the others."
            )
    if is_check or not changes:
        return ""
    would = f"{instances(changes)} of {_workflow(order)} would be terminated {extent}"
    if confirm is None:
        return f"{would}, and nothing says that it is meant; nothing was changed. Set confirm={changes}."
    if changes > confirm:
        return f"{would}, more than confirm={confirm}; nothing was changed. Narrow it, or set confirm={changes}."
    return ""


def _unfit(item: Json) -> str:
    if item["status"] is None:
        return "not found"
    return clean(item["status"], 40)


def _all_paused(paused: Json | None) -> tuple[int, list[str]]:
    paused = paused or {}
    ids = [item["id"] for item in paused.get("instances", [])]
    return max(len(ids), paused.get("summary", {}).get("matched", 0)), ids


# -- in words --------------------------------------------------------------------------------------------------------------


def _told(order: Order, looked: Json) -> str:
    """The module's own plan. Which step failed was not looked for yet, so that it believes in a restart from the beginning."""
    message = str(looked.get("msg", ""))
    return message.replace(FROM_THE_BEGINNING, FROM_FAILED_STEP, 1) if order.options["from_failed_step"] else message


def _steps(order: Order, changes: int, sample: Json | None) -> list[str]:
    """From where the restarts go, as far as logs were read."""
    if not changes:
        return []
    if not order.inputs["from_failed_step"]:
        return ["Every step of them runs again, from the beginning"]
    if not sample or "instances" not in sample:
        return [f"In which steps they failed was not found out. {_why_unread(sample)}"]
    steps: collections.Counter[str] = collections.Counter()
    refused: dict[str, str] = {}
    for item in sample["instances"]:
        if item.get("restarted_from") and not item["failed"]:
            steps[f"{shown_name(item['restarted_from']['name'], 80)} ({item['restarted_from']['count']})"] += 1
        elif item["failed"]:
            refused[item["id"]] = item["msg"]
    found = ", ".join(f"{step} {count:,}" for step, count in steps.most_common())
    lines = [f"Step found in {sum(steps.values()):,} of {changes:,}{': ' + found if found else ''}"]
    lines.extend(followable(message) for message in list(refused.values())[:_SHOWN])
    if len(refused) > _SHOWN:
        lines.append(f"… and {len(refused) - _SHOWN:,} more that can't be restarted from a step")
    return lines


def _paused_before(order: Order, paused: Json | None) -> list[str]:
    count, ids = paused_elsewhere(order, paused)
    if count:
        return [
            f"{count:,} {are(count)} paused already, and in no record given{named(ids, count)}: "
            "resume_paused with the record of this run leaves such alone"
        ]
    return [f"What is paused already was not found out. {_why_unread(paused)}"] if ended_early(paused or {}) else []


def _why_unread(result: Json | None) -> str:
    """Why a task that was to find something out has found nothing."""
    return followable((result or {}).get("msg") or "The task that finds it out did not run. Run again.")


def _until(now: str, seconds: float) -> str | None:
    moment = parse_timestamp(now)
    if moment is None or seconds < 1:
        return None
    return f"{(moment + datetime.timedelta(seconds=seconds)).strftime('%H:%M:%SZ')} ({duration(seconds)})"


def _workflow(order: Order) -> str:
    return shown_name(order.workflow_name)
