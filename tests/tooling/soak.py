# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A long run of the module against the model (tests/suite/functional/model*.py), on an engine of its own.

    python soak.py [--seconds 600] [--seed N] [--length 40] [--shrink]

Prints the seed and, at the end, what was covered. A run that fails says how to repeat the part that failed.
"""

from __future__ import annotations

import argparse
import random
import sys
import time

from environments import ROOT

sys.path[:0] = [str(ROOT / "tests" / "suite" / "functional"), str(ROOT / "tests" / "engine")]

from conftest import Bench  # noqa: E402  pylint: disable=wrong-import-position
from engine import Engine  # noqa: E402  pylint: disable=wrong-import-position
from model_coverage import Coverage  # noqa: E402  pylint: disable=wrong-import-position
from model_machine import run_batch  # noqa: E402  pylint: disable=wrong-import-position

# An engine is replaced after so many batches: what it keeps of deleted instances must not slow the run down.
BATCHES_PER_ENGINE = 20


def soak(seconds, seed, length, shrink=False):
    """Run batches until the time is up; the first has this seed, each later one the next. Returns the exit code."""
    began, batch, coverage = time.monotonic(), 0, Coverage()
    print("Soaking for %d s: seed %d, sequences of %d rules" % (seconds, seed, length), flush=True)
    try:
        while time.monotonic() - began < seconds:
            with Engine() as engine:
                for _turn in range(BATCHES_PER_ENGINE):
                    run_batch(Bench(engine), coverage, seed + batch, length, shrink)
                    batch += 1
                    if time.monotonic() - began >= seconds:
                        break
    except KeyboardInterrupt:
        print("Interrupted")
    except BaseException:
        print("FAILED with seed %d; to repeat: make soak SEED=%d LENGTH=%d SECONDS=1" % (seed + batch, seed + batch, length), flush=True)
        raise
    finally:
        took = time.monotonic() - began
        print("%d batches in %d s, seeds %d to %d\n\n%s" % (batch, took, seed, seed + max(batch - 1, 0), coverage.report()), flush=True)
    return 0


def main():
    """The command."""
    parser = argparse.ArgumentParser(description="Random tasks and events on the real engine, held against a model.")
    parser.add_argument("--seconds", type=int, default=600, help="how long (default: 600)")
    parser.add_argument("--seed", type=int, help="where to begin (default: anywhere)")
    parser.add_argument("--length", type=int, default=40, help="rules in a sequence (default: 40)")
    parser.add_argument("--shrink", action="store_true", help="look for a shorter sequence that fails as well; takes minutes")
    options = parser.parse_args()
    seed = random.randrange(10**9) if options.seed is None else options.seed
    return soak(options.seconds, seed, options.length, options.shrink)


if __name__ == "__main__":
    sys.exit(main())
