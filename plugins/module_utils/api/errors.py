# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The exception family: what can go wrong between a task and the API.

Every error carries a sentence for the operator, the API's own code and the HTTP status where there are any, and
never a secret: texts of the HTTP library are not passed on, since they can quote a proxy's URL.
"""

from __future__ import annotations

import traceback


class CloudflareError(Exception):
    """Something the operator must be told.

    Args:
        message: what happened, in words that go on after a colon: no full stop, no advice.
        advice: what to do about it, an imperative without a full stop; it comes last in every sentence.
        code: the API's own error code.
    """

    #: True where the error would meet every instance alike, so that going on makes no sense.
    fatal = False

    #: True where it may pass by itself: an instance that was seen before can be looked at again later.
    is_passing = False

    #: True where an earlier attempt of the same call went out and lost its answer: that one may have been processed.
    after_lost_answer = False

    def __init__(self, message: str, advice: str = "", code: int | None = None, http_status: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice
        self.code = code
        self.http_status = http_status

    @property
    def text(self) -> str:
        """All of it, complete sentences but for the full stop at the end."""
        return f"{self.message}. {self.advice}" if self.advice else self.message


class OptionError(CloudflareError):
    """The task's options cannot mean anything; raised before any call is made."""

    fatal = True


class AuthenticationError(CloudflareError):
    """The API refuses the credentials."""

    fatal = True


class WorkflowNotFound(CloudflareError):
    """The account has no such workflow."""

    fatal = True


class QueueNotFound(CloudflareError):
    """The account has no such queue."""

    fatal = True


class UnusableServer(CloudflareError):
    """What is at `api_url` can't be spoken to, or sends elsewhere: TLS that does not verify, a redirect, a route that is none."""

    fatal = True


class NotTheApi(CloudflareError):
    """Something else answered in the API's place: a firewall, a proxy, a login page. The API has not heard of the call.

    The client makes it fatal where nothing has answered as the API yet, or too many such answers came in a row.
    """


class InstanceNotFound(CloudflareError):
    """The workflow has no such instance."""


class Refused(CloudflareError):
    """The API read this request and will not do it (400, 409, `cannot_terminate` and their kin)."""


class AlreadyExists(Refused):
    """There is an instance of this id already, in whatever status: none was made."""


class NotNow(Refused):
    """The API will not do it at the moment (`migration.in_progress`); a look is repeated, a change was certainly not made."""


class TooLarge(CloudflareError):
    """An answer is larger than anything that is read; repeating the call would not make it smaller."""


class NotSent(CloudflareError):
    """No connection was made, so nothing was processed; told after the retries are used up."""

    fatal = True
    is_passing = True


class AnswerLost(CloudflareError):
    """The request went out and nothing came back that tells whether it was done: it may have been, or may be yet."""

    #: Seconds that the server asks to wait before it is tried again.
    retry_after: float | None = None


class AnswerReplaced(AnswerLost):
    """Something else answered in the API's place, in a way that doesn't tell whether the API has heard of the call.

    Like NotTheApi it is made fatal by the client; but what says "bad gateway" now may not in a minute.
    """

    is_passing = True


class ServerFailed(AnswerLost):
    """The API itself answered that it failed (5xx): no is what it said, but nobody can know what was done before that.

    tries: how often the call was made in all.
    """

    tries = 1

    @property
    def answered(self) -> str:
        """How it was answered, in words."""
        return self.message + (f", {self.tries} times" if self.tries > 1 else "")


class LookStale(CloudflareError):
    """A change was not processed, and by now the look it rests on is too old: observe and decide again.

    Raised where the rate limit held the change back (`went_out`: it was sent, and answered with a 429), and where no
    connection was made (then `cause` is the NotSent).
    """

    def __init__(self, message: str, cause: NotSent | None = None, went_out: bool = False) -> None:
        super().__init__(message)
        self.cause = cause
        self.went_out = went_out


class RateLimitExceeded(CloudflareError):
    """The rate limit would block for longer than `rate_limit_timeout` allows."""

    fatal = True


class ControllerGone(CloudflareError):
    """Nobody is there any more to hear of a change, so none is made."""

    fatal = True


class ListingBroken(CloudflareError):
    """A listing ends before its own total, goes in circles, or tells in no known way where it goes on: it can't be trusted."""


class TooManyMatched(CloudflareError):
    """A selection matches more than `max_instances`; nothing was changed.

    matched: how many match; by_status: the same by their status; is_complete: whether all of them were counted.
    """

    fatal = True

    def __init__(self, matched: int, by_status: dict[str, int], is_complete: bool) -> None:
        super().__init__(f"{matched} instances match")
        self.matched = matched
        self.by_status = by_status
        self.is_complete = is_complete


class InternalError(CloudflareError):
    """A mistake of this collection's own; it ends the task, and the result still tells what was done."""

    fatal = True


def internal_error_text(error: BaseException) -> str:
    """The sentence for an exception that nobody foresaw: where it arose, but not its text, which may quote a secret."""
    frames = traceback.extract_tb(error.__traceback__)
    where = "{0}:{1}".format(frames[-1].filename.rpartition("/")[2], frames[-1].lineno) if frames else "unknown place"
    return f"internal error: {type(error).__name__} at {where}; please report it"
