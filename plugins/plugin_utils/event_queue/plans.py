# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What has to be sent so that a queue is as it is wanted. Pure: the same plan is told in check mode and acted on in earnest."""

from __future__ import annotations

import typing as t
from urllib.parse import quote

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.text import clean, shown_name
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.types import Json
from ansible_collections.edgeops.cloudflare.plugins.plugin_utils.event_queue import seen as look
from ansible_collections.edgeops.cloudflare.plugins.plugin_utils.event_queue.orders import (
    DEFAULT_EVENTS,
    DEFAULT_MAX_RETRIES,
    DEFAULT_VISIBILITY_TIMEOUT,
    Wanted,
)
from ansible_collections.edgeops.cloudflare.plugins.plugin_utils.event_queue.seen import Seen

#: What a step is about.
QUEUE, CONSUMER, SUBSCRIPTION = "queue", "consumer", "subscription"

SUBSCRIPTIONS = "/event_subscriptions/subscriptions"

#: Stands for the id of a queue that is not made yet.
_ITS_ID = "{queue_id}"

_LONGEST_NAME = 100


class Step(t.NamedTuple):
    """One call.

    phase: 1 or 2; the second begins when all of the first is done.
    kind: QUEUE, CONSUMER or SUBSCRIPTION.
    verb: make, change or delete; what: of what, in words.
    path: below the account; with _ITS_ID in it, or in the body, where the queue is not there yet.
    workflow: whose subscription it is, else "".
    """

    phase: int
    kind: str
    verb: str
    what: str
    method: str
    path: str
    body: Json | None = None
    workflow: str = ""


class Plan(t.NamedTuple):
    """What is to be done.

    steps: in their order. kept: sentences about what is, and stays, as it is. stop: why nothing can be done.
    """

    queue_id: str | None
    steps: list[Step]
    kept: list[str]
    stop: str = ""

    @property
    def lines(self) -> list[str]:
        """The plan in words."""
        told = [f"Would {step.verb} {step.what}" for step in self.steps] or ["Nothing is to be done"]
        return told + self.kept


def plan(wanted: Wanted, seen: Seen) -> Plan:
    """What has to be sent for what is wanted, as things are."""
    return _taken_down(wanted, seen) if wanted.is_absent else _set_up(wanted, seen)


def addressed(steps: t.Sequence[Step], queue_id: str) -> list[Step]:
    """The same steps with the queue's id where it was not known."""
    return [step._replace(path=step.path.replace(_ITS_ID, quote(queue_id, safe="")), body=_filled(step.body, queue_id)) for step in steps]


def foreign(workflow: str, subscription: Json, seen: Seen) -> str:
    """The sentence about a workflow whose one subscription leads elsewhere."""
    elsewhere = seen.shown_queue(look.destination_of(subscription))
    return (
        f"{shown_name(workflow)} has a subscription, {shown_name(subscription.get('name'))} ({clean(subscription.get('id'), 40)}), that leads to "
        f"queue {elsewhere}, and Cloudflare allows one for each workflow"
    )


# -- there ----------------------------------------------------------------------------------------------------------------


def _set_up(wanted: Wanted, seen: Seen) -> Plan:
    queue = seen.queue(wanted.queue_name)
    queue_id = look.queue_id_of(queue) if queue else None
    stop = _obstacle(wanted, seen, queue_id)
    if stop:
        return Plan(queue_id, [], [], stop)
    steps: list[Step] = []
    kept: list[str] = []
    for name, label in ((wanted.dead_letter_queue, "dead letter queue"), (wanted.queue_name, "queue")):
        found = seen.queue(name) if name else None
        if found:
            kept.append(f"{label.capitalize()} {name} is there ({clean(look.queue_id_of(found), 40)})")
        elif name:
            steps.append(Step(1, QUEUE, "make", f"{label} {name}", "POST", "/queues", {"queue_name": name}))
    _consumer(wanted, seen, queue_id, steps, kept)
    for workflow in wanted.workflows:
        _subscription(workflow, wanted, seen, queue_id, steps, kept)
    return Plan(queue_id, steps, kept)


