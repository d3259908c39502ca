# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""`workflow_instance_info`: its options, its work, and its result."""

from __future__ import annotations

import collections
import functools
import typing as t

from ansible_collections.edgeops.cloudflare.plugins.module_utils import auth
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.client import LIST, READ
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.connection import Connection
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import CloudflareError, OptionError, TooLarge, TooManyMatched
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.text import clean, shown_id, shown_name
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.types import Json
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.workflows import Workflow
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet import bounds, report
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.account import too_many
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.gathering import Extent
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.inspection import Inspection, Reading
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.survey import Surveyor
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.names import (
    check_workflow_name,
)
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.sentence import Sentence
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.telling import FIELDS, told
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.host import Host, Result
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.misfit import misfit as misfit_of
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.numbers import BOUNDS, check_numbers
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.options import Pacing, pacing_of, pacing_spec, progress_spec
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.perform import guarded
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.progress import Snapshot
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.reporter import reported
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.session import Session
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.target import Target, target_of, target_spec

_DICTIONARIES = {"select": "{status: [errored]}"}

#: Ids named in a sentence.
_SHOWN = 5


class Request(t.NamedTuple):
    """A validated task."""

    workflow_name: str
    target: Target
    reading: Reading
    fields: tuple[str, ...]
    max_instances: int
    pacing: Pacing


def argument_spec() -> dict[str, t.Any]:
    """The module's whole argument spec."""
    return {
        **auth.argument_spec(),
        "workflow_name": {"type": "str", "required": True},
        **target_spec(),
        "details": {"type": "bool", "default": False},
        "steps": {"type": "bool", "default": False},
        "max_logs": {"type": "int", "default": 20},
        "max_pages": {"type": "int"},
        "fields": {"type": "list", "elements": "str", "choices": list(FIELDS)},
        **pacing_spec(),
        **progress_spec(),
    }


def misfit(raw: t.Mapping[str, t.Any]) -> str | None:
    """What of the arguments as written ansible-core would take for something else, or answer with a traceback."""
    return misfit_of(raw, argument_spec(), _DICTIONARIES)


def harm_of_retries(_params: t.Mapping[str, t.Any]) -> str | None:
    """Reading again does no harm."""
    return None


def validate(params: t.Mapping[str, t.Any]) -> Request:
    """Turn the options into a Request.

    Raises:
        OptionError: names the option, and what would be right.
    """
    check_workflow_name(params["workflow_name"])
    check_numbers(params)
    target = target_of(params)
    if params["max_logs"] != 20 and not params["steps"]:
        raise OptionError("max_logs bounds what steps=true reads; give steps=true as well, or leave it out")
    if params["max_pages"] is not None and target.selection is None:
        raise OptionError("max_pages bounds the listing of a selection; give select as well, or leave it out")
    if params["fields"] is not None and not params["fields"]:
        raise OptionError("fields is empty and would tell nothing but ids; name at least one, such as status, or leave it out")
    return Request(
        workflow_name=params["workflow_name"],
        target=target,
        # Of one instance alone, one look tells all.
        reading=Reading(params["details"] or target.is_single, params["max_logs"] if params["steps"] else 0, params["max_pages"]),
        fields=tuple(params["fields"] or FIELDS),
        max_instances=params["max_instances"],
        pacing=pacing_of(params),
    )


def perform(host: Host) -> Result:
    """Read the instances; returns the module's result and never raises."""
    return guarded(host, validate, _inspect)


def _inspect(host: Host, connection: Connection, request: Request) -> Result:
    session = Session(host, connection, request.pacing)
    workflow = Workflow(session.client, request.workflow_name)
    surveyor = Surveyor(workflow, session.clock, server_date=lambda: session.client.server_date)
    inspection = Inspection(workflow, surveyor, request.reading, request.max_instances, request.pacing.concurrency)
    look = functools.partial(_snapshot, inspection, session)
    with reported(host, request.workflow_name, "read", host.params["progress"], look, session.glance):
        inspection.run(request.target.instance_ids, request.target.selection)
    return _result(host, request, inspection, session)


def _snapshot(inspection: Inspection, session: Session) -> Snapshot:
    """Where the reading is, as far as can be seen from another thread while it goes on."""
    dossiers = inspection.dossiers
    read = tuple(one.id for one in dossiers if one.was_read)
    return session.snapshot(len(dossiers) or None, read, sum(one.is_missing for one in dossiers), 0)


