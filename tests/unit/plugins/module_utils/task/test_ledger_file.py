# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The record in a file: there before anything is sent, true after each batch, and never half of one."""

from __future__ import annotations

import errno
import json
import os
import stat

import pytest

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import OptionError
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task import ledger_file
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.ledger import read
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.ledger_file import LedgerFile
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.logbook import Heading, line
from ansible_collections.edgeops.cloudflare.tests.unit.fakes import FakeWorkflow, many
from ansible_collections.edgeops.cloudflare.tests.unit.running import ACCOUNT, TaskRunner

API = "https://api.cloudflare.com/client/v4"
HEADING = Heading(ACCOUNT, API, "orders", "paused", "7")
NOW = "2026-08-06T03:24:10Z"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "record.json"


@pytest.fixture
def runner(monkeypatch, capfd, clock):
    """A TaskRunner for 4 running instances."""
    monkeypatch.setattr("ansible.module_utils.basic.AnsibleModule.log", lambda *args, **kwargs: None)
    return TaskRunner(monkeypatch, capfd, FakeWorkflow(clock, *many(4, "running")))


def placed(path, state="paused"):
    entry = read(path.read_text(encoding="utf-8")).entry("orders", state)
    return entry and entry.placed


def said(*args):
    with pytest.raises(OptionError) as caught:
        LedgerFile(*args)
    return caught.value.text


def test_written_at_each_note(path):
    file = LedgerFile(str(path), HEADING)
    assert not path.exists(), "nothing is written before anything is known"
    file.note(NOW, [])
    assert placed(path) == {} and path.read_text(encoding="utf-8").endswith("}\n")
    file.note(NOW, [("unknown", "a"), ("unknown", "b")])
    assert placed(path) == {"a": "unknown", "b": "unknown"}
    file.note(NOW, [("ids", "a"), ("untouched", "b")])
    assert placed(path) == {"a": "ids"}
    assert [name.name for name in path.parent.iterdir()] == ["record.json"], "nothing is left beside it"


def test_for_its_owner_alone(path):
    path.write_text("", encoding="utf-8")
    path.chmod(0o644)
    LedgerFile(str(path), HEADING).note(NOW, [("ids", "a")])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_name_without_a_folder(path, monkeypatch):
    monkeypatch.chdir(path.parent)
    LedgerFile(path.name, HEADING).note(NOW, [("ids", "a")])
    assert placed(path) == {"a": "ids"}


def test_a_link_stays_one(path, tmp_path):
    link = tmp_path / "latest"
    link.symlink_to(path.name)
    for name in ("a", "b"):
        LedgerFile(str(link), HEADING).note(NOW, [("ids", name)])
    assert link.is_symlink() and placed(path) == {"a": "ids", "b": "ids"}


def test_what_an_earlier_run_recorded_stays(path):
    """Whatever a second run finds out of it; what comes to another state moves on."""
    LedgerFile(str(path), HEADING).note(NOW, [("ids", "a"), ("on_their_way", "b"), ("unknown", "c")])
    again = LedgerFile(str(path), HEADING)
    again.note(NOW, [("unknown", one) for one in "abcd"])
    assert placed(path) == {"a": "ids", "b": "on_their_way", "c": "unknown", "d": "unknown"}
    again.note(NOW, [("untouched", "a"), ("untouched", "b"), ("ids", "c"), ("untouched", "d")])
    assert placed(path) == {"a": "ids", "b": "on_their_way", "c": "ids"}

    resumed = LedgerFile(str(path), HEADING._replace(state="running"))
    resumed.note(NOW, [("unknown", "a"), ("unknown", "c")])
    assert set(placed(path)) == {"a", "b", "c"}, "cut short here, all of them can still be resumed"
    resumed.note(NOW, [("ids", "a"), ("untouched", "c")])
    assert set(placed(path)) == {"b", "c"} and placed(path, "running") == {"a": "ids"}


def test_cut_short_in_a_second_freeze(path):
    """Paused, resumed, and about to be paused again: to be found again by whoever reads the file."""
    for state, group in (("paused", "ids"), ("running", "ids"), ("paused", "unknown")):
        LedgerFile(str(path), HEADING._replace(state=state)).note(NOW, [(group, "a")])
    assert placed(path) == {"a": "unknown"}
    LedgerFile(str(path), HEADING._replace(workflow_name="fleet")).note(NOW, [])
    assert placed(path) == {"a": "unknown"}


