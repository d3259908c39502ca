# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What settles an instance beyond one look: a step that it has passed, its end; and a pause that comes before its rollback."""

from __future__ import annotations

from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.look import look_at_detail
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.passage import Passage, is_passed, passage_of
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.pursuit import Pursuit
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.record import (
    CHANGED,
    FAILED,
    NOT_ATTEMPTED,
    UNCHANGED,
    UNKNOWN,
    Record,
)
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.steplog import Step
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.wanted import Wanted
from ansible_collections.edgeops.cloudflare.tests.unit.fakes import stamp
from ansible_collections.edgeops.cloudflare.tests.unit.sentences import assert_is_a_sentence
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
    stale,
    unseen,
)
from ansible_collections.edgeops.cloudflare.tests.unit.tables import each_row

FROM_CHARGE = {"state": "restarted", "step": CHARGE}
PAST = {"wait_until": "past_step"}
ENDED = {"wait_until": "ended"}
ROLLBACK = {"state": "terminated", "rollback": True, "pause_first": True}
COMPLETE = {"outcome": "complete", "error": None}

CHARGED = dict(STEPS[1], start=stamp(50), end=stamp(55), success=True, attempts=[])
RESERVED = dict(STEPS[0])
RESERVED_AGAIN = dict(STEPS[0], start=stamp(101))
FIRST_FAILED = [RESERVED, STEPS[1]]


def errored(**more):
    return saw("errored", steps=STEPS, error=DECLINED, **more)


def failed_again(run=0, **more):
    return saw("errored", run=run, steps=[RESERVED, dict(STEPS[1], start=stamp(50), end=stamp(60))], error=DECLINED, ended=60, **more)


