# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report on a workflow's instances: what to read for it, and what that tells. Pure.

It is made of what is known so far: the less was read, the less it tells, and it says so.
"""

from __future__ import annotations

import typing as t
from datetime import datetime, timedelta, timezone
from urllib.parse import quote

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import OptionError
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.text import clean, shown_name
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.timestamps import parse_timestamp, to_utc
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.types import Json
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.workflows import PAGE_SIZE
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task import ledger
from ansible_collections.edgeops.cloudflare.plugins.plugin_utils.runbook import failures, fates, hours, orders, remarks, statuses

#: What is looked at where no time is given.
_A_DAY = timedelta(hours=24)

#: The earliest time that a day can be taken off.
_EARLIEST = datetime.min.replace(tzinfo=timezone.utc) + _A_DAY

_DASHBOARD = "https://dash.cloudflare.com/{0}/workers/workflows/{1}/instance/{2}"


class Ask(t.NamedTuple):
    """What to read for a report.

    select, max_pages, max_instances: the options of the listing.
    failed: ids of those to look at alone, with their logs; recorded: ids of those to look at that were not listed.
    """

    select: dict[str, str]
    max_pages: int
    max_instances: int
    failed: list[str]
    recorded: list[str]


class Report(t.NamedTuple):
    """A report.

    now, since: the time, and from when on instances were listed, `2026-08-06T03:00:00Z`.
    listed: how many instances it rests on; errored: how many of them are errored, of which `read` were looked at alone.
    headline: what is true, in one sentence; remarks: what it does not tell, and how to have it told, a sentence each.
    rows: the statuses that there are, bad news first.
    errors, steps: what failed, by error and by step.
    tells_ends: the hours tell of ends, and not of creations alone.
    fates: what has become of the instances of a record; None where none was given.
    calls: of the API.
    """

    ask: Ask
    workflow_name: str
    account_id: str | None
    now: str
    since: str
    listed: int
    errored: int
    read: int
    headline: str
    remarks: list[str]
    rows: list[statuses.Row]
    errors: list[failures.Group]
    steps: list[failures.Group]
    throughput: hours.Throughput
    tells_ends: bool
    fates: list[fates.Fate] | None
    calls: int

    @property
    def name(self) -> str:
        """The workflow's name as it may be shown."""
        return shown_name(self.workflow_name)

    def link(self, instance_id: str) -> str | None:
        """The page of an instance in Cloudflare's dashboard; None in a development session, which has no account."""
        if self.account_id is None:
            return None
        return _DASHBOARD.format(*(quote(part, safe="") for part in (self.account_id, self.workflow_name, instance_id)))


def report(known: Json) -> Report:
    """The report by what is known so far.

    Args:
        known: inputs, record (the text of the record that was given, "" where none was) and now; then, as far as they were read,
            the results of the modules: workflow, listed, failed, recorded.

    Raises:
        OptionError: what was given can't be meant.
    """
    inputs: Json = known["inputs"]
    now = parse_timestamp(known["now"])
    if now is None:
        raise OptionError(f"now must be a time; it is {clean(known['now'], 40)}")
    select = _select(inputs, now)
    workflow, listed, looked, recorded = (known.get(name) or {} for name in ("workflow", "listed", "failed", "recorded"))
    record = _record(inputs, orders.record_text(known.get("record")), workflow)
    items: list[Json] = listed.get("instances") or []
    errored = failures.newest_first(failures.failure_of(item) for item in items if item["status"] == "errored")
    details: list[Json] = looked.get("instances") or []
    summary_listed = listed.get("summary") or {}
    have_logs = (looked.get("summary") or {}).get("logs", 0) >= len(details)
    found = [failures.failure_of(item, have_logs) for item in details if item["status"] == "errored"]
    name = str(inputs["workflow_name"])
    looks = {item["id"]: str(item["status"]) for item in [*items, *details, *(recorded.get("instances") or [])]}
    ids = fates.recorded(record, name) if record else []
    most = inputs["max_pages"] * PAGE_SIZE
    counts = (workflow.get("workflow") or {}).get("counts")
    rows = statuses.rows(items, counts, now)
    return Report(
        ask=Ask(
            select,
            inputs["max_pages"],
            most,
            [one.id for one in errored][: inputs["max_details"]],
            [one for one in ids if one not in looks][:most],
        ),
        workflow_name=name,
        account_id=workflow.get("account_id"),
        now=to_utc(now),
        since=select["created_after"],
        listed=len(items),
        errored=len(errored),
        read=len(found),
        headline=remarks.headline(shown_name(name), rows, errored, select, len(items)),
        remarks=remarks.remarks(
            listed, looked, recorded, rows, remarks.of_how_many(len(errored), len(found), inputs["max_details"]), select
        ),
        rows=rows,
        errors=failures.by_error(found),
        steps=failures.by_step(found),
        throughput=hours.throughput(items, _begin(items, select, now, bool(summary_listed.get("truncated"))), now),
        tells_ends=hours.tells_ends(items),
        fates=fates.fates(record, name, looks, recorded.get("missing") or ()) if record else None,
        calls=sum((result.get("api_calls") or {}).get("total", 0) for result in (workflow, listed, looked, recorded)),
    )


