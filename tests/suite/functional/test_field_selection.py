# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A selection is what it says: listings that end too soon, cursors in other places, clocks that are wrong, filters unknown to a server."""

from __future__ import annotations

import re

import pytest
from answering import Answering, Rule, assert_plain, listed, listing, names, ok, page, refusal, run, sentences
from quickclock import quicken

RUNNING = {"select": {"status": ["running"]}}


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Waits pass at once."""
    quicken(monkeypatch, pace=0.0)


def every(cases):
    """One test for each of these cases (dict of title: value)."""
    return pytest.mark.parametrize("case", cases.values(), ids=cases)


def one_page(size, **info):
    """A Rule: every listing is the same page of so many running instances, with this `result_info`."""
    return Rule(ok([listed(name) for name in names(size)], result_info=info), method="GET", path=r"/instances\?")


# -- a listing that ends before its own total ---------------------------------------------------------------------------

#: What a full page of a hundred announces without a way to the rest.
CUT_SHORT = {
    "a total": {"count": 100, "per_page": 100, "total_count": 250},
    "a total and page numbers": {"count": 100, "per_page": 100, "total_count": 250, "page": 1, "total_pages": 3},
    "page numbers alone": {"count": 100, "per_page": 100, "page": 1, "total_pages": 3},
    "one more": {"count": 100, "per_page": 100, "total_count": 101},
    "a total, and a cursor that is empty": {"count": 100, "per_page": 100, "total_count": 250, "cursor": ""},
    "a total, and a cursor that is null": {"count": 100, "per_page": 100, "total_count": 250, "cursor": None},
}


@every(CUT_SHORT)
@pytest.mark.parametrize("check_mode", [False, True], ids=["run", "check mode"])
def test_cut_short(case, check_mode):
    """Nothing is changed on the strength of a part."""
    with Answering(names(250), one_page(100, **case)) as api:
        result = run(check_mode=check_mode, **RUNNING)
    assert_plain(result)
    assert result.get("failed") and not result["changed"] and api.count("PATCH") == 0
    assert "100" in result["msg"] and (str(case.get("total_count", "")) in result["msg"])


@pytest.mark.parametrize(
    "select", [{"status": ["running", "waiting"]}, {"id_glob": "order-*"}, {"created_after": "2026-11-26T00:00:00Z"}], ids=str
)
def test_cut_short_whatever_is_asked_for(select):
    """All ways of listing are held against the total."""
    with Answering(names(250), one_page(100, **CUT_SHORT["a total"])) as api:
        result = run(select=select)
    assert result.get("failed") and api.count("PATCH") == 0, result["msg"]


def test_cut_short_on_a_later_page():
    """Full as well, and without a cursor."""

    def answer(query):
        reply = listing(dict.fromkeys(names(350), "running"), query)
        if "cursor" in query:
            reply.body["result_info"].pop("cursor", None)
        return reply

    with Answering(names(350), Rule(answer, method="GET", path=r"/instances\?")) as api:
        result = run(**RUNNING)
    assert result.get("failed") and api.count("PATCH") == 0, result["msg"]
    assert "200" in result["msg"] and "350" in result["msg"]


#: Pages that are the whole truth, although their `result_info` may look as if there were more.
WHOLE = {
    "as many as announced": (100, {"count": 100, "per_page": 100, "total_count": 100}),
    "no total": (3, {"count": 3, "per_page": 100}),
    "not full, while instances moved": (40, {"count": 40, "per_page": 100, "total_count": 43}),
    "less announced": (3, {"count": 3, "per_page": 100, "total_count": 0}),
    "one page of one": (3, {"count": 3, "per_page": 100, "page": 1, "total_pages": 1, "total_count": 3}),
}


@every(WHOLE)
def test_whole(case):
    """All that is listed is paused."""
    count, info = case
    with Answering(names(count), one_page(count, **info)) as api:
        result = run(**RUNNING)
    assert not result.get("failed") and api.count("PATCH") == count, result["msg"]
    assert result["summary"]["matched"] == result["summary"]["changed"] == count


# -- cursors ------------------------------------------------------------------------------------------------------------

#: Other places in `result_info` in which a server may put its cursor.
ELSEWHERE = {
    "cursors.after": lambda cursor: {"cursors": {"after": cursor}},
    "cursors.after, before it one back": lambda cursor: {"cursors": {"before": "x", "after": cursor}},
    "next_cursor": lambda cursor: {"next_cursor": cursor},
    "next.cursor": lambda cursor: {"next": {"cursor": cursor}},
}


@every(ELSEWHERE)
@pytest.mark.parametrize("total", [True, False], ids=["with a total", "without"])
def test_a_cursor_elsewhere(case, total):
    """Followed to the end, or refused; never ignored."""

    def answer(query):
        reply = listing(dict.fromkeys(names(250), "running"), query)
        info = reply.body["result_info"]
        cursor = info.pop("cursor", None)
        if not total:
            del info["total_count"]
        if cursor:
            info.update(case(cursor))
        return reply

    with Answering(names(250), Rule(answer, method="GET", path=r"/instances\?")) as api:
        result = run(**RUNNING)
    assert_plain(result)
    if result.get("failed"):
        assert api.count("PATCH") == 0, result["msg"]
    else:
        assert result["summary"]["changed"] == api.count("PATCH") == 250, result["msg"]


@pytest.mark.parametrize("count", [2, 100])
def test_an_empty_page_ends_a_listing(count):
    """Even where it, too, has a cursor."""
    instances = names(count)

    def answer(query):
        items = [] if "cursor" in query else [listed(name) for name in instances]
        return ok(items, result_info={"count": len(items), "per_page": 100, "total_count": count, "cursor": "AAA"})

    with Answering(instances, Rule(answer, method="GET", path=r"/instances\?")) as api:
        result = run(**RUNNING)
    assert not result.get("failed"), result["msg"]
    assert (api.count("GET"), api.count("PATCH"), result["summary"]["changed"]) == (2, count, count)


def test_an_empty_page_with_a_new_cursor_each_time():
    """Nor is a server followed that invents cursors for ever."""

    def answer(query):
        number = int(query.get("cursor", "0"))
        items = [] if number else [listed(name) for name in names(2)]
        more = {"cursor": str(number + 1)} if number < 30 else {}  # one who follows them is let go in the end
        return ok(items, result_info={"count": len(items), "per_page": 100, "total_count": 2, **more})

    with Answering(names(2), Rule(answer, method="GET", path=r"/instances\?")) as api:
        result = run(**RUNNING)
    assert not result.get("failed") and (api.count("GET"), api.count("PATCH")) == (2, 2), result["msg"]


# -- the server's clock -------------------------------------------------------------------------------------------------

#: The header `Date`, beside instances that were created at 02:05 on 26 November 2026.
DATES = {
    "right": "Thu, 26 Nov 2026 03:06:00 GMT",
    "an hour slow": "Thu, 26 Nov 2026 01:06:00 GMT",
    "at the beginning of time": "Thu, 01 Jan 1970 00:00:00 GMT",
    "a month slow": "Mon, 26 Oct 2026 03:06:00 GMT",
    "a century fast": "Thu, 26 Nov 2126 03:06:00 GMT",
    "no date": "yesterday",
    "missing": None,
}


@every(DATES)
@pytest.mark.parametrize("select", [{"status": ["running"]}, {"id_glob": "order-*"}], ids=["by status", "by glob"])
def test_the_servers_clock(case, select):
    """What the first page shows existed before it was answered, whatever the header says."""
    with Answering(names(3)) as api:
        api.date = case
        result = run(select=select)
    assert (result["summary"]["matched"], api.count("PATCH"), result["summary"]["changed"]) == (3, 3, 3), result["msg"]


# -- what a server doesn't know -----------------------------------------------------------------------------------------

_NO_DIRECTION = refusal(400, 10002, "workflows.api.error.bad_request: direction can only be used with cursor")


def test_direction_goes_with_a_cursor_only():
    """The first page is asked for without it, since a server may refuse it there."""
    with Answering(names(250), Rule(_NO_DIRECTION, method="GET", path=r"/instances\?(?!.*cursor=).*direction=")) as api:
        result = run(**RUNNING)
    assert not result.get("failed") and api.count("PATCH") == 250, result["msg"]
    assert ["cursor" in query for query in api.queries()] == [False, True, True]
    assert not any("direction" in query and "cursor" not in query for query in api.queries())


#: How a server refuses a status that it doesn't know.
UNKNOWN_FILTERS = {
    "10002": refusal(400, 10002, "workflows.api.error.bad_request: Invalid enum value: waitingForPause"),
    "7400": refusal(400, 7400, "status: Invalid option"),
    "422": refusal(422, 10002, "Invalid enum value"),
}


@every(UNKNOWN_FILTERS)
@pytest.mark.parametrize("among", [[], ["running"]], ids=["alone", "among others"])
def test_a_status_that_a_server_does_not_know(case, among):
    """Done without, by listing everything, with a warning."""
    statuses = {"order-0": "waitingForPause", "order-1": "running", "order-2": "complete"}
    with Answering(statuses, Rule(case, method="GET", path="status=waitingForPause")) as api:
        result = run(select={"status": ["waitingForPause", *among]}, state="terminated")
    assert_plain(result)
    assert not result.get("failed"), result["msg"]
    wanted = {"order-0", *(["order-1"] if among else [])}
    assert {item["id"] for item in result["instances"]} == wanted and api.count("PATCH") == len(wanted)
    if any("status" in query for query in api.queries()):
        assert any("refuse" in warning for warning in sentences(result)[1 + len(wanted) :])


def test_a_status_that_a_large_server_does_not_know():
    """Where listing everything would take more than 20 pages, the task ends, and says what was refused."""
    everything = dict.fromkeys(names(2001), "complete")
    with Answering(everything, Rule(UNKNOWN_FILTERS["10002"], method="GET", path="status=waitingForPause")) as api:
        result = run(select={"status": ["waitingForPause"]}, state="terminated")
    assert_plain(result)
    assert result.get("failed") and api.count("PATCH") == 0 and api.count("GET") <= 21
    assert "waitingForPause" in result["msg"] and "refuse" in result["msg"]


def test_a_status_that_a_server_of_twenty_pages_does_not_know():
    """Twenty are done."""
    everything = {**dict.fromkeys(names(1999), "complete"), "last": "waitingForPause"}
    with Answering(everything, Rule(UNKNOWN_FILTERS["10002"], method="GET", path="status=waitingForPause")) as api:
        result = run(select={"status": ["waitingForPause"]}, state="terminated")
    assert not result.get("failed") and [item["id"] for item in result["instances"]] == ["last"], result["msg"]
    assert api.count("GET", r"/instances\?(?!.*status=)") == 20 and api.count("PATCH") == 1


def test_refused_credentials_are_no_unknown_filter():
    """A 400 of another meaning is not done without."""
    answer = refusal(400, 6003, "Invalid request headers", [(6111, "Invalid format for Authorization header")])
    with Answering(names(3), Rule(answer, method="GET", path="status=")) as api:
        result = run(**RUNNING)
    assert result.get("failed") and len(api.calls) == 1, result["msg"]


def test_a_page_that_is_none():
    """Nor is a firewall's page."""
    answer = page("<html><head><title>Blocked</title></head></html>", 400)
    with Answering(names(3), Rule(answer, method="GET", path="status=")) as api:
        result = run(**RUNNING)
    assert result.get("failed") and len(api.calls) == 1 and re.search("api_url|proxy|firewall", result["msg"]), result["msg"]


