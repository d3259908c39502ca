# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How large a result may be: AWX shows an event's result as `{}` where it has more than some 700,000 characters. Pure."""

from __future__ import annotations

import json
import typing as t

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.text import clean
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.types import Json

#: Characters of the result as JSON: warnings and the arguments come on top, where they are shown.
LARGEST = 640_000

#: The part of the room for texts that full errors may take, where there is not enough for all of them.
_FULL_ERRORS = 0.3

#: Characters that the other texts are cut to: the most that make it fit.
_LENGTHS = (200, 120, 60, 24)


def fit(items: list[Json], rest: Json) -> None:
    """Cut the texts of the items where the whole result would be too large; nothing is cut where it isn't.

    Sentences are cut alike. Of the errors the first keep their full text, as long as there is room, and the others a line.

    Args:
        items: the result's `instances`; changed in place.
        rest: all else of the result.
    """
    texts = [(entry, field) for entry in items for field in ("error", "rollback", "msg") if field in entry]
    bare = _size(items) + _size(rest) - sum(_size(entry[field]) for entry, field in texts)
    if _size(items) + _size(rest) <= LARGEST:
        return
    room, cut = max(0, LARGEST - bare) * _FULL_ERRORS, []
    for entry, field in texts:
        size = _size(entry[field])
        if field == "msg" or size > room:
            cut.append((entry, field))
        else:
            room -= size
    for longest in _LENGTHS:
        for entry, field in cut:
            entry[field] = _cut(entry[field], longest)
        if _size(items) + _size(rest) <= LARGEST:
            return


def _cut(value: t.Any, longest: int) -> t.Any:
    if isinstance(value, dict):
        return {name: _cut(part, longest) for name, part in value.items()}
    return clean(value, longest) if isinstance(value, str) else value


def _size(value: t.Any) -> int:
    return len(json.dumps(value))
