# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role `event_queue` thinks with: its tasks only ask, show, and send."""

from __future__ import annotations

import os
import typing as t
from urllib.parse import quote

from ansible.errors import AnsibleFilterError

from ansible_collections.edgeops.cloudflare.plugins.module_utils import auth
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.connection import Connection
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import CloudflareError, OptionError, internal_error_text
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.transport import VERSION
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.types import Json
from ansible_collections.edgeops.cloudflare.plugins.plugin_utils.event_queue import accounts, answers, orders, plans
from ansible_collections.edgeops.cloudflare.plugins.plugin_utils.event_queue.seen import Seen, queue_id_of
from ansible_collections.edgeops.cloudflare.plugins.plugin_utils.runbook.inputs import read_inputs

_OPTIONS: Json = {"api_timeout": 30.0, "api_retries": 0, "validate_certs": True}


def _connection() -> Connection:
    """Whose account, with which credentials: from the environment, as the modules have it."""
    try:
        connection = auth.resolve(_OPTIONS)
    except OptionError as error:
        raise OptionError(answers.said(error)) from None
    if connection.account_id is None:
        raise OptionError("CLOUDFLARE_ACCOUNT_ID is missing: queues belong to an account, and a development session has none")
    return connection


def _inputs(known: Json) -> Json:
    """raw, options, names → inputs."""
    # The name that the runbooks have for it may be set beside it.
    names = [name for name in known["names"] if name != "workflow_name" or not known["raw"].get("workflow_names")]
    values, mistakes = read_inputs(known["raw"], known["options"], names)
    if not mistakes:
        orders.wanted(values)
        _connection()
    return {"inputs": values, "mistakes": mistakes}


def _call(_known: Json) -> Json:
    """→ what every call has in common; secrets among it."""
    connection = _connection()
    bundle = os.environ.get("REQUESTS_CA_BUNDLE", "")
    return {
        "url": f"{connection.api_url}/accounts/{quote(connection.account_id or '', safe='')}",
        "headers": {"Accept": "application/json", **connection.credentials.headers()},
        "agent": f"edgeops.cloudflare/{VERSION} (event_queue)",
        "use_proxy": not connection.is_loopback,
        "ca_path": bundle if os.path.isfile(bundle) else "",
    }


def _may_pass(known: Json) -> Json:
    """answer → may_pass: whether to look again."""
    return {"may_pass": answers.may_pass(known["answer"], _connection())}


def _pages(known: Json) -> Json:
    """answer → pages: the numbers of those that follow."""
    return {"pages": answers.pages_after(known["answer"], _connection()), "size": answers.PAGE}


def _items(known: Json) -> Json:
    """answers, what → items."""
    try:
        return {"items": answers.items(known["answers"], _connection(), known["what"])}
    except CloudflareError as error:
        raise OptionError(f"the list of {known['what']} was not read: {answers.said(error)}") from None


def _queue(known: Json) -> Json:
    """inputs, queues → queue_id, "" where there is none."""
    found = Seen(known["queues"], [], []).queue(known["inputs"]["queue_name"])
    return {"queue_id": queue_id_of(found) if found else ""}


def _backlog(known: Json) -> Json:
    """answer → backlog: messages in the queue, None where that was not told."""
    try:
        count = answers.read(known["answer"], _connection()).result.get("backlog_count")
    except CloudflareError:
        count = None
    return {"backlog": count}


def _plan(known: Json) -> Json:
    """context → lines, stop, is_change."""
    plan = plans.plan(*_context(known))
    return {"lines": plan.lines, "stop": plan.stop, "is_change": bool(plan.steps)}


def _steps(known: Json) -> Json:
    """context, phase, sent → steps: those that can be sent."""
    wanted, seen = _context(known)
    steps = accounts.next_steps(plans.plan(wanted, seen), wanted, known["phase"], _replies(known))
    return {"steps": [step._asdict() for step in steps]}


