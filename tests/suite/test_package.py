# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tarball that users install: all of the collection and nothing of the workshop."""

from __future__ import annotations

import tarfile

import environments
from processes import run
from staging import project_files

# Of the project's files, what is of use in a checkout only.
LEFT_OUT = {".ci/run", ".gitignore", "biome.json", "noxfile.py", "pyproject.toml", "pytest.ini"}
MADE = {"FILES.json", "MANIFEST.json"}

# What lies about in a used checkout and has no place in a release.
CLUTTER = (
    ".ansible/x",
    ".build/x",
    ".git/x",
    ".hypothesis/x",
    ".mypy_cache/x",
    ".pytest_cache/x",
    ".ruff_cache/x",
    ".venv-x/x",
    ".wrangler/x",
    "changelogs/.plugin-cache.yaml",
    "collections/x",
    "edgeops-cloudflare-0.0.1.tar.gz",
    "plugins/modules/__pycache__/x.pyc",
    "tests/engine/node_modules/x",
    "tests/integration/integration_config.yml",
    "tests/output/x",
)


def test_tarball(core, tree, tmp_path):
    """A collection built from a used checkout holds what it must and none of the clutter."""
    for name in CLUTTER:
        path = tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("", encoding="utf-8")
    venv = environments.ensure("core-" + core)
    run(
        [venv / "bin" / "ansible-galaxy", "collection", "build", "--output-path", tmp_path],
        log=core + "/build.log",
        cwd=tree,
        env=environments.child_environment(venv),
        timeout=600,
    )
    (tarball,) = tmp_path.glob("*.tar.gz")
    assert tarball.name.startswith("edgeops-cloudflare-")
    with tarfile.open(tarball) as archive:
        names = [member.name for member in archive if not member.isdir()]
    assert set(names) == set(project_files()) - LEFT_OUT - {"galaxy.yml"} | MADE
