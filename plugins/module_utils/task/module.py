# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""AnsibleModule wiring: options in, result out, and every error a sentence."""

from __future__ import annotations

import json
import sys

from ansible.module_utils.basic import AnsibleModule, _load_params, missing_required_lib
from ansible.module_utils.common.parameters import remove_values

from ansible_collections.edgeops.cloudflare.plugins.module_utils import auth
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.client import LIST, PATCH, READ, REQUESTS_IMPORT_ERROR, Client
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.clock import Clock
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import (
    CloudflareError,
    ControllerGone,
    internal_error_text,
)
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.ratelimit import RateGate
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.workflows import Workflow
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet import report
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.fleet import Fleet
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.survey import Surveyor
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task import options
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.controller import Controller


def run():
    """Run `workflow_instance_status`: read the task, do it, and exit."""
    misfit = options.misfit(_load_params() or {})  # ansible-test loads modules without a task
    if misfit:
        sys.stdout.write(json.dumps({"failed": True, "msg": misfit}) + "\n")
        raise SystemExit(1)
    module = AnsibleModule(argument_spec=options.argument_spec(), supports_check_mode=True)
    if REQUESTS_IMPORT_ERROR:
        module.fail_json(msg=missing_required_lib("requests"), exception=REQUESTS_IMPORT_ERROR)
    try:
        connection = auth.resolve(module.params)
        module.no_log_values.update(connection.credentials.secrets())
        request = options.validate(module.params)
    except CloudflareError as error:
        module.fail_json(msg=error.message)
    try:
        result = pursue(module, connection, request)
    except Exception as error:  # pylint: disable=broad-except
        module.fail_json(msg=internal_error_text(error))
    _leave(module, result)


def pursue(module, connection, request):
    """Do what the task asks for.

    Args:
        module: AnsibleModule.
        connection: auth.Connection.
        request: options.Request.

    Returns:
        dict, the module's result; with `failed` where it failed.
    """
    clock = Clock()
    began = clock.monotonic()
    controller = Controller(clock)
    controller.watch_signals()
    gate = RateGate(
        clock,
        requests_per_second=request.requests_per_second,
        reserve=request.rate_limit_reserve,
        block_limit=request.rate_limit_timeout,
        check=lambda: _ensure_heard(controller),
    )
    client = Client(
        connection,
        gate,
        clock,
        core_version=module.ansible_version,
        concurrency=request.limits.concurrency,
        check=lambda: _ensure_heard(controller),
    )
    workflow = Workflow(client, request.workflow_name)
    surveyor = Surveyor(workflow, clock, server_date=lambda: client.server_date)
    fleet = Fleet(workflow, surveyor, request.wanted, request.limits, clock, gate, controller, module.check_mode)
    fleet.run(request.instance_ids, request.selection)
    return _result(module, request, fleet, client, gate, clock.monotonic() - began)


def _ensure_heard(controller):
    gone = controller.gone()
    if gone:
        raise ControllerGone(gone)


def _result(module, request, fleet, client, gate, duration):
    pursuits, held = fleet.pursuits, gate.held_seconds()
    changes = sum(pursuit.changed for pursuit in pursuits)
    estimate = None
    if module.check_mode and not request.is_single and changes:
        calls_each = 2 if request.wanted.state == "restarted" else 1
        estimate = report.estimate(changes, calls_each, request.requests_per_second, request.rate_limit_reserve, gate.least_left())
    items = [report.item(pursuit) for pursuit in pursuits]
    result = {
        "changed": changes > 0,
        "failed": fleet.fatal is not None or any(pursuit.failed for pursuit in pursuits),
        "msg": report.message(
            pursuits, request.workflow_name, request.wanted.state, module.check_mode, fleet.fatal, estimate, request.selection is not None
        ),
        "instances": items,
        "summary": report.summary(pursuits, fleet.found, duration),
        "api_calls": {
            "total": client.counts[READ] + client.counts[LIST] + client.counts[PATCH],
            "reads": client.counts[READ],
            "lists": client.counts[LIST],
            "patches": client.counts[PATCH],
            "retries": client.counts["retries"],
            "rate_limited_seconds": round(held, 3),
        },
        "messages": client.messages,
    }
    if request.is_single:
        result["instance"] = items[0]
    if not result["failed"]:
        result["ansible_facts"] = {"workflow_instance_status": report.facts(pursuits)}
    if module._diff:  # pylint: disable=protected-access
        result["diff"] = report.diff(pursuits)
    for text in report.warnings(pursuits, client.messages, fleet.found, held):
        module.warn(remove_values(text, module.no_log_values))  # ansible-core masks the result, but not what is warned of
    return result


def _leave(module, result):
    gone_early = result["failed"] and result["summary"]["not_attempted"]
    if gone_early:
        # Where the controller is gone, the system's log is the only one still listening.
        module.log(f"edgeops.cloudflare: {result['msg']}")
    try:
        if result.pop("failed"):
            module.fail_json(**result)
        module.exit_json(**result)
    except BrokenPipeError:
        pass
