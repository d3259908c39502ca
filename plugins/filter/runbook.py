# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role `runbook` thinks with: its tasks only ask, show, and hand on."""

from __future__ import annotations

import os
import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import OptionError, internal_error_text
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.types import Json
from ansible_collections.edgeops.cloudflare.plugins.plugin_utils.runbook import accounts, inputs, jobs, orders, plans


def _inputs(known: Json) -> Json:
    """raw, options, names, controller_host → inputs, and job_url where a job's record is asked for."""
    values, mistakes = inputs.read_inputs(known["raw"], known["options"], known["names"])
    for name, rules in known["options"].items():
        if rules.get("type") == "path" and values[name]:
            # Where it was typed, and not where the playbook lies.
            values[name] = os.path.join(os.getcwd(), os.path.expanduser(values[name]))
    told: Json = {"inputs": values, "mistakes": mistakes, "job_url": ""}
    if values.get("record_job") and not mistakes:
        told["job_url"] = jobs.job_url(values["controller_host"] or known["controller_host"], values["record_job"])
    return told


def _record(known: Json) -> Json:
    """job, looked, output → record: what a job of AWX has left."""
    return {"record": jobs.record_of_job(known["job"], known["looked"], known["output"])}


def _order(known: Json) -> Json:
    """entry_point, inputs, record, began, job, folder (the working folder where it is empty) → what is to be done."""
    order = _order_of(known)
    return {name: getattr(order, name) for name in ("instance_ids", "select", "scope", "options", "record_file", "record")}


def _logs(known: Json) -> Json:
    """looked → ids: of those whose logs a plan reads."""
    return {"ids": plans.logs_to_read(known["looked"])}


def _plan(known: Json) -> Json:
    """context (as for the order), looked, paused, sample, now, is_check → the plan."""
    return plans.plan(
        _order_of(known["context"]), known["looked"], known["paused"], known["sample"], known["now"], known["is_check"]
    )._asdict()


def _account(known: Json) -> Json:
    """context, plan, results, paused, workflow, now → the account."""
    counts = ((known["workflow"] or {}).get("workflow") or {}).get("counts")
    order, plan = _order_of(known["context"]), plans.Plan(*(known["plan"][name] for name in plans.Plan._fields))
    return accounts.account(order, plan, known["results"], known["paused"], counts, known["now"])._asdict()


def _order_of(context: Json) -> orders.Order:
    circumstances = orders.Circumstances(
        orders.record_text(context["record"]) or None, context["began"], context["job"] or None, context["folder"] or os.getcwd()
    )
    return orders.order(context["entry_point"], context["inputs"], circumstances)


_STEPS: dict[str, t.Callable[[Json], Json]] = {
    "inputs": _inputs,
    "record": _record,
    "order": _order,
    "logs": _logs,
    "plan": _plan,
    "account": _account,
}


def runbook(known: Json, step: str) -> Json:
    """One step of a run.

    Args:
        known: what the step needs to know.
        step: one of _STEPS.

    Returns:
        What the step is for, and `mistakes`: sentences about what was given; with any, there is nothing else.
    """
    if step not in _STEPS:
        raise AnsibleFilterError(f"runbook has the steps {', '.join(_STEPS)}; {step} is none")
    try:
        return {"mistakes": [], **_STEPS[step](known)}
    except OptionError as error:
        return {"mistakes": [error.message]}
    except Exception as error:  # noqa: BLE001  no traceback reaches a user
        raise AnsibleFilterError(internal_error_text(error)) from None


class FilterModule:
    """The filter by its name."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """As ansible-core asks for it."""
        return {"runbook": runbook}
