#!/usr/bin/python
# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: workflow_instance_status
short_description: Pause, resume, terminate or restart instances of a Cloudflare Workflow
version_added: 0.1.0
description:
  - Brings instances of a Cloudflare Workflow to the state wanted. It looks at their status first, asks the API only for
    what is needed, and waits until the state is reached.
  - Works on one instance, on a list of them, or on all that match a selection, at the lowest possible number of API calls.
  - Nothing is restarted twice. A restart whose answer was lost is looked for, and never sent again.
author:
  - edgeops.cloudflare contributors (@edgeops)
extends_documentation_fragment:
  - edgeops.cloudflare.auth
  - edgeops.cloudflare.target
  - edgeops.cloudflare.pacing
  - edgeops.cloudflare.wait
  - edgeops.cloudflare.progress
  - edgeops.cloudflare.attributes
  - edgeops.cloudflare.attributes.actiongroup_workflows
attributes:
  idempotent:
    support: partial
    description:
      - When run twice in a row outside check mode, with the same arguments, the second invocation indicates no change.
    details:
      - O(state=restarted) restarts every time, like the same state of a service. With O(when_status) it acts only on instances
        in the statuses named, which makes it safe to run again.
      - With O(rollback=true), an instance of which the API reports no rollback is terminated with a warning, and refused the next
        time, since nothing tells that its handlers have run.
