# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The only file that speaks HTTP: one session, retries, the rate limit, and the API's envelope.

What may be sent again is decided here, by one rule: a call that was certainly not processed (429, no connection made)
may always be repeated; one whose answer was lost only where doing it twice is the same as doing it once.
"""

from __future__ import annotations

import contextlib
import random
import socket
import ssl
import threading
import traceback
from http.cookiejar import DefaultCookiePolicy
from urllib.parse import quote, urlsplit

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.envelope import RateLimited, read_answer
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import (
    AnswerLost,
    AuthenticationError,
    CloudflareError,
    LookStale,
    NotNow,
    NotSent,
    UnusableServer,
)
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.ratelimit import backoff

try:
    import requests
    from requests.adapters import HTTPAdapter
    from urllib3 import exceptions as urllib3_errors
    from urllib3.util.retry import Retry
except ImportError:
    REQUESTS_IMPORT_ERROR = traceback.format_exc()
    AuthBase = object
else:
    REQUESTS_IMPORT_ERROR = None
    AuthBase = requests.auth.AuthBase

VERSION = "0.1.0"

#: Bytes of an answer that are read; the largest pages of the API are a few hundred kilobytes.
LARGEST_ANSWER = 32 * 1024 * 1024

# How each kind of call is counted in the result.
READ, LIST, PATCH = "reads", "lists", "patches"
# Reasons of TLS failures that can only come before a request is sent.
_NO_TLS = ("WRONG_VERSION_NUMBER", "UNSUPPORTED_PROTOCOL", "NO_PROTOCOLS_AVAILABLE", "HTTP_REQUEST")
# The parts of OpenSSL that read CA certificates.
_CERTIFICATE_LIBRARIES = ("X509", "PEM")
_NO_CERTIFICATES = "the CA certificates to verify with cannot be read; check ca_path and REQUESTS_CA_BUNDLE"


class CredentialsAuth(AuthBase):
    """Puts the credentials into a request. Present even without any, so that a `.netrc` entry can't step in."""

    def __init__(self, credentials):
        self._headers = credentials.headers()

    def __call__(self, request):
        request.headers.update(self._headers)
        return request


