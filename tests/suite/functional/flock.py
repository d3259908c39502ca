# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many instances of a workflow that no other test looks at, and the module run on them.

Every run's result is held against the gateway's count of calls, and against itself: its items, flags and sums agree.
"""

from __future__ import annotations

import collections
import json
import time
from datetime import datetime

WORKFLOW = "fleet"

#: Params of an instance that rests in `waiting` (in `running` for a moment after a resume or restart).
NAP = {"steps": [{"sleep": "nap", "ms": 3_600_000}]}
#: Of one that is complete at once.
NOTHING = {"steps": []}
#: Of one that fails in its second step as long as the switch `broken` is on, and rests when it is run again without it.
BREAKS = {"steps": [{"do": "one"}, {"do": "two", "fail_while": "broken"}, {"sleep": "nap", "ms": 3_600_000}]}

#: Seconds after which something hangs.
HANGS = 180

KINDS = ("reads", "lists", "patches")
ALL_KINDS = (*KINDS, "batches")
STATUSES = ("queued", "running", "waiting", "waitingForPause", "paused", "rollingBack", "errored", "terminated", "complete")
OUTCOMES = ("changed", "unchanged", "failed", "unknown", "not_attempted")


def gated(gate):
    """Params of an instance that runs until a gate is opened, and waits then."""
    return {"steps": [{"do": "work", "gate": gate}, {"sleep": "nap", "ms": 3_600_000}]}


def names(prefix, count):
    """`count` ids, list of str."""
    return [f"{prefix}-{number:03d}" for number in range(count)]


def at(entry):
    """When a call arrived at the gateway, float seconds since the epoch; `entry`: of the gateway's log."""
    return datetime.fromisoformat(entry["at"].replace("Z", "+00:00")).timestamp()


def ids(result, **wanted):
    """The ids of the result's items that hold these values, in their order, list of str."""
    return [item["id"] for item in result["instances"] if all(item[key] == value for key, value in wanted.items())]


def queries(calls):
    """What the listings asked for besides the page's size and the order, a list of str each call (`calls`: the gateway's)."""
    plain = ("per_page=100", "direction=desc")
    listings = [entry["query"].split("&") for entry in calls["log"] if entry["kind"] == "list"]
    return [[part for part in parts if part not in plain] for parts in listings]


def assert_agrees(result):
    """A result's items, flags and sums agree with each other, and nothing broke."""
    assert "Traceback" not in result.output and "internal error" not in result.output, result.output
    items, summary, failed = result["instances"], result["summary"], result.get("failed", False)
    assert result.returncode == int(failed)
    if result["invocation"]["module_args"]["details"] == "brief":
        counted = {outcome: len(found) for outcome, found in result["ids"].items()}
        assert counted == {outcome: summary[outcome] for outcome in OUTCOMES} and "ids_truncated" not in result
        return
    assert result["changed"] is any(item["changed"] for item in items)
    # A selection that is refused as too large has been counted, and has no items.
    assert len({item["id"] for item in items}) == len(items)
    assert len(items) == summary["matched"] or (failed and not items)
    counted = collections.Counter(item["outcome"] for item in items)
    assert {outcome: summary[outcome] for outcome in OUTCOMES} == {outcome: counted[outcome] for outcome in OUTCOMES}
    assert summary["by_status"] == collections.Counter(item["status"] for item in items if item["status"])
    for item in items:
        assert item["failed"] is (item["outcome"] in ("failed", "unknown", "not_attempted")), item
        assert item["id"] in item["msg"]
    assert failed or not any(item["failed"] for item in items)


def wait_for_calls(flock, kind, count):
    """Wait until so many calls of a kind have arrived."""
    end = time.monotonic() + HANGS
    while flock.calls()["by_kind"][kind] < count:
        assert time.monotonic() < end, flock.calls()["by_kind"]
        time.sleep(0.02)


