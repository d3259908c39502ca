# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a log tells: on logs of real instances (tests/unit/fixtures/steplogs) and as properties of any log."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.timestamps import parse_timestamp
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance import steplog
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.steplog import (
    ABSENT,
    DETAIL,
    LISTING,
    LOG,
    Key,
    Step,
    entries,
    entry_of,
    failed_step,
    key_of_detail,
    key_of_listed,
    reruns,
    restarted_between,
    step_of,
)
from ansible_collections.edgeops.cloudflare.tests.unit.fakes import MIDNIGHT, stamp
from ansible_collections.edgeops.cloudflare.tests.unit.tables import each_row

FIXTURES = Path(__file__).resolve().parents[3] / "fixtures" / "steplogs"

JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-10, 10), st.floats(allow_nan=False), st.text(max_size=5)),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(st.sampled_from(["name", "message", "error"]), inner, max_size=2)),
    max_leaves=3,
)


def moments(name, side):
    """What was recorded of an instance: the details before and after each operation, by `engine` or by `gateway`."""
    fixture = json.loads((FIXTURES / (name + ".json")).read_text(encoding="utf-8"))
    return [moment[side] for moment in fixture.get("moments", [fixture])]


def all_moments():
    """Every detail of every fixture, as pairs of a name and the moments of one side."""
    return [(path.stem, moments(path.stem, side)) for path in sorted(FIXTURES.glob("*.json")) for side in ("engine", "gateway")]


# -- names --------------------------------------------------------------------------------------------------------


@each_row(
    "name, kind, step",
    [
        ("charge-1", "step", Step("charge", 1, "do")),
        ("charge-1", "do", Step("charge", 1, "do")),
        ("charge-12", "step", Step("charge", 12, "do")),
        ("nap-1", "sleep", Step("nap", 1, "sleep")),
        ("approval-3", "waitForEvent", Step("approval", 3, "waitForEvent")),
        ("x-2-1", "step", Step("x-2", 1, "do")),
        ("x-2", "step", Step("x", 2, "do")),
        ("--1", "step", Step("-", 1, "do")),
        ("two\nlines-1", "step", Step("two\nlines", 1, "do")),
        ("charge-0", "step", None),
        ("charge", "step", None),
        ("charge-", "step", None),
        ("charge-one", "step", None),
        ("charge-²", "step", None),
        ("-1", "step", None),
        ("", "step", None),
        (None, "step", None),
        (1, "step", None),
        (["charge-1"], "step", None),
        ("charge-1", "rollback", None),
        ("charge-1", "termination", None),
        ("charge-1", None, None),
        ("charge-1", [], None),
        ("charge-1", {}, None),
        pytest.param("charge-" + "9" * 5000, "step", None, id="endless"),
    ],
)
def test_step_of(name, kind, step):
    assert step_of({"name": name, "type": kind}) == step


@given(st.text(min_size=1), st.integers(1, 999), st.sampled_from([("step", "do"), ("sleep", "sleep"), ("waitForEvent", "waitForEvent")]))
def test_any_name_survives(name, count, kinds):
    logged, sent = kinds
    assert step_of({"name": f"{name}-{count}", "type": logged}) == Step(name, count, sent)


def test_step_as_text():
    assert str(Step("charge", 2, "do")) == "charge (2)"


def test_entries_of_what_is_no_log():
    assert entries({}) == []
    assert entries({"steps": None}) == []
    assert entries({"steps": "none"}) == []
    assert entries({"steps": [None, "x", {"name": "a-1"}, 3]}) == [{"name": "a-1"}]


def test_entry_of():
    log = [{"name": "a-1", "type": "sleep"}, {"type": "step"}, {"name": "a-1", "type": "step"}, {"name": "a-2", "type": "step"}]
    assert entry_of(log, Step("a", 1, "do")) is log[2]
    assert entry_of(log, Step("a", 1, "sleep")) is log[0]
    assert entry_of(log, Step("a", 3, "do")) is None


# -- the step that failed -------------------------------------------------------------------------------------------


def do(name):
    return Step(name, 1, "do")


