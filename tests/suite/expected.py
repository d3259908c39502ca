# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run of the suite has to have seen. Raise these numbers as the project grows, so that tests can't vanish unnoticed."""

from __future__ import annotations

# Lines "Running sanity test" of ansible-test, counting those it says it left out for want of a Python.
SANITY_TESTS = 34

# Kinds of tasks that are run both ways, by module.
KINDS_OF_TASKS = {
    "workflow_info": 19,
    "workflow_instance": 31,
    "workflow_instance_event": 22,
    "workflow_instance_info": 29,
    "workflow_instance_status": 116,
}

# The Pythons that modules run on; each that is here has to import every one of them.
SANITY_PYTHONS = ("3.9", "3.10", "3.11", "3.12", "3.13")

# Newer Pythons than an ansible-core knows.
SANITY_PYTHONS_UNKNOWN = {"2.16": ("3.13",), "2.17": ("3.13",)}

# Unit tests passed, on every Python they run on.
UNIT_TESTS = 1100

# Tests of the engine, and of the module on the engine, that run in the suite's own session.
COLLECTED = {"tests/engine": 73, "tests/suite/functional": 2780}

# Files that ansible-lint looked at.
LINTED_FILES = 210

# Numbered scenarios (tasks/NN-name.yml) of each integration target.
SCENARIOS = {
    "workflow_instance_status": 34,
    "workflow_instance_status_dev": 10,
    "other_modules": 5,
}