# -- what is asked for -----------------------------------------------------------------------------------------------------


def _select(inputs: Json, now: datetime) -> dict[str, str]:
    """The listing: what was created in the last 24 hours, or since a time, or in the 24 hours before another."""
    moments: dict[str, datetime] = {}
    for option in ("created_after", "created_before"):
        if inputs[option] is not None:
            moment = parse_timestamp(inputs[option])
            if moment is None:
                raise OptionError(
                    f"{option} must be a time with its offset, such as 2026-08-06T03:00:00Z; it is {clean(repr(inputs[option]), 60)}"
                )
            moments[option] = moment
    if "created_after" not in moments:
        moments["created_after"] = max(moments.get("created_before", now), _EARLIEST) - _A_DAY
    if moments["created_after"] > moments.get("created_before", now):
        end = "created_before" if "created_before" in moments else "now"
        raise OptionError(f"created_after is later than {end}, so nothing can be told; give an earlier one")
    select = {option: to_utc(moment) for option, moment in moments.items()}
    if inputs["id_glob"] is not None:
        select["id_glob"] = inputs["id_glob"]
    return select


def _record(inputs: Json, text: str, workflow: Json) -> ledger.Ledger | None:
    """The record that was given. Raises OptionError where it can't be used."""
    given = [name for name in orders.RECORD_SOURCES if inputs.get(name) is not None]
    if len(given) > 1:
        raise OptionError(f"{' and '.join(given)} both name a record; give one of them")
    if not given:
        return None
    if not text.strip():
        raise OptionError(f"there is no record in {given[0]} {clean(inputs[given[0]], 120)}; give another one, or leave it out")
    record = ledger.read(text)
    if workflow:
        record.check_origin(workflow["account_id"], workflow["api_url"])
    if not record.of_workflow(inputs["workflow_name"]):
        others = ", ".join(dict.fromkeys(shown_name(entry.workflow_name) for entry in record.entries)) or "no workflow"
        raise OptionError(
            f"the record tells of no instance of {shown_name(inputs['workflow_name'])} (it tells of {clean(others, 200)}); "
            "give another record, or the workflow that it is of"
        )
    return record


# -- what it tells ---------------------------------------------------------------------------------------------------------


def _begin(items: list[Json], select: t.Mapping[str, str], now: datetime, is_cut: bool) -> datetime:
    """From when on the hours tell: as far as the listing goes, where that is less than was asked for, or where that was long ago."""
    asked = parse_timestamp(select["created_after"]) or now
    if not is_cut and now - asked <= timedelta(hours=hours.MOST_SPANS - 1):
        return asked
    created = [moment for moment in (parse_timestamp(item["created_on"]) for item in items) if moment is not None]
    return max(asked, min(created)) if created else max(asked, now - _A_DAY)
