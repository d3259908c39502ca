# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What there is of a queue, its consumer and its subscriptions. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.text import clean, shown_name
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.types import Json

#: The type of consumer that can be pulled from, and of a producer that is a program of somebody's.
HTTP_PULL = "http_pull"
_PROGRAMS = ("worker", "r2_bucket")


class Seen(t.NamedTuple):
    """What the API has listed.

    queues: all of the account. consumers: of the queue that is wanted. subscriptions: all of the account.
    backlog: messages in the queue; None where nobody asked, or nobody told.
    """

    queues: list[Json]
    consumers: list[Json]
    subscriptions: list[Json]
    backlog: int | None = None

    def queue(self, name: str) -> Json | None:
        """The queue of this name."""
        return next((queue for queue in self.queues if queue.get("queue_name") == name), None)

    def subscription_of(self, workflow: str) -> Json | None:
        """The one subscription to the instances of a workflow."""
        return next((one for one in self.subscriptions if workflow_of(one) == workflow), None)

    def leading_to(self, queue_id: str) -> list[Json]:
        """The subscriptions that lead to a queue."""
        return [one for one in self.subscriptions if destination_of(one) == queue_id]

    def shown_queue(self, queue_id: str | None) -> str:
        """A queue's name by its id, as it may stand in a sentence."""
        name = next((queue.get("queue_name") for queue in self.queues if queue.get("queue_id") == queue_id), None)
        return shown_name(name) if name else f"{clean(queue_id, 40)}, which is not listed"


def queue_id_of(queue: Json) -> str:
    """A queue's id."""
    return str(queue.get("queue_id") or "")


def workflow_of(subscription: Json) -> str | None:
    """The workflow whose instances a subscription tells of; None where it tells of something else."""
    source = subscription.get("source")
    if not isinstance(source, dict) or source.get("type") != "workflows.workflow":
        return None
    return source.get("workflow_name")


def source_of(subscription: Json) -> str:
    """What a subscription tells of, as it may stand in a sentence."""
    source = subscription.get("source")
    return shown_name(workflow_of(subscription) or (source.get("type") if isinstance(source, dict) else None) or subscription.get("id"))


def destination_of(subscription: Json) -> str | None:
    """The id of the queue that a subscription leads to."""
    destination = subscription.get("destination")
    return destination.get("queue_id") if isinstance(destination, dict) else None


def events_of(subscription: Json) -> list[str]:
    """The short names of the events that it tells of."""
    return sorted(str(event) for event in subscription.get("events") or [])


def programs_of(queue: Json) -> list[str]:
    """Programs that put messages of their own into a queue, as they may stand in a sentence."""
    producers = queue.get("producers")
    return [
        shown_name(one.get("script") or one.get("service") or one.get("bucket_name") or one.get("type"))
        for one in (producers if isinstance(producers, list) else [])
        if isinstance(one, dict) and one.get("type") in _PROGRAMS
    ]


def settings_of(consumer: Json) -> Json:
    """A consumer's settings."""
    settings = consumer.get("settings")
    return settings if isinstance(settings, dict) else {}


def consumer_shown(consumer: Json) -> str:
    """A consumer that can't be pulled from, as it may stand in a sentence."""
    script = consumer.get("script") or consumer.get("script_name") or consumer.get("service")
    return f"a consumer of type {clean(consumer.get('type'), 40)}" + (f" ({shown_name(script)})" if script else "")
