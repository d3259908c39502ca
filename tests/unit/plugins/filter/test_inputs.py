# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What surveys hand over, and variables whose names were mistyped."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.edgeops.cloudflare.plugins.filter.inputs import FilterModule
from ansible_collections.edgeops.cloudflare.tests.unit.tables import each_row

FILTERS = FilterModule().filters()
INPUTS = ["workflow_name", "instance_ids", "created_after", "rollback", "max_instances"]


@each_row(
    "value, listed",
    [
        (None, []),
        ("", []),
        (" \n ", []),
        ([], []),
        (["a", "b"], ["a", "b"]),
        (("a",), ["a"]),
        ("a", ["a"]),
        ("a,b", ["a", "b"]),
        (" a , b ,", ["a", "b"]),
        ("a b", ["a", "b"]),
        ("a\nb\r\nc\n", ["a", "b", "c"]),
        ("a, b\nc", ["a", "b", "c"]),
        ("*/30 * * * *-17,0 3 * * *-18", ["*/30 * * * *-17", "0 3 * * *-18"]),
        ('["a", "b"]', ["a", "b"]),
        ('["a,b", "c d"]', ["a,b", "c d"]),
        ("[a, b]", ["a", "b"]),
        ("['a', 'b']", ["a", "b"]),
        ("[]", []),
        ("0123", ["0123"]),
        ("no", ["no"]),
        (7, [7]),
        (False, [False]),
    ],
)
def test_listed(value, listed):
    assert FILTERS["listed"](value) == listed


@given(st.lists(st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=20), min_size=1))
def test_however_it_is_written(ids):
    for written in (ids, "\n".join(ids), ",".join(ids), ", ".join(ids), " ".join(ids)):
        assert FILTERS["listed"](written) == ids


@each_row(
    "names, missed",
    [
        (["workflow_name", "rollback"], []),
        (["rolback"], ["rolback is no input of this runbook; did you mean rollback?"]),
        (["roll_back"], ["roll_back is no input of this runbook; did you mean rollback?"]),
        (["created_aftr", "x"], ["created_aftr is no input of this runbook; did you mean created_after?"]),
        (["Max_Instance"], ["Max_Instance is no input of this runbook; did you mean max_instances?"]),
        (["ansible_rollback", "runbook_rollback"], []),
        (["something_else"], []),
    ],
)
def test_near_misses(names, missed):
    assert FILTERS["near_misses"](names, INPUTS) == missed
