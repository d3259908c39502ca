# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may be sent again and what never is, and how a request looks on the wire."""

from __future__ import annotations

import gzip
import json
import ssl
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
import urllib3
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api import transport as transport_module
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.client import (
    BATCH,
    LIST,
    PATCH,
    READ,
    Client,
)
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.clock import Clock
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.connection import Connection, Credentials
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import (
    AnswerLost,
    AnswerReplaced,
    AuthenticationError,
    ControllerGone,
    InstanceNotFound,
    LookStale,
    NotNow,
    NotSent,
    NotTheApi,
    RateLimitExceeded,
    Refused,
    ServerFailed,
    UnusableServer,
)
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.faults import classify
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.ratelimit import RateGate
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.transport import LARGEST_ANSWER, VERSION, retry_after_seconds
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.workflows import Workflow
from ansible_collections.edgeops.cloudflare.tests.unit.fakes import FakeClock
from ansible_collections.edgeops.cloudflare.tests.unit.loopback import (
    Exchanges,
    LoopbackServer,
    Reply,
    ScriptedAdapter,
    closed_port,
    envelope,
    failure,
    http,
    mount,
    reset,
)
from ansible_collections.edgeops.cloudflare.tests.unit.tables import each_row

TOKEN = Credentials(token="token-0001-abcdefgh")
PAIR = Credentials(email="ops@example.com", key="key-0001-abcdefgh")
OK = Reply(200, envelope({"status": "running"}))
LISTED = Reply(200, envelope([]))
BUSY = failure(429, 10429, Retry_After="7")
DENIED = failure(401, 10000, "Authentication error")


def client_for(
    url="https://api.cloudflare.com/client/v4",
    clock=None,
    credentials=TOKEN,
    account="0123",
    retries=2,
    timeout=30.0,
    verify=None,
    check=None,
):
    clock = clock or FakeClock()
    connection = Connection(url, account, credentials, timeout, retries, verify, is_loopback="127.0.0.1" in url or "localhost" in url)
    return Client(connection, RateGate(clock), clock, "2.19.1", concurrency=8, check=check or (lambda: None))


def scripted(*answers, **how):
    """A client whose calls are answered by a script, and the adapter that does."""
    client = client_for(**how)
    return client, mount(client._transport._session, ScriptedAdapter(*answers))


def call(client, kind=READ, once=False, **how):
    method, body = ("PATCH", {"status": "pause"}) if kind == PATCH else ("GET", None)
    return client.call(method, "/x", kind, body=body, once=once, **how)


def raised(client, kind=READ, once=False, **how):
    """What a call raises."""
    with pytest.raises(Exception) as caught:
        call(client, kind, once, **how)
    return caught.value


def certificate_error():
    error = ssl.SSLCertVerificationError(1, "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate")
    error.verify_message = "self-signed certificate"
    return requests.exceptions.SSLError(urllib3.exceptions.MaxRetryError(Exchanges.POOL, "/", urllib3.exceptions.SSLError(error)))


# -- what may be sent again -------------------------------------------------------------------------------------------

#: What happened → what it comes to. NotSent: certainly not processed; AnswerLost: perhaps; UnusableServer: for good.
FAULTS = {
    "no connection": (Exchanges.not_connected, NotSent),
    "no such name": (Exchanges.not_resolved, NotSent),
    "no connection in time": (Exchanges.connect_timeout, NotSent),
    "no proxy": (Exchanges.proxy, NotSent),
    "no answer in time": (Exchanges.read_timeout, AnswerLost),
    "lost behind a proxy": (Exchanges.lost_behind_proxy, AnswerLost),
    "reset": (Exchanges.reset, AnswerLost),
    "500": (lambda: failure(500, 10001, "internal_server"), ServerFailed),
    "502": (lambda: Reply(502, b"<html>Bad gateway</html>"), AnswerReplaced),
    "503": (lambda: Reply(503, b""), AnswerReplaced),
    "520": (lambda: Reply(520, b"error code: 520"), AnswerReplaced),
    "cut": (lambda: Reply(200, b'{"success": true, "resu'), AnswerLost),
    "no result": (lambda: Reply(200, envelope(None)), AnswerLost),
    "failed with 200": (lambda: failure(200, 10001, "internal_server"), ServerFailed),
    "certificate": (certificate_error, UnusableServer),
    "redirect": (lambda: Reply(302, b"", {"Location": "https://evil.example"}), UnusableServer),
    "another server": (lambda: Reply(404, b"<html>nginx</html>"), NotTheApi),
    "invalid URL": (lambda: requests.exceptions.InvalidURL("no"), UnusableServer),
    "invalid proxy": (lambda: requests.exceptions.InvalidProxyURL("http://user:hunter2@"), UnusableServer),
    "certificates of ours": (lambda: OSError("Could not find a suitable TLS CA certificate bundle, invalid path: /x"), UnusableServer),
    "refused": (lambda: failure(409, 10401), Refused),
    "not now": (lambda: failure(503, 10001, "workflows.api.error.migration.in_progress"), NotNow),
    "not found": (lambda: failure(404, 10400), InstanceNotFound),
    "denied": (lambda: DENIED, AuthenticationError),
}
#: Faults after which the request has reached a server.
ARRIVED = {name for name, (make, kind) in FAULTS.items() if issubclass(kind, AnswerLost) or isinstance(make(), Reply)}


