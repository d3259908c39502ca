# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The result: one shape for one instance or a thousand, on success and on failure. Pure."""

from __future__ import annotations

import collections
import typing as t

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.text import clean, kept
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.types import Json
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet import account
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.account import Told
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.gathering import Found
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.lifecycle import FINISHED
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.record import (
    CHANGED,
    FAILED,
    NOT_ATTEMPTED,
    UNCHANGED,
    UNKNOWN,
    Record,
)

#: Seconds of waiting for the rate limit from which on the operator is told.
_WORTH_TELLING = 10

_WARNINGS_SHOWN = 5

_MESSAGES_KEPT = 20
_LONGEST_MESSAGE = 1000

_LONGEST_NAME = 200


def items(records: list[Record]) -> list[Json]:
    """The result's `instances`: each with its own sentence, and the API's own errors."""
    return [_item(record) for record in records]


def news_of(records: list[Record]) -> list[Record]:
    """Those that `details: brief` has items of: what went wrong or is warned of, and then what `skip_finished` found at its end."""
    wrong = [record for record in records if record.failed or record.warning]
    return wrong + [record for record in records if not (record.failed or record.warning) and _has_ended(record)]


def _has_ended(record: Record) -> bool:
    return record.wanted.skip_finished and (record.status in FINISHED or record.status == "rollingBack")


def _item(record: Record) -> Json:
    look = record.look
    entry: Json = {
        "id": record.id,
        "status": record.status,
        "previous_status": record.first_status,
        "action": record.action,
        "changed": record.changed,
        "failed": record.failed,
        "timestamp": record.timestamp,
        "outcome": record.outcome,
        "msg": record.msg,
    }
    if record.action == "restart" and record.step:
        entry["restarted_from"] = record.step._asdict()
        entry["reruns"] = [step._asdict() for step in record.reruns]
    if look and look.error and record.status == "errored":
        entry["error"] = _kept(look.error)
    if look and look.rollback:
        entry["rollback"] = _kept(look.rollback)
    return entry


def _kept(value: t.Any) -> t.Any:
    """An object of the API's with its texts bounded; nothing in it is deeper than an error in a rollback."""
    if isinstance(value, dict):
        return {str(name)[:_LONGEST_NAME]: _kept(part) for name, part in list(value.items())[:20]}
    if isinstance(value, str):
        return kept(value)
    return value if isinstance(value, (int, float, bool)) or value is None else kept(str(value))


def summary(records: list[Record], found: Found | None, matched: int | None, duration: float) -> Json:
    """The result's `summary`.

    Args:
        matched: how many match where that is not how many there are records of, since they are too many.
        duration: seconds.
    """
    outcomes = collections.Counter(record.outcome for record in records)
    statuses = collections.Counter(record.status for record in records if record.status)
    return {
        "matched": len(records) if matched is None else matched,
        "changed": outcomes[CHANGED],
        "unchanged": outcomes[UNCHANGED],
        "failed": outcomes[FAILED],
        "unknown": outcomes[UNKNOWN],
        "not_attempted": outcomes[NOT_ATTEMPTED],
        "finished_again": sum(record.finished_again for record in records),
        "by_status": dict(statuses),
        "passes": found.passes if found else 0,
        "converged": found.converged if found else True,
        "duration": round(duration, 3),
    }


def ids(records: list[Record]) -> dict[str, list[str]]:
    """The result's `ids`: those of each outcome, in the order of the result."""
    by_outcome: dict[str, list[str]] = {outcome: [] for outcome in (CHANGED, UNCHANGED, FAILED, UNKNOWN, NOT_ATTEMPTED)}
    for record in records:
        by_outcome[record.outcome or NOT_ATTEMPTED].append(record.id)
    return by_outcome


def diff(records: list[Record]) -> dict[str, dict[str, str | None]]:
    """The result's `diff`: the changed instances before and after, the same in check mode and in earnest.

    A restart shows as such, since running → running would show nothing; a resumed instance as `running`, whether it waits by
    the time of the last look or not. What failed shows the status it was left in.
    """
    changed = [record for record in records if record.changed]
    return {
        "before": {record.id: record.first_status for record in changed},
        "after": {record.id: _after(record) for record in changed},
    }


def diff_in_brief(records: list[Record]) -> dict[str, dict[str, int]]:
    """The result's `diff` with `details: brief`: how many of the changed instances were, and are, in which status."""
    whole = diff(records)
    return {moment: dict(collections.Counter(status or "unknown" for status in whole[moment].values())) for moment in ("before", "after")}


def facts(records: list[Record]) -> dict[str, Json]:
    """The API's own result by instance: what was observed last, and when the API accepted the change."""
    return {record.id: {"status": record.status, "timestamp": record.timestamp} for record in records if record.look}


def messages(said: list[Json]) -> list[Json]:
    """The result's `messages`: the API's own, bounded."""
    return [{"code": message["code"], "message": clean(message["message"], _LONGEST_MESSAGE)} for message in said[:_MESSAGES_KEPT]]


def warnings(told: Told, said: list[Json], found: Found | None, held_seconds: float, failed: bool) -> list[str]:
    """What the operator should read although the task may be green: on a terminal, green says nothing.

    Args:
        said: the API's own messages.
        held_seconds: for how long the rate limit held the task back.
        failed: whether the task is red, so that its message is read anyway.
    """
    warned = [record.warning for record in told.records if record.warning]
    texts = [] if failed and len(told.records) == 1 else [sentence.headline for sentence in warned]
    if len(texts) > _WARNINGS_SHOWN:
        texts[_WARNINGS_SHOWN:] = [f"and {len(texts) - _WARNINGS_SHOWN} more like these"]
    if not told.records and told.selection is not None and not failed:
        texts.append(account.nothing_matched(told).headline)
    return [*texts, *news(said, found, held_seconds)]


def news(said: list[Json], found: Found | None, held_seconds: float) -> list[str]:
    """What is worth a warning whatever the task is about: of its selection, of the rate limit, and of the API itself."""
    texts: list[str] = []
    if found is not None:
        texts.extend(found.remarks)
    if found is not None and not found.converged:
        texts.append(f"new instances kept appearing in the selection during all {found.passes} passes; more may match by now: run again")
    if held_seconds > _WORTH_TELLING:
        texts.append(f"the API's rate limit held this task back for {held_seconds:.0f} s")
    texts.extend("the API says: {0}".format(clean(message["message"])) for message in said[:_MESSAGES_KEPT])
    return texts


def _after(record: Record) -> str | None:
    if record.outcome != CHANGED:
        return record.status
    return f"restarted from {record.step}" if record.action == "restart" and record.step else record.wanted.state
