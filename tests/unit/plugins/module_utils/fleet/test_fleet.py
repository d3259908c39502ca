# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many instances in one task: exactly which calls are made, in which order results come, and what ends a task early."""

from __future__ import annotations

import collections
import threading
import tracemalloc

import pytest

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import (
    AnswerLost,
    AuthenticationError,
    ControllerGone,
    LookStale,
    NotSent,
    RateLimitExceeded,
    Refused,
    TooManyMatched,
    WorkflowNotFound,
)
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet import account, report
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.fleet import Fleet
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.pursuer import Limits
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.selection import Selection
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.settle import Settler
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.survey import Surveyor
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.record import (
    CHANGED,
    FAILED,
    NOT_ATTEMPTED,
    UNCHANGED,
    UNKNOWN,
)
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.steplog import Step
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.wanted import Wanted
from ansible_collections.edgeops.cloudflare.tests.unit.fakes import (
    FakeClock,
    FakeController,
    FakeInstance,
    FakeWorkflow,
    OpenGate,
    http_date,
    many,
    stamp,
)
from ansible_collections.edgeops.cloudflare.tests.unit.tables import each_row

LIMITS = {"max_instances": 100000, "max_failures": None, "concurrency": 1, "connection_attempts": 5}


def run(workflow, state, ids=None, select=None, check_mode=False, controller=None, gate=None, limits=None, **wanted):
    """Run a fleet over the workflow; `select` are a Selection's filters. One worker, so that calls come in order."""
    selection = None if select is None else Selection(**select)
    if selection is not None and selection.statuses:
        wanted["selected"] = frozenset(selection.statuses)
    wanted = Wanted(state=state, **wanted)
    surveyor = Surveyor(workflow, workflow.clock, lambda: http_date(workflow.clock.monotonic() + 3600))
    fleet = Fleet(
        workflow,
        surveyor,
        wanted,
        Limits(**dict(LIMITS, **(limits or {}))),
        workflow.clock,
        gate or OpenGate(),
        (controller or FakeController()).gone,
        check_mode,
    )
    fleet.run(None if ids is None else list(ids), selection)
    assert all(record.outcome for record in fleet.records), "every instance has an outcome, always"
    return fleet


def outcomes(fleet):
    return dict(collections.Counter(record.outcome for record in fleet.records))


def calls(workflow):
    """How many calls of each kind were made."""
    return dict(collections.Counter(call[0] for call in workflow.calls))


def errored_in_charge(instance):
    """Let an errored instance have a log in which the step `charge` has failed."""
    instance.steps = [
        {"name": "reserve-1", "type": "step", "start": stamp(0.2), "end": stamp(0.3), "success": True},
        {
            "name": "charge-1",
            "type": "step",
            "start": stamp(0.4),
            "end": stamp(0.9),
            "success": False,
            "error": {"name": "Error", "message": "card declined"},
        },
    ]
    return instance


def running(*statuses):
    return {"statuses": statuses or ("running",)}


ALL_ERRORED = {"statuses": ("errored",)}


# -- one instance: as few calls as can be -----------------------------------------------------------------------------

#: (state, wanted, status, what its instance does, calls, outcome)
ONE = [
    ("paused", {}, "paused", {}, ["detail"], UNCHANGED),
    ("paused", {}, "running", {}, ["detail", "patch"], CHANGED),
    ("terminated", {}, "running", {}, ["detail", "patch"], CHANGED),
    ("terminated", {}, "complete", {}, ["detail"], UNCHANGED),
    ("running", {}, "waiting", {}, ["detail"], UNCHANGED),
    ("running", {}, "paused", {}, ["detail", "patch", "detail"], CHANGED),
    ("running", {"wait": False}, "paused", {}, ["detail", "patch"], CHANGED),
    ("restarted", {}, "errored", {}, ["detail", "patch", "detail"], CHANGED),
    ("restarted", {"wait": False}, "errored", {}, ["detail", "patch"], CHANGED),
    ("restarted", {"when_status": frozenset(["errored"])}, "complete", {}, ["detail"], UNCHANGED),
    ("restarted", {"from_failed_step": True}, "complete", {}, ["log"], UNCHANGED),
    ("paused", {}, "running", {"pausing": 3.0}, ["detail", "patch", "detail", "detail"], CHANGED),
    ("paused", {"wait": False}, "running", {"pausing": 3.0}, ["detail", "patch"], CHANGED),
    ("paused", {}, "complete", {}, ["detail"], FAILED),
    ("terminated", {"rollback": True}, "running", {"rolling_back": 1.0}, ["log", "patch", "log"], CHANGED),
]


