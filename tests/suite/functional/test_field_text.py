# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Other people's text: pages of HTML, colours and line breaks in errors, messages and ids. It is bounded and cleaned before it is shown."""

from __future__ import annotations

import json

import pytest
from answering import Answering, Reply, Rule, assert_plain, envelope, names, ok, refusal, run, sentences
from plays import Play
from quickclock import quicken

#: The longest that foreign text may be in a sentence, and in a field of its own.
IN_A_SENTENCE = 200
IN_A_FIELD = 4096

#: What AWX still shows of one event's result.
LARGEST_RESULT = 700_000

#: A page of HTML, as an upstream's error page that the workflow's code quotes: one long run, so that its length can be told.
RUN = "x" * 93_000
TEXTS = {
    "long": RUN,
    "a page of HTML": "upstream answered 502: <!DOCTYPE html><html><body>" + "<p>Bad gateway, ray 8f00aa</p>\n" * 3000 + "</body></html>",
    "colours": "\x1b[31mred\x1b[0m " + RUN,
    "line breaks": "first\nsecond\r\nthird\u2028fourth\x85fifth " + RUN,
    "other controls": "bell\x07 null\x00 back\x08 delete\x7f c1\x9b31m " + RUN,
    "writing from the right": "\u202egnirts \u2066isolated\u2069 " + RUN,
}


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Waits pass at once."""
    quicken(monkeypatch, pace=0.0)


def strings(value):
    """Every text in a result, however deep."""
    if isinstance(value, dict):
        for inner in value.values():
            yield from strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from strings(inner)
    elif isinstance(value, str):
        yield value


def assert_bounded(result, text=RUN):
    """Nothing foreign is longer in a sentence, or in a field, than it may be; where it was cut a sentence says so."""
    assert_plain(result)
    piece = text[2000 : 2000 + IN_A_SENTENCE + 1]
    for sentence in sentences(result):
        assert "x" * (IN_A_SENTENCE + 1) not in sentence and piece not in sentence
        assert len(sentence) < 2000
    del result["invocation"]
    assert max(map(len, strings(result))) <= IN_A_FIELD
    assert len(json.dumps(result)) < LARGEST_RESULT


every_text = pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)


def failing_again(text, instances):
    """An API whose instances are errored with this text, and errored again as soon as they are restarted."""
    api = Answering(dict.fromkeys(instances, "errored"))
    for name in instances:
        api.details[name] = {"error": {"name": "Error", "message": text}}

    def restarted(_query):
        for name in instances:
            api.details[name].update(start="2026-11-26T03:06:00.000Z", end="2026-11-26T03:06:01.000Z")
        return ok({"status": "errored", "timestamp": "2026-11-26T03:06:00.000Z"})

    api.rules.append(Rule(restarted, method="PATCH"))
    return api


@every_text
def test_errors_of_instances(text):
    """Of ten that are errored again."""
    with failing_again(text, names(10)):
        result = run(select={"status": ["errored"]}, state="restarted", concurrency=1)
    assert result["summary"]["finished_again"] == 10
    assert_bounded(result, text)


@every_text
@pytest.mark.parametrize("state", ["paused", "running"])
def test_the_error_of_what_can_not_be_changed(text, state):
    """It is in the sentence, cut, and once in a field of its own."""
    with failing_again(text, ["order-1"]):
        result = run(instance_id="order-1", state=state)
    assert result.get("failed") and "…" in result["msg"]
    assert_bounded(result, text)


@every_text
def test_errors_of_the_api(text):
    """As long as they like to be."""
    with Answering(names(10), Rule(refusal(400, 10002, text), method="PATCH")):
        result = run(select={"status": ["running"]}, concurrency=1)
    assert result.get("failed") and "…" in result["msg"]
    assert_bounded(result, text)


@every_text
def test_chains_of_the_api(text):
    """Those of a chain as well."""
    with Answering(names(3), Rule(refusal(400, 6003, "Invalid request headers", [(6111, text)] * 50))):
        result = run(instance_ids=names(3))
    assert result.get("failed")
    assert_bounded(result, text)


@every_text
def test_errors_of_a_rollback(text):
    """As the API reports them."""
    with Answering({"order-1": "running"}) as api:
        api.details["order-1"] = {"rollback": {"outcome": "failed", "error": {"name": "Error", "message": text}}}
        result = run(instance_id="order-1", state="terminated", rollback=True)
    assert result.get("failed")
    assert_bounded(result, text)


@every_text
def test_messages_of_the_api(text):
    """They are shown as warnings."""
    messages = [{"code": 12, "message": text}]
    with Answering(["order-1"], Rule(Reply(200, envelope({"status": "running"}, messages=messages)), method="GET")):
        result = run(instance_id="order-1")
    assert_bounded(result, text)


def test_many_messages_of_the_api():
    """A new one with every answer can't make a result of megabytes."""
    instances = names(1000)
    numbers = iter(range(10**6))

    def answer(_query):
        messages = [{"code": 12, "message": f"{next(numbers)} {RUN}"}]
        return Reply(200, envelope({"status": "paused", "timestamp": "2026-11-26T03:06:00.000Z"}, messages=messages))

    with Answering(instances, Rule(answer, method="PATCH")):
        result = run(select={"status": ["running"]})
    assert result["summary"]["changed"] == 1000
    assert_bounded(result)


