# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Event source: what happens to instances of Cloudflare Workflows, pulled from a queue of event subscriptions."""

from __future__ import annotations

import importlib
import sys
import typing as t
from pathlib import Path

DOCUMENTATION = r"""
---
short_description: Report what happens to instances of Cloudflare Workflows, pulled from a queue of event subscriptions
description:
  - An event for every instance that comes to one of the O(statuses), some seconds after it did. Event subscriptions of the
    workflows put messages into a queue of Cloudflare, and an HTTP pull consumer lets this source take them;
    P(edgeops.cloudflare.event_queue#role) makes all three. P(edgeops.cloudflare.workflow_poll#event_source) needs nothing of
    the kind.
  - An event is reported at least once to the rule engine, and may be reported again with the same C(meta.uuid). That the engine
    takes it does not mean that an action was carried out to its end, so the message is acknowledged O(ack_delay) later alone.
    What was reported and not acknowledged comes again two minutes after that. Actions have to bear being done twice.
  - A message tells neither error nor step, and can be ahead of what the API tells. So each failure is looked at, and again for
    some seconds where the API has not caught up. One that the API does not confirm is left to come once more, and then
    acknowledged.
  - A queue has one consumer. Several sources on one queue share its messages, and each acknowledges all that it gets; give each
    a queue of its own. What is no message of Workflows is not acknowledged, and goes to the queue's dead letters when it has
    come often enough.
  - Whatever passes, such as the rate limit, an API that is down, or a token that was revoked, is waited out; one line in the
    log says what it is, and until when. Wrong arguments, and credentials that are refused at the start, end the source at its
    start.
  - The event has C(type) (C(instance.) and the status), C(instance) (C(id), C(workflow_name), C(status), C(previous_status),
    C(error) with C(name) and C(message), C(failed_step) with C(name), C(count) and C(type) as the option C(from_step) of the
    module takes it, C(ended_on), C(version_id), C(failures)), C(workflow) (C(name), C(recent_failures)) and C(meta.uuid). What
    is not known is null.
  - C(instance.failures) counts the distinct failures of the instance that the source has seen, this one included; null without
    O(state_path), since nothing would be known of those before the last start. A rule that restarts an instance should fire at
    1 and at nothing else.
  - C(workflow.recent_failures) counts the failures of the workflow that were reported in the last five minutes, this one and
    all others that were found together with it included. Below 10 it is a failure, from 10 on it is a storm.
  - C(error) and C(failed_step) take a call for each failure, within the O(budget). In a storm they are null for those that are
    past it. C(ended_on) is then the time that the message tells, as it is for the other statuses that have an end.
  - What a template engine would obey is taken apart in the error's text, and a step of such a name is not named.
options:
  queue_id:
    description:
      - The id of the queue. Give this or O(queue_name).
    type: str
  queue_name:
    description:
      - The name of the queue, by which its id is looked up at the start.
    type: str
  workflow_name:
    description:
      - The name of the workflow of which events are reported; without it and O(workflow_names), those of all workflows in the
        queue are.
      - Messages about others are acknowledged and not reported.
    type: str
  workflow_names:
    description:
      - The names of several workflows.
      - Text with commas or line breaks between the names, or a JSON list in a text, will do.
    type: list
    elements: str
  statuses:
    description:
      - The statuses of which a new instance is an event. The subscriptions have to name their events, which are called
        C(instance.completed) where the status is V(complete), and C(instance.started) where it is V(running), at the start and
        after a resume.
    type: list
    elements: str
    default: [errored]
    choices: [errored, terminated, complete, paused, queued, running]
  poll_interval:
    description:
      - Seconds between two pulls, 0.2 to 60. Where nothing comes it grows to two and a half times that; a full batch is
        followed by the next at once.
    type: float
    default: 2
  batch_size:
    description:
      - How many messages are pulled at once, 1 to 100.
    type: int
    default: 100
  ack_delay:
    description:
      - Seconds from an event's being taken by the engine to the acknowledgement of its message, 0 to 3600. It should be longer
        than the engine takes to start an action.
      - The queue's C(max_retries) should allow for it that messages come several times.
    type: float
    default: 60
  budget:
    description:
      - How many calls the source may make in 5 minutes to look at failures, 10 to 1200. Pulls and acknowledgements are not
        counted.
    type: int
    default: 60
  state_path:
    description:
      - A file in which the source keeps the failures that it has counted, and which messages are done with.
      - It is written with mode 0600, belongs to one source alone (a file C(.lock) beside it sees to that), and holds no
        secrets. A file of another account, of another O(api_url), or one that is broken is refused.
      - In a decision environment, name a folder that outlives the container.
    type: path
  api_token:
    description:
      - An API token of Cloudflare that may edit Queues in the account, since an acknowledgement writes, and read Workers
        Scripts.
      - If not given, the environment variable E(CLOUDFLARE_API_TOKEN) is used, unless O(api_email) or O(api_key) is given.
      - Don't write it into a rulebook; take it from a variable.
    type: str
  api_email:
    description:
      - The email address of the user to whom O(api_key) belongs.
      - If not given, the environment variable E(CLOUDFLARE_EMAIL) is used, unless O(api_token) is given.
    type: str
  api_key:
    description:
      - The global API key of that user. A token can be limited to what is needed and is the better choice.
      - If not given, the environment variable E(CLOUDFLARE_API_KEY) is used, unless O(api_token) is given.
    type: str
  account_id:
    description:
      - The id of the account that the queue and the workflows belong to. A development session has none, and no queues to pull
        from.
      - If not given, the environment variable E(CLOUDFLARE_ACCOUNT_ID) is used.
    type: str
  api_url:
    description:
      - The base URL of the API.
      - If not given, the environment variable E(CLOUDFLARE_BASE_URL) or else E(CLOUDFLARE_API_BASE_URL) is used, and without
        these the public API, V(https://api.cloudflare.com/client/v4).
    type: str
  api_timeout:
    description:
      - How many seconds to wait for a connection, for an answer, and for the rest of an answer, 0.1 to 300.
    type: float
    default: 30
  api_retries:
    description:
      - How often a call is repeated at once after a failure that may pass, 0 to 20, before it is waited out.
    type: int
    default: 4
  validate_certs:
    description:
      - Whether to verify the server's certificate. Switch it off for tests only.
    type: bool
    default: true
  ca_path:
    description:
      - A file of CA certificates, or a folder of them, to verify the server's certificate with.
    type: path
requirements:
  - requests >= 2.25
notes:
  - Numbers and truth values may be given as text, as variables of a rulebook render them. An empty value counts as not given.
"""