FAILED = {
    "plain_failure": (do("charge"), []),
    "handled_then_failure": (do("charge"), []),
    "handled_then_failure_same_error": (do("second"), []),
    "parallel_one_fails": (do("middle"), [do("right")]),
    "parallel_two_fail": (do("slow"), []),
    "retries_exhausted": (do("charge"), []),
    "fatal": (do("charge"), []),
    "step_timeout": (do("charge"), []),
    "sleep_then_failure": (do("charge"), []),
    "name_ends_in_number": (do("x-2"), []),
    "name_ends_in_number_beside_repeats": (do("x-2"), []),
    "repeated_name_second_fails": (Step("charge", 2, "do"), []),
    "event_timeout": (Step("approval", 1, "waitForEvent"), []),
    "event_timeout_handled_then_failure": (do("charge"), []),
    "failure_with_rollback": (do("charge"), []),
    "failure_with_failing_rollback": (do("charge"), []),
    "restart_from_parallel_step": (do("middle"), [do("right")]),
    # The log can't tell that this error was thrown outside: it is that of a step.
    "thrown_outside_same_error": (do("lookup"), [do("reserve")]),
    "thrown_outside": (None, []),
    "thrown_outside_after_handled_failure": (None, []),
    "thrown_before_any_step": (None, []),
    "complete": (None, []),
    "handled_then_complete": (None, []),
    "retry_succeeds": (None, []),
    "sleeping": (None, []),
    "awaiting_event": (None, []),
    "awaiting_retry": (None, []),
    "in_a_step": (None, []),
    "terminated": (None, []),
}


@each_row("name", FAILED)
@each_row("side", ["engine", "gateway"])
def test_failed_step_of_recorded_logs(name, side):
    detail = moments(name, side)[0]
    step = failed_step(detail)
    assert (step, reruns(entries(detail), step) if step else []) == FAILED[name]


def entry(name, start, end, success=True, error=None, **fields):
    """A log entry; times in seconds past midnight."""
    made = {"name": name, "type": "step", "start": stamp(start), "end": None if end is None else stamp(end), "success": success}
    if error:
        made["attempts"] = [{"success": False, "error": {"name": "Error", "message": error}}]
    made.update(fields)
    return made


def errored(message, *log):
    return {"status": "errored", "error": {"name": "Error", "message": message}, "steps": list(log)}


LOGS = [
    ("the latest-ended of those with the instance's error",
     errored("boom", entry("a-1", 0, 9, False, "boom"), entry("b-1", 1, 5, False, "boom")), do("a")),
    ("the error of the last attempt counts, and an entry's own before it",
     errored("last", entry("a-1", 0, 1, False, attempts=[{"error": {"name": "Error", "message": text}} for text in ("first", "last")])), do("a")),
    ("no attempts at all", errored("boom", entry("a-1", 0, 1, False)), do("a")),
    ("the sole failed one, with another error", errored("wrapped", entry("a-1", 0, 1, False, "boom")), do("a")),
    ("the sole failed one ran beside others that started before it ended",
     errored("wrapped", entry("a-1", 0, 5, False, "boom"), entry("b-1", 4, 9)), do("a")),
    ("the sole failed one, but another started after it",
     errored("wrapped", entry("a-1", 0, 5, False, "boom"), entry("b-1", 6, 9)), None),
    ("a step under way started after it",
     errored("wrapped", entry("a-1", 0, 5, False, "boom"), entry("b-1", 6, None, None)), None),
    ("two failed, neither with the instance's error",
     errored("wrapped", entry("a-1", 0, 1, False, "boom"), entry("b-1", 0, 1, False, "bang")), None),
    ("a rollback handler's failure is none of a step's",
     errored("boom", entry("a-1", 0, 1, False, "boom"), entry("a-1", 2, 3, False, "boom", type="rollback")), do("a")),
    ("an entry without a name is passed over",
     errored("boom", {"type": "step", "success": False, "error": {"name": "Error", "message": "boom"}}, entry("a-1", 0, 1, False, "boom")), do("a")),
    ("an event timeout that is the instance's error",
     errored("late", {"name": "e-1", "type": "waitForEvent", "start": stamp(0), "end": stamp(1), "finished": True,
                      "error": {"name": "Error", "message": "late"}}), Step("e", 1, "waitForEvent")),
    ("a step being retried has not failed",
     {"status": "waiting", "error": None, "steps": [entry("a-1", 0, None, None, "boom")]}, None),
    ("an error that is no object", {"status": "errored", "error": "boom", "steps": [entry("a-1", 0, 1, False, "boom")]}, do("a")),
    ("no log", {"status": "errored", "error": {"name": "Error", "message": "boom"}}, None),
    ("an empty log", errored("boom"), None),
]  # fmt: skip


