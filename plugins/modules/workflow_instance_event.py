#!/usr/bin/python
# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: workflow_instance_event
short_description: Send an event to instances of a Cloudflare Workflow
version_added: 0.2.0
description:
  - Sends an event to one instance, to several, or to all that match a selection, to each at most once. The instances are looked at first.
  - An instance need not wait for it yet. The API keeps it until the instance does.
author:
  - edgeops.cloudflare contributors (@edgeops)
extends_documentation_fragment:
  - edgeops.cloudflare.auth
  - edgeops.cloudflare.target
  - edgeops.cloudflare.pacing
  - edgeops.cloudflare.progress
  - edgeops.cloudflare.attributes
  - edgeops.cloudflare.attributes.actiongroup_workflows
attributes:
  idempotent:
    support: none
    description:
      - When run twice in a row outside check mode, with the same arguments, the second invocation indicates no change.
    details:
      - Each run sends the event once more. Nothing tells whether an instance has had it.
options:
  workflow_name:
    description:
      - The name of the workflow, 1 to 64 characters.
    type: str
    required: true
    version_added: 0.2.0
  event_type:
    description:
      - The type of the event, as the workflow waits for it, 1 to 100 letters, digits, underscores or hyphens.
    type: str
    required: true
    version_added: 0.2.0
  payload:
    description:
      - What the workflow gets with it, up to 1 MiB as JSON. Without it, an empty object.
    type: dict
    version_added: 0.2.0
  skip_finished:
    description:
      - Leaves instances that have finished as they are, instead of failing.
    type: bool
    default: false
    version_added: 0.2.0
seealso:
  - module: edgeops.cloudflare.workflow_instance_status
  - module: edgeops.cloudflare.workflow_instance
"""

EXAMPLES = r"""
- name: Approve an order
  edgeops.cloudflare.workflow_instance_event:
    workflow_name: orders
    instance_id: order-3001
    event_type: approval
    payload:
      approved: true

- name: Approve everything that waits
  edgeops.cloudflare.workflow_instance_event:
    workflow_name: orders
    select:
      status: [running, waiting]
      id_glob: "order-3*"
    event_type: approval
    skip_finished: true
"""

RETURN = r"""
msg:
  description: What was done, what failed and why, in one sentence.
  returned: always
  type: str
  sample: "order-3001 is waiting: the event approval was accepted."
instances:
  description: What happened to each instance, in the order of O(instance_ids), or newest first.
  returned: once the options are valid
  type: list
  elements: dict
  contains:
    id:
      description: The id of the instance.
      type: str
      returned: always
      sample: order-1001
    status:
      description: The status last seen, before the event. None if there is no such instance, or it was not looked at.
      type: str
      returned: always
      sample: waiting
    action:
      description: What was sent to the API, V(event), or, in check mode, would be. None if nothing.
      type: str
      returned: always
      sample: event
    changed:
      description: Whether it was done, or may have been by a call whose answer was lost. In check mode, whether it would be.
      type: bool
      returned: always
      sample: true
    failed:
      description: Whether it is not done, as far as the task can tell.
      type: bool
      returned: always
      sample: false
    outcome:
      description: V(unchanged), V(changed), V(failed), V(unknown) (it was sent, and nothing tells whether it was done) or V(not_attempted).
      type: str
      returned: always
      sample: changed
    msg:
      description: What is true now, what was sent, why, and what would help.
      type: str
      returned: always
      sample: "order-3001 is waiting: the event approval was accepted."
instance:
  description: The same item, for the one instance.
  returned: once the options are valid, when O(instance_id) is given
  type: dict
  sample: {id: order-1001, status: waiting, outcome: changed}
ids:
  description: The ids of the instances by what happened to them, V(changed), V(unchanged), V(failed), V(unknown) and V(not_attempted).
  returned: once the options are valid
  type: dict
  sample: {changed: [order-1001], unchanged: [], failed: [], unknown: [], not_attempted: []}
summary:
  description: How many instances there are of each outcome, and how many the task is about (C(matched)).
  returned: once the options are valid
  type: dict
  sample: {matched: 1, changed: 1, unchanged: 0, failed: 0, unknown: 0, not_attempted: 0, by_status: {waiting: 1}, duration: 0.2}
api_calls:
  description: What the task cost.
  returned: once the options are valid
  type: dict
  sample: {total: 2, reads: 1, lists: 0, events: 1, retries: 0, rate_limited_seconds: 0.0}
messages:
  description: The API's own messages, each once.
  returned: once the options are valid
  type: list
  elements: dict
  sample: []
"""

from ansible_collections.edgeops.cloudflare.plugins.module_utils.task import workflow_instance_event
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.module import run


def main() -> None:
    run(workflow_instance_event)


if __name__ == "__main__":
    main()