class Flock:
    """Instances of one workflow. It is empty when a test begins, and is purged when it ends.

    Args:
        bench: conftest.Bench.
        workflow: str.
    """

    def __init__(self, bench, workflow=WORKFLOW):
        self.bench = bench
        self.workflow = workflow
        self.control = bench.control
        #: list of subprocess.Popen: what tests have started, and `purge` ends.
        self.started = []

    def purge(self):
        """End what still runs, and delete all instances. (The engine can't take a change and a deletion at the same time.)"""
        for process in self.started:
            if process.poll() is None:
                process.kill()
        self.control("POST", "/idle")
        self.control("POST", "/purge", {"workflow": self.workflow})

    def create(self, instance_ids, params=None, status="waiting", **more):
        """Create instances, and wait until all hold a status; then the gateway counts from zero."""
        self.bench.create(self.workflow, instance_ids, params or NAP, status, **more)
        self.forget_calls()
        return instance_ids

    def create_paused(self, instance_ids):
        """Create instances that are paused."""
        self.create(instance_ids)
        self.op(*({"op": "pause", "instance": name} for name in instance_ids))
        return instance_ids

    def create_gated(self, instance_ids, gate):
        """Create instances that run until a gate is opened."""
        self.create(instance_ids, gated(gate), "running")
        self.control("POST", "/await", {"gate": gate, "waiting": len(instance_ids)})
        return instance_ids

    def create_errored(self, instance_ids):
        """Create instances that have failed in their second step, and will not fail again."""
        self.control("POST", "/switch", {"name": "broken", "value": True})
        self.create(instance_ids, BREAKS, "errored")
        self.control("POST", "/switch", {"name": "broken", "value": False})
        return instance_ids

    # -- what others do -----------------------------------------------------------------------------------------

    def op(self, *operations):
        """Do something straight on the engine, at once; see tests/engine/README.md, Races."""
        results = self.control("POST", "/op", [{"workflow": self.workflow, **operation} for operation in operations])["results"]
        assert not [result for result in results if result.get("error")], results

    def meet(self, kind, fault=None, **rule):
        """Let a fault, or operations (`before`, `after`), meet calls of a kind; see tests/engine/README.md, Faults."""
        match = {"kind": kind, **rule.pop("match", {})}
        self.control("POST", "/faults", {"match": match, "fault": fault, **rule})

    def show(self, instance_id, **overlay):
        """Present something else of an instance; see tests/engine/README.md, Overlays."""
        self.control("POST", "/overlay", {"workflow": self.workflow, "instance": instance_id, **overlay})

    def statuses(self, instance_ids):
        """The status of each of these instances by now, dict; whatever overlays show, and not counted."""
        body = {"workflow": self.workflow, "instances": list(instance_ids), "statuses": [*STATUSES, None]}
        return self.control("POST", "/await", body)["statuses"]

    def wait_for(self, instance_ids, *statuses):
        """Wait until each of these instances holds one of these statuses."""
        body = {"workflow": self.workflow, "instances": list(instance_ids), "statuses": list(statuses)}
        self.control("POST", "/await", body)

    # -- what the task does -------------------------------------------------------------------------------------

    def run(self, check_mode=False, diff=False, **options):
        """Run the module on this workflow, and hold its result against the gateway and itself."""
        options = {"workflow_name": self.workflow, **options}
        self.forget_calls()
        result = self.bench.module(check_mode, diff, **options)
        self.check(result)
        return result

    def start(self, **options):
        """Start the module in a process of its own; see harness.Process."""
        self.forget_calls()
        process = self.bench.process(workflow_name=self.workflow, **options)
        self.started.append(process.popen)
        return process

    def check(self, result):
        """What is true of every result of a task that had valid options."""
        assert_agrees(result)
        seen, told = self.calls(), result["api_calls"]
        assert {kind: told[kind] for kind in ALL_KINDS} == {kind: seen["by_kind"][kind] for kind in ALL_KINDS}
        assert told["total"] == seen["total"]

    # -- what the gateway saw -----------------------------------------------------------------------------------

    def calls(self):
        """What arrived at the gateway since the task began: {total, by_kind, log}."""
        return self.bench.calls()

    def forget_calls(self):
        """Count from zero."""
        self.control("POST", "/calls/reset")

    def cost(self):
        """(reads, lists, patches) since the task began."""
        by_kind = self.calls()["by_kind"]
        return tuple(by_kind[kind] for kind in KINDS)

    def patches(self):
        """What was sent, in this order: list of (instance, action)."""
        return [(entry["instance"], json.loads(entry["body"])["status"]) for entry in self.calls()["log"] if entry["kind"] == "patch"]

    def ran(self, instance_id):
        """How often each step of an instance has run, by the workflows' own count."""
        return self.bench.steps(self.workflow, instance_id)["steps"]
