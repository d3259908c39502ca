# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The record that is printed: whole JSON a line, bounded, and the newest line of an id counts."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.logbook import (
    GROUPS,
    MARK,
    MOST_IDS,
    Heading,
    Logbook,
    Printer,
    group_of,
    line,
)
from ansible_collections.edgeops.cloudflare.tests.unit.stories import drive, lost, ok, saw
from ansible_collections.edgeops.cloudflare.tests.unit.tables import each_row

HEADING = Heading("0123456789abcdef", "https://api.cloudflare.com/client/v4", "orders", "paused", "4711")
NOW = "2026-08-06T03:24:10Z"
RESTART = {"state": "restarted"}
ENDED = {"state": "restarted", "wait_until": "ended"}


def read(text):
    assert text.startswith(MARK) and "\n" not in text
    return json.loads(text[len(MARK) :])


def test_a_line():
    assert read(line(HEADING, NOW, [("ids", "order-1"), ("unknown", "order-2")])) == {
        "version": 1,
        "account_id": "0123456789abcdef",
        "api_url": "https://api.cloudflare.com/client/v4",
        "records": [
            {
                "workflow_name": "orders",
                "state": "paused",
                "made_at": NOW,
                "job": "4711",
                "ids": ["order-1"],
                "on_their_way": [],
                "unknown": ["order-2"],
                "untouched": [],
            }
        ],
    }


@given(st.lists(st.tuples(st.sampled_from(GROUPS), st.text(min_size=1)), max_size=30))
def test_whatever_an_id_is_made_of(placed):
    """Line breaks and colours of an id never leave the line."""
    text = line(HEADING, NOW, placed)
    entry = read(text)["records"][0]
    assert text.isprintable() and text.isascii()
    assert {group: entry[group] for group in GROUPS} == {group: [name for where, name in placed if where == group] for group in GROUPS}


def paused(instance_id):
    return drive([saw("running"), ok("paused")], instance_id=instance_id, state="paused")[0]


def test_pieces():
    lines = []
    book = Logbook([Printer(HEADING, lines.append)], lambda: NOW)
    records = [paused(f"order-{number}") for number in range(MOST_IDS * 2 + 1)]
    book.before(records)
    book.after(records)
    entries = [read(text)["records"][0] for text in lines]
    assert [len(entry["unknown"]) for entry in entries] == [MOST_IDS, MOST_IDS, 1, 0, 0, 0]
    assert [name for entry in entries for name in entry["ids"]] == [record.id for record in records]


@each_row(
    "wanted, script, group",
    [
        ({"state": "paused"}, [saw("running"), ok("paused")], "ids"),
        ({"state": "paused"}, [saw("paused")], "untouched"),
        ({"state": "paused"}, [saw("complete")], "untouched"),
        ({"state": "paused", "wait": False}, [saw("running"), ok("waitingForPause")], "on_their_way"),
        ({"state": "paused"}, [saw("running"), ok("waitingForPause"), saw("waitingForPause", after=301)], "on_their_way"),
        ({"state": "paused"}, [saw("running"), lost(), saw("running"), saw("running", after=31)], "unknown"),
        (RESTART, [saw("errored"), ok(), saw("running", run=1)], "ids"),
        (RESTART, [saw("errored"), lost(), saw("errored"), saw("errored", after=31)], "unknown"),
        (ENDED, [saw("errored"), ok(), saw("errored", run=1)], "ids"),
        (ENDED, [saw("errored"), ok(), saw("running", run=1), saw("running", run=1, after=301)], "ids"),
    ],
)
def test_groups(wanted, script, group):
    assert group_of(drive(script, **wanted)[0]) == group
