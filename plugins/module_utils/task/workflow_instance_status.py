# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""`workflow_instance_status`: its work, and its result."""

from __future__ import annotations

import collections
import functools
import os
import typing as t

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.client import LIST
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.connection import Connection
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import TooManyMatched
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.workflows import Workflow
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet import bounds, cost, report
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.account import Told, message
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.fleet import Fleet
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.survey import Surveyor
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance import lifecycle
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.record import (
    CHANGED,
    FAILED,
    NOT_ATTEMPTED,
    UNCHANGED,
    UNKNOWN,
    Record,
)
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.host import Host, Result
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.ledger_file import LedgerFile
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.logbook import Heading, Logbook, Outlet, Printer
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.misfit import misfit as misfit_of
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.perform import guarded
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.progress import Snapshot
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.reporter import reported
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.session import Session
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.status_request import Request, argument_spec, validate

# What makes this room a Task.
__all__ = ["argument_spec", "harm_of_retries", "misfit", "perform"]

_DICTIONARIES = {"from_step": "{name: charge}", "canary": "{wait_timeout: 900}", "select": "{status: [errored]}"}


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


def perform(host: Host) -> Result:
    """Bring the instances to the state wanted; returns the module's result and never raises."""
    return guarded(host, validate, _pursue)


def _pursue(host: Host, connection: Connection, request: Request) -> Result:
    session = Session(host, connection, request.pacing)
    client = session.client
    workflow = Workflow(client, request.workflow_name)
    surveyor = Surveyor(workflow, session.clock, server_date=lambda: client.server_date)
    logbook = _logbook(host, connection, request, session)
    fleet = Fleet(
        workflow,
        surveyor,
        request.wanted,
        request.limits,
        session.clock,
        session.gate,
        session.controller.gone,
        host.check_mode,
        logbook,
    )
    look = functools.partial(_snapshot, fleet, session)
    participle = "looked at" if host.check_mode else lifecycle.PARTICIPLE_OF[lifecycle.ACTION_OF[request.wanted.state]]
    if logbook:
        logbook.begin()
    with reported(host, request.workflow_name, participle, host.params["progress"], look, session.glance):
        fleet.run(request.target.instance_ids, request.target.selection)
    return _result(host, request, fleet, session)


def _logbook(host: Host, connection: Connection, request: Request, session: Session) -> Logbook | None:
    """The record that is kept, where it is asked for and can be. Raises OptionError where the file's can't be used."""
    heading = Heading(
        connection.account_id, connection.api_url, request.workflow_name, request.wanted.state, os.environ.get("JOB_ID") or None
    )
    # Read in check mode, too: what a run would refuse, its plan refuses.
    outlets: list[Outlet] = [LedgerFile(request.record_file, heading)] if request.record_file else []
    if request.prints_record and host.shows_lines:
        outlets.append(Printer(heading, host.show))
    return Logbook(outlets, session.clock.timestamp) if outlets and not host.check_mode else None


def _snapshot(fleet: Fleet, session: Session) -> Snapshot:
    """Where the work is, as far as can be seen from another thread while it goes on."""
    records = fleet.records
    outcomes = collections.Counter(record.outcome for record in records)
    return session.snapshot(
        len(records) or None,
        tuple(record.id for record in records if record.outcome == CHANGED),
        outcomes[UNCHANGED],
        outcomes[FAILED] + outcomes[UNKNOWN] + outcomes[NOT_ATTEMPTED],
        on_their_way=sum(record.outcome is None and record.sends > 0 for record in records),
        batch=(len(fleet.batches.begun), fleet.batches.expected),
    )


def _result(host: Host, request: Request, fleet: Fleet, session: Session) -> Result:
    records, fatal = fleet.records, fleet.fatal
    failed = fatal is not None or any(record.failed for record in records)
    estimate = _estimate(host, request, records, session)
    told = Told(
        records,
        request.workflow_name,
        request.wanted,
        request.limits.max_instances,
        host.check_mode,
        request.target.selection,
        fatal,
        estimate.text if estimate else None,
        fleet.batches.told(),
        request.limits.batch_pause,
        request.limits.canary is not None,
    )
    matched = fatal.matched if isinstance(fatal, TooManyMatched) else None
    result: Result = {
        "msg": message(told),
        "changed": any(record.changed for record in records),
        "failed": failed,
        "instances": report.items(report.news_of(records) if request.is_brief else records),
        "summary": report.summary(records, fleet.found, matched, session.duration()),
        "api_calls": session.api_calls(),
        "messages": report.messages(session.client.messages),
        "ids": report.ids(records),
        "ended_early": fatal.message if fatal else None,
    }
    if told.batches:
        result["batches"] = told.batches
    if estimate:
        result["estimate"] = {
            "calls": estimate.calls.made,
            "seconds": round(estimate.seconds + request.limits.batch_pause * len(told.batches[1:]), 1),
        }
    if not failed and not request.is_brief:
        result["ansible_facts"] = {"workflow_instance_status": report.facts(records)}
    if host.diff_mode:
        result["diff"] = report.diff_in_brief(records) if request.is_brief else report.diff(records)
    if request.target.is_single:
        result["instance"] = report.items(records)[0]
    for text in bounds.fit_brief(result) if request.is_brief else bounds.fit(result):
        host.warn(text)
    for text in report.warnings(told, session.client.messages, fleet.found, session.gate.held_seconds(), failed):
        host.warn(text)
    if failed and result["summary"]["not_attempted"]:
        # Where the controller is gone, the system's log is the only one still listening.
        host.log(f"edgeops.cloudflare: {result['msg']}")
    return result


def _estimate(host: Host, request: Request, records: list[Record], session: Session) -> cost.Estimate | None:
    """Check mode of many: what a real run would cost."""
    changes = sum(record.changed for record in records)
    if not host.check_mode or request.target.is_single or not changes:
        return None
    calls = cost.of_changes(changes, request.wanted, listed=session.client.counts[LIST])
    pacing = request.pacing
    return cost.estimate(calls, pacing.requests_per_second, pacing.rate_limit_reserve, session.gate.least_left())
