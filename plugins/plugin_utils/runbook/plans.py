# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run of a runbook would do, and why it may not: made of what the modules found in check mode. Pure."""

from __future__ import annotations

import collections
import datetime
import typing as t

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.text import clean, shown_id, shown_name
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.timestamps import parse_timestamp
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.types import Json
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.account import FROM_FAILED_STEP, FROM_THE_BEGINNING
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.cost import duration
from ansible_collections.edgeops.cloudflare.plugins.plugin_utils.runbook.advice import followable
from ansible_collections.edgeops.cloudflare.plugins.plugin_utils.runbook.orders import Order

#: Logs that a plan reads, at most.
MOST_LOGS = 20

#: Instances up to which the result of the change names each; above, it is brief.
MOST_ITEMS = 1000

_SHOWN = 3

_FINISHED = ("complete", "errored", "terminated")


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
    gone = [item["id"] for item in looked.get("instances", []) if item["status"] is None and item["outcome"] == "failed"]
    matched = looked.get("summary", {}).get("matched", 0)
    changes = looked.get("summary", {}).get("changed", 0)
    estimate = looked.get("estimate") or {}
    until = _until(now, estimate.get("seconds", 0)) if estimate else None
    stop = _obstacle(order, looked, paused, is_check)
    lines = [followable(_told(order, looked)), f"{'Selected' if order.select else 'Asked for'} {order.scope}"]
    if order.entry_point == "restart_failed":
        lines.extend(_steps(order, changes, sample))
    if order.entry_point == "pause_all":
        lines.extend(_paused_before(order, paused))
    if until:
        lines.append(f"Its calls and pauses last until {until} at least; waiting for the instances comes on top")
    if order.entry_point == "terminate" and is_check and order.inputs["confirm"] is None and changes:
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
    """Whether a task of workflow_instance_status did not get to the end of its work.

    Its own `failed` is not asked: the role's tasks go on whatever it says, and ansible-core clears it then.
    """
    return "summary" not in result or bool(result["ended_early"])


def paused_elsewhere(order: Order, paused: Json | None) -> tuple[int, list[str]]:
    """How many instances are paused that the record given does not hold, and the ids of those that could be named."""
    if not paused:
        return 0, []
    recorded = order.ledger.entry(order.workflow_name, "paused") if order.ledger else None
    known = set(recorded.placed) if recorded else set()
    ids = [item["id"] for item in paused.get("instances", [])]
    strangers = [instance_id for instance_id in ids if instance_id not in known]
    beyond = max(0, paused.get("summary", {}).get("matched", 0) - len(ids))
    return len(strangers) + beyond, strangers


# -- which -----------------------------------------------------------------------------------------------------------------


def _to_change(order: Order, looked: Json) -> list[str] | None:
    """The instances that the change is of; None: all that the selection matches by then."""
    if order.entry_point in ("terminate", "restart_failed"):
        return list(looked.get("ids", {}).get("changed", []))
    if order.instance_ids is None:
        return None
    failed = set(looked.get("ids", {}).get("failed", []))
    return [instance_id for instance_id in order.instance_ids if instance_id not in failed]


# -- what stands in the way ------------------------------------------------------------------------------------------------


def _obstacle(order: Order, looked: Json, paused: Json | None, is_check: bool) -> str:
    if ended_early(looked):
        return followable(looked.get("msg", "nothing is known of the instances: the task that looks at them did not run"))
    if looked.get("ids_truncated"):
        return (
            f"The ids of {looked['summary']['matched']:,} instances are too long for one plan; nothing was changed. "
            "Narrow what is selected, and run it in parts."
        )
    if order.entry_point == "restart_failed" and not order.inputs["while_paused"]:
        count, named = _all_paused(paused)
        if count:
            return (
                f"{count:,} instance{'s' if count != 1 else ''} of {_workflow(order)} {'are' if count != 1 else 'is'} paused"
                f"{_named(named, count)}, and a restart would run into that freeze; nothing was changed. "
                "Resume them first, or set while_paused=true."
            )
    if order.entry_point == "terminate":
        return _unconfirmed(order, looked, is_check)
    return ""


def _unconfirmed(order: Order, looked: Json, is_check: bool) -> str:
    changes, confirm = looked["summary"]["changed"], order.inputs["confirm"]
    extent = "with rollback" if order.inputs["rollback"] else "WITHOUT rollback"
    if order.instance_ids is not None and not order.inputs["allow_partial"]:
        unfit = [item for item in looked["instances"] if not item["changed"]]
        if unfit:
            reasons = collections.Counter(_unfit(item) for item in unfit)
            told = ", ".join(f"{count:,} {reason}" for reason, count in reasons.most_common())
            return (
                f"{len(unfit):,} of the {len(order.instance_ids):,} named can't be terminated: {told}"
                f"{_named([item['id'] for item in unfit], len(unfit))}; nothing was changed. "
                "Check the ids, or set allow_partial=true to terminate the others."
            )
    if is_check or not changes:
        return ""
    would = f"{changes:,} instance{'s' if changes != 1 else ''} of {_workflow(order)} would be terminated {extent}"
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
    if not paused:
        return 0, []
    ids = [item["id"] for item in paused.get("instances", [])]
    return max(len(ids), paused.get("summary", {}).get("matched", 0)), ids


# -- in words --------------------------------------------------------------------------------------------------------------


def _told(order: Order, looked: Json) -> str:
    """The module's own plan. Which step failed was not looked for yet, so that it believes in a restart from the beginning."""
    message = str(looked.get("msg", ""))
    return message.replace(FROM_THE_BEGINNING, FROM_FAILED_STEP, 1) if order.options["from_failed_step"] else message


def _steps(order: Order, changes: int, sample: Json | None) -> list[str]:
    """From where the restarts go, as far as logs were read."""
    if not order.inputs["from_failed_step"]:
        return ["Every step of them runs again, from the beginning"] if changes else []
    if not sample or not sample.get("instances"):
        return []
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
    count, named = paused_elsewhere(order, paused)
    if not count:
        return []
    return [
        f"{count:,} {'are' if count != 1 else 'is'} paused already, and in no record given{_named(named, count)}: "
        "resume_paused with the record of this run leaves such alone"
    ]


def _until(now: str, seconds: float) -> str | None:
    moment = parse_timestamp(now)
    if moment is None or seconds < 1:
        return None
    return f"{(moment + datetime.timedelta(seconds=seconds)).strftime('%H:%M:%SZ')} ({duration(seconds)})"


def _named(ids: t.Sequence[str], count: int) -> str:
    if not ids:
        return ""
    more = f" and {count - _SHOWN:,} more" if count > _SHOWN else ""
    return f" ({', '.join(map(shown_id, ids[:_SHOWN]))}{more})"


def _workflow(order: Order) -> str:
    return shown_name(order.workflow_name)
