# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real run of ansible-playbook, as talkative as can be, and everything that it leaves behind.

What it prints, its log file, its fact cache, the events that a callback gets (from which ansible-runner and AWX make their
artifacts), its temporary files, and the command lines of all processes while it runs: none of them shows the token, the key or the email.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import environments
from goals import NAP
from test_secrets import EMAIL, SECRETS, leaks

FLEET = "scratch-5"

#: Writes down every event with all it holds, as the callback of ansible-runner does.
CALLBACK = '''\
import json
import os

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: record
type: notification
short_description: Writes down every event
description: Writes down every event.
"""


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "record"

    def _write(self, kind, what):
        with open(os.environ["EVENTS"], "a", encoding="utf-8") as events:
            events.write(json.dumps({kind: what}, default=repr) + "\\n")

    def v2_playbook_on_task_start(self, task, is_conditional):
        self._write("task", [task.get_name(), task.args, task.serialize() if hasattr(task, "serialize") else None])

    def v2_runner_on_ok(self, result):
        self._write("ok", result._result)

    def v2_runner_on_failed(self, result, ignore_errors=False):
        self._write("failed", result._result)

    def v2_on_file_diff(self, result):
        self._write("diff", result._result.get("diff"))
'''

TASK = "edgeops.cloudflare.workflow_instance_status"
BY_TOKEN = {"api_token": "{{ lookup('ansible.builtin.env', 'TOKEN_OF_A_TASK') }}"}
BY_KEY = {
    "api_email": "{{ lookup('ansible.builtin.env', 'EMAIL_OF_A_TASK') }}",
    "api_key": "{{ lookup('ansible.builtin.env', 'KEY_OF_A_TASK') }}",
}


