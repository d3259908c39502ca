# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""`workflow_info`: its options, its work, and its result."""

from __future__ import annotations

import typing as t

from ansible_collections.edgeops.cloudflare.plugins.module_utils import auth
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.client import LIST, READ, Client
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.connection import Connection
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import CloudflareError, OptionError
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.text import clean, shown_name
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.types import Json
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.workflows import MOST_LISTED, Account, Workflow
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet import report
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.look import text_of
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.names import (
    TAKEN_WORKFLOWS,
    check_addressable,
    check_blanks,
    check_workflow_name,
)
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.sentence import Sentence
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.host import Host, Result
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.misfit import misfit as misfit_of
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.numbers import check_numbers
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.options import Pacing, pacing_of, pacing_spec
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.perform import guarded
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.session import Session

#: Fields of a workflow that are told as the API has them.
_FIELDS = ("id", "class_name", "script_name", "created_on", "modified_on", "triggered_on", "version_id", "script_deleted")

#: How a server says that it has no such call.
_NOT_THERE = (404, 405)

OLD_COUNTS = "a development session tells counts that may be up to 30 seconds old"


class Request(t.NamedTuple):
    """A validated task; workflow_name is None where all workflows are asked for."""

    workflow_name: str | None
    search: str | None
    versions: bool
    settings: bool
    pacing: Pacing


def argument_spec() -> dict[str, t.Any]:
    """The module's whole argument spec."""
    return {
        **auth.argument_spec(),
        "workflow_name": {"type": "str"},
        "search": {"type": "str"},
        "versions": {"type": "bool", "default": False},
        "settings": {"type": "bool", "default": False},
        **pacing_spec(),
    }


def misfit(raw: t.Mapping[str, t.Any]) -> str | None:
    """What of the arguments as written ansible-core would take for something else, or answer with a traceback."""
    return misfit_of(raw, argument_spec(), {})


def harm_of_retries(_params: t.Mapping[str, t.Any]) -> str | None:
    """Reading again does no harm."""
    return None


def validate(params: t.Mapping[str, t.Any]) -> Request:
    """Turn the options into a Request.

    Raises:
        OptionError: names the option, and what would be right.
    """
    name, search = params["workflow_name"], params["search"]
    if name is not None:
        check_workflow_name(name)
        check_addressable("workflow_name", name, TAKEN_WORKFLOWS)
    check_numbers(params)
    if name is not None and search is not None:
        raise OptionError("workflow_name and search exclude each other; give one of them, or neither for all workflows")
    if search is not None and not search.strip():
        raise OptionError("search is empty and would match every workflow; give a part of a name, or leave it out")
    check_blanks("search", search or "")
    if params["versions"] and name is None:
        raise OptionError("versions=true reads those of one workflow; give workflow_name as well")
    return Request(name, search, params["versions"], params["settings"], pacing_of(params))


def perform(host: Host) -> Result:
    """Read the workflows; returns the module's result and never raises."""
    return guarded(host, validate, _read)


def _read(host: Host, connection: Connection, request: Request) -> Result:
    session = Session(host, connection, request.pacing)
    client = session.client
    result: Result = {"msg": "", "changed": False, "failed": False, "workflows": [], "settings": None}
    result["account_id"], result["api_url"] = connection.account_id or None, connection.api_url
    try:
        sentence = _read_all(host, client, request, result) if request.workflow_name is None else _read_one(client, request, result)
    except CloudflareError as error:
        true = (
            "The workflows could not be read" if request.workflow_name is None else f"{shown_name(request.workflow_name)} could not be read"
        )
        sentence = _unread(result, Sentence(true), "", error)
    else:
        sentence = _read_more(client, request, result, sentence)
    result["msg"] = str(sentence)
    result["api_calls"] = session.api_calls((READ, LIST))
    result["messages"] = report.messages(client.messages)
    if client.is_development_session and not client.prefix and result["workflows"]:
        host.warn(OLD_COUNTS)
    return result


