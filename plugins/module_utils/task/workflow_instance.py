# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""`workflow_instance`: its options, what of them can be refused before any call is made, its work, and its result."""

from __future__ import annotations

import typing as t

from ansible_collections.edgeops.cloudflare.plugins.module_utils import auth
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.client import CREATE, DELETE, LIST, READ
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.connection import Connection
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import OptionError
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.text import clean
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.workflows import Creation
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.deeds import Words
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.deletion import Deletion
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.triggering import Trigger, Triggering
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.vigil import Patience, Vigil
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance import lifecycle
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.deed import Deed
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.names import check_new_id, check_retention, check_workflow_name
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.deeds import DeedTask
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.host import Host, Result
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.misfit import misfit as misfit_of
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.numbers import check_numbers, size_as_json
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.options import (
    Pacing,
    pacing_of,
    pacing_spec,
    progress_spec,
    wait_spec,
)
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.perform import guarded
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.target import Target, target_of, target_spec

_DICTIONARIES = {
    "select": "{status: [complete]}",
    "params": "{order: 1001}",
    "retention": "{success_retention: 3 days}",
    "instances": "{instance_id: order-1}",
}

_HINTS = ("wnam", "weur", "enam", "eeur", "apac", "apac-ne", "apac-se", "oc", "sam", "afr", "me")

#: Bytes of an instance's params at most (API.md, 3).
LARGEST_PARAMS = 1024 * 1024


class Request(t.NamedTuple):
    """A validated task.

    creations: what is to be triggered; target: what is to be deleted; one of the two is None.
    is_single: the result tells of one instance.
    """

    workflow_name: str
    creations: list[Creation] | None
    target: Target | None
    is_single: bool
    force: bool
    patience: Patience | None
    max_instances: int
    pacing: Pacing


def argument_spec() -> dict[str, t.Any]:
    """The module's whole argument spec."""
    retention = {"type": "dict", "options": {"success_retention": {"type": "raw"}, "error_retention": {"type": "raw"}}}
    return {
        **auth.argument_spec(),
        "workflow_name": {"type": "str", "required": True},
        "state": {"type": "str", "default": "present", "choices": ["present", "absent"]},
        **target_spec(),
        "instances": {
            "type": "list",
            "elements": "dict",
            "options": {"instance_id": {"type": "str", "required": True}, "params": {"type": "dict"}, "retention": retention},
        },
        "params": {"type": "dict"},
        "retention": retention,
        "location_hint": {"type": "str", "choices": list(_HINTS)},
        "force": {"type": "bool", "default": False},
        **wait_spec(),
        "wait": {"type": "bool", "default": False},
        "wait_for": {"type": "list", "elements": "str", "choices": list(lifecycle.STATUSES)},
        **pacing_spec(),
        **progress_spec(),
    }


def misfit(raw: t.Mapping[str, t.Any]) -> str | None:
    """What of the arguments as written ansible-core would take for something else, or answer with a traceback."""
    return misfit_of(raw, argument_spec(), _DICTIONARIES)


def harm_of_retries(params: t.Mapping[str, t.Any]) -> str | None:
    """An id keeps an instance from being triggered twice."""
    if params["state"] != "present" or params["instance_id"] is not None or params["instances"] is not None:
        return None
    return "until or retries would trigger one instance more each time; give instance_id"


def validate(params: t.Mapping[str, t.Any]) -> Request:
    """Turn the options into a Request.

    Raises:
        OptionError: names the option, and what would be right.
    """
    check_workflow_name(params["workflow_name"])
    check_numbers(params)
    is_present = params["state"] == "present"
    creations = _creations(params) if is_present else None
    target = None if is_present else _target(params)
    return Request(
        workflow_name=params["workflow_name"],
        creations=creations,
        target=target,
        is_single=params["instances"] is None if is_present else bool(target and target.is_single),
        force=params["force"],
        patience=_patience(params) if is_present else None,
        max_instances=params["max_instances"],
        pacing=pacing_of(params),
    )


def perform(host: Host) -> Result:
    """Trigger or delete the instances; returns the module's result and never raises."""
    return guarded(host, validate, _present if host.params["state"] == "present" else _absent)


