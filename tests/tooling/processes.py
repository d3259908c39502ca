# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running a tool: nothing is left behind when it hangs or is interrupted."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import signal
import subprocess
from pathlib import Path

from environments import BUILD, ROOT

LOGS = BUILD / "logs"
SHOWN_LINES = 60
SHOWN_COLUMNS = 500

# What pip says while it works is kept in the log and left out of the error.
PIP = re.compile(
    r"\s*(Collecting|Downloading|Using cached|Installing|Attempting|Found existing|Uninstalling|Successfully|Requirement already|Looking in"
    r"|Processing|WARNING: Location|\u2501)"
)


class ToolFailed(AssertionError):
    """A tool ended otherwise than expected; the message holds the end of its output."""


def _start(command, cwd, env, **output):
    # A session of its own, so that a hang can be ended with all its children.
    return subprocess.Popen(command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, start_new_session=True, **output)


def _stop(process):
    """End a tool and everything it started."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(10)
            return


def _text(log):
    return log.read_text(encoding="utf-8", errors="replace")


def _failure(command, what, log):
    tail = "\n".join([line[:SHOWN_COLUMNS] for line in _text(log).splitlines() if not PIP.match(line)][-SHOWN_LINES:])
    return ToolFailed(f"{shlex.join(command)}\n{what}\n--- the end of {log.relative_to(ROOT)}:\n{tail}")


def _wait(process, timeout):
    try:
        return process.wait(timeout)
    except BaseException:
        _stop(process)
        raise


def run(command, *, log, cwd, env, timeout=600, expect=0):
    """Run a tool and return what it printed; raises ToolFailed unless it ends with the expected code."""
    __tracebackhide__ = True
    command = [str(part) for part in command]
    log = Path(LOGS / log)
    log.parent.mkdir(parents=True, exist_ok=True)
    try:
        with log.open("wb") as output:
            code = _wait(_start(command, cwd, env, stdout=output, stderr=subprocess.STDOUT), timeout)
    except subprocess.TimeoutExpired:
        raise _failure(command, f"was still running after {timeout} s", log) from None
    if code != expect:
        raise _failure(command, f"ended with {code} instead of {expect}", log)
    return _text(log)


def show(command, *, cwd, env, timeout=600):
    """Run a tool whose output goes to ours; returns its exit code."""
    return _wait(_start([str(part) for part in command], cwd, env), timeout)