def _read_all(host: Host, client: Client, request: Request, result: Result) -> Sentence:
    listed = Account(client).workflows(request.search)
    if not client.prefix and request.search:
        # A development session lists all of them, whatever is searched for.
        listed = [row for row in listed if request.search.casefold() in str(row.get("name")).casefold()]
    result["workflows"] = [told(row) for row in listed]
    if len(listed) >= MOST_LISTED:
        host.warn(f"{len(listed):,} workflows were read, and there may be more; search narrows them down")
    return _of_all(request, result["workflows"])


def _read_one(client: Client, request: Request, result: Result) -> Sentence:
    name = request.workflow_name or ""
    result["workflow"] = told(Workflow(client, name).describe(), name)
    result["workflows"] = [result["workflow"]]
    return _of_one(result["workflow"])


def _read_more(client: Client, request: Request, result: Result, sentence: Sentence) -> Sentence:
    """Versions and settings, where they are asked for; what was read before stays true whatever becomes of them."""
    if request.versions:
        try:
            result["workflow"]["versions"] = _tried(Workflow(client, request.workflow_name or "").versions)
        except CloudflareError as error:
            sentence = _unread(result, sentence, "its versions could not be read", error)
    if request.settings:
        try:
            result["settings"] = _tried(Account(client).settings)
        except CloudflareError as error:
            sentence = _unread(result, sentence, "the account's settings could not be read", error)
    return sentence


def _unread(result: Result, sentence: Sentence, what: str, error: CloudflareError) -> Sentence:
    """A sentence with what could not be read."""
    result["failed"] = True
    why = f"{what}: {error.message}" if what else error.message
    return Sentence(sentence.true, why="; ".join(part for part in (sentence.why, why) if part), do=error.advice or "Run again")


def _tried(read: t.Callable[[], t.Any]) -> t.Any:
    """What a server may not have (a development session, an older one); None where it hasn't."""
    try:
        return read()
    except CloudflareError as error:
        # An older server takes `settings` for the name of a workflow.
        if error.http_status in _NOT_THERE:
            return None
        raise


def told(row: Json, name: str | None = None) -> Json:
    """The item of a workflow, one shape whether it was listed or read alone."""
    counts, schedules, limits = row.get("instances"), row.get("schedules"), row.get("limits")
    return {
        "name": text_of(row.get("name")) or name,
        **{field: row.get(field) for field in _FIELDS},
        "counts": {str(status): count for status, count in counts.items() if _is_count(count)} if isinstance(counts, dict) else None,
        "schedules": [entry for entry in schedules if isinstance(entry, dict)] if isinstance(schedules, list) else [],
        "limits": limits if isinstance(limits, dict) else None,
        "versions": None,
    }


def _is_count(value: t.Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _of_one(workflow: Json) -> Sentence:
    if workflow["counts"] is None:
        return Sentence(f"{shown_name(workflow['name'])} is there; how many instances it has was not told")
    return Sentence(f"{shown_name(workflow['name'])} has {_counted(workflow['counts'])}")


def _of_all(request: Request, workflows: list[Json]) -> Sentence:
    if not workflows:
        return Sentence(f"No workflow has {clean(request.search, 64)} in its name" if request.search else "The account has no workflow")
    whose = f" with {clean(request.search, 64)} in the name" if request.search else ""
    total: dict[str, int] = {}
    for workflow in workflows:
        for status, count in (workflow["counts"] or {}).items():
            total[status] = total.get(status, 0) + count
    return Sentence(f"{len(workflows):,} workflow{'s' if len(workflows) != 1 else ''}{whose}, with {_counted(total)}")


def _counted(counts: dict[str, int]) -> str:
    told_ = [f"{count:,} {clean(status, 40)}" for status, count in sorted(counts.items(), key=lambda pair: -pair[1]) if count]
    return ", ".join(told_) if told_ else "no instances"
