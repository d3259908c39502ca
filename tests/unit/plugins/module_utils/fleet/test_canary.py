# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The canary: what goes wrong in it goes wrong in nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import AnswerLost, AuthenticationError, Refused
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet import account
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.account import Told
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.canary import Canary, proves_something
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.fleet import Fleet
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.pursuer import Limits
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.survey import Surveyor
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.record import CHANGED, FAILED, NOT_ATTEMPTED, UNCHANGED, UNKNOWN
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.wanted import ENDED, Wanted
from ansible_collections.edgeops.cloudflare.tests.unit.fakes import (
    FakeClock,
    FakeController,
    FakeInstance,
    FakeWorkflow,
    OpenGate,
    http_date,
    stamp,
)
from ansible_collections.edgeops.cloudflare.tests.unit.stories import drive, gone, lost, ok, refused, saw
from ansible_collections.edgeops.cloudflare.tests.unit.tables import each_row

RESTART = {"state": "restarted", "wait_until": ENDED, "wait_timeout": 60.0}

FINE = [saw("errored"), ok(), saw("running", run=1), saw("complete", run=1)]
AGAIN = [saw("errored"), ok(), saw("errored", run=1)]
UNDECIDED = [saw("errored"), ok(), saw("running", run=1), saw("running", run=1, after=61)]
NO_ANSWER = [saw("errored"), lost(), saw("errored"), saw("errored", after=31)]
REFUSED = [saw("errored"), refused(), saw("errored")]
GONE = [saw("errored"), ok(), gone()]
NOT_THERE = [gone()]
LEFT_ALONE = [saw("complete")]


def records(*scripts, **wanted):
    return [
        drive(script, instance_id=f"o-{number}", when_status=frozenset(["errored"]), **{**RESTART, **wanted})[0]
        for number, script in enumerate(scripts, 1)
    ]


@each_row(
    "scripts, allowed, alarm",
    [
        ([], 0, None),
        ([FINE, FINE], 0, None),
        # What nothing was sent to tells nothing of the others.
        ([LEFT_ALONE, NOT_THERE], 0, None),
        ([LEFT_ALONE, FINE, NOT_THERE], 0, None),
        ([AGAIN], 0, "the canary has failed: 1 of 1 (o-1) errored again"),
        ([AGAIN, FINE], 1, None),
        ([AGAIN, FINE, AGAIN], 1, "the canary has failed: 2 of 3 (o-1, o-3) errored again"),
        ([AGAIN] * 5, 4, "the canary has failed: 5 of 5 (o-1, o-2, o-3 and 2 more) errored again"),
        ([NOT_THERE, AGAIN], 0, "the canary has failed: 1 of 1 (o-2) errored again"),
        ([REFUSED, FINE], 0, "the canary has failed: 1 of 2 (o-1) refused by the API"),
        ([REFUSED, FINE], 1, None),
        ([REFUSED, AGAIN], 1, "the canary has failed: 1 of 2 (o-2) errored again, 1 of 2 (o-1) refused by the API"),
        ([UNDECIDED, FINE], 0, "the canary is undecided: 1 of 2 (o-1) not known to have ended after 60 s"),
        # Nobody knows, however many may fail.
        ([UNDECIDED, FINE], 9, "the canary is undecided: 1 of 2 (o-1) not known to have ended after 60 s"),
        ([NO_ANSWER, FINE], 9, "the canary is undecided: 1 of 2 (o-1) not known to have ended after 60 s"),
        ([GONE, FINE], 9, "the canary is undecided: 1 of 2 (o-1) not known to have ended after 60 s"),
        ([AGAIN, UNDECIDED], 0, "the canary is undecided: 1 of 2 (o-2) not known to have ended after 60 s"),
    ],
)
def test_alarm(scripts, allowed, alarm):
    assert Canary(ENDED, 60.0, allowed).alarm(records(*scripts)) == alarm


@each_row(
    "state, wait_until, says",
    [
        ("restarted", "past_step", "not known to be past the step that failed after 900 s"),
        ("running", "past_step", "not known to be past the step it was paused in after 900 s"),
        ("running", "ended", "not known to have ended after 900 s"),
    ],
)
def test_what_it_waits_for(state, wait_until, says):
    (record,) = records(UNDECIDED)
    record.wanted = record.wanted._replace(state=state)
    assert Canary(wait_until).alarm([record]).endswith(says)


