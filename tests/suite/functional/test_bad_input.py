# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever is written into an option, the task runs or fails with a sentence that names the option, before any call.

Everything goes through the real argument spec. Nothing goes out: what the module would send is counted and looked at where
the HTTP library would send it.
"""

from __future__ import annotations

import json
import math

import pytest
from harness import Process
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from odd_values import CRON_ID, NESTED, NUMBERS, STRINGS
from pretended_api import ACCOUNT, LONGEST, TOKEN, URL, PretendedAPI, run
from quickclock import quicken

SINGLE = {"workflow_name": "orders", "instance_id": "order-1", "state": "restarted"}
SELECTION = {"workflow_name": "orders", "select": {"status": ["errored"]}, "state": "paused"}
DEVELOPMENT = {"api_url": "http://127.0.0.1:8787/client/v4", "api_token": None, "account_id": None}

# option → a task in which it could stand
TASKS = {
    "instance_ids": {"workflow_name": "orders", "state": "restarted"},
    "rollback": dict(SINGLE, state="terminated"),
    "max_instances": SELECTION,
    "max_failures": SELECTION,
    "concurrency": SELECTION,
    "select": {"workflow_name": "orders", "state": "paused"},
    "api_email": dict(SINGLE, api_token=None, api_key="k" * 37),
    "api_key": dict(SINGLE, api_token=None, api_email="operator@edgeops.example"),
}
SECRETS = ("api_token", "api_key")

# Anything else.
short = st.text(max_size=5)
values = st.one_of(
    st.text(st.characters(codec=None), max_size=30),
    st.integers(),
    st.floats(),
    st.recursive(
        st.none() | st.booleans() | short,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(short, inner, max_size=3),
        max_leaves=8,
    ),
)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """What is slow by its own wish, such as `requests_per_second: 0.01`, is over at once."""
    quicken(monkeypatch, pace=0.0)


def _argument_spec():
    from ansible_collections.edgeops.cloudflare.plugins.module_utils.task import workflow_instance_status

    return workflow_instance_status.argument_spec()


def option_names():
    """Every option, and every suboption as `option.suboption`."""
    names = []
    for name, spec in _argument_spec().items():
        names.append(name)
        names.extend(f"{name}.{inner}" for inner in spec.get("options", {}))
    return names


def put(option, value):
    """A task in which everything but this option is right."""
    outer, _dot, inner = option.partition(".")
    if outer == "select" and inner:
        return {**TASKS["select"], "select": {"status": ["errored"], inner: value}}
    if inner:
        return {**SINGLE, outer: {"name": "charge", inner: value}}
    return {**TASKS.get(option, SINGLE), option: value}


def check_task(task, options):
    """Run a task: it must run, or be refused in a sentence that names one of these options."""
    with PretendedAPI() as api:
        result = run(task)
    shown = "{}\n{}".format(task, result.get("msg"))
    assert result.get("msg"), shown
    assert "internal error" not in result["msg"] and "Traceback" not in result.output and "exception" not in result, shown
    if "instances" in result:
        api.assert_addressed(task)
        return
    assert result["failed"] and not result.get("changed"), shown
    assert api.requests == [], shown
    if not any(option in SECRETS for option in options):  # a secret of one letter masks that letter everywhere
        assert any(option.partition(".")[0] in result["msg"] for option in options), shown


fuzz = settings(derandomize=True, deadline=None, database=None, max_examples=25, suppress_health_check=list(HealthCheck))


@pytest.mark.parametrize("option", option_names())
def test_one_option(option):
    """Any value of any option: all that are known for trouble, and some that nobody thought of."""
    wrong = []
    for value in [*STRINGS, *NUMBERS, *NESTED]:
        try:
            check_task(put(option, value), [option])
        except Exception as error:  # pylint: disable=broad-except
            wrong.append("%.80r: %s: %.200s" % (value, type(error).__name__, " / ".join(str(error).splitlines()[:2])))
    assert not wrong, "\n".join(wrong)

    @fuzz
    @given(values)
    def check(value):
        check_task(put(option, value), [option])

    check()


@settings(fuzz, max_examples=400)
@given(st.dictionaries(st.sampled_from(option_names()), st.sampled_from([*STRINGS, *NUMBERS, *NESTED]) | values, min_size=2, max_size=5))
def test_several_options(chosen):
    """Any values of several options at once."""
    task = dict(SINGLE)
    for option, value in chosen.items():
        outer, _dot, inner = option.partition(".")
        if inner:
            group = task.get(outer)
            task[outer] = {**(group if isinstance(group, dict) else {}), inner: value}
        else:
            task[option] = value
    # What contradicts what was put there may be among those that were right before.
    check_task(task, [*chosen, "instance_id", "state"])


# --- what can be refused without a call, each with the words that help ---

REFUSED = {
    "from_step without restarted": (dict(SINGLE, state="paused", from_step={"name": "charge"}), ["from_step", "state=restarted", "paused"]),
    "from_failed_step without restarted": (
        dict(SINGLE, state="running", from_failed_step=True),
        ["from_failed_step", "state=restarted", "running"],
    ),
    "rollback without terminated": (dict(SINGLE, rollback=True), ["rollback", "state=terminated", "restarted"]),
    "both step options": (
        dict(SINGLE, from_step={"name": "charge"}, from_failed_step=True),
        ["from_step", "from_failed_step", "one of them"],
    ),
    "empty id": (dict(SINGLE, instance_id=""), ["instance_id", "1 to 271"]),
    "id of one dot": (dict(SINGLE, instance_id="."), ["instance_id", "'.'"]),
    "id of two dots": (dict(SINGLE, instance_id=".."), ["instance_id", "'..'"]),
    "long id": (dict(SINGLE, instance_id="a" * 272), ["instance_id", "1 to 271", "272"]),
    "id with a line break": (dict(SINGLE, instance_id="order-1\n"), ["instance_id", "line break"]),
    "empty id among ids": (dict(SELECTION, select=None, instance_ids=["order-1", ""]), ["instance_ids", "1 to 271"]),
    "dots among ids": (dict(SELECTION, select=None, instance_ids=["order-1", ".."]), ["instance_ids", "'..'"]),
    "long id among ids": (dict(SELECTION, select=None, instance_ids=["order-1", "a" * 272]), ["instance_ids", "1 to 271"]),
    "empty workflow name": (dict(SINGLE, workflow_name=""), ["workflow_name", "1 to 64"]),
    "long workflow name": (dict(SINGLE, workflow_name="a" * 65), ["workflow_name", "1 to 64", "65"]),
    "dots for a workflow name": (dict(SINGLE, workflow_name=".."), ["workflow_name", "'..'"]),
    "no workflow name": ({"instance_id": "order-1", "state": "paused"}, ["workflow_name"]),
    "no state": ({"workflow_name": "orders", "instance_id": "order-1"}, ["state"]),
    "state that there is not": (dict(SINGLE, state="stopped"), ["state", "paused", "terminated", "stopped"]),
    "option that there is not": (dict(SINGLE, worklow_name="orders"), ["worklow_name", "workflow_name"]),
    "no instance": ({"workflow_name": "orders", "state": "paused"}, ["instance_id", "instance_ids", "select", "exactly one"]),
    "id and ids": (dict(SINGLE, instance_ids=["order-2"]), ["instance_id", "instance_ids", "exactly one"]),
    "ids and select": (dict(SELECTION, instance_ids=["order-2"]), ["instance_ids", "select", "exactly one"]),
    "empty select": (dict(SELECTION, select={}), ["select", "every instance", "at least one filter"]),
    "select of nothing": (dict(SELECTION, select={"id_glob": None}), ["select", "every instance"]),
    "empty list in select": (dict(SELECTION, select={"status": []}), ["select.status", "every instance"]),
    "empty string in select": (dict(SELECTION, select={"id_glob": ""}), ["select.id_glob", "every instance"]),
    "status that there is not": (dict(SELECTION, select={"status": ["failed"]}), ["status", "errored", "failed"]),
    "suboption that there is not": (dict(SELECTION, select={"state": "errored"}), ["select.state", "status"]),
    "time without offset": (
        dict(SELECTION, select={"created_after": "2026-08-06T03:00:00"}),
        ["select.created_after", "2026-08-06T03:00:00Z"],
    ),
    "time that is none": (dict(SELECTION, select={"ended_before": "yesterday"}), ["select.ended_before", "ISO 8601", "yesterday"]),
    "times the wrong way round": (
        dict(SELECTION, select={"created_after": "2026-08-07T00:00:00Z", "created_before": "2026-08-06T00:00:00Z"}),
        ["select.created_after", "select.created_before"],
    ),
    "restart of whatever matches": (
        dict(SELECTION, select={"id_glob": "*"}, state="restarted"),
        ["state=restarted", "select.status", "when_status"],
    ),
    "empty when_status": (dict(SINGLE, when_status=[]), ["when_status", "leave it out"]),
    "from_step without name": (dict(SINGLE, from_step={"count": 2}), ["from_step", "name"]),
    "empty step name": (dict(SINGLE, from_step={"name": ""}), ["from_step.name", "1 to 256"]),
    "long step name": (dict(SINGLE, from_step={"name": "a" * 257}), ["from_step.name", "1 to 256", "257"]),
    "count of nought": (dict(SINGLE, from_step={"name": "charge", "count": 0}), ["from_step.count", "from 1", "0"]),
    "negative count": (dict(SINGLE, from_step={"name": "charge", "count": -3}), ["from_step.count", "from 1", "-3"]),
    "count of a half": (dict(SINGLE, from_step={"name": "charge", "count": 1.5}), ["count", "from_step", "int"]),
    "step by its name alone": (dict(SINGLE, from_step="charge"), ["from_step", "dict"]),
    "step by its number": (dict(SINGLE, from_step=2), ["from_step", "dict"]),
    "select by status alone": (dict(SELECTION, select=["errored"]), ["select", "dict"]),
    "infinite count": (dict(SINGLE, from_step={"name": "charge", "count": math.inf}), ["from_step", "count"]),
    "step type of the log": (dict(SINGLE, from_step={"name": "charge", "type": "step"}), ["type", "do", "sleep", "waitForEvent"]),
    "half a pair: email": (
        dict(SINGLE, api_token=None, api_email="operator@edgeops.example"),
        ["api_key", "api_email", "CLOUDFLARE_API_KEY"],
    ),
    "half a pair: key": (dict(SINGLE, api_token=None, api_key="k" * 37), ["api_email", "api_key", "CLOUDFLARE_EMAIL"]),
    "both kinds of credentials": (
        dict(SINGLE, api_key="k" * 37, api_email="operator@edgeops.example"),
        ["api_token", "api_email", "api_key", "not both"],
    ),
    "token and key": (dict(SINGLE, api_key="k" * 37), ["api_token", "api_key", "not both"]),
    "no credentials": (dict(SINGLE, api_token=None), ["api_token", "CLOUDFLARE_API_TOKEN", "api_email", "api_key"]),
    "blank token": (dict(SINGLE, api_token=" "), ["api_token", "CLOUDFLARE_API_TOKEN"]),
    "token with a line break": (dict(SINGLE, api_token=TOKEN + "\nX-Injected: 1"), ["api_token", "pasted"]),
    "no account": (dict(SINGLE, account_id=None), ["account_id", "CLOUDFLARE_ACCOUNT_ID"]),
    "account that leads elsewhere": (dict(SINGLE, account_id=".."), ["account_id", "'..'"]),
    "plain http": (dict(SINGLE, api_url="http://api.edgeops.example/client/v4"), ["api_url", "https", "localhost"]),
    "plain http to what looks like loopback": (dict(SINGLE, api_url="http://127.0.0.1.edgeops.example"), ["api_url", "https"]),
    "plain http to all addresses": (dict(SINGLE, api_url="http://0.0.0.0:8787"), ["api_url", "https"]),
    "another scheme": (dict(SINGLE, api_url="ftp://127.0.0.1"), ["api_url", "https"]),
    "credentials in the URL": (dict(SINGLE, api_url="https://user:password@api.edgeops.example"), ["api_url", "credentials"]),
    "URL with a query": (dict(SINGLE, api_url="https://api.edgeops.example/?a=b"), ["api_url", "query"]),
    "CA file that is not there": (dict(SINGLE, ca_path="/nowhere/ca.pem"), ["ca_path"]),
}
for _option in ("wait_timeout", "wait_sleep", "api_timeout", "requests_per_second", "rate_limit_reserve", "rate_limit_timeout"):
    for _name, _value in (("negative", -1), ("infinite", math.inf), ("no number", math.nan)):
        REFUSED[f"{_name} {_option}"] = (dict(SINGLE, **{_option: _value}), [_option, "number"])
for _option, _value in (("api_retries", -1), ("max_instances", 0), ("max_failures", 0), ("concurrency", 0), ("concurrency", 65)):
    REFUSED[f"{_option} of {_value}"] = (dict(SELECTION, **{_option: _value}), [_option, str(_value)])
REFUSED["reserve of all"] = (dict(SELECTION, rate_limit_reserve=1), ["rate_limit_reserve", "0.9"])
for _option in ("api_retries", "max_instances", "max_failures", "concurrency", "api_timeout", "wait_timeout", "requests_per_second"):
    REFUSED[f"enormous {_option}"] = (dict(SELECTION, **{_option: 10**400}), [_option])
for _option in ("api_retries", "max_instances", "max_failures", "concurrency"):
    REFUSED[f"infinite {_option}"] = (dict(SELECTION, **{_option: math.inf}), [_option])


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case):
    """With the option's name and the remedy, and without a call."""
    task, words = REFUSED[case]
    with PretendedAPI() as api:
        result = run(task)
    assert result["failed"] and "instances" not in result and result.returncode != 0
    assert [word for word in words if word not in result["msg"]] == [], result["msg"]
    assert api.requests == []


