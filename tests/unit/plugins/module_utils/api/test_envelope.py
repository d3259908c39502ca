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
from ansible_collections.edgeops.cloudflare.tests.unit.sentences import assert_is_a_sentence
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


@each_row(
    "http_status, fields, raised",
    [
        (403, {"errors": None}, AuthenticationError),
        (400, {"errors": None}, Refused),
        (500, {"errors": {}}, ServerFailed),
        (200, {"errors": None, "messages": None}, ServerFailed),
    ],
)
def test_an_envelope_without_a_list_of_errors_is_the_api_s(http_status, fields, raised):
    assert outcome(http_status, error(**fields)) is raised


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
    "messages, expected",
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
def test_messages(messages, expected):
    assert read(200, body(dict(OK, messages=messages)), dict).messages == expected


@each_row("expected, result", [(dict, []), (dict, None), (dict, "x"), (list, {}), (list, None), (list, 3)])
def test_result_of_another_kind(expected, result):
    assert outcome(200, dict(OK, result=result), expected) is AnswerLost


def test_result_missing():
    assert outcome(200, {"success": True}) is NotTheApi
    assert outcome(200, {"success": True, "errors": []}) is AnswerLost
    assert message_of(200, {"success": True, "errors": []}) == "the API's answer has no usable result"


CODES = [
    (10000, AuthenticationError),
    (9109, AuthenticationError),
    (9103, AuthenticationError),
    (9106, AuthenticationError),
    (6003, AuthenticationError),
    (6111, AuthenticationError),
    (1000, AuthenticationError),
    (10200, WorkflowNotFound),
    (10400, InstanceNotFound),
    (10201, InstanceNotFound),
    (7003, UnusableServer),
    (10401, Refused),
    (10429, RateLimited),
    (10100, RateLimited),
    (971, RateLimited),
]
WORDS = [
    ("workflows.api.error.workflow.not_found", WorkflowNotFound),
    ("workflows.api.error.instance.not_found", InstanceNotFound),
    ("workflows.api.error.instance.cannot_terminate", Refused),
    ("workflows.api.error.instance.cannot_restart", Refused),
    ("workflows.api.error.instance.invalid_id", Refused),
    ("workflows.api.error.instance.too_many_queued", Refused),
    ("workflows.api.error.rate_limit.exceeded", RateLimited),
    ("Error: Not implemented yet", Refused),
    ("Unable to authenticate request", AuthenticationError),
    ("Invalid API Token", AuthenticationError),
    ("workflows.api.error.migration.in_progress", NotNow),
]


@each_row("http_status", [200, 400, 401, 404, 409, 500, 503])
@each_row("code, message, kind", [(code, "no", kind) for code, kind in CODES] + [(None, word, kind) for word, kind in WORDS])
def test_code_or_word_before_the_http_status(http_status, code, message, kind):
    """The local engine answers refusals with 500, and `success: false` can come with 200 and even with a result."""
    assert outcome(http_status, error(code, message)) is kind
    assert outcome(http_status, error(code, message, result={"status": "running"})) is kind
    if code is None:
        assert outcome(http_status, error(99999, message)) is kind
        assert outcome(http_status, error(10001, message)) is kind, "under 10001 the API says very different things"
    else:
        assert outcome(http_status, error(code, "workflows.api.error.instance.invalid_id")) is kind


def test_the_first_error_known_counts():
    envelope = error()
    envelope["errors"] = [{"code": 1, "message": "?"}, {"code": 10400, "message": "gone"}, {"code": 10000, "message": "auth"}]
    assert outcome(400, envelope) is InstanceNotFound


@each_row("http_status", [200, 400, 403])
def test_what_the_chain_says_counts(http_status):
    """Refused credentials come as 400, too, with the truth in `error_chain`."""
    envelope = error(1, "Bad request")
    envelope["errors"][0]["error_chain"] = [{"code": 2, "message": "?", "error_chain": [{"code": 6111, "message": "Invalid format"}]}]
    assert outcome(http_status, envelope) is AuthenticationError
    assert message_of(http_status, envelope).endswith(": Bad request (code 1); ? (code 2); Invalid format (code 6111)")


