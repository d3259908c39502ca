# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every kind of task of the other modules gives the same result as a module and in ansible-core's worker, on every ansible-core asked for."""

from __future__ import annotations

import pytest
from two_ways import MODULES, assert_same_both_ways


@pytest.mark.parametrize("module", [module for module in MODULES if module != "workflow_instance_status"])
def test_the_same_result(core, module, local_engine, tmp_path):
    assert_same_both_ways(core, module, local_engine, tmp_path)
