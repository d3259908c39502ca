# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a task can't run in the worker."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

from ansible_collections.edgeops.cloudflare.plugins.plugin_utils import obstacles
from ansible_collections.edgeops.cloudflare.plugins.plugin_utils.obstacles import missing_libraries, obstacle
from ansible_collections.edgeops.cloudflare.plugins.plugin_utils.switch import SWITCH


@pytest.fixture(autouse=True)
def no_switch(monkeypatch):
    monkeypatch.delenv(SWITCH, raising=False)


def action(transport="local", become=None, async_val=0, delegate_to=None):
    """An action plugin, as far as it is looked at."""
    return SimpleNamespace(
        _connection=SimpleNamespace(transport=transport, become=become),
        _play_context=SimpleNamespace(become=bool(become)),
        _task=SimpleNamespace(async_val=async_val, delegate_to=delegate_to),
        _templar=SimpleNamespace(template=lambda value: value),
    )


class Settings:
    """ansible-core's settings. (Its own would make a controller of this process, in which modules warn otherwise.)"""

    keeps = False

    def keeps_remote_files(self):
        return self.keeps

    def interpreter(self, variables):
        return variables.get("ansible_python_interpreter", "auto")


OWN = {"ansible_python_interpreter": sys.executable}
FOREIGN = {"ansible_python_interpreter": "/nonexistent/python3"}


@pytest.mark.parametrize(
    ("settings", "task_vars", "reason"),
    [
        ({}, OWN, None),
        ({}, {}, None),
        ({}, {"ansible_python_interpreter": "auto_silent"}, None),
        ({}, {"ansible_facts": {"discovered_interpreter_python": "/nonexistent/python3"}}, "its interpreter is /nonexistent/python3"),
        ({}, FOREIGN, "its interpreter is /nonexistent/python3"),
        ({"transport": "ssh"}, OWN, "its connection is ssh, not local"),
        ({"become": "sudo"}, OWN, "it becomes another user"),
        ({"async_val": 60}, OWN, "it is asynchronous"),
        ({"delegate_to": "web"}, {**FOREIGN, "ansible_delegated_vars": {"web": OWN}}, None),
        ({"delegate_to": "web"}, {**OWN, "ansible_delegated_vars": {"web": FOREIGN}}, "its interpreter is"),
        ({}, {**OWN, "edgeops_cloudflare_run_as": "module"}, "the variable edgeops_cloudflare_run_as says so"),
    ],
)
def test_obstacles(settings, task_vars, reason):
    found = obstacle(action(**settings), task_vars, Settings())
    assert found is None if reason is None else found.startswith(reason)


def test_by_the_environment(monkeypatch):
    monkeypatch.setenv(SWITCH, "module")
    assert "EDGEOPS_CLOUDFLARE_RUN_AS says so" in obstacle(action(), OWN, Settings())


def test_where_a_forked_process_has_no_network(monkeypatch):
    monkeypatch.setattr(obstacles.sys, "platform", "darwin")
    assert "macOS" in obstacle(action(), OWN, Settings())


def test_where_somebody_wants_to_see_the_module(monkeypatch):
    monkeypatch.setattr(Settings, "keeps", True)
    assert "KEEP_REMOTE_FILES" in obstacle(action(), OWN, Settings())


@pytest.mark.parametrize(
    ("versions", "reason"),
    [
        ({}, "ansible's own Python has no requests"),
        ({"requests": "2.25.0", "urllib3": "1.26.5"}, None),
        ({"requests": "2.32.3", "urllib3": "2.2.1"}, None),
        ({"requests": "2.24.0", "urllib3": "1.26.5"}, "requests 2.24.0 of ansible's own Python is older than 2.25"),
        ({"requests": "2.25.1", "urllib3": "1.25.11"}, "urllib3 1.25.11 of ansible's own Python is older than 1.26"),
    ],
)
def test_libraries(versions, reason):
    assert missing_libraries(versions) == reason
