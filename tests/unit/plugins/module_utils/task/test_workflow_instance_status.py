# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is refused before any call is made, and what a valid task comes to."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import OptionError
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.canary import Canary
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.pursuer import Limits
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.selection import Selection
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance import lifecycle
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.steplog import Step
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.wanted import Wanted
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task import workflow_instance_status
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.status_request import Request, validate
from ansible_collections.edgeops.cloudflare.tests.unit.tables import each_row

SPEC = workflow_instance_status.argument_spec()


def defaults(spec):
    return {name: option.get("default") for name, option in spec.items()}


def params(**given_):
    """Options as AnsibleModule makes them, with those of the test; sub-options not given are None or their default."""
    made = defaults(SPEC)
    made.update(workflow_name="orders", instance_id="order-1", state="paused")
    if "instance_ids" in given_ or "select" in given_:
        made["instance_id"] = None
    made.update(given_)
    for name in ("select", "from_step", "canary"):
        if made[name] is not None:
            made[name] = dict(defaults(SPEC[name]["options"]), **made[name])
    return made


def refusal(**given_):
    """The message with which options are refused."""
    with pytest.raises(OptionError) as caught:
        validate(params(**given_))
    return caught.value.message


# -- which instances ----------------------------------------------------------------------------------------------


def test_one_instance():
    request = validate(params())
    assert (request.workflow_name, request.target.instance_ids, request.target.selection, request.target.is_single) == (
        "orders",
        ["order-1"],
        None,
        True,
    )


@each_row("given_, ids", [(["b", "a", "b", "c", "a"], ["b", "a", "c"]), ([], []), (["a"], ["a"])])
def test_several_instances(given_, ids):
    """Duplicates once, in the order given; an empty list is nothing to do."""
    request = validate(params(instance_ids=given_))
    assert (request.target.instance_ids, request.target.selection, request.target.is_single) == (ids, None, False)


@each_row(
    "given_, said",
    [
        ({"instance_id": None}, "none is given"),
        ({"instance_id": "a", "instance_ids": ["b"]}, "given are instance_id and instance_ids"),
        ({"instance_id": "a", "instance_ids": []}, "given are instance_id and instance_ids"),
        ({"instance_id": "a", "select": {"status": ["errored"]}}, "given are instance_id and select"),
        ({"instance_ids": ["b"], "select": {"status": ["errored"]}}, "given are instance_ids and select"),
        ({"instance_id": "a", "instance_ids": ["b"], "select": {}}, "given are instance_id and instance_ids and select"),
    ],
)
def test_exactly_one_way_to_name_them(given_, said):
    assert refusal(**given_) == f"give exactly one of instance_id, instance_ids and select; {said}"


GOOD_IDS = ["a", "order-1", "*/30 * * * *-1786001400000", "a" * 271, "...", "..a", "a/../b", "?", "%2e", "ä", "日本", "a b"]
BAD_IDS = [
    ("", "must have 1 to 271 characters, and has 0"),
    ("a" * 272, "must have 1 to 271 characters, and has 272"),
    (" ", "is ' ', with blanks or a line break around it, which none has; remove them"),
    ("a ", "is 'a ', with blanks or a line break around it, which none has; remove them"),
    (".", "must not be '.': it would address something else; give the real one"),
    ("..", "must not be '..': it would address something else; give the real one"),
    ("a\nb", "must not contain control characters or line breaks; check how it was put together"),
    ("a\x00", "must not contain control characters or line breaks; check how it was put together"),
    ("\ud800", "must not contain control characters or line breaks; check how it was put together"),
]


@each_row("instance_id", GOOD_IDS)
def test_ids(instance_id):
    assert validate(params(instance_id=instance_id)).target.instance_ids == [instance_id]
    assert validate(params(instance_ids=["x", instance_id])).target.instance_ids == ["x", instance_id]


@each_row("instance_id, said", BAD_IDS)
def test_ids_refused(instance_id, said):
    assert refusal(instance_id=instance_id) == f"instance_id {said}"
    assert refusal(instance_ids=["x", instance_id]) == f"instance_ids[1] {said}"


