# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The endpoints of Cloudflare Queues from which messages are pulled; the only file that knows their paths.

Source: Cloudflare's API reference, Queues; API.md, section 4.
"""

from __future__ import annotations

import typing as t
from urllib.parse import quote

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.client import LIST, QUEUE, Client
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.envelope import Answer
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import (
    AuthenticationError,
    InstanceNotFound,
    QueueNotFound,
    Refused,
)
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.paging import count_of
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.text import clean, shown_name
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.types import Json

#: What the API says of a queue that is none, and of an id that can't be one.
_NO_QUEUE = (10104, 10107)

_PAGE_SIZE = 100
_MOST_PAGES = 100


def queue_id_of(client: Client, name: str) -> str:
    """The id of a queue by its name. One call for each hundred queues. Raises QueueNotFound, and whatever Client.call raises."""
    seen = 0
    for page in range(1, _MOST_PAGES + 1):
        query = {"page": str(page), "per_page": str(_PAGE_SIZE)}
        answer = _call(client, name, "GET", f"{client.prefix}/queues", LIST, query=query)
        for queue in answer.result:
            if isinstance(queue, dict) and queue.get("queue_name") == name and isinstance(queue.get("queue_id"), str):
                return str(queue["queue_id"])
        seen += len(answer.result)
        total = count_of(answer.result_info.get("total_count"))
        if not answer.result or (seen >= total if total is not None else len(answer.result) < _PAGE_SIZE):
            break
    raise _not_found(client, name)


class PullQueue:
    """One queue, by its id.

    Args:
        name: what it is called in sentences.
    """

    def __init__(self, client: Client, queue_id: str, name: str) -> None:
        self._client = client
        self._name = name
        self._path = "{0}/queues/{1}/messages".format(client.prefix, quote(queue_id, safe=""))

    def pull(self, batch_size: int, visibility_timeout: float) -> list[Json]:
        """Take messages; each is leased, and comes again unless it is acknowledged. One call, which is not repeated: it counts as a delivery.

        Args:
            visibility_timeout: seconds for which they are leased.

        Returns:
            {id, body, attempts, timestamp_ms, lease_id, metadata} each.

        Raises:
            QueueNotFound, and whatever Client.call raises.
        """
        body = {"batch_size": batch_size, "visibility_timeout_ms": int(visibility_timeout * 1000)}
        answer = _call(self._client, self._name, "POST", self._path + "/pull", QUEUE, body=body, once=True)
        messages = answer.result.get("messages")
        return [message for message in messages if isinstance(message, dict)] if isinstance(messages, list) else []

    def acknowledge(self, lease_ids: t.Iterable[str]) -> None:
        """Tell that messages need not come again; late, or twice, does no harm. One call. Raises as `pull` does."""
        body = {"acks": [{"lease_id": lease_id} for lease_id in lease_ids], "retries": []}
        _call(self._client, self._name, "POST", self._path + "/ack", QUEUE, body=body)


def _call(client: Client, name: str, *args: t.Any, **kwargs: t.Any) -> Answer:
    try:
        return client.call(*args, **kwargs)
    except (InstanceNotFound, Refused) as error:
        if isinstance(error, InstanceNotFound) or error.code in _NO_QUEUE:
            raise _not_found(client, name) from None
        raise
    except AuthenticationError as error:
        error.advice = f"Check account_id, and that {client.connection.credentials_from or 'the token'} may edit Queues in it"
        raise


def _not_found(client: Client, name: str) -> QueueNotFound:
    connection = client.connection
    where = clean(connection.account_id or "(none given)", 64)
    origin = f" (from {connection.account_from})" if connection.account_from else ""
    return QueueNotFound(
        f"queue {shown_name(name)} was not found in account {where}{origin}", "Check queue_id or queue_name, and account_id"
    )
