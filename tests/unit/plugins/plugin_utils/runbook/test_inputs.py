# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a runbook was given, as it was meant: by every version of ansible-core, from a survey, a command line or a playbook."""

from __future__ import annotations

import datetime
import json
from pathlib import Path

import yaml
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.edgeops.cloudflare.plugins.plugin_utils.runbook.inputs import listed, near_misses, read_inputs
from ansible_collections.edgeops.cloudflare.tests.unit.tables import each_row

SPECS = yaml.safe_load((Path(__file__).resolve().parents[5] / "roles/runbook/meta/argument_specs.yml").read_text(encoding="utf-8"))
RUNBOOKS = {name: spec["options"] for name, spec in SPECS["argument_specs"].items()}

UTC = datetime.timezone.utc
SUMMER = datetime.timezone(datetime.timedelta(hours=2))
QUOTE = 'put it into double quotes, where AWX asks for it, too: "0123"'


def read(runbook="restart_failed", names=(), **raw):
    return read_inputs({"workflow_name": "orders", **raw}, RUNBOOKS[runbook], names)


def value(name, given, runbook="restart_failed"):
    """The value that an input has; there is nothing wrong with it."""
    values, mistakes = read(runbook, **{name: given})
    assert mistakes == []
    return values[name]


def mistake(name, given, runbook="restart_failed"):
    """What is wrong with an input, which has no value then."""
    values, mistakes = read(runbook, **{name: given})
    (found,) = mistakes
    assert values[name] is None and len(found) < 600 and found.isprintable()
    return found


# What AWX writes as `!unsafe`, read by ansible-core before 2.19 and since, and what a person types.


@each_row("runbook", list(RUNBOOKS))
def test_what_is_blank_is_not_given(runbook):
    """And has its default, so that a blank answer never means anything."""
    bare, nothing_wrong = read(runbook)
    assert nothing_wrong == []
    for blank in (None, "", " ", "\n", "\t \r\n"):
        raw = {name: blank for name in RUNBOOKS[runbook] if name != "workflow_name"}
        assert read(runbook, **raw) == (bare, [])


@each_row("runbook", list(RUNBOOKS))
def test_defaults(runbook):
    values = read(runbook).values
    assert values == {**{name: rules.get("default") for name, rules in RUNBOOKS[runbook].items()}, "workflow_name": "orders"}


@each_row("blank", [None, "", "  "])
def test_what_is_required(blank):
    assert mistake("workflow_name", blank) == "workflow_name is missing: give it by -e workflow_name=VALUE, or in the survey"


@each_row(
    "given, expected",
    [
        ("orders", "orders"),
        (" orders\n", "orders"),
        ('"0123"', "0123"),
        ("'no'", "no"),
        ('" order-1 "', " order-1 "),
        ("5", "5"),
        ('"', '"'),
        ('""', ""),
        ("it's", "it's"),
        ("1e3", "1e3"),
    ],
)
def test_text(given, expected):
    assert value("id_glob", given) == expected


@each_row(
    "given, says",
    [
        (5, f"id_glob is 5, a number and not text, and nobody can tell how it was written; {QUOTE}"),
        (83, f"id_glob is 83, a number and not text, and nobody can tell how it was written; {QUOTE}"),
        (5.0, f"id_glob is 5.0, a number and not text, and nobody can tell how it was written; {QUOTE}"),
        (True, f"id_glob is true, a truth value and not text; {QUOTE}"),
        (False, f"id_glob is false, a truth value and not text; {QUOTE}"),
        (datetime.date(2026, 1, 1), f"id_glob is 2026-01-01 and not text; {QUOTE}"),
        (datetime.datetime(2026, 1, 1, tzinfo=UTC), f"id_glob is 2026-01-01 00:00:00+00:00 and not text; {QUOTE}"),
        (["order-*"], f"id_glob is ['order-*'] and not text; {QUOTE}"),
        ({"a": 1}, f"id_glob is {{'a': 1}} and not text; {QUOTE}"),
        (10**30, f"id_glob is {10**30}, a number and not text, and nobody can tell how it was written; {QUOTE}"),
    ],
)
def test_what_is_no_text_any_more(given, says):
    """`0123` comes as 83, and would be another instance."""
    assert mistake("id_glob", given) == says


