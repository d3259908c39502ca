# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The runbooks by ansible-playbook, as an operator runs them."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

from flock import WORKFLOW
from plays import Play, environment

#: Show what the run hands on, and lose no time between tasks. The width keeps callbacks from breaking lines.
SETTINGS = {"ANSIBLE_SHOW_CUSTOM_STATS": "true", "ANSIBLE_PIPELINING": "true", "COLUMNS": "4000"}


class Run:
    """A run that has ended.

    Args:
        code: its exit code.
        output: all that it said.
    """

    def __init__(self, code, output):
        self.code = code
        self.output = output
        #: The same without line breaks.
        self.said = re.sub(r"\s+", " ", output)

    def task(self, name):
        """What a task said, without line breaks; "" where it did not run."""
        found = re.search(rf"TASK \[edgeops\.cloudflare\.runbook : {re.escape(name)}\] \*+ (.*?)(?=TASK \[|PLAY RECAP)", self.said)
        return found.group(1) if found and not found.group(1).startswith("skipping") else ""

    @property
    def plan(self):
        """The plan in words."""
        return self.task("The plan")

    @property
    def account(self):
        """The account in words."""
        return self.task("What was done")

    @property
    def refusal(self):
        """Why nothing was done."""
        found = re.findall(r"fatal: \[localhost\]: FAILED! => .*?(?= PLAY RECAP)", self.said)
        return found[-1].replace("''", "'") if found else ""

    @property
    def record(self):
        """The record that is handed on, a dict; None where there is none."""
        found = re.search(r"edgeops_record: '? *(\{.*\})'?$", self.output.partition("CUSTOM STATS")[2], re.MULTILINE)
        return json.loads(found.group(1)) if found else None

    def handed_on(self, state, workflow=WORKFLOW, group="ids"):
        """The ids of the record handed on, set of str."""
        return {
            one for entry in self.record["records"] if (entry["workflow_name"], entry["state"]) == (workflow, state) for one in entry[group]
        }

    def advised(self, runbook):
        """The command that it advises, a list of str."""
        found = re.search(rf"ansible-playbook edgeops\.cloudflare\.{runbook} (?:-e \S+ ?)+", self.said)
        assert found, self.said
        return shlex.split(found.group().replace("''", "'").rstrip("' "))


def run(flock, name, folder, *arguments, expect=0, warns=False, settings=None, **variables):
    """Run a runbook in a folder of its own. It warns of something where that is expected only."""
    flock.forget_calls()
    variables = {"workflow_name": WORKFLOW, **variables}
    variables = {key: value for key, value in variables.items() if value is not ...}
    playing = Play(
        flock.bench.engine,
        f"edgeops.cloudflare.{name}",
        *arguments,
        variables=variables,
        settings={**SETTINGS, **(settings or {})},
        folder=folder,
    )
    code = playing.finish()
    assert "Traceback" not in playing.output and code == expect, playing.output
    assert ("WARNING" in playing.output) is warns, playing.output
    return Run(code, playing.output)


def typed(flock, command, folder):
    """Run a command as it was advised."""
    flock.forget_calls()
    program, *arguments = command
    done = subprocess.run(
        [Path(sys.prefix, "bin", program), *arguments],
        env=environment(flock.bench.engine, **SETTINGS),
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )
    return Run(done.returncode, done.stdout)
