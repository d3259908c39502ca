# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is waited out and what ends a source; the lines about it; and what a look adds."""

from __future__ import annotations

import json
from pathlib import Path

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import (
    AnswerLost,
    AnswerReplaced,
    AuthenticationError,
    ListingBroken,
    NotSent,
    NotTheApi,
    OptionError,
    QueueNotFound,
    Refused,
    ServerFailed,
    UnusableServer,
    WorkflowNotFound,
)
from ansible_collections.edgeops.cloudflare.plugins.module_utils.events.enrich import insight_of, sighting_of
from ansible_collections.edgeops.cloudflare.plugins.module_utils.events.shape import Sighting
from ansible_collections.edgeops.cloudflare.plugins.module_utils.events.source import Blocked, Trouble, as_error, cant_pass
from ansible_collections.edgeops.cloudflare.tests.unit.fakes import FakeClock
from ansible_collections.edgeops.cloudflare.tests.unit.sentences import assert_is_a_sentence
from ansible_collections.edgeops.cloudflare.tests.unit.tables import each_row

LOGS = Path(__file__).resolve().parents[3] / "fixtures" / "steplogs"


def fatal(error):
    """As the client marks what something else has answered before the API ever did."""
    error.fatal = True
    return error


@each_row(
    "error, ends",
    [
        (AuthenticationError("no"), True),
        (WorkflowNotFound("no"), True),
        (QueueNotFound("no"), True),
        (UnusableServer("no"), True),
        (OptionError("no"), True),
        (fatal(NotTheApi("a login page")), True),
        (NotTheApi("a firewall's page"), False),
        (fatal(AnswerReplaced("bad gateway")), False),
        (NotSent("refused"), False),
        (AnswerLost("timed out"), False),
        (ServerFailed("500"), False),
        (Refused("pull not enabled"), False),
        (ListingBroken("ends early"), False),
        (Blocked("blocked", 300.0), False),
        (as_error(KeyError("x")), True),
    ],
)
def test_what_ends_a_source_at_its_start(error, ends):
    assert cant_pass(error, was_refused=False) is ends
    assert not cant_pass(error, was_refused=True)


# -- lines ----------------------------------------------------------------------------------------------------------------


def story(*steps):
    """What Trouble says of each step: (seconds that pass, an error or None where it works)."""
    clock, trouble, told = FakeClock(), Trouble("instances of orders can't be listed"), []
    for seconds, error in steps:
        clock.pass_by(seconds)
        if error is None:
            told.append((0.0, trouble.over(clock.monotonic())))
        else:
            told.append(trouble.met(error, clock.monotonic(), clock.time_of_day))
    return told


def test_one_line_says_what_and_until_when():
    down = ServerFailed("HTTP 503")
    told = story((0, down), (5, down), (10, down), (20, down), (1, None), (1, None))
    assert [wait for wait, _line in told[:4]] == [5.0, 10.0, 20.0, 40.0]
    assert [line for _wait, line in told] == [
        "instances of orders can't be listed: HTTP 503. It is tried again at 00:00:05Z, then less often, down to every 5 min.",
        None,
        None,
        None,
        "instances of orders can't be listed: that is over, after 36 s.",
        None,
    ]
    for _wait, line in told:
        if line:
            assert_is_a_sentence(line)


def test_another_reason_is_another_line_and_a_lasting_one_is_told_again():
    told = story(
        (0, ServerFailed("HTTP 503")), (5, ServerFailed("HTTP 500")), (5, ServerFailed("HTTP 500")), (1800, ServerFailed("HTTP 500"))
    )
    assert [bool(line) for _wait, line in told] == [True, True, False, True]
    assert told[3][1].startswith("instances of orders can't be listed for 30 min: HTTP 500.")


def test_waits_grow_to_five_minutes():
    down = ServerFailed("HTTP 503")
    assert [wait for wait, _line in story(*[(0, down)] * 9)] == [5, 10, 20, 40, 80, 160, 300, 300, 300]


