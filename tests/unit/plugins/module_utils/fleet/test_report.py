# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The result: what an operator and the next task are told."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import AuthenticationError, ControllerGone, TooManyMatched
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet import report
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.gathering import Found
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.pursuit import Pursuit
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.record import Record
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.wanted import Wanted
from ansible_collections.edgeops.cloudflare.tests.unit.stories import (
    CHARGE,
    DECLINED,
    STEPS,
    again,
    drive,
    gone,
    listed,
    lost,
    ok,
    refused,
    saw,
)
from ansible_collections.edgeops.cloudflare.tests.unit.tables import each_row

ACCEPTED = "2026-08-06T03:02:07.000Z"
MUST_SETTLE = ("id", "status", "previous_status", "action", "changed", "failed", "timestamp", "outcome", "msg")


def story(*script, instance_id="order-1", check_mode=False, state="paused", **wanted):
    return drive(script, check_mode=check_mode, instance_id=instance_id, state=state, **wanted)[0]


def paused(instance_id="order-1"):
    return story(saw("running"), ok("paused"), instance_id=instance_id)


def was_paused(instance_id="order-1"):
    return story(saw("paused"), instance_id=instance_id)


def complete(instance_id="order-1", status="complete"):
    return story(saw(status), instance_id=instance_id)


def slow(instance_id="order-1", after=300):
    return story(saw("running"), ok("waitingForPause"), saw("waitingForPause", after=after), instance_id=instance_id)


def not_attempted(instance_id="order-1", reason="max_failures (3) is reached"):
    pursuit = Pursuit(Record(instance_id, Wanted("paused"), "orders"))
    pursuit.abandon(reason)
    return pursuit.record


def item_of(record):
    return report.items([record])[0]


def each(kind, count, first=1, **how):
    return [kind(f"order-{number}", **how) for number in range(first, first + count)]


# -- items ------------------------------------------------------------------------------------------------------------


def test_item_of_a_changed_one():
    assert item_of(paused()) == {
        "id": "order-1",
        "status": "paused",
        "previous_status": "running",
        "action": "pause",
        "changed": True,
        "failed": False,
        "timestamp": ACCEPTED,
        "outcome": "changed",
        "msg": "instance order-1 is paused (was running; pause accepted 03:02:07Z)",
    }


def test_item_of_an_unchanged_one():
    assert item_of(was_paused()) == {
        "id": "order-1",
        "status": "paused",
        "previous_status": "paused",
        "action": None,
        "changed": False,
        "failed": False,
        "timestamp": None,
        "outcome": "unchanged",
        "msg": "instance order-1 is already paused; nothing was sent",
    }


def test_item_of_one_that_is_not_there():
    item = item_of(story(gone()))
    assert (item["status"], item["previous_status"], item["outcome"], item["failed"]) == (None, None, "failed", True)


def test_item_of_one_that_was_not_attempted():
    item = item_of(not_attempted())
    assert (item["status"], item["action"], item["outcome"], item["failed"], item["changed"]) == (None, None, "not_attempted", True, False)
    assert item["msg"] == "instance order-1 was not attempted: max_failures (3) is reached"


def test_item_of_a_restart_from_a_step():
    events = [saw("errored", error=DECLINED, steps=STEPS), ok(), saw("running", end=None, steps=again())]
    item = item_of(story(*events, state="restarted", from_failed_step=True))
    assert item["restarted_from"] == {"name": "charge", "count": 1, "type": "do"}
    assert item["reruns"] == [{"name": "notify", "count": 1, "type": "do"}]


def test_item_of_a_full_restart():
    item = item_of(story(saw("errored"), ok(), saw("running", run=1), state="restarted"))
    assert not {"restarted_from", "reruns", "rollback"} & set(item)


def test_item_of_a_rollback():
    rollback = {"outcome": "complete", "error": None}
    item = item_of(story(saw("running"), ok("terminated"), saw("terminated", rollback=rollback), state="terminated", rollback=True))
    assert item["rollback"] == rollback


def test_every_item_has_the_same_keys():
    for pursuit in (paused(), was_paused(), complete(), slow(), not_attempted(), story(gone()), story(saw("running"), check_mode=True)):
        assert tuple(item_of(pursuit)) == MUST_SETTLE


# -- summary ----------------------------------------------------------------------------------------------------------


