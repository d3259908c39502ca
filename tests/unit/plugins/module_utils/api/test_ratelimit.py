# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The gate that every call passes, on a clock of the test's own: nothing here waits."""

from __future__ import annotations

import collections
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import ControllerGone, LookStale, RateLimitExceeded
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.ratelimit import Allowance, RateGate, backoff, parse_allowances
from ansible_collections.edgeops.cloudflare.tests.unit.fakes import FakeClock, SharedClock
from ansible_collections.edgeops.cloudflare.tests.unit.tables import each_row

POLICY = '"default";q=1200;w=300'


def remaining(calls, seconds):
    return f'"default";r={calls};t={seconds}'


def passage(gate, clock, ratelimit=None, **how):
    """One call through the gate; returns when it went, and takes no time itself."""
    gate.enter(**how)
    went_at = clock.monotonic()
    gate.observe(ratelimit, POLICY if ratelimit else None, sent_at=went_at)
    gate.leave(how.get("slots", 1))
    return went_at


# -- headers ------------------------------------------------------------------------------------------------------


@each_row(
    "ratelimit, policy, allowances",
    [
        (None, None, []),
        ("", "", []),
        ('"default";r=50;t=30', '"default";q=1200;w=300', [Allowance("default", 50, 30.0, 1200)]),
        ('"default";r=50;t=30', None, [Allowance("default", 50, 30.0, None)]),
        ('"default";r=50;t=30', '"other";q=1200;w=300', [Allowance("default", 50, 30.0, None)]),
        ('"default";t=30;r=0', '"default";w=300;q=1200', [Allowance("default", 0, 30.0, 1200)]),
        ("default;r=50;t=30", "default;q=1200;w=300", [Allowance("default", 50, 30.0, 1200)]),
        ('"default" ; r=50 ; t=30', '"default"; q=1200', [Allowance("default", 50, 30.0, 1200)]),
        (
            '"default";r=50;t=30, "burst";r=3;t=2',
            '"burst";q=100;w=60, "default";q=1200;w=300',
            [Allowance("default", 50, 30.0, 1200), Allowance("burst", 3, 2.0, 100)],
        ),
        ('"default";r=50', None, []),
        ('"default";t=30', None, []),
        ("limit=100, remaining=50, reset=30", None, []),
        ('"default";r=-1;t=30', None, []),
        ('"default";r=many;t=30', None, []),
        ("nonsense", "nonsense", []),
        ('"default";r=' + "9" * 400 + ";t=30", None, []),
        ('"default";r=' + "9" * 5000 + ";t=30", None, []),
        ('"default";r=1;t=' + "9" * 400, '"default";q=' + "9" * 5000, []),
    ],
)
def test_headers(ratelimit, policy, allowances):
    assert parse_allowances(ratelimit, policy) == allowances


PIECES = st.sampled_from(['"default"', "burst", ";r=", ";t=", ";q=", "; ", ", ", "0", "7", "9" * 12, "-1", "x"])
ANY_HEADER = st.one_of(st.text(), st.lists(PIECES, max_size=20).map("".join))


@given(ANY_HEADER, ANY_HEADER)
def test_any_headers(one, other):
    for allowance in parse_allowances(ratelimit=one, policy=other) + parse_allowances(ratelimit=other, policy=one):
        assert allowance.remaining >= 0
        assert allowance.seconds >= 0


@each_row("header", ["a" * 60000, "a " * 30000, "a;" * 30000, "a;b=1" * 12000, ";b=1" * 15000, '"' * 60000])
def test_long_headers_are_read_quickly(header):
    began = time.process_time()
    parse_allowances(header, header)
    assert time.process_time() - began < 1


# -- backoff ------------------------------------------------------------------------------------------------------


@each_row("attempt, lowest, highest", [(1, 0.25, 0.5), (2, 0.5, 1.0), (3, 1.0, 2.0), (6, 8.0, 16.0), (7, 15.0, 30.0), (500, 15.0, 30.0)])
def test_backoff(attempt, lowest, highest):
    assert backoff(attempt, rng=lambda: 0.0) == lowest
    assert backoff(attempt, rng=lambda: 1.0) == highest


