# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What only a task in ansible-core's worker can do: show progress, and tell all that was done when its `timeout:` is over."""

from __future__ import annotations

import json
import os
import re
import signal
import time

import ansible_runner
import pytest
from flock import names, wait_for_calls
from plays import Play, environment, pausing


def playbook(tmp_path, timeout=0, no_log=False, concurrency=2):
    """The playbook's path; its result lies in result.json beside it."""
    kept = {"content": "{{ paused | to_json }}", "dest": str(tmp_path / "result.json"), "mode": "0600"}
    text = pausing(
        options={"concurrency": concurrency, "progress": 2},
        then=[{"name": "Keep the result", "ansible.builtin.copy": kept}],
        timeout=timeout,
        no_log=no_log,
        register="paused",
        ignore_errors=True,
    )
    (tmp_path / "pause.yml").write_text(text, encoding="utf-8")
    return str(tmp_path / "pause.yml")


def result(tmp_path):
    return json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))


def outcomes(told):
    """{outcome: how many instances}."""
    found = [item["outcome"] for item in told["instances"]]
    return {outcome: found.count(outcome) for outcome in set(found)}


@pytest.fixture
def slow(flock):
    """A Flock of 40 that wait, behind a gateway that takes its time."""
    flock.create(names("ok", 40))
    flock.control("POST", "/latency", {"ms": 700})
    flock.forget_calls()
    return flock


@pytest.mark.parametrize("concurrency", [1, 64])
def test_the_timeout_of_a_task_ends_it_between_two_calls(slow, tmp_path, concurrency):
    """And the result is complete: what was done, and what was not attempted."""
    slow.control("POST", "/latency", {"ms": 700 if concurrency == 1 else 3000})
    play = Play(slow.bench.engine, playbook(tmp_path, timeout=6, concurrency=concurrency), "-vvv")
    assert play.finish() == 0, play.output
    told = result(tmp_path)
    assert told["failed"] and "the task's timeout is over" in told["msg"], told
    counts = outcomes(told)
    assert sum(counts.values()) == 40 and told["summary"]["matched"] == 40
    # Whatever is not settled by then says so: nothing is missing, and the calls made are the calls told.
    assert set(counts) <= {"changed", "failed", "not_attempted"}
    assert slow.calls()["by_kind"]["patches"] == told["api_calls"]["patches"]
    if concurrency == 1:
        assert counts["not_attempted"] >= 20
    assert "errantly" not in play.output and "runs as a module" not in play.output and "Traceback" not in play.output


def test_the_timeout_of_a_task_ends_a_block(flock, tmp_path):
    """It does not wait for the end of a block of five minutes."""
    flock.create(names("ok", 12))
    flock.meet("patch", {"status": 429, "retry_after": 300}, skip=3)
    play = Play(flock.bench.engine, playbook(tmp_path, timeout=8, concurrency=1))
    assert play.finish() == 0, play.output
    told = result(tmp_path)
    assert "the task's timeout is over" in told["msg"] and outcomes(told) == {"changed": 3, "not_attempted": 9}
    assert re.search(r"fleet: 3 of 12 paused.*; blocked by the rate limit until \d\d:\d\d:\d\dZ, for 5 min more", play.output), play.output


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_a_signal_ends_it_during_a_block(flock, tmp_path, name):
    """Nothing is left, and nothing more is sent."""
    flock.create(names("ok", 12))
    flock.meet("patch", {"status": 429, "retry_after": 300}, skip=3)
    flock.forget_calls()
    play = Play(flock.bench.engine, playbook(tmp_path, concurrency=1))
    flock.started.append(play.popen)
    wait_for_calls(flock, "patches", 4)
    os.killpg(play.popen.pid, getattr(signal, name))
    play.finish(timeout=60)
    time.sleep(1)
    assert flock.calls()["by_kind"]["patches"] == 4 and "Traceback" not in play.output


SITUATIONS = {
    "settling": 12,
    "a call that hangs": 64,
}


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
@pytest.mark.parametrize("situation", SITUATIONS)
def test_a_signal_ends_it_whatever_it_waits_for(flock, tmp_path, situation, name):
    """Also with 64 workers: what is under way ends, nothing more is sent, and nobody is left."""
    if situation == "settling":
        flock.create_gated(names("busy", 12), "work")
    else:
        flock.create(names("ok", 80))
        flock.meet("patch", {"hang_ms": 120_000, "work": "before"}, skip=70)
    flock.forget_calls()
    text = pausing(
        options={"concurrency": SITUATIONS[situation], "progress": 2, "select": {"status": ["running", "waiting"]}, "api_timeout": 5}
    )
    (tmp_path / "pause.yml").write_text(text, encoding="utf-8")
    play = Play(flock.bench.engine, str(tmp_path / "pause.yml"), settings={"ANSIBLE_FORKS": "2"})
    flock.started.append(play.popen)
    wait_for_calls(flock, "patches", 12 if situation == "settling" else 71)
    time.sleep(1)
    sent = flock.calls()["by_kind"]["patches"]
    os.killpg(play.popen.pid, getattr(signal, name))
    began = time.monotonic()
    play.finish(timeout=60)
    assert time.monotonic() - began < 30 and "Traceback" not in play.output, play.output
    time.sleep(1)
    assert flock.calls()["by_kind"]["patches"] == sent
    flock.control("POST", "/gate", {"name": "work"})


