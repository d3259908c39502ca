# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running contenders in turns, and what their times say."""

from __future__ import annotations

import random
import resource
import statistics
import sys
import time
import typing as t

from contenders import EMPTY
from environments import ROOT
from processes import run

LONGEST = 900


class Run(t.NamedTuple):
    """One run: seconds on the clock, seconds of processor time (its children's included), and the calls that arrived."""

    seconds: float
    cpu: float
    calls: dict


class Spread(t.NamedTuple):
    """Median, smallest and largest of some numbers."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, numbers):
        """The spread of an iterable of numbers, which must not be empty."""
        numbers = list(numbers)
        return cls(statistics.median(numbers), min(numbers), max(numbers))


class Series:
    """The runs of several contenders on one fleet, by contender and round."""

    def __init__(self, contenders, size):
        self.contenders = contenders
        self.size = size
        self._runs = {contender: {} for contender in contenders}

    def add(self, contender, number, measured):
        """Take in the Run of a contender in a round."""
        self._runs[contender][number] = measured

    def runs(self, contender):
        """All runs of a contender, list of Run."""
        return list(self._runs[contender].values())

    def seconds(self, contender):
        """Spread of the time from the start of the process to its end."""
        return Spread.of(measured.seconds for measured in self.runs(contender))

    def cpu(self, contender):
        """Spread of the processor time."""
        return Spread.of(measured.cpu for measured in self.runs(contender))

    def beyond(self, contender, base=EMPTY):
        """Spread of the time that a playbook takes beyond another of the same round; all of it where it is no playbook."""
        if not contender.is_playbook:
            return self.seconds(contender)
        runs = self._runs[contender]
        return Spread.of(measured.seconds - self._runs[base][number].seconds for number, measured in runs.items())

    def cpu_beyond(self, contender, base=EMPTY):
        """Spread of the processor time that a playbook takes beyond another of the same round."""
        return Spread.of(measured.cpu - self._runs[base][number].cpu for number, measured in self._runs[contender].items())

    def wrong_calls(self):
        """What was called beyond, or short of, what is needed where that must not be: list of sentences."""
        found = []
        for contender in self.contenders:
            needed = contender.calls(self.size) if contender.calls else {}
            for measured in self.runs(contender):
                if (contender.exact or not needed) and measured.calls != needed:
                    found.append(f"{contender.title}, {self.size} instances: needed {needed}, made {measured.calls}")
        return found


def measure(contender, setting, env):
    """Run a contender once on instances prepared for it, and make sure that it did the work."""
    fleet = setting.fleet
    if contender.start:
        fleet.bring(contender.start)
    fleet.forget_calls()
    command = contender.command(setting)
    log = f"benchmark/{command[1].stem}.log"
    used, began = _children_cpu(), time.perf_counter()
    run(command, log=log, cwd=ROOT, env=env, timeout=LONGEST)
    measured = Run(time.perf_counter() - began, _children_cpu() - used, fleet.calls())
    if contender.start:
        fleet.await_status(contender.end)
    return measured


def _children_cpu():
    # Of processes that have ended: the engine, which goes on, is not in it.
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def take_turns(contenders, setting, env, rounds):
    """Run the contenders round by round, each round in another order, so that a drift of the machine meets all alike.

    Returns:
        Series
    """
    series = Series(contenders, setting.fleet.size)
    for contender in contenders:
        if contender.every == 1:
            measure(contender, setting, env)  # caches get warm
    for number in range(rounds):
        turn = [contender for contender in contenders if number % contender.every == 0]
        random.Random(number).shuffle(turn)
        for contender in turn:
            series.add(contender, number, measure(contender, setting, env))
        print(f"{series.size} of a fleet, round {number + 1} of {rounds}", file=sys.stderr, flush=True)
    return series
