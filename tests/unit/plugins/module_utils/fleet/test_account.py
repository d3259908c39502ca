# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The account of many in words: bad news first, states before verbs, every remedy once and last."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import AuthenticationError, ControllerGone, TooManyMatched
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.account import Told, message
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.selection import Selection
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.pursuit import Pursuit
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.record import Record
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.wanted import Wanted
from ansible_collections.edgeops.cloudflare.tests.unit.sentences import assert_is_a_sentence
from ansible_collections.edgeops.cloudflare.tests.unit.stories import DECLINED, drive, gone, listed, lost, ok, refused, saw
from ansible_collections.edgeops.cloudflare.tests.unit.tables import each_row


def story(*script, instance_id="order-1", check_mode=False, state="paused", **wanted):
    return drive(script, check_mode=check_mode, instance_id=instance_id, state=state, **wanted)[0]


def paused(instance_id="order-1"):
    return story(saw("running"), ok("paused"), instance_id=instance_id)


def was_paused(instance_id="order-1"):
    return story(saw("paused"), instance_id=instance_id)


def complete(instance_id="order-1", status="complete"):
    return story(saw(status), instance_id=instance_id)


def slow(instance_id="order-1"):
    return story(saw("running"), ok("waitingForPause"), saw("waitingForPause", after=300), instance_id=instance_id)


def missing(instance_id="order-1"):
    return story(gone(), instance_id=instance_id)


def left(instance_id="order-1", reason="max_failures (3) is reached"):
    pursuit = Pursuit(Record(instance_id, Wanted("paused"), "orders"))
    pursuit.abandon(reason)
    return pursuit.record


def each(kind, count, first=1, **how):
    return [kind(f"order-{number}", **how) for number in range(first, first + count)]


def named(names, *script, **how):
    return [story(*script, instance_id=name, **how) for name in names]


def says(records, state="paused", check_mode=False, wanted=None, **told):
    text = message(Told(records, "orders", Wanted(state, **(wanted or {})), 1000, check_mode, **told))
    assert_is_a_sentence(text)
    return text


AGAIN = [saw("errored"), ok(), saw("errored", run=1, error=DECLINED)]
LOST = [saw("errored"), lost(), saw("errored"), saw("errored", after=30)]

