# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report: what it asks for, what it tells, and what it says that it does not tell."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.edgeops.cloudflare.plugins.filter.runbook_report import FilterModule
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import OptionError
from ansible_collections.edgeops.cloudflare.plugins.plugin_utils.runbook import pages, screen
from ansible_collections.edgeops.cloudflare.plugins.plugin_utils.runbook.report import report
from ansible_collections.edgeops.cloudflare.tests.unit.tables import each_row

ACCOUNT = "0123456789abcdef0123456789abcdef"
API = "https://api.cloudflare.com/client/v4"
NOW = "2026-08-06T05:17:30Z"
INPUTS = {
    "workflow_name": "orders",
    "created_after": None,
    "created_before": None,
    "id_glob": None,
    "edgeops_record": None,
    "record_file": None,
    "record_job": None,
    "max_details": 100,
    "max_pages": 50,
}
WORKFLOW = {"account_id": ACCOUNT, "api_url": API, "workflow": {"counts": {}}, "api_calls": {"total": 1}}


def items(count, status="errored", ended=True, prefix="order-"):
    """Items of a listing, newest first."""
    created = [f"2026-08-06T{4 - number // 60 % 5:02d}:{59 - number % 60:02d}:00.000Z" for number in range(count)]
    return [
        {
            "id": f"{prefix}{count - number}",
            "status": status,
            "created_on": at,
            "ended_on": at if ended and status in ("errored", "complete") else None,
        }
        for number, at in enumerate(created)
    ]


def looked_at(listed, message="card declined", step="charge"):
    details = [{**item, "error": {"name": "PaymentError", "message": message}, "failed_step": step and {"name": step}} for item in listed]
    return {
        "instances": details,
        "summary": {"matched": len(details), "read": len(details), "logs": len(details)},
        "api_calls": {"total": len(details)},
    }


def known(listed=(), failed=None, recorded=None, record="", workflow=None, summary=None, **inputs):
    return {
        "inputs": {**INPUTS, **inputs},
        "record": record,
        "now": NOW,
        "workflow": WORKFLOW if workflow is None else workflow,
        "listed": {"instances": list(listed), "summary": {"truncated": False, **(summary or {})}, "api_calls": {"total": 3}},
        "failed": failed or {},
        "recorded": recorded or {},
    }


def record(ids, account=ACCOUNT, workflow="orders", **groups):
    entry = {"workflow_name": workflow, "state": "paused", "made_at": "2026-08-06T03:00:00Z", "job": "4711", "ids": ids, **groups}
    return json.dumps({"version": 1, "account_id": account, "api_url": API, "records": [entry]})


# -- what is asked for -----------------------------------------------------------------------------------------------------


@each_row(
    "inputs, select",
    [
        ({}, {"created_after": "2026-08-05T05:17:30Z"}),
        ({"created_after": "2026-08-01T02:00:00+02:00"}, {"created_after": "2026-08-01T00:00:00Z"}),
        ({"created_before": "2026-08-02T00:00:00Z"}, {"created_before": "2026-08-02T00:00:00Z", "created_after": "2026-08-01T00:00:00Z"}),
        ({"id_glob": "a*"}, {"created_after": "2026-08-05T05:17:30Z", "id_glob": "a*"}),
    ],
)
def test_the_listing(inputs, select):
    """By the inputs alone, before anything is read."""
    ask = report({"inputs": {**INPUTS, **inputs}, "record": "", "now": NOW}).ask
    assert (ask.select, ask.max_pages, ask.max_instances, ask.failed, ask.recorded) == (select, 50, 5000, [], [])


@each_row(
    "inputs, text, says",
    [
        ({"created_after": "yesterday"}, "", "created_after must be a time with its offset"),
        ({"created_before": "2026-08-06T03:00:00"}, "", "created_before must be a time with its offset"),
        ({"created_after": "2027-01-01T00:00:00Z"}, "", "created_after is later than now"),
        (
            {"created_after": "2026-08-02T00:00:00Z", "created_before": "2026-08-01T00:00:00Z"},
            "",
            "created_after is later than created_before",
        ),
        ({"record_file": "x", "record_job": 7}, "", "record_file and record_job both name a record"),
        ({"record_file": "x.json"}, "", "there is no record in record_file x.json"),
        ({"edgeops_record": "x"}, "x", "there is no record in what was given"),
        ({"edgeops_record": "x"}, record(["a"], workflow="refunds"), "the record tells of no instance of orders (it tells of refunds)"),
        ({"edgeops_record": "x"}, record(["a"], account="f" * 32), "the record is of account ffff"),
    ],
)
def test_what_can_not_be_meant(inputs, text, says):
    with pytest.raises(OptionError) as refused:
        report(known(record=text, **inputs))
    assert says in refused.value.message