def test_what_it_wants():
    wanted = Wanted("restarted", from_failed_step=True, wait_timeout=300.0)
    assert Canary("ended", 5.0).wanted(wanted) == wanted._replace(wait_until="ended", wait_timeout=5.0)


@each_row("script, does", [(FINE, True), (AGAIN, True), (UNDECIDED, True), (NO_ANSWER, True), (LEFT_ALONE, False), (NOT_THERE, False)])
def test_what_proves_something(script, does):
    assert proves_something(records(script)) is does


# -- in a fleet -----------------------------------------------------------------------------------------------------------


def failed(count, **fields):
    """Errored instances; the step `charge` has failed."""
    instances = [FakeInstance(f"i{number:03d}", "errored", created=number / 10, **fields) for number in range(count)]
    for instance in instances:
        instance.steps = [{"name": "charge-1", "type": "step", "start": stamp(0.5), "success": False, "error": instance.error}]
    return instances


def run(workflow, sizes, canary=None, max_failures=None, ids=None, **wanted):
    limits = Limits(max_failures=max_failures, concurrency=1, batch_sizes=tuple(sizes), canary=canary or Canary())
    surveyor = Surveyor(workflow, workflow.clock, lambda: http_date(workflow.clock.monotonic() + 3600))
    wanted = Wanted("restarted", when_status=frozenset(["errored"]), **{"from_failed_step": True, **wanted})
    fleet = Fleet(workflow, surveyor, wanted, limits, workflow.clock, OpenGate(), FakeController().gone)
    fleet.run(ids or list(workflow.instances))
    assert all(record.outcome for record in fleet.records), "every instance has an outcome, always"
    restarted = [name for name, _action in workflow.patches()]
    assert len(restarted) == len(set(restarted)), "nothing is restarted twice"
    return fleet


def after_restart(workflow, instances, seconds, status):
    """So many seconds after its restart each goes to a status."""
    for instance in instances:
        workflow.before(("patch", instance.id), lambda instance=instance: instance.later(workflow.clock.monotonic() + seconds, status))


def outcomes(fleet, *names):
    return [record.id for record in fleet.records if record.outcome in names]


def sizes_of(fleet):
    return [batch["matched"] for batch in fleet.batches.told()]


def text_of(fleet):
    return account.message(
        Told(fleet.records, "orders", Wanted("restarted"), 1000, batches=fleet.batches.told(), fatal=fleet.fatal, has_canary=True)
    )


def test_the_others_follow_a_good_one(clock):
    instances = failed(9, after_restart="complete")
    fleet = run(FakeWorkflow(clock, *instances), [2, 5])
    assert sizes_of(fleet) == [2, 5, 2] and len(outcomes(fleet, CHANGED)) == 9


def test_nothing_more_is_sent_after_one_that_errored_again(clock):
    instances = failed(20)
    workflow = FakeWorkflow(clock, *instances)
    clock.pass_by(100)
    after_restart(workflow, instances, 10.0, "errored")
    fleet = run(workflow, [2, 100])
    assert workflow.patches() == [("i000", "restart"), ("i001", "restart")]
    assert outcomes(fleet, NOT_ATTEMPTED) == [f"i{number:03d}" for number in range(2, 20)]
    assert (
        fleet.fatal is None
        and "18 were not attempted (the canary has failed: 2 of 2 (i000, i001) errored again, in batch 1 of 2)" in text_of(fleet)
    )


def test_nothing_more_is_sent_after_one_that_gets_nowhere(clock):
    """It is waited for as long as the canary's own timeout says; then nobody knows."""
    workflow = FakeWorkflow(clock, *failed(4))
    clock.pass_by(100)
    fleet = run(workflow, [1, 100], Canary(wait_timeout=900.0), wait_timeout=10.0)
    assert len(workflow.patches()) == 1 and 1000 <= clock.monotonic() < 1100
    assert outcomes(fleet, FAILED) == ["i000"] and len(outcomes(fleet, NOT_ATTEMPTED)) == 3
    assert "the canary is undecided: 1 of 1 (i000) not known to be past the step that failed after 900 s" in text_of(fleet)


def test_as_many_may_fail_as_it_says(clock):
    instances = failed(10, after_restart="complete")
    instances[1].after_restart = "errored"
    workflow = FakeWorkflow(clock, *instances)
    clock.pass_by(100)
    fleet = run(workflow, [3, 100], Canary(max_failures=1))
    assert len(workflow.patches()) == 10 and sizes_of(fleet) == [3, 7]


