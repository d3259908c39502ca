# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What `select` matches: exactly what it says, with what the API can filter left to the API."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone

import pytest
from flock import NAP, NOTHING, STATUSES, Flock, gated, ids, names, queries

#: Instances made one after the other, so that each has a moment of creation of its own, oldest first.
ROW = ("a-1", "a-2", "b-1", "b-2", "B-3", "c[1]")
OLD_VERSION = "11111111-2222-4333-8444-555555555555"
CRON_IDS = ["*/30 * * * *-1786001400000", "0 3 * * 1/2-1786001400000"]


# -- one of each status, which no test changes ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def one_of_each(lasting_bench):
    """A Flock with an instance in every status, which bears its name. Tests look at it in check mode only."""
    flock = Flock(lasting_bench, "scratch-7")
    flock.control("POST", "/reset")
    flock.purge()
    rollback = {"steps": [{"do": "work", "rollback": {"gate": "undo"}}, *NAP["steps"]]}
    flock.create(["waiting", "paused", "terminated", "queued"])
    flock.create(["running", "waitingForPause"], gated("held"), "running")
    flock.create(["errored"], {"steps": [{"do": "work", "fail": "no"}]}, "errored")
    flock.create(["complete"], NOTHING, "complete")
    flock.create(["rollingBack"], rollback)
    flock.op(
        {"op": "pause", "instance": "paused"},
        {"op": "pause", "instance": "waitingForPause"},
        {"op": "terminate", "instance": "terminated"},
        {"op": "strand", "instance": "queued"},
        {"op": "background", "ops": [{"op": "terminate", "instance": "rollingBack", "rollback": True}]},
    )
    for status in STATUSES:
        flock.wait_for([status], status)
    yield flock
    flock.control("POST", "/reset")
    flock.purge()


def look(flock, **select):
    """What a selection matches, by a run in check mode: (ids, the queries it made)."""
    result = flock.run(check_mode=True, select=select, state="terminated")
    assert flock.cost()[2] == 0
    return ids(result), queries(flock.calls())


@pytest.mark.parametrize("status", STATUSES)
def test_each_status(one_of_each, status):
    """One status is the API's to filter."""
    assert look(one_of_each, status=[status]) == ([status], [["status=" + status]])


@pytest.mark.parametrize(
    "wanted",
    [
        ["running", "waiting"],
        ["paused", "errored", "complete"],
        ["rollingBack", "queued"],
        list(STATUSES),
    ],
)
def test_several_statuses(one_of_each, wanted):
    """Several are found in one listing of everything, where that is cheaper than one for each."""
    matched, asked = look(one_of_each, status=wanted)
    assert set(matched) == set(wanted)
    assert asked == [[]]


def test_the_same_status_twice(one_of_each):
    """It is the same as once."""
    assert look(one_of_each, status=["paused", "paused"]) == (["paused"], [["status=paused"]])


@pytest.mark.parametrize(
    ("select", "matched"),
    [
        ({"id_glob": "waiting*"}, {"waiting", "waitingForPause"}),
        ({"id_glob": "?rrored"}, {"errored"}),
        ({"id_glob": "[pq]*"}, {"paused", "queued"}),
        ({"id_glob": "[!a-q]*"}, {"running", "waiting", "waitingForPause", "rollingBack", "terminated"}),
        ({"id_glob": "WAITING"}, set()),
        ({"id_glob": "aus"}, set()),
        ({"id_glob": "*", "status": ["paused"]}, {"paused"}),
        ({"id_glob": "w*", "status": ["paused", "waiting"]}, {"waiting"}),
        ({"ended_after": "2020-01-01T00:00:00Z"}, {"errored", "complete", "terminated"}),
        ({"ended_before": "2020-01-01T00:00:00Z"}, set()),
        ({"created_before": "2020-01-01T00:00:00Z"}, set()),
        ({"trigger_source": "cron"}, set()),
        ({"trigger_source": "api"}, set(STATUSES)),
        ({"version_id": OLD_VERSION}, set()),
    ],
)
def test_filters(one_of_each, select, matched):
    """Ids by a case-sensitive pattern of the whole id, ends only of what has ended; all filters together."""
    assert set(look(one_of_each, **select)[0]) == matched


@pytest.mark.parametrize(
    ("state", "changed"),
    [
        ("paused", {"queued", "running", "waiting"}),
        ("running", {"waitingForPause", "paused"}),
        ("terminated", {"queued", "running", "waiting", "waitingForPause", "paused"}),
        ("restarted", set(STATUSES) - {"rollingBack"}),
    ],
)
def test_decisions_from_the_listing(one_of_each, state, changed):
    """One page is enough to decide for every status."""
    result = one_of_each.run(check_mode=True, select={"status": list(STATUSES)}, state=state, skip_finished=True)
    assert one_of_each.cost() == (0, 1, 0)
    assert set(ids(result, changed=True)) == changed
    assert set(ids(result, outcome="failed")) == ({"rollingBack"} if state != "terminated" else set())


