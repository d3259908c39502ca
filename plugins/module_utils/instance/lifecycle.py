# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Statuses, states, actions, and the one table that decides between them. Pure: nothing here does I/O.

*Status* is what the API reports, *state* is what the playbook asks for, *action* is what is PATCHed.
"""

from __future__ import annotations

import typing as t

# What to do with an instance of a status (rows) for the state wanted (columns): a decision, or the action to PATCH.
_TABLE = """
    status            paused        running       terminated    restarted
    queued            pause         satisfied     terminate     restart
    running           pause         satisfied     terminate     restart
    waiting           pause         satisfied     terminate     restart
    waitingForPause   pending       resume        terminate     restart
    paused            satisfied     resume        terminate     restart
    rollingBack       unreachable   unreachable   pending       unreachable
    errored           unreachable   unreachable   satisfied     restart
    complete          unreachable   unreachable   satisfied     restart
    terminated        unreachable   unreachable   satisfied     restart
    (any other)       pause         resume        terminate     restart
"""


def _parse(table: str) -> dict[str, dict[str, str]]:
    header, *rows = [line.strip() for line in table.strip().splitlines()]
    states = header.split()[1:]
    cells = {}
    for row in rows:
        parts = row.rsplit(None, len(states))
        cells[parts[0]] = dict(zip(states, parts[1:]))
    return cells


_CELLS = _parse(_TABLE)
_ANY_OTHER = _CELLS.pop("(any other)")

#: What the API reports today. It may learn new words; those are passed through, and the API decides.
STATUSES = tuple(_CELLS)
STATES = tuple(_ANY_OTHER)

#: The action by which each state is reached.
ACTION_OF = dict(_ANY_OTHER)

#: What an action has done to an instance, in a sentence.
PARTICIPLE_OF = {"pause": "paused", "resume": "resumed", "terminate": "terminated", "restart": "restarted"}

#: Statuses in which an instance does nothing any more.
FINISHED = frozenset(("errored", "complete", "terminated"))

# The kinds of a decision.
SATISFIED = "satisfied"
PENDING = "pending"
ACT = "act"
UNREACHABLE = "unreachable"


class Decision(t.NamedTuple):
    """The answer to "status X, state Y wanted": SATISFIED, PENDING, UNREACHABLE, or ACT with the action to PATCH."""

    kind: str
    action: str | None = None


def decide(status: str, state: str, rollback: bool = False, rollback_outcome: str | None = None) -> Decision:
    """Decide what brings an instance from its status to the state wanted.

    Args:
        status: as the API reports it; words not known yet are allowed.
        state: one of STATES.
        rollback: whether `terminated` is to run the rollback handlers.
        rollback_outcome: what the API reports of a rollback of this instance, `complete` or `failed`.
    """
    cell = _CELLS.get(status, _ANY_OTHER)[state]
    if cell not in (SATISFIED, PENDING, UNREACHABLE):
        return Decision(ACT, action=cell)
    if cell == SATISFIED and state == "terminated" and rollback and rollback_outcome != "complete":
        return Decision(UNREACHABLE)  # finished, so that no handler can run any more
    return Decision(cell)
