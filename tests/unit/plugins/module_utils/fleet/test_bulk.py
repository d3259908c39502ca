# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Terminating by hundreds: which calls are made, what each instance comes to, and what is done one by one after all."""

from __future__ import annotations

import collections

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import (
    AnswerLost,
    AuthenticationError,
    ControllerGone,
    InstanceNotFound,
    InternalError,
    LookStale,
    NotSent,
    NotTheApi,
    RateLimitExceeded,
    Refused,
    UnusableServer,
    WorkflowNotFound,
)
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.fleet import Fleet
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.pursuer import Limits
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.selection import Selection
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.survey import Surveyor
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.wanted import Wanted
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.logbook import group_of
from ansible_collections.edgeops.cloudflare.tests.unit.fakes import FakeController, FakeInstance, FakeWorkflow, OpenGate, http_date, many
from ansible_collections.edgeops.cloudflare.tests.unit.tables import each_row

RUNNING = {"statuses": ("running",)}
ALREADY = {"status": "already_running", "instancesTerminated": 0}


def terminate(workflow, ids=None, select=None, check_mode=False, limits=None, **wanted):
    selection = None if select is None else Selection(**select)
    selected = frozenset(selection.statuses) if selection and selection.statuses else None
    surveyor = Surveyor(workflow, workflow.clock, lambda: http_date(workflow.clock.monotonic() + 3600))
    fleet = Fleet(
        workflow,
        surveyor,
        Wanted("terminated", bulk=True, selected=selected, **wanted),
        Limits(max_instances=100_000, concurrency=1, **(limits or {})),
        workflow.clock,
        OpenGate(),
        FakeController().gone,
        check_mode,
    )
    fleet.run(ids, selection)
    assert all(record.outcome for record in fleet.records), "every instance has an outcome, always"
    return fleet


def calls(workflow):
    return dict(collections.Counter(call[0] for call in workflow.calls))


def outcomes(fleet):
    return dict(collections.Counter(record.outcome for record in fleet.records))


def test_a_thousand_by_thirty_calls(clock):
    """The listing, and for each hundred a call and the page that proves it."""
    workflow = FakeWorkflow(clock, *many(1000, "running"))
    fleet = terminate(workflow, select=RUNNING)
    assert outcomes(fleet) == {"changed": 1000} and fleet.fatal is None
    assert calls(workflow) == {"list": 20, "batch": 10}
    assert [len(call) - 1 for call in workflow.calls if call[0] == "batch"] == [100] * 10


def test_the_last_few_are_terminated_one_by_one(clock):
    workflow = FakeWorkflow(clock, *many(110, "running"))
    fleet = terminate(workflow, select=RUNNING)
    assert outcomes(fleet) == {"changed": 110}
    assert calls(workflow) == {"list": 3, "batch": 1, "patch": 10}


def test_a_few_are_none_of_its_business(clock):
    workflow = FakeWorkflow(clock, *many(10, "running"))
    terminate(workflow, select=RUNNING)
    assert calls(workflow) == {"list": 1, "patch": 10}


def test_only_what_is_to_be_changed(clock):
    """Finished ones, and those of another status, are not in it."""
    others = [FakeInstance(f"c{number}", "complete", created=-number) for number in range(30)]
    workflow = FakeWorkflow(clock, *many(50, "running"), *others, *many(20, "rollingBack", prefix="r"))
    for instance in workflow.instances.values():
        if instance.status == "rollingBack":
            instance.later(5.0, "terminated")
    fleet = terminate(workflow, select={"id_glob": "*"})
    assert [sorted(call[1:]) for call in workflow.calls if call[0] == "batch"] == [[f"i{number:04d}" for number in range(50)]]
    assert outcomes(fleet) == {"changed": 50, "unchanged": 50} and workflow.patches() == []


def test_what_it_leaves_alone_is_terminated_one_by_one(clock):
    """But only when two looks, ten seconds apart, have found it as it was."""
    workflow = FakeWorkflow(clock, *many(60, "running"))
    workflow.left_alone = {f"i{number:04d}" for number in range(3)}
    fleet = terminate(workflow, select=RUNNING)
    assert outcomes(fleet) == {"changed": 60}
    assert sorted(workflow.patches()) == [(name, "terminate") for name in sorted(workflow.left_alone)]
    assert clock.monotonic() >= 10.0


def test_what_ends_first_is_unchanged(clock):
    workflow = FakeWorkflow(clock, *many(60, "running"))

    def finish():
        for number in range(4):
            workflow.instances[f"i{number:04d}"].later(0.0, "complete")
            workflow.instances[f"i{number:04d}"].live(1.0)

    workflow.before(("batch",), finish)
    fleet = terminate(workflow, select=RUNNING)
    assert outcomes(fleet) == {"changed": 56, "unchanged": 4}
    assert next(record.msg for record in fleet.records if record.id == "i0000") == (
        "i0000 is complete: it ended before it could be terminated; nothing was undone."
    )


