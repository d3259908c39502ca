# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""`workflow_instance_event`: its options, what of them can be refused before any call is made, its work, and its result."""

from __future__ import annotations

import typing as t

from ansible_collections.edgeops.cloudflare.plugins.module_utils import auth
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.client import EVENT, LIST, READ
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.connection import Connection
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import OptionError
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.deeds import Words
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.sending import Event, Sending
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.deed import Deed
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.names import check_event_type, check_workflow_name
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.deeds import DeedTask
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.host import Host, Result
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.misfit import misfit as misfit_of
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.numbers import check_numbers, size_as_json
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.options import Pacing, pacing_of, pacing_spec, progress_spec
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.perform import guarded
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.target import Target, target_of, target_spec

_DICTIONARIES = {"select": "{status: [waiting]}", "payload": "{approved: true}"}

#: Bytes of an event's payload at most (API.md, 3).
LARGEST_PAYLOAD = 1024 * 1024


class Request(t.NamedTuple):
    """A validated task."""

    workflow_name: str
    target: Target
    event: Event
    skip_finished: bool
    max_instances: int
    connection_attempts: int
    pacing: Pacing


def argument_spec() -> dict[str, t.Any]:
    """The module's whole argument spec."""
    return {
        **auth.argument_spec(),
        "workflow_name": {"type": "str", "required": True},
        **target_spec(),
        "event_type": {"type": "str", "required": True},
        "payload": {"type": "dict"},
        "skip_finished": {"type": "bool", "default": False},
        **pacing_spec(),
        **progress_spec(),
    }


def misfit(raw: t.Mapping[str, t.Any]) -> str | None:
    """What of the arguments as written ansible-core would take for something else, or answer with a traceback."""
    return misfit_of(raw, argument_spec(), _DICTIONARIES)


def harm_of_retries(_params: t.Mapping[str, t.Any]) -> str | None:
    """Nothing keeps an event from being sent once more."""
    return "until or retries would send this event again to each instance that an earlier try has sent it to"


def validate(params: t.Mapping[str, t.Any]) -> Request:
    """Turn the options into a Request.

    Raises:
        OptionError: names the option, and what would be right.
    """
    check_workflow_name(params["workflow_name"])
    check_event_type(params["event_type"])
    check_numbers(params)
    # An object, since the API takes nothing else for certain; null would become one (API.md, 2).
    payload = params["payload"] if params["payload"] is not None else {}
    size = size_as_json("payload", payload)
    if size > LARGEST_PAYLOAD:
        raise OptionError(f"payload has {size:,} bytes as JSON, and the API takes {LARGEST_PAYLOAD:,}; hand large data on by its address")
    target = target_of(params)
    if target.selection is not None and target.selection.error_glob is not None:
        raise OptionError("select.error_glob is for instances that have failed, and these take no event; leave it out")
    return Request(
        workflow_name=params["workflow_name"],
        target=target,
        event=Event(params["event_type"], payload),
        skip_finished=params["skip_finished"],
        max_instances=params["max_instances"],
        connection_attempts=params["api_retries"] + 1,
        pacing=pacing_of(params),
    )


def perform(host: Host) -> Result:
    """Send the event; returns the module's result and never raises."""
    return guarded(host, validate, _send)


def _send(host: Host, connection: Connection, request: Request) -> Result:
    task = DeedTask(host, connection, request.workflow_name, request.pacing, (READ, LIST, EVENT))
    selection = request.target.selection
    selected = frozenset(selection.statuses) if selection and selection.statuses else None
    sending = Sending(task.field, request.event, request.skip_finished, selected, request.connection_attempts)
    deeds: list[Deed] = []

    def work() -> None:
        deeds.extend(task.deeds("event", request.target, request.max_instances))
        sending.run(deeds)

    task.run(work, deeds, "looked at" if host.check_mode else "sent the event")
    words = Words(task.name, "sent the event", "send the event to")
    return task.result(deeds, words, task.nobody(request.target), request.target.is_single, max_instances=request.max_instances)
