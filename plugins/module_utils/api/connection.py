# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whose account, with which credentials, at which server: what a client is made of."""

from __future__ import annotations

import typing as t


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
        """The values that are not shown anywhere. An email opens nothing, but has no business in a log either."""
        return [secret for secret in (self.token, self.key, self.email) if secret]


class Connection(t.NamedTuple):
    """A validated set of connection options.

    api_timeout: float seconds.
    verify: as requests takes it; None is its default.
    credentials_from: str, the option or the variable that the credentials were found in; None where there are none.
    """

    api_url: str
    account_id: str | None
    credentials: Credentials
    api_timeout: float
    api_retries: int
    verify: bool | str | None
    is_loopback: bool
    credentials_from: str | None = None
