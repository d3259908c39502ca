# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The model's instances side by side with the real ones: created, moved by others, and compared after every move."""

from __future__ import annotations

import contextlib
import time
from urllib.parse import quote

from engine import EngineError
from model import UNKNOWN_STATUS
from model_checks import same
from model_engine import WORKFLOW, op, path, release_ops, truth_of, wanted_of
from model_instance import Instance, step_switch, undo_switch

#: Seconds in which the engine has to come to rest after whatever was done to it.
PATIENCE = 60


class World:
    """All instances of one sequence.

    Args:
        bench: conftest.Bench.
        prefix: str, part of the ids of this sequence's instances and of no others.
    """

    def __init__(self, bench, prefix):
        self.bench = bench
        self.prefix = prefix
        #: dict of id: Instance, oldest first; those deleted stay in it.
        self.instances = {}
        self._marks = {}  # id → (restarts, what of the detail tells one run from the next)

    def control(self, method, where, body=None):
        """A call of the control API."""
        return self.bench.control(method, where, body)

    def alive(self):
        """The instances that are there; oldest first."""
        return [instance for instance in self.instances.values() if not instance.is_gone]

    def known(self):
        """The instances that a task may name: those that are there, and two that are not."""
        return self.alive() + [instance for instance in self.instances.values() if instance.is_gone][-2:]

    def create(self, program, bad, undo_bad, cron):
        """A new instance; `cron`: with an id as cron triggers make them. Returns it."""
        instance_id = "%s%s%d" % ("*/5 * * * *-" if cron else "", self.prefix, len(self.instances))
        instance = Instance(instance_id, program, bad, undo_bad)
        self._set_switches(instance)
        self.bench.create(WORKFLOW, [instance_id], instance.params())
        self.instances[instance_id] = instance
        self.settle([instance])
        return instance

    def imagine(self):
        """An instance that never was, under an id that a task may name. Returns it."""
        nobody = Instance(self.prefix + "nobody", ())
        nobody.vanish()
        self.instances[nobody.id] = nobody
        return nobody

    def end(self):
        """Remove all; before, nothing more has run than is known."""
        try:
            for instance in self.instances.values():
                report = self._report(instance)
                same("steps of " + instance.id, report["steps"], dict(instance.executions))
                same("handlers of " + instance.id, report["rollbacks"], dict(instance.undone))
        finally:
            self.control("DELETE", "/faults")
            self.control("DELETE", "/overlay")
            self.control("POST", "/purge", {"workflow": WORKFLOW})

    # -- the engine is where the model is -----------------------------------------------------------------------

    def settle(self, instances):
        """Wait until the engine has come to where the model is."""
        for instance in instances:
            wanted, end = wanted_of(instance), time.monotonic() + PATIENCE
            while True:
                truth, mark = self._truth(instance)
                if truth == wanted and self._is_new_run(instance, mark):
                    break
                if time.monotonic() > end:
                    raise AssertionError(f"{instance.id} does not come to where the model is:\n  model  {wanted}\n  engine {truth}")
                time.sleep(0.005)
            self._marks[instance.id] = (instance.restarts, mark)

    def _truth(self, instance):
        _code, _headers, body = self.bench.engine.api("GET", path(instance.id))
        return truth_of(body.get("result") or {}, self._report(instance))

    def _report(self, instance):
        return self.bench.steps(WORKFLOW, quote(instance.id, safe=""))

    def _is_new_run(self, instance, mark):
        """A restart that changes nothing else is over only when the timestamps have moved."""
        restarts, before = self._marks.get(instance.id, (instance.restarts, None))
        return restarts == instance.restarts or instance.is_gone or before != mark

    def _set_switches(self, instance):
        for name, value in ((step_switch(instance.id), instance.bad), (undo_switch(instance.id), instance.undo_bad)):
            self.control("POST", "/switch", {"name": name, "value": value})

    # -- what others do -----------------------------------------------------------------------------------------

    def happenings(self, instance):
        """What may happen to an instance now, so that what follows is known: list of str, the likelier the more often."""
        status, names = instance.status, []
        if instance.stands_at_gate:
            names += ["finish", "finish", "finish"]
        if instance.stands_at_gate and instance.open_step is not None and instance.open_step.entry.flaky:
            names += ["fail", "fail"]
        if status != "rollingBack":  # how others fare then was never measured
            names += self._common_happenings(instance)
        return [*names, "terminate", "delete"]

    def _common_happenings(self, instance):
        status, names = instance.status, []
        if status in ("running", "waiting"):
            names += ["pause", "strand"]
        # An event makes a stranded instance run, and can be taken for two by it.
        names += ["unstrand", "unstrand"] if status == "queued" else ["event", "event"]
        names += ["pause", "resume", "switch", "restart", "disguise"]
        if status in ("running", "waiting", "paused", "queued") and instance.has_handlers:
            names += ["roll_back", "roll_back"]
        if instance.rollback is None and not instance.was_cut_short:
            names += ["restart_from"]
        return names

    def happen(self, name, instance, choose=None):
        """Let it happen. `choose`: callable(list), picks one of what there is to choose from."""
        getattr(self, "_" + name, self._send)(name, instance, choose)
        self.settle([instance])

    def _do(self, instance, name, **more):
        return self.control("POST", "/op", op(instance, name, **more))

    def _send(self, name, instance, _choose):
        with contextlib.suppress(EngineError):  # a finished one can't be terminated
            self._do(instance, name)
        getattr(instance, name)()

    def _finish(self, _name, instance, _choose):
        self.control("POST", "/op", release_ops(instance))
        instance.release()

    def _fail(self, name, instance, choose):
        instance.bad = True
        self._set_switches(instance)
        self._finish(name, instance, choose)

    def _switch(self, _name, instance, choose):
        instance.bad, instance.undo_bad = choose([(False, False), (False, True), (True, False), (True, True)])
        self._set_switches(instance)

    def _event(self, _name, instance, _choose):
        self._do(instance, "event", type="go")
        instance.event()

    def _restart_from(self, _name, instance, choose):
        step = choose([logged.step for logged in instance.log])
        self._do(instance, "restart", **{"from": step._asdict()})
        instance.restart(step)

    def _roll_back(self, _name, instance, _choose):
        self._do(instance, "background", ops=[op(instance, "terminate", rollback=True)])
        instance.terminate(rollback=True)

    def _strand(self, _name, instance, _choose):
        self.control("POST", "/strand", {"workflow": WORKFLOW, "instance": instance.id})
        instance.strand()

    def _unstrand(self, _name, instance, _choose):
        self.control("POST", "/strand", {"workflow": WORKFLOW, "instance": instance.id, "undo": True})
        instance.unstrand()

    def _disguise(self, _name, instance, _choose):
        overlay = {"workflow": WORKFLOW, "instance": instance.id, "status": UNKNOWN_STATUS, "until_patch": True}
        self.control("POST", "/overlay", overlay)
        instance.overlay = UNKNOWN_STATUS

    def _delete(self, _name, instance, _choose):
        self._do(instance, "delete")
        instance.vanish()
