# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes in: values that YAML made something else of, blanks, short secrets, lists of surveys, proxies."""

from __future__ import annotations

import json
import socket
from urllib.parse import urlsplit

import pytest
from answering import Answering, assert_plain, names, run
from flock import WORKFLOW as FLEET
from flock import names as flock_names
from plays import play
from quickclock import quicken
from strangers import closed_port, deaf_port, listener

THREE = names(3)
QUOTE_IT = "quote it, or write {{ x | string }}"

SECRET = "pass-word-of-a-proxy"


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Waits pass at once, and no name server is asked."""
    quicken(monkeypatch, pace=0.0)
    resolve = socket.getaddrinfo

    def resolve_here(host, *arguments, **options):
        if str(host).endswith(".invalid"):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return resolve(host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", resolve_here)


def every(cases):
    """One test for each of these cases (dict of title: value)."""
    return pytest.mark.parametrize("case", cases.values(), ids=cases)


def refused(case, *words, **more):
    """The sentence in which a task is refused before any call."""
    with Answering(THREE) as api:
        result = run(**case, **more)
    assert_plain(result)
    assert result.get("failed") and api.calls == [], result.get("msg")
    for word in words:
        assert word in result["msg"]
    return result["msg"]


# -- values that aren't what was written --------------------------------------------------------------------------------

#: Options whose value is text, by a task that gives them a value.
TEXTS = {
    "workflow_name": lambda value: {"workflow_name": value, "instance_id": "order-1"},
    "instance_id": lambda value: {"instance_id": value},
    "instance_ids": lambda value: {"instance_ids": ["order-1", value]},
    "select.id_glob": lambda value: {"select": {"id_glob": value}},
    "select.version_id": lambda value: {"select": {"version_id": value}},
    "from_step.name": lambda value: {"instance_id": "order-1", "state": "restarted", "from_step": {"name": value}},
    "account_id": lambda value: {"instance_id": "order-1", "account_id": value},
}

#: What YAML makes of ids that aren't quoted: 0123 and 1_000, 1e5, 12.50, no.
NO_TEXTS = {
    "a number": 83,
    "zero": 0,
    "a large number": 20261126030600123456789,
    "a float": 12.5,
    "1e5": 100000.0,
    "yes": True,
    "no": False,
}


@pytest.mark.parametrize("value", NO_TEXTS.values(), ids=NO_TEXTS)
@pytest.mark.parametrize("option", TEXTS)
def test_no_text(option, value):
    """Refused where text is meant, with the way to write it; nobody's else instance is touched."""
    refused(TEXTS[option](value), QUOTE_IT, option.partition(".")[0])


@pytest.mark.parametrize("value", [83, 12.5, True], ids=str)
def test_a_list_that_is_one_such_value(value):
    """A list of ids that YAML made one value of."""
    refused({"instance_ids": value}, QUOTE_IT, "instance_ids")


@pytest.mark.parametrize("value", ["83", "0123", "1e5", "12.50", "true", "no", "null", "2026-11-26"])
@pytest.mark.parametrize("option", ["instance_id", "instance_ids", "select.id_glob"])
def test_quoted(option, value):
    """The same as text is what was written, and nothing else is addressed."""
    with Answering([value]) as api:
        result = run(**TEXTS[option](value) | ({"instance_ids": [value]} if option == "instance_ids" else {}))
    assert not result.get("failed") and api.statuses == {value: "paused"}, result["msg"]


@pytest.mark.parametrize(
    "value",
    [" order-1", "order-1 ", "\torder-1", "order-1\n", "\u00a0order-1", "order-1\u2003"],
    ids=["before", "after", "tab", "line", "nbsp", "wide"],
)
@pytest.mark.parametrize("option", [option for option in TEXTS if option != "account_id"])
def test_blanks_around(option, value):
    """Shown, and refused."""
    said = refused(TEXTS[option](value), option.partition(".")[0])
    assert repr(value) in said or json.dumps(value) in said or ascii(value) in said


@pytest.mark.parametrize(
    "given", ["order-0, order-1", "order-0\norder-1\n", "order-0,order-1,"], ids=["blanks", "lines", "a comma left over"]
)
def test_lists_as_text(given):
    """The module takes no survey's text: it is refused, and nothing is paused by halves."""
    refused({"instance_ids": given}, "instance_ids")


# -- secrets that are words ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("token", ["order", "order-1", "running", "paused", "0", "changed", "instances", "status"])
def test_a_secret_that_is_a_word(token):
    """Ids and statuses stay readable, or the credential is refused with the reason."""
    with Answering(THREE) as api:
        result = run(instance_ids=THREE, api_token=token)
    if api.calls:
        assert [item["id"] for item in result["instances"]] == THREE
        assert {item["status"] for item in result["instances"]} == {"paused"} and result["summary"]["changed"] == 3
    else:
        assert result.get("failed") and "api_token" in result["msg"] and "*" not in result["msg"]


