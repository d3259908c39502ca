# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No token, no key and no email is shown anywhere, and none goes anywhere but to the API.

The secrets hold characters that mean something to regular expressions, JSON, format strings, shells, URLs and templates, and
every form is looked for in which such a text could leave: as it is, and as any of these would write it.
"""

from __future__ import annotations

import base64
import html
import json
import shlex
import socket
import syslog
from urllib.parse import quote, quote_plus

import pytest
from goals import GOALS, WORKFLOW, Trial, assert_sound
from harness import run_module
from quickclock import quicken
from strangers import closed_port, listener

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api import client
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.fleet import Fleet

SECRETS = {
    "regular expression": r"re.*+?^${}()|[a-z]\w\d{2,}(?:x)-5e1f",
    "JSON": "json\\{a:[1,null]}\\\\u0041/-7c2d",
    "format strings": "%s%d%(x)s{0}{x!r}$x${x}%%-9a3b",
    "templates and shells": "{{x}}{%y%}#;$(id)|&<>!-1d4e",
    "URL": "a/b?c=d&e=f#g:h@i%20%2F+,;=-8b5f",
}
EMAIL = "mail-of.an+operator%here@edgeops.example"

every_secret = pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)


def forms(secret):
    """The ways in which a secret could be written, set of str."""
    in_json = json.dumps(secret)[1:-1]
    written = {secret, in_json, json.dumps(in_json)[1:-1], repr(secret)[1:-1], shlex.quote(secret), html.escape(secret)}
    written |= {quote(secret), quote(secret, safe=""), quote_plus(secret)}
    return written | {base64.b64encode(secret.encode()).decode()}


def leaks(secret, text):
    """The forms of the secret that a text shows, list of str; a beginning of 12 characters is a leak, too."""
    return [form for form in forms(secret) | forms(secret[:12]) if form in text]


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Waits pass quickly."""
    quicken(monkeypatch, pace=0.005)


@pytest.fixture(autouse=True)
def log(monkeypatch):
    """What the modules write to the system's log, list of str."""
    written = []
    monkeypatch.setattr(syslog, "syslog", lambda *arguments: written.append(str(arguments[-1])))
    return written


def credentials(bench, kind, secret):
    """Make the secret a credential that the gateway takes.

    Returns:
        (options, environment): how the task is given it, dict each.
    """
    if "key" in kind:
        bench.control("POST", "/credentials", {"email": EMAIL, "key": secret})
        options, environ = {"api_email": EMAIL, "api_key": secret}, {"CLOUDFLARE_EMAIL": EMAIL, "CLOUDFLARE_API_KEY": secret}
    else:
        bench.control("POST", "/credentials", {"token": secret})
        options, environ = {"api_token": secret}, {"CLOUDFLARE_API_TOKEN": secret}
    if "environment" in kind:
        return {"api_token": None}, environ
    return {"api_token": None, **options}, {}


# -- what a task says ---------------------------------------------------------------------------------------------------


@every_secret
@pytest.mark.parametrize("kind", ["token", "key", "token in the environment", "key in the environment"])
def test_a_task_that_works(bench, log, secret, kind):
    """It is sent as it is, and shown nowhere: not in the result, the diff, the facts, nor in the system's log."""
    options, environ = credentials(bench, kind, secret)
    trial = Trial(bench, GOALS["paused"])
    for check_mode in (True, False):
        result = bench.module(check_mode=check_mode, diff=True, environ=environ, **trial.task(**options))
        assert_sound(bench, result, [secret])
        assert (result["instance"]["outcome"], "diff" in result) == ("changed", True)
        assert leaks(secret, result.output) == []
    assert {call["headers"]["authorization"] for call in bench.calls()["log"]} == {"key" if "key" in kind else "bearer"}
    assert log and leaks(secret, "\n".join(log)) == []


