# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an instance's own log tells: its key, the step that failed, and what a restart runs again. Pure.

The log is the `steps` list of `GET /workflows/{w}/instances/{i}`. An entry's `name` is the step's name with `-N`
behind it, N being the how-manieth step of that name it is; PATCH takes the bare name and N apart, and calls the
type `step` of the log `do`.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.timestamps import parse_timestamp
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.types import Json

_SUFFIX = re.compile(r"^(?P<name>.*)-(?P<count>[0-9]{1,9})$", re.DOTALL)

#: Types of log entries that PATCH can restart from, log → API.
_RESTARTABLE_TYPES = {"step": "do", "do": "do", "sleep": "sleep", "waitForEvent": "waitForEvent"}

#: Fields of a log entry that something is decided by.
_DECISIVE = ("name", "type", "start", "end", "success", "finished", "error")

#: Errors that the engine wraps into one of its own when it passes them from the step to the instance.
_WRAPPED_ERRORS = ("WorkflowTimeoutError", "WorkflowFatalError")

#: Where a listing and a detail cut timestamps differently, they may be equal when less than this many seconds apart.
_TIMESTAMP_SLACK = 1.0


class Step(t.NamedTuple):
    """A step as PATCH's `from` names it: bare name, 1-based count of that name, `do`, `sleep` or `waitForEvent`."""

    name: str
    count: int  # type: ignore[assignment]  # the API's word; nobody counts in a Step
    type: str

    def __str__(self) -> str:
        return f"{self.name} ({self.count})"


class Key(t.NamedTuple):
    """What tells one run of an instance from the next: server values only, compared by inequality.

    queued, start, end: the instance's own timestamps; ABSENT where the answer didn't hold them at all.
    step_start: the `start` of the log entry of the step to restart from.
    source: LOG (a detail read for its step), DETAIL, or LISTING, which has no `queued`.
    """

    queued: str | None
    start: str | None
    end: str | None
    step_start: str | None
    source: str


LOG, DETAIL, LISTING = "log", "detail", "listing"

#: In place of a timestamp: the answer tells neither that there is one nor that there is none.
ABSENT = ""


def entries(detail: Json) -> list[Json]:
    """The log of a detail; empty where it holds none."""
    steps = detail.get("steps")
    return [entry for entry in steps if isinstance(entry, dict)] if isinstance(steps, list) else []


def slim(entry: Json) -> Json:
    """A log entry without what nothing here is decided by: outputs, and all attempts but the error of the last."""
    kept = {name: entry[name] for name in _DECISIVE if name in entry}
    if entry.get("attempts"):
        kept["attempts"] = [{"error": error_of(entry)}]
    return kept


def step_of(entry: Json) -> Step | None:
    """The Step of a log entry, or None where it has no usable name or is nothing to restart from."""
    name = entry.get("name")
    matched = _SUFFIX.match(name) if isinstance(name, str) else None
    step_type = _RESTARTABLE_TYPES.get(str(entry.get("type")))
    if not matched or not step_type or not matched.group("name") or int(matched.group("count")) < 1:
        return None
    return Step(matched.group("name"), int(matched.group("count")), step_type)


def entry_of(log: t.Iterable[Json], step: Step) -> Json | None:
    """The log's entry for a Step, or None."""
    for entry in log:
        if step_of(entry) == step:
            return entry
    return None


def key_of_detail(detail: Json, step: Step | None = None, with_log: bool = False) -> Key:
    """The Key of an instance's detail; with its log, the entry of `step` counts, and so does the entry's absence from it."""
    queued, start, end = (detail.get(name, ABSENT) for name in ("queued", "start", "end"))
    if not with_log or step is None or not isinstance(detail.get("steps"), list):
        return Key(queued, start, end, step_start=None, source=DETAIL)
    entry = entry_of(entries(detail), step)
    return Key(queued, start, end, step_start=entry.get("start") if entry else None, source=LOG)


def key_of_listed(item: Json) -> Key | None:
    """The Key of an item of a listing, or None where the item tells too little (a development session's)."""
    if not item.get("started_on"):
        return None
    return Key(None, item.get("started_on"), item.get("ended_on", ABSENT), step_start=None, source=LISTING)


def is_comparable(before: Key | None, after: Key | None, restarted_at: str | None) -> bool:
    """Whether two Keys would prove a restart for certain, had there been one.

    Args:
        restarted_at: the API's own timestamp of that restart.
    """
    if before is None or after is None or not (before.queued or before.start):
        return False
    if before.source == after.source or LISTING not in (before.source, after.source):
        return True
    started, restarted = parse_timestamp(before.start), parse_timestamp(restarted_at)
    if started is None or restarted is None:
        return False
    return (restarted - started).total_seconds() > 2 * _TIMESTAMP_SLACK


def restarted_between(before: Key | None, after: Key | None) -> bool:
    """Whether two Keys prove that the instance was restarted in between.

    A value that was there and is another now proves it. A value that only came to be proves nothing: a queued instance
    starts and a running one ends by itself. Only a finished instance reaches no new step by itself.
    What isn't known proves nothing.
    """
    if before is None or after is None:
        return False
    same = _is_close if LISTING in (before.source, after.source) and before.source != after.source else _is_equal
    if before.queued and after.queued and before.queued != after.queued:
        return True
    if before.start and after.start != ABSENT and not same(before.start, after.start):
        return True
    if before.end and after.end != ABSENT and not same(before.end, after.end):
        return True
    if before.source != LOG or after.source != LOG or before.step_start == after.step_start:
        return False
    return bool(before.step_start or before.end)


