# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """Waiting for a state to be reached (`module_utils/fleet/settle.py`)."""

    DOCUMENTATION = r"""
options:
  wait:
    description:
      - Whether to wait until the state is reached, so that a green task means that it is.
      - Without waiting, an instance that is on its way to the state counts as done.
    type: bool
    default: true
    version_added: 0.1.0
  wait_timeout:
    description:
      - How many seconds to wait for one instance, 0 to 604800, from its accepted change, or from the moment it was seen to be
        on its way already. Time in which the API's rate limit holds the task back is not counted.
      - An instance that has not reached the state by then B(fails), with the status last seen.
    type: float
    default: 300
    version_added: 0.1.0
  wait_sleep:
    description:
      - How many seconds to wait before looking again, 0.1 to 3600. The pause grows by half each time, up to 10 seconds.
      - Whatever is given here, the whole task makes at most two calls a second while it waits.
    type: float
    default: 2
    version_added: 0.1.0
"""