@each_row("name", FAULTS)
@each_row("kind, once", [(READ, False), (LIST, False), (PATCH, False), (PATCH, True)])
def test_a_fault_that_stays(name, kind, once):
    make, meaning = FAULTS[name]
    client, adapter = scripted(lambda request: make(), retries=2)
    error = raised(client, kind, once)
    is_passing = issubclass(meaning, (NotSent, AnswerLost)) or (meaning is NotNow and kind != PATCH)
    attempts = 3 if is_passing and not once else 1
    assert len(adapter.requests) == attempts
    if once and meaning is NotSent:
        assert error.__class__ is LookStale and error.cause.__class__ is NotSent
    else:
        assert error.__class__ is meaning
        assert error.after_lost_answer is (issubclass(meaning, AnswerLost))
    assert client.counts[kind] == (attempts if name in ARRIVED else 0)
    assert client.counts["retries"] == attempts - 1
    assert "hunter2" not in str(error) and "token-0001" not in str(error)


@each_row("name", sorted(name for name, (_make, kind) in FAULTS.items() if kind in (NotSent, AnswerLost)))
@each_row("kind, once", [(READ, False), (PATCH, False), (PATCH, True)])
def test_a_fault_that_passes(name, kind, once):
    make, meaning = FAULTS[name]
    client, adapter = scripted(make(), OK)
    if once:
        error = raised(client, kind, once)
        assert error.__class__ is (LookStale if meaning is NotSent else meaning)
        assert len(adapter.requests) == 1
    else:
        assert call(client, kind).result == {"status": "running"}
        assert len(adapter.requests) == 2
        assert (client.counts[kind], client.counts["retries"]) == (2 if name in ARRIVED else 1, 1)


def test_backoff_between_attempts():
    clock = FakeClock()
    client, _adapter = scripted(Reply(503, b""), clock=clock, retries=4)
    raised(client)
    assert len(clock.sleeps) == 4
    assert all(0.25 * 2**number <= pause <= 0.5 * 2**number for number, pause in enumerate(clock.sleeps))


def test_no_retries_at_all():
    client, adapter = scripted(Reply(503, b""), OK, retries=0)
    assert raised(client).__class__ is AnswerReplaced
    assert len(adapter.requests) == 1


@each_row(
    "then, kind",
    [
        (failure(409, 10401), Refused),
        (failure(404, 10400), InstanceNotFound),
        (DENIED, AuthenticationError),
        (BUSY, LookStale),
        (Reply(302, b""), UnusableServer),
        (Exchanges.not_connected(), NotSent),
    ],
)
def test_an_answer_that_was_lost_before_is_told(then, kind):
    """What is answered to a repetition may be the consequence of the first attempt."""
    client, _adapter = scripted(Exchanges.reset(), then)
    error = raised(client, PATCH)
    assert error.__class__ is kind
    assert error.after_lost_answer is True
    client, _adapter = scripted(then)
    assert raised(client, PATCH).after_lost_answer is False


# -- what is not the API's word -----------------------------------------------------------------------------------------------

PAGE = Reply(403, b"<html><title>Just a moment...</title></html>")
HELLO = Reply(200, b"Hello World!")


@each_row("answers, requests_made, is_fatal", [
    ([PAGE], 1, True),
    ([HELLO, HELLO], 2, True),  # a 2xx that is none of the API's is no fault that passes: once more is enough
    ([Reply(502, b"<html>")] * 3, 3, True),
])  # fmt: skip
def test_a_stranger_before_the_api_has_said_a_word(answers, requests_made, is_fatal):
    client, adapter = scripted(*answers)
    error = raised(client)
    assert (error.fatal, len(adapter.requests)) == (is_fatal, requests_made)


