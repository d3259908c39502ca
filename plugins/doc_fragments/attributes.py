# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """What every module of the collection can do, in ansible-core's terms."""

    DOCUMENTATION = r"""
options: {}
attributes:
  action:
    support: full
    description: Has an action plugin of the same name, so that a part of the task, or all of it, runs on the controller.
    details:
      - On C(localhost), with the Python that runs Ansible itself, the whole task runs in Ansible's worker process. That saves most of
        what a task costs, and can show progress. Everywhere else the module runs, with the same result.
      - C(EDGEOPS_CLOUDFLARE_RUN_AS=module) in the controller's environment, or the variable C(edgeops_cloudflare_run_as), turns it off.
  check_mode:
    support: full
    description: Can run in C(check_mode) and return changed status prediction without modifying the target.
  diff_mode:
    support: full
    description: Will return details on what has changed (or possibly needs changing in C(check_mode)), when in diff mode.
  platform:
    platforms: all
    support: full
    description: Target OS/families that can be operated against. The module talks to Cloudflare's API only.
"""

    ACTIONGROUP_WORKFLOWS = r"""
options: {}
attributes:
  action_group:
    support: full
    membership:
      - edgeops.cloudflare.workflows
    description: Use C(group/edgeops.cloudflare.workflows) in C(module_defaults) to set defaults for this module.
"""

    INFO = r"""
options: {}
attributes:
  check_mode:
    support: full
    description: Can run in C(check_mode) and return changed status prediction without modifying the target. It never changes anything.
  diff_mode:
    support: N/A
    description: Will return details on what has changed (or possibly needs changing in C(check_mode)), when in diff mode. Nothing ever changes.
  idempotent:
    support: full
    description: When run twice in a row outside check mode, with the same arguments, the second invocation indicates no change.
"""
