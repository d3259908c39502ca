# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The record of a task, line by line: what it is about to change, and what it has changed. Pure.

A job that is cancelled keeps nothing but its output. So the lines are printed as the work goes on, each a whole record of its own;
where an id is in several, the newest line counts.
"""

from __future__ import annotations

import json
import typing as t

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.types import Json
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.lifecycle import PENDING, decide
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.record import FAILED, UNKNOWN, Record

#: What such a line begins with, and in which form the rest is written.
MARK = "edgeops_record: "
VERSION = 1

#: Ids in one line, at most: some screens and logs cut longer ones.
MOST_IDS = 1000

#: Where an id can be. What lies in `untouched` was not changed by this task.
GROUPS = ("ids", "on_their_way", "unknown", "untouched")

#: One of GROUPS, and an id that lies there.
Placed = tuple[str, str]


class Heading(t.NamedTuple):
    """What all lines of a task say alike.

    job: the number of the AWX job; None elsewhere.
    """

    account_id: str | None
    api_url: str
    workflow_name: str
    state: str
    job: str | None


class Outlet(t.Protocol):
    """Where a record goes: the screen, or a file."""

    def note(self, made_at: str, placed: list[Placed]) -> None:
        """Instances are, or may be, where the pairs say, from this moment on (`2026-08-06T03:24:10Z`)."""


class Logbook:
    """Keeps the record of a task.

    Args:
        now: tells the time, `2026-08-06T03:24:10Z`.
    """

    def __init__(self, outlets: t.Sequence[Outlet], now: t.Callable[[], str]) -> None:
        self._outlets = outlets
        self._now = now

    def begin(self) -> None:
        """Nothing is changed yet: what can't be written is found out now, and a task that changes nothing leaves a record, too."""
        self._note([])

    def before(self, records: list[Record]) -> None:
        """These may be changed from now on: until more is known, nobody knows whether they were."""
        self._note([("unknown", record.id) for record in records])

    def after(self, records: list[Record]) -> None:
        """This is what became of them."""
        self._note([(group_of(record), record.id) for record in records])

    def _note(self, placed: list[Placed]) -> None:
        made_at = self._now()
        for outlet in self._outlets:
            outlet.note(made_at, placed)


class Printer:
    """Prints the record, line by line.

    Args:
        show: prints a line.
    """

    def __init__(self, heading: Heading, show: t.Callable[[str], None]) -> None:
        self._heading = heading
        self._show = show

    def note(self, made_at: str, placed: list[Placed]) -> None:
        for begin in range(0, len(placed), MOST_IDS):
            self._show(line(self._heading, made_at, placed[begin : begin + MOST_IDS]))


def line(heading: Heading, made_at: str, placed: t.Iterable[Placed]) -> str:
    """One line, a whole record in JSON. `placed`: pairs of one of GROUPS and an id."""
    groups: dict[str, list[str]] = {group: [] for group in GROUPS}
    for group, instance_id in placed:
        groups[group].append(instance_id)
    entry: Json = {"workflow_name": heading.workflow_name, "state": heading.state, "made_at": made_at, "job": heading.job, **groups}
    return MARK + json.dumps(
        {"version": VERSION, "account_id": heading.account_id, "api_url": heading.api_url, "records": [entry]}, separators=(",", ":")
    )


def group_of(record: Record) -> str:
    """Where an instance that has its outcome lies, one of GROUPS."""
    if not record.changed:
        return "untouched"
    if record.outcome == UNKNOWN or not record.effect:
        return "unknown"
    status, state = record.status or "", record.wanted.state
    is_held_up = record.outcome == FAILED and state in ("paused", "terminated") and status != state
    return "on_their_way" if is_held_up or decide(status, state).kind == PENDING else "ids"
