# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api import errors
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import (
    CloudflareError,
    LookStale,
    NotSent,
    TooManyMatched,
    internal_error_text,
)
from ansible_collections.edgeops.cloudflare.tests.unit.tables import each_row

FAMILY = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, CloudflareError)]

#: Those that would meet every instance alike.
FATAL = {
    "OptionError",
    "AuthenticationError",
    "WorkflowNotFound",
    "QueueNotFound",
    "UnusableServer",
    "NotSent",
    "RateLimitExceeded",
    "ControllerGone",
    "TooManyMatched",
    "InternalError",
}


def test_what_stops_a_task():
    assert {kind.__name__ for kind in FAMILY if kind.fatal} == FATAL
    assert {kind.__name__ for kind in FAMILY if kind.is_passing} == {"AnswerReplaced", "NotSent"}


@each_row("kind", [kind for kind in FAMILY if kind not in (LookStale, TooManyMatched)])
def test_what_an_error_carries(kind):
    error = kind("a sentence", code=10400, http_status=404)
    assert (error.message, str(error), error.code, error.http_status, error.after_lost_answer) == (
        "a sentence",
        "a sentence",
        10400,
        404,
        False,
    )
    assert (kind("a sentence").code, kind("a sentence").http_status) == (None, None)


def test_a_stale_look_may_have_a_cause():
    cause = NotSent("no connection")
    assert LookStale("not sent", cause=cause).cause is cause
    assert LookStale("held back").cause is None


def test_an_internal_error_tells_where_and_never_what():
    """The text of an exception that nobody foresaw may quote a secret."""
    with pytest.raises(KeyError) as caught:
        raise KeyError("token-0001")
    text = internal_error_text(caught.value)
    assert text.startswith("internal error: KeyError at test_errors.py:")
    assert text.endswith("; please report it")
    assert "token-0001" not in text
    assert internal_error_text(ValueError("token-0001")) == "internal error: ValueError at unknown place; please report it"
