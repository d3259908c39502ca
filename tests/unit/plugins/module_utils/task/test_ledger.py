# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The record over several runs: whatever was noted is read again, from wherever it was handed on."""

from __future__ import annotations

import json
import textwrap
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import OptionError
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.ledger import Ledger, read
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.logbook import GROUPS, Heading, line
from ansible_collections.edgeops.cloudflare.tests.unit.tables import each_row

ACCOUNT, API = "0123456789abcdef", "https://api.cloudflare.com/client/v4"
NOW = "2026-08-06T03:24:10Z"


def heading(state="paused", workflow="orders", job=None):
    return Heading(ACCOUNT, API, workflow, state, job)


def told(ledger):
    """All that a record holds."""
    return [(entry.workflow_name, entry.state, entry.made_at, entry.job, dict(entry.placed)) for entry in ledger.entries]


def document(**change):
    entry = {"workflow_name": "orders", "state": "paused", "made_at": NOW, "job": None, "ids": ["order-1"]}
    return {"version": 1, "account_id": ACCOUNT, "api_url": API, "records": [{**entry, **change.pop("entry", {})}], **change}


def said(text):
    """Why a text is no record."""
    with pytest.raises(OptionError) as caught:
        read(text)
    assert "\n" not in caught.value.text and len(caught.value.text) < 700
    return caught.value.text


# -- what was noted is read again -----------------------------------------------------------------------------------------

_IDS = st.sampled_from(["order-1", "0123", "*/30 * * * *-1786 it's é"])
_NOTES = st.lists(
    st.tuples(
        st.builds(
            heading,
            st.sampled_from(["paused", "running", "restarted"]),
            st.sampled_from(["orders", "orders", "fleet"]),
            st.none() | st.just("7"),
        ),
        st.sampled_from([NOW, "2026-08-06T03:25:00Z"]),
        st.lists(st.tuples(st.sampled_from(GROUPS), _IDS), max_size=5, unique_by=lambda one: one[1]),
    ),
    max_size=10,
)


@given(_NOTES)
def test_round_trip(notes):
    """As a file, as an artifact, and as a job's artifacts."""
    ledger = Ledger(ACCOUNT, API)
    for note in notes:
        ledger.note(*note)
    text = ledger.text()
    assert text.startswith(" {") and text.isascii() and "\n" not in text
    for again in (text, text + "\n", json.dumps({"edgeops_record": text}), json.dumps({"edgeops_record": json.loads(text), "other": 1})):
        assert told(read(again)) == told(ledger) and read(again).text() == text


@given(_NOTES)
def test_what_was_printed_reads_as_what_was_noted(notes):
    """One line for each note, among other output."""
    ledger = Ledger(ACCOUNT, API)
    lines = ["PLAY [localhost]"]
    for note in notes:
        ledger.note(*note)
        lines.append(line(*note))
    if notes:
        assert told(read("\n".join(lines))) == told(ledger)


@given(_NOTES)
def test_each_id_lies_once(notes):
    """What has come to a state for certain is in no other entry of its workflow, unless something was sent to it since."""
    ledger = Ledger(ACCOUNT, API)
    newest = {}
    for head, moment, placed in notes:
        ledger.note(head, moment, placed)
        newest.update({(head.workflow_name, name): (head.state, group) for group, name in placed})
    for (workflow, name), (state, group) in newest.items():
        places = {entry.state: entry.placed[name] for entry in ledger.of_workflow(workflow) if name in entry.placed}
        assert places.get(state) == (None if group == "untouched" else group)
        assert group != "ids" or places == {state: "ids"}


@each_row(
    "notes, expected",
    [
        # The newest line counts.
        ([("paused", "unknown"), ("paused", "ids")], {"paused": "ids"}),
        ([("paused", "ids"), ("paused", "untouched")], {}),
        ([("paused", "unknown"), ("paused", "untouched")], {}),
        ([("paused", "on_their_way"), ("paused", "ids")], {"paused": "ids"}),
        # From state to state.
        ([("paused", "ids"), ("running", "unknown")], {"paused": "ids", "running": "unknown"}),
        ([("paused", "ids"), ("running", "ids")], {"running": "ids"}),
        ([("paused", "ids"), ("running", "untouched")], {"paused": "ids"}),
        # Paused again, and cut short between the two lines: what is on its way to be paused must be found again.
        ([("paused", "ids"), ("running", "ids"), ("paused", "unknown")], {"running": "ids", "paused": "unknown"}),
    ],
)
def test_where_an_id_lies(notes, expected):
    ledger = Ledger(ACCOUNT, API)
    for state, group in notes:
        ledger.note(heading(state), NOW, [(group, "order-1")])
    for one in (ledger, read(ledger.text())):
        assert {entry.state: entry.placed["order-1"] for entry in one.entries if entry.placed} == expected