def test_a_stranger_among_answers_of_the_api():
    """It is that call's failure, and not the end of the task; five in a row are."""
    client, _adapter = scripted(OK, PAGE, failure(404, 10400), *[PAGE] * 5, OK)
    call(client)
    assert raised(client).fatal is False
    assert raised(client).__class__ is InstanceNotFound
    assert [raised(client, PATCH).fatal for _number in range(5)] == [False] * 4 + [True]


def test_a_200_that_is_none_may_have_been_preceded_by_the_api():
    """A change may have been made before something else answered; one refused by a firewall was not."""
    client, _adapter = scripted(OK, HELLO, PAGE)
    call(client)
    assert raised(client, PATCH, once=True).__class__ is AnswerReplaced
    assert raised(client, PATCH, once=True).__class__ is NotTheApi


def test_an_answer_that_says_no_tells_how_often_it_was_asked():
    client, _adapter = scripted(*[failure(500, 10001, "internal_server")] * 3, retries=2)
    assert raised(client, PATCH).answered == "HTTP 500: internal_server (code 10001), 3 times"


def test_what_is_not_implemented_is_not_asked_again():
    client, adapter = scripted(failure(500, 10001, "Error: Not implemented yet"), OK)
    assert raised(client, PATCH).__class__ is Refused
    assert len(adapter.requests) == 1


@each_row("kind, retry_after, least", [(READ, "20", 20.0), (LIST, "20", 20.0), (READ, "9999", 60.0), (PATCH, "20", 0.0)])
def test_a_503_may_ask_for_patience(kind, retry_after, least):
    """For looks, and bounded."""
    clock = FakeClock()
    client, _adapter = scripted(Reply(503, b"", {"Retry-After": retry_after}), LISTED if kind == LIST else OK, clock=clock)
    call(client, kind)
    assert least <= clock.monotonic() < least + 1


@each_row("http_status, kind", [(400, LookStale), (429, LookStale), (200, AnswerLost), (500, AnswerLost)])
def test_a_rate_limit_under_another_name(http_status, kind):
    """What must not be sent twice is sent again only where it certainly was not processed."""
    client, adapter = scripted(failure(http_status, 971, "Please wait and consider throttling your request speed"), OK)
    error = raised(client, PATCH, once=True)
    assert (error.__class__, len(adapter.requests)) == (kind, 1)
    client, adapter = scripted(failure(http_status, 971, "Please wait"), OK)
    assert call(client).result == {"status": "running"}
    assert len(adapter.requests) == 2


# -- 429 ------------------------------------------------------------------------------------------------------------------


@each_row("kind", [READ, LIST])
def test_a_read_waits_for_the_limit(kind):
    clock = FakeClock()
    client, adapter = scripted(BUSY, BUSY, LISTED if kind == LIST else OK, clock=clock, retries=0)
    call(client, kind)
    assert clock.monotonic() == pytest.approx(14.0)
    assert len(adapter.requests) == 3
    assert (client.counts[kind], client.counts["retries"]) == (3, 2)
    assert client._gate.held_seconds() == pytest.approx(14.0)


@each_row("once", [False, True])
def test_a_change_is_decided_anew(once):
    clock = FakeClock()
    client, adapter = scripted(BUSY, OK, clock=clock)
    error = raised(client, PATCH, once)
    assert (error.__class__, error.cause, error.after_lost_answer) == (LookStale, None, False)
    assert (clock.monotonic(), len(adapter.requests), client.counts[PATCH]) == (0.0, 1, 1)
    # While the block holds it does not even go out.
    assert raised(client, PATCH, once).__class__ is LookStale
    assert (len(adapter.requests), client.counts[PATCH]) == (1, 1)
    clock.pass_by(7)
    assert call(client, PATCH, once).result == {"status": "running"}


@each_row(
    "reply",
    [
        Reply(429, b""),
        Reply(429, b"error code: 1015"),
        failure(429, 10429),
        failure(200, 10429),
        failure(403, None, "workflows.api.error.rate_limit.exceeded"),
        Reply(429, envelope({"status": "running"})),
    ],
)
def test_every_form_of_a_refusal(reply):
    clock = FakeClock()
    client, _adapter = scripted(reply, OK, clock=clock)
    call(client)
    assert 0.5 <= clock.monotonic() <= 1.0


def test_the_limit_of_patience():
    clock = FakeClock()
    client, adapter = scripted(failure(429, 10429, Retry_After="400"), OK, clock=clock)
    assert raised(client).__class__ is RateLimitExceeded
    assert raised(client).__class__ is RateLimitExceeded
    assert (len(adapter.requests), clock.monotonic()) == (1, 0.0)


