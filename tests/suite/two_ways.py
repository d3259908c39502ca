# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs each kind of task as a module and in ansible-core's worker, and compares the results."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import environments
import yaml
from plays import environment

TASKS = Path(__file__).parent / "both_ways"

#: A file of kinds of tasks for each module.
MODULES = sorted(path.stem for path in TASKS.glob("*.yml"))

WORKFLOW = "fleet"
WRONG_TOKEN = "wrong-token-0123456789-abcdefghijklmnop"
VAULT_PASSWORD = "a password of this test's"
NAP = {"sleep": "nap", "ms": 3_600_000}
PARAMS = {
    "waiting": {"steps": [{"do": "one"}, NAP]},
    "errored": {"steps": [{"do": "one"}, {"do": "two", "fail_while": "broken"}, NAP]},
    "complete": {"steps": [{"do": "one"}]},
}


class Loader(yaml.SafeLoader):
    """Keeps ansible-core's own tags."""


class Tagged(yaml.YAMLObject):
    """A value with a tag, written as it was read."""

    yaml_tag = "!unsafe"

    def __init__(self, text):
        self.text = text


class Dumper(yaml.SafeDumper):
    """Writes them."""


Loader.add_constructor("!unsafe", lambda loader, node: Tagged(loader.construct_scalar(node)))
Dumper.add_representer(Tagged, lambda dumper, tagged: dumper.represent_scalar("!unsafe", tagged.text, style='"'))


def kinds(module):
    """What a file holds: {"create": {status: [id]}, "tasks": [task]}."""
    return yaml.load((TASKS / f"{module}.yml").read_text(encoding="utf-8"), Loader)


def write_play(folder, engine, tasks):
    """A playbook that runs them one after the other and writes their results, by their numbers, to results.json."""
    run = [{**task, "register": f"r{number}", "ignore_errors": True, "ignore_unreachable": True} for number, task in enumerate(tasks)]
    collected = ", ".join(f"'{number}': r{number}" for number in range(len(tasks)))
    kept = {
        "name": "Keep the results",
        "ansible.builtin.copy": {"content": f"{{{{ {{{collected}}} | to_json }}}}", "dest": str(folder / "results.json"), "mode": "0600"},
        "no_log": True,
    }
    facts = {
        "template_text": Tagged("{{ 6 * 7 }}"),
        "wrong_token": WRONG_TOKEN,
        "masked_token": engine.api_token,
    }
    play = [
        {
            "name": "Kinds of tasks",
            "hosts": "localhost",
            "gather_facts": False,
            "vars": facts,
            "vars_files": ["vault.yml"],
            "tasks": [*run, kept],
        }
    ]
    (folder / "play.yml").write_text(yaml.dump(play, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=10_000), encoding="utf-8")
    (folder / "vault-password").write_text(VAULT_PASSWORD, encoding="utf-8")
    # By its tool: ansible-core's own code would make a controller of this process, in which modules warn otherwise.
    command = [Path(sys.prefix, "bin", "ansible-vault"), "encrypt_string", "--vault-password-file", folder / "vault-password"]
    command += ["--name", "vaulted_token", engine.api_token]
    vaulted = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, check=True).stdout
    (folder / "vault.yml").write_text(vaulted, encoding="utf-8")
    (folder / "here.pem").write_text("", encoding="utf-8")
    (folder / "inventory").write_text(
        'web ansible_connection=local ansible_python_interpreter="{{ ansible_playbook_python }}"\n'
        "far ansible_host=127.0.0.1 ansible_port=9 ansible_ssh_executable=/nonexistent/ssh\n",
        encoding="utf-8",
    )


def make_instances(engine, create):
    """The same ones, in the same statuses, whatever was there."""
    engine.control("POST", "/reset")
    engine.control("POST", "/purge", {"workflow": WORKFLOW})
    engine.control("POST", "/switch", {"name": "broken", "value": True})
    for status, instances in create.items():
        engine.control("POST", "/instances", {"workflow": WORKFLOW, "ids": instances, "params": PARAMS[status], "status": status})
    engine.control("POST", "/switch", {"name": "broken", "value": False})


