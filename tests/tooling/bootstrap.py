# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nox and uv in an environment of their own; everything else is noxfile.py's.

    python3 tests/tooling/bootstrap.py -s lint

Takes nox's arguments and becomes nox. Any Python 3 starts it; nox runs on one that it looks for.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys

from environments import BUILD, NOX, REQUIREMENTS, ROOT, child_environment, find_python

PINS = REQUIREMENTS / "nox.txt"
PYTHON = NOX / "bin" / "python"
MADE_FROM = NOX / "made-from"

# uv reads nothing of pip's configuration. Where that names another registry, uv is told by this file's content.
REGISTRY = NOX / "registry"


def _answer(environ, *command):
    result = subprocess.run(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    return result.stdout.decode().strip() if result.returncode == 0 else ""


def _make(environ):
    base = next(filter(None, map(find_python, ("3.13", "3.12", "3.11"))), sys.executable)
    shutil.rmtree(NOX, ignore_errors=True)
    subprocess.run([base, "-m", "venv", "--without-pip", NOX], env=environ, check=True)
    # The base's own pip is there at once; ensurepip takes seconds.
    pip, into = [base, "-m", "pip"], ["--python", PYTHON]
    if not _answer(environ, *pip, "--version"):
        subprocess.run([PYTHON, "-m", "ensurepip"], env=environ, check=True, stdout=subprocess.DEVNULL)
        pip, into = [PYTHON, "-m", "pip"], []
    uv = next(line for line in PINS.read_text(encoding="utf-8").splitlines() if line.startswith("uv=="))
    # Twice quiet: errors are told, and nothing else.
    subprocess.run([*pip, *into, "install", "-qq", "--disable-pip-version-check", "--no-input", uv], env=environ, check=True)
    registry = environ.get("PIP_INDEX_URL") or _answer(environ, *pip, "config", "get", "global.index-url")
    REGISTRY.write_text(registry, encoding="utf-8")
    environ = _with_registry(environ)
    subprocess.run([environ["UV"], "pip", "install", "--quiet", "--python", PYTHON, "-r", PINS], env=environ, check=True)
    MADE_FROM.write_bytes(PINS.read_bytes())


def _with_registry(environ):
    registry = REGISTRY.read_text(encoding="utf-8")
    return {"UV_DEFAULT_INDEX": registry, **environ} if registry else environ


def _made():
    # A Python that has been removed since leaves a dangling link behind.
    return MADE_FROM.is_file() and MADE_FROM.read_bytes() == PINS.read_bytes() and os.access(PYTHON, os.X_OK)


def main():
    """Make nox's environment unless it is there as pinned, and become nox."""
    environ = child_environment()
    BUILD.mkdir(exist_ok=True)
    with open(BUILD / "nox.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _made():
            print(f"Making {NOX.relative_to(ROOT)}", file=sys.stderr, flush=True)
            try:
                _make(environ)
            except subprocess.CalledProcessError as error:
                sys.exit(f"error: {error}")
    command = [str(PYTHON), "-m", "nox", "-f", str(ROOT / "noxfile.py"), *sys.argv[1:]]
    os.execve(PYTHON, command, _with_registry(environ))


if __name__ == "__main__":
    main()
