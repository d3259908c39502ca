# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An action plugin that does a module's work in ansible-core's worker, or has the module do it.

A module costs a packed archive and a process of its own. Where it would run on this machine with this Python anyway, the same
work is done right here; everywhere else the task is the module's, exactly as without an action plugin. Both give the same result.
"""

from __future__ import annotations

import contextlib
import json
import typing as t

from ansible.errors import AnsibleError
from ansible.plugins.action.normal import ActionModule as RunsTheModule
from ansible.utils.display import Display

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.text import clean
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.host import Result, Task
from ansible_collections.edgeops.cloudflare.plugins.plugin_utils.switch import WrongSwitch

_IMPORT_ERROR: str | None
try:
    from ansible_collections.edgeops.cloudflare.plugins.plugin_utils import core
    from ansible_collections.edgeops.cloudflare.plugins.plugin_utils.obstacles import obstacle
    from ansible_collections.edgeops.cloudflare.plugins.plugin_utils.surroundings import surroundings
    from ansible_collections.edgeops.cloudflare.plugins.plugin_utils.worker import WorkerHost
except Exception as error:  # noqa: BLE001  whatever another ansible-core has moved or removed
    _IMPORT_ERROR = f"{type(error).__name__}: {error}"
else:
    _IMPORT_ERROR = None

display = Display()


class _Obstacle(Exception):
    """The task must be run by the module; says why."""


class InProcessAction(RunsTheModule):  # type: ignore[misc]  # ansible-core has no types
    """The action plugin of a module of this collection.

    task: the room of module_utils/task/ that holds the module's spec, checks and work.
    """

    task: Task

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """As ansible-core calls it; returns the task's result."""
        task_vars = task_vars if task_vars is not None else {}
        with contextlib.ExitStack() as around:
            try:
                host, refusal = self._set_up(task_vars, around)
            except WrongSwitch as error:
                return {"failed": True, "msg": f"{error}."}
            except _Obstacle as reason:
                around.close()
                display.vvv(f"{self._task.action} runs as a module: {reason}", host=task_vars.get("inventory_hostname"))
            else:
                return refusal or host.told(_plain(self.task.perform(host)))
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        return result

    def _set_up(self, task_vars: dict[str, t.Any], around: contextlib.ExitStack) -> tuple[WorkerHost, Result | None]:
        """All that ansible-core has to do before the work: a host for it, with a module's surroundings; and a result if that's all.

        Raises:
            _Obstacle: it must be the module.
            WrongSwitch: what turns this off has a value that it can't have.
        """
        if _IMPORT_ERROR:
            raise _Obstacle(_unexpected(_IMPORT_ERROR))
        try:
            reason = obstacle(self, task_vars, core)
            if reason:
                raise _Obstacle(reason)
            # An attempt before this one (`until`) that ran as a module has left ansible-core's own arguments there.
            given = {name: value for name, value in self._task.args.items() if not str(name).startswith("_ansible_")}
            raw = core.arguments_of_a_module(given)
            host = WorkerHost(self, task_vars)
            host.told({"msg": "", "changed": False})  # a rehearsal: afterwards it would be too late for the module
            misfit = self.task.misfit(raw)
            if misfit:
                # The module ends here before ansible-core has seen its arguments.
                return host, {"failed": True, "msg": f"{misfit}."}
            around.enter_context(surroundings(self))  # paths among the options are relative to them
            invalid = host.take_options(raw, self.task)
            return host, host.told({"failed": True, "msg": invalid}) if invalid else None
        except (_Obstacle, WrongSwitch, AnsibleError):
            # What ansible-core itself refuses (an undefined variable in `environment:`) is the task's, either way.
            raise
        except Exception as error:
            raise _Obstacle(_unexpected(f"{type(error).__name__}: {error}")) from error


def _unexpected(text: str) -> str:
    return f"this ansible-core is not as expected ({clean(text, 300)})"


def _plain(result: Result) -> Result:
    """As a module's result comes back, from JSON; a module that has not failed doesn't say so."""
    plain: Result = json.loads(json.dumps(result))
    if not plain["failed"]:
        del plain["failed"]
    return plain
