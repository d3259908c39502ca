# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers that the API doesn't give today: new words, new fields, fewer fields, other timestamps.

New words are passed through and the API decides. What is missing or of another type is read as not told, and never crashes.
"""

from __future__ import annotations

import json

import pytest
from goals import GOALS, NAP, WORKFLOW, Trial, assert_sound
from quickclock import quicken

FLEET = "scratch-4"
NEW_WORD = "hibernating"

every_goal = pytest.mark.parametrize("goal", GOALS.values(), ids=GOALS)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Waits pass quickly."""
    quicken(monkeypatch, pace=0.005)


def ok(result, **more):
    """A successful envelope with this result."""
    return {
        "raw": json.dumps({"success": True, "errors": [], "messages": [], "result": result, **more}),
        "content_type": "application/json",
    }


# -- statuses -----------------------------------------------------------------------------------------------------------


@every_goal
def test_a_new_status_is_acted_on(bench, goal):
    """The API decides; here it does what was asked for."""
    trial = Trial(bench, goal)
    trial.show(status=NEW_WORD, until_patch=True)
    result = trial.run()
    assert (result["instance"]["outcome"], result["instance"]["previous_status"], trial.patches()) == ("changed", NEW_WORD, 1)
    trial.assert_done_once()


@pytest.mark.parametrize("state", ["paused", "running", "terminated"])
def test_a_new_status_that_stays(bench, state):
    """It is passed through, and the task says that the state isn't reached."""
    trial = Trial(bench, GOALS["paused"])
    trial.show(status=NEW_WORD, patch="ignore")
    result = trial.run(state=state, wait_timeout=20)
    assert (result["instance"]["outcome"], result["instance"]["status"], result["changed"], trial.patches()) == (
        "failed",
        NEW_WORD,
        False,
        1,
    )
    assert NEW_WORD in result["msg"] and result["summary"]["by_status"] == {NEW_WORD: 1}
    trial.assert_not_done()


def test_a_new_status_on_the_way(bench):
    """It comes between the change and the state wanted."""
    trial = Trial(bench, GOALS["paused"])
    trial.meet({"envelope": {"result": {"status": NEW_WORD, "timestamp": None}}})
    trial.meet(kind="read", skip=1, times=1, before=[{"op": "overlay", "status": NEW_WORD, "times": 2}])
    result = trial.run()
    assert (result["instance"]["outcome"], result["instance"]["status"]) == ("changed", "paused")
    trial.assert_done_once()


def test_new_statuses_in_check_mode_and_lists(bench):
    """They are shown as they are, and an unfiltered selection matches them."""
    trial = Trial(bench, GOALS["paused"])
    trial.show(status=NEW_WORD)
    options = {**trial.task(), "select": {"id_glob": trial.id}}
    del options["instance_id"]
    result = bench.module(check_mode=True, diff=True, **options)
    assert_sound(bench, result)
    assert (result["instances"][0]["status"], result["diff"]["before"]) == (NEW_WORD, {trial.id: NEW_WORD})
    assert (result["changed"], trial.patches()) == (True, 0)


def test_a_new_rollback_outcome(bench):
    """It isn't `complete`, so it isn't claimed to be."""
    trial = Trial(bench, GOALS["rolled back"])
    trial.meet(kind="read", skip=1, before=[{"op": "overlay", "fields": {"rollback": {"outcome": "partial", "error": None, "more": []}}}])
    result = trial.run()
    assert result["instance"]["rollback"]["outcome"] == "partial"
    assert result["instance"]["failed"] or result["warnings"], result["msg"]
    assert trial.patches() == 1


# -- fields of a detail -------------------------------------------------------------------------------------------------

#: Fields as no detail has them today: shown on every look.
FIELDS = {
    "new fields": {"new": {"deep": [1, None]}, "get": "x", "items": [], "success": "yes"},
    "null everywhere": dict.fromkeys(
        ("queued", "start", "end", "error", "output", "rollback", "step_count", "success", "trigger", "versionId")
    ),
    "numbers for timestamps": {"queued": 1785985200000, "start": 1785985200, "end": 1.5},
    "objects for timestamps": {"queued": {}, "start": [], "end": {"at": "2026-08-06T03:00:00Z"}},
    "words for objects": {"error": "it failed", "rollback": "complete", "output": 7},
    "lists for objects": {"error": [], "rollback": [], "trigger": []},
    "empty objects": {"error": {}, "rollback": {}, "trigger": {}},
    "an error without its parts": {"error": {"code": 3}, "rollback": {"error": {}}},
}

