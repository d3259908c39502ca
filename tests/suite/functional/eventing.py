# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs an event source as ansible-rulebook does: the file by itself, its `main` with a queue and arguments.

In this process, in a thread with an event loop of its own; or in a process, which can be killed.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import runpy
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

#: Seconds that anything may take on a busy machine.
PATIENCE = 60


def source_file(name):
    """The source, where ansible-rulebook finds it."""
    import environments

    root = Path(environments.linked_collections(), "ansible_collections", "edgeops", "cloudflare")
    return root / "extensions" / "eda" / "plugins" / "event_source" / f"{name}.py"


def until(condition, what):
    """Wait until a callable returns something true, and return that."""
    end = time.monotonic() + PATIENCE
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < end, f"waited in vain: {what()}"
        time.sleep(0.02)


class ListQueue:
    """A rule engine's queue that keeps everything."""

    def __init__(self, on_event=None):
        self.events = []
        self._on_event = on_event

    async def put(self, item):
        self.events.append(item)
        if self._on_event:
            self._on_event(item)


class Lines(logging.Handler):
    """What the source logs."""

    def __init__(self):
        super().__init__(logging.DEBUG)
        self.lines = []

    def emit(self, record):
        self.lines.append(f"{record.levelname} {record.getMessage()}")

    def holding(self, text):
        """The lines that hold a text."""
        return [line for line in self.lines if text in line]


class Source:
    """A source at work in this process; a context manager.

    Args:
        name: of the plugin.
        args: its arguments.
    """

    def __init__(self, name, **args):
        self.queue = ListQueue()
        self.log = Lines()
        self.error = None
        self._name, self._args = name, args
        self._task = self._loop = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._logger = logging.getLogger("edgeops.cloudflare." + name)

    @property
    def events(self):
        return list(self.queue.events)

    def __enter__(self):
        self._logger.addHandler(self.log)
        self._logger.setLevel(logging.DEBUG)
        self._thread.start()
        return self

    def __exit__(self, *failed):
        self.stop()
        self._logger.removeHandler(self.log)

    def stop(self):
        """Cancel it, as ansible-rulebook does, and wait for its end."""
        until(lambda: self._task is not None or not self._thread.is_alive(), lambda: "the source begins")
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive(), "the source does not end"

    def ended(self):
        """The error that it ended by itself with."""
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive(), "the source does not end"
        return self.error

    def await_events(self, count):
        """The events, as soon as there are so many."""
        return until(lambda: len(self.events) >= count and self.events, lambda: (self.error, self.events, self.log.lines))

    def await_line(self, text):
        """The first line of the log that holds a text."""
        return until(lambda: self.log.holding(text), lambda: (self.error, text, self.log.lines))[0]

    def _run(self):
        try:
            asyncio.run(self._main())
        except asyncio.CancelledError:
            self.error = "cancelled"
        except BaseException as error:
            self.error = error

    async def _main(self):
        main = runpy.run_path(str(source_file(self._name)))["main"]
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.ensure_future(main(self.queue, dict(self._args)))
        await self._task


class SourceProcess:
    """A source at work in a process of its own, which can be killed."""

    def __init__(self, name, **args):
        self.events = []
        self._popen = subprocess.Popen(
            [sys.executable, str(Path(__file__).resolve()), str(source_file(name))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._popen.stdin.write(json.dumps(args))
        self._popen.stdin.close()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self._popen.stdout:
            self.events.append(json.loads(line))

    def await_events(self, count):
        """The events, as soon as there are so many."""
        return until(lambda: len(self.events) >= count and list(self.events), lambda: (self._popen.poll(), self.events))

    def kill(self):
        """End it without any notice."""
        self._popen.send_signal(signal.SIGKILL)
        self._popen.wait(PATIENCE)
        self._reader.join(PATIENCE)


if __name__ == "__main__":

    def _show(event):
        os.write(1, (json.dumps(event) + "\n").encode())

    asyncio.run(runpy.run_path(sys.argv[1])["main"](ListQueue(_show), json.load(sys.stdin)))
