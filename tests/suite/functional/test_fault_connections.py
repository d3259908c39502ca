# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No connection can be made: names that don't resolve, closed and deaf ports, certificates that don't verify.

Nothing was sent then, so every change may be tried again, a restart too, after a look at what is true by now.
"""

from __future__ import annotations

import contextlib
import re
import socket

import pytest
import requests
from goals import GOALS, WORKFLOW, Trial, assert_sound
from quickclock import quicken
from strangers import closed_port, deaf_port, lead_astray, listener

NOWHERE = "nowhere.invalid"
ACCOUNT = "0123456789abcdef0123456789abcdef"

every_goal = pytest.mark.parametrize("goal", GOALS.values(), ids=GOALS)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Waits pass quickly, and no name server is asked."""
    quicken(monkeypatch, pace=0.005)
    resolve = socket.getaddrinfo

    def resolve_here(host, *arguments, **options):
        if host == NOWHERE:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return resolve(host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", resolve_here)


@contextlib.contextmanager
def unknown_name():
    """The base URL of a host that has no address."""
    yield "https://" + NOWHERE


#: What is wrong: a place where no connection can be made, how a sentence names it, and the options it takes.
NO_CONNECTION = {
    "unknown name": (unknown_name, r"did not resolve", {}),
    "refused": (closed_port, r"no connection to 127\.0\.0\.1:\d+ can be made", {}),
    "no answer to the connection": (
        deaf_port,
        r"connecting to .* timed out after 0.4 s \(api_timeout\)",
        {"api_timeout": 0.4, "api_retries": 1},
    ),
}
no_connection = pytest.mark.parametrize(("place", "says", "options"), NO_CONNECTION.values(), ids=NO_CONNECTION)


def task(**options):
    """A task that has no instance to reach."""
    return {"workflow_name": WORKFLOW, "instance_id": "nobody", "state": "restarted", "account_id": ACCOUNT, **options}


@no_connection
def test_from_the_start(bench, place, says, options):
    """The task fails at the first look, with nothing attempted and nothing counted."""
    with place() as base:
        result = bench.module(**task(api_url=base + "/client/v4", **options))
    assert_sound(bench, result)
    assert (result["instance"]["outcome"], result["changed"]) == ("not_attempted", False)
    assert re.search(says, result["msg"])
    assert result["api_calls"]["total"] == 0
    assert result["api_calls"]["retries"] == options.get("api_retries", 4)


@every_goal
@no_connection
def test_for_a_while(bench, goal, place, says, options, monkeypatch):
    """A change for which no connection was made is sent when one is; restarts too, since nothing was sent."""
    trial = Trial(bench, goal)
    times = min(3, options.get("api_retries", 3))
    with place() as base:
        astray = lead_astray(monkeypatch, "PATCH", base, times)
        result = trial.run(**options)
    assert (result["instance"]["outcome"], trial.patches(), len(astray)) == ("changed", 1, times), result["msg"]
    trial.assert_done_once()


@every_goal
@no_connection
def test_from_the_change_on(bench, goal, place, says, options, monkeypatch):
    """The look succeeds, and then no connection can be made any more: not attempted, unchanged."""
    trial = Trial(bench, goal)
    with place() as base:
        astray = lead_astray(monkeypatch, "PATCH", base)
        result = trial.run(**options)
    assert (result["instance"]["outcome"], result["changed"], trial.patches()) == ("not_attempted", False, 0)
    assert re.search(says, result["msg"])
    assert len(astray) == 1 + options.get("api_retries", 4)
    trial.assert_not_done()


@every_goal
def test_certificate_that_does_not_verify(bench, goal, monkeypatch):
    """From the change on: the task ends at once, and the request never went out."""
    trial = Trial(bench, goal)
    astray = lead_astray(monkeypatch, "PATCH", bench.engine.tls_url)
    result = trial.run()
    assert (result["instance"]["outcome"], result["changed"], trial.patches(), len(astray)) == ("not_attempted", False, 0, 1)
    assert re.search(r"certificate does not verify \(.*self.signed.*\).*ca_path", result["msg"])
    trial.assert_not_done()


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_certificates(bench, monkeypatch):
    """Only a CA that was named, or the wish not to verify, makes a certificate of one's own good."""
    trial = Trial(bench, GOALS["paused"])
    url, ca = bench.engine.tls_url, bench.engine.tls_ca
    refused = bench.module(**trial.task(api_url=url))
    assert_sound(bench, refused)
    assert refused["instance"]["outcome"] == "not_attempted" and "certificate does not verify" in refused["msg"]
    assert refused["api_calls"]["total"] == bench.calls()["total"] == 0
    wrong_host = url.replace("127.0.0.1", "127.0.0.2")
    refused = bench.module(**trial.task(api_url=wrong_host, ca_path=ca))
    assert_sound(bench, refused)
    assert refused["instance"]["outcome"] == "not_attempted" and bench.calls()["total"] == 0
    assert bench.module(**trial.task(api_url=url, ca_path=ca))["instance"]["outcome"] == "changed"
    assert bench.module(**trial.task(api_url=url, validate_certs=False))["instance"]["outcome"] == "unchanged"
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", ca)
    assert bench.module(**trial.task(api_url=url))["instance"]["outcome"] == "unchanged"


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_the_environment_does_not_outvote_the_task(bench, monkeypatch, variable):
    """A CA bundle in the environment doesn't stand in for the one that the task names."""
    trial = Trial(bench, GOALS["paused"])
    monkeypatch.setenv(variable, bench.engine.tls_ca)
    result = bench.module(**trial.task(api_url=bench.engine.tls_url, ca_path=requests.certs.where()))
    assert result["instance"]["outcome"] == "not_attempted" and bench.calls()["total"] == 0


@pytest.mark.parametrize(
    "answer", [b"", b"SSH-2.0-OpenSSH_9.6\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", b"HTTP/0.9 nonsense\x00\xff\r\n\r\n"]
)
def test_a_port_that_speaks_something_else(bench, answer, monkeypatch):
    """The request may have gone to something: a restart is not sent again."""
    trial = Trial(bench, GOALS["restarted"])
    with listener(answer) as server:
        astray = lead_astray(monkeypatch, "PATCH", server.url)
        result = bench.module(**trial.task())
    assert_sound(bench, result)
    assert (result["instance"]["outcome"], result["changed"], len(astray)) == ("unknown", True, 1)
    trial.assert_not_done()
