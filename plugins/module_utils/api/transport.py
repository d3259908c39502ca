# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The only file that speaks HTTP: one session, one request, one answer."""

from __future__ import annotations

import traceback
import typing as t
from http.cookiejar import DefaultCookiePolicy
from urllib.parse import urlsplit

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.clock import Clock
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.connection import Connection, Credentials
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import AnswerLost, TooLarge
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.faults import classify

REQUESTS_IMPORT_ERROR: str | None
try:
    import requests
    from requests.adapters import HTTPAdapter
    from urllib3 import exceptions as urllib3_errors
    from urllib3.util.retry import Retry
except ImportError:
    REQUESTS_IMPORT_ERROR = traceback.format_exc()
else:
    REQUESTS_IMPORT_ERROR = None

VERSION = "0.1.0"

#: Bytes of an answer that are read; the largest pages of the API are a few hundred kilobytes.
LARGEST_ANSWER = 32 * 1024 * 1024


class Raw(t.NamedTuple):
    """An answer as it came: nothing is known of it yet but that no secret of ours is in it."""

    status: int
    headers: t.Mapping[str, str]
    content: bytes


class Transport:
    """Sends requests for all workers of a task.

    Args:
        pool_size: connections that are kept open.
    """

    def __init__(self, connection: Connection, clock: Clock, core_version: str, pool_size: int) -> None:
        self._connection = connection
        self._clock = clock
        self._session = new_session(f"edgeops.cloudflare/{VERSION} (ansible-core/{core_version})", pool_size)
        self._auth = _auth(connection.credentials)
        self._settings: dict[str, t.Any] | None = None

    def exchange(self, method: str, path: str, query: dict[str, str] | None, body: t.Any) -> Raw:
        """Send one request and read its answer.

        Args:
            path: below the API's base URL, its parts percent-encoded.
            body: JSON-able, or None.

        Raises:
            NotSent, UnusableServer: it did not go out.
            AnswerLost, TooLarge: it did, and there is no usable answer.
        """
        connection = self._connection
        proxy = None
        try:
            # Prepared without the session's merging, which costs a tenth of the time of a large task.
            request = requests.PreparedRequest()
            request.prepare(method, connection.api_url + path, headers=self._session.headers, params=query, json=body, auth=self._auth)
            url = request.url or ""
            settings = self._transport_settings(url)
            proxy = requests.utils.select_proxy(url, settings["proxies"])
            # By the adapter, since a session reads a redirect's body and destination even where it isn't to follow it.
            response = self._session.get_adapter(url).send(request, timeout=connection.api_timeout, stream=True, **settings)
            with response:
                content = self._read(response, connection.api_timeout)
                return Raw(response.status_code, response.headers, connection.credentials.masked(content))
        except (requests.RequestException, urllib3_errors.HTTPError, OSError, UnicodeError) as error:
            raise classify(error, connection.api_timeout, urlsplit(connection.api_url).netloc, proxy) from None

    def _read(self, response: requests.Response, timeout: float) -> bytes:
        """The answer's body; given up where it is too large, or drips for longer than the timeout in all."""
        give_up_at = self._clock.monotonic() + timeout
        announced = response.headers.get("Content-Length", "")
        too_large = TooLarge(f"the answer is larger than {LARGEST_ANSWER >> 20} MiB and was not read to its end")
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

    def _transport_settings(self, url: str) -> dict[str, t.Any]:
        """Proxies and verification, worked out once; given with each request, since a session's lose to the environment."""
        if self._settings is None:
            merged = self._session.merge_environment_settings(url, {}, None, self._connection.verify, None)
            proxies = {} if self._connection.is_loopback else merged["proxies"]
            self._settings = {"proxies": proxies, "verify": merged["verify"]}
        return self._settings


def new_session(user_agent: str, pool_size: int) -> requests.Session:
    """A requests session that adds nothing of its own: no retries, no cookies."""
    session = requests.Session()
    session.mount("https://", HTTPAdapter(pool_maxsize=pool_size, max_retries=Retry(0, read=False)))
    session.mount("http://", HTTPAdapter(pool_maxsize=pool_size, max_retries=Retry(0, read=False)))
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.headers.update({"User-Agent": user_agent, "Accept": "application/json"})
    return session


def retry_after_seconds(header: str | None) -> float | None:
    """The header `Retry-After`, seconds or a date, in seconds; None where it is missing or unreadable."""
    try:
        return float(Retry(0).parse_retry_after(header)) if header else None
    except (urllib3_errors.InvalidHeader, ValueError, OverflowError, IndexError, TypeError):
        return None  # the last two: what Python 3.9 makes of some dates


def _auth(credentials: Credentials) -> t.Callable[[requests.PreparedRequest], requests.PreparedRequest]:
    """Puts the credentials into a request. Given even without any, so that a `.netrc` entry can't step in."""
    headers = credentials.headers()

    def authorize(request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers.update(headers)
        return request

    return authorize


def _parts(raw: t.Any) -> t.Iterator[bytes]:
    """The parts of an answer's body as they arrive."""
    if hasattr(raw, "read1"):
        return iter(lambda: raw.read1(65536, decode_content=True), b"")
    # urllib3 before 2.1 always waits until the amount asked for is complete, so that little is asked for.
    parts: t.Iterator[bytes] = raw.stream(16, decode_content=True)
    return parts
