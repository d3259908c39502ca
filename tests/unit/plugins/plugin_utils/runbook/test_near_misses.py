# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names that are nearly those of inputs, and what jobs hand on to each other."""

from __future__ import annotations

from ansible_collections.edgeops.cloudflare.plugins.plugin_utils.runbook.inputs import near_misses


def test_what_a_report_hands_on_is_no_mistyped_record():
    """In a workflow of AWX it is a variable of each job that comes after."""
    assert near_misses(["edgeops_report"], ["edgeops_record"]) == []
    assert near_misses(["edgeops_recrod"], ["edgeops_record"]) == [
        "edgeops_recrod is no input of this runbook; did you mean edgeops_record?"
    ]
