# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The result: what an operator and the next task are told."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet import account, bounds, report
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.account import Told
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.gathering import Found
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.selection import Selection
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance import telling
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.pursuit import Pursuit
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.record import Record
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.wanted import Wanted
from ansible_collections.edgeops.cloudflare.tests.unit.stories import (
    CHARGE,
    DECLINED,
    STEPS,
    again,
    drive,
    gone,
    lost,
    ok,
    refused,
    saw,
)
from ansible_collections.edgeops.cloudflare.tests.unit.tables import each_row

ACCEPTED = "2026-08-06T03:02:07.000Z"
MUST_SETTLE = ("id", "status", "previous_status", "action", "changed", "failed", "timestamp", "outcome", "msg")


def story(*script, instance_id="order-1", check_mode=False, state="paused", **wanted):
    return drive(script, check_mode=check_mode, instance_id=instance_id, state=state, **wanted)[0]


def paused(instance_id="order-1"):
    return story(saw("running"), ok("paused"), instance_id=instance_id)


def was_paused(instance_id="order-1"):
    return story(saw("paused"), instance_id=instance_id)


def complete(instance_id="order-1", status="complete"):
    return story(saw(status), instance_id=instance_id)


def slow(instance_id="order-1", after=300):
    return story(saw("running"), ok("waitingForPause"), saw("waitingForPause", after=after), instance_id=instance_id)


def not_attempted(instance_id="order-1", reason="max_failures (3) is reached"):
    pursuit = Pursuit(Record(instance_id, Wanted("paused"), "orders"))
    pursuit.abandon(reason)
    return pursuit.record


def item_of(record):
    return report.items([record])[0]


def each(kind, count, first=1, **how):
    return [kind(f"order-{number}", **how) for number in range(first, first + count)]


# -- items ------------------------------------------------------------------------------------------------------------


def test_item_of_a_changed_one():
    assert item_of(paused()) == {
        "id": "order-1",
        "status": "paused",
        "previous_status": "running",
        "action": "pause",
        "changed": True,
        "failed": False,
        "timestamp": ACCEPTED,
        "outcome": "changed",
        "msg": "order-1 is paused (was running): pause accepted 03:02:07Z.",
    }


def test_item_of_an_unchanged_one():
    assert item_of(was_paused()) == {
        "id": "order-1",
        "status": "paused",
        "previous_status": "paused",
        "action": None,
        "changed": False,
        "failed": False,
        "timestamp": None,
        "outcome": "unchanged",
        "msg": "order-1 is already paused: nothing was sent.",
    }


def test_item_of_one_that_is_not_there():
    item = item_of(story(gone()))
    assert (item["status"], item["previous_status"], item["outcome"], item["failed"]) == (None, None, "failed", True)


def test_item_of_one_that_was_not_attempted():
    item = item_of(not_attempted())
    assert (item["status"], item["action"], item["outcome"], item["failed"], item["changed"]) == (None, None, "not_attempted", True, False)
    assert item["msg"] == "order-1 was not attempted: max_failures (3) is reached."


def test_item_of_a_restart_from_a_step():
    events = [saw("errored", error=DECLINED, steps=STEPS), ok(), saw("running", end=None, steps=again())]
    item = item_of(story(*events, state="restarted", from_failed_step=True))
    assert item["restarted_from"] == {"name": "charge", "count": 1, "type": "do"}
    assert item["reruns"] == [{"name": "notify", "count": 1, "type": "do"}]


def test_item_of_a_full_restart():
    item = item_of(story(saw("errored"), ok(), saw("running", run=1), state="restarted"))
    assert not {"restarted_from", "reruns", "rollback"} & set(item)


def test_item_of_a_rollback():
    rollback = {"outcome": "complete", "error": None}
    item = item_of(story(saw("running"), ok("terminated"), saw("terminated", rollback=rollback), state="terminated", rollback=True))
    assert item["rollback"] == rollback


def test_every_item_has_the_same_keys():
    for pursuit in (paused(), was_paused(), complete(), slow(), not_attempted(), story(gone()), story(saw("running"), check_mode=True)):
        assert tuple(item_of(pursuit)) == MUST_SETTLE


# -- summary ----------------------------------------------------------------------------------------------------------