#: (records, state, what the operator reads)
MANY = [
    ([], "paused", "No instance of orders is asked for: nothing was sent."),
    (each(paused, 240), "paused", "All 240 instances of orders are paused (240 by this task)."),
    (each(was_paused, 3), "paused", "All 3 instances of orders are paused (0 by this task)."),
    (
        each(paused, 15) + each(complete, 3, 16) + each(complete, 1, 19, status="errored") + each(missing, 1, 20),
        "paused",
        "5 of 20 instances of orders can't be paused: 3 complete (order-16, order-17, order-18), 1 errored (order-19), 1 not "
        "found (order-20). The other 15 are paused (15 by this task). skip_finished=true leaves such instances alone. Check the"
        " id; a finished instance is deleted after its retention.",
    ),
    (
        each(paused, 1) + each(complete, 5, 2),
        "paused",
        "5 of 6 instances of orders can't be paused: 5 complete (order-2, order-3, order-4 and 2 more in instances). The other "
        "1 is paused (1 by this task). skip_finished=true leaves such instances alone.",
    ),
    (
        each(paused, 2) + each(was_paused, 3, 3) + each(complete, 1, 6) + each(left, 4, 7),
        "paused",
        "1 of 10 instances of orders can't be paused: 1 complete (order-6). 4 were not attempted (max_failures (3) is reached)."
        " The other 5 are paused (2 by this task). skip_finished=true leaves such instances alone.",
    ),
    (
        each(complete, 1) + each(slow, 3, 2) + each(missing, 1, 9),
        "paused",
        "5 of 5 instances of orders are not paused: 3 still waitingForPause after 300 s (order-2, order-3, order-4), 1 complete"
        " (order-1), 1 not found (order-9). skip_finished=true leaves such instances alone. Run again to wait for it, or raise "
        "wait_timeout. Check the id; a finished instance is deleted after its retention.",
    ),
    (
        named("ab", saw("running"), ok("waitingForPause"), wait=False) + each(paused, 1) + each(was_paused, 1, 2),
        "paused",
        "4 instances of orders: 2 are paused (1 by this task), 2 still waitingForPause (a, b).",
    ),
    (
        named("abcd", *AGAIN, state="restarted"),
        "restarted",
        "4 of 4 instances of orders were restarted and have errored again: 4 with Error: card declined (a, b, c and 1 more in "
        "instances). Find out why before it is restarted once more.",
    ),
    (
        named("abcd", *AGAIN, state="restarted") + named("e", saw("errored"), ok(), saw("running", run=1), state="restarted"),
        "restarted",
        "4 of 5 instances of orders were restarted and have errored again: 4 with Error: card declined (a, b, c and 1 more in "
        "instances). The other 1 was restarted (1 by this task). Find out why before it is restarted once more.",
    ),
    (
        named("ab", *LOST, state="restarted"),
        "restarted",
        "2 of 2 instances of orders were not restarted: 2 unknown, NOT sent again (a, b). Check it, then run again with "
        "when_status: [errored].",
    ),
    (
        named("ab", saw("running"), refused(), saw("running"), state="terminated"),
        "terminated",
        "2 of 2 instances of orders are not terminated: 2 refused (the API says: workflows.api.error.instance.cannot_terminate "
        "(code 10401)) (a, b). See what the API objects to; nothing was changed.",
    ),
    (
        named("a", saw("complete"), state="terminated")
        + named("b", saw("running"), ok("terminated"), state="terminated")
        + named("c", saw("running"), refused(), saw("complete"), state="terminated"),
        "terminated",
        "3 instances of orders: 1 is terminated (1 by this task), 2 complete before this task could terminate it (a, c).",
    ),
    (
        named("a", saw("complete"), state="restarted", when_status=frozenset(["errored"]))
        + named("b", saw("errored"), ok(), saw("running", run=1), state="restarted"),
        "restarted",
        "2 instances of orders: 1 was restarted (1 by this task), 1 left alone (complete) (a).",
    ),
    (
        named("a", saw("complete"), skip_finished=True) + each(paused, 1),
        "paused",
        "2 instances of orders: 1 is paused (1 by this task), 1 complete (skip_finished) (a).",
    ),
]


@each_row("records, state, text", MANY)
def test_many(records, state, text):
    assert says(records, state) == text


STATUS = {"paused": "running", "running": "paused", "terminated": "running", "restarted": "errored"}


def plan(state, **wanted):
    return named("ab", listed(STATUS[state]), state=state, check_mode=True, **wanted)


#: (records, state, wanted, what check mode says)
PLANS = [
    (plan("paused"), "paused", {}, "Would pause 2 of 2 instances of orders, and wait (2 running). About 2 calls."),
    (
        plan("running", wait=False),
        "running",
        {"wait": False},
        "Would resume 2 of 2 instances of orders, and not wait (2 paused). About 2 calls.",
    ),
    (
        plan("restarted"),
        "restarted",
        {},
        "Would restart 2 of 2 instances of orders from the beginning, and wait (2 errored). About 2 calls.",
    ),
    (
        plan("terminated"),
        "terminated",
        {},
        "Would terminate 2 of 2 instances of orders WITHOUT rollback, and wait (2 running). About 2 calls.",
    ),
    (
        plan("terminated", rollback=True) + named("c", saw("complete"), state="terminated", rollback=True, check_mode=True),
        "terminated",
        {"rollback": True},
        "1 of 3 instances of orders can't be terminated: 1 complete without a completed rollback (c). Would terminate 2 of 3 "
        "instances of orders with rollback, and wait (2 running). About 2 calls. Undo by hand what its steps did; "
        "rollback=false accepts it as it is.",
    ),
    (
        named("ab", saw("running"), check_mode=True) + named("c", saw("waitingForPause"), check_mode=True) + each(was_paused, 2),
        "paused",
        {},
        "Would pause 2 of 5 instances of orders, and wait (2 running). 2 paused already, 1 still waitingForPause (c). About 2 calls.",
    ),
]