@each_row("detail, step", [pytest.param(detail, step, id=about) for about, detail, step in LOGS])
def test_failed_step(detail, step):
    assert failed_step(detail) == step


def test_started_in_the_same_millisecond():
    """A step often starts in the very millisecond in which the one before it ended: what is listed later came later."""
    handled, after = entry("a-1", 0, 5, False, "boom"), entry("b-1", 5, 9)
    assert failed_step(errored("thrown outside", handled, after)) is None
    assert failed_step(errored("wrapped", after, dict(handled, start=stamp(9), end=stamp(9)))) == do("a")


@given(
    st.dictionaries(st.sampled_from(["steps", "error", "status", "start"]), JSON),
    st.lists(
        st.dictionaries(st.sampled_from(["name", "type", "start", "end", "success", "error", "attempts", "finished"]), JSON), max_size=3
    ),
)
def test_any_log_is_read(detail, log):
    for broken in (detail, dict(detail, steps=log)):
        step = failed_step(broken)
        assert step is None or isinstance(step, Step)
        key_of_detail(broken, do("a"), with_log=True)
        reruns(entries(broken), do("a"))


# -- what runs again ------------------------------------------------------------------------------------------------


def test_reruns():
    """Every succeeded step listed after it, whatever its times; sleeps and events too; nothing of before."""
    log = [
        entry("a-1", 0, 1),
        entry("b-1", 2, 3, False, "boom"),
        entry("c-1", 1, 2),
        entry("d-1", 4, 5, False, "bang"),
        {"name": "nap-1", "type": "sleep", "finished": True, "error": None},
        {"name": "approval-1", "type": "waitForEvent", "finished": True, "error": {"name": "E", "message": ""}},
        {"name": "approval-2", "type": "waitForEvent", "finished": False},
        {"name": "e-1", "type": "step", "success": None},
        {"name": "b-1", "type": "rollback", "success": True},
        {"type": "termination"},
    ]
    assert reruns(log, do("b")) == [do("c"), Step("nap", 1, "sleep")]
    assert reruns(log, do("c")) == [Step("nap", 1, "sleep")]
    assert reruns(log, do("nowhere")) == []
    assert reruns([], do("b")) == []


@each_row(
    "name, step",
    [
        ("restart_from_failed_step", do("charge")),
        ("restart_from_parallel_step", do("middle")),
        ("restart_from_second_of_name", Step("charge", 2, "do")),
        ("restart_from_name_ending_in_number", do("x-2")),
        ("restart_from_sleep", Step("nap", 1, "sleep")),
    ],
)
def test_reruns_are_what_the_engine_ran_again(name, step):
    """Of the steps that had succeeded, exactly those foretold have other times after the restart."""
    before, after = moments(name, "gateway")
    had_succeeded = [step_of(was) for was in entries(before) if was.get("success") or (was.get("finished") and not was["error"])]
    ran_again = [done for done in had_succeeded if entry_of(entries(before), done)["start"] != entry_of(entries(after), done)["start"]]
    assert reruns(entries(before), step) == [done for done in ran_again if done != step]


# -- keys -----------------------------------------------------------------------------------------------------------


def listed(detail):
    """The item of a listing that says the same as a detail."""
    return {"id": "a", "status": detail["status"], "started_on": detail["start"], "ended_on": detail["end"]}


def test_key_of_detail():
    detail = {"queued": "q", "start": "s", "end": None, "steps": [entry("a-1", 3, 4)]}
    assert key_of_detail(detail) == Key("q", "s", None, None, DETAIL)
    assert key_of_detail(detail, do("a")) == Key("q", "s", None, None, DETAIL)
    assert key_of_detail(detail, None, with_log=True) == Key("q", "s", None, None, DETAIL)
    assert key_of_detail(detail, do("a"), with_log=True) == Key("q", "s", None, stamp(3), LOG)
    assert key_of_detail(detail, do("b"), with_log=True) == Key("q", "s", None, None, LOG)
    assert key_of_detail({"queued": "q", "start": None, "end": None}, do("a"), with_log=True) == Key("q", None, None, None, DETAIL)
    assert key_of_detail({}) == Key(ABSENT, ABSENT, ABSENT, None, DETAIL)