@each_row("state, wanted, status, traits, made, outcome", ONE)
def test_calls_for_one(clock, state, wanted, status, traits, made, outcome):
    workflow = FakeWorkflow(clock, FakeInstance("a", status, **traits))
    fleet = run(workflow, state, ids=["a"], **wanted)
    assert [call[0] for call in workflow.calls] == made
    assert outcomes(fleet) == {outcome: 1}


@each_row("state, wanted, status, traits, made, outcome", ONE)
def test_check_mode_for_one(clock, state, wanted, status, traits, made, outcome):
    """One look, or one look at its log; nothing is sent, and nobody waits."""
    workflow = FakeWorkflow(clock, FakeInstance("a", status, **traits))
    fleet = run(workflow, state, ids=["a"], check_mode=True, **wanted)
    assert [call[0] for call in workflow.calls] == made[:1]
    assert (outcomes(fleet), clock.sleeps) == ({outcome: 1}, [])


def test_one_that_is_not_there(clock):
    workflow = FakeWorkflow(clock)
    fleet = run(workflow, "paused", ids=["a"])
    assert (calls(workflow), outcomes(fleet), fleet.fatal) == ({"detail": 1}, {FAILED: 1}, None)


def test_nothing_to_do(clock):
    workflow = FakeWorkflow(clock, *many(3))
    assert run(workflow, "paused", ids=[]).records == []
    assert workflow.calls == []


# -- many: pages + changes ---------------------------------------------------------------------------------------------


@each_row("count, pages", [(1, 1), (100, 1), (250, 3), (1000, 10)])
def test_pausing_a_selection(clock, count, pages):
    workflow = FakeWorkflow(clock, *many(count))
    fleet = run(workflow, "paused", select=running())
    assert calls(workflow) == {"list": pages, "patch": count}
    assert outcomes(fleet) == {CHANGED: count}


def test_what_needs_nothing_costs_nothing(clock):
    workflow = FakeWorkflow(clock, *(many(80) + many(70, "paused", prefix="p") + many(10, "complete", prefix="c")))
    fleet = run(workflow, "paused", select={"id_glob": "*"}, skip_finished=True)
    assert calls(workflow) == {"list": 2, "patch": 80}
    assert outcomes(fleet) == {CHANGED: 80, UNCHANGED: 80}


def test_settling_a_selection(clock):
    """They pause after 5 seconds: polls at 2 and at 5 seconds, by listing."""
    workflow = FakeWorkflow(clock, *many(250, pausing=5.0))
    fleet = run(workflow, "paused", select=running())
    assert calls(workflow) == {"list": 3 + 3 + 3, "patch": 250}
    assert outcomes(fleet) == {CHANGED: 250}
    assert clock.sleeps == [2.0, 3.0]


def test_settling_the_last_few_of_many(clock):
    """Those left are asked for one by one where the listing is longer."""
    instances = many(2000)
    for slow in instances[:5]:
        slow.pausing = 4.0
    workflow = FakeWorkflow(clock, *instances)
    fleet = run(workflow, "paused", select=running())
    assert calls(workflow) == {"list": 20, "patch": 2000, "detail": 10}
    assert outcomes(fleet) == {CHANGED: 2000}


def test_restarting_a_selection(clock):
    """Each restart rests on the listing while that is fresh; one listing afterwards shows them all to run."""
    workflow = FakeWorkflow(clock, *many(50, "errored"))
    fleet = run(workflow, "restarted", select=ALL_ERRORED)
    assert calls(workflow) == {"list": 1 + 1, "patch": 50}
    assert outcomes(fleet) == {CHANGED: 50}