def test_each_block_has_its_line():
    told = story((0, Blocked("the rate limit blocks", 300.0)), (300, Blocked("the rate limit blocks", 300.0)), (300, None))
    assert [wait for wait, _line in told[:2]] == [300.0, 300.0]
    assert told[0][1] == "instances of orders can't be listed: the rate limit blocks. It is tried again at 00:05:00Z."
    assert told[1][1].endswith("for 5 min: the rate limit blocks. It is tried again at 00:10:00Z.")


def test_the_advice_comes_before_the_time():
    ((_wait, line),) = story((0, AuthenticationError("the token is unknown", "Give a valid one")))
    assert "the token is unknown. Give a valid one. It is tried again at 00:00:05Z" in line


# -- looks ----------------------------------------------------------------------------------------------------------------

LISTED = Sighting("orders", "order-1", "errored", "2026-08-06T03:24:10.000Z", "2026-08-06T03:24:10.000Z", "v1")


def detail(**fields):
    return {"status": "errored", "end": "2026-08-06T03:24:10.000Z", "error": {"name": "Error", "message": "no"}, "steps": [], **fields}


@each_row(
    "sighting, found, holds, is_ripe",
    [
        (LISTED, detail(), True, True),
        (LISTED, detail(error=None), True, False),
        (LISTED, detail(status="running"), False, False),
        (LISTED, detail(status=None), False, False),
        (LISTED._replace(ended_on=None), detail(), True, True),
        (LISTED._replace(ended_on=None), detail(end=None), True, False),
        (LISTED._replace(status="paused", ended_on=None), detail(status="paused", end=None, error=None), True, True),
        (LISTED._replace(status="complete"), detail(status="complete", error=None), True, True),
    ],
)
def test_what_a_look_settles(sighting, found, holds, is_ripe):
    insight = insight_of(sighting, found)
    assert (insight.holds, insight.is_ripe) == (holds, is_ripe)


def test_what_a_look_adds():
    found = json.loads((LOGS / "plain_failure.json").read_text(encoding="utf-8"))["engine"]
    told = insight_of(LISTED._replace(ended_on=None, version_id=None, moment=None), found).sighting
    assert told.error["message"] and set(told.failed_step) == {"name", "count", "type"} and told.failed_step["type"] == "do"
    assert told.ended_on == told.moment and told.ended_on.endswith("Z")


def test_a_step_that_can_not_be_named_is_none():
    entry = {"name": "{{ x }}-1", "type": "step", "success": False, "start": "2026-08-06T03:24:09Z", "end": "2026-08-06T03:24:10Z"}
    assert insight_of(LISTED, detail(steps=[entry])).sighting.failed_step is None
    assert insight_of(LISTED, detail(steps=[dict(entry, name="charge-1")])).sighting.failed_step == {
        "name": "charge",
        "count": 1,
        "type": "do",
    }


@each_row(
    "item, told",
    [
        (
            {"id": "a", "status": "errored", "ended_on": "2026-08-06T03:24:10Z", "version_id": "v"},
            ("a", "errored", "2026-08-06T03:24:10.000Z"),
        ),
        ({"id": "a", "status": "paused", "ended_on": None}, ("a", "paused", None)),
        ({"id": "a", "status": "paused", "ended_on": "2026-08-06T03:24:10Z"}, ("a", "paused", None)),
        ({"id": "a", "status": "errored"}, ("a", "errored", None)),
        ({"id": "a" * 64}, None),
        ({"id": "{{ x }}", "status": "errored"}, None),
        ({"status": "errored"}, None),
        ({"id": "a", "status": {"x": 1}}, None),
    ],
)
def test_items_of_listings(item, told):
    sighting = sighting_of("orders", item)
    assert (sighting and (sighting.id, sighting.status, sighting.ended_on)) == told
