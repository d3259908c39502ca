# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Several at once: a task's workers, and what ends the work of all of them."""

from __future__ import annotations

import collections
import contextlib
import threading
import typing as t
from concurrent.futures import Future, ThreadPoolExecutor

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import CloudflareError, InternalError, internal_error_text

_One = t.TypeVar("_One")


class Crew:
    """The workers of one task.

    Args:
        concurrency: how many there are, the calling thread among them.
    """

    def __init__(self, concurrency: int) -> None:
        self._concurrency = concurrency
        self._lock = threading.Lock()
        self._executor: ThreadPoolExecutor | None = None
        #: What ended the task early.
        self.fatal: CloudflareError | None = None

    @contextlib.contextmanager
    def at_work(self, count: int) -> t.Iterator[None]:
        """Have workers for so many at once."""
        if count < 2 or self._concurrency < 2:
            yield
            return
        with ThreadPoolExecutor(min(count, self._concurrency) - 1) as self._executor:  # this thread works, too
            yield
        self._executor = None

    def each(self, function: t.Callable[[_One], None], ones: t.Sequence[_One]) -> None:
        """Call the function with each, several at once; raises what stops the task, when all have ended."""

        def guarded(one: _One) -> None:
            if self.fatal is not None:
                return
            try:
                function(one)
            except Exception as error:  # noqa: BLE001  the other workers go on
                self.stop(error)

        left = collections.deque(ones)

        def work() -> None:
            with contextlib.suppress(IndexError):
                while True:
                    guarded(left.popleft())

        futures: list[Future[None]] = []
        if self._executor:
            with contextlib.suppress(RuntimeError):  # where no more threads are to be had, fewer do
                for _thread in range(min(len(ones), self._concurrency) - 1):
                    futures.append(self._executor.submit(work))  # noqa: PERF401  those begun before the error count
        work()
        for future in futures:
            future.result()
        if self.fatal is not None:
            raise self.fatal

    def stop(self, error: Exception) -> None:
        """End the work of all; the first reason counts."""
        told = error if isinstance(error, CloudflareError) else InternalError(internal_error_text(error))
        with self._lock:
            self.fatal = self.fatal or told
