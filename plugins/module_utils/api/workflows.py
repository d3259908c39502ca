# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Workflows endpoints as plain dicts; the only file that knows their paths.

Source: Cloudflare's API reference, Workflows.
"""

from __future__ import annotations

import json
import typing as t
from urllib.parse import quote

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.client import BATCH, CREATE, DELETE, EVENT, LIST, PATCH, READ, Client
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.envelope import Answer
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import ListingBroken, WorkflowNotFound
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.paging import check_ways_on, count_of, cursor_of
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.text import clean, shown_name
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.types import Json

#: The API's largest page.
PAGE_SIZE = 100

#: Workflows, or versions of one, that are listed at most.
MOST_LISTED = 1000


class Page(t.NamedTuple):
    """One page of a listing.

    total: how many the server says match in all; None where it doesn't.
    at: seconds, by the task's clock, when it was asked for: what it tells is no newer.
    """

    items: list[Json]
    total: int | None
    at: float


class Observed(t.NamedTuple):
    """An instance's detail, and when it was asked for (seconds, by the task's clock)."""

    detail: Json
    at: float


class StepLike(t.Protocol):
    """A step as PATCH takes it in `from`."""

    def _asdict(self) -> dict[str, t.Any]:
        """Its name, count and type."""


class Creation(t.NamedTuple):
    """An instance that is to be triggered.

    instance_id: None where the API is to make one up.
    params: what the workflow gets; retention: {success_retention, error_retention}; both None where not given.
    """

    instance_id: str | None = None
    params: Json | None = None
    retention: Json | None = None
    location_hint: str | None = None

    def body(self, is_development: bool) -> Json:
        """As the API takes it; a development session has other names, and takes `params` as they are (API.md, 6.4)."""
        given: Json = {}
        if self.instance_id is not None:
            given["id" if is_development else "instance_id"] = self.instance_id
        if self.params is not None:
            given["params"] = self.params if is_development else json.dumps(self.params)
        if self.retention is not None and not is_development:
            given["instance_retention"] = self.retention
        if self.location_hint is not None and not is_development:
            given["location_hint"] = self.location_hint
        return given


class Account:
    """The workflows of an account."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def workflows(self, search: str | None = None) -> list[Json]:
        """Every workflow, with its counts of instances. One call for each hundred.

        Args:
            search: part of the name; a development session lists all the same.
        """
        return _all_pages(self._client, f"{self._client.prefix}/workflows", {"search": search} if search else {})

    def settings(self) -> Json:
        """The account's settings of workflows. One call."""
        settings: Json = self._client.call("GET", f"{self._client.prefix}/workflows/settings", READ).result
        return settings