options:
  workflow_name:
    description:
      - The name of the workflow, 1 to 64 characters.
    type: str
    required: true
    version_added: 0.1.0
  state:
    description:
      - The state wanted.
      - V(running) resumes instances that are paused or about to pause. Those that are queued, running or waiting are left
        as they are.
      - V(paused) pauses them. A step under way ends first.
      - V(terminated) ends them for good. A finished instance counts as terminated.
      - V(restarted) runs them again from the beginning, or from a step (O(from_step), O(from_failed_step)). With
        O(select) it needs O(select.status) or O(when_status).
    type: str
    required: true
    choices: [running, paused, terminated, restarted]
    version_added: 0.1.0
  when_status:
    description:
      - Acts only on instances in one of these statuses. The others are left unchanged, and the result says so.
      - Makes O(state=restarted) safe to run again.
    type: list
    elements: str
    choices: [queued, running, waiting, waitingForPause, paused, rollingBack, errored, complete, terminated]
    version_added: 0.1.0
  from_step:
    description:
      - Restarts from this step. The earlier steps keep their results. Every later one runs again, parallel ones included.
      - Only with O(state=restarted).
    type: dict
    version_added: 0.1.0
    suboptions:
      name:
        description:
          - The name of the step as the workflow's code has it, without the C(-1) that the log puts behind it, 1 to 256 characters.
        type: str
        required: true
        version_added: 0.1.0
      count:
        description:
          - Which of the steps of that name, 1 to 1000000. The first one is 1.
        type: int
        default: 1
        version_added: 0.1.0
      type:
        description:
          - What kind of step it is.
        type: str
        default: do
        choices: [do, sleep, waitForEvent]
        version_added: 0.1.0
  from_failed_step:
    description:
      - Finds the step that failed in the instance's own log, and restarts from it. Instances that are not errored are left
        unchanged.
      - Refused for an instance that failed outside any step, and for one that has been rolled back.
      - Only with O(state=restarted), and not together with O(from_step).
    type: bool
    default: false
    version_added: 0.1.0
  rollback:
    description:
      - Runs the rollback handlers that the instance has registered before it is terminated.
      - An instance that has finished already is accepted only if the API reports that its rollback was completed.
      - Only with O(state=terminated).
    type: bool
    default: false
    version_added: 0.1.0
  pause_first:
    description:
      - Pauses an instance and waits until it is paused before it is terminated with O(rollback=true), so that no step is cut off in the
        middle. O(wait_timeout) counts for each of the two.
      - An instance that is not paused in time fails, and is not terminated.
      - Only with O(rollback=true) and O(wait=true).
    type: bool
    default: false
    version_added: 0.2.0
  bulk_terminate:
    description:
      - Terminates up to 100 instances by one call, where there are more than 10 to terminate, and lets listings prove what became of each.
        4312 instances take about 132 calls instead of 4356. Check mode tells how many it would be.
      - The API answers such a call with a number alone, so that an instance has no timestamp. What the call leaves as it is, and
        everything where the server has no such call, is terminated one by one.
      - It is off by default, since nobody has seen it used on the public API.
      - Only with O(state=terminated), without O(rollback).
    type: bool
    default: false
    version_added: 0.2.0
  skip_finished:
    description:
      - Leaves a finished instance that cannot reach the state unchanged, instead of failing.
    type: bool
    default: false
    version_added: 0.1.0
  max_failures:
    description:
      - Stops sending changes once this many instances, 1 to 1000000, have failed, or have errored again after they were resumed or
        restarted. The rest are reported as not attempted.
      - What errored again is known only once it is settled, so a small first batch (O(batch_size)) makes this a canary.
      - Without it, every instance is attempted. Not with O(state=restarted) and O(wait=false), where nothing could be known.
    type: int
    version_added: 0.1.0
  batch_size:
    description:
      - How many instances are acted on at a time, 1 to 1000000 each. The last number repeats, so that V([5, 50, 200]) is a canary of 5, then 50,
        and then 200 at a time.
      - Each batch is looked at anew when it begins, and is settled (O(wait), O(wait_until)) before the next one begins. Instances that
        need nothing are in none of them.
      - A batch in which nothing had to be sent has proven nothing, so the one after it is no larger.
      - Without it, all instances are acted on at once.
    type: list
    elements: int
    version_added: 0.2.0
  batch_pause:
    description:
      - How many seconds to let pass between two batches, 0 to 86400.
    type: float
    default: 0
    version_added: 0.2.0
  canary:
    description:
      - Watches the first batch in which anything is sent (O(batch_size)) more closely than the others, and sends nothing more unless it goes well.
      - An instance of it that errored again counts towards O(canary.max_failures) and O(max_failures). One of which nothing is known when its
        time is over ends the task at once.
      - Only with O(state=running) and O(state=restarted).
    type: dict
    version_added: 0.2.0
    suboptions:
      wait_until:
        description:
          - What settles an instance of the canary, like O(wait_until).
        type: str
        default: past_step
        choices: [past_step, ended]
        version_added: 0.2.0
      wait_timeout:
        description:
          - How many seconds each instance of the canary may take for that, 0 to 604800.
        type: float
        default: 900
        version_added: 0.2.0
      max_failures:
        description:
          - How many instances of the canary may error again before the others are left alone, 0 to 1000000.
        type: int
        default: 0
        version_added: 0.2.0
  wait_until:
    description:
      - What settles an instance that was resumed or restarted.
      - V(effect) is one look after it. A step that is tried for seconds before it fails is still under way by then.
      - V(past_step) means that it has passed the step that it was restarted from (without one, the step that had failed; after a
        resume, the next step), or has ended. Each look reads its log.
      - V(ended) means that it has ended.
      - With V(past_step) and V(ended), an instance that errors again has failed. One that gets there in no O(wait_timeout) has failed, too.
      - Only with O(state=running) and O(state=restarted).
    type: str
    default: effect
    choices: [effect, past_step, ended]
    version_added: 0.2.0
  details:
    description:
      - V(full) returns an item for every instance.
      - V(brief) returns items only of those that failed, are unknown, were not attempted, or are warned of, and then of those that
        O(skip_finished) has left alone, 1000 at most, and neither facts nor a diff of each instance. RV(ids) holds all ids either way.
        It keeps the result of thousands of instances small enough for AWX to show.
    type: str
    default: full
    choices: [full, brief]
    version_added: 0.2.0
  record:
    description:
      - Prints a record of what each batch is about to change, and of what became of it, where the task runs in the worker (see the
        attribute C(action)); a module can print nothing before it ends.
      - A line begins with C(edgeops_record) and a colon, followed by JSON of at most 1000 ids. Where an id is in several lines, the
        last one counts. So the output of a job that was cancelled tells what to undo.
      - With C(no_log), and in check mode, nothing is printed.
    type: bool
    default: false
    version_added: 0.2.0
  record_file:
    description:
      - Keeps the record in this file, where the module runs. It is written before anything is sent and after each batch, whole or not
        at all, for its owner alone, so that it is true whatever ends the task.
      - Where the file exists, it is read first, and added to. A record of another account or API is refused before any call is made.
      - It holds one JSON document with the ids of each workflow and state. What has come to one state is in the record of no other.
      - In check mode it is read and not written.
    type: path
    version_added: 0.2.0
seealso:
  - name: Cloudflare Workflows
    description: What instances are, and what their statuses mean.
    link: https://developers.cloudflare.com/workflows/
"""

EXAMPLES = r"""
- name: Pause an order while the payment provider is down
  edgeops.cloudflare.workflow_instance_status:
    workflow_name: orders
    instance_id: order-1001
    state: paused

- name: Let it run on
  edgeops.cloudflare.workflow_instance_status:
    workflow_name: orders
    instance_id: order-1001
    state: running

- name: Restart an order from the step that failed, and leave it alone if it has not failed
  edgeops.cloudflare.workflow_instance_status:
    workflow_name: orders
    instance_id: order-1002
    state: restarted
    from_failed_step: true
    when_status: [errored]

- name: Restart an order from a certain step
  edgeops.cloudflare.workflow_instance_status:
    workflow_name: orders
    instance_id: order-1003
    state: restarted
    from_step:
      name: ship

