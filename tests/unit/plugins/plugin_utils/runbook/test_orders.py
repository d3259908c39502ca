# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a runbook is ordered to do: one scope, never a wider one than was meant."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import OptionError
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.ledger import Ledger
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.logbook import Heading
from ansible_collections.edgeops.cloudflare.plugins.plugin_utils.runbook.orders import FILTERS, STATE_OF, Circumstances, order
from ansible_collections.edgeops.cloudflare.tests.unit.runbooks import inputs_of
from ansible_collections.edgeops.cloudflare.tests.unit.tables import each_row

BEGAN = "2026-08-06T03:24:10Z"
ACCOUNT, API = "0123456789abcdef", "https://api.cloudflare.com/client/v4"

#: A value for each filter that there is.
SOME = {
    "created_after": "2026-08-06T00:00:00Z",
    "created_before": "2026-08-06T03:00:00Z",
    "ended_before": "2026-08-06T03:00:00Z",
    "id_glob": "order-*",
    "version_id": "v1",
    "trigger_source": "api",
    "error_glob": "*declined*",
}


def record(*entries, workflow="orders"):
    """The text of a record. entries: pairs of a state and ids."""
    ledger = Ledger(ACCOUNT, API)
    for state, ids in entries:
        placed = [("unknown" if one.startswith("?") else "ids", one.lstrip("?")) for one in ids]
        ledger.put(Heading(ACCOUNT, API, workflow, state, "7"), f"2026-08-0{len(ledger.entries) + 1}T00:00:00Z", placed)
    return ledger.text()


PAUSED = record(("paused", ["a", "b", "?c"]))


def ordered(entry_point, record=None, job=None, **raw):
    if record is not None and not any(name in raw for name in ("record_file", "record_job")):
        raw["edgeops_record"] = record
    return order(entry_point, inputs_of(entry_point, workflow_name="orders", **raw), Circumstances(record, BEGAN, job, "/srv"))


def refused(entry_point, **given):
    with pytest.raises(OptionError) as caught:
        ordered(entry_point, **given)
    assert "\n" not in caught.value.text and len(caught.value.text) < 700
    return caught.value.text


# -- the scope ------------------------------------------------------------------------------------------------------------


@each_row(
    "entry_point, given, ids, select",
    [
        ("pause_all", {}, None, {"status": ["running", "waiting", "waitingForPause"]}),
        ("pause_all", {"statuses": "queued"}, None, {"status": ["queued", "waitingForPause"]}),
        ("pause_all", {"statuses": []}, None, {"status": ["running", "waiting", "waitingForPause"]}),
        ("pause_all", {"instance_ids": "a b a"}, ["a", "b"], None),
        ("pause_all", {"instance_ids": []}, [], None),
        ("pause_all", {"record": PAUSED}, None, {"status": ["running", "waiting", "waitingForPause"]}),
        ("resume_paused", {"record": PAUSED}, ["a", "b", "c"], None),
        ("resume_paused", {"record": PAUSED, "record_file": "f"}, ["a", "b", "c"], None),
        ("resume_paused", {"record": PAUSED, "record_job": "7"}, ["a", "b", "c"], None),
        ("resume_paused", {"instance_ids": []}, [], None),
        ("resume_paused", {"everything_paused": "yes"}, None, {"status": ["paused", "waitingForPause"]}),
        ("resume_paused", {"record": record(("paused", []))}, [], None),
        ("restart_failed", {"instance_ids": "a"}, ["a"], None),
        ("restart_failed", {"record": record(("running", ["a"]), ("paused", ["b"]), ("terminated", ["c"]))}, ["a", "b"], None),
        ("restart_failed", {"record": record(("restarted", ["a"]), ("paused", ["a"]))}, ["a"], None),
        (
            "restart_failed",
            {"ended_after": BEGAN},
            None,
            {"status": ["errored"], "ended_after": BEGAN, "ended_before": "2026-08-06T03:24:11Z"},
        ),
        ("restart_failed", {"ended_after": "all"}, None, {"status": ["errored"], "ended_before": "2026-08-06T03:24:11Z"}),
        ("restart_failed", {"ended_after": "all", "ended_before": BEGAN}, None, {"status": ["errored"], "ended_before": BEGAN}),
        ("terminate", {"instance_ids": "a"}, ["a"], None),
        ("terminate", {"statuses": "paused"}, None, {"status": ["paused"]}),
        ("terminate", {"statuses": "paused", "record": PAUSED}, None, {"status": ["paused"]}),
    ],
)
def test_scopes(entry_point, given, ids, select):
    made = ordered(entry_point, **given)
    assert (made.instance_ids, made.select) == (ids, select)


