# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""AnsibleModule as a host: options in, result out."""

from __future__ import annotations

import contextlib
import json
import sys
import typing as t

from ansible.module_utils.basic import AnsibleModule, _load_params, missing_required_lib
from ansible.module_utils.common.parameters import remove_values

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.transport import REQUESTS_IMPORT_ERROR
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.controller import ModuleListener
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.host import Task


class ModuleHost:
    """A module process; see host.Host."""

    def __init__(self, module: AnsibleModule) -> None:
        self._module = module
        self.params: dict[str, t.Any] = module.params
        self.check_mode: bool = module.check_mode
        self.diff_mode: bool = module._diff
        self.core_version: str = module.ansible_version
        self.listener = ModuleListener()
        self.shows_lines = False
        self.verbosity: int = module._verbosity

    def protect(self, secrets: t.Iterable[str]) -> None:
        self._module.no_log_values.update(secrets)

    def warn(self, text: str) -> None:
        # ansible-core masks the result, but not what is warned of.
        self._module.warn(remove_values(text, self._module.no_log_values))

    def log(self, text: str) -> None:
        self._module.log(text)

    def show(self, line: str) -> None:
        """A module can't show anything before it ends."""


def run(task: Task) -> None:
    """Run a module: read the task, do it, and exit."""
    misfit = task.misfit(_load_params() or {})  # ansible-test loads modules without a task
    if misfit:
        sys.stdout.write(json.dumps({"failed": True, "msg": f"{misfit}."}) + "\n")
        raise SystemExit(1)
    module = AnsibleModule(argument_spec=task.argument_spec(), supports_check_mode=True)
    if REQUESTS_IMPORT_ERROR:
        module.fail_json(msg=missing_required_lib("requests"), exception=REQUESTS_IMPORT_ERROR)
    result = task.perform(ModuleHost(module))
    with contextlib.suppress(BrokenPipeError):  # nobody reads the result any more
        if result.pop("failed"):
            module.fail_json(**result)
        module.exit_json(**result)
