# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The account of things done once: sentences, sums, pieces of a batch, and what of the params differs."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import AnswerLost, ControllerGone, Refused
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.workflows import Creation
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet import deeds
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.deeds import Words
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.triggering import LARGEST_BATCH, Trigger, chunks, differing
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.deed import Deed
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.sentence import Sentence
from ansible_collections.edgeops.cloudflare.tests.unit.sentences import assert_is_a_sentence
from ansible_collections.edgeops.cloudflare.tests.unit.tables import each_row

WORDS = Words("orders", "triggered", "trigger")


def deed(name, how="done", group=""):
    made = Deed(name, "create")
    sentence = Sentence(f"{name} is queued", group=group, do="See why" if how == "fail" else "")
    {"done": made.done, "left": made.left, "fail": made.fail, "lose": made.lose, "abandon": lambda _sentence: made.abandon("stopped")}[how](
        sentence
    )
    return made


@each_row(
    "hows, text",
    [
        (["done"] * 3, "All 3 instances of orders were triggered."),
        (["done", "left"], "1 of 2 instances of orders was triggered. 1 left as it is: 1 there (1)."),
        (["fail", "done", "done"], "1 of 3 instances of orders was not triggered: 1 refused (0). 2 were triggered. See why."),
        (["lose", "abandon"], "1 of 2 instances of orders was not triggered: 1 other reasons (0). 1 was not attempted."),
        (["left", "left"], "0 of 2 instances of orders were triggered. 2 left as they are: 2 there (0, 1)."),
    ],
)
def test_messages(hows, text):
    made = [deed(str(number), how, {"left": "there", "fail": "refused"}.get(how, "")) for number, how in enumerate(hows)]
    said = str(deeds.message(made, WORDS, check_mode=False))
    assert said == text
    assert_is_a_sentence(said)


def test_check_mode():
    assert str(deeds.message([deed("a"), deed("b")], WORDS, check_mode=True)) == "Would trigger 2 of 2 instances of orders."


def test_what_ended_the_task_is_told():
    said = str(
        deeds.message([deed("a"), deed("b", "abandon")], WORDS, False, ControllerGone("stopped by SIGTERM", "Run again for the rest"))
    )
    assert said == "1 of 2 instances of orders was not attempted. 1 was triggered: stopped by SIGTERM. Run again for the rest."


def test_nobody():
    assert (
        str(deeds.message([], WORDS, False, nobody="No instance of orders matches")) == "No instance of orders matches: nothing was sent."
    )


def test_sums():
    made = [deed("a"), deed("b", "left"), deed("c", "fail"), deed("d", "lose"), deed("e", "abandon")]
    summary = deeds.summary(made, None, 1.0)
    assert [summary[outcome] for outcome in deeds.OUTCOMES] == [1, 1, 1, 1, 1] and summary["matched"] == 5
    assert deeds.ids(made) == {"changed": ["a"], "unchanged": ["b"], "failed": ["c"], "unknown": ["d"], "not_attempted": ["e"]}
    assert [(item["changed"], item["failed"]) for item in deeds.items(made)] == [
        (True, False), (False, False), (False, True), (True, True), (False, True)
    ]  # fmt: skip


def test_a_refusal():
    made = Deed("a", "create")
    made.is_refused(Refused("the API says: no"), "the trigger")
    assert made.msg == "a was not triggered: the trigger was refused: the API says: no. See what the API objects to; nothing was changed."


@given(st.lists(st.integers(1, 500_000), max_size=250))
def test_pieces(sizes):
    """Each is in one piece, in its order; no piece is of more than a hundred or larger than it may be, unless it is of one."""
    triggers = [Trigger(Creation(str(number), {"x": "y" * size})) for number, size in enumerate(sizes)]
    pieces = chunks(triggers)
    assert [trigger for piece in pieces for trigger in piece] == triggers
    for piece in pieces:
        assert 1 <= len(piece) <= 100
        assert len(piece) == 1 or sum(len(trigger.creation.params["x"]) for trigger in piece) < LARGEST_BATCH


@each_row(
    "params, there, keys",
    [
        ({"a": 1}, {"params": {"a": 1}}, []),
        ({"a": 1}, {"params": '{"a": 1}'}, []),
        ({}, {"params": None}, []),
        ({"a": 1, "b": 2}, {"params": {"a": 1, "c": 3}}, ["b", "c"]),
        ({"a": 1}, {}, []),
        (None, {"params": {"a": 1}}, []),
        ({"a": (1, 2)}, {"params": {"a": [1, 2]}}, []),
        ({"a": 1}, {"params": "no JSON"}, []),
    ],
)
def test_what_differs(params, there, keys):
    """Keys alone: values can be secrets."""
    assert differing(params, there) == keys


def test_both_dialects():
    creation = Creation("a", {"x": 1}, {"success_retention": 5}, "weur")
    assert creation.body(False) == {
        "instance_id": "a",
        "params": '{"x": 1}',
        "instance_retention": {"success_retention": 5},
        "location_hint": "weur",
    }
    assert creation.body(True) == {"id": "a", "params": {"x": 1}}
    assert Creation().body(False) == {}


def test_what_was_about_to_be_sent_was_not():
    made = Deed("a", "create")
    made.was_sent = True
    made.abandon("stopped by SIGTERM")
    assert deeds.items([made])[0]["action"] is None and made.outcome == "not_attempted"


@each_row(
    "action, name, text",
    [
        ("create", "a", "Nobody can tell whether a is there: the trigger was sent once, answer lost (no answer); stopped. Run again."),
        (
            "event",
            "a",
            "Nobody can tell whether a is there: the event was sent once, answer lost (no answer); stopped. Look first, before it is sent once more.",
        ),
        ("delete", "a", "Nobody can tell whether a is there: its deletion was sent once, answer lost (no answer); stopped. Run again."),
    ],
)
def test_what_went_out_before_the_task_ended_may_have_been_done(action, name, text):
    made = Deed(name, action)
    made.lose_answer(AnswerLost("no answer"))
    made.abandon("stopped")
    assert (made.outcome, made.changed, made.msg) == ("unknown", True, text)
