# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the API's codes and words mean: one table. Pure.

The API sends a code, a word in the message, or both, and the HTTP status beside them is not to be relied on (FACTS, API.md
and FIELD.md, A): so these are looked at first, in every error and in what its `error_chain` holds.
"""

from __future__ import annotations

import typing as t

# The meanings.
# Credentials: UNKNOWN is nobody's, MALFORMED can't be one, NOT_ALLOWED may not do this here.
UNKNOWN, MALFORMED, NOT_ALLOWED = "unknown", "malformed", "not_allowed"
RATE_LIMITED = "rate_limited"
NO_WORKFLOW, NO_INSTANCE, NO_ROUTE = "no_workflow", "no_instance", "no_route"
REFUSED, NOT_NOW, NEVER = "refused", "not_now", "never"
EXISTS = "exists"
FAILED = "failed"

# An error is what its code says, and where the code is not here, what a word in its message says.
_TABLE = """
    code     word                              meaning
    6003     invalid request headers           malformed
    6100     -                                 malformed
    6101     -                                 malformed
    6102     -                                 malformed
    6103     -                                 malformed
    6111     -                                 malformed
    9106     -                                 malformed
    9107     -                                 malformed
    1000     invalid api token                 unknown
    9103     unknown x-auth-key                unknown
    9109     invalid access token              unknown
    -        token is expired                  unknown
    10000    authentication error              not_allowed
    -        unable to authenticate            not_allowed
    971      throttling your request           rate_limited
    10100    -                                 rate_limited
    10429    rate_limit.                       rate_limited
    10200    workflow.not_found                no_workflow
    10400    instance.not_found                no_instance
    10201    -                                 no_instance
    7000     no route for that uri             no_route
    7003     could not route to                no_route
    10401    instance.cannot_terminate         refused
    -        instance.cannot_restart           refused
    10405    instance.already_exists           exists
    10415    instance.duplicate_in_batch       exists
    -        instance.invalid_id               refused
    -        instance.too_many_queued          refused
    -        migration.in_progress             not_now
    -        not implemented                   never
    10001    internal_server                   failed
"""

#: Meanings that concern the credentials.
CREDENTIALS = (UNKNOWN, MALFORMED, NOT_ALLOWED)


class ApiError(t.NamedTuple):
    """One error of an envelope: the API's own code and text."""

    code: int | None
    message: str


def _parse(table: str) -> tuple[dict[int, str], dict[str, str]]:
    by_code, by_word = {}, {}
    for line in table.strip().splitlines()[1:]:
        code, *word, meaning = line.split()
        if code != "-":
            by_code[int(code)] = meaning
        if word != ["-"]:
            by_word[" ".join(word)] = meaning
    return by_code, by_word


_BY_CODE, _BY_WORD = _parse(_TABLE)

#: A development session has one code, 10501, for both; of an instance it says "Workflow instance '…' not found."
_DEVELOPMENT_NOT_FOUND = 10501
_UNKNOWN_WORKFLOW = "Workflow '"


def meaning_of(errors: t.Iterable[ApiError]) -> str | None:
    """What the first error that is in the table means; None where none is.

    A word tells more than the code 10001, under which the API says very different things.
    """
    meanings = [meaning for error in errors for meaning in _meanings(error)]
    return next((meaning for meaning in meanings if meaning != FAILED), FAILED if meanings else None)


def _meanings(error: ApiError) -> t.Iterator[str]:
    if error.code == _DEVELOPMENT_NOT_FOUND:
        yield NO_WORKFLOW if error.message.startswith(_UNKNOWN_WORKFLOW) else NO_INSTANCE
    if error.code in _BY_CODE:
        yield _BY_CODE[error.code]
    said = error.message.lower()
    yield from (meaning for word, meaning in _BY_WORD.items() if word in said)
