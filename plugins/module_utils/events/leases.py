# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which messages are under way: told and to be acknowledged later, or done, so that another delivery of them is known. Pure."""

from __future__ import annotations

import typing as t

#: Messages of which it is remembered that they are done.
MOST_DONE = 5000

#: Leases of one message that are acknowledged; the newest is the one that counts.
_MOST_LEASES = 5


class Told(t.NamedTuple):
    """An event that was put into the rule engine's queue. ack_at: by the monotonic clock; leases: of all its deliveries."""

    ack_at: float
    leases: tuple[str, ...]


class Leases:
    """Leases of messages, until they are acknowledged.

    Args:
        ack_delay: seconds from an event's being taken to its acknowledgement.
        done: keys of messages that were acknowledged before, the oldest first.
    """

    def __init__(self, ack_delay: float, done: t.Iterable[str] = ()) -> None:
        self._ack_delay = ack_delay
        self._told: dict[str, Told] = {}
        self._idle: list[str] = []  # leases of messages that nothing is to be done about
        self._done = dict.fromkeys(done)

    def is_known(self, key: str, lease_id: str) -> bool:
        """Whether a message has come before; its new lease is then acknowledged with the others, or at once."""
        if key in self._told:
            told = self._told[key]
            self._told[key] = told._replace(leases=(*told.leases, lease_id)[-_MOST_LEASES:])
        elif key in self._done:
            self._idle.append(lease_id)
        else:
            return False
        return True

    def tell(self, key: str, lease_ids: t.Iterable[str], now: float) -> None:
        """The event of a message was taken; lease_ids: of all deliveries of it so far."""
        self._told[key] = Told(now + self._ack_delay, tuple(lease_ids))

    def drop(self, *lease_ids: str) -> None:
        """Nothing is to be done about a message."""
        self._idle.extend(lease_ids)

    def due(self, now: float) -> list[str]:
        """Leases to be acknowledged by now."""
        return [*self._idle, *(lease for told in self._told.values() if told.ack_at <= now for lease in told.leases)]

    def due_at(self) -> float | None:
        """When the next are; None where there are none."""
        if self._idle:
            return 0.0
        return min((told.ack_at for told in self._told.values()), default=None)

    def acknowledged(self, lease_ids: t.Collection[str]) -> None:
        """They were."""
        gone = set(lease_ids)
        self._idle = [lease for lease in self._idle if lease not in gone]
        for key, told in list(self._told.items()):
            if gone.issuperset(told.leases):
                del self._told[key]
                self._done[key] = None
        while len(self._done) > MOST_DONE:
            del self._done[next(iter(self._done))]

    def done(self) -> list[str]:
        """Keys of messages that are done, the oldest first: what was told and not acknowledged is told again after a restart."""
        return list(self._done)
