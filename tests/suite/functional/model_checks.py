# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A result of the module against what the model expects of it."""

from __future__ import annotations

import collections
import contextlib

from model_instance import FINISHED

_OVER = (*FINISHED, "rollingBack")


def same(what, got, wanted):
    """Says what differs, and how."""
    __tracebackhide__ = True
    assert got == wanted, f"{what}: {got} instead of {wanted}"


@contextlib.contextmanager
def explained(task, options, result):
    """Says with every failed comparison what was asked for and what came of it."""
    __tracebackhide__ = True
    try:
        yield
    except AssertionError as error:
        shown = {key: value for key, value in options.items() if key not in ("api_url", "api_token", "account_id")}
        raise AssertionError(f"{error}\n{task}\noptions {shown}\nresult {dict(result)}") from None


def check_result(task, result, instances, expected, is_single):
    """The whole result is what the model expects (dict of id: Expected), and fits together."""
    items = result["instances"]
    same("instances", [item["id"] for item in items], [instance.id for instance in instances])
    for item in items:
        _check_item(item, expected[item["id"]])
    same("changed", result["changed"], any(one.changed for one in expected.values()))
    same("failed", bool(result.get("failed")), any(one.failed for one in expected.values()))
    assert result["msg"] and "internal error" not in result["msg"], "no good msg"
    same("instance", result.get("instance"), items[0] if is_single else None)
    _check_summary(result["summary"], items)
    _check_diff(result["diff"], items, expected)
    _check_ended_again(task, result, expected)
    facts = {item["id"]: {"status": item["status"], "timestamp": item["timestamp"]} for item in items}
    same("ansible_facts", result.get("ansible_facts"), None if result.get("failed") else {"workflow_instance_status": facts})


def _check_item(item, expected):
    told = {key: item[key] for key in ("outcome", "changed", "failed", "action", "previous_status")}
    same(
        item["id"],
        told,
        {
            "outcome": expected.outcome,
            "changed": expected.changed,
            "failed": expected.failed,
            "action": expected.action,
            "previous_status": expected.previous,
        },
    )
    assert item["status"] in expected.statuses, "status: {}, none of {}".format(item["status"], expected.statuses)
    assert item["id"] in item["msg"], "msg does not name the instance"
    same("restarted_from", item.get("restarted_from"), expected.step._asdict() if expected.step else None)
    same("reruns", item.get("reruns", []), [rerun._asdict() for rerun in expected.reruns])
    if "rollback" in item and expected.action != "restart":
        same("rollback", item["rollback"]["outcome"], expected.rollback)


def _check_summary(summary, items):
    outcomes = collections.Counter(item["outcome"] for item in items)
    same("summary.matched", summary["matched"], len(items))
    for outcome in ("changed", "unchanged", "failed", "unknown", "not_attempted"):
        same("summary." + outcome, summary[outcome], outcomes[outcome])
    same("summary.by_status", summary["by_status"], dict(collections.Counter(item["status"] for item in items if item["status"])))


def _check_diff(diff, items, expected):
    changed = [item for item in items if item["changed"]]
    same("diff.before", diff["before"], {item["id"]: item["previous_status"] for item in changed})
    same("diff.after", list(diff["after"]), list(diff["before"]))
    for item in changed:
        step = expected[item["id"]].step
        if item["action"] == "restart" and item["outcome"] == "changed":
            same("diff.after", diff["after"][item["id"]], "restarted from %s (%d)" % step[:2] if step else "restarted")


def _check_ended_again(task, result, expected):
    """What was resumed or restarted and seen to have ended again is told as such, and only where it can have ended."""
    ended = [
        item["id"]
        for item in result["instances"]
        if expected[item["id"]].patches
        and (item["action"] == "resume" or (task.wait and item["action"] == "restart"))
        and item["outcome"] == "changed"
        and item["status"] in _OVER
    ]
    same("summary.finished_again", result["summary"]["finished_again"], len(ended))
    same("ended again", ended, [instance_id for instance_id in ended if expected[instance_id].may_end_again])
    warnings = " ".join(str(warning) for warning in result.get("warnings", ()))
    status = {item["id"]: item["status"] for item in result["instances"]}
    # That it has completed is good news, and none to warn of.
    worrying = [instance_id for instance_id in ended if status[instance_id] != "complete"][:5]
    same("warned of", [instance_id for instance_id in worrying if instance_id in warnings], worrying)


def check_cost(result, expected, check_mode):
    """A task for one instance makes no call more than it must."""
    calls = result["api_calls"]
    same("lists and retries", (calls["lists"], calls["retries"]), (0, 0))
    reads = 1 if check_mode else expected.reads
    same("looks", calls["reads"], calls["reads"] if reads is None else reads)


def compare(check, real, expected):
    """What check mode foretold is what the real run did: the same decisions, the same diff."""
    for was, item in zip(check["instances"], real["instances"]):
        if "not_attempted" in (was["outcome"], item["outcome"]):
            continue  # which failures come first is not known beforehand
        same("previous_status foretold", was["previous_status"], item["previous_status"])
        same("changed foretold", was["changed"], bool(expected[item["id"]].patches))
        for key in ("action", "restarted_from", "reruns"):
            same(key + " foretold", was.get(key), item.get(key))
        if item["outcome"] == was["outcome"] == "changed":
            same("diff foretold", check["diff"]["after"][item["id"]], real["diff"]["after"][item["id"]])
