# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How instances of the sample workflow `model` behave, as far as it was measured: a small model of the engine.

Nothing here does I/O, and nothing is shared with the collection: `machine.py` holds the two against each other.
"""

from __future__ import annotations

import collections
import dataclasses
import typing as t

FINISHED = ("errored", "complete", "terminated")
STATUSES = ("queued", "running", "waiting", "waitingForPause", "paused", "rollingBack", *FINISHED)

HOUR_MS = 3600 * 1000


# --- what the workflow does: the entries of its `steps` ---


@dataclasses.dataclass(frozen=True)
class Do:
    """A step. gated: stands behind a gate. flaky: fails while the instance's switch is on. handled: always fails, and the
    workflow goes on. fatal: its failure is a NonRetryableError. undo: its rollback handler, "plain", "gated" or "flaky"."""

    name: str
    gated: bool = False
    flaky: bool = False
    handled: bool = False
    fatal: bool = False
    undo: str | None = None
    kind: t.ClassVar[str] = "do"

    def params(self, instance_id):
        """As the workflow takes it, dict."""
        options = {"do": self.name}
        if self.gated:
            options["gate"] = step_gate(instance_id)
        if self.flaky:
            options["fail_while"] = step_switch(instance_id)
        if self.handled:
            options.update(fail=self.name + " failed", handled=True)
        if self.fatal:
            options["fatal"] = True
        if self.undo:
            options["rollback"] = {
                "plain": True,
                "gated": {"gate": undo_gate(instance_id)},
                "flaky": {"fail_while": undo_switch(instance_id)},
            }[self.undo]
        return options


@dataclasses.dataclass(frozen=True)
class Wait:
    """Waits for an event of type `go`."""

    name: str
    kind: t.ClassVar[str] = "waitForEvent"

    def params(self, _instance_id):
        """As the workflow takes it, dict."""
        return {"wait": self.name, "type": "go"}


@dataclasses.dataclass(frozen=True)
class Sleep:
    """Sleeps for an instant, or (long) for longer than any test."""

    name: str
    long: bool = True
    kind: t.ClassVar[str] = "sleep"

    def params(self, _instance_id):
        """As the workflow takes it, dict."""
        return {"sleep": self.name, "ms": HOUR_MS if self.long else 1}


@dataclasses.dataclass(frozen=True)
class Throw:
    """An error outside any step."""

    message: str = "thrown outside"

    def params(self, _instance_id):
        """As the workflow takes it, dict."""
        return {"throw": self.message}


@dataclasses.dataclass(frozen=True)
class Both:
    """Two steps at the same time; fails, when both have ended, as the first of them does."""

    left: Do
    right: Do

    def params(self, instance_id):
        """As the workflow takes it, dict."""
        return {"parallel": [self.left.params(instance_id), self.right.params(instance_id)]}


def step_gate(instance_id):
    """The gate of an instance's gated steps."""
    return instance_id + "/step"


def undo_gate(instance_id):
    """The gate of its gated rollback handlers."""
    return instance_id + "/undo"


def step_switch(instance_id):
    """The switch that makes its flaky steps fail."""
    return instance_id + "/bad"


def undo_switch(instance_id):
    """The switch that makes its flaky rollback handlers fail."""
    return instance_id + "/undo-bad"


class Step(t.NamedTuple):
    """A step as the module names it."""

    name: str
    count: int
    type: str


@dataclasses.dataclass
class Logged:
    """An entry of an instance's log. ok: None while it is open."""

    step: Step
    entry: object
    ok: bool | None = None
    error: str | None = None


class _Rests(Exception):
    """The instance goes no further by itself; the argument is its status."""


class _Fails(Exception):
    """A step, or the code outside of them, has failed; the argument is the error."""


# --- an instance ---


