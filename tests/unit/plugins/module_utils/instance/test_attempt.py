# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance import lifecycle
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.attempt import Attempt
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.look import look_at_detail, look_at_listed, look_at_nothing
from ansible_collections.edgeops.cloudflare.tests.unit.fakes import stamp
from ansible_collections.edgeops.cloudflare.tests.unit.stories import listed, saw
from ansible_collections.edgeops.cloudflare.tests.unit.tables import each_row

#: action → the statuses that show its effect, where the instance was in another one before.
EFFECTS = {
    "pause": {"paused", "waitingForPause"},
    "resume": {"queued", "running", "waiting"},
    "terminate": {"terminated", "rollingBack"},
    "restart": set(),
}


def look(event, at=0.0):
    return look_at_listed(event.value, at) if event.kind == "listed" else look_at_detail(event.value, at)


@each_row("action", EFFECTS)
def test_effects(action):
    before = {"pause": "running", "resume": "paused", "terminate": "running", "restart": "errored"}[action]
    attempt = Attempt(action, look(saw(before)), 0.0)
    assert {status for status in lifecycle.STATUSES if attempt.shows_in(status)} == EFFECTS[action] - {before}
    assert not attempt.shows_in(None)


def test_the_same_status_shows_nothing():
    assert not Attempt("pause", look(saw("waitingForPause")), 0.0).shows_in("waitingForPause")
    assert Attempt("pause", look(saw("waitingForPause")), 0.0).shows_in("paused")


def test_moved():
    attempt = Attempt("pause", look(saw("queued")), 0.0)
    assert (attempt.seen_since, attempt.moved) == (False, False)
    attempt.see(look(saw("queued")))
    assert (attempt.seen_since, attempt.moved) == (True, False)
    attempt.see(look(saw("running")))
    assert attempt.moved
    attempt.see(look(saw("queued")))
    assert attempt.moved, "once moved, always moved"


@each_row("answered, moved", [("waitingForPause", True), ("running", False), (None, False)])
def test_a_status_that_only_the_answer_told(answered, moved):
    """One look may be older than the answer; two tell that it has gone back."""
    attempt = Attempt("pause", look(saw("running")), 0.0)
    attempt.answered = answered
    attempt.see(look(saw("running")))
    assert not attempt.moved
    attempt.see(look(saw("running")))
    assert attempt.moved is moved


@each_row(
    "before, after, proven",
    [
        (saw("running"), saw("running"), False),
        (saw("running"), saw("running", run=1), True),
        (saw("running"), saw("complete"), False),
        (saw("errored"), saw("errored"), False),
        (saw("errored"), saw("running"), True),
        (saw("errored"), saw("errored", run=1), True),
        (listed("errored"), listed("running"), True),
        (listed("running"), listed("running", run=1), True),
        (listed("running"), saw("running"), False),
    ],
)
def test_restarts(before, after, proven):
    attempt = Attempt("restart", look(before), 0.0)
    assert not attempt.is_restart_proven_by(look(after)), "nothing was seen since"
    attempt.see(look(after))
    assert attempt.is_restart_proven_by(look(after)) is proven


@each_row(
    "before, after, restarted_at, provable",
    [
        (saw("running"), saw("running"), None, True),
        (listed("running"), listed("running"), None, True),
        (listed("queued"), listed("running"), None, False),
        # A listing and a detail may tell the same start differently: then the restart has to lie some seconds after it.
        (saw("running"), listed("running"), None, False),
        (saw("running"), listed("running"), stamp(2), False),
        (saw("running"), listed("running"), stamp(60), True),
        (listed("running"), saw("running"), stamp(60), True),
        (saw("queued"), listed("queued"), stamp(60), False),
    ],
)
def test_what_could_be_proven(before, after, restarted_at, provable):
    attempt = Attempt("restart", look(before), 0.0)
    attempt.answered_at = restarted_at
    assert attempt.is_restart_provable_by(look(after)) is provable


def test_nothing_is_proven_by_nothing():
    attempt = Attempt("restart", look(saw("running")), 0.0)
    attempt.see(look_at_nothing(1.0))
    assert not attempt.is_restart_proven_by(look_at_nothing(1.0))
