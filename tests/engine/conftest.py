# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One engine for each file of tests, clean for each test."""

from __future__ import annotations

import pytest
from engine import Engine
from engine_helpers import make, path_of


@pytest.fixture(name="engine", scope="module")
def _engine():
    with Engine() as engine:
        yield engine


@pytest.fixture(autouse=True)
def _clean(request):
    if "engine" in request.fixturenames:
        engine = request.getfixturevalue("engine")
        engine.control("POST", "/reset")
        for workflow in ("lab", "orders", "fleet"):
            engine.control("POST", "/purge", {"workflow": workflow})
        engine.control("POST", "/calls/reset")


@pytest.fixture(name="waiting")
def _waiting(engine):
    make(engine, "one", [{"wait": "w"}], "waiting")
    return path_of("one", "/status")
