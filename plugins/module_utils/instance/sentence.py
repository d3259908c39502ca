# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a sentence is made of: four parts, always in this order, so that none can lack its place. Pure.

At 3 a.m. somebody reads the first line of a pager. So what is true comes first, what to do comes last, after a full stop.
"""

from __future__ import annotations

import typing as t


class Sentence(t.NamedTuple):
    """What is said of one thing.

    true: what is true now; begins with the instance (or the workflow) and its status.
    sent: what was sent, and how it was answered.
    why: the reason.
    do: what to do, an imperative; works when it is typed literally.
    group: the reason in few words, for a sentence about many such.

    No part ends in a full stop. Text from outside enters a part by text.clean alone.
    """

    true: str
    sent: str = ""
    why: str = ""
    do: str = ""
    group: str = ""

    def __str__(self) -> str:
        return self.brief + (f" {self.do}." if self.do else "")

    @property
    def headline(self) -> str:
        """What is true, and why: for a warning beside the whole sentence, which it does not repeat."""
        return f"{self.true}: {self.why}." if self.why else f"{self.true}."

    @property
    def brief(self) -> str:
        """Without what to do: where that stands elsewhere, or nothing is to be done."""
        told = "; ".join(part for part in (self.sent, self.why) if part)
        return f"{self.true}: {told}." if told else f"{self.true}."