@each_row("name", ["", "a" * 65, ".", "..", "a\tb"])
def test_workflow_name_refused(name):
    assert refusal(workflow_name=name).startswith("workflow_name must ")


@each_row("name", ["o", "a" * 64, "my workflow", "a/b"])
def test_workflow_name(name):
    assert validate(params(workflow_name=name)).workflow_name == name


# -- the canary, and the record's file ----------------------------------------------------------------------------

CANARY = {"state": "restarted", "batch_size": [5, 50]}


@each_row(
    "given_, canary",
    [
        ({}, None),
        ({"canary": {}}, Canary("past_step", 900.0, 0)),
        ({"canary": {"wait_until": "ended", "wait_timeout": 5.0, "max_failures": 2}}, Canary("ended", 5.0, 2)),
        ({"canary": {}, "state": "running"}, Canary("past_step", 900.0, 0)),
    ],
)
def test_canary(given_, canary):
    assert validate(params(**{**CANARY, **given_})).limits.canary == canary


@each_row(
    "given_, said",
    [
        ({"batch_size": None}, "canary is about the first batch; give batch_size as well, such as [5, 50, 200]"),
        ({"state": "paused"}, "canary works with state=running and state=restarted only; state is paused"),
        ({"state": "terminated"}, "canary works with state=running and state=restarted only; state is terminated"),
        ({"wait": False}, "canary has to be waited for; leave wait=false out"),
        ({"canary": {"wait_timeout": -1}}, "canary.wait_timeout must be a number from 0 to 604800; it is -1"),
        ({"canary": {"wait_timeout": float("nan")}}, "canary.wait_timeout must be a number from 0 to 604800; it is nan"),
        ({"canary": {"max_failures": -1}}, "canary.max_failures must be a number from 0 to 1000000; it is -1"),
    ],
)
def test_canaries_that_cannot_be_meant(given_, said):
    assert refusal(**{**CANARY, "canary": {}, **given_}) == said


@each_row("given_, path", [(None, None), ("", None), ("/tmp/record.json", "/tmp/record.json")])
def test_record_file(given_, path):
    assert validate(params(record_file=given_)).record_file == path


# -- numbers ------------------------------------------------------------------------------------------------------

# option: (values that are fine, values that are not)
NUMBERS = {
    "api_timeout": ((0.5, 30, 600), (0, 0.0, -1)),
    "api_retries": ((0, 4, 100), (-1, 101, 10**400)),
    "wait_timeout": ((0, 0.5, 86400), (-1, -0.001)),
    "wait_sleep": ((0.1, 2, 60), (0, -1)),
    "max_instances": ((1, 1000, 100000), (0, -1, 10**400)),
    "max_failures": ((None, 1, 1000), (0, -1, 10**400)),
    "concurrency": ((1, 8, 64), (0, -1, 65, 10**400)),
    "requests_per_second": ((None, 0.1, 4, 200), (0, -1)),
    "rate_limit_reserve": ((0, 0.2, 0.9), (-0.1, 0.91, 1)),
    "rate_limit_timeout": ((0, 330, 3600), (-1, -0.5)),
    "batch_pause": ((0, 1.5, 86400), (-1, 86401)),
    "progress": ((0, 10, 3600), (-1, 3601, 10**400)),
}


@each_row("option", NUMBERS)
def test_numbers(option):
    is_float = SPEC[option]["type"] == "float"
    good, bad = NUMBERS[option]
    for value in good:
        validate(params(batch_size=[5], **{option: value}))
    for value in bad + ((float("inf"), float("-inf"), float("nan"), 1e300) if is_float else ()):
        message = refusal(**{option: value})
        assert message.startswith(f"{option} must be a number from "), message
        assert len(message) < 120


def test_every_number_is_bounded():
    assert set(NUMBERS) == {name for name, option in SPEC.items() if option["type"] in ("int", "float")}


