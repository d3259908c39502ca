# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options that several modules take: waiting and pacing. Pure."""

from __future__ import annotations

import typing as t


class Pacing(t.NamedTuple):
    """How fast a task may call: requests under way at once, calls a second, and what it leaves to others (fragment `pacing`).

    rate_limit_timeout: seconds that 429s may block it in all.
    """

    concurrency: int
    requests_per_second: float | None
    rate_limit_reserve: float
    rate_limit_timeout: float


def wait_spec() -> dict[str, t.Any]:
    """Argument spec of fragment `wait`."""
    return {
        "wait": {"type": "bool", "default": True},
        "wait_timeout": {"type": "float", "default": 300.0},
        "wait_sleep": {"type": "float", "default": 2.0},
    }


def pacing_spec() -> dict[str, t.Any]:
    """Argument spec of what paces a task."""
    return {
        "concurrency": {"type": "int", "default": 8},
        "requests_per_second": {"type": "float"},
        "rate_limit_reserve": {"type": "float", "default": 0.2},
        "rate_limit_timeout": {"type": "float", "default": 330.0},
    }


def progress_spec() -> dict[str, t.Any]:
    """Argument spec of fragment `progress`."""
    return {"progress": {"type": "int", "default": 10}}


def pacing_of(params: t.Mapping[str, t.Any]) -> Pacing:
    """The Pacing that validated options ask for."""
    return Pacing(**{name: params[name] for name in Pacing._fields})
