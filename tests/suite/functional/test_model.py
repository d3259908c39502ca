# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Random sequences of tasks and of what others do, on the real engine, against a model; `make soak` makes long ones."""

from __future__ import annotations

from model_coverage import Coverage
from model_machine import run_batch

# Each is the seed of one batch of sequences; they run alike every time.
SEEDS = (1, 2)


def test_against_the_model(bench, capsys):
    """Decisions, results, calls, final statuses and what truly ran are as the model says."""
    coverage = Coverage()
    for seed in SEEDS:
        with capsys.disabled():
            print("\nagainst the model: seed %d" % seed)
        run_batch(bench, coverage, seed, length=25)
    with capsys.disabled():
        print("\n" + coverage.report())
    # Runs that find nothing to do prove nothing. What exactly is met depends on the engine's pace, too.
    assert coverage.pairs_seen >= 30
    assert coverage.totals["module runs"] >= 120
    assert {"changed", "unchanged", "failed"} <= set(coverage.outcomes)
    assert sum(coverage.meddling.values()) >= 5


def test_restarted_as_soon_as_started(bench):
    """What this machine has found once: a listing tells less of when an instance was started than a look at it alone does."""
    bench.create("model", ["just-started"], {"steps": [{"do": "begin"}, {"wait": "event"}]}, status="waiting")
    task = {
        "workflow_name": "model",
        "select": {"id_glob": "just-started", "status": ["waiting"]},
        "state": "restarted",
        "wait_timeout": 60,
    }
    for times in (2, 3):
        result = bench.module(**task)
        assert not result.get("failed") and result["changed"], result["msg"]
        bench.control("POST", "/await", {"workflow": "model", "instance": "just-started", "status": "waiting"})
        assert bench.steps("model", "just-started")["steps"] == {"begin": times}
