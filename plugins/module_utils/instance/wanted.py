# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a task wants of every instance. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.steplog import Step

#: What settles an instance that was resumed or restarted: a look after it, a step that it has got past, its end.
EFFECT, PAST_STEP, ENDED = "effect", "past_step", "ended"


class Wanted(t.NamedTuple):
    """What the task wants of every instance; times in seconds.

    when_status, selected: the statuses in which to act (`when_status`, `select.status`).
    error_glob: only instances whose error matches it are acted on.
    step: where to restart from.
    pause_first: pause it before its rollback, so that no step is cut off in the middle.
    bulk: terminate by hundreds where the server can.
    wait_until: EFFECT, PAST_STEP or ENDED.
    """

    state: str
    when_status: frozenset[str] | None = None
    selected: frozenset[str] | None = None
    error_glob: str | None = None
    step: Step | None = None
    from_failed_step: bool = False
    rollback: bool = False
    pause_first: bool = False
    bulk: bool = False
    skip_finished: bool = False
    wait: bool = True
    wait_until: str = EFFECT
    wait_timeout: float = 300.0
    wait_sleep: float = 2.0

    @property
    def needs_log(self) -> bool:
        """A restart needs the instance's log first."""
        return self.step is not None or self.from_failed_step

    @property
    def is_once_only(self) -> bool:
        """Sending the change twice would run steps, or rollback handlers, twice."""
        return self.state == "restarted" or self.rollback
