# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Other people's text: errors of instances and of the API, pages of proxies, ids. None of it enters a sentence but by `clean`. Pure."""

from __future__ import annotations

import re
import unicodedata

#: Characters of foreign text in a sentence, and of an id, which is longer only where somebody plays a trick.
LONGEST = 200
LONGEST_ID = 120

#: Characters of foreign text that are kept in a field of its own.
LONGEST_KEPT = 4096

#: Sequences by which a terminal is coloured, or its title set.
_ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b.?", re.DOTALL)

#: What Jinja would take for a template.
_MARKERS = re.compile(r"\{(?=[{%#])|(?<=[}%#])\}")


def clean(text: object, longest: int = LONGEST) -> str:
    """Foreign text as it may stand in a sentence: one line, nothing that a terminal or Jinja obeys, `…` where it was cut.

    Args:
        longest: characters at most, the `…` included.
    """
    shown = " ".join(_legible(str(text)[: longest * 16]).split())
    shown = _MARKERS.sub(lambda brace: brace.group() + " " if brace.group() == "{" else " " + brace.group(), shown)
    return shown if len(shown) <= longest else shown[: longest - 1].rstrip() + "…"


def kept(text: str) -> str:
    """Foreign text as it may stand in a field of its own: its line breaks and tabs are kept, 4 kB of it at most."""
    legible = _legible(text[:LONGEST_KEPT], also="\n\t")
    return legible if len(text) <= LONGEST_KEPT else legible[: LONGEST_KEPT - 1] + "…"


def shown_name(name: object, longest: int = 64) -> str:
    """A name of a workflow or a step as it may stand in a sentence; never nothing at all."""
    return clean(name, longest) or "(unprintable)"


def shown_id(instance_id: str) -> str:
    """An id as it may stand in a sentence."""
    return shown_name(instance_id, LONGEST_ID)


def _legible(text: str, also: str = "") -> str:
    """Without what can't be seen: controls, marks of direction, halves of characters. What separates lines becomes a blank."""
    return "".join(
        character if character in also or not _is_invisible(character) else " " if character.isspace() else ""
        for character in _ESCAPES.sub("", text)
    )


def _is_invisible(character: str) -> bool:
    # Other (controls, formats, surrogates, private and unassigned ones), and the separators of lines and paragraphs.
    return unicodedata.category(character)[0] == "C" or character in "\u2028\u2029"
