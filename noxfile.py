# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands of the Makefile, and the environments that they run in.

An environment is a session that makes itself, with uv, once and again when its pins have changed. A command is a session that
has an environment made first, and runs there. Started by tests/tooling/bootstrap.py, which cleans what a session sees.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import filelock
import nox
import psutil

TOOLING = Path(__file__).resolve().parent / "tests" / "tooling"
sys.path.insert(0, str(TOOLING))

import environments  # noqa: E402
from environments import BASELINE, BUILD, ROOT  # noqa: E402

nox.needs_version = ">=2026.10"
nox.options.default_venv_backend = "uv"
nox.options.envdir = str(BUILD / "venv")
nox.options.reuse_venv = "yes"
nox.options.sessions = ["test"]

# How long a command may take to clean up when it is interrupted; nox would kill it at once.
CLEANING_UP = 60

# Two commands that are started together make an environment once. Nox makes it before it calls a session: so this is held
# from here on until a command begins.
ENVIRONMENTS = filelock.FileLock(BUILD / "venv.lock")
ENVIRONMENTS.acquire()


def _pass_on(number, _frame):
    for child in psutil.Process().children():
        child.send_signal(number)


# Without this, nox would end and leave the command running.
signal.signal(signal.SIGTERM, _pass_on)


def _pins(path):
    """The text of a requirements file and of those it refers to: what the environment must follow."""
    text = path.read_text(encoding="utf-8")
    return text + "".join(_pins(path.parent / line[3:].strip()) for line in text.splitlines() if line.startswith(("-r ", "-c ")))


def _fetch_engine():
    """The engine's packages, meanwhile: whoever starts an engine waits for them, and tells it if they can't be had."""
    command = [sys.executable, ROOT / "tests" / "engine" / "engine_packages.py"]
    subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _environment(name):
    requirements = environments.REQUIREMENTS / (name + ".txt")

    def make(session):
        made_from = environments.folder_of(name) / "made-from"
        wanted = _pins(requirements)
        if not made_from.is_file() or made_from.read_text(encoding="utf-8") != wanted:
            made_from.unlink(missing_ok=True)
            if name.startswith("core-"):
                _fetch_engine()
            session.install("--exact", "-r", str(requirements))
            made_from.write_text(wanted, encoding="utf-8")

    make.__doc__ = f"An environment, see requirements/{name}.txt"
    return nox.session(make, name=environments.session_of(name), python=environments.python_for(name))


for known in environments.PYTHONS:
    if environments.python_for(known):
        _environment(known)


def _command(name, environment):
    """A command that runs in this environment: the function gets the session and a `run` for programs there."""

    def decorate(function):
        def begin(session):
            try:
                folder = environments.folder_of(environment)
            except environments.EnvironmentMissing as error:
                session.error(str(error))
            ENVIRONMENTS.release()
            environ = environments.child_environment(folder)
            environ["ANSIBLE_COLLECTIONS_PATH"] = str(environments.linked_collections())

            def run(program, *arguments, **more):
                session.run(
                    folder / "bin" / program,
                    *arguments,
                    env={**environ, **more},
                    include_outer_env=False,
                    external=True,
                    log=False,
                    interrupt_timeout=CLEANING_UP,
                    terminate_timeout=CLEANING_UP,
                )

            function(session, run)

        begin.__doc__ = function.__doc__
        made_first = [environments.session_of(environment)] if environments.python_for(environment) else []
        return nox.session(begin, name=name, python=False, requires=made_first)

    return decorate


CORE = next((core for core in os.environ.get("CORE", "").split() if core != "newest"), BASELINE)


@_command("demo", "core-" + BASELINE)
def demo(session, run):
    """An incident from the first look to all clear, on the local Workflows engine."""
    run("python", "tests/demo/run.py", *session.posargs)


@_command("test", "core-" + CORE)
def test(session, run):
    """Every check."""
    run("pytest", "-n", os.environ.get("JOBS", "4"), "--dist", "loadfile", "--no-loadscope-reorder", *session.posargs)


@_command("test-quick", "core-" + BASELINE)
def test_quick(session, run):
    """The unit tests straight from the checkout."""
    run("pytest", "tests/unit", *session.posargs, PYTHONPATH=str(environments.linked_collections()))


@_command("bench", "core-" + BASELINE)
def bench(session, run):
    """Calls and times against what else can do the job."""
    run("python", "tests/benchmark/run.py", *session.posargs)


@_command("soak", "core-" + BASELINE)
def soak(session, run):
    """Random tasks and events against a model."""
    run("python", "tests/tooling/soak.py", *session.posargs)


@_command("engine", "core-" + BASELINE)
def engine(session, run):
    """The local Workflows engine in the foreground."""
    run("python", "tests/engine/engine.py", *session.posargs)


@_command("docs", "tools")
def docs(_session, run):
    """The documentation as HTML."""
    run("python", "tests/tooling/docs.py")


@_command("lint", "tools")
def lint(_session, run):
    """Python and JavaScript: layout, lint and types."""
    run("python", "tests/tooling/lint.py")


@_command("format", "tools")
def lay_out(_session, run):
    """Lay Python and JavaScript out, and mend what can be mended."""
    run("python", "tests/tooling/lint.py", "--fix")


@_command("release", "tools")
def release(session, run):
    """The changelog of a new version, from its fragments."""
    run("antsibull-changelog", "release", *session.posargs)
