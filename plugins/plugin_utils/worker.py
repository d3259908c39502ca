# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ansible-core's worker as a host: options in, result out, as AnsibleModule would; never AnsibleModule itself."""

from __future__ import annotations

import os
import syslog
import typing as t

from ansible import __version__ as core_version
from ansible import constants as C  # noqa: N812  as everybody calls them
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.parameters import remove_values
from ansible.module_utils.errors import UnsupportedError
from ansible.utils.display import Display

from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.host import Result, Task
from ansible_collections.edgeops.cloudflare.plugins.plugin_utils import core

display = Display()


class WorkerListener:
    """Who waits for the result of a task in the worker: the main process, until the task's `timeout:` is over."""

    def __init__(self, has_timeout: bool) -> None:
        self._parent = os.getppid()
        #: ansible-core raises from this signal, wherever the main thread is.
        self.signals: dict[str, str] = {"SIGALRM": "the task's timeout is over"} if has_timeout else {}

    def gone(self) -> str | None:
        """Why nobody waits any more; None while somebody does."""
        return None if os.getppid() == self._parent else "the controller is gone (a cancelled job)"


class WorkerHost:
    """A task in the worker; see host.Host. `take_options` comes first, `told` last."""

    def __init__(self, action: t.Any, task_vars: t.Mapping[str, t.Any]) -> None:
        task = action._task
        self.params: dict[str, t.Any] = {}
        self.check_mode = bool(task.check_mode)
        self.diff_mode = bool(task.diff)
        self.core_version: str = core_version
        self.listener = WorkerListener(bool(task.timeout))
        self._name: str = task.action
        self._is_repeated = bool(task.until or task.retries)
        self.shows_lines = not task.no_log
        self.verbosity: int = display.verbosity
        is_one_of_several = len(task_vars.get("ansible_play_hosts_all") or ()) > 1
        self._prefix = f"[{task_vars.get('inventory_hostname')}] " if is_one_of_several else ""
        self._logs = not (task.no_log or C.config.get_config_value("DEFAULT_NO_TARGET_SYSLOG", variables=task_vars))
        self._tells_invocation = core.tells_invocation(task_vars)
        self._secrets: set[str] = set()
        self._warnings: dict[str, None] = {}

    def take_options(self, raw: dict[str, t.Any], task: Task) -> str | None:
        """Validate the arguments; returns what is wrong with them, in ansible-core's words."""
        validated = ArgumentSpecValidator(task.argument_spec()).validate(raw)
        self.params = validated.validated_parameters
        self.protect(validated._no_log_values)
        if not validated.error_messages:  # `errors` itself is never false
            # A module doesn't see this.
            harm = task.harm_of_retries(self.params) if self._is_repeated else None
            if harm:
                self.warn(harm)
            return None
        text: str = validated.errors.msg
        if isinstance(validated.errors[0], UnsupportedError):
            return f"Unsupported parameters for ({self._name}) module: {text}"
        return text

    def protect(self, secrets: t.Iterable[str]) -> None:
        self._secrets.update(secrets)

    def warn(self, text: str) -> None:
        self._warnings[remove_values(text, self._secrets)] = None

    def log(self, text: str) -> None:
        if self._logs:
            syslog.openlog(f"ansible-{self._name}", 0, syslog.LOG_USER)
            syslog.syslog(syslog.LOG_INFO, remove_values(text, self._secrets))

    def show(self, line: str) -> None:
        if self.shows_lines:
            # Not on stdout, where callbacks write what programs read; ansible-runner makes it an event either way.
            display.display(self._prefix + remove_values(line, self._secrets), stderr=True)

    def told(self, result: Result) -> Result:
        """The result as ansible-core gets it from a module: with its options and warnings, and without secrets."""
        if self._tells_invocation:
            result["invocation"] = {"module_args": self.params}
        if self._warnings:
            result["warnings"] = list(self._warnings)
        # What is no text can't be a secret, and 1 would become a mask where a secret holds it.
        kept = {name: value for name, value in result.items() if value is None or isinstance(value, bool)}
        masked: Result = {**remove_values(result, self._secrets), **kept}
        return core.as_of_a_module(masked)