SCOPES = {
    "resume_paused": {"edgeops_record": PAUSED, "record_file": "f", "record_job": 7, "instance_ids": ["a"], "everything_paused": True},
    "restart_failed": {"edgeops_record": PAUSED, "record_file": "f", "record_job": 7, "instance_ids": ["a"], "ended_after": "all"},
    "terminate": {"instance_ids": ["a"], "statuses": ["paused"]},
}


@each_row("entry_point", list(SCOPES))
def test_exactly_one_scope(entry_point):
    """None is none, and two are not both."""
    verb = entry_point.partition("_")[0]
    assert refused(entry_point).startswith(f"what to {verb} is told by exactly one of ")
    assert refused(entry_point).endswith("; none is given, and nothing is not everything")
    for one, other in itertools.combinations(SCOPES[entry_point], 2):
        text = refused(entry_point, **{name: SCOPES[entry_point][name] for name in (one, other)})
        assert one in text and other in text and ("given are" in text or "both name a record" in text)
    for name, value in SCOPES[entry_point].items():
        given = {"record": PAUSED} if "record" in name else {}
        assert ordered(entry_point, **{name: value, **given}).scope


@given(st.sampled_from(sorted(SCOPES)), st.data())
def test_a_blank_never_widens(entry_point, data):
    """With nothing but blanks there is no order; with a scope and blanks it is the order of that scope."""
    blanks = {name: data.draw(st.sampled_from([None, "", " ", "\n"])) for name in (*SCOPES[entry_point], *FILTERS)}
    assert "nothing is not everything" in refused(entry_point, **blanks)
    name = data.draw(st.sampled_from(sorted(set(SCOPES[entry_point]) - {"edgeops_record", "record_file", "record_job"})))
    scope = {name: SCOPES[entry_point][name]}
    made, bare = ordered(entry_point, **{**blanks, **scope}), ordered(entry_point, **scope)
    assert (made.instance_ids, made.select, made.options) == (bare.instance_ids, bare.select, bare.options)


@each_row("given", [{"everything_paused": "no"}, {"everything_paused": ""}, {"everything_paused": False}])
def test_no_is_no_scope(given):
    assert "none is given" in refused("resume_paused", **given)


@each_row(
    "entry_point, scope, filters",
    [
        ("pause_all", {"instance_ids": ["a"]}, FILTERS),
        ("resume_paused", {"instance_ids": ["a"]}, FILTERS),
        ("resume_paused", {"record": PAUSED}, FILTERS),
        ("restart_failed", {"instance_ids": ["a"]}, (*FILTERS, "ended_before", "error_glob")),
        ("restart_failed", {"record": PAUSED}, (*FILTERS, "ended_before", "error_glob")),
        ("terminate", {"instance_ids": ["a"]}, FILTERS),
    ],
)
def test_filters_beside_ids_are_refused(entry_point, scope, filters):
    """They would narrow nothing, and whoever gives them believes that they do."""
    for name in filters:
        what = "a record" if "record" in scope else "instance_ids"
        assert refused(entry_point, **scope, **{name: SOME[name]}) == (
            f"{name} would narrow nothing, since {what} names the instances; leave it out"
        )
    two = {name: SOME[name] for name in filters[:2]}
    assert "created_after and created_before would narrow nothing" in refused(entry_point, **scope, **two)
    assert refused(entry_point, **scope, **two).endswith("leave them out")