#: The instance's own timestamps, as another server might write them.
TIMESTAMPS = {
    "without fractions": "2026-08-06T03:00:00Z",
    "one digit": "2026-08-06T03:00:00.1Z",
    "microseconds": "2026-08-06T03:00:00.123456Z",
    "nanoseconds": "2026-08-06T03:00:00.123456789Z",
    "with an offset": "2026-08-06T05:00:00+02:00",
    "with a space": "2026-08-06 03:00:00Z",
    "without seconds": "2026-08-06T03:00Z",
    "no time at all": "yesterday",
    "empty": "",
}


@pytest.mark.parametrize("fields", FIELDS.values(), ids=FIELDS)
@pytest.mark.parametrize("name", ["paused", "restarted", "restarted from a step"])
def test_odd_fields(bench, name, fields):
    """Neither a crash nor a false answer: the change is made, once, and told."""
    trial = Trial(bench, GOALS[name])
    trial.show(fields=fields)
    result = trial.run()
    if name == "restarted from a step" and isinstance(fields.get("rollback"), dict):
        # Any rollback at all means that the results of the earlier steps may not hold.
        assert (result["instance"]["outcome"], trial.patches()) == ("failed", 0)
        return
    assert (result["instance"]["outcome"], trial.patches()) == ("changed", 1), result["msg"]
    trial.assert_done_once()


@pytest.mark.parametrize("fields", FIELDS.values(), ids=FIELDS)
def test_odd_fields_and_a_lost_restart(bench, fields):
    """What can't be read proves nothing: the restart is neither claimed nor sent again."""
    trial = Trial(bench, GOALS["restarted"])
    trial.show(fields=fields)
    trial.meet({"reset": "before"})
    result = trial.run()
    assert (result["instance"]["outcome"], trial.patches()) == ("unknown", 1), result["msg"]
    trial.assert_not_done()


@pytest.mark.parametrize("moment", TIMESTAMPS.values(), ids=TIMESTAMPS)
def test_timestamps(bench, moment):
    """A restart is told by a change of them, whatever their form."""
    trial = Trial(bench, GOALS["restarted"])
    trial.show(fields={"queued": moment, "start": moment, "end": moment}, until_patch=True)
    result = trial.run()
    assert (result["instance"]["outcome"], trial.patches()) == ("changed", 1)
    trial.assert_done_once()


# -- the log ------------------------------------------------------------------------------------------------------------

#: Logs as no instance has them today.
LOGS = {
    "none": None,
    "a word": "steps",
    "an object": {"one": {}},
    "entries that are none": [None, 7, "one-1", []],
    "entries without anything": [{}, {"type": "step"}, {"name": "two-1"}],
    "names that are none": [{"name": None, "type": "step"}, {"name": 7, "type": "step"}, {"name": ["two"], "type": "step"}, {"name": "", "type": "step"}],
    "a new type": [{"name": "two-1", "type": "dream", "start": "2026-08-06T03:00:00Z", "success": False, "error": {"name": "E", "message": "m"}}],
    "attempts that are none": [{"name": "two-1", "type": "step", "attempts": "many", "success": "no", "error": 3, "start": 5, "end": []}],
    "counts beyond reason": [{"name": "two-" + "9" * 400, "type": "step", "success": False}, {"name": "two-0", "type": "step", "success": False}],
}  # fmt: skip


@pytest.mark.parametrize("log", LOGS.values(), ids=LOGS)
def test_odd_logs(bench, log):
    """A failed step that can't be told is not guessed; nothing is sent."""
    trial = Trial(bench, GOALS["restarted"])
    trial.show(detail={"steps": log})
    result = trial.run(from_failed_step=True)
    assert (result["instance"]["outcome"], result["changed"], trial.patches()) == ("failed", False, 0)
    assert "outside any step" in result["msg"] and "from_failed_step=false" in result["msg"]
    trial.assert_not_done()