def test_summary():
    again_errored = story(saw("errored"), ok(), saw("errored", run=1), state="restarted", instance_id="r")
    unknown = story(saw("errored"), lost(), saw("errored"), saw("errored", after=30), state="restarted", instance_id="u")
    pursuits = [*each(paused, 2), was_paused(), complete(), slow(), again_errored, unknown, not_attempted(), story(gone())]
    assert report.summary(pursuits, None, 4.23456) == {
        "matched": 9,
        "changed": 3,
        "unchanged": 1,
        "failed": 3,
        "unknown": 1,
        "not_attempted": 1,
        "finished_again": 1,
        "by_status": {"paused": 3, "complete": 1, "waitingForPause": 1, "errored": 2},
        "passes": 0,
        "converged": True,
        "duration": 4.235,
    }


def test_summary_of_a_selection():
    found = report.summary([], Found({}, passes=5, converged=False), 0.0)
    assert (found["matched"], found["passes"], found["converged"]) == (0, 5, False)


@given(st.lists(st.sampled_from([paused, was_paused, complete, slow, not_attempted]), max_size=12))
def test_outcomes_add_up(kinds):
    pursuits = [kind(f"order-{number}") for number, kind in enumerate(kinds)]
    summary = report.summary(pursuits, None, 1.0)
    assert (
        sum(summary[outcome] for outcome in ("changed", "unchanged", "failed", "unknown", "not_attempted"))
        == summary["matched"]
        == len(kinds)
    )
    text = report.message(pursuits, "orders", "paused", False)
    assert text
    if len(kinds) > 1:
        assert f"paused {summary['changed']} of {len(kinds)} instances of orders" in text
        for outcome, words in (("unchanged", "unchanged"), ("failed", "failed"), ("not_attempted", "not attempted")):
            assert (f"{summary[outcome]} {words}" in text) == bool(summary[outcome])


# -- diff -------------------------------------------------------------------------------------------------------------


def test_diff():
    pursuits = [paused("a"), was_paused("b"), complete("c"), slow("d"), not_attempted("e")]
    assert report.diff(pursuits) == {"before": {"a": "running", "d": "running"}, "after": {"a": "paused", "d": "waitingForPause"}}
    assert report.diff([]) == {"before": {}, "after": {}}


#: (state, wanted, look, how it goes in earnest)
BOTH_WAYS = [
    ("paused", {}, saw("running"), [ok("paused")]),
    ("paused", {}, saw("running"), [ok("waitingForPause"), saw("paused", after=2)]),
    ("paused", {"wait": False}, saw("running"), [ok("waitingForPause")]),
    ("running", {}, saw("paused"), [ok("running"), saw("running")]),
    ("running", {}, saw("paused"), [ok("running"), saw("waiting")]),
    ("running", {}, saw("paused"), [ok("queued"), saw("queued")]),
    ("running", {}, saw("paused"), [ok("running"), saw("complete")]),
    ("terminated", {}, saw("running"), [ok("terminated")]),
    ("terminated", {"rollback": True}, saw("running"), [ok("rollingBack"), saw("terminated", after=2)]),
    ("restarted", {}, saw("running"), [ok(), saw("running", run=1)]),
    ("restarted", {}, saw("errored"), [ok(), saw("errored", run=1)]),
    ("restarted", {"step": CHARGE}, saw("errored", steps=STEPS), [ok(), saw("running", end=None, steps=again())]),
    (
        "restarted",
        {"from_failed_step": True},
        saw("errored", error=DECLINED, steps=STEPS),
        [ok(), saw("complete", ended=70, steps=again())],
    ),
    ("paused", {}, saw("paused"), []),
    ("paused", {"skip_finished": True}, saw("complete"), []),
]


@each_row("state, wanted, look, events", BOTH_WAYS)
def test_diff_is_the_same_in_check_mode_and_in_earnest(state, wanted, look, events):
    foretold = story(look, state=state, check_mode=True, **wanted)
    was = story(look, *events, state=state, **wanted)
    assert report.diff([foretold]) == report.diff([was])
    assert (foretold.changed, foretold.failed) == (was.changed, was.failed)


def test_diff_of_restarts():
    full = story(saw("running"), ok(), saw("running", run=1), state="restarted", instance_id="a")
    from_step = story(saw("errored", steps=STEPS), check_mode=True, state="restarted", step=CHARGE, instance_id="b")
    assert report.diff([full, from_step]) == {
        "before": {"a": "running", "b": "errored"},
        "after": {"a": "restarted", "b": "restarted from charge (1)"},
    }


# -- facts ------------------------------------------------------------------------------------------------------------


def test_facts():
    assert report.facts([paused("a"), was_paused("b"), not_attempted("c")]) == {
        "a": {"status": "paused", "timestamp": ACCEPTED},
        "b": {"status": "paused", "timestamp": None},
    }


