# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The integration targets. In one file, since ansible-test makes a key in the user's home: two at once would get in each other's way."""

from __future__ import annotations

import environments
import expected
from integration import TARGETS, assert_every_scenario_passes


def test_every_target_is_expected():
    """A new target has to be counted, and run, too; helpers are hidden."""
    found = {
        path.parent.name
        for path in (environments.ROOT / TARGETS).glob("*/aliases")
        if "hidden" not in path.read_text(encoding="utf-8").split()
    }
    assert found == set(expected.SCENARIOS) == {"workflow_instance_status", "workflow_instance_status_dev", "other_modules"}


def test_integration(core, core_tree):
    """Through the gateway, which looks like production."""
    assert_every_scenario_passes(core, core_tree, "workflow_instance_status")


def test_integration_dev(core, core_tree):
    """As a development session, as `wrangler dev` offers it."""
    assert_every_scenario_passes(core, core_tree, "workflow_instance_status_dev")


def test_integration_other_modules(core, core_tree):
    """The examples of the other modules, and what they have in common."""
    assert_every_scenario_passes(core, core_tree, "other_modules")
