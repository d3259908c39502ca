# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The unit tests, as ansible-test runs them and on the floor of what the modules support."""

from __future__ import annotations

import xml.etree.ElementTree

import environments
import expected
from ansible_test import ansible_test
from processes import run
from staging import collections_path


def _check(root, reports):
    """No unit test failed or was skipped, none is missing, and every file with tests took part."""
    cases = [case for report in reports for case in xml.etree.ElementTree.parse(report).iter("testcase")]
    bad = [
        case.get("name")
        for case in cases
        if case.find("skipped") is not None or case.find("failure") is not None or case.find("error") is not None
    ]
    assert bad == []
    assert len(cases) >= expected.UNIT_TESTS
    classes = {case.get("classname") for case in cases}
    files = {path.stem for path in root.glob("tests/unit/**/test_*.py")}
    silent = {stem for stem in files if not any(stem in name.split(".") for name in classes)}
    assert silent == set()


def test_units(core, core_tree):
    """On the Python of this ansible-core, with the newest libraries."""
    version = environments.python_for("core-" + core)
    for report in core_tree.glob("tests/output/junit/*.xml"):
        report.unlink()  # of an integration test in the same tree
    ansible_test(core, core_tree, "units", "--venv", "--python", version, log="units.log")
    _check(core_tree, sorted(core_tree.glob("tests/output/junit/*.xml")))


# Not collected, rather than skipped, where that Python is missing; the header of the report says so.
if environments.python_for("oldest"):

    def test_units_on_the_floor(tree):
        """On Python 3.9 with the oldest requests and urllib3."""
        venv = environments.ensure("oldest")
        report = tree / "units.xml"
        env = environments.child_environment(venv)
        # Without ansible-test's loader a namespace package does: the staged copy on Python's own path.
        env["PYTHONPATH"] = str(collections_path(tree))
        run(
            [venv / "bin" / "python", "-m", "pytest", "tests/unit", "--junit-xml", report],
            log="oldest/units.log",
            cwd=tree,
            env=env,
            timeout=1800,
        )
        _check(tree, [report])