@each_row("http_status, unprocessed", [(200, False), (400, True), (403, True), (429, True), (500, False), (503, False)])
def test_a_rate_limit_under_another_name(http_status, unprocessed):
    """A change that must not be made twice is sent again only where it certainly was not made."""
    with pytest.raises(RateLimited) as caught:
        read(http_status, body(error(971, "Please wait and consider throttling your request speed")), dict)
    assert caught.value.unprocessed is unprocessed


@each_row(
    "http_status, with_envelope, without",
    [
        (200, ServerFailed, NotTheApi),
        (201, ServerFailed, NotTheApi),
        (204, ServerFailed, NotTheApi),
        (400, Refused, NotTheApi),
        (401, AuthenticationError, NotTheApi),
        (402, Refused, NotTheApi),
        (403, AuthenticationError, NotTheApi),
        (404, InstanceNotFound, NotTheApi),
        (405, Refused, NotTheApi),
        (408, ServerFailed, AnswerReplaced),
        (409, Refused, NotTheApi),
        (422, Refused, NotTheApi),
        (425, ServerFailed, AnswerReplaced),
        (429, RateLimited, RateLimited),
        (500, ServerFailed, AnswerReplaced),
        (502, ServerFailed, AnswerReplaced),
        (503, ServerFailed, AnswerReplaced),
        (520, ServerFailed, AnswerReplaced),
        (530, ServerFailed, AnswerReplaced),
    ],
)
def test_http_status(http_status, with_envelope, without):
    assert outcome(http_status, error(99999, "?")) is with_envelope
    assert outcome(http_status, dict(error(), errors=[])) is with_envelope
    strangers = [
        b"",
        b"<html>nginx</html>",
        b"null",
        b"[]",
        b"3",
        b"\xff\xfe",
        b"[" * 100000,
        b"Hello World!",
        b'{"message": "no Route matched"}',
    ]
    for content in strangers:
        assert outcome(http_status, content) is without


def test_half_an_answer():
    """What begins as JSON and does not end may be complete the next time."""
    assert outcome(200, b"{") is AnswerLost
    assert outcome(200, b'{"success": true, "res') is AnswerLost


@each_row("http_status", [301, 302, 303, 304, 307, 308])
def test_redirect(http_status):
    assert outcome(http_status, OK) is UnusableServer
    assert f"HTTP {http_status}" in message_of(http_status, OK)


def test_success_with_another_http_status_is_no_success():
    assert outcome(500, OK) is ServerFailed
    assert outcome(429, OK) is RateLimited
    assert outcome(201, OK) is None
    assert outcome(409, OK) is Refused


@each_row("success", [None, "true", 1, {}, [], False])
def test_success_must_be_true(success):
    assert outcome(200, dict(OK, success=success)) is (ServerFailed if success is False else NotTheApi)


