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
        message: str, one sentence or more, complete.
        code: int or None, the API's own error code.
        http_status: int or None.
    """

    #: True where the error would meet every instance alike, so that going on makes no sense.
    fatal = False

    #: True where it may pass by itself: an instance that was seen before can be looked at again later.
    is_passing = False

    #: True where an earlier attempt of the same call went out and lost its answer: that one may have been processed.
    after_lost_answer = False

    def __init__(self, message, code=None, http_status=None):
        super().__init__(message)
        self.message = message
        self.code = code
        self.http_status = http_status


class OptionError(CloudflareError):
    """The task's options cannot mean anything; raised before any call is made."""

    fatal = True


class AuthenticationError(CloudflareError):
    """The API refuses the credentials (401, 403, codes 10000 and 9109)."""

    fatal = True


class WorkflowNotFound(CloudflareError):
    """The account has no such workflow (code 10200)."""

    fatal = True


class UnusableServer(CloudflareError):
    """What answers at `api_url` is not the API: a redirect, or a page of something else."""

    fatal = True


class InstanceNotFound(CloudflareError):
    """The workflow has no such instance (code 10400)."""


class Refused(CloudflareError):
    """The API read this request and will not do it (400, 409, `cannot_terminate` and their kin)."""


class NotNow(Refused):
    """The API will not do it at the moment (`migration.in_progress`); a look is repeated, a change was certainly not made."""


class NotSent(CloudflareError):
    """No connection was made, so nothing was processed; told after the retries are used up."""

    fatal = True
    is_passing = True


class AnswerLost(CloudflareError):
    """The request went out and no usable answer came back: it may have been done, or may be done yet."""


class LookStale(CloudflareError):
    """A change was not processed, and by now the look it rests on is too old: observe and decide again.

    Raised where the rate limit held the change back (`went_out`: it was sent, and answered with a 429), and where no
    connection was made (then `cause` is the NotSent).
    """

    def __init__(self, message, cause=None, went_out=False):
        super().__init__(message)
        self.cause = cause
        self.went_out = went_out


class RateLimitExceeded(CloudflareError):
    """The rate limit would block for longer than `rate_limit_timeout` allows."""

    fatal = True


class ControllerGone(CloudflareError):
    """Nobody is there any more to hear of a change, so none is made."""

    fatal = True


class TooManyMatched(CloudflareError):
    """A selection matches more than `max_instances`; nothing was changed."""

    fatal = True


class InternalError(CloudflareError):
    """A mistake of this collection's own; it ends the task, and the result still tells what was done."""

    fatal = True


def internal_error_text(error):
    """The sentence for an exception that nobody foresaw: where it arose, but not its text, which may quote a secret."""
    frames = traceback.extract_tb(error.__traceback__)
    where = "{0}:{1}".format(frames[-1].filename.rpartition("/")[2], frames[-1].lineno) if frames else "unknown place"
    return f"internal error: {type(error).__name__} at {where}; please report it"
