#!/usr/bin/python
# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: workflow_instance
short_description: Trigger instances of a Cloudflare Workflow, each once, or delete them
version_added: 0.2.0
description:
  - Triggers instances. One that has an id is triggered once, however often the task is run, and whatever becomes of the answers.
  - Deletes instances, a hundred by one call.
author:
  - edgeops.cloudflare contributors (@edgeops)
extends_documentation_fragment:
  - edgeops.cloudflare.auth
  - edgeops.cloudflare.target
  - edgeops.cloudflare.pacing
  - edgeops.cloudflare.progress
  - edgeops.cloudflare.wait
  - edgeops.cloudflare.attributes
  - edgeops.cloudflare.attributes.actiongroup_workflows
attributes:
  idempotent:
    support: partial
    description:
      - When run twice in a row outside check mode, with the same arguments, the second invocation indicates no change.
    details:
      - Without O(instance_id) and O(instances), one instance more is triggered each time.
options:
  workflow_name:
    description:
      - The name of the workflow, 1 to 64 characters.
    type: str
    required: true
    version_added: 0.2.0
  state:
    description:
      - V(present) triggers what is not there yet. An instance that is there is left as it is, whatever its status.
      - V(absent) deletes what is there.
    type: str
    default: present
    choices: [present, absent]
    version_added: 0.2.0
  instance_id:
    description:
      - The id of the one instance. With O(state=present), 1 to 100 letters, digits, underscores or hyphens.
      - Without O(instance_id) and O(instances), O(state=present) triggers one instance more, under an id that the API makes up. If the answer
        is lost, nobody knows whether it was triggered, and it is not sent again.
      - With O(state=absent), exactly one of O(instance_id), O(instance_ids) and O(select) must be given.
    type: str
    version_added: 0.2.0
  instance_ids:
    description:
      - The ids of several instances to delete. Only with O(state=absent).
    type: list
    elements: str
    version_added: 0.2.0
  instances:
    description:
      - Several instances to trigger, a hundred by one call where the server can. Only with O(state=present).
    type: list
    elements: dict
    version_added: 0.2.0
    suboptions:
      instance_id:
        description:
          - The id of the instance.
        type: str
        required: true
        version_added: 0.2.0
      params:
        description:
          - What the workflow gets, up to 1 MiB as JSON.
        type: dict
        version_added: 0.2.0
      retention:
        description:
          - For how long the instance is kept once it has finished.
        type: dict
        version_added: 0.2.0
        suboptions:
          success_retention:
            description:
              - Where it was complete, in milliseconds, or as a number and a unit such as V(3 days).
            type: raw
            version_added: 0.2.0
          error_retention:
            description:
              - Where it had errored.
            type: raw
            version_added: 0.2.0
  params:
    description:
      - What the workflow gets, up to 1 MiB as JSON. An instance that is there already keeps its own; a warning names the keys that differ.
      - Only with O(state=present), and not together with O(instances).
    type: dict
    version_added: 0.2.0
  retention:
    description:
      - For how long the instance is kept once it has finished. A development session does not know it.
      - Only with O(state=present), and not together with O(instances).
    type: dict
    version_added: 0.2.0
    suboptions:
      success_retention:
        description:
          - Where it was complete, in milliseconds, or as a number and a unit such as V(3 days).
        type: raw
        version_added: 0.2.0
      error_retention:
        description:
          - Where it had errored.
        type: raw
        version_added: 0.2.0
  location_hint:
    description:
      - Where in the world the instance should run. Only with O(state=present).
    type: str
    choices: [wnam, weur, enam, eeur, apac, apac-ne, apac-se, oc, sam, afr, me]
    version_added: 0.2.0
  force:
    description:
      - Deletes instances that have not finished, too. They end where they are, and no rollback handler of theirs runs.
      - Without it, such an instance fails. Only with O(state=absent).
    type: bool
    default: false
    version_added: 0.2.0
  wait:
    description:
      - Whether to wait until the instances have ended, and to return what they returned. One that errored fails, with its error and the step.
      - Only with O(state=present).
    type: bool
    default: false
    version_added: 0.2.0
  wait_for:
    description:
      - Waits until an instance is in one of these statuses instead, or has ended. Only with O(wait=true).
    type: list
    elements: str
    choices: [queued, running, waiting, waitingForPause, paused, rollingBack, errored, complete, terminated]
    version_added: 0.2.0
  wait_timeout:
    description:
      - How many seconds to wait, 0 to 604800. Time in which the API's rate limit holds the task back is not counted. An instance that is not
        there by then fails.
    type: float
    default: 300
    version_added: 0.2.0
