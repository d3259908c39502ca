# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """How fast a task may call (`module_utils/task/options.py`)."""

    DOCUMENTATION = r"""
options:
  concurrency:
    description:
      - How many calls are under way at once, 1 to 64.
    type: int
    default: 8
    version_added: 0.1.0
  requests_per_second:
    description:
      - The most calls a second that the task makes, 0.01 to 1000, so that it leaves room for others who use the same token.
      - Without it, only the API's own limit counts.
    type: float
    version_added: 0.1.0
  rate_limit_reserve:
    description:
      - The part of the token's quota that is left to others, 0 to 0.9. Past it, the task spreads what remains over the time
        until the quota is renewed.
    type: float
    default: 0.2
    version_added: 0.1.0
  rate_limit_timeout:
    description:
      - How many seconds the API's rate limit may block the task in all, 0 to 86400. One block of the public API takes 300
        seconds.
      - A longer block ends the task at once, and the instances left are reported as not attempted.
    type: float
    default: 330
    version_added: 0.1.0
"""
