# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which requests the endpoints make, and how a listing is followed to its end. (Odd ids on the wire: test_client.py.)"""

from __future__ import annotations

import pytest

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.client import LIST, PATCH, READ
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.connection import Connection, Credentials
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.envelope import Answer
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import InstanceNotFound, ListingBroken, WorkflowNotFound
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.workflows import PAGE_SIZE, Observed, Page, Workflow
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.steplog import Step
from ansible_collections.edgeops.cloudflare.tests.unit.tables import each_row


class Calls:
    """Stands in for a client: answers in turn, and keeps what was asked."""

    prefix = "/accounts/0123"
    connection = Connection(
        "https://api.example", "0123", Credentials("token-0001-abcdefgh"), 30.0, 4, None, False, "api_token", "account_id"
    )

    def __init__(self, *answers, is_development_session=False):
        self.is_development_session = is_development_session
        self._answers = list(answers)
        self.made = []

    def call(self, method, path, kind, query=None, body=None, **how):
        self.made.append((method, path, kind, dict(query) if query else None, body, how))
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def queries(self):
        return [call[3] for call in self.made]


def answer(result, sent_at=7.0, **result_info):
    return Answer(result, result_info, [])._replace(sent_at=sent_at)


def items(first, count):
    return [{"id": f"i{number}", "status": "running"} for number in range(first, first + count)]


# -- one instance -----------------------------------------------------------------------------------------------------


def test_detail():
    calls = Calls(answer({"status": "running"}), answer({"status": "running", "steps": []}))
    workflow = Workflow(calls, "my orders")
    assert workflow.detail("order 1") == Observed({"status": "running"}, 7.0)
    workflow.detail("order-1", steps=True, slots=2)
    path = "/accounts/0123/workflows/my%20orders/instances/"
    assert calls.made == [
        ("GET", path + "order%201", READ, {"simple": "true"}, None, {"slots": 1}),
        ("GET", path + "order-1", READ, None, None, {"slots": 2}),
    ]


def test_without_an_account():
    calls = Calls(answer({"status": "running"}))
    calls.prefix = ""
    Workflow(calls, "orders").detail("a")
    assert calls.made[0][1] == "/workflows/orders/instances/a"


#: (arguments, body, whether it may be sent once only)
CHANGES = [
    (("pause",), {"status": "pause"}, False),
    (("resume",), {"status": "resume"}, False),
    (("terminate",), {"status": "terminate"}, False),
    (("terminate", None, True), {"status": "terminate", "rollback": True}, True),
    (("restart",), {"status": "restart"}, True),
    (("restart", Step("charge", 2, "do")), {"status": "restart", "from": {"name": "charge", "count": 2, "type": "do"}}, True),
]


@each_row("arguments, body, once", CHANGES)
def test_changes(arguments, body, once):
    calls = Calls(answer({"status": "running", "timestamp": "t"}))
    answered = Workflow(calls, "orders").change_status("a", *arguments, slots=0, longest_wait=1.5, is_repetition=True)
    assert answered == {"status": "running", "timestamp": "t"}
    assert calls.made == [
        (
            "PATCH",
            "/accounts/0123/workflows/orders/instances/a/status",
            PATCH,
            None,
            body,
            {"once": once, "slots": 0, "longest_wait": 1.5, "is_repetition": True},
        )
    ]


def test_the_workflow_that_is_not_there_is_named():
    calls = Calls(WorkflowNotFound("the API says: workflow.not_found"), InstanceNotFound("the API says: instance.not_found"))
    with pytest.raises(WorkflowNotFound) as caught:
        Workflow(calls, "ordres").detail("a")
    assert caught.value.message == "workflow ordres was not found in account 0123 (from account_id): the API says: workflow.not_found"
    assert caught.value.advice == "Check workflow_name and account_id"
    with pytest.raises(InstanceNotFound):
        Workflow(calls, "orders").detail("a")


# -- listings ---------------------------------------------------------------------------------------------------------


def pages(calls, *filters):
    return list(Workflow(calls, "orders").pages(*filters))


def test_one_page():
    calls = Calls(answer(items(0, 3), total_count=3))
    assert pages(calls) == [Page(items(0, 3), 3, 7.0)]
    assert calls.made == [("GET", "/accounts/0123/workflows/orders/instances", LIST, {"per_page": "100"}, None, {})]


def test_an_empty_one():
    assert pages(Calls(answer([], total_count=0))) == [Page([], 0, 7.0)]


def test_filters_of_the_server():
    calls = Calls(answer([]))
    pages(calls, "errored", "2026-08-06T00:00:00Z", "2026-08-07T00:00:00Z")
    assert calls.queries == [
        {
            "per_page": "100",
            "status": "errored",
            "date_start": "2026-08-06T00:00:00Z",
            "date_end": "2026-08-07T00:00:00Z",
        }
    ]


@each_row("is_development_session", [False, True])
def test_cursors_are_followed(is_development_session):
    """However many a page holds; never a page number beside them."""
    calls = Calls(
        answer(items(0, PAGE_SIZE), cursor="c1", total_count=250),
        answer(items(100, 3), cursor="c2"),
        answer(items(103, PAGE_SIZE), cursor="c3"),
        answer(items(203, 47), total_count=250),
        is_development_session=is_development_session,
    )
    listed = pages(calls, "running")
    assert [len(page.items) for page in listed] == [100, 3, 100, 47]
    assert [page.total for page in listed] == [250, None, None, 250]
    assert [query.get("cursor") for query in calls.queries] == [None, "c1", "c2", "c3"]
    assert not [query for query in calls.queries if "page" in query]
    assert [query.get("direction") for query in calls.queries] == [None, "desc", "desc", "desc"], "a direction goes with a cursor only"
    assert {query["status"] for query in calls.queries} == {"running"}


