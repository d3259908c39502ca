# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The canary: the first batch in which something is sent is waited for longer, and ends the task where it goes wrong. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.text import shown_id
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.record import FAILED, UNKNOWN, Record
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.wanted import ENDED, PAST_STEP, Wanted

_SHOWN = 3


class Canary(t.NamedTuple):
    """How a canary is watched.

    wait_until: PAST_STEP or ENDED.
    wait_timeout: seconds for each of its instances.
    max_failures: how many of them may error again.
    """

    wait_until: str = PAST_STEP
    wait_timeout: float = 900.0
    max_failures: int = 0

    def wanted(self, wanted: Wanted) -> Wanted:
        """What is wanted of its instances, where this is wanted of all."""
        return wanted._replace(wait_until=self.wait_until, wait_timeout=self.wait_timeout)

    def alarm(self, records: list[Record]) -> str | None:
        """Why nothing more may be sent after this batch; None where it went well.

        What was refused before anything was sent tells nothing of the others.
        """
        sent = [record for record in records if record.sends]
        again = [record for record in sent if record.errored_again]
        bad = [record for record in sent if record.outcome in (FAILED, UNKNOWN) and not record.errored_again]
        refused = [record for record in bad if record.is_refused and not record.answer_was_lost and record.status is not None]
        undecided = [record for record in bad if record not in refused]
        if undecided:
            return f"the canary is undecided: {_of(undecided, sent)} not known {self._goal(sent[0])} after {self.wait_timeout:g} s"
        if len(again) + len(refused) > self.max_failures:
            told = [f"{_of(some, sent)} {what}" for some, what in ((again, "errored again"), (refused, "refused by the API")) if some]
            return f"the canary has failed: {', '.join(told)}"
        return None

    def _goal(self, record: Record) -> str:
        if self.wait_until == ENDED:
            return "to have ended"
        return f"to be past the step {'that failed' if record.wanted.state == 'restarted' else 'it was paused in'}"


def proves_something(records: list[Record]) -> bool:
    """Whether anything was sent in a batch."""
    return any(record.action is not None for record in records)


def _of(some: list[Record], sent: list[Record]) -> str:
    more = f" and {len(some) - _SHOWN:,} more" if len(some) > _SHOWN else ""
    return f"{len(some):,} of {len(sent):,} ({', '.join(shown_id(record.id) for record in some[:_SHOWN])}{more})"