def test_key_of_listed():
    assert key_of_listed({"started_on": "s", "ended_on": "e"}) == Key(None, "s", "e", None, LISTING)
    assert key_of_listed({"started_on": "s"}) == Key(None, "s", ABSENT, None, LISTING)
    assert key_of_listed({"id": "a", "status": "running", "created_on": "c"}) is None
    assert key_of_listed({"started_on": None, "ended_on": None}) is None


RESTARTS = {
    "restart_from_failed_step": do("charge"),
    "restart_from_failed_step_fails_again": do("charge"),
    "restart_from_second_of_name": Step("charge", 2, "do"),
    "restart_from_name_ending_in_number": do("x-2"),
    "restart_from_parallel_step": do("middle"),
    "restart_from_event_timeout": Step("approval", 1, "waitForEvent"),
    "restart_from_sleep": Step("nap", 1, "sleep"),
    "restart_from_start": None,
    "restart_after_rollback": None,
}


@each_row("name", RESTARTS)
def test_recorded_restarts_show(name):
    for side in ("engine", "gateway"):
        before, after = moments(name, side)
        step = RESTARTS[name]
        assert restarted_between(key_of_detail(before), key_of_detail(after))
        assert restarted_between(key_of_detail(before, step, True), key_of_detail(after, step, True))
        assert restarted_between(key_of_listed(listed(before)), key_of_listed(listed(after)))


def test_nothing_else_recorded_looks_like_a_restart():
    """Pausing, terminating, rolling back and being stranded in the queue leave the key alone, as does looking again."""
    for name, seen in all_moments():
        pairs = [(detail, detail) for detail in seen]
        if name not in RESTARTS:
            pairs += list(zip(seen, seen[1:]))
        for before, after in pairs:
            step = failed_step(before) or do("reserve")
            for one, other in (
                (key_of_detail(before), key_of_detail(after)),
                (key_of_detail(before, step, True), key_of_detail(after, step, True)),
                (key_of_listed(listed(before)), key_of_listed(listed(after))),
                (key_of_listed(listed(before)), key_of_detail(after, step, True)),
                (key_of_detail(before), key_of_listed(listed(after))),
            ):
                assert not restarted_between(one, other), (name, one, other)


Q, S, E = stamp(0), stamp(1), stamp(9)


@each_row(
    "before, after, proven",
    [
        # What isn't known proves nothing.
        (None, Key(Q, S, E, None, DETAIL), False),
        (Key(Q, S, E, None, DETAIL), None, False),
        (None, None, False),
        # Values that came to be.
        (Key(Q, None, None, None, DETAIL), Key(Q, S, None, None, DETAIL), False),
        (Key(Q, S, None, None, DETAIL), Key(Q, S, E, None, DETAIL), False),
        (Key(None, S, None, None, DETAIL), Key(Q, S, None, None, DETAIL), False),
        (Key(Q, S, None, None, LOG), Key(Q, S, None, stamp(3), LOG), False),
        # Values that moved or went.
        (Key(Q, None, None, None, DETAIL), Key(stamp(2), None, None, None, DETAIL), True),
        (Key(Q, S, None, None, DETAIL), Key(Q, stamp(2), None, None, DETAIL), True),
        (Key(Q, S, None, None, DETAIL), Key(Q, None, None, None, DETAIL), True),
        (Key(Q, S, E, None, DETAIL), Key(Q, S, None, None, DETAIL), True),
        (Key(Q, S, E, None, DETAIL), Key(Q, S, stamp(9.001), None, DETAIL), True),
        (Key(Q, S, E, None, LISTING), Key(None, S, None, None, LISTING), True),
        # A step: moved, gone, or reached by an instance that had finished.
        (Key(Q, S, None, stamp(3), LOG), Key(Q, S, None, stamp(4), LOG), True),
        (Key(Q, S, None, stamp(3), LOG), Key(Q, S, None, None, LOG), True),
        (Key(Q, S, E, None, LOG), Key(Q, S, E, stamp(8), LOG), True),
        (Key(Q, S, None, stamp(3), LOG), Key(Q, S, None, None, DETAIL), False),
        # A listing knows no `queued`, and may cut timestamps.
        (Key(Q, S, E, None, DETAIL), Key(None, S, E, None, LISTING), False),
        (Key(Q, stamp(1.9), None, None, DETAIL), Key(None, "2026-08-06T00:00:01Z", None, None, LISTING), False),
        (Key(None, "2026-08-06T00:00:01Z", None, None, LISTING), Key(Q, stamp(1.9), stamp(3), None, DETAIL), False),
        (Key(None, "2026-08-06T00:00:01Z", None, None, LISTING), Key(Q, stamp(3.9), None, None, DETAIL), True),
        (Key(None, "2026-08-06T00:00:01Z", E, None, LISTING), Key(Q, stamp(1.9), None, None, DETAIL), True),
        (Key(None, stamp(1.9), None, None, LISTING), Key(None, stamp(1.8), None, None, LISTING), True),
        (Key(None, "sometime", None, None, LISTING), Key(Q, "somewhen", None, None, DETAIL), False),
        (Key(None, "sometime", None, None, LISTING), Key(Q, None, None, None, DETAIL), True),
    ],
)
def test_restarted_between(before, after, proven):
    assert restarted_between(before, after) is proven


