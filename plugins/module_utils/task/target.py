# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which instances a task is about: `instance_id`, `instance_ids` or `select`. Pure."""

from __future__ import annotations

import fnmatch
import re
import typing as t

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import OptionError
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.text import clean
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.timestamps import parse_timestamp
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.selection import TRIGGER_SOURCES, Selection
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance import lifecycle
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.names import (
    TAKEN_INSTANCES,
    check_addressable,
    check_blanks,
    check_instance_id,
)

_TIMES = ("created_after", "created_before", "ended_after", "ended_before")


class Target(t.NamedTuple):
    """The instances asked for: ids, each once and in the order given, or a selection.

    is_single: `instance_id` was given, so that the result tells of one instance.
    """

    instance_ids: list[str] | None
    selection: Selection | None
    is_single: bool


def target_spec() -> dict[str, t.Any]:
    """Argument spec of the options that say which instances."""
    return {
        "instance_id": {"type": "str"},
        "instance_ids": {"type": "list", "elements": "str"},
        "select": {
            "type": "dict",
            "options": {
                "status": {"type": "list", "elements": "str", "choices": list(lifecycle.STATUSES)},
                **{name: {"type": "str"} for name in _TIMES},
                "id_glob": {"type": "str"},
                "version_id": {"type": "str"},
                "trigger_source": {"type": "str", "choices": list(TRIGGER_SOURCES)},
                "error_glob": {"type": "str"},
            },
        },
        "max_instances": {"type": "int", "default": 1000},
    }


def target_of(params: t.Mapping[str, t.Any]) -> Target:
    """The Target that the options name.

    Raises:
        OptionError: names the option, and what would be right.
    """
    given = [option for option in ("instance_id", "instance_ids", "select") if params[option] is not None]
    if len(given) != 1:
        raise OptionError(
            "give exactly one of instance_id, instance_ids and select; {0}".format(
                "given are {0}".format(" and ".join(given)) if given else "none is given"
            )
        )
    if params["select"] is not None:
        return Target(None, _selection(params["select"]), is_single=False)
    if params["instance_id"] is not None:
        check_instance_id("instance_id", params["instance_id"])
        check_addressable("instance_id", params["instance_id"], TAKEN_INSTANCES)
        return Target([params["instance_id"]], None, is_single=True)
    for number, instance_id in enumerate(params["instance_ids"]):
        check_instance_id(f"instance_ids[{number}]", instance_id)
        check_addressable(f"instance_ids[{number}]", instance_id, TAKEN_INSTANCES)
    return Target(list(dict.fromkeys(params["instance_ids"])), None, is_single=False)


def _selection(select: t.Mapping[str, t.Any]) -> Selection:
    if all(value is None for value in select.values()):
        raise OptionError("select is empty and would match every instance; give at least one filter, such as status")
    for option, value in select.items():
        if value is not None and not value:
            raise OptionError(f"select.{option} is empty and would match every instance; give a value or leave it out")
    for option in ("id_glob", "error_glob"):
        _check_glob(option, select[option])
    for option in ("id_glob", "version_id"):
        check_blanks(f"select.{option}", select[option] or "")
    times: dict[str, t.Any] = {}
    for option in _TIMES:
        if select[option] is not None:
            times[option] = parse_timestamp(select[option])
            if times[option] is None:
                raise OptionError(
                    f"select.{option} must be an ISO 8601 time with its offset, such as 2026-08-06T03:00:00Z or "
                    f"2026-08-06T05:00:00+02:00; it is {clean(repr(select[option]), 60)}"
                )
    for kind in ("created", "ended"):
        after, before = times.get(kind + "_after"), times.get(kind + "_before")
        if after and before and after > before:
            raise OptionError(f"select.{kind}_after is later than select.{kind}_before, so nothing can match; swap them")
    return Selection(
        statuses=tuple(dict.fromkeys(select["status"])) if select["status"] else None,
        id_glob=select["id_glob"],
        version_id=select["version_id"],
        trigger_source=select["trigger_source"],
        error_glob=select["error_glob"],
        **times,
    )


def _check_glob(option: str, pattern: str | None) -> None:
    try:
        re.compile(fnmatch.translate(pattern or ""))
    except re.error:
        raise OptionError(
            f"select.{option} is not a pattern that can match anything; check its brackets: a range goes from low to high"
        ) from None