@each_row(
    "options, harm",
    [
        ({"state": "paused"}, None),
        ({"state": "terminated"}, None),
        ({"state": "restarted", "when_status": ["errored"]}, None),
        ({"state": "restarted", "instance_id": None, "select": {"status": ["errored"]}}, None),
        ({"state": "restarted"}, "would send this restart again"),
        ({"state": "restarted", "from_failed_step": True}, "would send this restart again"),
        ({"state": "terminated", "rollback": True}, "would send this rollback again"),
    ],
)
def test_harm_of_retries(options, harm):
    said = workflow_instance_status.harm_of_retries(params(**options))
    assert said is None if harm is None else harm in said and "add when_status, such as [" in said


def test_limits_are_passed_on():
    request = validate(
        params(
            max_instances=7,
            max_failures=3,
            concurrency=2,
            api_retries=6,
            requests_per_second=1.5,
            rate_limit_reserve=0.5,
            rate_limit_timeout=60.0,
        )
    )
    assert request.limits == Limits(max_instances=7, max_failures=3, concurrency=2, connection_attempts=7)
    assert (request.pacing.requests_per_second, request.pacing.rate_limit_reserve, request.pacing.rate_limit_timeout) == (1.5, 0.5, 60.0)


# -- selections ---------------------------------------------------------------------------------------------------


def test_selection():
    selected = validate(
        params(
            select={
                "status": ["errored", "paused", "errored"],
                "created_after": "2026-08-06T05:00:00+02:00",
                "created_before": "2026-08-07T00:00:00Z",
                "ended_after": "2026-08-06T03:00:00.5Z",
                "ended_before": "2026-08-06 04:00:00Z",
                "id_glob": "order-*",
                "version_id": "v1",
                "trigger_source": "cron",
            }
        )
    )
    three = datetime(2026, 8, 6, 3, tzinfo=timezone.utc)
    assert selected.target.selection == Selection(
        statuses=("errored", "paused"),
        created_after=three,
        created_before=three + timedelta(hours=21),
        ended_after=three + timedelta(seconds=0.5),
        ended_before=three + timedelta(hours=1),
        id_glob="order-*",
        version_id="v1",
        trigger_source="cron",
    )
    assert selected.target.instance_ids is None
    assert selected.wanted.selected == {"errored", "paused"}
    assert not selected.target.is_single


def test_selection_without_status():
    request = validate(params(select={"id_glob": "*"}))
    assert (request.target.selection.statuses, request.wanted.selected) == (None, None)


def test_empty_selection():
    assert refusal(select={}) == "select is empty and would match every instance; give at least one filter, such as status"


@each_row(
    "option, value",
    [
        ("status", []),
        ("id_glob", ""),
        ("version_id", ""),
        ("created_after", ""),
        ("created_before", ""),
        ("ended_after", ""),
        ("ended_before", ""),
    ],
)
def test_empty_filter(option, value):
    expected = f"select.{option} is empty and would match every instance; give a value or leave it out"
    assert refusal(select={option: value}) == expected
    assert refusal(select={option: value, "trigger_source": "api"}) == expected


@each_row("option", ["created_after", "created_before", "ended_after", "ended_before"])
@each_row("value", ["yesterday", "2026-08-06", "2026-08-06T03:00:00", "1786001400000", "2026-13-01T00:00:00Z", " "])
def test_times_refused(option, value):
    assert refusal(select={option: value}) == (
        f"select.{option} must be an ISO 8601 time with its offset, such as 2026-08-06T03:00:00Z or 2026-08-06T05:00:00+02:00; it is {value!r}"
    )


@each_row("kind", ["created", "ended"])
def test_times_the_wrong_way_round(kind):
    later, earlier = "2026-08-06T03:00:00Z", "2026-08-06T04:30:00+02:00"
    assert refusal(select={kind + "_after": later, kind + "_before": earlier}) == (
        f"select.{kind}_after is later than select.{kind}_before, so nothing can match; swap them"
    )
    validate(params(select={kind + "_after": earlier, kind + "_before": later}))
    validate(params(select={kind + "_after": later, kind + "_before": later}))


