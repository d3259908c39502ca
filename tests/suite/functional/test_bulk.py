# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Terminating by hundreds, on the engine: hundreds by one call, each proven by a look, under whatever production may do."""

from __future__ import annotations

import pytest
from flock import names

BULK = {"state": "terminated", "bulk_terminate": True, "select": {"status": ["waiting", "running"]}, "wait_sleep": 0.3}
MANY = names("ok", 30)


@pytest.fixture
def many(flock):
    """A Flock of thirty that wait."""
    flock.create(MANY)
    return flock


def unknowns(flock, **settings):
    flock.control("POST", "/unknowns", settings)


def counts(flock):
    by_kind = flock.calls()["by_kind"]
    return {kind: by_kind[kind] for kind in ("lists", "reads", "patches", "batches")}


def assert_all_terminated(flock, result, changed=30):
    assert not result.get("failed") and result["summary"]["changed"] == changed, result["msg"]
    assert set(flock.statuses(MANY).values()) == {"terminated"}


def test_thirty_by_one_call(many):
    result = many.run(**BULK)
    assert_all_terminated(many, result)
    assert counts(many) == {"lists": 2, "reads": 0, "patches": 0, "batches": 1}
    item = result["instances"][0]
    assert item["timestamp"] is None and item["action"] == "terminate" and "warnings" not in result
    assert item["msg"] == f"{item['id']} is terminated (was waiting): terminate sent for many at once."


def test_hundreds_one_after_another(flock):
    """A thousand take less than a twentieth of the calls."""
    every = names("mass", 240)
    flock.create(every)
    result = flock.run(**BULK)
    assert result["summary"]["changed"] == 240 and set(flock.statuses(every).values()) == {"terminated"}
    made = counts(flock)
    # A look or two where instances of two hundreds were created in the same millisecond.
    assert made["batches"] == 3 and made["patches"] == 0 and made["lists"] <= 9 and made["reads"] <= 3
    assert sum(made.values()) <= 242 / 15


def test_check_mode_tells_what_it_saves(many):
    result = many.run(check_mode=True, **BULK)
    assert counts(many) == {"lists": 1, "reads": 0, "patches": 0, "batches": 0}
    assert "Would terminate 30 of 30 instances of fleet WITHOUT rollback, and wait (30 waiting)" in result["msg"]
    assert "About 3 calls instead of 31 (bulk_terminate), within the quota" in result["msg"]


def test_without_waiting_one_listing_proves_it(many):
    assert_all_terminated(many, many.run(**BULK, wait=False))
    assert counts(many) == {"lists": 2, "reads": 0, "patches": 0, "batches": 1}


def test_the_count_is_not_believed(many):
    unknowns(many, terminate_miscounts=-7)
    assert_all_terminated(many, many.run(**BULK))
    assert counts(many)["batches"] == 1 and counts(many)["patches"] == 0


def test_while_another_is_being_processed(many):
    unknowns(many, terminate_already_running=1)
    assert_all_terminated(many, many.run(**BULK))
    assert counts(many) == {"lists": 3, "reads": 0, "patches": 0, "batches": 2}


def test_while_others_are_being_processed_all_the_time(many):
    unknowns(many, terminate_already_running=99)
    assert_all_terminated(many, many.run(**BULK))
    assert counts(many)["batches"] == 2 and counts(many)["patches"] == 30


def test_what_it_leaves_alone_is_terminated_one_by_one(many):
    unknowns(many, terminate_leaves=MANY[:3])
    assert_all_terminated(many, many.run(**BULK))
    assert counts(many)["batches"] == 1 and sorted(many.patches()) == [(name, "terminate") for name in MANY[:3]]


def test_what_ends_late_is_waited_for(many):
    unknowns(many, terminate_late=MANY[:5], terminate_late_ms=2500)
    assert_all_terminated(many, many.run(**BULK))
    assert counts(many)["batches"] == 1 and many.patches() == []


