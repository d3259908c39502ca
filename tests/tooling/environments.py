# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pinned virtual environments under .build/, and a command that runs inside one of them.

    python3 environments.py core-2.19 pytest --version

Any Python 3 starts this file; it looks for the version that the environment wants by itself. An environment
is made once, and again when its pins have changed.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / ".build"
REQUIREMENTS = Path(__file__).resolve().parent / "requirements"

BASELINE = "2.19"

# Which Python runs which environment: the first that is found.
PYTHONS = {
    "core-2.18": ("3.11", "3.12", "3.13"),
    "core-2.19": ("3.11", "3.12", "3.13"),
    "core-2.20": ("3.12", "3.13", "3.14"),
    "core-2.21": ("3.12", "3.13", "3.14"),
    "tools": ("3.11", "3.12", "3.13"),
    "oldest": ("3.9",),
    "bench": ("3.11", "3.12", "3.13"),
}
CORES = tuple(name[len("core-") :] for name in PYTHONS if name.startswith("core-"))

# Settings of whoever calls must not decide what a test sees, and credentials of a real account must never get near it.
FOREIGN_SETTINGS = ("ANSIBLE_", "CLOUDFLARE_", "PYTEST_", "VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME")


class EnvironmentMissing(Exception):
    """An environment can't be made here; the message says what to install."""


# --- finding a Python ---


def _is_pyenv_shims(folder):
    # A shim exists for every version ever installed and fails when the version isn't the selected one.
    return folder.name == "shims" and "pyenv" in str(folder)


def _path():
    return [Path(item) for item in os.environ.get("PATH", os.defpath).split(os.pathsep) if item]


def _search_path():
    return [folder for folder in _path() if not _is_pyenv_shims(folder)]


def _pyenv_folders():
    """The real interpreters behind pyenv's shims, newest first."""
    # HOME may be an empty folder and pyenv set up by PATH alone.
    roots = [Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")] + [
        folder.parent for folder in _path() if _is_pyenv_shims(folder)
    ]
    found = set()
    for folder in (folder for root in roots for folder in root.glob("versions/3.*/bin")):
        parts = folder.parent.name.split(".")
        if len(parts) == 3 and all(part.isdigit() for part in parts):
            found.add((tuple(int(part) for part in parts), folder))
    return [folder for version, folder in sorted(found, reverse=True)]


def _can_make_environments(python, version):
    probe = "import sys, venv, ensurepip; print('%d.%d' % sys.version_info[:2])"
    try:
        result = subprocess.run([str(python), "-c", probe], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    except OSError:
        return False
    return result.returncode == 0 and result.stdout.decode().strip() == version


def find_python(version):
    """The path of a Python of this version that has venv and ensurepip, or None."""
    for folder in _search_path() + _pyenv_folders():
        candidate = folder / ("python" + version)
        if os.access(str(candidate), os.X_OK) and _can_make_environments(candidate, version):
            return candidate
    return None


def python_for(name):
    """(version, path) of the Python that an environment would use, or None where there is none."""
    wanted = os.environ.get("PY")
    versions = PYTHONS[name]
    if wanted and name.startswith("core-"):
        versions = tuple(version for version in versions if version == wanted)
    for version in versions:
        path = find_python(version)
        if path:
            return version, path
    return None


# --- making an environment ---


def _pins(path):
    """The text of a requirements file and of those it refers to: what the environment must follow."""
    text = path.read_text(encoding="utf-8")
    for line in text.splitlines():
        if line.startswith(("-r ", "-c ")):
            text += _pins(path.parent / line[3:].strip())
    return text


@contextlib.contextmanager
def _locked(path):
    """Two commands started together make an environment once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _as_wanted(folder, marker, wanted):
    # A Python that has been removed since leaves a dangling link behind.
    return marker.is_file() and marker.read_text(encoding="utf-8") == wanted and os.access(str(folder / "bin" / "python"), os.X_OK)


def ensure(name):
    """Make the environment unless it is there as pinned; returns its folder."""
    found = python_for(name)
    if not found:
        raise EnvironmentMissing(
            "{} needs Python {} with venv and ensurepip; none was found on PATH or under pyenv".format(
                name, os.environ.get("PY") if name.startswith("core-") and os.environ.get("PY") else " or ".join(PYTHONS[name])
            )
        )
    version, python = found
    folder = BUILD / ("venv-{}-{}".format(name.removeprefix("core-"), version))
    requirements = REQUIREMENTS / (name + ".txt")
    marker = folder / "made-from"
    wanted = hashlib.sha256(_pins(requirements).encode()).hexdigest()
    with _locked(BUILD / (folder.name + ".lock")):
        if not _as_wanted(folder, marker, wanted):
            print(f"Making {folder.relative_to(ROOT)} ({name}, Python {version})", file=sys.stderr, flush=True)
            shutil.rmtree(str(folder), ignore_errors=True)
            environ = child_environment()
            subprocess.run([str(python), "-m", "venv", str(folder)], check=True, env=environ)
            subprocess.run(
                [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile",
                 "--no-input", "-r", str(requirements)],
                check=True, env=environ, stdin=subprocess.DEVNULL)  # fmt: skip
            marker.write_text(wanted, encoding="utf-8")
    return folder


# --- running inside one ---


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
    path = [str(item) for item in _search_path() + _pyenv_folders()]
    if folder:
        path.insert(0, str(folder / "bin"))
        environ["VIRTUAL_ENV"] = str(folder)
    environ.update(
        PATH=os.pathsep.join(path),
        HOME=str(home()),
        # ansible refuses to start in a locale that isn't UTF-8
        LC_ALL="C.UTF-8",
        PYTHONDONTWRITEBYTECODE="1",
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


def main(arguments):
    """Run a command in an environment; the process becomes that command."""
    name, command = arguments[0], arguments[1:]
    try:
        if name not in PYTHONS:
            raise EnvironmentMissing("{} is not one of {}".format(name, ", ".join(sorted(PYTHONS))))
        folder = ensure(name)
    except (EnvironmentMissing, subprocess.CalledProcessError) as error:
        sys.exit(f"error: {error}")
    environ = child_environment(folder)
    environ["ANSIBLE_COLLECTIONS_PATH"] = str(linked_collections())
    os.execvpe(command[0], command, environ)


if __name__ == "__main__":
    main(sys.argv[1:])
