# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of `workflow_instance_status`, and what of them can be refused before any call is made. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.edgeops.cloudflare.plugins.module_utils import auth
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import OptionError
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.canary import Canary
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.pursuer import Limits
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.selection import Selection
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance import lifecycle
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.names import check_step_name, check_workflow_name
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.steplog import Step
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.wanted import EFFECT, ENDED, PAST_STEP, Wanted
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.numbers import check_numbers
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.options import (
    Pacing,
    pacing_of,
    pacing_spec,
    progress_spec,
    wait_spec,
)
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.target import Target, target_of, target_spec


class Request(t.NamedTuple):
    """A validated task: which instances, what of them, and within what limits."""

    workflow_name: str
    target: Target
    wanted: Wanted
    limits: Limits
    pacing: Pacing
    is_brief: bool = False
    prints_record: bool = False
    record_file: str | None = None


def argument_spec() -> dict[str, t.Any]:
    """The module's whole argument spec."""
    return {
        **auth.argument_spec(),
        "workflow_name": {"type": "str", "required": True},
        **target_spec(),
        "state": {"type": "str", "required": True, "choices": ["running", "paused", "terminated", "restarted"]},
        "when_status": {"type": "list", "elements": "str", "choices": list(lifecycle.STATUSES)},
        "from_step": {
            "type": "dict",
            "options": {
                "name": {"type": "str", "required": True},
                "count": {"type": "int", "default": 1},
                "type": {"type": "str", "default": "do", "choices": ["do", "sleep", "waitForEvent"]},
            },
        },
        "from_failed_step": {"type": "bool", "default": False},
        "rollback": {"type": "bool", "default": False},
        "skip_finished": {"type": "bool", "default": False},
        **wait_spec(),
        "max_failures": {"type": "int"},
        "batch_size": {"type": "list", "elements": "int"},
        "batch_pause": {"type": "float", "default": 0.0},
        "canary": {
            "type": "dict",
            "options": {
                "wait_until": {"type": "str", "default": PAST_STEP, "choices": [PAST_STEP, ENDED]},
                "wait_timeout": {"type": "float", "default": 900.0},
                "max_failures": {"type": "int", "default": 0},
            },
        },
        "wait_until": {"type": "str", "default": EFFECT, "choices": [EFFECT, PAST_STEP, ENDED]},
        "pause_first": {"type": "bool", "default": False},
        "bulk_terminate": {"type": "bool", "default": False},
        "details": {"type": "str", "default": "full", "choices": ["full", "brief"]},
        "record": {"type": "bool", "default": False},
        "record_file": {"type": "path"},
        **pacing_spec(),
        **progress_spec(),
    }


def validate(params: t.Mapping[str, t.Any]) -> Request:
    """Turn the options into a Request.

    An option at its default counts as not given: rules between options look at values, not at presence.

    Raises:
        OptionError: names the option, and what would be right.
    """
    check_workflow_name(params["workflow_name"])
    check_numbers(params)
    target = target_of(params)
    return Request(
        workflow_name=params["workflow_name"],
        target=target,
        wanted=_wanted(params, target.selection),
        limits=Limits(
            max_instances=params["max_instances"],
            max_failures=params["max_failures"],
            concurrency=params["concurrency"],
            connection_attempts=params["api_retries"] + 1,
            batch_sizes=_batch_sizes(params),
            batch_pause=params["batch_pause"],
            canary=_canary(params),
        ),
        pacing=pacing_of(params),
        is_brief=params["details"] == "brief",
        prints_record=params["record"],
        record_file=params["record_file"] or None,
    )


def _wanted(params: t.Mapping[str, t.Any], selection: Selection | None) -> Wanted:
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
    _check_together(params)
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
        error_glob=selection.error_glob if selection else None,
        step=step,
        from_failed_step=params["from_failed_step"],
        rollback=params["rollback"],
        pause_first=params["pause_first"],
        bulk=params["bulk_terminate"],
        skip_finished=params["skip_finished"],
        wait=params["wait"],
        wait_until=params["wait_until"],
        wait_timeout=params["wait_timeout"],
        wait_sleep=params["wait_sleep"],
    )


def _check_together(params: t.Mapping[str, t.Any]) -> None:
    """Options that mean something beside certain others only."""
    state, until = params["state"], params["wait_until"]
    if until != EFFECT and state not in ("running", "restarted"):
        raise OptionError(f"wait_until={until} works with state=running and state=restarted only; state is {state}")
    if until != EFFECT and not params["wait"]:
        raise OptionError(f"wait_until={until} and wait=false exclude each other; leave one of them out")
    if params["pause_first"] and not params["rollback"]:
        raise OptionError("pause_first works with rollback=true only; to pause instances, use state=paused")
    if params["pause_first"] and not params["wait"]:
        raise OptionError("pause_first has to wait until the instance is paused; leave wait=false out")
    if params["bulk_terminate"] and (state != "terminated" or params["rollback"]):
        raise OptionError("bulk_terminate works with state=terminated without rollback only; leave it out")
    if state == "restarted" and params["max_failures"] and not params["wait"]:
        raise OptionError(
            "max_failures with state=restarted counts what errored again, which wait=false never sees; leave wait=false out, or max_failures"
        )


def _batch_sizes(params: t.Mapping[str, t.Any]) -> tuple[int, ...] | None:
    if params["batch_size"] is not None and not params["batch_size"]:
        raise OptionError("batch_size is empty; give at least one size, such as [5, 50, 200], or leave it out")
    if params["batch_pause"] and params["batch_size"] is None:
        raise OptionError("batch_pause lies between batches; give batch_size as well, such as [5, 50, 200]")
    return tuple(params["batch_size"]) if params["batch_size"] else None


def _canary(params: t.Mapping[str, t.Any]) -> Canary | None:
    if params["canary"] is None:
        return None
    if params["batch_size"] is None:
        raise OptionError("canary is about the first batch; give batch_size as well, such as [5, 50, 200]")
    if params["state"] not in ("running", "restarted"):
        raise OptionError(f"canary works with state=running and state=restarted only; state is {params['state']}")
    if not params["wait"]:
        raise OptionError("canary has to be waited for; leave wait=false out")
    return Canary(**params["canary"])


def _step(from_step: t.Mapping[str, t.Any] | None) -> Step | None:
    if from_step is None:
        return None
    check_step_name("from_step.name", from_step["name"])
    return Step(from_step["name"], from_step["count"], from_step["type"])