# -- too many -----------------------------------------------------------------------------------------------------------


def test_too_many_are_counted_to_the_end():
    """The sum, by status, both ways out with the number, and nothing changed."""
    everything = {**dict.fromkeys(names(340), "running"), **dict.fromkeys(names(20, "idle"), "complete")}
    with Answering(everything) as api:
        result = run(select={"id_glob": "*"}, max_instances=200)
    assert_plain(result)
    assert result.get("failed") and api.count("PATCH") == 0 and api.count("GET") == 4
    assert result["summary"]["matched"] == 360
    assert "360 instances of orders match" in result["msg"] and "max_instances=200" in result["msg"]
    assert "running 340" in result["msg"] and "complete 20" in result["msg"]
    assert "nothing was changed" in result["msg"]
    raised = max(int(number.replace(",", "")) for number in re.findall(r"max_instances=([\d,]+)", result["msg"]))
    assert raised >= 360


def test_too_many_after_all_filters():
    """The number is of what matches all filters, not of what the server counts."""
    everything = {**dict.fromkeys(names(150), "running"), **dict.fromkeys(names(150, "other"), "running")}
    with Answering(everything) as api:
        result = run(select={"status": ["running"], "id_glob": "order-*"}, max_instances=20)
    assert result.get("failed") and api.count("PATCH") == 0 and result["summary"]["matched"] == 150
    assert "150 instances of orders match" in result["msg"] and "300" not in result["msg"]


def test_too_many_to_be_counted():
    """After a hundred pages it is "at least"."""
    with Answering(names(10_050)) as api:
        result = run(**RUNNING)
    assert result.get("failed") and api.count("PATCH") == 0 and api.count("GET") == 100
    assert re.search(r"at least 10,000 instances of orders match", result["msg"], re.IGNORECASE), result["msg"]
