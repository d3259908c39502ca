# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real playbooks by ansible-playbook, pointed at the gateway by the environment alone, as operators do it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import environments
import yaml


def environment(engine, venv=None, **more):
    """What an operator's shell would have set; venv: where ansible is, if not in this process's own environment."""
    return {
        **environments.child_environment(venv or Path(sys.prefix)),
        # The look of ansible-core itself, whatever the user's own configuration says.
        "ANSIBLE_CONFIG": str(environments.ROOT / "tests" / "demo" / "ansible.cfg"),
        "ANSIBLE_NOCOLOR": "true",
        "ANSIBLE_COLLECTIONS_PATH": str(environments.linked_collections()),
        "CLOUDFLARE_BASE_URL": engine.api_url,
        "CLOUDFLARE_ACCOUNT_ID": engine.account_id,
        "CLOUDFLARE_API_TOKEN": engine.api_token,
        **more,
    }


def pausing(hosts="localhost", options=None, then=(), **keywords):
    """The text of a playbook that pauses all that waits in `fleet`, in a task "Pause it".

    Args:
        hosts: str.
        options: dict, more of the module's.
        then: tasks that follow.
        keywords: the task's own.
    """
    module = {"workflow_name": "fleet", "select": {"status": ["waiting"]}, "state": "paused", **(options or {})}
    task = {"name": "Pause it", "edgeops.cloudflare.workflow_instance_status": module, **keywords}
    return yaml.safe_dump([{"name": "Pause everything", "hosts": hosts, "gather_facts": False, "tasks": [task, *then]}], sort_keys=False)


class Play:
    """A playbook that runs in a session of its own; `output` is all that it said, once it has ended.

    Args:
        engine: engine.Engine.
        playbook: str, a name in the collection or a path.
        arguments: str each, more of the command line.
        variables: dict, extra variables.
        settings: dict, environment variables besides those that lead to the gateway.
        folder: path, where it is run.
    """

    def __init__(self, engine, playbook, *arguments, variables=None, settings=None, folder=None):
        command = [str(Path(sys.prefix, "bin", "ansible-playbook")), playbook, *arguments]
        if variables:
            command += ["-e", json.dumps(variables)]
        self.output = ""
        self.popen = subprocess.Popen(
            command,
            env=environment(engine, **(settings or {})),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            text=True,
        )

    def finish(self, timeout=300):
        """Wait for its end; returns its exit code. One that hangs is killed, and subprocess.TimeoutExpired raised."""
        try:
            self.output = self.popen.communicate(timeout=timeout)[0]
        except subprocess.TimeoutExpired:
            os.killpg(self.popen.pid, signal.SIGKILL)
            self.output = self.popen.communicate()[0]
            raise
        return self.popen.returncode


def play(engine, playbook, *arguments, expect=0, **more):
    """Run a playbook to its end; returns what it said. `more`: see Play."""
    running = Play(engine, playbook, *arguments, **more)
    code = running.finish()
    assert code == expect, running.output
    return running.output
