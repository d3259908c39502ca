# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What holds for all unit tests: the same examples in every run, and nothing taken from the environment they run in."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

from ansible_collections.edgeops.cloudflare.tests.unit.fakes import FakeClock

settings.register_profile(
    "unit",
    deadline=None,
    derandomize=True,
    database=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("unit")

_FOREIGN = (
    "CLOUDFLARE_API_TOKEN", "CLOUDFLARE_EMAIL", "CLOUDFLARE_API_KEY", "CLOUDFLARE_ACCOUNT_ID", "CLOUDFLARE_BASE_URL",
    "CLOUDFLARE_API_BASE_URL", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NETRC",
    "http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY",
)  # fmt: skip


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch):
    """No credentials, proxies or certificates of whoever runs the tests."""
    for variable in _FOREIGN:
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture
def clock():
    """A clock whose time passes only where the test or a sleep lets it."""
    return FakeClock()
