# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stand-ins for what the rooms are given: time, a workflow with instances that live, a gate, a controller."""

from __future__ import annotations

import contextlib
import threading
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import InstanceNotFound, Refused
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.timestamps import parse_timestamp
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.workflows import PAGE_SIZE, Observed, Page

MIDNIGHT = datetime(2026, 8, 6, tzinfo=timezone.utc)


def stamp(seconds):
    """A timestamp as the API writes it, so many seconds past midnight."""
    moment = MIDNIGHT + timedelta(seconds=seconds)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def http_date(seconds):
    """A moment as the header `Date` has it."""
    return format_datetime((MIDNIGHT + timedelta(seconds=seconds)).replace(microsecond=0), usegmt=True)


class FakeClock:
    """Time that passes in `sleep` and `pass_by` alone."""

    def __init__(self, now=0.0):
        self._now = now
        self._lock = threading.Lock()
        #: list of float: every sleep that was asked for.
        self.sleeps = []
        self.is_woken = False

    def monotonic(self):
        return self._now

    def time_of_day(self, seconds):
        return stamp(self._now + seconds)[11:19] + "Z"

    def timestamp(self):
        return stamp(self._now)[:19] + "Z"

    def sleep(self, seconds):
        with self._lock:
            self.sleeps.append(seconds)
            self._now += max(0.0, seconds)

    def pass_by(self, seconds):
        with self._lock:
            self._now += seconds

    def wake(self):
        self.is_woken = True


class SharedClock:
    """Time for several threads: it moves on to the earliest end of a sleep as soon as all of them sleep.

    Args:
        workers: int, the threads that take part; each calls `done` when it ends.
    """

    def __init__(self, workers):
        self._now = 0.0
        self._awake = workers
        self._sleepers = []
        self._changed = threading.Condition()

    def time_of_day(self, seconds):
        return stamp(seconds)[11:19] + "Z"

    def monotonic(self):
        with self._changed:
            return self._now

    def sleep(self, seconds):
        if seconds <= 0:
            return
        with self._changed:
            until = self._now + seconds
            self._sleepers.append(until)
            self._awake -= 1
            self._move_on()
            while self._now < until:
                assert self._changed.wait(60), "the threads of this test are stuck"

    def done(self):
        with self._changed:
            self._awake -= 1
            self._move_on()

    def _move_on(self):
        if self._awake == 0 and self._sleepers:
            self._now = min(self._sleepers)
            asleep = [until for until in self._sleepers if until > self._now]
            self._awake += len(self._sleepers) - len(asleep)
            self._sleepers = asleep
            self._changed.notify_all()


class OpenGate:
    """A rate gate that never holds anything back, and notes what it was asked for."""

    def __init__(self):
        self.spacings = []
        self.held = 0.0

    @contextlib.contextmanager
    def spaced(self, seconds):
        self.spacings.append(seconds)
        yield

    def held_seconds(self):
        return self.held


class FakeController:
    """A controller that is there until `reason` is set."""

    def __init__(self, clock=None):
        self.reason = None
        self.clock = clock

    def watch_signals(self):
        """The signals are the test's own."""

    def gone(self):
        return self.reason