def test_the_time_and_the_job_are_the_newest():
    ledger = Ledger(ACCOUNT, API)
    ledger.note(heading(job="7"), NOW, [("ids", "a")])
    ledger.note(heading(job="8"), "2026-08-07T00:00:00Z", [("ids", "b")])
    (entry,) = ledger.entries
    assert (entry.made_at, entry.job, entry.group("ids")) == ("2026-08-07T00:00:00Z", "8", ["a", "b"])


def test_ten_thousand():
    """Noted batch by batch, written and read within a moment."""
    began = time.monotonic()
    ledger = Ledger(ACCOUNT, API)
    ids = [f"{number:064d}" for number in range(10000)]
    for state in ("paused", "running"):
        for begin in range(0, len(ids), 200):
            for group in ("unknown", "ids"):
                ledger.note(heading(state), NOW, [(group, one) for one in ids[begin : begin + 200]])
    lines = "\n".join(line(heading(), NOW, [("ids", one) for one in ids[begin : begin + 1000]]) for begin in range(0, len(ids), 1000))
    assert len(read(lines).entries[0].placed) == len(read(ledger.text()).entries[1].placed) == 10000
    assert time.monotonic() - began < 5


# -- a pasted output ------------------------------------------------------------------------------------------------------

IDS = [f"order-{number}" for number in range(40)]
PRINTED = line(heading(), NOW, [("ids", one) for one in IDS])


@each_row(
    "text",
    [
        PRINTED,
        f"TASK [Pause them] ***\n{PRINTED}\nok: [localhost]\n",
        f"\x1b[0;34m{PRINTED}\x1b[0m\n",
        PRINTED.replace("order-2", "ord\x1b[0;34mer-2").replace("order-3", "ord\x1b[Ker-3"),
        "\n".join(textwrap.wrap(PRINTED, 80, drop_whitespace=False)),
        "\r\n".join(f"{part:<80}" for part in textwrap.wrap(PRINTED, 79)),
        f"{PRINTED}{PRINTED}",
        f"  12:03:01 job 7: {PRINTED} ",
    ],
)
def test_a_pasted_output(text):
    assert read(text).entries[0].group("ids") == IDS


def test_shown_as_yaml():
    """As `show_custom_stats` prints it at the end of a run, in quotes."""
    ledger = Ledger(ACCOUNT, API)
    ledger.note(heading(), NOW, [("ids", "it's")])
    ledger.note(heading("running"), NOW, [("ids", "it''s")])
    text = "CUSTOM STATS: ***\n\tRUN: edgeops_record: '{0}'\n".format(ledger.text().replace("'", "''"))
    assert told(read(text)) == told(ledger)


def test_lines_of_several_runs():
    text = "\n".join(
        [
            line(heading(job="7"), NOW, [("unknown", "a"), ("unknown", "b")]),
            line(heading(job="7"), NOW, [("ids", "a"), ("untouched", "b")]),
            line(heading("running", job="8"), NOW, [("ids", "a")]),
        ]
    )
    assert [(entry.state, entry.job, entry.placed) for entry in read(text).entries] == [
        ("paused", "7", {}),
        ("running", "8", {"a": "ids"}),
    ]  # fmt: skip


