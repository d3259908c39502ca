# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rulebooks send nothing that nobody reads: AWX drops what a template's survey doesn't ask for, without a word."""

from __future__ import annotations

import awx
import environments
import pytest
import yaml

RULEBOOKS = sorted((environments.ROOT / "extensions" / "eda" / "rulebooks").glob("*.yml"))
SPECS = environments.ROOT / "roles" / "runbook" / "meta" / "argument_specs.yml"

#: Of the playbook `storm`, besides the inputs of the runbook `report`.
OF_A_STORM = {"recent_failures", "notify_url"}


def actions(path):
    """All that a rulebook does: (the rule, the kind of action, what it is given)."""
    for ruleset in yaml.safe_load(path.read_text(encoding="utf-8")):
        for rule in ruleset["rules"]:
            for action in rule.get("actions") or [rule["action"]]:
                ((kind, given),) = action.items()
                yield rule, kind, given


def test_there_are_some():
    """Both, and each does something."""
    assert [path.name for path in RULEBOOKS] == ["restart_failed.yml", "restart_failed_controller.yml"]
    assert all(len(list(actions(path))) >= 4 for path in RULEBOOKS)


@pytest.mark.parametrize("path", RULEBOOKS, ids=lambda path: path.stem)
def test_what_they_send_is_asked_for(path):
    """By the survey of the template, or the inputs of the runbook."""
    templates = {template["name"]: template for template in awx.load(awx.FOLDER / "templates.yml")["controller_templates"]}
    specs = yaml.safe_load(SPECS.read_text(encoding="utf-8"))["argument_specs"]
    for _rule, kind, given in actions(path):
        if kind == "run_job_template":
            asked = {question["variable"] for question in templates[given["name"]]["survey_spec"]["spec"]}
            assert set(given["job_args"]["extra_vars"]) <= asked, given
        else:
            assert kind == "run_playbook"
            runbook = given["name"].rpartition(".")[2]
            known = set(specs["report"]["options"]) | OF_A_STORM if runbook == "storm" else set(specs[runbook]["options"])
            assert set(given["extra_vars"]) <= known, given


@pytest.mark.parametrize("path", RULEBOOKS, ids=lambda path: path.stem)
def test_they_act_only_where_that_is_switched_on(path):
    """Every rule; and what restarts fires at a first failure and at nothing else, after the rules for a storm."""
    found = list(actions(path))
    rules = [rule for rule, _kind, _given in found]
    assert all("vars.automation_enabled == true" in rule["condition"] for rule in rules)
    restarts = [rule for rule, _kind, given in found if "restart" in given["name"]]
    assert len(restarts) == 1 and "event.instance.failures == 1" in restarts[0]["condition"] and restarts[0] is rules[-1]
    storms = [rule for rule in rules if rule is not rules[-1]]
    assert all(rule["throttle"]["once_within"] == "30 minutes" for rule in storms)
    pauses = [rule for rule, _kind, given in found if "pause" in given["name"]]
    assert all("vars.pause_on_storm == true" in rule["condition"] for rule in pauses)
