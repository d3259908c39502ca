# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is told of an instance, whatever it was read from."""

from __future__ import annotations

from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.telling import LONGEST_OUTPUT, MOST_ENTRIES, output_of, told
from ansible_collections.edgeops.cloudflare.tests.unit.fakes import stamp
from ansible_collections.edgeops.cloudflare.tests.unit.stories import DECLINED, STEPS
from ansible_collections.edgeops.cloudflare.tests.unit.tables import each_row

LISTED = {
    "status": "errored",
    "created_on": stamp(0),
    "started_on": stamp(1),
    "ended_on": stamp(9),
    "version_id": "v1",
    "trigger_source": "cron",
}
DETAIL = {
    "status": "errored",
    "queued": stamp(0),
    "start": stamp(1),
    "end": stamp(9),
    "error": DECLINED,
    "versionId": "v1",
    "trigger": {"source": "cron"},
}
TIMES = ("created_on", "started_on", "ended_on", "version_id", "trigger_source", "status")


def test_one_shape():
    """By a listing and by a look the same, as far as they know it."""
    by_listing, by_look = told("a", LISTED, None, False), told("a", None, DETAIL, False)
    assert set(by_listing) == set(by_look)
    assert {name: by_listing[name] for name in TIMES} == {name: by_look[name] for name in TIMES}
    assert by_listing["error"] is None and by_look["error"] == DECLINED


def test_the_log():
    item = told("a", None, dict(DETAIL, steps=STEPS), True)
    assert item["failed_step"] == {"name": "charge", "count": 1, "type": "do"} and item["failed_step_error"] == DECLINED
    assert [entry["name"] for entry in item["log"]] == ["reserve", "charge", "notify"] and item["step_count"] == 3
    assert item["log"][1] == {
        "name": "charge", "count": 1, "type": "do", "start": stamp(3), "end": stamp(9), "success": False, "attempts": 1, "error": DECLINED, "output": None
    }  # fmt: skip


def test_no_step_failed():
    assert told("a", None, dict(DETAIL, status="complete", error=None, steps=STEPS[:1]), True)["failed_step"] is None


def test_a_log_is_bounded():
    steps = [{"name": f"s-{number}", "type": "step"} for number in range(1, 1000)]
    item = told("a", None, dict(DETAIL, steps=steps), True)
    assert len(item["log"]) == MOST_ENTRIES and item["log"][-1]["count"] == 999 and item["step_count"] == 999


@each_row(
    "value, output, is_cut",
    [
        (None, None, False),
        (7, 7, False),
        ({"n": 1}, {"n": 1}, False),
        ('{"n": 1}', {"n": 1}, False),
        ('"text"', "text", False),
        ("plain text", "plain text", False),
        ('{"n": 1, "m', '{"n": 1, "m', True),
        ("[INFO] all done", "[INFO] all done", False),
        ("NaN", "NaN", False),
        ('{"n": -Infinity}', '{"n": -Infinity}', False),
        ('"\\ud800"', "\ufffd", False),
        ('{"__ansible_type": "x"}', '{"__ansible_type": "x"}', False),
        ("[" * 60 + "]" * 60, "[" * 60 + "]" * 60, False),
        ({"x": "y" * 20_000}, '{"x": "' + "y" * (LONGEST_OUTPUT - 8) + "…", True),
        ("some text [truncated output]", "some text [truncated output]", True),
        ("x" * 20_000, "x" * (LONGEST_OUTPUT - 1) + "…", True),
    ],
)
def test_outputs(value, output, is_cut):
    assert output_of(value) == (output, is_cut)


@each_row("strange", [{"error": "text"}, {"rollback": 1}, {"trigger": []}, {"step_count": "3"}, {"start": 5}, {"steps": "none"}])
def test_strange_details(strange):
    """Whatever an answer has in a field's place."""
    assert told("a", None, {**DETAIL, **strange}, True)["id"] == "a"
