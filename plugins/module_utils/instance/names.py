# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names and ids: what can be one at all, for every module. Pure."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import OptionError
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.text import clean

#: Ids made by cron triggers are longer than those that users may give; these are still addressable (FACTS: 271).
LONGEST_INSTANCE_ID = 271
LONGEST_WORKFLOW_NAME = 64
LONGEST_STEP_NAME = 256

#: What ids of new instances, and types of events, are made of; which of them paths of the API take up; and times (API.md, 1 and 3).
_PATTERN = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9_-]{0,99}")
TAKEN_WORKFLOWS = ("settings", "concurrency")
TAKEN_INSTANCES = ("batch", "terminate", "terminateAll")
_RESERVED_PATTERN = re.compile(r"cf_[0-9a-f]{64}")
_RETENTION = re.compile(r"[0-9]{1,15}|[0-9]{1,9}\s+(second|minute|hour|day|week|month|year)s?")


def check_instance_id(option: str, value: str) -> None:
    """Refuse what can't be an instance's id; `option` names it in the sentence. Raises OptionError."""
    _check_path_part(option, value, LONGEST_INSTANCE_ID)


def check_addressable(option: str, value: str, reserved: t.Collection[str]) -> None:
    """Refuse a name that a path of the API takes up, so that another thing would be read. Raises OptionError."""
    if value in reserved:
        raise OptionError(f"{option} is {value!r}, which a path of the API takes up: it would read something else; there is no way to it")


def check_new_id(option: str, value: str) -> None:
    """Refuse what no instance can be triggered as, on any server: a development session takes what production refuses. Raises OptionError."""
    _check_pattern(option, value)
    if value in TAKEN_INSTANCES or _RESERVED_PATTERN.fullmatch(value):
        raise OptionError(f"{option} is {clean(repr(value), 80)}, which the API keeps for itself; give another one")


def check_event_type(value: str) -> None:
    """Refuse what can't be the type of an event. Raises OptionError."""
    _check_pattern("event_type", value)


def check_retention(option: str, value: t.Any) -> None:
    """Refuse what can't be a time for which a finished instance is kept: milliseconds, or `3 days`. Raises OptionError."""
    text = "" if isinstance(value, bool) else str(value)
    if not _RETENTION.fullmatch(text):
        raise OptionError(f"{option} must be milliseconds, or a number and a unit such as 3 days; it is {clean(repr(value), 60)}")


def check_workflow_name(value: str) -> None:
    """Refuse what can't be a workflow's name. Raises OptionError."""
    _check_path_part("workflow_name", value, LONGEST_WORKFLOW_NAME)


def check_step_name(option: str, value: str) -> None:
    """Refuse what can't be a step's name. Raises OptionError."""
    check_blanks(option, value)
    if not 1 <= len(value) <= LONGEST_STEP_NAME:
        raise OptionError(f"{option} must have 1 to {LONGEST_STEP_NAME} characters, and has {len(value)}")


def check_blanks(option: str, value: str) -> None:
    """Refuse a name, an id, or a pattern for them with blanks or a line break around it: none has any. Raises OptionError."""
    if value != value.strip():
        raise OptionError(f"{option} is {clean(repr(value), 80)}, with blanks or a line break around it, which none has; remove them")


def _check_pattern(option: str, value: str) -> None:
    check_blanks(option, value)
    if not _PATTERN.fullmatch(value):
        raise OptionError(
            f"{option} must have 1 to 100 letters, digits, underscores or hyphens, and begin with no hyphen; it is {clean(repr(value), 120)}"
        )


def _check_path_part(option: str, value: str, longest: int) -> None:
    """Refuse what cannot be, or must not be, one part of a URL path."""
    if not 1 <= len(value) <= longest:
        raise OptionError(f"{option} must have 1 to {longest} characters, and has {len(value)}")
    if value in (".", ".."):
        raise OptionError(f"{option} must not be {value!r}: it would address something else; give the real one")
    check_blanks(option, value)
    if not value.isprintable():
        raise OptionError(f"{option} must not contain control characters or line breaks; check how it was put together")
