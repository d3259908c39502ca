# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter of the role `runbook`: its steps, by values as every ansible-core hands them over, and never a traceback."""

from __future__ import annotations

import datetime
import json

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.edgeops.cloudflare.plugins.filter.runbook import FilterModule, runbook
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.logbook import Heading, line
from ansible_collections.edgeops.cloudflare.tests.unit.runbooks import SPECS, inputs_of
from ansible_collections.edgeops.cloudflare.tests.unit.tables import each_row

NOW = "2026-08-06T03:24:10Z"
PRINTED = line(
    Heading("0123456789abcdef", "https://api.cloudflare.com/client/v4", "orders", "paused", "7"), NOW, [("ids", "a"), ("ids", "b")]
)


def known(entry_point="terminate", **change):
    raw = {"workflow_name": "orders", **change.pop("raw", {})}
    return {"raw": raw, "options": SPECS[entry_point]["options"], "names": list(raw), "controller_host": "", **change}


def context(entry_point, record="", **raw):
    inputs = inputs_of(entry_point, workflow_name="orders", **raw)
    return {"entry_point": entry_point, "inputs": inputs, "record": record, "began": NOW, "job": "", "folder": "/srv"}


class Text(str):
    """As ansible-core tags a text since 2.19: another class, and the same value."""

    __slots__ = ()


class Mapping(dict):
    """The same of a dictionary."""

    __slots__ = ()


class List(list):
    """The same of a list."""

    __slots__ = ()


class Moment(datetime.datetime):
    """The same of a moment."""

    __slots__ = ()


class Number(int):
    """The same of a number."""

    __slots__ = ()


def tagged(value):
    """The same value, of classes that are no more exactly what they are made from."""
    if isinstance(value, dict):
        return Mapping({Text(name): tagged(part) for name, part in value.items()})
    if isinstance(value, (list, tuple)):
        return List(tagged(part) for part in value)
    if isinstance(value, datetime.datetime):
        return Moment.fromisoformat(value.isoformat())
    if isinstance(value, str):
        return Text(value)
    return Number(value) if isinstance(value, int) and not isinstance(value, bool) else value


def of_cores_own(value):
    """The same, tagged by ansible-core itself where it does that; by the classes above where it doesn't."""
    try:
        from ansible._internal._datatag._tags import Origin
    except ImportError:  # before ansible-core 2.19
        return tagged(value)
    if isinstance(value, dict):
        value = {of_cores_own(name): of_cores_own(part) for name, part in value.items()}
    elif isinstance(value, (list, tuple)):
        value = [of_cores_own(part) for part in value]
    return Origin(description="a test").try_tag(value)


def steps():
    """Every step, with values that it can work on."""
    terminate, resume = context("terminate", statuses="paused"), context("resume_paused", record=PRINTED, edgeops_record=PRINTED)
    item = {
        "id": "a", "status": "paused", "previous_status": "paused", "action": "terminate", "changed": True, "failed": False,
        "timestamp": None, "outcome": "changed", "msg": "a is paused: would send terminate WITHOUT rollback and wait.",
    }  # fmt: skip
    ids = {"changed": ["a"], "unchanged": [], "failed": [], "unknown": [], "not_attempted": []}
    looked = {
        "msg": "Would terminate it.",
        "instances": [item],
        "ids": ids,
        "summary": {"matched": 1, "changed": 1, "not_attempted": 0},
        "ended_early": None,
        "estimate": {"calls": 1, "seconds": 90.5},
    }
    plan = runbook({"context": terminate, "looked": looked, "paused": None, "sample": None, "now": NOW, "is_check": False}, "plan")
    asked = known("resume_paused", raw={"record_job": "7", "batch_size": ["5", 6], "record_file": "~/f"}, controller_host="awx.example.com")
    moment = datetime.datetime(2026, 8, 6, tzinfo=datetime.timezone.utc)
    return [
        ("inputs", asked),
        ("inputs", known("restart_failed", raw={"ended_after": moment, "id_glob": 83, "instance_ids": ["a", 0]})),
        ("record", {"job": 7, "looked": {"status": 200, "json": {"artifacts": {"edgeops_record": PRINTED}}}, "output": {}}),
        ("record", {"job": 7, "looked": {"status": 404}, "output": {}}),
        ("order", terminate),
        ("order", resume),
        ("order", context("resume_paused")),
        ("order", {**resume, "record": json.loads(PRINTED.partition("edgeops_record: ")[2])}),  # as ansible-core before 2.19 reads it
        ("logs", {"looked": looked}),
        ("plan", {"context": terminate, "looked": looked, "paused": None, "sample": None, "now": NOW, "is_check": True}),
        ("account", {"context": terminate, "plan": plan, "results": [looked], "paused": None, "workflow": {"skipped": True}, "now": NOW}),
        ("account", {"context": resume, "plan": plan, "results": [{}], "paused": {}, "workflow": {}, "now": NOW}),
    ]


