# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a runbook is ordered to do: to which instances, with which options of the module, by which record. Pure.

No scope is no order: what is left blank never widens it.
"""

from __future__ import annotations

import datetime
import json
import typing as t

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import OptionError
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.text import clean, shown_name
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.timestamps import parse_timestamp, to_utc
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.ledger import KEPT, Entry, Ledger, read
from ansible_collections.edgeops.cloudflare.plugins.plugin_utils.runbook.words import instances

#: Where a record can come from; one of them at most.
RECORD_SOURCES = ("edgeops_record", "record_file", "record_job")

#: Those that any selection can be narrowed by.
FILTERS = ("created_after", "created_before", "id_glob", "version_id", "trigger_source")

#: Those who mean failures of any time say so.
_ALL = "all"

#: entry point → what it brings instances to.
STATE_OF = {"pause_all": "paused", "resume_paused": "running", "restart_failed": "restarted", "terminate": "terminated"}

#: entry point → by records of which states it works.
_STATES_READ = {"resume_paused": ("paused",), "restart_failed": ("paused", "running", "restarted")}


class Circumstances(t.NamedTuple):
    """What a run has besides its inputs.

    record: the text of the record that was given, from wherever; None where none was.
    began: the time at which it began, `2026-08-06T03:24:10Z`.
    job: the number of the AWX job; None elsewhere.
    folder: where a record's file is made.
    """

    record: str | None
    began: str
    job: str | None
    folder: str


class Order(t.NamedTuple):
    """An order.

    instance_ids, select: which instances; one of them is None.
    scope: the same in words.
    options: of the module, by their names, the same in the plan and in the change.
    ledger: the record that was given.
    record_file: where the record of this run is kept; record: what stands there when it begins.
    """

    entry_point: str
    inputs: t.Mapping[str, t.Any]
    circumstances: Circumstances
    instance_ids: list[str] | None
    select: dict[str, t.Any] | None
    scope: str
    options: dict[str, t.Any]
    ledger: Ledger | None
    record_file: str
    record: str

    @property
    def workflow_name(self) -> str:
        return str(self.inputs["workflow_name"])


def order(entry_point: str, inputs: t.Mapping[str, t.Any], circumstances: Circumstances) -> Order:
    """The order that the inputs make.

    Raises:
        OptionError: they make none.
    """
    ledger = _ledger(inputs, circumstances)
    instance_ids, select, scope = _SCOPES[entry_point](inputs, circumstances, ledger)
    return Order(
        entry_point,
        inputs,
        circumstances,
        instance_ids,
        select,
        scope,
        _options(entry_point, inputs),
        ledger,
        _record_file(entry_point, inputs, circumstances),
        ledger.text() if ledger and not inputs["record_file"] else "",
    )


# -- the record ------------------------------------------------------------------------------------------------------------


def record_text(value: t.Any) -> str:
    """The text of a record, though ansible-core before 2.19 has made a dictionary of one that looks like one."""
    return value if isinstance(value, str) else json.dumps(value) if value else ""


def _ledger(inputs: t.Mapping[str, t.Any], circumstances: Circumstances) -> Ledger | None:
    given = [name for name in RECORD_SOURCES if inputs.get(name) is not None]
    if len(given) > 1:
        raise OptionError(f"{' and '.join(given)} both name a record; give one of them")
    if not circumstances.record or not circumstances.record.strip():
        return None
    return read(circumstances.record)


def _record_file(entry_point: str, inputs: t.Mapping[str, t.Any], circumstances: Circumstances) -> str:
    if inputs["record_file"]:
        return str(inputs["record_file"])
    moment = "".join(character for character in circumstances.began if character.isalnum())
    name = "".join(character if character.isalnum() or character in "-_" else "_" for character in inputs["workflow_name"])
    return f"{circumstances.folder}/edgeops_record-{entry_point}-{name}-{moment}.json"


def _recorded(entry_point: str, inputs: t.Mapping[str, t.Any], ledger: Ledger) -> list[Entry]:
    """The entries of a record that fit a runbook. Raises OptionError where none does."""
    name, states = inputs["workflow_name"], _STATES_READ[entry_point]
    fitting = [entry for entry in ledger.of_workflow(name) if entry.state in states]
    if not fitting:
        others = ", ".join(f"{shown_name(entry.workflow_name)} {clean(entry.state, 20)}" for entry in ledger.entries) or "nothing"
        raise OptionError(
            f"the record tells of no instance of {shown_name(name)} that was {' or '.join(states)} (it holds: {others}); "
            "give another record, or the workflow that it is of"
        )
    return fitting


def _by_record(entry_point: str, inputs: t.Mapping[str, t.Any], ledger: Ledger) -> tuple[list[str], str]:
    entries = _recorded(entry_point, inputs, ledger)
    ids = list(dict.fromkeys(instance_id for entry in entries for instance_id in entry.placed))
    unsure = sum(group != KEPT[0] for entry in entries for group in entry.placed.values())
    made = max(entry.made_at for entry in entries)
    jobs = ", ".join(dict.fromkeys(clean(entry.job, 20) for entry in entries if entry.job))
    scope = f"by the record of {clean(made, 30)}{f' (job {jobs})' if jobs else ''}, which holds {instances(len(ids))}"
    return ids, scope + (f", {unsure:,} of them on their way then, or not known to be done" if unsure else "")


# -- which instances -------------------------------------------------------------------------------------------------------

_Scope = tuple["list[str] | None", "dict[str, t.Any] | None", str]


def _to_pause(inputs: t.Mapping[str, t.Any], _circumstances: Circumstances, _ledger: Ledger | None) -> _Scope:
    if inputs["instance_ids"] is not None:
        return _by_ids(inputs, FILTERS)
    # Those about to pause are waited for: otherwise a second run would be green where the first one ran out of time.
    return _by_filters({"status": [*inputs["statuses"], "waitingForPause"]}, inputs)


def _to_resume(inputs: t.Mapping[str, t.Any], _circumstances: Circumstances, ledger: Ledger | None) -> _Scope:
    _exactly_one(inputs, (*RECORD_SOURCES, "instance_ids", "everything_paused"), "resume")
    if inputs["everything_paused"]:
        return _by_filters({"status": ["paused", "waitingForPause"]}, inputs)
    if inputs["instance_ids"] is not None:
        return _by_ids(inputs, FILTERS)
    _no_filters(inputs, FILTERS, "a record")
    ids, scope = _by_record("resume_paused", inputs, _given(inputs, ledger))
    return ids, None, scope


def _to_restart(inputs: t.Mapping[str, t.Any], circumstances: Circumstances, ledger: Ledger | None) -> _Scope:
    _exactly_one(inputs, ("ended_after", "instance_ids", *RECORD_SOURCES), "restart")
    others = (*FILTERS, "ended_before", "error_glob")
    if inputs["ended_after"] is not None:
        select: dict[str, t.Any] = {"status": ["errored"]}
        if inputs["ended_after"] != _ALL:
            select["ended_after"] = inputs["ended_after"]
        # What fails again after its restart is not what was meant: the end of the window is fixed.
        select["ended_before"] = inputs["ended_before"] or _end_of_second(circumstances.began)
        if inputs["error_glob"]:
            select["error_glob"] = inputs["error_glob"]
        return _by_filters(select, inputs)
    if inputs["instance_ids"] is not None:
        return _by_ids(inputs, others)
    _no_filters(inputs, others, "a record")
    ids, scope = _by_record("restart_failed", inputs, _given(inputs, ledger))
    return ids, None, scope


def _to_terminate(inputs: t.Mapping[str, t.Any], _circumstances: Circumstances, _ledger: Ledger | None) -> _Scope:
    _exactly_one(inputs, ("instance_ids", "statuses"), "terminate")
    if inputs["instance_ids"] is not None:
        return _by_ids(inputs, FILTERS)
    return _by_filters({"status": inputs["statuses"]}, inputs)


_SCOPES: dict[str, t.Callable[[t.Mapping[str, t.Any], Circumstances, Ledger | None], _Scope]] = {
    "pause_all": _to_pause,
    "resume_paused": _to_resume,
    "restart_failed": _to_restart,
    "terminate": _to_terminate,
}


def _end_of_second(moment: str) -> str:
    """What has failed by now may be younger than the second that has begun."""
    known = parse_timestamp(moment)
    return to_utc(known + datetime.timedelta(seconds=1)) if known else moment


def _exactly_one(inputs: t.Mapping[str, t.Any], names: t.Sequence[str], verb: str) -> None:
    given = [name for name in names if inputs[name] not in (None, False)]
    if len(given) != 1:
        found = f"given are {' and '.join(given)}" if given else "none is given, and nothing is not everything"
        raise OptionError(f"what to {verb} is told by exactly one of {', '.join(names[:-1])} and {names[-1]}; {found}")


def _given(inputs: t.Mapping[str, t.Any], ledger: Ledger | None) -> Ledger:
    if ledger is None:
        source = next(name for name in RECORD_SOURCES if inputs.get(name) is not None)
        where = f"{source} {clean(inputs[source], 120)}" if source != RECORD_SOURCES[0] else source
        raise OptionError(f"there is no record in {where}; give another one")
    return ledger


def _by_ids(inputs: t.Mapping[str, t.Any], filters: t.Sequence[str]) -> _Scope:
    _no_filters(inputs, filters, "instance_ids")
    ids = list(dict.fromkeys(inputs["instance_ids"]))
    return ids, None, f"by instance_ids, which names {instances(len(ids))}"


def _no_filters(inputs: t.Mapping[str, t.Any], filters: t.Sequence[str], what: str) -> None:
    given = [name for name in filters if inputs[name] is not None]
    if given:
        raise OptionError(f"{' and '.join(given)} would narrow nothing, since {what} names the instances; leave {_it(given)} out")


def _by_filters(select: dict[str, t.Any], inputs: t.Mapping[str, t.Any]) -> _Scope:
    select.update((name, inputs[name]) for name in FILTERS if inputs[name] is not None)
    told = ", ".join(f"{name} {clean('/'.join(value) if isinstance(value, list) else value, 80)}" for name, value in select.items())
    return None, select, f"by {told}, and by no other filter"


def _it(names: t.Sequence[str]) -> str:
    return "it" if len(names) == 1 else "them"


# -- how -------------------------------------------------------------------------------------------------------------------


def _options(entry_point: str, inputs: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Options of the module that all its tasks in this run have."""
    for name in ("created_after", "created_before", "ended_after", "ended_before"):
        value = inputs.get(name)
        if value is not None and value != _ALL and parse_timestamp(value) is None:
            raise OptionError(
                f"{name} must be a time with its offset, such as 2026-08-06T03:00:00Z{', or all' if name == 'ended_after' else ''}; "
                f"it is {clean(repr(str(value)), 60)}"
            )
    if not inputs["batch_size"]:
        raise OptionError("batch_size is empty; give at least one size, such as [50]")
    rollback = bool(inputs.get("rollback"))
    if rollback and inputs["bulk_terminate"]:
        raise OptionError("bulk_terminate runs no rollback handlers; leave it out, or rollback")
    if rollback and not inputs["wait"]:
        raise OptionError("rollback pauses each instance first and waits for that; leave wait out, or rollback")
    return {
        "state": STATE_OF[entry_point],
        "when_status": _when_status(entry_point, inputs),
        "rollback": rollback,
        "pause_first": rollback,
        "bulk_terminate": bool(inputs.get("bulk_terminate")),
        # An instance that has ended can't be paused or resumed any more, and needs not.
        "skip_finished": entry_point in ("pause_all", "resume_paused"),
        "max_failures": inputs["max_failures"] or None,
        "max_instances": inputs["max_instances"],
        "batch_size": inputs["batch_size"],
        "batch_pause": inputs.get("batch_pause") or 0,
        "canary": {"wait_timeout": inputs["canary_timeout"], "max_failures": inputs["canary_failures"]}
        if "canary_timeout" in inputs
        else None,
        "from_failed_step": bool(inputs.get("from_failed_step")),
        "wait": inputs.get("wait", True),
        "wait_timeout": inputs["wait_timeout"],
        "requests_per_second": inputs["requests_per_second"],
    }


def _when_status(entry_point: str, inputs: t.Mapping[str, t.Any]) -> list[str] | None:
    """The statuses in which an instance is changed; None where any will do."""
    if entry_point == "pause_all":
        return [*inputs["statuses"], "waitingForPause"]
    if entry_point == "resume_paused":
        return ["paused", "waitingForPause"]
    return ["errored"] if entry_point == "restart_failed" else inputs["statuses"]
