# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The integration targets, through ansible-test, against the local engine."""

from __future__ import annotations

import json
import re

import pytest

import environments
import expected
from ansible_test import ansible_test
from engine import Engine

TARGETS = "tests/integration/targets"


def test_every_target_is_expected():
    """A new target has to be counted, too; helpers are hidden."""
    found = {path.parent.name for path in (environments.ROOT / TARGETS).glob("*/aliases") if "hidden" not in path.read_text(encoding="utf-8").split()}
    assert found == set(expected.SCENARIOS)


def _settings(engine):
    """ansible-test hands no environment on; this file is how it takes settings (JSON is YAML)."""
    return json.dumps({"engine_" + key: value for key, value in engine.ready.items()}, indent=2)


@pytest.fixture
def fresh_engine():
    """An engine of its own: no instance of another run is in the way of a scenario's."""
    with Engine() as engine:
        yield engine


@pytest.mark.parametrize("target", sorted(expected.SCENARIOS))
def test_integration(core, core_tree, fresh_engine, target):
    """Every numbered scenario of the target ran to its end."""
    scenarios = sorted(path.stem for path in core_tree.glob(TARGETS + "/" + target + "/tasks/[0-9][0-9]-*.yml"))
    assert len(scenarios) >= expected.SCENARIOS[target]
    (core_tree / "tests" / "integration" / "integration_config.yml").write_text(_settings(fresh_engine), encoding="utf-8")
    version = environments.python_for("core-" + core)[0]
    output = ansible_test(core, core_tree, "integration", "--venv", "--python", version, "-v", target, log="integration-%s.log" % target, timeout=1800)
    passed = re.findall(r'"msg": "scenario (\S+) passed"', output)
    assert passed == scenarios
