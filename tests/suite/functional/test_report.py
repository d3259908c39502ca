# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`report`: what it tells of real instances, what it costs, and what it does not tell."""

from __future__ import annotations

import re

import pytest
from flock import NAP, NOTHING, names
from runbooks import run


def failing(step, message):
    """Params of an instance that fails in a step."""
    return {"steps": [{"do": step, "fail": message}]}


def report(flock, folder, *arguments, **variables):
    """Run it; returns what was said, and holds the number of calls that it tells against the gateway's."""
    done = run(flock, "report", folder, *arguments, **variables)
    total = flock.calls()["total"]
    assert f"by {total:,} call{'' if total == 1 else 's'} of the API" in done.said
    return done


def test_it(flock, tmp_path):
    flock.create(names("done", 3), NOTHING, "complete")
    flock.create(names("declined", 3), failing("charge", "card 4711 declined"), "errored")
    flock.create(["late-000"], failing("charge", "no answer within 30000 ms"), "errored")
    flock.create(["late-001"], failing("refund", "no answer within 20000 ms"), "errored")
    flock.create(names("nap", 2), NAP)
    flock.create_paused(["held-000"])
    done = report(flock, tmp_path)
    print(done.output)
    assert 0