@pytest.mark.parametrize(
    ("select", "words"),
    [
        ({}, "select is empty"),
        ({"status": []}, "select.status is empty"),
        ({"id_glob": ""}, "select.id_glob is empty"),
        ({"version_id": ""}, "select.version_id is empty"),
        ({"created_after": ""}, "select.created_after is empty"),
        ({"status": ["paused"], "id_glob": ""}, "select.id_glob is empty"),
        ({"created_after": "yesterday"}, "must be an ISO 8601 time with its offset"),
        ({"created_after": "2026-08-06T03:00:00"}, "must be an ISO 8601 time with its offset"),
        ({"ended_before": "2026-13-06T03:00:00Z"}, "must be an ISO 8601 time with its offset"),
        ({"created_after": "2026-08-06T03:00:00Z", "created_before": "2026-08-06T04:59:59+02:00"}, "is later than"),
        ({"ended_after": "2026-08-06T03:00:00Z", "ended_before": "2026-08-06T02:00:00Z"}, "is later than"),
        ({"status": ["sleeping"]}, "sleeping"),
        ({"trigger_source": "me"}, "trigger_source"),
        ({"stat": ["paused"]}, "stat"),
    ],
)
def test_refused(one_of_each, select, words):
    """What would match everything, or means nothing, is refused before any call."""
    one_of_each.forget_calls()
    result = one_of_each.bench.module(workflow_name=one_of_each.workflow, select=select, state="terminated")
    assert result["failed"] and words in result["msg"]
    assert "instances" not in result
    assert one_of_each.cost() == (0, 0, 0)


def test_restarting_everything_is_refused(one_of_each):
    """Nobody restarts completed work by a slip; `when_status` says it as well."""
    one_of_each.forget_calls()
    task = {"workflow_name": one_of_each.workflow, "select": {"id_glob": "*"}, "state": "restarted"}
    refused = one_of_each.bench.module(**task)
    assert refused["failed"] and "needs select.status or when_status" in refused["msg"]
    assert one_of_each.cost() == (0, 0, 0)
    allowed = one_of_each.run(check_mode=True, select={"id_glob": "*"}, state="restarted", when_status=["errored"])
    assert ids(allowed, changed=True) == ["errored"]
    assert len(ids(allowed, outcome="unchanged")) == len(STATUSES) - 1


# -- moments ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def row(lasting_bench):
    """A Flock of ROW, and the moments at which each was created: {id: datetime}. Tests look at it in check mode only."""
    flock = Flock(lasting_bench, "scratch-8")
    flock.control("POST", "/reset")
    flock.purge()
    for name in ROW:
        flock.create([name], NOTHING, "complete", version_id=OLD_VERSION if name == "b-1" else None)
        time.sleep(0.05)
    items = lasting_bench.engine.api("GET", f"/{flock.workflow}/instances")[2]["result"]
    yield flock, {item["id"]: datetime.fromisoformat(item["created_on"].replace("Z", "+00:00")) for item in items}
    flock.purge()


def offset(moment, hours, minutes=0):
    """A moment as somebody at this offset from UTC writes it."""
    return moment.astimezone(timezone(timedelta(hours=hours, minutes=minutes))).isoformat(timespec="milliseconds")


def utc(moment):
    """A moment as the API takes it, in a query."""
    text = moment.strftime("%Y-%m-%dT%H%%3A%M%%3A%S")
    return text + (f".{moment.microsecond // 1000:03d}Z" if moment.microsecond else "Z")


@pytest.mark.parametrize(("hours", "minutes"), [(0, 0), (2, 0), (-7, 0), (5, 30), (-9, -30)])
def test_created(row, hours, minutes):
    """Any offset; both ends belong to it; the API gets UTC."""
    flock, created = row
    after, before = created["a-2"], created["b-2"]
    matched, asked = look(flock, created_after=offset(after, hours, minutes), created_before=offset(before, hours, minutes))
    assert matched == ["b-2", "b-1", "a-2"]
    assert asked == [["date_start=" + utc(after), "date_end=" + utc(before)]]


def test_created_to_the_millisecond(row):
    """A millisecond past the moment is past it."""
    flock, created = row
    moment = created["b-1"] + timedelta(milliseconds=1)
    assert look(flock, created_after=offset(moment, 0))[0] == list(ROW[:2:-1])
    moment = created["b-1"] - timedelta(milliseconds=1)
    assert look(flock, created_before=offset(moment, 0))[0] == list(ROW[1::-1])


def test_created_between_milliseconds(row):
    """The API knows milliseconds only; what it lets through too much is left out here."""
    flock, created = row
    moment = created["b-1"] + timedelta(microseconds=400)
    written = moment.isoformat().replace("+00:00", "Z")
    assert look(flock, created_after=written) == (list(ROW[:2:-1]), [["date_start=" + utc(created["b-1"])]])
    assert look(flock, created_before=written) == (list(ROW[2::-1]), [["date_end=" + utc(created["b-1"] + timedelta(milliseconds=1))]])