@given(st.integers(1, 10**6), st.floats(0, 0.999), st.floats(0.1, 10), st.floats(0.1, 100))
def test_backoff_bounds(attempt, jitter, base, longest):
    wait = backoff(attempt, lambda: jitter, base, longest)
    assert min(longest, base) / 2 <= wait <= longest
    assert wait <= backoff(attempt + 1, lambda: jitter, base, longest)


# -- the task's own ceiling ---------------------------------------------------------------------------------------


def test_nothing_waits_without_limits(clock):
    gate = RateGate(clock)
    assert [passage(gate, clock) for _call in range(50)] == [0.0] * 50
    assert gate.held_seconds() == 0.0


def test_ceiling(clock):
    gate = RateGate(clock, requests_per_second=4)
    assert [passage(gate, clock) for _call in range(5)] == [0.0, 0.25, 0.5, 0.75, 1.0]
    assert gate.held_seconds() == 0.0, "only the API's own limits count"


def test_time_that_passes_is_not_saved_up(clock):
    gate = RateGate(clock, requests_per_second=1)
    passage(gate, clock)
    clock.pass_by(60)
    assert [passage(gate, clock) for _call in range(3)] == [60.0, 61.0, 62.0]


@given(st.floats(0.1, 100), st.lists(st.one_of(st.floats(0, 3), st.just("pair")), max_size=30))
def test_ceiling_holds(rate, steps):
    """However the calls come, alone or as a look with the change that must follow at once: never more than the ceiling."""
    clock = FakeClock()
    gate = RateGate(clock, requests_per_second=rate)
    went = []
    for step in steps:
        if step == "pair":
            went += [passage(gate, clock, slots=2), passage(gate, clock, slots=0, change=True, longest_wait=2.0)]
        else:
            clock.pass_by(step)
            went.append(passage(gate, clock))
    for first, moment in enumerate(went):
        for last in range(first, len(went)):
            # One more than the rate allows where a pair begins or ends the stretch.
            assert last - first - 1 <= (went[last] - moment) * rate + 1e-6


def test_spaced(clock):
    gate = RateGate(clock, requests_per_second=10)
    passage(gate, clock)
    with gate.spaced(0.5):
        assert [passage(gate, clock) for _call in range(3)] == pytest.approx([0.1, 0.6, 1.1])
    assert [passage(gate, clock) for _call in range(2)] == pytest.approx([1.6, 1.7])
    assert gate.held_seconds() == 0.0


def test_the_slower_of_spacing_and_ceiling_counts(clock):
    gate = RateGate(clock, requests_per_second=1)
    with gate.spaced(0.5):
        assert [passage(gate, clock) for _call in range(3)] == [0.0, 1.0, 2.0]


# -- ahead of the limit -------------------------------------------------------------------------------------------


def test_above_the_reserve_nothing_waits(clock):
    gate = RateGate(clock, reserve=0.2)
    for left in range(300, 240, -1):
        assert passage(gate, clock, remaining(left, 100)) == 0.0


def test_past_the_reserve_what_remains_is_spread(clock):
    gate = RateGate(clock, reserve=0.2)
    passage(gate, clock, remaining(10, 60))
    went = [passage(gate, clock) for _call in range(10)]
    assert went == pytest.approx([0, 6, 12, 18, 24, 30, 36, 42, 48, 54])
    # None left: nothing goes before the reset, and after it the gate knows of no limit.
    assert [passage(gate, clock) for _call in range(2)] == pytest.approx([60, 60])
    assert gate.held_seconds() == pytest.approx(60)


@given(st.integers(1, 240), st.integers(1, 300))
def test_the_quota_lasts_until_the_reset(left, seconds):
    clock = FakeClock()
    gate = RateGate(clock, reserve=0.2)
    passage(gate, clock, remaining(left, seconds))
    went = [passage(gate, clock) for _call in range(left + 1)]
    assert went == sorted(went)
    assert went[left - 1] <= seconds
    assert went[left] >= seconds - 1e-6


