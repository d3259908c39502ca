# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No token and no key is shown by any other module either: not where it works, not where it is refused, not where the API quotes it."""

from __future__ import annotations

import pytest
from flock import NOTHING
from quickclock import quicken
from test_secrets import SECRETS, credentials, leaks

TASKS = {
    "workflow_info": {"versions": True, "settings": True},
    "workflow_instance_info": {"instance_id": "a", "steps": True},
    "workflow_instance": {"instance_id": "new", "params": {"steps": []}},
    "workflow_instance_event": {"instance_id": "a", "event_type": "go", "skip_finished": True},
}
KINDS = ("read", "list", "create", "event")


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Waits pass quickly."""
    quicken(monkeypatch, pace=0.005)


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
@pytest.mark.parametrize("module", TASKS)
def test_a_secret(flock, module, secret):
    flock.create(["a"], NOTHING, "complete")
    for kind in ("token", "key in the environment"):
        flock.control("POST", "/purge", {"workflow": "scratch-1"})
        options, environ = credentials(flock.bench, kind, secret)
        task = {"workflow_name": flock.workflow, **TASKS[module], **options}
        for check_mode in (True, False):
            result = flock.bench.module(check_mode=check_mode, diff=True, environ=environ, module=module, **task)
            assert not result.get("failed"), result["msg"]
            assert leaks(secret, result.output) == []
        # The API quotes what it was sent, in what it refuses and in what it gives.
        for number, fault in enumerate(
            (
                {"status": 400, "code": 10002, "message": f"bad header: Bearer {secret}"},
                {"envelope": {"messages": [{"code": 1, "message": f"you sent {secret}"}]}},
                {
                    "envelope": {
                        "result": {"status": "errored", "name": secret, "error": {"name": secret, "message": secret}, "output": secret}
                    }
                },
            )
        ):
            for call in KINDS:
                flock.meet(call, fault)
            changed = {**task, "instance_id": f"new-{number}"} if module == "workflow_instance" else task
            result = flock.bench.module(environ=environ, module=module, **changed)
            assert leaks(secret, result.output) == [], (fault, result["msg"])
            flock.control("DELETE", "/faults")
        flock.control("POST", "/reset")  # nobody knows it any more
        result = flock.bench.module(environ=environ, module=module, **task)
        assert result["failed"] and leaks(secret, result.output) == []
        flock.op({"op": "delete", "instance": "new"})
