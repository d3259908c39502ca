# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of a source: whole or not at all, its owner's alone, and refused where it is another's or broken."""

from __future__ import annotations

import json
import os
import stat

import pytest

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import CloudflareError, OptionError
from ansible_collections.edgeops.cloudflare.plugins.module_utils.events.state_file import Heading, State, StateFile, read, written
from ansible_collections.edgeops.cloudflare.tests.unit.sentences import assert_is_a_sentence
from ansible_collections.edgeops.cloudflare.tests.unit.tables import each_row

HEADING = Heading("workflow_poll", "0123", "https://api.cloudflare.com/client/v4")
STATE = State(1786001400.5, {"memory": {}})
TEXT = written(HEADING, STATE)


def changed(**fields):
    return json.dumps({**json.loads(TEXT), **fields})


def test_what_was_written_is_read():
    assert read(TEXT, HEADING) == STATE


@each_row(
    "text, sentence",
    [
        ("{", "is no state of an event source, or is broken"),
        (TEXT[:-10], "is no state of an event source, or is broken"),
        ("[]", "is no state of an event source, or is broken"),
        ("{}", "is no state of an event source, or is broken"),
        ("[" * 100_000, "is no state of an event source, or is broken"),
        (changed(kind="another"), "is no state of an event source, or is broken"),
        (changed(version=2), "has version 2, and this source reads version 1"),
        (changed(account_id="4567"), "is of account_id 4567, and this source is of 0123"),
        (changed(account_id=None), "is of account_id (none), and this source is of 0123"),
        (changed(api_url="https://example.com"), "is of api_url https://example.com, and this source is of https://api.cloudflare.com"),
        (changed(source="workflow_queue"), "is of source workflow_queue, and this source is of workflow_poll"),
        (changed(saved_at="yesterday"), "is broken"),
        (changed(saved_at=True), "is broken"),
        (changed(content=[]), "is broken"),
    ],
)
def test_what_is_refused(text, sentence):
    with pytest.raises(OptionError) as error:
        read(text, HEADING)
    assert error.value.text.startswith(sentence), error.value.text
    assert error.value.advice
    assert_is_a_sentence("It " + error.value.text + ".")


def test_the_file(tmp_path):
    path = tmp_path / "state.json"
    file = StateFile(str(path), HEADING)
    assert file.load() is None
    file.save(STATE)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert file.load() == STATE
    file.save(STATE._replace(saved_at=2.0))
    file.close()
    file = StateFile(str(path), HEADING)
    assert file.load().saved_at == 2.0
    file.close()
    assert sorted(os.listdir(tmp_path)) == ["state.json", "state.json.lock"]


def test_an_empty_file_is_none_yet(tmp_path):
    path = tmp_path / "state.json"
    path.touch()
    file = StateFile(str(path), HEADING)
    assert file.load() is None
    file.close()


@each_row("content, sentence", [(b"{", "is no state of an event source"), (b"\xff\xfe", "can't be read (it is no text)")])
def test_its_refusal_names_it(tmp_path, content, sentence):
    path = tmp_path / "state.json"
    path.write_bytes(content)
    file = StateFile(str(path), HEADING)
    with pytest.raises(OptionError) as error:
        file.load()
    file.close()
    assert error.value.text.startswith("state_path ") and sentence in error.value.text
    assert path.read_bytes() == content


def test_two_sources_do_not_share_it(tmp_path):
    first = StateFile(str(tmp_path / "state.json"), HEADING)
    with pytest.raises(OptionError) as error:
        StateFile(str(tmp_path / "state.json"), HEADING)
    assert "is in use by another source; give each a file of its own" in error.value.text
    first.close()
    StateFile(str(tmp_path / "state.json"), HEADING).close()


def test_what_can_not_be_written_leaves_what_was_there(tmp_path, monkeypatch):
    path = tmp_path / "state.json"
    file = StateFile(str(path), HEADING)
    file.save(STATE)

    def full(_handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CloudflareError) as error:
        file.save(STATE._replace(saved_at=2.0))
    assert error.value.message.endswith("can't be written (No space left on device)")
    assert file.load() == STATE
    file.close()
    assert sorted(os.listdir(tmp_path)) == ["state.json", "state.json.lock"]
