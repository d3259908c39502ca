# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Linters of the changelog, the playbooks and the documentation, each shown to catch what it is there for."""

from __future__ import annotations

import os
import re

import environments
import expected
import lint
import other_collections
import pytest
from processes import run
from staging import collections_path

PLANTED_PLAYBOOK = """\
---
- name: A play with an option that no module has
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Pause an instance
      edgeops.cloudflare.workflow_instance_status:
        workflow_name: orders
        instance_id: order-1
        state: paused
        no_such_option: true
"""

PLANTED_FRAGMENT = """\
---
no_such_section:
  - A line that belongs nowhere.
"""


@pytest.fixture
def tool(tools, tree):
    """Run a tool of the tools environment on the staged copy."""
    env = environments.child_environment(tools)
    # What configures AWX is of awx.awx.
    env["ANSIBLE_COLLECTIONS_PATH"] = os.pathsep.join([str(collections_path(tree)), str(other_collections.ensure())])

    def run_tool(*command, log, expect=0):
        return run([tools / "bin" / command[0], *command[1:]], log="tools/" + log, cwd=tree, env=env, timeout=1200, expect=expect)

    return run_tool


@pytest.mark.parametrize("folder", sorted(expected.COLLECTED))
def test_nothing_has_vanished(collected, folder):
    """As many tests were found as there have to be."""
    assert collected[folder] >= expected.COLLECTED[folder]


def test_changelog(tool):
    """The changelog and its fragments are well-formed."""
    assert tool("antsibull-changelog", "lint", log="changelog.log").strip() == ""


def test_changelog_lint_catches(tool, tree):
    """A fragment with an unknown section is refused."""
    (tree / "changelogs" / "fragments" / "planted.yml").write_text(PLANTED_FRAGMENT, encoding="utf-8")
    assert "no_such_section" in tool("antsibull-changelog", "lint", log="changelog-planted.log", expect=3)


def test_ansible_lint(tool, tree):
    """All YAML meets ansible-lint's production profile, the options of every task included."""
    output = tool("ansible-lint", "--nocolor", log="ansible-lint.log")
    summary = re.search(
        r"Passed: 0 failure\(s\), 0 warning\(s\) in (\d+) files processed of \d+ encountered\. "
        r"Profile 'production' was required, and it passed\.",
        output,
    )
    assert summary, output
    assert int(summary.group(1)) >= expected.LINTED_FILES


def test_ansible_lint_catches(tool, tree):
    """A wrong option of this collection's own module is an error."""
    planted = tree / "playbooks" / "planted.yml"
    planted.parent.mkdir(exist_ok=True)
    planted.write_text(PLANTED_PLAYBOOK, encoding="utf-8")
    output = tool("ansible-lint", "--nocolor", "playbooks/planted.yml", log="ansible-lint-planted.log", expect=2)
    assert "args[module]" in output and "no_such_option" in output


def test_docs(tool):
    """Module documentation, guides and their links to each other are valid."""
    output = tool("antsibull-docs", "lint-collection-docs", "--plugin-docs", "--validate-collection-refs", "self", ".", log="docs.log")
    assert output.strip() == ""


def test_docs_lint_catches(tool, tree):
    """A reference to an option that doesn't exist is an error."""
    module = tree / "plugins" / "modules" / "workflow_instance_status.py"
    source = module.read_text(encoding="utf-8")
    broken = source.replace("short_description: ", "short_description: See O(no_such_option). ", 1)
    assert broken != source
    module.write_text(broken, encoding="utf-8")
    output = tool(
        "antsibull-docs",
        "lint-collection-docs",
        "--plugin-docs",
        "--validate-collection-refs",
        "self",
        ".",
        log="docs-planted.log",
        expect=3,
    )
    assert "no_such_option" in output


# -- the code -------------------------------------------------------------------------------------------------------------

PLANTED_PYTHON = """\
from __future__ import annotations
import os, sys

def f(x=[]):
    return x
"""

PLANTED_TYPES = """

def planted(number: int) -> str:
    return number
"""

PLANTED_JAVASCRIPT = "let  planted = 1\n[1].forEach(n => { var unused = n })\n"


def test_python(tools):
    """All Python is laid out by ruff, and nothing that it knows is wrong with it."""
    for number, command in enumerate(lint.python(tools / "bin")):
        run(command, log=f"tools/ruff-{number}.log", cwd=environments.ROOT, env=environments.child_environment(tools))


def test_python_lint_catches(tools, tree):
    """A default that is shared, two imports on a line, and a layout of somebody's own."""
    (tree / "plugins" / "module_utils" / "planted.py").write_text(PLANTED_PYTHON, encoding="utf-8")
    said = [
        run(command, log=f"tools/ruff-planted-{number}.log", cwd=tree, env=environments.child_environment(tools), expect=1)
        for number, command in enumerate(lint.python(tools / "bin"))
    ]
    assert "B006" in said[0] and "E401" in said[0] and "planted.py" in said[1]


def test_types(tools, tree):
    """Everything in plugins/ is annotated, and the event sources; mypy finds it right: strictly, for the oldest Python that modules run on."""
    command = lint.types(tools / "bin", tree)
    said = run(command, log="tools/mypy.log", cwd=collections_path(tree), env=environments.child_environment(tools))
    found = re.search(r"Success: no issues found in (\d+) source files", said)
    assert found, said
    assert int(found.group(1)) == len([*tree.glob("plugins/**/*.py"), *tree.glob("extensions/eda/plugins/event_source/*.py")])


def test_types_catch(tools, tree):
    """A function that returns something else than it says."""
    planted = tree / "plugins" / "module_utils" / "api" / "clock.py"
    planted.write_text(planted.read_text(encoding="utf-8") + PLANTED_TYPES, encoding="utf-8")
    command = lint.types(tools / "bin", tree)
    said = run(command, log="tools/mypy-planted.log", cwd=collections_path(tree), env=environments.child_environment(tools), expect=1)
    assert "clock.py" in said and "return-value" in said


def test_ignores_are_few_and_explained():
    """Each line that mypy passes over says why."""
    ignored = [
        line
        for path in (environments.ROOT / "plugins").rglob("*.py")
        for line in path.read_text(encoding="utf-8").splitlines()
        if "type: ignore" in line
    ]
    assert len(ignored) <= 3
    assert all(re.search(r"# type: ignore\[[a-z-]+\]  # \w", line) for line in ignored)


def test_javascript(tools):
    """The gateway's JavaScript is laid out by biome, and nothing that it knows is wrong with it."""
    for command in lint.javascript():
        said = run(command, log="tools/biome.log", cwd=environments.ROOT, env=environments.child_environment(tools))
        assert int(re.search(r"Checked (\d+) files", re.sub(r"\x1b\[[0-9;]*m", "", said)).group(1)) >= len(
            list((environments.ROOT / "tests" / "engine" / "src").rglob("*.mjs"))
        )


def test_javascript_lint_catches(tools, tree):
    """A loop by forEach, a variable that nobody uses, and a layout of somebody's own."""
    (tree / "tests" / "engine" / "src" / "planted.mjs").write_text(PLANTED_JAVASCRIPT, encoding="utf-8")
    for command in lint.javascript():
        said = run(command, log="tools/biome-planted.log", cwd=tree, env=environments.child_environment(tools), expect=1)
        assert "noForEach" in said and "planted.mjs" in said
