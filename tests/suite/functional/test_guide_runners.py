# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The scripts of the runners guide do what the text around them says, and exit codes are those of its table."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import environments
import other_collections
import pytest
import yaml
from flock import WORKFLOW, names
from plays import Play, environment

GUIDE = (environments.ROOT / "docs" / "docsite" / "rst" / "runners_guide.rst").read_text(encoding="utf-8")
_BLOCK = re.compile(r"^\.\. code-block:: (\w+)\n(?:   :caption: .*\n)?\n((?:   .*\n|\n)+)", re.MULTILINE)

#: Where the guide works.
HOME = "/var/lib/cloudflare"


def block(words, language="bash"):
    """The one block of a language that holds these words."""
    (found,) = [textwrap.dedent(text) for kind, text in _BLOCK.findall(GUIDE) if kind == language and words in text]
    return found.replace("workflow_name=orders", f"workflow_name={WORKFLOW}").replace('"orders"', f'"{WORKFLOW}"')


class Shell:
    """A shell in a folder of its own, with the credentials that the guide asks for, and a `mail` that writes down what it would send."""

    def __init__(self, flock, folder):
        self.folder = folder
        self.env = environment(flock.bench.engine)
        self.env["ANSIBLE_COLLECTIONS_PATH"] += os.pathsep + str(other_collections.ensure())
        (folder / "credentials").write_text("", encoding="utf-8")
        self.program("mail", 'printf "%s\\n" "$@" > mailed; cat >> mailed')
        self.env["PATH"] = f"{folder / 'bin'}:{self.env['PATH']}"

    def program(self, name, script):
        """Put a program on PATH."""
        path = self.folder / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/bash\n{script}\n", encoding="utf-8")
        path.chmod(0o755)

    def run(self, script, *arguments, expect=0, **settings):
        """What a script says."""
        text = script.replace(HOME, str(self.folder))
        done = subprocess.run(
            ["bash", "-c", text, "script", *arguments],
            cwd=self.folder,
            env={**self.env, **settings},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == expect, done.stdout
        return done.stdout

    def read(self, name):
        return (self.folder / name).read_text(encoding="utf-8")


@pytest.fixture
def shell(flock, tmp_path):
    return Shell(flock, tmp_path)


def test_every_script_is_run_here():
    """Those of the language bash, and the two that stand in files of others."""
    assert len([kind for kind, _text in _BLOCK.findall(GUIDE) if kind == "bash"]) == 5


# -- exit codes -----------------------------------------------------------------------------------------------------------


def told_codes():
    return {int(code) for code in re.findall(r"^   \* - (\d+)$", GUIDE, re.MULTILINE)}


def test_exit_codes(flock, shell):
    flock.create(names("ok", 1))
    (shell.folder / "broken.yml").write_text("- hosts: [\n", encoding="utf-8")
    said = {
        0: f"ansible-playbook edgeops.cloudflare.pause_all -e workflow_name={WORKFLOW} --check",
        1: "ansible-playbook edgeops.nowhere.pause_all",
        2: "ansible-playbook edgeops.cloudflare.pause_all",
        4: "ansible-playbook broken.yml",
    }
    for code, command in said.items():
        shell.run(command, expect=code)
    assert "workflow_name is missing" in re.sub(r"\s+", " ", shell.run(said[2], expect=2))
    shell.run(said[0] + " --no-such-option", expect=2)
    assert told_codes() == {*said, 99, 143}


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 99), (signal.SIGTERM, 143)])
def test_exit_codes_of_what_is_interrupted(flock, tmp_path, number, code):
    """As a shell tells them; what was done stands in the record."""
    everyone = flock.create(names("ok", 2))
    path = tmp_path / "record.json"
    play = Play(
        flock.bench.engine,
        "edgeops.cloudflare.pause_all",
        variables={"workflow_name": WORKFLOW, "hold_for": 3600, "hold_every": 600, "record_file": str(path)},
    )
    flock.wait_for(everyone, "paused")
    deadline = time.monotonic() + 60
    while not path.exists() or sorted(json.loads(path.read_text())["records"][0]["ids"]) != sorted(everyone):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    os.killpg(play.popen.pid, number)
    ended = play.finish(timeout=60)
    assert (ended if ended >= 0 else 128 - ended) == code


# -- scripts --------------------------------------------------------------------------------------------------------------


def test_ids_as_json(flock, shell):
    everyone = flock.create(["0123", "*/30 * * * *-1786000000"])
    said = re.sub(r"\s+", " ", shell.run(block("*/30")))
    assert "Would pause 2 of 2 instances of fleet" in said
    assert set(flock.statuses(everyone).values()) == {"waiting"}


@pytest.mark.parametrize(("most", "code"), [("500", 0), ("2", 1)])
def test_a_plan_for_a_program(flock, shell, most, code):
    everyone = flock.create(names("ok", 3))
    said = shell.run(block("plan_file=plan.json").replace("500", most), expect=code)
    assert "3 would be paused" in said
    assert set(flock.statuses(everyone).values()) == {"waiting"}


