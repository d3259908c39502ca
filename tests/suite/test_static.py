# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Linters of the changelog, the playbooks and the documentation, each shown to catch what it is there for."""

from __future__ import annotations

import re

import environments
import expected
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
    env["ANSIBLE_COLLECTIONS_PATH"] = str(collections_path(tree))

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
