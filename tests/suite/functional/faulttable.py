# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fault table: how a call can go wrong, whether its work is done all the same, and how a sentence names it."""

from __future__ import annotations

import typing as t

import pytest

HTML = "<!DOCTYPE html><html><body><h1>Error</h1></body></html>"

#: Bytes to which the tests lower the limit of an answer, where one is to be too large.
SMALL_LIMIT = 1024 * 1024

#: Seconds that the tests wait for an answer (api_timeout), where one is to come late or never.
IMPATIENT = 0.3


class Fault(t.NamedTuple):
    """How a call goes wrong.

    fault: dict, as the gateway takes it.
    says: str, a regular expression by which a sentence names it.
    works: bool, whether the work of the call is done all the same.
    options: dict, what the task needs to meet it.
    reads: int or None, how often a look that meets it for ever is made; None: as often as it is repeated at all.
    stranger: bool, whether it is something else than the API that answers.
    """

    fault: dict
    says: str
    works: bool = False
    options: dict = {}  # noqa: RUF012  nobody changes it
    reads: int | None = None
    stranger: bool = False


_SLOW = {"api_timeout": IMPATIENT, "api_retries": 1}


def _worked(**changes):
    """The work is done, and the answer is changed in these fields."""
    return {"envelope": changes}


#: No usable answer comes back, so nobody can know whether the work was done.
ANSWER_LOST = {
    "500": Fault({"status": 500}, r"HTTP 500"),
    "502": Fault({"status": 502}, r"HTTP 502"),
    "503": Fault({"status": 503}, r"HTTP 503"),
    "500 after the work": Fault({"status": 500, "work": True}, r"HTTP 500", works=True),
    "503 that says when to come back": Fault({"status": 503, "retry_after": 1}, r"HTTP 503"),
    "408": Fault({"status": 408}, r"HTTP 408"),
    "HTML page 502": Fault({"status": 502, "body": HTML}, r"HTTP 502", stranger=True),
    "HTML page 520 after the work": Fault({"status": 520, "body": HTML, "work": True}, r"HTTP 520", works=True, stranger=True),
    "HTML page 200": Fault({"raw": HTML}, r"not Cloudflare's API: HTTP 200", reads=2, stranger=True),
    "reset before the work": Fault({"reset": "before"}, r"connection broke"),
    "reset after the work": Fault({"reset": "after"}, r"connection broke", works=True),
    "cut after the work": Fault({"cut": True}, r"connection broke", works=True),
    "closed without answer": Fault({"hang_ms": 50, "work": "never"}, r"connection broke"),
    "no answer in time, no work": Fault({"hang_ms": 600_000, "work": "never"}, r"no answer within 0.3 s", options=_SLOW),
    "no answer in time, after the work": Fault(
        {"hang_ms": 600_000, "work": "before"}, r"no answer within 0.3 s", works=True, options=_SLOW
    ),
    "slow drip": Fault({"drip": {"chunk_bytes": 1, "every_ms": 50}}, r"did not end within 0.3 s", works=True, options=_SLOW),
    "success: false": Fault(_worked(success=False), r"HTTP 200", works=True),
    "success: false, and an error": Fault(
        {
            "status": 200,
            "body": {"success": False, "errors": [{"code": 10001, "message": "workflows.api.error.internal_server"}], "result": None},
        },
        r"internal_server \(code 10001\)",
    ),
    "no success": Fault({"remove": ["success"]}, r"not Cloudflare's API: HTTP 200", works=True, reads=2, stranger=True),
    "no result": Fault({"remove": ["result"]}, r"no usable result", works=True),
    "null result": Fault(_worked(result=None), r"no usable result", works=True),
    "list result": Fault(_worked(result=[{"status": "paused"}]), r"no usable result", works=True),
    "string result": Fault(_worked(result="paused"), r"no usable result", works=True),
    "not JSON": Fault({"raw": '{"success": true, "result": {', "work": True}, r"no complete JSON", works=True),
    "not an envelope": Fault({"raw": "[1, 2]", "work": True}, r"not Cloudflare's API: HTTP 200", works=True, reads=2, stranger=True),
    "empty": Fault({"raw": "", "work": True}, r"not Cloudflare's API: HTTP 200", works=True, reads=2, stranger=True),
    "nested beyond reason": Fault(
        {"raw": "[" * 100_000, "work": True}, r"not Cloudflare's API: HTTP 200", works=True, reads=2, stranger=True
    ),
    "a number beyond reason": Fault({"raw": '{"result": %s}' % ("9" * 10_000), "work": True}, r"no complete JSON", works=True),
    "not the encoding it claims": Fault(
        {"status": 200, "body": "plain", "headers": {"Content-Encoding": "gzip"}, "work": True}, r"connection broke", works=True
    ),
    # A look of which is not made again: once more without the log, where that will do.
    "huge": Fault({"huge_mb": 2}, r"larger than 1 MiB", works=True, reads=2),
}