def test_what_is_least_left(clock):
    gate = RateGate(clock)
    assert gate.least_left() is None
    passage(gate, clock, remaining(10, 60))
    assert gate.least_left() == (10, 60.0)
    passage(gate, clock)
    assert gate.least_left() == (9, 60.0)
    clock.pass_by(60)
    assert gate.least_left() is None


def test_no_reserve_means_no_spreading(clock):
    gate = RateGate(clock, reserve=0.0)
    passage(gate, clock, remaining(3, 60))
    assert [passage(gate, clock) for _call in range(4)] == [0.0, 0.0, 0.0, 60.0]


def test_the_quota_of_the_policy_counts(clock):
    gate = RateGate(clock, reserve=0.5)
    gate.enter()
    gate.observe('"default";r=60;t=60', '"default";q=100;w=60', sent_at=0.0)
    gate.leave()
    assert [passage(gate, clock) for _call in range(3)] == [0.0, 0.0, 0.0]
    gate.observe('"default";r=40;t=80', '"default";q=100;w=60', sent_at=0.0)
    assert [passage(gate, clock) for _call in range(3)] == [0.0, 2.0, 4.0]


def test_the_tightest_of_several_limits_counts(clock):
    gate = RateGate(clock, reserve=0.2)
    gate.observe('"default";r=1000;t=300, "burst";r=2;t=10, "other";r=1;t=3', '"burst";q=100;w=60, "default";q=1200;w=300', sent_at=0.0)
    assert [passage(gate, clock) for _call in range(3)] == pytest.approx([0.0, 5.0, 10.0])


def test_calls_under_way_are_not_in_the_server_s_count(clock):
    gate = RateGate(clock, reserve=0.0)
    for _call in range(4):
        gate.enter()
    gate.observe(remaining(5, 60), POLICY, sent_at=0.0)
    for _call in range(4):
        gate.leave()
    assert [passage(gate, clock) for _call in range(3)] == [0.0, 0.0, 60.0]


def test_an_answer_corrects_the_count(clock):
    gate = RateGate(clock, reserve=0.0)
    passage(gate, clock, remaining(0, 60))
    passage_at = passage(gate, clock, remaining(1000, 300))
    assert passage_at == 60.0
    assert passage(gate, clock) == 60.0


def test_an_answer_that_was_overtaken_tells_nothing(clock):
    """Two calls under way; the answer given first is read last, and would count the second call as not made."""
    gate = RateGate(clock, reserve=0.0)
    gate.enter()
    gate.enter()
    clock.pass_by(1)
    gate.observe(remaining(2, 60), POLICY, sent_at=0.0)
    gate.leave()
    gate.observe(remaining(3, 60), POLICY, sent_at=0.0)
    gate.leave()
    assert [passage(gate, clock) for _call in range(2)] == [1.0, 61.0]


@each_row(
    "seconds_later, sent_at, calls",
    [
        (2, 2.5, 3),  # sent after the newest answer was read: the limit was raised, or has no fixed window
        (59, 0.5, 1),  # an old one
        (61, 0.5, 3),  # of the next window
    ],
)
def test_when_a_larger_count_is_believed(clock, seconds_later, sent_at, calls):
    gate = RateGate(clock, reserve=0.0)
    clock.pass_by(1)
    passage(gate, clock, remaining(1, 60))
    clock.pass_by(seconds_later)
    gate.observe(remaining(3, 200), POLICY, sent_at=sent_at)
    went = [passage(gate, clock) for _call in range(calls + 1)]
    assert went[:calls] == [1 + seconds_later] * calls and went[calls] > 1 + seconds_later


# -- blocks -------------------------------------------------------------------------------------------------------


