# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What lies beside an event source says what its code says: documentation, schema, credential type."""

from __future__ import annotations

import ast
import asyncio
import importlib
import json
import re
import subprocess
import sys
from pathlib import Path

import yaml
from jinja2.sandbox import ImmutableSandboxedEnvironment

from ansible_collections.edgeops.cloudflare.plugins.module_utils.events import arguments
from ansible_collections.edgeops.cloudflare.plugins.module_utils.events.arguments import BOUNDS
from ansible_collections.edgeops.cloudflare.tests.unit.tables import each_row

ROOT = Path(importlib.import_module("ansible_collections.edgeops.cloudflare.plugins.modules").__path__[0]).parents[1]
FOLDER = ROOT / "extensions" / "eda" / "plugins" / "event_source"
SPECS = {"workflow_poll": arguments.poll_spec, "workflow_queue": arguments.queue_spec}

#: What an argument may be in a rulebook: variables render as text.
TYPES = {
    "str": ["string", "null"],
    "path": ["string", "null"],
    "int": ["integer", "string"],
    "float": ["number", "string"],
    "bool": ["boolean", "string"],
    "list": ["array", "string", "null"],
}


def source(name):
    """What the file of a source defines. (ansible-test's own loader of collections is in the way of `runpy`.)"""
    path = FOLDER / f"{name}.py"
    defined = {"__file__": str(path), "__name__": name}
    exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), defined)
    return defined


def plain(text):
    """A description without its markup."""
    return re.sub(r"\b[A-Z]\(([^)#]+?)(?:#[a-z_]+)?\)", r"\1", text)


def schema_of(name):
    """The JSON Schema that a source's arguments come to."""
    documented = yaml.safe_load(source(name)["DOCUMENTATION"])
    properties = {}
    for option, rules in SPECS[name]().items():
        kind = rules["type"]
        told = {"type": TYPES[kind], "description": plain(documented["options"][option]["description"][0])}
        if kind == "list":
            told["items"] = {"type": ["string", "integer"], **({"enum": rules["choices"]} if "choices" in rules else {})}
        elif "choices" in rules:
            told["enum"] = rules["choices"]
        if option in BOUNDS:
            told["minimum"], told["maximum"] = BOUNDS[option]
        if "default" in rules:
            told["default"] = rules["default"]
        properties[option] = told
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": f"edgeops.cloudflare.{name}",
        "description": documented["short_description"],
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
    }


def test_all_are_found():
    assert sorted(path.stem for path in FOLDER.glob("*.py")) == sorted(SPECS)
    assert yaml.safe_load((ROOT / "meta" / "extensions.yml").read_text(encoding="utf-8")) == {
        "extensions": [{"args": {"ext_dir": "eda/plugins/event_source"}}]
    }


@each_row("name", SPECS)
def test_the_documentation_is_what_the_code_does(name):
    documented = yaml.safe_load(source(name)["DOCUMENTATION"])
    spec = SPECS[name]()
    assert set(documented["options"]) == set(spec)
    for option, rules in spec.items():
        told = documented["options"][option]
        assert told["type"] == rules["type"], option
        for part in ("default", "choices", "elements"):
            assert told.get(part) == rules.get(part), (option, part)
        assert told["description"] and not told.get("required"), option
        if option in BOUNDS:
            lowest, highest = (f"{bound:g}" if bound < 1e6 else str(bound) for bound in BOUNDS[option])
            assert f"{lowest} to {highest}" in " ".join(told["description"]), option


@each_row("name", SPECS)
def test_references_lead_somewhere(name):
    text = source(name)["DOCUMENTATION"]
    options = yaml.safe_load(text)["options"]
    named = re.findall(r"O\(([a-z_]+)[^)]*\)", text)
    assert named and set(named) <= set(options)
    for reference in re.findall(r"P\(edgeops\.cloudflare\.([a-z_#]+)\)", text):
        kind = reference.partition("#")
        places = {"event_source": FOLDER / f"{kind[0]}.py", "role": ROOT / "roles" / kind[0]}
        assert places[kind[2]].exists(), reference