def test_production_is_never_paged_by_number():
    """Its page numbers lose instances while they move; and a full page that ends before the server's count is no end."""
    calls = Calls(answer(items(0, PAGE_SIZE), total_count=5000))
    with pytest.raises(ListingBroken) as caught:
        pages(calls)
    assert caught.value.message == "the API announces 5,000 instances of orders, lists 100 and gives no way to the others"
    assert len(calls.made) == 1


@each_row(
    "result_info",
    [{"total_count": 100}, {}, {"total_count": None}, {"total_count": 99}],
)
def test_a_full_page_may_be_the_last(result_info):
    assert len(pages(Calls(answer(items(0, PAGE_SIZE), **result_info)))) == 1


def test_a_smaller_page_size_of_the_server_s_own():
    with pytest.raises(ListingBroken):
        pages(Calls(answer(items(0, 50), total_count=250, per_page=50)))


def test_an_empty_page_ends_a_listing():
    """Even with a cursor."""
    assert len(pages(Calls(answer(items(0, 2), cursor="AAA", total_count=2), answer([], cursor="AAA", total_count=2)))) == 2


@each_row(
    "result_info",
    [
        {"cursors": {"after": "c1"}},
        {"cursors": {"after": "c1", "before": "b"}},
        {"cursors": "c1"},
        {"next_cursor": "c1"},
        {"cursor_after": "c1"},
    ],
)
def test_a_cursor_elsewhere_is_followed(result_info):
    calls = Calls(answer(items(0, 2), **result_info), answer(items(2, 2)))
    assert len(pages(calls)) == 2
    assert calls.queries[1]["cursor"] == "c1"


@each_row("result_info", [{"nextCursor": "c1"}, {"page_cursor": "c1"}, {"cursor_token": {"x": 1}}])
def test_a_cursor_that_is_not_known_is_refused(result_info):
    with pytest.raises(ListingBroken) as caught:
        pages(Calls(answer(items(0, 2), **result_info)))
    assert f"result_info.{next(iter(result_info))}" in caught.value.message


@each_row("result_info", [{"cursor": None}, {"cursor": ""}, {"cursors": {}}, {"prev_cursor": "c0"}, {"cursor_before": "c0"}])
def test_what_is_no_way_on(result_info):
    assert len(pages(Calls(answer(items(0, 2), **result_info)))) == 1


@each_row(
    "sizes, totals",
    [
        ([100, 100, 50], [250] * 3),
        ([100, 100], [200] * 2),
        ([100, 100, 0], [None] * 3),
        ([40], [40]),
        ([40], [400]),
        ([100, 30], [None] * 2),
    ],
)
def test_a_development_session_is(sizes, totals):
    """It knows no cursors. It ends with a page that is not full, or where the server's count is reached."""
    first, answers = 0, []
    for size, total in zip(sizes, totals):
        answers.append(answer(items(first, size), **({} if total is None else {"total_count": total})))
        first += size
    calls = Calls(*answers, is_development_session=True)
    assert [len(page.items) for page in pages(calls)] == sizes
    assert [query.get("page") for query in calls.queries] == [None] + [str(number) for number in range(2, len(sizes) + 1)]


def test_pages_are_asked_for_as_they_are_taken():
    calls = Calls(answer(items(0, 2), cursor="c1"), answer(items(2, 2)))
    listing = Workflow(calls, "orders").pages()
    assert calls.made == []
    next(listing)
    assert len(calls.made) == 1


@each_row("result", [
    [None, 3, "a", [], {}, {"id": None}, {"id": ""}, {"id": 7}, {"id": ["a"]}, {"id": "."}, {"id": ".."}, {"id": "a", "status": "running"}],
])  # fmt: skip
def test_what_is_no_instance_is_left_out(result):
    assert pages(Calls(answer(result)))[0].items == [{"id": "a", "status": "running"}]


@each_row(
    "total, known", [(7, 7), (0, 0), (None, None), ("7", 7), ("seven", None), ("-7", None), ("9" * 20, None), (7.5, None), ([7], None)]
)
def test_the_server_s_count(total, known):
    assert pages(Calls(answer([], total_count=total)))[0].total == known


@each_row(
    "answers",
    [
        [answer(items(0, 2), cursor="c1"), answer(items(2, 2), cursor="c1")],
        [answer(items(0, 2), cursor="c1"), answer(items(2, 2), cursor="c2"), answer(items(0, 2), cursor="c3")],
        [answer(items(0, 2), cursor={"at": 1}), answer(items(2, 2), cursor={"at": 1})],
        [answer(items(0, PAGE_SIZE)), answer(items(0, PAGE_SIZE))],
    ],
)
def test_a_listing_that_goes_in_circles(answers):
    with pytest.raises(ListingBroken) as caught:
        pages(Calls(*answers, is_development_session=True))
    assert "does not end" in caught.value.message


def test_pages_by_number_may_hold_the_same_again():
    """A hundred new instances between two calls push all others on by a page."""
    calls = Calls(*[answer(items(0, PAGE_SIZE), total_count=200)] * 2, is_development_session=True)
    assert len(pages(calls)) == 2
