# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Versions, order and shared fixtures of the suite.

A test that takes `core` runs once for each ansible-core asked for; all others run once.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import os
import re
import signal
import subprocess

import environments
import expected
import pytest
from ansible_test import pin
from engine import Engine
from staging import staged

# Cheap checks first; then what takes longest, since files run side by side.
ORDER = (
    "test_static",
    "test_package",
    "test_integration",
    "test_both_ways",
    "test_both_ways_others",
    "test_awx_runs",
    "test_sanity",
    "test_faults",
    "test_in_worker",
    "test_units",
    "test_engine",
)


def _newest():
    return next(core for core in reversed(environments.CORES) if environments.python_for("core-" + core))


# What runs ansible-rulebook, whose engine is written in Java.
NEED_JAVA = ("test_rulebooks", "test_eda_guide")
JAVA = 17

# Tells the workers, which get their tests by name, that everything was asked for.
WHOLE_SUITE = "EDGEOPS_WHOLE_SUITE"


def pytest_configure(config):
    """A run that is told to end cleans up like one that is interrupted: tools have sessions of their own and would go on."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # Ignored in what a shell has started in the background, and in all that it starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if config.args_source == config.ArgsSource.TESTPATHS:
        os.environ[WHOLE_SUITE] = "1"


@functools.cache
def cores():
    """The ansible-core versions asked for by the variable CORE, each once."""
    wanted = [_newest() if item == "newest" else item for item in os.environ.get("CORE", environments.BASELINE).split()]
    for core in wanted:
        if core not in environments.CORES:
            raise pytest.UsageError("CORE: {} is not one of {}".format(core, ", ".join(environments.CORES)))
        if not environments.python_for("core-" + core):
            raise pytest.UsageError(
                "CORE: ansible-core {} needs a Python ({}) that isn't here".format(core, ", ".join(environments.PYTHONS["core-" + core]))
            )
    return list(dict.fromkeys(wanted))


@functools.cache
def has_java():
    """Whether there is a Java that the rule engine runs on."""
    try:
        said = subprocess.run(["java", "-version"], capture_output=True, text=True, check=True, timeout=60).stderr
    except (OSError, subprocess.SubprocessError):
        return False
    found = re.search(r'version "(\d+)', said)
    return bool(found) and int(found.group(1)) >= JAVA


def pytest_report_header():
    """Say what is going to run on what, and what can't."""
    lines = ["ansible-core {} on Python {}".format(core, environments.python_for("core-" + core)) for core in cores()]
    if environments.python_for("oldest"):
        lines.append("units also on the floor: Python 3.9 with the oldest requests and urllib3")
    else:
        lines.append("no Python 3.9 here: the units do NOT run on the floor of what is supported")
    if not has_java():
        lines.append(f"no Java {JAVA} here: the rulebooks do NOT run")
    return lines


def pytest_generate_tests(metafunc):
    """One test for each ansible-core."""
    if "core" in metafunc.fixturenames:
        metafunc.parametrize("core", cores())


def _position(item):
    return ORDER.index(item.path.stem) if item.path.stem in ORDER else ORDER.index("test_engine")


_COLLECTED = pytest.StashKey()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config, items):
    """Put them in ORDER (the sort keeps the order inside a file), and count them before -k deselects any."""
    if not has_java():
        items[:] = [item for item in items if item.path.stem not in NEED_JAVA]
    config.stash[_COLLECTED] = {
        folder: sum(item.path.is_relative_to(environments.ROOT / folder) for item in items) for folder in expected.COLLECTED
    }
    if not os.environ.get(WHOLE_SUITE):
        items[:] = [item for item in items if "collected" not in item.fixturenames]
    items.sort(key=_position)


@pytest.fixture
def collected(request):
    """Tests found, by folder; whatever takes it runs only where everything was asked for."""
    return request.config.stash[_COLLECTED]


def pytest_sessionfinish(session):
    """A skipped test proves nothing: it fails the run."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")  # the workers have none
    if reporter and reporter.stats.get("skipped") and not session.exitstatus:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture
def tree():
    """A staged copy of the collection for one test that may change it."""
    with staged() as root:
        yield root


@pytest.fixture(scope="session")
def tools():
    """The environment of the linters and documentation tools."""
    return environments.ensure("tools")


@pytest.fixture
def read_inputs(monkeypatch):
    """How a runbook reads what it is given."""
    monkeypatch.syspath_prepend(str(environments.linked_collections()))
    return importlib.import_module("ansible_collections.edgeops.cloudflare.plugins.plugin_utils.runbook.inputs").read_inputs


@pytest.fixture(scope="session")
def _core_trees():
    with contextlib.ExitStack() as stack:

        @functools.cache
        def tree_of(_core):
            root = stack.enter_context(staged())
            pin(root)
            return root

        yield tree_of


@pytest.fixture
def core_tree(core, _core_trees):
    """A staged copy for all ansible-test runs of one ansible-core: they share the environments it makes inside."""
    return _core_trees(core)


@pytest.fixture(scope="session")
def local_engine():
    """The Workflows engine and its gateway, on ports of their own."""
    with Engine() as engine:
        yield engine
