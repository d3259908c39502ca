# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.steplog import Step
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.wanted import Wanted
from ansible_collections.edgeops.cloudflare.tests.unit.tables import each_row


@each_row(
    "wanted, needs_log, is_once_only",
    [
        (Wanted("paused"), False, False),
        (Wanted("running"), False, False),
        (Wanted("terminated"), False, False),
        (Wanted("terminated", rollback=True), False, True),
        (Wanted("restarted"), False, True),
        (Wanted("restarted", step=Step("charge", 1, "do")), True, True),
        (Wanted("restarted", from_failed_step=True), True, True),
    ],
)
def test_what_follows(wanted, needs_log, is_once_only):
    assert (wanted.needs_log, wanted.is_once_only) == (needs_log, is_once_only)
