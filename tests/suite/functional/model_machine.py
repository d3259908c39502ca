# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module on the real engine, held against the model: random sequences of tasks and of what others do meanwhile.

Every rule leaves all instances at rest, so that what comes next is known: they stand behind gates, wait for events, sleep
for an hour, or have finished. Races are made by the gateway, which lets something happen right before the module's PATCH.
After every rule the engine's own statuses, logs and the recorder's counts of what truly ran must be the model's.
"""

from __future__ import annotations

import collections
import copy
import functools
import json
from dataclasses import replace
from unittest import mock

import model
from hypothesis import HealthCheck, Phase, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from model import STATES, Task
from model_checks import check_cost, check_result, compare, explained, same
from model_engine import WORKFLOW, meddling_of, rules_of
from model_instance import STATUSES, Do, Wait
from model_programs import PROGRAMS
from model_world import World

#: Instances alive at the same time.
MOST_INSTANCES = 6

#: Seconds that a task waits for what comes, and for what doesn't.
LONG_WAIT, SHORT_WAIT = 30, 0.15

_RARELY = st.sampled_from([False, False, True])
_MODES = st.sampled_from(["check", "real", "check and real"])


class Machine(RuleBasedStateMachine):
    """The module, the engine and the model. `bench` and `coverage` are set by `run`."""

    bench = None
    coverage = None
    serial = 0

    def __init__(self):
        super().__init__()
        Machine.serial += 1  # of all batches: what one has left behind must not meet another's instances
        self.world = World(self.bench, "m%d-" % self.serial)
        self.coverage.totals["sequences"] += 1

    def teardown(self):
        """Nothing ran later either; then all is removed."""
        self.world.end()

    def _draw(self, data, instances):
        """One of these instances; rare statuses are as likely as others."""
        status = data.draw(st.sampled_from(sorted({str(instance.shown) for instance in instances})), label="status")
        ids = [instance.id for instance in instances if str(instance.shown) == status]
        return self.world.instances[data.draw(st.sampled_from(ids), label="instance")]

    # -- what others do -----------------------------------------------------------------------------------------

    @initialize(programs=st.tuples(PROGRAMS, PROGRAMS))
    def begin(self, programs):
        """Two instances to begin with, so that every rule has something to do, and one that never was."""
        self.world.imagine()
        for bad, program in enumerate(programs):
            self._create(program, bool(bad))

    @rule(data=st.data(), program=PROGRAMS, bad=st.booleans(), undo_bad=_RARELY, cron=_RARELY, settled=st.booleans())
    def create(self, data, program, bad, undo_bad, cron, settled):
        """A new instance, left as it is or (not settled) moved by somebody at once."""
        alive = self.world.alive()
        if len(alive) >= MOST_INSTANCES:
            self.world.happen("delete", min(alive, key=lambda instance: not instance.is_finished))
        self.coverage.rules["create"] += 1
        instance = self._create(program, bad, undo_bad, cron)
        if not settled:
            self._happen(data, instance)

    def _create(self, program, bad=False, undo_bad=False, cron=False):
        self.coverage.totals["instances"] += 1
        return self.world.create(program, bad, undo_bad, cron)

    def _alive(self):
        """The instances that are there, at least one."""
        return self.world.alive() or [self._create((Do("begin"), Wait("a")))]

    @rule(data=st.data())
    def outside(self, data):
        """Somebody else does something, or the instance itself goes on."""
        self._happen(data, self._draw(data, self._alive()))

    def _happen(self, data, instance):
        name = data.draw(st.sampled_from(self.world.happenings(instance)), label="happens")
        self.coverage.rules["outside: " + name.replace("_", " ")] += 1
        self.world.happen(name, instance, lambda choices: data.draw(st.sampled_from(choices)))

    # -- our tasks ----------------------------------------------------------------------------------------------

    @rule(data=st.data(), mode=_MODES)
    def task_for_one(self, data, mode):
        """A task with `instance_id`."""
        instance = self._draw(data, self.world.known())
        self._perform("task for one", self._task(data, [instance]), {"instance_id": instance.id}, [instance], mode)

    @rule(data=st.data())
    def task_in_a_race(self, data):
        """A task with `instance_id`; somebody else is faster with something between its look and its PATCH."""
        instance = self._draw(data, self._alive())
        task = self._task(data, [instance])
        choices = meddling_of(task, instance)
        if choices:
            task = replace(task, meddling=data.draw(st.sampled_from(choices), label="meanwhile"))
        self._perform("task in a race", task, {"instance_id": instance.id}, [instance], "real")

    @rule(data=st.data(), mode=_MODES)
    def task_for_several(self, data, mode):
        """A task with `instance_ids`, some of them given twice."""
        ids = data.draw(st.lists(st.sampled_from([instance.id for instance in self.world.known()]), min_size=1, max_size=8), label="ids")
        instances = [self.world.instances[instance_id] for instance_id in dict.fromkeys(ids)]
        options = {"instance_ids": ids, "concurrency": data.draw(st.sampled_from([1, 4]), label="concurrency")}
        task = self._task(data, instances)
        is_refused = task.state == "restarted" and not task.wait  # with max_failures
        if (
            options["concurrency"] == 1
            and not is_refused
            and not any(expected.failed and expected.is_late for expected in _foreseen(task, instances))
        ):
            options["max_failures"] = data.draw(st.sampled_from([None, None, 1, 2]), label="max_failures")
        self._perform("task for several", task, options, instances, mode)

    @rule(data=st.data(), mode=_MODES)
    def task_for_a_selection(self, data, mode):
        """A task with `select`."""
        wanted = data.draw(st.lists(st.sampled_from(STATUSES), min_size=0, max_size=4, unique=True), label="select.status")
        matched = [instance for instance in reversed(self._alive()) if not wanted or instance.shown in wanted]
        task = self._task(data, matched)
        if task.state == "restarted" and not wanted and task.when_status is None:
            wanted = list(STATUSES)
            matched = [instance for instance in matched if instance.shown in wanted]
        select = {"id_glob": f"*{self.world.prefix}*"}
        if wanted:
            select["status"] = wanted
        options = {"select": select}
        if len(matched) > 1 and data.draw(st.integers(0, 4), label="too many") == 0:
            self._refuse_too_many(task, dict(options, max_instances=len(matched) - 1), len(matched) - 1, mode)
            return
        self._perform("task for a selection", task, options, matched, mode)

    def _refuse_too_many(self, task, options, limit, mode):
        self.coverage.rules["selection too large"] += 1
        self.world.control("POST", "/calls/reset")
        result = self.bench.module(check_mode=mode == "check", **task_options(task, LONG_WAIT), **options)
        assert result["failed"] and not result["changed"], result["msg"]
        assert "more than max_instances=%d" % limit in result["msg"], result["msg"]
        self._check_calls(result, {})

    def _task(self, data, instances):
        """Draw what to ask for, with an eye on what these instances are."""
        state = data.draw(st.sampled_from(STATES), label="state")
        shown = sorted({instance.shown for instance in instances} & set(STATUSES))
        when = st.none() | st.lists(st.sampled_from(STATUSES), min_size=1, max_size=3, unique=True).map(tuple)
        if shown:
            when = when | st.sampled_from(shown).map(lambda status: (status,))
        task = Task(
            state,
            when_status=data.draw(st.one_of(st.none(), st.none(), st.none(), when), label="when_status"),
            skip_finished=data.draw(st.booleans(), label="skip_finished"),
            wait=data.draw(st.sampled_from([True, True, True, False]), label="wait"),
        )
        if state == "terminated" and not any(one.status == "waitingForPause" and one.bad for one in instances):
            task = replace(task, rollback=data.draw(st.booleans(), label="rollback"))
        if state == "restarted":
            task = self._restart_task(data, task, instances)
        opened = replace(task, gates_open=task.wait and data.draw(st.booleans(), label="gates open"))
        return opened if _is_plain(opened, instances) else task

    def _restart_task(self, data, task, instances):
        how = data.draw(st.sampled_from(["whole", "step", "failed step"]), label="restart")
        if how == "whole" or any(one.was_cut_short for one in instances):
            return task
        if how == "failed step":
            return replace(task, from_failed_step=True)
        steps = sorted({logged.step for one in instances for logged in one.log})
        return replace(task, step=data.draw(st.sampled_from([*steps, model.Step("nowhere", 1, "do")]), label="from_step"))

    def _perform(self, name, task, options, instances, mode):
        """Run a task in check mode, in earnest, or both, and compare what it tells, did and cost."""
        self.coverage.rules[name] += 1
        waits = [expected for expected in _foreseen(task, instances) if expected.times_out]
        options = dict(task_options(task, SHORT_WAIT if waits else LONG_WAIT), **options)
        limit = options.get("max_failures")
        check = None
        if mode != "real":
            expected = _expected(limit, functools.partial(model.foretell, task), instances)
            self._note(task, instances, "check")
            check = self._run(task, options, instances, expected, check_mode=True)
        if mode != "check":
            self._note(task, instances, "real")
            rules = rules_of(task, instances, "select" in options)
            if rules:
                self.world.control("POST", "/faults", rules)
            expected = _expected(limit, functools.partial(model.enact, task), instances)
            real = self._run(task, options, instances, expected, check_mode=False)
            for one in expected.values():
                self.coverage.outcomes[one.outcome] += 1
            if rules:
                failed = [rule for rule in self.world.control("GET", "/faults")["rules"] if rule["op_errors"]]
                assert not failed, failed
                self.world.control("DELETE", "/faults")
            if check is not None:
                compare(check, real, expected)
        self.world.settle(instances)

    def _run(self, task, options, instances, expected, check_mode):
        self.world.control("POST", "/calls/reset")
        result = self.bench.module(check_mode=check_mode, diff=True, **options)
        with explained(task, options, result):
            patches = {instance_id: [] if check_mode else one.patches for instance_id, one in expected.items()}
            self._check_calls(result, patches)
            check_result(task, result, instances, expected, "instance_id" in options)
            if "instance_id" in options:
                check_cost(result, expected[options["instance_id"]], check_mode)
        return result

    def _check_calls(self, result, patches):
        """The gateway has seen what the module says it has made, and no other PATCH than these."""
        seen = self.bench.calls()
        told = result["api_calls"]
        for kind in ("reads", "lists", "patches"):
            same("api_calls." + kind, told[kind], seen["by_kind"][kind])
        same("api_calls.total", told["total"], seen["total"])
        sent = collections.defaultdict(list)
        for call in seen["log"]:
            if call["kind"] == "patch":
                sent[call["instance"]].append(json.loads(call["body"]))
        same("PATCHes at the gateway", dict(sent), {instance_id: bodies for instance_id, bodies in patches.items() if bodies})

    def _note(self, task, instances, mode):
        self.coverage.totals["module runs"] += 1
        for instance in instances:
            self.coverage.pairs[instance.shown, task.state, mode] += 1
            if task.meddling and mode == "real":
                self.coverage.meddling[instance.shown, model.decide(task, instance), task.meddling] += 1


def task_options(task, wait_timeout):
    """The module's options for a Task."""
    options = {
        "workflow_name": WORKFLOW,
        "state": task.state,
        "when_status": list(task.when_status) if task.when_status else None,
        "from_step": task.step._asdict() if task.step else None,
        "from_failed_step": task.from_failed_step,
        "rollback": task.rollback,
        "skip_finished": task.skip_finished,
        "wait": task.wait,
        "wait_timeout": wait_timeout,
        "wait_sleep": 0.1,
    }
    return {name: value for name, value in options.items() if value not in (None, False)} | {"wait": task.wait}


