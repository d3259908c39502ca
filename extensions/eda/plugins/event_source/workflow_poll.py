# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Event source: instances of Cloudflare Workflows that have failed, found by listing them."""

from __future__ import annotations

import importlib
import sys
import typing as t
from pathlib import Path

DOCUMENTATION = r"""
---
short_description: Report instances of Cloudflare Workflows that have failed, found by listing them
description:
  - An event for every instance that comes to one of the O(statuses). It needs no set-up in the account, and one permission
    alone, to read Workers Scripts. Where a queue is fed by event subscriptions,
    P(edgeops.cloudflare.workflow_queue#event_source) tells sooner.
  - The API filters a listing by the time of creation alone, and an instance may fail long after that. So what was created
    within O(lookback) is listed every O(interval), and all there is every O(sweep_interval), or as soon as the workflow's own
    count of that status moves in a way that isn't explained. Where one page (100) holds all there is, it is listed every
    O(interval).
  - An event is reported at least once to the rule engine, and may be reported again with the same C(meta.uuid). That the engine
    takes it does not mean that an action was carried out to its end, so actions have to bear being done twice.
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
  - C(error) and C(failed_step) take a call for each failure, which a quarter of the O(budget) is for. In a storm they are null
    for those that are past it.
  - What a template engine would obey is taken apart in the error's text, and a step of such a name is not named.
options:
  workflow_name:
    description:
      - The name of the workflow. Give this or O(workflow_names).
    type: str
  workflow_names:
    description:
      - The names of several workflows.
      - Text with commas or line breaks between the names, or a JSON list in a text, will do.
    type: list
    elements: str
  statuses:
    description:
      - The statuses of which a new instance is an event.
      - One that is paused again within O(sweep_interval) may not be told a second time.
    type: list
    elements: str
    default: [errored]
    choices: [errored, terminated, complete, paused]
  interval:
    description:
      - Seconds between two looks at what was created of late, 1 to 3600.
    type: float
    default: 30
  sweep_interval:
    description:
      - Seconds between two listings of all there is, 1 to 86400, and no fewer than O(interval).
    type: float
    default: 600
  lookback:
    description:
      - How many seconds ago an instance that is looked at every O(interval) was created at most, 1 to 7776000.
    type: float
    default: 86400
  budget:
    description:
      - How many calls the source may make in 5 minutes, 10 to 1200. The API allows 1,200 for all that use the same token.
      - Half of it is for what was created of late, and a quarter for looks at single failures. Where that is not enough,
        O(interval) and O(sweep_interval) are stretched, and the log says so.
      - It does not hold for a development session, which has no limit.
    type: int
    default: 60
  initial:
    description:
      - What to do with the instances that are in one of the O(statuses) already when it is asked for for the first time.
      - V(ignore) remembers them in silence, but for those that came to it within O(catch_up). V(report) reports them all.
    type: str
    default: ignore
    choices: [ignore, report]
  catch_up:
    description:
      - How many seconds before its first start the source reports as well with O(initial=ignore), 0 to 2592000. Without
        O(state_path) every start is a first one.
    type: float
    default: 3600
  replay:
    description:
      - At its start the source reports again what it had reported in the last so many seconds of its life and what still holds,
        0 to 86400. The engine may have been stopped in the middle of its work.
      - Only with O(state_path).
    type: float
    default: 900
  state_path:
    description:
      - A file in which the source keeps what it has reported, so that after a restart nothing is left out and nothing is
        reported twice.
      - It is written with mode 0600, belongs to one source alone (a file C(.lock) beside it sees to that), and holds no
        secrets. A file of another account, of another O(api_url), or one that is broken is refused.
      - In a decision environment, name a folder that outlives the container.
    type: path
  api_token:
    description:
      - An API token of Cloudflare that may read Workers Scripts in the account.
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
      - The id of the account that the workflows belong to.
      - If not given, the environment variable E(CLOUDFLARE_ACCOUNT_ID) is used.
      - Required, except for a development session on this machine (see O(api_url)).
    type: str
  api_url:
    description:
      - The base URL of the API.
      - If not given, the environment variable E(CLOUDFLARE_BASE_URL) or else E(CLOUDFLARE_API_BASE_URL) is used, and without
        these the public API, V(https://api.cloudflare.com/client/v4).
      - A URL on this machine (V(localhost), V(127.0.0.0/8), V([::1])) is a development session, as C(wrangler dev) offers at
        V(http://localhost:8787/cdn-cgi/local/explorer/api). There the account and the credentials may be left out.
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
    - name: Failures of orders
      edgeops.cloudflare.workflow_poll:
        workflow_name: orders
        account_id: "{{ cloudflare_account_id }}"
        api_token: "{{ cloudflare_api_token }}"
        state_path: /var/lib/eda/orders.json
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

- name: Everything that is paused or terminated, of two workflows
  hosts: localhost
  sources:
    - edgeops.cloudflare.workflow_poll:
        workflow_names: [orders, invoices]
        statuses: [paused, terminated]
        interval: 60
        initial: report
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
    await _collection("poll").run(queue, args)
