# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an answer means, whatever the server sends."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.connection import Connection, Credentials
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.envelope import Answer, RateLimited, read_answer
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import (
    AnswerLost,
    AuthenticationError,
    CloudflareError,
    InstanceNotFound,
    Refused,
    UnusableServer,
    WorkflowNotFound,
)
from ansible_collections.edgeops.cloudflare.tests.unit.tables import each_row

OK = {"success": True, "errors": [], "messages": [], "result": {"status": "running"}}


def body(envelope):
    return json.dumps(envelope).encode("utf-8")


def error(code=None, message="no", **fields):
    """An envelope that tells of an error."""
    return dict({"success": False, "errors": [{"code": code, "message": message}], "messages": [], "result": None}, **fields)


CONNECTION = Connection(
    "https://api.example/client/v4", "acc-1", Credentials("token-0001-abcdefgh"), 30.0, 4, None, False, "api_token", "CLOUDFLARE_ACCOUNT_ID"
)


def read(http_status, content, expected, headers=None, connection=CONNECTION):
    return read_answer(http_status, headers or {}, content, expected, connection)


def outcome(http_status, envelope, expected=dict):
    """What reading raises, or None."""
    content = envelope if isinstance(envelope, bytes) else body(envelope)
    try:
        read(http_status, content, expected)
    except (CloudflareError, RateLimited) as caught:
        return type(caught)
    return None


def message_of(http_status, envelope):
    with pytest.raises(CloudflareError) as caught:
        read(http_status, envelope if isinstance(envelope, bytes) else body(envelope), dict)
    return caught.value.message


def test_success():
    answer = read(200, body(dict(OK, result_info={"cursor": "c", "total_count": 3})), dict)
    assert answer == Answer({"status": "running"}, {"cursor": "c", "total_count": 3}, [])
    assert read(200, body(dict(OK, result=[{}])), list).result == [{}]
    assert read(200, b"\xef\xbb\xbf" + body(OK), dict).result == {"status": "running"}
    assert read(200, json.dumps(OK).encode("utf-16"), dict).result == {"status": "running"}


@each_row("result_info", [None, [], "x", 3])
def test_result_info_that_is_none(result_info):
    assert read(200, body(dict(OK, result_info=result_info)), dict).result_info == {}


@each_row(
    "messages, read",
    [
        (None, []),
        ({}, []),
        ("beta", []),
        ([{"code": 1000, "message": "beta"}], [{"code": 1000, "message": "beta"}]),
        (["beta"], [{"code": None, "message": "beta"}]),
        ([{"message": "beta"}], [{"code": None, "message": "beta"}]),
        ([{"code": "1000", "message": ["beta"]}], [{"code": None, "message": "a message that is no text"}]),
        ([None], [{"code": None, "message": "a message that is no text"}]),
    ],
)
def test_messages(messages, read):
    assert read(200, body(dict(OK, messages=messages)), dict).messages == read


@each_row("expected, result", [(dict, []), (dict, None), (dict, "x"), (list, {}), (list, None), (list, 3)])
def test_result_of_another_kind(expected, result):
    assert outcome(200, dict(OK, result=result), expected) is AnswerLost


def test_result_missing():
    assert outcome(200, {"success": True}) is AnswerLost
    assert message_of(200, {"success": True}) == "the API's answer has no usable result"


CODES = [
    (10000, AuthenticationError),
    (9109, AuthenticationError),
    (10200, WorkflowNotFound),
    (10400, InstanceNotFound),
    (10401, Refused),
    (10429, RateLimited),
]
WORDS = [
    ("workflows.api.error.workflow.not_found", WorkflowNotFound),
    ("workflows.api.error.instance.not_found", InstanceNotFound),
    ("workflows.api.error.instance.cannot_terminate", Refused),
    ("workflows.api.error.instance.cannot_restart", Refused),
    ("workflows.api.error.instance.invalid_id", Refused),
    ("workflows.api.error.instance.too_many_queued", Refused),
    ("workflows.api.error.rate_limit.exceeded", RateLimited),
]


@each_row("http_status", [200, 400, 401, 404, 409, 500, 503])
@each_row("code, message, kind", [(code, "no", kind) for code, kind in CODES] + [(None, word, kind) for word, kind in WORDS])
def test_code_or_word_before_the_http_status(http_status, code, message, kind):
    """The local engine answers refusals with 500, and `success: false` can come with 200 and even with a result."""
    assert outcome(http_status, error(code, message)) is kind
    assert outcome(http_status, error(code, message, result={"status": "running"})) is kind
    if code is None:
        assert outcome(http_status, error(99999, message)) is kind
    else:
        assert outcome(http_status, error(code, "workflows.api.error.instance.invalid_id")) is kind


def test_the_first_error_known_counts():
    envelope = error()
    envelope["errors"] = [{"code": 1, "message": "?"}, {"code": 10400, "message": "gone"}, {"code": 10000, "message": "auth"}]
    assert outcome(400, envelope) is InstanceNotFound