def test_block(clock):
    gate = RateGate(clock)
    gate.refused(300.0, sent_at=clock.monotonic())
    assert passage(gate, clock) == 300.0
    assert passage(gate, clock) == 300.0
    assert gate.refusals == 1
    assert gate.held_seconds() == pytest.approx(300.0)
    assert max(clock.sleeps) <= 1.0, "it must notice within a second that nobody listens any more"


def test_a_change_does_not_outwait_a_block(clock):
    gate = RateGate(clock)
    gate.refused(300.0, sent_at=0.0)
    with pytest.raises(LookStale):
        gate.enter(change=True)
    assert clock.monotonic() == 0.0
    clock.pass_by(300)
    assert passage(gate, clock, change=True) == 300.0


def test_a_block_that_begins_while_a_change_waits_for_its_slot(clock):
    gate = RateGate(clock, requests_per_second=0.1)
    passage(gate, clock)
    sleep, clock.sleep = clock.sleep, lambda seconds: (gate.refused(60.0, sent_at=clock.monotonic()), setattr(clock, "sleep", sleep))
    with pytest.raises(LookStale):
        gate.enter(change=True)


def test_blocks_without_a_word_double_up_to_a_minute(clock):
    gate = RateGate(clock, block_limit=10000)
    for highest in (1, 2, 4, 8, 16, 32, 60, 60):
        began = clock.monotonic()
        gate.refused(None, sent_at=began)
        assert highest / 2.0 <= passage(gate, clock) - began <= highest


@each_row("is_change", [False, True])
def test_a_call_that_passes_ends_the_doubling_of_its_kind(clock, is_change):
    """Changes have limits of their own: a look that passes tells nothing of them."""
    gate = RateGate(clock, block_limit=10000)
    for ends in (not is_change, is_change):
        for _round in range(4):
            began = clock.monotonic()
            gate.refused(None, sent_at=began, change=is_change)
            waited = passage(gate, clock) - began
            gate.passed(change=ends)
        assert (waited <= 1.0) == (ends == is_change)


def test_refusals_of_calls_that_were_under_way_tell_nothing_new(clock):
    gate = RateGate(clock, block_limit=10000)
    clock.pass_by(5)
    for _call in range(8):
        gate.refused(None, sent_at=5.0)
    began = clock.monotonic()
    assert passage(gate, clock) - began <= 1.0
    # One that was sent before that block began and is answered after it.
    gate.refused(None, sent_at=4.0)
    assert passage(gate, clock) == clock.monotonic()
    assert gate.refusals == 9


@each_row("retry_after", [None, 0.0, -3.0])
def test_nonsense_is_no_word(clock, retry_after):
    gate = RateGate(clock)
    gate.refused(retry_after, sent_at=0.0)
    assert 0.5 <= passage(gate, clock) <= 1.0


def test_the_longest_of_overlapping_blocks_counts(clock):
    gate = RateGate(clock)
    gate.refused(30.0, sent_at=0.0)
    gate.refused(20.0, sent_at=0.0)
    clock.pass_by(10)
    gate.refused(25.0, sent_at=0.0)
    assert passage(gate, clock) == 35.0


def test_budget(clock):
    """A block in production fits, a second one after it doesn't; overlapping ones count once."""
    gate = RateGate(clock, block_limit=330.0)
    gate.refused(300.0, sent_at=0.0)
    gate.refused(300.0, sent_at=0.0)
    assert passage(gate, clock) == 300.0
    clock.pass_by(1000)
    with pytest.raises(RateLimitExceeded) as caught:
        gate.refused(300.0, sent_at=1300.0)
    assert caught.value.message.startswith(
        "the API's rate limit blocks this token until 00:26:40Z, for 300 s more, and rate_limit_timeout allows 330 s in all"
    )
    for change in (False, True):
        with pytest.raises(RateLimitExceeded):
            gate.enter(change=change)


def test_budget_is_of_all_blocks_together(clock):
    gate = RateGate(clock, block_limit=100.0)
    for _round in range(5):
        gate.refused(20.0, sent_at=clock.monotonic())
        passage(gate, clock)
        clock.pass_by(50)
    with pytest.raises(RateLimitExceeded):
        gate.refused(20.0, sent_at=clock.monotonic())