class Client:
    """Calls the API for all workers of a task.

    Args:
        connection: auth.Connection.
        gate: ratelimit.RateGate.
        clock: clock.Clock.
        core_version: str, ansible-core's version for the User-Agent.
        concurrency: int, requests under way at once.
        check: callable run right before every attempt; may raise to prevent it.
    """

    def __init__(self, connection, gate, clock, core_version, concurrency=1, check=lambda: None):
        self._connection = connection
        self._gate = gate
        self._clock = clock
        self._check = check
        self._lock = threading.Lock()
        self._under_way = set()  # one object for each call that is not answered yet
        self._answered = threading.Condition()
        #: dict of int: calls that reached the network, by kind, and how many of them were repetitions.
        self.counts = {READ: 0, LIST: 0, PATCH: 0, "retries": 0}
        #: list of dict {code, message}: the API's own messages, each once.
        self.messages = []
        #: str or None: the server's own time at its first answer, as its Date header tells it.
        self.server_date = None
        self._session = new_session(f"edgeops.cloudflare/{VERSION} (ansible-core/{core_version})", concurrency)
        self._auth = CredentialsAuth(connection.credentials)
        self._settings = None

    @property
    def is_development_session(self):
        """bool: the server is on this machine."""
        return self._connection.is_loopback

    @property
    def prefix(self):
        """The path below which all of an account lies; a development session without account has none."""
        account_id = self._connection.account_id
        return "/accounts/" + quote(account_id, safe="") if account_id else ""

    @property
    def gate(self):
        """The RateGate that all calls pass."""
        return self._gate

    def call(self, method, path, kind, query=None, body=None, once=False, slots=1, longest_wait=None, is_repetition=False):
        """Make one call, with whatever retries its nature allows.

        Args:
            method: str.
            path: str, below the API's base URL, its parts percent-encoded.
            kind: READ, LIST or PATCH. A PATCH rests on a look, so it does not outwait a rate-limit block.
            query: dict of str or None.
            body: JSON-able or None.
            once: bool, never send again what may have been processed.
            slots, longest_wait: see RateGate.enter.
            is_repetition: bool, the same call was held back before, and counts as a retry.

        Returns:
            Answer; its result is a dict for READ and PATCH, and a list for LIST.

        Raises:
            LookStale: the PATCH was not processed, and is to be decided anew.
            AnswerLost: it may have been processed.
            NotSent: no connection could be made.
            CloudflareError: of any other class: it was not done, and why.
        """
        change = kind == PATCH
        failures, forgiven, lost = 0, 0, False
        while True:
            try:
                self._gate.enter(slots, change, longest_wait)
                try:
                    self._check()
                    if is_repetition:
                        self._count("retries")
                    with self._noted_under_way():
                        return self._attempt(method, path, kind, query, body)
                finally:
                    self._gate.leave(slots)
            except RateLimited:
                if change:
                    raise _mark(LookStale("held back by the rate limit", went_out=True), lost) from None
                is_repetition = True
                continue  # the gate does the waiting
            except AuthenticationError as error:
                # While a token is blocked, repetitions were seen to be answered as if it were invalid: after each 429
                # such an answer is not believed once. That 429 may be another worker's, and still under way.
                if forgiven == self._gate.refusals:
                    self._await_calls_under_way()
                if forgiven == self._gate.refusals:
                    raise _mark(error, lost) from None
                forgiven = self._gate.refusals
            except NotSent as error:
                if once:
                    raise LookStale("no connection was made", cause=error) from None
                if failures >= self._connection.api_retries:
                    raise _mark(error, lost) from None
            except AnswerLost as error:
                lost = True
                if once or failures >= self._connection.api_retries:
                    raise _mark(error, lost) from None
            except NotNow as error:
                if change or failures >= self._connection.api_retries:
                    raise _mark(error, lost) from None
            except CloudflareError as error:
                raise _mark(error, lost) from None
            failures += 1
            is_repetition = True
            self._clock.sleep(backoff(failures, random.random))

    def _attempt(self, method, path, kind, query, body):
        sent_at = self._clock.monotonic()
        status, headers, content = self._exchange(method, path, kind, query, body)
        try:
            answer = read_answer(status, content, list if kind == LIST else dict)
        except RateLimited:
            self._gate.refused(retry_after_seconds(headers.get("Retry-After")), sent_at, change=kind == PATCH)
            raise
        except AuthenticationError as error:
            origin = self._connection.credentials_from
            error.message += f" (they come from {origin})" if origin else "; none were given: give api_token, or api_email and api_key"
            raise
        else:
            self._gate.passed(change=kind == PATCH)
        finally:
            self._gate.observe(headers.get("Ratelimit"), headers.get("Ratelimit-Policy"), sent_at)
        with self._lock:
            self.messages.extend(message for message in answer.messages if message not in self.messages)
            self.server_date = self.server_date or headers.get("Date")
        return answer._replace(sent_at=sent_at)

    @contextlib.contextmanager
    def _noted_under_way(self):
        call = object()
        with self._answered:
            self._under_way.add(call)
        try:
            yield
        finally:
            with self._answered:
                self._under_way.remove(call)
                self._answered.notify_all()

    def _await_calls_under_way(self):
        """Wait until the other workers' calls that are under way by now have been answered, for `api_timeout` at most."""
        with self._answered:
            calls = set(self._under_way)
            self._answered.wait_for(lambda: calls.isdisjoint(self._under_way), self._connection.api_timeout)

    def _exchange(self, method, path, kind, query, body):
        """Send one request and read its answer: status, headers, bytes. Raises NotSent, AnswerLost, UnusableServer."""
        timeout = self._connection.api_timeout
        sent = True
        try:
            # Prepared without the session's merging, which costs a tenth of the time of a large task.
            request = requests.PreparedRequest()
            request.prepare(
                method, self._connection.api_url + path, headers=self._session.headers, params=query, json=body, auth=self._auth
            )
            # By the adapter, since a session reads a redirect's body and destination even where it isn't to follow it.
            response = self._session.get_adapter(request.url).send(
                request, timeout=timeout, stream=True, **self._transport_settings(request.url)
            )
            with response:
                return response.status_code, response.headers, self._read(response, timeout)
        except (requests.RequestException, urllib3_errors.HTTPError, OSError, UnicodeError) as error:
            failure = classify(error, timeout, urlsplit(self._connection.api_url).netloc)
            sent = isinstance(failure, AnswerLost)
            raise failure from None
        finally:
            if sent:
                self._count(kind)

    def _read(self, response, timeout):
        """The answer's body, bytes; given up where it is too large, or drips for longer than the timeout in all."""
        give_up_at = self._clock.monotonic() + timeout
        announced = response.headers.get("Content-Length", "")
        too_large = AnswerLost(f"the answer is larger than {LARGEST_ANSWER >> 20} MiB and was not read to its end")
        if announced.isascii() and announced.isdigit() and len(announced) < 20 and int(announced) > LARGEST_ANSWER:
            raise too_large
        parts, size = [], 0
        for part in _parts(response.raw):
            parts.append(part)
            size += len(part)
            if size > LARGEST_ANSWER:
                raise too_large
            if self._clock.monotonic() > give_up_at:
                raise AnswerLost(f"the answer did not end within {timeout:g} s (api_timeout)")
        return b"".join(parts)

    def _transport_settings(self, url):
        """Proxies and verification, worked out once; given with each request, since a session's lose to the environment."""
        if self._settings is None:
            merged = self._session.merge_environment_settings(url, {}, None, self._connection.verify, None)
            proxies = {} if self._connection.is_loopback else merged["proxies"]
            self._settings = {"proxies": proxies, "verify": merged["verify"]}
        return self._settings

    def _count(self, kind):
        with self._lock:
            self.counts[kind] += 1