@every_secret
@pytest.mark.parametrize("kind", ["token", "key", "token in the environment"])
def test_a_task_that_is_refused(bench, log, secret, kind):
    """A wrong secret is no less secret."""
    options, environ = credentials(bench, kind, secret)
    bench.control("POST", "/reset")  # nobody knows it any more
    result = bench.module(environ=environ, workflow_name=WORKFLOW, instance_id="x", state="paused", **options)
    assert_sound(bench, result, [secret])
    assert result["instance"]["outcome"] == "not_attempted" and "credentials from" in result["msg"]
    assert leaks(secret, result.output + "\n".join(log)) == []


#: How a server might quote what it was sent.
ECHOES = {
    "in an error": lambda secret: {"errors": [{"code": 10002, "message": f"bad header: Bearer {secret}"}]},
    "in an error's code": lambda secret: {"errors": [{"code": secret, "message": "bad header"}]},
    "in an error that is an object": lambda secret: {
        "errors": [{"code": 10002, "message": {"header": f"Bearer {secret}", "key": [secret]}}]
    },
    "in an error that is a word": lambda secret: {"errors": [f"Bearer {secret}"]},
}


@every_secret
@pytest.mark.parametrize("status", [400, 503])
@pytest.mark.parametrize("echo", ECHOES.values(), ids=ECHOES)
def test_a_server_that_quotes_it(bench, log, secret, status, echo):
    """What the server says is shown without the secret."""
    options, environ = credentials(bench, "token in the environment", secret)
    trial = Trial(bench, GOALS["paused"])
    trial.meet({"status": status, "body": {"success": False, "errors": [], "messages": [], "result": None, **echo(secret)}})
    result = bench.module(environ=environ, **trial.task(api_retries=0, **options))
    assert_sound(bench, result, [secret])
    assert leaks(secret, result.output + "\n".join(log)) == []


@every_secret
def test_an_instance_that_quotes_it(bench, secret):
    """In its error, its rollback, its status, in the timestamp of a change and in messages beside it."""
    options, environ = credentials(bench, "token in the environment", secret)
    trial = Trial(bench, GOALS["restarted"])
    error = {"name": "Error", "message": f"401 for Bearer {secret}"}
    trial.show(fields={"error": error, "rollback": {"outcome": secret, "error": error}})
    trial.meet({"envelope": {"result": {"status": secret, "timestamp": secret}, "messages": [secret, {"message": {"you sent": [secret]}}]}})
    result = bench.module(environ=environ, diff=True, **trial.task(**options))
    assert leaks(secret, result.output) == []


@every_secret
@pytest.mark.parametrize("verbosity", [0, 4])
@pytest.mark.parametrize("place", ["the client", "the fleet"])
def test_an_exception_that_quotes_it(bench, log, secret, place, verbosity, monkeypatch):
    """A mistake of our own tells where it arose, and not what was at hand."""

    def fail(*_arguments, **_options):
        raise RuntimeError(f"Bearer {secret}")

    options, environ = credentials(bench, "token in the environment", secret)
    monkeypatch.setattr(*((client.Client, "_attempt") if place == "the client" else (Fleet, "run")), fail)
    more = {"_ansible_verbosity": verbosity, "_ansible_debug": bool(verbosity)}
    result = bench.module(environ=environ, workflow_name=WORKFLOW, instance_id="x", state="paused", **options, **more)
    assert "internal error: RuntimeError" in result["msg"]
    assert leaks(secret, result.output + "\n".join(log)) == []


