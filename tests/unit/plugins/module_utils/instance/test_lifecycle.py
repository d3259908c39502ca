# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The decision table, cell by cell, written down a second time."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance import lifecycle
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.lifecycle import (
    ACT,
    PENDING,
    SATISFIED,
    UNREACHABLE,
    decide,
)
from ansible_collections.edgeops.cloudflare.tests.unit.tables import each_row

ANY_STATUS = st.one_of(st.sampled_from(lifecycle.STATUSES), st.text())

CELLS = {
    ("queued", "paused"): (ACT, "pause"),
    ("queued", "running"): (SATISFIED, None),
    ("queued", "terminated"): (ACT, "terminate"),
    ("queued", "restarted"): (ACT, "restart"),
    ("running", "paused"): (ACT, "pause"),
    ("running", "running"): (SATISFIED, None),
    ("running", "terminated"): (ACT, "terminate"),
    ("running", "restarted"): (ACT, "restart"),
    ("waiting", "paused"): (ACT, "pause"),
    ("waiting", "running"): (SATISFIED, None),
    ("waiting", "terminated"): (ACT, "terminate"),
    ("waiting", "restarted"): (ACT, "restart"),
    ("waitingForPause", "paused"): (PENDING, None),
    ("waitingForPause", "running"): (ACT, "resume"),
    ("waitingForPause", "terminated"): (ACT, "terminate"),
    ("waitingForPause", "restarted"): (ACT, "restart"),
    ("paused", "paused"): (SATISFIED, None),
    ("paused", "running"): (ACT, "resume"),
    ("paused", "terminated"): (ACT, "terminate"),
    ("paused", "restarted"): (ACT, "restart"),
    ("rollingBack", "paused"): (UNREACHABLE, None),
    ("rollingBack", "running"): (UNREACHABLE, None),
    ("rollingBack", "terminated"): (PENDING, None),
    ("rollingBack", "restarted"): (UNREACHABLE, None),
    ("errored", "paused"): (UNREACHABLE, None),
    ("errored", "running"): (UNREACHABLE, None),
    ("errored", "terminated"): (SATISFIED, None),
    ("errored", "restarted"): (ACT, "restart"),
    ("complete", "paused"): (UNREACHABLE, None),
    ("complete", "running"): (UNREACHABLE, None),
    ("complete", "terminated"): (SATISFIED, None),
    ("complete", "restarted"): (ACT, "restart"),
    ("terminated", "paused"): (UNREACHABLE, None),
    ("terminated", "running"): (UNREACHABLE, None),
    ("terminated", "terminated"): (SATISFIED, None),
    ("terminated", "restarted"): (ACT, "restart"),
    # Words that the API may learn: it decides.
    ("unknown", "paused"): (ACT, "pause"),
    ("unknown", "running"): (ACT, "resume"),
    ("unknown", "terminated"): (ACT, "terminate"),
    ("hibernating", "restarted"): (ACT, "restart"),
    ("Paused", "paused"): (ACT, "pause"),
    ("", "paused"): (ACT, "pause"),
}


@each_row("status, state", CELLS)
def test_cell(status, state):
    decision = decide(status, state)
    assert (decision.kind, decision.action) == CELLS[status, state]


def test_vocabulary():
    assert set(lifecycle.STATUSES) == {status for status, _state in CELLS} - {"unknown", "hibernating", "Paused", ""}
    assert set(lifecycle.STATES) == {"paused", "running", "terminated", "restarted"}
    assert lifecycle.ACTION_OF == {"paused": "pause", "running": "resume", "terminated": "terminate", "restarted": "restart"}
    assert {"errored", "complete", "terminated"} == lifecycle.FINISHED


@each_row("status", sorted(lifecycle.FINISHED))
@each_row("outcome, kind", [("complete", SATISFIED), ("failed", UNREACHABLE), (None, UNREACHABLE), ("halfway", UNREACHABLE)])
def test_rollback_of_a_finished_one(status, outcome, kind):
    """With rollback a finished instance is satisfied only by a completed rollback: no handler can run any more."""
    decision = decide(status, "terminated", rollback=True, rollback_outcome=outcome)
    assert decision.kind == kind
    assert decide(status, "terminated", rollback=False, rollback_outcome=outcome).kind == SATISFIED


@each_row("status", sorted(set(lifecycle.STATUSES) - lifecycle.FINISHED))
def test_rollback_of_one_that_goes_on(status):
    assert decide(status, "terminated", rollback=True) == decide(status, "terminated")


@given(ANY_STATUS, st.sampled_from(lifecycle.STATES), st.booleans(), st.one_of(st.none(), st.text()))
def test_shape_of_any_decision(status, state, rollback, outcome):
    """An action with ACT alone, always the state's own."""
    decision = decide(status, state, rollback, outcome)
    assert decision.kind in (SATISFIED, PENDING, ACT, UNREACHABLE)
    assert decision.action == (lifecycle.ACTION_OF[state] if decision.kind == ACT else None)


@given(ANY_STATUS)
def test_restarted_is_never_satisfied(status):
    assert decide(status, "restarted").kind in (ACT, UNREACHABLE)
