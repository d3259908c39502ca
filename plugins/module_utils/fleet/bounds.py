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

TOO_LARGE = "the result is too large for AWX to show; details=brief keeps it small enough"

#: Items that `details: brief` holds, at most.
MOST_ITEMS = 1000

#: Entries of a log that are kept where whole logs are too much.
_ENTRIES_KEPT = 20

#: Items that it keeps in any case, if there are so many.
_FEWEST_ITEMS = 100

#: Outcomes by how much their ids matter, the first ones to be cut first.
_CUT_FIRST = ("unchanged", "changed", "not_attempted", "failed", "unknown")


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
    _fit_texts(result, LARGEST)
    whole = _size(result)
    if whole <= LARGEST:
        return []
    if whole - _size(result.get("ansible_facts", "")) > LARGEST:
        return [TOO_LARGE]
    result.pop("ansible_facts", None)
    return [WITHOUT_FACTS]


def _fit_texts(result: Json, largest: int) -> None:
    """Cut texts of the items until the result has no more characters than `largest`, as far as that can be."""
    items: list[Json] = result["instances"]
    whole = _size(result)
    if whole <= largest:
        return
    texts = [(entry, field) for entry in items for field in ("error", "rollback", "msg") if field in entry]
    bare = whole - sum(_size(entry[field]) for entry, field in texts)
    room, cut = max(0, largest - bare) * _FULL_ERRORS, []
    for entry, field in texts:
        size = _size(entry[field])
        if field == "msg" or size > room:
            cut.append((entry, field))
        else:
            room -= size
    can_fit = bare - _size(result.get("ansible_facts", "")) <= largest
    for longest in _LENGTHS if can_fit else _LENGTHS[:1]:
        for entry, field in cut:
            entry[field] = _cut(entry[field], max(longest, len(entry["id"]) + _BEHIND_ID) if field == "msg" else longest)
        if _size(result) <= largest:
            return


def fit_brief(result: Json) -> list[str]:
    """As `fit`, for `details: brief`: first texts are cut, then items, and at last ids, which are counted in `ids_truncated`.

    Args:
        result: with `instances` and `ids`; changed in place.

    Returns:
        What to warn of.
    """
    told, items = [], result["instances"]
    count = len(items)
    del items[MOST_ITEMS:]
    _fit_texts(result, LARGEST)
    too_much = _size(result) - LARGEST
    while too_much > 0 and len(items) > _FEWEST_ITEMS:
        too_much -= _size(items.pop()) + 2
    if len(items) < count:
        told.append(f"instances holds {len(items):,} of {count:,} that something is to be told of; ids names all")
    if too_much > 0:
        ids = result.pop("ids")
        result["ids"], truncated = _kept_ids(ids, LARGEST - _size(result))
        result["ids_truncated"] = truncated
        told.append(f"ids leaves {sum(truncated.values()):,} out: with them the result would be too large for AWX to show")
    return told


def fit_deeds(result: Json) -> list[str]:
    """As `fit_brief`, after outputs have been left out where the result would be too large."""
    if _size(result) <= LARGEST:
        return []
    told = []
    for item in result["instances"]:
        if item.get("output") is not None:
            item.update(output=None, output_truncated=True)
            told = ["outputs were left out: with them the result would be too large for AWX to show"]
    return [*told, *fit_brief(result)]


def fit_readings(result: Json) -> list[str]:
    """Cut what was read of instances where the whole result would be too large: outputs of steps, then logs, then outputs and errors.

    Args:
        result: with `instances` as instance/telling.py makes them; changed in place.

    Returns:
        What to warn of.
    """
    items: list[Json] = result["instances"]
    cut = []
    for what, shorten in _SHORTENINGS:
        if _size(result) <= LARGEST:
            break
        for item in items:
            shorten(item)
        cut.append(what)
    if not cut:
        return []
    too_large = "; it is too large all the same: ask for fewer" if _size(result) > LARGEST else ""
    return [f"{', '.join(cut)} were left out, or cut: with them the result would be too large for AWX to show{too_large}"]


def _without_step_outputs(item: Json) -> None:
    for entry in item.get("log") or ():
        entry["output"] = None


def _with_a_short_log(item: Json) -> None:
    if item.get("log"):
        item["log"] = item["log"][-_ENTRIES_KEPT:]


def _without_output(item: Json) -> None:
    if item.get("output") is not None:
        item.update(output=None, output_truncated=True)


def _with_short_errors(item: Json) -> None:
    for holder in (item, *(item.get("log") or ())):
        for field in ("error", "failed_step_error", "rollback"):
            if holder.get(field) is not None:
                holder[field] = _cut(holder[field], _LENGTHS[0])


def _kept_ids(ids: dict[str, list[str]], room: int) -> tuple[dict[str, list[str]], dict[str, int]]:
    """The ids that fit, and how many of each outcome don't."""
    kept: dict[str, list[str]] = {}
    truncated: dict[str, int] = {}
    for outcome in reversed(_CUT_FIRST):
        kept[outcome] = []
        for instance_id in ids[outcome]:
            room -= _size(instance_id) + 2
            if room < 0:
                break
            kept[outcome].append(instance_id)
        if len(kept[outcome]) < len(ids[outcome]):
            truncated[outcome] = len(ids[outcome]) - len(kept[outcome])
    return {outcome: kept[outcome] for outcome in ids}, truncated


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


#: What is cut of what was read, in this order.
_SHORTENINGS: tuple[tuple[str, t.Callable[[Json], None]], ...] = (
    ("outputs of steps", _without_step_outputs),
    ("older entries of logs", _with_a_short_log),
    ("outputs", _without_output),
    ("long errors", _with_short_errors),
)
