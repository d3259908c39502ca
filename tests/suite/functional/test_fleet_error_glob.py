# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`select.error_glob`: only what failed with such an error is acted on."""

from __future__ import annotations

import pytest
from flock import ids, names


@pytest.fixture
def failed(flock):
    """Two that failed with one error, one with another, and one that has not failed at all."""
    flock.create(names("card", 2), {"steps": [{"do": "one"}, {"throw": "card declined"}]}, "errored")
    flock.create(["stock"], {"steps": [{"do": "one"}, {"throw": "out of stock"}]}, "errored")
    flock.create(["ok"])
    flock.forget_calls()
    return flock


@pytest.mark.parametrize("pattern", ["card*", "Error: card declined", "*declined"])
def test_only_those_errors(failed, pattern):
    """Each errored one is looked at alone, since a listing tells no error; one call each, and no other is touched."""
    result = failed.run(select={"status": ["errored"], "error_glob": pattern}, state="restarted", wait=False)
    assert set(ids(result, outcome="changed")) == set(names("card", 2))
    assert ids(result, outcome="unchanged") == ["stock"]
    assert failed.cost() == (3, 1, 2)
    other = result["instances"][ids(result).index("stock")]
    assert "its error is not one that select.error_glob matches (Error: out of stock)" in other["msg"]
    assert failed.ran("stock") == {"one": 1}


def test_what_has_not_failed_has_no_error(failed):
    """Even a pattern that matches anything leaves those alone that have no error."""
    result = failed.run(select={"error_glob": "*"}, state="restarted", when_status=["errored", "waiting"], wait=False)
    assert set(ids(result, outcome="changed")) == {*names("card", 2), "stock"}
    assert ids(result, outcome="unchanged", status="waiting") == ["ok"]
    assert failed.ran("ok") == {}


def test_foretold(failed):
    """Check mode makes the same looks, and names the same instances."""
    result = failed.run(check_mode=True, select={"status": ["errored"], "error_glob": "card*"}, state="restarted")
    assert failed.cost() == (3, 1, 0)
    assert set(ids(result, changed=True)) == set(names("card", 2))


def test_nothing_like_it(failed):
    """Nothing is changed, and the sentence says what was asked for."""
    result = failed.run(select={"status": ["errored"], "error_glob": "no such*"}, state="restarted")
    assert not result["changed"] and not result.get("failed") and failed.cost()[2] == 0
    assert result["msg"] == "3 instances of fleet were left as they are: 3 errored with another error (stock, card-001, card-000)."


def test_with_restarts_from_the_failed_step(failed):
    """One look brings the error and the log."""
    steps = failed.create_errored(names("step", 2))
    failed.forget_calls()
    result = failed.run(select={"status": ["errored"], "error_glob": "*failed*"}, state="restarted", from_failed_step=True, wait=False)
    assert set(ids(result, outcome="changed")) == set(steps), result["msg"]
    assert failed.cost() == (5, 1, 2)
