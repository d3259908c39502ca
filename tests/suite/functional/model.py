# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the module is to decide, do and tell of an instance: a small model of the module.

Written from the design's decision table and its rules, and from what was measured of the API. It shares no code with the
collection, so that the two can be held against each other.
"""

from __future__ import annotations

import dataclasses

from model_instance import FINISHED, Step

STATES = ("paused", "running", "terminated", "restarted")

#: A status that the API does not have today, as the gateway can present it.
UNKNOWN_STATUS = "dormant"

#: status → what brings it to each state: an action, or a decision. (From the design; in the order of STATES.)
_TABLE = {
    "queued": ("pause", "satisfied", "terminate", "restart"),
    "running": ("pause", "satisfied", "terminate", "restart"),
    "waiting": ("pause", "satisfied", "terminate", "restart"),
    "waitingForPause": ("pending", "resume", "terminate", "restart"),
    "paused": ("satisfied", "resume", "terminate", "restart"),
    "rollingBack": ("unreachable", "unreachable", "pending", "unreachable"),
    "errored": ("unreachable", "unreachable", "satisfied", "restart"),
    "complete": ("unreachable", "unreachable", "satisfied", "restart"),
    "terminated": ("unreachable", "unreachable", "satisfied", "restart"),
    UNKNOWN_STATUS: ("pause", "resume", "terminate", "restart"),
}
ACTIONS = ("pause", "resume", "terminate", "restart")


@dataclasses.dataclass(frozen=True)
class Task:
    """What the playbook asks for. gates_open: whatever stands behind a gate is let through while the task runs.

    meddling: what somebody else does between the module's look and its PATCH: the name of a method of Instance.
    """

    state: str
    when_status: tuple | None = None
    step: Step | None = None
    from_failed_step: bool = False
    rollback: bool = False
    skip_finished: bool = False
    wait: bool = True
    gates_open: bool = False
    meddling: str | None = None


@dataclasses.dataclass
class Expected:
    """What the module is to tell of one instance.

    statuses: those it may have been seen in last; a resumed or restarted instance is seen somewhere on its way.
    patches: list of dict, the bodies sent.
    may_end_again: bool, a resumed or restarted instance comes to its end.
    times_out: bool, it waits in vain.
    is_late: bool, all others have been sent what they are sent by the time it has ended.
    reads: int or None, the looks that it takes alone, where that is certain.
    """

    outcome: str = "unchanged"
    changed: bool = False
    action: str | None = None
    previous: str | None = None
    statuses: tuple = ()
    patches: list = dataclasses.field(default_factory=list)
    step: Step | None = None
    reruns: tuple = ()
    rollback: str | None = None
    may_end_again: bool = False
    times_out: bool = False
    is_late: bool = False
    reads: int | None = 1

    @property
    def failed(self):
        """bool: it fails the task."""
        return self.outcome in ("failed", "not_attempted")


def decide(task, instance):
    """What the module decides at its first look: `missing`, `held`, `satisfied`, `pending`, `unreachable`, `refused` or an
    action."""
    shown = instance.shown
    if shown is None:
        return "missing"
    if task.when_status is not None and shown not in task.when_status:
        return "held"
    if task.from_failed_step and shown != "errored":
        return "held"
    decision = _decision(task, instance)
    if decision == "restart" and not _can_restart(task, instance):
        return "refused"
    return decision


def _can_restart(task, instance):
    """Whether there is a step to restart from, where one is asked for: in the log, and not undone."""
    if task.step or task.from_failed_step:
        step = task.step or instance.failed_step()
        # Where nothing is in the log yet, the API decides.
        return not instance.rollback and step is not None and (not instance.log or instance.find(step) is not None)
    return True


def _decision(task, instance):
    decision = _TABLE[instance.shown][STATES.index(task.state)]
    if decision == "satisfied" and task.rollback and instance.rollback != "complete":
        return "unreachable"
    return decision


def foretell(task, instance):
    """What check mode is to tell; nothing happens."""
    expected = Expected(previous=instance.shown, statuses=(instance.shown,), rollback=instance.rollback)
    decision = decide(task, instance)
    if decision in ACTIONS:
        expected.outcome, expected.changed, expected.action = "changed", True, decision
        _note_step(task, instance, expected)
    elif decision in ("missing", "refused"):
        expected.outcome = "failed"
    elif decision == "unreachable":
        _unreachable(task, instance, expected)
    return expected


def enact(task, instance):
    """What a real run is to tell; whatever it does happens to the instance."""
    expected = foretell(task, instance)
    decision = decide(task, instance)
    if decision == "pending":
        expected.outcome, expected.changed = "unchanged", False
        _await(task, instance, expected)
    elif decision in ACTIONS:
        expected.outcome, expected.changed = "unchanged", False
        _act(task, instance, decision, expected)
    expected.rollback = None if instance.is_gone else instance.rollback
    return expected


def _note_step(task, instance, expected):
    if expected.action == "restart" and (task.step or task.from_failed_step):
        expected.step = task.step or instance.failed_step()
        expected.reruns = tuple(instance.reruns(expected.step))


def _unreachable(task, instance, expected):
    """A finished one may be left as it is, where the task says so. A pause that it was sent came to nothing then."""
    if not (task.skip_finished and instance.shown in FINISHED):
        expected.outcome = "failed"
    elif expected.action == "pause":
        expected.outcome, expected.changed = "unchanged", False
    else:
        expected.outcome = "changed" if expected.changed else "unchanged"


def _act(task, instance, action, expected):
    body = {"status": action}
    if expected.step:
        body["from"] = expected.step._asdict()
    if task.rollback:
        body["rollback"] = True
    expected.patches = [body]
    if task.meddling:
        getattr(instance, task.meddling)()
    instance.overlay = None
    if instance.is_gone:
        expected.outcome, expected.statuses = "failed", (None,)
        return
    {"pause": _pause, "resume": _resume, "terminate": _terminate, "restart": _restart}[action](task, instance, expected)


def _changed(expected):
    expected.outcome, expected.changed = "changed", True


def _pause(task, instance, expected):
    instance.pause()
    expected.statuses = (instance.status,)
    if instance.status == "paused":
        _changed(expected)
        # By what somebody else did it may be on its way to the next rest, and be paused when it gets there.
        if task.meddling and task.wait:
            expected.reads = None
        elif task.meddling:
            expected.statuses += ("waitingForPause",)
    elif instance.status == "waitingForPause":
        expected.changed = True
        _await(task, instance, expected)
    elif instance.status == "queued":  # accepted, and ignored
        if task.wait and expected.previous != "queued":
            expected.patches = expected.patches * 2  # the status has moved: it is sent again
        expected.outcome = "failed"
        expected.times_out = expected.is_late = task.wait
        expected.reads = None if task.wait else 1
    else:
        _unreachable(task, instance, expected)


def _resume(task, instance, expected):
    if instance.is_finished:
        expected.statuses = (instance.status,)
        if expected.previous == "paused" and instance.status != "terminated":  # it was resumed, by whomever, and ran to its end
            _changed(expected)
            expected.may_end_again = True
        else:
            _unreachable(task, instance, expected)
        return
    instance.resume()
    _changed(expected)
    _run_again(task, instance, expected)
    if expected.may_end_again:
        expected.reads = None  # now and then the answer tells of the end already


def _terminate(task, instance, expected):
    accepted = instance.terminate(task.rollback)
    while instance.status == "rollingBack":
        instance.release()
    expected.statuses = (instance.status,)
    expected.is_late = not accepted or (task.rollback and task.wait)
    expected.reads = 2 if expected.is_late else 1
    if not accepted:  # somebody else was faster
        if task.rollback and instance.rollback != "complete":
            _unreachable(task, instance, expected)
        return
    _changed(expected)
    if task.rollback and task.wait and instance.rollback == "failed":
        expected.outcome = "failed"


def _restart(task, instance, expected):
    if not instance.restart(expected.step):
        expected.is_late, expected.reads = True, 2
        expected.statuses = (instance.status,)
        # Rejected: green only if somebody else has restarted it in the meantime.
        expected.outcome = "unchanged" if task.meddling == "restart" else "failed"
        return
    _changed(expected)
    _run_again(task, instance, expected)


def _run_again(task, instance, expected):
    expected.is_late, expected.reads = task.wait, 2 if task.wait else 1
    on_the_way = ["queued", "running", "waiting"]
    if instance.has_handlers and instance.status in ("rollingBack", "errored"):
        on_the_way.append("rollingBack")
    expected.statuses = (*on_the_way, instance.status)
    expected.may_end_again = instance.status in (*FINISHED, "rollingBack")


def _await(task, instance, expected):
    """It is on its way: to paused, or from rollingBack to its end."""
    if not task.wait:
        expected.outcome = "changed" if expected.changed else "unchanged"
        return
    if not task.gates_open:
        expected.outcome = "failed"
        expected.times_out = expected.is_late = True
        expected.reads = None
        return
    expected.is_late, expected.reads = True, None
    instance.release()
    while instance.status == "rollingBack":
        instance.release()
    expected.statuses = (instance.status,)
    reached = instance.status == "paused" if task.state == "paused" else instance.is_finished
    if reached and task.rollback:
        reached = instance.rollback == "complete"
    if reached:
        expected.outcome = "changed" if expected.changed else "unchanged"
    else:
        _unreachable(task, instance, expected)
