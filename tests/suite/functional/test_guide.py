# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The examples of the guides do what the text around them says."""

from __future__ import annotations

import re
import textwrap

import environments
import pytest
import yaml
from flock import BREAKS, WORKFLOW, names
from plays import play

GUIDES = environments.ROOT / "docs" / "docsite" / "rst"
#: Guides whose blocks are of another kind, and have tests of their own.
OTHERS = ("eda_guide",)

_BLOCK = re.compile(r"^\.\. code-block:: yaml\n\n((?:   .*\n|\n)+)", re.MULTILINE)


def examples():
    """Every playbook or list of tasks in the guides, as a list of plays."""
    for guide in sorted(path for path in GUIDES.glob("*.rst") if path.stem not in OTHERS):
        for block in _BLOCK.findall(guide.read_text(encoding="utf-8")):
            content = yaml.safe_load(textwrap.dedent(block))
            is_play = "hosts" in content[0]
            yield content if is_play else [{"name": "Run an example", "hosts": "localhost", "gather_facts": False, "tasks": content}]


def example(words):
    """The one example that holds these words, as the text of a playbook that acts on the tests' workflow."""
    (found,) = [text for text in map(yaml.safe_dump, examples()) if words in text]
    return found.replace("workflow_name: orders", f"workflow_name: {WORKFLOW}")


def test_every_example_is_a_playbook(flock, tmp_path):
    """Ansible takes them, modules and keywords alike."""
    playbooks = []
    for number, content in enumerate(examples()):
        playbooks.append(tmp_path / f"example-{number}.yml")
        playbooks[-1].write_text(yaml.safe_dump(content), encoding="utf-8")
    assert len(playbooks) >= 5
    play(flock.bench.engine, str(playbooks[0]), *map(str, playbooks[1:]), "--syntax-check")


def test_a_rescue(flock, tmp_path):
    """The rescue shows what could not be paused."""
    everyone = flock.create(names("ok", 3))
    flock.meet("patch", {"status": 400, "message": "no pause today"}, match={"instance": everyone[0]})
    playbook = tmp_path / "rescue.yml"
    playbook.write_text(example("Show what went wrong"), encoding="utf-8")
    said = play(flock.bench.engine, str(playbook))
    assert "rescued=1" in said and "no pause today" in said
    assert flock.statuses(everyone) == {everyone[0]: "waiting", everyone[1]: "paused", everyone[2]: "paused"}


@pytest.mark.parametrize(("refused", "code"), [(0, 0), (3, 0), (4, 2)])
def test_some_failures_are_tolerated(flock, tmp_path, refused, code):
    """Up to three instances may fail, and the play shows which."""
    everyone = flock.create(names("ok", 6))
    for instance in everyone[:refused]:
        flock.meet("patch", {"status": 400, "message": "no pause today"}, match={"instance": instance})
    playbook = tmp_path / "tolerate.yml"
    playbook.write_text(example("up to three may slip through"), encoding="utf-8")
    said = play(flock.bench.engine, str(playbook), expect=code)
    assert code or (f"({6 - refused} by this task)" in re.sub(r"\s+", " ", said))


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"CLOUDFLARE_API_TOKEN": "revoked-token-0123456789"}, "the credentials from CLOUDFLARE_API_TOKEN"),
        ({"CLOUDFLARE_BASE_URL": "http://127.0.0.1:9/client/v4"}, "no connection to 127.0.0.1:9 can be made"),
        ({"CLOUDFLARE_ACCOUNT_ID": "0" * 32}, "account_id"),
    ],
    ids=["revoked token", "no connection", "another account"],
)
def test_what_fails_for_all_is_never_tolerated(flock, tmp_path, settings, says):
    """A task that could do nothing is red, however few instances it knows to have failed."""
    flock.create(names("ok", 2))
    playbook = tmp_path / "tolerate.yml"
    playbook.write_text(example("up to three may slip through"), encoding="utf-8")
    said = play(flock.bench.engine, str(playbook), expect=2, settings=settings)
    assert says in re.sub(r"\s+", " ", said)


def test_a_canary(flock, tmp_path):
    """Five are restarted, two of them fail again, and the others are left as they are."""
    everyone = names("failed", 8)
    flock.control("POST", "/switch", {"name": "broken", "value": True})
    flock.create(everyone, BREAKS, "errored")
    playbook = tmp_path / "canary.yml"
    playbook.write_text(example("five first, and stop when two of them fail again"), encoding="utf-8")
    said = re.sub(r"\s+", " ", play(flock.bench.engine, str(playbook), expect=2))
    assert "5 of 8 instances of fleet were restarted and have errored again" in said
    assert "3 were not attempted (max_failures (2) is reached, in batch 1 of 2)" in said
    assert len(flock.patches()) == 5


def test_ending_by_hundreds(flock, tmp_path):
    everyone = flock.create_paused(names("held", 30))
    playbook = tmp_path / "end.yml"
    playbook.write_text(example("End everything that is paused"), encoding="utf-8")
    flock.forget_calls()
    play(flock.bench.engine, str(playbook))
    assert set(flock.statuses(everyone).values()) == {"terminated"} and flock.calls()["by_kind"]["batches"] == 1


def test_the_incident_guide(flock, tmp_path):
    """Its blocks are one playbook: freeze, look, restart with a canary, thaw what was frozen and nothing else, trigger, prove."""
    before = flock.create_paused(names("held", 2))
    failed = flock.create_errored(names("failed", 5))
    running = flock.create(names("ok", 12))
    text = (GUIDES / "incident_guide.rst").read_text(encoding="utf-8").replace("workflow_name: orders", f"workflow_name: {WORKFLOW}")
    tasks = [task for block in _BLOCK.findall(text) for task in yaml.safe_load(textwrap.dedent(block))]
    playbook = tmp_path / "incident.yml"
    playbook.write_text(
        yaml.safe_dump([{"name": "An incident", "hosts": "localhost", "gather_facts": False, "tasks": tasks}]), encoding="utf-8"
    )
    said = re.sub(r"\s+", " ", play(flock.bench.engine, str(playbook)))
    assert "two failed: 5 of 5" in said and said.count("edgeops_record: ") == 2
    assert flock.statuses(before) == dict.fromkeys(before, "paused"), "what was paused before stays so"
    assert set(flock.statuses([*failed, *running]).values()) <= {"running", "waiting"}
    assert set(flock.statuses(["lost-1", "lost-2"]).values()) == {"complete"}
    assert all(flock.ran(name) == {"one": 1, "two": 2} for name in failed), "the step that had succeeded was not run again"
    assert "All 5 instances of fleet were restarted (5 by this task)." in said
    assert "All 12 instances of fleet are running (12 by this task)." in said
