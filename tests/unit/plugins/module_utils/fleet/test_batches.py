# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Batch by batch: which instances are in which, what each is decided on, and what ends them early."""

from __future__ import annotations

import pytest

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import AuthenticationError
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet import account
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.account import Told
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.batches import Batches
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.fleet import Fleet
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.pursuer import Limits
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.selection import Selection
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.survey import Surveyor
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.record import CHANGED, FAILED, NOT_ATTEMPTED, UNCHANGED
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.wanted import Wanted
from ansible_collections.edgeops.cloudflare.tests.unit.fakes import (
    FakeController,
    FakeInstance,
    FakeWorkflow,
    OpenGate,
    http_date,
    many,
    stamp,
)
from ansible_collections.edgeops.cloudflare.tests.unit.tables import each_row

ERRORED = {"statuses": ("errored",)}


class Notes:
    """A logbook that keeps what it is told."""

    def __init__(self):
        self.pages = []

    def before(self, records):
        self.pages.append(("before", [record.id for record in records]))

    def after(self, records):
        self.pages.append(("after", [(record.id, record.outcome) for record in records]))


def run(
    workflow, state, sizes, ids=None, select=None, check_mode=False, controller=None, logbook=None, pause=0.0, max_failures=None, **wanted
):
    selection = None if select is None else Selection(**select)
    if selection is not None and selection.statuses:
        wanted["selected"] = frozenset(selection.statuses)
    limits = Limits(max_instances=100_000, max_failures=max_failures, concurrency=1, batch_sizes=tuple(sizes), batch_pause=pause)
    surveyor = Surveyor(workflow, workflow.clock, lambda: http_date(workflow.clock.monotonic() + 3600))
    gone = (controller or FakeController()).gone
    fleet = Fleet(workflow, surveyor, Wanted(state=state, **wanted), limits, workflow.clock, OpenGate(), gone, check_mode, logbook)
    fleet.run(ids, selection)
    assert all(record.outcome for record in fleet.records), "every instance has an outcome, always"
    return fleet


def charging(instance):
    """Let an errored instance have a log in which the step `charge` has failed."""
    instance.steps = [{"name": "charge-1", "type": "step", "start": stamp(0.5), "success": False, "error": instance.error}]
    return instance


def sizes_of(fleet):
    return [batch["matched"] for batch in fleet.batches.told()]


def outcomes(fleet, outcome):
    return [record.id for record in fleet.records if record.outcome == outcome]


@each_row(
    "sizes, count, expected",
    [
        ([5, 50, 200], 455, [5, 50, 200, 200]),
        ([5, 50, 200], 456, [5, 50, 200, 200, 1]),
        ([5, 50, 200], 4, [4]),
        ([100], 100, [100]),
        ([1], 3, [1, 1, 1]),
        ([], 7, []),
        ([5], 0, []),
    ],
)
def test_sizes(sizes, count, expected):
    batches = Batches(sizes)
    batches.plan([_Untouched()] * count)
    assert [batch["matched"] for batch in batches.told()] == expected
    assert {batch["of"] for batch in batches.told()} <= {len(expected)}


class _Untouched:
    outcome, failed, errored_again, action = UNCHANGED, False, False, None


def test_each_batch_is_settled_before_the_next_begins(clock):
    workflow = FakeWorkflow(clock, *many(12, "running", pausing=3.0))
    fleet = run(workflow, "paused", [2, 5], select={"statuses": ("running",)}, pause=7.0)
    assert sizes_of(fleet) == [2, 5, 5] and fleet.batches.told()[0] == {
        "number": 1,
        "of": 3,
        "matched": 2,
        "changed": 2,
        "failed": 0,
        "errored_again": 0,
    }
    order = [call[1] for call in workflow.calls if call[0] == "patch"]
    assert order == [record.id for record in fleet.records], "in the order of the result"
    kinds = "".join({"patch": "P", "list": "l", "detail": "d"}[call[0]] for call in workflow.calls)
    assert kinds.count("P") == 12
    assert kinds[:3] == "lPP" and kinds[3] in "ld", "two, and then looks"
    assert clock.sleeps.count(7.0) == 2


def test_what_needs_nothing_is_in_no_batch(clock):
    """A canary of five that were paused already would be none."""
    workflow = FakeWorkflow(
        clock, *many(20, "paused"), FakeInstance("late", "running", created=-1.0), FakeInstance("later", "running", created=-2.0)
    )
    fleet = run(workflow, "paused", [1], ids=[*(record.id for record in many(20, "paused")), "late", "later"])
    assert sizes_of(fleet) == [1, 1] and outcomes(fleet, CHANGED) == ["late", "later"]


def test_a_batch_in_which_nothing_was_sent_proves_nothing(clock):
    """By the time of their own look the first two need nothing any more: the next batch is as small."""
    workflow = FakeWorkflow(clock, *(charging(instance) for instance in many(12, "errored")))
    names = list(workflow.instances)
    for name in names[:2]:
        workflow.before(("log", name), lambda name=name: workflow.instances[name].later(0.0, "complete"))
    fleet = run(workflow, "restarted", [2, 100], ids=names, when_status=frozenset(["errored"]), from_failed_step=True)
    assert sizes_of(fleet) == [2, 2, 8]
    assert [batch["changed"] for batch in fleet.batches.told()] == [0, 2, 8]


