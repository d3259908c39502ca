# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading many instances: which calls are made, what matches, and what is told of those that could not be read."""

from __future__ import annotations

import collections

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import RateLimitExceeded, ServerFailed, TooLarge
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.inspection import Inspection, Reading
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.selection import Selection
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.survey import Surveyor
from ansible_collections.edgeops.cloudflare.tests.unit.fakes import FakeInstance, FakeWorkflow, http_date, many
from ansible_collections.edgeops.cloudflare.tests.unit.tables import each_row

ERRORED = {"statuses": ("errored",)}


def inspect(workflow, ids=None, select=None, details=False, most_logs=0):
    surveyor = Surveyor(workflow, workflow.clock, lambda: http_date(workflow.clock.monotonic() + 3600))
    inspection = Inspection(workflow, surveyor, Reading(details, most_logs), 100_000, concurrency=1)
    inspection.run(ids, None if select is None else Selection(**select))
    return inspection


def calls(workflow):
    return dict(collections.Counter(call[0] for call in workflow.calls))


def with_log(inspection):
    return [one.id for one in inspection.dossiers if one.has_log]


@each_row(
    "count, options, made",
    [
        (1, {"details": True}, {"detail": 1}),
        (1, {"details": True, "most_logs": 20}, {"log": 1}),
        (5, {}, {"detail": 5}),
        (50, {}, {"list": 1}),
        (50, {"most_logs": 20}, {"list": 1, "log": 20}),
        (20, {"most_logs": 20}, {"log": 20}),
        (50, {"details": True}, {"detail": 50}),
        (50, {"details": True, "most_logs": 20}, {"detail": 50, "log": 20}),
        (1000, {"most_logs": 20}, {"list": 10, "log": 20}),
    ],
)
def test_calls_for_ids(clock, count, options, made):
    workflow = FakeWorkflow(clock, *many(count, "errored"))
    inspection = inspect(workflow, ids=list(workflow.instances), **options)
    assert calls(workflow) == made and all(one.was_read for one in inspection.dossiers)


def test_the_newest_logs(clock):
    """Of those that are there, and that match."""
    workflow = FakeWorkflow(clock, *many(40, "errored"))
    for number in range(5):
        workflow.instances[f"i{number:04d}"].error = {"name": "Error", "message": "no carrier"}
    ghosts = [f"ghost-{number}" for number in range(20)]
    assert with_log(inspect(workflow, ids=[*ghosts, *workflow.instances], most_logs=3)) == ["i0037", "i0038", "i0039"]
    by_error = inspect(workflow, select={**ERRORED, "error_glob": "no *"}, most_logs=3)
    assert [one.id for one in by_error.dossiers] == [f"i{number:04d}" for number in (4, 3, 2, 1, 0)]
    assert with_log(by_error) == ["i0004", "i0003", "i0002"]


def test_what_could_not_be_looked_at_may_match(clock):
    """It is no item, and not forgotten either."""
    workflow = FakeWorkflow(clock, *many(3, "errored"))
    workflow.fail(("detail", "i0001"), ServerFailed("HTTP 500"), times=9)
    inspection = inspect(workflow, select={**ERRORED, "error_glob": "*declined*"})
    assert [(one.id, one.was_read, one.fell_short) for one in inspection.dossiers] == [
        ("i0002", True, False),
        ("i0001", False, True),
        ("i0000", True, False),
    ]


def test_what_ends_it_early_leaves_no_item_that_may_not_match(clock):
    workflow = FakeWorkflow(clock, *many(5, "errored"))
    workflow.instances["i0004"].error = {"name": "Error", "message": "another"}
    workflow.fail(("detail", "i0002"), RateLimitExceeded("blocked"))
    inspection = inspect(workflow, select={**ERRORED, "error_glob": "*declined*"})
    assert inspection.fatal is not None
    assert [one.id for one in inspection.dossiers if one.was_read] == ["i0003"]
    assert [one.id for one in inspection.dossiers if not one.was_read] == ["i0002", "i0001", "i0000"]


def test_a_log_that_is_too_large(clock):
    """The rest is told all the same."""
    workflow = FakeWorkflow(clock, *many(1, "errored"))
    workflow.fail(("log", "i0000"), TooLarge("more than 32 MiB"))
    (one,) = inspect(workflow, ids=["i0000"], most_logs=20).dossiers
    assert one.was_read and not one.has_log and isinstance(one.trouble, TooLarge) and not one.fell_short


def test_deleted_while_it_is_read(clock):
    workflow = FakeWorkflow(clock, *many(2, "errored"))
    workflow.before(("detail", "i0000"), lambda: workflow.instances.pop("i0000"))
    inspection = inspect(workflow, select=ERRORED, details=True)
    assert [(one.id, one.was_read, one.is_missing) for one in inspection.dossiers] == [("i0001", True, False), ("i0000", False, True)]


def test_none(clock):
    workflow = FakeWorkflow(clock, FakeInstance("a", "running"))
    assert inspect(workflow, ids=[]).dossiers == [] and inspect(workflow, select=ERRORED).dossiers == []