def test_summary():
    again_errored = story(saw("errored"), ok(), saw("errored", run=1), state="restarted", instance_id="r")
    unknown = story(saw("errored"), lost(), saw("errored"), saw("errored", after=30), state="restarted", instance_id="u")
    pursuits = [*each(paused, 2), was_paused(), complete(), slow(), again_errored, unknown, not_attempted(), story(gone())]
    assert report.summary(pursuits, None, None, 4.23456) == {
        "matched": 9,
        "changed": 3,
        "unchanged": 1,
        "failed": 3,
        "unknown": 1,
        "not_attempted": 1,
        "finished_again": 1,
        "by_status": {"paused": 3, "complete": 1, "waitingForPause": 1, "errored": 2},
        "passes": 0,
        "converged": True,
        "duration": 4.235,
    }


def test_summary_of_a_selection():
    found = report.summary([], Found({}, passes=5, converged=False), 4312, 0.0)
    assert (found["matched"], found["passes"], found["converged"]) == (4312, 5, False)


@given(st.lists(st.sampled_from([paused, was_paused, complete, slow, not_attempted]), max_size=12))
def test_outcomes_add_up(kinds):
    pursuits = [kind(f"order-{number}") for number, kind in enumerate(kinds)]
    summary = report.summary(pursuits, None, None, 1.0)
    assert (
        sum(summary[outcome] for outcome in ("changed", "unchanged", "failed", "unknown", "not_attempted"))
        == summary["matched"]
        == len(kinds)
    )
    ids = report.ids(pursuits)
    assert {outcome: len(members) for outcome, members in ids.items()} == {outcome: summary[outcome] for outcome in ids}


# -- diff -------------------------------------------------------------------------------------------------------------


def test_diff():
    pursuits = [paused("a"), was_paused("b"), complete("c"), slow("d"), not_attempted("e")]
    assert report.diff(pursuits) == {"before": {"a": "running", "d": "running"}, "after": {"a": "paused", "d": "waitingForPause"}}
    assert report.diff([]) == {"before": {}, "after": {}}


#: (state, wanted, look, how it goes in earnest)
BOTH_WAYS = [
    ("paused", {}, saw("running"), [ok("paused")]),
    ("paused", {}, saw("running"), [ok("waitingForPause"), saw("paused", after=2)]),
    ("paused", {"wait": False}, saw("running"), [ok("waitingForPause")]),
    ("running", {}, saw("paused"), [ok("running"), saw("running")]),
    ("running", {}, saw("paused"), [ok("running"), saw("waiting")]),
    ("running", {}, saw("paused"), [ok("queued"), saw("queued")]),
    ("running", {}, saw("paused"), [ok("running"), saw("complete")]),
    ("terminated", {}, saw("running"), [ok("terminated")]),
    ("terminated", {"rollback": True}, saw("running"), [ok("rollingBack"), saw("terminated", after=2)]),
    ("restarted", {}, saw("running"), [ok(), saw("running", run=1)]),
    ("restarted", {}, saw("errored"), [ok(), saw("errored", run=1)]),
    ("restarted", {"step": CHARGE}, saw("errored", steps=STEPS), [ok(), saw("running", end=None, steps=again())]),
    (
        "restarted",
        {"from_failed_step": True},
        saw("errored", error=DECLINED, steps=STEPS),
        [ok(), saw("complete", ended=70, steps=again())],
    ),
    ("paused", {}, saw("paused"), []),
    ("paused", {"skip_finished": True}, saw("complete"), []),
]


@each_row("state, wanted, look, events", BOTH_WAYS)
def test_diff_is_the_same_in_check_mode_and_in_earnest(state, wanted, look, events):
    foretold = story(look, state=state, check_mode=True, **wanted)
    was = story(look, *events, state=state, **wanted)
    assert report.diff([foretold]) == report.diff([was])
    assert (foretold.changed, foretold.failed) == (was.changed, was.failed)


def test_diff_of_restarts():
    full = story(saw("running"), ok(), saw("running", run=1), state="restarted", instance_id="a")
    from_step = story(saw("errored", steps=STEPS), check_mode=True, state="restarted", step=CHARGE, instance_id="b")
    assert report.diff([full, from_step]) == {
        "before": {"a": "running", "b": "errored"},
        "after": {"a": "restarted", "b": "restarted from charge (1)"},
    }


# -- facts ------------------------------------------------------------------------------------------------------------


def test_facts():
    assert report.facts([paused("a"), was_paused("b"), not_attempted("c")]) == {
        "a": {"status": "paused", "timestamp": ACCEPTED},
        "b": {"status": "paused", "timestamp": None},
    }