#: (what it is about, what is wanted, script, actions sent, outcome, changed, errored again)
CASES = [
    ("past the step", {**FROM_CHARGE, **PAST},
     [errored(), ok(), saw("running", steps=again()), saw("running", steps=again(), after=5), saw("running", steps=[RESERVED, CHARGED], after=5)],
     ["restart"], CHANGED, True, False),
    ("a step that is tried for seconds fails in the end", {**FROM_CHARGE, **PAST},
     [errored(), ok(), saw("running", steps=again()), saw("running", steps=again(), after=8), failed_again(after=5)],
     ["restart"], FAILED, True, True),
    ("by the effect alone that would have been fine", FROM_CHARGE, [errored(), ok(), saw("running", steps=again())], ["restart"], CHANGED, True, False),
    ("its end is past the step", {**FROM_CHARGE, **PAST}, [errored(), ok(), saw("complete", steps=[RESERVED, CHARGED], ended=70)],
     ["restart"], CHANGED, True, False),
    ("not past it in time", {**FROM_CHARGE, **PAST},
     [errored(), ok(), saw("running", steps=again()), saw("running", steps=again(), after=301)], ["restart"], FAILED, True, False),
    ("from the beginning: past the step that had failed", {"state": "restarted", **PAST},
     [errored(), ok(), saw("running", run=1, steps=[RESERVED_AGAIN]), saw("running", run=1, steps=[RESERVED_AGAIN, CHARGED], after=5)],
     ["restart"], CHANGED, True, False),
    ("from the beginning, and nothing had failed: past the first step", {"state": "restarted", **PAST},
     [saw("running", steps=[RESERVED]), ok(), saw("running", run=1, steps=[]), saw("running", run=1, steps=[RESERVED_AGAIN], after=5)],
     ["restart"], CHANGED, True, False),
    ("the listing's look is not enough to restart on", {**FROM_CHARGE, **PAST},
     [listed("errored"), errored(), ok(), saw("running", steps=[RESERVED, CHARGED])], ["restart"], CHANGED, True, False),
    ("the answer was lost", {**FROM_CHARGE, **PAST}, [errored(), lost(), saw("running", steps=again()), saw("running", steps=[RESERVED, CHARGED], after=5)],
     ["restart"], CHANGED, True, False),
    ("a look fails in between", {**FROM_CHARGE, **PAST},
     [errored(), ok(), saw("running", steps=again()), unseen(after=5), saw("running", steps=[RESERVED, CHARGED], after=5)], ["restart"], CHANGED, True, False),
    ("resumed: past the next step", {"state": "running", **PAST},
     [saw("paused", steps=[RESERVED]), ok("running"), saw("running", steps=[RESERVED, STEPS[1]]), saw("running", steps=[RESERVED, CHARGED], after=4)],
     ["resume"], CHANGED, True, False),
    ("resumed, listed before: it is looked at with its log", {"state": "running", **PAST},
     [listed("paused"), saw("paused", steps=[]), ok("running"), saw("running", steps=[RESERVED])], ["resume"], CHANGED, True, False),
    ("resumed: errored", {"state": "running", **PAST}, [saw("paused", steps=[]), ok("running"), errored()], ["resume"], FAILED, True, True),
    ("runs already", {"state": "running", **PAST}, [saw("running")], [], UNCHANGED, False, False),
    ("ended", {"state": "restarted", **ENDED}, [saw("errored"), ok(), saw("running", run=1), saw("waiting", run=1, after=9), saw("complete", run=1, after=9)],
     ["restart"], CHANGED, True, False),
    ("ended, by listings", {"state": "restarted", **ENDED}, [saw("errored"), ok(), listed("running", run=1), listed("complete", run=1, after=9)],
     ["restart"], CHANGED, True, False),
    ("ended: errored", {"state": "restarted", **ENDED}, [saw("errored"), ok(), saw("running", run=1), saw("errored", run=1, after=9)],
     ["restart"], FAILED, True, True),
    ("ended: terminated by somebody", {"state": "restarted", **ENDED}, [saw("errored"), ok(), saw("running", run=1), saw("terminated", run=1, after=9)],
     ["restart"], CHANGED, True, False),
    ("ended: its handlers run first", {"state": "restarted", **ENDED},
     [saw("errored"), ok(), saw("running", run=1), saw("rollingBack", run=1, after=9), saw("errored", run=1, after=9)], ["restart"], FAILED, True, True),
    ("ended: not in time", {"state": "restarted", **ENDED}, [saw("errored"), ok(), saw("running", run=1), saw("waiting", run=1, after=301)],
     ["restart"], FAILED, True, False),
    ("resumed and ended", {"state": "running", **ENDED}, [saw("paused"), ok("running"), saw("running"), saw("complete", after=5)],
     ["resume"], CHANGED, True, False),
    ("refused", {"state": "restarted", **ENDED}, [saw("errored"), refused(), saw("errored")], ["restart"], FAILED, False, False),

    ("paused, then rolled back", ROLLBACK,
     [saw("running"), ok("waitingForPause"), saw("waitingForPause", after=3), saw("paused", after=3), ok("terminated"), saw("terminated", rollback=COMPLETE)],
     ["pause", "terminate"], CHANGED, True, False),
    ("paused at once", ROLLBACK, [saw("waiting"), ok("paused"), saw("paused"), ok("terminated"), saw("terminated", rollback=COMPLETE)],
     ["pause", "terminate"], CHANGED, True, False),
    ("the answer says paused, and it is not yet", ROLLBACK,
     [saw("running"), ok("paused"), saw("waitingForPause"), saw("paused", after=5), ok("terminated"), saw("terminated", rollback=COMPLETE)],
     ["pause", "terminate"], CHANGED, True, False),
    ("held back by the limit, and resumed by somebody meanwhile", ROLLBACK,
     [saw("running"), ok("paused"), saw("paused"), stale(), saw("running"), ok("paused"), saw("paused"), ok("terminated"),
      saw("terminated", rollback=COMPLETE)], ["pause", "pause", "terminate"], CHANGED, True, False),
    ("resumed by somebody every time", ROLLBACK,
     [saw("running"), *[ok("paused"), saw("paused"), stale(), saw("running")] * 3], ["pause"] * 3, FAILED, True, False),
    ("queued, held back, and running by then", ROLLBACK,
     [saw("queued"), stale(), saw("running"), ok("paused"), saw("paused"), ok("terminated"), saw("terminated", rollback=COMPLETE)],
     ["pause", "terminate"], CHANGED, True, False),
    ("paused already", ROLLBACK, [saw("paused"), ok("terminated"), saw("terminated", rollback=COMPLETE)], ["terminate"], CHANGED, True, False),
    ("nothing of it is under way", ROLLBACK, [saw("queued"), ok("terminated"), saw("terminated", rollback=COMPLETE)], ["terminate"], CHANGED, True, False),
    ("pausing already", ROLLBACK, [saw("waitingForPause"), saw("paused", after=3), ok("terminated"), saw("terminated", rollback=COMPLETE)],
     ["terminate"], CHANGED, True, False),
    ("not paused in time", ROLLBACK, [saw("running"), ok("waitingForPause"), saw("waitingForPause", after=301)], ["pause"], FAILED, True, False),
    ("it errors before it is paused", ROLLBACK, [saw("running"), ok("waitingForPause"), saw("errored", after=5)], ["pause"], FAILED, False, False),
    ("it is deleted before it is paused", ROLLBACK, [saw("running"), ok("waitingForPause"), gone(after=5)], ["pause"], FAILED, True, False),
    ("it rolls back by itself", ROLLBACK, [saw("running"), ok("waitingForPause"), saw("rollingBack", after=5), saw("terminated", after=5, rollback=COMPLETE)],
     ["pause"], UNCHANGED, False, False),
    ("not in the status named", {**ROLLBACK, "when_status": frozenset(["waiting"])}, [saw("running")], [], UNCHANGED, False, False),
    ("the status named is tested before the pause only", {**ROLLBACK, "when_status": frozenset(["running"])},
     [saw("running"), ok("paused"), saw("paused"), ok("terminated"), saw("terminated", rollback=COMPLETE)],
     ["pause", "terminate"], CHANGED, True, False),
    ("the pause's answer was lost", ROLLBACK, [saw("running"), lost(), saw("paused"), ok("terminated"), saw("terminated", rollback=COMPLETE)],
     ["pause", "terminate"], CHANGED, True, False),
    ("the rollback's answer was lost", ROLLBACK, [saw("paused"), lost(), saw("paused"), saw("paused", after=301)], ["terminate"], UNKNOWN, True, False),
]  # fmt: skip


