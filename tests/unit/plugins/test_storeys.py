# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The house has storeys, and imports run downward: read from the imports of every file in plugins/."""

from __future__ import annotations

import ast
from pathlib import Path

PLUGINS = Path(__file__).resolve().parents[3] / "plugins"

#: What an import of this collection's own begins with.
OURS = "ansible_collections.edgeops.cloudflare.plugins."

#: From the roof to the ground: each storey may import from those below it, and from itself.
STOREYS = (
    "filter",
    "action",
    "plugin_utils",
    "modules",
    "module_utils.task",
    "module_utils.events",
    "module_utils.fleet",
    "module_utils.instance",
    "module_utils.auth",
    "module_utils.api",
    "doc_fragments",
)

#: Stands in for a storey that must not be known below: what runs a task is only known to its hosts.
HOSTS = ("module_utils.task.module", "plugin_utils")

#: `instance/` is pure: all that it may take from below, and nothing that reaches out of the process.
PURE = "module_utils.instance"
PURE_MAY = ("module_utils.api.errors", "module_utils.api.text", "module_utils.api.timestamps", "module_utils.api.types")
PURE_MAY_NOT = {"requests", "urllib3", "threading", "time", "os", "socket", "subprocess", "ansible"}


def imports(source, package=""):
    """The modules that a source text imports, by their full names; relative ones are as good as unknown, and returned as ".…"."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found.extend(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level:
            found.append("." * node.level + (node.module or ""))
        elif isinstance(node, ast.ImportFrom):
            # `from package import room` and `from package.room import name` look alike: the longer name holds both.
            found.extend(f"{node.module}.{alias.name}" for alias in node.names)
    return found


def storey_of(name):
    """The index of the storey that a module of ours is in."""
    for index, storey in enumerate(STOREYS):
        if name == storey or name.startswith(storey + "."):
            return index
    raise AssertionError(f"{name} is in no storey")


def complaints(name, source):
    """What is wrong with the imports of one file, list of str.

    name: the file's, from plugins/ on, with dots: `module_utils.api.client`.
    """
    wrong = []
    for imported in imports(source):
        if imported.startswith("."):
            wrong.append(f"{name} imports {imported}: say it in full")
            continue
        if name.startswith(PURE + ".") and imported.partition(".")[0] in PURE_MAY_NOT:
            wrong.append(f"{name} is pure and imports {imported}")
        if not imported.startswith(OURS):
            continue
        ours = imported[len(OURS) :]
        if storey_of(ours) < storey_of(name):
            wrong.append(f"{name} imports {ours}, which is above it")
        if name.startswith(PURE + ".") and not ours.startswith((PURE + ".", *PURE_MAY)):
            wrong.append(f"{name} is pure and imports {ours}")
        if ours.startswith(HOSTS) and not name.startswith(("modules.", "action.", "filter.", "plugin_utils.")):
            wrong.append(f"{name} imports {ours}: the work knows no host")
    return wrong


def files():
    """Every Python file of plugins/ by its dotted name."""
    return {".".join(path.relative_to(PLUGINS).with_suffix("").parts): path for path in sorted(PLUGINS.rglob("*.py"))}


def circles(graph):
    """The files that can be reached from themselves, set of str."""

    def reached_from(start):
        seen, waiting = set(), [start]
        while waiting:
            for following in graph.get(waiting.pop(), ()):
                if following not in seen:
                    seen.add(following)
                    waiting.append(following)
        return seen

    return {name for name in graph if name in reached_from(name)}


def test_imports_run_downward():
    wrong = [complaint for name, path in files().items() for complaint in complaints(name, path.read_text(encoding="utf-8"))]
    assert not wrong, "\n".join(wrong)


def test_no_file_imports_itself_by_way_of_others():
    known = files()
    graph = {}
    for name, path in known.items():
        ours = [imported[len(OURS) :] for imported in imports(path.read_text(encoding="utf-8")) if imported.startswith(OURS)]
        graph[name] = {imported if imported in known else imported.rpartition(".")[0] for imported in ours}
    assert sum(map(len, graph.values())) > len(known), "the imports were not read"
    assert circles(graph) == set()
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == {"a", "b", "c"}


def test_what_is_planted_is_caught():
    planted = {
        "module_utils.api.client": ("from {0}module_utils.fleet.fleet import Fleet", "which is above it"),
        "module_utils.api.envelope": ("from {0}module_utils import auth", "which is above it"),
        "module_utils.auth": ("import {0}module_utils.instance.names", "which is above it"),
        "module_utils.events.poll": ("from {0}module_utils.task import session", "which is above it"),
        "module_utils.fleet.survey": ("def late():\n    from {0}module_utils.task import options", "which is above it"),
        "module_utils.instance.look": ("import threading", "is pure"),
        "module_utils.instance.pursuit": ("from {0}module_utils.api.client import Client", "is pure"),
        "module_utils.instance.record": ("from . import look", "say it in full"),
        "module_utils.task.session": ("from {0}module_utils.task.module import ModuleHost", "knows no host"),
    }
    for name, (source, expected) in planted.items():
        found = complaints(name, source.format(OURS))
        assert len(found) == 1 and expected in found[0], (name, found)


def test_what_is_right_is_not_caught():
    assert complaints("module_utils.task.session", f"import time\nfrom {OURS}module_utils.api.client import Client") == []
    assert complaints("module_utils.instance.look", f"import typing\nfrom {OURS}module_utils.api.errors import OptionError") == []
    assert complaints("modules.some_module", f"from {OURS}module_utils.task.module import run") == []
