# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""`workflow_instance_status`: its options, what can be refused before any call is made, and its work."""

from __future__ import annotations

import collections
import functools
import typing as t

from ansible_collections.edgeops.cloudflare.plugins.module_utils import auth
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.connection import Connection
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import OptionError, TooManyMatched
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.workflows import Workflow
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet import bounds, report
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.account import Told, message
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.fleet import Fleet, Limits
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.selection import Selection
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.survey import Surveyor
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance import lifecycle
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.names import check_step_name, check_workflow_name
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.record import (
    CHANGED,
    FAILED,
    NOT_ATTEMPTED,
    UNCHANGED,
    UNKNOWN,
    Record,
)
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.steplog import Step
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.wanted import Wanted
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.host import Host, Result
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.misfit import misfit as misfit_of
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.numbers import check_numbers
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.options import (
    Pacing,
    pacing_of,
    pacing_spec,
    progress_spec,
    wait_spec,
)
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.perform import guarded
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.progress import Snapshot
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.reporter import reported
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.session import Session
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.target import Target, target_of, target_spec

_DICTIONARIES = {"from_step": "{name: charge}", "select": "{status: [errored]}"}


class Request(t.NamedTuple):
    """A validated task: which instances, what of them, and within what limits."""

    workflow_name: str
    target: Target
    wanted: Wanted
    limits: Limits
    pacing: Pacing


def argument_spec() -> dict[str, t.Any]:
    """The module's whole argument spec."""
    return {
        **auth.argument_spec(),
        "workflow_name": {"type": "str", "required": True},
        **target_spec(),
        "state": {"type": "str", "required": True, "choices": ["running", "paused", "terminated", "restarted"]},
        "when_status": {"type": "list", "elements": "str", "choices": list(lifecycle.STATUSES)},
        "from_step": {
            "type": "dict",
            "options": {
                "name": {"type": "str", "required": True},
                "count": {"type": "int", "default": 1},
                "type": {"type": "str", "default": "do", "choices": ["do", "sleep", "waitForEvent"]},
            },
        },
        "from_failed_step": {"type": "bool", "default": False},
        "rollback": {"type": "bool", "default": False},
        "skip_finished": {"type": "bool", "default": False},
        **wait_spec(),
        "max_instances": {"type": "int", "default": 1000},
        "max_failures": {"type": "int"},
        **pacing_spec(),
        **progress_spec(),
    }


def misfit(raw: t.Mapping[str, t.Any]) -> str | None:
    """What of the arguments as written ansible-core would take for something else, or answer with a traceback."""
    return misfit_of(raw, argument_spec(), _DICTIONARIES)


def harm_of_retries(params: t.Mapping[str, t.Any]) -> str | None:
    """Each task is one run: nothing of it knows what an earlier one has sent (FIELD.md, 13)."""
    select = params["select"] or {}
    if params["when_status"] or select.get("status") or not (params["state"] == "restarted" or params["rollback"]):
        return None
    what = "restart" if params["state"] == "restarted" else "rollback"
    helps = "[errored]" if params["state"] == "restarted" else "[running, waiting, paused]"
    return (
        f"until or retries would send this {what} again where an earlier try has sent it already: at most once holds for one run of a "
        f"task; add when_status, such as {helps}"
    )


def validate(params: t.Mapping[str, t.Any]) -> Request:
    """Turn the options into a Request.

    An option at its default counts as not given: rules between options look at values, not at presence.

    Raises:
        OptionError: names the option, and what would be right.
    """
    check_workflow_name(params["workflow_name"])
    check_numbers(params)
    target = target_of(params)
    return Request(
        workflow_name=params["workflow_name"],
        target=target,
        wanted=_wanted(params, target.selection),
        limits=Limits(
            max_instances=params["max_instances"],
            max_failures=params["max_failures"],
            concurrency=params["concurrency"],
            connection_attempts=params["api_retries"] + 1,
        ),
        pacing=pacing_of(params),
    )


def perform(host: Host) -> Result:
    """Bring the instances to the state wanted; returns the module's result and never raises."""
    return guarded(host, validate, _pursue)


def _pursue(host: Host, connection: Connection, request: Request) -> Result:
    session = Session(host, connection, request.pacing)
    client = session.client
    workflow = Workflow(client, request.workflow_name)
    surveyor = Surveyor(workflow, session.clock, server_date=lambda: client.server_date)
    fleet = Fleet(workflow, surveyor, request.wanted, request.limits, session.clock, session.gate, session.controller.gone, host.check_mode)
    look = functools.partial(_snapshot, fleet, session)
    participle = "looked at" if host.check_mode else lifecycle.PARTICIPLE_OF[lifecycle.ACTION_OF[request.wanted.state]]
    with reported(host, request.workflow_name, participle, host.params["progress"], look, session.glance):
        fleet.run(request.target.instance_ids, request.target.selection)
    return _result(host, request, fleet, session)