def test_the_newest_failures_are_looked_at():
    """By when they failed, which a restart makes another order than that of their creation."""
    listed = items(120)
    listed[119]["ended_on"] = "2026-08-06T05:00:00Z"
    ask = report(known(listed, max_details=3)).ask
    assert ask.failed == ["order-1", "order-120", "order-119"]
    assert report(known(listed, max_details=0)).ask.failed == []


def test_of_a_record_those_that_were_not_listed():
    text = record([f"old-{number}" for number in range(150)] + ["order-1"])
    assert report(known(items(2), record=text, edgeops_record="x")).ask.recorded == [f"old-{number}" for number in range(150)]
    assert len(report(known(items(2), record=text, edgeops_record="x", max_pages=1)).ask.recorded) == 100


# -- what it tells ---------------------------------------------------------------------------------------------------------


def test_the_sentence():
    listed = [*items(3), *items(1, "paused"), *items(1200, "complete")]
    told = report(known(listed))
    assert told.headline == (
        "orders: 3 errored (last at 2026-08-06T04:59Z), 1 paused, 1,200 complete; 1,204 instances created since 2026-08-05T05:17:30Z."
    )
    assert report(known()).headline == "orders: no instance was created since 2026-08-05T05:17:30Z."
    assert report(known(items(1, "paused"))).headline == "orders: nothing errored, 1 paused; 1 instance created since 2026-08-05T05:17:30Z."
    narrow = report(known(items(1, "waiting"), id_glob="o*", created_before=NOW)).headline
    assert (
        narrow
        == "orders: nothing errored, 1 waiting; 1 instance with ids like o* created from 2026-08-05T05:17:30Z to 2026-08-06T05:17:30Z."
    )


@each_row(
    "read, remarks",
    [
        (known(), []),
        (known(items(1)), ["Errors of 0 of 1 failed instance."]),
        (known(items(1), max_details=0), ["Errors of 0 of 1 failed instance, the newest (max_details=1 reads all)."]),
        (known(items(1), looked_at(items(1))), ["Errors of 1 failed instance."]),
        (known(items(5), looked_at(items(5))), ["Errors of all 5 failed instances."]),
        (known(items(312), looked_at(items(100))), ["Errors of 100 of 312 failed instances, the newest (max_details=312 reads all)."]),
        (known(items(1200), looked_at(items(100))), ["Errors of 100 of 1,200 failed instances, the newest."]),
        (
            known(items(5, "complete"), summary={"truncated": True, "listed": 5, "total": 31200}),
            ["Only the newest 5 of 31,200 instances were listed: max_pages=312 lists all."],
        ),
        (
            known(items(5, "complete"), summary={"truncated": True, "listed": 5, "total": None}),
            ["Only the newest 5 instances were listed: a later created_after lists all since then."],
        ),
        (
            known(items(5, "complete", ended=False)),
            ["When instances ended is not told by this server (a development session): the hours tell what was created."],
        ),
        (
            known(items(2, "paused"), workflow={**WORKFLOW, "workflow": {"counts": {"paused": 12, "waiting": 5, "complete": 900}}}),
            ["15 that have not ended were created before that."],
        ),
        (
            known(
                items(1),
                {
                    "instances": [],
                    "summary": {"matched": 1, "read": 0, "logs": 0},
                    "msg": "order-1 could not be read: HTTP 500. Run again.",
                },
            ),
            [
                "Errors of 0 of 1 failed instance.",
                "Not all errors could be read: order-1 could not be read: HTTP 500. Run again.",
            ],
        ),
    ],
)
def test_what_it_does_not_tell(read, remarks):
    assert report(read).remarks == remarks


def test_statuses():
    """Bad news first, and words not known yet right behind."""
    counts = {"errored": 7, "complete": 9, "queued": 0, "waiting": 2}
    listed = [*items(1, "complete"), *items(2, "dozing"), *items(1), *items(3, "paused")]
    rows = report(known(listed, workflow={**WORKFLOW, "workflow": {"counts": counts}})).rows
    assert [(row.status, row.listed, row.all) for row in rows] == [
        ("errored", 1, 7),
        ("dozing", 2, 0),
        ("paused", 3, 0),
        ("waiting", 0, 2),
        ("complete", 1, 9),
    ]
    assert [row.age is not None for row in rows] == [False, True, True, False, False]
    assert {row.all for row in report(known(listed, workflow={**WORKFLOW, "workflow": {"counts": None}})).rows} == {None}


