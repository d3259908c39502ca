# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The harness itself: both ways of running the module say the same."""

from __future__ import annotations


def test_both_ways_agree(bench):
    """In this process and in one of its own."""
    bench.create("lab", ["harness-1"], {"steps": [{"sleep": "nap", "ms": 600000}]}, status="waiting")
    bench.control("POST", "/calls/reset")
    task = {"workflow_name": "lab", "instance_id": "harness-1", "state": "paused"}
    here = bench.module(check_mode=True, **task)
    there = bench.process(check_mode=True, **task).finish()
    here["summary"].pop("duration"), there["summary"].pop("duration")
    assert here["changed"] and here["instance"]["status"] == "waiting"
    assert {key: value for key, value in here.items() if key != "invocation"} == {
        key: value for key, value in there.items() if key != "invocation"
    }
    assert bench.calls()["by_kind"] == {**dict.fromkeys(bench.calls()["by_kind"], 0), "reads": 2}
