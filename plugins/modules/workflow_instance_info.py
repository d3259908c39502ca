#!/usr/bin/python
# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: workflow_instance_info
short_description: Tell about instances of a Cloudflare Workflow
version_added: 0.2.0
description:
  - Reads one instance, several, or all that match a selection, at the lowest possible number of API calls. It changes nothing.
  - Tells the step that failed as O(edgeops.cloudflare.workflow_instance_status#module:from_step) takes it.
author:
  - edgeops.cloudflare contributors (@edgeops)
extends_documentation_fragment:
  - edgeops.cloudflare.auth
  - edgeops.cloudflare.target
  - edgeops.cloudflare.pacing
  - edgeops.cloudflare.progress
  - edgeops.cloudflare.attributes
  - edgeops.cloudflare.attributes.actiongroup_workflows
  - edgeops.cloudflare.attributes.info
options:
  workflow_name:
    description:
      - The name of the workflow, 1 to 64 characters.
    type: str
    required: true
    version_added: 0.2.0
  details:
    description:
      - Whether to look at each instance alone, by a call each, for what a listing doesn't tell, its error, its output and its rollback.
      - With O(instance_id), the one look tells all of it anyway.
    type: bool
    default: false
    version_added: 0.2.0
  steps:
    description:
      - Whether to read the logs of the instances, the newest O(max_logs) of them, by a call each. A log can have megabytes.
    type: bool
    default: false
    version_added: 0.2.0
  max_logs:
    description:
      - How many logs to read at most, 1 to 1000. Where there are more instances than that, a warning says so.
    type: int
    default: 20
    version_added: 0.2.0
  max_pages:
    description:
      - How many pages of 100 instances of a selection to list at most, 1 to 1000, the newest ones. What matches on the others is not told, and
        RV(summary.truncated) says that there are others.
      - With several statuses, and with filters that the API does not know of (such as O(select.id_glob)), it is the newest instances of any kind that
        are looked through.
      - If it is not given, as many are listed as it takes.
    type: int
    version_added: 0.2.0
  fields:
    description:
      - What to tell of each instance, besides its C(id). If it is not given, all of it.
      - With V([status, created_on, ended_on]), five thousand instances are a result that AWX can still show.
    type: list
    elements: str
    choices:
      - status
      - created_on
      - started_on
      - ended_on
      - trigger_source
      - version_id
      - error
      - rollback
      - output
      - output_truncated
      - step_count
      - log
      - failed_step
      - failed_step_error
    version_added: 0.2.0
seealso:
  - module: edgeops.cloudflare.workflow_instance_status
  - module: edgeops.cloudflare.workflow_info
"""

EXAMPLES = r"""
- name: See why an order has failed, and in which step
  edgeops.cloudflare.workflow_instance_info:
    workflow_name: orders
    instance_id: order-1002
    steps: true
  register: order

- name: Restart it from that step
  edgeops.cloudflare.workflow_instance_status:
    workflow_name: orders
    instance_id: order-1002
    state: restarted
    from_step: "{{ order.instance.failed_step }}"
    when_status: [errored]

- name: List what failed since midnight, with its errors
  edgeops.cloudflare.workflow_instance_info:
    workflow_name: orders
    select:
      status: [errored]
      ended_after: "2026-08-06T00:00:00Z"
    details: true
  register: failed

- name: List the newest 5,000 instances of today, in 50 calls at most
  edgeops.cloudflare.workflow_instance_info:
    workflow_name: orders
    select:
      created_after: "2026-08-06T00:00:00Z"
    max_pages: 50
    max_instances: 5000
    fields: [status, created_on, ended_on]

- name: Show how many failed with which error
  ansible.builtin.debug:
    msg: "{{ item }}: {{ errors | select('equalto', item) | length }}"
  loop: "{{ errors | unique }}"
  vars:
    errors: "{{ failed.instances | map(attribute='error.message', default='(no error)') }}"
"""

RETURN = r"""
msg:
  description: What there is, in one sentence.
  returned: always
  type: str
  sample: "243 instances of orders: 240 paused, 3 complete."
instances:
  description:
    - What is known of each instance, in the order of O(instance_ids), or newest first. What was not read, or the server doesn't tell, is None.
    - With O(fields), only those of them.
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
      description: Its status.
      type: str
      returned: always
      sample: errored
    created_on:
      description: When it was created, in the API's own words. If it was looked at alone, when it was queued last.
      type: str
      returned: always
      sample: "2026-08-06T03:12:07.000Z"
    started_on:
      description: When it started. A restart from the beginning starts it anew.
      type: str
      returned: always
      sample: "2026-08-06T03:12:07.100Z"
    ended_on:
      description: When it ended.
      type: str
      returned: always
      sample: "2026-08-06T03:12:09.000Z"
    trigger_source:
      description: What triggered it.
      type: str
      returned: always
      sample: api
    version_id:
      description: The version of the workflow that it runs.
      type: str
      returned: always
      sample: 5c1f2d11-6f7b-4d7e-9a5a-0a3f0f0b6e1c
    error:
      description: What it failed with, up to 4096 characters of each text. Only if it was looked at alone.
      type: dict
      returned: always
      sample: {name: PaymentError, message: card declined}
    rollback:
      description: How its rollback ended, as the API reports it. Only if it was looked at alone.
      type: dict
      returned: always
      sample: null
    output:
      description: What it returned. A text that is JSON is read. Only if it was looked at alone.
      type: raw
      returned: always
      sample: null
    output_truncated:
      description: Whether the output looks as if the API had cut it.
      type: bool
      returned: always
      sample: false
    step_count:
      description: How many entries its log has. Only if it was looked at alone.
      type: int
      returned: always
      sample: 3
    log:
      description:
        - The newest 200 entries of its log, each with C(name), C(count) and C(type) as a restart takes them, C(start), C(end), C(success), how
          many C(attempts), C(error) and C(output).
      type: list
      elements: dict
      returned: always
      sample: null
    failed_step:
      description: The step that made it fail, where its log was read and tells it.
      type: dict
      returned: always
      sample: {name: charge, count: 1, type: do}
    failed_step_error:
      description: What that step failed with.
      type: dict
      returned: always
      sample: {name: PaymentError, message: card declined}
instance:
  description: The same item, for the one instance. None if there is no such instance.
  returned: once the options are valid, when O(instance_id) is given
  type: dict
  sample: {id: order-1001, status: paused}
missing:
  description: Those of the ids asked for that the workflow has no instance of. They are no failure.
  returned: once the options are valid
  type: list
  elements: str
  sample: []
summary:
  description: How many instances there are.
  returned: once the options are valid
  type: dict
  contains:
    matched:
      description: How many instances the task is about. Where a selection is refused as too large, how many match.
      type: int
      returned: always
      sample: 243
    read:
      description: How many of them RV(instances) tells of.
      type: int
      returned: always
      sample: 243
    missing:
      description: How many there are none of.
      type: int
      returned: always
      sample: 0
    by_status:
      description: How many instances are in each status.
      type: dict
      returned: always
      sample: {paused: 240, complete: 3}
    logs:
      description: How many logs were read.
      type: int
      returned: always
      sample: 0
    listed:
      description: With O(max_pages), how many instances were listed. Those of them that match are RV(summary.matched).
      type: int
      returned: always
      sample: null
    total:
      description:
        - With O(max_pages), how many instances the API announces for the whole listing. Filters that it does not know of are not counted in it.
        - None where it does not tell.
      type: int
      returned: always
      sample: null
    truncated:
      description: Whether O(max_pages) left instances unlisted.
      type: bool
      returned: always
      sample: false
    duration:
      description: How long the task took, in seconds.
      type: float
      returned: always
      sample: 0.4
ended_early:
  description: What ended the task before every instance was found and read. None where nothing did.
  returned: once the options are valid
  type: str
  sample: null
api_calls:
  description: What the task cost.
  returned: once the options are valid
  type: dict
  sample: {total: 3, reads: 0, lists: 3, retries: 0, rate_limited_seconds: 0.0}
messages:
  description: The API's own messages, each once.
  returned: once the options are valid
  type: list
  elements: dict
  sample: []
"""

from ansible_collections.edgeops.cloudflare.plugins.module_utils.task import workflow_instance_info
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.module import run


def main() -> None:
    run(workflow_instance_info)


if __name__ == "__main__":
    main()
