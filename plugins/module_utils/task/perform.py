# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What all modules do alike around their work: credentials first, options next, and every error a sentence."""

from __future__ import annotations

import typing as t

from ansible_collections.edgeops.cloudflare.plugins.module_utils import auth
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.connection import Connection
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import CloudflareError, OptionError, internal_error_text
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.host import Host, Result

_Request = t.TypeVar("_Request")


def guarded(
    host: Host,
    validate: t.Callable[[t.Mapping[str, t.Any]], _Request],
    pursue: t.Callable[[Host, Connection, _Request], Result],
) -> Result:
    """Do a task's work.

    Args:
        host: who runs it.
        validate: turns the options into a request; raises OptionError.
        pursue: makes the calls and tells of all that was done, in its result; raises OptionError before the first call.
    """
    try:
        connection = auth.resolve(host.params)
        host.protect(connection.credentials.secrets())
        request = validate(host.params)
    except CloudflareError as error:
        return failure(f"{error.message}.")
    try:
        return pursue(host, connection, request)
    except OptionError as error:
        # What could be judged only with the connection, and still before any call.
        return failure(f"{error.text}.")
    except Exception as error:  # noqa: BLE001  no traceback reaches a user
        return failure(internal_error_text(error))


def failure(text: str) -> Result:
    """The result of a task that ended before it had anything to tell."""
    return {"failed": True, "msg": text}