def _present(host: Host, connection: Connection, request: Request) -> Result:
    task = DeedTask(host, connection, request.workflow_name, request.pacing, (READ, LIST, CREATE))
    triggers = [Trigger(creation) for creation in request.creations or []]
    triggering = Triggering(task.field)
    vigil = None
    if request.patience and not host.check_mode:
        vigil = Vigil(task.field, task.session.clock, task.session.gate, request.patience)

    def work() -> None:
        triggering.run(triggers)
        if vigil:
            vigil.wait(list(triggers))

    task.run(work, list(triggers), "looked at" if host.check_mode else "triggered")
    words = Words(task.name, "triggered", "trigger")
    return task.result(list(triggers), words, f"No instance of {task.name} is asked for", request.is_single, with_details=True)


def _absent(host: Host, connection: Connection, request: Request) -> Result:
    task = DeedTask(host, connection, request.workflow_name, request.pacing, (READ, LIST, DELETE))
    target = request.target
    selection = target.selection if target else None
    selected = frozenset(selection.statuses) if selection and selection.statuses else None
    deletion = Deletion(task.field, request.force, selected)
    deeds: list[Deed] = []

    def work() -> None:
        deeds.extend(task.deeds("delete", target, request.max_instances))
        deletion.run(deeds)

    task.run(work, deeds, "looked at" if host.check_mode else "deleted")
    words = Words(task.name, "deleted", "delete")
    return task.result(deeds, words, task.nobody(target), request.is_single, max_instances=request.max_instances)


# -- options --------------------------------------------------------------------------------------------------------------


def _creations(params: t.Mapping[str, t.Any]) -> list[Creation]:
    for option in ("instance_ids", "select"):
        if params[option] is not None:
            raise OptionError(f"{option} works with state=absent only; to trigger several instances, give instances")
    if params["force"]:
        raise OptionError("force works with state=absent only; leave it out")
    hint = params["location_hint"]
    if params["instances"] is None:
        return [_creation(params["instance_id"], params["params"], params["retention"], hint, "")]
    for option in ("instance_id", "params", "retention"):
        if params[option] is not None:
            raise OptionError(f"{option} and instances exclude each other; give it in each entry of instances instead")
    creations: dict[str, Creation] = {}
    for number, entry in enumerate(params["instances"]):
        where = f"instances[{number}]."
        creation = _creation(entry["instance_id"], entry["params"], entry["retention"], hint, where)
        if creations.setdefault(entry["instance_id"], creation) != creation:
            raise OptionError(f"{where}instance_id is {clean(repr(entry['instance_id']), 80)} again, with other params; give each id once")
    return list(creations.values())


def _creation(
    instance_id: str | None, params: dict[str, t.Any] | None, retention: t.Mapping[str, t.Any] | None, hint: str | None, where: str
) -> Creation:
    if instance_id is not None:
        check_new_id(f"{where}instance_id", instance_id)
    size = size_as_json(f"{where}params", params) if params is not None else 0
    if size > LARGEST_PARAMS:
        raise OptionError(
            f"{where}params has {size:,} bytes as JSON, and the API takes {LARGEST_PARAMS:,}; hand large data on by its address"
        )
    kept: dict[str, t.Any] = {}
    for name, value in (retention or {}).items():
        if value is not None:
            check_retention(f"{where}retention.{name}", value)
            kept[name] = int(value) if str(value).isdecimal() else value
    return Creation(instance_id, params, kept or None, hint)


def _target(params: t.Mapping[str, t.Any]) -> Target:
    for option in ("instances", "params", "retention", "location_hint", "wait_for"):
        if params[option] is not None:
            raise OptionError(f"{option} works with state=present only; leave it out")
    if params["wait"]:
        raise OptionError("wait works with state=present only; a deletion is done when it is answered")
    target = target_of(params)
    if target.selection is not None and target.selection.error_glob is not None:
        raise OptionError(
            "select.error_glob does not work with state=absent; read what matches by workflow_instance_info, and name it by instance_ids"
        )
    if target.selection is not None and not target.selection.statuses:
        raise OptionError("state=absent with select needs select.status, so that nothing is deleted by a slip; name it, such as [complete]")
    return target


def _patience(params: t.Mapping[str, t.Any]) -> Patience | None:
    if params["wait_for"] is not None and not params["wait_for"]:
        raise OptionError("wait_for is empty; name at least one status, or leave it out")
    if params["wait_for"] is not None and not params["wait"]:
        raise OptionError("wait_for says what wait=true waits for; give wait=true as well")
    if not params["wait"]:
        return None
    return Patience(params["wait_timeout"], params["wait_sleep"], frozenset(params["wait_for"]) if params["wait_for"] else None)