def test_what_is_deleted_meanwhile_is_looked_at(clock):
    """That a listing lacks it proves nothing."""
    workflow = FakeWorkflow(clock, *many(60, "running"))
    workflow.before(("batch",), lambda: workflow.instances.pop("i0007"))
    fleet = terminate(workflow, select=RUNNING)
    assert outcomes(fleet) == {"changed": 59, "failed": 1} and ("detail", "i0007") in workflow.calls


def test_an_answer_that_is_lost_is_no_news(clock):
    workflow = FakeWorkflow(clock, *many(60, "running"))
    workflow.fail(("batch",), AnswerLost("no answer within 30 s (api_timeout)"), work=True)
    fleet = terminate(workflow, select=RUNNING)
    assert outcomes(fleet) == {"changed": 60} and calls(workflow) == {"list": 2, "batch": 1}
    assert not any(record.warning or "lost" in record.msg for record in fleet.records)


def test_a_call_that_never_arrived_is_made_up_for_one_by_one(clock):
    workflow = FakeWorkflow(clock, *many(15, "running"))
    workflow.fail(("batch",), AnswerLost("no answer within 30 s (api_timeout)"))
    fleet = terminate(workflow, select=RUNNING)
    assert outcomes(fleet) == {"changed": 15} and calls(workflow)["patch"] == 15


NO_SUCH_CALL = [
    NotTheApi("a page", http_status=404),
    NotTheApi("a page", http_status=405),
    UnusableServer("no such route", code=7003, http_status=404),
    UnusableServer("no such route", code=7000, http_status=400),
    Refused("method not allowed", code=7001, http_status=405),
    InstanceNotFound("not found", code=10400, http_status=404),
]


@each_row("error", NO_SUCH_CALL)
def test_a_server_without_such_a_call_is_asked_once(clock, error):
    workflow = FakeWorkflow(clock, *many(250, "running"))
    workflow.fail(("batch",), error, times=9)
    fleet = terminate(workflow, select=RUNNING)
    assert outcomes(fleet) == {"changed": 250} and fleet.fatal is None
    assert calls(workflow) == {"list": 3, "batch": 1, "patch": 250}


def test_a_development_session_is_not_even_asked(clock):
    workflow = FakeWorkflow(clock, *many(50, "running"))
    workflow.terminates_by_hundreds = False
    terminate(workflow, select=RUNNING)
    assert calls(workflow) == {"list": 1, "patch": 50}


def test_a_hundred_that_is_refused_is_terminated_one_by_one(clock):
    workflow = FakeWorkflow(clock, *many(200, "running"))
    workflow.fail(("batch",), Refused("a bad id", http_status=400))
    fleet = terminate(workflow, select=RUNNING)
    assert outcomes(fleet) == {"changed": 200}
    assert calls(workflow) == {"list": 3, "batch": 2, "patch": 100}


@each_row("error", [AuthenticationError("revoked"), WorkflowNotFound("no such workflow"), UnusableServer("a redirect", http_status=301)])
def test_what_would_meet_all_ends_the_task(clock, error):
    workflow = FakeWorkflow(clock, *many(50, "running"))
    workflow.fail(("batch",), error)
    fleet = terminate(workflow, select=RUNNING)
    assert fleet.fatal is error and outcomes(fleet) == {"not_attempted": 50}
    assert calls(workflow) == {"list": 1, "batch": 1}


def already_running(workflow, times):
    real, left = workflow.terminate_many, [times]

    def answer(instance_ids):
        if left[0]:
            left[0] -= 1
            with workflow._calling("batch", *instance_ids):
                return ALREADY
        return real(instance_ids)

    workflow.terminate_many = answer


@each_row("times, made, patches", [(1, 2, 0), (2, 2, 50)])
def test_while_another_is_being_processed(clock, times, made, patches):
    """Nothing was processed: look, once more, and then one by one."""
    workflow = FakeWorkflow(clock, *many(50, "running"))
    already_running(workflow, times)
    fleet = terminate(workflow, select=RUNNING)
    assert outcomes(fleet) == {"changed": 50} and workflow.count("batch") == made and workflow.count("patch") == patches
    assert 10.0 in clock.sleeps


def test_held_back_by_the_rate_limit(clock):
    """It is decided anew: what has finished by then is not in the call."""
    workflow = FakeWorkflow(clock, *many(50, "running"))
    workflow.before(("batch",), lambda: workflow.instances["i0000"].later(0.0, "complete"))
    workflow.fail(("batch",), LookStale("held back by the rate limit", went_out=True))
    fleet = terminate(workflow, select=RUNNING)
    assert outcomes(fleet) == {"changed": 49, "unchanged": 1}
    assert [len(call) - 1 for call in workflow.calls if call[0] == "batch"] == [50, 49]


