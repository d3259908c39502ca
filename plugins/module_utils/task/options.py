# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of `workflow_instance_status`: their spec, and what can be refused before any call is made. Pure."""

from __future__ import annotations

import ast
import fnmatch
import json
import re
import typing as t

from ansible_collections.edgeops.cloudflare.plugins.module_utils import auth
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import OptionError
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.timestamps import parse_timestamp
from ansible_collections.edgeops.cloudflare.plugins.module_utils.auth import check_path_part
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.fleet import Limits
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.selection import TRIGGER_SOURCES, Selection
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance import lifecycle
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.steplog import Step
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.wanted import Wanted

#: Ids made by cron triggers are longer than those that users may give; these are still addressable.
LONGEST_INSTANCE_ID = 271
LONGEST_WORKFLOW_NAME = 64
LONGEST_STEP_NAME = 256

_TIMES = ("created_after", "created_before", "ended_after", "ended_before")

_DICTIONARIES = {"from_step": "{name: charge}", "select": "{status: [errored]}"}

_FAR_TOO_LARGE = 10**15
_LONGEST_NUMBER_SHOWN = 24
_DAY = 86400

_STEP_COUNT = "from_step.count"
# option → (lowest, highest). What is larger is a slip: nobody waits for weeks, and a call never takes an hour.
_NUMBERS = {
    "api_timeout": (0.1, 3600),
    "api_retries": (0, 100),
    "wait_timeout": (0, 7 * _DAY),
    "wait_sleep": (0.1, 3600),
    "max_instances": (1, 1000000),
    "max_failures": (1, 1000000),
    "concurrency": (1, 64),
    "requests_per_second": (0.01, 1000),
    "rate_limit_reserve": (0, 0.9),
    "rate_limit_timeout": (0, _DAY),
    _STEP_COUNT: (1, 1000000),
}


class Request(t.NamedTuple):
    """A validated task: which instances (instance_ids: list of str, or selection), what of them, and within what limits."""

    workflow_name: str
    instance_ids: list | None
    selection: Selection | None
    is_single: bool
    wanted: Wanted
    limits: Limits
    requests_per_second: float | None
    rate_limit_reserve: float
    rate_limit_timeout: float


def argument_spec():
    """The module's whole argument spec, dict."""
    statuses = list(lifecycle.STATUSES)
    return dict(
        auth.argument_spec(),
        workflow_name={"type": "str", "required": True},
        instance_id={"type": "str"},
        instance_ids={"type": "list", "elements": "str"},
        select={
            "type": "dict",
            "options": {
                "status": {"type": "list", "elements": "str", "choices": statuses},
                "created_after": {"type": "str"},
                "created_before": {"type": "str"},
                "ended_after": {"type": "str"},
                "ended_before": {"type": "str"},
                "id_glob": {"type": "str"},
                "version_id": {"type": "str"},
                "trigger_source": {"type": "str", "choices": list(TRIGGER_SOURCES)},
            },
        },
        state={"type": "str", "required": True, "choices": ["running", "paused", "terminated", "restarted"]},
        when_status={"type": "list", "elements": "str", "choices": statuses},
        from_step={
            "type": "dict",
            "options": {
                "name": {"type": "str", "required": True},
                "count": {"type": "int", "default": 1},
                "type": {"type": "str", "default": "do", "choices": ["do", "sleep", "waitForEvent"]},
            },
        },
        from_failed_step={"type": "bool", "default": False},
        rollback={"type": "bool", "default": False},
        skip_finished={"type": "bool", "default": False},
        wait={"type": "bool", "default": True},
        wait_timeout={"type": "float", "default": 300.0},
        wait_sleep={"type": "float", "default": 2.0},
        max_instances={"type": "int", "default": 1000},
        max_failures={"type": "int"},
        concurrency={"type": "int", "default": 8},
        requests_per_second={"type": "float"},
        rate_limit_reserve={"type": "float", "default": 0.2},
        rate_limit_timeout={"type": "float", "default": 330.0},
    )


def misfit(raw):
    """What of a task's raw arguments ansible-core would answer with a traceback, or without naming the option.

    Args:
        raw: dict, the arguments before ansible-core has looked at them.

    Returns:
        str, what is wrong and what would be right; None where nothing is.
    """
    for option, example in _DICTIONARIES.items():
        value = raw.get(option)
        if value is not None and not isinstance(value, dict) and not (isinstance(value, str) and _spells_dictionary(value)):
            return f"{option} must be a dictionary such as {example}"
    from_step = raw["from_step"] if isinstance(raw.get("from_step"), dict) else {}
    given = dict(raw, **{_STEP_COUNT: from_step.get("count")})
    for option, bounds in _NUMBERS.items():
        if isinstance(given.get(option), bool) or not _is_of_sensible_size(given.get(option)):
            return _out_of_bounds(option, given[option], *bounds)
    for option, value in raw.items():
        if not _is_plain_text(value):
            return f"{option} contains a NUL or half of a character (a lone surrogate); check where the text came from"
    return None


def _spells_dictionary(text):
    """Whether ansible-core can read a dictionary from this text, or will say so itself."""
    if "{{" in text:
        return True  # a template that a linter has not rendered
    if not text.lstrip().startswith("{"):
        return "=" in text
    try:
        return isinstance(ast.literal_eval(text.strip()), dict)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        pass
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


