# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an answer is, and what it means: first whether it is the API's word at all, then what the API says. Pure.

The API's word is an envelope, `{success, errors[{code, message}], messages, result, result_info}`, *whatever* the HTTP status:
firewalls, proxies and login pages answer with 200, 401, 403 and 404, too. `success: false` can come with HTTP 200, and a
development session answers refusals with 500, so codes and words are looked at before the status.
"""

from __future__ import annotations

import json
import re
import typing as t

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api import codes
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.codes import ApiError
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.connection import Connection
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import (
    AlreadyExists,
    AnswerLost,
    AnswerReplaced,
    AuthenticationError,
    CloudflareError,
    InstanceNotFound,
    NotNow,
    NotTheApi,
    Refused,
    ServerFailed,
    UnusableServer,
    WorkflowNotFound,
)
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.text import clean
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.types import Json


class Answer(t.NamedTuple):
    """A successful envelope.

    result: dict or list, as the call asked for.
    messages: {code, message} each, the API's own.
    sent_at: seconds, by the task's clock, when the request went out; 0 until the client notes it.
    """

    result: t.Any
    result_info: Json
    messages: list[Json]
    sent_at: float = 0.0


class RateLimited(Exception):
    """The call was refused by the rate limit. `unprocessed`: for certain, so that even a change may be sent again."""

    def __init__(self, unprocessed: bool = True) -> None:
        super().__init__()
        self.unprocessed = unprocessed


#: Meanings for which one class says it all.
_KINDS: dict[str, type[CloudflareError]] = {
    codes.NO_WORKFLOW: WorkflowNotFound,
    codes.NO_INSTANCE: InstanceNotFound,
    codes.REFUSED: Refused,
    codes.NEVER: Refused,
    codes.NOT_NOW: NotNow,
    codes.EXISTS: AlreadyExists,
}

#: Answers of the server that may be others when the call is repeated, though they aren't its fault.
_PASSING = (408, 425)

_TITLE = re.compile(rb"<title[^>]*>(.*?)</title", re.IGNORECASE | re.DOTALL)


def read_answer(
    http_status: int, headers: t.Mapping[str, str], content: bytes, expected: type | tuple[type, ...], connection: Connection
) -> Answer:
    """Read an answer.

    Args:
        content: the whole body.
        expected: `dict` or `list`, or both, what the result must be.
        connection: whom the call was for, for the sentences.

    Raises:
        RateLimited, AuthenticationError, WorkflowNotFound, InstanceNotFound, Refused, UnusableServer, NotTheApi: it was not done.
        AnswerLost, AnswerReplaced, ServerFailed: the answer doesn't tell whether it was done.
    """
    if 300 <= http_status < 400:
        raise UnusableServer(
            f"the server at {clean(connection.api_url)} sends the call elsewhere (a redirect, HTTP {http_status}), which is not "
            "followed, since the credentials are meant for api_url alone",
            advice="Check api_url",
            http_status=http_status,
        )
    envelope = _envelope(content)
    if http_status == 429:
        raise RateLimited
    if envelope is None and 200 <= http_status < 300 and content.lstrip()[:1] == b"{" and not _is_json(content):
        raise AnswerLost("the API's answer cannot be read: it is no complete JSON", http_status=http_status)
    if envelope is None:
        raise _stranger(http_status, headers, content, connection)
    if envelope["success"] is not True or not 200 <= http_status < 300:
        raise _failure(http_status, _errors(envelope.get("errors")), connection)
    if not isinstance(envelope.get("result"), expected):
        raise AnswerLost("the API's answer has no usable result", http_status=http_status)
    result_info = envelope.get("result_info")
    messages = [{"code": error.code, "message": error.message} for error in _errors(envelope.get("messages"))]
    return Answer(envelope["result"], result_info if isinstance(result_info, dict) else {}, messages)


# -- what it is -----------------------------------------------------------------------------------------------------------


def _envelope(content: bytes) -> Json | None:
    """The API's word; None where it is somebody else's."""
    try:
        envelope = json.loads(content)
    except (ValueError, RecursionError):
        return None
    if not isinstance(envelope, dict) or not isinstance(envelope.get("success"), bool):
        return None
    return envelope if isinstance(envelope.get("errors"), list) or "result" in envelope else None


def _is_json(content: bytes) -> bool:
    try:
        json.loads(content)
    except (ValueError, RecursionError):
        return False
    return True


def _stranger(http_status: int, headers: t.Mapping[str, str], content: bytes, connection: Connection) -> CloudflareError:
    """The error for an answer of something else: what it was, and where to look."""
    title = _TITLE.search(content[:65536])
    if title and title.group(1).strip():
        what = f'a page titled "{clean(title.group(1).decode("utf-8", "replace"), 80)}"'
    else:
        what = f'"{clean(content[:400].decode("utf-8", "replace"), 80)}"' if content.strip() else "an empty body"
    ray = headers.get("CF-RAY")
    said = f"HTTP {http_status} with {what}" + (f", CF-RAY {clean(ray, 40)}" if ray else "")
    message = f"what answered at {clean(connection.api_url)} is not Cloudflare's API: {said}"
    advice = "Check api_url, and the proxy or firewall on the way to it"
    if http_status >= 500 or http_status in _PASSING:
        return AnswerReplaced(message, advice, http_status=http_status)
    return NotTheApi(message, advice, http_status=http_status)


# -- what it means --------------------------------------------------------------------------------------------------------


def _errors(entries: t.Any) -> list[ApiError]:
    """Errors or messages, each followed by those of its `error_chain`, whatever was sent."""
    errors = []
    for entry in entries if isinstance(entries, list) else []:
        code, message = (entry.get("code"), entry.get("message")) if isinstance(entry, dict) else (None, entry)
        errors.append(
            ApiError(
                code if isinstance(code, int) and not isinstance(code, bool) else None,
                # Anything else would have to be dumped, and a secret in it might be escaped beyond recognition.
                message if isinstance(message, str) else "a message that is no text",
            )
        )
        if isinstance(entry, dict):
            errors.extend(_errors(entry.get("error_chain")))
    return errors


def _failure(http_status: int, errors: list[ApiError], connection: Connection) -> CloudflareError | RateLimited:
    said = _said(errors) or f"HTTP {http_status}"
    code = errors[0].code if errors else None
    meaning = codes.meaning_of(errors)
    if meaning == codes.RATE_LIMITED:
        # Whatever the code: only a refusal by the status, too, is certain not to have been processed.
        return RateLimited(unprocessed=400 <= http_status < 500)
    if meaning in codes.CREDENTIALS or (meaning is None and http_status in (401, 403)):
        message, advice = _credentials_refused(meaning or codes.NOT_ALLOWED, said, connection)
        return AuthenticationError(message, advice, code=code, http_status=http_status)
    if meaning == codes.NO_ROUTE:
        return UnusableServer(
            f"the API knows no such route: {said}; account_id is {_account(connection)}",
            advice="Check account_id, and that api_url ends with /client/v4",
            code=code,
            http_status=http_status,
        )
    kind = _KINDS.get(meaning or "")
    if kind is None and http_status == 404:
        kind = InstanceNotFound
    if kind is None and 400 <= http_status < 500 and http_status not in _PASSING:
        kind = Refused
    if kind is not None:
        return kind(f"the API says: {said}", code=code, http_status=http_status)
    return ServerFailed(f"HTTP {http_status}: {said}" if errors else said, code=code, http_status=http_status)


def _said(errors: t.Sequence[ApiError]) -> str:
    """The API's own words, the chain included."""
    shown = [(clean(error.message) or "(no text)") + ("" if error.code is None else f" (code {error.code})") for error in errors[:4]]
    return "; ".join(dict.fromkeys(shown))


def _credentials_refused(meaning: str, said: str, connection: Connection) -> tuple[str, str]:
    """What is wrong with the credentials, and what to do: (str, str)."""
    origin = connection.credentials_from
    if origin is None:
        return f"the API wants credentials, and none were given: {said}", "Give api_token, or api_email and api_key"
    if meaning == codes.MALFORMED:
        return f"the API can't read the credentials from {origin}: {said}", f"Check how {origin} was pasted"
    if meaning == codes.UNKNOWN:
        return (
            f"the API does not know the credentials from {origin}, or they have expired: {said}",
            f"Give valid ones in {origin}",
        )
    return (
        f"the API does not let the credentials from {origin} do this in account {_account(connection)}: {said}",
        f"Check account_id, and that {origin} may edit Workers Scripts in it",
    )


def _account(connection: Connection) -> str:
    if connection.account_id is None:
        return "(none given)"
    return clean(connection.account_id, 64) + (f" (from {connection.account_from})" if connection.account_from else "")