def test_never_half_of_one(path, monkeypatch):
    """A full disk leaves what was there, and nothing beside it."""
    file = LedgerFile(str(path), HEADING)
    file.note(NOW, [("ids", "a")])

    def full(_handle):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(ledger_file.os, "fsync", full)
    with pytest.raises(OptionError) as caught:
        file.note(NOW, [("ids", "b")])
    assert caught.value.text == "record_file can't be written (No space left on device). Make room, or name another file"
    assert placed(path) == {"a": "ids"} and len(list(path.parent.iterdir())) == 1


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"order-1\n", "there is no record in what was given"),
        (b'{"version":1', "the record is cut off, or was changed"),
        (line(HEADING._replace(account_id="ffff"), NOW, []).encode(), f"the record is of account ffff, and this task speaks to account {ACCOUNT}"),
        (line(HEADING._replace(api_url="http://[::1]:1"), NOW, []).encode(), "the record is of API http://[::1]:1, and this task"),
        (b"\xff\xfe", "record_file can't be read (it is no text); name another file"),
        (b'{"version":2,"records":[]}', "the record is of version 2"),
    ],
)  # fmt: skip
def test_files_that_are_left_alone(path, content, says):
    path.write_bytes(content)
    assert says in said(str(path), HEADING) and path.read_bytes() == content


@pytest.mark.parametrize("content", [b"", b"\n \n"])
def test_an_empty_file_is_a_new_one(path, content):
    path.write_bytes(content)
    LedgerFile(str(path), HEADING).note(NOW, [("ids", "a")])
    assert placed(path) == {"a": "ids"}


def test_where_nothing_can_be_written(path, tmp_path, monkeypatch):
    assert said(str(tmp_path / "nowhere" / "record.json"), HEADING).startswith("record_file can't be written: ")
    assert said(str(tmp_path), HEADING) == f"record_file {tmp_path} is no ordinary file; name another file"
    assert said(os.devnull, HEADING) == f"record_file {os.devnull} is no ordinary file; name another file"
    monkeypatch.setattr(ledger_file.os, "access", lambda *args: False)
    assert "is no folder that this user may write to; name another file" in said(str(path), HEADING)


# -- in the module --------------------------------------------------------------------------------------------------------


def test_before_anything_is_sent(runner, path):
    """A killed task leaves at least what may have been changed."""
    seen = []
    runner.workflow.before(("patch",), lambda: seen.append(placed(path)), times=4)
    ran = runner.run(state="paused", select={"status": ["running"]}, record_file=str(path), batch_size=[1, 3])
    names = ran.result["ids"]["changed"]
    assert ran.code == 0 and placed(path) == dict.fromkeys(names, "ids")
    first, rest = {names[0]: "unknown"}, {names[0]: "ids", **dict.fromkeys(names[1:], "unknown")}
    assert seen == [first, rest, rest, rest]


def test_nothing_is_sent_where_nothing_can_be_noted(runner, path, monkeypatch):
    """The disk fills up after the record was begun."""
    write = ledger_file.os.replace

    def full(*args):
        if path.exists():
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write(*args)

    monkeypatch.setattr(ledger_file.os, "replace", full)
    ran = runner.run(state="paused", select={"status": ["running"]}, record_file=str(path))
    assert ran.code == 1 and runner.workflow.patches() == [] and ran.result["summary"]["not_attempted"] == 4
    assert "record_file can't be written (No space left on device)" in ran.result["msg"] and "Make room" in ran.result["msg"]
    assert ran.result["ended_early"] and placed(path) == {}


def test_what_cannot_be_used_ends_it_before_any_call(runner, path):
    path.write_text("no record", encoding="utf-8")
    for check_mode in (False, True):
        ran = runner.run(check_mode, state="paused", select={"status": ["running"]}, record_file=str(path))
        assert ran.code == 1 and runner.workflow.calls == []
        assert ran.result["msg"].startswith(f"record_file {path}: there is no record in what was given; give the text that begins")


def test_check_mode_writes_nothing(runner, path):
    ran = runner.run(True, state="paused", select={"status": ["running"]}, record_file=str(path))
    assert ran.code == 0 and ran.result["summary"]["changed"] == 4 and not path.exists()


def test_nothing_to_do_is_a_record_too(runner, path):
    runner.run(state="paused", instance_ids=[], record_file=str(path))
    assert json.loads(path.read_text(encoding="utf-8"))["records"][0]["ids"] == []
