# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running an integration target through ansible-test, against a local engine."""

from __future__ import annotations

import json
import re

import environments
import expected
from ansible_test import ansible_test
from engine import Engine

TARGETS = "tests/integration/targets"


def _settings(engine):
    """ansible-test hands no environment on; this file is how it takes settings (JSON is YAML)."""
    return json.dumps({"engine_" + key: value for key, value in engine.ready.items()}, indent=2)


def assert_every_scenario_passes(core, tree, target):
    """Every numbered scenario of the target runs to its end, on an engine of its own: no instance of another run is in the way."""
    scenarios = sorted(path.stem for path in tree.glob(TARGETS + "/" + target + "/tasks/[0-9][0-9]-*.yml"))
    assert len(scenarios) >= expected.SCENARIOS[target]
    version = environments.python_for("core-" + core)
    with Engine() as engine:
        (tree / "tests" / "integration" / "integration_config.yml").write_text(_settings(engine), encoding="utf-8")
        output = ansible_test(
            core, tree, "integration", "--venv", "--python", version, "-v", target, log=f"integration-{target}.log", timeout=3600
        )
    assert re.findall(r'"msg": "scenario (\S+) passed"', output) == scenarios