def test_its_name():
    assert FilterModule().filters() == {"runbook": runbook}


@each_row("step, values", steps())
def test_tagged_values(step, values):
    """What is made of them is the same, and can go on as JSON."""
    plain = runbook(values, step)
    assert json.loads(json.dumps(plain)) == json.loads(json.dumps(runbook(tagged(values), step)))
    assert json.loads(json.dumps(plain)) == json.loads(json.dumps(runbook(of_cores_own(values), step)))
    assert set(plain) > {"mistakes"} or plain["mistakes"]


def test_inputs(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    told = runbook(known(raw={"record_file": "f", "plan_file": "/p", "rolback": "yes"}), "inputs")
    assert told["mistakes"] == ["rolback is no input of this runbook; did you mean rollback?"] and told["job_url"] == ""
    assert told["inputs"]["record_file"] == str(tmp_path / "f") and told["inputs"]["plan_file"] == "/p"


def test_files_are_where_they_were_typed(monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    assert runbook(known(raw={"record_file": "~/f"}), "inputs")["inputs"]["record_file"] == "/home/me/f"
    assert runbook(known(raw={"record_file": ""}), "inputs")["inputs"]["record_file"] is None


@each_row(
    "raw, host, url, mistakes",
    [
        ({"record_job": "7"}, "awx.example.com", "https://awx.example.com/api/v2/jobs/7/", []),
        (
            {"record_job": 7, "controller_host": "https://other.example.com"},
            "awx.example.com",
            "https://other.example.com/api/v2/jobs/7/",
            [],
        ),
        ({}, "awx.example.com", "", []),
    ],
)
def test_where_a_job_is(raw, host, url, mistakes):
    told = runbook(known("resume_paused", raw=raw, controller_host=host), "inputs")
    assert (told["job_url"], told["mistakes"]) == (url, mistakes)


def test_a_job_that_is_nowhere():
    told = runbook(known("resume_paused", raw={"record_job": "7"}), "inputs")
    assert told == {"mistakes": ["record_job needs controller_host, or CONTROLLER_HOST in the environment: the address of AWX"]}
    told = runbook(known("resume_paused", raw={"record_job": "seven"}), "inputs")
    assert told["mistakes"] == ["record_job must be a number from 1 to 1000000000000; it is 'seven'"] and told["job_url"] == ""


@each_row("step, values", [(step, values) for step, values in steps() if step not in ("inputs", "logs", "record")])
def test_a_mistake_of_our_own(step, values):
    """It says where, and quotes nothing."""
    broken = {name: part for name, part in values.items() if name not in ("inputs", "context")}
    with pytest.raises(AnsibleFilterError) as caught:
        runbook(broken, step)
    assert "internal error: KeyError at " in str(caught.value) and "please report it" in str(caught.value)


def test_no_step():
    with pytest.raises(AnsibleFilterError, match="runbook has the steps inputs, record, order, logs, plan, account; dance is none"):
        runbook({}, "dance")
