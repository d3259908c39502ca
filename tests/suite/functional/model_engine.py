# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The model's instances on the real engine: what it must show of them, and the operations that move them."""

from __future__ import annotations

import copy
from urllib.parse import quote

from model import ACTIONS, decide
from model_instance import Do, step_gate, undo_gate

WORKFLOW = "model"

_LOG_TYPES = {"step": "do", "sleep": "sleep", "waitForEvent": "waitForEvent"}

# Own status → what somebody else may do to such an instance between the module's look and its PATCH: methods of Instance.
_MEDDLING = {
    "queued": ("unstrand", "terminate", "restart", "vanish"),
    "running": ("pause", "terminate", "restart", "release", "vanish"),
    "waiting": ("pause", "terminate", "restart", "event", "vanish"),
    "waitingForPause": ("resume", "terminate", "restart", "release", "vanish"),
    "paused": ("resume", "terminate", "restart", "vanish"),
    "errored": ("restart", "vanish"),
    "complete": ("restart", "vanish"),
    "terminated": ("restart", "vanish"),
}


def path(instance_id):
    """Below the account's workflows, percent-encoded."""
    return "/{}/instances/{}".format(WORKFLOW, quote(instance_id, safe=""))


# --- what it shows ---


def wanted_of(instance):
    """What the engine and the recorder must tell of an instance, dict."""
    log = [] if instance.is_gone else instance.log
    return {
        "status": instance.shown,
        "rollback": None if instance.is_gone else instance.rollback,
        "log": [("%s-%d" % logged.step[:2], logged.step.type, logged.ok) for logged in log],
        "executions": dict(instance.executions),
        "undone": dict(instance.undone),
    }


def truth_of(detail, report):
    """The same from the API's detail and the recorder's report (dicts), and besides what tells one run from the next."""
    steps = [entry for entry in detail.get("steps", ()) if entry["type"] in _LOG_TYPES]
    truth = {
        "status": detail.get("status"),
        "rollback": (detail.get("rollback") or {}).get("outcome"),
        "log": [(entry["name"], _LOG_TYPES[entry["type"]], _verdict(entry)) for entry in steps],
        "executions": report["steps"],
        "undone": report["rollbacks"],
    }
    return truth, [detail.get("queued")] + [entry["start"] for entry in steps]


def _verdict(entry):
    if entry["type"] == "step":
        return entry["success"]
    return True if entry["finished"] else None


# --- what moves it ---


def op(instance, name, **more):
    """An operation of the control API."""
    return {"op": name, "workflow": WORKFLOW, "instance": instance.id, **more}


def release_ops(instance):
    """Lets through what stands behind a gate of this instance."""
    return _pass(undo_gate(instance.id) if instance.status == "rollingBack" else step_gate(instance.id))


def _pass(gate):
    # Closed again at once, so that the next one stops there.
    return [{"op": "gate", "name": gate, "open": True}, {"op": "gate", "name": gate, "open": False}]


def rules_of(task, instances, is_selection):
    """The gateway's rules for a real run of this task: gates that open, and what somebody else does meanwhile."""
    rules, seen = [], []
    for instance in instances:
        decision = decide(task, instance)
        if decision in ACTIONS:
            rules += _rules_of_patch(task, instance, decision)
        elif decision == "pending" and task.gates_open:
            seen += release_ops(instance)
            if not is_selection:
                rules.append(
                    {"match": {"kind": "read", "workflow": WORKFLOW, "instance": instance.id}, "times": 1, "after": release_ops(instance)}
                )
    if seen and is_selection:  # one listing shows them all
        rules.append({"match": {"kind": "list", "workflow": WORKFLOW}, "times": 1, "after": seen})
    return rules


def _rules_of_patch(task, instance, action):
    before, after = [], []
    if task.meddling:
        before += _meddling_ops(task, instance)
        instance = _after_meddling(task, instance)
    if action == "pause" and task.gates_open:
        after += _pass(step_gate(instance.id))
    if task.rollback:
        opening = _ops_of_rollback(instance)
        before += [op(instance, "background", ops=opening)] if opening else []
    if not before and not after:
        return []
    return [{"match": {"kind": "patch", "workflow": WORKFLOW, "instance": instance.id}, "times": 1, "before": before, "after": after}]


def _ops_of_rollback(instance):
    """What the PATCH that rolls back needs to come to its end: it stays open as long as handlers, or a step, are behind a gate."""
    ops = []
    if not instance.has_handlers or instance.is_finished:
        return ops
    if instance.status == "waitingForPause":
        ops += [op(instance, "await", status="rollingBack"), *_pass(step_gate(instance.id))]
    if any(isinstance(logged.entry, Do) and logged.entry.undo == "gated" for logged in instance.log):
        ops += [{"op": "await", "gate": undo_gate(instance.id), "waiting": 1}, *_pass(undo_gate(instance.id))]
    return ops


# --- somebody else ---


def meddling_of(task, instance):
    """What somebody else may do between the look and the PATCH of this task, so that what follows is known: list of str."""
    if instance.overlay is not None or decide(task, instance) not in ACTIONS:
        return []
    return [name for name in _MEDDLING[instance.status] if _is_clear(task, instance, name)]


def _is_clear(task, instance, name):
    after = copy.deepcopy(instance)
    getattr(after, name)()
    if after.status == "rollingBack":
        return False
    if after.rollback and (task.step or task.from_failed_step):
        return False  # which handlers run again after a restart from a step was never measured
    return not (task.rollback and after.status == "waitingForPause" and after.bad)


def _after_meddling(task, instance):
    after = copy.deepcopy(instance)
    getattr(after, task.meddling)()
    return after


def _meddling_ops(task, instance):
    """The operation, and waiting until the instance is at rest again."""
    after = _after_meddling(task, instance)
    if task.meddling == "vanish":
        return [op(instance, "delete")]
    ops = {
        "release": release_ops(instance),
        "event": [op(instance, "event", type="go")],
        "unstrand": [op(instance, "strand", undo=True)],
    }.get(task.meddling) or [op(instance, task.meddling)]
    # What runs by it has begun: the status alone may still be that of before.
    begun = [op(instance, "await", step=name, count=count) for name, count in after.executions.items() if count > instance.executions[name]]
    return [*ops, *begun, op(instance, "await", status=after.status)]