# -- where it goes ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("kind", ["read", "patch"])
def test_a_redirect_is_not_followed(bench, kind, status):
    """Nothing at all arrives at its target, and the task says why it ended."""
    trial = Trial(bench, GOALS["paused"])
    with listener(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") as target:
        trial.meet({"redirect": target.url + "/client/v4", "status": status}, kind=kind)
        result = trial.run()
    assert target.heard == b""
    assert result["instance"]["outcome"] == "not_attempted"
    assert f"a redirect, HTTP {status}" in result["msg"] and target.url not in result["msg"]
    trial.assert_not_done()


PROXY_USER, PROXY_PASSWORD = "proxy-user", "pr%40xy%3Apass%2Fword"

PROXY_ANSWERS = {
    "refuses the credentials": b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n",
    "forbids": b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n",
    "fails": b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n",
    "hangs up": b"",
    "speaks something else": b"220 mail ready\r\n",
    "lets through to nothing": b"HTTP/1.1 200 Connection established\r\n\r\n",
}


def no_proxy_secret(text):
    """Whether a text shows nothing of the proxy's credentials."""
    return PROXY_USER not in text and PROXY_PASSWORD not in text and "pr@xy:pass/word" not in text


def through_proxy(bench, proxy, **options):
    """A task for the world outside, through a proxy that has credentials in its URL."""
    variables = dict.fromkeys(("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY"), proxy)
    return bench.module(
        environ={**variables, "NO_PROXY": "", "no_proxy": ""},
        **{
            "api_url": "https://api.nowhere.invalid/client/v4",
            "workflow_name": WORKFLOW,
            "instance_id": "x",
            "state": "restarted",
            **options,
        },
    )


@pytest.mark.parametrize("answer", PROXY_ANSWERS.values(), ids=PROXY_ANSWERS)
def test_a_proxy_with_credentials_in_its_url(bench, log, answer):
    """It is asked for a tunnel and never told the API's credentials; its own are not shown."""
    with listener(answer) as proxy:
        result = through_proxy(bench, f"http://{PROXY_USER}:{PROXY_PASSWORD}@127.0.0.1:{proxy.port}")
    assert proxy.heard.startswith(b"CONNECT api.nowhere.invalid:443 ")
    assert bench.engine.api_token.encode() not in proxy.heard
    assert_sound(bench, result)
    assert (result["instance"]["failed"], result["changed"]) == (True, False)
    assert no_proxy_secret(result.output + "\n".join(log)), result["msg"]


@pytest.mark.parametrize("scheme", ["http", "https", "socks5", "socks5h", "nonsense"])
def test_a_proxy_that_cannot_be_used(bench, log, scheme):
    """Closed, or of a kind that isn't known here."""
    with closed_port() as base:
        result = through_proxy(bench, f"{scheme}://{PROXY_USER}:{PROXY_PASSWORD}@{base[len('http://') :]}", api_retries=1)
    assert_sound(bench, result)
    assert (result["instance"]["outcome"], result["changed"]) == ("not_attempted", False)
    assert "proxy" in result["msg"]
    assert no_proxy_secret(result.output + "\n".join(log)), result["msg"]


@pytest.mark.parametrize("place", ["127.0.0.1:notaport", ":8080", "[::1", "127.0.0.1:99999"])
def test_a_proxy_whose_url_is_none(bench, log, place):
    """The HTTP library would quote it."""
    result = through_proxy(bench, f"http://{PROXY_USER}:{PROXY_PASSWORD}@{place}", api_retries=1)
    assert_sound(bench, result)
    assert (result["instance"]["outcome"], result["changed"]) == ("not_attempted", False)
    assert no_proxy_secret(result.output + "\n".join(log)), result["msg"]


def test_a_development_session_needs_no_proxy(bench):
    """What is on this machine is called directly, whatever the environment says."""
    trial = Trial(bench, GOALS["paused"])
    with listener() as proxy:
        result = through_proxy(
            bench, f"http://{PROXY_USER}:{PROXY_PASSWORD}@127.0.0.1:{proxy.port}", **{**trial.task(), "api_url": bench.engine.api_url}
        )
    assert (result["instance"]["outcome"], proxy.heard) == ("changed", b"")


@pytest.mark.parametrize("how", ["home", "NETRC"])
def test_netrc_does_not_step_in(bench, tmp_path, how):
    """An entry for this host neither replaces the token nor adds credentials where none are wanted."""
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login netrc-login password netrc-password\ndefault login x password y\n")
    (tmp_path / ".netrc").chmod(0o600)
    environ = {"HOME": str(tmp_path)} if how == "home" else {"NETRC": str(tmp_path / ".netrc")}
    trial = Trial(bench, GOALS["paused"])
    result = bench.module(environ=environ, **trial.task())
    assert result["instance"]["outcome"] == "changed"
    anonymous = {"api_url": bench.engine.dev_gateway_url, "api_token": None, "account_id": None}
    result = bench.module(environ=environ, **trial.task(**anonymous))
    assert result["instance"]["outcome"] == "unchanged", result["msg"]
    assert [call["headers"]["authorization"] for call in bench.calls()["log"]] == ["bearer", "bearer", "none"]


#: URLs that are not of this machine, some of which look as if they were, and some that hold credentials.
REFUSED_URLS = [
    "http://api.cloudflare.com/client/v4",
    "HTTP://API.CLOUDFLARE.COM/client/v4",
    "http://localhost.nowhere.invalid/client/v4",
    "http://127.0.0.1.nowhere.invalid/client/v4",
    "http://nowhere.invalid#localhost",
    "http://nowhere.invalid/?localhost",
    "http://localhost@nowhere.invalid/client/v4",
    "http://nowhere.invalid\\@localhost/client/v4",
    "http://localhost\\@nowhere.invalid/client/v4",
    "http://localhost:80@nowhere.invalid/client/v4",
    "http://localhost%2enowhere.invalid/client/v4",
    "http://localhost%00.nowhere.invalid/client/v4",
    "http://0.0.0.0/client/v4",
    "http://10.0.0.1/client/v4",
    "http://[::]/client/v4",
    "http://[fe80::1%25lo]/client/v4",
    "http://nowhere.invalid\t/client/v4",
    "http://\uff4c\uff4f\uff43\uff41\uff4c.nowhere.invalid/client/v4",
    "http://user:pass-word-5ecret@localhost/client/v4",
    "https://user:pass-word-5ecret@api.cloudflare.com/client/v4",
    "ftp://localhost/client/v4",
    "file:///etc/passwd",
    "//localhost/client/v4",
    "localhost:8787",
]


@pytest.mark.parametrize("url", REFUSED_URLS)
@pytest.mark.parametrize("given", ["in the task", "in the environment"])
def test_a_token_is_never_sent_in_the_clear(url, given, monkeypatch):
    """Refused before any connection is made, with a sentence that doesn't quote credentials."""

    def no_connection(*_arguments, **_options):
        raise AssertionError("a connection was tried")

    token = "t0ken-5ecret"
    task = {"workflow_name": WORKFLOW, "instance_id": "x", "state": "paused", "account_id": "a", "api_token": token}
    environ = {}
    if given == "in the task":
        task["api_url"] = url
    else:
        environ["CLOUDFLARE_BASE_URL"] = url
    with monkeypatch.context() as patched:
        for name in ("connect", "connect_ex"):
            patched.setattr(socket.socket, name, no_connection)
        patched.setattr(socket, "getaddrinfo", no_connection)
        result = run_module(task, environ=environ)
    assert result["failed"] and result["msg"].startswith("api_url must")
    assert "5ecret" not in result["msg"] and token not in result.output


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "localhost.", "127.0.0.1", "127.1.2.3", "[::1]", "[0:0:0:0:0:0:0:1]"])
def test_this_machine_is_called_and_no_other(bench, host, monkeypatch):
    """Whatever counts as this machine is where the HTTP library really goes."""
    asked = []
    resolve = socket.getaddrinfo

    def note(name, *arguments, **options):
        asked.append(name)
        return resolve("127.0.0.1", *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", note)
    port = bench.engine.api_url.split(":")[2].split("/")[0]
    trial = Trial(bench, GOALS["paused"])
    asked.clear()
    bench.module(**trial.task(api_url=f"http://{host}:{port}/client/v4", api_retries=0))
    assert {name.rstrip(".").lower().strip("[]") for name in asked} == {host.rstrip(".").lower().strip("[]")}
