# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Copies of the collection where the tools look for it: …/ansible_collections/edgeops/cloudflare.

ansible-test accepts neither a symbolic link nor a folder that git ignores (it would skip every file and still
report success), so a copy has to lie outside of the checkout.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import tempfile
from pathlib import Path

from environments import ROOT


def project_files():
    """The paths, relative to the checkout, of all files that git tracks or would track."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, stdout=subprocess.PIPE, check=True
    ).stdout.decode()
    return sorted({item for item in listing.split("\0") if item and (ROOT / item).is_file()})


@contextlib.contextmanager
def staged():
    """A copy of the collection, removed at the end; yields its root."""
    with tempfile.TemporaryDirectory(prefix="edgeops-", ignore_cleanup_errors=True) as folder:
        root = Path(folder) / "ansible_collections" / "edgeops" / "cloudflare"
        for name in project_files():
            target = root / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target, follow_symlinks=False)
        yield root


def collections_path(root):
    """What ANSIBLE_COLLECTIONS_PATH has to be for a staged collection."""
    return root.parents[2]