seealso:
  - module: edgeops.cloudflare.workflow_instance_status
  - module: edgeops.cloudflare.workflow_instance_info
"""

EXAMPLES = r"""
- name: Trigger an order, once
  edgeops.cloudflare.workflow_instance:
    workflow_name: orders
    instance_id: order-2001
    params:
      order: 2001

- name: Trigger one, and wait for what it returns
  edgeops.cloudflare.workflow_instance:
    workflow_name: orders
    instance_id: order-2002
    params:
      order: 2002
    wait: true
  register: order

- name: Trigger several that were lost
  edgeops.cloudflare.workflow_instance:
    workflow_name: orders
    instances:
      - instance_id: order-2003
        params: {order: 2003}
      - instance_id: order-2004
        params: {order: 2004}
        retention: {success_retention: 3 days}

- name: Delete what is complete
  edgeops.cloudflare.workflow_instance:
    workflow_name: orders
    select:
      status: [complete]
      id_glob: "order-2*"
    state: absent
"""

RETURN = r"""
msg:
  description: What was done, what failed and why, in one sentence.
  returned: always
  type: str
  sample: "order-2001 is queued: it was triggered."
instances:
  description: What happened to each instance, in the order given, or newest first.
  returned: once the options are valid
  type: list
  elements: dict
  contains:
    id:
      description: The id of the instance. None where it was triggered without one, and the answer was lost.
      type: str
      returned: always
      sample: order-1001
    status:
      description: The status last seen. None if there is no such instance, or it was not looked at.
      type: str
      returned: always
      sample: queued
    action:
      description: What was sent to the API, V(create) or V(delete), or, in check mode, would be. None if nothing.
      type: str
      returned: always
      sample: create
    changed:
      description: Whether it was done, or may have been by a call whose answer was lost. In check mode, whether it would be.
      type: bool
      returned: always
      sample: true
    failed:
      description: Whether it is not done, as far as the task can tell, or, with O(wait=true), whether the instance has errored or is not there in time.
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
      sample: "order-2001 is queued: it was triggered."
    error:
      description: What the instance failed with, where O(wait=true) has seen it.
      type: dict
      returned: with O(state=present)
      sample: null
    output:
      description: What the instance returned, where O(wait=true) has seen its end. A text that is JSON is read.
      type: raw
      returned: with O(state=present)
      sample: null
    output_truncated:
      description: Whether the output looks as if the API had cut it.
      type: bool
      returned: with O(state=present)
      sample: false
    failed_step:
      description: The step that made the instance fail, where O(wait=true) has seen it.
      type: dict
      returned: with O(state=present)
      sample: null
instance:
  description: The same item, for the one instance.
  returned: once the options are valid, when one is asked for
  type: dict
  sample: {id: order-1001, status: queued, outcome: changed}
ids:
  description: The ids of the instances by what happened to them, V(changed), V(unchanged), V(failed), V(unknown) and V(not_attempted).
  returned: once the options are valid
  type: dict
  sample: {changed: [order-1001], unchanged: [], failed: [], unknown: [], not_attempted: []}
summary:
  description: How many instances there are of each outcome, and how many the task is about (C(matched)).
  returned: once the options are valid
  type: dict
  sample: {matched: 1, changed: 1, unchanged: 0, failed: 0, unknown: 0, not_attempted: 0, by_status: {queued: 1}, duration: 0.2}
api_calls:
  description: What the task cost.
  returned: once the options are valid
  type: dict
  sample: {total: 1, reads: 0, lists: 0, creates: 1, retries: 0, rate_limited_seconds: 0.0}
messages:
  description: The API's own messages, each once.
  returned: once the options are valid
  type: list
  elements: dict
  sample: []
"""

from ansible_collections.edgeops.cloudflare.plugins.module_utils.task import workflow_instance
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.module import run


def main() -> None:
    run(workflow_instance)


if __name__ == "__main__":
    main()