@pytest.mark.parametrize(
    "written", ["2026-08-06T03:00:00Z", "2026-08-06T05:00:00+02:00", "2026-08-05T23:30:00.000-0330", "2026-08-06t03:00:00.000000000z"]
)
def test_ended(row, written):
    """The API can't filter by the end: that is done here, both ends included."""
    flock, _created = row
    ends = {"a-1": "2026-08-06T02:59:59.999Z", "a-2": "2026-08-06T03:00:00.000Z", "b-1": "2026-08-06T03:00:00.001Z"}
    for name in ROW:
        flock.show(name, item={"ended_on": ends.get(name)})
    try:
        assert look(flock, ended_after=written) == (["b-1", "a-2"], [[]])
        assert look(flock, ended_before=written) == (["a-2", "a-1"], [[]])
        assert look(flock, ended_after=written, ended_before=written, status=["complete"]) == (["a-2"], [["status=complete"]])
    finally:
        flock.control("DELETE", "/overlay")


@pytest.mark.parametrize(
    ("pattern", "matched"),
    [
        ("*", ROW[::-1]),
        ("b-*", ("b-2", "b-1")),
        ("?-1", ("b-1", "a-1")),
        ("[ab]-[12]", ("b-2", "b-1", "a-2", "a-1")),
        ("c[[]1[]]", ("c[1]",)),
        ("c[1]", ()),
        ("b", ()),
    ],
)
def test_patterns(row, pattern, matched):
    """A shell's patterns, newest first."""
    assert look(row[0], id_glob=pattern) == (list(matched), [[]])


def test_version(row):
    """The version of the workflow."""
    assert look(row[0], version_id=OLD_VERSION) == (["b-1"], [[]])


@pytest.mark.parametrize(
    ("select", "option"), [({"version_id": OLD_VERSION}, "version_id"), ({"trigger_source": "cron"}, "trigger_source")]
)
def test_development_session_tells_less(row, select, option):
    """Its listing has no such fields: that is said, and nothing is taken for a match or a miss."""
    flock, _created = row
    local = {"api_url": flock.bench.engine.dev_gateway_url, "account_id": None, "api_token": None}
    result = flock.run(select=select, state="terminated", **local)
    assert result["failed"] and f"select.{option} needs a listing that tells it" in result["msg"]
    assert result["instances"] == [] and flock.cost() == (0, 1, 0)


# -- acting on what is selected ----------------------------------------------------------------------------------------


def test_trigger_source(flock):
    """What cron triggers made, under ids that only they make; and it can be changed like all others."""
    flock.create(["by-api"])
    flock.create(CRON_IDS, trigger_source="cron")
    assert set(look(flock, trigger_source="cron")[0]) == set(CRON_IDS)
    result = flock.run(select={"trigger_source": "cron"}, state="paused")
    assert flock.cost() == (0, 1, 2)
    assert flock.statuses(["by-api", *CRON_IDS]) == {"by-api": "waiting", CRON_IDS[0]: "paused", CRON_IDS[1]: "paused"}
    assert set(ids(result, changed=True)) == set(CRON_IDS)


# -- max_instances ----------------------------------------------------------------------------------------------------


def test_max_instances(flock):
    """One more than allowed: nothing is changed, and the number named is the number that match."""
    everyone = flock.create(names("many", 205))
    result = flock.run(select={"status": ["waiting"]}, state="terminated", max_instances=99)
    assert flock.cost() == (0, 3, 0)
    assert result["failed"] and not result["changed"] and result["instances"] == []
    assert result["msg"] == (
        "205 instances of fleet match (waiting 205), more than max_instances=99; nothing was changed. Narrow select, or set max_instances=300."
    )

    result = flock.run(select={"id_glob": "many-*"}, state="terminated", max_instances=150)
    assert flock.cost() == (0, 3, 0)
    assert result["failed"] and result["msg"].startswith("205 instances of fleet match (waiting 205), more than max_instances=150;")
    assert set(flock.statuses(everyone).values()) == {"waiting"}

    result = flock.run(check_mode=True, select={"status": ["waiting"]}, state="terminated", max_instances=205)
    assert result["summary"]["matched"] == 205


def test_max_instances_is_of_what_matches(flock):
    """Those that are listed and not selected don't count."""
    flock.create(names("many", 30))
    flock.create_errored(["failed-1", "failed-2"])
    result = flock.run(select={"id_glob": "failed-*"}, state="terminated", max_instances=2)
    assert not result.get("failed") and result["summary"]["matched"] == 2


def test_nothing_matches(flock):
    """Nothing to do is not a failure, and says so."""
    flock.create(["one"])
    result = flock.run(select={"status": ["errored"]}, state="restarted")
    assert flock.cost() == (0, 1, 0)
    assert not result.get("failed") and not result["changed"]
    assert result["msg"] == "No instance of fleet matches (status: errored): nothing was sent."
