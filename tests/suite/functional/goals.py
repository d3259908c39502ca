# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the fault and race tests ask of an instance, and what is true of it afterwards.

A *goal* is one kind of change with an instance that is ready for it. A *trial* is one such instance: it lets a fault or a
race meet the task, runs it, and holds what the task says against the gateway's count of calls and the recorder's of steps.
"""

from __future__ import annotations

import itertools
import json
import re
import typing as t

WORKFLOW = "scratch-1"

STATUSES = ("queued", "running", "waiting", "waitingForPause", "paused", "rollingBack", "errored", "terminated", "complete")

NAP = {"sleep": "nap", "ms": 3_600_000}


class Goal(t.NamedTuple):
    """One kind of change.

    options: dict, the task's.
    steps: list, the params of the instance (workflow `lab`).
    start: str, the status that it is in when the task begins.
    reached: tuple of str, the statuses that it can be in when the change was made.
    before, after: dict, how often each step or handler (`undo …`) has run before, and when the change was made once.
    is_once_only: bool, a second PATCH would run something again.
    """

    options: dict
    steps: list
    start: str
    reached: tuple
    before: dict
    after: dict
    is_once_only: bool = False

    @property
    def action(self):
        """str: what is PATCHed."""
        return {"paused": "pause", "running": "resume", "terminated": "terminate", "restarted": "restart"}[self.options["state"]]


_SLEEPER = [{"do": "one"}, NAP]
_UNDOABLE = [{"do": "one", "rollback": True}, NAP]
_FAILED = [{"do": "one"}, {"do": "two", "fail": 1}, NAP]
_ONCE, _RUNS = {"one": 1}, ("running", "waiting", "queued")

GOALS = {
    "paused": Goal({"state": "paused"}, _SLEEPER, "waiting", ("paused",), _ONCE, _ONCE),
    "running": Goal({"state": "running"}, _SLEEPER, "paused", _RUNS, _ONCE, _ONCE),
    "terminated": Goal({"state": "terminated"}, _SLEEPER, "waiting", ("terminated",), _ONCE, _ONCE),
    "rolled back": Goal(
        {"state": "terminated", "rollback": True}, _UNDOABLE, "waiting", ("terminated",), _ONCE, {"one": 1, "undo one": 1}, True
    ),
    "restarted": Goal({"state": "restarted"}, _FAILED, "errored", _RUNS, {"one": 1, "two": 1}, {"one": 2, "two": 2}, True),
    "restarted while it runs": Goal({"state": "restarted"}, _SLEEPER, "waiting", _RUNS, _ONCE, {"one": 2}, True),
    "restarted from a step": Goal(
        {"state": "restarted", "from_step": {"name": "two"}}, _FAILED, "errored", _RUNS, {"one": 1, "two": 1}, {"one": 1, "two": 2}, True
    ),
}

#: How a sentence about a failure must end: with what the operator can do, after a full stop.
REMEDY = re.compile(
    r"\. (?=[A-Z]|skip_finished=|state=|rollback=|from_failed_step=|wait=true)[^.].*\.$",
)

_serial = itertools.count(1)


def same(seen, wanted, what):
    """Assert that two values are equal, and show them where they aren't: pytest explains assertions of test files only."""
    assert seen == wanted, f"{what}: {seen!r} instead of {wanted!r}"