@each_row("name", SPECS)
def test_the_schema_is_what_the_code_does(name):
    assert json.loads((FOLDER / "schemas" / f"{name}.json").read_text(encoding="utf-8")) == schema_of(name)


@each_row("name", SPECS)
def test_the_examples_use_what_there_is(name):
    rulebook = yaml.safe_load(source(name)["EXAMPLES"])
    injected = set(yaml.safe_load(credential("injectors"))["extra_vars"])
    spec, found = SPECS[name](), 0
    for ruleset in rulebook:
        for entry in ruleset["sources"]:
            args = entry[f"edgeops.cloudflare.{name}"]
            assert set(args) <= set(spec)
            assert set(re.findall(r"{{ (\w+) }}", json.dumps(args))) <= injected
            found += 1
    assert found >= 2


@each_row("name", SPECS)
def test_it_reads_on_the_oldest_python(name):
    ast.parse((FOLDER / f"{name}.py").read_text(encoding="utf-8"), feature_version=(3, 9))


@each_row("name", SPECS)
def test_it_finds_its_collection_without_ansibles_loader(name):
    """As ansible-rulebook runs it: a file by itself, in a process that knows of no collections; and where those of a package come first."""
    code = (
        "import runpy, sys, asyncio, types\n"
        "if sys.argv[2:]:\n"
        "    other = types.ModuleType('ansible_collections')\n"
        "    other.__path__ = ['/nowhere']\n"
        "    sys.modules['ansible_collections'] = other\n"
        "try:\n"
        "    asyncio.run(runpy.run_path(sys.argv[1])['main'](None, {'nonsense': 1}))\n"
        "except Exception as error:\n"
        "    print(type(error).__name__, error)\n"
    )
    for more in ([], ["a package"]):
        command = [sys.executable, "-c", code, str(FOLDER / f"{name}.py"), *more]
        ran = subprocess.run(command, capture_output=True, text=True, check=True, cwd="/", env={"PATH": "/usr/bin:/bin"})
        assert ran.stdout.startswith(f"SourceError {name}: nonsense is no argument of this source; there are api_token"), (
            ran.stdout,
            ran.stderr,
        )


def test_main_is_a_coroutine():
    for name in SPECS:
        assert asyncio.iscoroutinefunction(source(name)["main"])


# -- the credential type --------------------------------------------------------------------------------------------------


def credential(part):
    return (FOLDER / "credential_types" / "cloudflare" / f"{part}.yml").read_text(encoding="utf-8")


def test_the_credential_type_is_one_that_eda_server_takes():
    inputs, injectors = yaml.safe_load(credential("input")), yaml.safe_load(credential("injectors"))
    assert set(inputs) == {"fields"} and set(injectors) == {"extra_vars"}
    ids = [field["id"] for field in inputs["fields"]]
    assert len(ids) == len(set(ids)) and set(ids) <= set(arguments.poll_spec()) & set(arguments.queue_spec())
    for field in inputs["fields"]:
        assert set(field) <= {"id", "label", "type", "secret", "format", "help_text"} and field["label"] and field["help_text"]
        assert re.fullmatch(r"[a-zA-Z_]\w*", field["id"]) and not field["id"].startswith("EDA_") and field["type"] == "string"
        assert field.get("secret", False) == (field["id"] in ("api_token", "api_key"))
    assert not {"ansible", "eda"} & set(injectors["extra_vars"])


def test_each_field_becomes_a_variable_and_a_blank_one_counts_as_not_given():
    injected = yaml.safe_load(credential("injectors"))["extra_vars"]
    environment = ImmutableSandboxedEnvironment()
    values = {"api_token": "token-0001-abcdefgh", "account_id": "0123"}
    rendered = {name: environment.from_string(template).render(values) for name, template in injected.items()}
    fields = {field["id"] for field in yaml.safe_load(credential("input"))["fields"]}
    assert set(rendered) == {f"cloudflare_{field}" for field in fields}
    args = {name.partition("_")[2]: value for name, value in rendered.items()}
    connection = arguments.poll_settings({"workflow_name": "orders", **args}, {}).connection
    assert (connection.credentials.token, connection.account_id) == ("token-0001-abcdefgh", "0123")
    assert connection.api_url == "https://api.cloudflare.com/client/v4"