@each_row("about, wanted, script, sent, outcome, changed, errored_again", CASES)
def test_cases(about, wanted, script, sent, outcome, changed, errored_again):
    record, really_sent = drive(script, **wanted)
    assert [action for action, _at in really_sent] == sent
    assert (record.outcome, record.changed, record.errored_again) == (outcome, changed, errored_again), record.msg
    assert_is_a_sentence(record.msg)


@each_row(
    "about, text",
    [
        ("past the step", "order-1 is running (was errored): restart from charge (1) accepted 03:02:07Z; it has passed charge."),
        (
            "a step that is tried for seconds fails in the end",
            "order-1 is errored since 2026-08-06T00:01:00Z: restart from charge (1) accepted 03:02:07Z (was errored); it ran and failed with "
            "Error: card declined. Find out why before it is restarted once more.",
        ),
        (
            "not past it in time",
            "order-1 is still running after 300 s (wait_timeout): restart from charge (1) accepted 03:02:07Z; it runs, and has not passed charge yet "
            "(wait_until). Look at it; it needs no second restart.",
        ),
        (
            "ended: not in time",
            "order-1 is still waiting after 300 s (wait_timeout): restart accepted 03:02:07Z; it runs, and has not ended yet (wait_until). Look at "
            "it; it needs no second restart.",
        ),
        (
            "not paused in time",
            "order-1 is still waitingForPause after 300 s (wait_timeout): pause accepted 03:02:07Z; it will pause when the step under way ends; so "
            "no terminate was sent. Run again to wait for it, or raise wait_timeout.",
        ),
    ],
)
def test_sentences(about, text):
    wanted, script = next((wanted, script) for name, wanted, script, *_rest in CASES if name == about)
    assert drive(script, **wanted)[0].msg == text


