# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Looks: what one observation of an instance tells, whatever it was read from. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.steplog import (
    DETAIL,
    LISTING,
    LOG,
    Key,
    key_of_detail,
    key_of_listed,
)

#: Source of a look that is a PATCH's own answer: it tells a status, but not that anything lasts.
ANSWER = "answer"


class Look(t.NamedTuple):
    """One observation of an instance.

    status: str, or None where there is no such instance.
    at: float seconds, by the task's clock.
    source: LISTING, DETAIL, LOG (a detail with its steps) or ANSWER.
    key: steplog.Key or None.
    error, rollback: dict or None, the API's own.
    created: str or None, when the instance was created.
    """

    status: str | None
    at: float
    source: str
    key: Key | None = None
    error: dict | None = None
    rollback: dict | None = None
    created: str | None = None


def look_at_detail(detail, at, with_log=False, step=None):
    """The Look of an instance's detail (dict); with_log: its steps were asked for, and `step`'s entry counts in the key."""
    return Look(
        detail["status"],
        at,
        source=LOG if with_log else DETAIL,
        key=key_of_detail(detail, step, with_log),
        error=_object(detail.get("error")),
        rollback=_object(detail.get("rollback")),
    )


def look_at_listed(item, at):
    """The Look of an item of a listing (dict)."""
    return Look(item["status"], at, source=LISTING, key=key_of_listed(item), created=text_of(item.get("created_on")))


def look_at_nothing(at):
    """The Look at an instance that isn't there."""
    return Look(None, at, source=DETAIL)


def has_status(value):
    """Whether a detail or a list item is one that a Look can be made of: phantom entries and broken answers are not."""
    return isinstance(value, dict) and text_of(value.get("status")) is not None


def text_of(value):
    """A non-empty str as it is; None for anything else that an answer may hold in its place."""
    return value if isinstance(value, str) and value else None


def _object(value):
    return value if isinstance(value, dict) else None
