# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run of a runbook has done, in words: bad news first, every instance accounted for, and last how it is undone or gone on with. Pure."""

from __future__ import annotations

import re
import shlex
import typing as t

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.text import clean, shown_id, shown_name
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.types import Json
from ansible_collections.edgeops.cloudflare.plugins.plugin_utils.runbook.advice import followable
from ansible_collections.edgeops.cloudflare.plugins.plugin_utils.runbook.orders import Order
from ansible_collections.edgeops.cloudflare.plugins.plugin_utils.runbook.plans import Plan, ended_early, paused_elsewhere

_SHOWN = 3

#: What needs no quotes on a command line, neither the shell's nor ansible-core's.
_PLAIN = re.compile(r"[A-Za-z0-9_./:+-]+")

_DONE = {"pause_all": "paused", "resume_paused": "resumed", "restart_failed": "restarted", "terminate": "terminated"}
_OUTCOMES = ("changed", "unchanged", "failed", "unknown", "not_attempted")
_BAD = _OUTCOMES[2:]


class Account(t.NamedTuple):
    """An account. failed: whether the run is red; lines: all of it, the most important first; text: the same as sentences."""

    failed: bool
    lines: list[str]
    text: str


class _Tally:
    """What became of the instances, over all tasks of the run; of each the newest word counts."""

    def __init__(self, results: t.Sequence[Json], gone: t.Sequence[str]) -> None:
        self.outcomes: dict[str, str] = {}
        self.items: dict[str, Json] = {}
        self.ended_early = False
        self.messages: list[str] = []
        for result in results:
            for outcome in _OUTCOMES:
                for instance_id in result.get("ids", {}).get(outcome, []):
                    # What was changed once by this run stays changed: a sweep after it finds it as it should be.
                    was = self.outcomes.get(instance_id)
                    self.outcomes[instance_id] = "changed" if was == "changed" and outcome == "unchanged" else outcome
            for item in result.get("instances", []):
                self.items[item["id"]] = item
            is_early = ended_early(result)
            self.ended_early = self.ended_early or is_early
            if is_early or any(result["ids"][outcome] for outcome in _BAD) or any(map(_has_errored_again, result["instances"])):
                self.messages.append(str(result.get("msg", "")))
        self.gone = list(dict.fromkeys([*gone, *(one for one in self.ids("failed") if self.status(one) is None and one in self.items)]))
        for instance_id in self.gone:
            self.outcomes.pop(instance_id, None)

    def ids(self, outcome: str) -> list[str]:
        return [instance_id for instance_id, found in self.outcomes.items() if found == outcome]

    def status(self, instance_id: str) -> str | None:
        found: str | None = self.items.get(instance_id, {}).get("status")
        return found

    def errored_again(self) -> list[str]:
        """Those that were restarted or resumed, and have failed again, whichever outcome that is to the module."""
        return [
            instance_id
            for instance_id, item in self.items.items()
            if _has_errored_again(item) and self.outcomes.get(instance_id) in ("changed", "failed")
        ]


def _has_errored_again(item: Json) -> bool:
    return bool(item["status"] == "errored" and item["changed"] and item["action"] in ("restart", "resume"))


def account(
    order: Order, plan: Plan, results: t.Sequence[Json], paused: Json | None = None, counts: Json | None = None, now: str = ""
) -> Account:
    """Make the account.

    Args:
        results: of the tasks that made the changes, in their order.
        paused: as for the plan.
        counts: instances of the workflow by status, by workflow_info, at the end.
        now: the time, `2026-08-06T03:24:10Z`.
    """
    tally = _Tally(results, plan.gone)
    again = tally.errored_again()
    failed = [one for one in tally.ids("failed") if one not in again]
    unknown, left = tally.ids("unknown"), tally.ids("not_attempted")
    begun = set(tally.outcomes)
    left += [one for one in plan.instance_ids or [] if one not in begun and one not in tally.gone]
    changed = [one for one in tally.ids("changed") if one not in again]
    ended = _ended_meanwhile(order, tally)
    is_red = bool(
        failed or unknown or left or again or tally.ended_early or (order.entry_point == "resume_paused" and ended.get("errored"))
    )
    lines = [_headline(order, tally, changed, failed, again, left), *_lines(order, tally, ended, paused, counts, now)]
    if is_red:
        lines[1:1] = [followable(message) for message in dict.fromkeys(tally.messages)]
    advice = _next(order, tally, left, again)
    sentences = [line if line.endswith(".") else f"{line}." for line in lines]
    return Account(is_red, [*lines, *advice], " ".join([*sentences, *advice]))


