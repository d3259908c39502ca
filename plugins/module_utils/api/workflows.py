# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Workflows endpoints as plain dicts; the only file that knows their paths.

Source: Cloudflare's API reference, Workflows.
"""

from __future__ import annotations

import typing as t
from urllib.parse import quote

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.client import LIST, PATCH, READ
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import AnswerLost, WorkflowNotFound

#: The API's largest page.
PAGE_SIZE = 100


class Page(t.NamedTuple):
    """One page of a listing.

    items: list of dict.
    total: int or None, how many the server says match in all.
    at: float seconds, by the task's clock, when it was asked for: what it tells is no newer.
    """

    items: list
    total: int | None
    at: float


class Observed(t.NamedTuple):
    """An instance's detail (dict), and when it was asked for (float seconds, by the task's clock)."""

    detail: dict
    at: float


class Workflow:
    """One workflow of the account.

    Args:
        client: client.Client.
        name: str, 1 to 64 characters.
    """

    def __init__(self, client, name):
        self._client = client
        self.name = name
        self._path = "{0}/workflows/{1}".format(client.prefix, quote(name, safe=""))

    def detail(self, instance_id, steps=False, slots=1):
        """An instance's detail, Observed; without its log unless `steps`. One call.

        Raises:
            InstanceNotFound, and whatever Client.call raises.
        """
        query = None if steps else {"simple": "true"}
        answer = self._call("GET", self._instance(instance_id), READ, query=query, slots=slots)
        return Observed(answer.result, answer.sent_at)

    def change_status(self, instance_id, action, step=None, rollback=False, slots=1, longest_wait=None, is_repetition=False):
        """Ask for a change: `pause`, `resume`, `restart` or `terminate`. One call; its 200 proves nothing.

        Args:
            instance_id: str.
            action: str.
            step: steplog.Step to restart from, or None.
            rollback: bool, run the rollback handlers before terminating; the call stays open while they run.
            slots, longest_wait: see RateGate.enter.
            is_repetition: bool, the same change was held back before.

        Returns:
            dict {status, timestamp}.

        Raises:
            LookStale, AnswerLost, Refused, InstanceNotFound, and whatever else Client.call raises.
        """
        body = {"status": action}
        if step is not None:
            body["from"] = step._asdict()
        if rollback:
            body["rollback"] = True
        return self._call(
            "PATCH",
            self._instance(instance_id) + "/status",
            PATCH,
            body=body,
            once=action == "restart" or rollback,
            slots=slots,
            longest_wait=longest_wait,
            is_repetition=is_repetition,
        ).result

    def pages(self, status=None, created_after=None, created_before=None):
        """List instances, newest first; one call a page, made as the pages are taken.

        Production's page numbers lose instances while they move, so cursors are followed. Page numbers are used only
        in a development session, whose server knows no cursors.

        Args:
            status: str or None.
            created_after, created_before: str or None, UTC timestamps with `Z`.

        Yields:
            Page
        """
        query = {"per_page": str(PAGE_SIZE), "direction": "desc"}
        for key, value in (("status", status), ("date_start", created_after), ("date_end", created_before)):
            if value is not None:
                query[key] = value
        number, seen, known, cursors = 1, 0, set(), set()
        while True:
            answer = self._call("GET", self._path + "/instances", LIST, query=query)
            items = [item for item in answer.result if isinstance(item, dict) and _is_id(item.get("id"))]
            total = answer.result_info.get("total_count")
            total = total if isinstance(total, int) else None
            yield Page(items, total, answer.sent_at)
            number, seen = number + 1, seen + len(answer.result)
            cursor, ids = answer.result_info.get("cursor"), {item["id"] for item in items}
            if cursor:
                query["cursor"] = str(cursor)
            elif "cursor" not in query and self._pages_by_number(len(answer.result), seen, total):
                query["page"] = str(number)
            else:
                return
            # Pages by number hold the same instances again where new ones have pushed them on; a total ends those.
            if query.get("cursor") in cursors or (ids and ids <= known and (cursor or total is None)):
                raise AnswerLost("the API's listing goes in circles and does not end")
            known |= ids
            if cursor:
                cursors.add(query["cursor"])

    def _pages_by_number(self, count, seen, total):
        if not self._client.is_development_session or count < PAGE_SIZE:
            return False
        return total is None or seen < total

    def _call(self, *args, **kwargs):
        try:
            return self._client.call(*args, **kwargs)
        except WorkflowNotFound as error:
            error.message = f"workflow {self.name} was not found in this account; check workflow_name and account_id"
            raise

    def _instance(self, instance_id):
        return "{0}/instances/{1}".format(self._path, quote(instance_id, safe=""))


def _is_id(value):
    # "." and ".." would address something else.
    return isinstance(value, str) and value not in ("", ".", "..")