def test_no_budget_at_all(clock):
    gate = RateGate(clock, block_limit=0.0)
    with pytest.raises(RateLimitExceeded):
        gate.refused(1.0, sent_at=0.0)


def test_pacing_does_not_count_as_a_block(clock):
    gate = RateGate(clock, block_limit=10.0)
    passage(gate, clock, remaining(0, 300))
    assert passage(gate, clock) == 300.0


def test_whoever_waits_learns_that_the_budget_is_spent(clock):
    gate = RateGate(clock, block_limit=50.0)
    gate.refused(40.0, sent_at=0.0)
    real_sleep = clock.sleep

    def sleep(seconds):
        real_sleep(seconds)
        if clock.monotonic() == 30.0:
            with pytest.raises(RateLimitExceeded):
                gate.refused(60.0, sent_at=0.0)

    clock.sleep = sleep
    with pytest.raises(RateLimitExceeded):
        gate.enter()
    assert clock.monotonic() == 30.0


# -- looks that grow old ------------------------------------------------------------------------------------------


def test_a_change_whose_look_would_grow_too_old(clock):
    gate = RateGate(clock, requests_per_second=0.2)
    passage(gate, clock)
    with pytest.raises(LookStale):
        gate.enter(change=True, longest_wait=4.9)
    assert clock.monotonic() == 0.0
    assert passage(gate, clock, change=True, longest_wait=5.0) == 5.0


def test_a_pair_goes_together(clock):
    """The look takes the change's place in the queue along, so the change goes at once."""
    gate = RateGate(clock, requests_per_second=0.5)
    pairs = [(passage(gate, clock, slots=2), passage(gate, clock, slots=0, change=True, longest_wait=2.0)) for _pair in range(3)]
    assert pairs == [(0.0, 0.0), (4.0, 4.0), (8.0, 8.0)]


def test_a_pair_takes_two_of_the_quota(clock):
    gate = RateGate(clock, reserve=0.0)
    passage(gate, clock, remaining(4, 60))
    for _pair in range(2):
        assert passage(gate, clock, slots=2) == 0.0
        assert passage(gate, clock, slots=0, change=True) == 0.0
    assert passage(gate, clock, slots=2) == 60.0


@each_row("left, pairs", [(1, 0), (2, 1), (3, 1)])
def test_a_pair_does_not_begin_where_only_its_look_is_allowed(clock, left, pairs):
    """Its change would meet the limit for certain, and have the token blocked for everybody."""
    gate = RateGate(clock, reserve=0.0)
    passage(gate, clock, remaining(left, 60))
    assert [passage(gate, clock, slots=2) for _pair in range(pairs + 1)] == [0.0] * pairs + [60.0]


def test_the_changes_of_pairs_under_way_are_not_in_the_server_s_count(clock):
    gate = RateGate(clock, reserve=0.0)
    for _pair in range(3):
        gate.enter(slots=2)
    gate.observe(remaining(6, 60), POLICY, sent_at=0.0)
    assert [passage(gate, clock) for _call in range(2)] == [0.0, 60.0]
    for _pair in range(3):
        gate.leave(slots=2)
    passage(gate, clock, remaining(2, 60))
    assert [passage(gate, clock) for _call in range(3)] == [60.0, 60.0, 120.0]


# -- nobody listens -----------------------------------------------------------------------------------------------


def test_waiting_ends_when_nobody_listens(clock):
    def check():
        if clock.monotonic() >= 7:
            raise ControllerGone("gone")

    gate = RateGate(clock, check=check)
    gate.refused(300.0, sent_at=0.0)
    with pytest.raises(ControllerGone):
        gate.enter()
    assert clock.monotonic() == pytest.approx(7)
    assert gate.held_seconds() == pytest.approx(7)


