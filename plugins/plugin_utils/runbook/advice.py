# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the module advises, in a runbook's terms: its options are not the runbook's inputs. Pure."""

from __future__ import annotations

import re

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.text import clean

#: What no runbook can follow, or what it is called there.
_INSTEAD = (
    (re.compile(r"; from_step can name one of its steps: .*?(?=\.(?: |$))"), ""),
    (re.compile(r", then run again with when_status: \[\w+\]"), ", then run again"),
    (re.compile(r"\bNarrow select\b"), "Narrow what is selected"),
    (re.compile(r"\bselect\.(?=[a-z]+_)"), ""),
)

#: Characters of a task's message that are repeated.
_LONGEST = 2000


def followable(message: object) -> str:
    """A module's message with the advice that can be followed from where it is read."""
    text = str(message)
    for pattern, instead in _INSTEAD:
        text = pattern.sub(instead, text)
    return clean(text, _LONGEST)
