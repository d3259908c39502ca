# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure the module against other ways to do the same, on the local Workflows engine behind a link with latency.

Fails if the module, or the floor that it is measured against, makes another call than those needed. It never fails by time.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import signal
import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "tooling"), str(TESTS / "engine")]

import environments  # noqa: E402  pylint: disable=wrong-import-position
from bed import Fleet  # noqa: E402  pylint: disable=wrong-import-position
from contenders import BULK, FLEET, ONE, Setting  # noqa: E402  pylint: disable=wrong-import-position
from engine import Engine, EngineError  # noqa: E402  pylint: disable=wrong-import-position
from measuring import measure, take_turns  # noqa: E402  pylint: disable=wrong-import-position
from processes import ToolFailed  # noqa: E402  pylint: disable=wrong-import-position
from table import replace_block, report  # noqa: E402  pylint: disable=wrong-import-position

# Rounds by size of the fleet. The uri loop takes part in each third only, the SDK's thousand calls in each second.
ROUNDS = {1: 15, 100: 9, 1000: 5}
QUICK_ROUNDS = {1: 3, 100: 3}

# A load from which on others disturb what is measured.
BUSY = 0.7

VERSIONS = "import importlib.metadata, json, sys; print(json.dumps([importlib.metadata.version(name) for name in sys.argv[1:]]))"


def arguments():
    """The command line."""
    parser = argparse.ArgumentParser(prog="make bench ARGS=…", description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="100 instances only, few rounds: to see that it works")
    parser.add_argument(
        "--concurrency", type=int, default=8, help="requests under way at once, the module's and the floor's (default: %(default)s)"
    )
    parser.add_argument("--latency", type=int, default=40, metavar="MS", help="of each call (default: %(default)s)")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="replace the results on this page, between its two markers")
    return parser.parse_args()


def contender_environment(engine, ansible):
    """Variables for the contenders: where the engine is, and nothing of the user's own settings."""
    env = environments.child_environment(ansible)
    env.update(
        ANSIBLE_COLLECTIONS_PATH=str(environments.linked_collections()),
        ANSIBLE_CONFIG=str(TESTS / "benchmark" / "ansible.cfg"),
        CLOUDFLARE_BASE_URL=engine.api_url,
        CLOUDFLARE_ACCOUNT_ID=engine.account_id,
        CLOUDFLARE_API_TOKEN=engine.api_token,
        NO_PROXY="127.0.0.1",
        no_proxy="127.0.0.1",
    )
    return env


def _versions(environment, *names):
    output = subprocess.run([environment / "bin" / "python", "-c", VERSIONS, *names], stdout=subprocess.PIPE, check=True).stdout
    return ", ".join(f"{name} {version}" for name, version in zip(names, json.loads(output)))


def facts(options, ansible, libraries):
    """How and on what it is measured; taken before the measuring, for the load."""
    packages = json.loads((TESTS / "engine" / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    load = os.getloadavg()[0]
    if load > BUSY:
        print(f"warning: the machine is busy (load {load:.1f}); times will say little", file=sys.stderr)
    return {
        "measured": f"{datetime.date.today()}; medians with (smallest–largest); {options.latency} ms latency, {options.concurrency} requests at once",
        "machine": f"{len(os.sched_getaffinity(0))} cores ({platform.machine()}), for the engine and whoever is measured; load before the start {load:.1f}",
        "playbooks": f"Python {platform.python_version()}, {_versions(ansible, 'ansible-core', 'requests', 'urllib3')}",
        "libraries": _versions(libraries, "httpx", "cloudflare"),
        "engine": ", ".join(f"{name} {packages['node_modules/' + name]['version']}" for name in ("miniflare", "workerd")),
    }


def measure_all(rounds, options, ansible, libraries):
    """Series by size of the fleet, and for each fleet the one Run that ends it."""
    series, ended = {}, {}
    with Engine() as engine:
        engine.control("POST", "/latency", {"ms": options.latency})
        env = contender_environment(engine, ansible)
        for size, times in rounds.items():
            setting = Setting(ansible, libraries, Fleet(engine, size), options.concurrency)
            series[size] = take_turns(FLEET.get(size, ONE), setting, env, times)
            if size in FLEET:
                ended[size] = measure(BULK, setting, env)
    return series, ended


def main():
    """Measure, print, write; returns the exit code."""
    options = arguments()
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    ansible, libraries = Path(sys.prefix), environments.ensure("bench")
    told = facts(options, ansible, libraries)
    try:
        series, ended = measure_all(QUICK_ROUNDS if options.quick else ROUNDS, options, ansible, libraries)
    except (ToolFailed, EngineError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    wrong = [sentence for one in series.values() for sentence in one.wrong_calls()]
    text = report([one for size, one in series.items() if size > 1], series[1], ended, wrong, told)
    print(text)
    if wrong:
        print("error: other calls than those needed\n    " + "\n    ".join(wrong), file=sys.stderr)
        return 1
    if options.write:
        replace_block(options.write, text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