# -- warnings ---------------------------------------------------------------------------------------------------------


def test_warnings():
    events = [saw("errored"), ok(), saw("errored", run=1, error=DECLINED)]
    errored = [story(*events, state="restarted", instance_id=f"order-{number}") for number in range(8)]
    assert report.warnings([paused()], [], None, 0.0) == []
    assert report.warnings(errored[:2], [], None, 10.0) == [
        "instance order-0 was restarted and is errored again by now with Error: card declined",
        "instance order-1 was restarted and is errored again by now with Error: card declined",
    ]
    assert report.warnings(errored, [], None, 0.0)[5:] == ["and 3 more like these"]
    assert report.warnings([], [{"code": 1, "message": "beta"}], Found({}, 5, False), 300.4) == [
        "new instances kept appearing in the selection during all 5 passes; more may match by now: run again",
        "the API's rate limit held this task back for 300 s",
        "the API says: beta",
    ]


# -- the message ------------------------------------------------------------------------------------------------------

CANNOT = "is complete and cannot be paused; use state=restarted to run it again, or skip_finished=true to leave it alone"

#: (pursuits, what the operator reads)
MESSAGES = [
    ([], "no instance of orders is asked for; nothing was sent"),
    (each(paused, 1), "instance order-1 is paused (was running; pause accepted 03:02:07Z)"),
    (each(complete, 1), f"instance order-1 {CANNOT}"),
    (each(not_attempted, 1), "instance order-1 was not attempted: max_failures (3) is reached"),
    (each(paused, 240), "paused 240 of 240 instances of orders"),
    (each(was_paused, 3), "paused 0 of 3 instances of orders; 3 unchanged"),
    (each(paused, 240) + each(complete, 2, 241), f"paused 240 of 242 instances of orders; 2 failed: 2 × {CANNOT} (order-241, order-242)"),
    (each(paused, 1) + each(complete, 5, 2), f"paused 1 of 6 instances of orders; 5 failed: 5 × {CANNOT} (order-2, order-3, order-4, …)"),
    (
        each(paused, 2) + each(was_paused, 3, 3) + each(complete, 1, 6) + each(not_attempted, 4, 7),
        f"paused 2 of 10 instances of orders; 3 unchanged; 1 failed: 1 × {CANNOT} (order-6); 4 not attempted: max_failures (3) is reached",
    ),
    # The reasons are grouped, the most frequent first; what differs from one to the next is left out.
    (
        each(complete, 1) + each(slow, 3, 2) + [story(gone(), instance_id="order-9")],
        "paused 0 of 5 instances of orders; 5 failed: 3 × pause accepted, still waitingForPause after 300 s; it will pause when the step under way ends; "
        f"run again to wait (order-2, order-3, order-4); 1 × {CANNOT} (order-1); 1 × was not found in workflow orders; check the id; a finished instance "
        "is deleted after its retention (order-9)",
    ),
]


@each_row("pursuits, text", MESSAGES)
def test_messages(pursuits, text):
    assert report.message(pursuits, "orders", "paused", False) == text


def test_nothing_matches():
    assert report.message([], "orders", "paused", False, is_selection=True) == "no instance of orders matches; nothing was sent"


def test_what_nobody_waits_for_is_not_told_as_done():
    sent = [story(saw("running"), ok("waitingForPause"), wait=False, instance_id=name) for name in "ab"]
    under_way = [story(saw("waitingForPause"), wait=False, instance_id=name) for name in "cd"]
    text = report.message(sent + under_way + each(paused, 1) + each(was_paused, 1, 2), "orders", "paused", False)
    assert text == "paused 1 of 6 instances of orders; 4 still waitingForPause; 1 unchanged"
    foretold = [story(saw("running"), check_mode=True), story(saw("waitingForPause"), check_mode=True)]
    assert report.message(foretold, "orders", "paused", True) == "would pause 1 of 2 instances of orders; 1 still waitingForPause"


def test_what_has_finished_again_is_told():
    events = [saw("errored"), ok(), saw("errored", run=1, error=DECLINED)]
    errored = [story(*events, state="restarted", instance_id=name) for name in "abcd"]
    assert report.message(errored, "orders", "restarted", False) == (
        "restarted 4 of 4 instances of orders; 4 finished again: 4 × was restarted and is errored again by now with Error: card declined (a, b, c, …)"
    )


def test_a_few_groups_are_shown():
    pursuits = each(complete, 2) + each(complete, 2, 3, status="errored") + each(complete, 2, 5, status="terminated") + each(slow, 1, 7)
    text = report.message(pursuits, "orders", "paused", False)
    assert text.endswith("; and 1 for other reasons")
    assert text.count(" × ") == 3


