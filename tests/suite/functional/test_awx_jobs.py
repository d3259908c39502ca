# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The job templates, run as AWX runs them: by ansible-runner, with its files, its inventory, and the answers of their surveys."""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path

import ansible_runner
import awx
import environments
import pytest
from flock import WORKFLOW, names

#: The first job's number.
JOB = 101


@pytest.fixture(scope="module")
def data():
    files = ("credential_types.yml", "objects.yml", "templates.yml", "workflows.yml")
    return {name: value for path in files for name, value in awx.load(awx.FOLDER / path).items()}


def survey_defaults(item):
    """What AWX adds of itself: it leaves out what is no valid answer."""
    spec = item["survey_spec"]["spec"]
    return {
        question["variable"]: question["default"]
        for question in spec
        if "default" in question
        and question["type"] != "multiselect"
        and question["default"] in question.get("choices", [question["default"]])
    }


class Job:
    """A job of a template, run to its end.

    Args:
        flock: flock.Flock.
        data: what AWX is configured with.
        folder: the private folder, which goes with the job.
        name: of the template, str.
        variables: of the launch, or what a workflow hands on, dict.
        arguments: of the command line, str.
    """

    def __init__(self, flock, data, folder, name, variables, arguments="", number=JOB):
        (template,) = [item for item in data["controller_templates"] if item["name"] == "Cloudflare Workflows: " + name]
        (host,) = data["controller_hosts"]
        shutil.copytree(awx.PROJECT, folder / "project")
        (folder / "env").mkdir()
        given = {**survey_defaults(template), **variables, "awx_job_id": number, "tower_job_id": number, "awx_job_launch_type": "manual"}
        (folder / "env" / "extravars").write_text(awx.extra_variables(given), encoding="utf-8")
        runner = ansible_runner.run(
            private_data_dir=str(folder),
            ident=str(number),
            playbook=template["playbook"],
            inventory={"all": {"hosts": {host["name"]: host["variables"]}}},
            cmdline=f"-u root {arguments}",
            envvars={**environments.child_environment(Path(sys.prefix)), **self._settings(flock, data, folder, number)},
            quiet=True,
        )
        self.code = runner.rc
        self.output = runner.stdout.read()
        #: Without colours and line breaks.
        self.said = re.sub(r"\s+", " ", re.sub(r"\x1b\[[0-9;]*m", "", self.output))
        (end,) = [event["event_data"] for event in runner.events if event["event"] == "playbook_on_stats"]
        self.artifacts = end.get("artifact_data", {})
        assert "Traceback" not in self.output and "WARNING" not in self.output, self.output

    def _settings(self, flock, data, folder, number):
        engine = flock.bench.engine
        (kind,) = data["controller_credential_types"]
        credential, _shown = awx.inject(kind, folder, api_token=engine.api_token, account_id=engine.account_id, api_url=engine.api_url)
        return {
            **credential,
            "JOB_ID": str(number),
            "ANSIBLE_FORCE_COLOR": "True",
            "ANSIBLE_INVENTORY_UNPARSED_FAILED": "True",
            "ANSIBLE_HOST_KEY_CHECKING": "False",
            "ANSIBLE_RETRY_FILES_ENABLED": "False",
            "ANSIBLE_COLLECTIONS_PATH": str(environments.linked_collections()),
        }


def test_pause_and_resume(flock, data, tmp_path):
    """The workflow's nodes one after another: each with what the workflow asks for and what the nodes before have handed on."""
    (workflow,) = data["controller_workflows"]
    mine, others = flock.create(["0123", "no", *names("ok", 4)]), flock.create_paused(names("other", 2))
    asked = {**survey_defaults(workflow), "workflow_name": WORKFLOW, "statuses": ["running", "waiting"]}

    paused = Job(flock, data, tmp_path / "1", "pause all", asked)
    assert paused.code == 0, paused.output
    assert flock.statuses([*mine, *others]) == dict.fromkeys([*mine, *others], "paused")
    assert list(paused.artifacts) == ["edgeops_record"] and isinstance(paused.artifacts["edgeops_record"], str)
    (entry,) = json.loads(paused.artifacts["edgeops_record"])["records"]
    assert set(entry["ids"]) == set(mine) and str(entry["job"]) == str(JOB)

    # The database of AWX keeps it as JSON.
    shutil.rmtree(tmp_path / "1")
    handed_on = json.loads(json.dumps(paused.artifacts))
    resumed = Job(flock, data, tmp_path / "2", "resume by record", {**handed_on, **asked}, number=JOB + 1)
    assert resumed.code == 0, resumed.output
    assert "6 of 6 instances of fleet resumed by this run" in resumed.said
    flock.wait_for(mine, "waiting")
    assert flock.statuses(others) == dict.fromkeys(others, "paused")


def test_a_pasted_output(flock, data, tmp_path):
    """All that is left of a cancelled job is what it has printed."""
    everyone = flock.create(names("ok", 5))
    paused = Job(flock, data, tmp_path / "1", "pause all", {"workflow_name": WORKFLOW})
    assert paused.code == 0, paused.output
    answers = {"workflow_name": WORKFLOW, "edgeops_record": paused.output}
    resumed = Job(flock, data, tmp_path / "2", "resume by record", answers, number=JOB + 1)
    assert resumed.code == 0, resumed.output
    flock.wait_for(everyone, "waiting")


def test_ids_in_a_survey(flock, data, tmp_path):
    """One a line, and in quotes where they look like something else."""
    everyone = flock.create(["0123", "ok-1", "ok-2"])
    answers = {"workflow_name": WORKFLOW, "instance_ids": '"0123"\nok-1\n'}
    paused = Job(flock, data, tmp_path / "1", "pause all", answers)
    assert paused.code == 0, paused.output
    assert flock.statuses(everyone) == {"0123": "paused", "ok-1": "paused", "ok-2": "waiting"}

    one = Job(flock, data, tmp_path / "2", "resume paused", {"workflow_name": WORKFLOW, "instance_ids": '"0123"'}, number=JOB + 1)
    assert one.code == 0, one.output
    flock.wait_for(["0123"], "waiting")


def test_check_mode_is_a_job_type(flock, data, tmp_path):
    """It tells what would be done, with the survey left blank, and sends nothing."""
    flock.create_errored(names("failed", 3))
    flock.forget_calls()
    blank = {
        "workflow_name": WORKFLOW,
        "ended_after": "all",
        "instance_ids": "",
        "error_glob": "",
        "created_after": "",
        "edgeops_record": "",
    }
    told = Job(flock, data, tmp_path / "1", "restart failed", blank, "--check --diff")
    assert told.code == 0 and "Would restart 3 of 3 instances of fleet" in told.said, told.output
    assert flock.patches() == []


def test_nothing_is_terminated_unconfirmed(flock, data, tmp_path):
    """The required number of the survey: 0 for the plan alone, and less than the plan tells ends nothing."""
    everyone = flock.create(names("ok", 3))
    answers = {"workflow_name": WORKFLOW, "statuses": ["waiting"], "confirm": 2}
    refused = Job(flock, data, tmp_path / "1", "terminate", answers)
    assert refused.code == 2 and set(flock.statuses(everyone).values()) == {"waiting"}, refused.output
    done = Job(flock, data, tmp_path / "2", "terminate", {**answers, "confirm": 3})
    assert done.code == 0 and set(flock.statuses(everyone).values()) == {"terminated"}, done.output
