# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Calls of the API: retries, the rate limit, and what an answer means.

What may be sent again is decided here, by one rule: a call that was certainly not processed (429, no connection made)
may always be repeated; one whose answer was lost only where doing it twice is the same as doing it once.
"""

from __future__ import annotations

import contextlib
import random
import threading
import typing as t
from urllib.parse import quote

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.clock import Clock
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.connection import Connection
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.envelope import Answer, RateLimited, read_answer
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import (
    AnswerLost,
    AnswerReplaced,
    AuthenticationError,
    CloudflareError,
    LookStale,
    NotNow,
    NotSent,
    NotTheApi,
    RateLimitExceeded,
    ServerFailed,
    TooLarge,
)
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.ratelimit import RateGate, backoff
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.transport import Raw, Transport, retry_after_seconds
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.types import Json

# How each kind of call is counted in the result.
READ, LIST, PATCH, BATCH = "reads", "lists", "patches", "batches"
CREATE, DELETE, EVENT = "creates", "deletes", "events"
QUEUE = "queues"

#: Kinds of calls that change something, and those of them that rest on a look, so that they do not outwait a rate-limit block.
CHANGES = (PATCH, BATCH, CREATE, DELETE, EVENT)
REST_ON_A_LOOK = (PATCH, BATCH, DELETE, EVENT)

#: Answers of something else than the API, in a row and without one of its own between them, that end the task.
MOST_STRANGERS = 5

#: Seconds that a `Retry-After` beside a failure (503) is minded for.
_LONGEST_RETRY_AFTER = 60.0

_Error = t.TypeVar("_Error", bound=CloudflareError)


class Client:
    """Calls the API for all workers of a task.

    Args:
        core_version: ansible-core's, for the User-Agent.
        concurrency: requests under way at once.
        check: called right before every attempt; may raise to prevent it.
    """

    def __init__(
        self,
        connection: Connection,
        gate: RateGate,
        clock: Clock,
        core_version: str,
        concurrency: int = 1,
        check: t.Callable[[], None] = lambda: None,
    ) -> None:
        self._connection = connection
        self._gate = gate
        self._clock = clock
        self._check = check
        self._transport = Transport(connection, clock, core_version, concurrency)
        self._lock = threading.Lock()
        self._under_way: set[object] = set()  # one object for each call that is not answered yet
        self._answered = threading.Condition()
        self._has_heard = False  # anything has answered as the API does
        self._strangers = 0  # other answers, in a row
        #: Calls that reached the network, by kind, and how many of them were repetitions.
        self.counts = {**dict.fromkeys((READ, LIST, QUEUE, *CHANGES), 0), "retries": 0}
        #: The API's own messages, {code, message}, each once.
        self.messages: list[Json] = []
        #: The server's own time at its first answer, as its Date header tells it.
        self.server_date: str | None = None

    @property
    def is_development_session(self) -> bool:
        """The server is on this machine."""
        return self._connection.is_loopback

    @property
    def connection(self) -> Connection:
        """Whose account, with which credentials, at which server."""
        return self._connection

    @property
    def prefix(self) -> str:
        """The path below which all of an account lies; a development session without account has none."""
        account_id = self._connection.account_id
        return "/accounts/" + quote(account_id, safe="") if account_id else ""

    def call(
        self,
        method: str,
        path: str,
        kind: str,
        query: dict[str, str] | None = None,
        body: t.Any = None,
        once: bool = False,
        slots: int = 1,
        longest_wait: float | None = None,
        is_repetition: bool = False,
        expected: type | tuple[type, ...] | None = None,
    ) -> Answer:
        """Make one call, with whatever retries its nature allows.

        Args:
            path: below the API's base URL, its parts percent-encoded.
            kind: READ, LIST, QUEUE (taking messages, and giving them back), or one of CHANGES.
            expected: what the result must be; None: a list for LIST, and a dict for any other kind.
            body: JSON-able or None.
            once: never send again what may have been processed.
            slots, longest_wait: see RateGate.enter.
            is_repetition: the same call was held back before, and counts as a retry.

        Returns:
            Its result is as expected.

        Raises:
            LookStale: the change was not processed, and is to be decided anew.
            AnswerLost, ServerFailed: it may have been processed.
            NotSent: no connection could be made.
            CloudflareError: of any other class: it was not done, and why.
        """
        rests = kind in REST_ON_A_LOOK
        expected = expected or (list if kind == LIST else dict)
        failures, forgiven, lost = 0, 0, False
        while True:
            pause = 0.0  # seconds that the server asks to wait before the next attempt
            try:
                self._gate.enter(slots, rests, longest_wait)
                try:
                    self._check()
                    if is_repetition:
                        self._count("retries")
                    with self._noted_under_way():
                        return self._attempt(method, path, kind, query, body, expected)
                finally:
                    self._gate.leave(slots)
            except RateLimited as limited:
                if once and not limited.unprocessed:
                    raise AnswerLost("the API answered with its rate limit, but not as a refusal") from None
                if rests:
                    raise _mark(LookStale("held back by the rate limit", went_out=True), lost) from None
                is_repetition = True
                continue  # the gate does the waiting
            except AuthenticationError as error:
                # While a token is blocked, repetitions were seen to be answered as if it were invalid: after each 429
                # such an answer is not believed once. That 429 may be another worker's, and still under way.
                if forgiven == self._gate.refusals:
                    self._await_calls_under_way()
                if forgiven == self._gate.refusals:
                    raise _mark(error, lost) from None
                forgiven = self._gate.refusals
            except CloudflareError as error:
                if once and rests and isinstance(error, NotSent):
                    raise LookStale("no connection was made", cause=error) from None
                lost = lost or isinstance(error, AnswerLost)
                if failures >= self._repetitions(error, rests, once):
                    raise _mark(self._judged(error, failures + 1), lost) from None
                pause = 0.0 if rests else min(getattr(error, "retry_after", None) or 0.0, _LONGEST_RETRY_AFTER)
            failures += 1
            is_repetition = True
            self._clock.sleep(max(backoff(failures, random.random), pause))

    def _repetitions(self, error: CloudflareError, rests: bool, once: bool) -> int:
        """How often a call that failed like this may be made again."""
        most = self._connection.api_retries
        if isinstance(error, NotSent):
            return most
        if isinstance(error, AnswerLost):
            return 0 if once else most
        if isinstance(error, NotNow):
            return 0 if rests else most
        if isinstance(error, NotTheApi) and (error.http_status or 0) < 300:
            # A page with 200 won't turn into the API's word; once more is enough to tell that it was no accident.
            return min(1, most)
        return 0

    def _attempt(
        self, method: str, path: str, kind: str, query: dict[str, str] | None, body: t.Any, expected: type | tuple[type, ...]
    ) -> Answer:
        """One request and what its answer comes to."""
        sent_at = self._clock.monotonic()
        change, rests = kind in CHANGES, kind in REST_ON_A_LOOK
        raw = self._exchange(method, path, kind, query, body)
        retry_after = retry_after_seconds(raw.headers.get("Retry-After"))
        try:
            answer = read_answer(raw.status, raw.headers, raw.content, expected, self._connection)
        except RateLimited as limited:
            try:
                self._gate.refused(retry_after, sent_at, rests)
            except RateLimitExceeded as error:
                error.after_lost_answer = not limited.unprocessed
                raise
            raise
        except NotTheApi as error:
            if change and (error.http_status or 0) < 300:
                raise AnswerReplaced(error.message, error.advice, http_status=error.http_status) from None
            raise
        except AnswerReplaced as error:
            error.retry_after = retry_after
            raise
        except CloudflareError as error:
            if isinstance(error, AnswerLost):
                error.retry_after = retry_after
            self._note_word()
            raise
        else:
            self._note_word()
            self._gate.passed(rests)
        finally:
            self._gate.observe(raw.headers.get("Ratelimit"), raw.headers.get("Ratelimit-Policy"), sent_at)
        with self._lock:
            self.messages.extend(message for message in answer.messages if message not in self.messages)
            self.server_date = self.server_date or raw.headers.get("Date")
        return answer._replace(sent_at=sent_at)

    def _exchange(self, method: str, path: str, kind: str, query: dict[str, str] | None, body: t.Any) -> Raw:
        """One request and its answer; counted where it reached the network."""
        try:
            raw = self._transport.exchange(method, path, query, body)
        except TooLarge as error:
            self._count(kind)
            if kind in CHANGES:
                raise AnswerLost(error.message) from None
            raise
        except AnswerLost:
            self._count(kind)
            raise
        self._count(kind)
        return raw

    def _note_word(self) -> None:
        """The API itself has answered, with whatever."""
        with self._lock:
            self._has_heard, self._strangers = True, 0

    def _judged(self, error: _Error, tries: int) -> _Error:
        """An error that is final; fatal where something else answered: before the API ever did, or too often in a row."""
        if isinstance(error, ServerFailed):
            error.tries = tries
        if isinstance(error, (NotTheApi, AnswerReplaced)):
            with self._lock:
                self._strangers += 1
                error.fatal = not self._has_heard or self._strangers >= MOST_STRANGERS
        return error

    @contextlib.contextmanager
    def _noted_under_way(self) -> t.Iterator[None]:
        call = object()
        with self._answered:
            self._under_way.add(call)
        try:
            yield
        finally:
            with self._answered:
                self._under_way.remove(call)
                self._answered.notify_all()

    def _await_calls_under_way(self) -> None:
        """Wait until the other workers' calls that are under way by now have been answered, for `api_timeout` at most."""
        with self._answered:
            calls = set(self._under_way)
            self._answered.wait_for(lambda: calls.isdisjoint(self._under_way), self._connection.api_timeout)

    def _count(self, kind: str) -> None:
        with self._lock:
            self.counts[kind] += 1


def _mark(error: _Error, lost: bool) -> _Error:
    error.after_lost_answer = error.after_lost_answer or lost
    return error
