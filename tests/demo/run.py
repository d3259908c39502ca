# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Play an incident with the collection's own playbook on the local Workflows engine.

The playbook says what it did; this driver asks the engine what is true, and fails if the two differ.
"""

from __future__ import annotations

import json
import signal
import sys
import time
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "tooling"), str(TESTS / "engine")]

from engine import Engine  # noqa: E402  pylint: disable=wrong-import-position
from environments import ROOT, child_environment, linked_collections  # noqa: E402  pylint: disable=wrong-import-position
from processes import show  # noqa: E402  pylint: disable=wrong-import-position

SLOW, FAILED, BAD = "order-1001", "order-1002", "order-1003"
VARIABLES = {"workflow_name": "orders", "slow_order": SLOW, "failed_order": FAILED, "bad_order": BAD}

# How often each step has to have run when all is over. A step that ran twice where it stands as once would mean that
# somebody was charged twice.
WANTED = {
    SLOW: {"status": "complete", "steps": {"reserve": 1, "charge": 1, "ship": 1, "notify": 1}, "rollbacks": {}},
    FAILED: {"status": "complete", "steps": {"reserve": 1, "charge": 1, "ship": 2, "notify": 1}, "rollbacks": {}},
    BAD: {"status": "terminated", "steps": {"reserve": 1, "charge": 1}, "rollbacks": {"reserve": 1, "charge": 1}},
}

# What the playbook had to send to get there, in this order.
WANTED_ACTIONS = [(SLOW, "pause"), (SLOW, "resume"), (FAILED, "restart"), (BAD, "terminate")]

# The number under which the engine's own log notes that an instance has come to a stop by a pause.
PAUSED = 27

TO_A_REAL_ACCOUNT = """
The same playbook on a real account:

    export CLOUDFLARE_ACCOUNT_ID=<your account>
    export CLOUDFLARE_API_TOKEN=<a token with Workers Scripts Write>
    export ANSIBLE_COLLECTIONS_PATH={collections}
    {ansible_playbook} edgeops.cloudflare.incident --check --diff \\
        -e workflow_name=<your workflow> \\
        -e slow_order=<a running instance> -e failed_order=<an errored one> -e bad_order=<one to call off>

Name only the instances you have; drop --check when you like what it says.
"""


def play(engine):
    """Run the playbook as an operator would; returns its exit code."""
    env = child_environment(Path(sys.prefix))
    env.update(
        ANSIBLE_COLLECTIONS_PATH=str(linked_collections()),
        ANSIBLE_CONFIG=str(TESTS / "demo" / "ansible.cfg"),
        CLOUDFLARE_BASE_URL=engine.api_url,
        CLOUDFLARE_ACCOUNT_ID=engine.account_id,
        CLOUDFLARE_API_TOKEN=engine.api_token,
    )
    command = ["ansible-playbook", "edgeops.cloudflare.incident", "-e", "trigger_orders=true"]
    for name, value in VARIABLES.items():
        command += ["-e", f"{name}={value}"]
    return show(command, cwd=ROOT, env=env, timeout=500)


def _look(engine, instance):
    result = engine.api("GET", "/orders/instances/" + instance)[2]["result"]
    recorded = engine.control("GET", "/steps?workflow=orders&instance=" + instance)
    return {"status": result["status"], "steps": recorded["steps"], "rollbacks": recorded["rollbacks"]}, result.get("rollback")


def _actions(engine):
    calls = engine.control("GET", "/calls?workflow=orders")["log"]
    return [(call["instance"], json.loads(call["body"])["status"]) for call in calls if call["kind"] == "patch"]


def _pauses(engine, instance):
    rows = engine.control("GET", "/enginelog?workflow=orders&instance=" + instance)["rows"]
    return [row["timestamp"] for row in rows if row["event"] == PAUSED]


def differences(engine, patience=120):
    """What is not as it has to be, once the instances had the time to get there."""
    deadline = time.monotonic() + patience
    found = []
    for instance, wanted in WANTED.items():
        seen, rollback = _look(engine, instance)
        while seen != wanted and time.monotonic() < deadline:
            time.sleep(0.5)
            seen, rollback = _look(engine, instance)
        print(
            "    {} is {}; steps run: {}{}".format(
                instance,
                seen["status"],
                ", ".join("%s ×%d" % item for item in seen["steps"].items()),
                "; undone: " + ", ".join(seen["rollbacks"]) if seen["rollbacks"] else "",
            )
        )
        if seen != wanted:
            found.append(f"{instance}: wanted {wanted}, found {seen}")
        if instance == BAD and (rollback or {}).get("outcome") != "complete":
            found.append(f"{instance}: the rollback is {rollback}")
    pauses = _pauses(engine, SLOW)
    print("    {} stood still from {} on, until it was resumed".format(SLOW, " and ".join(pauses)))
    if len(pauses) != 1:
        found.append("%s: paused %d times instead of once" % (SLOW, len(pauses)))
    if _actions(engine) != WANTED_ACTIONS:
        found.append(f"sent: wanted {WANTED_ACTIONS}, found {_actions(engine)}")
    return found


def main():
    """Play, verify, say how to go on; returns the exit code."""
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    print("Starting the local Workflows engine …", flush=True)
    with Engine() as engine:
        code = play(engine)
        if code:
            print(f"error: the playbook ended with {code}", file=sys.stderr)
            return code
        print("What the engine itself says:", flush=True)
        found = differences(engine)
    if found:
        print("error: not as it has to be\n    " + "\n    ".join(found), file=sys.stderr)
        return 1
    print(
        TO_A_REAL_ACCOUNT.format(
            collections=linked_collections().relative_to(ROOT),
            ansible_playbook=Path(sys.prefix, "bin", "ansible-playbook").relative_to(ROOT),
        )
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
