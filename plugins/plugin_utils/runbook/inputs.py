# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a runbook was given, as it was meant: surveys and AWX make something else of most of it. Pure.

AWX hands on a blank answer as None or as an empty text, `5` as a number or as a text, a list as a text, and a time as a moment, all by the
version of ansible-core. What can't be told any more is refused: `0123` arrives as 83, and would be another instance.
"""

from __future__ import annotations

import datetime
import difflib
import json
import math
import re
import typing as t

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.text import clean
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.timestamps import to_utc
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.numbers import BOUNDS

#: Bounds of the numbers that are a runbook's own, or that may be 0 in a runbook.
_BOUNDS: dict[str, tuple[float, float]] = {
    **BOUNDS,
    "max_failures": (0, 1000000),
    "hold_for": (0, 86400),
    "hold_every": (10, 3600),
    "canary_timeout": (1, 604800),
    "canary_failures": (0, 1000000),
    "confirm": (0, 1000000),
    "max_details": (0, 1000),
    "record_job": (1, 10**12),
    "max_retries": (0, 100),
    "visibility_timeout": (1, 43200),
}

#: What ansible-core takes for a truth value.
_YES, _NO = ("yes", "true", "on", "1", "y", "t", "1.0"), ("no", "false", "off", "0", "n", "f", "0.0")

#: Between commas and line breaks, and between blanks: what is in quotes is one thing.
_PARTS, _WORDS = re.compile(r"""(?:"[^"\r\n]*"|'[^'\r\n]*'|[^,\r\n])+"""), re.compile(r""""[^"]*"|'[^']*'|\S+""")

#: How alike two names are, 0 to 1, for one to be taken for a slip of the other.
_ALIKE = 0.84

#: Variables that are nobody's input: those of ansible-core, AWX and the role itself.
#: `edgeops_report` is what a report hands on to the jobs after it.
_NO_INPUTS = ("ansible_", "awx_", "tower_", "runbook_", "event_queue_", "edgeops_cloudflare_", "edgeops_report")

_RECORD = "edgeops_record"


class Inputs(t.NamedTuple):
    """The inputs by their names, None where not given and without a default; and a sentence for each that can't be meant."""

    values: dict[str, t.Any]
    mistakes: list[str]


class _Mistake(Exception):
    """What is wrong with a value, in words that go on after the input's name."""


def read_inputs(raw: t.Mapping[str, t.Any], options: t.Mapping[str, t.Mapping[str, t.Any]], names: t.Iterable[str] = ()) -> Inputs:
    """Read the inputs of a runbook.

    Args:
        raw: variables by name, as they came.
        options: of the entry point, as its argument spec has them.
        names: of all variables that are set, to find those that were mistyped.
    """
    values: dict[str, t.Any] = {}
    mistakes = near_misses(names, options)
    for name, rules in options.items():
        try:
            value = _read(name, raw.get(name), rules)
        except _Mistake as mistake:
            values[name] = None
            mistakes.append(f"{name}{'' if str(mistake).startswith('[') else ' '}{mistake}")
            continue
        if value is None and rules.get("required"):
            mistakes.append(f"{name} is missing: give it by -e {name}=VALUE, or in the survey")
        values[name] = rules.get("default") if value is None else value
    return Inputs(values, mistakes)


def near_misses(names: t.Iterable[str], inputs: t.Iterable[str]) -> list[str]:
    """Of the variables that are set, those that are no input but nearly the name of one: a sentence for each."""
    known = list(inputs)
    plain = {_plain(name): name for name in known}
    found = []
    for name in sorted(names):
        if name in known or name.startswith(_NO_INPUTS):
            continue
        alike = difflib.get_close_matches(_plain(name), list(plain), n=1, cutoff=_ALIKE)
        if alike:
            found.append(f"{clean(name, 60)} is no input of this runbook; did you mean {plain[alike[0]]}?")
    return found


def listed(value: t.Any) -> list[t.Any]:
    """A list, whatever it came as: a list, text with commas, blanks or line breaks, text in brackets, or one thing.

    Text is split at its line breaks and commas, and at blanks only where it has neither. What holds commas or blanks itself, as ids
    made by schedules do, is put into quotes, or given as JSON or as a list.
    """
    if not isinstance(value, str):
        return list(value) if isinstance(value, (list, tuple, set)) else [value]
    text = value.strip()
    if text.startswith("[") and text.endswith("]"):
        try:
            # Numbers as they were written: here, that can be told.
            return list(json.loads(text, parse_int=str, parse_float=str, parse_constant=str))
        except (ValueError, RecursionError):
            text = text[1:-1]
    parts = _PARTS.findall(text)
    if len(parts) == 1 and parts[0] == text:
        parts = _WORDS.findall(text)
    return [part for part in map(_unquoted, parts) if part]