def test_late_restarts_look_again(clock):
    """A look is good for two seconds, from when it was asked for; at a quarter of a second a call that is 8 restarts."""
    workflow = FakeWorkflow(clock, *many(20, "errored"), latency=0.25)
    fleet = run(workflow, "restarted", select=ALL_ERRORED)
    assert calls(workflow) == {"list": 2, "patch": 20, "detail": 12}
    assert outcomes(fleet) == {CHANGED: 20}
    # In pairs: the change goes right after its look.
    late = [call for call in workflow.calls if call[0] != "list"][8:]
    assert [(one[0], other[0]) for one, other in zip(late[::2], late[1::2])] == [("detail", "patch")] * 12
    assert all(one[1] == other[1] for one, other in zip(late[::2], late[1::2]))


def test_late_restarts_that_are_no_longer_wanted(clock):
    workflow = FakeWorkflow(clock, *many(20, "errored"), latency=0.25)
    workflow.before(("detail",), lambda: setattr(workflow.instances["i0003"], "status", "running"))
    fleet = run(workflow, "restarted", select=ALL_ERRORED)
    assert outcomes(fleet) == {CHANGED: 19, UNCHANGED: 1}
    left = next(record for record in fleet.records if record.outcome == UNCHANGED)
    assert (left.id, left.msg) == ("i0003", "i0003 is no longer errored (running): nothing was sent.")


def test_restarting_from_the_failed_step(clock):
    """One more look, with the log, for each errored instance alone."""
    errored = [errored_in_charge(instance) for instance in many(20, "errored")]
    workflow = FakeWorkflow(clock, *(errored + many(30, "complete", prefix="c")))
    fleet = run(workflow, "restarted", select={"statuses": ("errored", "complete")}, from_failed_step=True)
    assert calls(workflow) == {"list": 1 + 1, "log": 20, "patch": 20}
    assert outcomes(fleet) == {CHANGED: 20, UNCHANGED: 30}
    assert {record.step for record in fleet.records if record.outcome == CHANGED} == {Step("charge", 1, "do")}


def test_restarting_from_the_failed_step_in_check_mode(clock):
    errored = [errored_in_charge(instance) for instance in many(20, "errored")]
    workflow = FakeWorkflow(clock, *errored)
    fleet = run(workflow, "restarted", select=ALL_ERRORED, from_failed_step=True, check_mode=True)
    assert calls(workflow) == {"list": 1, "log": 20}
    assert outcomes(fleet) == {CHANGED: 20}


def test_check_mode_for_many(clock):
    workflow = FakeWorkflow(clock, *(many(150) + many(50, "complete", prefix="c")), latency=1.0)
    fleet = run(workflow, "restarted", select={"id_glob": "*"}, check_mode=True)
    assert calls(workflow) == {"list": 2}
    assert outcomes(fleet) == {CHANGED: 200}


def test_ids_by_listing(clock):
    workflow = FakeWorkflow(clock, *many(60))
    fleet = run(workflow, "paused", ids=[f"i{number:04d}" for number in range(50)])
    assert calls(workflow) == {"list": 1, "patch": 50}
    assert outcomes(fleet) == {CHANGED: 50}


def test_few_ids_one_by_one(clock):
    workflow = FakeWorkflow(clock, *many(60))
    run(workflow, "paused", ids=["i0001", "i0002", "i0003"])
    assert calls(workflow) == {"detail": 3, "patch": 3}


def test_ids_restarted_by_looks_of_their_own(clock):
    """A listing would be old by the time most of them are restarted."""
    workflow = FakeWorkflow(clock, *many(50, "errored"))
    run(workflow, "restarted", ids=sorted(workflow.instances))
    assert calls(workflow) == {"detail": 50, "patch": 50, "list": 1}


def test_errors_of_those_that_errored_again(clock):
    """A few are asked why; the others are counted."""
    workflow = FakeWorkflow(clock, *many(30, "errored", after_restart="errored"), latency=0.01)
    fleet = run(workflow, "restarted", select=ALL_ERRORED)
    assert calls(workflow) == {"list": 1 + 1, "patch": 30, "detail": 5}
    assert outcomes(fleet) == {CHANGED: 30}
    assert report.summary(fleet.records, fleet.found, None, 1.0)["finished_again"] == 30
    explained = [record.msg for record in fleet.records if "card declined" in record.msg]
    assert len(explained) == 5