@pytest.mark.parametrize(
    "instance", ["order-\x1b[31m1", "order-\n1", "order-\u202e1", "order-" + "x" * 260], ids=["colours", "lines", "rtl", "long"]
)
def test_ids_of_a_listing(instance):
    """What a listing calls an instance is foreign text, too."""
    with Answering([instance, "order-2"], Rule(refusal(400, 10002, "no"), method="PATCH")):
        result = run(select={"status": ["running"]}, concurrency=1)
    assert_plain(result)


@pytest.mark.parametrize(
    ("statuses", "task"),
    [
        ("errored", {"state": "running"}),
        ("errored", {"state": "paused"}),
        ("errored", {"state": "restarted"}),
        ("errored", {"state": "running", "skip_finished": True}),
        ("errored", {"state": "terminated"}),
        ("running", {"state": "terminated", "rollback": True, "wait_timeout": 5}),
    ],
    ids=lambda value: value if isinstance(value, str) else "-".join(map(str, value.values())),
)
@pytest.mark.parametrize("character", ["x", '"', "\x00", "é", "😀"], ids=["letters", "quotes", "controls", "accents", "emojis"])
def test_a_thousand_instances(statuses, task, character):
    """Their items stay below what AWX shows, however their text is written down."""
    instances = [f"{number:04}-" + "i" * 95 for number in range(1000)]
    text = character * 20_000
    with failing_again(text, instances) as api:
        api.statuses = dict.fromkeys(instances, statuses)
        for name in instances:
            api.details[name]["rollback"] = (
                {"outcome": "failed", "error": {"name": "Error", "message": text}} if "rollback" in task else None
            )
        if statuses == "running":
            api.rules.clear()
        result = run(select={"status": [statuses]}, **task)
    assert result["summary"]["matched"] == 1000
    assert len(json.dumps(result["instances"])) < LARGEST_RESULT
    del result["invocation"]
    assert len(json.dumps(result)) < LARGEST_RESULT


def test_a_thousand_refusals():
    """Nor do a thousand sentences of the API's."""
    instances = [f"{number:04}-" + "i" * 95 for number in range(1000)]
    with Answering(instances, Rule(refusal(400, 10002, RUN), method="PATCH")):
        result = run(select={"status": ["running"]})
    assert result["summary"]["failed"] == 1000
    assert len(json.dumps(result["instances"])) < LARGEST_RESULT
    assert_bounded(result)


def test_a_runbook_prints_no_page(flock, tmp_path):
    """Ten that failed with a page of HTML: what the runbook prints can be read."""
    page = TEXTS["a page of HTML"] + " \x1b[31mred\x1b[0m"
    flock.create(names(10, "page"), {"steps": [{"do": "charge", "fail": page}]}, "errored")
    flock.meet("read", skip=10, before=[{"op": "await", "instances": names(10, "page"), "statuses": ["errored"]}])
    variables = {"workflow_name": flock.workflow, "ended_after": "2020-01-01T00:00:00Z"}
    running = Play(flock.bench.engine, "edgeops.cloudflare.restart_failed", variables=variables, folder=tmp_path)
    running.finish()
    said = running.output
    assert "page-0" in said and "Traceback" not in said
    assert "\x1b[31m" not in said and "\\u001b" not in said
    assert len(said.splitlines()) < 300 and len(said) < 60_000