def test_an_authentication_error_after_a_429_is_no_proof():
    client, adapter = scripted(BUSY, DENIED, OK)
    call(client)
    assert len(adapter.requests) == 3
    client, adapter = scripted(BUSY, DENIED, DENIED, OK)
    assert raised(client).__class__ is AuthenticationError
    assert len(adapter.requests) == 3
    client, adapter = scripted(DENIED, OK)
    assert raised(client).__class__ is AuthenticationError
    assert len(adapter.requests) == 1


@each_row(
    "origin, says",
    [
        ("CLOUDFLARE_API_TOKEN", "the API does not let the credentials from CLOUDFLARE_API_TOKEN do this"),
        (None, "the API wants credentials, and none were given"),
    ],
)
def test_whose_credentials_are_refused(origin, says):
    client, _adapter = scripted(DENIED)
    client._connection = client._connection._replace(credentials_from=origin)
    assert raised(client).message.startswith(says)


def test_nor_for_a_change_of_another_worker():
    client, adapter = scripted(BUSY, OK, failure(403, 9109), OK)
    call(client)
    assert call(client, PATCH, once=True).result == {"status": "running"}
    assert len(adapter.requests) == 4


@pytest.mark.parametrize(
    ("other", "error"), [(BUSY, None), (OK, AuthenticationError), (DENIED, AuthenticationError)], ids=["429", "200", "401"]
)
def test_a_429_that_is_still_under_way(other, error):
    """It may be why this call is denied, so that the calls of other workers are waited for before the answer is believed."""
    others_go_out, denied = threading.Event(), threading.Event()

    def late(_request):
        others_go_out.set()
        assert denied.wait(60)
        return other

    client, adapter = scripted(late, DENIED, OK)
    wait_for_others = client._await_calls_under_way

    def wait():
        denied.set()
        wait_for_others()

    client._await_calls_under_way = wait
    with ThreadPoolExecutor(1) as executor:
        first = executor.submit(call, client)
        assert others_go_out.wait(60)
        if error is None:
            assert call(client).result == {"status": "running"}
            first.result()
            assert len(adapter.requests) == 4
        else:
            assert raised(client).__class__ is error
            assert isinstance(first.exception(), error if other is DENIED else type(None))
            assert len(adapter.requests) == 2


def test_calls_of_others_are_not_waited_for_without_end():
    others_go_out, over = threading.Event(), threading.Event()

    def late(_request):
        others_go_out.set()
        assert over.wait(60)
        return OK

    client, _adapter = scripted(late, DENIED, timeout=0.01)
    with ThreadPoolExecutor(1) as executor:
        first = executor.submit(call, client)
        assert others_go_out.wait(60)
        assert raised(client).__class__ is AuthenticationError
        over.set()
        first.result()


@each_row("header, seconds", [
    (None, None), ("", None), ("7", 7.0), ("0", 0.0), (" 7 ", 7.0), ("7.5", None), ("-7", None), ("soon", None),
    ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
])  # fmt: skip
def test_retry_after(header, seconds):
    assert retry_after_seconds(header) == seconds


@given(st.text(max_size=40) | st.text("0123456789 :,-+GMTadeFinrsu", max_size=40))
def test_any_retry_after(header):
    seconds = retry_after_seconds(header)
    assert seconds is None or seconds >= 0


def test_a_length_that_is_none():
    """Python takes ² for a digit, and for no number."""
    with LoopbackServer(lambda request, number: http(OK).replace(b"Content-Length: ", b"Content-Length: \xb2")) as server:
        assert raised(client_for(server.url, retries=0)).__class__ in (AnswerLost, UnusableServer)


def test_retry_after_for_ever():
    """Later libraries cut it to some hours."""
    assert retry_after_seconds("9" * 500) in (None, 21600.0)


def test_retry_after_a_date():
    header = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 1000))
    assert 900 < retry_after_seconds(header) <= 1001


def test_limits_ahead_are_minded():
    clock = FakeClock()
    headers = {"Ratelimit": '"default";r=2;t=60', "Ratelimit-Policy": '"default";q=1200;w=300'}
    client, adapter = scripted(Reply(200, OK.body, headers), OK, clock=clock)
    for _call in range(3):
        call(client)
    assert clock.monotonic() == pytest.approx(30.0)
    assert len(adapter.requests) == 3


