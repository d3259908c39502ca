# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ten thousand instances in one task: what it costs in calls and in memory."""

from __future__ import annotations

import json
import subprocess

import harness
import pytest
from flock import assert_agrees
from multitude import Multitude

#: Runs a script as it is, and tells at its end how much memory its process held at most.
MEASURED = """
import atexit, runpy, sys

def tell():
    with open("/proc/self/status") as status:
        print([line.split()[1] for line in status if line.startswith("VmHWM:")][0], file=sys.stderr)

atexit.register(tell)
sys.argv.pop(0)
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@pytest.fixture
def pause_all(monkeypatch):
    """A function that pauses so many instances in one task; returns the Result and the most memory held, in kB."""
    start = subprocess.Popen
    monkeypatch.setattr(harness.subprocess, "Popen", lambda argv, **more: start([argv[0], "-c", MEASURED, *argv[1:]], **more))

    def run(count, **options):
        with Multitude(count) as server:
            task = {"workflow_name": "orders", "select": {"status": ["waiting"]}, "state": "paused"}
            limits = {"max_instances": count, "concurrency": 32, **options}
            result = harness.Process(
                {"api_url": server.url, "account_id": "0123", "api_token": "token-of-nobody-at-all", **task, **limits}
            ).finish()
            peak = int(result.stderr)
            assert_agrees(result)
            assert (server.lists, server.patches) == (count // 100, count)
            assert result["api_calls"]["total"] == count // 100 + count
            assert (
                result["summary"]["changed"] == count
                and result["msg"] == f"All {count:,} instances of orders are paused ({count:,} by this task)."
            )
        return result, peak

    return run


def test_ten_thousand(pause_all):
    """Under 150 MB, and so little for each that ten times as many would still do on a small machine."""
    _result, few = pause_all(500)
    _result, many = pause_all(10000)
    assert many < 150 * 1024
    assert (many - few) / 9500 < 10  # kB for each instance, its part of the result included


def test_ten_thousand_in_brief(pause_all):
    """Small enough for AWX to show, with every id."""
    result, peak = pause_all(10000, details="brief")
    assert peak < 150 * 1024
    assert len(json.dumps(result)) < 700_000 and len(result["ids"]["changed"]) == 10000 and result["instances"] == []
