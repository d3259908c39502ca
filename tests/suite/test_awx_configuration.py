# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What AWX is configured with: as Ansible renders it, by the modules' own specs, by AWX's rules, and by the inputs of the runbooks."""

from __future__ import annotations

import importlib
import json
import os
import re
import sys
from pathlib import Path

import environments
import other_collections
import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from awx import FOLDER, PROJECT, load
from processes import run

DATA = ("settings.yml", "credential_types.yml", "objects.yml", "templates.yml", "workflows.yml")

TOKEN = "token-of-a-test-0123456789"
MINE = {"edgeops_awx_project_url": "https://git.example.com/runbooks.git", "edgeops_awx_image": "example.com/cloudflare:1"}
PREFIX = "Cloudflare Workflows: "

#: The module that makes what a variable holds.
MODULES = {
    "aap_organizations": "organization",
    "controller_credential_types": "credential_type",
    "controller_credentials": "credential",
    "controller_execution_environments": "execution_environment",
    "controller_projects": "project",
    "controller_inventories": "inventory",
    "controller_hosts": "host",
    "controller_templates": "job_template",
    "controller_workflows": "workflow_job_template",
}

#: Inputs that no survey asks for: files, which go with their job, and what a credential gives.
UNASKED = {"record_file", "plan_file", "html_file", "controller_host"}

#: "resume by record" has these, and AWX's own credential.
BY_RECORD = {"edgeops_record", "record_job"}

#: Which type of a question fits which type of an input, besides lists with choices and truth values.
FITTING = {"str": {"text", "textarea"}, "int": {"integer"}, "float": {"float"}, "list": {"text", "textarea"}}

#: What AWX takes for a type's default (awx/main/constants.py, SURVEY_TYPE_MAPPING).
ANSWERS = {"text": str, "textarea": str, "multiplechoice": str, "multiselect": str, "integer": int, "float": (float, int)}

#: AWX's rule for a file that holds a playbook (awx/main/utils/ansible.py).
A_PLAYBOOK = re.compile(r"^\s*?-?\s*?(?:hosts|(ansible\.builtin\.)?include|(ansible\.builtin\.)?import_playbook):\s*?.*?$")


def ansible(*arguments, log, settings=None, expect=0):
    """Run ansible-playbook of this process's own environment, with awx.awx and this collection."""
    environ = environments.child_environment(Path(sys.prefix))
    environ.update(
        ANSIBLE_COLLECTIONS_PATH=os.pathsep.join([str(environments.linked_collections()), str(other_collections.ensure())]),
        ANSIBLE_CONFIG=str(environments.ROOT / "tests" / "demo" / "ansible.cfg"),
        ANSIBLE_NOCOLOR="true",
        **(settings or {}),
    )
    return run(["ansible-playbook", *arguments], log="awx/" + log, cwd=FOLDER, env=environ, timeout=300, expect=expect)


