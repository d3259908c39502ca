# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The line that a long task shows: when, its words, and the estimate."""

from __future__ import annotations

import pytest

from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.progress import FIRST, LONGEST_PAUSE, Progress, Snapshot, duration

START = Snapshot(100.0, None, (), 0, 0, 0, 0, 0.0, "")


def at(seconds, changed=0, total=4312, calls=0, **more):
    """A Snapshot so many seconds after the start."""
    ids = tuple(f"order-{number}" for number in range(changed))
    return START._replace(at=100.0 + seconds, total=total, changed=ids, calls=calls, **more)


def progress(pause=10, verbosity=0):
    return Progress("orders", "paused", pause, verbosity, START)


@pytest.mark.parametrize(
    ("snapshot", "line"),
    [
        (at(5, total=None, calls=1), "orders: listing instances, 1 call so far; 12 calls/min"),
        (at(5, total=None, calls=1200), "orders: listing instances, 1,200 calls so far; 240 calls/s"),
        (at(10, 110, calls=110), "orders: 110 of 4,312 paused; 11 calls/s, about 6 min left"),
        (at(10, 100, failed=10, calls=110), "orders: 100 of 4,312 paused, 10 failed; 11 calls/s, about 6 min left"),
        (at(10, 0, on_their_way=110, calls=110), "orders: 0 of 4,312 paused, 110 on their way; 11 calls/s, about 6 min left"),
        (at(10, 10, 20, unchanged=5, on_their_way=5, calls=20), "orders: 10 of 20 paused, 5 unchanged, 5 on their way; 2 calls/s"),
        (at(10, 15, 40, calls=15), "orders: 15 of 40 paused; 2 calls/s, about 17 s left"),
        (at(10, 0, calls=0), "orders: 0 of 4,312 paused; 0 calls/min"),
        (
            at(10, 110, calls=110, blocked=300.0, blocked_until="03:24:10Z"),
            "orders: 110 of 4,312 paused; blocked by the rate limit until 03:24:10Z, for 5 min more, about 11 min left",
        ),
        (at(10, 40, 40, calls=40), "orders: 40 of 40 paused; 4 calls/s"),
    ],
)
def test_words(snapshot, line):
    assert progress().line(snapshot) == line


def test_the_name_of_a_workflow_cannot_write_on_the_screen():
    line = Progress("or\x1b[2Jders", "paused", 10, 0, START).line(at(5, 1))
    assert "\x1b" not in line


@pytest.mark.parametrize(
    ("verbosity", "changed", "end"),
    [
        (0, 3, "paused; 1 calls/s, about 2.0 h left"),
        (1, 0, "0 calls/min"),
        (1, 3, "; paused since the last line: order-0, order-1, order-2"),
        (1, 1010, "order-8, order-9 and 1,000 more"),
    ],
)
def test_ids_with_v(verbosity, changed, end):
    line = progress(verbosity=verbosity).line(at(5, changed, calls=changed * 2))
    assert line.endswith(end) and len(line) < 400


def test_ids_are_named_once():
    told = progress(verbosity=1)
    told.line(at(5, 2, calls=2))
    assert told.line(at(15, 3, calls=3)).endswith("; paused since the last line: order-2")
    assert "since the last line" not in told.line(at(25, 3, calls=3))


@pytest.mark.parametrize(("pause", "first"), [(10, FIRST), (3, 3), (60, FIRST)])
def test_the_first_line(pause, first):
    told = progress(pause)
    assert not told.is_due(100 + first - 0.1, is_blocked=False)
    assert told.is_due(100 + first, is_blocked=False)


def shown_at(pause, until):
    """The seconds at which lines are shown."""
    told, shown = progress(pause), []
    for second in range(until):
        if told.is_due(100 + second, is_blocked=False):
            told.line(at(second))
            shown.append(second)
    return shown


@pytest.mark.parametrize(("pause", "longest"), [(10, LONGEST_PAUSE), (90, 90)])
def test_the_pause_grows(pause, longest):
    shown = shown_at(pause, 3600)
    pauses = [later - earlier for earlier, later in zip(shown, shown[1:])]
    assert pauses[0] == pause and pauses == sorted(pauses) and pauses[-1] == longest


def test_at_once_when_a_block_begins_and_when_it_ends():
    told = progress()
    assert told.is_due(101, is_blocked=True)
    assert "blocked by the rate limit until 00:05:00Z" in told.line(at(1, 10, calls=10, blocked=299.0, blocked_until="00:05:00Z"))
    assert not told.is_due(102, is_blocked=True)
    assert told.is_due(103, is_blocked=False)
    assert "the rate limit's block is over" in told.line(at(3, 10, calls=10))
    assert not told.is_due(104, is_blocked=False)


def test_the_estimate_learns():
    """A pace that halves is believed bit by bit, and a block does not spoil it."""
    told = progress()
    told.line(at(10, 100, 1000, calls=100))
    assert "about 1 min left" in told.line(at(20, 200, 1000, calls=200))
    slower = told.line(at(30, 250, 1000, calls=250))
    assert "about 2 min left" in slower
    told.line(at(31, 250, 1000, calls=250, blocked=300.0, blocked_until="00:05:00Z"))
    over = told.line(at(331, 250, 1000, calls=250))
    assert "about 2 min left" in over or "about 3 min left" in over


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "1 s"), (8.4, "8 s"), (59.4, "59 s"), (59.6, "1 min"), (89, "1 min"), (300, "5 min"), (5399, "90 min"), (9000, "2.5 h")],
)
def test_durations(seconds, text):
    assert duration(seconds) == text
