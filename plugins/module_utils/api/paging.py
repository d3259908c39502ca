# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a listing goes on, and how much it announces, by the `result_info` of one of its pages. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import ListingBroken
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.text import clean
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.types import Json


def count_of(value: object) -> int | None:
    """A number of things, as an answer has it; None where it has none."""
    if isinstance(value, str) and value.isdecimal() and len(value) < 16:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def cursor_of(result_info: Json) -> str | None:
    """Where the listing goes on; None where it ends. Documented is `cursor`; other lists of this API have it elsewhere."""
    cursors = result_info.get("cursors")
    nested = cursors.get("after") if isinstance(cursors, dict) else cursors
    for value in (result_info.get("cursor"), nested, result_info.get("next_cursor"), result_info.get("cursor_after")):
        if value:
            return str(value)
    return None


def check_ways_on(result_info: Json) -> None:
    """What says in any other way that the listing goes on must not be taken for its end. Raises ListingBroken."""
    for name, value in _flat(result_info):
        if value and "cursor" in name.lower() and not any(word in name.lower() for word in ("prev", "before")):
            raise ListingBroken(
                f"the API's listing goes on in a way that is not known here (result_info.{clean(name, 40)})",
                "Name the instances by instance_ids, and report it",
            )


def _flat(result_info: Json) -> t.Iterator[tuple[str, t.Any]]:
    """The fields of `result_info`, those of its objects as `outer.inner`."""
    for name, value in result_info.items():
        if isinstance(value, dict):
            yield from ((f"{name}.{inner}", part) for inner, part in value.items())
        else:
            yield name, value