# -- the order of the result --------------------------------------------------------------------------------------------


@each_row("concurrency", [1, 8])
def test_order_given(clock, concurrency):
    workflow = FakeWorkflow(clock, *many(40))
    asked = [f"i{number * 7 % 40:04d}" for number in range(40)] + ["elsewhere"]
    fleet = run(workflow, "paused", ids=asked, limits={"concurrency": concurrency})
    assert [record.id for record in fleet.records] == asked


@each_row("concurrency", [1, 8])
def test_newest_first(clock, concurrency):
    instances = many(20) + many(20, "waiting", prefix="w") + many(3000, "complete", prefix="c")
    workflow = FakeWorkflow(clock, *instances)
    fleet = run(workflow, "paused", select=running("waiting", "running"), limits={"concurrency": concurrency})
    created = [workflow.instances[record.id].created for record in fleet.records]
    assert len(created) == 40
    assert created == sorted(created, reverse=True)


# -- one failure hides no other -------------------------------------------------------------------------------------------


def test_every_instance_is_attempted(clock):
    workflow = FakeWorkflow(clock, *many(30))
    for number in (3, 4, 17):
        workflow.instances[f"i{number:04d}"].status = "complete"
    workflow.fail(("patch", "i0020"), AnswerLost("no answer"), times=9)
    workflow.fail(("patch", "i0021"), Refused("the API says: no", code=None, http_status=409))
    del workflow.instances["i0022"]
    fleet = run(workflow, "paused", ids=[f"i{number:04d}" for number in range(30)])
    assert outcomes(fleet) == {CHANGED: 24, FAILED: 6}
    assert fleet.fatal is None
    assert all(record.sentence.do for record in fleet.records if record.failed), "each failure comes with what to do"


def test_lost_restarts_are_sent_once(clock):
    workflow = FakeWorkflow(clock, *many(10, "errored"))
    workflow.fail(("patch", "i0001"), AnswerLost("no answer"), work=True)
    workflow.fail(("patch", "i0002"), AnswerLost("no answer"), times=99)
    fleet = run(workflow, "restarted", select=ALL_ERRORED)
    assert outcomes(fleet) == {CHANGED: 9, UNKNOWN: 1}
    assert collections.Counter(workflow.patches()).most_common(1)[0][1] == 1
    assert clock.monotonic() == 30.0


def test_timeouts_are_per_instance(clock):
    """One takes for ever; it fails after its own time, and the others don't notice."""
    workflow = FakeWorkflow(clock, *many(5, pausing=4.0))
    workflow.instances["i0002"].pausing = 10**6
    fleet = run(workflow, "paused", ids=sorted(workflow.instances), wait_timeout=20.0)
    assert outcomes(fleet) == {CHANGED: 4, FAILED: 1}
    slow = fleet.records[2]
    assert (slow.changed, slow.look.status) == (True, "waitingForPause")
    assert "still waitingForPause after 20 s" in slow.msg
    assert clock.monotonic() == 20.0


def test_each_timeout_runs_from_its_own_patch(clock):
    workflow = FakeWorkflow(clock, *many(3, pausing=10**6), latency=1.0)
    fleet = run(workflow, "paused", ids=sorted(workflow.instances), wait_timeout=10.0, wait_sleep=1.0)
    assert outcomes(fleet) == {FAILED: 3}
    # GET and PATCH of the third end at 6 seconds; the last look of it is asked for at 16 or later.
    last = [call for call in workflow.calls if call == ("detail", "i0002")]
    assert clock.monotonic() >= 16.0
    assert len(last) >= 2


@each_row("error", [AnswerLost("the API failed (HTTP 503)"), NotSent("no connection to the API can be made")])
def test_a_poll_that_fails_is_made_up_for(clock, error):
    """A listing that fails while they settle ends nothing: they wait, and are looked at again."""
    workflow = FakeWorkflow(clock, *many(50, pausing=5.0))
    workflow.before(("patch", "i0000"), lambda: workflow.fail(("list",), error))
    fleet = run(workflow, "paused", select=running())
    assert fleet.fatal is None
    assert outcomes(fleet) == {CHANGED: 50}