@pytest.mark.parametrize("code", [0, 3], ids=["deployed", "not deployed"])
def test_around_a_deployment(flock, shell, code):
    """Exactly what was paused is resumed, whatever becomes of the deployment."""
    everyone, before = flock.create(names("ok", 3)), flock.create_paused(names("held", 1))
    (shell.folder / "deploy").write_text(f"#!/bin/bash\necho deploying\nexit {code}\n", encoding="utf-8")
    (shell.folder / "deploy").chmod(0o755)
    said = shell.run(block("./deploy"), expect=code)
    assert "3 of 3 instances of fleet paused" in said.partition("deploying")[0]
    assert "3 of 3 instances of fleet resumed" in said.partition("deploying")[2]
    flock.wait_for(everyone, "waiting")
    assert flock.statuses(before) == {"held-000": "paused"}


def test_json(flock, shell):
    """Standard output is a document, progress and record are elsewhere."""
    flock.create(names("ok", 3))
    said = shell.run(block("ansible.posix.json"))
    assert said.startswith("3 of 3 instances of fleet paused by this run")
    assert set(json.loads(shell.read("run.json"))) >= {"plays", "stats"}
    assert "edgeops_record: {" in shell.read("progress.log")


def test_json_of_a_failure(flock, shell):
    """The exit code is the runbook's, and the account is there."""
    (one,) = flock.create(names("ok", 1))
    flock.meet("patch", {"status": 400, "message": "no pause today"}, match={"instance": one})
    said = shell.run(block("ansible.posix.json"), expect=2)
    assert "1 failed" in said and "no pause today" in said


def test_cron(flock, shell):
    """Two lines of the table, one night: paused, resumed, and nobody is mailed."""
    everyone = flock.create(names("ok", 2))
    script = block("flock --nonblock")
    lines = [line for line in block("maintenance.json", "text").splitlines() if line]
    for line, status in zip(lines, ("paused", "waiting")):
        program, *arguments = shlex.split(line)[5:]
        assert program == "/usr/local/bin/cloudflare-runbook"
        shell.run(script, *arguments)
        flock.wait_for(everyone, status)
    assert not (shell.folder / "mailed").exists()
    assert [len(entry["ids"]) for entry in json.loads(shell.read("maintenance.json"))["records"] if entry["state"] == "paused"] == [0]
    assert len(list(shell.folder.glob("*.log"))) == 2


def test_cron_mails_a_failure(flock, shell):
    shell.run(block("flock --nonblock"), "pause_all", "-e", "workflow_name=none-of-that-name", expect=2)
    mailed = shell.read("mailed")
    assert mailed.startswith("-s\npause_all ended with 2\noperations@example.com\n") and "none-of-that-name" in mailed


def test_cron_runs_one_at_a_time(flock, shell):
    with subprocess.Popen(["flock", "lock", "cat"], cwd=shell.folder, stdin=subprocess.PIPE, start_new_session=True) as other:
        while subprocess.run(["flock", "--nonblock", "lock", "true"], cwd=shell.folder, check=False).returncode == 0:
            time.sleep(0.05)
        shell.run(block("flock --nonblock"), "pause_all", "-e", f"workflow_name={WORKFLOW}", expect=75)
        other.stdin.close()
    assert "pause_all ended with 75" in shell.read("mailed")


def test_rundeck(flock, shell):
    """An answer is a value, whatever it says."""
    everyone = flock.create(names("ok", 2))
    (job,) = yaml.safe_load(block("RD_OPTION_WORKFLOW_NAME", "yaml"))
    (step,) = job["sequence"]["commands"]
    assert [option["name"] for option in job["options"]] == ["workflow_name"]
    said = shell.run(step["script"], RD_OPTION_WORKFLOW_NAME=f'{WORKFLOW} max_instances=1"', expect=2)
    assert "max_instances=1" in said and set(flock.statuses(everyone).values()) == {"waiting"}
    said = re.sub(r"\s+", " ", shell.run(step["script"], RD_OPTION_WORKFLOW_NAME=WORKFLOW))
    assert "2 of 2 instances of fleet paused" in said and "To undo it: ansible-playbook edgeops.cloudflare.resume_paused" in said


def test_the_environment_that_it_describes(flock, shell):
    """ansible-core and requests as the guide names them are those that the collection supports."""
    described = block("venv", "shell")
    definition = yaml.safe_load((environments.ROOT / "extensions" / "awx" / "execution-environment.yml").read_text(encoding="utf-8"))
    assert f'"{definition["dependencies"]["ansible_core"]["package_pip"]}"' in described
    needs = (environments.ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert all(f'"{need}"' in described for need in needs if not need.startswith("#"))
    assert Path(sys.prefix, "bin", "ansible-playbook").exists()