@each_row("size", [17, 40, 200, len(PRINTED) // 2, len(PRINTED) - 1])
def test_cut_off(size):
    """Half a record would leave the other half paused for ever."""
    whole = json.dumps(document())
    assert said(PRINTED[:size] + "\n").startswith("line 1 of the record is cut off, or was changed: it is no JSON; give the whole")
    assert said(whole[: min(size, len(whole) - 1)]) == "the record is cut off, or was changed: it is no JSON; give the whole of it"
    assert said(f"{PRINTED}\n{PRINTED[:size]}").startswith("line 2 of the record is cut off")


# -- what can't be trusted ------------------------------------------------------------------------------------------------


@each_row(
    "text, says",
    [
        ("", "there is no record in what was given; give the text that begins with "),
        ("order-1, order-2", "there is no record in what was given; give the text"),
        ("edgeops_record", "there is no record in what was given; give the text"),
        ("{}", "the record is not one: give the text"),
        ("[]", "there is no record in what was given"),
        ('{"records": 5}', "the record is not one"),
        ('{"edgeops_record": ""}', "there is no record in what was given"),
        ('{"edgeops_record": null}', "the record is not one"),
        ('{"edgeops_record": [1]}', "the record is not one"),
        ('{"a":' * 100000, "the record is cut off, or was changed"),
        ("edgeops_record: " + "[" * 100000, "line 1 of the record is cut off, or was changed"),
        ("edgeops_record: 5", "the record is not one"),
    ],
)
def test_no_record(text, says):
    assert said(text).startswith(says)


@each_row(
    "change, says",
    [
        ({"version": 2}, "the record is of version 2, and this collection reads version 1; use the collection that it was made with"),
        ({"version": None}, "the record is of version None, and"),
        ({"api_url": None}, "the record does not tell its account and API"),
        ({"account_id": 5}, "the record does not tell its account and API"),
        ({"records": {}}, "the record is not one"),
        ({"records": [5]}, "an entry of the record is not one"),
        ({"entry": {"state": None}}, "an entry of the record is not one"),
        ({"entry": {"workflow_name": 2026}}, "an entry of the record is not one"),
        ({"entry": {"ids": "order-1"}}, "ids of the record for orders is no list"),
        ({"entry": {"ids": None}}, "ids of the record for orders is no list"),
        (
            {"entry": {"ids": ["a", 83]}},
            "ids[1] of the record for orders is 83 and not text, so that something on its way has rewritten it",
        ),
        ({"entry": {"unknown": [False]}}, "unknown[0] of the record for orders is false and not text"),
        ({"entry": {"ids": [None]}}, "ids[0] of the record for orders is null and not text"),
        ({"entry": {"ids": [["a"]]}}, 'ids[0] of the record for orders is ["a"] and not text'),
        ({"entry": {"ids": [""]}}, "ids[0] of the record must have 1 to 271 characters"),
        ({"entry": {"ids": [".."]}}, "ids[0] of the record must not be '..'"),
        ({"entry": {"ids": [" order-1"]}}, "ids[0] of the record is ' order-1', with blanks or a line break around it"),
        ({"entry": {"workflow_name": "\x1b[31mred\n", "ids": [1]}}, "ids[0] of the record for red is 1 and not text"),
    ],
)
def test_records_that_cannot_be_trusted(change, says):
    assert said(json.dumps(document(**change))).startswith(says)


def test_of_several_accounts():
    other = line(Heading("ffff", API, "orders", "paused", None), NOW, [("ids", "a")])
    assert said(f"{PRINTED}\n{other}") == "the records are of several accounts or APIs; give those of one"


@each_row(
    "account, api, says",
    [
        ("ffff", API, f"the record is of account {ACCOUNT}, and this task speaks to account ffff; use the credentials"),
        (None, API, f"the record is of account {ACCOUNT}, and this task speaks to no account; use the credentials"),
        (ACCOUNT, "http://127.0.0.1:8787", f"the record is of API {API}, and this task speaks to API http://127.0.0.1:8787; use"),
    ],
)
def test_of_another_account(account, api, says):
    with pytest.raises(OptionError) as caught:
        read(PRINTED).check_origin(account, api)
    assert caught.value.text.startswith(says)


def test_of_the_same_account():
    read(PRINTED).check_origin(ACCOUNT, API)


@given(
    st.text()
    | st.text('{}[]",: \n\x1b[0medgeops_record', max_size=60)
    | st.sampled_from([PRINTED, json.dumps(document())]).flatmap(
        lambda text: st.tuples(st.integers(0, len(text)), st.text(max_size=3)).map(lambda cut: text[: cut[0]] + cut[1] + text[cut[0] + 1 :])
    )
)
def test_whatever_is_pasted(text):
    """A record or a sentence."""
    try:
        read(text)
    except OptionError as error:
        assert "\n" not in error.text


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda parts: st.lists(parts) | st.dictionaries(st.text(), parts)
)


@given(
    st.sampled_from(["version", "account_id", "api_url", "records"]), st.sampled_from(["workflow_name", "made_at", "job", *GROUPS]), _JSON
)
def test_whatever_is_in_it(outer, inner, value):
    for changed in (document(**{outer: value}), document(entry={inner: value})):
        try:
            assert read(json.dumps(changed)).text()
        except OptionError as error:
            assert "\n" not in error.text