@each_row("error", [AnswerLost("the API failed (HTTP 503)"), Refused("the API says: no", code=None, http_status=400)])
def test_a_listing_that_fails_for_good_is_done_without(clock, error):
    """They are looked at one by one then."""
    workflow = FakeWorkflow(clock, *many(50, pausing=5.0))
    workflow.before(("patch", "i0000"), lambda: workflow.fail(("list",), error, times=10**6))
    fleet = run(workflow, "paused", select=running())
    assert (outcomes(fleet), fleet.fatal) == ({CHANGED: 50}, None)
    assert calls(workflow)["list"] <= (2 if isinstance(error, Refused) else 9)


@each_row("error", [AnswerLost("the API failed (HTTP 503)"), NotSent("no connection"), RateLimitExceeded("blocked")])
def test_explaining_fails_nothing(clock, error):
    """Why they errored again is good to know, but all of them were restarted."""
    workflow = FakeWorkflow(clock, *many(30, "errored", after_restart="errored"), latency=0.01)
    workflow.fail(("detail",), error, times=9)
    fleet = run(workflow, "restarted", select=ALL_ERRORED)
    assert outcomes(fleet) == {CHANGED: 30}
    assert fleet.fatal is None


def test_looks_that_fail_are_made_up_for_without_haste(clock):
    """The first look after a resume comes at once; when it fails, the next ones come after growing pauses, as in any wait."""
    workflow = FakeWorkflow(clock, FakeInstance("a", "paused"), latency=0.1)
    workflow.before(("patch",), lambda: workflow.fail(("detail",), AnswerLost("no answer"), times=10**6))
    fleet = run(workflow, "running", ids=["a"])
    assert outcomes(fleet) == {FAILED: 1}
    assert fleet.records[0].changed and "can't be looked at now: no answer" in fleet.records[0].msg
    assert clock.monotonic() == pytest.approx(300, abs=1)
    assert workflow.count("detail") < 40


# -- what ends a task early -------------------------------------------------------------------------------------------------


def test_max_failures(clock):
    workflow = FakeWorkflow(clock, *many(20))
    for number in (1, 3, 5, 7, 9):
        workflow.instances[f"i{number:04d}"].status = "complete"
    fleet = run(workflow, "paused", ids=sorted(workflow.instances), limits={"max_failures": 3})
    assert [record.outcome for record in fleet.records[:6]] == [CHANGED, FAILED] * 3
    # What the listing has told already needs no sending.
    assert {record.id for record in fleet.records[6:] if record.outcome != NOT_ATTEMPTED} <= {"i0007", "i0009"}
    assert workflow.count("patch") == 3
    assert fleet.fatal is None
    assert fleet.records[-1].msg == "i0019 was not attempted: max_failures (3) is reached."


@each_row("check_mode", [False, True])
def test_max_failures_in_check_mode_and_in_earnest(clock, check_mode):
    workflow = FakeWorkflow(clock, *many(20))
    for number in (18, 19):
        workflow.instances[f"i{number:04d}"].status = "complete"
    fleet = run(workflow, "paused", select={"id_glob": "*"}, limits={"max_failures": 1}, check_mode=check_mode)
    assert outcomes(fleet) == {FAILED: 2, NOT_ATTEMPTED: 18}
    assert not [record for record in fleet.records if record.changed]


def test_max_failures_that_is_not_reached(clock):
    workflow = FakeWorkflow(clock, *many(20))
    for number in (1, 3, 5):
        workflow.instances[f"i{number:04d}"].status = "complete"
    fleet = run(workflow, "paused", ids=sorted(workflow.instances), limits={"max_failures": 4})
    assert outcomes(fleet) == {CHANGED: 17, FAILED: 3}


def test_max_failures_lets_settle_what_was_sent(clock):
    """It stops sending; what was sent goes on being waited for."""
    workflow = FakeWorkflow(clock, FakeInstance("slow", pausing=30.0), FakeInstance("done", "complete"), FakeInstance("third"))
    fleet = run(workflow, "paused", ids=["slow", "done", "third"], limits={"max_failures": 1})
    assert [record.outcome for record in fleet.records] == [CHANGED, FAILED, NOT_ATTEMPTED]
    assert workflow.patches() == [("slow", "pause")]


