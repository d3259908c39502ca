# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers that are lost behind a proxy. The HTTP library calls that a failure of the proxy, as if nothing had been sent."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from faulttable import ANSWER_LOST
from goals import GOALS, Trial
from quickclock import quicken
from strangers import tunnel


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Waits pass quickly."""
    quicken(monkeypatch, pace=0.005)


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
@pytest.mark.parametrize("goal", GOALS.values(), ids=GOALS)
@pytest.mark.parametrize("name", ["reset before the work", "reset after the work", "cut after the work", "closed without answer"])
def test_lost_behind_a_proxy(bench, goal, name):
    """What may be repeated is repeated; what must not be done twice is sent once."""
    trial, fault = Trial(bench, goal), ANSWER_LOST[name]
    trial.meet(fault.fault, times=1)
    with tunnel(urlsplit(bench.engine.tls_url).port) as proxy:
        result = trial.run(
            api_url="https://api.nowhere.invalid/client/v4",
            validate_certs=False,
            wait_timeout=60,
            environ={"HTTPS_PROXY": proxy.url, "NO_PROXY": "", "no_proxy": ""},
        )
    assert proxy.heard.startswith(b"CONNECT api.nowhere.invalid:443 ")
    assert trial.patches() == (1 if goal.is_once_only else 2)
    if goal.is_once_only and not fault.works:
        assert (result["instance"]["outcome"], result["changed"]) == ("unknown", True)
        trial.assert_not_done()
    else:
        assert (result["instance"]["outcome"], result["changed"]) == ("changed", True), result["msg"]
        trial.assert_done_once()