# -- one value -------------------------------------------------------------------------------------------------------------


def _read(name: str, value: t.Any, rules: t.Mapping[str, t.Any]) -> t.Any:
    """The value by its type; None where it is blank. Raises _Mistake."""
    if _is_blank(value):
        return None
    if rules.get("type") != "list":
        return _one(name, value, rules.get("type", "str"), rules.get("choices"))
    kind, choices, parts = rules.get("elements", "str"), rules.get("choices"), listed(value)
    if choices and not parts:
        return None  # a choice of several in a form, where one was made and taken back
    return [_one(f"{name}[{number}]", part, kind, choices, name) for number, part in enumerate(parts)]


def _is_blank(value: t.Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _one(name: str, value: t.Any, kind: str, choices: t.Sequence[str] | None, bounded_as: str = "") -> t.Any:
    try:
        if bounded_as and _is_blank(value):
            raise _Mistake("is blank; leave it out, or give what is meant")
        read = _READERS[kind](bounded_as or name, value)
        if choices and read not in choices:
            raise _Mistake(f"must be one of {', '.join(choices)}; it is {_shown(value)}")
    except _Mistake as mistake:
        where = name[len(bounded_as) :] if bounded_as else ""
        raise _Mistake(f"{where} {mistake}".strip()) from None
    return read


def _text(name: str, value: t.Any) -> str:
    if name == _RECORD and isinstance(value, (dict, list)):
        try:
            return json.dumps(value)  # ansible-core before 2.19 makes a dictionary of a text that looks like one
        except (TypeError, ValueError):
            raise _Mistake("holds what is no JSON, so that something on its way has rewritten it; hand the record on as one text") from None
    if isinstance(value, bool):
        raise _Mistake(f"is {json.dumps(value)}, a truth value and not text; {_QUOTE}")
    if isinstance(value, (int, float)):
        raise _Mistake(f"is {clean(value, 40)}, a number and not text, and nobody can tell how it was written; {_QUOTE}")
    if isinstance(value, datetime.date) and name.endswith(("_after", "_before")):
        return _moment(value)
    if not isinstance(value, str):
        raise _Mistake(f"is {_shown(value)} and not text; {_QUOTE}")
    return _unquoted(value) if name != _RECORD else str(value)


def _moment(value: datetime.date) -> str:
    """A moment, by whatever YAML made of it: without an offset, or without a time, nobody can tell which one is meant."""
    if isinstance(value, datetime.datetime) and value.tzinfo is not None:
        try:
            return to_utc(value)
        except OverflowError:
            pass  # in the year 1, or 9999
    whole = value.isoformat() if isinstance(value, datetime.datetime) else f"{value.isoformat()}T00:00:00"
    raise _Mistake(f"must be a time with its offset, such as {whole.partition('+')[0]}Z; it is {value.isoformat()}")


_QUOTE = 'put it into double quotes, where AWX asks for it, too: "0123"'


def _whole(name: str, value: t.Any) -> int:
    number = _number(name, value)
    if number != int(number):
        raise _Mistake(_not_within(name, value, "a whole number"))
    return int(number)


def _number(name: str, value: t.Any) -> float:
    try:
        number = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    lowest, highest = _BOUNDS.get(name, (-math.inf, math.inf))
    if not math.isfinite(number) or not lowest <= number <= highest:
        raise _Mistake(_not_within(name, value, "a number"))
    return number


def _not_within(name: str, value: t.Any, what: str) -> str:
    bounds = " from {:g} to {:.0f}".format(*_BOUNDS[name]) if name in _BOUNDS else ""
    return f"must be {what}{bounds}; it is {_shown(value)}"


def _switch(_name: str, value: t.Any) -> bool:
    text = str(value).strip().lower()
    if text not in (*_YES, *_NO):
        raise _Mistake(f"must be yes or no; it is {_shown(value)}")
    return text in _YES


_READERS: dict[str, t.Callable[[str, t.Any], t.Any]] = {"str": _text, "path": _text, "int": _whole, "float": _number, "bool": _switch}


def _unquoted(text: str) -> str:
    """Without the quotes around it, by which something that looks like a number stays text."""
    bare = text.strip()
    return bare[1:-1] if len(bare) > 1 and bare[0] == bare[-1] and bare[0] in "\"'" else bare


def _shown(value: t.Any) -> str:
    return clean(repr(str(value)) if isinstance(value, str) else value, 60)


def _plain(name: str) -> str:
    return name.replace("_", "").lower()
