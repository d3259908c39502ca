# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a source has seen and told, so that it tells nothing twice and nothing is left out. Pure.

Times are seconds since 1970, by this machine's clock, but for those of instances, which are the API's own texts.
"""

from __future__ import annotations

import typing as t

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.types import Json
from ansible_collections.edgeops.cloudflare.plugins.module_utils.events.shape import ERRORED, FINISHED, Sighting

#: Instances that are remembered.
MOST_INSTANCES = 50_000

#: Seconds for which an instance that was not seen again is remembered: the API keeps none for longer than 30 days.
_LONGEST = 45 * 86400.0

_DAY = 86400.0


class Entry(t.NamedTuple):
    """What is known of an instance.

    status: the one last seen. is_open: it has left that one since, or is to be told again, so that the same is news.
    told_at: when it was put into the queue; None where it was there before the source was.
    failures: distinct failures seen, told of or not; failed_on: the end of the last of them.
    seen_at: when it was last seen in that status.
    """

    status: str
    ended_on: str | None
    told_at: float | None
    failures: int
    failed_on: str | None
    seen_at: float
    is_open: bool = False


class Baseline(t.NamedTuple):
    """What of a status is not told of, since it was there first.

    since: the API's time; what came to the status before it is only remembered. None: nothing is left out.
    is_done: all of that status has been listed once, so that whatever is not known by now is new.
    """

    since: str | None
    is_done: bool = False


class Memory:
    """All instances that were seen, by workflow and id."""

    def __init__(self) -> None:
        self._instances: dict[str, dict[str, Entry]] = {}
        #: By workflow and status.
        self.baselines: dict[tuple[str, str], Baseline] = {}
        # What ended until then and is not remembered was forgotten for want of room.
        self._forgotten_until: dict[str, str] = {}

    def __len__(self) -> int:
        return sum(map(len, self._instances.values()))

    def knows(self, sighting: Sighting) -> bool:
        """Whether a sighting is nothing new."""
        entry = self._entry(sighting)
        if entry is None:
            return sighting.ended_on is not None and sighting.ended_on <= self._forgotten_until.get(sighting.workflow_name, "")
        if entry.is_open or entry.status != sighting.status:
            return False
        # The end of a finished instance may be told later than its status.
        return entry.ended_on == sighting.ended_on or None in (entry.ended_on, sighting.ended_on)

    def is_silent(self, sighting: Sighting) -> bool:
        """Whether what is not known yet was there before the source was, and is only to be remembered."""
        baseline = self.baselines.get((sighting.workflow_name, sighting.status), Baseline(None, True))
        if baseline.is_done or baseline.since is None:
            return False
        return sighting.moment is None or sighting.moment < baseline.since

    def see(self, sighting: Sighting, now: float) -> None:
        """What is known was seen again."""
        entry = self._entry(sighting)
        if entry is not None:
            ended_on = entry.ended_on or sighting.ended_on
            failed_on = ended_on if entry.failed_on is None and sighting.status == ERRORED else entry.failed_on
            self._put(sighting, entry._replace(seen_at=now, ended_on=ended_on, failed_on=failed_on))

    def note(self, sighting: Sighting, now: float, told: bool) -> None:
        """Take in what was not known; told: it was put into the queue."""
        failures, failed_on = self._failures_with(sighting)
        entry = self._entry(sighting)
        # What is told again is as old as when it was told first, so that this ends.
        same = entry is not None and (entry.status, entry.ended_on) == (sighting.status, sighting.ended_on)
        told_at = entry.told_at if entry and same and entry.told_at is not None else now
        self._put(sighting, Entry(sighting.status, sighting.ended_on, told_at if told else None, failures, failed_on, now))
        self._make_room()

    def failures(self, sighting: Sighting) -> int:
        """Distinct failures of an instance, by their ends, this sighting included."""
        return self._failures_with(sighting)[0]

    def previous_status(self, sighting: Sighting) -> str | None:
        """The status in which the instance was seen before this one; None where it wasn't."""
        entry = self._entry(sighting)
        return entry.status if entry and entry.status != sighting.status else None

    def finish_sweep(self, workflow_name: str, status: str, began_at: float, now: float) -> None:
        """All of a status has been listed since `began_at`: what was not among it has left that status."""
        instances = self._instances.get(workflow_name, {})
        for instance_id, entry in list(instances.items()):
            if entry.status == status and entry.seen_at < began_at and status not in FINISHED:
                instances[instance_id] = entry._replace(is_open=True, told_at=None)
            elif now - entry.seen_at > _LONGEST:
                del instances[instance_id]
        baseline = self.baselines.get((workflow_name, status))
        if baseline is not None:
            self.baselines[workflow_name, status] = baseline._replace(is_done=True)

    def tell_again(self, since: float) -> int:
        """What was told since then counts as not told; its failures stay counted. Returns how many there are."""
        again = 0
        for instances in self._instances.values():
            for instance_id, entry in instances.items():
                if entry.told_at is not None and entry.told_at >= since:
                    instances[instance_id] = entry._replace(is_open=True)
                    again += 1
        return again

    def keep_only(self, workflow_names: t.Collection[str]) -> None:
        """Forget workflows that nobody asks for any more."""
        self._instances = {name: entries for name, entries in self._instances.items() if name in workflow_names}
        self._forgotten_until = {name: until for name, until in self._forgotten_until.items() if name in workflow_names}
        self.baselines = {key: baseline for key, baseline in self.baselines.items() if key[0] in workflow_names}

    # -- as it is kept ----------------------------------------------------------------------------------------------------

    def as_json(self) -> Json:
        """All of it, as `from_json` reads it."""
        return {
            "instances": {name: {key: list(entry) for key, entry in entries.items()} for name, entries in self._instances.items()},
            "baselines": [[*key, *baseline] for key, baseline in self.baselines.items()],
            "forgotten_until": dict(self._forgotten_until),
        }

    @classmethod
    def from_json(cls, kept: t.Any) -> Memory:
        """What `as_json` made. Raises ValueError where it is something else."""
        memory = cls()
        try:
            for name, entries in kept["instances"].items():
                memory._instances[_text(name)] = {_text(key): _entry_of(values) for key, values in entries.items()}
            for workflow_name, status, since, is_done in kept["baselines"]:
                memory.baselines[_text(workflow_name), _text(status)] = Baseline(_text_or_none(since), bool(is_done))
            memory._forgotten_until = {_text(name): _text(until) for name, until in kept["forgotten_until"].items()}
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError("no memory") from error
        return memory

    # -- inside -----------------------------------------------------------------------------------------------------------

    def _entry(self, sighting: Sighting) -> Entry | None:
        return self._instances.get(sighting.workflow_name, {}).get(sighting.id)

    def _put(self, sighting: Sighting, entry: Entry) -> None:
        self._instances.setdefault(sighting.workflow_name, {})[sighting.id] = entry

    def _failures_with(self, sighting: Sighting) -> tuple[int, str | None]:
        """Failures of an instance with this sighting, and what the last of them is told by."""
        entry = self._entry(sighting)
        failures, failed_on = (entry.failures, entry.failed_on) if entry else (0, None)
        if sighting.status != ERRORED:
            return failures, failed_on
        if entry is None or failures == 0:
            return 1, sighting.failed_on
        if sighting.failed_on == failed_on or (failed_on is None and entry.status == ERRORED):
            return failures, sighting.failed_on
        if sighting.failed_on is None and entry.status == ERRORED:
            return failures, failed_on
        return failures + 1, sighting.failed_on

    def _make_room(self) -> None:
        """Forget those that were not seen for the longest, and of those the ones that ended first; a tenth at once."""
        if len(self) <= MOST_INSTANCES:
            return
        everything = [(name, key, entry) for name, entries in self._instances.items() for key, entry in entries.items()]
        everything.sort(key=lambda one: (one[2].seen_at // _DAY, one[2].ended_on or ""))
        for name, key, entry in everything[: len(everything) - MOST_INSTANCES * 9 // 10]:
            del self._instances[name][key]
            if entry.ended_on:
                self._forgotten_until[name] = max(entry.ended_on, self._forgotten_until.get(name, ""))


def _entry_of(values: t.Any) -> Entry:
    status, ended_on, told_at, failures, failed_on, seen_at, is_open = values
    if not isinstance(failures, int) or not isinstance(seen_at, (int, float)) or not isinstance(told_at, (int, float, type(None))):
        raise TypeError
    return Entry(_text(status), _text_or_none(ended_on), told_at, failures, _text_or_none(failed_on), seen_at, bool(is_open))


def _text(value: t.Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _text_or_none(value: t.Any) -> str | None:
    return None if value is None else _text(value)