- name: Terminate an order and undo what its steps did
  edgeops.cloudflare.workflow_instance_status:
    workflow_name: orders
    instance_id: order-1004
    state: terminated
    rollback: true

- name: Pause everything that runs
  edgeops.cloudflare.workflow_instance_status:
    workflow_name: orders
    select:
      status: [running, waiting, waitingForPause]
    state: paused
    skip_finished: true
  register: paused

- name: Resume what that task has paused
  edgeops.cloudflare.workflow_instance_status:
    workflow_name: orders
    instance_ids: "{{ paused.instances | selectattr('changed') | map(attribute='id') }}"
    state: running

- name: Restart what failed since midnight from the step that failed, ten calls a second at most
  edgeops.cloudflare.workflow_instance_status:
    workflow_name: orders
    select:
      status: [errored]
      ended_after: "2026-08-06T00:00:00Z"
    state: restarted
    from_failed_step: true
    requests_per_second: 10
    max_failures: 5

- name: Restart what failed, five as a canary, then fifty at a time, and stop when a canary or three of them fail again
  edgeops.cloudflare.workflow_instance_status:
    workflow_name: orders
    select:
      status: [errored]
    state: restarted
    from_failed_step: true
    batch_size: [5, 50]
    batch_pause: 1
    canary:
      wait_timeout: 600
    max_failures: 3
    details: brief

- name: Call off orders in the middle of nothing, and undo what their steps did
  edgeops.cloudflare.workflow_instance_status:
    workflow_name: orders
    instance_ids: [order-1007, order-1008]
    state: terminated
    rollback: true
    pause_first: true

- name: Terminate everything that is paused, a hundred by one call
  edgeops.cloudflare.workflow_instance_status:
    workflow_name: orders
    select:
      status: [paused]
    state: terminated
    bulk_terminate: true
"""

RETURN = r"""
msg:
  description: What was done, what failed and why, in one sentence.
  returned: always
  type: str
  sample: >-
    3 of 243 instances of orders can't be paused: 3 complete (order-7, order-9, order-31). The other 240 are paused (238 by this task).
    skip_finished=true leaves such instances alone.
instances:
  description:
    - What happened to each instance, in the order of O(instance_ids), or newest first. With O(details=brief), of those alone that
      something is to be told of.
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
      description: The status last observed, in check mode too. None if there is no such instance, or it was not looked at.
      type: str
      returned: always
      sample: paused
    previous_status:
      description: The status first observed.
      type: str
      returned: always
      sample: running
    action:
      description: What was sent to the API last, or would be sent, V(pause), V(resume), V(terminate) or V(restart). None if nothing.
      type: str
      returned: always
      sample: pause
    changed:
      description: Whether the instance was changed, or may have been by a call whose answer was lost. In check mode, whether it would be.
      type: bool
      returned: always
      sample: true
    failed:
      description: Whether the state wanted is not reached.
      type: bool
      returned: always
      sample: false
    timestamp:
      description: When the API accepted the change, in its own words. None if it accepted none.
      type: str
      returned: always
      sample: "2026-08-06T03:12:07.000Z"
    outcome:
      description:
        - V(unchanged), V(changed) (or, in check mode, would be), V(failed), V(unknown) (a restart, or a terminate with rollback, was sent, and nothing tells
          whether it was done) or V(not_attempted).
      type: str
      returned: always
      sample: changed
    msg:
      description: The status, what was sent, what is true now, and what would help.
      type: str
      returned: always
      sample: "order-1001 is paused (was running): pause accepted 03:12:07Z."
    restarted_from:
      description: The step that the restart named, whether it was made, refused, or would be sent.
      type: dict
      returned: when a restart from a step is, or would be, sent
      sample: {name: charge, count: 1, type: do}
    reruns:
      description: The later steps that had succeeded and run again all the same.
      type: list
      elements: dict
      returned: when it is restarted from a step
      sample: [{name: notify, count: 1, type: do}]
    error:
      description: What the instance failed with, in the API's own words, up to 4096 characters of each.
      type: dict
      returned: when it is errored, and its error was read
      sample: {name: PaymentError, message: card declined}
    rollback:
      description: How the rollback ended, as the API reports it.
      type: dict
      returned: when the API reports a rollback
      sample: {outcome: complete, error: null}
instance:
  description: The same item, for the one instance.
  returned: once the options are valid, when O(instance_id) is given
  type: dict
  sample:
    id: order-1001
    status: paused
    previous_status: running
    action: pause
    changed: true
    failed: false
    timestamp: "2026-08-06T03:12:07.000Z"
    outcome: changed
    msg: "order-1001 is paused (was running): pause accepted 03:12:07Z."
