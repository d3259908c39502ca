# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.look import (
    Look,
    has_status,
    look_at_detail,
    look_at_listed,
    look_at_nothing,
    text_of,
)
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.steplog import DETAIL, LISTING, LOG, Key, Step
from ansible_collections.edgeops.cloudflare.tests.unit.tables import each_row

DECLINED = {"name": "Error", "message": "card declined"}
ENTRY = {"name": "charge-1", "type": "step", "start": "s1"}


def test_detail():
    detail = {
        "status": "errored",
        "queued": "q",
        "start": "s",
        "end": "e",
        "error": DECLINED,
        "rollback": {"outcome": "failed"},
        "steps": [ENTRY],
    }
    key = Key("q", "s", "e", None, DETAIL)
    assert look_at_detail(detail, 7.0) == Look("errored", 7.0, DETAIL, key, DECLINED, {"outcome": "failed"}, ended="e")
    with_log = look_at_detail(detail, 7.0, with_log=True, step=Step("charge", 1, "do"))
    assert (with_log.source, with_log.key, with_log.log) == (LOG, Key("q", "s", "e", "s1", LOG), (ENTRY,))


def test_listed():
    look = look_at_listed({"id": "a", "status": "paused", "created_on": "c", "started_on": "s", "ended_on": None}, 7.0)
    assert look == Look("paused", 7.0, LISTING, Key(None, "s", None, None, LISTING), created="c")
    development = look_at_listed({"id": "a", "status": "paused", "created_on": "c"}, 7.0)
    assert (development.status, development.key, development.created) == ("paused", None, "c")


def test_nothing():
    assert look_at_nothing(7.0) == Look(None, 7.0, DETAIL)


@each_row("value, has", [
    ({"status": "running"}, True), ({"status": "hibernating"}, True), ({"status": ""}, False), ({"status": None}, False), ({}, False),
    ({"status": 3}, False), ({"status": ["running"]}, False), (None, False), ([], False), ("running", False),
])  # fmt: skip
def test_has_status(value, has):
    """Phantom entries and broken answers have none."""
    assert has_status(value) is has


@each_row("value, text", [("a", "a"), ("", None), (None, None), (3, None), (["a"], None), (True, None)])
def test_text_of(value, text):
    assert text_of(value) == text


FIELDS = ["queued", "start", "end", "error", "rollback", "steps", "created_on", "started_on", "ended_on"]


@given(st.dictionaries(st.sampled_from(FIELDS), st.one_of(
    st.none(), st.integers(), st.text(max_size=3), st.lists(st.integers(), max_size=2), st.dictionaries(st.text(max_size=2), st.integers(), max_size=2),
)))  # fmt: skip
def test_whatever_an_answer_holds(fields):
    fields["status"] = "running"
    for look in (
        look_at_detail(fields, 1.0),
        look_at_detail(fields, 1.0, True, Step("a", 1, "do")),
        look_at_listed(dict(fields, id="a"), 1.0),
    ):
        assert look.status == "running"
        assert look.error is None or isinstance(look.error, dict)
        assert look.rollback is None or isinstance(look.rollback, dict)
