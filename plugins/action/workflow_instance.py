# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs `workflow_instance` in ansible-core's worker where it can; see plugin_utils/in_process.py."""

from __future__ import annotations

from ansible_collections.edgeops.cloudflare.plugins.module_utils.task import workflow_instance
from ansible_collections.edgeops.cloudflare.plugins.plugin_utils.in_process import InProcessAction


class ActionModule(InProcessAction):
    """What ansible-core's loader looks for."""

    task = workflow_instance


def main() -> None:
    """Linters check a task's arguments by calling this, and look for it here where there is an action plugin."""
    from ansible_collections.edgeops.cloudflare.plugins.modules import workflow_instance as module  # noqa: PLC0415  not for a task

    module.main()
