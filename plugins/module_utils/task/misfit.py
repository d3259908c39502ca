# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Arguments as they were written: what ansible-core would answer with a traceback, or without naming the option. Pure."""

from __future__ import annotations

import ast
import difflib
import json
import typing as t

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.text import clean
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.numbers import misfit_number


def misfit(raw: t.Mapping[str, t.Any], spec: t.Mapping[str, t.Any], dictionaries: t.Mapping[str, str]) -> str | None:
    """What of a task's raw arguments is wrong, and what would be right; None where nothing is.

    Args:
        raw: the arguments before ansible-core has looked at them.
        spec: the argument spec.
        dictionaries: the options that are dictionaries, or lists of them, each with an example of such a dictionary.
    """
    for no_dictionary in _no_dictionaries(raw, spec, dictionaries):
        return no_dictionary
    wrong_number = misfit_number(raw)
    if wrong_number:
        return wrong_number
    for option in raw:
        near = difflib.get_close_matches(str(option), list(spec), n=1) if option not in spec and not str(option).startswith("_") else []
        if near:
            return f"Unsupported option {clean(option, 40)}; did you mean {near[0]}"
    for option, value, is_secret in _texts(raw, spec):
        if isinstance(value, (bool, int, float)):
            return _no_text(option, value, is_secret)
    for option, value in raw.items():
        if not _is_plain_text(value):
            return f"{option} contains a NUL or half of a character (a lone surrogate); check where the text came from"
    return None


def _no_dictionaries(
    raw: t.Mapping[str, t.Any], spec: t.Mapping[str, t.Any], dictionaries: t.Mapping[str, str], prefix: str = ""
) -> t.Iterator[str]:
    """What should be a dictionary, or a list of them, and isn't; those in them included."""
    for option, rules in spec.items():
        value, is_list = raw.get(option), rules.get("elements") == "dict"
        if value is None or not (is_list or rules.get("type") == "dict"):
            continue
        for number, entry in enumerate(value if is_list and isinstance(value, (list, tuple)) else [value]):
            name = f"{prefix}{option}[{number}]" if is_list else f"{prefix}{option}"
            if isinstance(entry, dict):
                yield from _no_dictionaries(entry, rules.get("options", {}), dictionaries, name + ".")
            elif not isinstance(entry, str) or not _spells_dictionary(entry):
                yield f"{name} must be a dictionary such as {dictionaries[option]}"


def _spells_dictionary(text: str) -> bool:
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


def _is_plain_text(value: t.Any) -> bool:
    """Whether all text in a raw argument can be sent, and logged, at all."""
    if isinstance(value, dict):
        return all(_is_plain_text(part) for pair in value.items() for part in pair)
    if isinstance(value, (list, tuple)):
        return all(_is_plain_text(part) for part in value)
    return not isinstance(value, str) or not any(character == "\0" or "\ud800" <= character <= "\udfff" for character in value)


def _texts(raw: t.Mapping[str, t.Any], spec: t.Mapping[str, t.Any], prefix: str = "") -> t.Iterator[tuple[str, t.Any, bool]]:
    """Every argument, or part of one, that is meant to be text, and whether nobody may see it."""
    for option, rules in spec.items():
        value, name = raw.get(option), prefix + option
        if rules.get("type") == "dict" and isinstance(value, dict):
            yield from _texts(value, rules.get("options", {}), name + ".")
        elif rules.get("elements") == "dict" and isinstance(value, (list, tuple)):
            for number, entry in enumerate(value):
                if isinstance(entry, dict):
                    yield from _texts(entry, rules.get("options", {}), f"{name}[{number}].")
        elif rules.get("type", "str") == "str":
            yield name, value, bool(rules.get("no_log"))
        elif rules.get("elements") == "str" and isinstance(value, (list, tuple)):
            yield from ((f"{name}[{number}]", part, False) for number, part in enumerate(value))
        elif rules.get("elements") == "str":
            yield name, value, False


def _no_text(option: str, value: t.Any, is_secret: bool) -> str:
    """YAML has made something else of what was written: nobody can tell what, `0123` or `1e3`, `no` or `false`."""
    kind = "a truth value" if isinstance(value, bool) else "a number"
    shown = kind if is_secret else f"{clean(json.dumps(value), 40)}, {kind}"
    return f"{option} is {shown} and not text; quote it, or write {{{{ x | string }}}}"