@each_row(
    "status, sent",
    [
        ("running", "would send pause, wait until it is paused, and then send terminate with rollback and wait"),
        ("waitingForPause", "would send pause, wait until it is paused, and then send terminate with rollback and wait"),
        ("paused", "would send terminate with rollback and wait"),
        ("queued", "would send terminate with rollback and wait"),
    ],
)
def test_check_mode_tells_of_the_pause(status, sent):
    record, really_sent = drive([saw(status)], check_mode=True, **ROLLBACK)
    assert (record.outcome, record.action, record.wanted.state, really_sent) == (CHANGED, "terminate", "terminated", [])
    assert record.msg == f"order-1 is {status}: {sent}."


def test_what_was_paused_and_not_terminated_is_told():
    """The task ends between the two."""
    record = Record("order-1", Wanted(**ROLLBACK), "orders")
    pursuit = Pursuit(record)
    record.see_detail({"status": "running"}, 0.0)
    assert pursuit.next_move(0.0).action == "pause"
    record.accepted("pause", {"status": "paused", "timestamp": stamp(1)}, 0.0)
    record.see_detail({"status": "paused"}, 1.0)
    pursuit.abandon("stopped by SIGTERM")
    assert (record.outcome, record.changed) == (FAILED, True)
    assert record.msg == "order-1 is paused: pause accepted (was running); not terminated: stopped by SIGTERM. Run again for the rest."


def test_what_was_not_even_paused_was_not_attempted():
    record = Record("order-1", Wanted(**ROLLBACK), "orders")
    record.see_detail({"status": "running"}, 0.0)
    Pursuit(record).abandon("stopped by SIGTERM")
    assert (record.outcome, record.changed) == (NOT_ATTEMPTED, False)


# -- sent for many at once ------------------------------------------------------------------------------------------------


def hundred(*looks):
    """The story of one of a hundred: (status, seconds) each; returns its Record, and what else was to be sent."""
    record = Record("order-1", Wanted("terminated", bulk=True), "orders")
    pursuit = Pursuit(record)
    record.see_listed({"id": "order-1", "status": "running", "created_on": stamp(0), "started_on": stamp(1)}, 0.0)
    assert pursuit.is_to_be_changed
    record.sent_with_others("terminate", 1.0)
    assert not pursuit.is_to_be_changed
    moves = [pursuit.next_move(1.0)]
    for status, at in looks:
        record.see_listed({"id": "order-1", "status": status, "created_on": stamp(0), "started_on": stamp(1)}, at)
        moves.append(pursuit.next_move(at))
    return record, [move.action for move in moves if move.kind == "send"]


@each_row(
    "looks, outcome, sent",
    [
        ([("terminated", 2.0)], CHANGED, []),
        ([("running", 2.0), ("terminated", 5.0)], CHANGED, []),
        ([("rollingBack", 2.0), ("rollingBack", 20.0), ("terminated", 30.0)], CHANGED, []),
        ([("complete", 2.0)], UNCHANGED, []),
        ([("errored", 2.0)], UNCHANGED, []),
        ([("running", 2.0), ("running", 11.9)], None, []),
        ([("running", 2.0), ("running", 12.0)], None, ["terminate"]),
        # Moving by itself proves nothing, and must not cost a call for each.
        ([("running", 2.0), ("waiting", 5.0)], None, []),
        ([("running", 2.0), ("waiting", 12.0)], None, ["terminate"]),
    ],
)
def test_one_of_a_hundred(looks, outcome, sent):
    record, really_sent = hundred(*looks)
    assert (record.outcome, really_sent) == (outcome, sent)
    assert (record.timestamp is None and record.warning is None) or outcome == UNCHANGED
    assert outcome is None or "lost" not in record.msg