def rendered(folder, settings, **more):
    """All variables of the data, as a module gets them."""
    target = folder / "rendered.json"
    everything = "{{ {" + ", ".join(f"'{name}': {name}" for name in MODULES) + "} | to_json }}"
    play = {
        "name": "Render the data",
        "hosts": "localhost",
        "gather_facts": False,
        "vars_files": [str(FOLDER / name) for name in DATA],
        "tasks": [{"name": "Write it down", "ansible.builtin.copy": {"dest": str(target), "content": everything, "mode": "0600"}}],
    }
    playbook = folder / "render.yml"
    playbook.write_text(yaml.safe_dump([play]), encoding="utf-8")
    ansible(str(playbook), "-e", json.dumps({**MINE, **more}), log="render.log", settings=settings)
    return json.loads(target.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    settings = {"CLOUDFLARE_API_TOKEN": TOKEN, "CLOUDFLARE_ACCOUNT_ID": "0123456789abcdef", "CONTROLLER_HOST": "https://awx.example.com"}
    return rendered(tmp_path_factory.mktemp("awx"), settings)


@pytest.fixture(scope="module")
def inputs():
    """The inputs of each runbook."""
    path = environments.ROOT / "roles" / "runbook" / "meta" / "argument_specs.yml"
    return {name: spec["options"] for name, spec in load(path)["argument_specs"].items()}


@pytest.fixture
def spec_of(monkeypatch):
    """The argument spec of a module of awx.awx, as it would check its options."""
    # The finder of ansible-core, where another test has set it up, knows only the collections of its own path.
    monkeypatch.setattr(sys, "meta_path", [finder for finder in sys.meta_path if "Ansible" not in type(finder).__name__])
    monkeypatch.setattr(sys, "path_hooks", [hook for hook in sys.path_hooks if "Ansible" not in getattr(hook, "__qualname__", repr(hook))])
    for name in [name for name in sys.modules if name.split(".")[0] == "ansible_collections"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(str(other_collections.ensure()))

    class Seen(Exception):
        pass

    def see(argument_spec, **_rules):
        raise Seen(argument_spec)

    def spec(name):
        module = importlib.import_module("ansible_collections.awx.awx.plugins.modules." + name)
        monkeypatch.setattr(module, "ControllerAPIModule", see)
        with pytest.raises(Seen) as seen:
            module.main()
        return seen.value.args[0]

    return spec


def names_of(data, variable):
    return [item["name"] for item in data[variable]]


def template_of(data, name):
    (found,) = [item for item in data["controller_templates"] if item["name"] == PREFIX + name]
    return found


def questions_of(item):
    return {question["variable"]: question for question in item["survey_spec"]["spec"]}


def runbook_of(template):
    return template["playbook"].removesuffix(".yml")


# -- the modules ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("variable", MODULES)
def test_a_module_takes_each_object(data, spec_of, variable):
    """Names, types and choices of all options, by the module's own argument spec."""
    spec = spec_of(MODULES[variable])
    assert data[variable]
    for item in data[variable]:
        checked = ArgumentSpecValidator(spec).validate(item)
        assert not checked.error_messages, (item["name"], checked.error_messages)


def test_a_wrong_option_is_seen(data, spec_of):
    wrong = {**data["controller_templates"][0], "time_out": 5, "job_type": "walk"}
    said = " ".join(ArgumentSpecValidator(spec_of("job_template")).validate(wrong).error_messages)
    assert "time_out" in said and "job_type" in said


def test_the_playbook_passes_everything_on():
    """Each option that the data give, and none that they don't."""
    (play,) = load(FOLDER / "configure.yml")
    written = {name: value for path in DATA for name, value in load(FOLDER / path).items()}
    assert play["vars_files"] == list(DATA)
    made = {}
    for task in play["tasks"]:
        for module, options in task.items():
            if module.startswith("awx.awx."):
                variable = re.search(r"\b(aap_\w+|controller_\w+)\b", task["loop"]).group(1)
                assert all(re.search(rf"\.{option}\b", template) for option, template in options.items()), module
                made[variable] = (module.removeprefix("awx.awx."), set(options))
    assert {variable: module for variable, (module, _options) in made.items()} == MODULES
    for variable, (_module, options) in made.items():
        for item in written[variable]:
            assert set(item) == options, (variable, item["name"])


def test_the_playbook_is_one():
    said = ansible("configure.yml", "--syntax-check", log="syntax.log")
    assert "playbook: configure.yml" in said


def test_what_is_missing_is_told_first():
    said = ansible("configure.yml", log="missing.log", settings={"CONTROLLER_HOST": "http://127.0.0.1:9"}, expect=2)
    assert "Give edgeops_awx_project_url and edgeops_awx_image" in re.sub(r"\s+", " ", said)
    assert "Organization" not in said


def test_no_secret_is_shown():
    """The task that fails shows its item and its options."""
    said = ansible(
        "configure.yml",
        "-vvv",
        "--start-at-task",
        "Credentials",
        "-e",
        json.dumps(MINE),
        log="secret.log",
        settings={"CONTROLLER_HOST": "http://127.0.0.1:9", "CLOUDFLARE_API_TOKEN": TOKEN, "EDGEOPS_AWX_READER_TOKEN": TOKEN[::-1]},
        expect=2,
    )
    assert said.count("failed: [localhost]") == 2 and PREFIX + "API" in said and "Connection refused" in said
    assert TOKEN not in said and TOKEN[::-1] not in said


# -- what must not be rendered, and what must -----------------------------------------------------------------------------


def test_templates_of_others_arrive_as_they_are(data):
    """The credential type's are AWX's to render, the host's are the job's."""
    (kind,) = data["controller_credential_types"]
    assert set(kind["injectors"]["env"].values()) == {f"{{{{ {field['id']} }}}}" for field in kind["inputs"]["fields"]}
    (host,) = data["controller_hosts"]
    assert host["name"] == "localhost"
    assert host["variables"] == {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    others = {name: value for name, value in data.items() if name not in ("controller_credential_types", "controller_hosts")}
    assert "{{" not in json.dumps(others)


def test_credentials_of_the_environment(data):
    """What is set, and no blank: AWX would keep it."""
    api, awx = data["controller_credentials"]
    assert api["inputs"] == {"api_token": TOKEN, "account_id": "0123456789abcdef"}
    assert awx["inputs"] == {} and not api["update_secrets"] and not awx["update_secrets"]


@pytest.mark.parametrize(
    ("settings", "api", "awx"),
    [
        ({}, {}, {}),
        ({"CLOUDFLARE_ACCOUNT_ID": "0123"}, {}, {}),
        ({"CLOUDFLARE_EMAIL": "a@example.com", "CLOUDFLARE_API_KEY": "key"}, {"email": "a@example.com", "api_key": "key"}, {}),
        (
            {"CONTROLLER_HOST": "https://awx.example.com", "EDGEOPS_AWX_READER_TOKEN": "read"},
            {},
            {"host": "https://awx.example.com", "oauth_token": "read"},
        ),
    ],
    ids=["nothing", "no secret", "a key", "a reader"],
)
def test_credentials_without_a_secret_are_left_alone(tmp_path, settings, api, awx):
    """Half of the fields would replace all that somebody has filled in."""
    found = rendered(tmp_path, settings)["controller_credentials"]
    assert [item["inputs"] for item in found] == [api, awx]


def test_settings_reach_everything(tmp_path):
    mine = {"edgeops_awx_organization": "Operations", "edgeops_awx_project_branch": "stable", "edgeops_awx_update_secrets": "yes"}
    found = rendered(tmp_path, {}, **mine)
    text = json.dumps(found)
    assert '"name": "Operations"' in text and '"organization": "Cloudflare Workflows"' not in text
    assert found["controller_projects"][0]["scm_branch"] == "stable" and found["controller_credentials"][0]["update_secrets"] is True
    # One that is there already is left alone.
    assert rendered(tmp_path, {}, **mine, aap_organizations=[])["aap_organizations"] == []


# -- what refers to what --------------------------------------------------------------------------------------------------


def test_all_that_is_referred_to_is_made(data):
    made = {variable: names_of(data, variable) for variable in MODULES}
    # AWX brings these along.
    made["controller_credential_types"].append("Red Hat Ansible Automation Platform")
    for variable, items in data.items():
        for item in items:
            assert item.get("organization", made["aap_organizations"][0]) in made["aap_organizations"], (variable, item["name"])
    for item in data["controller_credentials"]:
        assert item["credential_type"] in made["controller_credential_types"]
    for item in data["controller_projects"]:
        assert item["default_environment"] in made["controller_execution_environments"]
    for item in data["controller_hosts"]:
        assert item["inventory"] in made["controller_inventories"]
    for item in data["controller_templates"]:
        assert item["project"] in made["controller_projects"] and item["inventory"] in made["controller_inventories"]
        assert item["execution_environment"] in made["controller_execution_environments"]
        assert item["credentials"] and set(item["credentials"]) <= set(made["controller_credentials"])
        assert (PROJECT / item["playbook"]).is_file()
    assert made["aap_organizations"] == made["controller_execution_environments"] == ["Cloudflare Workflows"]
    assert all(
        name.startswith(PREFIX) for name in made["controller_templates"] + made["controller_workflows"] + made["controller_credentials"]
    )


def test_wrappers(data, inputs):
    """Each is a playbook to AWX, leads to a playbook of the collection, and is used; nothing else in the project is taken for one."""
    found = {
        path.relative_to(PROJECT).as_posix()
        for path in PROJECT.rglob("*")
        if path.suffix in (".yml", ".yaml") and any(map(A_PLAYBOOK.match, path.read_text(encoding="utf-8").splitlines()))
    }
    assert found == {name + ".yml" for name in inputs} == {template["playbook"] for template in data["controller_templates"]}
    for name in inputs:
        (play,) = load(PROJECT / (name + ".yml"))
        assert play["ansible.builtin.import_playbook"] == "edgeops.cloudflare." + name
    said = ansible(*sorted(str(PROJECT / name) for name in found), "--syntax-check", log="wrappers.log")
    assert said.count("playbook: ") == len(found)


def test_the_project_brings_the_collection():
    (wanted,) = load(PROJECT / "collections" / "requirements.yml")["collections"]
    assert wanted == {"name": "edgeops.cloudflare", "version": ">=0.2.0"}


# -- surveys --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("variable", ["controller_templates", "controller_workflows"])
def test_awx_takes_the_surveys(data, variable):
    """By the rules of its own view (awx/api/views, JobTemplateSurveySpec)."""
    for item in data[variable]:
        survey = item["survey_spec"]
        assert item["survey_enabled"] and set(survey) == {"name", "description", "spec"} and survey["spec"]
        assert len(questions_of(item)) == len(survey["spec"])
        for question in survey["spec"]:
            where = (item["name"], question["variable"])
            assert question["question_name"] and question["question_description"] and isinstance(question["required"], bool), where
            assert set(question) <= {
                "question_name",
                "question_description",
                "variable",
                "type",
                "required",
                "default",
                "choices",
                "min",
                "max",
            }, where
            if "default" in question:
                assert isinstance(question["default"], ANSWERS[question["type"]]) and not isinstance(question["default"], bool), where
                # AWX drops it.
                assert question["type"] != "multiselect" or question["default"] == "", where
            # Its pages fail without.
            assert "default" in question or "choices" not in question, where
            assert all(isinstance(question.get(bound, 0), int) for bound in ("min", "max")), where
            assert ("choices" in question) == (question["type"] in ("multiplechoice", "multiselect")), where
            assert question.get("default", "") in ["", *question.get("choices", [question.get("default", "")])], where


def as_input(question):
    """The default of a question, as the runbook takes it from a survey."""
    default = question.get("default")
    return {"true": True, "false": False, "": None}.get(default, default)


def test_surveys_ask_for_inputs_of_their_runbooks(data, inputs):
    """With a fitting type, the same choices and the same default."""
    for template in data["controller_templates"]:
        options = inputs[runbook_of(template)]
        for name, question in questions_of(template).items():
            where, option = (template["name"], name), options[name]
            kind, default = option["type"], option.get("default")
            if kind == "bool":
                assert question["type"] == "multiplechoice" and question["choices"] == ["true", "false"], where
                assert isinstance(default, bool), where
            elif "choices" in option:
                assert question["type"] == ("multiselect" if kind == "list" else "multiplechoice"), where
                assert question["choices"] == option["choices"], where
            else:
                assert question["type"] in FITTING[kind], where
            if kind == "list" and question["type"] == "multiselect":
                # Left to the runbook, and told.
                assert all(choice in question["question_description"] for choice in default or []), where
            elif kind == "list" and default:
                assert [int(part) for part in question["default"].split(", ")] == default, where
            else:
                assert as_input(question) == default, where
            # The runbook needs it, or there is no way back from it.
            assert question["required"] == (option.get("required", False) or name == "confirm"), where


@pytest.mark.parametrize("arrives", [lambda text: text, yaml.safe_load], ids=["before 2.19", "since 2.19"])
def test_defaults_of_surveys_are_those_of_the_runbooks(data, inputs, read_inputs, arrives):
    """As AWX hands them over: ansible-core 2.19 and newer resolve the type of each text anew."""
    for template in data["controller_templates"]:
        options = inputs[runbook_of(template)]
        given = {
            name: arrives(question["default"]) if isinstance(question["default"], str) else question["default"]
            for name, question in questions_of(template).items()
            # Where it isn't one of the choices, or no list, AWX leaves it out.
            if "default" in question and question["default"] != ""
        }
        assert given
        read = read_inputs({**given, "workflow_name": "orders"}, options, given)
        assert read.mistakes == []
        assert {name: read.values[name] for name in given} == {name: options[name]["default"] for name in given}, template["name"]


def test_surveys_ask_for_everything(data, inputs):
    for name, options in inputs.items():
        asked = set(questions_of(template_of(data, name.replace("_", " "))))
        left_out = UNASKED | (BY_RECORD if name == "resume_paused" else set())
        assert asked == set(options) - left_out, name
    assert set(questions_of(template_of(data, "resume by record"))) >= {"workflow_name"} | BY_RECORD


def test_templates(data):
    """Check mode and diff are offered, changes don't run side by side, and none is cut off in the middle of what it may do."""
    for template in data["controller_templates"]:
        assert template["ask_job_type_on_launch"] and template["ask_diff_mode_on_launch"] and template["job_type"] == "run"
        assert template["allow_simultaneous"] == (runbook_of(template) == "report")
        questions = questions_of(template)
        # The credential of AWX itself is where an earlier job can be named, and nowhere else.
        assert (PREFIX + "AWX" in template["credentials"]) == ("record_job" in questions)
        longest = questions.get("hold_for", {}).get("max", 0)
        if "batch_pause" in questions:
            batches = 10000 / int(questions["batch_size"]["default"].split(", ")[-1])
            longest = max(longest, batches * (questions["batch_pause"]["default"] + 60))
        assert template["timeout"] >= longest + 3600, template["name"]


# -- the workflow ---------------------------------------------------------------------------------------------------------


def test_the_workflow_leads_from_node_to_node(data):
    """Pause; whatever came of it, ask; resume by the record, or report."""
    (workflow,) = data["controller_workflows"]
    nodes = {node["identifier"]: node for node in workflow["workflow_nodes"]}
    assert len(nodes) == len(workflow["workflow_nodes"]) == 4
    ways = {
        name: {way: [next_["identifier"] for next_ in found] for way, found in node.get("related", {}).items()}
        for name, node in nodes.items()
    }
    assert ways == {
        "pause": {"always_nodes": ["approve"]},
        "approve": {"success_nodes": ["resume"], "failure_nodes": ["report"]},
        "resume": {},
        "report": {},
    }
    kinds = {name: node["unified_job_template"] for name, node in nodes.items()}
    assert kinds["approve"]["type"] == "workflow_approval" and kinds["approve"]["timeout"] > 0
    for name, template in (("pause", "pause all"), ("resume", "resume by record"), ("report", "report")):
        assert kinds[name]["type"] == "job_template" and kinds[name]["organization"]["name"] in names_of(data, "aap_organizations")
        assert kinds[name]["name"] == PREFIX + template and template_of(data, template)


def test_the_workflow_hides_no_artifact(data, inputs, read_inputs):
    """What it asks for reaches all nodes, ahead of artifacts: it has to mean the same to each, and to be no slip of an input's name."""
    (workflow,) = data["controller_workflows"]
    asked = questions_of(workflow)
    assert "edgeops_record" not in asked and set(asked) <= set(inputs["pause_all"])
    assert not any("extra_data" in node for node in workflow["workflow_nodes"])
    for node in workflow["workflow_nodes"]:
        if node["unified_job_template"]["type"] == "job_template":
            template = template_of(data, node["unified_job_template"]["name"].removeprefix(PREFIX))
            options = inputs[runbook_of(template)]
            assert "edgeops_record" in options
            shared = set(asked) & set(options)
            assert shared <= {"workflow_name", "max_instances", "requests_per_second"} or node["identifier"] == "pause"
            for name in shared:
                same = questions_of(template)[name]
                assert {key: asked[name].get(key) for key in ("type", "choices", "default", "required", "min", "max")} == {
                    key: same.get(key) for key in ("type", "choices", "default", "required", "min", "max")
                }, name
            assert read_inputs({"workflow_name": "orders"}, options, asked).mistakes == []
