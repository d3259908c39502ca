# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """What a task shows while it runs (`module_utils/task/progress.py`)."""

    DOCUMENTATION = r"""
options:
  progress:
    description:
      - How many seconds to let pass between two lines of progress, 0 to 3600, where the task runs in the worker (see the attribute
        C(action)); a module can show nothing before it ends. V(0) shows none.
      - The first line comes after 5 seconds, so that an ordinary task shows none; then the pause grows to 60 seconds. When the API's
        rate limit begins or ends to block the task, a line comes at once, with the time of day at which the block ends.
      - The lines go to standard error. With C(no_log) there are none; with C(-v) they name instances that were changed, too.
    type: int
    default: 10
    version_added: 0.2.0
"""
