# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What holds for every sentence that an operator reads, whatever text of others it is made of."""

from __future__ import annotations

import unicodedata

#: Characters: a sentence about thousands of instances is no longer than this.
LONGEST = 4000


def assert_is_a_sentence(text):
    """One line, bounded, without what a terminal or Jinja would obey, and ended."""
    assert len(text) <= LONGEST, len(text)
    assert len(text.splitlines()) == 1, text
    assert text == text.strip() and text.endswith("."), text
    seen = {unicodedata.category(character) for character in text}
    assert not {category for category in seen if category[0] == "C" or category in ("Zl", "Zp")}, ascii(text)
    assert not any(marker in text for marker in ("{{", "}}", "{%", "%}", "{#", "#}")), text
    assert "None" not in text.replace("None of ", "") and "  " not in text, text