def play(instances):
    """A play that does all sorts of things: it changes, predicts, fails on the way, is refused, and asks for nonsense."""
    common = {"workflow_name": FLEET, "instance_ids": instances}
    tasks = [
        {"name": "by the environment", TASK: {**common, "state": "paused"}},
        {"name": "by a token", TASK: {**common, **BY_TOKEN, "state": "running"}, "register": "resumed"},
        {"name": "by a key, checking", TASK: {**common, **BY_KEY, "state": "terminated", "rollback": True}, "check_mode": True},
        {
            "name": "what does not exist",
            TASK: {**BY_KEY, "workflow_name": FLEET, "instance_id": "nobody", "state": "paused"},
            "ignore_errors": True,
        },
        {"name": "another account", TASK: {**common, **BY_TOKEN, "account_id": "0" * 32, "state": "paused"}, "ignore_errors": True},
        {"name": "nonsense", TASK: {**common, **BY_TOKEN, "state": "paused", "from_step": {"name": "x"}}, "ignore_errors": True},
        {"name": "no such option", TASK: {**common, **BY_KEY, "state": "paused", "nonsense": 1}, "ignore_errors": True},
        {"name": "both kinds", TASK: {**common, **BY_TOKEN, **BY_KEY, "state": "paused"}, "ignore_errors": True},
        {"name": "what was registered", "ansible.builtin.debug": {"var": "resumed"}},
        {"name": "what became a fact", "ansible.builtin.debug": {"var": "ansible_facts"}},
    ]
    return [{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]


def command_lines():
    """The command lines of all processes by now, one text."""
    texts = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            texts.append(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue  # it has ended
    return "\n".join(texts)


def run(folder, engine, playbook, token, key):
    """Run the playbook. Its first call is answered when the module that makes it has been seen among the processes.

    Returns:
        (str, str): what it printed, and the command lines that were seen while it ran.
    """
    (folder / "callbacks").mkdir()
    (folder / "callbacks" / "record.py").write_text(CALLBACK)
    (folder / "play.json").write_text(json.dumps(playbook))
    env = environments.child_environment(Path(sys.prefix))
    env.update(
        CLOUDFLARE_BASE_URL=engine.api_url,
        CLOUDFLARE_ACCOUNT_ID=engine.account_id,
        CLOUDFLARE_API_TOKEN=token,
        TOKEN_OF_A_TASK=token,
        EMAIL_OF_A_TASK=EMAIL,
        KEY_OF_A_TASK=key,
        EVENTS=str(folder / "events.json"),
        ANSIBLE_COLLECTIONS_PATH=str(environments.linked_collections()),
        ANSIBLE_CALLBACK_PLUGINS=str(folder / "callbacks"),
        ANSIBLE_CALLBACKS_ENABLED="record",
        ANSIBLE_LOG_PATH=str(folder / "ansible.log"),
        ANSIBLE_CACHE_PLUGIN="jsonfile",
        ANSIBLE_CACHE_PLUGIN_CONNECTION=str(folder / "facts"),
        ANSIBLE_LOCAL_TEMP=str(folder / "local"),
        ANSIBLE_REMOTE_TEMP=str(folder / "remote"),
        ANSIBLE_DISPLAY_TRACEBACK="always",
        ANSIBLE_LOCALHOST_WARNING="false",
        ANSIBLE_RETRY_FILES_ENABLED="true",
        HOME=str(folder),
        EDGEOPS_CLOUDFLARE_RUN_AS="module",  # what the worker shows: ../test_both_ways.py
    )
    command = [
        str(Path(sys.prefix) / "bin" / "ansible-playbook"),
        "-i",
        "localhost,",
        "-c",
        "local",
        "-vvvv",
        "--diff",
        str(folder / "play.json"),
    ]
    command += ["-e", "ansible_python_interpreter=" + sys.executable]
    engine.control("POST", "/faults", {"times": 1, "before": [{"op": "await", "gate": "seen", "open": True}]})
    with (folder / "output").open("wb") as output:
        process = subprocess.Popen(command, env=env, cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
        seen = set()
        try:
            while process.poll() is None:
                seen.update(command_lines().splitlines())
                if any("AnsiballZ" in line and str(folder) in line for line in seen):
                    engine.control("POST", "/gate", {"name": "seen"})
                time.sleep(0.05)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
    text = (folder / "output").read_text(encoding="utf-8")
    assert process.returncode == 0, text[-3000:]
    return text, "\n".join(seen)


def test_nothing_is_left_behind(bench, tmp_path):
    """Neither the token nor the key nor the email is found in anything that the run printed, wrote or showed."""
    token, key = SECRETS["JSON"], SECRETS["templates and shells"]
    bench.control("POST", "/purge", {"workflow": FLEET})
    instances = bench.create(FLEET, ["quiet-1", "quiet-2"], {"steps": [{"do": "one", "rollback": True}, NAP]}, status="waiting")
    bench.control("POST", "/credentials", {"token": token})
    bench.control("POST", "/credentials", {"email": EMAIL, "key": key})
    bench.control("POST", "/calls/reset")
    bench.control("POST", "/latency", {"ms": 20})
    output, lines = run(tmp_path, bench.engine, play(instances), token, key)

    # It did what it was to do, and the places that are searched do hold something.
    assert bench.calls()["by_kind"]["patches"] == 4
    assert {call["headers"]["authorization"] for call in bench.calls()["log"]} == {"bearer", "key"}
    events = (tmp_path / "events.json").read_text()
    assert events.count('{"ok"') == 5 and events.count('{"failed"') == 5
    assert "All 2 instances of" in output and "quiet-1" in (tmp_path / "ansible.log").read_text()
    assert "quiet-1" in "".join(path.read_text() for path in (tmp_path / "facts").iterdir())
    assert "AnsiballZ" in lines

    for secret in (token, key):
        assert leaks(secret, output) == []
        assert leaks(secret, lines) == []
        for folder, _folders, names in os.walk(tmp_path):
            for name in names:
                assert leaks(secret, (Path(folder) / name).read_text(errors="replace")) == [], name