def run_play(folder, core, engine, **settings):
    """Run the playbook by this ansible-core, at -vvv: (its results, what it said)."""
    venv = environments.folder_of("core-" + core)
    ours = {
        "ANSIBLE_LOCAL_TEMP": str(folder / "local"),
        "ANSIBLE_REMOTE_TEMP": str(folder / "remote"),
        "ANSIBLE_PIPELINING": "true",
        # Some of ansible-core's sentences list a set.
        "PYTHONHASHSEED": "0",
    }
    command = [venv / "bin" / "ansible-playbook", "-vvv", "-i", "inventory", "--vault-password-file", "vault-password", "play.yml"]
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment(engine, venv, **ours, **settings),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout[-6000:]
    return json.loads((folder / "results.json").read_text(encoding="utf-8")), done.stdout


#: What differs from run to run, whoever runs it.
VOLATILE = ("duration", "start", "end", "delta", "ansible_job_id", "results_file", "rate_limited_seconds", "_ansible_item_label")
MOMENT = re.compile(r"(\d{4}-\d\d-\d\dT)?\d\d:\d\d:\d\d(\.\d+)?Z")


def legible(text, folder):
    """A text without moments and folders; what runs may be waiting by the next look, or may not be yet."""
    return re.sub(r"\bwaiting\b", "running", MOMENT.sub("MOMENT", text)).replace(str(folder), "FOLDER")


def comparable(value, folder, polls=False):
    """A result without what can't be the same twice; polls: how often it is looked, and what has begun to wait by then, is luck."""
    if isinstance(value, dict):
        volatile = (*VOLATILE, "api_calls", "by_status") if polls else VOLATILE
        return {legible(name, folder): comparable(part, folder, polls) for name, part in value.items() if name not in volatile}
    if isinstance(value, list):
        return [comparable(part, folder, polls) for part in value]
    return legible(value, folder) if isinstance(value, str) else value


def differences(one, other, where="result"):
    """Where two results differ: (where, the one's value, the other's) each."""
    if isinstance(one, dict) and isinstance(other, dict):
        for name in {**one, **other}:
            yield from differences(one.get(name, "no such key"), other.get(name, "no such key"), f"{where}.{name}")
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for number, (left, right) in enumerate(zip(one, other, strict=True)):
            yield from differences(left, right, f"{where}[{number}]")
    elif one != other:
        yield where, one, other


def assert_same_both_ways(core, module, local_engine, tmp_path):
    """Key by key; and no secret is shown either way, at -vvv."""
    environments.ensure("core-" + core)
    told = kinds(module)
    tasks = told["tasks"]
    results, said = {}, {}
    for way, settings in (("module", {"EDGEOPS_CLOUDFLARE_RUN_AS": "module"}), ("worker", {})):
        folder = tmp_path / "play"
        folder.mkdir(exist_ok=True)
        write_play(folder, local_engine, tasks)
        make_instances(local_engine, told["create"])
        results[way], said[way] = run_play(folder, core, local_engine, **settings)
    differing = []
    for number, task in enumerate(tasks):
        polls = "polls" in task.get("tags", ())
        as_module, in_worker = (comparable(results[way][str(number)], folder, polls) for way in ("module", "worker"))
        differing += [
            f"{task['name']}: {where}: {one!r} as a module, {other!r} in the worker"
            for where, one, other in differences(as_module, in_worker)
        ]
    assert not differing, "\n".join(differing)

    # Both ways were taken.
    assert said["module"].count("runs as a module: the environment variable EDGEOPS_CLOUDFLARE_RUN_AS says so") > len(tasks) - 6
    assert 0 < said["worker"].count("runs as a module: ") < 12, re.findall(r"runs as a module: .*", said["worker"])
    assert "errantly" not in said["worker"]

    for secret in (WRONG_TOKEN, local_engine.api_token, VAULT_PASSWORD):
        assert secret not in said["worker"]
        # As a module, what `environment:` sets is on a command line of ansible-core's own, which -vvv shows.
        shown = [line for line in said["module"].splitlines() if secret in line]
        assert [line for line in shown if "EXEC" not in line and "/bin/sh -c" not in line] == []
