# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Starting and stopping: whatever happens, nothing is left behind."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import subprocess
import sys
import time
import urllib.request

import pytest
from engine import OPENER

HERE = pathlib.Path(__file__).resolve().parent

#: Seconds after which something hangs; on a busy machine, ending takes its time.
PATIENCE = 60


def family(pid):
    """The processes below this one, itself included, that still live."""
    result = subprocess.run(["ps", "-eo", "pid=,ppid=,stat="], stdout=subprocess.PIPE, check=True)
    rows = [line.split() for line in result.stdout.decode().splitlines()]
    found = {pid}
    for _round in range(len(rows)):
        more = {int(row[0]) for row in rows if int(row[1]) in found} - found
        if not more:
            break
        found |= more
    return {int(row[0]) for row in rows if int(row[0]) in found and not row[2].startswith("Z")}


def alive(pids):
    result = subprocess.run(["ps", "-eo", "pid=,stat="], stdout=subprocess.PIPE, check=True)
    rows = [line.split() for line in result.stdout.decode().splitlines()]
    return pids & {int(row[0]) for row in rows if not row[1].startswith("Z")}


@pytest.fixture(name="command")
def _command(tmp_path):
    """The launcher as a process; its temporary files are under tmp_path."""
    scratch = tmp_path / "tmp"
    scratch.mkdir()
    home = tmp_path / "home"
    home.mkdir()
    started = []

    def start(*arguments, **options):
        environment = dict(
            os.environ,
            TMPDIR=str(scratch),
            HOME=str(home),
            EDGEOPS_BUILD=os.environ.get("EDGEOPS_BUILD", str(HERE.parent.parent / ".build")),
        )
        process = subprocess.Popen(
            [sys.executable, str(HERE / "engine.py"), *list(arguments)], stdout=subprocess.PIPE, env=environment, **options
        )
        started.append(process)
        ready = json.loads(process.stdout.readline().decode())
        return process, ready, scratch

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait()
        process.stdout.close()
    assert list(home.iterdir()) == [], "the home folder is not written to"


def gone(pids, scratch):
    end = time.monotonic() + PATIENCE
    while alive(pids) or list(scratch.iterdir()) != []:
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def busy(ready):
    """Gives a running engine something to hold on to."""
    url = ready["control_url"] + "/instances"
    body = json.dumps({"workflow": "lab", "prefix": "x", "count": 5, "params": {"steps": [{"do": "a", "gate": "shut"}]}}).encode()
    OPENER.open(urllib.request.Request(url, body, method="POST"), timeout=PATIENCE).close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_leaves_nothing_behind(command, tmp_path, number):
    ready_file = tmp_path / "ready.json"
    process, ready, scratch = command("--ready-file", str(ready_file))
    assert ready["pid"] == process.pid and json.loads(ready_file.read_text()) == ready
    busy(ready)
    pids = family(process.pid)
    assert len(pids) >= 3 and list(scratch.iterdir()) != []
    process.send_signal(number)
    assert process.wait(PATIENCE) == 0
    assert gone(pids, scratch) and not ready_file.exists()


def test_it_ends_with_its_parent(command):
    process, ready, scratch = command("--die-with-parent", stdin=subprocess.PIPE)
    busy(ready)
    pids = family(process.pid)
    process.stdin.close()
    assert process.wait(PATIENCE) == 0
    assert gone(pids, scratch)


def test_even_a_killed_launcher_leaves_nothing_behind(command):
    process, ready, scratch = command()
    busy(ready)
    pids = family(process.pid)
    process.kill()
    process.wait()
    assert gone(pids, scratch)


def test_even_a_killed_node_leaves_nothing_behind(command):
    process, ready, scratch = command(stderr=subprocess.DEVNULL)
    busy(ready)
    pids = family(process.pid)
    with OPENER.open(ready["control_url"] + "/health", timeout=PATIENCE) as response:
        os.kill(json.loads(response.read().decode())["pid"], signal.SIGKILL)
    assert process.wait(PATIENCE) == 1
    assert gone(pids, scratch)


def test_a_state_folder_is_kept(command, tmp_path):
    state = tmp_path / "state"
    process, ready, scratch = command("--state-dir", str(state))
    busy(ready)
    process.terminate()
    process.wait(PATIENCE)
    assert gone({process.pid}, scratch)
    kept = [path for path in state.glob("workflows/miniflare-workflows-lab/*.sqlite") if path.name != "metadata.sqlite"]
    assert len(kept) == 5 and not list(state.glob("*.pem"))
    process, ready, scratch = command("--state-dir", str(state))
    url = "{}/accounts/{}/workflows/lab/instances".format(ready["api_url"], ready["account_id"])
    request = urllib.request.Request(url, headers={"Authorization": "Bearer " + ready["api_token"]})
    with OPENER.open(request, timeout=PATIENCE) as response:
        assert json.loads(response.read().decode())["result_info"]["total_count"] == 5
    process.terminate()
    process.wait(PATIENCE)


def test_two_at_once(command):
    processes = [command()[0] for _n in range(2)]
    for process in processes:
        process.terminate()
        assert process.wait(PATIENCE) == 0
