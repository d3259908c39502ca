# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Starts the local Workflows engine and its gateway. README.md says what it offers.

python3 tests/engine/engine.py [--state-dir DIR] [--ready-file FILE] [--die-with-parent]
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from engine_packages import EngineError, prepare  # noqa: E402  pylint: disable=wrong-import-position

START_TIMEOUT = 60
STOP_TIMEOUT = 10
OPEN_FILES = 65536

# Memory is three times as fast as a disk for files as small as an instance's, but it must hold thousands of them.
MEMORY_FOLDER = "/dev/shm"
MEMORY_NEEDED = 4 * 1024**3

# The machine's proxies are for the world outside.
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def _scratch_parent():
    """Where temporary folders go: TMPDIR if it is given, else memory if there is plenty, else the usual place."""
    if "TMPDIR" not in os.environ and os.path.isdir(MEMORY_FOLDER) and os.access(MEMORY_FOLDER, os.W_OK):
        space = os.statvfs(MEMORY_FOLDER)
        if space.f_bavail * space.f_frsize >= MEMORY_NEEDED:
            return MEMORY_FOLDER
    return None


@contextlib.contextmanager
def _many_open_files():
    """Lets a child process open as many files as it may: the engine holds three for each instance."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else hard
    raised = False
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            raised = True
    try:
        yield
    finally:
        if raised:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def _request(method, url, body, headers, timeout):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, method=method, headers=headers)
    try:
        with OPENER.open(request, timeout=timeout) as response:
            return response.status, response.headers, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


class Engine:
    """One engine with its gateway; its addresses and credentials are attributes once it runs (`api_url`, …)."""

    def __init__(self, state_dir=None):
        self.state_dir = None if state_dir is None else pathlib.Path(state_dir).resolve()
        self.ready = {}
        self._process = None
        self._scratch = None

    def __getattr__(self, name):
        try:
            return self.__dict__["ready"][name]
        except KeyError:
            raise AttributeError(f"{name}: not known, or the engine does not run") from None

    def __enter__(self):
        return self.start()

    def __exit__(self, *unused):
        self.stop()

    def start(self):
        """Starts it and waits until it answers; the first time, this downloads its packages."""
        node, packages = prepare()
        self._scratch = pathlib.Path(tempfile.mkdtemp(prefix="edgeops-engine-", dir=_scratch_parent()))
        state = self.state_dir or self._scratch / "state"
        state.mkdir(parents=True, exist_ok=True)
        options = {"packages": str(packages), "state": str(state), "scratch": str(self._scratch)}
        command = [node, str(HERE / "src" / "main.mjs"), json.dumps(options)]
        # Its temporary files stay in our folder, so that nothing is left even after a kill.
        environment = dict(os.environ, TMPDIR=str(self._scratch), NO_COLOR="1")
        environment.pop("NODE_OPTIONS", None)
        try:
            with open(self._scratch / "engine.log", "wb") as log, _many_open_files():
                # A session of its own: Ctrl-C is for us to pass on, and the whole group can be ended.
                # Its standard input stays open as long as we live: at its end, Node stops by itself.
                self._process = subprocess.Popen(
                    command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, env=environment, start_new_session=True
                )
            self.ready = self._read_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def _read_ready(self):
        lines = []
        reader = threading.Thread(target=lambda: lines.append(self._process.stdout.readline()), daemon=True)
        reader.start()
        reader.join(START_TIMEOUT)
        if not lines or not lines[0].startswith(b"{"):
            log = (self._scratch / "engine.log").read_text("utf-8", "replace")[-4000:]
            raise EngineError(f"the engine did not start:\n{log}")
        return json.loads(lines[0].decode())

    def log(self):
        """What the engine wrote to its error output so far."""
        return (self._scratch / "engine.log").read_text("utf-8", "replace")

    def wait(self):
        """Waits until it ends by itself; answers its exit code."""
        return self._process.wait()

    def stop(self):
        """Stops it; no process and no temporary file is left."""
        process, self._process = self._process, None
        if process is not None:
            process.stdin.close()  # the same as SIGTERM to Node
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(STOP_TIMEOUT)
            # Whoever of its group is still there: workerd, if Node was killed before it could stop it.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            process.stdout.close()
        if self._scratch is not None:
            self._remove(self._scratch)
        self._scratch = None
        self.ready = {}

    @staticmethod
    def _remove(folder):
        for _attempt in range(50):
            shutil.rmtree(folder, ignore_errors=True)
            if not folder.exists():
                return
            time.sleep(0.1)  # somebody who was just killed has not quite ended yet

    def control(self, method, path, body=None, timeout=120):
        """Asks the control endpoint; answers the decoded JSON, raises EngineError unless it is 2xx."""
        status, _headers, text = _request(method, self.control_url + path, body, {"Content-Type": "application/json"}, timeout)
        answer = json.loads(text.decode())
        if status >= 300:
            raise EngineError("{} {}: {} {}".format(method, path, status, answer.get("error")))
        return answer

    def api(self, method, path, body=None, headers=None, timeout=60, below="/workflows"):
        """Calls the gateway below /accounts/{id}/workflows (or another resource) with the token; answers (status, headers, decoded body)."""
        url = f"{self.api_url}/accounts/{self.account_id}{below}{path}"
        sent = {"Authorization": "Bearer " + self.api_token, "Content-Type": "application/json"}
        sent.update(headers or {})
        status, got, text = _request(method, url, body, sent, timeout)
        return status, got, json.loads(text.decode())


def _stop_with_parent():
    """Ends this process when its standard input ends."""

    def watch():
        with contextlib.suppress(OSError, ValueError):
            while os.read(0, 4096):
                pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()


def main(arguments=None):
    """The command: runs one engine until it is told to stop."""
    parser = argparse.ArgumentParser(description="Runs Cloudflare's Workflows engine behind a gateway with production's face.")
    parser.add_argument("--state-dir", help="keep the instances in this folder (default: a temporary one)")
    parser.add_argument("--ready-file", help="also write the line of JSON to this file")
    parser.add_argument("--die-with-parent", action="store_true", help="stop when standard input ends")
    options = parser.parse_args(arguments)

    def stop(_number, _frame):
        # Once is enough: a second signal must not break into the cleaning up.
        for number in signals:
            signal.signal(number, signal.SIG_IGN)
        raise SystemExit(0)

    signals = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    for number in signals:
        signal.signal(number, stop)
    if options.die_with_parent:
        _stop_with_parent()
    engine = Engine(options.state_dir)
    ready_file = pathlib.Path(options.ready_file) if options.ready_file else None
    try:
        engine.start()
        line = json.dumps(dict(engine.ready, pid=os.getpid()))
        if ready_file:
            # Whoever waits for the file must never see half of it.
            partial = ready_file.with_name(ready_file.name + ".partial")
            partial.write_text(line + "\n")
            partial.replace(ready_file)
        print(line, flush=True)
        code = engine.wait()
        print(f"the engine ended by itself ({code}):\n{engine.log()[-4000:]}", file=sys.stderr)
        return 1
    except EngineError as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        engine.stop()
        if ready_file:
            with contextlib.suppress(FileNotFoundError):
                ready_file.unlink()


if __name__ == "__main__":
    sys.exit(main())