def test_max_failures_counts_beside_it(clock):
    instances = failed(10, after_restart="errored")
    workflow = FakeWorkflow(clock, *instances)
    clock.pass_by(100)
    fleet = run(workflow, [5, 100], Canary(max_failures=9), max_failures=2)
    assert len(workflow.patches()) <= 5 and len(outcomes(fleet, NOT_ATTEMPTED)) >= 5
    assert "max_failures (2) is reached" in text_of(fleet)


def test_one_in_which_nothing_was_sent_is_followed_by_another(clock):
    """They had gone on by themselves: that proves nothing of the rest."""
    instances = failed(12)
    workflow = FakeWorkflow(clock, *instances)
    clock.pass_by(100)
    for instance in instances[:2]:
        workflow.before(("log", instance.id), lambda instance=instance: instance.later(0.0, "complete"))
    after_restart(workflow, instances[2:], 5.0, "errored")
    fleet = run(workflow, [2, 100])
    assert workflow.patches() == [("i002", "restart"), ("i003", "restart")]
    assert sizes_of(fleet) == [2, 2] and outcomes(fleet, UNCHANGED) == ["i000", "i001"] and len(outcomes(fleet, NOT_ATTEMPTED)) == 8


def test_the_second_canary_may_be_good(clock):
    instances = failed(12, after_restart="complete")
    workflow = FakeWorkflow(clock, *instances)
    for instance in instances[:2]:
        workflow.before(("log", instance.id), lambda instance=instance: instance.later(0.0, "complete"))
    fleet = run(workflow, [2, 100])
    assert sizes_of(fleet) == [2, 2, 8] and len(outcomes(fleet, CHANGED)) == 10


def test_what_cannot_be_restarted_tells_nothing_of_the_others(clock):
    """Thrown outside any step: refused before anything is sent, and told; the next ones are the canary."""
    instances = failed(8, after_restart="complete")
    for instance in instances[:2]:
        instance.steps = []
    workflow = FakeWorkflow(clock, *instances)
    fleet = run(workflow, [2, 100])
    assert sizes_of(fleet) == [2, 2, 4] and outcomes(fleet, FAILED) == ["i000", "i001"] and len(workflow.patches()) == 6


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (Refused("the API says: not in a restartable state", http_status=409), "1 of 1 (i000) refused by the API"),
        (AnswerLost("no answer within 30 s (api_timeout)"), "the canary is undecided: 1 of 1 (i000)"),
    ],
)
def test_one_that_was_not_restarted(clock, error, says):
    workflow = FakeWorkflow(clock, *failed(5))
    workflow.fail(("patch",), error)
    fleet = run(workflow, [1, 100])
    assert workflow.count("patch") == 1 and len(outcomes(fleet, FAILED, UNKNOWN)) == 1 and says in text_of(fleet)


def test_what_meets_all_alike_ends_it(clock):
    workflow = FakeWorkflow(clock, *failed(5))
    workflow.fail(("patch",), AuthenticationError("the API refuses the credentials"))
    fleet = run(workflow, [2, 100])
    assert workflow.count("patch") == 1 and fleet.fatal is not None and "the API refuses the credentials" in text_of(fleet)


@given(st.lists(st.sampled_from(["complete", "errored", "running", "left"]), min_size=1, max_size=14), st.integers(1, 4), st.integers(0, 2))
def test_whatever_becomes_of_them(ends, size, allowed):
    """No instance outside the first batch in which anything was sent is restarted unless that one went well."""
    clock = FakeClock(100.0)
    instances = failed(len(ends))
    workflow = FakeWorkflow(clock, *instances)
    for instance, end in zip(instances, ends):
        if end == "left":
            workflow.before(("log", instance.id), lambda instance=instance: instance.later(0.0, "complete"))
        elif end != "running":
            instance.after_restart = end
    fleet = run(workflow, [size, 100], Canary(max_failures=allowed, wait_timeout=60.0), wait_timeout=60.0)
    batches = [ends[begin : begin + size] for begin in range(0, len(ends), size)]
    canary = next((batch for batch in batches if set(batch) != {"left"}), [])
    is_good = "running" not in canary and canary.count("errored") <= allowed
    sent = [end for end in (ends if is_good else canary) if end != "left"]
    assert len(workflow.patches()) == len(sent)
    later = 0 if is_good else len(ends) - size * (batches.index(canary) + 1)
    assert len(outcomes(fleet, NOT_ATTEMPTED)) == max(0, later)