def test_one_that_has_been_restarted_meanwhile_is_no_failure():
    told = report(
        known(
            items(2),
            {"instances": [{"id": "order-1", "status": "running", "error": None}], "summary": {"matched": 1, "read": 1, "logs": 1}},
        )
    )
    assert told.errors == [] and told.steps == [] and told.read == 0


def test_a_record():
    """What was listed, what was looked at, what is gone, and what nobody knows."""
    text = record(["order-1", "order-2", "old-1", "old-2", "old-3"], on_their_way=["order-3"])
    looked = {"instances": [{"id": "old-1", "status": "complete"}], "missing": ["old-2"], "api_calls": {"total": 2}}
    told = report(known([*items(2), *items(1, "paused", prefix="order-3-")], recorded=looked, record=text, edgeops_record="x"))
    first, second = told.fates
    assert (first.title, first.total, first.by_status, first.gone, first.unread) == ("paused", 5, {"errored": 2, "complete": 1}, 1, 1)
    assert first.errored == ["order-1", "order-2"] and (second.title, second.unread) == ("on their way to be paused", 1)
    assert told.calls == 6 and report(known()).fates is None


def test_a_record_that_ansible_core_has_read():
    """Before 2.19 it makes a dictionary of a text that looks like one."""
    text = record(["order-1"])
    as_text, as_read = (report(known(items(1), record=one, edgeops_record="x")) for one in (text, json.loads(text)))
    assert as_text.fates and as_text == as_read


def test_links():
    told = report(known(workflow_name="a/b"))
    assert told.link("*/30 * * *-1 {{x}}") == (
        f"https://dash.cloudflare.com/{ACCOUNT}/workers/workflows/a%2Fb/instance/%2A%2F30%20%2A%20%2A%20%2A-1%20%7B%7Bx%7D%7D"
    )
    assert report(known(workflow={**WORKFLOW, "account_id": None})).link("a") is None


def test_the_hours_begin_where_the_listing_does():
    """A day is shown from its beginning; what goes further back, from the first instance that there is."""
    assert report(known(items(3))).throughput.spans[0].begin == "2026-08-05T05:00:00Z"
    for told in (
        known(items(90), created_after="0001-01-01T00:00:00Z"),
        known(items(90), summary={"truncated": True, "listed": 90, "total": 999}),
        known(items(90), created_before="0001-01-02T00:00:00Z"),
    ):
        assert report(told).throughput.spans[0].begin == "2026-08-06T03:00:00Z"
    assert report(known(created_after="2020-01-01T00:00:00Z")).throughput.spans[0].begin == "2026-08-05T05:00:00Z"


# -- how it is shown -------------------------------------------------------------------------------------------------------


def hostile():
    """A report of a few thousand instances, with what others may write into it."""
    listed = [*items(400), *items(3912, "complete", prefix="c-")]
    failed = looked_at(listed[:100])
    for number, item in enumerate(failed["instances"]):
        kind = chr(ord("A") + number % 26)
        item["error"] = {"name": kind * 500, "message": f"<script>{kind}</script> {{{{ 7 * 7 }}}} \x1b[31m\u202e\n 漢字 " * 40}
        item["failed_step"] = {"name": f"شحن {kind} " * 40}
    return known(listed, failed, record=record([item["id"] for item in listed[:400]]), edgeops_record="x")


def test_the_screen():
    """Aligned, narrow enough, short, and without anything that a terminal or Jinja obeys; a sentence first."""
    lines = screen.lines(report(hostile()))
    assert lines[0].startswith("orders: 400 errored (last at")
    assert len(lines) < 140 and sum(map(len, lines)) < 12_000
    for line in lines:
        assert line.isprintable() and "{{" not in line and "{%" not in line
        is_sentence = line.endswith(".") or line.startswith("https://")
        assert is_sentence or screen.width(line) <= screen.WIDEST, line
    at = lines.index("STATUS    LISTED  ALL  OLDEST  MEDIAN AGE")
    assert lines[at + 1 : at + 3] == ["errored      400    0", "complete   3,912    0"]
    assert lines.count("… and 16 more of these, with 60 failures") == 2


