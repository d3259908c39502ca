# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The wiring between the rooms. (What comes of it in a task: ../modules/test_workflow_instance_status.py.)"""

from __future__ import annotations

import importlib.util
import sys

import pytest

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api import transport as transport_module
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task import session as session_module
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task import workflow_instance_status as task_room
from ansible_collections.edgeops.cloudflare.tests.unit.fakes import FakeInstance, FakeWorkflow, many
from ansible_collections.edgeops.cloudflare.tests.unit.running import TaskRunner


@pytest.fixture
def task(monkeypatch, capfd, clock):
    clock.pass_by(1000)
    return TaskRunner(monkeypatch, capfd, FakeWorkflow(clock, FakeInstance("a"), *many(30, "errored")))


def test_options_reach_their_rooms(task, monkeypatch):
    made = {}

    def noting(room, name):
        kind = getattr(room, name)

        def make(*args, **kwargs):
            made[name] = (args, kwargs)
            return kind(*args, **kwargs)

        monkeypatch.setattr(room, name, make)

    noting(session_module, "RateGate")
    noting(session_module, "Client")
    noting(task_room, "Fleet")
    task.run(
        instance_id="a",
        state="paused",
        concurrency=3,
        requests_per_second=7.5,
        rate_limit_reserve=0.4,
        rate_limit_timeout=99,
        api_retries=2,
        api_timeout=5,
        max_failures=4,
        max_instances=50,
        check_mode=True,
    )
    gate = made["RateGate"][1]
    assert (gate["requests_per_second"], gate["reserve"], gate["block_limit"]) == (7.5, 0.4, 99.0)
    connection, client = made["Client"][0][0], made["Client"][1]
    assert (connection.api_timeout, connection.api_retries, client["concurrency"]) == (5.0, 2, 3)
    limits = made["Fleet"][0][3]
    assert (limits.max_instances, limits.max_failures, limits.concurrency, limits.connection_attempts) == (50, 4, 3, 3)
    assert made["Fleet"][0][7:] == (True, None), "nothing is recorded in check mode"


def test_pacing_holds_for_a_task(task):
    began = task.workflow.clock.monotonic()
    ran = task.run(select={"status": ["errored"]}, state="restarted", requests_per_second=2, concurrency=1, wait=False)
    calls = ran.result["api_calls"]["total"]
    assert ran.code == 0
    assert task.workflow.clock.monotonic() - began >= (calls - 2) / 2.0
    assert ran.result["api_calls"]["rate_limited_seconds"] == 0.0, "the task's own ceiling is none of the API's"


def test_calls_are_counted_as_they_are_made(task):
    ran = task.run(select={"status": ["errored"]}, state="restarted", concurrency=4)
    counted = ran.result["api_calls"]
    assert counted["total"] == len(task.api.requests) == counted["reads"] + counted["lists"] + counted["patches"]
    assert counted["patches"] == task.workflow.count("patch") == 30
    assert counted["lists"] == task.workflow.count("list") == 2
    assert counted["reads"] == task.workflow.count("detail", "log") == 0


def test_the_controller_is_asked_before_every_call(task):
    task.workflow.before(("patch",), lambda: setattr(task.controller, "reason", "stopped by SIGTERM"))
    ran = task.run(select={"status": ["errored"]}, state="restarted", concurrency=1)
    assert task.workflow.count("patch") == 1
    assert "stopped by SIGTERM, and nothing more is sent. " in ran.result["msg"]
    assert ran.result["summary"]["not_attempted"] == 29


def test_the_duration_is_told(task):
    task.workflow.latency = 0.25
    assert task.run(instance_id="a", state="paused").result["summary"]["duration"] == 0.5


def test_the_transport_can_be_imported_without_requests(monkeypatch):
    """The module then says what is missing, instead of a traceback."""
    monkeypatch.setitem(sys.modules, "requests", None)
    spec = importlib.util.spec_from_file_location("transport_without_requests", transport_module.__file__)
    client = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(client)
    assert "ImportError" in client.REQUESTS_IMPORT_ERROR or "ModuleNotFoundError" in client.REQUESTS_IMPORT_ERROR
    assert transport_module.REQUESTS_IMPORT_ERROR is None
