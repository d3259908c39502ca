# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Connection options: whose account, with which credentials, at which server.

The environment is read here and not by `env_fallback`, since options given in the task must hide the environment's
*other kind* of credentials, and since an empty value (credential injectors render blank fields) counts as not given.
"""

from __future__ import annotations

import ipaddress
import os
import re
import typing as t
from urllib.parse import urlsplit

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.connection import Connection, Credentials
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import OptionError
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.text import clean

PUBLIC_API = "https://api.cloudflare.com/client/v4"

#: option → the environment variables that stand in for it, first one wins.
ENVIRONMENT = {
    "api_token": ("CLOUDFLARE_API_TOKEN",),
    "api_email": ("CLOUDFLARE_EMAIL",),
    "api_key": ("CLOUDFLARE_API_KEY",),
    "account_id": ("CLOUDFLARE_ACCOUNT_ID",),
    "api_url": ("CLOUDFLARE_BASE_URL", "CLOUDFLARE_API_BASE_URL"),
}

#: Characters that an account's id is made of; production's are 32 hexadecimal digits.
_ACCOUNT_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")

#: Shorter ones are none of Cloudflare's, and masking one would eat words and ids out of the result.
_SHORTEST_CREDENTIAL = 16

_QUOTES = "\"'`\u201c\u201d\u2018\u2019"

_WAYS = "give api_token (or CLOUDFLARE_API_TOKEN), or api_email and api_key (or CLOUDFLARE_EMAIL and CLOUDFLARE_API_KEY)"


def argument_spec() -> dict[str, dict[str, t.Any]]:
    """The connection options shared by all modules, as an AnsibleModule argument spec; documented in fragment `auth`."""
    return {
        "api_token": {"type": "str", "no_log": True},
        "api_email": {"type": "str"},
        "api_key": {"type": "str", "no_log": True},
        "account_id": {"type": "str"},
        "api_url": {"type": "str"},
        "api_timeout": {"type": "float", "default": 30.0},
        "api_retries": {"type": "int", "default": 4},
        "validate_certs": {"type": "bool", "default": True},
        "ca_path": {"type": "path"},
    }


def resolve(params: t.Mapping[str, t.Any], environ: t.Mapping[str, str] | None = None) -> Connection:
    """Turn the connection options and the environment into a Connection.

    Args:
        params: the module's parameters.
        environ: `os.environ` when None.

    Raises:
        OptionError: what is missing, contradictory or unsafe, and what would be right.
    """
    environ = os.environ if environ is None else environ
    given_url, _origin = _find(params, environ, "api_url")
    api_url, is_loopback = _api_url(given_url or PUBLIC_API)
    account_id, account_from = _find(params, environ, "account_id")
    if account_id is None and not is_loopback:
        raise OptionError("account_id is missing: give the option account_id or set CLOUDFLARE_ACCOUNT_ID")
    if account_id is not None and not _ACCOUNT_ID.fullmatch(account_id):
        raise OptionError(
            f"account_id (from {account_from}) is {clean(repr(account_id), 80)}, which no account's id can be: 1 to 64 letters, digits, "
            "- and _; copy it from the account's page"
        )
    credentials, credentials_from = _credentials(params, environ, is_loopback)
    return Connection(
        api_url=api_url,
        account_id=account_id,
        credentials=credentials,
        api_timeout=params["api_timeout"],
        api_retries=params["api_retries"],
        verify=_verify(params),
        is_loopback=is_loopback,
        credentials_from=credentials_from,
        account_from=account_from,
    )


def _find(params: t.Mapping[str, t.Any], environ: t.Mapping[str, str], option: str) -> tuple[str | None, str | None]:
    """An option's value, from the task or else the environment, and the name of the option or variable that gave it."""
    value = (params.get(option) or "").strip()
    if value:
        return value, option
    for variable in ENVIRONMENT[option]:
        value = environ.get(variable, "").strip()
        if value:
            return value, variable
    return None, None