@each_row(
    "headers",
    [{"Ratelimit": "nonsense"}, {"Ratelimit": '"default";r=' + "9" * 5000 + ";t=1"}, {"Retry-After": "nonsense"}, {"Date": "nonsense"}],
)
def test_headers_that_make_no_sense(headers):
    client, _adapter = scripted(Reply(200, OK.body, headers))
    assert call(client).result == {"status": "running"}


# -- before every attempt ----------------------------------------------------------------------------------------------------


def test_nothing_is_sent_for_nobody():
    def check():
        raise ControllerGone("gone")

    for kind in (READ, LIST, PATCH):
        client, adapter = scripted(OK, check=check)
        assert raised(client, kind).__class__ is ControllerGone
        assert (adapter.requests, client.counts["retries"]) == ([], 0)


def test_nor_repeated():
    gone = []

    def check():
        if gone:
            raise ControllerGone("gone")

    client, adapter = scripted(lambda request: (gone.append(1), Reply(503, b""))[1], check=check)
    assert raised(client, PATCH).__class__ is ControllerGone
    assert len(adapter.requests) == 1
    assert client.counts == {READ: 0, LIST: 0, PATCH: 1, BATCH: 0, "creates": 0, "deletes": 0, "events": 0, "queues": 0, "retries": 0}


# -- what a request looks like -----------------------------------------------------------------------------------------------


def test_headers_on_the_wire():
    with LoopbackServer(lambda request, number: http(OK)) as server:
        for credentials, expected in (
            (TOKEN, {"authorization": "Bearer token-0001-abcdefgh"}),
            (PAIR, {"x-auth-email": "ops@example.com", "x-auth-key": "key-0001-abcdefgh"}),
            (Credentials(), {}),
        ):
            client = client_for(server.url, credentials=credentials)
            call(client)
            call(client, PATCH)
            read, patch = server.requests[-2:]
            assert {
                name: read.headers[name] for name in ("authorization", "x-auth-email", "x-auth-key") if name in read.headers
            } == expected
            assert read.headers["user-agent"] == f"edgeops.cloudflare/{VERSION} (ansible-core/2.19.1)"
            assert read.headers["accept"] == "application/json"
            assert (read.method, read.body) == ("GET", b"")
            assert (patch.method, json.loads(patch.body), patch.headers["content-type"]) == (
                "PATCH",
                {"status": "pause"},
                "application/json",
            )


