# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Terminating by hundreds: one call for each hundred, whose answer tells nothing of any one instance, so that looks have to.

Source: API.md, `POST …/instances/batch/terminate`. What it leaves alone, and what it doesn't know, is terminated one by one.
"""

from __future__ import annotations

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.clock import Clock
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import (
    AnswerLost,
    CloudflareError,
    InstanceNotFound,
    LookStale,
    NotTheApi,
    Refused,
    UnusableServer,
)
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.workflows import PAGE_SIZE, Workflow
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.pursuer import Pursuer
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.survey import Surveyor, last_statuses
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.pursuit import Pursuit

#: Instances in one call, at most.
A_HUNDRED = PAGE_SIZE

#: So few are terminated one by one: that tells of each.
A_FEW = 10

#: Seconds for which a look is good enough to rest a call on.
LOOK_LASTS = 10.0

#: Seconds to wait, at most, while another such call is being processed.
LONGEST_PAUSE = 30.0

#: How a server says that it has no such call: by the HTTP status, or by the code for a route that it doesn't know.
_NOT_THERE = (404, 405)
_NO_ROUTE = (7000, 7001, 7003)


class Bulk:
    """Terminates by hundreds, as long as the server can.

    Args:
        attempts: of making a connection, for each call.
        wait_sleep: seconds, the task's first interval of polling.
    """

    def __init__(
        self, workflow: Workflow, surveyor: Surveyor, pursuer: Pursuer, clock: Clock, attempts: int = 5, wait_sleep: float = 2.0
    ) -> None:
        self._workflow = workflow
        self._surveyor = surveyor
        self._pursuer = pursuer
        self._clock = clock
        self._attempts = attempts
        self._pause = min(LONGEST_PAUSE, 5 * wait_sleep)
        self._is_there = workflow.terminates_by_hundreds

    def terminate(self, pursuits: list[Pursuit]) -> None:
        """Terminate those that are to be changed, a hundred after the other, each proven before the next.

        Those left have no outcome: few, or ones that must be looked at alone.

        Raises:
            CloudflareError: what ends the task.
        """
        left = [pursuit for pursuit in pursuits if pursuit.is_to_be_changed]
        while self._is_there and len(left) > A_FEW and not self._pursuer.has_failed_enough:
            hundred, left = left[:A_HUNDRED], left[A_HUNDRED:]
            sent_to = self._send(hundred)
            if sent_to:
                self._pursuer.pursue(sent_to)

    def _send(self, hundred: list[Pursuit]) -> list[Pursuit]:
        """One call for them; returns those that it was made for, and that are to be looked at now."""
        has_paused, unsent = False, 0
        while True:
            concerned = self._looked_at(hundred)
            if len(concerned) <= A_FEW:
                return []
            self._pursuer.ensure_heard()
            try:
                answer = self._workflow.terminate_many([pursuit.record.id for pursuit in concerned])
            except LookStale as error:
                _expire(concerned)
                unsent += error.cause is not None
                if error.cause is not None and unsent >= self._attempts:
                    raise error.cause from None
                continue
            except AnswerLost as error:
                if error.fatal:
                    self._note_sent(concerned)
                    raise
                # Looks tell, as they do where it was answered.
            except (InstanceNotFound, NotTheApi, Refused, UnusableServer) as error:
                is_missing = error.http_status in _NOT_THERE or error.code in _NO_ROUTE
                if not is_missing and isinstance(error, (NotTheApi, UnusableServer)):
                    raise
                self._is_there = not is_missing
                return []
            except CloudflareError as error:
                if error.after_lost_answer:
                    self._note_sent(concerned)
                raise
            except Exception:
                self._note_sent(concerned)  # it may have gone out
                raise
            else:
                if answer.get("status") == "already_running":
                    if has_paused:
                        return []
                    has_paused = True
                    self._clock.sleep(self._pause)
                    _expire(concerned)
                    continue
            self._note_sent(concerned)
            return concerned

    def _note_sent(self, pursuits: list[Pursuit]) -> None:
        now = self._pursuer.active_now()
        for pursuit in pursuits:
            pursuit.record.sent_with_others("terminate", now)

    def _looked_at(self, hundred: list[Pursuit]) -> list[Pursuit]:
        """Those of them that are to be changed, by looks that are new enough."""
        limit = self._clock.monotonic() - LOOK_LASTS
        old = [pursuit for pursuit in hundred if pursuit.record.is_stale or not pursuit.record.look or pursuit.record.look.at < limit]
        if old:
            _expire(old)
            self._surveyor.survey(old, last_statuses(old))
        return [pursuit for pursuit in hundred if pursuit.is_to_be_changed]


def _expire(pursuits: list[Pursuit]) -> None:
    for pursuit in pursuits:
        pursuit.record.expire()
