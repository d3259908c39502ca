# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Batches: which size comes next, and the account of those begun. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.types import Json
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.canary import proves_something
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.record import CHANGED, FAILED, UNKNOWN, Record


class Batches:
    """The batches of one task.

    Args:
        sizes: as `batch_size`: the last one is repeated; empty where there are no batches.
    """

    def __init__(self, sizes: t.Sequence[int]) -> None:
        self._sizes = tuple(sizes)
        self._stage = 0  # which size is next
        self._left = 0  # instances in no batch yet
        #: The records of each batch that has begun.
        self.begun: list[list[Record]] = []

    def expect(self, count: int) -> None:
        """So many instances are to be pursued in batches."""
        self._left = count

    def next_size(self) -> int:
        """How many instances the next batch may have.

        A batch in which nothing was sent has proven nothing: the next one is no larger than it.
        """
        if self.begun and proves_something(self.begun[-1]):
            self._stage = min(self._stage + 1, len(self._sizes) - 1)
        return self._sizes[self._stage]

    def begin(self, records: list[Record]) -> None:
        """The next batch begins."""
        self.begun.append(records)
        self._left -= len(records)

    def plan(self, records: list[Record]) -> None:
        """Check mode: the batches in which these would be changed."""
        sizes, self._left = list(self._sizes), len(records)
        while self._sizes and self._left:
            size = sizes.pop(0) if len(sizes) > 1 else sizes[0]
            begun = len(records) - self._left
            self.begin(records[begun : begun + size])

    @property
    def expected(self) -> int:
        """How many there are in all, as far as can be known by now."""
        return len(self.begun) + self._still_to_come()

    def _still_to_come(self) -> int:
        left, stage, count = self._left, self._stage, 0
        while left > 0:
            stage = min(stage + 1, len(self._sizes) - 1)
            left -= self._sizes[stage]
            count += 1
        return count

    def told(self) -> list[Json]:
        """The result's `batches`."""
        return [
            {
                "number": number,
                "of": self.expected,
                "matched": len(records),
                "changed": sum(record.outcome == CHANGED for record in records),
                "failed": sum(record.outcome in (FAILED, UNKNOWN) for record in records),
                "errored_again": sum(record.errored_again for record in records),
            }
            for number, records in enumerate(self.begun, 1)
        ]
