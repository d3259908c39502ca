# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading workflows on the engine."""

from __future__ import annotations

import pytest
from asking import Asking, development
from flock import names


@pytest.fixture
def ask(flock):
    return Asking(flock, "workflow_info")


def test_all_of_them(ask, flock):
    """By one call, with the counts of each."""
    flock.create(names("ok", 3))
    flock.create(["done"], {"steps": []}, "complete")
    result = ask(workflow_name=None)
    assert result["api_calls"]["total"] == 1 and not result["changed"] and "workflow" not in result
    found = {workflow["name"]: workflow for workflow in result["workflows"]}
    assert {"orders", "lab", "fleet"} <= set(found) and len(found) >= 10
    counts = found["fleet"]["counts"]
    assert (counts["waiting"], counts["complete"]) == (3, 1)
    assert result["msg"].startswith(f"{len(found)} workflows, with ")


def test_a_search(ask):
    result = ask(workflow_name=None, search="scratch")
    assert {workflow["name"][:8] for workflow in result["workflows"]} == {"scratch-"}
    assert "8 workflows with scratch in the name" in result["msg"]
    assert ask(workflow_name=None, search="nobody")["msg"] == "No workflow has nobody in its name."


def test_one(ask, flock):
    flock.create(names("ok", 2))
    result = ask(versions=True, settings=True)
    workflow = result["workflow"]
    assert ask.cost("reads", "lists") == (2, 1) and result["workflows"] == [workflow]
    assert workflow["name"] == "fleet" and workflow["counts"]["waiting"] == 2 and workflow["script_name"] and workflow["class_name"]
    assert len(workflow["versions"]) == 2 and set(result["settings"]["default_retention"]) == {"success_retention", "error_retention"}
    assert result["msg"] == "fleet has 2 waiting." and workflow["schedules"] == []


def test_check_mode_reads_as_well(ask):
    assert ask(check_mode=True)["workflow"]["name"] == "fleet"


def test_an_unknown_one(ask):
    result = ask(workflow_name="odrers")
    assert result["failed"] and "odrers could not be read: workflow odrers was not found in account" in result["msg"]
    assert result["msg"].endswith("Check workflow_name and account_id.")


def test_refused_credentials(ask):
    result = ask(workflow_name=None, api_token="wrong-token-0123456789-abcdefghijklmnop")
    assert (
        result["failed"]
        and result["workflows"] == []
        and "The workflows could not be read: the API does not know the credentials" in result["msg"]
    )


def test_what_was_read_stays_true_whatever_follows(ask, flock):
    flock.create(names("ok", 2))
    flock.meet("read", {"status": 403, "code": 10000, "message": "Authentication error"}, match={"path_regex": "/settings$"})
    result = ask(settings=True)
    assert result["failed"] and result["workflow"]["counts"]["waiting"] == 2
    assert result["msg"].startswith("fleet has 2 waiting: the account's settings could not be read: the API does not let")


def test_a_login_page_is_not_a_server_without_settings(ask, flock):
    flock.meet("read", {"status": 403, "body": "<title>Attention Required!</title>"}, match={"path_regex": "/settings$"})
    assert ask(settings=True)["failed"]


def test_a_list_that_ends_before_its_total(ask, flock):
    flock.meet("list", {"envelope": {"result_info": {"total_count": 250}}})
    result = ask(workflow_name=None)
    assert result["failed"] and result["workflows"] == []
    assert "The workflows could not be read: the API announces 250 rows and lists 13" in result["msg"]


def test_a_development_session(ask, flock):
    """It lists all whatever is searched for, has no versions and no settings, and its counts may be old."""
    flock.create(names("ok", 2))
    options = development(flock)
    result = ask(workflow_name=None, search="flee", **options)
    assert [workflow["name"] for workflow in result["workflows"]] == ["fleet"]
    assert "up to 30 seconds old" in str(result["warnings"])
    result = ask(versions=True, settings=True, **options)
    assert not result.get("failed") and result["workflow"]["versions"] is None and result["settings"] is None
    assert result["workflow"]["name"] == "fleet"
    assert str(result["warnings"]).count("30 seconds") == 1


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"search": "x"}, "workflow_name and search exclude each other"),
        ({"workflow_name": None, "search": " "}, "search is empty"),
        ({"workflow_name": None, "versions": True}, "versions=true reads those of one workflow"),
        ({"workflow_name": ""}, "workflow_name must have 1 to 64 characters"),
    ],
)
def test_bad_input(flock, options, says):
    flock.forget_calls()
    result = flock.bench.module(module="workflow_info", **{"workflow_name": "fleet", **options})
    assert result["failed"] and says in result["msg"] and flock.calls()["total"] == 0