def test_max_failures_counts_refusals(clock):
    workflow = FakeWorkflow(clock, *many(20))
    workflow.fail(("patch",), Refused("the API says: no", code=None, http_status=409), times=99)
    fleet = run(workflow, "paused", ids=sorted(workflow.instances), limits={"max_failures": 3})
    assert outcomes(fleet) == {FAILED: 3, NOT_ATTEMPTED: 17}


def test_max_failures_with_looks_that_fail(clock):
    """A refusal whose look fails, too, is looked at again without haste."""
    workflow = FakeWorkflow(clock, *many(3))
    workflow.fail(("patch", "i0000"), Refused("the API says: no", code=None, http_status=409))
    workflow.before(("patch", "i0000"), lambda: workflow.fail(("detail", "i0000"), AnswerLost("no answer"), times=5))
    fleet = run(workflow, "paused", ids=sorted(workflow.instances), limits={"max_failures": 1})
    assert not [record for record in fleet.records if not record.outcome]
    assert workflow.count("detail") <= 9


@each_row(
    "error",
    [
        AuthenticationError("the API refuses these credentials"),
        WorkflowNotFound("no such workflow"),
        NotSent("no connection"),
        RateLimitExceeded("blocked for too long"),
        ControllerGone("stopped by SIGTERM"),
    ],
)
def test_errors_that_meet_all_alike_stop_at_once(clock, error):
    workflow = FakeWorkflow(clock, *many(20))
    workflow.fail(("patch", "i0014"), error)
    fleet = run(workflow, "paused", select=running())
    assert fleet.fatal is error
    assert outcomes(fleet) == {CHANGED: 5, NOT_ATTEMPTED: 15}
    assert workflow.count("patch") == 6
    assert [record.outcome for record in fleet.records] == [CHANGED] * 5 + [NOT_ATTEMPTED] * 15
    assert fleet.records[-1].msg == f"i0000 was not attempted: {error.message}."


def test_they_stop_all_workers(clock):
    workflow = FakeWorkflow(clock, *many(200))
    workflow.fail(("patch",), AuthenticationError("the API refuses these credentials"), times=10**6)
    fleet = run(workflow, "paused", select=running(), limits={"concurrency": 8})
    assert workflow.count("patch") <= 8
    assert outcomes(fleet) == {NOT_ATTEMPTED: 200}


def test_the_first_look_stops_all(clock):
    workflow = FakeWorkflow(clock, *many(5))
    workflow.fail(("detail",), AuthenticationError("the API refuses these credentials"), times=99)
    fleet = run(workflow, "paused", ids=sorted(workflow.instances))
    assert calls(workflow) == {"detail": 1}
    assert outcomes(fleet) == {NOT_ATTEMPTED: 5}
    assert isinstance(fleet.fatal, AuthenticationError)


def test_a_selection_that_can_not_be_listed(clock):
    workflow = FakeWorkflow(clock, *many(5))
    workflow.fail(("list",), WorkflowNotFound("no such workflow"))
    fleet = run(workflow, "paused", select=running())
    assert (fleet.records, type(fleet.fatal)) == ([], WorkflowNotFound)


def test_a_selection_that_is_too_large(clock):
    workflow = FakeWorkflow(clock, *many(500))
    fleet = run(workflow, "paused", select=running(), limits={"max_instances": 200})
    assert (fleet.records, type(fleet.fatal)) == ([], TooManyMatched)
    assert calls(workflow) == {"list": 5}, "counted to the end"


def test_a_mistake_of_our_own_is_told(clock):
    """It ends the task with a result and without a secret."""
    workflow = FakeWorkflow(clock, *many(5))
    workflow.fail(("patch", "i0002"), ZeroDivisionError("token-0001"))
    fleet = run(workflow, "paused", select=running())
    assert outcomes(fleet) == {CHANGED: 2, FAILED: 1, NOT_ATTEMPTED: 2}
    assert fleet.fatal.message.startswith("internal error: ZeroDivisionError at fakes.py:")
    assert "token-0001" not in fleet.fatal.message