def test_an_email_is_no_secret():
    """An instance may have it in its id."""
    instance = "welcome-operator@edgeops.example"
    with Answering([instance]):
        result = run(instance_id=instance, api_token=None, api_email="operator@edgeops.example", api_key="k" * 37)
    assert (result["instance"]["id"], result["instance"]["outcome"]) == (instance, "changed")
    assert instance in result["msg"]


# -- surveys ------------------------------------------------------------------------------------------------------------

IDS = flock_names("ok", 2)
#: Two ids, as a survey hands them over.
SURVEYS = {
    "commas": ",".join(IDS),
    "commas and blanks": ", ".join(IDS),
    "lines": "\n".join(IDS) + "\n",
    "lines of another system": "\r\n".join(IDS) + "\r\n",
    "blanks": " ".join(IDS),
    "in brackets": "[" + ", ".join(IDS) + "]",
    "as JSON": json.dumps(IDS),
    "a list": IDS,
}


@every(SURVEYS)
def test_lists_of_surveys(flock, case):
    """Runbooks take all of them."""
    flock.create([*IDS, "other-000"])
    said = play(flock.bench.engine, "edgeops.cloudflare.pause_all", "--check", variables={"workflow_name": FLEET, "instance_ids": case})
    assert "Traceback" not in said and "2 of 2" in " ".join(said.split()), said


@pytest.mark.parametrize(
    "statuses", ["running, waiting", "running\nwaiting\n", "[running, waiting]", ""], ids=["commas", "lines", "brackets", "empty"]
)
def test_other_lists_of_surveys(flock, statuses):
    """Not only ids; and an empty field is none."""
    flock.create(IDS)
    variables = {"workflow_name": FLEET, "instance_ids": "", "statuses": statuses}
    said = play(flock.bench.engine, "edgeops.cloudflare.pause_all", "--check", variables=variables)
    assert "Traceback" not in said and "2 of 2" in " ".join(said.split()), said


# -- proxies and connections --------------------------------------------------------------------------------------------

HOST = "api.nowhere.invalid"


def go(proxy=None, url=f"https://{HOST}/client/v4", **options):
    """Run a task that leaves this machine, by a proxy or not; returns its sentence."""
    environ = {"HTTPS_PROXY": proxy or "", "https_proxy": proxy or "", "ALL_PROXY": "", "all_proxy": "", "NO_PROXY": "", "no_proxy": ""}
    result = run(instance_id="order-1", api_url=url, api_retries=0, environ=environ, **options)
    assert_plain(result)
    assert result.get("failed") and result["instance"]["outcome"] == "not_attempted"
    assert SECRET not in result.output
    return result["msg"]


def with_password(url):
    """A proxy's URL with a name and a password in it."""
    return url.replace("://", f"://user:{SECRET}@")


@pytest.mark.parametrize("scheme", ["socks5", "socks5h", "socks4"])
def test_a_proxy_without_its_library(scheme):
    """The library that is missing is named."""
    said = go(f"{scheme}://user:{SECRET}@127.0.0.1:1080")
    assert "PySocks" in said or "requests[socks]" in said
    assert "SOCKS" in said.upper() and "127.0.0.1:1080" in said


def test_a_proxy_that_refuses():
    """Its host and port are in the sentence, and that it refused."""
    with closed_port() as url:
        said = go(with_password(url))
    assert urlsplit(url).netloc in said and "proxy" in said and "refused" in said


def test_a_proxy_that_does_not_resolve():
    """The proxy's name, not the API's, did not resolve."""
    said = go(f"http://user:{SECRET}@proxy.nowhere.invalid:3128")
    assert "proxy.nowhere.invalid:3128" in said and "did not resolve" in said and "refused" not in said


def test_a_proxy_that_is_deaf():
    """It timed out."""
    with deaf_port() as url:
        said = go(with_password(url), api_timeout=0.3)
    assert urlsplit(url).netloc in said and "timed out" in said and "refused" not in said


@pytest.mark.parametrize("status", ["407 Proxy Authentication Required", "403 Forbidden", "502 Bad Gateway"])
def test_a_proxy_that_says_no(status):
    """Its answer is shown."""
    with listener(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode()) as proxy:
        said = go(with_password(proxy.url))
    assert f"127.0.0.1:{proxy.port}" in said and "proxy" in said and status[:3] in said


def test_a_server_that_refuses():
    """Without a proxy the API's own address is in the sentence."""
    with closed_port() as url:
        said = go(url=url + "/client/v4")
    assert urlsplit(url).netloc in said and "refused" in said and "proxy" not in said


def test_a_server_that_does_not_resolve():
    """So it is."""
    said = go()
    assert HOST in said and "did not resolve" in said and "refused" not in said


def test_a_server_that_is_deaf():
    """So it is."""
    with deaf_port() as url:
        said = go(url=url + "/client/v4", api_timeout=0.3)
    assert urlsplit(url).netloc in said and "timed out" in said and "refused" not in said
