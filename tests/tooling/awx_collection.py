# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection awx.awx, which configures AWX: for the linter, and for checks of options.

The package index has it inside of a package of four hundred megabytes; of that, one is kept.
"""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
from pathlib import Path

from environments import BUILD, NOX, REQUIREMENTS, child_environment

PINS = REQUIREMENTS / "awx.txt"
INSIDE = Path("ansible_collections") / "awx" / "awx"


def _pin():
    (pin,) = [line for line in PINS.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    return pin


def ensure():
    """A collections path that leads to awx.awx alone; fetched once for each pin. Raises CalledProcessError where it can't be had."""
    folder = BUILD / ("awx-" + _pin().replace("==", "-"))
    if (folder / INSIDE).is_dir():
        return folder
    BUILD.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=BUILD, prefix="awx-") as made:
        site = Path(made) / "site"
        # The cache would keep all of it.
        options = ["--quiet", "--no-cache", "--no-deps", "--only-binary", ":all:", "--python-version", "3.11", "--target", site]
        subprocess.run(
            [NOX / "bin" / "uv", "pip", "install", *options, _pin()],
            check=True,
            env=child_environment(),
            stdin=subprocess.DEVNULL,
        )
        kept = Path(made) / "kept"
        (kept / INSIDE).parent.mkdir(parents=True)
        (site / INSIDE).rename(kept / INSIDE)
        # Another process may have been faster.
        with contextlib.suppress(OSError):
            kept.rename(folder)
    return folder