@pytest.mark.parametrize("credentials", [TOKEN, PAIR, Credentials()], ids=["token", "pair", "none"])
def test_a_netrc_stays_out(credentials, tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password hunter2\ndefault login somebody password hunter2\n", encoding="utf-8")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    assert requests.utils.get_netrc_auth("http://127.0.0.1/") == ("somebody", "hunter2")
    with LoopbackServer(lambda request, number: http(OK)) as server:
        call(client_for(server.url, credentials=credentials))
    assert server.requests[0].headers.get("authorization") == credentials.headers().get("Authorization")


def test_cookies_are_ignored():
    with LoopbackServer(lambda request, number: http(Reply(200, OK.body, {"Set-Cookie": "session=1; Path=/"}))) as server:
        client = client_for(server.url)
        call(client)
        call(client)
    assert "cookie" not in server.requests[1].headers
    assert not list(client._transport._session.cookies)


@each_row("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(status):
    with LoopbackServer(lambda request, number: http(OK)) as other:  # noqa: SIM117  the other's URL is needed
        with LoopbackServer(lambda request, number: http(Reply(status, b"", {"Location": other.url + "/x"}))) as server:
            client = client_for(server.url)
            assert raised(client).__class__ is UnusableServer
            assert raised(client, PATCH, once=True).__class__ is UnusableServer
    assert (len(server.requests), other.requests) == (2, [])


@each_row(
    "location", ["", "/x", "//", "http://", "http://[", "http://a:b", "ftp://x/", "https://*.example.com/", "http://\xfc\xff/", "\xfc"]
)
def test_where_a_redirect_leads_does_not_matter(location):
    with LoopbackServer(lambda request, number: http(Reply(302, b"", {"Location": location}))) as server:
        client = client_for(server.url)
        error = raised(client, PATCH, once=True)
    assert error.__class__ is UnusableServer
    assert "sends the call elsewhere (a redirect, HTTP 302)" in error.message
    assert client.counts[PATCH] == 1


def test_one_connection_for_many_calls():
    with LoopbackServer(lambda request, number: http(OK)) as server:
        client = client_for(server.url)
        for number in range(30):
            call(client, (READ, PATCH)[number % 2])
    assert (len(server.requests), server.connections) == (30, 1)


def test_answers_that_fail_keep_the_connection():
    replies = [failure(404, 10400), failure(409, 10401), DENIED, failure(404, 10400), OK]
    with LoopbackServer(lambda request, number: http(replies[number])) as server:
        client = client_for(server.url)
        for _call in range(4):
            raised(client)
        call(client)
    assert server.connections == 1


def test_several_threads_share_a_client():
    with LoopbackServer(lambda request, number: http(OK)) as server:
        client = client_for(server.url)
        threads = [threading.Thread(target=lambda: [call(client) for _call in range(20)]) for _thread in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    assert len(server.requests) == client.counts[READ] == 160
    assert server.connections <= 8


ENVIRONMENTS = [
    # (environment, url, verify option) → (verify, whether a proxy is used)
    ({}, "https://api.cloudflare.com", None, True, False),
    ({}, "https://api.cloudflare.com", False, False, False),
    ({}, "https://api.cloudflare.com", "/own.pem", "/own.pem", False),
    ({"REQUESTS_CA_BUNDLE": "/corporate.pem"}, "https://api.cloudflare.com", None, "/corporate.pem", False),
    ({"CURL_CA_BUNDLE": "/curl.pem"}, "https://api.cloudflare.com", None, "/curl.pem", False),
    ({"REQUESTS_CA_BUNDLE": "/corporate.pem"}, "https://api.cloudflare.com", "/own.pem", "/own.pem", False),
    ({"REQUESTS_CA_BUNDLE": "/corporate.pem"}, "https://api.cloudflare.com", False, False, False),
    ({"HTTPS_PROXY": "http://proxy.example:3128"}, "https://api.cloudflare.com", None, True, True),
    ({"ALL_PROXY": "http://proxy.example:3128"}, "https://api.cloudflare.com", None, True, True),
    ({"HTTPS_PROXY": "http://proxy.example:3128", "NO_PROXY": "cloudflare.com"}, "https://api.cloudflare.com", None, True, False),
    ({"HTTPS_PROXY": "http://proxy.example:3128", "HTTP_PROXY": "http://proxy.example:3128"}, "https://127.0.0.1:8787", None, True, False),
    ({"HTTP_PROXY": "http://proxy.example:3128", "ALL_PROXY": "http://proxy.example:3128"}, "http://localhost:8787", None, True, False),
]


@pytest.mark.parametrize(("environ", "url", "option", "verify", "is_proxied"), ENVIRONMENTS)
def test_verification_and_proxies(environ, url, option, verify, is_proxied, monkeypatch):
    """The task's own wish wins over the environment; a session's own settings would lose to it."""
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    client, adapter = scripted(OK, url=url, verify=option)
    call(client)
    call(client)
    for settings_ in adapter.settings:
        assert settings_["verify"] == verify
        assert bool(settings_["proxies"]) is is_proxied
        assert settings_["timeout"] == 30.0


def test_loopback_really_goes_around_proxies(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", closed_port())
    with LoopbackServer(lambda request, number: http(OK)) as server:
        assert call(client_for(server.url)).result == {"status": "running"}


# -- bodies ------------------------------------------------------------------------------------------------------------------


class HastyClock(Clock):
    """A clock by which much time passes between two looks at it."""

    def __init__(self):
        super().__init__()
        self._now = 0.0

    def monotonic(self):
        self._now += 10.0
        return self._now


def slow_end(connection, status=200, **headers):
    """Two bytes at a time, for a minute at the most."""
    connection.sendall(http(Reply(status, b"", headers), length=5000))
    for _piece in range(1200):
        connection.sendall(b"  ")
        time.sleep(0.05)
    return False


def silence(connection):
    """Nothing, until the other side gives up."""
    connection.settimeout(60)
    connection.recv(1)
    return False


#: what the server does → what the operator reads
BODIES = {
    "cut": (lambda connection: (connection.sendall(http(OK, length=5000)[:-5]), False)[1], None),
    "cut in a chunk": (lambda connection: (connection.sendall(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n20\r\n{\"success\""), False)[1], "the connection broke before the answer was complete"),
    "reset": (reset, "the connection broke before the answer was complete"),
    "closed": (lambda connection: False, "the connection broke before the answer was complete"),
    "no HTTP": (lambda connection: (connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n"), False)[1], "the connection broke before the answer was complete"),
    "not gzip": (lambda connection: (connection.sendall(http(Reply(200, b"no gzip", {"Content-Encoding": "gzip"}))), False)[1],
                 "the connection broke before the answer was complete"),
    "too large": (lambda connection: (connection.sendall(http(Reply(200, b" " * 3000000))), False)[1], "was not read to its end"),
    "too large, and packed": (lambda connection: (connection.sendall(
        http(Reply(200, gzip.compress(b" " * 3000000), {"Content-Encoding": "gzip"}))), False)[1], "was not read to its end"),
    "dripping": (slow_end, "did not end within 30 s (api_timeout)"),
    "a redirect, dripping": (lambda connection: slow_end(connection, 302, Location="/x"), "did not end within 30 s (api_timeout)"),
    "silent": (silence, "no answer within 0.4 s (api_timeout)"),
    "silent in the middle": (lambda connection: (connection.sendall(http(OK)[:-5]), silence(connection))[1], "no answer within 0.4 s (api_timeout)"),
}  # fmt: skip


@pytest.mark.parametrize("name", BODIES)
def test_answers_that_can_not_be_used(name, monkeypatch):
    """The request went out: it may have been processed. Nobody waits for the end of what does not end."""
    monkeypatch.setattr(transport_module, "LARGEST_ANSWER", 2000000)
    act, sentence = BODIES[name]
    with LoopbackServer(lambda request, number: act) as server:
        # Only where nothing is to come has it to come soon.
        client = client_for(server.url, clock=HastyClock() if "dripping" in name else Clock(), timeout=0.4 if "silent" in name else 30.0)
        began = time.monotonic()
        error = raised(client, PATCH, once=True)
        assert time.monotonic() - began < 29  # half as long as the servers go on
    assert error.__class__ is AnswerLost
    assert sentence is None or sentence in error.message
    assert (len(server.requests), client.counts[PATCH]) == (1, 1)


def test_a_broken_connection_is_no_obstacle_for_the_next_call():
    with LoopbackServer(lambda request, number: reset if number == 0 else http(OK)) as server:
        client = client_for(server.url)
        assert call(client).result == {"status": "running"}
    assert (server.connections, client.counts[READ], client.counts["retries"]) == (2, 2, 1)


def test_packed_and_chunked_answers_are_read():
    packed = gzip.compress(json.dumps(OK.body).encode("utf-8"))
    chunked = (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n\r\n"
        + b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (packed[:7], packed[7:20], packed[20:]))
        + b"0\r\n\r\n"
    )
    with LoopbackServer(lambda request, number: [http(Reply(200, packed, {"Content-Encoding": "gzip"})), chunked][number]) as server:
        client = client_for(server.url)
        assert [call(client).result for _call in range(2)] == [{"status": "running"}] * 2
    assert server.connections == 1


def test_large_answers_are_read():
    page = envelope([{"id": f"i{number}", "status": "running", "note": "x" * 5000} for number in range(100)])
    with LoopbackServer(lambda request, number: http(Reply(200, page))) as server:
        assert len(call(client_for(server.url), LIST).result) == 100
    assert LARGEST_ANSWER == 32 * 1024 * 1024


def test_nobody_listens():
    url = closed_port()
    error = raised(client_for(url, retries=1))
    assert error.__class__ is NotSent
    assert error.message == "no connection to {0} can be made (refused)".format(url.partition("//")[2])


@pytest.mark.parametrize("content", ["", "no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_certificates_that_are_none(tmp_path, content):
    (tmp_path / "ca.pem").write_text(content, encoding="utf-8")
    with LoopbackServer(lambda request, number: http(OK)) as server:
        error = raised(client_for(server.url.replace("http:", "https:"), retries=1, verify=str(tmp_path / "ca.pem")))
        assert error.message == "the CA certificates to verify with cannot be read"
    assert (error.__class__, server.requests) == (UnusableServer, [])


def test_no_tls_where_it_should_be():
    with LoopbackServer(lambda request, number: http(OK)) as server:
        error = raised(client_for(server.url.replace("http:", "https:"), retries=1))
    assert error.__class__ is UnusableServer
    assert "does not speak TLS" in error.message


@each_row("host", ["*.example.com", ".example.com", "a..example.com", "a" * 70 + ".example.com", "ü" + "a" * 70 + ".example.com"])
def test_hosts_that_can_not_be(host):
    """They pass as URLs, and no request can be made of them."""
    client = client_for(f"https://{host}/client/v4")
    error = raised(client)
    assert error.__class__ in (UnusableServer, NotSent)
    assert "api_url" in error.message
    assert client.counts[READ] == 0


# -- sentences ---------------------------------------------------------------------------------------------------------------


@each_row("error, kind, sentence", [
    (Exchanges.not_connected(), NotSent, "no connection to api.example can be made"),
    (Exchanges.not_resolved(), NotSent, "the name of api.example did not resolve"),
    (Exchanges.connect_timeout(), NotSent, "connecting to api.example timed out after 30 s (api_timeout)"),
    (Exchanges.proxy(), NotSent, "the proxy http://proxy.example:3128 that the environment names will not connect to api.example (HTTP 403)"),
    (Exchanges.read_timeout(), AnswerLost, "no answer within 30 s (api_timeout)"),
    (Exchanges.reset(), AnswerLost, "the connection broke before the answer was complete"),
    (certificate_error(), UnusableServer,
     "the server's certificate does not verify (self-signed certificate)"),
    (ConnectionResetError(104, "reset"), AnswerLost, "the connection broke before the answer was complete"),
    (Exchanges.lost_behind_proxy(), AnswerLost,
     "the connection broke before the answer was complete; it leads through the proxy http://proxy.example:3128"),
    (OSError("no such file"), UnusableServer, "the CA certificates to verify with cannot be read"),
    (requests.exceptions.InvalidURL("no"), UnusableServer,
     "api_url, or the proxy that the environment names, is not a URL that can be used"),
    (requests.exceptions.InvalidSchema("Missing dependencies for SOCKS support."), UnusableServer,
     "the environment names a SOCKS proxy (http://proxy.example:3128), and PySocks, the library for it, is missing here"),
])  # fmt: skip
def test_classify(error, kind, sentence):
    told = classify(error, 30.0, "api.example", "http://user:hunter2@proxy.example:3128")
    assert (told.__class__, told.message) == (kind, sentence)
    assert "hunter2" not in told.text


# -- what is gathered --------------------------------------------------------------------------------------------------------


def test_messages_and_the_date_of_the_first_answer():
    beta, old = {"code": 1, "message": "beta"}, {"code": 2, "message": "old"}
    client, _adapter = scripted(
        Reply(200, envelope({}, messages=[beta]), {"Date": "Thu, 06 Aug 2026 00:00:01 GMT"}),
        Reply(200, envelope({}, messages=[old, beta, beta]), {"Date": "Thu, 06 Aug 2026 00:00:02 GMT"}),
    )
    call(client)
    call(client)
    assert client.messages == [beta, old]
    assert client.server_date == "Thu, 06 Aug 2026 00:00:01 GMT"


def test_an_answer_is_as_old_as_its_request():
    clock = FakeClock(5.0)
    client, _adapter = scripted(lambda request: (clock.pass_by(3), OK)[1], clock=clock)
    assert call(client).sent_at == 5.0


# -- odd ids -----------------------------------------------------------------------------------------------------------------


IDS = [
    "order-1", "*/30 * * * *-1786001400000", "a/b", "a?b", "a#b", "a%2Fb", "%2e%2e", "...", "..a", "a/../b", "a b", " a", "ä", "日本", "~",
    "a;b", "a&b=c", "'\"<>", "\\", "a" * 271,
]  # fmt: skip


@pytest.fixture(scope="module")
def echo():
    """A server that answers anything, and remembers what it was asked."""
    with LoopbackServer(lambda request, number: http(OK)) as server:
        yield server


@each_row("instance_id", IDS)
def test_ids_on_the_wire(instance_id, echo):
    """Whatever is in an id, it is one part of the path."""
    client = client_for(echo.url + "/client/v4", account="0123")
    workflow = Workflow(client, "my workflow/1")
    workflow.detail(instance_id)
    path, _mark, query = echo.requests[-1].target.partition("?")
    parts = path.split("/")
    assert [requests.utils.unquote(part) for part in parts] == [
        "",
        "client",
        "v4",
        "accounts",
        "0123",
        "workflows",
        "my workflow/1",
        "instances",
        instance_id,
    ]
    assert query == "simple=true"
    workflow.change_status(instance_id, "pause")
    assert echo.requests[-1].target == path + "/status"


@settings(max_examples=100)
@given(st.text(min_size=1, max_size=40).filter(lambda text: text.isprintable() and text not in (".", "..")))
def test_any_id_on_the_wire(instance_id):
    with LoopbackServer(lambda request, number: http(OK)) as server:
        Workflow(client_for(server.url), "orders").detail(instance_id, steps=True)
    assert [requests.utils.unquote(part) for part in server.requests[0].target.split("/")] == [
        "",
        "accounts",
        "0123",
        "workflows",
        "orders",
        "instances",
        instance_id,
    ]
