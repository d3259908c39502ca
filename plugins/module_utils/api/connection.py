# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whose account, with which credentials, at which server: what a client is made of."""

from __future__ import annotations

import json
import typing as t

_MASK = b"********"


class Credentials(t.NamedTuple):
    """What proves who asks: a token, or an email with a key, or nothing (a development session)."""

    token: str | None = None
    email: str | None = None
    key: str | None = None

    def headers(self) -> dict[str, str]:
        """The request headers that carry them."""
        if self.token:
            return {"Authorization": "Bearer " + self.token}
        if self.key:
            return {"X-Auth-Email": self.email or "", "X-Auth-Key": self.key}
        return {}

    def secrets(self) -> list[str]:
        """The values that are not shown anywhere. An email opens nothing, and may well be part of an id."""
        return [secret for secret in (self.token, self.key) if secret]

    def masked(self, content: bytes) -> bytes:
        """What a server sent, without the secrets: it is cut and cleaned later, and half of a secret would go unnoticed."""
        for secret in self.secrets():
            for written in (secret, json.dumps(secret)[1:-1]):
                content = content.replace(written.encode(), _MASK)
        return content


class Connection(t.NamedTuple):
    """A validated set of connection options.

    api_timeout: seconds.
    verify: as requests takes it; None is its default.
    credentials_from, account_from: the option or the variable that they were found in; None where there are none.
    """

    api_url: str
    account_id: str | None
    credentials: Credentials
    api_timeout: float
    api_retries: int
    verify: bool | str | None
    is_loopback: bool
    credentials_from: str | None = None
    account_from: str | None = None
