# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Render the documentation as HTML into .build/docs; every warning is an error. Runs in the tools environment."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

from environments import BUILD, ROOT
from staging import collections_path, staged

COLLECTION = "edgeops.cloudflare"

# Links into other projects' documentation would need the network; references that lead there are left alone.
OFFLINE = """
intersphinx_mapping = {}
suppress_warnings = ["ref.ref"]
"""


def build(folder):
    """Render into this folder, which is emptied first; returns the page to open."""
    shutil.rmtree(folder, ignore_errors=True)
    # antsibull-docs refuses a folder that others may write to
    (folder / "rst").mkdir(parents=True, mode=0o755)
    with staged() as root:
        env = dict(os.environ, ANSIBLE_COLLECTIONS_PATH=str(collections_path(root)))

        def tool(*command):
            # Progress is no news; warnings and errors go to the error output.
            subprocess.run(command, cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)

        tool("antsibull-docs", "sphinx-init", "--use-current", "--squash-hierarchy", "--fail-on-error", "--project", COLLECTION,
             "--copyright", COLLECTION + " contributors", "--title", COLLECTION, "--html-short-title", COLLECTION, "--dest-dir", ".", COLLECTION)  # fmt: skip
        with (folder / "conf.py").open("a", encoding="utf-8") as conf:
            conf.write(OFFLINE)
        tool("antsibull-docs", "--config-file", "antsibull-docs.cfg", "collection", "--cleanup", "everything", "--use-current",
             "--squash-hierarchy", "--fail-on-error", "--dest-dir", "rst", COLLECTION)  # fmt: skip
        tool("sphinx-build", "--quiet", "-W", "--keep-going", "-b", "html", "-c", ".", "rst", "html")
    return folder / "html" / "index.html"


if __name__ == "__main__":
    try:
        print("Documentation: {}".format(build(BUILD / "docs").relative_to(ROOT)))
    except subprocess.CalledProcessError as error:
        sys.exit(f"error: {error}")