#: The call was refused by the rate limit, and not processed.
THROTTLED = {
    "429 with Retry-After": Fault({"status": 429, "retry_after": 2}, r"rate limit"),
    "429 without Retry-After": Fault({"status": 429}, r"rate limit"),
    "429 with a Retry-After that means nothing": Fault({"status": 429, "headers": {"Retry-After": "soon"}}, r"rate limit"),
    "429 with a date long gone": Fault({"status": 429, "headers": {"Retry-After": "Thu, 01 Jan 1970 00:00:00 GMT"}}, r"rate limit"),
    "429 as HTML page": Fault({"status": 429, "body": HTML, "retry_after": 1}, r"rate limit"),
    "its code with HTTP 200": Fault(
        {"status": 200, "body": {"success": False, "errors": [{"code": 10429, "message": "workflows.api.error.rate_limit.exceeded"}]}},
        r"rate limit",
    ),
}

#: The call would be refused for every instance alike, so the task ends.
HOPELESS = {
    "bad token": Fault({"status": 401, "code": 9109, "message": "Invalid access token"}, r"Invalid access token \(code 9109\)"),
    "missing permission": Fault({"status": 403, "code": 10000, "message": "Authentication error"}, r"Authentication error \(code 10000\)"),
    "unknown workflow": Fault(
        {"status": 404, "code": 10200, "message": "workflows.api.error.workflow.not_found"},
        r"workflow scratch-1 was not found.*Check workflow_name",
    ),
    "redirect": Fault({"redirect": "http://127.0.0.1:9/elsewhere"}, r"a redirect, HTTP 302.*Check api_url"),
    "redirect that keeps the method": Fault({"redirect": "http://127.0.0.1:9/elsewhere", "status": 307}, r"a redirect, HTTP 307"),
    "redirect for good": Fault({"redirect": "http://127.0.0.1:9/elsewhere", "status": 308}, r"a redirect, HTTP 308"),
}

#: Something else refuses the call, and the API has not heard of it: hopeless only before the API has said a word.
STRANGERS = {
    "HTML page 403": Fault({"status": 403, "body": HTML}, r"not Cloudflare's API: HTTP 403.*Check api_url", stranger=True),
    "HTML page 404": Fault({"status": 404, "body": HTML}, r"not Cloudflare's API: HTTP 404.*Check api_url", stranger=True),
    "JSON of a gateway": Fault({"status": 404, "body": {"message": "no Route matched"}}, r"HTTP 404.*no Route matched", stranger=True),
}

#: The API read the change and will not do it to this instance.
REFUSED = {
    "409": Fault(
        {"status": 409, "code": 10499, "message": "workflows.api.error.instance.cannot_restart: Instance not in a restartable state"},
        r"cannot_restart",
    ),
    "400": Fault({"status": 400, "code": 10002, "message": "workflows.api.error.invalid_body"}, r"invalid_body \(code 10002\)"),
    "refused with HTTP 500": Fault(
        {"status": 500, "code": 10001, "message": "workflows.api.error.instance.cannot_terminate"}, r"cannot_terminate"
    ),
    "refused with HTTP 200": Fault(
        {
            "status": 200,
            "body": {"success": False, "errors": [{"code": 10401, "message": "workflows.api.error.instance.cannot_terminate"}]},
        },
        r"cannot_terminate",
    ),
}

#: The answer is odd, but says what it should.
HARMLESS = {
    "slow": Fault({"hang_ms": 150}, "", works=True),
    "drips, and ends in time": Fault({"drip": {"chunk_bytes": 64, "every_ms": 10}}, "", works=True),
    "large": Fault({"huge_mb": 2}, "", works=True),
    "HTTP 202": Fault({"envelope": {}, "status": 202}, "", works=True),
    "messages of all kinds": Fault(
        _worked(messages=["text", {"code": "x", "message": None}, {"message": {"deep": []}}, None, 7]), "", works=True
    ),
    "errors beside success": Fault(_worked(errors=None, result_info="none"), "", works=True),
}

#: Faults that are tried in more ways than all the others.
COMMON = ("500", "502", "503", "HTML page 502", "reset before the work", "reset after the work", "cut after the work")
COMMON_HOPELESS = ("bad token", "missing permission", "redirect")
COMMON_THROTTLED = ("429 with Retry-After", "429 without Retry-After")


def every(faults):
    """One test for each of these faults (dict), as its argument `fault`."""
    return pytest.mark.parametrize("fault", faults.values(), ids=faults)


def those(faults, works):
    """The faults (dict) that do, or don't do, the work all the same."""
    return {name: fault for name, fault in faults.items() if fault.works is works}


def only(faults, names):
    """The faults (dict) of these names."""
    return {name: faults[name] for name in names}


def but(faults, names):
    """The faults (dict) of all other names."""
    return {name: fault for name, fault in faults.items() if name not in names}