def _effect(known: Json) -> Json:
    """step, answer → changed, again: whether it had an effect, and whether to send it again."""
    step, connection = plans.Step(**known["step"]), _connection()
    return {
        "changed": accounts.has_effect(step, known["answer"], connection),
        "again": accounts.is_to_be_repeated(step, known["answer"], connection),
    }


def _pull(known: Json) -> Json:
    """context, sent → path: where to try a pull; "" where no consumer was made. is_second: a look at the subscriptions is needed."""
    wanted, seen = _context(known)
    replies = _replies(known)
    queue_id = accounts.queue_id_after(plans.plan(wanted, seen), wanted, replies)
    has_made = any(one.is_done and (one.step.kind, one.step.verb) == (plans.CONSUMER, "make") for one in replies)
    return {
        "path": f"/queues/{quote(queue_id, safe='')}/messages" if queue_id and has_made else "",
        "is_second": any(one.error is not None and answers.is_second(one.error) for one in replies),
    }


def _pulled(known: Json) -> Json:
    """answer → again: whether to try once more; retries: what was pulled, to be given back."""
    connection = _connection()
    try:
        messages = answers.read(known["answer"], connection).result.get("messages") or []
    except CloudflareError as error:
        return {"again": answers.is_no_pull_yet(error) or answers.may_pass(known["answer"], connection), "retries": []}
    return {"again": False, "retries": [{"lease_id": one["lease_id"], "delay_seconds": 0} for one in messages if one.get("lease_id")]}


def _account(known: Json) -> Json:
    """context, sent, pulled, subscriptions → lines, failed, text."""
    wanted, seen = _context(known)
    refused = None
    if known["pulled"].get("status") is not None:
        try:
            answers.read(known["pulled"], _connection())
        except CloudflareError as error:
            refused = error
    again = None if known["subscriptions"] is None else seen._replace(subscriptions=known["subscriptions"])
    told = accounts.account(wanted, plans.plan(wanted, seen), _replies(known), refused, again)
    return {"lines": told.lines, "failed": told.failed, "text": ". ".join(told.lines) + "."}


def _context(known: Json) -> tuple[orders.Wanted, Seen]:
    inputs, seen = known["context"]["inputs"], known["context"]["seen"]
    backlog = str(seen["backlog"])  # ansible-core before 2.19 makes text of a number
    return orders.wanted(inputs), Seen(**{**seen, "backlog": int(backlog) if backlog.isdigit() else None})


def _replies(known: Json) -> list[accounts.Reply]:
    """What was answered to all that was sent, from the results of the tasks that sent it."""
    connection = _connection()
    return [accounts.reply(plans.Step(**result["event_queue_step"]), result, connection) for results in known["sent"] for result in results]


_STEPS: dict[str, t.Callable[[Json], Json]] = {
    "inputs": _inputs,
    "call": _call,
    "may_pass": _may_pass,
    "pages": _pages,
    "items": _items,
    "queue": _queue,
    "backlog": _backlog,
    "plan": _plan,
    "steps": _steps,
    "effect": _effect,
    "pull": _pull,
    "pulled": _pulled,
    "account": _account,
}


def event_queue(known: Json, step: str) -> Json:
    """One step of a run.

    Args:
        known: what the step needs to know.
        step: one of _STEPS.

    Returns:
        What the step is for, and `mistakes`: sentences about what was given, or was answered; with any, there may be nothing else.
    """
    if step not in _STEPS:
        raise AnsibleFilterError(f"event_queue has the steps {', '.join(_STEPS)}; {step} is none")
    try:
        return {"mistakes": [], **_STEPS[step](known)}
    except OptionError as error:
        return {"mistakes": [error.text]}
    except Exception as error:  # noqa: BLE001  no traceback reaches a user
        raise AnsibleFilterError(internal_error_text(error)) from None


class FilterModule:
    """The filter by its name."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """As ansible-core asks for it."""
        return {"event_queue": event_queue}
