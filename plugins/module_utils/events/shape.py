# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one shape of all events, and what makes two of them the same. Pure.

Texts of others are made harmless before they leave: a rulebook puts them into variables of playbooks, where a template would be run.
"""

from __future__ import annotations

import typing as t
import uuid

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.text import clean
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.timestamps import parse_timestamp
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.types import Json
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.names import LONGEST_INSTANCE_ID

ERRORED = "errored"

#: Statuses that have an end.
FINISHED = (ERRORED, "terminated", "complete")

#: Of all uuids made here; never to be changed, since an event's uuid is the same for ever.
_NAMESPACE = uuid.UUID("6f1d2d64-5f0e-5f37-9c3a-0a6f0c6b8f11")

#: Characters of an error's text.
_LONGEST_ERROR = 1000

_TEMPLATE_MARKERS = ("{{", "}}", "{%", "%}", "{#", "#}")


class Sighting(t.NamedTuple):
    """An instance that was seen in a status.

    ended_on: normalised; None where it has not ended, or nobody says when.
    moment: when it came to that status, where anything tells: `ended_on`, or when it was last modified.
    error: {name, message}; failed_step: {name, count, type}; both None where not read or not known.
    occasion: what one failure is told apart by from the next, where that is not `ended_on`: the time of a message.
    """

    workflow_name: str
    id: str
    status: str
    ended_on: str | None = None
    moment: str | None = None
    version_id: str | None = None
    error: Json | None = None
    failed_step: Json | None = None
    occasion: str | None = None

    @property
    def failed_on(self) -> str | None:
        """What tells this failure from another of the same instance."""
        return self.occasion or self.ended_on

    @property
    def key(self) -> tuple[str, str]:
        """What it is a sighting of."""
        return self.workflow_name, self.id


def event_of(account: str, sighting: Sighting, previous_status: str | None, failures: int | None, recent_failures: int) -> Json:
    """The event of a sighting.

    Args:
        account: its id; empty in a development session.
        failures: see Memory; None where nothing is kept.
    """
    return {
        "type": f"instance.{sighting.status}",
        "workflow": {"name": sighting.workflow_name, "recent_failures": recent_failures},
        "instance": {
            "id": sighting.id,
            "workflow_name": sighting.workflow_name,
            "status": sighting.status,
            "previous_status": previous_status,
            "error": sighting.error,
            "failed_step": sighting.failed_step,
            "ended_on": sighting.ended_on,
            "version_id": sighting.version_id,
            "failures": failures,
        },
        "meta": {"uuid": uuid_of(account, sighting)},
    }


def uuid_of(account: str, sighting: Sighting) -> str:
    """The same for the same (account, workflow, id, status, ended_on), wherever and whenever it is made."""
    told = (account, sighting.workflow_name, sighting.id, sighting.status, sighting.ended_on or "")
    return str(uuid.uuid5(_NAMESPACE, "\n".join(told)))


def normal_time(text: object) -> str | None:
    """A timestamp in one spelling, in UTC and to the millisecond, so that texts are in the order of time; None for what is none.

    Listing, detail and message may spell the same moment differently, and it must make the same uuid.
    """
    moment = parse_timestamp(text)
    if moment is None:
        return None
    return moment.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def can_be_handed_on(text: object, longest: int = LONGEST_INSTANCE_ID) -> bool:
    """Whether a name can stand in a variable as it is: printable, and nothing that a template engine would take for its own."""
    return isinstance(text, str) and 0 < len(text) <= longest and text.isprintable() and not any(mark in text for mark in _TEMPLATE_MARKERS)


def error_shown(error: object) -> Json | None:
    """An instance's error as an event holds it; None where there is none."""
    if not isinstance(error, dict):
        return None
    return {name: clean(error.get(name) or "", _LONGEST_ERROR) for name in ("name", "message")}
