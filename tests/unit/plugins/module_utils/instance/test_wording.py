# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sentences: their four parts in their one order, what they advise, and what other people's text can't do to them.

(Most of them are read word for word in test_pursuit.py, where stories bring them about.)
"""

from __future__ import annotations

import inspect

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import AnswerLost, Refused, ServerFailed
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance import wording
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.attempt import Attempt
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.look import Look
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.record import Record
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.sentence import Sentence
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.steplog import LOG, Step
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.wanted import EFFECT, ENDED, PAST_STEP, Wanted
from ansible_collections.edgeops.cloudflare.tests.unit.fakes import stamp
from ansible_collections.edgeops.cloudflare.tests.unit.sentences import assert_is_a_sentence
from ansible_collections.edgeops.cloudflare.tests.unit.stories import DECLINED, STEPS, drive, lost, ok, saw, unseen
from ansible_collections.edgeops.cloudflare.tests.unit.tables import each_row

SENTENCES = {
    name: function
    for name, function in inspect.getmembers(wording, inspect.isfunction)
    if function.__module__ == wording.__name__ and not name.startswith("_")
}


def test_every_sentence_is_explained():
    assert len(SENTENCES) > 20
    assert all(function.__doc__ for function in SENTENCES.values())


@each_row(
    "parts, text",
    [
        ({"true": "a is b"}, "a is b."),
        ({"true": "a is b", "sent": "c"}, "a is b: c."),
        ({"true": "a is b", "why": "d"}, "a is b: d."),
        ({"true": "a is b", "sent": "c", "why": "d", "do": "E"}, "a is b: c; d. E."),
        ({"true": "a is b", "do": "E"}, "a is b. E."),
    ],
)
def test_the_four_parts(parts, text):
    assert str(Sentence(**parts)) == text
    assert Sentence(**parts).brief == text.replace(" E.", "")


#: Advice that did harm once: (what is wanted, what is seen and answered, the sentence)
NO_HARM = [
    (
        {"state": "paused"},
        [saw("complete")],
        "order-1 is complete, so there is nothing to pause. skip_finished=true leaves such instances alone.",
    ),
    (
        {"state": "paused"},
        [saw("errored", error=DECLINED)],
        "order-1 is errored since 2026-08-06T00:00:09Z (Error: card declined), so there is nothing to pause. "
        "skip_finished=true leaves such instances alone.",
    ),
    (
        {"state": "running"},
        [saw("errored", error=DECLINED)],
        "order-1 is errored since 2026-08-06T00:00:09Z (Error: card declined), so there is nothing to resume. "
        "state=restarted, from_failed_step=true restarts it from the step that failed.",
    ),
    (
        {"state": "running"},
        [saw("terminated")],
        "order-1 is terminated, so there is nothing to resume. state=restarted runs every step again; skip_finished=true leaves such instances alone.",
    ),
    (
        {"state": "paused"},
        [saw("rollingBack")],
        "order-1 is rollingBack: nothing was sent; its rollback handlers are running, so it can't be paused. "
        "Look first what they undo; state=terminated waits until they have ended and sends nothing.",
    ),
    (
        {"state": "paused"},
        [saw("running"), ok("waitingForPause"), saw("terminated", after=5)],
        "order-1 is terminated: something else ended it after our pause was accepted (03:02:07Z). "
        "See the account's audit log from 03:02:07Z on.",
    ),
    (
        {"state": "paused"},
        [saw("running"), ok("waitingForPause"), saw("complete", after=5)],
        "order-1 is complete: it ended by itself after our pause was accepted (03:02:07Z). skip_finished=true leaves such instances alone.",
    ),
    (
        {"state": "paused"},
        [saw("running"), ok("waitingForPause"), saw("errored", after=5, error=DECLINED)],
        "order-1 is errored: it failed (Error: card declined) by itself after our pause was accepted (03:02:07Z). "
        "skip_finished=true leaves such instances alone.",
    ),
    (
        {"state": "terminated", "rollback": True},
        [saw("errored", error=DECLINED)],
        "order-1 is errored without a completed rollback (Error: card declined): nothing was sent; no handler can run any more. "
        "Undo by hand what its steps did; rollback=false accepts it as it is.",
    ),
    (
        {"state": "terminated", "rollback": True},
        [saw("errored", error=DECLINED, rollback={"outcome": "complete"})],
        "order-1 is already errored and its rollback is complete: nothing was sent; it ended by itself, and nothing was terminated.",
    ),
]


@each_row("wanted, script, sentence", NO_HARM)
def test_advice_does_no_harm(wanted, script, sentence):
    assert drive(script, **wanted)[0].msg == sentence


def handler(name, success):
    return {"name": name, "type": "rollback", "start": stamp(20), "end": stamp(21), "success": success}


def test_which_steps_a_failed_rollback_has_undone():
    steps = [STEPS[0], dict(STEPS[2], name="ship-1"), dict(STEPS[2]), handler("notify-1", True), handler("ship-1", False)]
    failed = {"outcome": "failed", "error": {"name": "Error", "message": "no refund"}}
    record, _sent = drive(
        [saw("running"), ok("terminated"), saw("terminated", rollback=failed, steps=steps)], state="terminated", rollback=True
    )
    assert record.msg == (
        "order-1 is terminated, not rolled back: terminate accepted 03:02:07Z; its rollback failed with Error: no refund; undone: notify; "
        "NOT undone: reserve, ship. Undo by hand what these steps did: reserve, ship."
    )


def test_which_step_a_terminate_cut_off():
    steps = [STEPS[0], {"name": "charge-1", "type": "step", "start": stamp(3), "end": None, "success": None}]
    record, _sent = drive(
        [saw("running"), ok("terminated"), saw("terminated", rollback={"outcome": "complete"}, steps=steps)],
        state="terminated",
        rollback=True,
    )
    assert record.msg == (
        "order-1 is terminated and its rollback is complete (was running): terminate accepted 03:02:07Z; cut off in the middle: charge "
        "(started 00:00:03Z). Check by hand what became of charge."
    )
    assert record.warning == record.sentence, "green tasks say nothing on a terminal"


@each_row(
    "step, hint",
    [
        (
            Step("charge-1", 1, "do"),
            'no step charge-1. Its steps: reserve, charge, notify. "-1" is the log\'s count: use from_step: {name: charge}.',
        ),
        (
            Step("charge-2", 1, "do"),
            'no step charge-2. Its steps: reserve, charge, notify. "-2" is the log\'s count: use from_step: {name: charge, count: 2}.',
        ),
        (
            Step("charge", 3, "do"),
            "no step charge (3). Its steps: reserve, charge, notify. It has charge fewer than 3 times: lower from_step.count.",
        ),
        (
            Step("charge", 1, "sleep"),
            "no step charge of type sleep. Its steps: reserve, charge, notify. "
            "It is of another type: use from_step: {name: charge, type: do}.",
        ),
        (Step("chrage", 1, "do"), "no step chrage. Its steps: reserve, charge, notify. Check from_step."),
    ],
)
def test_a_step_that_is_not_there(step, hint):
    record, sent = drive([saw("errored", steps=STEPS)], state="restarted", step=step)
    assert record.msg == f"order-1 is errored; it has {hint}"
    assert sent == []


@each_row(
    "answered, told",
    [
        (lost(), "pause sent, answer lost (no answer within 30 s (api_timeout))"),
        (
            lost()._replace(value=ServerFailed("HTTP 500: Error: Not ready (code 10001)")),
            "pause was answered HTTP 500: Error: Not ready (code 10001)",
        ),
    ],
)
def test_an_answer_that_says_no_is_not_lost(answered, told):
    record, _sent = drive([saw("running"), answered, saw("paused")], state="paused")
    assert record.msg == f"order-1 is paused: {told}; it was done, by this task or another."
    assert "and it was done, by this task or another" in record.warning.headline


def test_times_are_those_of_the_api():
    assert drive([saw("running"), ok("paused")], state="paused")[0].msg == "order-1 is paused (was running): pause accepted 03:02:07Z."
    silent = ok("paused")._replace(value={"status": "paused", "timestamp": "soon"})
    assert drive([saw("running"), silent], state="paused")[0].msg == "order-1 is paused (was running): pause accepted."


@each_row("error, told", [(DECLINED, " with Error: card declined"), (None, ""), ({}, ""), ({"name": None, "message": "no"}, " with no")])
def test_errors_of_those_that_ended_again(error, told):
    record, _sent = drive([saw("errored"), ok(), saw("errored", run=1, error=error)], state="restarted")
    assert f"it ran and failed{told}. Find out why before it is restarted once more." in record.msg
    assert record.warning == record.sentence


def test_good_news_is_no_warning():
    record, _sent = drive([saw("errored"), ok(), saw("complete", run=1)], state="restarted")
    assert record.msg == "order-1 is complete: restart accepted 03:02:07Z (was errored); it is over already."
    assert record.warning is None
    assert record.finished_again


def test_no_answer_and_no_look():
    record, _sent = drive([saw("errored"), lost(), unseen(after=10), unseen(after=20)], state="restarted")
    assert record.msg.endswith("no effect seen; NOT sent again. Check it, then run again with when_status: [errored].")


# -- other people's text ----------------------------------------------------------------------------------------------

#: Text as others may write it: controls, marks of direction, template markers, colours, pages of it.
FOREIGN = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        ["\x1b[31mred\x1b[0m", "a\r\nb", "\u202eevil\u202c", "{{ lookup('pipe', 'id') }}", "{% raw %}", "{#", "\x00", "\u2028", "\ud800"]
    ),
    st.builds(lambda text, times: text * times, st.text(min_size=1, max_size=5), st.integers(1, 4000)),
)
ERRORS = st.fixed_dictionaries({"name": FOREIGN, "message": FOREIGN})
#: Sentences that are said only where something was sent.
AFTER_A_SEND = (
    "done_unheard",
    "would",
    "overtaken",
    "finished_again",
    "unwatched",
    "refused",
    "tug_of_war",
    "lost_without_effect",
    "unknown",
    "ignored",
    "reached",
)
STATES = st.sampled_from(["paused", "running", "terminated", "restarted"])
ENTRIES = st.lists(
    st.fixed_dictionaries(
        {
            "name": FOREIGN.map(lambda text: text + "-1"),
            "type": st.sampled_from(["step", "rollback", "sleep"]),
            "success": st.sampled_from([True, False, None]),
            "start": st.one_of(st.none(), FOREIGN, st.just(stamp(3))),
        }
    ),
    max_size=30,
)


@given(st.data(), STATES, st.booleans(), FOREIGN, ERRORS, ENTRIES)
def test_no_text_of_others_spoils_a_sentence(data, state, rollback, name, error, log):
    """Whatever the API, a workflow or a user has written, each sentence stays one line, bounded, and obeys nobody."""
    until = data.draw(st.sampled_from([EFFECT, PAST_STEP, ENDED]))
    record = Record(name or "x", Wanted(state, step=Step(name or "x", 1, "do"), rollback=rollback, wait_until=until), name or "w")
    record.effect = data.draw(st.booleans())
    outcome = data.draw(st.sampled_from([None, "failed", "complete"]))
    status = data.draw(st.sampled_from(["errored", "running", "terminated", "rollingBack", "queued", "complete"]))
    look = Look(status, 1.0, LOG, error=error, rollback=outcome and {"outcome": outcome, "error": error}, ended=name, log=tuple(log))
    record.look, record.first_status = look, status
    record.steps_instead = [Step(name or "x", 1, "do")] * data.draw(st.integers(0, 20))
    if data.draw(st.booleans()):
        record.sends, record.action = 1, data.draw(st.sampled_from(["pause", "resume", "terminate", "restart"]))
        record.attempt = Attempt(record.action, look, 1.0)
        record.lost = data.draw(st.sampled_from([None, AnswerLost("no answer"), ServerFailed("HTTP 500")]))
        record.timestamp = data.draw(st.sampled_from([None, stamp(3), "x"]))
    extra = {
        "error": Refused("the API says: no"),
        "look_error": None,
        "reason": "stopped",
        "statuses": frozenset(["errored"]),
        "step": record.step,
        "so_far": Sentence("it is so"),
    }
    for name_, function in SENTENCES.items():
        needs = list(inspect.signature(function).parameters)[1:]
        if not record.sends and name_ in AFTER_A_SEND:
            continue
        sentence = function(record, **{need: extra[need] for need in needs})
        if sentence is not None:
            assert_is_a_sentence(str(sentence))
            assert len(sentence.group) < 600
