# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation of every module says what its argument spec says."""

from __future__ import annotations

import importlib
from pathlib import Path

import yaml

from ansible_collections.edgeops.cloudflare.plugins import modules
from ansible_collections.edgeops.cloudflare.tests.unit.tables import each_row

PLUGINS = "ansible_collections.edgeops.cloudflare.plugins."
MODULES = sorted(path.stem for path in Path(modules.__path__[0]).glob("[a-z]*.py"))


def documented_options(module):
    """The options of a module's documentation and of its fragments."""
    documented = yaml.safe_load(importlib.import_module(f"{PLUGINS}modules.{module}").DOCUMENTATION)
    found = {}
    for fragment in documented["extends_documentation_fragment"]:
        collection, name, variant = ([*fragment.split(".", 3), "documentation"])[1:4]
        assert collection == "cloudflare"
        room = importlib.import_module(f"{PLUGINS}doc_fragments.{name}")
        found.update(yaml.safe_load(getattr(room.ModuleDocFragment, variant.upper()))["options"])
    found.update(documented["options"])
    return found


def compare(spec, documented, path=""):
    assert set(spec) == set(documented), path
    for name, option in spec.items():
        told, where = documented[name], path + name
        assert told["type"] == option["type"], where
        assert told.get("required", False) == option.get("required", False), where
        assert told.get("default") == option.get("default"), where
        assert told.get("elements") == option.get("elements"), where
        assert told.get("choices") == option.get("choices"), where
        assert told["description"] and told["version_added"], where
        if "options" in option:
            compare(option["options"], told["suboptions"], where + ".")


@each_row("module", MODULES)
def test_the_spec_is_what_the_documentation_says(module):
    compare(importlib.import_module(f"{PLUGINS}module_utils.task.{module}").argument_spec(), documented_options(module))


def test_all_are_found():
    assert len(MODULES) >= 5


@each_row("module", MODULES)
def test_each_has_all_that_a_module_has(module):
    """An action plugin of the same name, a place in the action group, examples, and a description of what it returns."""
    root = Path(modules.__path__[0]).parents[1]
    # Read, not imported: ansible-core's own code would make a controller of this process, in which modules warn otherwise.
    assert f"    task = {module}\n" in (root / "plugins" / "action" / f"{module}.py").read_text(encoding="utf-8")
    runtime = yaml.safe_load((root / "meta" / "runtime.yml").read_text(encoding="utf-8"))
    assert module in runtime["action_groups"]["workflows"]
    text = importlib.import_module(f"{PLUGINS}modules.{module}")
    assert len(yaml.safe_load(text.EXAMPLES)) >= 2
    for name, told in yaml.safe_load(text.RETURN).items():
        assert (told["description"] and told["returned"] and "sample" in told) or "contains" in told, name