def test_no_connection_ends_it(clock):
    workflow = FakeWorkflow(clock, *many(50, "running"))
    error = NotSent("no connection")
    workflow.fail(("batch",), LookStale("no connection was made", cause=error), times=99)
    fleet = terminate(workflow, select=RUNNING, limits={"connection_attempts": 3})
    assert fleet.fatal is error and outcomes(fleet) == {"not_attempted": 50} and workflow.count("batch") == 3


def test_an_old_look_is_renewed(clock):
    """What the last hundred rests on is no older than ten seconds, even where the first takes its time."""
    workflow = FakeWorkflow(clock, *many(200, "running"))
    workflow.left_alone = {"i0199"}
    fleet = terminate(workflow, select=RUNNING)
    assert outcomes(fleet) == {"changed": 200}
    second = [place for place, call in enumerate(workflow.calls) if call[0] == "batch"][1]
    assert workflow.calls[second - 1][0] == "list" and clock.monotonic() >= 10.0


def test_without_waiting_one_listing_proves_it(clock):
    workflow = FakeWorkflow(clock, *many(60, "running"))
    fleet = terminate(workflow, select=RUNNING, wait=False)
    assert outcomes(fleet) == {"changed": 60} and calls(workflow) == {"list": 2, "batch": 1}


def test_failures_stop_it_between_two_hundreds(clock):
    workflow = FakeWorkflow(clock, *many(300, "running"))
    workflow.before(("batch",), lambda: workflow.instances.pop("i0299"))
    fleet = terminate(workflow, select=RUNNING, limits={"max_failures": 1})
    assert outcomes(fleet) == {"changed": 99, "failed": 1, "not_attempted": 200} and workflow.count("batch") == 1


def test_by_batches(clock):
    workflow = FakeWorkflow(clock, *many(120, "running"))
    fleet = terminate(workflow, select=RUNNING, limits={"batch_sizes": (20, 100)})
    assert outcomes(fleet) == {"changed": 120} and [len(call) - 1 for call in workflow.calls if call[0] == "batch"] == [20, 100]


def test_check_mode_sends_nothing(clock):
    workflow = FakeWorkflow(clock, *many(120, "running"))
    fleet = terminate(workflow, select=RUNNING, check_mode=True)
    assert outcomes(fleet) == {"changed": 120} and calls(workflow) == {"list": 2}


def test_ids_are_listed_first(clock):
    workflow = FakeWorkflow(clock, *many(120, "running"))
    fleet = terminate(workflow, ids=list(workflow.instances))
    assert outcomes(fleet) == {"changed": 120} and calls(workflow) == {"list": 4, "batch": 2}


def test_an_error_that_no_listing_tells_is_tested_first(clock):
    """What `error_glob` doesn't match is not in the call."""
    workflow = FakeWorkflow(clock, *many(30, "running"))
    fleet = terminate(workflow, select={"id_glob": "*", "error_glob": "*card*"}, error_glob="*card*")
    assert outcomes(fleet) == {"unchanged": 30} and workflow.count("batch", "patch") == 0


@each_row("error", [ControllerGone("stopped by SIGTERM"), RateLimitExceeded("blocked")])
def test_what_went_out_is_not_untouched(clock, error):
    """The task ends between the call and its proof, or while the call is processed."""
    workflow = FakeWorkflow(clock, *many(60, "running"))
    if isinstance(error, RateLimitExceeded):
        error.after_lost_answer = True
        workflow.fail(("batch",), error, work=True)
    else:
        workflow.fail(("list", None), error, times=9)
    fleet = terminate(workflow, select=RUNNING)
    assert len(fleet.records) == 60
    assert fleet.fatal is error and all(record.changed and group_of(record) == "unknown" for record in fleet.records)


def test_a_mistake_of_our_own_after_it_went_out(clock):
    workflow = FakeWorkflow(clock, *many(60, "running"))
    workflow.fail(("batch",), ValueError("a mistake"), work=True)
    fleet = terminate(workflow, select=RUNNING)
    assert isinstance(fleet.fatal, InternalError) and all(record.changed for record in fleet.records)


def test_a_failure_counts_once(clock):
    workflow = FakeWorkflow(clock, *many(105, "running"))
    workflow.before(("batch",), lambda: workflow.instances.pop("i0104"))
    fleet = terminate(workflow, select=RUNNING, limits={"max_failures": 2})
    assert outcomes(fleet) == {"changed": 104, "failed": 1}


def test_little_patience(clock):
    """What was left alone is terminated one by one before the time is over."""
    workflow = FakeWorkflow(clock, *many(30, "running"))
    workflow.left_alone = {"i0003"}
    fleet = terminate(workflow, select=RUNNING, wait_timeout=6.0, wait_sleep=1.0)
    assert outcomes(fleet) == {"changed": 30} and workflow.patches() == [("i0003", "terminate")]