@each_row(
    "given, expected",
    [
        ("2026-08-06T03:00:00+02:00", "2026-08-06T03:00:00+02:00"),
        (datetime.datetime(2026, 8, 6, 1, tzinfo=UTC), "2026-08-06T01:00:00Z"),
        (datetime.datetime(2026, 8, 6, 3, tzinfo=SUMMER), "2026-08-06T01:00:00Z"),
        (datetime.datetime(2026, 8, 6, 1, 0, 0, 250000, tzinfo=UTC), "2026-08-06T01:00:00.250Z"),
        ("all", "all"),
    ],
)
def test_moments(given, expected):
    for name in ("ended_after", "ended_before", "created_after", "created_before"):
        assert value(name, given) == expected


@each_row(
    "given, says",
    [
        (
            datetime.datetime(2026, 8, 6, 3),
            "ended_after must be a time with its offset, such as 2026-08-06T03:00:00Z; it is 2026-08-06T03:00:00",
        ),
        (datetime.date(2026, 8, 6), "ended_after must be a time with its offset, such as 2026-08-06T00:00:00Z; it is 2026-08-06"),
        (
            datetime.datetime(1, 1, 1, tzinfo=SUMMER),
            "ended_after must be a time with its offset, such as 0001-01-01T00:00:00Z; it is 0001-01-01T00:00:00+02:00",
        ),
        (20260806, f"ended_after is 20260806, a number and not text, and nobody can tell how it was written; {QUOTE}"),
    ],
)
def test_moments_that_nobody_can_know(given, says):
    assert mistake("ended_after", given) == says


@each_row(
    "name, given, expected",
    [
        ("confirm", 5, 5),
        ("confirm", 5.0, 5),
        ("confirm", "5", 5),
        ("confirm", " 5\n", 5),
        ("confirm", "5.0", 5),
        ("confirm", "1e3", 1000),
        ("confirm", 0, 0),
        ("confirm", 1000000, 1000000),
        ("max_failures", "0", 0),
        ("wait_timeout", "0.5", 0.5),
        ("wait_timeout", 300, 300.0),
        ("requests_per_second", "4", 4.0),
    ],
)
def test_numbers(name, given, expected):
    found = value(name, given, "terminate")
    assert found == expected and isinstance(found, type(expected))


@each_row(
    "name, given, says",
    [
        ("confirm", "many", "confirm must be a number from 0 to 1000000; it is 'many'"),
        ("confirm", -1, "confirm must be a number from 0 to 1000000; it is -1"),
        ("confirm", 1000001, "confirm must be a number from 0 to 1000000; it is 1000001"),
        ("confirm", 1.5, "confirm must be a whole number from 0 to 1000000; it is 1.5"),
        ("confirm", True, "confirm must be a number from 0 to 1000000; it is True"),
        ("confirm", "5,000", "confirm must be a number from 0 to 1000000; it is '5,000'"),
        ("confirm", [5], "confirm must be a number from 0 to 1000000; it is [5]"),
        ("confirm", "nan", "confirm must be a number from 0 to 1000000; it is 'nan'"),
        ("confirm", float("inf"), "confirm must be a number from 0 to 1000000; it is inf"),
        ("max_instances", 0, "max_instances must be a number from 1 to 1000000; it is 0"),
        ("wait_timeout", "-1", "wait_timeout must be a number from 0 to 604800; it is '-1'"),
        ("requests_per_second", "0", "requests_per_second must be a number from 0.01 to 1000; it is '0'"),
        ("batch_size", [5, "0"], "batch_size[1] must be a number from 1 to 1000000; it is '0'"),
        ("batch_size", "5, x", "batch_size[1] must be a number from 1 to 1000000; it is 'x'"),
    ],
)
def test_numbers_that_are_none(name, given, says):
    assert mistake(name, given, "terminate") == says


def test_a_number_beyond_all_bounds():
    assert "must be a number from 0 to 1000000" in mistake("confirm", 10**400, "terminate")
    assert mistake("hold_every", 5, "pause_all") == "hold_every must be a number from 10 to 3600; it is 5"