@each_row(
    "entry_point, scope",
    [
        ("pause_all", {}),
        ("resume_paused", {"everything_paused": True}),
        ("restart_failed", {"ended_after": "all"}),
        ("terminate", {"statuses": "paused"}),
    ],
)
def test_filters_narrow(entry_point, scope):
    """Each that there is, in the selection and in words."""
    filters = {name: SOME[name] for name in (*FILTERS, *(("ended_before", "error_glob") if entry_point == "restart_failed" else ()))}
    made = ordered(entry_point, **scope, **filters)
    assert filters.items() <= made.select.items()
    assert made.scope.startswith("by status ") and made.scope.endswith(", and by no other filter")
    assert all(f"{name} {value}" in made.scope for name, value in filters.items())


@each_row("name", ["created_after", "created_before", "ended_after", "ended_before"])
def test_times_without_an_offset(name):
    for value in ("2026-08-06T03:00:00", "yesterday", "2026-08-06", "03:00", "2026-13-01T00:00:00Z", "all of them"):
        scope = {"ended_after": "all"} if name != "ended_after" else {}
        or_all = ", or all" if name == "ended_after" else ""
        assert refused("restart_failed", **scope, **{name: value}) == (
            f"{name} must be a time with its offset, such as 2026-08-06T03:00:00Z{or_all}; it is '{value}'"
        )


# -- records --------------------------------------------------------------------------------------------------------------


@each_row(
    "entry_point, text, says",
    [
        (
            "resume_paused",
            record(("terminated", ["a"])),
            "the record tells of no instance of orders that was paused (it holds: orders terminated); give",
        ),
        (
            "resume_paused",
            record(("paused", ["a"]), workflow="fleet"),
            "of orders that was paused (it holds: fleet paused); give another record",
        ),
        ("resume_paused", record(), "(it holds: nothing)"),
        ("restart_failed", record(("terminated", ["a"])), "that was paused or running or restarted (it holds: orders terminated)"),
        ("resume_paused", "no record", "there is no record in what was given"),
        ("resume_paused", PAUSED[:-9], "the record is cut off, or was changed"),
        ("pause_all", PAUSED[:-9], "the record is cut off, or was changed"),
    ],
)
def test_records_that_do_not_fit(entry_point, text, says):
    assert says in refused(entry_point, record=text)


@each_row(
    "given, says",
    [
        ({"record_file": "/srv/f"}, "there is no record in record_file /srv/f; give another one"),
        ({"record_job": 7}, "there is no record in record_job 7; give another one"),
    ],
)
def test_no_record_at_all(given, says):
    for nothing in (None, "", " \n"):
        assert refused("resume_paused", record=nothing, **given) == says


def test_how_a_record_is_told():
    text = record(("paused", ["a", "b", "?c"]), ("running", ["d"]))
    assert ordered("restart_failed", record=text).scope == (
        "by the record of 2026-08-02T00:00:00Z (job 7), which holds 4 instances, 1 of them on their way then, or not known to be done"
    )
    assert ordered("resume_paused", instance_ids="a").scope == "by instance_ids, which names 1 instance"


@each_row(
    "given, job, file",
    [
        ({}, None, "/srv/edgeops_record-pause_all-orders-20260806T032410Z.json"),
        ({}, "7", "/srv/edgeops_record-pause_all-orders-20260806T032410Z.json"),
        ({"workflow_name": "../a b/ü"}, None, "/srv/edgeops_record-pause_all-___a_b_ü-20260806T032410Z.json"),
        ({"record_file": "/elsewhere/f"}, None, "/elsewhere/f"),
    ],
)
def test_where_the_record_is_kept(given, job, file):
    inputs = inputs_of("pause_all", **{"workflow_name": "orders", **given})
    assert order("pause_all", inputs, Circumstances(None, BEGAN, job, "/srv")).record_file == file