@each_row(
    "state, verb, participle",
    [
        ("paused", "pause", "paused"),
        ("running", "resume", "resumed"),
        ("terminated", "terminate", "terminated"),
        ("restarted", "restart", "restarted"),
    ],
)
def test_verbs(state, verb, participle):
    status = {"paused": "running", "running": "paused", "terminated": "running", "restarted": "errored"}[state]
    foretold = [story(listed(status), state=state, check_mode=True, instance_id=name) for name in "ab"]
    assert report.message(foretold, "orders", state, True) == f"would {verb} 2 of 2 instances of orders"
    assert report.message(foretold, "orders", state, False) == f"{participle} 2 of 2 instances of orders"
    assert (
        report.message(foretold, "orders", state, True, estimate="about 2 calls")
        == f"would {verb} 2 of 2 instances of orders; about 2 calls"
    )


def test_what_ended_the_task_comes_first():
    denied = AuthenticationError("the API refuses these credentials")
    reason = denied.message
    assert report.message(each(not_attempted, 3, reason=reason), "orders", "paused", False, denied) == (
        "the API refuses these credentials; nothing was changed; 3 not attempted"
    )
    assert report.message(each(not_attempted, 1, reason=reason), "orders", "paused", False, denied) == (
        "the API refuses these credentials; nothing was changed; 1 not attempted"
    )
    gone_ = ControllerGone("stopped by SIGTERM")
    assert report.message(each(paused, 2) + each(not_attempted, 3, 3, reason=gone_.message), "orders", "paused", False, gone_) == (
        "stopped by SIGTERM; paused 2 of 5 instances of orders; 3 not attempted"
    )
    assert (
        report.message([], "orders", "paused", False, TooManyMatched("more than 10 instances match"))
        == "more than 10 instances match; nothing was changed"
    )


def test_changes_are_told_whatever_failed():
    """An accepted pause that is not reached in time has changed something all the same."""
    text = report.message(each(slow, 2), "orders", "paused", False, ControllerGone("stopped by SIGTERM"))
    assert "nothing was changed" not in text
    assert "2 failed: 2 × pause accepted" in text


def test_unknown_ones_are_told_apart():
    pursuits = [
        story(saw("errored"), lost(), saw("errored"), saw("errored", after=30), state="restarted", instance_id=name) for name in "ab"
    ]
    text = report.message(pursuits, "orders", "restarted", False)
    assert text.startswith("restarted 0 of 2 instances of orders; 2 unknown: 2 × is errored: restart sent, answer lost")
    assert "NOT sent again" in text


def test_refusals_are_grouped():
    pursuits = [story(saw("running"), refused(), saw("running"), state="terminated", instance_id=name) for name in "ab"]
    assert "2 failed: 2 × is running; terminate was refused: " in report.message(pursuits, "orders", "terminated", False)


# -- estimates --------------------------------------------------------------------------------------------------------


@each_row(
    "changes, calls_each, rate, reserve, text",
    [
        (10, 1, None, 0.2, "about 10 calls, within the quota of 1,200 in five minutes"),
        (960, 1, None, 0.2, "about 960 calls, within the quota of 1,200 in five minutes"),
        (1200, 1, None, 0.0, "about 1,200 calls, within the quota of 1,200 in five minutes"),
        (1200, 1, None, 0.2, "about 1,200 calls, 60 s under the rate limit"),
        (1200, 2, None, 0.2, "about 2,400 calls, 6 minutes under the rate limit"),
        (10000, 1, None, 0.2, "about 10,000 calls, 38 minutes under the rate limit"),
        (100, 1, 10.0, 0.2, "about 100 calls, 10 s under the rate limit"),
        (10000, 1, 100.0, 0.2, "about 10,000 calls, 38 minutes under the rate limit"),
    ],
)
def test_estimates(changes, calls_each, rate, reserve, text):
    assert report.estimate(changes, calls_each, rate, reserve) == text


@each_row(
    "least_left, text",
    [
        (None, "about 100 calls, within the quota of 1,200 in five minutes"),
        ((100, 60.0), "about 100 calls, within the quota of 1,200 in five minutes"),
        ((29, 60.0), "about 100 calls, of which the API allows 29 in the next 60 s"),
        ((0, 280.0), "about 100 calls, of which the API allows 0 in the next 5 minutes"),
    ],
)
def test_estimates_by_what_the_api_tells(least_left, text):
    assert report.estimate(100, 1, None, 0.2, least_left) == text