# -- warnings ---------------------------------------------------------------------------------------------------------


def warned(records, messages=(), found=None, held=0.0, failed=False, selection=None):
    told = Told(records, "orders", Wanted("paused"), 1000, selection=selection)
    return report.warnings(told, list(messages), found, held, failed)


def test_warnings():
    events = [saw("errored"), ok(), saw("errored", run=1, error=DECLINED)]
    errored = [story(*events, state="restarted", instance_id=f"order-{number}") for number in range(8)]
    assert warned([paused()]) == []
    assert warned(errored[:2], held=10.0) == [
        f"order-{number} is errored since 2026-08-06T00:01:49Z: it ran and failed with Error: card declined." for number in (0, 1)
    ]
    assert warned(errored)[5:] == ["and 3 more like these"]
    assert warned([paused()], [{"code": 1, "message": "be\x1b[1mta\n"}], Found({}, 5, False, ("listed in another way",)), 300.4) == [
        "listed in another way",
        "new instances kept appearing in the selection during all 5 passes; more may match by now: run again",
        "the API's rate limit held this task back for 300 s",
        "the API says: beta",
    ]


def test_green_hides_no_news():
    """On a terminal a green task says nothing but its warnings."""
    ended = story(saw("complete"), state="terminated")
    assert warned([ended]) == ["order-1 is already complete: it ended by itself, and nothing was terminated or undone."]
    assert warned([story(saw("running"), lost(), saw("paused"))]) != []
    assert warned([], selection=Selection(statuses=("errored",), id_glob="x-*")) == [
        "No instance of orders matches (status: errored; id_glob: x-*)."
    ]
    assert warned([]) == [], "an empty list is nothing to do"


def test_red_is_not_told_twice():
    errored = story(saw("errored"), ok(), saw("errored", run=1, error=DECLINED), state="restarted")
    assert warned([errored], failed=True) == []
    assert errored.msg not in warned([errored])


# -- size -------------------------------------------------------------------------------------------------------------