def _is_equal(was: str | None, now: str | None) -> bool:
    return was == now


def _is_close(was: str | None, now: str | None) -> bool:
    earlier, later = parse_timestamp(was), parse_timestamp(now)
    if earlier is None or later is None:
        return bool(was) == bool(now)
    # Nothing says that a listing and a detail tell the same moment by the same text.
    return abs((later - earlier).total_seconds()) <= _TIMESTAMP_SLACK


def failed_step(detail: Json) -> Step | None:
    """Find the step that made an instance fail, in the instance's own log.

    Handled failures and failures of parallel siblings are in the log too: the step sought is the latest-ended of those
    whose error is the instance's own. Where none matches it is the only failed step, if nothing started after it.

    Args:
        detail: the result of `GET /workflows/{w}/instances/{i}`, steps included.

    Returns:
        None where the error was thrown outside any step or the log can't tell.
    """
    log = entries(detail)
    failed = [entry for entry in log if step_of(entry) and _has_failed(entry)]
    instance_error = detail.get("error")
    matching = [entry for entry in failed if _explains(error_of(entry), instance_error)]
    if matching:
        return step_of(max(matching, key=lambda entry: _sortable(entry.get("end"))))
    if len(failed) == 1 and not _anything_started_after(log, failed[0]):
        return step_of(failed[0])
    return None


def reruns(log: list[Json], step: Step) -> list[Step]:
    """The later steps that had succeeded and run again when the instance is restarted from `step`.

    Every entry listed after the step is run again, parallel siblings included (FACTS: measured).

    Returns:
        In the order of the log.
    """
    entry = entry_of(log, step)
    if entry is None:
        return []
    after = log[log.index(entry) + 1 :]
    return [step for step, later in ((step_of(later), later) for later in after) if step and has_succeeded(later)]


def error_of(entry: Json) -> t.Any:
    """An entry's error: its own, or that of its last attempt."""
    if entry.get("error"):
        return entry["error"]
    attempts = entry.get("attempts")
    last = attempts[-1] if isinstance(attempts, list) and attempts else None
    return last.get("error") if isinstance(last, dict) else None


def _has_failed(entry: Json) -> bool:
    # An event timeout has an error but no `success`; a step being retried has failed attempts but no verdict yet.
    if entry.get("success") is None:
        return bool(entry.get("error"))
    return entry["success"] is False


def has_succeeded(entry: Json) -> bool:
    """Whether a log entry's step has ended, and well."""
    if entry.get("success") is not None:
        return entry["success"] is True
    return bool(entry.get("finished")) and not entry.get("error")


def _explains(step_error: object, instance_error: object) -> bool:
    """Whether a step's error is the instance's own.

    The engine passes a step's error on as it is, but puts that of a timeout or of a NonRetryableError into a sentence of
    its own, under the same name or with the name in it.
    """
    if not isinstance(step_error, dict) or not isinstance(instance_error, dict):
        return False
    name, message = step_error.get("name"), instance_error.get("message")
    if (name, step_error.get("message")) == (instance_error.get("name"), message):
        return True
    return name in _WRAPPED_ERRORS and (name == instance_error.get("name") or name in str(message))


def _anything_started_after(log: list[Json], failed: Json) -> bool:
    # The next step often starts in the very millisecond in which the one before ended; the order of the log tells then.
    ended, place = _sortable(failed.get("end")), log.index(failed)
    return any(
        _sortable(entry.get("start")) > ended or (later > place and _sortable(entry.get("start")) == ended)
        for later, entry in enumerate(log)
        if entry.get("start")
    )


def _sortable(timestamp: object) -> float:
    parsed = parse_timestamp(timestamp)
    return parsed.timestamp() if parsed else 0.0


# -- what a terminate left behind -----------------------------------------------------------------------------------------


class Rollback(t.NamedTuple):
    """What rollback handlers came to, by the names of the steps: undone, and not (their handler failed, or never ran)."""

    undone: list[str]
    not_undone: list[str]


def rollback_of(log: t.Sequence[Json]) -> Rollback:
    """What was undone, by the log: entries of type `rollback` are handlers that ran, each under its step's name."""
    handlers = {entry.get("name"): entry.get("success") is True for entry in log if entry.get("type") == "rollback"}
    done = [entry.get("name") for entry in log if step_of(entry) and entry.get("type") in ("step", "do") and has_succeeded(entry)]
    names = list(dict.fromkeys([*done, *handlers]))
    return Rollback([_bare(name) for name in names if handlers.get(name)], [_bare(name) for name in names if not handlers.get(name)])


def cut_off(log: t.Sequence[Json]) -> list[Json]:
    """The entries of steps that had begun and never ended: a terminate came in between."""
    return [
        entry
        for entry in log
        if entry.get("type") in ("step", "do") and entry.get("start") and not entry.get("end") and entry.get("success") is None
    ]


def name_of(entry: Json) -> str:
    """A log entry's bare name."""
    return _bare(entry.get("name"))


def _bare(name: object) -> str:
    matched = _SUFFIX.match(name) if isinstance(name, str) else None
    return matched.group("name") if matched else str(name)