def test_the_sentence_of_one_of_a_hundred():
    assert hundred(("terminated", 2.0))[0].msg == "order-1 is terminated (was running): terminate sent for many at once."


# -- passages -------------------------------------------------------------------------------------------------------------


def test_what_had_succeeded_before_proves_nothing():
    """A complete instance is restarted from a step that had succeeded: only its new entry counts."""
    done = [RESERVED, dict(STEPS[1], success=True)]
    passage = passage_of(look_at_detail({"status": "complete", "steps": done}, 0.0, with_log=True), "restart", CHARGE)
    assert passage == Passage(CHARGE, frozenset([("reserve-1", stamp(1)), ("charge-1", stamp(3))]))
    assert not is_passed(passage, done)
    assert is_passed(passage, [RESERVED, CHARGED])


@each_row(
    "log, passed",
    [
        ([], False),
        ([{"name": "nap-1", "type": "sleep", "start": stamp(60), "finished": True}], True),
        ([{"name": "nap-1", "type": "sleep", "start": stamp(60), "finished": False}], False),
        ([{"name": "undo-1", "type": "rollback", "start": stamp(60), "success": True}], False),
        ([{"type": "step", "success": True}], False),
    ],
)
def test_any_step_will_do_where_none_is_named(log, passed):
    assert is_passed(Passage(None, frozenset()), log) is passed


def test_another_step_is_not_the_one():
    assert not is_passed(Passage(Step("ship", 1, "do"), frozenset()), [CHARGED])


def test_a_log_is_not_kept():
    """It can have megabytes, and there may be a thousand of them."""
    record, _sent = drive([errored(), ok(), saw("running", steps=[RESERVED, CHARGED])], **FROM_CHARGE, **PAST)
    assert record.look.log is None and record.attempt.look.log is None
    large = dict(STEPS[1], output="x" * 10_000, attempts=[{"error": {"message": "first"}, "output": "x"}, {"error": DECLINED}])
    [slim] = list(look_at_detail({"status": "errored", "steps": [large]}, 0.0, with_log=True).log or ())
    assert "output" not in slim and slim["attempts"] == [{"error": DECLINED}]


def test_an_answer_that_holds_no_status():
    """It proves nothing, and stands in no sentence."""
    record, sent = drive([saw("paused"), ok("\x1b[31mrunning\n" + "x" * 50_000), saw("running")], state="running", wait=False)
    assert (record.outcome, record.status, len(sent)) == (CHANGED, "running", 1) and "x" not in record.msg


def test_what_was_sent_with_others_may_have_been_done():
    """Until looks over a time have shown that it was left alone."""
    record, _sent = hundred(("running", 2.0))
    assert record.changed
    assert not hundred(("running", 2.0), ("running", 12.0))[0].changed
    assert not hundred(("complete", 2.0))[0].changed


@each_row("first, advice", [("errored", "when_status: [errored]"), ("running", "Look first whether it was restarted")])
def test_advice_after_a_lost_restart(first, advice):
    """`when_status: [running]` would restart once more what was restarted."""
    record, _sent = drive([saw(first), lost(), saw(first), saw(first, after=31)], state="restarted")
    assert record.outcome == UNKNOWN and advice in record.msg


@each_row("status", ["complete", "terminated", "errored"])
def test_a_pause_that_was_refused_was_not_accepted(status):
    record, _sent = drive([saw("running"), refused(), saw(status)], state="paused")
    assert record.outcome == FAILED and "accepted" not in record.msg and "it had ended before" in record.msg
