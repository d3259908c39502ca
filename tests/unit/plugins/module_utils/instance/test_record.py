# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of an instance. (What follows from it: test_pursuit.py.)"""

from __future__ import annotations

import pytest

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import AnswerLost, LookStale, NotSent
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.record import Record
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.steplog import Step
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.wanted import Wanted
from ansible_collections.edgeops.cloudflare.tests.unit.stories import CHARGE, DECLINED, STEPS, listed, ok, saw
from ansible_collections.edgeops.cloudflare.tests.unit.tables import each_row


@pytest.fixture
def record():
    return Record("order-1", Wanted("paused"), "orders")


def record_of(**wanted):
    return Record("order-1", Wanted("restarted", **wanted), "orders")


def test_the_first_status_stays(record):
    record.see_listed(listed("queued").value, 1.0)
    record.see_detail(saw("running").value, 2.0)
    assert (record.first_status, record.look.status, record.look.at) == ("queued", "running", 2.0)


def test_the_time_of_creation_is_kept(record):
    """A detail doesn't tell it."""
    record.see_listed(listed("running").value, 1.0)
    created = record.look.created
    record.see_detail(saw("running").value, 2.0)
    assert created is not None
    assert record.look.created == created


def test_the_failed_step_and_what_reruns():
    record = record_of(from_failed_step=True)
    record.see_detail(saw("errored", error=DECLINED, steps=STEPS).value, 1.0, with_log=True)
    assert (record.step, record.reruns, record.steps_instead) == (CHARGE, [Step("notify", 1, "do")], [])
    record.see_detail(saw("errored", error=DECLINED, steps=STEPS[:1]).value, 2.0, with_log=True)
    assert (record.step, record.reruns) == (None, []), "the newest log counts"


def test_the_step_is_that_which_was_sent():
    """The log of the restarted instance tells another story."""
    record = record_of(from_failed_step=True)
    record.see_detail(saw("errored", error=DECLINED, steps=STEPS).value, 1.0, with_log=True)
    record.accepted("restart", ok().value, 2.0)
    record.see_detail(saw("complete", steps=STEPS[:1], run=1).value, 3.0, with_log=True)
    assert (record.step, record.reruns) == (CHARGE, [Step("notify", 1, "do")])


def test_the_steps_that_there_are_instead():
    record = record_of(step=Step("chrage", 1, "do"))
    record.see_detail(saw("errored", steps=STEPS).value, 1.0, with_log=True)
    assert record.steps_instead == [Step("reserve", 1, "do"), CHARGE, Step("notify", 1, "do")]


def test_what_an_accepted_change_tells(record):
    record.see_detail(saw("running").value, 1.0)
    record.accepted("pause", {"status": "waitingForPause", "timestamp": "t"}, 2.0)
    assert (record.sends, record.action, record.timestamp, record.look.status, record.changed) == (1, "pause", "t", "waitingForPause", True)


@each_row("answer", [{}, {"status": None, "timestamp": None}, {"status": 3, "timestamp": ["t"]}, {"status": ""}])
def test_an_answer_that_tells_nothing(record, answer):
    record.see_detail(saw("running").value, 1.0)
    record.accepted("pause", answer, 2.0)
    assert (record.timestamp, record.look.status, record.changed) == (None, "running", False)


def test_a_lost_answer_counts_as_a_change(record):
    record.see_detail(saw("running").value, 1.0)
    record.answer_lost("pause", AnswerLost("no answer within 30 s (api_timeout)"), 2.0)
    assert (record.changed, record.answer_was_lost, record.lost.message) == (True, True, "no answer within 30 s (api_timeout)")


def test_what_was_held_back_was_not_sent(record):
    record.see_detail(saw("running").value, 1.0)
    record.held_back("pause", LookStale("held back"), 2.0)
    assert (record.sends, record.action, record.changed, record.unsent) == (0, None, False, 0)
    record.held_back("pause", LookStale("no connection was made", cause=NotSent("no connection")), 2.0)
    assert (record.sends, record.unsent) == (0, 1)


def test_what_went_out_once_is_a_repetition_until_it_is_answered(record):
    record.see_detail(saw("running").value, 1.0)
    assert not record.is_repetition
    record.held_back("pause", LookStale("held back"), 2.0)
    assert not record.is_repetition, "it never left"
    record.held_back("pause", LookStale("held back", went_out=True), 3.0)
    record.held_back("pause", LookStale("held back"), 4.0)
    assert record.is_repetition, "the 429 it met once is not undone by a wait"
    record.accepted("pause", ok("paused").value, 5.0)
    assert not record.is_repetition
