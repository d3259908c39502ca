# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tasks of the other modules on the workflow of a Flock, each held against the gateway's count of calls."""

from __future__ import annotations

ALL_KINDS = ("reads", "lists", "patches", "batches", "creates", "deletes", "events")
OUTCOMES = ("changed", "unchanged", "failed", "unknown", "not_attempted")


def development(flock):
    """The options that reach the engine as `wrangler dev` offers it, through the gateway."""
    return {"api_url": flock.bench.engine.dev_gateway_url, "account_id": None, "api_token": None}


class Asking:
    """Runs a module on the workflow of a Flock."""

    def __init__(self, flock, module):
        self.flock = flock
        self.module = module

    def __call__(self, check_mode=False, diff=False, **options):
        """Run it; returns its result, of which the calls and the sums are true."""
        options = {"workflow_name": self.flock.workflow, **options}
        self.flock.forget_calls()
        result = self.flock.bench.module(check_mode, diff, module=self.module, **options)
        self.check(result)
        return result

    def check(self, result):
        """What is true of every result."""
        assert "Traceback" not in result.output and "internal error" not in result.output, result.output
        assert result.returncode == int(result.get("failed", False))
        seen, told = self.flock.calls(), result["api_calls"]
        assert {kind: told.get(kind, 0) for kind in ALL_KINDS} == {kind: seen["by_kind"][kind] for kind in ALL_KINDS}, result["msg"]
        assert told["total"] == seen["total"]
        if "ids" in result:
            assert {outcome: len(found) for outcome, found in result["ids"].items()} == {
                outcome: result["summary"][outcome] for outcome in OUTCOMES
            }
            assert result["changed"] is any(item["changed"] for item in result["instances"])

    def cost(self, *kinds):
        """How many calls of these kinds the last task has made, tuple."""
        by_kind = self.flock.calls()["by_kind"]
        return tuple(by_kind[kind] for kind in kinds)
