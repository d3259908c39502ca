# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guides promise nothing where it doesn't hold."""

from __future__ import annotations

import re

import environments
import pytest
import yaml
from answering import Answering, run
from flock import names
from plays import play
from quickclock import quicken
from test_guide import examples

from ansible_collections.edgeops.cloudflare.plugins.doc_fragments.auth import ModuleDocFragment
from ansible_collections.edgeops.cloudflare.plugins.modules import workflow_instance_status

GUIDES = environments.ROOT / "docs" / "docsite" / "rst"


def paragraphs(text):
    """The paragraphs of a text, list of str, each on one line."""
    return [" ".join(part.split()) for part in re.split(r"\n\s*\n", text)]


def notes(documentation):
    """The notes of a documentation block, list of str."""
    return [" ".join(note.split()) for note in yaml.safe_load(documentation).get("notes", [])]


@pytest.fixture(scope="module")
def guide():
    """All guides as one list of paragraphs."""
    return [part for path in sorted(GUIDES.glob("*.rst")) for part in paragraphs(path.read_text(encoding="utf-8"))]


@pytest.fixture(scope="module")
def all_notes():
    """The module's notes, its fragments' included."""
    return notes(workflow_instance_status.DOCUMENTATION) + notes(ModuleDocFragment.DOCUMENTATION)


def test_run_once_is_recommended_nowhere(guide, all_notes):
    """It runs once per batch or host with `serial`, `free` and `host_pinned`: wherever it is named, that is said."""
    for text in [part for part in [*guide, *all_notes] if "run_once" in part]:
        assert all(word in text for word in ("serial", "free", "host_pinned")), text
    assert not any("run_once" in yaml.safe_dump(example) for example in examples())
    assert any("localhost" in note for note in all_notes)


@pytest.mark.parametrize(
    ("batch", "strategy"),
    [("0", "linear"), ("1", "linear"), ("0", "free"), ("0", "host_pinned")],
    ids=["plain", "serial", "free", "host_pinned"],
)
def test_a_play_on_localhost_restarts_once(flock, tmp_path, batch, strategy):
    """What is recommended instead: beside a play of two hosts, however that one runs, the restart is sent once."""
    flock.create_errored(names("failed", 1))
    shops = {
        "hosts": "shops",
        "gather_facts": False,
        "serial": int(batch),
        "strategy": strategy,
        "tasks": [{"ansible.builtin.meta": "noop"}],
    }
    task = {"workflow_name": flock.workflow, "instance_id": "failed-000", "state": "restarted"}
    restart = {"hosts": "localhost", "gather_facts": False, "tasks": [{"edgeops.cloudflare.workflow_instance_status": task}]}
    playbook, inventory = tmp_path / "play.yml", tmp_path / "hosts"
    playbook.write_text(yaml.safe_dump([restart, shops]), encoding="utf-8")
    inventory.write_text("[shops]\nshop-a ansible_connection=local\nshop-b ansible_connection=local\n", encoding="utf-8")
    flock.forget_calls()
    play(flock.bench.engine, str(playbook), "-i", str(inventory))
    assert len(flock.patches()) == 1


def test_at_most_once_is_of_one_run_of_one_task(guide, all_notes):
    """`until` and `retries` run it again: the guide and the notes say so, and name what makes it safe."""
    for texts in (guide, all_notes):
        assert any(re.search(r"\bretries\b", text) and "until" in text and "when_status" in text for text in texts)


@pytest.mark.parametrize("task", [{"state": "restarted"}, {"state": "terminated", "rollback": True}], ids=["restarted", "rollback"])
def test_run_again_it_is_done_again(monkeypatch, task):
    """That is so: two runs of the task are two changes of what may be changed again."""
    quicken(monkeypatch, pace=0.0)
    with Answering({"order-1": "errored" if task["state"] == "restarted" else "running"}) as api:
        run(instance_id="order-1", **task)
        first = api.count("PATCH")
        run(instance_id="order-1", **task)
    assert (first, api.count("PATCH")) == (1, 2 if task["state"] == "restarted" else 1)


def test_mitogen(guide):
    """A task's `timeout:` does not stop the module there."""
    assert any("mitogen" in text.lower() and "timeout" in text for text in guide)


def test_the_path_of_a_development_session(guide):
    """The one of today, and the older one beside it."""
    documented = paragraphs(ModuleDocFragment.DOCUMENTATION)
    for texts in (guide, documented):
        assert any("/cdn-cgi/local/explorer/api" in text for text in texts)
        for text in texts:
            assert "/cdn-cgi/explorer/api" not in text or "/cdn-cgi/local/explorer/api" in text, text
