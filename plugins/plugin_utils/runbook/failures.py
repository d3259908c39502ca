# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What failed with which error in which step: alike errors together, the most frequent first. Pure."""

from __future__ import annotations

import collections
import re
import typing as t
from datetime import datetime, timezone

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.text import clean, shown_name
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.timestamps import parse_timestamp
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.types import Json

#: Characters of a message that are kept, of names, and of times.
LONGEST_MESSAGE = 200
LONGEST_NAME = 80
LONGEST_TIME = 30

#: Ids that a group names, the newest failures.
MOST_EXAMPLES = 3

#: What an instance failed with, and where, that says neither.
NO_ERROR = "(no error told)"
OUTSIDE = "(outside any step)"

ID, TIME, NUMBER = "<id>", "<time>", "#"

#: An id shorter than this may be a word of the message.
_SHORTEST_ID = 3

#: What differs from one instance to the next; what a server answered with is no such number.
_VARIABLE = re.compile(
    r"(?P<answer>\b(?:http|status|code)\b[\s:=/]{0,3}\d{3}\b)"
    r"|(?P<uuid>(?<![A-Za-z0-9])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![A-Za-z0-9]))"
    r"|(?P<time>\d{4}-\d\d-\d\d[t ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:z|[+-]\d\d:?\d\d)?)"
    r"|(?P<word>[A-Za-z0-9]+|\d+)",
    re.IGNORECASE,
)

_RUNS = re.compile(r"\d+|\D+")
_HEXADECIMAL = re.compile(r"[0-9a-fA-F]{8,}")


class Failure(t.NamedTuple):
    """An instance that failed.

    at: when, in the API's own words, "" where that is not told.
    step: the bare name of the step that failed; None where its log was not read.
    """

    id: str
    at: str
    name: str
    message: str
    step: str | None


class Group(t.NamedTuple):
    """Failures that are alike.

    name, message: of the error, the message with placeholders; for a group by its step, that step and "".
    example: the newest one's message as it is.
    steps: the steps that they failed in, and how many in each; for a group by its step, the errors.
    newest: when the newest one failed, "" where that is not told; ids: of the newest ones.
    """

    name: str
    message: str
    example: str
    total: int
    newest: str
    steps: list[tuple[str, int]]
    ids: list[str]

    @property
    def title(self) -> str:
        """The error, or the step, in one line."""
        return ": ".join(part for part in (self.name, self.message) if part)


def failure_of(item: Json, has_log: bool = False) -> Failure:
    """The failure of an item of `workflow_instance_info`; `has_log`: its log was read."""
    error, failed = item.get("error") or {}, item.get("failed_step")
    step = shown_name(failed["name"], LONGEST_NAME) if failed else OUTSIDE if has_log else None
    return Failure(
        id=item["id"],
        at=clean(item.get("ended_on") or "", LONGEST_TIME),
        name=clean(error.get("name") or "", LONGEST_NAME),
        message=clean(error.get("message") or "", LONGEST_MESSAGE * 4),
        step=step,
    )


def shape(message: str, instance_id: str = "") -> str:
    """A message in which ids, times and numbers are placeholders, so that those of the same cause are equal."""
    text = message.replace(instance_id, ID) if len(instance_id) >= _SHORTEST_ID else message
    return _VARIABLE.sub(_placeholder, text)


def by_error(failures: t.Iterable[Failure]) -> list[Group]:
    """Groups of the same error."""
    groups: dict[tuple[str, str], list[Failure]] = {}
    for failure in newest_first(failures):
        groups.setdefault((failure.name, shape(failure.message, failure.id)), []).append(failure)
    return _sorted(
        _group(name or ("" if message else NO_ERROR), message, members, [one.step for one in members])
        for (name, message), members in groups.items()
    )


def by_step(failures: t.Iterable[Failure]) -> list[Group]:
    """Groups of the same step, of those whose logs were read."""
    groups: dict[str, list[Failure]] = {}
    for failure in newest_first(failures):
        if failure.step is not None:
            groups.setdefault(failure.step, []).append(failure)
    return _sorted(_group(step, "", members, [_kind(one) for one in members]) for step, members in groups.items())


def newest_first(failures: t.Iterable[Failure]) -> list[Failure]:
    """The failures by when they happened; those of which that is not told come last, as they were."""
    return sorted(failures, key=lambda failure: moment_of(failure.at), reverse=True)


def moment_of(timestamp: object) -> datetime:
    """A moment to sort by: the beginning of time where there is none."""
    return parse_timestamp(timestamp) or datetime.min.replace(tzinfo=timezone.utc)


def _group(name: str, message: str, members: list[Failure], kinds: t.Iterable[str | None]) -> Group:
    """members: the newest first."""
    return Group(
        name=name,
        message=clean(message, LONGEST_MESSAGE),
        example=clean(members[0].message, LONGEST_MESSAGE),
        total=len(members),
        newest=members[0].at,
        steps=collections.Counter(kind for kind in kinds if kind is not None).most_common(),
        ids=[one.id for one in members[:MOST_EXAMPLES]],
    )


def _kind(failure: Failure) -> str:
    """Its error in a few words."""
    parts = (failure.name, shape(failure.message, failure.id))
    return clean(": ".join(part for part in parts if part), LONGEST_NAME) or NO_ERROR


def _sorted(groups: t.Iterable[Group]) -> list[Group]:
    """The most frequent first, of equal ones the newest."""
    return sorted(groups, key=lambda group: (group.total, moment_of(group.newest)), reverse=True)


def _placeholder(found: re.Match[str]) -> str:
    if found["uuid"]:
        return ID
    if found["time"]:
        return TIME
    return _of_word(found["word"]) if found["word"] else found.group()


def _of_word(word: str) -> str:
    if word.isdigit():
        return NUMBER
    if not any(character.isdigit() for character in word):
        return word
    runs = _RUNS.findall(word)
    if _HEXADECIMAL.fullmatch(word) or len(runs) > 3 or (len(runs) == 3 and len(word) > 5) or len(word) > 15:
        return ID
    # `order1002` is an instance of something; `E1001`, `utf8` and `v2` are what they are.
    is_numbered = len(runs) == 2 and runs[0].islower() and len(runs[1]) > 2 and runs[1].isdigit()
    return runs[0] + NUMBER if is_numbered else word
