# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The runbooks in this process: the steps of the role `runbook`, with the results of the real modules on a workflow in memory."""

from __future__ import annotations

import copy
import json
import shlex
import typing as t
from pathlib import Path

import yaml

from ansible_collections.edgeops.cloudflare.plugins.filter.runbook import runbook
from ansible_collections.edgeops.cloudflare.plugins.modules import workflow_instance_info
from ansible_collections.edgeops.cloudflare.tests.unit.fakes import many, stamp

_ROLE = Path(__file__).resolve().parents[2] / "roles/runbook"
SPECS = yaml.safe_load((_ROLE / "meta/argument_specs.yml").read_text(encoding="utf-8"))["argument_specs"]

#: Options that the role's tasks take from the order, by the task's file.
_TAKEN = {
    name: [
        option
        for option, value in _task["edgeops.cloudflare.workflow_instance_status"].items()
        if f"runbook_order.options.{option}" in str(value)
    ]
    for name in ("plan", "change")
    for _task in yaml.safe_load((_ROLE / f"tasks/{name}.yml").read_text(encoding="utf-8"))[:1]
}


def failed(count, prefix="f", **fields):
    """Errored instances whose step `charge` has failed."""
    instances = many(count, "errored", prefix, **fields)
    for instance in instances:
        instance.steps = [{"name": "charge-1", "type": "step", "start": stamp(0.5), "success": False, "error": instance.error}]
    return instances


def typed(lines, beginning):
    """The runbook and the inputs of the one command that a line advises: as a shell and ansible-core read it."""
    (line,) = [line for line in lines if line.startswith(beginning)]
    words = shlex.split(line[line.index("ansible-playbook edgeops.cloudflare.") :])
    given = {}
    assert words[2::2] == ["-e"] * len(words[2::2]) and len(words) % 2 == 0, line
    for word in words[3::2]:
        if word.startswith("{"):
            given.update(json.loads(word))
        else:
            assert not set(word) & set(" '\"{}"), f"{word} is another thing to ansible-core"
            name, _is, value = word.partition("=")
            given[name] = value
    assert given.pop("workflow_name") == "orders"
    return words[1].rpartition(".")[2], given


def inputs_of(entry_point, **raw):
    """The inputs of a runbook, which make sense."""
    known = {"raw": raw, "options": SPECS[entry_point]["options"], "names": [], "controller_host": "awx.example.com"}
    read = runbook(known, "inputs")
    assert read["mistakes"] == []
    return read["inputs"]


class Shift(t.NamedTuple):
    """What came of a run. order, plan and account: as the filter makes them, account None where the plan stopped it."""

    context: dict
    order: dict
    plan: dict
    account: dict | None
    results: list

    @property
    def told(self):
        """The plan in words."""
        return "\n".join(self.plan["lines"])

    @property
    def headline(self):
        return self.account["lines"][0]

    @property
    def said(self):
        """The account in words."""
        return "\n".join(self.account["lines"])

    @property
    def record(self):
        """The record as it stands at the end, as text."""
        return Path(self.order["record_file"]).read_text(encoding="utf-8")


class Runbooks:
    """Runs runbooks.

    Args:
        runner: running.TaskRunner.
        folder: Path, where records are made.
    """

    def __init__(self, runner, folder):
        self._runner = runner
        self._folder = folder
        self.workflow = runner.workflow
        self.clock = runner.workflow.clock
        #: dict by the task's name: what it returns instead of what it found.
        self.spoilt = {}

    def order(self, entry_point, job="", **raw):
        """The context of a run, and its order, which may be one of mistakes alone."""
        inputs = inputs_of(entry_point, workflow_name="orders", **raw)
        file = inputs["record_file"]
        context = {
            "entry_point": entry_point,
            "inputs": inputs,
            "record": Path(file).read_text(encoding="utf-8") if file and Path(file).is_file() else inputs["edgeops_record"] or "",
            "began": self.clock.timestamp(),
            "job": job,
            "folder": str(self._folder),
        }
        return context, runbook(context, "order")

    def run(self, entry_point, job="", check=False, sweeps=0, **raw):
        """Run a runbook to its end; sweeps: how often its change is made once more."""
        context, order = self.order(entry_point, job, **raw)
        assert order["mistakes"] == []
        if order["record"]:
            Path(order["record_file"]).write_text(order["record"], encoding="utf-8")
        target = {"instance_ids": order["instance_ids"], "select": order["select"]}
        details = "full" if entry_point == "terminate" else "brief"
        looked = self._status("looked", True, order, "plan", details=details, **target)
        paused = {"changed": False, "skipped": True}
        if entry_point in ("pause_all", "restart_failed") and "summary" in looked and not looked["summary"]["not_attempted"]:
            select = {"status": ["paused", "waitingForPause"]}
            paused = self._result(
                "paused", False, module=workflow_instance_info, select=select, max_instances=order["options"]["max_instances"]
            )
        sample = {"changed": False, "skipped": True}
        if order["options"]["from_failed_step"]:
            ids = runbook({"looked": looked}, "logs")["ids"]
            sample = self._result("sample", True, state="restarted", from_failed_step=True, when_status=["errored"], instance_ids=ids)
        known = {"context": context, "looked": looked, "paused": paused, "sample": sample, "now": self.clock.timestamp(), "is_check": check}
        plan = runbook(known, "plan")
        if plan["stop"] or check:
            return Shift(context, order, plan, None, [])
        results = []
        for _sweep in range(1 + sweeps):
            ids = plan["instance_ids"]
            target = {"instance_ids": ids, "select": order["select"] if ids is None else None}
            results.append(self._status("change", False, order, "change", details=plan["details"], record=True, **target))
        workflow = self.spoilt.get("workflow", {"workflow": {"counts": self._counts()}})
        return Shift(context, order, plan, self.account(context, plan, results, paused, workflow), results)

    def typed(self, lines, beginning, **more):
        """Run the command that a line advises."""
        runbook_, given = typed(lines, beginning)
        return self.run(runbook_, **given, **more)

    def account(self, context, plan, results, paused=None, workflow=None):
        """The account of these results."""
        known = {
            "context": context,
            "plan": plan,
            "results": results,
            "paused": paused,
            "workflow": workflow,
            "now": self.clock.timestamp(),
        }
        return runbook(known, "account")

    def _status(self, name, check_mode, order, file, **options):
        taken = {option: order["options"][option] or None for option in _TAKEN[file] if order["options"][option] is not False}
        taken.update(wait=order["options"]["wait"], max_instances=order["options"]["max_instances"])
        return self._result(name, check_mode, record_file=order["record_file"], **taken, **options)

    def _result(self, name, check_mode, **options):
        """As `register` has it, with `failed_when: false`."""
        if name in self.spoilt:
            return copy.deepcopy(self.spoilt[name])
        # One call at a time, so that every run goes alike.
        options = {"concurrency": 1, **{option: value for option, value in options.items() if value is not None}}
        result = self._runner.run(check_mode, **options).result
        return {**result, "failed": False, "failed_when_result": False}

    def _counts(self):
        now, counts = self.clock.monotonic(), {}
        for instance in self.workflow.instances.values():
            instance.live(now)
            counts[instance.status] = counts.get(instance.status, 0) + 1
        return counts
