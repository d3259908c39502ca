# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the runbooks do with their inputs, which surveys hand over as text."""

from __future__ import annotations

import difflib
import json
import re
import typing as t

_SEPARATORS = (r"[\r\n]+", r",", r"\s+")

#: How alike two names are, 0 to 1, for one to be taken for a slip of the other.
_ALIKE = 0.84


def listed(value: t.Any) -> list[t.Any]:
    """A list, whatever it came as: a list, text with commas, blanks or line breaks, text in brackets, or nothing.

    Text is split at its line breaks and commas, and at blanks only where it has neither. Ids that hold commas or blanks
    themselves are given as JSON or as a list.
    """
    if value is None:
        return []
    if not isinstance(value, str):
        return list(value) if isinstance(value, (list, tuple, set)) else [value]
    text = value.strip()
    if text.startswith("[") and text.endswith("]"):
        try:
            found = json.loads(text)
        except ValueError:
            text = text[1:-1]
        else:
            return list(found)
    parts = [text]
    for separator in _SEPARATORS[:2]:
        parts = [part for whole in parts for part in re.split(separator, whole)]
    if len(parts) == 1:
        parts = re.split(_SEPARATORS[2], text)
    return [part for part in (part.strip().strip("'\"") for part in parts) if part]


def near_misses(names: t.Iterable[str], inputs: t.Iterable[str]) -> list[str]:
    """Of the variables that are set, those that are no input but nearly the name of one: a sentence for each."""
    known = list(inputs)
    plain = {_plain(name): name for name in known}
    found = []
    for name in names:
        if name in known or name.startswith(("ansible_", "runbook_")):
            continue
        alike = difflib.get_close_matches(_plain(name), list(plain), n=1, cutoff=_ALIKE)
        if alike:
            found.append(f"{name} is no input of this runbook; did you mean {plain[alike[0]]}?")
    return found


def _plain(name: str) -> str:
    return name.replace("_", "").lower()


class FilterModule:
    """The filters by their names."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """As ansible-core asks for them."""
        return {"listed": listed, "near_misses": near_misses}
