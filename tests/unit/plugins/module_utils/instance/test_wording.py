# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sentences that no story brings about by itself. (The others are read word for word in test_pursuit.py.)"""

from __future__ import annotations

import inspect

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import AnswerLost
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance import wording
from ansible_collections.edgeops.cloudflare.tests.unit.stories import DECLINED, drive, lost, ok, saw, unseen
from ansible_collections.edgeops.cloudflare.tests.unit.tables import each_row

SENTENCES = [function for name, function in vars(wording).items() if inspect.isfunction(function) and not name.startswith("_")]


def test_every_sentence_is_explained():
    assert len(SENTENCES) > 15
    assert all(function.__doc__ for function in SENTENCES)


@each_row(
    "status, rollback, told",
    [
        ("queued", False, "the API ignores a pause until the instance starts"),
        ("waitingForPause", False, "it will pause when the step under way ends; run again to wait"),
        ("running", False, "see what holds it, then run again"),
    ],
)
def test_what_holds_a_pause(status, rollback, told):
    record, _sent = drive([saw(status if status == "queued" else "running"), ok(status), saw(status, after=300)], state="paused")
    assert told in record.msg
    assert f"still {status} after 300 s" in record.msg


@each_row(
    "status, told",
    [
        ("rollingBack", "its rollback handlers are running; run again to wait"),
        ("running", "its rollback handlers may still be running; look again before anything else is sent"),
    ],
)
def test_what_holds_a_rollback(status, told):
    record, _sent = drive([saw("running"), ok(status), saw(status, after=300)], state="terminated", rollback=True)
    assert told in record.msg


def test_times_are_those_of_the_api():
    record, _sent = drive([saw("running"), ok("paused")], state="paused")
    assert "pause accepted 03:02:07Z" in wording.settled(record)
    record.timestamp = None
    assert wording.settled(record) == "instance order-1 is paused (was running; pause accepted)"


@each_row(
    "error, told",
    [
        (DECLINED, " with Error: card declined"),
        (None, ""),
        ({}, ""),
    ],
)
def test_errors_of_those_that_ended_again(error, told):
    record, _sent = drive([saw("errored"), ok(), saw("errored", run=1, error=error)], state="restarted")
    assert record.msg == "instance order-1 was restarted and is errored again by now" + told


def test_a_rollback_that_tells_no_error():
    record, _sent = drive(
        [saw("running"), ok("terminated"), saw("terminated", rollback={"outcome": "failed"})], state="terminated", rollback=True
    )
    assert "its rollback failed" in record.msg
    assert "None" not in record.msg


def test_a_look_that_fails_is_told_in_the_end():
    record, _sent = drive([saw("running"), ok("waitingForPause"), unseen(after=300)], state="paused")
    assert "as last seen; it can't be looked at now: no answer within 30 s (api_timeout); run again to wait" in record.msg


def test_no_answer_and_no_look():
    record, _sent = drive([saw("errored"), lost(), unseen(after=10), unseen(after=20)], state="restarted")
    assert "NOT sent again" in record.msg
    assert "rerun with when_status: [errored]" in record.msg
    record.abandon("stopped by SIGTERM")
    assert wording.unreadable(record, AnswerLost("no answer")).startswith("instance order-1 could not be looked at: no answer")