class Trial:
    """One instance that is ready for a goal.

    Args:
        bench: conftest.Bench.
        goal: Goal.
        steps: list or None, other params than the goal's own.
        start: str or None, another status than the goal's own.
    """

    def __init__(self, bench, goal, steps=None, start=None):
        self.bench = bench
        self.goal = goal
        self.id = f"trial-{next(_serial)}"
        start = start or goal.start
        bench.create(WORKFLOW, [self.id], {"steps": steps or goal.steps}, status="waiting" if start == "paused" else start)
        if start == "paused":
            self.op("pause")
            self.wait_for("paused")
        bench.control("POST", "/calls/reset")

    # -- what others do -----------------------------------------------------------------------------------------

    def op(self, name, **more):
        """Do something straight on the engine, at once; see tests/engine/README.md, Races."""
        return self.bench.control("POST", "/op", {"workflow": WORKFLOW, "instance": self.id, "op": name, **more})

    def meet(self, fault=None, kind="patch", **rule):
        """Let a fault, or operations (`before`, `after`), meet the calls of a kind; see tests/engine/README.md, Faults."""
        self.bench.control("POST", "/faults", {"match": {"kind": kind, "instance": self.id}, "fault": fault, **rule})

    def show(self, **overlay):
        """Present something else of the instance; see tests/engine/README.md, Overlays."""
        self.bench.control("POST", "/overlay", {"workflow": WORKFLOW, "instance": self.id, **overlay})

    def wait_for(self, *statuses, timeout_ms=60_000):
        """Wait until the instance is in one of these statuses."""
        body = {"workflow": WORKFLOW, "instance": self.id, "statuses": list(statuses), "timeout_ms": timeout_ms}
        self.bench.control("POST", "/await", body)

    # -- what the task does -------------------------------------------------------------------------------------

    def task(self, **options):
        """The options of the task that pursues the goal."""
        return {"workflow_name": WORKFLOW, "instance_id": self.id, **self.goal.options, **options}

    def run(self, **options):
        """Run the task, and hold its result against what every result must be."""
        result = self.bench.module(**self.task(**options))
        self.check(result)
        return result

    def check(self, result):
        """What is true of every result, whatever happened; of one whose calls all went to the gateway, that is."""
        assert_sound(self.bench, result)
        seen = self.bench.calls()
        same(result["api_calls"]["total"], seen["total"], "calls")
        for kind in ("reads", "lists", "patches"):
            same(result["api_calls"][kind], seen["by_kind"][kind], kind)

    def until_done(self):
        """The operations that wait until the change was made."""
        steps = [
            {"op": "await", "kind": "rollback" if name.startswith("undo ") else "step", "step": name.replace("undo ", ""), "count": count}
            for name, count in self.goal.after.items()
        ]
        return [*steps, {"op": "await", "statuses": list(self.goal.reached)}]

    # -- what is true -------------------------------------------------------------------------------------------

    def patches(self):
        """How many PATCHes of this instance arrived at the gateway."""
        return self.bench.calls(instance=self.id)["by_kind"]["patches"]

    def ran(self):
        """How often each step, and each handler as `undo …`, has run: the workflows' own count."""
        truth = self.bench.steps(WORKFLOW, self.id)
        return {**truth["steps"], **{"undo " + name: count for name, count in truth["rollbacks"].items()}}

    def status(self):
        """The status by now, past all faults and overlays; None where there is no such instance."""
        body = {"workflow": WORKFLOW, "instance": self.id, "statuses": [None, *STATUSES]}
        return self.bench.control("POST", "/await", body)["statuses"][self.id]

    def assert_done_once(self):
        """The change was made, and made once."""
        self.bench.control("POST", "/idle")
        self.wait_for(*(set(self.goal.reached) - {"running", "queued"}))
        same(self.ran(), self.goal.after, "what ran")

    def assert_not_done(self):
        """The change was not made."""
        self.bench.control("POST", "/idle")
        same(self.status(), self.goal.start, "the status")
        same(self.ran(), self.goal.before, "what ran")


def assert_sound(bench, result, secrets=()):
    """What every result must be: one shape, sentences that help, flags that agree, no secret, no traceback."""
    for secret in (bench.engine.api_token, bench.engine.api_key, *secrets):
        assert secret not in result.output, "a secret is shown"
        assert json.dumps(secret)[1:-1] not in result.output, "a secret is shown"
    assert "Traceback" not in result.output and "internal error" not in result.output, result.output
    failed = result.get("failed", False)
    same(result.returncode, int(failed), "the exit code")
    same(result["changed"], any(item["changed"] for item in result["instances"]), "changed")
    for item in result["instances"]:
        outcome = item["outcome"]
        same(item["failed"], outcome in ("failed", "unknown", "not_attempted"), f"failed of {outcome}")
        assert item["changed"] or outcome not in ("changed", "unknown"), outcome
        assert not item["changed"] or outcome not in ("unchanged", "not_attempted"), outcome
        assert item["id"] in item["msg"], item["msg"]
        assert failed or not item["failed"], item["msg"]
    if failed:
        assert REMEDY.search(result["msg"]), "what to do is not said: " + result["msg"]
    else:
        assert len(result["msg"]) > 20, result["msg"]
