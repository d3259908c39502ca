# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How many failures of a workflow were reported of late: what tells a single failure from a storm. Pure."""

from __future__ import annotations

#: Seconds.
WINDOW = 300.0


class Storm:
    """Counts distinct failures by workflow.

    What counts is when they are reported and not when they happened: a source that was blind for an hour and then finds a hundred
    must not let a hundred rules restart them one by one.
    """

    def __init__(self) -> None:
        self._noted: dict[str, dict[tuple[str, str | None], float]] = {}

    def note(self, workflow_name: str, instance_id: str, ended_on: str | None, now: float) -> None:
        """A failure is about to be reported; all of one round are noted before the first of them is. now: seconds, by any clock."""
        self._noted.setdefault(workflow_name, {})[(instance_id, ended_on)] = now

    def count(self, workflow_name: str, now: float) -> int:
        """Failures of the last five minutes."""
        recent = {key: at for key, at in self._noted.get(workflow_name, {}).items() if now - at < WINDOW}
        self._noted[workflow_name] = recent
        return len(recent)