ids:
  description: The ids of the instances by what happened to them, V(changed), V(unchanged), V(failed), V(unknown) and V(not_attempted).
  returned: once the options are valid
  type: dict
  sample: {changed: [order-1001], unchanged: [], failed: [], unknown: [], not_attempted: []}
ended_early:
  description: What ended the task before every instance was found and attempted. None where nothing did, whether all of it succeeded or not.
  returned: once the options are valid
  type: str
  sample: null
ids_truncated:
  description: How many ids of each outcome RV(ids) leaves out.
  returned: where all of them would make the result too large for AWX to show, with O(details=brief)
  type: dict
  sample: {changed: 3120}
batches:
  description:
    - What became of each batch that was begun. In check mode, the batches there would be.
  returned: with O(batch_size), where there is any
  type: list
  elements: dict
  contains:
    number:
      description: Which one it is. The first is 1.
      type: int
      returned: always
      sample: 1
    of:
      description: How many there are in all, those included that were not begun.
      type: int
      returned: always
      sample: 4
    matched:
      description: How many instances it is of.
      type: int
      returned: always
      sample: 5
    changed:
      description: How many of them were changed.
      type: int
      returned: always
      sample: 5
    failed:
      description: How many of them did not reach the state, or cannot be told of.
      type: int
      returned: always
      sample: 0
    errored_again:
      description: How many of them were resumed or restarted, and had errored again when they were settled.
      type: int
      returned: always
      sample: 0
summary:
  description: How many instances there are of each outcome.
  returned: once the options are valid
  type: dict
  contains:
    matched:
      description: How many instances the task is about. Where a selection is refused as too large, how many match.
      type: int
      returned: always
      sample: 243
    changed:
      description: How many this task has changed, so that they are in the state, or on their way to it with O(wait=false). In check mode,
        how many it would change.
      type: int
      returned: always
      sample: 240
    unchanged:
      description: How many needed nothing, were on their way already, or were left alone by O(when_status) or O(skip_finished).
      type: int
      returned: always
      sample: 0
    failed:
      description: How many did not reach the state.
      type: int
      returned: always
      sample: 3
    unknown:
      description: For how many nothing can tell.
      type: int
      returned: always
      sample: 0
    not_attempted:
      description: How many were not attempted, because the task ended early.
      type: int
      returned: always
      sample: 0
    finished_again:
      description: How many were resumed or restarted and have finished again already.
      type: int
      returned: always
      sample: 0
    by_status:
      description: How many instances were last seen in each status.
      type: dict
      returned: always
      sample: {paused: 240, complete: 3}
    passes:
      description: How often a selection was listed. 0 without O(select).
      type: int
      returned: always
      sample: 1
    converged:
      description: Whether the last of these listings found nothing new.
      type: bool
      returned: always
      sample: true
    duration:
      description: How long the task took, in seconds.
      type: float
      returned: always
      sample: 4.2
api_calls:
  description: What the task cost.
  returned: once the options are valid
  type: dict
  contains:
    total:
      description: Calls made in all.
      type: int
      returned: always
      sample: 243
    reads:
      description: Looks at one instance.
      type: int
      returned: always
      sample: 0
    lists:
      description: Pages listed.
      type: int
      returned: always
      sample: 3
    patches:
      description: Changes sent.
      type: int
      returned: always
      sample: 240
    batches:
      description: Calls that terminate up to 100 instances.
      type: int
      returned: always
      sample: 0
    retries:
      description: How many calls were repeated. Those that reached the network are counted above as well.
      type: int
      returned: always
      sample: 0
    rate_limited_seconds:
      description: Seconds in which the API's rate limit held the task back.
      type: float
      returned: always
      sample: 0.0
estimate:
  description: What a run would cost.
  returned: in check mode, where something would be changed and it is not about O(instance_id)
  type: dict
  contains:
    calls:
      description: Calls for the changes, without those for waiting.
      type: int
      returned: always
      sample: 4356
    seconds:
      description: How long these calls and the pauses between batches take, at least.
      type: float
      returned: always
      sample: 850.0
messages:
  description: The API's own messages, each once. They are shown as warnings, too.
  returned: once the options are valid
  type: list
  elements: dict
  sample: [{code: 1000, message: This feature is in beta.}]
ansible_facts:
  description: What was observed last.
  returned: success
  type: dict
  contains:
    workflow_instance_status:
      description: The status and the timestamp of each instance, by its id. Not with O(details=brief).
      type: dict
      returned: success
      sample: {order-1001: {status: paused, timestamp: "2026-08-06T03:12:07.000Z"}}
"""

from ansible_collections.edgeops.cloudflare.plugins.module_utils.task import workflow_instance_status
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.module import run


def main() -> None:
    run(workflow_instance_status)


if __name__ == "__main__":
    main()
