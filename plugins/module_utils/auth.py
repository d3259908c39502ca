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
from urllib.parse import urlsplit

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.connection import Connection, Credentials
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import OptionError

PUBLIC_API = "https://api.cloudflare.com/client/v4"

#: option → the environment variables that stand in for it, first one wins.
ENVIRONMENT = {
    "api_token": ("CLOUDFLARE_API_TOKEN",),
    "api_email": ("CLOUDFLARE_EMAIL",),
    "api_key": ("CLOUDFLARE_API_KEY",),
    "account_id": ("CLOUDFLARE_ACCOUNT_ID",),
    "api_url": ("CLOUDFLARE_BASE_URL", "CLOUDFLARE_API_BASE_URL"),
}

_WAYS = "give api_token (or CLOUDFLARE_API_TOKEN), or api_email and api_key (or CLOUDFLARE_EMAIL and CLOUDFLARE_API_KEY)"


def argument_spec():
    """The connection options shared by all modules, as an AnsibleModule argument spec; documented in fragment `auth`."""
    return {
        "api_token": {"type": "str", "no_log": True},
        "api_email": {"type": "str", "no_log": True},
        "api_key": {"type": "str", "no_log": True},
        "account_id": {"type": "str"},
        "api_url": {"type": "str"},
        "api_timeout": {"type": "float", "default": 30.0},
        "api_retries": {"type": "int", "default": 4},
        "validate_certs": {"type": "bool", "default": True},
        "ca_path": {"type": "path"},
    }


def resolve(params, environ=None):
    """Turn the connection options and the environment into a Connection.

    Args:
        params: dict, the module's parameters.
        environ: mapping of str, `os.environ` when None.

    Raises:
        OptionError: what is missing, contradictory or unsafe, and what would be right.
    """
    environ = os.environ if environ is None else environ
    api_url, is_loopback = _api_url(_given(params, "api_url") or _from_environment(environ, "api_url") or PUBLIC_API)
    account_id = _given(params, "account_id") or _from_environment(environ, "account_id")
    if account_id is not None:
        check_path_part("account_id", account_id, longest=64)
    elif not is_loopback:
        raise OptionError("account_id is missing: give the option account_id or set CLOUDFLARE_ACCOUNT_ID")
    credentials = _credentials(params, environ, optional=is_loopback)
    return Connection(
        api_url=api_url,
        account_id=account_id,
        credentials=credentials,
        api_timeout=params["api_timeout"],
        api_retries=params["api_retries"],
        verify=_verify(params),
        is_loopback=is_loopback,
        credentials_from=_origin(params, credentials),
    )


def check_path_part(option, value, longest, shortest=1):
    """Refuse what cannot be, or must not be, one part of a URL path.

    Args:
        option: str, the option's name for the message.
        value: str.
        longest, shortest: int, characters.

    Raises:
        OptionError
    """
    if not shortest <= len(value) <= longest:
        raise OptionError(f"{option} must have {shortest} to {longest} characters, and has {len(value)}")
    if value in (".", ".."):
        raise OptionError(f"{option} must not be {value!r}: it would address something else; give the real one")
    if not value.isprintable():
        raise OptionError(f"{option} must not contain control characters or line breaks; check how it was put together")


def _given(params, option):
    return (params.get(option) or "").strip() or None


def _from_environment(environ, option):
    for variable in ENVIRONMENT[option]:
        value = environ.get(variable, "").strip()
        if value:
            return value
    return None


def _credentials(params, environ, optional):
    token, email, key = (_given(params, option) for option in ("api_token", "api_email", "api_key"))
    if token and (email or key):
        raise OptionError(f"api_token and api_email/api_key are both given; {_WAYS}, not both kinds")
    if not (token or email or key):
        token = _from_environment(environ, "api_token")
    if not token:
        email = email or _from_environment(environ, "api_email")
        key = key or _from_environment(environ, "api_key")
    if token:
        found = Credentials(token=token)
    elif email and key:
        found = Credentials(email=email, key=key)
    elif email or key:
        missing = "api_key" if email else "api_email"
        raise OptionError(f"{missing} is missing: api_email and api_key go together; {_WAYS}")
    elif optional:
        return Credentials()
    else:
        raise OptionError(f"no credentials: {_WAYS}")
    for option, value in (("api_token", found.token), ("api_email", found.email), ("api_key", found.key)):
        # Such a value could not be sent as a header, and the HTTP library would quote it in its error.
        if value and not (value.isascii() and value.isprintable()):
            raise OptionError(f"{option} contains characters that no credential has; check how it was pasted")
    return found


def _origin(params, credentials):
    if not credentials.secrets():
        return None
    option = "api_token" if credentials.token else "api_key"
    return option if _given(params, option) else ENVIRONMENT[option][0]


def _api_url(text):
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


def _is_loopback(host):
    if host.rstrip(".").lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _verify(params):
    if not params["validate_certs"]:
        return False
    ca_path = params.get("ca_path")
    if not ca_path:
        return None
    if not os.path.exists(ca_path):
        raise OptionError("ca_path names nothing that exists here; give a file of CA certificates or a folder of them")
    return ca_path