def _credentials(params: t.Mapping[str, t.Any], environ: t.Mapping[str, str], is_loopback: bool) -> tuple[Credentials, str | None]:
    """The credentials, and the name of the option or variable that gave them; None of both in a development session."""
    nowhere: dict[str, str] = {}
    token, key, email = (_find(params, nowhere, option)[0] for option in ("api_token", "api_key", "api_email"))
    if token and (email or key):
        raise OptionError(f"api_token and api_email/api_key are both given; {_WAYS}, not both kinds")
    # Options given in the task hide the other kind's environment.
    token, token_from = (None, None) if email or key else _find(params, environ, "api_token")
    if token:
        _check_credential(token_from or "", token, is_loopback)
        return Credentials(token=token), token_from
    key, key_from = _find(params, environ, "api_key")
    email, email_from = _find(params, environ, "api_email")
    if key and email:
        _check_credential(key_from or "", key, is_loopback)
        _check_header(email_from or "", email)
        return Credentials(email=email, key=key), key_from
    if key or email:
        missing = "api_key" if email else "api_email"
        raise OptionError(f"{missing} is missing: api_email and api_key go together; {_WAYS}")
    if not is_loopback:
        raise OptionError(f"no credentials: {_WAYS}")
    return Credentials(), None


def _check_credential(origin: str, value: str, is_loopback: bool) -> None:
    """Refuse what can't be a token or a key; without a word of it in the sentence."""
    _check_header(origin, value)
    pasted = re.match(r"(bearer|authorization)[\s:]", value, re.IGNORECASE)
    if pasted:
        raise OptionError(f"{origin} begins with {pasted.group(1)!r}, which is no part of a token; give what follows it")
    if any(quote in value for quote in _QUOTES):
        raise OptionError(f"{origin} contains quotes, which no credential has; give what is between them")
    if len(value.split()) > 1:
        raise OptionError(f"{origin} contains blanks, which no credential has; check how it was pasted")
    if len(value) < _SHORTEST_CREDENTIAL:
        need = "; a development session needs none: leave it out" if is_loopback else "; check how it was pasted"
        raise OptionError(f"{origin} has {len(value)} characters, and a credential of Cloudflare has {_SHORTEST_CREDENTIAL} or more{need}")


def _check_header(origin: str, value: str) -> None:
    # Such a value could not be sent as a header, and the HTTP library would quote it in its error.
    if not (value.isascii() and value.isprintable()) and not any(quote in value for quote in _QUOTES):
        raise OptionError(f"{origin} contains characters that no credential has; check how it was pasted")


def _api_url(text: str) -> tuple[str, bool]:
    """A base URL without trailing slash, and whether it is on this machine."""
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    if parts.scheme not in ("http", "https") or not host or not text.isprintable() or " " in text or port == 0:
        raise OptionError(f"api_url must be an http or https URL such as {PUBLIC_API}")
    if parts.username is not None or parts.password is not None:
        raise OptionError(f"api_url must not contain credentials; {_WAYS}")
    if parts.query or parts.fragment:
        raise OptionError(f"api_url must end with its path, without query or fragment, such as {PUBLIC_API}")
    is_loopback = _is_loopback(host)
    if parts.scheme == "http" and not is_loopback:
        raise OptionError(
            "api_url must use https: a token is never sent in the clear; plain http is for a development session on "
            "localhost, 127.0.0.0/8 or [::1]"
        )
    return text.rstrip("/"), is_loopback


def _is_loopback(host: str) -> bool:
    if host.rstrip(".").lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _verify(params: t.Mapping[str, t.Any]) -> bool | str | None:
    if not params["validate_certs"]:
        return False
    ca_path = params.get("ca_path")
    if not ca_path:
        return None
    if not os.path.exists(ca_path):
        raise OptionError("ca_path names nothing that exists here; give a file of CA certificates or a folder of them")
    return str(ca_path)
