# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the module as ansible-core does, but without a playbook around it: its arguments in, its JSON out.

In this process it takes a few milliseconds, so that tables of hundreds of cases can run on the real engine; in a process
of its own it can be killed, signalled, and run beside another.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from unittest import mock

from ansible.module_utils import basic
from ansible.module_utils.common import warnings

MODULE = "workflow_instance_status"
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Result(dict):
    """A module's result, with what it printed besides: `output` is all of standard output and error."""

    def __init__(self, stdout, stderr, returncode):
        super().__init__(json.loads(stdout.strip().splitlines()[-1]) if stdout.strip() else {})
        self.output = stdout + stderr
        self.stderr = stderr
        self.returncode = returncode


def connection(engine, **options):
    """The options that reach the gateway."""
    return {
        "api_url": engine.api_url,
        "account_id": engine.account_id,
        "api_token": engine.api_token,
        **options,
    }


def run_module(options, check_mode=False, diff=False, environ=None, module=MODULE):
    """Run a module in this process.

    Args:
        options: dict, the task's options.
        check_mode, diff: bool.
        environ: dict or None, environment variables besides the test run's own, which hold no credentials.
        module: str, its name.

    Returns:
        Result
    """
    main = importlib.import_module(f"ansible_collections.edgeops.cloudflare.plugins.modules.{module}").main
    stdout, stderr = io.StringIO(), io.StringIO()
    handlers = {number: signal.getsignal(number) for number in SIGNALS}
    returncode = 0
    try:
        with contextlib.ExitStack() as stack:
            stack.enter_context(_arguments(options, check_mode, diff))
            # ansible-core keeps warnings for the life of a process; here that holds many module runs.
            stack.enter_context(mock.patch.object(warnings, "_global_warnings", type(warnings._global_warnings)()))
            stack.enter_context(mock.patch.dict(os.environ, environ or {}))
            stack.enter_context(contextlib.redirect_stdout(stdout))
            stack.enter_context(contextlib.redirect_stderr(stderr))
            main()
    except SystemExit as end:
        returncode = end.code or 0
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    return Result(stdout.getvalue(), stderr.getvalue(), returncode)


class Process:
    """The module in a process of its own; `finish` waits for its Result."""

    def __init__(self, options, check_mode=False, diff=False, environ=None, module=MODULE, **popen):
        payload = json.dumps({"options": options, "check_mode": check_mode, "diff": diff, "module": module})
        self.popen = subprocess.Popen(
            [sys.executable, str(Path(__file__).resolve())],
            stdin=subprocess.PIPE,
            stdout=popen.pop("stdout", subprocess.PIPE),
            stderr=subprocess.PIPE,
            env=dict(os.environ, PYTHONPATH=os.pathsep.join(sys.path), **(environ or {})),
            text=True,
            **popen,
        )
        self.popen.stdin.write(payload)
        self.popen.stdin.close()
        self.popen.stdin = None

    def finish(self, timeout=180):
        """The Result; kills the process and raises subprocess.TimeoutExpired where it hangs."""
        try:
            stdout, stderr = self.popen.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            raise
        return Result(stdout or "", stderr, self.popen.returncode)


@contextlib.contextmanager
def _arguments(options, check_mode, diff):
    """Hand the module its arguments as AnsiballZ would."""
    arguments = dict(options, _ansible_check_mode=check_mode, _ansible_diff=diff, _ansible_version="2.19.0")
    payload = json.dumps({"ANSIBLE_MODULE_ARGS": arguments}).encode()
    # 2.19 and later want to know how the payload is encoded; older ones don't know that variable.
    with mock.patch.object(basic, "_ANSIBLE_ARGS", payload), mock.patch.object(basic, "_ANSIBLE_PROFILE", "legacy", create=True):
        yield


if __name__ == "__main__":
    _task = json.load(sys.stdin)
    with _arguments(_task["options"], _task["check_mode"], _task["diff"]):
        importlib.import_module(f"ansible_collections.edgeops.cloudflare.plugins.modules.{_task['module']}").main()