def test_a_screen_of_little():
    assert screen.lines(report(known())) == [
        "orders: no instance was created since 2026-08-05T05:17:30Z.",
        "",
        "As of 2026-08-06T05:17:30Z, by 4 calls of the API.",
    ]


@each_row(
    "seconds, told",
    [
        (0, "0 s"),
        (59.9, "59 s"),
        (60, "1 min"),
        (61, "1 min 1 s"),
        (3600, "1 h"),
        (3659, "1 h"),
        (3661, "1 h 1 min"),
        (86400 * 12 + 3600 * 5, "12 d 5 h"),
        (86400 + 60, "1 d"),
    ],
)
def test_durations(seconds, told):
    assert screen.duration(seconds) == told


@given(st.lists(st.lists(st.text(alphabet="a漢é \u0301", max_size=12), min_size=3, max_size=3), min_size=1))
def test_columns_are_aligned(rows):
    """The second column ends at the same place in all rows."""
    lines = screen.table(["A", "B", "C"], [[*row[:2], "|"] for row in rows], left=(0, 2))[1:]
    assert len({screen.width(line[: line.rindex("|")]) for line in lines}) == 1


@given(st.text(max_size=200), st.integers(min_value=1, max_value=80))
def test_fitted(text, columns):
    shown = screen.fitted(text, columns)
    assert screen.width(shown) <= columns and (shown == text or shown.endswith("…"))


def test_the_page_and_what_is_handed_on_stay_small():
    told = report(hostile())
    page, handed_on = pages.page(told), pages.handed_on(told)
    assert len(json.dumps(page)) < 120_000 and len(json.dumps(handed_on)) < 20_000
    assert (
        len(page["errors"]) == 25
        and page["more_errors"] == 1
        and len(page["fates"][0]["errored"]) == 100
        and page["fates"][0]["more_errored"] == 300
    )
    assert len(handed_on["errors"]) == 10 and handed_on["record"][0]["errored"] == 400
    assert all(one["link"].startswith("https://dash.cloudflare.com/") for group in page["errors"] for one in group["examples"])
    assert not [text for text in strings([page, handed_on]) if not text.isprintable() or "{{" in text or "{%" in text]


def strings(value):
    """All texts of a value, keys included."""
    if isinstance(value, dict):
        value = [*value.keys(), *value.values()]
    if isinstance(value, list):
        return [text for part in value for text in strings(part)]
    return [value] if isinstance(value, str) else []


@given(st.lists(st.tuples(st.sampled_from(["errored", "paused", "dozing"]), st.integers(min_value=1, max_value=10**6)), max_size=9))
def test_the_strip(counts):
    """Fills the width without a gap, and the smallest can be seen."""
    parts = pages.strip(counts)
    assert len(parts) == len(counts) and all(part["width"] > 4 for part in parts)
    for part, after in zip(parts, parts[1:]):
        assert abs(part["x"] + part["width"] - after["x"]) < 0.1
    assert not parts or abs(parts[-1]["x"] + parts[-1]["width"] - pages.WIDTH) < 0.1


def test_bars():
    """None leaves the picture; those that ended lie on each other."""
    told = report(known([*items(10), *items(90, "complete", prefix="c-"), *items(3, "waiting", prefix="w-")]))
    found = pages.page(told)
    bars = found["bars"]
    assert found["highest"] == 73
    assert all(0 <= drawn["y"] <= drawn["y"] + drawn["height"] <= pages.HEIGHT + 0.02 for drawn in bars)
    assert all(0 <= drawn["x"] <= drawn["x"] + drawn["width"] <= pages.WIDTH + 0.02 for drawn in bars)
    tallest = max(bars, key=lambda drawn: drawn["height"])
    assert tallest["kind"] == "created" and tallest["height"] == pages.HEIGHT
    assert {drawn["kind"] for drawn in bars} == {"created", "complete", "errored"}


def test_the_filter():
    """Mistakes are sentences, and nothing else is there then."""
    runbook_report = FilterModule().filters()["runbook_report"]
    assert runbook_report(known(created_after="x"))["mistakes"][0].startswith("created_after must be a time")
    made = runbook_report(hostile())
    assert made["mistakes"] == [] and set(made) == {"mistakes", "ask", "lines", "page", "handed_on"}
    assert json.loads(json.dumps(made)) == made
