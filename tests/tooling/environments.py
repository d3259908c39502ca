# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which environments there are, where they lie, and what a process in one of them may see.

The sessions of noxfile.py make them, with uv; this file needs nothing but Python itself.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / ".build"
REQUIREMENTS = Path(__file__).resolve().parent / "requirements"

# Where bootstrap.py puts nox and uv.
NOX = BUILD / "nox"

BASELINE = "2.19"

# Which Python runs which environment: the first that is found.
PYTHONS = {
    "core-2.16": ("3.11", "3.12"),
    "core-2.17": ("3.11", "3.12"),
    "core-2.18": ("3.11", "3.12", "3.13"),
    "core-2.19": ("3.11", "3.12", "3.13"),
    "core-2.20": ("3.12", "3.13", "3.14"),
    "core-2.21": ("3.12", "3.13", "3.14"),
    "tools": ("3.11", "3.12", "3.13"),
    "oldest": ("3.9",),
    "bench": ("3.11", "3.12", "3.13"),
    "builder": ("3.11", "3.12", "3.13"),
    "eda": ("3.11", "3.12"),
}
CORES = tuple(name[len("core-") :] for name in PYTHONS if name.startswith("core-"))

# Settings of whoever calls must not decide what a test sees, and credentials of a real account must never get near it.
FOREIGN_SETTINGS = ("ANSIBLE_", "CLOUDFLARE_", "PYTEST_", "NOX", "VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME")

# Nor may they decide what is installed, and where. Which registry is asked, and how it is reached, is the machine's business.
FOREIGN_SETTINGS += tuple(
    prefix + name
    for prefix in ("PIP_", "UV_")
    for name in ("CONSTRAINT", "FIND_LINKS", "NO_", "ONLY_BINARY", "OVERRIDE", "PREFIX", "PRE", "PYTHON", "REQUIRE", "TARGET", "USER")
)


class EnvironmentMissing(Exception):
    """An environment can't be made here; the message says what to install."""


def _path():
    """The folders of PATH, the real interpreters of pyenv first.

    A shim of pyenv's exists for every version ever installed and fails where that version isn't the selected one.
    """
    folders = [Path(item) for item in os.environ.get("PATH", os.defpath).split(os.pathsep) if item]
    shims = [folder for folder in folders if folder.name == "shims" and "pyenv" in str(folder)]
    # HOME may be an empty folder and pyenv set up by PATH alone.
    roots = [Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv"), *(folder.parent for folder in shims)]
    found = {}
    for folder in (folder for root in roots for folder in root.glob("versions/3.*/bin")):
        with contextlib.suppress(ValueError):
            found[folder] = tuple(int(part) for part in folder.parent.name.split("."))
    newest_first = sorted(found, key=found.__getitem__, reverse=True)
    return list(dict.fromkeys(folder for folder in newest_first + folders if folder not in shims))


def find_python(version):
    """The path of a Python of this version, or None."""
    return shutil.which("python" + version, path=os.pathsep.join(map(str, _path())))


def python_for(name):
    """The version of the Python that an environment would use, or None where there is none; PY chooses that of an ansible-core."""
    wanted = os.environ.get("PY") if name.startswith("core-") else None
    return next((version for version in PYTHONS[name] if wanted in (None, "", version) and find_python(version)), None)


def session_of(name):
    """The session that makes an environment, or raises EnvironmentMissing."""
    version = python_for(name)
    if not version:
        wanted = (name.startswith("core-") and os.environ.get("PY")) or " or ".join(PYTHONS[name])
        raise EnvironmentMissing(f"{name} needs Python {wanted}; none was found on PATH or under pyenv")
    return f"{name}-{version}"


def folder_of(name):
    """Where an environment lies, made or not."""
    # As nox names it.
    return BUILD / "venv" / session_of(name).replace(".", "-")


def ensure(name):
    """Make the environment unless it is there as pinned; returns its folder."""
    subprocess.run(
        [NOX / "bin" / "python", "-m", "nox", "-f", ROOT / "noxfile.py", "-s", session_of(name)],
        check=True,
        env=child_environment(),
        stdin=subprocess.DEVNULL,
    )
    return folder_of(name)


def home():
    """HOME if something can be written there, else a folder of the checkout's own."""
    folder = os.environ.get("HOME", "")
    if folder and os.path.isdir(folder) and os.access(folder, os.W_OK):
        return Path(folder)
    folder = BUILD / "home"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def child_environment(folder=None):
    """Variables for a child process: ours without foreign settings, with an environment's programs first on PATH."""
    environ = {key: value for key, value in os.environ.items() if not key.startswith(FOREIGN_SETTINGS)}
    path = [str(item) for item in _path()]
    if folder:
        path.insert(0, str(folder / "bin"))
        environ["VIRTUAL_ENV"] = str(folder)
    environ.update(
        PATH=os.pathsep.join(path),
        HOME=str(home()),
        # ansible refuses to start in a locale that isn't UTF-8
        LC_ALL="C.UTF-8",
        PYTHONDONTWRITEBYTECODE="1",
        UV=str(NOX / "bin" / "uv"),
        # It would try for seconds before it says that there is no such Python.
        UV_PYTHON_DOWNLOADS="never",
        # The certificates that pip trusts.
        UV_SYSTEM_CERTS="1",
    )
    return environ


def linked_collections():
    """A collections path that leads to the checkout itself: enough for ansible-playbook, not for ansible-test."""
    link = BUILD / "collections" / "ansible_collections" / "edgeops" / "cloudflare"
    link.parent.mkdir(parents=True, exist_ok=True)
    if not link.is_symlink():
        with contextlib.suppress(FileExistsError):
            link.symlink_to(os.path.relpath(str(ROOT), str(link.parent)))
    return BUILD / "collections"
