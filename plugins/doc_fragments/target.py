# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """Which instances (`module_utils/task/target.py`)."""

    DOCUMENTATION = r"""
options:
  instance_id:
    description:
      - The id of the one instance that the task is about. Ids made by cron triggers work as they are.
      - Exactly one of O(instance_id), O(instance_ids) and O(select) must be given.
    type: str
    version_added: 0.1.0
  instance_ids:
    description:
      - The ids of several instances. One that is named twice counts once, and the result keeps the order given.
      - An empty list is nothing to do.
    type: list
    elements: str
    version_added: 0.1.0
  select:
    description:
      - All instances that match every filter given here. At least one filter is needed.
      - An instance that holds a wanted status all the time while the selection is listed is matched exactly once. Others may be
        missed while they move. Instances created after the task began to list are left alone.
    type: dict
    version_added: 0.1.0
    suboptions:
      status:
        description:
          - The statuses to match.
        type: list
        elements: str
        choices: [queued, running, waiting, waitingForPause, paused, rollingBack, errored, complete, terminated]
        version_added: 0.1.0
      created_after:
        description:
          - Matches instances created at this time or later, in ISO 8601 with its offset, such as V(2026-08-06T03:00:00Z).
        type: str
        version_added: 0.1.0
      created_before:
        description:
          - Matches instances created at this time or earlier, in ISO 8601 with its offset.
        type: str
        version_added: 0.1.0
      ended_after:
        description:
          - Matches instances that ended at this time or later, in ISO 8601 with its offset.
        type: str
        version_added: 0.1.0
      ended_before:
        description:
          - Matches instances that ended at this time or earlier, in ISO 8601 with its offset.
        type: str
        version_added: 0.1.0
      id_glob:
        description:
          - Matches ids by a shell pattern with V(*), V(?) and V([…]), case-sensitive.
        type: str
        version_added: 0.1.0
      version_id:
        description:
          - Matches instances of this version of the workflow.
        type: str
        version_added: 0.1.0
      trigger_source:
        description:
          - Matches instances that were triggered by this kind of source.
        type: str
        choices: [unknown, api, binding, event, cron]
        version_added: 0.1.0
      error_glob:
        description:
          - Matches instances whose error has this name, or this message, by a shell pattern, case-sensitive. Both together are
            matched as V(PaymentError), a colon, a blank and the message.
          - A listing tells no error, so that each instance that the other filters match is looked at alone.
            Name O(select.status) as well.
        type: str
        version_added: 0.2.0
  max_instances:
    description:
      - Refuses a selection that matches more instances than this, 1 to 1000000, before anything is changed.
    type: int
    default: 1000
    version_added: 0.1.0
"""
