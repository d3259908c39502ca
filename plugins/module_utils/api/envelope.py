# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an answer of the API means: its envelope, its error codes, its HTTP status. Pure.

The envelope is `{success, errors[{code, message}], messages, result, result_info}`. `success: false` can come with
HTTP 200, and the local engine answers refusals with 500, so codes and words are looked at before the HTTP status.
"""

from __future__ import annotations

import json
import typing as t

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import (
    AnswerLost,
    AuthenticationError,
    InstanceNotFound,
    NotNow,
    Refused,
    UnusableServer,
    WorkflowNotFound,
)


class Answer(t.NamedTuple):
    """A successful envelope.

    result: dict or list, as the call asked for.
    result_info: dict; empty where there is none.
    messages: list of dict {code, message}, the API's own.
    sent_at: float seconds, by the task's clock, when the request went out; 0 until the client notes it.
    """

    result: t.Any
    result_info: dict
    messages: list
    sent_at: float = 0.0


class RateLimited(Exception):
    """The call was refused by the rate limit, and so not processed."""


#: The API's code or word (it sends either) → what it means.
_KNOWN_CODES = {
    10000: AuthenticationError,
    9109: AuthenticationError,
    10200: WorkflowNotFound,
    10400: InstanceNotFound,
    10401: Refused,
    10429: RateLimited,
    7000: UnusableServer,
    7003: UnusableServer,
}
_KNOWN_WORDS = {
    "workflow.not_found": WorkflowNotFound,
    "instance.not_found": InstanceNotFound,
    "instance.cannot_terminate": Refused,
    "instance.cannot_restart": Refused,
    "instance.invalid_id": Refused,
    "instance.too_many_queued": Refused,
    "migration.in_progress": NotNow,
    "rate_limit.": RateLimited,
}

#: A development session has one code, 10501, for both; of an instance it says "Workflow instance '…' not found."
_UNKNOWN_WORKFLOW = "Workflow '"


def read_answer(http_status, content, expected):
    """Read an answer.

    Args:
        http_status: int.
        content: bytes, the whole body.
        expected: type, `dict` or `list`, what the result must be.

    Returns:
        Answer

    Raises:
        RateLimited, AuthenticationError, WorkflowNotFound, InstanceNotFound, Refused, UnusableServer: it was not done.
        AnswerLost: the answer doesn't tell whether it was done.
    """
    if 300 <= http_status < 400:
        raise UnusableServer(
            f"the server answers with a redirect (HTTP {http_status}), which is not followed: the credentials are meant for "
            "api_url alone; check api_url",
            http_status=http_status,
        )
    envelope = _parse(content)
    errors = _pairs(envelope.get("errors"))
    if http_status == 429:
        raise RateLimited()
    if http_status != 200 or envelope.get("success") is not True:
        raise _failure(http_status, errors, bool(envelope))
    if not isinstance(envelope.get("result"), expected):
        raise AnswerLost("the API's answer has no usable result", http_status=http_status)
    result_info = envelope.get("result_info")
    return Answer(
        envelope["result"],
        result_info if isinstance(result_info, dict) else {},
        _pairs(envelope.get("messages")),
    )


def _parse(content):
    """The envelope, dict; empty where the body is none."""
    try:
        envelope = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return envelope if isinstance(envelope, dict) else {}


def _pairs(entries):
    """Errors or messages as a list of dict {code: int or None, message: str}, whatever was sent."""
    pairs = []
    for entry in entries if isinstance(entries, list) else []:
        if isinstance(entry, dict):
            code, message = entry.get("code"), entry.get("message")
        else:
            code, message = None, entry
        pairs.append(
            {
                "code": code if isinstance(code, int) else None,
                # Anything else would have to be dumped, and a secret in it might be escaped beyond recognition.
                "message": message if isinstance(message, str) else "a message that is no text",
            }
        )
    return pairs


def _failure(http_status, errors, has_envelope):
    code = errors[0]["code"] if errors else None
    said = "; ".join(
        error["message"] if error["code"] is None else "{0} (code {1})".format(error["message"], error["code"]) for error in errors
    )
    said = said or (f"HTTP {http_status}" if has_envelope else f"HTTP {http_status}, not its JSON")
    kind = _meaning(http_status, errors, has_envelope)
    if kind is RateLimited:
        return RateLimited()
    return kind(_sentence(kind, said, http_status), code=code, http_status=http_status)


def _meaning(http_status, errors, has_envelope):
    for error in errors:
        if error["code"] in _KNOWN_CODES:
            return _KNOWN_CODES[error["code"]]
        for word, kind in _KNOWN_WORDS.items():
            if word in error["message"]:
                return kind
    if http_status in (401, 403):
        return AuthenticationError
    if http_status == 404 and any(error["message"].startswith(_UNKNOWN_WORKFLOW) for error in errors):
        return WorkflowNotFound
    if http_status == 404:
        return InstanceNotFound if has_envelope else UnusableServer
    if 400 <= http_status < 500 and http_status not in (408, 425):
        return Refused
    return AnswerLost


def _sentence(kind, said, http_status):
    if kind is AuthenticationError:
        return f"the API refuses these credentials: {said}; check them, account_id, and that they may edit Workers Scripts"
    if kind is UnusableServer:
        return f"what answers at api_url is not Cloudflare's API ({said}); check api_url and account_id"
    if kind is AnswerLost and http_status == 200:
        return f"the API's answer cannot be used ({said})"
    if kind is AnswerLost:
        return "the API failed (HTTP {0}{1})".format(http_status, ": " + said if not said.startswith("HTTP") else "")
    return f"the API says: {said}"