def _result(host: Host, request: Request, inspection: Inspection, session: Session) -> Result:
    dossiers = inspection.dossiers
    items = [told(one.id, one.listed, one.detail, one.has_log) for one in dossiers if one.was_read]
    missing = [one.id for one in dossiers if one.is_missing] if request.target.selection is None else []
    short = [one for one in dossiers if one.fell_short or not (one.was_read or one.is_missing)]
    fatal = inspection.fatal
    trouble = fatal or next((one.trouble for one in short if one.trouble), None)
    extent = inspection.found.extent if inspection.found else None
    result: Result = {
        "msg": str(_message(request, items, missing, len(short), trouble, extent)),
        "changed": False,
        "failed": trouble is not None,
        "instances": items,
        "missing": missing,
        "summary": {
            "matched": fatal.matched if isinstance(fatal, TooManyMatched) else sum(not one.is_missing for one in dossiers),
            "read": len(items),
            "missing": len(missing),
            "by_status": dict(collections.Counter(item["status"] for item in items)),
            "logs": sum(item["log"] is not None for item in items),
            "listed": extent.listed if extent else None,
            "total": extent.total if extent else None,
            "truncated": extent.is_cut if extent else False,
            "duration": round(session.duration(), 3),
        },
        "api_calls": session.api_calls((READ, LIST)),
        "messages": report.messages(session.client.messages),
        "ended_early": fatal.message if fatal else None,
    }
    result["instances"] = [{"id": item["id"], **{field: item[field] for field in request.fields}} for item in items]
    for text in [*bounds.fit_readings(result), *_warnings(request, inspection, result["summary"])]:
        host.warn(text)
    if request.target.is_single:
        result["instance"] = result["instances"][0] if items else None
    return result


def _warnings(request: Request, inspection: Inspection, summary: Json) -> t.Iterator[str]:
    count, most = summary["read"], request.reading.most_logs
    if most and summary["logs"] < count and count > most:
        all_of_them = f"max_logs={count} reads them all" if count <= BOUNDS["max_logs"][1] else "a narrower select reads them all"
        known = any(one.listed for one in inspection.dossiers)
        which = "the newest" if known else "the first of those given"
        yield f"the logs of {summary['logs']:,} of {count:,} instances were read, {which}; {all_of_them}"
    large = [one for one in inspection.dossiers if isinstance(one.trouble, TooLarge)]
    if large:
        shown = ", ".join(shown_id(one.id) for one in large[:_SHOWN])
        yield f"{len(large):,} were not read as asked for, since the answer is too large ({shown})"
    gone = sum(one.is_missing for one in inspection.dossiers)
    if request.target.selection is not None and gone:
        yield f"{gone:,} that matched were deleted while they were read"
    found = inspection.found
    if found is not None:
        yield from found.remarks
        if not found.converged:
            yield f"new instances kept appearing in the selection during all {found.passes} passes; more may match by now"


def _message(
    request: Request, items: list[Json], missing: list[str], short: int, error: CloudflareError | None, extent: Extent | None
) -> Sentence:
    name = shown_name(request.workflow_name)
    if isinstance(error, TooManyMatched):
        return too_many(error, name, request.max_instances, "nothing was read")
    statuses = ", ".join(
        f"{count:,} {clean(status, 40)}" for status, count in collections.Counter(i["status"] for i in items).most_common()
    )
    if request.target.is_single and items:
        true = f"{shown_id(items[0]['id'])} is {clean(items[0]['status'], 40)}"
    elif items:
        true = f"{len(items):,} instance{'s' if len(items) != 1 else ''} of {name}: {statuses}"
    elif error is not None:
        ids = request.target.instance_ids
        true = f"{shown_id(ids[0]) if ids and len(ids) == 1 else f'The instances of {name}'} could not be read"
    elif request.target.selection:
        true = f"No instance of {name} matches ({request.target.selection.told()})"
    else:
        true = f"No instance of {name} {'was found' if request.target.instance_ids else 'is asked for'}"
    if extent is not None and extent.is_cut:
        of_how_many = f" of {extent.total:,}" if extent.total else ""
        true += f"; the newest {extent.listed:,}{of_how_many} were looked through (max_pages)"
    if missing:
        shown = ", ".join(map(shown_id, missing[:_SHOWN]))
        true += f"; not found: {shown}" + (f" and {len(missing) - _SHOWN:,} more in missing" if len(missing) > _SHOWN else "")
    if error is None:
        return Sentence(true)
    if short and items:
        true += f"; {short:,} could not be read as asked for"
    return Sentence(true, why=error.message, do=error.advice or "Run again")