class Workflow:
    """One workflow of the account."""

    def __init__(self, client: Client, name: str) -> None:
        self._client = client
        self.name = name
        self._path = "{0}/workflows/{1}".format(client.prefix, quote(name, safe=""))

    def detail(self, instance_id: str, steps: bool = False, slots: int = 1) -> Observed:
        """An instance's detail; without its log unless `steps`. One call.

        Raises:
            InstanceNotFound, and whatever Client.call raises.
        """
        query = None if steps else {"simple": "true"}
        answer = self._call("GET", self._instance(instance_id), READ, query=query, slots=slots)
        return Observed(answer.result, answer.sent_at)

    def change_status(
        self,
        instance_id: str,
        action: str,
        step: StepLike | None = None,
        rollback: bool = False,
        slots: int = 1,
        longest_wait: float | None = None,
        is_repetition: bool = False,
    ) -> Json:
        """Ask for a change: `pause`, `resume`, `restart` or `terminate`. One call; its 200 proves nothing.

        Args:
            step: to restart from.
            rollback: run the rollback handlers before terminating; the call stays open while they run.
            slots, longest_wait: see RateGate.enter.
            is_repetition: the same change was held back before.

        Returns:
            {status, timestamp}.

        Raises:
            LookStale, AnswerLost, Refused, InstanceNotFound, and whatever else Client.call raises.
        """
        body: Json = {"status": action}
        if step is not None:
            body["from"] = step._asdict()
        if rollback:
            body["rollback"] = True
        answer = self._call(
            "PATCH",
            self._instance(instance_id) + "/status",
            PATCH,
            body=body,
            once=action == "restart" or rollback,
            slots=slots,
            longest_wait=longest_wait,
            is_repetition=is_repetition,
        )
        changed: Json = answer.result
        return changed

    def describe(self) -> Json:
        """The workflow itself, with its counts of instances by status. One call."""
        described: Json = self._call("GET", self._path, READ).result
        return described

    def versions(self) -> list[Json]:
        """Its versions, newest first. One call for each hundred."""
        return _all_pages(self._client, f"{self._path}/versions", {})

    def create(self, creation: Creation) -> Json:
        """Trigger an instance. One call, which is never repeated where it may have been processed.

        Returns:
            {id, status, …}; a development session tells the id alone.

        Raises:
            AlreadyExists, AnswerLost, Refused, and whatever else Client.call raises.
        """
        body = creation.body(self._is_development)
        created: Json = self._call("POST", self._path + "/instances", CREATE, body=body, once=True).result
        return created

    def create_many(self, creations: t.Sequence[Creation]) -> list[Json] | Json:
        """Trigger up to 100 instances, each with an id. One call.

        Returns:
            A list of those made, or {created, errors}: nobody knows which of the two (API.md, 1).

        Raises:
            AlreadyExists: nothing was made, since one of them exists.
            AnswerLost, Refused, and whatever else Client.call raises.
        """
        body = [creation.body(self._is_development) for creation in creations]
        answer = self._call("POST", self._path + "/instances/batch", CREATE, body=body, once=True, expected=(list, dict))
        created: list[Json] | Json = answer.result
        return created

    def delete_many(self, instance_ids: t.Sequence[str]) -> Json:
        """Delete up to 100 instances. One call.

        Returns:
            {deleted: [{id}], errors: [{id, code, message}]}
        """
        body = {"instances": list(instance_ids)}
        deleted: Json = self._call("POST", self._path + "/instances/batch/delete", DELETE, body=body, once=True).result
        return deleted

    def delete(self, instance_id: str) -> None:
        """Delete one instance. One call. Raises InstanceNotFound, and whatever Client.call raises."""
        self._call("DELETE", self._instance(instance_id), DELETE, once=True)

    def send_event(self, instance_id: str, event_type: str, payload: t.Any) -> None:
        """Send an event to an instance, once. One call.

        Raises:
            LookStale, AnswerLost, Refused, InstanceNotFound, and whatever else Client.call raises.
        """
        path = f"{self._instance(instance_id)}/events/{quote(event_type, safe='')}"
        self._call("POST", path, EVENT, body=payload, once=True, expected=(dict, type(None)))

    @property
    def _is_development(self) -> bool:
        # An account is what a development session has none of.
        return not self._client.prefix

    @property
    def creates_by_hundreds(self) -> bool:
        """A development session has no such call (API.md, 2)."""
        return not self._is_development

    @property
    def terminates_by_hundreds(self) -> bool:
        """A development session, where there is no account, has no such call (API.md, 2)."""
        return not self._is_development

    def terminate_many(self, instance_ids: list[str]) -> Json:
        """Terminate up to 100 instances without rollback. One call; its answer is a count, and proves nothing of any of them.

        Returns:
            {status, instancesTerminated}; status `already_running`: nothing was processed, since another such call is being.

        Raises:
            LookStale, AnswerLost, Refused, and whatever else Client.call raises.
        """
        answer = self._call("POST", self._path + "/instances/batch/terminate", BATCH, body=instance_ids, once=True)
        terminated: Json = answer.result
        return terminated

    def pages(self, status: str | None = None, created_after: str | None = None, created_before: str | None = None) -> t.Iterator[Page]:
        """List instances, newest first; one call a page, made as the pages are taken.

        Production's page numbers lose instances while they move, so cursors are followed. Page numbers are used only
        in a development session, whose server knows no cursors.

        Args:
            created_after, created_before: UTC timestamps with `Z`.

        Raises:
            ListingBroken: it ends before its own total, or does not end.
        """
        filters = (("status", status), ("date_start", created_after), ("date_end", created_before))
        query = {"per_page": str(PAGE_SIZE), **{key: value for key, value in filters if value is not None}}
        number, seen = 1, 0
        known: set[str] = set()
        cursors: set[str] = set()
        while True:
            answer = self._call("GET", self._path + "/instances", LIST, query=query)
            items = [item for item in answer.result if isinstance(item, dict) and _is_id(item.get("id"))]
            total = count_of(answer.result_info.get("total_count"))
            yield Page(items, total, answer.sent_at)
            number, seen = number + 1, seen + len(answer.result)
            cursor, ids = cursor_of(answer.result_info), {item["id"] for item in items}
            if not answer.result:
                return  # even with a cursor: behind an empty page there is nothing
            if not cursor and (total is None or seen < total):
                check_ways_on(answer.result_info)
            if cursor:
                # The server takes a direction together with a cursor only.
                query.update(cursor=cursor, direction="desc")
            elif "cursor" not in query and self._pages_by_number(len(answer.result), seen, total):
                query["page"] = str(number)
            else:
                self._check_end(answer, seen, total)
                return
            # Pages by number hold the same instances again where new ones have pushed them on; a total ends those.
            if cursor in cursors or (ids and ids <= known and (cursor or total is None)):
                raise ListingBroken("the API's listing goes in circles and does not end", "Run again")
            known |= ids
            if cursor:
                cursors.add(cursor)

    def _pages_by_number(self, count: int, seen: int, total: int | None) -> bool:
        if not self._client.is_development_session or count < PAGE_SIZE:
            return False
        return total is None or seen < total

    def _check_end(self, answer: Answer, seen: int, total: int | None) -> None:
        """A full page is the last one only where the server announces no more."""
        full = min(PAGE_SIZE, count_of(answer.result_info.get("per_page")) or PAGE_SIZE)
        pages = count_of(answer.result_info.get("total_pages")) or 0
        if pages > 1 and total is None and not self._client.is_development_session:
            raise ListingBroken(
                f"the API lists {seen:,} instances of {shown_name(self.name)} on the first of {pages:,} pages, and gives no cursor to the others",
                "Name the instances by instance_ids, and report it",
            )
        if total is not None and seen < total and len(answer.result) >= full:
            raise ListingBroken(
                f"the API announces {total:,} instances of {shown_name(self.name)}, lists {seen:,} and gives no way to the others",
                "Run again; if it stays so, name the instances by instance_ids",
            )

    def _call(self, *args: t.Any, **kwargs: t.Any) -> Answer:
        try:
            return self._client.call(*args, **kwargs)
        except WorkflowNotFound as error:
            connection = self._client.connection
            where = clean(connection.account_id or "(none given)", 64)
            origin = f" (from {connection.account_from})" if connection.account_from else ""
            error.message = f"workflow {shown_name(self.name)} was not found in account {where}{origin}: {error.message}"
            error.advice = "Check workflow_name and account_id"
            raise

    def _instance(self, instance_id: str) -> str:
        return "{0}/instances/{1}".format(self._path, quote(instance_id, safe=""))


def _all_pages(client: Client, path: str, query: dict[str, str]) -> list[Json]:
    """What lies on all pages of a list by page numbers; its rows are few, and don't move.

    A development session has one page, whatever is asked for.

    Raises:
        ListingBroken: it ends before its own total, or goes on in a way that is not known.
    """
    rows: dict[str, Json] = {}
    seen = number = 0
    while seen < MOST_LISTED:
        number += 1
        answer = client.call("GET", path, LIST, query={"per_page": str(PAGE_SIZE), "page": str(number), **query})
        seen += len(answer.result)
        known = len(rows)
        for row in answer.result:
            if isinstance(row, dict):
                rows.setdefault(str(row.get("id") or row.get("name") or len(rows)), row)
        total = count_of(answer.result_info.get("total_count"))
        check_ways_on(answer.result_info)
        if total is not None and seen >= total:
            break
        if not answer.result or len(rows) == known or (total is None and len(answer.result) < PAGE_SIZE):
            if total is not None and len(rows) < total:
                raise ListingBroken(f"the API announces {total:,} rows and lists {len(rows):,}", "Run again")
            break
    return list(rows.values())


def _is_id(value: object) -> bool:
    # "." and ".." would address something else.
    return isinstance(value, str) and value not in ("", ".", "..")