@pytest.mark.parametrize("situation", SITUATIONS)
def test_the_timeout_of_a_task_ends_it_whatever_it_waits_for(flock, tmp_path, situation):
    """With the complete result."""
    if situation == "settling":
        flock.create_gated(names("busy", 12), "work")
    else:
        flock.create(names("ok", 80))
        flock.meet("patch", {"hang_ms": 120_000, "work": "before"}, skip=70)
    kept = {"content": "{{ paused | to_json }}", "dest": str(tmp_path / "result.json"), "mode": "0600"}
    options = {"concurrency": SITUATIONS[situation], "select": {"status": ["running", "waiting"]}, "api_timeout": 4}
    text = pausing(
        options=options, then=[{"name": "Keep it", "ansible.builtin.copy": kept}], timeout=7, register="paused", ignore_errors=True
    )
    (tmp_path / "pause.yml").write_text(text, encoding="utf-8")
    play = Play(flock.bench.engine, str(tmp_path / "pause.yml"))
    assert play.finish() == 0, play.output
    told = result(tmp_path)
    assert told["failed"] and "the task's timeout is over" in told["msg"], told["msg"]
    assert sum(outcomes(told).values()) == told["summary"]["matched"] == (12 if situation == "settling" else 80)
    assert flock.calls()["by_kind"]["patches"] == told["api_calls"]["patches"]
    flock.control("POST", "/gate", {"name": "work"})


def test_progress_is_told_between_the_start_and_the_end_of_a_task(slow, tmp_path):
    """As events of ansible-runner, so that AWX shows them while the task runs."""
    runner = ansible_runner.run(
        private_data_dir=str(tmp_path), playbook=playbook(tmp_path), envvars=environment(slow.bench.engine), verbosity=1, quiet=True
    )
    assert runner.status == "successful", runner.stdout.read()
    events = [
        (event["event"], event["stdout"])
        for event in runner.events
        if event.get("event_data", {}).get("task") == "Pause it" or "of 40 paused" in event["stdout"]
    ]
    kinds = [kind for kind, _text in events]
    lines = [number for number, (kind, text) in enumerate(events) if kind == "verbose" and re.match(r"fleet: \d+ of 40 paused", text)]
    assert len(lines) >= 2, events
    assert kinds.index("runner_on_start") < lines[0] and lines[-1] < kinds.index("runner_on_ok")
    told = "\n".join(events[number][1] for number in lines)
    assert re.search(r"; \d+ calls/(s|min), about \d+ (s|min) left", told) and "paused since the last line: ok-" in told, told


def test_no_progress_without_log(slow, tmp_path):
    play = Play(slow.bench.engine, playbook(tmp_path, no_log=True), "-v")
    assert play.finish() == 0
    assert "of 40 paused" not in play.output and "ok-1" not in play.output


def test_the_switch_has_one_value(slow, tmp_path):
    play = Play(slow.bench.engine, playbook(tmp_path), settings={"EDGEOPS_CLOUDFLARE_RUN_AS": "worker"})
    play.finish()
    assert "EDGEOPS_CLOUDFLARE_RUN_AS is 'worker'; set it to module" in result(tmp_path)["msg"]
    assert slow.calls()["total"] == 0


RETRIED = """\
---
- name: Restart it, and try again
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Restart it
      edgeops.cloudflare.workflow_instance_status:
        workflow_name: fleet
        instance_id: failed-000
        state: restarted
        {guard}
      register: restarted
      until: restarted is succeeded
      retries: 2
      delay: 0
"""


@pytest.mark.parametrize("guard", ["when_status: [errored]", ""], ids=["guarded", "unguarded"])
def test_retries_around_a_restart(flock, tmp_path, guard):
    """At most once is one run of one task; what runs it again is seen, and warned of."""
    flock.create_errored(names("failed", 1))
    (tmp_path / "retried.yml").write_text(RETRIED.format(guard=guard), encoding="utf-8")
    play = Play(flock.bench.engine, str(tmp_path / "retried.yml"))
    assert play.finish() == 0, play.output
    said = re.sub(r"\s+", " ", play.output)
    warning = "until or retries would send this restart again where an earlier try has sent it already"
    assert (warning in said) is not bool(guard), said
    assert guard or "add when_status, such as [errored]" in said


@pytest.mark.parametrize("strategy", ["linear", "free"])
def test_lines_name_their_host(flock, tmp_path, strategy):
    """In a play over several."""
    flock.create(names("ok", 12))
    flock.control("POST", "/latency", {"ms": 600})
    (tmp_path / "two.yml").write_text(
        pausing(hosts="all", options={"concurrency": 1, "max_instances": 12, "progress": 2}), encoding="utf-8"
    )
    hosts = "ansible_connection=local ansible_python_interpreter='{{ ansible_playbook_python }}'"
    (tmp_path / "inventory").write_text(f"one {hosts}\ntwo {hosts}\n", encoding="utf-8")
    play = Play(flock.bench.engine, str(tmp_path / "two.yml"), "-i", str(tmp_path / "inventory"), settings={"ANSIBLE_STRATEGY": strategy})
    assert play.finish() == 0, play.output
    assert re.search(r"^\[(one|two)\] fleet: ", play.output, re.MULTILINE), play.output
    assert not re.search(r"^fleet: ", play.output, re.MULTILINE)


def test_a_library_that_warns_says_nothing_on_the_screen(flock, tmp_path):
    """Over TLS that is not verified each call is worth a warning to urllib3; ansible-core would call it an error."""
    flock.create(names("ok", 12))
    engine = flock.bench.engine
    text = pausing(options={"api_url": engine.tls_url, "validate_certs": False, "concurrency": 4})
    (tmp_path / "tls.yml").write_text(text, encoding="utf-8")
    for settings in ({}, {"EDGEOPS_CLOUDFLARE_RUN_AS": "module"}):
        play = Play(engine, str(tmp_path / "tls.yml"), settings=settings)
        assert play.finish() == 0, play.output
        assert "errantly" not in play.output and "InsecureRequest" not in play.output, play.output