@each_row(
    "http_status, with_envelope, without",
    [
        (200, AnswerLost, AnswerLost),
        (201, AnswerLost, AnswerLost),
        (204, AnswerLost, AnswerLost),
        (400, Refused, Refused),
        (401, AuthenticationError, AuthenticationError),
        (402, Refused, Refused),
        (403, AuthenticationError, AuthenticationError),
        (404, InstanceNotFound, UnusableServer),
        (405, Refused, Refused),
        (408, AnswerLost, AnswerLost),
        (409, Refused, Refused),
        (422, Refused, Refused),
        (425, AnswerLost, AnswerLost),
        (429, RateLimited, RateLimited),
        (500, AnswerLost, AnswerLost),
        (502, AnswerLost, AnswerLost),
        (503, AnswerLost, AnswerLost),
        (520, AnswerLost, AnswerLost),
        (530, AnswerLost, AnswerLost),
    ],
)
def test_http_status(http_status, with_envelope, without):
    assert outcome(http_status, error(10001, "internal_server")) is with_envelope
    assert outcome(http_status, dict(error(), errors=[])) is with_envelope
    for content in (b"", b"<html>nginx</html>", b"{", b"null", b"[]", b"3", b"\xff\xfe", b"[" * 100000):
        assert outcome(http_status, content) is without


@each_row("http_status", [301, 302, 303, 304, 307, 308])
def test_redirect(http_status):
    assert outcome(http_status, OK) is UnusableServer
    assert f"HTTP {http_status}" in message_of(http_status, OK)


def test_success_with_another_http_status_is_no_success():
    assert outcome(500, OK) is AnswerLost
    assert outcome(429, OK) is RateLimited
    assert outcome(409, OK) is Refused


@each_row("success", [None, "true", 1, {}, [], False])
def test_success_must_be_true(success):
    assert outcome(200, dict(OK, success=success)) is (None if success is True else AnswerLost)


@each_row("http_status, envelope, message", [
    (409, error(10401, "workflows.api.error.instance.cannot_terminate"),
     "the API says: workflows.api.error.instance.cannot_terminate (code 10401)"),
    (409, error(None, "Instance not in a restartable state"), "the API says: Instance not in a restartable state"),
    (401, error(10000, "Authentication error"),
     "the API refuses these credentials: Authentication error (code 10000); check them, account_id, and that they may edit Workers Scripts"),
    (403, b"", "the API refuses these credentials: HTTP 403, not its JSON; check them, account_id, and that they may edit Workers Scripts"),
    (404, b"<html>", "what answers at api_url is not Cloudflare's API (HTTP 404, not its JSON); check api_url and account_id"),
    (500, error(10001, "internal_server"), "the API failed (HTTP 500: internal_server (code 10001))"),
    (502, b"<html>Bad gateway</html>", "the API failed (HTTP 502)"),
    (503, dict(error(), errors=[]), "the API failed (HTTP 503)"),
    (200, error(10001, "internal_server"), "the API's answer cannot be used (internal_server (code 10001))"),
    (200, b"{", "the API's answer cannot be used (HTTP 200, not its JSON)"),
    (400, dict(error(), errors=[{"code": 1, "message": "one"}, {"message": "two"}]), "the API says: one (code 1); two"),
])  # fmt: skip
def test_sentences(http_status, envelope, message):
    assert message_of(http_status, envelope) == message


def test_code_and_http_status_are_kept():
    with pytest.raises(Refused) as caught:
        read(409, body(error(10401, "workflows.api.error.instance.cannot_terminate")), dict)
    assert (caught.value.code, caught.value.http_status) == (10401, 409)


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=8)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)),
    max_leaves=6,
)
ERRORS = st.fixed_dictionaries({"code": st.sampled_from([10000, 10400, 10429, 1, None, "x"]), "message": JSON})
ENVELOPES = st.fixed_dictionaries(
    {},
    optional={
        "success": st.one_of(st.booleans(), JSON),
        "errors": st.one_of(st.lists(st.one_of(JSON, ERRORS)), JSON),
        "messages": JSON,
        "result": JSON,
        "result_info": JSON,
    },
)


@given(st.integers(100, 599), st.one_of(st.binary(), JSON.map(body), ENVELOPES.map(body)), st.sampled_from([dict, list]))
def test_any_answer(http_status, content, expected):
    """An Answer of the kind asked for, or one of the exceptions that reading promises."""
    try:
        answer = read(http_status, content, expected)
    except (RateLimited, AuthenticationError, WorkflowNotFound, InstanceNotFound, Refused, UnusableServer, AnswerLost) as caught:
        assert isinstance(caught, RateLimited) or caught.message
        return
    assert http_status == 200
    assert isinstance(answer.result, expected)
    assert isinstance(answer.result_info, dict)
    assert all(isinstance(message["message"], str) for message in answer.messages)
