# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Selections whose instances keep moving while they are listed.

What is promised: an instance that held a wanted status throughout is matched exactly once, by its newest look. What was
created after the listing began is left alone.
"""

from __future__ import annotations

from flock import WORKFLOW, gated, ids, names, queries

#: What the gateway says of the first page's listing, to make one listing for each status the cheaper way.
FIVE_THOUSAND = {"count": 100, "per_page": 100, "total_count": 5000, "cursor": "bm90aGluZw"}


def before_listing(flock, number, *operations):
    """Do something right before the listing of this number is answered."""
    flock.meet("list", skip=number - 1, times=1, before=list(operations))


def each(action, instance_ids):
    """The operations that do this to all of them; who is resumed waits again before anything else happens."""
    done = [{"op": action, "instance": name} for name in instance_ids]
    return [*done, {"op": "await", "instances": list(instance_ids), "status": "waiting"}] if action == "resume" else done


# -- one listing ------------------------------------------------------------------------------------------------------


def test_leaving_between_pages(flock):
    """Twenty of the first page leave the status before the second is read: no other is lost, as by page numbers it would be."""
    everyone = flock.create(names("still", 125))
    leaving = everyone[-20:]

    before_listing(flock, 2, *each("pause", leaving))
    found = []
    for page in (1, 2):
        path = f"/{WORKFLOW}/instances?per_page=100&status=waiting&page={page}"
        found += [item["id"] for item in flock.bench.engine.api("GET", path)[2]["result"]]
    assert len(set(everyone[:-20]) - set(found)) == 20

    flock.op(*each("resume", leaving))
    before_listing(flock, 2, *each("pause", leaving))
    result = flock.run(select={"status": ["waiting"]}, state="terminated", max_instances=125)
    assert flock.cost() == (0, 2, 125)
    assert set(ids(result)) == set(everyone)
    assert set(flock.statuses(everyone).values()) == {"terminated"}


def test_joining_between_pages(flock):
    """Twenty newer ones join the status before the second page is read: none is matched twice, none of the others lost."""
    still = flock.create(names("still", 105))
    joining = flock.create_paused(names("joins", 20))
    before_listing(flock, 2, *each("resume", joining))
    result = flock.run(check_mode=True, select={"status": ["waiting"]}, state="paused")
    assert flock.cost() == (0, 2, 0)
    assert sorted(ids(result)) == still


def test_unrest(flock):
    """Some of the instances go to and fro all the time; each that stays is matched once."""
    still = flock.create(names("still", 110))
    restless = flock.create(names("to-and-fro", 10))
    to_and_fro = [*each("pause", restless), *each("resume", restless)]
    flock.meet("list", times=1, before=[{"op": "background", "ops": to_and_fro * 8}])
    result = flock.run(check_mode=True, select={"status": ["waiting", "paused"]}, state="terminated")
    assert set(still) <= set(ids(result)) <= set(still) | set(restless)  # Flock.check has seen that none is there twice
    result = flock.run(check_mode=True, select={"status": ["waiting"]}, state="terminated")
    assert set(still) <= set(ids(result))
    flock.control("POST", "/idle")


# -- one listing for each status, repeated ----------------------------------------------------------------------------


def test_each_status_is_listed_twice(flock):
    """The cheaper way in a workflow with much else in it: repeated once, to be sure that nothing new appears."""
    paused = flock.create_paused(names("held", 4))
    waiting = flock.create(names("waits", 4))
    flock.meet("list", {"envelope": {"result_info": FIVE_THOUSAND}}, times=1)
    result = flock.run(check_mode=True, select={"status": ["paused", "waiting"]}, state="terminated")
    assert flock.cost() == (0, 1 + 2 * 2, 0)
    assert queries(flock.calls()) == [[], ["status=paused"], ["status=waiting"], ["status=paused"], ["status=waiting"]]
    assert set(ids(result)) == {*paused, *waiting}
    assert (result["summary"]["passes"], result["summary"]["converged"]) == (2, True)


def only_first_page_is_empty(flock):
    """Let the first page of everything show none of them, as that of five thousand instances would."""
    flock.meet("list", {"envelope": {"result": [], "result_info": FIVE_THOUSAND}}, times=1)


def before_status_listings(flock, numbers, *operations):
    """Do one of these lists of operations before each of the listings of one status that have these numbers, counted from 1."""
    for fired, (number, before) in enumerate(zip(numbers, operations)):
        # A call that one rule takes is not seen by the rules after it.
        flock.meet("list", skip=number - 1 - fired, times=1, before=before)


def test_moving_between_listings(flock):
    """It held one wanted status or another throughout, but never the one being listed: the next pass finds it."""
    flock.create(names("still", 3))
    flock.create(["moves"])
    only_first_page_is_empty(flock)
    before_status_listings(flock, [2], each("pause", ["moves"]))  # waiting while those paused were listed, and the other way round
    result = flock.run(check_mode=True, select={"status": ["paused", "waiting"]}, state="terminated")
    assert sorted(ids(result)) == ["moves", *names("still", 3)]
    assert flock.cost() == (0, 1 + 3 * 2, 0)
    assert (result["summary"]["passes"], result["summary"]["converged"]) == (3, True)


def test_the_newest_look_wins(flock):
    """Seen in both statuses, it is matched once, as it was seen last."""
    flock.create(["moves"])
    only_first_page_is_empty(flock)
    flock.op({"op": "pause", "instance": "moves"})
    before_status_listings(flock, [2], each("resume", ["moves"]))  # paused in the first listing, waiting in the second
    result = flock.run(select={"status": ["paused", "waiting"]}, state="paused", wait=False)
    assert ids(result) == ["moves"]
    assert result["instances"][0]["previous_status"] == "waiting" and flock.patches() == [("moves", "pause")]


def test_a_look_that_no_longer_matches(flock):
    """What the newest look shows outside the selection is not selected any more."""
    flock.create(["leaves", "stays"], version_id="old")
    only_first_page_is_empty(flock)
    flock.show("leaves", status="paused")
    before_status_listings(flock, [2], [{"op": "overlay", "instance": "leaves", "status": "waiting", "fields": {"version_id": "new"}}])
    result = flock.run(check_mode=True, select={"status": ["paused", "waiting"], "version_id": "old"}, state="terminated")
    assert ids(result) == ["stays"]


def test_never_at_rest(flock):
    """New ones in every pass: after five it goes on with those found, and says that there may be more."""
    flock.create(names("still", 3))
    late = flock.create(names("late", 5), gated("never"), "running")
    only_first_page_is_empty(flock)
    before_status_listings(flock, [1, 3, 5, 7, 9], *([{"op": "overlay", "instance": name, "status": "paused"}] for name in late))
    result = flock.run(check_mode=True, select={"status": ["paused", "waiting"]}, state="terminated")
    assert flock.cost() == (0, 1 + 5 * 2, 0)
    assert sorted(ids(result)) == [*late, *names("still", 3)]
    assert (result["summary"]["passes"], result["summary"]["converged"]) == (5, False)
    assert "run again" in str(result["warnings"]) and "all 5 passes" in str(result["warnings"])


# -- the fence --------------------------------------------------------------------------------------------------------


def test_created_while_listing(flock):
    """Instances that come after the first answer are left alone, although a later pass lists them."""
    flock.create(names("old", 3))
    only_first_page_is_empty(flock)
    new = {"op": "create", "instance": "new", "params": {"steps": [{"wait": "word"}]}}
    before_status_listings(flock, [2], [{"op": "sleep", "ms": 1100}, new, {"op": "await", "instance": "new", "status": "waiting"}])
    result = flock.run(select={"status": ["paused", "waiting"]}, state="terminated")
    assert result["summary"]["passes"] == 2
    assert sorted(ids(result, outcome="changed")) == names("old", 3) and len(flock.patches()) == 3
    assert flock.statuses(["new"]) == {"new": "waiting"}


def test_created_between_pages(flock):
    """The same while one listing is read from the newest to the oldest."""
    flock.create(names("old", 101))
    new = {"op": "create", "instance": "new", "params": {"steps": [{"wait": "word"}]}}
    before_listing(flock, 2, new, {"op": "await", "instance": "new", "status": "waiting"})
    result = flock.run(select={"status": ["waiting"]}, state="paused")
    assert flock.cost() == (0, 2, 101)
    assert len(ids(result, outcome="changed")) == 101 and "new" not in ids(result)


def test_gone_between_pages(flock):
    """Deleted after it was listed: it fails alone, and the others are done."""
    everyone = flock.create(names("old", 101))
    before_listing(flock, 2, {"op": "delete", "instance": everyone[-1]})
    result = flock.run(select={"status": ["waiting"]}, state="paused")
    assert ids(result, outcome="failed", status=None, previous_status="waiting") == [everyone[-1]]
    assert len(ids(result, outcome="changed")) == 100
    assert flock.cost() == (0, 2, 101)
