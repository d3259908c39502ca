# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an answer says that `ansible.builtin.uri` has brought. Pure.

Whether it is the API's word, and what its codes mean, is judged where the modules judge it. Texts of the HTTP library are not passed on: they
can quote a proxy's password.
"""

from __future__ import annotations

import math
import re
import typing as t

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.connection import Connection
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.envelope import Answer, RateLimited, read_answer
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import (
    AnswerLost,
    CloudflareError,
    ListingBroken,
    NotNow,
    NotSent,
)
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.text import clean
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.types import Json

#: Items of a page (the API's own highest), and pages that are read at most.
PAGE = 100
MOST_PAGES = 100

#: What the texts of the HTTP library come to, and whether the call may have gone out.
_CAUSES = (
    (re.compile(r"certificate", re.IGNORECASE), "its certificate does not verify", False),
    (re.compile(r"refused", re.IGNORECASE), "it refuses connections", False),
    (re.compile(r"not known|name resolution|nodename|getaddrinfo|No address", re.IGNORECASE), "its name did not resolve", False),
    (re.compile(r"unreachable|no route", re.IGNORECASE), "no way leads to it", False),
    (re.compile(r"timed out", re.IGNORECASE), "no answer came in time", True),
)

#: Refusals that are known by their words only (API.md, section 4).
_SECOND = re.compile(r"multiple subscriptions", re.IGNORECASE)
_NO_PULL_YET = re.compile(r"http.?pull", re.IGNORECASE)


#: What the modules advise, in terms of what a playbook is given: they have options, and need another permission.
_INSTEAD = (
    ("Workers Scripts", "Queues"),
    ("Give api_token, or api_email and api_key", "Set CLOUDFLARE_API_TOKEN, or CLOUDFLARE_EMAIL and CLOUDFLARE_API_KEY"),
    (
        "give api_token (or CLOUDFLARE_API_TOKEN), or api_email and api_key (or CLOUDFLARE_EMAIL and CLOUDFLARE_API_KEY)",
        "set CLOUDFLARE_API_TOKEN, or CLOUDFLARE_EMAIL and CLOUDFLARE_API_KEY",
    ),
    ("give the option account_id or set CLOUDFLARE_ACCOUNT_ID", "set CLOUDFLARE_ACCOUNT_ID"),
    ("Check account_id", "Check CLOUDFLARE_ACCOUNT_ID"),
    ("api_url", "CLOUDFLARE_BASE_URL"),
)


class TooOften(CloudflareError):
    """The rate limit has refused the call: it was not processed."""


def read(answer: Json, connection: Connection, expected: type | tuple[type, ...] = dict) -> Answer:
    """Read an answer.

    Args:
        answer: what the task has registered, or one of its results.
        expected: what the result must be.

    Raises:
        CloudflareError: what was answered instead, as the modules tell it.
    """
    status = int(answer.get("status") or -1)
    if status < 100:
        raise _nothing(str(answer.get("msg", "")), connection)
    headers = {"CF-RAY": str(answer["cf_ray"])} if answer.get("cf_ray") else {}
    content = connection.credentials.masked(str(answer.get("content") or "").encode("utf-8", "replace"))
    try:
        return read_answer(status, headers, content, expected, connection)
    except RateLimited:
        after = str(answer.get("retry_after") or "")
        wait = f" for {after} s" if after.isascii() and after.isdigit() else ""
        raise TooOften(f"the API's rate limit holds calls of these credentials back{wait}", "Run it again then", http_status=429) from None


def may_pass(answer: Json, connection: Connection) -> bool:
    """A look failed in a way that another one may not: the server's, the network's, the rate limit's."""
    try:
        read(answer, connection, (dict, list, str, type(None)))
    except CloudflareError as error:
        return isinstance(error, (AnswerLost, NotSent, NotNow, TooOften))
    return False


def is_second(error: CloudflareError) -> bool:
    """A subscription was refused since its workflow has one, or had one until just now."""
    return bool(_SECOND.search(error.message))


def is_no_pull_yet(error: CloudflareError) -> bool:
    """A pull was refused since the queue is not set up for it, or not yet."""
    return bool(_NO_PULL_YET.search(error.message))


def said(error: CloudflareError) -> str:
    """An error in words, with what to do, without a full stop at the end."""
    text = error.text
    for words, instead in _INSTEAD:
        text = text.replace(words, instead)
    return text


# -- lists ----------------------------------------------------------------------------------------------------------------


def pages_after(first: Json, connection: Connection) -> list[int]:
    """The numbers of the pages that follow a list's first one; none where it was not read."""
    try:
        info = read(first, connection, list).result_info
    except CloudflareError:
        return []
    return list(range(2, min(_pages(info), MOST_PAGES) + 1))


def items(answers: t.Sequence[Json], connection: Connection, what: str) -> list[Json]:
    """All items of a list.

    Args:
        answers: one for each page.
        what: what it lists, for the sentence.

    Raises:
        CloudflareError: a page was not read, or the list ends before its own total.
    """
    found: list[Json] = []
    info: Json = {}
    for answer in answers:
        page = read(answer, connection, list)
        found.extend(item for item in page.result if isinstance(item, dict))
        info = page.result_info
    total = info.get("total_count")
    if isinstance(total, int) and len(found) < total:
        raise ListingBroken(f"the list of {what} ends after {len(found)} of {total}", "Run it again")
    return found


def _pages(info: Json) -> int:
    if isinstance(info.get("total_pages"), int):
        return int(info["total_pages"])
    total, per_page = info.get("total_count"), info.get("per_page")
    return math.ceil(total / per_page) if isinstance(total, int) and isinstance(per_page, int) and per_page > 0 else 1


def _nothing(told: str, connection: Connection) -> CloudflareError:
    """No answer at all."""
    where = f"nothing has answered at {clean(connection.api_url)}"
    for pattern, cause, went_out in _CAUSES:
        if pattern.search(told):
            error = AnswerLost if went_out else NotSent
            return error(f"{where}: {cause}", "Run it again" if went_out else "Check CLOUDFLARE_BASE_URL, the proxy and the network")
    return AnswerLost(f"{where}: the connection broke, or none came about", "Check CLOUDFLARE_BASE_URL, the proxy and the network")