def _obstacle(wanted: Wanted, seen: Seen, queue_id: str | None) -> str:
    """What can't be mended by sending something; "" where nothing is in the way."""
    other = next((one for one in seen.consumers if one.get("type") != look.HTTP_PULL), None)
    if other is not None:
        return (
            f"queue {wanted.queue_name} has {look.consumer_shown(other)}, and a queue has one consumer, so none can be added that is pulled from. "
            "Give another queue_name, or delete that consumer."
        )
    elsewhere = {
        workflow: one
        for workflow in wanted.workflows
        for one in [seen.subscription_of(workflow)]
        if one is not None and (queue_id is None or look.destination_of(one) != queue_id)
    }
    if not elsewhere:
        return ""
    told = "; ".join(foreign(workflow, one, seen) for workflow, one in elsewhere.items())
    return f"{told}; nothing was sent. Give the queue_name that it leads to, or delete that subscription."


def _consumer(wanted: Wanted, seen: Seen, queue_id: str | None, steps: list[Step], kept: list[str]) -> None:
    path = f"/queues/{quote(queue_id, safe='') if queue_id else _ITS_ID}/consumers"
    if not seen.consumers:
        settings: Json = {
            "max_retries": DEFAULT_MAX_RETRIES if wanted.max_retries is None else wanted.max_retries,
            "visibility_timeout_ms": 1000 * (wanted.visibility_timeout or DEFAULT_VISIBILITY_TIMEOUT),
        }
        body: Json = {"type": look.HTTP_PULL, "settings": settings}
        if wanted.dead_letter_queue:
            body["dead_letter_queue"] = wanted.dead_letter_queue
        steps.append(Step(2, CONSUMER, "make", f"its HTTP pull consumer ({_consumer_told(body)})", "POST", path, body))
        return
    consumer = seen.consumers[0]
    settings = look.settings_of(consumer)
    given = {
        "max_retries": wanted.max_retries,
        "visibility_timeout_ms": None if wanted.visibility_timeout is None else 1000 * wanted.visibility_timeout,
    }
    changed = {name: value for name, value in given.items() if value is not None and value != settings.get(name)}
    dead_letter_queue = consumer.get("dead_letter_queue") or None
    body = {"type": look.HTTP_PULL, "settings": {**settings, **changed}}
    if wanted.dead_letter_queue or dead_letter_queue:
        body["dead_letter_queue"] = wanted.dead_letter_queue or dead_letter_queue
    if not changed and body.get("dead_letter_queue") == dead_letter_queue:
        kept.append(f"Its HTTP pull consumer is there ({_consumer_told(consumer)})")
        return
    what = f"its HTTP pull consumer (from {_consumer_told(consumer)}; to {_consumer_told(body)})"
    steps.append(Step(2, CONSUMER, "change", what, "PUT", f"{path}/{_part(consumer.get('consumer_id'))}", body))


def _subscription(workflow: str, wanted: Wanted, seen: Seen, queue_id: str | None, steps: list[Step], kept: list[str]) -> None:
    found = seen.subscription_of(workflow)
    name = shown_name(workflow)
    if found is None:
        events = wanted.events or DEFAULT_EVENTS
        body = {
            "name": f"{wanted.queue_name}-{workflow}"[:_LONGEST_NAME],
            "enabled": True,
            "source": {"type": "workflows.workflow", "workflow_name": workflow},
            "events": events,
            "destination": {"type": "queues.queue", "queue_id": queue_id or _ITS_ID},
        }
        what = f"the subscription of {name} ({', '.join(events)})"
        steps.append(Step(2, SUBSCRIPTION, "make", what, "POST", SUBSCRIPTIONS, body, workflow))
        return
    events, enabled = look.events_of(found), found.get("enabled") is not False
    change: Json = {} if enabled else {"enabled": True}
    if wanted.events is not None and wanted.events != events:
        change["events"] = wanted.events
    told = ", ".join(clean(event, 40) for event in events)
    if not change:
        kept.append(f"The subscription of {name} is there ({told})")
        return
    what = f"the subscription of {name} (from {told}{'' if enabled else ', disabled'}; to {', '.join(change.get('events', events))})"
    steps.append(Step(2, SUBSCRIPTION, "change", what, "PATCH", f"{SUBSCRIPTIONS}/{_part(found.get('id'))}", change, workflow))


