# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run of a runbook has done, in words: bad news first, every instance accounted for, and last how it is undone or gone on with. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.text import clean, shown_name
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.types import Json
from ansible_collections.edgeops.cloudflare.plugins.plugin_utils.runbook import commands
from ansible_collections.edgeops.cloudflare.plugins.plugin_utils.runbook.advice import followable
from ansible_collections.edgeops.cloudflare.plugins.plugin_utils.runbook.orders import Order
from ansible_collections.edgeops.cloudflare.plugins.plugin_utils.runbook.plans import Plan, ended_early, paused_elsewhere
from ansible_collections.edgeops.cloudflare.plugins.plugin_utils.runbook.words import is_gone, named

#: Messages of tasks that an account repeats.
_MOST_MESSAGES = 5

_DONE = {"pause_all": "paused", "resume_paused": "resumed", "restart_failed": "restarted", "terminate": "terminated"}
_OUTCOMES = ("changed", "unchanged", "failed", "unknown", "not_attempted")
_BAD = _OUTCOMES[2:]

_NOTHING_KNOWN = "The task of the change did not run, or did not end. Look at the instances and the record first, then run again."


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
        self.ended_early = self.broke_off = not results  # broke off: nobody knows what of it was sent
        self.is_cut = False  # ids of some tasks are missing, since there were too many
        self.messages: list[str] = [] if results else [_NOTHING_KNOWN]
        for result in results:
            self._take(result)
        self.gone = list(dict.fromkeys([*gone, *(one for one in self.ids("failed") if one in self.items and is_gone(self.items[one]))]))
        for instance_id in self.gone:
            self.outcomes.pop(instance_id, None)

    def _take(self, result: Json) -> None:
        ids, items = result.get("ids", {}), result.get("instances", [])
        for outcome in _OUTCOMES:
            for instance_id in ids.get(outcome, []):
                # What this run has changed stays changed: a sweep after it finds it as it should be.
                has_changed = outcome == "unchanged" and self.has_changed(instance_id)
                self.outcomes[instance_id] = "changed" if has_changed else outcome
        self.items.update((item["id"], item) for item in items)
        self.is_cut = self.is_cut or bool(result.get("ids_truncated"))
        is_early = ended_early(result)
        self.broke_off = self.broke_off or "summary" not in result
        self.ended_early = self.ended_early or is_early
        if is_early or any(ids.get(outcome) for outcome in _BAD) or any(map(_has_errored_again, items)):
            self.messages.append(str(result.get("msg") or _NOTHING_KNOWN))

    def has_changed(self, instance_id: str) -> bool:
        """By what the tasks so far have told, it was changed; it may have taken longer than they waited."""
        item = self.items.get(instance_id)
        return self.outcomes.get(instance_id) == "changed" or bool(item and item["changed"])

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
        counts: instances of the workflow by status, by workflow_info, at the end; None where they could not be read.
        now: the time, `2026-08-06T03:24:10Z`.
    """
    tally = _Tally(results, plan.gone)
    again = tally.errored_again()
    failed = [one for one in tally.ids("failed") if one not in again]
    unknown, left = tally.ids("unknown"), tally.ids("not_attempted")
    known = {*tally.outcomes, *tally.gone}
    untold = [one for one in plan.instance_ids or [] if one not in known]
    if tally.broke_off:
        unknown += untold
    elif not tally.is_cut:
        left += untold
    ended = _ended_meanwhile(order, tally)
    errored = ended.get("errored", []) if order.entry_point == "resume_paused" else []
    is_red = bool(failed or unknown or left or again or tally.ended_early or errored)
    lines = [_headline(order, tally, _Bad(failed, unknown, left, again))]
    if is_red:
        lines.extend(_messages(tally))
    lines.extend(_lines(order, tally, ended, paused, counts, now))
    advice = _next(order, tally, left, [*again, *errored])
    sentences = [line if line.endswith(".") else f"{line}." for line in lines]
    return Account(is_red, [*lines, *advice], " ".join([*sentences, *advice]))


def _messages(tally: _Tally) -> list[str]:
    messages = list(dict.fromkeys(tally.messages))
    more = len(messages) - _MOST_MESSAGES
    return [*map(followable, messages[:_MOST_MESSAGES]), *([f"… and {more:,} more messages of its tasks"] if more > 0 else [])]


class _Bad(t.NamedTuple):
    """The ids of those that are not as they should be."""

    failed: list[str]
    unknown: list[str]
    left: list[str]
    again: list[str]


def _headline(order: Order, tally: _Tally, bad: _Bad) -> str:
    done = _DONE[order.entry_point]
    parts = []
    for ids, what in (
        (bad.failed, "failed"),
        (bad.unknown, "unknown"),
        (bad.left, "not attempted" + _why_left(tally, bad.left)),
        (bad.again, "errored again"),
    ):
        if ids:
            parts.append(f"{len(ids):,} {what}")
    changed = len({*tally.ids("changed"), *bad.again})
    total = len({*tally.outcomes, *bad.unknown, *bad.left})
    waited = "" if order.options["wait"] else "; not waited for (wait=false)"
    extent = (" with rollback" if order.inputs["rollback"] else " WITHOUT rollback") if order.entry_point == "terminate" else ""
    least = "at least " if tally.is_cut or tally.broke_off else ""
    parts.append(f"{least}{changed:,} of {least}{total:,} instances of {shown_name(order.workflow_name)} {done}{extent} by this run")
    parts.append(f"{len(tally.ids('unchanged')):,} unchanged{waited}")
    told = ", ".join(parts)
    if tally.broke_off:
        broke_off = f"The change of {shown_name(order.workflow_name)} broke off, and its record alone tells what was done"
        return f"{broke_off}. {told}" if total else broke_off
    return told


def _why_left(tally: _Tally, left: list[str]) -> str:
    """What kept some from being attempted, in the words of the first of them."""
    message = next((tally.items[one]["msg"] for one in left if one in tally.items), "")
    why = message.partition("not attempted: ")[2].rstrip(".")
    return f" ({clean(why, 300)})" if why else ""


def _ended_meanwhile(order: Order, tally: _Tally) -> dict[str, list[str]]:
    """Those that had ended, or are about to, before this run could change them, by status."""
    ended: dict[str, list[str]] = {}
    if order.entry_point in ("pause_all", "resume_paused"):
        for status in ("errored", "rollingBack", "terminated", "complete"):
            ids = [instance_id for instance_id in tally.ids("unchanged") if tally.status(instance_id) == status]
            if ids:
                ended[status] = ids
    return ended


def _lines(order: Order, tally: _Tally, ended: dict[str, list[str]], paused: Json | None, counts: Json | None, now: str) -> list[str]:
    lines = []
    if ended:
        told = ", ".join(f"{len(ids):,} {status}{named(ids) if status != 'complete' else ''}" for status, ids in ended.items())
        lines.append(f"Ended meanwhile: {told}")
    if order.entry_point == "resume_paused":
        over = {one for ids in ended.values() for one in ids}
        running = [one for one in tally.ids("unchanged") if one not in over]
        if running:
            lines.append(f"Running already: {len(running):,}{named(running)}")
    if tally.gone:
        lines.append(f"Gone (not found any more): {len(tally.gone):,}{named(tally.gone)}")
    if order.entry_point == "pause_all":
        lines.extend(_freeze(order, paused, counts, now))
    return lines


def _freeze(order: Order, paused: Json | None, counts: Json | None, now: str) -> list[str]:
    """As of when a freeze holds, and what it does not hold."""
    lines = []
    count, ids = paused_elsewhere(order, paused)
    if count:
        were = "were" if count != 1 else "was"
        lines.append(f"{count:,} {were} paused before this run and in no record{named(ids, count)}: by whom, nothing tells")
    waits = ""
    if "queued" not in order.inputs["statuses"]:
        queued = (counts or {}).get("queued") or 0
        waits = (
            "; how many are queued, and will run, is not known" if counts is None else f"; {queued:,} queued, which will run" * bool(queued)
        )
    how = "until then it was swept again and again" if order.inputs["hold_for"] else "hold_for=600 would keep pausing for ten minutes"
    lines.append(f"As of {clean(now, 30)}{waits}. What is triggered from now on runs: {how}")
    return lines


# -- what to do ------------------------------------------------------------------------------------------------------------


def _next(order: Order, tally: _Tally, left: list[str], errored: list[str]) -> list[str]:
    """How it is undone, or gone on with: as it can be typed."""
    lines = []
    runbook, failed = order.entry_point, [one for one in tally.ids("failed") if one not in errored]
    if runbook == "resume_paused" and (left or failed):
        lines.append(_for_the_rest(order, commands.by_record(order) if order.ledger else commands.by_ids([*failed, *left])))
    if runbook == "resume_paused" and errored:
        which = commands.by_ids(errored) or (commands.by_record(order) if order.ledger else None)
        if which:
            lines.append(f"To restart what has errored, once its cause is mended: {commands.command(order, 'restart_failed', which)}")
    if runbook == "restart_failed" and left and not tally.broke_off:
        which = commands.by_ids(left) or commands.by_window(order)
        rest = "give as instance_ids what the task's result has as ids.not_attempted"
        if which:
            rest = commands.command(order, runbook, {**which, **commands.as_before(order)})
        lines.append(f"For the rest, without those that have failed again: {rest}")
    if runbook == "terminate" and left:
        lines.append(_for_the_rest(order, None))
    if runbook == "pause_all" and (left or failed):
        lines.append(f"{_for_the_rest(order, None)}, and with {commands.same_record(order)}, so that one record holds all")
    if runbook == "pause_all" and (tally.ids("changed") or tally.ids("unknown") or failed or tally.broke_off or order.ledger):
        lines.append(f"To undo it: {commands.command(order, 'resume_paused', commands.by_record(order))}")
    return lines


def _for_the_rest(order: Order, answers: dict[str, t.Any] | None) -> str:
    if answers is None:
        return f"For the rest: run {order.entry_point} again with the same inputs"
    return f"For the rest: {commands.command(order, order.entry_point, answers)}"
