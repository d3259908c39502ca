# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was sent, how it was answered, and what is said of it in the end. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.connection import Connection
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import AnswerLost, CloudflareError
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.text import clean, shown_name
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.types import Json
from ansible_collections.edgeops.cloudflare.plugins.plugin_utils.event_queue import answers, plans
from ansible_collections.edgeops.cloudflare.plugins.plugin_utils.event_queue.orders import Wanted
from ansible_collections.edgeops.cloudflare.plugins.plugin_utils.event_queue.plans import CONSUMER, QUEUE, SUBSCRIPTION, Plan, Step
from ansible_collections.edgeops.cloudflare.plugins.plugin_utils.event_queue.seen import Seen, destination_of

_PARTICIPLES = {"make": "made", "change": "changed", "delete": "deleted"}


class Reply(t.NamedTuple):
    """A step that was sent: what was answered, or the error that came instead."""

    step: Step
    result: t.Any
    error: CloudflareError | None = None

    @property
    def is_gone(self) -> bool:
        """It was to be deleted, and is not there."""
        return self.step.verb == "delete" and self.error is not None and self.error.http_status == 404

    @property
    def is_done(self) -> bool:
        """It is as the step would have it."""
        return self.error is None or self.is_gone


class Account(t.NamedTuple):
    """What is said in the end, bad news first; failed: whether there are any."""

    lines: list[str]
    failed: bool


def reply(step: Step, answer: Json, connection: Connection) -> Reply:
    """What a step's answer says."""
    expected = (dict, list, str, type(None)) if step.verb == "delete" else dict
    try:
        result = answers.read(answer, connection, expected).result
        if step.kind == QUEUE and step.verb == "make" and not result.get("queue_id"):
            raise AnswerLost("the API's answer tells no queue_id")
    except CloudflareError as error:
        return Reply(step, None, error)
    return Reply(step, result)


def has_effect(step: Step, answer: Json, connection: Connection) -> bool:
    """Something was changed, or may have been: the answer was lost."""
    told = reply(step, answer, connection)
    return told.error is None or isinstance(told.error, AnswerLost)


def is_to_be_repeated(step: Step, answer: Json, connection: Connection) -> bool:
    """A subscription is refused for a while after the one before it was deleted."""
    error = reply(step, answer, connection).error
    return error is not None and answers.is_second(error)


def queue_id_after(plan: Plan, wanted: Wanted, replies: t.Iterable[Reply]) -> str | None:
    """The queue's id, once it is there."""
    made = (one.result["queue_id"] for one in replies if one.is_done and _is_making(one.step, wanted.queue_name))
    return plan.queue_id or next(made, None)


def next_steps(plan: Plan, wanted: Wanted, phase: int, replies: t.Sequence[Reply]) -> list[Step]:
    """The steps of a phase that can be sent after these replies; none where something has failed."""
    steps = [step for step in plan.steps if step.phase == phase]
    if phase == 1:
        return steps
    queue_id = queue_id_after(plan, wanted, replies)
    return plans.addressed(steps, queue_id) if queue_id and all(one.is_done for one in replies) else []


def account(
    wanted: Wanted,
    plan: Plan,
    replies: t.Sequence[Reply],
    pull: CloudflareError | None,
    seen_again: Seen | None = None,
) -> Account:
    """What has become of a plan.

    Args:
        replies: of all that was sent.
        pull: what was answered to the last pull, where one was tried and refused.
        seen_again: what was there afterwards, where a subscription was refused as a second one.
    """
    queue_id = queue_id_after(plan, wanted, replies)
    bad: list[str] = []
    good: list[str] = []
    for one in replies:
        told, failed = _told(one, queue_id, seen_again)
        (bad if failed else good).append(told)
    unsent = plan.steps[len(replies) :]
    if unsent:
        bad.append("Not attempted, since what comes before it has failed: " + ", ".join(f"{step.verb} {step.what}" for step in unsent))
    if pull is not None:
        bad.append(f"Queue {wanted.queue_name} does not accept pulls yet, though its consumer is made: {answers.said(pull)}")
    made = [one.step for one in replies if one.is_done and one.step.verb == "make"]
    if pull is None and any(step.kind == CONSUMER for step in made):
        good.append("A pull was accepted")
    if any(step.kind == SUBSCRIPTION for step in made):
        good.append("A new subscription may miss what happens in its first minute")
    if queue_id and plan.queue_id is None:
        good.append(f"Queue {wanted.queue_name} has the id {clean(queue_id, 40)}")
    return Account([*bad, *good, *plan.kept], bool(bad))


def _told(one: Reply, queue_id: str | None, seen_again: Seen | None) -> tuple[str, bool]:
    """What is said of a reply, and whether it is bad news: (str, bool)."""
    step, error = one.step, one.error
    done = _PARTICIPLES[step.verb]
    if error is None:
        return f"{done.capitalize()} {step.what}", False
    if one.is_gone:
        return f"Already gone: {step.what}", False
    if answers.is_second(error) and seen_again is not None:
        return _second(step, error, queue_id, seen_again)
    if isinstance(error, AnswerLost):
        return f"Whether {step.what} was {done} is not known: {answers.said(error)}. Run it again: it looks first", True
    return f"{step.what[0].upper()}{step.what[1:]} was not {done}: {answers.said(error)}", True


def _second(step: Step, error: CloudflareError, queue_id: str | None, seen: Seen) -> tuple[str, bool]:
    """A subscription was refused, since there is one: whose it is now tells."""
    found = seen.subscription_of(step.workflow)
    if found is None:
        return (
            f"{shown_name(step.workflow)} has no subscription that is listed, and yet a second one was refused, as it is for a while after one "
            f"was deleted: {answers.said(error)}. Run it again in a minute",
            True,
        )
    if destination_of(found) == queue_id:
        return f"The subscription of {shown_name(step.workflow)} is there: something else has made it meanwhile", False
    return plans.foreign(step.workflow, found, seen), True


def _is_making(step: Step, name: str) -> bool:
    return step.kind == QUEUE and step.verb == "make" and (step.body or {}).get("queue_name") == name
