# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a running task calls the API with: one clock, one rate gate and one client for all its workers."""

from __future__ import annotations

import typing as t

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.client import BATCH, CHANGES, LIST, PATCH, READ, Client
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.clock import Clock
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.connection import Connection
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import ControllerGone
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.ratelimit import RateGate
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.controller import Controller
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.host import Host
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.options import Pacing
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.progress import Snapshot


class Session:
    """The calls of one task; made when the task begins."""

    def __init__(self, host: Host, connection: Connection, pacing: Pacing) -> None:
        self.clock = Clock()
        self._began = self.clock.monotonic()
        self.controller = Controller(self.clock, host.listener)
        self.controller.watch_signals()
        self.gate = RateGate(
            self.clock,
            requests_per_second=pacing.requests_per_second,
            reserve=pacing.rate_limit_reserve,
            block_limit=pacing.rate_limit_timeout,
            check=self.ensure_heard,
        )
        self.client = Client(
            connection,
            self.gate,
            self.clock,
            core_version=host.core_version,
            concurrency=pacing.concurrency,
            check=self.ensure_heard,
        )

    def calls(self) -> int:
        """Calls made so far."""
        counts = self.client.counts
        return sum(counts[kind] for kind in (READ, LIST, *CHANGES))

    def glance(self) -> tuple[float, bool]:
        """The moment, in seconds by the session's clock, and whether the rate limit blocks."""
        return self.clock.monotonic(), self.gate.blocked_seconds() > 0

    def snapshot(
        self,
        total: int | None,
        changed: tuple[str, ...],
        unchanged: int,
        failed: int,
        on_their_way: int = 0,
        batch: tuple[int, int] = (0, 0),
    ) -> Snapshot:
        """Where the task is at this moment; the arguments are those of a Snapshot."""
        blocked = self.gate.blocked_seconds()
        return Snapshot(
            at=self.clock.monotonic(),
            total=total,
            changed=changed,
            unchanged=unchanged,
            failed=failed,
            on_their_way=on_their_way,
            calls=self.calls(),
            blocked=blocked,
            blocked_until=self.clock.time_of_day(blocked) if blocked else "",
            batch=batch,
        )

    def duration(self) -> float:
        """Seconds since the task began."""
        return self.clock.monotonic() - self._began

    def api_calls(self, kinds: t.Sequence[str] = (READ, LIST, PATCH, BATCH)) -> dict[str, int | float]:
        """The result's `api_calls`; kinds: those of calls that the module makes."""
        counts = self.client.counts
        return {
            "total": self.calls(),
            **{kind: counts[kind] for kind in kinds},
            "retries": counts["retries"],
            "rate_limited_seconds": round(self.gate.held_seconds(), 3),
        }

    def ensure_heard(self) -> None:
        """Raise ControllerGone where nobody listens any more."""
        gone = self.controller.gone()
        if gone:
            raise ControllerGone(f"{gone}, and nothing more is sent", "Run again for the rest")
