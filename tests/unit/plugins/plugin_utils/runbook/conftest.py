# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runbooks on a workflow of the test's own."""

from __future__ import annotations

import pytest

from ansible_collections.edgeops.cloudflare.tests.unit.fakes import FakeWorkflow
from ansible_collections.edgeops.cloudflare.tests.unit.runbooks import Runbooks
from ansible_collections.edgeops.cloudflare.tests.unit.running import TaskRunner


@pytest.fixture
def of(monkeypatch, capfd, clock, tmp_path):
    """Makes the Runbooks of these instances; it is some minutes after midnight."""
    clock.pass_by(1000)
    return lambda *instances: Runbooks(TaskRunner(monkeypatch, capfd, FakeWorkflow(clock, *instances)), tmp_path)