class FakeInstance:
    """An instance of a workflow.

    Args:
        instance_id: str.
        status: str.
        created: float, seconds past midnight.
        pausing: float seconds from an accepted pause to `paused`.
        rolling_back: float seconds for which rollback handlers run; None: it has none.
        after_restart: str, the status that a restart leads to, and `after_resume` that of a resume.
        fields: more of what its detail and its items of listings hold.
    """

    def __init__(
        self,
        instance_id,
        status="running",
        created=0.0,
        pausing=0.0,
        rolling_back=None,
        after_restart="running",
        after_resume="running",
        **fields,
    ):
        self.id = instance_id
        self.status = status
        self.created = created
        self.created_on = stamp(created)
        self.pausing = pausing
        self.rolling_back = rolling_back
        self.after_restart = after_restart
        self.after_resume = after_resume
        self.fields = fields
        self.queued = stamp(created)
        self.started = None if status == "queued" else stamp(created + 0.1)
        self.ended = stamp(created + 1) if status in ("errored", "complete", "terminated") else None
        self.error = {"name": "Error", "message": "card declined"} if status == "errored" else None
        self.rollback = None
        self.steps = []
        self._plans = []

    def later(self, at, status):
        """Plan what happens by itself: at that time (seconds) the instance goes to this status."""
        self._plans.append((at, status))

    def live(self, now):
        """Let everything happen that has been planned until now."""
        if not self._plans:
            return
        due = sorted(plan for plan in self._plans if plan[0] <= now)
        self._plans = [plan for plan in self._plans if plan[0] > now]
        for at, status in due:
            self._go_to(status, at)

    def _go_to(self, status, at):
        if self.status == "rollingBack" and status == "terminated":
            self.rollback = {"outcome": "complete", "error": None}
        self.status = status
        if status != "queued" and self.started is None:
            self.started = stamp(at)
        if status in ("errored", "complete", "terminated"):
            self.ended = stamp(at)
            self.error = {"name": "Error", "message": "card declined"} if status == "errored" else None

    def detail(self, steps):
        detail = {
            "status": self.status,
            "queued": self.queued,
            "start": self.started,
            "end": self.ended,
            "error": self.error,
            "rollback": self.rollback,
        }
        detail.update(self.fields)
        if steps:
            detail["steps"] = list(self.steps)
        return detail

    def item(self):
        item = {
            "id": self.id,
            "status": self.status,
            "created_on": self.created_on,
            "started_on": self.started,
            "ended_on": self.ended,
            "version_id": "v1",
            "trigger_source": "api",
        }
        item.update(self.fields)
        return item

    def change(self, action, now, step=None, rollback=False):
        """What the API does with a PATCH by the status (tests/engine/README.md, "Measured")."""
        finished = self.status in ("errored", "complete", "terminated")
        if action == "pause" and self.status == "running" and self.pausing:
            self._go_to("waitingForPause", now)
            self.later(now + self.pausing, "paused")
        elif action == "pause" and self.status in ("running", "waiting"):
            self._go_to("paused", now)
        elif action == "resume" and self.status in ("paused", "waitingForPause"):
            self._plans = [plan for plan in self._plans if plan[1] != "paused"]
            self._go_to(self.after_resume, now)
        elif action == "terminate":
            if finished:
                raise Refused("the API says: workflows.api.error.instance.cannot_terminate (code 10401)", code=10401, http_status=409)
            if rollback and self.rolling_back is not None:
                self._go_to("rollingBack", now)
                self.later(now + self.rolling_back, "terminated")
            else:
                self._go_to("terminated", now)
        elif action == "restart":
            self._restart(now, step)

    def _restart(self, now, step):
        if step is None:
            self.queued = self.started = stamp(now)
        else:
            name = f"{step.name}-{step.count}"
            entry = next((entry for entry in self.steps if entry["name"] == name), None)
            if entry is None:
                raise Refused("the API says: Instance not in a restartable state", code=None, http_status=409)
            self.steps = [*self.steps[: self.steps.index(entry)], dict(entry, start=stamp(now), end=None, success=None, error=None)]
        self.ended = self.error = None
        self._go_to("running", now)
        if self.after_restart != "running":
            self._go_to(self.after_restart, now + 0.05)


