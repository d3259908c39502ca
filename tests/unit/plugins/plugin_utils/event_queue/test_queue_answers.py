# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an answer brought by `ansible.builtin.uri` says."""

from __future__ import annotations

import json

import pytest

from ansible_collections.edgeops.cloudflare.plugins.module_utils import auth
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.connection import Connection, Credentials
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import AnswerLost, CloudflareError, NotSent
from ansible_collections.edgeops.cloudflare.plugins.plugin_utils.event_queue import answers

TOKEN = "a-token-that-is-long-enough"
CONNECTION = Connection(
    api_url="https://api.example/client/v4",
    account_id="acc",
    credentials=Credentials(token=TOKEN),
    api_timeout=30.0,
    api_retries=0,
    verify=None,
    is_loopback=False,
    credentials_from="CLOUDFLARE_API_TOKEN",
    account_from="CLOUDFLARE_ACCOUNT_ID",
)


def answer(result=None, status=200, errors=(), info=None, **more):
    """As the task registers it."""
    envelope = {"success": status == 200, "errors": list(errors), "messages": [], "result": result, "result_info": info}
    return {"status": status, "content": json.dumps(envelope), **more}


def failure(given, expected=dict):
    """The error that an answer comes to."""
    with pytest.raises(CloudflareError) as caught:
        answers.read(given, CONNECTION, expected)
    return caught.value


@pytest.mark.parametrize(
    ("told", "says", "kind"),
    [
        ("<urlopen error [Errno 111] Connection refused>", "it refuses connections", NotSent),
        ("<urlopen error [Errno -2] Name or service not known>", "its name did not resolve", NotSent),
        ("Failed to validate the SSL certificate for x:443", "its certificate does not verify", NotSent),
        ("<urlopen error [Errno 101] Network is unreachable>", "no way leads to it", NotSent),
        ("Request failed: The read operation timed out", "no answer came in time", AnswerLost),
        ("http://me:secret@proxy:3128 has hung up", "the connection broke, or none came about", AnswerLost),
        ("", "the connection broke", AnswerLost),
    ],
)
def test_no_answer(told, says, kind):
    """Why, without a word of the library; and whether the call may have gone out."""
    error = failure({"status": -1, "msg": told})
    assert says in error.message and isinstance(error, kind) and "secret" not in answers.said(error)


def test_a_task_that_did_not_run():
    """Nothing is known of it."""
    assert isinstance(failure({"skipped": True}), AnswerLost)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (answer(status=401, errors=[{"code": 9109, "message": "Invalid access token"}]), "Give valid ones in CLOUDFLARE_API_TOKEN"),
        (answer(status=403, errors=[{"code": 10000, "message": "Authentication error"}]), "may edit Queues in it"),
        (answer(status=404, errors=[{"code": 7003, "message": "Could not route to /x"}]), "CLOUDFLARE_BASE_URL ends with /client/v4"),
        (answer(status=429, retry_after="17"), "back for 17 s. Run it again then"),
        (answer(status=429, retry_after="Fri, 27 Nov 2026 05:00:00 GMT"), "back. Run it again then"),
        ({"status": 302, "content": ""}, "a redirect"),
        ({"status": 200, "content": "<title>Log in</title>", "cf_ray": "abc"}, 'a page titled "Log in", CF-RAY abc'),
        (answer(status=400, errors=[{"code": 1, "message": f"no {TOKEN}"}]), "no ********"),
    ],
)
def test_refusals(given, says):
    """In the modules' words, but with what a playbook is given."""
    said = answers.said(failure(given))
    assert says in said and TOKEN not in said and "api_token" not in said and "api_url" not in said


@pytest.mark.parametrize(
    ("environ", "says"),
    [
        ({}, "account_id is missing: set CLOUDFLARE_ACCOUNT_ID"),
        ({"CLOUDFLARE_ACCOUNT_ID": "acc"}, "no credentials: set CLOUDFLARE_API_TOKEN, or CLOUDFLARE_EMAIL and CLOUDFLARE_API_KEY"),
        (
            {"CLOUDFLARE_ACCOUNT_ID": "acc", "CLOUDFLARE_EMAIL": "me@example.org"},
            "api_key is missing: api_email and api_key go together; set CLOUDFLARE_API_TOKEN, or CLOUDFLARE_EMAIL and CLOUDFLARE_API_KEY",
        ),
        ({"CLOUDFLARE_BASE_URL": "http://api.example"}, "CLOUDFLARE_BASE_URL must use https"),
    ],
)
def test_what_the_environment_lacks(environ, says):
    """A playbook has no options for it."""
    with pytest.raises(CloudflareError) as caught:
        auth.resolve({"api_timeout": 30.0, "api_retries": 0, "validate_certs": True}, environ)
    assert says in answers.said(caught.value)


def test_what_may_pass():
    """A look is repeated on what may be another answer next time."""
    assert all(answers.may_pass(given, CONNECTION) for given in (answer(status=503), answer(status=429), {"status": -1, "msg": "refused"}))
    assert not any(answers.may_pass(given, CONNECTION) for given in (answer([]), answer(status=403), answer(status=404)))


@pytest.mark.parametrize(
    ("info", "pages"),
    [
        ({"total_pages": 3}, [2, 3]),
        ({"total_count": 101, "per_page": 100}, [2]),
        ({"total_count": 100, "per_page": 100}, []),
        ({"total_pages": 1}, []),
        ({"total_pages": 0}, []),
        ({"total_count": 5, "per_page": 0}, []),
        ({}, []),
        (None, []),
        ({"total_pages": 10**9}, list(range(2, 101))),
    ],
)
def test_pages(info, pages):
    """Those that follow the first."""
    assert answers.pages_after(answer([], info=info), CONNECTION) == pages


def test_items():
    """All of them; a list that ends before its own total is not one."""
    first, second = answer([{"n": 1}], info={"total_count": 2}), answer([{"n": 2}], info={"total_count": 2})
    assert answers.items([first, second], CONNECTION, "queues") == [{"n": 1}, {"n": 2}]
    with pytest.raises(CloudflareError, match="the list of queues ends after 1 of 2"):
        answers.items([first], CONNECTION, "queues")
    assert answers.pages_after(answer(status=403), CONNECTION) == []
    with pytest.raises(CloudflareError):
        answers.items([first, answer(status=500)], CONNECTION, "queues")


@pytest.mark.parametrize("text", ["HTTP pull not enabled for this queue.", "messages cannot be pulled unless http_pull mode is enabled"])
def test_no_pull_yet(text):
    """By its words, of which two are known."""
    assert answers.is_no_pull_yet(failure(answer(status=400, errors=[{"code": 10106, "message": text}])))


@pytest.mark.parametrize("status", [400, 405])
def test_a_second_subscription(status):
    """By its words, whatever its status."""
    text = "We currently do not support multiple subscriptions on the same resource."
    assert answers.is_second(failure(answer(status=status, errors=[{"code": 10002, "message": text}])))
    assert not answers.is_second(failure(answer(status=400, errors=[{"code": 10002, "message": "no"}])))
