# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can be typed next: on a command line as it stands, or in AWX as the answers of a template. Pure."""

from __future__ import annotations

import json
import re
import shlex
import typing as t

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.text import clean
from ansible_collections.edgeops.cloudflare.plugins.plugin_utils.runbook.orders import FILTERS, Order

#: What needs no quotes on a command line, neither the shell's nor ansible-core's.
_PLAIN = re.compile(r"[A-Za-z0-9_./:+,-]+")

#: Ids that a command names at most, and characters that it may have.
_MOST_IDS = 20
_LONGEST = 3000


def command(order: Order, runbook: str, answers: t.Mapping[str, t.Any]) -> str:
    """The command, or in AWX the template with the answers that it needs, for the same workflow.

    Args:
        answers: texts, truth values, or lists of texts, by the names of inputs.
    """
    given: dict[str, t.Any] = {"workflow_name": order.workflow_name, **answers}
    if order.circumstances.job:
        shown = ", ".join(f"{name}={_written(value)}" for name, value in given.items())
        # As extensions/awx calls them; resuming by a record has a template of its own.
        template = "resume by record" if "record_job" in given else runbook.replace("_", " ")
        return clean(f'launch the template "{template}" with {shown}', _LONGEST)
    typed = " ".join(f"-e {_typed(name, value)}" for name, value in given.items())
    return clean(f"ansible-playbook edgeops.cloudflare.{runbook} {typed}", _LONGEST)


def by_record(order: Order) -> dict[str, t.Any]:
    """The answer that names this run's record."""
    job = order.circumstances.job
    return {"record_job": job} if job else {"record_file": order.record_file}


def same_record(order: Order) -> str:
    """How another run of the same runbook adds to this run's record."""
    if order.circumstances.job:
        return f"the artifact edgeops_record of job {clean(order.circumstances.job, 20)}"
    return f"-e {_typed('record_file', order.record_file)}"


def by_ids(ids: t.Sequence[str]) -> dict[str, t.Any] | None:
    """The answer that names these instances; None where there are too many for a command."""
    return {"instance_ids": list(ids)} if ids and len(ids) <= _MOST_IDS else None


def by_window(order: Order) -> dict[str, t.Any] | None:
    """The answers that select what has failed in the same window of time, by the same filters; None where there was none."""
    if not order.select or "ended_before" not in order.select:
        return None
    given = {name: order.inputs[name] for name in (*FILTERS, "error_glob") if order.inputs[name] is not None}
    return {"ended_after": order.inputs["ended_after"], "ended_before": order.select["ended_before"], **given}


def as_before(order: Order) -> dict[str, t.Any]:
    """What a restart was told besides, where it isn't the default."""
    changed = {}
    if not order.inputs["from_failed_step"]:
        changed["from_failed_step"] = False
    if order.inputs["while_paused"]:
        changed["while_paused"] = True
    return changed


def _written(value: t.Any) -> str:
    """An answer in words. Ids that hold commas or blanks are written as JSON."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ",".join(value) if all(_PLAIN.fullmatch(one) and "," not in one for one in value) else json.dumps(value)
    return str(value)


def _typed(name: str, value: t.Any) -> str:
    text = _written(value)
    return f"{name}={text}" if _PLAIN.fullmatch(text) else shlex.quote(json.dumps({name: value}))