@pytest.mark.parametrize("log", LOGS.values(), ids=LOGS)
def test_odd_logs_and_a_lost_restart(bench, log):
    """What the log doesn't tell proves nothing."""
    trial = Trial(bench, GOALS["restarted from a step"])
    trial.show(detail={"steps": log})
    trial.meet({"reset": "before"})
    result = trial.run()
    assert result["instance"]["outcome"] in ("unknown", "failed") and trial.patches() <= 1
    assert trial.patches() == (1 if result["changed"] else 0)
    trial.assert_not_done()


# -- the answer of a PATCH ----------------------------------------------------------------------------------------------

ANSWERS = {
    "empty": {},
    "nothing but new": {"new": 1},
    "null": {"status": None, "timestamp": None},
    "numbers": {"status": 200, "timestamp": 1785985200000},
    "objects": {"status": {"is": "paused"}, "timestamp": {}},
    "a new word": {"status": NEW_WORD, "timestamp": "soon"},
    "short timestamp": {"status": "paused", "timestamp": "2026"},
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
@pytest.mark.parametrize("name", ["paused", "running", "rolled back", "restarted", "restarted from a step"])
def test_odd_answers_to_a_change(bench, name, answer):
    """The change is judged by the looks that follow, and not sent again where that would do it twice."""
    trial = Trial(bench, GOALS[name])
    trial.meet({"envelope": {"result": {**answer, "status": trial.goal.reached[0]} if answer.get("status") == "paused" else answer}})
    result = trial.run()
    assert result["instance"]["outcome"] == "changed", result["msg"]
    assert trial.patches() == 1
    assert result["instance"]["timestamp"] is None or isinstance(result["instance"]["timestamp"], str)
    trial.assert_done_once()


# -- details that tell no status ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("detail", [{}, {"status": None}, {"status": 7}, {"status": ""}, {"status": ["paused"]}, {"state": "paused"}])
def test_no_status(bench, detail):
    """Nothing can be decided, and nothing is sent."""
    trial = Trial(bench, GOALS["terminated"])
    trial.meet(ok(detail), kind="read")
    result = trial.run()
    assert (result["instance"]["outcome"], result["instance"]["status"], trial.patches()) == ("failed", None, 0)
    assert "tells no status" in result["msg"]


# -- listings -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def sleepers(bench):
    """Ids of three instances that wait."""
    bench.control("POST", "/purge", {"workflow": FLEET})
    return bench.create(FLEET, ["sleeper-1", "sleeper-2", "sleeper-3"], {"steps": [{"do": "one"}, NAP]}, status="waiting")


#: What a page of a listing might hold besides.
RESULT_INFOS = {
    "none": None,
    "a list": [],
    "no total": {"per_page": 100},
    "words": {"total_count": "three", "count": None, "cursor": None},
    "too small a total": {"total_count": 0},
    "less than nothing": {"total_count": -5},
    "too large a total": {"total_count": 10**12},
    "no cursor": {"cursor": "", "total_count": 3},
    "new fields": {"total_count": 3, "total_pages": 1, "next": {"cursor": "x"}},
}


@pytest.mark.parametrize("info", RESULT_INFOS.values(), ids=RESULT_INFOS)
@pytest.mark.parametrize("statuses", [["waiting"], ["waiting", "running"]], ids=["one status", "two"])
def test_odd_result_infos(bench, sleepers, info, statuses):
    """What is listed counts, and every instance is found once."""
    bench.control("POST", "/faults", {"match": {"kind": "list"}, "fault": {"envelope": {"result_info": info}}})
    result = bench.module(workflow_name=FLEET, select={"status": statuses}, state="paused")
    assert_sound(bench, result)
    assert sorted(item["id"] for item in result["instances"]) == sleepers
    assert (result["summary"]["changed"], bench.calls()["by_kind"]["patches"]) == (3, 3)
    assert bench.calls()["by_kind"]["lists"] <= 6


@pytest.mark.parametrize(
    "item",
    [
        pytest.param({"created_on": None, "modified_on": 5, "started_on": [], "ended_on": {}, "version_id": None}, id="odd fields"),
        pytest.param({"created_on": "2026-08-06T03:00:00Z"}, id="whole seconds"),
        pytest.param({"created_on": "2026-08-06T03:00:00.123456789Z"}, id="nanoseconds"),
        pytest.param({"created_on": "once upon a time", "new": True}, id="no time"),
    ],
)
def test_odd_items(bench, sleepers, item):
    """They are paused all the same."""
    for instance in sleepers:
        bench.control("POST", "/overlay", {"workflow": FLEET, "instance": instance, "item": item})
    result = bench.module(workflow_name=FLEET, select={"status": ["waiting"]}, state="paused")
    assert_sound(bench, result)
    assert (result["summary"]["changed"], result["summary"]["matched"]) == (3, 3), result["msg"]


def test_items_that_are_none(bench, sleepers):
    """Whatever has no id or no status is no instance, and what has both is one."""
    page = [None, 7, "sleeper-1", [], {}, {"id": "sleeper-1"}, {"id": 9, "status": "waiting"}, {"id": "", "status": "waiting"}]
    page += [{"id": "sleeper-2", "status": None}, {"id": "sleeper-2", "status": "waiting"}, {"id": ["x"], "status": "waiting"}]
    bench.control("POST", "/faults", {"match": {"kind": "list"}, "fault": ok(page, result_info={"total_count": len(page)})})
    result = bench.module(workflow_name=FLEET, select={"status": ["waiting"]}, state="paused")
    assert_sound(bench, result)
    assert [item["id"] for item in result["instances"]] == ["sleeper-2"], result["msg"]


@pytest.mark.parametrize("instance", [".", ".."])
def test_items_that_lead_elsewhere(bench, sleepers, instance):
    """An id that would address something else than an instance is never called."""
    page = [{"id": instance, "status": "waiting", "created_on": "2026-08-06T03:00:00Z"}]
    bench.control("POST", "/faults", {"match": {"kind": "list"}, "fault": ok(page, result_info={"total_count": 1})})
    result = bench.module(workflow_name=FLEET, select={"status": ["waiting"]}, state="terminated")
    assert_sound(bench, result)
    assert [call["path"] for call in bench.calls()["log"] if call["kind"] != "list"] == []


def test_a_listing_that_never_ends(bench, sleepers):
    """A server that always names the same next page must not keep a task for ever."""
    page = [{"id": instance, "status": "waiting", "created_on": "2026-08-06T03:00:00Z"} for instance in sleepers]
    bench.control(
        "POST", "/faults", {"match": {"kind": "list"}, "fault": ok(page, result_info={"cursor": "again", "total_count": 3}), "times": 200}
    )
    result = bench.module(workflow_name=FLEET, select={"status": ["waiting"]}, state="paused")
    assert_sound(bench, result)
    assert bench.calls()["by_kind"]["lists"] < 20


# -- messages -----------------------------------------------------------------------------------------------------------


def test_messages_are_passed_on(bench):
    """The API's own messages are in the result, and shown as warnings, each once."""
    trial = Trial(bench, GOALS["paused"])
    said = [{"code": 12, "message": "this API moves in March"}, "plain", {"message": "odd", "code": "x"}, None]
    for kind in ("read", "patch"):
        trial.meet({"envelope": {"messages": said}}, kind=kind)
    result = trial.run()
    assert result["messages"][0] == {"code": 12, "message": "this API moves in March"}
    assert len(result["messages"]) == len({json.dumps(message) for message in result["messages"]})
    shown = [warning for warning in map(str, result["warnings"]) if "moves in March" in warning]
    assert len(shown) == 1


def test_nothing_new_reaches_the_facts(bench):
    """Facts hold the status and the timestamp, whatever else the API tells."""
    trial = Trial(bench, GOALS["paused"])
    trial.meet({"envelope": {"result": {"status": "paused", "timestamp": "2026-08-06T03:00:00Z", "secret_field": "x"}}})
    result = trial.run()
    assert result["ansible_facts"] == {"workflow_instance_status": {trial.id: {"status": "paused", "timestamp": "2026-08-06T03:00:00Z"}}}
    assert WORKFLOW in trial.task()["workflow_name"]
