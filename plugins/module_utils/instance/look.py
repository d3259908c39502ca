# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Looks: what one observation of an instance tells, whatever it was read from. Pure."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.types import Json
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.steplog import (
    DETAIL,
    LISTING,
    LOG,
    Key,
    Step,
    entries,
    key_of_detail,
    key_of_listed,
    slim,
)

#: Source of a look that is a PATCH's own answer: it tells a status, but not that anything lasts.
ANSWER = "answer"


_WORD = re.compile(r"[A-Za-z0-9_-]{1,40}")


class Look(t.NamedTuple):
    """One observation of an instance.

    status: None where there is no such instance.
    at: seconds, by the task's clock.
    source: LISTING, DETAIL, LOG (a detail with its steps) or ANSWER.
    error, rollback: the API's own.
    created, ended: the API's own timestamps.
    log: its steps, where they were read.
    """

    status: str | None
    at: float
    source: str
    key: Key | None = None
    error: Json | None = None
    rollback: Json | None = None
    created: str | None = None
    ended: str | None = None
    log: tuple[Json, ...] | None = None


def look_at_detail(detail: Json, at: float, with_log: bool = False, step: Step | None = None) -> Look:
    """The Look of an instance's detail; with_log: its steps were asked for, and `step`'s entry counts in the key."""
    return Look(
        detail["status"],
        at,
        source=LOG if with_log else DETAIL,
        key=key_of_detail(detail, step, with_log),
        error=_object(detail.get("error")),
        rollback=_object(detail.get("rollback")),
        ended=text_of(detail.get("end")),
        log=tuple(map(slim, entries(detail))) if with_log else None,
    )


def look_at_listed(item: Json, at: float) -> Look:
    """The Look of an item of a listing."""
    return Look(
        item["status"],
        at,
        source=LISTING,
        key=key_of_listed(item),
        created=text_of(item.get("created_on")),
        ended=text_of(item.get("ended_on")),
    )


def look_at_nothing(at: float) -> Look:
    """The Look at an instance that isn't there."""
    return Look(None, at, source=DETAIL)


def has_status(value: object) -> bool:
    """Whether a detail or a list item is one that a Look can be made of: phantom entries and broken answers are not.

    The API may learn new words, but a word it has to be: it is repeated in every sentence.
    """
    return isinstance(value, dict) and bool(_WORD.fullmatch(text_of(value.get("status")) or ""))


def text_of(value: object) -> str | None:
    """A non-empty str as it is; None for anything else that an answer may hold in its place."""
    return value if isinstance(value, str) and value else None


def _object(value: object) -> Json | None:
    return value if isinstance(value, dict) else None
