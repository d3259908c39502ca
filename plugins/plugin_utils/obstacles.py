# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""May a task run in the worker? Only where the module would run on this machine, as this user, with this Python."""

from __future__ import annotations

import os
import sys
import typing as t

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.text import clean
from ansible_collections.edgeops.cloudflare.plugins.plugin_utils.switch import SWITCH, VARIABLE, turned_off_by

try:
    import requests
    import urllib3
except ImportError:
    _VERSIONS = {}
else:
    _VERSIONS = {"requests": str(requests.__version__), "urllib3": str(getattr(urllib3, "__version__", ""))}

#: What the modules need; see README.md.
_OLDEST = {"requests": (2, 25), "urllib3": (1, 26)}


class Settings(t.Protocol):
    """ansible-core's own settings; core.py has them."""

    def keeps_remote_files(self) -> bool:
        """Whether what a module leaves is kept to be looked at."""

    def interpreter(self, variables: t.Mapping[str, t.Any]) -> t.Any:
        """The Python for modules, as it was set: a path, a template, or a way to find one."""


def obstacle(action: t.Any, task_vars: t.Mapping[str, t.Any], settings: Settings) -> str | None:
    """Why this task must be run by the module; None where it can run here.

    Args:
        action: the action plugin.
        settings: ansible-core's.

    Raises:
        WrongSwitch.
    """
    switch = turned_off_by(os.environ.get(SWITCH), action._templar.template(task_vars.get(VARIABLE)))
    if switch:
        return f"{switch} says so"
    connection = action._connection
    if connection.transport not in ("local", "ansible.builtin.local"):
        return f"its connection is {clean(connection.transport, 40)}, not local"
    if connection.become or action._play_context.become:
        return "it becomes another user"
    if action._task.async_val:
        return "it is asynchronous"
    if sys.platform == "darwin":
        return "macOS allows no network in a forked process"
    if settings.keeps_remote_files():
        return "ANSIBLE_KEEP_REMOTE_FILES wants to see the module"
    interpreter = _interpreter(action, task_vars, settings)
    if not _is_own(interpreter):
        return f"its interpreter is {clean(interpreter, 120)}, and not {sys.executable}"
    return missing_libraries(_VERSIONS)


def missing_libraries(versions: t.Mapping[str, str]) -> str | None:
    """What of the libraries that the work needs is missing or too old; None where nothing is.

    Args:
        versions: by the library's name; empty where one can't be imported.
    """
    if not versions:
        return "ansible's own Python has no requests"
    for name, oldest in _OLDEST.items():
        if _numbers(versions[name]) < oldest:
            return f"{name} {versions[name]} of ansible's own Python is older than {'.'.join(map(str, oldest))}"
    return None


def _interpreter(action: t.Any, task_vars: t.Mapping[str, t.Any], settings: Settings) -> str:
    """The Python that the module would get; one that would have to be found out is as good as ansible's own, unless it was."""
    delegated_to = action._task.delegate_to
    variables = task_vars["ansible_delegated_vars"][delegated_to] if delegated_to else task_vars
    configured = action._templar.template(settings.interpreter(variables))
    if not str(configured or "auto").startswith("auto"):
        return str(configured)
    discovered = (variables.get("ansible_facts") or {}).get("discovered_interpreter_python")
    return str(discovered or sys.executable)


def _is_own(interpreter: str) -> bool:
    if interpreter == sys.executable:
        return True
    # python and python3 of one environment; a link into another environment is another Python.
    same_folder = os.path.dirname(interpreter) == os.path.dirname(sys.executable)
    return same_folder and os.path.realpath(interpreter) == os.path.realpath(sys.executable)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2])