def _consumer_told(consumer: Json) -> str:
    settings = look.settings_of(consumer)
    retries, visible = settings.get("max_retries"), settings.get("visibility_timeout_ms")
    parts = [f"max_retries {retries}"] if isinstance(retries, int) else []
    parts += [f"visibility_timeout {visible / 1000:g} s"] if isinstance(visible, (int, float)) else []
    dead = consumer.get("dead_letter_queue")
    return ", ".join([*parts, f"dead letter queue {clean(dead, 63)}" if dead else "no dead letter queue"])


# -- gone -----------------------------------------------------------------------------------------------------------------


def _taken_down(wanted: Wanted, seen: Seen) -> Plan:
    queue = seen.queue(wanted.queue_name)
    queue_id = look.queue_id_of(queue) if queue else None
    steps: list[Step] = []
    kept: list[str] = []
    for workflow in wanted.workflows:
        found = seen.subscription_of(workflow)
        if found is not None and queue_id and look.destination_of(found) == queue_id:
            what = f"the subscription of {shown_name(workflow)}"
            steps.append(Step(1, SUBSCRIPTION, "delete", what, "DELETE", f"{SUBSCRIPTIONS}/{_part(found.get('id'))}", workflow=workflow))
        elif found is not None:
            kept.append(
                f"Kept: the subscription of {shown_name(workflow)}, which leads to queue {seen.shown_queue(look.destination_of(found))}"
            )
    if queue is None or queue_id is None:
        kept.append(f"There is no queue {wanted.queue_name}")
        return Plan(None, steps, kept)
    others = [look.source_of(one) for one in seen.leading_to(queue_id) if look.workflow_of(one) not in wanted.workflows]
    needs = [f"subscriptions of {_few(others)} lead to it"] if others else []
    needs += [f"{_few(programs)} put messages into it" for programs in [look.programs_of(queue)] if programs]
    needs += [f"it has {look.consumer_shown(one)}" for one in seen.consumers if one.get("type") != look.HTTP_PULL]
    if needs:
        kept.append(f"Kept: queue {wanted.queue_name}, since {'; '.join(needs)}")
        return Plan(queue_id, steps, kept)
    path = f"/queues/{_part(queue_id)}"
    steps += [
        Step(1, CONSUMER, "delete", "its HTTP pull consumer", "DELETE", f"{path}/consumers/{_part(one.get('consumer_id'))}")
        for one in seen.consumers
    ]
    lost = {None: "", 0: ", which is empty", 1: " and the one message in it"}.get(seen.backlog, f" and the {seen.backlog} messages in it")
    steps.append(Step(2, QUEUE, "delete", f"queue {wanted.queue_name}{lost}", "DELETE", path))
    dead = {clean(one["dead_letter_queue"], 63) for one in seen.consumers if one.get("dead_letter_queue")}
    kept += [f"Kept: the dead letter queue {name}, which may hold events" for name in sorted(dead)]
    return Plan(queue_id, steps, kept)


def _few(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _part(identifier: object) -> str:
    """An id as a part of a path."""
    return quote(str(identifier or ""), safe="")


def _filled(body: Json | None, queue_id: str) -> Json | None:
    if body is None or body.get("destination", {}).get("queue_id") != _ITS_ID:
        return body
    return {**body, "destination": {**body["destination"], "queue_id": queue_id}}
