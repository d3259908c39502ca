# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every kind of task gives the same result as a module and in ansible-core's worker, on every ansible-core asked for."""

from __future__ import annotations

import environments
import expected
from two_ways import MODULES, assert_same_both_ways, kinds


def test_kinds():
    """There are enough of them, each has a name of its own, and each module of the collection has a file."""
    modules = {path.stem for path in (environments.ROOT / "plugins" / "modules").glob("*.py")}
    assert set(MODULES) == modules
    for module in MODULES:
        names = [task["name"] for task in kinds(module)["tasks"]]
        assert len(set(names)) == len(names) >= expected.KINDS_OF_TASKS[module]


def test_the_same_result(core, local_engine, tmp_path):
    assert_same_both_ways(core, "workflow_instance_status", local_engine, tmp_path)