SECONDS = st.integers(0, 10**6).map(lambda milliseconds: milliseconds / 1000.0)
SOURCES = st.sampled_from([LOG, DETAIL, LISTING])


class Life(tuple):
    """The moments of one run of an instance: queued, started, a step started, ended (seconds, each after the one before)."""

    def seen_at(self, moment, source, cut=lambda text: text):
        """The Key that a look shows at a moment; a listing may cut its timestamps."""
        queued, start, step, end = (stamp(at) if at <= moment else None for at in self)
        if source == LISTING:
            start, end = (cut(text) if text else None for text in (start, end))
            return Key(None, start, end, None, LISTING) if start else None
        return Key(queued, start, end, step if source == LOG else None, source)


LIVES = st.lists(SECONDS, min_size=4, max_size=4).map(lambda moments_: Life(sorted(moments_)))
CUTS = st.sampled_from(
    [
        lambda text: text,
        lambda text: text[:-5] + "Z",
        lambda text: text[:-2] + "Z",
        lambda text: (parse_timestamp(text) + timedelta(milliseconds=500)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        lambda text: text[:-1] + "+00:00",
    ]
)


@given(LIVES, SECONDS, SECONDS, SOURCES, SOURCES, CUTS)
def test_a_life_is_never_a_restart(life, one, other, source_before, source_after, cut):
    """Whatever an instance does by itself, between whichever two looks, of whichever source."""
    before, after = sorted((one, other))
    assert not restarted_between(life.seen_at(before, source_before, cut), life.seen_at(after, source_after, cut))


@given(LIVES, SECONDS, SECONDS, SECONDS, st.sampled_from([DETAIL, LOG]), st.sampled_from([DETAIL, LOG]))
def test_a_full_restart_always_shows(life, look, pause, later, source_before, source_after):
    """A full restart moves `queued` and `start`, in every status."""
    restarted_at = max(look, life[0]) + pause + 0.001
    again = Life((restarted_at, restarted_at, restarted_at + 1, restarted_at + 2))
    before = life.seen_at(max(look, life[0]), source_before)
    assert restarted_between(before, again.seen_at(restarted_at + later, source_after))


@given(LIVES, SECONDS, SECONDS, SOURCES, SOURCES, CUTS)
def test_a_full_restart_shows_in_a_listing(life, look, pause, source_before, source_after, cut):
    """Where timestamps may be cut, from some seconds after the former start on."""
    look = max(look, life[1])
    restarted_at = look + pause + 3
    again = Life((restarted_at, restarted_at, restarted_at + 1, restarted_at + 2))
    before = life.seen_at(look, source_before, cut)
    assert restarted_between(before, again.seen_at(restarted_at, source_after, cut))


@given(LIVES, SECONDS, SECONDS, st.booleans())
def test_a_restart_from_a_step_shows(life, pause, later, had_ended):
    """It moves neither `queued` nor `start`, but the start of the step, of which both logs tell."""
    queued, start, step, end = life
    look = end if had_ended else step
    restarted_at = look + pause + 0.001
    again = Life((queued, start, restarted_at, restarted_at + 5))
    assert restarted_between(life.seen_at(look, LOG), again.seen_at(restarted_at + later, LOG))
    if had_ended:
        assert restarted_between(life.seen_at(look, DETAIL), again.seen_at(restarted_at + later, DETAIL))


def test_sources_are_told_apart():
    assert len({steplog.LOG, steplog.DETAIL, steplog.LISTING}) == 3
    assert parse_timestamp(stamp(0)) == MIDNIGHT
