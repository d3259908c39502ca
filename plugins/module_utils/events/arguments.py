# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Arguments of the event sources: what is given in a rulebook, made into settings. Pure, but for where `state_path` and `ca_path` lead.

ansible-rulebook renders arguments by Jinja, so that a number may come as text, and a name that is all digits as a number.
"""

from __future__ import annotations

import difflib
import json
import math
import os
import typing as t

from ansible_collections.edgeops.cloudflare.plugins.module_utils import auth
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.connection import Connection
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import OptionError
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.text import clean
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.names import (
    TAKEN_WORKFLOWS,
    check_addressable,
    check_workflow_name,
)

#: Statuses that last until somebody does something: what a poll can't miss.
LASTING = ("errored", "terminated", "complete", "paused")

#: Statuses of which Cloudflare sends an event, by the last word of the event's type.
OF_EVENTS = {
    "errored": "errored",
    "terminated": "terminated",
    "completed": "complete",
    "paused": "paused",
    "queued": "queued",
    "started": "running",
}

_HOUR, _DAY = 3600, 86400

#: argument → (lowest, highest).
BOUNDS: dict[str, tuple[float, float]] = {
    "api_timeout": (0.1, 300),
    "api_retries": (0, 20),
    "interval": (1, _HOUR),
    "sweep_interval": (1, _DAY),
    "lookback": (1, 90 * _DAY),
    "budget": (10, 1200),
    "catch_up": (0, 30 * _DAY),
    "replay": (0, _DAY),
    "poll_interval": (0.2, 60),
    "batch_size": (1, 100),
    "ack_delay": (0, _HOUR),
}

#: What ansible-rulebook may add by itself.
_NOT_OURS = "eda_"

_TRUE, _FALSE = ("true", "yes", "on", "1"), ("false", "no", "off", "0")

Spec = dict[str, dict[str, t.Any]]


class PollSettings(t.NamedTuple):
    """What `workflow_poll` is to do; times in seconds. `state_path`: None where nothing is kept."""

    connection: Connection
    workflow_names: tuple[str, ...]
    statuses: tuple[str, ...]
    interval: float
    sweep_interval: float
    lookback: float
    budget: int
    initial: str
    catch_up: float
    replay: float
    state_path: str | None


class QueueSettings(t.NamedTuple):
    """What `workflow_queue` is to do; times in seconds. One of `queue_id` and `queue_name` is None. No `workflow_names`: all of them."""

    connection: Connection
    queue_id: str | None
    queue_name: str | None
    workflow_names: tuple[str, ...]
    statuses: tuple[str, ...]
    poll_interval: float
    batch_size: int
    ack_delay: float
    budget: int
    state_path: str | None


def _shared_spec(statuses: t.Sequence[str]) -> Spec:
    return {
        **auth.argument_spec(),
        "workflow_name": {"type": "str"},
        "workflow_names": {"type": "list", "elements": "str"},
        "statuses": {"type": "list", "elements": "str", "default": ["errored"], "choices": list(statuses)},
        "budget": {"type": "int", "default": 60},
        "state_path": {"type": "path"},
    }


def poll_spec() -> Spec:
    """The arguments of `workflow_poll`, written as an argument spec."""
    return {
        **_shared_spec(LASTING),
        "interval": {"type": "float", "default": 30.0},
        "sweep_interval": {"type": "float", "default": 600.0},
        "lookback": {"type": "float", "default": float(_DAY)},
        "initial": {"type": "str", "default": "ignore", "choices": ["ignore", "report"]},
        "catch_up": {"type": "float", "default": float(_HOUR)},
        "replay": {"type": "float", "default": 900.0},
    }


def queue_spec() -> Spec:
    """The arguments of `workflow_queue`, written as an argument spec."""
    return {
        **_shared_spec(tuple(OF_EVENTS.values())),
        "queue_id": {"type": "str"},
        "queue_name": {"type": "str"},
        "poll_interval": {"type": "float", "default": 2.0},
        "batch_size": {"type": "int", "default": 100},
        "ack_delay": {"type": "float", "default": 60.0},
    }


def poll_settings(args: t.Mapping[str, t.Any], environ: t.Mapping[str, str] | None = None) -> PollSettings:
    """The settings of `workflow_poll`. Raises OptionError: what is wrong, and what would be right."""
    given = _converted(args, poll_spec())
    names = _workflow_names(given)
    if not names:
        raise OptionError("no workflow is named: give workflow_name, or workflow_names")
    if given["sweep_interval"] < given["interval"]:
        raise OptionError(
            f"sweep_interval is {given['sweep_interval']:g} s and interval {given['interval']:g} s: a sweep reads more than a round, "
            "so give it no shorter an interval"
        )
    return PollSettings(
        connection=auth.resolve(given, environ),
        workflow_names=names,
        statuses=tuple(given["statuses"]),
        interval=given["interval"],
        sweep_interval=given["sweep_interval"],
        lookback=given["lookback"],
        budget=given["budget"],
        initial=given["initial"],
        catch_up=given["catch_up"],
        replay=given["replay"],
        state_path=_state_path(given),
    )


def queue_settings(args: t.Mapping[str, t.Any], environ: t.Mapping[str, str] | None = None) -> QueueSettings:
    """The settings of `workflow_queue`. Raises OptionError: what is wrong, and what would be right."""
    given = _converted(args, queue_spec())
    queue_id, queue_name = given["queue_id"], given["queue_name"]
    if (queue_id is None) == (queue_name is None):
        both = "queue_id and queue_name are both given" if queue_id is not None else "no queue is named"
        raise OptionError(f"{both}: give one of queue_id and queue_name")
    connection = auth.resolve(given, environ)
    if connection.account_id is None:
        raise OptionError("account_id is missing: queues belong to an account, and a development session has none")
    return QueueSettings(
        connection=connection,
        queue_id=queue_id,
        queue_name=queue_name,
        workflow_names=_workflow_names(given),
        statuses=tuple(given["statuses"]),
        poll_interval=given["poll_interval"],
        batch_size=given["batch_size"],
        ack_delay=given["ack_delay"],
        budget=given["budget"],
        state_path=_state_path(given),
    )


# -- values ---------------------------------------------------------------------------------------------------------------


def _converted(args: t.Mapping[str, t.Any], spec: Spec) -> dict[str, t.Any]:
    """Every argument of a spec in its type: as given, or else its default."""
    for name in args:
        if name not in spec and not str(name).startswith(_NOT_OURS):
            near = difflib.get_close_matches(str(name), list(spec), n=1)
            hint = f"did you mean {near[0]}" if near else "there are " + ", ".join(spec)
            raise OptionError(f"{clean(name, 40)} is no argument of this source; {hint}")
    converted: dict[str, t.Any] = {}
    for name, rules in spec.items():
        value = args.get(name)
        # Credential injectors render blank fields.
        is_given = value is not None and value != ""
        converted[name] = _CONVERTERS[rules["type"]](name, value, rules) if is_given else rules.get("default")
    return converted


def _text(name: str, value: t.Any, rules: t.Mapping[str, t.Any]) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        kind = "a truth value" if isinstance(value, bool) else "a list" if isinstance(value, (list, tuple)) else "no text"
        shown = kind if rules.get("no_log") or kind != "no text" else f"{clean(repr(value), 40)} and no text"
        raise OptionError(f"{name} is {shown}; quote it, or give text")
    text = str(value)
    if any(character == "\0" or "\ud800" <= character <= "\udfff" for character in text):
        raise OptionError(f"{name} contains a NUL or half of a character (a lone surrogate); check where the text came from")
    choices = rules.get("choices")
    if choices and text not in choices:
        near = difflib.get_close_matches(text, choices, n=1)
        hint = f"did you mean {near[0]}" if near else "give one of " + ", ".join(choices)
        raise OptionError(f"{name} is {clean(repr(text), 60)}, which it can't be; {hint}")
    return text


def _path(name: str, value: t.Any, rules: t.Mapping[str, t.Any]) -> str:
    return os.path.expanduser(os.path.expandvars(_text(name, value, rules)))


def _number(name: str, value: t.Any, rules: t.Mapping[str, t.Any]) -> float:
    number = math.nan
    if isinstance(value, (int, float, str)) and not isinstance(value, bool):
        try:
            number = float(value)
        except (ValueError, OverflowError):
            number = math.nan
    lowest, highest = BOUNDS[name]
    whole = rules["type"] == "int"
    # Not a number is neither within bounds nor outside of them, so ask for the inside.
    if not lowest <= number <= highest or (whole and number != int(number)):
        kind = "a whole number" if whole else "a number"
        raise OptionError(f"{name} must be {kind} from {lowest:g} to {highest:g}; it is {clean(str(value), 24) or 'empty'}")
    return int(number) if whole else number


def _truth(name: str, value: t.Any, _rules: t.Mapping[str, t.Any]) -> bool:
    word = str(value).strip().lower()
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    raise OptionError(f"{name} must be true or false; it is {clean(repr(value), 40)}")


def _list(name: str, value: t.Any, rules: t.Mapping[str, t.Any]) -> list[str]:
    """A list, or text that holds one: JSON, or parts with commas or line breaks between them."""
    parts = value
    if isinstance(value, str):
        try:
            parts = json.loads(value) if value.lstrip().startswith("[") else value.replace("\n", ",").split(",")
        except ValueError:
            raise OptionError(f"{name} begins with [ and is no JSON list; give a list, or names with commas between them") from None
        parts = [part.strip() if isinstance(part, str) else part for part in parts]
        parts = [part for part in parts if part != ""]
    if not isinstance(parts, (list, tuple)):
        parts = [parts]
    texts = [_text(f"{name}[{number}]", part, rules) for number, part in enumerate(parts)]
    if not texts:
        raise OptionError(f"{name} is an empty list; name at least one, or leave it out")
    return list(dict.fromkeys(texts))


_CONVERTERS: dict[str, t.Callable[[str, t.Any, t.Mapping[str, t.Any]], t.Any]] = {
    "str": _text,
    "path": _path,
    "int": _number,
    "float": _number,
    "bool": _truth,
    "list": _list,
}


def _workflow_names(given: t.Mapping[str, t.Any]) -> tuple[str, ...]:
    if given["workflow_name"] is not None and given["workflow_names"] is not None:
        raise OptionError("workflow_name and workflow_names are both given; give one of them")
    names = [given["workflow_name"]] if given["workflow_name"] is not None else given["workflow_names"] or []
    for name in names:
        check_workflow_name(name)
        check_addressable("workflow_name", name, TAKEN_WORKFLOWS)
    return tuple(names)


def _state_path(given: t.Mapping[str, t.Any]) -> str | None:
    path = given["state_path"]
    if path is None:
        return None
    folder = os.path.dirname(path) or "."
    if os.path.isdir(path):
        raise OptionError(f"state_path is {clean(path, 120)}, which is a folder; name a file in it")
    if not os.path.isdir(folder) or not os.access(folder, os.W_OK | os.X_OK):
        raise OptionError(
            f"state_path can't be written: {clean(folder, 120)} is no folder that this user may write to; name another file, or make the folder"
        )
    return str(path)