def test_a_mistake_of_our_own_hides_no_restart(clock):
    """Whatever went wrong while it was sent: it may have been done."""
    workflow = FakeWorkflow(clock, *many(3, "errored"))
    workflow.fail(("patch", "i0001"), ZeroDivisionError("no"), work=True)
    fleet = run(workflow, "restarted", ids=sorted(workflow.instances))
    assert outcomes(fleet) == {FAILED: 1, UNKNOWN: 1, NOT_ATTEMPTED: 1}
    assert "restart accepted 00:00:00Z; not waited for: internal error" in fleet.records[0].msg
    assert "restart sent, answer lost (internal error" in fleet.records[1].msg


def test_a_mistake_between_the_calls_loses_no_result(clock, monkeypatch):
    workflow = FakeWorkflow(clock, *many(3, pausing=5.0))
    monkeypatch.setattr(Settler, "poll", lambda *arguments, **more: 1 / 0)
    fleet = run(workflow, "paused", ids=sorted(workflow.instances))
    assert outcomes(fleet) == {FAILED: 3}
    assert fleet.fatal.message.startswith("internal error: ZeroDivisionError")


@pytest.mark.parametrize("most", [0, 1, 2])
def test_fewer_threads_than_asked_for(clock, monkeypatch, most):
    """Where the system gives no more of them, those that there are do all of it, each once."""
    started = []
    start = threading.Thread.start

    def start_some(thread):
        if len(started) >= most:
            raise RuntimeError("can't start new thread")
        started.append(thread)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", start_some)
    workflow = FakeWorkflow(clock, *many(40))
    fleet = run(workflow, "paused", select=running(), limits={"concurrency": 8})
    assert (outcomes(fleet), fleet.fatal) == ({CHANGED: 40}, None)
    assert calls(workflow) == {"list": 1, "patch": 40}


def test_the_controller_goes_while_they_settle(clock):
    """What was sent is told as sent, and nobody waits any longer."""
    controller = FakeController()
    workflow = FakeWorkflow(clock, *many(20, pausing=100.0))
    workflow.before(("list", None, 1), lambda: setattr(controller, "reason", "stopped by SIGTERM"))
    fleet = run(workflow, "paused", select=running(), controller=controller)
    assert isinstance(fleet.fatal, ControllerGone)
    assert outcomes(fleet) == {FAILED: 20}
    assert all(record.changed for record in fleet.records)
    assert "pause accepted" in fleet.records[0].msg and "not waited for: stopped by SIGTERM" in fleet.records[0].msg
    assert clock.monotonic() < 10


def test_what_was_seen_to_be_reached_before_the_end_counts(clock):
    """The task ends between two pages of a poll; those of the first page were seen paused."""
    workflow = FakeWorkflow(clock, *many(150, pausing=3.0))
    workflow.before(
        ("list", None, 2),
        lambda: None if clock.monotonic() < 3 else workflow.fail(("list", None, 2), RateLimitExceeded("blocked for too long")),
        times=99,
    )
    fleet = run(workflow, "paused", select=running())
    assert isinstance(fleet.fatal, RateLimitExceeded)
    assert outcomes(fleet) == {CHANGED: 100, FAILED: 50}
    assert {record.look.status for record in fleet.records if record.outcome == CHANGED} == {"paused"}
    assert all("not waited for: blocked for too long" in record.msg for record in fleet.records if record.failed)


# -- held back -----------------------------------------------------------------------------------------------------------


def test_what_is_held_back_is_looked_at_together(clock):
    """After a block all decisions are taken anew, from one listing."""
    workflow = FakeWorkflow(clock, *many(30))
    workflow.fail(("patch",), LookStale("held back"), times=30)
    fleet = run(workflow, "paused", select=running())
    assert [call[0] for call in workflow.calls] == ["list"] + ["patch"] * 30 + ["list"] + ["patch"] * 30
    assert outcomes(fleet) == {CHANGED: 30}


def test_what_has_moved_while_it_was_held_back_is_left_alone(clock):
    workflow = FakeWorkflow(clock, *many(30))
    workflow.fail(("patch",), LookStale("held back"), times=30)
    workflow.before(("list", None), lambda: setattr(workflow.instances["i0003"], "status", "waiting"))
    fleet = run(workflow, "paused", select=running())
    assert outcomes(fleet) == {CHANGED: 29, UNCHANGED: 1}


