# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs for instances of the workflow `model`, as hypothesis draws them."""

from __future__ import annotations

from hypothesis import strategies as st
from model_instance import Both, Do, Sleep, Throw, Wait

# Few names, so that the log has `a-1` and `a-2`, and a step whose own name ends like that.
_NAMES = st.sampled_from(["a", "b", "a-2"])

_GATED = st.builds(Do, _NAMES, gated=st.just(True), flaky=st.sampled_from([True, True, False]))

_RESTS = st.one_of(_GATED, _GATED, st.builds(Wait, _NAMES), st.just(Sleep("long nap")))

_PASSES = st.one_of(
    st.builds(Do, _NAMES, flaky=st.booleans()),
    st.builds(Do, _NAMES, undo=st.sampled_from(["plain", "flaky"])),
    st.just(Do("undone slowly", undo="gated")),
    st.just(Do("tried", handled=True)),
    st.just(Sleep("nap", long=False)),
)

_ENDS = st.one_of(
    st.builds(Do, _NAMES, flaky=st.just(True)),
    st.builds(Do, _NAMES, flaky=st.just(True)),
    st.builds(Do, _NAMES, flaky=st.just(True), fatal=st.just(True)),
    st.builds(Both, st.builds(Do, st.just("left"), flaky=st.booleans()), st.builds(Do, st.just("right"), flaky=st.booleans())),
    st.just(Throw()),
    _RESTS,
)


def _is_sound(program):
    """At most one handler stands behind the gate, so that releasing it means one thing; no name twice among such."""
    return sum(isinstance(entry, Do) and entry.undo == "gated" for entry in program) <= 1


def _lists(entries, most):
    return st.lists(entries, max_size=most)


#: Tuples of entries: most come to rest somewhere on their way, some go right to their end.
PROGRAMS = st.builds(
    lambda first, rest, then, end: (Do("begin"), *first, *rest, *then, *end),
    _lists(_PASSES, 2),
    st.one_of(*[_RESTS.map(lambda entry: (entry,))] * 2, st.just(())),
    _lists(_PASSES, 2),
    _lists(_ENDS, 2),
).filter(_is_sound)
