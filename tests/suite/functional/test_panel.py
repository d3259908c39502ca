# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every sentence of the panel, as a whole, and what holds of each however it is worded; its advice is followed to the letter.

The sentences are in panel.yml, their beginnings, as a pager shows them, in PANEL.md. After a change of wording, write both
anew, and read the difference:

    EDGEOPS_WRITE_PANEL=1 make test ARGS="tests/suite/functional/test_panel.py -k 'test_sentence or test_page'"
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
import yaml
from panel import PANEL, Stage, normal
from quickclock import quicken

SENTENCES = Path(__file__).with_name("panel.yml")
PAGE = Path(__file__).with_name("PANEL.md")

#: Whether panel.yml and PANEL.md are to be written anew instead of being held against what is said.
WRITES = bool(os.environ.get("EDGEOPS_WRITE_PANEL"))

#: Characters of a sentence that a pager shows, and those that any may have.
PAGER = 120
LONGEST = 800

_HEADER = """\
# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# What the module says in each situation of panel.py. test_panel.py says how to write it anew.
---
"""

_PAGE_HEADER = """\
<!--
Copyright (c) 2026, edgeops.cloudflare contributors
GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
SPDX-License-Identifier: GPL-3.0-or-later
-->

# The panel on a pager

The first 120 characters of what is said in each situation. Made from `panel.yml` by `test_panel.py`.

"""

#: Words of advice: what the last sentence of a failure must hold. An option with its value is advice as well.
_REMEDY = re.compile(
    r"\b(?:[a-z_]+=\S|[a-z_]+: [\[{\w]|run again|look first|check|see|use|set|give|narrow|raise|wait|undo|mend|fix|trigger|"
    r"name|leave|find|ask|remove|write|free|look at)",
    re.IGNORECASE,
)
_OPTION = re.compile(r"(?<![\w.])([a-z]+(?:_[a-z]+)*)=(?=[\w\[{'\"])")

every_situation = pytest.mark.parametrize("situation", PANEL.values(), ids=PANEL)


@pytest.fixture
def stage(bench, monkeypatch):
    """A Stage on which hours pass at once."""
    quicken(monkeypatch, pace=0.005)
    made = Stage(bench, monkeypatch)
    with made.contexts:
        yield made
    made.clear()


@pytest.fixture(scope="module")
def options():
    """The module's options and their specifications."""
    from ansible_collections.edgeops.cloudflare.plugins.module_utils.task import workflow_instance_status

    return workflow_instance_status.argument_spec()


def play(stage, situation):
    """Make the situation, and run its task: (task, Result)."""
    task = situation.arrange(stage)
    result = stage.run(task, situation.check_mode)
    assert "Traceback" not in result.output and "internal error" not in result.output, result.output
    assert bool(result.get("failed")) is not situation.green, result["msg"]
    return task, result


def sentences():
    """panel.yml: dict of title: sentence."""
    return yaml.safe_load(SENTENCES.read_text(encoding="utf-8")) if SENTENCES.exists() else {}


def page(told):
    """PANEL.md, as it follows from panel.yml."""
    lines = ["| situation | the first 120 characters |", "| --- | --- |"]
    for title, sentence in told.items():
        beginning = sentence if len(sentence) <= PAGER else sentence[:PAGER].rstrip() + " …"
        lines.append("| {} | {} |".format(title, beginning.replace("|", "\\|")))
    return _PAGE_HEADER + "\n".join(lines) + "\n"


def write(title, sentence):
    """Write one sentence into panel.yml, and keep the order of the panel."""
    told = {**sentences(), title: sentence}
    told = {known: told[known] for known in PANEL if known in told}
    SENTENCES.write_text(_HEADER + yaml.safe_dump(told, sort_keys=False, allow_unicode=True, width=120), encoding="utf-8")


@every_situation
def test_sentence(stage, situation):
    """Word by word what is written down."""
    _task, result = play(stage, situation)
    if WRITES:
        write(situation.title, normal(result["msg"]))
    assert normal(result["msg"]) == sentences()[situation.title]


def test_page():
    """The page is what follows from the sentences, of which there is one for each situation."""
    if WRITES:
        PAGE.write_text(page(sentences()), encoding="utf-8")
    assert list(sentences()) == list(PANEL)
    assert PAGE.read_text(encoding="utf-8") == page(sentences())
    assert len(PANEL) >= 35


@every_situation
def test_order(stage, situation, options):
    """What every sentence owes its reader, and what this one must say."""
    _task, result = play(stage, situation)
    said, beginning = result["msg"], result["msg"][:PAGER]
    wrong = [f"does not say {pattern}" for pattern in situation.says if not re.search(pattern, said)]
    wrong += [f"says {pattern}" for pattern in situation.never if re.search(pattern, said)]
    if situation.is_own:
        wrong += faults_of(said, beginning, situation, options)
    warned = [warning if isinstance(warning, str) else warning["event"]["msg"] for warning in result.get("warnings", [])]
    wrong += [f"no warning says {pattern}" for pattern in situation.warns if not re.search(pattern, "\n".join(warned))]
    if situation.is_quiet and warned:
        wrong.append(f"warns of good news: {warned}")
    if said in warned:
        wrong.append("is repeated in warnings")
    assert not wrong, "{}\n{}".format(said, "\n".join(wrong))


def faults_of(said, beginning, situation, options):
    """What is wrong with a sentence, whatever it is about: list of str."""
    unknown = [name for name in _OPTION.findall(said) if name not in options]
    status = situation.status and re.search(situation.status, said)
    last = re.split(r"(?<=\.) ", said)[-1]
    claims = {
        "is one line": said.isprintable(),
        f"has at most {LONGEST} characters": len(said) <= LONGEST,
        f"names {situation.subject} on a pager": situation.subject in beginning,
        f"tells the status ({situation.status}) on a pager": not situation.status or (status and status.start() < PAGER),
        "ends with a full stop": said.endswith("."),
        "has its remedy last": situation.green or _REMEDY.search(last),
        "says `run again` for running again": not re.search(r"\bre-?run\b|\btry again\b|\bretry\b|\brepeat\b", said, re.IGNORECASE),
        "uses `again` for nothing else": not re.search(r"(?<![Rr]un )(?<!runs every step )(?<!sent )\bagain\b", said),
        "does not count by ×": "×" not in said,
        "does not begin with the word instance": not said.lower().startswith("instance "),
        "advises no restart of finished work in passing": situation.status not in ("complete", "terminated")
        or "state=restarted" not in said
        or "runs every step again" in said,
        f"names options that there are, unlike {unknown}": not unknown,
    }
    return [f"not true: {claim}" for claim, is_true in claims.items() if not is_true]


@pytest.mark.parametrize("situation", [one for one in PANEL.values() if one.typed], ids=[one.title for one in PANEL.values() if one.typed])
def test_advice(stage, situation):
    """It is in the sentence as it is to be typed, and does what it says."""
    task, result = play(stage, situation)
    for advice, options in situation.typed.items():
        found = re.search(advice, result["msg"])
        assert found, result["msg"]
        typed = {name: int(found[1]) if found.groups() else value for name, value in options.items()}
        again = stage.run({**task, **typed})
        assert bool(again.get("failed")) is (situation.then == "red"), again["msg"]
        assert situation.then != "changed" or again["changed"], again["msg"]