@each_row(
    "given, expected",
    [
        *((given, True) for given in (True, 1, 1.0, "yes", "Yes", "YES", "true", "True", "on", "1", " yes\n", "y", "t")),
        *((given, False) for given in (False, 0, 0.0, "no", "No", "false", "off", "0", "n", "f")),
    ],
)
def test_switches(given, expected):
    assert value("rollback", given, "terminate") is expected


@each_row("given", ["maybe", 2, -1, "yes no", [True], {"yes": True}, 0.5])
def test_switches_that_are_none(given):
    assert mistake("rollback", given, "terminate").startswith("rollback must be yes or no; it is ")


def test_choices():
    assert value("trigger_source", "cron") == "cron"
    assert mistake("trigger_source", "crom") == "trigger_source must be one of unknown, api, binding, event, cron; it is 'crom'"
    assert value("statuses", "queued, running", "pause_all") == ["queued", "running"]
    assert mistake("statuses", "running, paused", "pause_all") == "statuses[1] must be one of queued, running, waiting; it is 'paused'"


@each_row(
    "given, expected",
    [
        (["a", "b"], ["a", "b"]),
        (("a", "b"), ["a", "b"]),
        ([], []),
        ("a", ["a"]),
        ("a,b", ["a", "b"]),
        ("a, b,", ["a", "b"]),
        ("a b", ["a", "b"]),
        ("a\nb\n", ["a", "b"]),
        ("a\r\n b,\tc", ["a", "b", "c"]),
        ("[a, b]", ["a", "b"]),
        ("[ 'a', \"b\" ]", ["a", "b"]),
        ('["a", "b"]', ["a", "b"]),
        ('["0123", "no"]', ["0123", "no"]),
        ("0123, no", ["0123", "no"]),
        ('"0123"', ["0123"]),
        ("'0123' 'no'", ["0123", "no"]),
        ("[0, 1.50, 1e3]", ["0", "1.50", "1e3"]),
        ("[0123, 07]", ["0123", "07"]),
        ("[]", []),
        (" , ", []),
        ("[", ["["]),
        ("*/30 * * * *-1786\n*/5 * * * *-17", ["*/30 * * * *-1786", "*/5 * * * *-17"]),
        ('"*/30 * * * *-1786"', ["*/30 * * * *-1786"]),
        ('"0,30 * * * *-1786", order-1', ["0,30 * * * *-1786", "order-1"]),
        ('["0,30 * * * *-1786"]', ["0,30 * * * *-1786"]),
    ],
)
def test_lists(given, expected):
    assert value("instance_ids", given) == expected


@each_row(
    "given, says",
    [
        (5, "instance_ids[0] is 5, a number and not text"),
        ([83, "order-1"], "instance_ids[0] is 83, a number and not text"),
        ("[true]", "instance_ids[0] is true, a truth value and not text"),
        (True, "instance_ids[0] is true, a truth value and not text"),
        (["a", None], "instance_ids[1] is blank; leave it out, or give what is meant"),
        (["a", " "], "instance_ids[1] is blank; leave it out, or give what is meant"),
        ('["a", null]', "instance_ids[1] is blank; leave it out, or give what is meant"),
        ([["a"]], "instance_ids[0] is ['a'] and not text"),
        ({"a": "b"}, "instance_ids[0] is {'a': 'b'} and not text"),
        (datetime.date(2026, 1, 1), "instance_ids[0] is 2026-01-01 and not text"),
        ("[" * 100000 + "]" * 100000, "instance_ids[0]"),
    ],
)
def test_lists_of_what_is_no_text(given, says):
    _values, mistakes = read(instance_ids=given)
    assert (mistakes or ["instance_ids[0]"])[0].startswith(says)


@each_row("given", [5, "5", [5], ["5"], "[5]", 5.0, "5,"])
def test_lists_of_numbers(given):
    assert value("batch_size", given) == [5]


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"], exclude_characters="\"',[]"), min_size=1), min_size=1))
def test_however_a_list_is_written(ids):
    """The same ids, whatever they are made of."""
    for text in (json.dumps(ids), ",".join(ids), ", ".join(ids), "\n".join(ids), " ".join(ids), "[" + ", ".join(ids) + "]"):
        assert listed(text) == ids
    assert listed(", ".join(f'"{one}"' for one in ids)) == ids


