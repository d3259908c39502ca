# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Alike errors together: what is a placeholder, and what tells two causes apart."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.edgeops.cloudflare.plugins.plugin_utils.runbook.failures import (
    LONGEST_MESSAGE,
    NO_ERROR,
    OUTSIDE,
    by_error,
    by_step,
    failure_of,
    shape,
)
from ansible_collections.edgeops.cloudflare.tests.unit.tables import each_row


@each_row(
    "message, shaped",
    [
        ("", ""),
        ("card declined", "card declined"),
        ("card 4711 declined", "card # declined"),
        ("no answer within 30000 ms", "no answer within # ms"),
        ("12.50 EUR is more than 10.00 EUR", "#.# EUR is more than #.# EUR"),
        ("order-1002 is unknown", "order-# is unknown"),
        ("order1002 is unknown", "order# is unknown"),
        ("customer cus_4fA9xz7Q", "customer cus_<id>"),
        ("charge 550e8400-e29b-41d4-a716-446655440000 failed", "charge <id> failed"),
        ("commit deadbeef01 failed", "commit <id> failed"),
        ("blob 0x7f3a failed", "blob <id> failed"),
        ("due 2026-08-06T03:12:07.000Z, late", "due <time>, late"),
        ("due 2026-08-06 03:12 late", "due <time> late"),
        ("due 2026-08-06T03:12:07+02:00", "due <time>"),
        ("10.0.0.7:443 refused", "#.#.#.#:# refused"),
        ("line 3 of 12", "line # of #"),
        ("رقم ١٢٣٤", "رقم #"),
        # What a server answered with, codes of errors, and versions tell causes apart.
        ("HTTP 503 from the provider", "HTTP 503 from the provider"),
        ("status code 404", "status code 404"),
        ("status: 429 after 3 tries", "status: 429 after # tries"),
        ("error code 10001", "error code #"),
        ("E1001: utf8 of v2 in S3", "E1001: utf8 of v2 in S3"),
    ],
)
def test_shape(message, shaped):
    assert shape(message) == shaped


def test_the_instance_itself():
    assert shape("order-7a is closed", "order-7a") == "<id> is closed" == shape("refund/x9 is closed", "refund/x9")
    assert shape("a card", "a") == "a card", "so short an id is a letter of everything"


@given(st.text(max_size=300), st.text(max_size=20))
def test_a_shape_is_its_own_shape(message, instance_id):
    once = shape(message, instance_id)
    assert shape(once) == once


@given(st.integers(min_value=0), st.integers(min_value=0))
def test_numbers_make_no_difference(one, other):
    assert shape(f"order {one} is late by {other} s") == "order # is late by # s"


def failed(number, message="card declined", name="PaymentError", step="charge", at=None):
    item = {"id": f"order-{number}", "ended_on": at or f"2026-08-06T03:{number:02d}:00.000Z", "error": {"name": name, "message": message}}
    return failure_of({**item, "failed_step": step and {"name": step, "count": 1, "type": "do"}}, has_log=True)


def test_by_error():
    failures = [
        failed(1, "card 1 declined"),
        failed(2, "card 2 declined", step="refund"),
        failed(3, "no answer"),
        failed(4, "card 3 declined"),
    ]
    first, second = by_error(failures)
    assert (first.title, first.total, first.newest) == ("PaymentError: card # declined", 3, "2026-08-06T03:04:00.000Z")
    assert first.ids == ["order-4", "order-2", "order-1"] and first.example == "card 3 declined"
    assert first.steps == [("charge", 2), ("refund", 1)]
    assert (second.title, second.total, second.ids) == ("PaymentError: no answer", 1, ["order-3"])


def test_the_newest_of_equal_ones_comes_first():
    assert [group.message for group in by_error([failed(1, "old"), failed(3, "new"), failed(2, "middle")])] == ["new", "middle", "old"]


def test_by_step():
    unread = failed(9)._replace(step=None)
    first, second = by_step([failed(1), failed(2, name="TimeoutError"), failed(3, step=None), unread])
    assert (first.title, first.total, first.steps, first.ids) == (
        "charge",
        2,
        [("TimeoutError: card declined", 1), ("PaymentError: card declined", 1)],
        ["order-2", "order-1"],
    )
    assert (second.title, second.total) == (OUTSIDE, 1), "and one whose log was not read is in neither"


def test_what_an_api_may_tell():
    """No error, no time, and texts that are long, coloured and in lines."""
    bare = failure_of({"id": "a", "error": None})
    assert bare == ("a", "", "", "", None) and by_error([bare])[0].title == NO_ERROR
    ugly = failed(1, message="\x1b[31mred\x1b[0m\nline {{ 1 }} \u202e" + "x" * 9000, name="n" * 900, step="s\x07" * 900, at="soon")
    (group,) = by_error([ugly])
    assert group.message.startswith("red line { { # } }") and len(group.message) == LONGEST_MESSAGE == len(group.example)
    assert len(group.name) == 80 == len(group.steps[0][0]) and group.title.isprintable()
    assert failure_of({"id": "a", "error": {}}) == bare
