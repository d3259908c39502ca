# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What has become of the instances of a record. Pure."""

from __future__ import annotations

import collections
import typing as t

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.text import clean
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.ledger import KEPT, Entry, Ledger

#: The groups of a record in words, before what was done.
_IN_WORDS = dict(zip(KEPT, ("", "on their way to be ", "not known to be ")))

#: The states of records in words.
_PARTICIPLES = {"paused": "paused", "running": "resumed", "restarted": "restarted", "terminated": "terminated"}


class Fate(t.NamedTuple):
    """What has become of a group of a record.

    title: what the record says of them: `paused`, `on their way to be paused`, `not known to be paused`.
    made_at, job: of the record.
    by_status: how many are in which status by now; gone: how many there are none of any more; unread: how many were not looked at.
    errored: the ids of those that are errored.
    """

    title: str
    made_at: str
    job: str | None
    total: int
    by_status: dict[str, int]
    gone: int
    unread: int
    errored: list[str]


def fates(ledger: Ledger, workflow_name: str, statuses: t.Mapping[str, str], missing: t.Collection[str]) -> list[Fate]:
    """What has become of the instances of a workflow that a record holds.

    Args:
        statuses: id → status, of all that were looked at.
        missing: the ids that there are none of any more.
    """
    gone = set(missing)
    return [
        _fate(entry, group, entry.group(group), statuses, gone)
        for entry in ledger.of_workflow(workflow_name)
        for group in KEPT
        if entry.group(group)
    ]


def recorded(ledger: Ledger, workflow_name: str) -> list[str]:
    """The ids that a record holds of a workflow, each once."""
    return list(dict.fromkeys(instance_id for entry in ledger.of_workflow(workflow_name) for instance_id in entry.placed))


def _fate(entry: Entry, group: str, ids: list[str], statuses: t.Mapping[str, str], gone: set[str]) -> Fate:
    found = collections.Counter(clean(statuses[one], 40) for one in ids if one in statuses)
    gone_here = sum(one in gone and one not in statuses for one in ids)
    return Fate(
        title=_IN_WORDS[group] + _PARTICIPLES.get(entry.state, clean(entry.state, 20)),
        made_at=clean(entry.made_at, 30),
        job=None if entry.job is None else clean(entry.job, 20),
        total=len(ids),
        by_status=dict(found.most_common()),
        gone=gone_here,
        unread=len(ids) - sum(found.values()) - gone_here,
        errored=[one for one in ids if statuses.get(one) == "errored"],
    )