class FakeWorkflow:
    """A workflow in memory, with the interface of workflows.Workflow.

    Args:
        clock: the clock of the test.
        instances: FakeInstances.
        latency: float seconds that a call takes.
    """

    name = "orders"
    terminates_by_hundreds = True

    def __init__(self, clock, *instances, latency=0.0):
        self.clock = clock
        self.latency = latency
        self.instances = {instance.id: instance for instance in instances}
        #: Ids that `terminate_many` leaves as they are.
        self.left_alone = set()
        #: list of tuple: ("detail", id), ("log", id), ("list", status, page), ("patch", id, action) or ("batch", id, …).
        self.calls = []
        self._faults = []
        self._hooks = []
        self._lock = threading.Lock()

    # -- for tests ----------------------------------------------------------------------------------------------

    def fail(self, call, error, times=1, work=False):
        """Have calls fail that begin like this one; work: what was asked is done all the same."""
        self._faults.append([call, error, times, work])

    def before(self, call, action, times=1):
        """Run an action (callable) before calls that begin like this one."""
        self._hooks.append([call, action, times])

    def count(self, *kinds):
        """How many calls of these kinds (detail, log, list, patch) were made."""
        return sum(call[0] in kinds for call in self.calls)

    def patches(self):
        """The PATCHes in their order: (id, action)."""
        return [call[1:] for call in self.calls if call[0] == "patch"]

    # -- as workflows.Workflow ----------------------------------------------------------------------------------

    def detail(self, instance_id, steps=False, slots=1):
        asked_at = self.clock.monotonic()
        with self._calling("log" if steps else "detail", instance_id):
            return Observed(self._instance(instance_id).detail(steps), asked_at)

    def change_status(self, instance_id, action, step=None, rollback=False, slots=1, longest_wait=None, is_repetition=False):
        def work():
            instance = self._instance(instance_id)
            instance.change(action, self.clock.monotonic(), step, rollback)
            return {"status": "running" if action == "restart" else instance.status, "timestamp": stamp(self.clock.monotonic())}

        with self._calling("patch", instance_id, action, work=work):
            return work()

    def terminate_many(self, instance_ids):
        def work():
            now = self.clock.monotonic()
            running = [self.instances[name] for name in instance_ids if name in self.instances and name not in self.left_alone]
            running = [instance for instance in running if instance.status not in ("errored", "complete", "terminated")]
            for instance in running:
                instance.change("terminate", now)
            return {"status": "ok", "instancesTerminated": len(running)}

        with self._calling("batch", *instance_ids, work=work):
            return work()

    def pages(self, status=None, created_after=None, created_before=None):
        number, last = 0, None
        while last is not None or number == 0:
            number += 1
            page, last = self.page(number, last, status, created_after, created_before)
            yield page

    def page(self, number, last, status=None, created_after=None, created_before=None):
        """One page of a listing, and the place of its last instance; None where nothing follows.

        Args:
            number: int, from 1.
            last: the place that this returned with the page before, or None.
        """
        asked_at = self.clock.monotonic()
        with self._calling("list", status, number):
            matching = self._listed(status, created_after, created_before)
            left = [instance for instance in matching if last is None or _place(instance) < last]
            page = Page([instance.item() for instance in left[:PAGE_SIZE]], len(matching), asked_at)
        return page, _place(left[PAGE_SIZE - 1]) if len(left) > PAGE_SIZE else None

    # -- inside -------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _calling(self, *call, work=lambda: None):
        self.clock.pass_by(self.latency)
        with self._lock:
            for hook in self._hooks:
                if call[: len(hook[0])] == hook[0] and hook[2]:
                    hook[2] -= 1
                    hook[1]()
            self.calls.append(call)
            for fault in self._faults:
                if call[: len(fault[0])] == fault[0] and fault[2]:
                    fault[2] -= 1
                    if fault[3]:
                        work()
                    raise fault[1]
            yield

    def _instance(self, instance_id):
        try:
            instance = self.instances[instance_id]
            instance.live(self.clock.monotonic())
            return instance
        except KeyError:
            raise InstanceNotFound(
                "the API says: workflows.api.error.instance.not_found (code 10400)", code=10400, http_status=404
            ) from None

    def _listed(self, status, created_after, created_before):
        """The instances that a listing holds, newest first."""
        now = self.clock.monotonic()
        for instance in self.instances.values():
            instance.live(now)
        after, before = (parse_timestamp(text) for text in (created_after, created_before))
        return sorted(
            (
                instance
                for instance in self.instances.values()
                if (status is None or instance.status == status)
                and (after is None or MIDNIGHT + timedelta(seconds=instance.created) >= after)
                and (before is None or MIDNIGHT + timedelta(seconds=instance.created) <= before)
            ),
            key=_place,
            reverse=True,
        )


def _place(instance):
    return instance.created, instance.id


def many(count, status="running", prefix="i", **fields):
    """So many instances, the oldest first; their ids have four digits."""
    return [FakeInstance(f"{prefix}{number:04d}", status, created=number / 10.0, **fields) for number in range(count)]
