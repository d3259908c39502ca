# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures of the functional tests: the module against the real engine, without a playbook around it."""

from __future__ import annotations

import sys

import environments
import pytest
from flock import Flock
from harness import MODULE, Process, connection, run_module
from patience import patience

sys.path.insert(0, str(environments.linked_collections()))


class Bench:
    """The engine, and the module pointed at its gateway."""

    def __init__(self, engine):
        self.engine = engine

    def control(self, method, path, body=None):
        """A call of the control API; see tests/engine/README.md."""
        return self.engine.control(method, path, body)

    def create(self, workflow, ids, params=None, status=None, **more):
        """Create instances, and wait until all hold a status."""
        body = {"workflow": workflow, "ids": ids, "params": params or {}, **more}
        if status:
            body["status"] = status
        return self.control("POST", "/instances", body)["ids"]

    def module(self, check_mode=False, diff=False, environ=None, module=MODULE, **options):
        """Run the module in this process; see harness.run_module."""
        return run_module(connection(self.engine, **options), check_mode, diff, environ, module)

    def process(self, check_mode=False, diff=False, environ=None, module=MODULE, **options):
        """Start the module in a process of its own; see harness.Process."""
        return Process(connection(self.engine, **options), check_mode, diff, environ, module)

    def calls(self, **filters):
        """What arrived at the gateway since the last reset: {total, by_kind, log}."""
        query = "&".join(f"{key}={value}" for key, value in filters.items())
        return self.control("GET", "/calls" + ("?" + query if query else ""))

    def steps(self, workflow, instance):
        """What truly ran of an instance: {steps, rollbacks, …}, counted by the workflows themselves."""
        return self.control("GET", f"/steps?workflow={workflow}&instance={instance}")

    def status(self, workflow, instance):
        """The status at this moment, as the API tells it; not counted among the module's calls by tests that reset after."""
        _code, _headers, body = self.engine.api("GET", f"/{workflow}/instances/{instance}")
        return (body.get("result") or {}).get("status")


@pytest.fixture
def bench(local_engine):
    """A Bench with a clean gateway: no faults, no overlays, counters at zero. A short `api_timeout`: see patience.py."""
    local_engine.control("POST", "/reset")
    with patience(local_engine):
        yield Bench(local_engine)
    local_engine.control("POST", "/reset")


@pytest.fixture(scope="session")
def lasting_bench(local_engine):
    """A Bench for fixtures that several tests share: nothing is reset between them."""
    return Bench(local_engine)


@pytest.fixture
def flock(bench):
    """A Flock without instances; see flock.Flock."""
    instances = Flock(bench)
    instances.purge()
    yield instances
    instances.purge()