def _mark(error, lost):
    error.after_lost_answer = lost
    return error


def _parts(raw):
    """The parts of an answer's body as they arrive, bytes each."""
    if hasattr(raw, "read1"):
        return iter(lambda: raw.read1(65536, decode_content=True), b"")
    # urllib3 before 2.1 always waits until the amount asked for is complete, so that little is asked for.
    return raw.stream(16, decode_content=True)


def new_session(user_agent, pool_size):
    """A requests session that adds nothing of its own: no retries, no cookies."""
    session = requests.Session()
    session.mount("https://", HTTPAdapter(pool_maxsize=pool_size, max_retries=Retry(0, read=False)))
    session.mount("http://", HTTPAdapter(pool_maxsize=pool_size, max_retries=Retry(0, read=False)))
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.headers.update({"User-Agent": user_agent, "Accept": "application/json"})
    return session


def retry_after_seconds(header):
    """The header `Retry-After`, seconds or a date, as float seconds; None where it is missing or unreadable."""
    try:
        return float(Retry(0).parse_retry_after(header)) if header else None
    except (urllib3_errors.InvalidHeader, ValueError, OverflowError, IndexError, TypeError):
        return None  # the last two: what Python 3.9 makes of some dates


def classify(error, timeout, host):
    """What an exception of the HTTP library means for the call: NotSent, AnswerLost or UnusableServer.

    Args:
        error: Exception, of requests, urllib3 or the operating system.
        timeout: float seconds, for the sentence.
        host: str, whom the call was for, for the sentence.
    """
    chain = list(_chain(error))
    for cause in chain:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return UnusableServer(
                "the server's certificate does not verify ({0}); check api_url, or name the right CA with ca_path".format(
                    getattr(cause, "verify_message", "") or "no reason given"
                )
            )
        if isinstance(cause, ssl.SSLError) and cause.library in _CERTIFICATE_LIBRARIES:
            return UnusableServer(_NO_CERTIFICATES)
        if isinstance(cause, ssl.SSLError) and cause.reason in _NO_TLS:
            return UnusableServer("the server does not speak TLS as it should; check that api_url says https and the right port")
    if _has(chain, requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema, urllib3_errors.LocationValueError, UnicodeError):
        return UnusableServer("api_url, or the proxy that the environment names, is not a URL that can be used; check both")
    if _has(chain, urllib3_errors.ProxyError) and _was_not_connected(chain):
        return NotSent("the proxy that the environment names cannot be used; check HTTPS_PROXY and NO_PROXY")
    if _has(chain, socket.gaierror):
        return NotSent(f"the name {host} does not resolve; check api_url and this machine's DNS")
    if _has(chain, urllib3_errors.ConnectTimeoutError) and not _has(chain, urllib3_errors.NewConnectionError):
        return NotSent(f"no connection to {host} within {timeout:g} s (api_timeout); check the network and api_url")
    if _has(chain, urllib3_errors.NewConnectionError):
        return NotSent(f"no connection to {host} can be made; check the network and api_url")
    if not _has(chain, requests.RequestException, urllib3_errors.HTTPError, ConnectionError, socket.timeout, ssl.SSLError):
        return UnusableServer(_NO_CERTIFICATES)  # requests tells it by a plain OSError
    if _has(chain, requests.exceptions.ReadTimeout, urllib3_errors.ReadTimeoutError):
        return AnswerLost(f"no answer within {timeout:g} s (api_timeout)")
    way = "; it leads through the proxy that the environment names" if _has(chain, urllib3_errors.ProxyError) else ""
    return AnswerLost(f"the connection broke before the answer was complete{way}")


def _was_not_connected(chain):
    """Whether no connection came about. A ProxyError alone doesn't tell: urllib3 makes one of an answer lost behind a proxy, too."""
    return _has(chain, urllib3_errors.NewConnectionError, urllib3_errors.ConnectTimeoutError, socket.gaierror) or any(
        isinstance(cause, OSError) and str(cause).startswith("Tunnel connection failed") for cause in chain
    )


def _chain(error):
    """An exception and all that caused it; the HTTP libraries nest them in several ways."""
    seen, waiting = set(), [error]
    while waiting:
        current = waiting.pop()
        if not isinstance(current, BaseException) or id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        waiting.extend([getattr(current, "reason", None), current.__cause__, current.__context__, *current.args])


def _has(chain, *kinds):
    return any(isinstance(error, kinds) for error in chain)
