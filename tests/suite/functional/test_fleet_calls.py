# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What many instances cost: pages and changes, the settling listings, one look for a late restart, and nothing else.

Every run's `api_calls` is held against the gateway's own count by kind (flock.Flock.check).
"""

from __future__ import annotations

import pytest
from flock import NOTHING, at, gated, ids, names, queries
from quickclock import note_calls, quicken, slow_down

RUNNING = ("running", "waiting")


@pytest.fixture
def clock(monkeypatch):
    """A quick clock: no look grows too old for a restart because this machine is slow, and one that is to, does."""
    return quicken(monkeypatch)


def looks_before_restarts(calls):
    """For each restart that went out: (seconds since the newest look at that instance, looks at it alone before); `calls`: as noted."""
    found, listed, looks = [], calls[0][0], {}
    for moment, method, url in calls:
        instance = url.partition("/instances/")[2].partition("?")[0]
        if method == "PATCH":
            seen = looks.get(instance.partition("/")[0], [])
            found.append((moment - max([listed, *seen]), len(seen)))
        elif instance:
            looks.setdefault(instance, []).append(moment)
    return found


# -- pause and terminate: pages and changes ---------------------------------------------------------------------------


def test_250_instances(flock):
    """Three pages and one change each, from the newest to the oldest; then three pages and nothing to do."""
    everyone = flock.create(names("many", 250))
    newest_first = everyone[::-1]

    foretold = flock.run(check_mode=True, select={"status": ["waiting"]}, state="paused")
    assert flock.cost() == (0, 3, 0)
    assert ids(foretold, changed=True) == ids(foretold) and set(ids(foretold)) == set(everyone)
    assert "Would pause 250 of 250 instances of fleet" in foretold["msg"] and "About 250 calls" in foretold["msg"]

    paused = flock.run(select={"status": ["waiting"]}, state="paused")
    assert flock.cost() == (0, 3, 250)
    assert ids(paused, outcome="changed", status="paused") == ids(foretold)
    assert paused["msg"] == "All 250 instances of fleet are paused (250 by this task)."
    assert set(flock.statuses(everyone).values()) == {"paused"}
    # Created at the same time by sixteen at once, so the order is by batches only.
    assert set(ids(paused)[:100]) & set(newest_first[:50]) == set(newest_first[:50])

    again = flock.run(select={"id_glob": "many-*"}, state="paused")
    assert flock.cost() == (0, 3, 0)
    assert not again["changed"] and ids(again, outcome="unchanged") == ids(paused)

    terminated = flock.run(select={"status": ["paused"]}, state="terminated", concurrency=16)
    assert flock.cost() == (0, 3, 250)
    assert ids(terminated, outcome="changed", status="terminated") == ids(paused)
    assert set(flock.statuses(everyone).values()) == {"terminated"}


@pytest.mark.parametrize(("count", "pages"), [(0, 1), (1, 1), (100, 1), (101, 2)])
def test_pages(flock, count, pages):
    """The listing ends with its last page: no empty one is asked for."""
    if count:
        flock.create(names("page", count))
    result = flock.run(check_mode=True, select={"status": ["waiting"]}, state="paused")
    assert flock.cost() == (0, pages, 0)
    assert result["summary"]["matched"] == count and not result.get("failed")


def test_mixed_statuses(flock):
    """What needs nothing costs nothing."""
    flock.create(names("waits", 20))
    flock.create_paused(names("paused", 20))
    result = flock.run(select={"status": ["waiting", "paused"]}, state="paused")
    assert flock.cost() == (0, 1, 20)
    assert result["summary"]["changed"] == result["summary"]["unchanged"] == 20


# -- resume and restart: settled by listing ---------------------------------------------------------------------------


def test_resume(flock):
    """One more look is taken at all of them, by listing what lies between the oldest and the newest."""
    paused = flock.create_paused(names("held", 120))
    result = flock.run(select={"status": ["paused"]}, state="running")
    assert flock.cost() == (0, 2 + 2, 120)
    assert len(ids(result, outcome="changed", previous_status="paused")) == 120
    assert set(flock.statuses(paused).values()) <= set(RUNNING)
    assert [part.partition("=")[0] for part in queries(flock.calls())[2]] == ["date_start", "date_end"]


def test_resume_without_waiting(flock):
    """No look afterwards: a page and the changes."""
    flock.create_paused(names("held", 20))
    flock.run(select={"status": ["paused"]}, state="running", wait=False)
    assert flock.cost() == (0, 1, 20)


def test_few_are_looked_at_one_by_one(flock):
    """Up to ten looks afterwards are cheaper than to find out whether a listing would be."""
    flock.create_paused(names("held", 5))
    flock.run(select={"status": ["paused"]}, state="running")
    assert flock.cost() == (5, 1, 5)


def test_restart(flock, clock):
    """A page, the changes, and a page to see that they run."""
    errored = flock.create_errored(names("failed", 30))
    result = flock.run(select={"status": ["errored"]}, state="restarted")
    assert flock.cost() == (0, 1 + 1, 30)
    assert len(ids(result, outcome="changed", previous_status="errored", action="restart")) == 30
    flock.wait_for(errored, "waiting")
    assert all(flock.ran(name) == {"one": 2, "two": 2} for name in errored)


def test_late_restarts_are_looked_at_again(flock, clock, monkeypatch):
    """The first change takes its time; by then the listing is too old for the others, and each costs one look more."""
    flock.create_errored(names("failed", 12))
    slow_down(monkeypatch, clock, "PATCH", 2.2)
    noted = note_calls(monkeypatch, clock)
    result = flock.run(select={"status": ["errored"]}, state="restarted", concurrency=1)
    assert flock.cost() == (11, 1 + 1, 12)
    assert len(ids(result, outcome="changed")) == 12
    assert [reads for _age, reads in looks_before_restarts(noted)] == [0] + [1] * 11


def test_no_restart_rests_on_an_old_look(flock, clock, monkeypatch):
    """At four calls a second some restarts come too late for the listing: those, and only those, cost a look more."""
    flock.create_errored(names("failed", 14))
    noted = note_calls(monkeypatch, clock)
    flock.run(select={"status": ["errored"]}, state="restarted", requests_per_second=4, wait=False, concurrency=1)
    looks = looks_before_restarts(noted)
    assert [reads for _age, reads in looks] == [0] * 8 + [1] * 6  # eight in the two seconds that the listing is good for
    assert max(age for age, _reads in looks) <= 2
    assert flock.cost() == (6, 1, 14)


def test_restart_of_those_no_longer_errored(flock, clock):
    """Restarted by somebody else between the listing and the change: the look that precedes the change sees it."""
    errored = flock.create_errored(names("failed", 6))
    others = [{"op": "restart", "instance": name} for name in errored[:3]]
    rested = {"op": "await", "instances": errored[:3], "status": "waiting"}
    flock.meet("patch", times=1, before=[*others, rested], match={"instance": errored[-1]})
    result = flock.run(instance_ids=errored[::-1], state="restarted", when_status=["errored"], concurrency=1, wait=False)
    assert flock.patches() == [(name, "restart") for name in errored[:2:-1]]
    assert flock.cost() == (6, 0, 3)
    for name in errored[:3]:
        assert flock.ran(name)["one"] == 2
    assert ids(result, outcome="unchanged") == errored[2::-1]
    assert all("is waiting, not errored: nothing was sent" in item["msg"] for item in result["instances"][3:])


def test_a_selection_that_has_moved_on(flock, clock, monkeypatch):
    """The same with `select`: here the first look was the listing, so the message can say what it was before."""
    errored = flock.create_errored(names("failed", 4))
    first, *others = ids(flock.run(check_mode=True, select={"status": ["errored"]}, state="restarted"))
    restarts = [{"op": "restart", "instance": name} for name in others]
    flock.meet("patch", times=1, before=[*restarts, {"op": "await", "instances": others, "status": "waiting"}])
    slow_down(monkeypatch, clock, "PATCH", 2.2)
    result = flock.run(select={"status": ["errored"]}, state="restarted", concurrency=1, wait=False)
    assert flock.patches() == [(first, "restart")]
    assert flock.cost() == (3, 1, 1)
    assert ids(result, outcome="unchanged", previous_status="errored", status="waiting") == others
    assert all("is no longer errored (waiting): nothing was sent" in item["msg"] for item in result["instances"][1:])
    flock.wait_for([first], "waiting")
    assert {flock.ran(name)["one"] for name in errored} == {2}


# -- restarts from the failed step: the log of each errored one -------------------------------------------------------


def test_from_failed_step(flock, clock):
    """One more look for each errored instance, with its log; none for the others."""
    errored = flock.create_errored(names("failed", 12))
    done = flock.create(names("done", 5), NOTHING, "complete")
    result = flock.run(select={"status": ["errored", "complete"]}, state="restarted", from_failed_step=True)
    assert flock.cost() == (12, 1 + 1, 12)
    reads = [entry for entry in flock.calls()["log"] if entry["kind"] == "read"]
    assert {entry["instance"] for entry in reads} == set(errored)
    assert not [entry for entry in reads if "simple" in entry["query"]]
    flock.wait_for(errored, "waiting")
    assert all(flock.ran(name) == {"one": 1, "two": 2} for name in errored)
    changed = [item for item in result["instances"] if item["outcome"] == "changed"]
    assert {item["id"] for item in changed} == set(errored)
    assert all(item["restarted_from"] == {"name": "two", "count": 1, "type": "do"} and item["reruns"] == [] for item in changed)
    assert set(ids(result, outcome="unchanged")) == set(done)


def test_from_failed_step_foretold(flock):
    """Check mode makes the same looks and sends nothing."""
    errored = flock.create_errored(names("failed", 12))
    result = flock.run(check_mode=True, diff=True, select={"status": ["errored"]}, state="restarted", from_failed_step=True)
    assert flock.cost() == (12, 1, 0)
    assert result["diff"] == {
        "before": dict.fromkeys(ids(result), "errored"),
        "after": dict.fromkeys(ids(result), "restarted from two (1)"),
    }
    assert set(ids(result, changed=True)) == set(errored)


# -- instance_ids -----------------------------------------------------------------------------------------------------


def test_given_ids(flock):
    """One look and one change each, once, in the order given."""
    flock.create(names("given", 5))
    given = ["given-003", "given-001", "given-003", "given-004", "given-001"]
    result = flock.run(instance_ids=given, state="paused", concurrency=1)
    assert flock.cost() == (3, 0, 3)
    assert ids(result, outcome="changed") == ["given-003", "given-001", "given-004"]
    assert flock.patches() == [(name, "pause") for name in ids(result)]


def test_given_ids_by_listing(flock):
    """Thirty looks cost thirty calls; the page that holds them all costs one."""
    everyone = flock.create(names("given", 40))
    given = everyone[35:5:-1]
    result = flock.run(instance_ids=given, state="paused")
    assert flock.cost() == (0, 1, 30)
    assert ids(result, outcome="changed", previous_status="waiting") == given


def test_given_ids_missing_in_the_listing(flock):
    """Missing there proves nothing: those are looked at one by one."""
    flock.create(names("given", 12))
    given = ["ghost-1", *names("given", 12), "ghost-2"]
    result = flock.run(instance_ids=given, state="paused")
    assert flock.cost() == (2, 1, 12)
    assert ids(result) == given
    assert ids(result, outcome="failed", status=None, previous_status=None) == ["ghost-1", "ghost-2"]
    assert "2 not found (ghost-1, ghost-2)" in result["msg"]


def test_given_ids_in_a_long_listing(flock):
    """A listing that turns out to be longer than the looks is given up after its first page."""
    given = flock.create(names("given", 12))
    long = {"count": 100, "per_page": 100, "total_count": 5000, "cursor": "bm90aGluZw"}
    flock.meet("list", {"envelope": {"result": [], "result_info": long}}, times=1)
    result = flock.run(instance_ids=given, state="paused")
    assert flock.cost() == (12, 1, 12)
    assert ids(result, outcome="changed") == given


def test_no_ids(flock):
    """An empty list is nothing to do."""
    result = flock.run(instance_ids=[], state="paused")
    assert flock.cost() == (0, 0, 0)
    assert not result["changed"] and not result.get("failed") and result["instances"] == []
    assert result["ansible_facts"] == {"workflow_instance_status": {}}


# -- settling ---------------------------------------------------------------------------------------------------------


def gate_opened_before_listing(flock, number, gate, paused, **more):
    """Open a gate, and wait until these instances are paused, right before the listing of this number is made."""
    before = [{"op": "gate", "name": gate}, {"op": "await", "instances": paused, "status": "paused"}, *more.pop("then", [])]
    flock.meet("list", skip=number - 1, times=1, before=before, **more)


@pytest.mark.parametrize("polls", [1, 3])
def test_settling_by_listing(flock, polls):
    """Thirty that finish their step first: one page for each poll, however many wait."""
    held = flock.create_gated(names("held", 30), "settle")
    gate_opened_before_listing(flock, 1 + polls, "settle", held)
    result = flock.run(select={"status": ["running"]}, state="paused", wait_sleep=0.1)
    assert flock.cost() == (0, 1 + polls, 30)
    assert len(ids(result, outcome="changed", status="paused")) == 30
    assert "is paused (was running): pause accepted" in result["instances"][0]["msg"]


def test_settling_of_the_last_few(flock):
    """When few are left, they are looked at one by one."""
    most, few = flock.create_gated(names("held", 27), "most"), flock.create_gated(names("slow", 3), "few")
    gate_opened_before_listing(flock, 2, "most", most)
    opened = [{"op": "gate", "name": "few"}, {"op": "await", "instances": few, "status": "paused"}]
    flock.meet("read", times=1, before=opened)
    result = flock.run(select={"status": ["running"]}, state="paused", wait_sleep=0.1, concurrency=1)
    assert flock.cost() == (3, 2, 30)
    assert len(ids(result, outcome="changed", status="paused")) == 30


def test_settling_of_one_missing_in_the_listing(flock):
    """It proves nothing: that one is looked at alone."""
    held = flock.create_gated(names("held", 12), "missing")
    overlay = {"op": "overlay", "instance": held[4], "missing": True, "times": 1}
    gate_opened_before_listing(flock, 2, "missing", held, then=[overlay])
    result = flock.run(select={"status": ["running"]}, state="paused", wait_sleep=0.1)
    assert flock.cost() == (1, 2, 12)
    assert [entry["instance"] for entry in flock.calls()["log"] if entry["kind"] == "read"] == [held[4]]
    assert len(ids(result, outcome="changed", status="paused")) == 12


def test_timeouts_are_per_instance(flock):
    """One that does not get there fails, changed; the others are done, and nobody waits for it in vain."""
    flock.create_gated(names("held", 12), "opened")
    flock.create_gated(["stuck"], "never")
    gate_opened_before_listing(flock, 2, "opened", names("held", 12))
    result = flock.run(select={"status": ["running"]}, state="paused", wait_sleep=0.2, wait_timeout=1.5)
    assert result["failed"] and result["changed"]
    assert ids(result, outcome="failed") == ids(result, status="waitingForPause") == ["stuck"]
    assert len(ids(result, outcome="changed", status="paused")) == 12
    assert result["msg"] == (
        "1 of 13 instances of fleet is not paused: 1 still waitingForPause after 1.5 s (stuck). The other 12 are paused (12 by this task). "
        "Run again to wait for it, or raise wait_timeout."
    )
    assert result["summary"]["duration"] < 100  # not the five minutes that a task waits unless it is told otherwise


def test_settling_makes_two_calls_a_second_at_most(flock):
    """However short the pause between polls: two calls a second for the whole task."""
    flock.create_gated(names("held", 4), "never")
    result = flock.run(select={"status": ["running"]}, state="paused", wait_sleep=0.1, wait_timeout=3)
    log = flock.calls()["log"]
    polls = [at(entry) for entry in log if entry["kind"] == "read"]
    sent = max(at(entry) for entry in log if entry["kind"] == "patch")
    assert len(polls) >= 4
    # None comes before its time. One that is late does not put off those after it.
    assert [number for number, poll in enumerate(polls) if poll - sent < 0.5 * number - 0.01] == []
    assert result["summary"]["failed"] == 4


def test_pending_already(flock):
    """What was about to pause before the task began is waited for, and needs no change."""
    held = flock.create_gated(names("held", 12), "pending")
    flock.op(*({"op": "pause", "instance": name} for name in held))
    gate_opened_before_listing(flock, 2, "pending", held)
    result = flock.run(select={"status": ["waitingForPause"]}, state="paused", wait_sleep=0.1)
    assert flock.cost() == (0, 2, 0)
    assert len(ids(result, status="paused", outcome="unchanged")) == 12


# -- a development session --------------------------------------------------------------------------------------------


def test_development_session(flock):
    """Its server knows no cursors: it is paged, with no account and no credentials, at the same cost."""
    everyone = flock.create(names("local", 120), gated("local"), "running")
    local = {"api_url": flock.bench.engine.dev_gateway_url, "account_id": None, "api_token": None}
    result = flock.run(select={"status": ["running"]}, state="terminated", **local)
    assert flock.cost() == (0, 2, 120)
    assert [[part for part in parts if part.startswith("page")] for parts in queries(flock.calls())] == [[], ["page=2"]]
    assert set(ids(result, outcome="changed", status="terminated")) == set(everyone)


def test_cursors_only(flock):
    """Page numbers are never used where there are cursors."""
    flock.create(names("cursor", 101))
    flock.run(select={"status": ["waiting"]}, state="paused")
    first, second = queries(flock.calls())
    assert first == ["status=waiting"]
    assert second[0] == "status=waiting" and second[1].startswith("cursor=") and len(second) == 2
