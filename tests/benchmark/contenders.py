# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is measured against whom, and which calls the work needs."""

from __future__ import annotations

import typing as t
from pathlib import Path

HERE = Path(__file__).resolve().parent
PAGE = 100


class Contender(t.NamedTuple):
    """One way to do the work.

    title: str, its name in the table.
    command: callable(Setting), the command line.
    start: str or None, the status in which it has to find the instances; None where it doesn't touch any.
    calls: callable(fleet size), the calls that the work needs, dict of kind: number; None where it makes none.
    exact: bool, whether more calls than that are an error.
    is_playbook: bool.
    every: int, run in each n-th round only: for the slow ones.
    end: str, the status in which it leaves the instances.
    """

    title: str
    command: t.Callable
    start: str | None = None
    calls: t.Callable | None = None
    exact: bool = False
    is_playbook: bool = False
    every: int = 1
    end: str = "paused"


class Setting(t.NamedTuple):
    """What the commands need to know: paths of the two environments, the fleet, how many requests at once."""

    ansible: Path
    libraries: Path
    fleet: t.Any
    concurrency: int


def _playbook(name, **more):
    def command(setting):
        variables = {
            "workflow_name": setting.fleet.workflow,
            "instance_id": setting.fleet.ids[0],
            "concurrency": setting.concurrency,
            **more,
        }
        extra = [part for key, value in variables.items() for part in ("-e", f"{key}={value}")]
        return [setting.ansible / "bin" / "ansible-playbook", HERE / "playbooks" / (name + ".yml"), *extra]

    return command


def _script(name, *more):
    def command(setting):
        return [
            setting.libraries / "bin" / "python",
            HERE / "scripts" / (name + ".py"),
            setting.fleet.workflow,
            *(getattr(setting, key) for key in more),
        ]

    return command


def _pages_and_changes(size):
    return {"lists": -(-size // PAGE), "patches": size}


def _a_look(_size):
    return {"reads": 1}


def _twenty_looks(_size):
    return {"reads": 20}


def _a_look_and_a_change(_size):
    return {"reads": 1, "patches": 1}


EMPTY = Contender("an empty playbook", _playbook("empty"), is_playbook=True)
PING = Contender("`ansible.builtin.ping`", _playbook("ping"), is_playbook=True)

MODULE = Contender("**`workflow_instance_status`**", _playbook("fleet_module"), "waiting", _pages_and_changes, exact=True, is_playbook=True)
#: The same task without the action plugin: in a process of its own.
AS_MODULE = {"edgeops_cloudflare_run_as": "module"}
MODULE_AS_MODULE = MODULE._replace(title="`workflow_instance_status` as a module", command=_playbook("fleet_module", **AS_MODULE))
FLOORS = (
    Contender("httpx, threads", _script("floor_threads", "concurrency"), "waiting", _pages_and_changes, exact=True),
    Contender("httpx, asyncio", _script("floor_async", "concurrency"), "waiting", _pages_and_changes, exact=True),
)
SDK = Contender("the official SDK, one by one", _script("sdk"), "waiting", _pages_and_changes, every=2)
URI_LOOP = Contender("`ansible.builtin.uri` in a loop", _playbook("fleet_uri"), "waiting", _pages_and_changes, is_playbook=True, every=3)

#: Runs once, last: what it has ended does not sleep again.
BULK = Contender("`workflow_instance_status` with `bulk_terminate`", _playbook("fleet_bulk"), "waiting", is_playbook=True, end="terminated")

FLEET = {
    100: (EMPTY, PING, MODULE, MODULE_AS_MODULE, *FLOORS, SDK._replace(every=1), URI_LOOP),
    1000: (EMPTY, PING, MODULE, MODULE_AS_MODULE, *FLOORS, SDK),
}

ONE_UNCHANGED = Contender(
    "**`workflow_instance_status`**, paused already", _playbook("one_module"), "paused", _a_look, exact=True, is_playbook=True
)
ONE_CHANGED = Contender(
    "**`workflow_instance_status`**, pauses it", _playbook("one_module"), "waiting", _a_look_and_a_change, exact=True, is_playbook=True
)
URI_UNCHANGED = Contender("two `ansible.builtin.uri` tasks, paused already", _playbook("one_uri"), "paused", _a_look, is_playbook=True)
URI_CHANGED = Contender(
    "two `ansible.builtin.uri` tasks, pause it", _playbook("one_uri"), "waiting", _a_look_and_a_change, is_playbook=True
)

ONE_AS_MODULE = ONE_UNCHANGED._replace(
    title="`workflow_instance_status` as a module, paused already", command=_playbook("one_module", **AS_MODULE)
)
TWENTY_PINGS = Contender("twenty `ansible.builtin.ping`", _playbook("twenty_ping"), is_playbook=True)
TWENTY = Contender(
    "**twenty `workflow_instance_status`**, paused already",
    _playbook("twenty_module"),
    "paused",
    _twenty_looks,
    exact=True,
    is_playbook=True,
)

ONE = (EMPTY, PING, ONE_UNCHANGED, ONE_AS_MODULE, URI_UNCHANGED, ONE_CHANGED, URI_CHANGED, TWENTY_PINGS, TWENTY)
