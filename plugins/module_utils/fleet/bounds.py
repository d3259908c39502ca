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

#: Characters that the other texts are cut to, as JSON has them: the most that make it fit.
_LENGTHS = (200, 120, 60, 24)

#: What a sentence keeps behind the id that it begins with.
_BEHIND_ID = 20

WITHOUT_FACTS = (
    "the facts were left out: with them the result would be too large for AWX to show; register the result and use its instances"
)


def fit(result: Json) -> list[str]:
    """Cut the texts of the items where the whole result would be too large; nothing is cut where it isn't.

    Sentences are cut alike. Of the errors the first keep their full text, as long as there is room, and the others a line.
    Where that isn't enough, the facts are left out, since they repeat the items. A result that can't
    fit even so keeps them, and 200 characters of each text.

    Args:
        result: with `instances`; changed in place.

    Returns:
        What to warn of.
    """
    items: list[Json] = result["instances"]
    whole = _size(result)
    if whole <= LARGEST:
        return []
    texts = [(entry, field) for entry in items for field in ("error", "rollback", "msg") if field in entry]
    bare = whole - sum(_size(entry[field]) for entry, field in texts)
    room, cut = max(0, LARGEST - bare) * _FULL_ERRORS, []
    for entry, field in texts:
        size = _size(entry[field])
        if field == "msg" or size > room:
            cut.append((entry, field))
        else:
            room -= size
    facts = _size(result.get("ansible_facts", {}))
    can_fit = bare - facts <= LARGEST
    for longest in _LENGTHS if can_fit else _LENGTHS[:1]:
        for entry, field in cut:
            entry[field] = _cut(entry[field], max(longest, len(entry["id"]) + _BEHIND_ID) if field == "msg" else longest)
        whole = _size(result)
        if whole <= LARGEST:
            return []
    if whole - facts > LARGEST or "ansible_facts" not in result:
        return []
    del result["ansible_facts"]
    return [WITHOUT_FACTS]


def _cut(value: t.Any, longest: int) -> t.Any:
    if isinstance(value, dict):
        return {name: _cut(part, longest) for name, part in value.items()}
    if not isinstance(value, str):
        return value
    # JSON writes some characters with up to twelve.
    shown = clean(value, longest)
    while _size(shown) > longest + 2:
        shown = clean(value, max(1, len(shown) * longest // _size(shown)))
    return shown


def _size(value: t.Any) -> int:
    return len(json.dumps(value))
