# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The blocks of the event guide, in the folder of a reader: by both sources, from an instance that errors to its restart."""

from __future__ import annotations

import json
import re
import shlex
import textwrap
import time

import environments
import pytest
import yaml
from activation import Activation
from plays import play

GUIDE = (environments.ROOT / "docs" / "docsite" / "rst" / "eda_guide.rst").read_text(encoding="utf-8")

#: The guide's workflow.
WORKFLOW = "orders"
FAILS_ONCE = {"steps": {"ship": {"fail": 1, "message": "the carrier answered 503"}}, "cooling_off_ms": 0}
FAILS_EVER = {"steps": {"ship": {"fail": "the carrier answered 503"}}}


def blocks(language):
    """The guide's blocks of a language, their indent taken off, a list of str."""
    found = re.findall(rf"^\.\. code-block:: {language}\n\n((?:   .*\n|\n)+)", GUIDE, re.MULTILINE)
    return [textwrap.dedent(block) for block in found]


@pytest.fixture
def reader(flock, tmp_path):
    """A folder with the files of the guide; instances of its workflow are gone at the end."""
    for block in blocks("yaml"):
        name = re.match(r"# (\S+)\n", block).group(1)
        (tmp_path / name).write_text(block, encoding="utf-8")
    flock.control("POST", "/purge", {"workflow": WORKFLOW})
    yield tmp_path
    flock.control("POST", "/idle")
    flock.control("POST", "/purge", {"workflow": WORKFLOW})


def command(words):
    """The one command of the guide that holds these words, a list of str."""
    (found,) = [line for block in blocks("bash") for line in block.splitlines() if words in line]
    return shlex.split(found)


def activate(flock, folder, words):
    """Run the guide's command that holds these words, and wait until it looks at what there is."""
    program, *arguments = command(words)
    assert program == "ansible-rulebook"
    flock.forget_calls()
    return Activation(flock.bench.engine, folder, arguments=arguments)


def fail(flock, name, params):
    flock.bench.create(WORKFLOW, [name], params, "errored")


def ran(flock, name):
    return flock.bench.steps(WORKFLOW, name)["steps"]


def restarted(flock, activation, name):
    """Wait until an instance was restarted from its failed step, and hold that it was once."""
    activation.wait_for(lambda: ran(flock, name).get("ship") == 2, f"the restart of {name}")
    time.sleep(3)
    assert ran(flock, name)["reserve"] == 1 and ran(flock, name)["ship"] == 2


def test_by_polling(flock, reader):
    """What is tried first."""
    activation = activate(flock, reader, "restart_failed")
    try:
        activation.wait_for(lambda: flock.calls()["by_kind"]["lists"] >= 2, "the first rounds")
        fail(flock, "order-1", FAILS_ONCE)
        restarted(flock, activation, "order-1")
    finally:
        activation.stop()


def test_by_a_queue(flock, reader):
    """Set up by the playbook; what fails again is left alone, after a crash in between as well."""
    engine = flock.bench.engine
    program, playbook, *arguments = command("event_queue")
    assert program == "ansible-playbook"
    play(engine, playbook, *arguments)
    activation = activate(flock, reader, "rulebook.yml")
    try:
        activation.wait_for(lambda: flock.calls()["by_kind"]["pulls"] >= 1, "the first pull")
        fail(flock, "order-1", FAILS_ONCE)
        fail(flock, "order-2", FAILS_EVER)
        restarted(flock, activation, "order-1")
        restarted(flock, activation, "order-2")
    finally:
        activation.kill()
    fail(flock, "order-3", FAILS_EVER)
    activation = activate(flock, reader, "rulebook.yml")
    try:
        restarted(flock, activation, "order-3")
        assert ran(flock, "order-1")["ship"] == 2 and ran(flock, "order-2")["ship"] == 2
    finally:
        activation.stop()
        play(engine, playbook, *arguments, "-e", "state=absent")


def test_an_event(flock, reader):
    """The event that the guide shows has the shape of those that are sent."""
    (shown,) = map(json.loads, blocks("json"))
    (reader / "print.yml").write_text(
        yaml.safe_dump(
            [
                {
                    "name": "Print events",
                    "hosts": "all",
                    "sources": [{"edgeops.cloudflare.workflow_poll": {"workflow_name": WORKFLOW, "interval": 1, "initial": "report"}}],
                    "rules": [{"name": "Any", "condition": "event.instance.id is defined", "action": {"print_event": {"pretty": False}}}],
                }
            ]
        ),
        encoding="utf-8",
    )
    flock.bench.create(WORKFLOW, ["order-1"], FAILS_EVER, "errored")
    activation = Activation(flock.bench.engine, reader, arguments=["-r", "print.yml", "-i", "inventory.yml"])
    try:
        activation.wait_for(lambda: "'failures'" in activation.output or '"failures"' in activation.output, "the event")
    finally:
        activation.stop()
    for part in ("instance", "workflow", "meta"):
        for name in shown[part]:
            assert re.search(rf"['\"]{name}['\"]:", activation.output), name
    assert re.search(r"['\"]ship['\"]", activation.output) and "carrier answered 503" in activation.output