def _snapshot(fleet: Fleet, session: Session) -> Snapshot:
    """Where the work is, as far as can be seen from another thread while it goes on."""
    records = fleet.records
    blocked = session.gate.blocked_seconds()
    outcomes = collections.Counter(record.outcome for record in records)
    return Snapshot(
        at=session.clock.monotonic(),
        total=len(records) or None,
        changed=tuple(record.id for record in records if record.outcome == CHANGED),
        unchanged=outcomes[UNCHANGED],
        failed=outcomes[FAILED] + outcomes[UNKNOWN] + outcomes[NOT_ATTEMPTED],
        on_their_way=sum(record.outcome is None and record.sends > 0 for record in records),
        calls=session.calls(),
        blocked=blocked,
        blocked_until=session.clock.time_of_day(blocked) if blocked else "",
    )


def _result(host: Host, request: Request, fleet: Fleet, session: Session) -> Result:
    records, fatal = fleet.records, fleet.fatal
    failed = fatal is not None or any(record.failed for record in records)
    told = Told(
        records,
        request.workflow_name,
        request.wanted,
        request.limits.max_instances,
        host.check_mode,
        request.target.selection,
        fatal,
        _estimate(host, request, records, session),
    )
    matched = fatal.matched if isinstance(fatal, TooManyMatched) else None
    result: Result = {
        "msg": message(told),
        "changed": any(record.changed for record in records),
        "failed": failed,
        "instances": report.items(records),
        "summary": report.summary(records, fleet.found, matched, session.duration()),
        "api_calls": session.api_calls(),
        "messages": report.messages(session.client.messages),
        "ids": report.ids(records),
    }
    if not failed:
        result["ansible_facts"] = {"workflow_instance_status": report.facts(records)}
    if host.diff_mode:
        result["diff"] = report.diff(records)
    for text in bounds.fit(result):
        host.warn(text)
    if request.target.is_single:
        result["instance"] = result["instances"][0]
    for text in report.warnings(told, session.client.messages, fleet.found, session.gate.held_seconds(), failed):
        host.warn(text)
    if failed and result["summary"]["not_attempted"]:
        # Where the controller is gone, the system's log is the only one still listening.
        host.log(f"edgeops.cloudflare: {result['msg']}")
    return result


def _estimate(host: Host, request: Request, records: list[Record], session: Session) -> str | None:
    """Check mode of many: what a real run would cost."""
    changes = sum(record.changed for record in records)
    if not host.check_mode or request.target.is_single or not changes:
        return None
    calls_each = 2 if request.wanted.state == "restarted" else 1
    pacing = request.pacing
    return report.estimate(changes, calls_each, pacing.requests_per_second, pacing.rate_limit_reserve, session.gate.least_left())


def _wanted(params: t.Mapping[str, t.Any], selection: Selection | None) -> Wanted:
    state = params["state"]
    step = _step(params["from_step"])
    when_status = frozenset(params["when_status"]) if params["when_status"] is not None else None
    if when_status is not None and not when_status:
        raise OptionError("when_status is empty, so nothing could ever be done; name at least one status, or leave it out")
    if step and params["from_failed_step"]:
        raise OptionError("from_step and from_failed_step exclude each other; give one of them")
    for option, given in (("from_step", step), ("from_failed_step", params["from_failed_step"])):
        if given and state != "restarted":
            raise OptionError(f"{option} works with state=restarted only; state is {state}")
    if params["rollback"] and state != "terminated":
        raise OptionError(f"rollback works with state=terminated only; state is {state}")
    selected = frozenset(selection.statuses) if selection and selection.statuses else None
    if state == "restarted" and selection and not (selected or when_status):
        raise OptionError(
            "state=restarted with select needs select.status or when_status, so that nothing that is complete runs again by "
            "a slip; name the statuses to restart, such as [errored]"
        )
    return Wanted(
        state=state,
        when_status=when_status,
        selected=selected,
        error_glob=selection.error_glob if selection else None,
        step=step,
        from_failed_step=params["from_failed_step"],
        rollback=params["rollback"],
        skip_finished=params["skip_finished"],
        wait=params["wait"],
        wait_timeout=params["wait_timeout"],
        wait_sleep=params["wait_sleep"],
    )


def _step(from_step: t.Mapping[str, t.Any] | None) -> Step | None:
    if from_step is None:
        return None
    check_step_name("from_step.name", from_step["name"])
    return Step(from_step["name"], from_step["count"], from_step["type"])