def page(instance_id, size=93000):
    """One that failed with an upstream's error page, colours and all."""
    message = "upstream answered 502: <html>" + "<p>Bad gateway</p>\n" * (size // 19) + "\x1b[31mred\x1b[0m"
    return story(
        saw("errored"), ok(), saw("errored", run=1, error={"name": "Error", "message": message}), state="restarted", instance_id=instance_id
    )


def test_pages_of_errors_are_bounded():
    items = report.items([page(f"order-{number}") for number in range(10)])
    before = json.dumps(items)
    assert bounds.fit({"instances": items}) == []
    assert json.dumps(items) == before, "nothing is cut where there is room"
    assert len(json.dumps(items)) < 60000
    assert len(items[0]["error"]["message"]) == 4096
    assert len(items[0]["msg"].splitlines()) == 1
    assert len(items[0]["msg"]) < 600


def test_a_thousand_pages_of_errors_are_bounded():
    """AWX drops the result of an event above 700,000 characters."""
    records = [page(f"order-{number}", 9500) for number in range(1000)]
    result = {
        "msg": account.message(Told(records, "orders", records[0].wanted, 1000)),
        "instances": report.items(records),
        "ids": report.ids(records),
        "diff": report.diff(records),
        "ansible_facts": report.facts(records),
    }
    assert bounds.fit(result) == []
    assert 500000 < len(json.dumps(result)) < 700000 and "ansible_facts" in result
    assert len(result["instances"][0]["error"]["message"]) == 4096, "as long as there is room"
    assert all(item["id"] in item["msg"] and item["error"]["message"] for item in result["instances"])


@each_row("character", ["x", "é", "😀"])
def test_facts_are_left_out_where_they_make_it_too_large(character):
    """Loudly: a fact that isn't there fails where it is used, and a list that was cut would not."""
    records = [page(f"{number}-" + character * 90, 9500) for number in range(1100)]
    result = {"instances": report.items(records), "ids": report.ids(records), "ansible_facts": report.facts(records)}
    ids = [item["id"] for item in result["instances"]]
    if character == "x":
        assert bounds.fit(result) == [bounds.WITHOUT_FACTS]
        assert "ansible_facts" not in result and len(json.dumps(result)) < 700000
    else:
        assert bounds.fit(result) == [bounds.TOO_LARGE], "nothing helps that could be left out"
        assert "ansible_facts" in result
    assert [item["id"] for item in result["instances"]] == ids


@each_row("count, is_bad, warned", [(10_000, False, 0), (10_000, True, 1), (3, True, 0)])
def test_a_brief_result_fits_whatever_it_tells_of(count, is_bad, warned):
    """Ten thousand instances, ids of 40 characters, and each failed with a page of text where they are told of."""
    records = [page(f"order-{number:06d}-{'x' * 27}", 500) for number in range(count)]
    told = records if is_bad else []
    result = {"instances": report.items(told), "ids": report.ids(records), "diff": report.diff_in_brief(records)}
    assert len(bounds.fit_brief(result)) == warned
    assert len(json.dumps(result)) < 700_000 and "ids_truncated" not in result
    assert sum(len(ids) for ids in result["ids"].values()) == count
    assert len(told) > 1000 or len(result["instances"]) == len(told)
    assert len(told) <= 1000 or 200 < len(result["instances"]) < 1000
    assert result["instances"] == [] or result["instances"][0]["error"]["message"]


def test_ids_that_do_not_fit_are_cut_and_counted():
    """The ones that matter least first."""
    records = [page(f"{number}-" + "x" * 90, 10) for number in range(8000)]
    for number, record in enumerate(records):
        record.outcome = "changed" if number < 7000 else "failed"
    failed = [record.id for record in records[7000:]]
    result = {"instances": [], "ids": report.ids(records)}
    (warned,) = bounds.fit_brief(result)
    assert result["ids"]["failed"] == failed
    left_out = 7000 - len(result["ids"]["changed"])
    assert result["ids_truncated"] == {"changed": left_out} and 0 < left_out < 3000
    assert warned == f"ids leaves {left_out:,} out: with them the result would be too large for AWX to show"
    assert 600_000 < len(json.dumps(result)) < 700_000


def test_what_a_brief_result_has_items_of():
    """What went wrong comes first, so that it is kept where not all fit; then what has ended meanwhile, by its id."""
    skips = {"state": "running", "skip_finished": True}
    scripts = {
        "errored": [saw("errored")],
        "running": [saw("running")],
        "failed": [saw("paused"), refused(), saw("paused")],
        "resumed": [saw("paused"), ok(), saw("running")],
        "again": [saw("paused"), ok(), saw("errored")],
        "complete": [saw("complete")],
        "gone": [gone()],
        "undone": [saw("rollingBack")],
    }
    records = [drive(script, instance_id=name, when_status=frozenset(["paused"]), **skips)[0] for name, script in scripts.items()]
    assert [record.id for record in report.news_of(records)] == ["failed", "again", "gone", "errored", "complete", "undone"]
    plain = [drive([saw("complete")], instance_id="complete", state="running", when_status=frozenset(["paused"]))[0]]
    assert report.news_of(plain) == [], "one that nothing is said of to skip"


def test_a_brief_diff_counts():
    records = [page("a", 10), page("b", 10)]
    for record in records:
        record.outcome, record.first_status = "changed", "running"
    assert report.diff_in_brief(records) == {"before": {"running": 2}, "after": {records[0].wanted.state: 2}}


@each_row("size, cut", [(10, ""), (2_000, "outputs of steps"), (14_000, "outputs of steps, older entries of logs, outputs")])
def test_what_was_read_fits(size, cut):
    """Logs, outputs and errors of many, whatever they are of."""
    step = {"type": "step", "success": True, "output": "x" * size}
    steps = [{**step, "name": f"s-{number}"} for number in range(1, 30)]
    detail = {"status": "errored", "output": "y" * size, "error": {"name": "Error", "message": "z" * 9000}, "steps": steps}
    result = {"instances": [telling.told(f"order-{number}", None, detail, True) for number in range(60)]}
    warned = bounds.fit_readings(result)
    assert [text.partition(" were")[0] for text in warned] == ([cut] if cut else [])
    assert len(json.dumps(result)) < 700_000 and all(item["error"]["message"] for item in result["instances"])


def test_what_was_read_of_a_few_fields_fits():
    """Nothing is cut of what is not there."""
    result = {"instances": [{"id": "x" * 100 + str(number), "status": "running"} for number in range(6000)]}
    (warned,) = bounds.fit_readings(result)
    assert warned.endswith("it is too large all the same: ask for fewer") and result["instances"][0].keys() == {"id", "status"}
