# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the AWX guide names is there, its commands run, and its table of answers is what ansible-core makes of them."""

from __future__ import annotations

import json
import re
import shutil
import textwrap
from pathlib import Path

import environments
import yaml
from awx import FOLDER, extra_variables
from processes import run

GUIDE = (environments.ROOT / "docs" / "docsite" / "rst" / "awx_guide.rst").read_text(encoding="utf-8")
_BLOCK = re.compile(r"^\.\. code-block:: (\w+)\n(?:   :caption: .*\n)?\n((?:   .*\n|\n)+)", re.MULTILINE)
_ROW = re.compile(r"^   \* - (.*)\n((?:     .*\n)+)", re.MULTILINE)


def blocks(language):
    return [textwrap.dedent(text) for kind, text in _BLOCK.findall(GUIDE) if kind == language]


def rows(heading):
    """The rows of the first table after a heading, lists of str, without its header."""
    section = GUIDE.partition(f"\n{heading}\n")[2].partition("\n---")[0]
    found = [[first, *re.findall(r"^     - (.*(?:\n       .*)*)", rest, re.MULTILINE)] for first, rest in _ROW.findall(section)]
    return found[1:]


def test_the_table_of_templates():
    data = yaml.safe_load((FOLDER / "templates.yml").read_text(encoding="utf-8"))
    assert sorted(row[0] for row in rows("What will be there")) == sorted(item["name"] for item in data["controller_templates"])


def test_what_it_names_is_there():
    """Files, settings and the names of objects."""
    files = set(re.findall(r"``(?:extensions/awx/)?([a-z_-]+\.yml)``", GUIDE))
    mine = {"mine.yml", "pause_all.yml"}
    assert files - mine and all((FOLDER / name).is_file() for name in files - mine)
    assert (FOLDER / "project" / "pause_all.yml").is_file()
    text = "".join(path.read_text(encoding="utf-8") for path in FOLDER.glob("*.yml"))
    named = {re.sub(r"\s+", " ", name) for name in re.findall(r"Cloudflare Workflows:[\w\s,]+?(?=[\"*]|\n   +- |\n\n)", GUIDE)}
    assert len(named) >= 8 and all(f'"{name}"' in text for name in named), named
    settings = yaml.safe_load((FOLDER / "settings.yml").read_text(encoding="utf-8"))
    (given,) = map(yaml.safe_load, blocks("yaml"))
    assert set(given) <= set(settings) and set(re.findall(r"edgeops_awx_\w+", GUIDE)) <= set(settings)
    assert {"EDGEOPS_AWX_READER_TOKEN", "CLOUDFLARE_API_TOKEN", "CLOUDFLARE_ACCOUNT_ID"} <= set(re.findall(r"[A-Z_]{9,}", GUIDE))
    assert "EDGEOPS_AWX_READER_TOKEN" in text


def test_the_commands_name_what_is_there():
    """What can't be run here names files of the collection."""
    root = "~/.ansible/collections/ansible_collections/edgeops/cloudflare/"
    named = re.findall(re.escape(root) + r"(\S+)", "".join(blocks("shell") + blocks("bash")))
    assert len(named) >= 3 and all((environments.ROOT / name).exists() for name in named), named


def test_the_project(tmp_path):
    """Made as the guide says, it is a repository with the wrappers at its root."""
    home = tmp_path / "home"
    installed = home / ".ansible" / "collections" / "ansible_collections" / "edgeops"
    installed.mkdir(parents=True)
    (installed / "cloudflare").symlink_to(environments.ROOT)
    (script,) = blocks("bash")
    who = {f"GIT_{role}_{what}": value for role in ("AUTHOR", "COMMITTER") for what, value in (("NAME", "A"), ("EMAIL", "a@example.com"))}
    env = {**environments.child_environment(), "HOME": str(home), "GIT_CONFIG_NOSYSTEM": "1", **who}
    run(["bash", "-e", "-c", script], log="awx/project.log", cwd=tmp_path, env=env)
    listed = run(["git", "ls-files"], log="awx/project-files.log", cwd=tmp_path / "runbooks", env=env).split()
    assert sorted(listed) == sorted(["collections/requirements.yml", *(path.name for path in (FOLDER / "project").glob("*.yml"))])
    shutil.rmtree(tmp_path / "runbooks")


def test_the_table_of_answers(core, tmp_path):
    """By a file of extra variables as AWX writes it, on this ansible-core."""
    table = rows("What becomes of answers")
    is_new = tuple(map(int, core.split(".")[:2])) >= (2, 19)
    answers = {f"answer_{number}": "" if row[0] == "(blank)" else row[0].strip("`") for number, row in enumerate(table)}
    expected = {f"answer_{number}": row[2 if is_new else 1].strip("`") for number, row in enumerate(table)}
    assert len(table) >= 7
    (tmp_path / "extravars").write_text(extra_variables(answers), encoding="utf-8")
    shown = "{{ {" + ", ".join(f"'{name}': {name} | type_debug" for name in answers) + "} | to_json }}"
    task = {"name": "Write the types down", "ansible.builtin.copy": {"dest": str(tmp_path / "types"), "content": shown, "mode": "0600"}}
    play = {"name": "Look at answers", "hosts": "localhost", "gather_facts": False, "tasks": [task]}
    (tmp_path / "play.yml").write_text(yaml.safe_dump([play]), encoding="utf-8")
    venv = environments.ensure("core-" + core)
    run(
        [venv / "bin" / "ansible-playbook", "play.yml", "-e", "@extravars"],
        log=core + "/answers.log",
        cwd=tmp_path,
        env=environments.child_environment(venv),
    )
    plain = {"AnsibleUnsafeText": "str", "AnsibleUnicode": "str", "_AnsibleTaggedStr": "str"}
    found = json.loads(Path(tmp_path, "types").read_text(encoding="utf-8"))
    assert {name: plain.get(kind, kind) for name, kind in found.items()} == expected


def test_an_octal_number_is_another_one(read_inputs):
    """The guide's example, and what the runbook says of it."""
    assert yaml.safe_load("0123") == 83 and "``0123`` arrives as 83" in GUIDE
    mistakes = read_inputs(
        {"workflow_name": "orders", "instance_ids": 83}, {"workflow_name": {}, "instance_ids": {"type": "list"}}
    ).mistakes
    assert len(mistakes) == 1 and "is 83, a number and not text" in mistakes[0]
