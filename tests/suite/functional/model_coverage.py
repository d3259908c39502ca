# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs of the model's machine have covered."""

from __future__ import annotations

import collections

from model import STATES, UNKNOWN_STATUS
from model_instance import STATUSES


class Coverage:
    """Counts of what was run."""

    def __init__(self):
        self.pairs = collections.Counter()  # (status, state, "check" or "real") → decisions about one instance
        self.outcomes = collections.Counter()
        self.rules = collections.Counter()
        self.meddling = collections.Counter()  # (status, action, what somebody else did)
        self.totals = collections.Counter()

    @property
    def pairs_seen(self):
        """int: pairs of a status (unknown and missing ones are statuses, too) and a state, of 44."""
        return len({(status, state) for status, state, _mode in self.pairs})

    def table(self):
        """Decisions by status and state, as text: in check mode + in earnest."""
        rows = [["status", *STATES]]
        for status in (*STATUSES, UNKNOWN_STATUS, None):
            cells = ["%d + %d" % tuple(self.pairs[status, state, mode] for mode in ("check", "real")) for state in STATES]
            name = {None: "(no such instance)", UNKNOWN_STATUS: "(an unknown word)"}.get(status, status)
            rows.append([name, *cells])
        widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
        lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |" for row in rows]
        lines.insert(1, "| " + " | ".join("-" * width for width in widths) + " |")
        return "\n".join(lines)

    def report(self):
        """All of it, as text."""

        def counts(counter):
            return ", ".join("%s %d" % (key if isinstance(key, str) else " / ".join(key), count) for key, count in sorted(counter.items()))

        return "\n\n".join(
            [
                self.table(),
                "Rules: " + counts(self.rules),
                "In all: " + counts(self.totals),
                "Outcomes in earnest: " + counts(self.outcomes),
                "Races (status looked at / action sent / what came in between): " + counts(self.meddling),
            ]
        )