def _headline(order: Order, tally: _Tally, changed: list[str], failed: list[str], again: list[str], left: list[str]) -> str:
    done = _DONE[order.entry_point]
    parts = []
    for count, what in (
        (len(failed), "failed"),
        (len(tally.ids("unknown")), "unknown"),
        (len(left), "not attempted" + _why_left(tally, left)),
        (len(again), "errored again"),
    ):
        if count:
            parts.append(f"{count:,} {what}")
    total = len(tally.outcomes) + len([one for one in left if one not in tally.outcomes])
    waited = "" if order.options["wait"] else "; not waited for (wait=false)"
    extent = (" with rollback" if order.inputs["rollback"] else " WITHOUT rollback") if order.entry_point == "terminate" else ""
    parts.append(f"{len(changed) + len(again):,} of {total:,} instances of {_workflow(order)} {done}{extent} by this run")
    parts.append(f"{len(tally.ids('unchanged')):,} unchanged{waited}")
    return ", ".join(parts)


def _why_left(tally: _Tally, left: list[str]) -> str:
    """What kept some from being attempted, in the words of the first of them."""
    message = next((tally.items[one]["msg"] for one in left if one in tally.items), "")
    why = message.partition("not attempted: ")[2].rstrip(".")
    return f" ({clean(why, 300)})" if why else ""


def _ended_meanwhile(order: Order, tally: _Tally) -> dict[str, list[str]]:
    """Those that had ended before this run could change them, by status."""
    ended: dict[str, list[str]] = {}
    if order.entry_point in ("pause_all", "resume_paused"):
        for instance_id in tally.ids("unchanged"):
            status = tally.status(instance_id)
            if status in ("errored", "terminated", "complete"):
                ended.setdefault(status, []).append(instance_id)
    return ended


def _lines(order: Order, tally: _Tally, ended: dict[str, list[str]], paused: Json | None, counts: Json | None, now: str) -> list[str]:
    lines = []
    if ended:
        told = ", ".join(f"{len(ids):,} {status}{_named(ids) if status != 'complete' else ''}" for status, ids in ended.items())
        lines.append(f"Ended meanwhile: {told}")
    if order.entry_point == "resume_paused":
        running = [one for one in tally.ids("unchanged") if one not in {each for ids in ended.values() for each in ids}]
        if running:
            lines.append(f"Running already: {len(running):,}{_named(running)}")
    if tally.gone:
        lines.append(f"Gone (not found any more): {len(tally.gone):,}{_named(tally.gone)}")
    if order.entry_point == "pause_all":
        lines.extend(_freeze(order, paused, counts, now))
    return lines


def _freeze(order: Order, paused: Json | None, counts: Json | None, now: str) -> list[str]:
    """As of when a freeze holds, and what it does not hold."""
    lines = []
    count, named = paused_elsewhere(order, paused)
    if count:
        lines.append(
            f"{count:,} {'were' if count != 1 else 'was'} paused before this run and in no record{_named(named, count)}: by whom, nothing tells"
        )
    queued = (counts or {}).get("queued") or 0
    waits = f"; {queued:,} queued, which will run" if queued and "queued" not in order.inputs["statuses"] else ""
    how = "until then it was swept again and again" if order.inputs["hold_for"] else "hold_for=600 would keep pausing for ten minutes"
    lines.append(f"As of {clean(now, 30)}{waits}. What is triggered from now on runs: {how}")
    return lines


# -- what to do ------------------------------------------------------------------------------------------------------------


def _next(order: Order, tally: _Tally, left: list[str], again: list[str]) -> list[str]:
    """How it is undone, or gone on with: as it can be typed."""
    lines = []
    if order.entry_point == "pause_all" and (tally.ids("changed") or tally.ids("unknown") or order.ledger or tally.ids("failed")):
        lines.append(f"To undo it: {_command(order, 'resume_paused')}")
    if order.entry_point == "resume_paused" and (left or tally.ids("failed")):
        lines.append(f"For the rest: {_command(order, 'resume_paused')}")
    if order.entry_point == "restart_failed" and (left or again) and order.select and order.select.get("ended_before"):
        window = {"ended_after": order.select["ended_after"], "ended_before": order.select["ended_before"]}
        lines.append(f"For the rest, without those that have failed again: {_command(order, 'restart_failed', window)}")
    return lines


def _command(order: Order, runbook: str, more: t.Mapping[str, str] | None = None) -> str:
    """The command, or in AWX the template with the answers that it needs."""
    job = order.circumstances.job
    if more is None:
        more = {"record_job": job} if job else {"record_file": order.record_file}
    answers = {"workflow_name": order.workflow_name, **more}
    if job:
        return f"launch the template of {runbook} with " + ", ".join(f"{name}={clean(value, 200)}" for name, value in answers.items())
    return f"ansible-playbook edgeops.cloudflare.{runbook} " + " ".join(
        f"-e {name}={shlex.quote(value)}" for name, value in answers.items()
    )


def _named(ids: t.Sequence[str], count: int = 0) -> str:
    count = max(count, len(ids))
    if not ids:
        return ""
    more = f" and {count - _SHOWN:,} more" if count > _SHOWN else ""
    return f" ({', '.join(map(shown_id, ids[:_SHOWN]))}{more})"


def _workflow(order: Order) -> str:
    return shown_name(order.workflow_name)
