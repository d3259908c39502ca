# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Words that plans and accounts share. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.text import shown_id
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.types import Json

_SHOWN = 3

#: How the module's sentence about an instance goes on after its id where there is none of this id, or none any more.
_ABSENT = (" was not found ", " is gone")


def named(ids: t.Sequence[str], count: int = 0) -> str:
    """The first few ids in brackets, with a blank before; count: how many there are, where that is more than can be named."""
    if not ids:
        return ""
    more = max(count, len(ids)) - len(ids[:_SHOWN])
    return f" ({', '.join(map(shown_id, ids[:_SHOWN]))}{f' and {more:,} more' if more else ''})"


def instances(count: int) -> str:
    """So many instances."""
    return f"{count:,} instance{'' if count == 1 else 's'}"


def are(count: int) -> str:
    return "is" if count == 1 else "are"


def is_gone(item: Json) -> bool:
    """There is no such instance, or none any more. One that could not be looked at has no status either, and may be anything."""
    name = shown_id(item["id"])
    return item["status"] is None and item["outcome"] == "failed" and item["msg"].startswith(tuple(name + words for words in _ABSENT))


def is_unseen(item: Json) -> bool:
    """It could not be looked at."""
    return item["status"] is None and item["outcome"] == "failed" and not is_gone(item)