@each_row("pattern", ["*", "order-?", "order-[0-9]*", "[!a]*", "[", "[]", "a**b", "\\"])
def test_globs(pattern):
    assert validate(params(select={"id_glob": pattern})).target.selection.id_glob == pattern


# -- rules between options ------------------------------------------------------------------------------------------

STEP = {"name": "charge"}


@each_row("state", ["running", "paused", "terminated"])
def test_steps_need_a_restart(state):
    assert refusal(state=state, from_step=STEP) == f"from_step works with state=restarted only; state is {state}"
    assert refusal(state=state, from_failed_step=True) == f"from_failed_step works with state=restarted only; state is {state}"
    validate(params(state=state, from_failed_step=False, from_step=None))


@each_row("state", ["running", "paused", "restarted"])
def test_rollback_needs_a_terminate(state):
    assert refusal(state=state, rollback=True) == f"rollback works with state=terminated only; state is {state}"
    validate(params(state=state, rollback=False))


def test_both_steps():
    assert refusal(state="restarted", from_step=STEP, from_failed_step=True) == (
        "from_step and from_failed_step exclude each other; give one of them"
    )


@each_row(
    "step, said",
    [
        ({"name": ""}, "from_step.name must have 1 to 256 characters, and has 0"),
        ({"name": "a" * 257}, "from_step.name must have 1 to 256 characters, and has 257"),
        ({"name": "a", "count": 0}, "from_step.count must be a number from 1 to 1000000; it is 0"),
        ({"name": "a", "count": -3}, "from_step.count must be a number from 1 to 1000000; it is -3"),
    ],
)
def test_step_refused(step, said):
    assert refusal(state="restarted", from_step=step) == said


@each_row(
    "step, expected",
    [
        ({"name": "charge"}, Step("charge", 1, "do")),
        ({"name": "a" * 256, "count": 3, "type": "sleep"}, Step("a" * 256, 3, "sleep")),
        ({"name": "x-2", "type": "waitForEvent"}, Step("x-2", 1, "waitForEvent")),
    ],
)
def test_step(step, expected):
    assert validate(params(state="restarted", from_step=step)).wanted.step == expected


def test_when_status():
    assert refusal(when_status=[]) == "when_status is empty, so nothing could ever be done; name at least one status, or leave it out"
    assert validate(params(when_status=["errored", "errored"])).wanted.when_status == {"errored"}
    assert validate(params()).wanted.when_status is None


def test_restarting_a_selection_needs_a_status():
    """Nobody restarts completed work by a slip."""
    assert refusal(state="restarted", select={"id_glob": "*"}) == (
        "state=restarted with select needs select.status or when_status, so that nothing that is complete runs again by a slip; "
        "name the statuses to restart, such as [errored]"
    )
    validate(params(state="restarted", select={"status": ["errored"]}))
    validate(params(state="restarted", select={"id_glob": "*"}, when_status=["errored"]))
    validate(params(state="restarted", instance_ids=["a"]))
    validate(params(state="terminated", select={"id_glob": "*"}))


def test_what_is_wanted():
    assert validate(params()).wanted == Wanted(
        state="paused",
        when_status=None,
        selected=None,
        step=None,
        from_failed_step=False,
        rollback=False,
        skip_finished=False,
        wait=True,
        wait_timeout=300.0,
        wait_sleep=2.0,
    )
    assert validate(
        params(
            state="terminated",
            rollback=True,
            skip_finished=True,
            wait=False,
            wait_timeout=5.0,
            wait_sleep=0.5,
            when_status=["paused"],
        )
    ).wanted == Wanted(
        state="terminated",
        when_status=frozenset(["paused"]),
        rollback=True,
        skip_finished=True,
        wait=False,
        wait_timeout=5.0,
        wait_sleep=0.5,
    )


