# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo, as `make demo` runs it: it asks the engine itself whether all that the playbook says is true."""

from __future__ import annotations

import environments
from processes import run


def test_demo():
    """It ends well, and with the words that lead to a real account."""
    venv = environments.ensure("core-" + environments.BASELINE)
    output = run(
        [venv / "bin" / "python", "tests/demo/run.py"],
        log="demo.log",
        cwd=environments.ROOT,
        env=environments.child_environment(venv),
        timeout=600,
    )
    assert "failed=0" in output and "edgeops.cloudflare.incident --check --diff" in output