def _is_plain(task, instances):
    """Whether gates may open meanwhile: no short wait for one cuts off another, and no look falls into a rollback of its own."""
    if any(instance.bad and instance.has_handlers for instance in instances):
        return False
    return len(instances) == 1 or not any(expected.times_out for expected in _foreseen(task, instances))


def _foreseen(task, instances):
    """What a real run would come to, without anything happening."""
    return [model.enact(task, copy.deepcopy(instance)) for instance in instances]


def _expected(limit, predict, instances):
    """dict of id: Expected; after so many failures, or None, the rest are not even looked at."""
    expected, failures = {}, 0
    for instance in instances:
        if limit is not None and failures >= limit:
            expected[instance.id] = model.Expected("not_attempted", statuses=(None,))
            continue
        one = expected[instance.id] = predict(instance)
        failures += one.failed and not one.is_late
    return expected


#: Sequences of one run of hypothesis: with more it would begin with short ones and go over to variations of what it has
#: made, and both find less here than sequences all new.
BATCH = 9


def run_batch(bench, coverage, seed, length, shrink=False):
    """Run BATCH sequences of so many rules each, which follow from the seed.

    shrink: bool, look for a shorter sequence that fails as well; may take minutes.
    """
    from quickclock import quick_clock

    from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet import settle
    from ansible_collections.edgeops.cloudflare.plugins.module_utils.task import session

    bound = type("Machine", (Machine,), {"bench": bench, "coverage": coverage})
    machine_settings = settings(
        max_examples=BATCH,
        stateful_step_count=length,
        deadline=None,
        database=None,
        derandomize=False,  # the seed does that
        phases=(Phase.generate, Phase.shrink) if shrink else (Phase.generate,),
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )
    # The pause between two calls while settling is for a server's sake; that it is kept is tested elsewhere.
    # By a clock that passes by sleeping alone, no look grows too old, and costs another one, because the machine is busy.
    with mock.patch.object(settle, "SPACING", 0.02), mock.patch.object(session, "Clock", quick_clock(pace=1)):
        run_state_machine_as_test(seeded(seed)(bound), settings=machine_settings)