def test_what_the_record_begins_with():
    """One that is given is taken over, but where its own file is gone on with."""
    assert ordered("pause_all", record=PAUSED).record == PAUSED
    assert ordered("pause_all", record=PAUSED, record_file="/srv/f").record == ""
    assert ordered("pause_all").record == ""


# -- how ------------------------------------------------------------------------------------------------------------------


@each_row(
    "entry_point, given, options",
    [
        (
            "pause_all",
            {},
            {"state": "paused", "skip_finished": True, "max_failures": None, "canary": None, "batch_size": [200], "batch_pause": 0},
        ),
        ("pause_all", {}, {"when_status": ["running", "waiting", "waitingForPause"], "wait": True, "from_failed_step": False}),
        ("pause_all", {"instance_ids": "a", "statuses": "queued"}, {"when_status": ["queued", "waitingForPause"]}),
        ("resume_paused", {"instance_ids": "a"}, {"state": "running", "max_failures": 5, "batch_size": [50], "batch_pause": 30}),
        ("resume_paused", {"instance_ids": "a"}, {"when_status": ["paused", "waitingForPause"], "skip_finished": True}),
        ("resume_paused", {"instance_ids": "a", "max_failures": "0", "wait": "no"}, {"max_failures": None, "wait": False}),
        (
            "restart_failed",
            {"instance_ids": "a"},
            {"state": "restarted", "when_status": ["errored"], "from_failed_step": True, "wait": True},
        ),
        ("restart_failed", {"ended_after": "all"}, {"canary": {"wait_timeout": 900, "max_failures": 0}, "batch_size": [5, 50, 200]}),
        (
            "restart_failed",
            {"ended_after": "all", "canary_timeout": 5, "canary_failures": 1},
            {"canary": {"wait_timeout": 5.0, "max_failures": 1}},
        ),
        ("restart_failed", {"ended_after": "all", "from_failed_step": "no"}, {"from_failed_step": False, "skip_finished": False}),
        ("terminate", {"statuses": "paused"}, {"state": "terminated", "when_status": ["paused"], "max_instances": 100, "rollback": False}),
        ("terminate", {"instance_ids": "a"}, {"when_status": None, "pause_first": False, "bulk_terminate": False, "skip_finished": False}),
        ("terminate", {"instance_ids": "a", "rollback": "yes"}, {"rollback": True, "pause_first": True}),
        ("terminate", {"instance_ids": "a", "bulk_terminate": "yes"}, {"bulk_terminate": True}),
    ],
)
def test_options(entry_point, given, options):
    assert options.items() <= ordered(entry_point, **given).options.items()


@each_row("entry_point", list(STATE_OF))
def test_all_have_the_same_options(entry_point):
    """The role's tasks take them by their names."""
    scope = {} if entry_point == "pause_all" else {"instance_ids": ["a"]}
    assert set(ordered(entry_point, **scope).options) == set(ordered("pause_all").options)


@each_row(
    "entry_point, given, says",
    [
        (
            "terminate",
            {"instance_ids": "a", "rollback": True, "bulk_terminate": True},
            "bulk_terminate runs no rollback handlers; leave it out, or rollback",
        ),
        (
            "terminate",
            {"instance_ids": "a", "rollback": True, "wait": False},
            "rollback pauses each instance first and waits for that; leave wait out",
        ),
        ("terminate", {"statuses": []}, "what to terminate is told by exactly one of instance_ids and statuses; none is given"),
        ("pause_all", {"batch_size": []}, "batch_size is empty; give at least one size, such as [50]"),
    ],
)
def test_what_cannot_be_meant(entry_point, given, says):
    assert refused(entry_point, **given).startswith(says)