@each_row("records, state, wanted, text", PLANS)
def test_plans(records, state, wanted, text):
    assert says(records, state, True, wanted, estimate="about 2 calls") == text


DENIED = AuthenticationError(
    "the API does not know the credentials from api_token: Invalid access token (code 9109)", "Give valid ones in api_token"
)
STOPPED = ControllerGone("stopped by SIGTERM, and nothing more is sent", "Run again for the rest")

#: (records, what ended the task, what the operator reads)
ENDED = [
    (
        each(left, 3, reason=DENIED.message),
        DENIED,
        "3 of 3 instances of orders were not attempted: the API does not know the credentials from api_token: Invalid access "
        "token (code 9109). Give valid ones in api_token.",
    ),
    (
        each(left, 1, reason=DENIED.message),
        DENIED,
        "order-1 was not attempted: the API does not know the credentials from api_token: Invalid access token (code 9109). "
        "Give valid ones in api_token.",
    ),
    (
        [],
        DENIED,
        "No instance of orders was changed: the API does not know the credentials from api_token: Invalid access token (code "
        "9109). Give valid ones in api_token.",
    ),
    (
        each(paused, 2) + each(left, 3, 3, reason=STOPPED.message),
        STOPPED,
        "3 of 5 instances of orders were not attempted. The other 2 are paused (2 by this task): stopped by SIGTERM, and "
        "nothing more is sent. Run again for the rest.",
    ),
    (
        each(slow, 2),
        STOPPED,
        "2 of 2 instances of orders are not paused: 2 still waitingForPause after 300 s (order-1, order-2): stopped by SIGTERM,"
        " and nothing more is sent. Run again for the rest. Run again to wait for it, or raise wait_timeout.",
    ),
    (
        [],
        TooManyMatched(4312, {"waiting": 4312}, True),
        "4,312 instances of orders match (waiting 4,312), more than max_instances=1000; nothing was changed. Narrow select, or "
        "set max_instances=4400.",
    ),
    (
        [],
        TooManyMatched(10000, {"waiting": 9000, "running": 1000}, False),
        "At least 10,000 instances of orders match (waiting 9,000, running 1,000), more than max_instances=1000; nothing was "
        "changed. Narrow select, or set max_instances=10000 or more.",
    ),
]


@each_row("records, fatal, text", ENDED)
def test_what_ended_the_task(records, fatal, text):
    assert says(records, fatal=fatal) == text


def test_nothing_matches():
    selection = Selection(statuses=("errored",), id_glob="x-*")
    assert says([], selection=selection) == "No instance of orders matches (status: errored; id_glob: x-*): nothing was sent."


@given(
    st.lists(st.sampled_from([paused, was_paused, complete, slow, missing, left]), max_size=12),
    st.booleans(),
    st.sampled_from([None, DENIED, STOPPED]),
)
def test_any_mixture(kinds, check_mode, fatal):
    says([kind(f"order-{number}") for number, kind in enumerate(kinds)], check_mode=check_mode, fatal=fatal)


@given(st.lists(st.text(min_size=1, max_size=300), min_size=2, max_size=9, unique=True), st.text(max_size=300))
def test_no_id_and_no_error_spoils_it(ids, error):
    again = [saw("errored"), ok(), saw("errored", run=1, error={"name": "Error", "message": error})]
    says([story(*again, state="restarted", instance_id=name) for name in ids], "restarted")
    says([complete(name) for name in ids])
