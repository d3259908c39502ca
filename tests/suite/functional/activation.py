# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A rulebook run by the real ansible-rulebook, as a decision environment runs it."""

from __future__ import annotations

import http.server
import json
import os
import re
import signal
import subprocess
import threading
import time

import environments
import plays

#: Seconds after which something hangs: Java takes some of them to start.
HANGS = 180


class Activation:
    """A rulebook that runs until it is told to stop.

    Args:
        engine: engine.Engine.
        folder: path, where it runs, and its output lies.
        arguments: of the command line, list of str.
        settings: dict, more of the environment.
    """

    def __init__(self, engine, folder, arguments, settings=None):
        venv = environments.ensure("eda")
        self._path = folder / "rulebook.log"
        command = [venv / "bin" / "ansible-rulebook", *arguments, "-v"]
        with self._path.open("ab") as output:
            self.popen = subprocess.Popen(
                [str(part) for part in command],
                env=plays.environment(engine, venv=venv, **(settings or {})),
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def output(self):
        """All that it and those before it in the same folder have said."""
        return self._path.read_text(encoding="utf-8", errors="replace")

    def wait_for(self, condition, what):
        """Wait until a callable says yes."""
        end = time.monotonic() + HANGS
        while not condition():
            assert self.popen.poll() is None, f"it ended with {self.popen.returncode} before {what}:\n{self.output[-6000:]}"
            assert time.monotonic() < end, f"{what} did not come:\n{self.output[-6000:]}"
            time.sleep(0.1)

    def wait_for_line(self, pattern, count=1):
        """Wait until so many lines match."""
        self.wait_for(lambda: len(re.findall(pattern, self.output)) >= count, pattern)

    def kill(self):
        """End it as a machine does that loses its power."""
        os.killpg(self.popen.pid, signal.SIGKILL)
        self.popen.wait(30)

    def stop(self):
        """End it as an operator does; returns its exit code."""
        if self.popen.poll() is None:
            os.killpg(self.popen.pid, signal.SIGTERM)
            try:
                self.popen.wait(30)
            except subprocess.TimeoutExpired:
                self.kill()
        return self.popen.returncode


class Listener:
    """A small HTTP server that keeps what is posted to it: (path, decoded body)."""

    def __init__(self):
        self.posted = []
        posted = self.posted

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                posted.append((self.path, json.loads(body)))
                self.send_response(200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"ok")

            def log_message(self, *_arguments):
                """It is nobody's business."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()