def _is_of_sensible_size(value):
    """Whether ansible-core can turn a number, or a text that is one, into one of any type."""
    try:
        number = float(value) if isinstance(value, (int, float, str)) else 0.0
    except OverflowError:
        return False
    except ValueError:
        return True  # no number at all, which ansible-core says by itself
    return abs(number) < _FAR_TOO_LARGE


def _is_plain_text(value):
    """Whether all text in a raw argument can be sent, and logged, at all."""
    if isinstance(value, dict):
        return all(_is_plain_text(part) for pair in value.items() for part in pair)
    if isinstance(value, (list, tuple)):
        return all(_is_plain_text(part) for part in value)
    return not isinstance(value, str) or not any(character == "\0" or "\ud800" <= character <= "\udfff" for character in value)


def validate(params):
    """Turn the module's parameters into a Request.

    An option at its default counts as not given: rules between options look at values, not at presence.

    Args:
        params: dict, as AnsibleModule made them.

    Raises:
        OptionError: names the option, and what would be right.
    """
    check_path_part("workflow_name", params["workflow_name"], longest=LONGEST_WORKFLOW_NAME)
    given = dict(params, **{_STEP_COUNT: (params["from_step"] or {}).get("count")})
    for option, bounds in _NUMBERS.items():
        _check_number(option, given[option], *bounds)
    instance_ids = _instance_ids(params)
    selection = _selection(params["select"]) if params["select"] is not None else None
    return Request(
        workflow_name=params["workflow_name"],
        instance_ids=instance_ids,
        selection=selection,
        is_single=params["instance_id"] is not None,
        wanted=_wanted(params, selection),
        limits=Limits(
            max_instances=params["max_instances"],
            max_failures=params["max_failures"],
            concurrency=params["concurrency"],
            connection_attempts=params["api_retries"] + 1,
        ),
        requests_per_second=params["requests_per_second"],
        rate_limit_reserve=params["rate_limit_reserve"],
        rate_limit_timeout=params["rate_limit_timeout"],
    )


def _check_number(option, value, lowest, highest):
    # Not a number is neither within bounds nor outside of them, so ask for the inside.
    if value is not None and not lowest <= value <= highest:
        raise OptionError(_out_of_bounds(option, value, lowest, highest))


def _out_of_bounds(option, value, lowest, highest):
    """The sentence for a number, or a text that is one; what would fill the screen is not repeated."""
    if isinstance(value, bool):
        shown = str(value).lower()
    elif (isinstance(value, int) and abs(value) >= _FAR_TOO_LARGE) or len(str(value)) > _LONGEST_NUMBER_SHOWN:
        shown = "far beyond that"
    else:
        shown = value
    return f"{option} must be a number from {lowest} to {highest}; it is {shown}"


def _instance_ids(params):
    """The ids to act on, each once, in the order given; None with `select`."""
    given = [option for option in ("instance_id", "instance_ids", "select") if params[option] is not None]
    if len(given) != 1:
        raise OptionError(
            "give exactly one of instance_id, instance_ids and select; {0}".format(
                "given are {0}".format(" and ".join(given)) if given else "none is given"
            )
        )
    if params["select"] is not None:
        return None
    option = given[0]
    ids = [params["instance_id"]] if option == "instance_id" else params["instance_ids"]
    for number, instance_id in enumerate(ids):
        named = option if option == "instance_id" else f"{option}[{number}]"
        check_path_part(named, instance_id, longest=LONGEST_INSTANCE_ID)
        if instance_id != instance_id.strip():
            raise OptionError(f"{named} is {instance_id!r}, with blanks around it, which no id has; remove them")
    return list(dict.fromkeys(ids))


def _selection(select):
    if all(value is None for value in select.values()):
        raise OptionError("select is empty and would match every instance; give at least one filter, such as status")
    for option, value in select.items():
        if value is not None and not value:
            raise OptionError(f"select.{option} is empty and would match every instance; give a value or leave it out")
    _check_glob(select["id_glob"])
    times = {}
    for option in _TIMES:
        if select[option] is not None:
            times[option] = parse_timestamp(select[option])
            if times[option] is None:
                raise OptionError(
                    f"select.{option} must be an ISO 8601 time with its offset, such as 2026-08-06T03:00:00Z or "
                    f"2026-08-06T05:00:00+02:00; it is {select[option]!r}"
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
        **times,
    )


def _check_glob(pattern):
    try:
        re.compile(fnmatch.translate(pattern or ""))
    except re.error:
        raise OptionError(
            "select.id_glob is not a pattern that can match anything; check its brackets: a range goes from low to high"
        ) from None


def _wanted(params, selection):
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
        step=step,
        from_failed_step=params["from_failed_step"],
        rollback=params["rollback"],
        skip_finished=params["skip_finished"],
        wait=params["wait"],
        wait_timeout=params["wait_timeout"],
        wait_sleep=params["wait_sleep"],
    )


def _step(from_step):
    if from_step is None:
        return None
    name = from_step["name"]
    if not 1 <= len(name) <= LONGEST_STEP_NAME:
        raise OptionError(f"from_step.name must have 1 to {LONGEST_STEP_NAME} characters, and has {len(name)}")
    return Step(name, from_step["count"], from_step["type"])