def test_spec():
    """Choices are the vocabulary; nothing is required but the workflow and the state, so that module_defaults can give credentials."""
    assert SPEC["when_status"]["choices"] == SPEC["select"]["options"]["status"]["choices"] == list(lifecycle.STATUSES)
    assert set(SPEC["state"]["choices"]) == set(lifecycle.STATES)
    assert {name for name, option in SPEC.items() if option.get("required")} == {"workflow_name", "state"}


# -- what ansible-core itself has no sentence for ---------------------------------------------------------------------


@each_row(
    "raw, option",
    [
        ({"from_step": "charge"}, "from_step"),
        ({"from_step": ["charge"]}, "from_step"),
        ({"select": ["errored"]}, "select"),
        ({"select": 3}, "select"),
        ({"concurrency": True}, "concurrency"),
        ({"wait_timeout": float("inf")}, "wait_timeout"),
        ({"wait_timeout": float("nan")}, "wait_timeout"),
        ({"max_instances": 10**400}, "max_instances"),
        ({"from_step": {"name": "charge", "count": 10**400}}, "from_step.count"),
        ({"from_step": {"name": "\ud800"}}, "from_step"),
        ({"instance_ids": ["a", "\udfff"]}, "instance_ids"),
    ],
)
def test_misfits(raw, option):
    assert workflow_instance_status.misfit(raw).startswith(option + " ")


@each_row("raw", [
    {}, params(), {"from_step": {"name": "charge", "count": 2}}, {"from_step": "name=charge"}, {"from_step": '{"name": "charge"}'},
    {"select": None}, {"concurrency": "8"}, {"wait_timeout": 5}, {"instance_id": "日本 😀"},
])  # fmt: skip
def test_what_fits(raw):
    assert workflow_instance_status.misfit(raw) is None


# -- anything that passes the argument spec ---------------------------------------------------------------------------

TEXT = st.one_of(st.text(max_size=300), st.sampled_from(["", ".", "..", "order-1", "2026-08-06T03:00:00Z", "[z-a]", "*"]))


def of(option):
    """Values that AnsibleModule lets through for an option."""
    if "choices" in option:
        value = st.sampled_from(option["choices"])
    else:
        value = {
            "str": TEXT,
            "path": TEXT,
            "bool": st.booleans(),
            "int": st.one_of(st.integers(-2, 70), st.integers()),
            "float": st.one_of(st.floats(-1, 100), st.floats()),
            "list": TEXT,
            "dict": TEXT,
        }[option["type"]]
    if option["type"] == "list":
        value = st.lists(value, max_size=4)
    elif option["type"] == "dict":
        value = st.fixed_dictionaries({name: of(inner) for name, inner in option["options"].items()})
    usual = st.just(option.get("default"))
    return value if option.get("required") else st.one_of(usual, usual, value)


@given(st.fixed_dictionaries({name: of(option) for name, option in SPEC.items()}))
def test_any_options(given_):
    """Nothing but a Request or an OptionError that names one of the options."""
    try:
        request = validate(given_)
    except OptionError as error:
        assert any(name in error.message for name in SPEC)
        return
    assert isinstance(request, Request)
    assert (request.target.instance_ids is None) != (request.target.selection is None)
    assert request.wanted.step is None or request.wanted.state == "restarted"
    assert not request.wanted.rollback or request.wanted.state == "terminated"


IDS = TEXT.filter(lambda text: text.isprintable() and text == text.strip() and text not in ("", ".", "..") and len(text) < 272)


@given(st.lists(IDS, max_size=9))
def test_any_ids(ids):
    found = validate(params(instance_ids=ids)).target.instance_ids
    assert len(set(found)) == len(found)
    assert sorted(found, key=ids.index) == found
    assert set(found) == set(ids)


@each_row("option", ["api_token", "api_key"])
def test_a_secret_that_is_no_text_is_not_shown(option):
    """YAML makes a number of a token of digits alone, before anything can know it as a secret."""
    said = workflow_instance_status.misfit({option: 1234567890123456})
    assert said == f"{option} is a number and not text; quote it, or write {{{{ x | string }}}}"
    assert workflow_instance_status.misfit({option: True}).startswith(f"{option} is a truth value and not text")