_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates() | st.datetimes(timezones=st.none() | st.just(UTC)),
    lambda parts: st.lists(parts, max_size=3) | st.dictionaries(st.text(), parts, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from(sorted(RUNBOOKS)), st.data())
def test_whatever_comes(runbook, data):
    """A value of the type, or a sentence that names the input: never a traceback, and never a value of another type."""
    name = data.draw(st.sampled_from(sorted(RUNBOOKS[runbook])))
    values, mistakes = read(runbook, **{name: data.draw(_ANYTHING)})
    assert len(mistakes) <= 1 and all(found.startswith(name) and len(found) < 600 and "\n" not in found for found in mistakes)
    kinds = {"str": str, "path": str, "int": int, "float": (int, float), "bool": bool, "list": list}
    assert values[name] is None or isinstance(values[name], kinds[RUNBOOKS[runbook][name]["type"]])


# -- the record as an input -----------------------------------------------------------------------------------------------

RECORD = {"version": 1, "account_id": "a", "api_url": "u", "records": []}


def test_a_record_stays_as_it_is():
    text = ' {"version":1}\nmore'
    assert value("edgeops_record", text) == text
    assert value("edgeops_record", "'quoted'") == "'quoted'"


def test_a_record_that_has_become_a_dictionary():
    """ansible-core before 2.19 makes one of a text that looks like it."""
    assert json.loads(value("edgeops_record", RECORD)) == RECORD


def test_a_record_that_has_become_something_else():
    """YAML makes a moment of a time."""
    rewritten = {**RECORD, "records": [{"made_at": datetime.datetime(2026, 8, 6, tzinfo=UTC)}]}
    assert mistake("edgeops_record", rewritten) == (
        "edgeops_record holds what is no JSON, so that something on its way has rewritten it; hand the record on as one text"
    )
    assert "a number and not text" in mistake("edgeops_record", 5)


# -- names ----------------------------------------------------------------------------------------------------------------

#: What ansible-core, AWX and the playbooks set besides.
OTHERS = (
    "ansible_check_mode", "ansible_play_hosts", "awx_job_id", "environment", "group_names", "groups", "hostvars", "inventory_dir",
    "inventory_file", "inventory_hostname", "inventory_hostname_short", "omit", "play_hosts", "playbook_dir", "role_name", "role_names",
    "role_path", "tower_job_id", "vars", "edgeops_cloudflare_run_as", "runbook_inputs", "runbook_record_text", "workflow_job_id",
    "gather_facts", "item", "cloudflare_api_token", "edgeops_known_workflow", "workflow", "wait_for", "report", "ids",
)  # fmt: skip


@each_row("runbook", list(RUNBOOKS))
def test_names_that_are_none_of_ours(runbook):
    everything = {name for options in RUNBOOKS.values() for name in options}
    assert near_misses([*OTHERS, *everything], RUNBOOKS[runbook]) == []


@each_row(
    "name, meant",
    [
        ("rolback", "rollback"),
        ("roll_back", "rollback"),
        ("Rollback", "rollback"),
        ("rollbacks", "rollback"),
        ("instance_id", "instance_ids"),
        ("instances_ids", "instance_ids"),
        ("status", "statuses"),
        ("instance", "instance_ids"),
        ("rollback", None),
        ("max_instance", "max_instances"),
        ("batchsize", "batch_size"),
        ("allow-partial", "allow_partial"),
        ("edgeops_records", "edgeops_record"),
        ("workflowname", "workflow_name"),
        ("comfirm", "confirm"),
        ("wait_timout", "wait_timeout"),
    ],
)
def test_near_misses(name, meant):
    found = near_misses([name], RUNBOOKS["terminate"])
    assert found == ([f"{name} is no input of this runbook; did you mean {meant}?"] if meant else [])


def test_a_near_miss_is_a_mistake():
    """It comes first, and is told once for each, in a settled order."""
    values, mistakes = read("terminate", names=["rolback", "instance_id", "workflow_name"], confirm="x")
    assert [found.partition(" ")[0] for found in mistakes] == ["instance_id", "rolback", "confirm"] and values["rollback"] is False


def test_a_name_of_others():
    assert near_misses(["rollbac\x07k"], RUNBOOKS["terminate"])[0].isprintable()
