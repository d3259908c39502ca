# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Layout, lint and types of all code: the commands, for `make lint`, `make format` and the tests that show what they catch.

Types are checked on a staged copy, from the folder that holds `ansible_collections`; the rest in the checkout.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from environments import ROOT
from staging import collections_path, staged

sys.path.insert(0, str(ROOT / "tests" / "engine"))

import engine_packages

PROGRAMS = Path(sys.executable).parent
BIOME = Path("node_modules", "@biomejs", "biome", "bin", "biome")


def python(programs, fix=False):
    """Ruff's commands, list of list."""
    ruff = programs / "ruff"
    if fix:
        return [[ruff, "check", "--fix", "."], [ruff, "format", "."]]
    return [[ruff, "check", "."], [ruff, "format", "--check", "."]]


def javascript(fix=False):
    """Biome's command, list of list."""
    node, folder = engine_packages.install(ROOT / "tests" / "tooling" / "javascript", "javascript")
    return [[node, folder / BIOME, "check", "--write"] if fix else [node, folder / BIOME, "ci", "--error-on-warnings"]]


def types(programs, root):
    """Mypy's command for a staged collection; runs in `collections_path(root)` / ansible_collections' parent."""
    folders = [f"ansible_collections/edgeops/cloudflare/{folder}" for folder in ("plugins", "extensions/eda/plugins/event_source")]
    return [programs / "mypy", "--config-file", root / "pyproject.toml", *folders]


def main(arguments):
    """Run all of it; every command is run, whatever the one before said. Returns the exit code."""
    fix = "--fix" in arguments
    codes = [subprocess.run(command, cwd=ROOT, check=False).returncode for command in [*python(PROGRAMS, fix), *javascript(fix)]]
    if not fix:
        with staged() as root:
            codes.append(subprocess.run(types(PROGRAMS, root), cwd=collections_path(root), check=False).returncode)
    return max(codes)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
