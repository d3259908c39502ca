# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names and ids: what can be one at all, for every module. Pure."""

from __future__ import annotations

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import OptionError
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.text import clean

#: Ids made by cron triggers are longer than those that users may give; these are still addressable (FACTS: 271).
LONGEST_INSTANCE_ID = 271
LONGEST_WORKFLOW_NAME = 64
LONGEST_STEP_NAME = 256


def check_instance_id(option: str, value: str) -> None:
    """Refuse what can't be an instance's id; `option` names it in the sentence. Raises OptionError."""
    _check_path_part(option, value, LONGEST_INSTANCE_ID)


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


def _check_path_part(option: str, value: str, longest: int) -> None:
    """Refuse what cannot be, or must not be, one part of a URL path."""
    if not 1 <= len(value) <= longest:
        raise OptionError(f"{option} must have 1 to {longest} characters, and has {len(value)}")
    if value in (".", ".."):
        raise OptionError(f"{option} must not be {value!r}: it would address something else; give the real one")
    check_blanks(option, value)
    if not value.isprintable():
        raise OptionError(f"{option} must not contain control characters or line breaks; check how it was put together")
