# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The integration target for a development session, as `wrangler dev` offers it."""

from __future__ import annotations

from integration import assert_every_scenario_passes


def test_integration_dev(core, core_tree):
    """Every scenario."""
    assert_every_scenario_passes(core, core_tree, "workflow_instance_status_dev")
