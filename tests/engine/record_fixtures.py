# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Records details of real instances as fixtures for unit tests.

    python3 tests/engine/record_fixtures.py [--into tests/unit/fixtures/steplogs]

Each file is one instance: `about`, `workflow`, `params` and, as seen at rest, `engine` (the engine's own detail) and
`gateway` (the same in production's shape). Where something was done to it, there is a list `moments` of
`{after, engine, gateway}` instead: the first is before anything was done.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import sys
import urllib.parse
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from engine import Engine  # noqa: E402  pylint: disable=wrong-import-position

INTO = HERE.parent / "unit" / "fixtures" / "steplogs"
REST = ["complete", "errored", "terminated"]
FAIL_TWICE = {"limit": 2, "delay_ms": 20}


def case(about, steps, status="errored", then=()):
    """A lab instance; `then` are (operation, statuses to wait for) done to it one after the other."""
    return {"about": about, "params": {"steps": steps}, "status": status, "then": list(then)}


def restart(status, **origin):
    return ({"op": "restart", "from": origin} if origin else {"op": "restart"}, status)


def terminate(rollback):
    return ({"op": "terminate", "rollback": rollback}, "terminated")


CASES = {
    "complete": case("everything succeeded", [{"do": "reserve"}, {"do": "charge"}, {"sleep": "rest", "ms": 30}], "complete"),
    "plain_failure": case("the second of three steps fails", [{"do": "reserve"}, {"do": "charge", "fail": "card declined"}, {"do": "ship"}]),
    "handled_then_failure": case(
        "a failure is caught by the workflow, a later step fails",
        [{"do": "lookup", "fail": "cache is cold", "handled": True}, {"do": "reserve"}, {"do": "charge", "fail": "card declined"}]),
    "handled_then_failure_same_error": case(
        "both failures have the same message; the later one ended the instance",
        [{"do": "first", "fail": "timed out", "handled": True}, {"do": "between"}, {"do": "second", "fail": "timed out"}]),
    "handled_then_complete": case(
        "a failure is caught by the workflow, which completes", [{"do": "lookup", "fail": "cold", "handled": True}, {"do": "reserve"}], "complete"),
    "parallel_one_fails": case(
        "of three parallel steps the middle one fails first; its siblings succeed after it",
        [{"do": "before"},
         {"parallel": [{"do": "left", "ms": 60}, {"do": "middle", "fail": "no stock", "ms": 10}, {"do": "right", "ms": 100}]},
         {"do": "later"}]),
    "parallel_two_fail": case(
        "two parallel steps fail with different errors; the error of the first in the workflow's order ends the instance",
        [{"parallel": [{"do": "slow", "fail": "slow failed", "ms": 80}, {"do": "quick", "fail": "quick failed", "ms": 10}]}]),
    "retries_exhausted": case("a step fails three times, its last retry too", [{"do": "charge", "fail": "gateway timeout", "retries": FAIL_TWICE}]),
    "retry_succeeds": case("a step fails twice and then succeeds", [{"do": "charge", "fail": 2, "retries": FAIL_TWICE}], "complete"),
    "name_ends_in_number": case("the failing step is called x-2", [{"do": "x"}, {"do": "x-2", "fail": "x-2 broke"}]),
    "name_ends_in_number_beside_repeats": case(
        "x runs twice (x-1, x-2 in the log), then a step called x-2 fails (x-2-1 in the log)",
        [{"do": "x"}, {"do": "x"}, {"do": "x-2", "fail": "the real x-2 broke"}]),
    "repeated_name_second_fails": case("the second run of the same name fails", [{"do": "charge"}, {"do": "charge", "fail": "second charge declined"}]),
    "event_timeout": case("nobody sent the event", [{"do": "reserve"}, {"wait": "approval", "timeout_ms": 1000}]),
    "event_timeout_handled_then_failure": case(
        "an event timeout is caught, a later step fails",
        [{"wait": "approval", "timeout_ms": 1000, "handled": True}, {"do": "charge", "fail": "card declined"}]),
    "thrown_outside": case("the workflow itself throws between steps", [{"do": "reserve"}, {"throw": "no such customer"}]),
    "thrown_outside_after_handled_failure": case(
        "a failure is caught, then the workflow throws something else",
        [{"do": "lookup", "fail": "cold", "handled": True}, {"do": "reserve"}, {"throw": "no such customer"}]),
    "thrown_outside_same_error": case(
        "a failure is caught, another step runs, then the workflow throws an error with the same message",
        [{"do": "lookup", "fail": "boom", "handled": True}, {"do": "reserve"}, {"throw": "boom"}]),
    "thrown_before_any_step": case("the workflow throws before its first step", [{"throw": "bad params"}]),
    "sleep_then_failure": case("a sleep, then a failure", [{"sleep": "cooling-off", "ms": 30}, {"do": "charge", "fail": "card declined"}]),
    "fatal": case("a step throws NonRetryableError", [{"do": "charge", "fail": "stolen card", "fatal": True, "retries": FAIL_TWICE}]),
    "step_timeout": case("a step exceeds its own timeout", [{"do": "charge", "ms": 5000, "timeout_ms": 200}]),
    "failure_with_rollback": case(
        "a step fails; rollback handlers run by themselves",
        [{"do": "reserve", "rollback": True}, {"do": "charge", "fail": "card declined", "rollback": True}]),
    "failure_with_failing_rollback": case(
        "a step fails; so does a rollback handler",
        [{"do": "reserve", "rollback": {"fail": "stock is locked"}}, {"do": "charge", "fail": "card declined"}]),
    "sleeping": case("asleep", [{"do": "reserve"}, {"sleep": "cooling-off", "ms": 600000}], "waiting"),
    "awaiting_event": case("waits for an event", [{"do": "reserve"}, {"wait": "approval"}], "waiting"),
    "awaiting_retry": case("between two attempts", [{"do": "charge", "fail": True, "retries": {"limit": 1, "delay_ms": 600000}}], "waiting"),
    "in_a_step": case("at work in a step", [{"do": "reserve"}, {"do": "charge", "gate": "never"}], "running"),
    "paused": case("paused while asleep", [{"do": "reserve"}, {"sleep": "nap", "ms": 600000}], "waiting", [({"op": "pause"}, "paused")]),
    "queued": case("left queued by overlapping restarts", [{"do": "reserve"}, {"wait": "approval"}], "waiting", [({"op": "strand"}, "queued")]),
    "terminated": case("terminated", [{"do": "reserve", "rollback": True}, {"wait": "approval"}], "waiting", [terminate(False)]),
    "terminated_with_rollback": case(
        "terminated, and its handlers ran",
        [{"do": "reserve", "rollback": True}, {"do": "charge", "rollback": True}, {"wait": "approval"}], "waiting", [terminate(True)]),
    "terminated_with_failing_rollback": case(
        "terminated, but a handler failed: those of earlier steps did not run",
        [{"do": "reserve", "rollback": True}, {"do": "charge", "rollback": {"fail": "no refund"}}, {"wait": "approval"}], "waiting", [terminate(True)]),
    "terminated_with_rollback_but_no_handler": case(
        "terminated with rollback where no step had a handler", [{"do": "reserve"}, {"wait": "approval"}], "waiting", [terminate(True)]),
    "restart_from_failed_step": case(
        "restarted from the failed step, which then succeeds",
        [{"do": "reserve"}, {"do": "charge", "fail": 1}, {"do": "ship"}], "errored", [restart("complete", name="charge")]),
    "restart_from_failed_step_fails_again": case(
        "restarted from the failed step, which fails again",
        [{"do": "reserve"}, {"do": "charge", "fail": "card declined"}], "errored", [restart("errored", name="charge")]),
    "restart_from_second_of_name": case(
        "restarted from the second run of a name",
        [{"do": "charge"}, {"do": "charge", "fail": 2}, {"do": "ship"}], "errored", [restart("complete", name="charge", count=2)]),
    "restart_from_name_ending_in_number": case(
        "restarted from a step called x-2", [{"do": "x"}, {"do": "x-2", "fail": 1}], "errored", [restart("complete", name="x-2")]),
    "restart_from_parallel_step": case(
        "restarted from a parallel step: a sibling listed after it runs again, too",
        [{"parallel": [{"do": "left"}, {"do": "middle", "fail": 1}, {"do": "right"}]}, {"do": "later"}],
        "errored", [restart("complete", name="middle", type="do")]),
    "restart_from_event_timeout": case(
        "restarted from an event wait that timed out; it times out again",
        [{"do": "reserve"}, {"wait": "approval", "timeout_ms": 1000}], "errored", [restart("errored", name="approval", type="waitForEvent")]),
    "restart_from_sleep": case(
        "a complete instance is restarted from its sleep",
        [{"do": "reserve"}, {"sleep": "nap", "ms": 30}, {"do": "ship"}], "complete", [restart("complete", name="nap", type="sleep")]),
    "restart_from_start": case(
        "restarted from the beginning, where it then succeeds", [{"do": "reserve"}, {"do": "charge", "fail": 1}], "errored", [restart("complete")]),
    "restart_after_rollback": case(
        "restarted from the beginning after its rollback handlers ran",
        [{"do": "reserve", "rollback": True}, {"do": "charge", "fail": 1}], "errored", [restart("complete")]),
}  # fmt: skip


class Recorder:
    """Makes the instances on one engine and writes their details down."""

    def __init__(self, engine, folder):
        self.engine = engine
        self.folder = folder

    def _await(self, instance, status):
        self.engine.control("POST", "/await", {"instance": instance, "status": status, "timeout_ms": 30000})

    def _seen(self, instance, after):
        _status, _headers, gateway = self.engine.api("GET", "/lab/instances/" + instance)
        url = "{}/workflows/lab/instances/{}".format(self.engine.dev_url, urllib.parse.quote(instance, safe=""))
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(url, timeout=30) as response:
            engine = json.loads(response.read().decode())
        return {"after": after, "engine": engine["result"], "gateway": gateway["result"]}

    def record(self, name, about, params, status, then):
        self.engine.control("POST", "/instances", {"ids": [name], "params": params, "status": status, "timeout_ms": 30000})
        if status == "running":
            self.engine.control("POST", "/await", {"gate": "never"})
        moments = [self._seen(name, None)]
        for operation, reached in then:
            before = moments[-1]["gateway"]
            self.engine.control("POST", "/op", dict(operation, instance=name))
            self._settle(name, reached, before)
            moments.append(self._seen(name, operation))
        fixture = {"about": about, "workflow": "lab", "params": params}
        if then:
            fixture["moments"] = moments
        else:
            fixture.update({key: moments[0][key] for key in ("engine", "gateway")})
        text = json.dumps(fixture, indent=2, sort_keys=True) + "\n"
        (self.folder / (name + ".json")).write_text(text, encoding="utf-8")

    def _settle(self, instance, status, before):
        """Waits until the status is reached anew: after a restart of a finished instance, until its end has moved."""
        for _look in range(500):
            self._await(instance, status)
            _status, _headers, answer = self.engine.api("GET", f"/lab/instances/{instance}?simple=true")
            now = answer["result"]
            if now["status"] not in REST or now["end"] != before["end"]:
                return
        raise SystemExit(f"{instance}: nothing happened")


def main():
    parser = argparse.ArgumentParser(description="Records details of real instances as fixtures.")
    parser.add_argument("--into", type=pathlib.Path, default=INTO, help="folder of the fixtures")
    folder = parser.parse_args().into
    folder.mkdir(parents=True, exist_ok=True)
    with Engine() as engine:
        recorder = Recorder(engine, folder)
        for name, parts in CASES.items():
            recorder.record(name, **parts)
    for stale in folder.glob("*.json"):
        if stale.stem not in CASES:
            stale.unlink()
    print("%d fixtures in %s" % (len(CASES), folder))


if __name__ == "__main__":
    main()