def test_a_batch_is_decided_on_a_look_of_its_own(clock):
    """What has finished by the time its batch begins is left alone, for one listing more."""
    instances = many(30, "running")
    workflow = FakeWorkflow(clock, *instances)

    def finish():
        for instance in instances[:3]:
            instance.later(0.0, "complete")

    last = instances[-1]
    workflow.before(("patch", last.id), finish)
    fleet = run(workflow, "paused", [1, 100], select={"statuses": ("running",)}, skip_finished=True)
    assert set(outcomes(fleet, UNCHANGED)) == {instance.id for instance in instances[:3]}
    assert workflow.count("list") <= 4 and workflow.count("detail") == 0


def test_failures_end_it_by_the_batch(clock):
    """Those that errored again count, once they are settled: the canary dies alone."""
    workflow = FakeWorkflow(clock, *many(20, "errored", after_restart="errored"))
    clock.pass_by(100)
    fleet = run(workflow, "restarted", [3, 100], select=ERRORED, max_failures=2)
    told = fleet.batches.told()
    assert len(told) == 1 and (told[0]["of"], told[0]["matched"], told[0]["failed"]) == (2, 3, 0)
    assert told[0]["errored_again"] == len(workflow.patches()) == len(outcomes(fleet, CHANGED)) == 3
    assert len(outcomes(fleet, NOT_ATTEMPTED)) == 17
    text = account.message(Told(fleet.records, "orders", Wanted("restarted"), 1000, batches=told))
    assert text.startswith("3 of 20 instances of orders were restarted and have errored again: 3 with Error: card declined")
    assert "17 were not attempted (max_failures (2) is reached, in batch 1 of 2)" in text


def test_a_step_that_is_tried_for_seconds_is_waited_for(clock):
    """One look after the restart finds them all fine."""
    instances = many(10, "errored")
    for instance in instances:
        instance.steps = [
            {"name": "charge-1", "type": "step", "start": "2026-08-06T00:00:00.500Z", "success": False, "error": instance.error}
        ]
    workflow = FakeWorkflow(clock, *instances)
    clock.pass_by(100)
    for instance in instances:
        workflow.before(("patch", instance.id), lambda instance=instance: instance.later(clock.monotonic() + 10.0, "errored"))
    fleet = run(workflow, "restarted", [5, 100], select=ERRORED, max_failures=3, from_failed_step=True, wait_until="past_step")
    assert len(workflow.patches()) == 5 and outcomes(fleet, FAILED) == [name for name, _action in workflow.patches()]
    assert fleet.batches.told()[0]["errored_again"] == 5


def test_check_mode_tells_the_batches(clock):
    workflow = FakeWorkflow(clock, *many(30, "running"), *[FakeInstance(f"p-{number}", "paused") for number in range(5)])
    fleet = run(workflow, "paused", [5, 10], select={"id_glob": "*"}, check_mode=True)
    assert sizes_of(fleet) == [5, 10, 10, 5] and workflow.patches() == []
    told = Told(fleet.records, "orders", Wanted("paused"), 1000, check_mode=True, batches=fleet.batches.told(), batch_pause=30.0)
    assert "Would pause 30 of 35 instances of orders, and wait (30 running) in 4 batches of 5, 10, 10, 5, 30 s apart" in account.message(
        told
    )


def test_nothing_is_sent_once_nobody_listens(clock):
    controller = FakeController()
    workflow = FakeWorkflow(clock, *many(10, "running"))
    fleet = None

    def stop(seconds, sleep=clock.sleep):
        if seconds == 60.0:
            controller.reason = "stopped by SIGTERM"
        sleep(seconds)

    clock.sleep = stop
    fleet = run(workflow, "paused", [4], select={"statuses": ("running",)}, pause=60.0, controller=controller)
    assert len(workflow.patches()) == 4 and len(outcomes(fleet, NOT_ATTEMPTED)) == 6
    assert "stopped by SIGTERM" in fleet.fatal.message


# -- the record -----------------------------------------------------------------------------------------------------------


def test_a_record_before_and_after_each_batch(clock):
    notes = Notes()
    workflow = FakeWorkflow(clock, *many(5, "running"), FakeInstance("p", "paused"))
    fleet = run(workflow, "paused", [3], select={"id_glob": "*"}, logbook=notes)
    names = [record.id for record in fleet.records if record.id != "p"]
    assert notes.pages == [
        ("before", names[:3]),
        ("after", [(name, CHANGED) for name in names[:3]]),
        ("before", names[3:]),
        ("after", [(name, CHANGED) for name in names[3:]]),
    ]


@pytest.mark.parametrize("sizes", [[100], ()])
def test_the_record_is_complete_whatever_ends_the_task(clock, sizes):
    notes = Notes()
    workflow = FakeWorkflow(clock, *many(4, "running"))
    names = [instance.id for instance in reversed(many(4, "running"))]
    workflow.fail(("patch", names[2]), AuthenticationError("revoked"))
    run(workflow, "paused", sizes or [1000], select={"statuses": ("running",)}, logbook=notes)
    outcome = [CHANGED, CHANGED, NOT_ATTEMPTED, NOT_ATTEMPTED]
    assert notes.pages == [("before", names), ("after", list(zip(names, outcome)))]


def test_nothing_to_do_is_no_record(clock):
    notes = Notes()
    run(FakeWorkflow(clock, *many(4, "paused")), "paused", [2], select={"id_glob": "*"}, logbook=notes)
    assert notes.pages == []


def test_each_batch_is_looked_at_again_soon(clock):
    """The pauses between looks don't grow from batch to batch."""
    workflow = FakeWorkflow(clock, *many(20, "running", pausing=1.0))
    run(workflow, "paused", [1], select={"statuses": ("running",)}, wait_sleep=2.0)
    assert clock.monotonic() < 60
