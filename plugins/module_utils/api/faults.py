# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an exception of the HTTP library means for a call. Texts of the library are not passed on: they can quote a proxy's password."""

from __future__ import annotations

import re
import socket
import ssl
import typing as t
from urllib.parse import urlsplit

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import AnswerLost, CloudflareError, NotSent, UnusableServer
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.text import clean

try:
    import requests
    from urllib3 import exceptions as urllib3_errors
except ImportError:
    pass  # the client says so

#: Reasons of TLS failures that can only come before a request is sent.
_NO_TLS = ("WRONG_VERSION_NUMBER", "UNSUPPORTED_PROTOCOL", "NO_PROTOCOLS_AVAILABLE", "HTTP_REQUEST")
#: The parts of OpenSSL that read CA certificates.
_CERTIFICATE_LIBRARIES = ("X509", "PEM")


def classify(error: BaseException, timeout: float, host: str, proxy: str | None = None) -> CloudflareError:
    """The NotSent, AnswerLost or UnusableServer that an exception comes to.

    Args:
        error: of requests, urllib3 or the operating system.
        timeout: seconds, for the sentence.
        host: whom the call was for, `name:port`.
        proxy: the URL of the proxy that the call went by.
    """
    chain = list(_chain(error))
    return _tls(chain) or _unusable(chain, proxy) or _not_connected(chain, timeout, host, proxy) or _answer_lost(chain, timeout, proxy)


def shown_proxy(proxy: str | None) -> str:
    """A proxy's address without its credentials."""
    try:
        parts = urlsplit(proxy or "")
        return clean(f"{parts.scheme}://{parts.hostname or '?'}" + (f":{parts.port}" if parts.port else ""), 100)
    except ValueError:
        return "a URL that can't be read"


def _tls(chain: list[BaseException]) -> CloudflareError | None:
    for cause in chain:
        if isinstance(cause, ssl.SSLCertVerificationError):
            reason = clean(getattr(cause, "verify_message", "") or "no reason given")
            return UnusableServer(
                f"the server's certificate does not verify ({reason})", "Check api_url, or name the right CA with ca_path"
            )
        if isinstance(cause, ssl.SSLError) and cause.library in _CERTIFICATE_LIBRARIES:
            return _no_certificates()
        if isinstance(cause, ssl.SSLError) and cause.reason in _NO_TLS:
            return UnusableServer("the server does not speak TLS as it should", "Check that api_url says https and the right port")
    return None


def _no_certificates() -> CloudflareError:
    return UnusableServer("the CA certificates to verify with cannot be read", "Check ca_path and REQUESTS_CA_BUNDLE")


def _unusable(chain: list[BaseException], proxy: str | None) -> CloudflareError | None:
    if any(isinstance(cause, requests.exceptions.InvalidSchema) and "SOCKS" in str(cause) for cause in chain):
        return UnusableServer(
            f"the environment names a SOCKS proxy ({shown_proxy(proxy)}), and PySocks, the library for it, is missing here",
            "Run pip install PySocks where the module runs, or set NO_PROXY",
        )
    kinds = (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema, urllib3_errors.LocationValueError, UnicodeError)
    if _has(chain, *kinds):
        return UnusableServer("api_url, or the proxy that the environment names, is not a URL that can be used", "Check both")
    return None


def _not_connected(chain: list[BaseException], timeout: float, host: str, proxy: str | None) -> CloudflareError | None:
    """No connection came about. A ProxyError alone doesn't tell: urllib3 makes one of an answer lost behind a proxy, too."""
    by_proxy = bool(proxy) and _has(chain, urllib3_errors.ProxyError)
    whom = f"the proxy {shown_proxy(proxy)} that the environment names" if by_proxy else host
    advice = "Check HTTPS_PROXY and NO_PROXY" if by_proxy else "Check api_url, the network, and this machine's DNS"
    tunnel = next((str(cause) for cause in chain if isinstance(cause, OSError) and "Tunnel connection failed" in str(cause)), None)
    if tunnel is not None:
        status = re.search(r"failed: (\d{3})\b", tunnel)  # what follows it is the proxy's own text
        return NotSent(f"{whom} will not connect to {host}" + (f" (HTTP {status.group(1)})" if status else ""), advice)
    if _has(chain, socket.gaierror):
        return NotSent(f"the name of {whom} did not resolve", advice)
    if _has(chain, urllib3_errors.ConnectTimeoutError) and not _has(chain, urllib3_errors.NewConnectionError):
        return NotSent(f"connecting to {whom} timed out after {timeout:g} s (api_timeout)", advice)
    if _has(chain, urllib3_errors.NewConnectionError):
        reason = _reason(chain)
        return NotSent(f"no connection to {whom} can be made" + (f" ({reason})" if reason else ""), advice)
    return None


def _reason(chain: list[BaseException]) -> str:
    """Why there is no connection, in the system's own words, which know of no secrets."""
    for cause in chain:
        if isinstance(cause, ConnectionRefusedError):
            return "refused"
        if isinstance(cause, OSError) and cause.errno and cause.strerror:
            return clean(cause.strerror, 80).lower()
    return ""


def _answer_lost(chain: list[BaseException], timeout: float, proxy: str | None) -> CloudflareError:
    if not _has(chain, requests.RequestException, urllib3_errors.HTTPError, ConnectionError, socket.timeout, ssl.SSLError):
        return _no_certificates()  # requests tells it by a plain OSError
    if _has(chain, requests.exceptions.ReadTimeout, urllib3_errors.ReadTimeoutError):
        return AnswerLost(f"no answer within {timeout:g} s (api_timeout)")
    way = f"; it leads through the proxy {shown_proxy(proxy)}" if _has(chain, urllib3_errors.ProxyError) else ""
    return AnswerLost(f"the connection broke before the answer was complete{way}")


def _chain(error: BaseException) -> t.Iterator[BaseException]:
    """An exception and all that caused it; the HTTP libraries nest them in several ways."""
    seen: set[int] = set()
    waiting: list[t.Any] = [error]
    while waiting:
        current = waiting.pop()
        if not isinstance(current, BaseException) or id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        waiting.extend([getattr(current, "reason", None), current.__cause__, current.__context__, *current.args])


def _has(chain: list[BaseException], *kinds: type[BaseException]) -> bool:
    return any(isinstance(error, kinds) for error in chain)
