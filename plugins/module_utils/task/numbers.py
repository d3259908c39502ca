# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Numbers in options: the bounds that hold for all modules, and the sentence for what lies outside. Pure."""

from __future__ import annotations

import json
import typing as t

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import OptionError

_DAY = 86400

#: option → (lowest, highest). What is larger is a slip: nobody waits for weeks, and a call never takes an hour.
BOUNDS: dict[str, tuple[float, float]] = {
    "api_timeout": (0.1, 3600),
    "api_retries": (0, 100),
    "wait_timeout": (0, 7 * _DAY),
    "wait_sleep": (0.1, 3600),
    "max_instances": (1, 1000000),
    "max_pages": (1, 1000),
    "max_failures": (1, 1000000),
    "concurrency": (1, 64),
    "requests_per_second": (0.01, 1000),
    "rate_limit_reserve": (0, 0.9),
    "batch_size": (1, 1000000),
    "batch_pause": (0, _DAY),
    "rate_limit_timeout": (0, _DAY),
    "progress": (0, 3600),
    "max_logs": (1, 1000),
    "from_step.count": (1, 1000000),
    "canary.wait_timeout": (0, 7 * _DAY),
    "canary.max_failures": (0, 1000000),
}

_FAR_TOO_LARGE = 10**15
_LONGEST_SHOWN = 24


def check_numbers(params: t.Mapping[str, t.Any]) -> None:
    """Raise OptionError for the first number outside its bounds."""
    for option, value in _given(params):
        lowest, highest = BOUNDS[option]
        # Not a number is neither within bounds nor outside of them, so ask for the inside.
        if not lowest <= value <= highest:
            raise OptionError(_out_of_bounds(option, value))


def misfit_number(raw: t.Mapping[str, t.Any]) -> str | None:
    """The first number as written that ansible-core would answer with a traceback or read as another; None where there is none."""
    for option, value in _given(raw):
        if isinstance(value, bool) or not _is_of_sensible_size(value):
            return _out_of_bounds(option, value)
    return None


def size_as_json(option: str, value: t.Any) -> int:
    """Bytes of a value as JSON. Raises OptionError where it holds what JSON can't: no number, and infinity."""
    try:
        return len(json.dumps(value, allow_nan=False).encode())
    except ValueError:
        raise OptionError(f"{option} holds a number that JSON can't hold (.nan or .inf); leave it out, or quote it") from None


def _given(params: t.Mapping[str, t.Any]) -> t.Iterator[tuple[str, t.Any]]:
    for option in BOUNDS:
        outer, _dot, inner = option.partition(".")
        value = params.get(outer)
        if inner:
            value = value.get(inner) if isinstance(value, dict) else None
        for number in value if isinstance(value, (list, tuple)) else [value]:
            if number is not None:
                yield option, number


def _is_of_sensible_size(value: t.Any) -> bool:
    """Whether ansible-core can turn a number, or a text that is one, into one of any type."""
    try:
        number = float(value) if isinstance(value, (int, float, str)) else 0.0
    except OverflowError:
        return False
    except ValueError:
        return True  # no number at all, which ansible-core says by itself
    return abs(number) < _FAR_TOO_LARGE


def _out_of_bounds(option: str, value: t.Any) -> str:
    """The sentence for a number, or a text that is one; what would fill the screen is not repeated."""
    lowest, highest = BOUNDS[option]
    if isinstance(value, bool):
        shown = str(value).lower()
    elif (isinstance(value, int) and abs(value) >= _FAR_TOO_LARGE) or len(str(value)) > _LONGEST_SHOWN:
        shown = "far beyond that"
    else:
        shown = str(value)
    return f"{option} must be a number from {lowest} to {highest}; it is {shown}"
