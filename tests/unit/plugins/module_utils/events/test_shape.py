# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Events: one shape, the same uuid for the same, and nothing in them that a template engine obeys."""

from __future__ import annotations

from ansible_collections.edgeops.cloudflare.plugins.module_utils.events.shape import (
    Sighting,
    can_be_handed_on,
    error_shown,
    event_of,
    normal_time,
    uuid_of,
)
from ansible_collections.edgeops.cloudflare.tests.unit.tables import each_row

FAILED = Sighting("orders", "order-1", "errored", "2026-08-06T03:24:10.000Z", version_id="v1")


def test_the_shape():
    enriched = FAILED._replace(error={"name": "Error", "message": "no"}, failed_step={"name": "charge", "count": 1, "type": "do"})
    assert event_of("0123", enriched, "paused", 2, 3) == {
        "type": "instance.errored",
        "workflow": {"name": "orders", "recent_failures": 3},
        "instance": {
            "id": "order-1",
            "workflow_name": "orders",
            "status": "errored",
            "previous_status": "paused",
            "error": {"name": "Error", "message": "no"},
            "failed_step": {"name": "charge", "count": 1, "type": "do"},
            "ended_on": "2026-08-06T03:24:10.000Z",
            "version_id": "v1",
            "failures": 2,
        },
        "meta": {"uuid": uuid_of("0123", FAILED)},
    }


def test_the_uuid_never_changes():
    """Rules and people may have kept it."""
    assert uuid_of("0123", FAILED) == "6fcff71e-1c03-59a1-85ac-8f6df75779e2"


@each_row(
    "change, is_same",
    [
        ({}, True),
        ({"error": {"name": "Error", "message": "no"}, "version_id": "v2", "moment": "x", "occasion": "y"}, True),
        ({"workflow_name": "invoices"}, False),
        ({"id": "order-2"}, False),
        ({"status": "terminated"}, False),
        ({"ended_on": "2026-08-06T03:24:10.001Z"}, False),
        ({"ended_on": None}, False),
    ],
)
def test_what_makes_a_uuid(change, is_same):
    assert (uuid_of("0123", FAILED) == uuid_of("0123", FAILED._replace(**change))) is is_same
    assert uuid_of("0123", FAILED) != uuid_of("4567", FAILED)


@each_row(
    "text, normal",
    [
        ("2026-08-06T03:24:10Z", "2026-08-06T03:24:10.000Z"),
        ("2026-08-06T03:24:10.1Z", "2026-08-06T03:24:10.100Z"),
        ("2026-08-06T03:24:10.123456Z", "2026-08-06T03:24:10.123Z"),
        ("2026-08-06T05:24:10.999+02:00", "2026-08-06T03:24:10.999Z"),
        ("soon", None),
        ("", None),
        (None, None),
        (1786001400, None),
    ],
)
def test_times(text, normal):
    assert normal_time(text) == normal


@each_row(
    "text, can",
    [
        ("order-1", True),
        ("*/30 * * * *-1786001400000", True),
        ("x" * 271, True),
        ("x" * 272, False),
        ("", False),
        (None, False),
        (7, False),
        ("a\nb", False),
        ("{{ lookup('pipe', 'id') }}", False),
        ("{% x %}", False),
        ("a{#b", False),
        ("{a}", True),
    ],
)
def test_names(text, can):
    assert can_be_handed_on(text) is can


@each_row(
    "error, shown",
    [
        (None, None),
        ("no", None),
        ({"name": "Error", "message": "card declined", "stack": "…"}, {"name": "Error", "message": "card declined"}),
        ({}, {"name": "", "message": ""}),
        ({"name": None, "message": 5}, {"name": "", "message": "5"}),
        (
            {"name": "Error", "message": "{{ lookup('pipe', 'id') }}\n\x1b[31m"},
            {"name": "Error", "message": "{ { lookup('pipe', 'id') } }"},
        ),
    ],
)
def test_errors(error, shown):
    assert error_shown(error) == shown


def test_errors_are_bounded():
    assert len(error_shown({"message": "x" * 100_000})["message"]) == 1000