ACCEPTED = {
    "id of a cron trigger": dict(SINGLE, instance_id=CRON_ID),
    "longest id": dict(SINGLE, instance_id="a" * 271),
    "longest workflow name": dict(SINGLE, workflow_name="a" * 64),
    "id with everything that URLs know": dict(SINGLE, instance_id="a/b?c=d#e%2F../f g"),
    "id in another script": dict(SINGLE, instance_id="注文-1"),
    "longest step name": dict(SINGLE, from_step={"name": LONGEST}),
    "options at their defaults": dict(
        SINGLE, from_failed_step=False, rollback=False, skip_finished=False, wait=True, instance_ids=None, select=None, from_step=None
    ),
    "no instances": dict(SELECTION, select=None, instance_ids=[]),
    "blank email and key beside a token": dict(SINGLE, api_email="", api_key=""),
    "development session": dict(SINGLE, **DEVELOPMENT),
    "development session by name": dict(SINGLE, **dict(DEVELOPMENT, api_url="http://localhost:8787/")),
    "development session, IPv6": dict(SINGLE, **dict(DEVELOPMENT, api_url="http://[::1]:8787")),
}


@pytest.mark.parametrize("case", ACCEPTED)
def test_accepted(case):
    """What looks odd and is right goes out, at the right address."""
    task = ACCEPTED[case]
    with PretendedAPI() as api:
        result = run(task)
    assert not result.get("failed"), result["msg"]
    api.assert_addressed(task)


@pytest.mark.parametrize("count", ["2", 2.0])
def test_the_count_is_sent_as_a_number(count):
    """Whatever the playbook's way to write it, the API gets an integer."""
    with PretendedAPI() as api:
        run(dict(SINGLE, from_step={"name": "charge", "count": count}), check_mode=False)
    assert [json.dumps(body["from"]["count"]) for method, _url, body in api.requests if method == "PATCH"] == ["2"]


@pytest.mark.parametrize("value", ["\ud800", "a\x00b", "\u202e", "😀", "a" * 100000, "{{ x }}"])
def test_in_a_process_of_its_own(value):
    """The same where standard output is a pipe and the log is the system's."""
    task = {**SINGLE, "workflow_name": value, "api_url": URL, "account_id": ACCOUNT, "api_token": TOKEN, "api_timeout": 1, "api_retries": 0}
    result = Process(task, check_mode=True, environ={"HTTPS_PROXY": "http://127.0.0.1:9", "NO_PROXY": ""}).finish()
    assert result["failed"] and result["msg"], result.output
    assert "internal error" not in result["msg"] and "Traceback" not in result.output
    assert "workflow_name" in result["msg"] or "proxy" in result["msg"], result["msg"]
