# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From an instance that errors to its restart, by the real rule engine; and what it leaves alone."""

from __future__ import annotations

import re
import time

import pytest
import yaml
from activation import Activation, Listener
from flock import NAP, WORKFLOW, names

#: Seconds that nothing must happen in.
QUIET = 6

INVENTORY = {
    "all": {"hosts": {"localhost": {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}}}
}

RESTART = "edgeops.cloudflare.restart_failed"


@pytest.fixture
def activate(flock, tmp_path):
    """Start the rulebook; what was started is stopped at the end."""
    started = []

    def start(rulebook=RESTART, settings=None, **variables):
        variables = {
            "workflow_name": WORKFLOW,
            "state_path": str(tmp_path / "state.json"),
            "interval": 1,
            # What has failed before the first start is none of its business here.
            "catch_up": 0,
            "automation_enabled": True,
            "pause_on_storm": False,
            "notify_url": "",
            **variables,
        }
        (tmp_path / "inventory.yml").write_text(yaml.safe_dump(INVENTORY), encoding="utf-8")
        (tmp_path / "vars.yml").write_text(yaml.safe_dump(variables), encoding="utf-8")
        flock.forget_calls()
        running = Activation(flock.bench.engine, tmp_path, ["-r", rulebook, "-i", "inventory.yml", "--vars", "vars.yml"], settings)
        started.append(running)
        return running

    yield start
    for running in started:
        running.stop()


def uuids(output):
    """The uuids under which failures were reported, in their order."""
    return re.findall(r"is errored: reported as ([0-9a-f-]{36})", output)


def watching(flock, activation):
    """Wait until it has listed what is there, and goes on."""
    activation.wait_for(lambda: flock.calls()["by_kind"]["lists"] >= 3, "the first rounds")


def breaks(fails):
    """Params of an instance whose second step fails so often; it rests when it is past it."""
    return {"steps": [{"do": "one"}, {"do": "two", "fail": fails}, *NAP["steps"]]}


def test_restarted_once(flock, activate):
    """From its failed step; and left alone when it fails again, whenever that is. What had failed before is not touched."""
    flock.create(names("old", 1), breaks(1), "errored")
    activation = activate()
    watching(flock, activation)
    flock.create(names("good", 1), breaks(1), "errored")
    flock.create(names("poison", 1), breaks(9), "errored")
    flock.wait_for(names("good", 1), "waiting")
    activation.wait_for(lambda: len(uuids(activation.output)) >= 3, "a second failure of poison-000")
    time.sleep(QUIET)
    assert flock.ran("good-000") == {"one": 1, "two": 2}
    assert flock.ran("poison-000") == {"one": 1, "two": 2} and flock.statuses(["poison-000"]) == {"poison-000": "errored"}
    assert flock.ran("old-000") == {"one": 1, "two": 1}
    assert flock.bench.engine.api_token not in activation.output


def test_killed_in_between(flock, activate):
    """What failed while it was down is reported when it is back, what was reported last is reported again by its uuid, and each is restarted once."""
    activation = activate()
    watching(flock, activation)
    flock.create(names("first", 1), breaks(1), "errored")
    flock.wait_for(names("first", 1), "waiting")
    activation.kill()
    flock.create(names("second", 1), breaks(9), "errored")
    activation = activate()
    activation.wait_for(lambda: flock.ran("second-000") == {"one": 1, "two": 2}, "the restart of second-000")
    activation.wait_for(lambda: len(uuids(activation.output)) >= 3, "its second failure")
    activation.kill()
    activation = activate()
    watching(flock, activation)
    time.sleep(QUIET)
    assert flock.ran("first-000") == {"one": 1, "two": 2} and flock.ran("second-000") == {"one": 1, "two": 2}
    told = uuids(activation.output)
    assert len(told) > len(set(told)), "what was told last is told again by its uuid"


@pytest.mark.parametrize("pauses", [False, True], ids=["reports", "pauses"])
def test_a_storm(flock, activate, pauses):
    """One report and one word to whoever should know; nothing is restarted, and everything is paused where that is switched on."""
    listener = Listener()
    try:
        flock.create(names("ok", 2))
        activation = activate(notify_url=listener.url, pause_on_storm=pauses)
        watching(flock, activation)
        flock.create(names("storm", 50), breaks(1), "errored")
        activation.wait_for(lambda: listener.posted, "a notification")
        time.sleep(QUIET)
        assert [body["workflow_name"] for _path, body in listener.posted] == [WORKFLOW]
        assert int(listener.posted[0][1]["recent_failures"]) == 50
        assert not [one for one in flock.patches() if one[1] == "restart"]
        assert flock.statuses(names("ok", 2)) == dict.fromkeys(names("ok", 2), "paused" if pauses else "waiting")
    finally:
        listener.close()


def test_while_paused(flock, activate):
    """A robot must not restart into a freeze."""
    flock.create_paused(names("held", 1))
    activation = activate()
    watching(flock, activation)
    flock.create(names("bad", 1), breaks(1), "errored")
    activation.wait_for_line(r"while_paused=true")
    assert flock.ran("bad-000") == {"one": 1, "two": 1} and flock.patches() == []


def test_switched_off(flock, activate):
    """It watches, and does nothing."""
    activation = activate(automation_enabled=False)
    watching(flock, activation)
    flock.create(names("bad", 1), breaks(1), "errored")
    activation.wait_for(lambda: uuids(activation.output), "the report")
    time.sleep(QUIET)
    assert flock.patches() == []
