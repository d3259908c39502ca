# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever is written into an option of any other module, the task runs or fails with a sentence that names the option, before any call."""

from __future__ import annotations

import importlib

import pytest
from odd_values import NESTED, NUMBERS, STRINGS
from pretended_api import PretendedAPI, run
from quickclock import quicken

#: module → a task in which everything is right.
TASKS = {
    "workflow_info": {"workflow_name": "orders"},
    "workflow_instance_info": {"workflow_name": "orders", "instance_id": "order-1"},
    "workflow_instance": {"workflow_name": "orders", "instance_id": "order-1"},
    "workflow_instance_event": {"workflow_name": "orders", "instance_id": "order-1", "event_type": "go"},
}
#: option → what of the task has to go, or to be added, where it stands; by module where it matters.
BESIDE = {
    "instance_ids": {"instance_id": None},
    "select": {"instance_id": None},
    "instances": {"instance_id": None},
    "search": {"workflow_name": None},
    "max_logs": {"steps": True},
    "api_email": {"api_token": None, "api_key": "k" * 37},
    "api_key": {"api_token": None, "api_email": "operator@edgeops.example"},
    "wait_for": {"wait": True},
}
SECRETS = ("api_token", "api_key")
#: Others that a sentence about one may name instead.
KIN = {"instance_id": ("instance_ids", "select"), "state": ("instance_id",), "wait": ("wait_timeout",)}


def room(module):
    return importlib.import_module(f"ansible_collections.edgeops.cloudflare.plugins.module_utils.task.{module}")


def options():
    """Every option of every module, and every suboption as `option.suboption`."""
    for module in TASKS:
        for name, spec in room(module).argument_spec().items():
            yield module, name
            for inner in spec.get("options", {}):
                yield module, f"{name}.{inner}"


def put(module, option, value):
    """A task in which everything but this option is right."""
    outer, _dot, inner = option.partition(".")
    task = {**TASKS[module], **BESIDE.get(outer, {})}
    if module == "workflow_instance" and outer in ("instance_ids", "select"):
        task["state"] = "absent"
    if not inner:
        return {**task, outer: value}
    if outer == "select":
        return {**task, "select": {"status": ["errored"], inner: value}}
    if outer == "instances":
        return {**task, "instances": [{"instance_id": "order-1", inner: value}]}
    return {**task, outer: {inner: value}}


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """What is slow by its own wish is over at once."""
    quicken(monkeypatch, pace=0.0)


@pytest.mark.parametrize(("module", "option"), list(options()))
def test_one_option(module, option):
    """Any value that is known for trouble."""
    wrong = []
    for value in [*STRINGS, *NUMBERS, *NESTED]:
        task = put(module, option, value)
        with PretendedAPI() as api:
            result = run(task, module=module)
        said, name = result.get("msg"), option.partition(".")[0]
        if not said or "internal error" in said or "Traceback" in result.output or "exception" in result:
            wrong.append(f"{value!r:.80}: {said!r:.300} {result.output[-300:]}")
        elif "api_calls" not in result:
            names = (name, *KIN.get(name, ()))
            if api.requests or not result["failed"] or not (name in SECRETS or any(one in said for one in names)):
                wrong.append(f"{value!r:.80}: {said!r:.300}")
    assert not wrong, "\n".join(wrong)