class Instance:
    """One instance: what it is by now, and what has run of it. Every method that changes it leaves it at rest."""

    def __init__(self, instance_id, program, bad=False, undo_bad=False):
        self.id = instance_id
        self.program = tuple(program)
        self.executions = collections.Counter()
        self.undone = collections.Counter()
        self.log = []
        self.error = None
        self.rollback = None  # how its handlers ended, as the API reports it
        self.events = 0  # arrived, and not consumed yet
        self.bad = bad  # its flaky steps fail
        self.undo_bad = undo_bad  # and its flaky handlers
        self.overlay = None  # the status shown instead of its own
        self.is_gone = False
        self.restarts = 0
        self.was_cut_short = False  # its handlers were: what they would do after a restart from a step was never measured
        self._handlers = []  # still to run, the next one last
        self._end = self._outcome = None  # the status and the rollback when they have
        self.status = "queued"
        self._run()

    def params(self):
        """What it is created with, dict."""
        return {"steps": [entry.params(self.id) for entry in self.program]}

    @property
    def shown(self):
        """The status that a look tells; None where there is no such instance."""
        return None if self.is_gone else self.overlay or self.status

    @property
    def is_finished(self):
        """bool: it does nothing any more."""
        return self.status in FINISHED

    @property
    def open_step(self):
        """The Logged step that stands behind its gate, or None."""
        return next((logged for logged in self.log if logged.ok is None and isinstance(logged.entry, Do)), None)

    @property
    def stands_at_gate(self):
        """bool: releasing a gate would move it."""
        return self.status in ("running", "waitingForPause", "rollingBack")

    @property
    def has_handlers(self):
        """bool: a rollback would run at least one."""
        return any(logged.entry.undo for logged in self.log if isinstance(logged.entry, Do))

    # -- its own work --

    def _run(self):
        """From the beginning, past all that the log holds already, to the next rest."""
        counts = collections.Counter()
        self.status = "running"
        try:
            for entry in self.program:
                self._pass(entry, counts)
        except _Rests as rest:
            self.status = str(rest)
        except _Fails as failure:
            self._fail(str(failure))
        else:
            self.status = "complete"

    def _pass(self, entry, counts):
        if isinstance(entry, Throw):
            raise _Fails(entry.message)
        if isinstance(entry, Both):
            self._pass_both(entry, counts)
            return
        logged = self._logged(entry, counts)
        if logged.ok is False and not entry.handled:
            raise _Fails(logged.error)
        if logged.ok is not None:
            return
        if isinstance(entry, Do):
            self.executions[entry.name] += 1
            if entry.gated:
                raise _Rests("running")
            self._finish(logged)
        elif isinstance(entry, Wait):
            if not self.events:
                raise _Rests("waiting")
            self.events -= 1
            logged.ok = True
        else:
            if entry.long:
                raise _Rests("waiting")
            logged.ok = True

    def _pass_both(self, both, counts):
        failures = []
        for entry in (both.left, both.right):
            try:
                self._pass(entry, counts)
            except _Fails as failure:
                failures.append(failure)
        if failures:
            raise failures[0]

    def _logged(self, entry, counts):
        counts[entry.kind, entry.name] += 1
        step = Step(entry.name, counts[entry.kind, entry.name], entry.kind)
        found = self.find(step)
        if found is None:
            found = Logged(step, entry)
            self.log.append(found)
        return found

    def _finish(self, logged):
        entry = logged.entry
        logged.ok = not (entry.handled or (entry.flaky and self.bad))
        if logged.ok:
            return
        logged.error = "fatal" if entry.fatal else entry.name + " failed"
        if not entry.handled:
            raise _Fails(logged.error)

    def _fail(self, error):
        self.error = error
        self._roll_back("errored")

    def _roll_back(self, end):
        """Handlers of all steps that have started run, the latest first, until one fails; an instance that errors runs them
        by itself."""
        self._end = end
        self._handlers = [logged.entry for logged in self.log if isinstance(logged.entry, Do) and logged.entry.undo]
        self._outcome = "complete" if self._handlers else None
        self._undo()

    def _undo(self):
        while self._handlers:
            entry = self._handlers[-1]
            self.undone[entry.name] += 1
            if entry.undo == "gated":
                self.status = "rollingBack"
                return
            self._handlers.pop()
            if entry.undo == "flaky" and self.undo_bad:
                self._outcome = "failed"
                self._handlers = []
        self.status, self.rollback = self._end, self._outcome

    # -- what happens to it --

    def release(self):
        """Whatever stands behind a gate of its own passes."""
        if self.status == "rollingBack":
            self._handlers.pop()
            self._undo()
            return
        pausing = self.status == "waitingForPause"
        try:
            self._finish(self.open_step)
        except _Fails as failure:
            self._fail(str(failure))
            return
        if pausing:
            self.status = "paused"
        else:
            self._run()

    def event(self):
        """An event of the type that it waits for, now or later."""
        if self.is_finished:
            return
        self.events += 1
        if self.status == "waiting":
            self._run()

    def pause(self):
        """The action; what it can't do to a status, it leaves undone."""
        if self.status == "running":
            self.status = "waitingForPause"
        elif self.status == "waiting":
            self.status = "paused"

    def resume(self):
        """The action."""
        if self.status == "paused":
            self._run()
        elif self.status == "waitingForPause":
            self.status = "running"

    def terminate(self, rollback=False):
        """The action. Returns whether it is accepted. With `rollback`, a step that is to pause is let through its gate."""
        if self.is_finished:
            return False
        if self.status == "rollingBack":
            self._handlers, self.error, self.was_cut_short = [], None, True
            self.status = "terminated"
        elif not rollback or not self.has_handlers:
            self.status = "terminated"
        else:
            if self.status == "waitingForPause":
                self.open_step.ok = True
            self._roll_back("terminated")
        return True

    def restart(self, step=None):
        """The action. Returns whether it is accepted: a step must be in the log."""
        if step is None:
            self.log, self.was_cut_short = [], False
        elif self.find(step) is None:
            return False
        else:
            self.log = self.log[: self.log.index(self.find(step))]
        self.events, self.error, self.rollback = 0, None, None
        self.restarts += 1
        self._run()
        return True

    def strand(self):
        """It is queued, and nothing runs it."""
        self.status = "queued"

    def unstrand(self):
        """It runs on: a step that was under way begins anew."""
        self._run()

    def vanish(self):
        """It is deleted, and so is the record of what has run."""
        self.is_gone = True
        self.executions.clear()
        self.undone.clear()

    # -- what its log tells --

    def find(self, step):
        """The Logged of a Step, or None."""
        return next((logged for logged in self.log if logged.step == step), None)

    def failed_step(self):
        """The Step whose error is the instance's, the last of them; else the only one that failed, if nothing came after it."""
        failed = [logged for logged in self.log if logged.ok is False]
        guilty = [logged for logged in failed if logged.error == self.error]
        if guilty:
            return guilty[-1].step
        if len(failed) == 1 and failed[0] is self.log[-1]:
            return failed[0].step
        return None

    def reruns(self, step):
        """The Steps after this one that had succeeded; empty where the log hasn't got it."""
        found = self.find(step)
        return [logged.step for logged in self.log[self.log.index(found) + 1 :] if logged.ok] if found else []