EXAMPLES = r"""
- name: Restart what has failed for the first time, and cry out in a storm
  hosts: localhost
  sources:
    - name: Failures of all workflows that have subscribed
      edgeops.cloudflare.workflow_queue:
        queue_name: workflow-events
        account_id: "{{ cloudflare_account_id }}"
        api_token: "{{ cloudflare_api_token }}"
        state_path: /var/lib/eda/workflow-events.json
  rules:
    - name: A storm
      condition: event.type == "instance.errored" and event.workflow.recent_failures >= 10
      throttle:
        once_within: 30 minutes
        group_by_attributes:
          - event.workflow.name
      action:
        run_job_template:
          name: Report on failures
          organization: Operations
          job_args:
            extra_vars:
              workflow_name: "{{ event.workflow.name }}"
    - name: A first failure
      condition: event.type == "instance.errored" and event.instance.failures == 1
      action:
        run_job_template:
          name: Restart failed instances
          organization: Operations
          job_args:
            extra_vars:
              workflow_name: "{{ event.workflow.name }}"
              instance_ids: "{{ event.instance.id }}"

- name: Say what is paused and terminated
  hosts: localhost
  sources:
    - edgeops.cloudflare.workflow_queue:
        queue_id: 0123456789abcdef0123456789abcdef
        workflow_names: orders, invoices
        statuses: [paused, terminated]
  rules:
    - name: Say so
      condition: event.instance.status is defined
      action:
        debug:
          msg: "{{ event.instance.id }} of {{ event.workflow.name }} is {{ event.instance.status }}"
"""


def _collection(name: str) -> t.Any:
    """A module of this collection. ansible-rulebook runs this file without Ansible's loader, which would find it."""
    for folder in Path(__file__).absolute().parents:
        if folder.name == "ansible_collections":
            if str(folder.parent) not in sys.path:
                sys.path.append(str(folder.parent))
            places = importlib.import_module("ansible_collections").__path__
            if str(folder) not in places:
                places.append(str(folder))  # where that of the package `ansible` comes first
            break
    return importlib.import_module(f"ansible_collections.edgeops.cloudflare.plugins.module_utils.events.{name}")


async def main(queue: t.Any, args: dict[str, t.Any]) -> None:
    """Report events until cancelled.

    Args:
        queue: the rule engine's; has the coroutine `put`.
        args: as DOCUMENTATION says.
    """
    await _collection("listen").run(queue, args)