#: (HTTP status, what came, what happened, what to do)
SENTENCES = [
    (
        409,
        error(10401, "workflows.api.error.instance.cannot_terminate"),
        "the API says: workflows.api.error.instance.cannot_terminate (code 10401)",
        "",
    ),
    (409, error(None, "Instance not in a restartable state"), "the API says: Instance not in a restartable state", ""),
    (
        401,
        error(9109, "Invalid access token"),
        "the API does not know the credentials from api_token, or they have expired: Invalid access token (code 9109)",
        "Give valid ones in api_token",
    ),
    (
        403,
        error(10000, "Authentication error"),
        "the API does not let the credentials from api_token do this in account acc-1 (from CLOUDFLARE_ACCOUNT_ID): "
        "Authentication error (code 10000)",
        "Check account_id, and that api_token may edit Workers Scripts in it",
    ),
    (
        400,
        error(6003, "Invalid request headers"),
        "the API can't read the credentials from api_token: Invalid request headers (code 6003)",
        "Check how api_token was pasted",
    ),
    (
        403,
        b"error code: 1010",
        'what answered at https://api.example/client/v4 is not Cloudflare\'s API: HTTP 403 with "error code: 1010"',
        "Check api_url, and the proxy or firewall on the way to it",
    ),
    (
        403,
        b"<!DOCTYPE html><html><head><title>Just a moment...</title></head>",
        'what answered at https://api.example/client/v4 is not Cloudflare\'s API: HTTP 403 with a page titled "Just a moment..."',
        "Check api_url, and the proxy or firewall on the way to it",
    ),
    (
        404,
        b'{"message": "no Route matched with those values"}',
        'what answered at https://api.example/client/v4 is not Cloudflare\'s API: HTTP 404 with "{"message": "no Route matched '
        'with those values"}"',
        "Check api_url, and the proxy or firewall on the way to it",
    ),
    (
        200,
        b"Hello World!",
        'what answered at https://api.example/client/v4 is not Cloudflare\'s API: HTTP 200 with "Hello World!"',
        "Check api_url, and the proxy or firewall on the way to it",
    ),
    (
        404,
        error(7003, "Could not route to /client/v4/accounts/acc-1/workflows, perhaps your object identifier is invalid?"),
        "the API knows no such route: Could not route to /client/v4/accounts/acc-1/workflows, perhaps your object identifier is"
        " invalid? (code 7003); account_id is acc-1 (from CLOUDFLARE_ACCOUNT_ID)",
        "Check account_id, and that api_url ends with /client/v4",
    ),
    (500, error(10001, "internal_server"), "HTTP 500: internal_server (code 10001)", ""),
    (500, error(10001, "Error: Not implemented yet"), "the API says: Error: Not implemented yet (code 10001)", ""),
    (
        502,
        b"<html><title>502 Bad Gateway</title></html>",
        'what answered at https://api.example/client/v4 is not Cloudflare\'s API: HTTP 502 with a page titled "502 Bad Gateway"',
        "Check api_url, and the proxy or firewall on the way to it",
    ),
    (503, dict(error(), errors=[]), "HTTP 503", ""),
    (200, error(10001, "internal_server"), "HTTP 200: internal_server (code 10001)", ""),
    (200, b"{", "the API's answer cannot be read: it is no complete JSON", ""),
    (400, dict(error(), errors=[{"code": 1, "message": "one"}, {"message": "two"}]), "the API says: one (code 1); two", ""),
    (
        302,
        b"",
        "the server at https://api.example/client/v4 sends the call elsewhere (a redirect, HTTP 302), which is not followed, "
        "since the credentials are meant for api_url alone",
        "Check api_url",
    ),
]


def told(http_status, envelope, **how):
    """What an answer comes to in words: what happened, and what to do."""
    with pytest.raises(CloudflareError) as caught:
        read(http_status, envelope if isinstance(envelope, bytes) else body(envelope), dict, **how)
    return caught.value.message, caught.value.advice


@each_row("http_status, envelope, message, advice", SENTENCES)
def test_sentences(http_status, envelope, message, advice):
    assert told(http_status, envelope) == (message, advice)


def test_the_ray_is_told():
    message, _advice = told(403, b"<title>Blocked</title>", headers={"CF-RAY": "8f00aa-AMS"})
    assert message == (
        'what answered at https://api.example/client/v4 is not Cloudflare\'s API: HTTP 403 with a page titled "Blocked", CF-RAY 8f00aa-AMS'
    )


def test_where_no_credentials_were_given():
    nobody = CONNECTION._replace(credentials=Credentials(), credentials_from=None)
    assert told(401, error(10000, "Authentication error"), connection=nobody) == (
        "the API wants credentials, and none were given: Authentication error (code 10000)",
        "Give api_token, or api_email and api_key",
    )


@given(st.text(max_size=400), st.sampled_from([400, 403, 404, 500]))
def test_no_text_of_others_spoils_what_is_told(text, http_status):
    for content in (
        error(1, text),
        error(10000, text),
        text.encode("utf-8", "replace"),
        f"<title>{text}</title>".encode("utf-8", "replace"),
    ):
        message, advice = told(http_status, content)
        assert_is_a_sentence(f"{message}. {advice}." if advice else f"{message}.")


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
    except (RateLimited, AuthenticationError, WorkflowNotFound, InstanceNotFound, NotTheApi, Refused, UnusableServer, AnswerLost) as caught:
        assert isinstance(caught, RateLimited) or caught.message
        return
    assert 200 <= http_status < 300
    assert isinstance(answer.result, expected)
    assert isinstance(answer.result_info, dict)
    assert all(isinstance(message["message"], str) for message in answer.messages)
