# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ansible-test sanity, with nothing ignored."""

from __future__ import annotations

import re

import environments
import expected
from ansible_test import ansible_test
from staging import project_files


def test_nothing_is_ignored():
    """No line of any ignore list excuses a file from a sanity test."""
    ignored = [name for name in project_files() if re.match(r"tests/sanity/ignore-.*\.txt$", name)]
    assert ignored == []


def test_sanity(core, core_tree):
    """Every sanity test passes, and none is left out but for a Python that this machine doesn't have."""
    output = ansible_test(core, core_tree, "sanity", log="sanity.log")
    ran = re.findall(r'^Running sanity test "([^"]+)"', output, re.MULTILINE)
    left_out = re.findall(r'^WARNING: Skipping sanity test "[^"]+" on Python (\S+) because it could not be found', output, re.MULTILINE)
    assert "validate-modules" in ran
    assert len(ran) + len(left_out) >= expected.SANITY_TESTS, ran
    assert [version for version in left_out if environments.find_python(version)] == []
    for version in expected.SANITY_PYTHONS:
        if environments.find_python(version) and version not in expected.SANITY_PYTHONS_UNKNOWN.get(core, ()):
            assert f'Running sanity test "import" on Python {version}' in output
    skipped = re.findall(r"^WARNING: (?!.*could not be found).*skip.*", output, re.MULTILINE | re.IGNORECASE)
    assert skipped == []
