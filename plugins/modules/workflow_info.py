#!/usr/bin/python
# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: workflow_info
short_description: Tell about the Cloudflare Workflows of an account
version_added: 0.2.0
description:
  - Reads all workflows of an account, or one of them, with how many instances are in which status.
  - One call tells all of it, for up to a hundred workflows. It changes nothing.
author:
  - edgeops.cloudflare contributors (@edgeops)
extends_documentation_fragment:
  - edgeops.cloudflare.auth
  - edgeops.cloudflare.pacing
  - edgeops.cloudflare.attributes
  - edgeops.cloudflare.attributes.actiongroup_workflows
  - edgeops.cloudflare.attributes.info
options:
  workflow_name:
    description:
      - The name of the one workflow to tell about, 1 to 64 characters. Without it, all are told of.
    type: str
    version_added: 0.2.0
  search:
    description:
      - A part of the names of the workflows to tell about. Not together with O(workflow_name).
    type: str
    version_added: 0.2.0
  versions:
    description:
      - Whether to read the versions of the workflow, newest first, by one more call for each hundred. Only with O(workflow_name).
    type: bool
    default: false
    version_added: 0.2.0
  settings:
    description:
      - Whether to read the account's settings of workflows, such as how long finished instances are kept, by one more call.
    type: bool
    default: false
    version_added: 0.2.0
seealso:
  - module: edgeops.cloudflare.workflow_instance_info
"""

EXAMPLES = r"""
- name: See how all workflows are
  edgeops.cloudflare.workflow_info:
  register: workflows

- name: Fail while any order is errored
  edgeops.cloudflare.workflow_info:
    workflow_name: orders
  register: orders
  failed_when: orders.failed | default(false) or orders.workflow.counts.errored | default(0) > 0

- name: See which version is deployed, and for how long finished instances are kept
  edgeops.cloudflare.workflow_info:
    workflow_name: orders
    versions: true
    settings: true
"""

RETURN = r"""
msg:
  description: What there is, in one sentence.
  returned: always
  type: str
  sample: orders has 240 running, 3 errored.
workflows:
  description: The workflows, in the API's order.
  returned: once the options are valid
  type: list
  elements: dict
  contains:
    name:
      description: The name.
      type: str
      returned: always
      sample: orders
    id:
      description: The API's own id of the workflow. None where the server tells none.
      type: str
      returned: always
      sample: 0f0b6e1c-6f7b-4d7e-9a5a-0a3f5c1f2d11
    class_name:
      description: The class that the workflow is made of.
      type: str
      returned: always
      sample: Orders
    script_name:
      description: The Worker that it is deployed with.
      type: str
      returned: always
      sample: shop
    created_on:
      description: When it was created, in the API's own words.
      type: str
      returned: always
      sample: "2026-01-05T09:00:00.000000Z"
    modified_on:
      description: When it was changed last.
      type: str
      returned: always
      sample: "2026-06-01T09:00:00.000000Z"
    triggered_on:
      description: When it was triggered last. None if never.
      type: str
      returned: always
      sample: "2026-08-06T03:12:07.000Z"
    version_id:
      description: Its version, where the server tells it here.
      type: str
      returned: always
      sample: null
    script_deleted:
      description: Whether its Worker is gone, so that it runs no more. None where the server doesn't tell.
      type: bool
      returned: always
      sample: false
    counts:
      description: How many instances are in which status. A status that no instance is in may be missing. None where the server tells no counts.
      type: dict
      returned: always
      sample: {running: 240, errored: 3}
    schedules:
      description: Its cron expressions, each with when it is due next.
      type: list
      elements: dict
      returned: always
      sample: [{cron: "*/5 * * * *", next_instance: "2026-08-06T03:15:00Z"}]
    limits:
      description: Its limits, where the server tells them.
      type: dict
      returned: always
      sample: null
    versions:
      description: Its versions as the API has them, newest first. None unless asked for, and on a server that has none.
      type: list
      elements: dict
      returned: always
      sample: null
workflow:
  description: The same item, for the one workflow.
  returned: success, with O(workflow_name)
  type: dict
  sample: {name: orders, counts: {running: 240, errored: 3}}
settings:
  description: The account's settings of workflows. None unless asked for, and on a server that has none.
  returned: once the options are valid
  type: dict
  sample: {default_retention: {success_retention: 604800000, error_retention: 604800000}}
account_id:
  description: The account that was asked about. None in a development session without one.
  returned: once the options are valid
  type: str
  sample: 023e105f4ecef8ad9ca31a8372d0c353
api_url:
  description: The API that was asked.
  returned: once the options are valid
  type: str
  sample: https://api.cloudflare.com/client/v4
api_calls:
  description: What the task cost.
  returned: once the options are valid
  type: dict
  sample: {total: 1, reads: 1, lists: 0, retries: 0, rate_limited_seconds: 0.0}
messages:
  description: The API's own messages, each once.
  returned: once the options are valid
  type: list
  elements: dict
  sample: []
"""

from ansible_collections.edgeops.cloudflare.plugins.module_utils.task import workflow_info
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.module import run


def main() -> None:
    run(workflow_info)


if __name__ == "__main__":
    main()