def test_who_did_not_enter_is_not_under_way(clock):
    """A failed entrance leaves the gate as it was: the calls under way are corrected for."""
    gate = RateGate(clock, reserve=0.0)
    gate.refused(10.0, sent_at=0.0)
    for _call in range(5):
        with pytest.raises(LookStale):
            gate.enter(change=True)
    clock.pass_by(10)
    passage(gate, clock, remaining(3, 60))
    assert [passage(gate, clock) for _call in range(4)] == [10.0, 10.0, 10.0, 70.0]


# -- several threads ----------------------------------------------------------------------------------------------


def run_threads(clock, count, work):
    """Run work(number) in so many threads on their clock; their results, or the exceptions they ended by."""
    results = [None] * count

    def guarded(number):
        try:
            results[number] = work(number)
        except Exception as error:  # pylint: disable=broad-except
            results[number] = error
        finally:
            clock.done()

    threads = [threading.Thread(target=guarded, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    return results


def test_threads_share_the_ceiling():
    clock = SharedClock(8)
    gate = RateGate(clock, requests_per_second=10)
    results = run_threads(clock, 8, lambda number: [passage(gate, clock) for _call in range(5)])
    went = sorted(moment for moments in results for moment in moments)
    assert went == pytest.approx([number / 10.0 for number in range(40)])


def test_threads_spread_what_remains():
    """However many wait for a place at once, the quota fills the time to the reset, and none waits past it."""
    clock = SharedClock(8)
    gate = RateGate(clock, reserve=0.2)
    gate.observe(remaining(8, 300), POLICY, sent_at=0.0)
    results = run_threads(clock, 8, lambda number: passage(gate, clock))
    assert sorted(results) == pytest.approx([number * 37.5 for number in range(8)])


@each_row("reserve", [0.2, 0.0])
def test_pairs_of_several_threads_keep_within_the_quota(reserve):
    """A server with a hundred calls a minute, used by this task alone, never has to refuse one."""
    clock = SharedClock(8)
    gate = RateGate(clock, reserve=reserve)
    lock, used = threading.Lock(), collections.Counter()

    def call(**how):
        gate.enter(**how)
        sent_at = clock.monotonic()
        clock.sleep(0.025)
        with lock:
            minute = clock.monotonic() // 60
            used[minute] += 1
            left = remaining(max(0, 100 - used[minute]), int((minute + 1) * 60 - clock.monotonic()) + 1)
        clock.sleep(0.025)
        gate.observe(left, '"default";q=100;w=60', sent_at)
        gate.leave(how["slots"])

    def work(number):
        for _pair in range(18):
            call(slots=2)
            call(slots=0, change=True, longest_wait=2.0)

    results = run_threads(clock, 8, work)
    assert not [result for result in results if isinstance(result, Exception)]
    assert sum(used.values()) == 8 * 18 * 2
    assert max(used.values()) <= 100


def test_one_refusal_stops_all_threads():
    clock = SharedClock(4)
    gate = RateGate(clock)

    def work(number):
        went = []
        for call in range(4):
            gate.enter()
            went.append(clock.monotonic())
            clock.sleep(1.0)
            if number == 0 and call == 1:
                gate.refused(100.0, sent_at=clock.monotonic())
            gate.leave()
        return went

    results = run_threads(clock, 4, work)
    assert not [result for result in results if isinstance(result, Exception)]
    went = sorted(moment for moments in results for moment in moments)
    assert not [moment for moment in went if 2.5 < moment < 102]
    assert max(went) >= 102
    assert gate.held_seconds() == pytest.approx(100.0), "four that wait together wait once"
    assert clock.monotonic() == pytest.approx(104)


def test_the_end_of_the_budget_ends_all_threads():
    clock = SharedClock(4)
    gate = RateGate(clock, block_limit=50.0)

    def work(number):
        for call in range(100):
            gate.enter()
            clock.sleep(1.0)
            try:
                if number == 0 and call == 3:
                    gate.refused(60.0, sent_at=clock.monotonic())
            finally:
                gate.leave()
        return "finished"

    results = run_threads(clock, 4, work)
    assert [type(result) for result in results] == [RateLimitExceeded] * 4
    assert clock.monotonic() <= 6