def test_what_ends_late_and_nobody_waits_for_is_red(many):
    """Nothing that was seen shows that it will end."""
    unknowns(many, terminate_late=MANY[:5], terminate_late_ms=1500)
    result = many.run(**BULK, wait=False)
    assert result["failed"] and sorted(result["ids"]["failed"]) == MANY[:5] and result["summary"]["changed"] == 25
    many.wait_for(MANY, "terminated")


@pytest.mark.parametrize("fault", [{"reset": "after"}, {"status": 502, "work": True}, {"raw": "{", "work": True}, {"cut": True}])
def test_an_answer_that_is_lost(many, fault):
    """It was processed: looks find out, without a word of it."""
    many.meet("batch", fault, times=1)
    result = many.run(**BULK)
    assert_all_terminated(many, result)
    assert counts(many)["batches"] == 1 and many.patches() == [] and "warnings" not in result


NO_SUCH_CALL = {
    "no route": {"status": 404, "code": 7003, "message": "Could not route to it"},
    "plain text": {"status": 404, "raw": "404 Not Found"},
    "no such method": {"status": 405, "code": 7001, "message": "Method POST not available for that URI."},
}


@pytest.mark.parametrize("fault", NO_SUCH_CALL.values(), ids=NO_SUCH_CALL)
def test_a_server_without_such_a_call(many, fault):
    """It is asked once, and all are terminated one by one."""
    many.meet("batch", fault)
    assert_all_terminated(many, many.run(**BULK))
    assert counts(many) == {"lists": 1, "reads": 0, "patches": 30, "batches": 1}


def test_a_development_session_is_not_asked(many):
    """It has no such call."""
    options = {"api_url": many.bench.engine.dev_gateway_url, "account_id": None, "api_token": None}
    many.forget_calls()
    result = many.bench.module(False, False, **{**BULK, **options, "workflow_name": many.workflow})
    assert_all_terminated(many, result)
    assert result["api_calls"]["batches"] == 0 and result["api_calls"]["patches"] == 30


def test_a_block_of_the_rate_limit(many):
    """It was not processed: it is decided anew, and sent once more."""
    many.meet("batch", {"status": 429, "retry_after": 1}, times=1)
    result = many.run(**BULK)
    assert_all_terminated(many, result)
    assert counts(many)["batches"] == 2 and many.patches() == []


def test_refused_credentials_end_it(many):
    many.meet("batch", {"status": 403, "code": 10000, "message": "Authentication error"})
    result = many.run(**BULK)
    assert result["failed"] and result["summary"]["not_attempted"] == 30 and counts(many)["batches"] == 1


def test_by_ids_that_may_have_finished(flock):
    """Finished and unknown ones are not in it."""
    flock.create(MANY)
    flock.create(names("done", 5), {"steps": []}, "complete")
    result = flock.run(**{**BULK, "select": None}, instance_ids=[*MANY, *names("done", 5), "ghost"])
    assert result["failed"] and result["ids"]["failed"] == ["ghost"] and result["summary"]["changed"] == 30
    sent = next(entry["body"] for entry in flock.calls()["log"] if entry["kind"] == "batch")
    assert "done" not in sent and "ghost" not in sent


def test_rolling_back_is_never_sent_a_second_terminate(flock):
    """It would end the handlers."""
    gated = {"steps": [{"do": "charge", "rollback": {"gate": "undoing"}}, {"wait": "ever"}]}
    flock.create(["undoing-1"], gated)
    flock.create(MANY)
    flock.op({"op": "background", "ops": [{"op": "terminate", "instance": "undoing-1", "rollback": True}]})
    flock.wait_for(["undoing-1"], "rollingBack")
    started = flock.start(**{**BULK, "select": {"id_glob": "*"}})
    flock.wait_for(MANY, "terminated")
    flock.control("POST", "/gate", {"name": "undoing"})
    result = started.finish()
    flock.check(result)
    assert not result.get("failed") and result["ids"]["unchanged"] == ["undoing-1"] and flock.patches() == []
    assert flock.bench.steps(flock.workflow, "undoing-1")["rollbacks_finished"] == {"charge": 1}
