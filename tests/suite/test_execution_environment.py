# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection where jobs run: what an image is made of, and that nothing else than that is needed."""

from __future__ import annotations

import json

import environments
import pytest
import yaml
from processes import ToolFailed, run

DEFINITION = environments.ROOT / "extensions" / "awx" / "execution-environment.yml"
MODULES = sorted(path.stem for path in (environments.ROOT / "plugins" / "modules").glob("*.py"))
ENTRY_POINTS = sorted(
    yaml.safe_load((environments.ROOT / "roles" / "runbook" / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))["argument_specs"]
)


@pytest.fixture(scope="module")
def builder():
    """Run ansible-builder."""
    venv = environments.ensure("builder")

    def run_builder(*arguments, log, cwd):
        return run([venv / "bin" / "ansible-builder", *arguments], log="builder/" + log, cwd=cwd, env=environments.child_environment(venv))

    return run_builder


@pytest.fixture
def installed(core, tree, tmp_path):
    """A collections path that holds the collection as users get it, and nothing else."""
    venv = environments.ensure("core-" + core)
    env = environments.child_environment(venv)
    galaxy = [venv / "bin" / "ansible-galaxy", "collection"]
    run([*galaxy, "build", "--output-path", tmp_path], log=core + "/ee-build.log", cwd=tree, env=env)
    (tarball,) = tmp_path.glob("*.tar.gz")
    folder = tmp_path / "collections"
    run(
        [*galaxy, "install", tarball, "--no-deps", "--collections-path", folder],
        log=core + "/ee-install.log",
        cwd=tmp_path,
        env={**env, "ANSIBLE_HOME": str(tmp_path / "home")},
    )
    return folder


def test_the_definition(builder, tmp_path):
    """ansible-builder makes a context of it, with the collection and an ansible-core that it supports."""
    builder("create", "--file", DEFINITION, "--context", tmp_path / "context", log="create.log", cwd=tmp_path)
    built = {path.name: path.read_text(encoding="utf-8") for path in (tmp_path / "context").rglob("*") if path.is_file()}
    assert yaml.safe_load(built["requirements.yml"])["collections"] == [{"name": "edgeops.cloudflare", "version": ">=0.2.0"}]
    steps = built.get("Containerfile") or built["Dockerfile"]
    definition = yaml.safe_load(DEFINITION.read_text(encoding="utf-8"))
    for wanted in (definition["images"]["base_image"]["name"], "ansible-core>=2.18,<2.22", "ansible-runner"):
        assert wanted in steps


def test_a_wrong_definition_is_refused(builder, tmp_path):
    definition = tmp_path / "wrong.yml"
    definition.write_text(DEFINITION.read_text(encoding="utf-8").replace("package_pip", "package_pop"), encoding="utf-8")
    with pytest.raises(ToolFailed, match="package_pop"):
        builder("create", "--file", definition, "--context", tmp_path / "context", log="create-wrong.log", cwd=tmp_path)


def test_in_an_empty_environment(core, installed, builder, local_engine, tmp_path):
    """With ansible-core and what ansible-builder reads from the collection, and with nothing else."""
    said = builder("introspect", "--sanitize", installed, "--write-pip", tmp_path / "pip.txt", log="introspect.log", cwd=tmp_path)
    needs = yaml.safe_load(said.partition("---")[2])
    assert [line.partition("#")[0].strip() for line in needs["python"]] == ["requests>=2.25"] and needs["system"] == []

    venv = tmp_path / "venv"
    env = environments.child_environment(venv)
    uv = environments.NOX / "bin" / "uv"
    version = environments.python_for("core-" + core)
    pins = environments.REQUIREMENTS / f"core-{core}.txt"
    (pin,) = [line for line in pins.read_text(encoding="utf-8").splitlines() if line.startswith("ansible-core==")]
    run([uv, "venv", "--python", environments.find_python(version), venv], log=core + "/ee-venv.log", cwd=tmp_path, env=env)
    run(
        [uv, "pip", "install", "--constraint", environments.REQUIREMENTS / "constraints.txt", pin, "--requirement", tmp_path / "pip.txt"],
        log=core + "/ee-pip.log",
        cwd=tmp_path,
        env=env,
    )

    def use(program, *arguments, **settings):
        connection = {
            "CLOUDFLARE_BASE_URL": local_engine.api_url,
            "CLOUDFLARE_ACCOUNT_ID": local_engine.account_id,
            "CLOUDFLARE_API_TOKEN": local_engine.api_token,
        }
        where = {"ANSIBLE_COLLECTIONS_PATH": str(installed), "ANSIBLE_HOME": str(tmp_path / "home"), "ANSIBLE_NOCOLOR": "true"}
        return run(
            [venv / "bin" / program, *arguments],
            log=f"{core}/ee-{program}.log",
            cwd=tmp_path,
            env={**env, **connection, **where, **settings},
        )

    def documented(*arguments):
        # ansible-core 2.21 warns of a folder of its own, ahead of it.
        said = use("ansible-doc", "--json", *arguments)
        return json.loads(said[said.index("{\n") :])

    names = ["edgeops.cloudflare." + name for name in MODULES]
    assert set(documented(*names)) == set(names)
    role = documented("--type", "role", "edgeops.cloudflare.runbook")
    assert sorted(role["edgeops.cloudflare.runbook"]["entry_points"]) == ENTRY_POINTS
    said = use("ansible-playbook", "edgeops.cloudflare.pause_all", "--syntax-check")
    assert f"playbook: {installed / 'ansible_collections' / 'edgeops' / 'cloudflare' / 'playbooks' / 'pause_all.yml'}" in said
    for settings in ({}, {"EDGEOPS_CLOUDFLARE_RUN_AS": "module"}):
        said = use("ansible", "localhost", "-m", "edgeops.cloudflare.workflow_info", "-a", "workflow_name=fleet", **settings)
        assert "localhost | SUCCESS" in said and "fleet" in said
