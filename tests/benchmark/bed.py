# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What everything is measured on: the engine, its gateway with the latency of a real link, and fleets that sleep."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

# A workflow for each size of fleet, so that a listing shows one fleet alone.
WORKFLOWS = {1: "lab", 100: "fleet", 1000: "bench"}

A_DAY_MS = 24 * 60 * 60 * 1000
ASLEEP = {"steps": [{"sleep": "nap", "ms": A_DAY_MS}]}

# The gateway asks the engine again about instances that changed so shortly ago; a listing right after would be slow.
SETTLING = 0.15

AT_ONCE = 8
PATIENCE = 300


class Fleet:
    """So many instances of one workflow, all asleep when they are made."""

    def __init__(self, engine, size):
        self._engine = engine
        self.size = size
        self.workflow = WORKFLOWS[size]
        body = {
            "workflow": self.workflow,
            "prefix": "order-",
            "count": size,
            "params": ASLEEP,
            "status": "waiting",
            "timeout_ms": PATIENCE * 1000,
        }
        self.ids = engine.control("POST", "/instances", body, timeout=PATIENCE)["ids"]

    def bring(self, status):
        """Bring all instances to `waiting` or `paused`, straight on the engine."""
        self._operate("resume" if status == "waiting" else "pause")
        self.await_status(status)
        time.sleep(SETTLING)
        self.await_status(status)

    def _operate(self, operation):
        shares = [self.ids[number::AT_ONCE] for number in range(AT_ONCE)]

        def operate(ids):
            operations = [{"op": operation, "workflow": self.workflow, "instance": instance} for instance in ids]
            self._engine.control("POST", "/op", operations, timeout=PATIENCE)

        with ThreadPoolExecutor(AT_ONCE) as workers:
            list(workers.map(operate, shares))

    def await_status(self, status):
        """Wait until the engine shows all instances with this status; raises EngineError if they don't get there."""
        self._engine.control("POST", "/await", {"workflow": self.workflow, "instances": self.ids, "status": status}, timeout=PATIENCE)

    def forget_calls(self):
        """Set the gateway's counters to zero."""
        self._engine.control("POST", "/calls/reset", {})

    def calls(self):
        """What the gateway counted, of any workflow: dict of kind: number, without zeros."""
        counted = self._engine.control("GET", "/calls")["by_kind"]
        return {kind: number for kind, number in counted.items() if number}
