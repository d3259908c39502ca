# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is to be told of one instance to somebody who asks: one shape, whatever it was read from. Pure."""

from __future__ import annotations

import json
import math
import typing as t

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.text import kept
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.types import Json
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.look import text_of
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.steplog import (
    Step,
    entries,
    entry_of,
    error_of,
    failed_step,
    step_of,
)

#: Entries of a log that are told: the newest.
MOST_ENTRIES = 200

#: Fields of an item, besides its id.
FIELDS = (
    "status",
    "created_on",
    "started_on",
    "ended_on",
    "trigger_source",
    "version_id",
    "error",
    "rollback",
    "output",
    "output_truncated",
    "step_count",
    "log",
    "failed_step",
    "failed_step_error",
)

#: Characters of an output, or of a step's result, that are kept where they are text.
LONGEST_OUTPUT = 16384

#: Levels of a value that ansible-core can hand on.
_DEEPEST = 40

#: How the API marks what it has cut (API.md, 1).
_CUT_MARK = "[truncated output]"


def told(instance_id: str, listed: Json | None, detail: Json | None, with_log: bool) -> Json:
    """The item of an instance.

    Args:
        listed, detail: its item of a listing, and its detail; at least one of the two.
        with_log: the detail has its steps.
    """
    listed, detail = listed or {}, detail or {}
    output, is_cut = output_of(detail.get("output"))
    item: Json = {
        "id": instance_id,
        "status": detail.get("status") or listed.get("status"),
        "created_on": text_of(listed.get("created_on")) or text_of(detail.get("queued")),
        "started_on": text_of(detail["start"] if "start" in detail else listed.get("started_on")),
        "ended_on": text_of(detail["end"] if "end" in detail else listed.get("ended_on")),
        "trigger_source": text_of(listed.get("trigger_source")) or _source_of(detail.get("trigger")),
        "version_id": text_of(listed.get("version_id")) or text_of(detail.get("versionId")),
        "error": _error(detail.get("error")),
        "rollback": _rollback(detail.get("rollback")),
        "output": output,
        "output_truncated": is_cut,
        "step_count": detail.get("step_count") if isinstance(detail.get("step_count"), int) else None,
        "log": None,
        "failed_step": None,
        "failed_step_error": None,
    }
    if with_log:
        log = entries(detail)
        item["log"] = [_entry(entry) for entry in log[-MOST_ENTRIES:]]
        item["step_count"] = len(log) if item["step_count"] is None else item["step_count"]
        failed = failed_step(detail) if item["status"] == "errored" else None
        if failed is not None:
            item["failed_step"] = failed._asdict()
            item["failed_step_error"] = _error(error_of(entry_of(log, failed) or {}))
    return item


def output_of(value: t.Any) -> tuple[t.Any, bool]:
    """An output as a value, and whether some of it is missing.

    Production has it as JSON in a text, and cuts that. What is longer than LONGEST_OUTPUT as JSON is told as text, and cut here.
    """
    if isinstance(value, str):
        try:
            value = json.loads(value, parse_constant=_no_number)
        except (ValueError, RecursionError):
            is_cut = value.rstrip().endswith(_CUT_MARK) or (
                value.lstrip()[:2] in ('{"', "[{", '["') and value.rstrip()[-1:] not in ("}", "]")
            )
            return _short(value, is_cut)
    written = json.dumps(value)
    if len(written) > LONGEST_OUTPUT or not _is_plain(value):
        return _short(value if isinstance(value, str) else written, False)
    return value, False


def _no_number(word: str) -> t.Any:
    raise ValueError(word)


def _is_plain(value: t.Any, depth: int = 0) -> bool:
    """Whether ansible-core can hand a value on: not too deep, no half characters, no number beyond all bounds, no key of its own."""
    if depth > _DEEPEST:
        return False
    if isinstance(value, dict):
        return all(
            not str(key).startswith("__ansible") and _is_plain(key, depth + 1) and _is_plain(part, depth + 1) for key, part in value.items()
        )
    if isinstance(value, list):
        return all(_is_plain(part, depth + 1) for part in value)
    if isinstance(value, float):
        return math.isfinite(value)
    return not isinstance(value, str) or not any("\ud800" <= character <= "\udfff" for character in value)


def _short(text: str, is_cut: bool) -> tuple[str, bool]:
    text = "".join("\ufffd" if "\ud800" <= character <= "\udfff" else character for character in text[: LONGEST_OUTPUT + 1])
    return (text, is_cut) if len(text) <= LONGEST_OUTPUT else (text[: LONGEST_OUTPUT - 1] + "…", True)


def _rollback(rollback: t.Any) -> Json | None:
    if not isinstance(rollback, dict):
        return None
    return {"outcome": text_of(rollback.get("outcome")), "error": _error(rollback.get("error"))}


def _source_of(trigger: t.Any) -> str | None:
    return text_of(trigger.get("source")) if isinstance(trigger, dict) else None


def _error(error: t.Any) -> Json | None:
    if not isinstance(error, dict):
        return None
    return {
        str(name)[:100]: kept(value)
        if isinstance(value, str)
        else value
        if isinstance(value, (int, bool)) or value is None
        else kept(str(value))
        for name, value in list(error.items())[:5]
    }


def _entry(entry: Json) -> Json:
    """An entry of a log, with the step's name and count apart, as a restart takes them."""
    step: Step | None = step_of(entry)
    attempts = entry.get("attempts")
    output, _is_cut = output_of(entry.get("output"))
    return {
        "name": step.name if step else str(entry.get("name") or entry.get("type") or ""),
        "count": step.count if step else None,
        "type": step.type if step else entry.get("type"),
        "start": text_of(entry.get("start")),
        "end": text_of(entry.get("end")),
        "success": entry.get("success") if isinstance(entry.get("success"), bool) else None,
        "attempts": len(attempts) if isinstance(attempts, list) else None,
        "error": _error(error_of(entry)),
        "output": output,
    }
