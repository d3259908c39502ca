# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running ansible-test of one ansible-core on a staged collection."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import environments
from processes import run

# Stands in for the script with which ansible-test puts pip into its environments. It would download that script,
# which fails wherever only the package registries can be reached; the pip that comes with Python does as well.
GET_PIP = '''\
"""Install pip from the copy that Python carries, then what was asked for."""
import os
import subprocess
import sys

unsupported = ("--no-setuptools", "--no-wheel")
env = dict(os.environ)
env.pop("GET_PIP", None)
subprocess.check_call([sys.executable, "-m", "ensurepip"], env=env, stdout=subprocess.DEVNULL)
arguments = [item for item in sys.argv[1:] if item not in unsupported]
sys.exit(subprocess.call([sys.executable, "-m", "pip", "install"] + arguments, env=env))
'''


def _provide_get_pip(venv):
    """Fill ansible-test's cache where it is empty; its name holds the pip version that this ansible-core wants."""
    source = next(venv.glob("lib/python*/site-packages/ansible_test/_internal/python_requirements.py"))
    versions = set(re.findall(r"pip='([0-9.]+)'", source.read_text(encoding="utf-8")))
    if not versions:
        raise AssertionError(f"{source} no longer names the version of pip")
    cache = environments.home() / ".ansible" / "test" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    for version in versions:
        target = cache / ("get_pip_{}.py".format(version.replace(".", "_")))
        if not target.exists():
            with tempfile.NamedTemporaryFile("w", dir=cache, delete=False, encoding="utf-8") as handle:
                handle.write(GET_PIP)
            Path(handle.name).replace(target)


def pin(root):
    """Have ansible-test install, for units and integration, the versions that our own environments have."""
    pins = "".join((environments.REQUIREMENTS / name).read_text(encoding="utf-8") for name in ("common.txt", "constraints.txt"))
    for kind in ("unit", "integration"):
        (root / "tests" / kind / "constraints.txt").write_text(pins, encoding="utf-8")


def ansible_test(core, root, *arguments, log, timeout=1800, expect=0):
    """Run `ansible-test <arguments>` and return its output."""
    __tracebackhide__ = True
    venv = environments.ensure("core-" + core)
    _provide_get_pip(venv)
    command = [venv / "bin" / "ansible-test", *arguments, "--color", "no"]
    return run(command, log=f"{core}/{log}", cwd=root, env=environments.child_environment(venv), timeout=timeout, expect=expect)
