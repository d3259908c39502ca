# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Shows progress while the work goes on, from a thread of its own: what interrupts the work never cuts a line in two."""

from __future__ import annotations

import contextlib
import threading
import typing as t

from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.host import Host
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.progress import Progress, Snapshot

#: Seconds between two looks at whether a line is due.
_SLICE = 0.25


@contextlib.contextmanager
def reported(
    host: Host,
    workflow_name: str,
    participle: str,
    pause: float,
    look: t.Callable[[], Snapshot],
    glance: t.Callable[[], tuple[float, bool]],
) -> t.Iterator[None]:
    """Show lines as long as the context lasts, where the host can and `pause` isn't 0.

    Args:
        workflow_name, participle, pause: see progress.Progress.
        look: tells where the task is.
        glance: tells the moment, in seconds as in a Snapshot, and whether the rate limit blocks; costs next to nothing.
    """
    if not host.shows_lines or not pause:
        yield
        return
    progress = Progress(workflow_name, participle, pause, host.verbosity, look())
    is_over = threading.Event()

    def report() -> None:
        with contextlib.suppress(Exception):  # what is shown must never cost a task
            while not is_over.wait(_SLICE):
                if progress.is_due(*glance()):
                    host.show(progress.line(look()))

    thread = threading.Thread(target=report, name="progress", daemon=True)
    try:
        thread.start()
    except RuntimeError:  # no more threads are to be had
        yield
        return
    try:
        yield
    finally:
        is_over.set()
        thread.join()
