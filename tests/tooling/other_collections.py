# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Collections that this one is used with: awx.awx, which configures AWX, and ansible.posix with its JSON output.

The package index has them inside of a package of four hundred megabytes; of that, two are kept.
"""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
from pathlib import Path

from environments import BUILD, NOX, REQUIREMENTS, child_environment

PINS = REQUIREMENTS / "collections.txt"
KEPT = ("awx/awx", "ansible/posix")


def _pin():
    (pin,) = [line for line in PINS.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    return pin


def ensure():
    """A collections path that leads to KEPT alone; fetched once for each pin. Raises CalledProcessError where they can't be had."""
    folder = BUILD / ("collections-of-" + _pin().replace("==", "-"))
    if folder.is_dir():
        return folder
    BUILD.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=BUILD, prefix="collections-of-") as made:
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
        for name in KEPT:
            inside = Path("ansible_collections", name)
            (kept / inside).parent.mkdir(parents=True)
            (site / inside).rename(kept / inside)
        # Another process may have been faster.
        with contextlib.suppress(OSError):
            kept.rename(folder)
    return folder