def test_a_restart_that_is_held_back_looks_for_itself(clock):
    workflow = FakeWorkflow(clock, *many(12, "errored"))
    workflow.fail(("patch",), LookStale("held back"), times=3)
    fleet = run(workflow, "restarted", select=ALL_ERRORED)
    assert [call[0] for call in workflow.calls] == ["list"] + ["patch", "detail"] * 3 + ["patch"] * 12 + ["list"]
    assert outcomes(fleet) == {CHANGED: 12}


def test_no_connection_for_a_restart(clock):
    """It is tried as often as any call, each time on a look of its own; then the network is down for all alike."""
    workflow = FakeWorkflow(clock, *many(3, "errored"))
    error = NotSent("no connection to the API can be made")
    workflow.fail(("patch",), LookStale("no connection was made", cause=error), times=99)
    fleet = run(workflow, "restarted", ids=sorted(workflow.instances), limits={"connection_attempts": 4})
    assert workflow.patches() == [("i0000", "restart")] * 4
    assert fleet.fatal is error
    assert outcomes(fleet) == {NOT_ATTEMPTED: 3}


def test_it_is_gone_when_the_change_comes(clock):
    workflow = FakeWorkflow(clock, *many(30))
    workflow.before(("patch", "i0003"), lambda: workflow.instances.pop("i0003"))
    fleet = run(workflow, "paused", select=running())
    assert outcomes(fleet) == {CHANGED: 29, FAILED: 1}


# -- several at once -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("concurrency", [2, 8])
def test_so_many_calls_are_under_way_at_once(clock, concurrency):
    workflow = FakeWorkflow(clock, *many(4 * concurrency))
    together, lock, under_way = threading.Barrier(concurrency), threading.Lock(), []
    most = []
    change_status = workflow.change_status

    def slow(*args, **kwargs):
        with lock:
            under_way.append(1)
            most.append(len(under_way))
        together.wait(10)
        with lock:
            under_way.pop()
        return change_status(*args, **kwargs)

    workflow.change_status = slow
    fleet = run(workflow, "paused", select=running(), limits={"concurrency": concurrency})
    assert outcomes(fleet) == {CHANGED: 4 * concurrency}
    assert max(most) == concurrency


def test_workers_change_nothing_in_the_result():
    results = []
    for concurrency in (1, 8):
        workflow = FakeWorkflow(FakeClock(), *many(120, pausing=3.0))
        workflow.instances["i0007"].status = "complete"
        fleet = run(workflow, "paused", select={"id_glob": "*"}, limits={"concurrency": concurrency})
        results.append((report.items(fleet.records), calls(workflow)))
    assert results[0] == results[1]


def test_no_thread_is_left(clock):
    before = threading.active_count()
    run(FakeWorkflow(clock, *many(50)), "paused", select=running(), limits={"concurrency": 16})
    assert threading.active_count() == before


# -- ten thousand ----------------------------------------------------------------------------------------------------------


def memory(count):
    """Bytes that a task on so many instances takes at its peak, its result included."""
    workflow = FakeWorkflow(FakeClock(10**5), *many(count))
    tracemalloc.start()
    try:
        fleet = run(workflow, "paused", select=running(), limits={"concurrency": 8})
        told = account.Told(fleet.records, "orders", Wanted("paused"), 100000)
        assert len(report.items(fleet.records)) == count and account.message(told)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_of_ten_thousand():
    """Each instance takes its share, and ten thousand of them together leave room in 150 MiB for Python and its libraries."""
    each = (memory(1500) - memory(500)) / 1000.0
    assert each * 10000 < 70 * 1024 * 1024, f"{each:.0f} bytes for each instance"


def test_ten_thousand_instances():
    workflow = FakeWorkflow(FakeClock(10**5), *many(10000))
    fleet = run(workflow, "paused", select=running(), limits={"concurrency": 8})
    assert calls(workflow) == {"list": 100, "patch": 10000}
    assert outcomes(fleet) == {CHANGED: 10000}
