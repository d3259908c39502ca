# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The account of several deeds: the result's `msg`, `instances`, `ids` and `summary`. Pure."""

from __future__ import annotations

import collections
import typing as t

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import CloudflareError
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.types import Json
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.grouping import grouped
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.deed import Deed
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.record import CHANGED, FAILED, NOT_ATTEMPTED, UNCHANGED, UNKNOWN
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.sentence import Sentence
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.telling import told

OUTCOMES = (CHANGED, UNCHANGED, FAILED, UNKNOWN, NOT_ATTEMPTED)

_WARNINGS_SHOWN = 5


class Words(t.NamedTuple):
    """How a kind of deed is told of.

    workflow_name: as it may stand in a sentence.
    done, would: `triggered`, `trigger`; preposition: `of` or `to`, before the instances.
    """

    workflow_name: str
    done: str
    would: str


def items(deeds: list[Deed], with_details: bool = False) -> list[Json]:
    """The result's `instances`."""
    return [_item(deed, with_details) for deed in deeds]


def _item(deed: Deed, with_details: bool) -> Json:
    item: Json = {
        "id": deed.id,
        "status": deed.status,
        "action": deed.action if deed.was_sent else None,
        "changed": deed.changed,
        "failed": deed.failed,
        "outcome": deed.outcome,
        "msg": deed.msg,
    }
    if with_details:
        known = told(deed.id or "", None, deed.detail, deed.has_log)
        item.update((name, known[name]) for name in ("error", "output", "output_truncated", "failed_step"))
    return item


def ids(deeds: list[Deed]) -> dict[str, list[str | None]]:
    """The result's `ids`: those of each outcome, in the order of the result."""
    by_outcome: dict[str, list[str | None]] = {outcome: [] for outcome in OUTCOMES}
    for deed in deeds:
        by_outcome[deed.outcome or NOT_ATTEMPTED].append(deed.id)
    return by_outcome


def summary(deeds: list[Deed], matched: int | None, duration: float) -> Json:
    """The result's `summary`; matched: how many match, where that is not how many deeds there are; duration: seconds."""
    counted = collections.Counter(deed.outcome for deed in deeds)
    return {
        "matched": len(deeds) if matched is None else matched,
        **{outcome: counted[outcome] for outcome in OUTCOMES},
        "by_status": dict(collections.Counter(deed.status for deed in deeds if deed.status)),
        "duration": round(duration, 3),
    }


def warnings(deeds: list[Deed], failed: bool) -> list[str]:
    """What the operator should read although the task may be green."""
    if failed and len(deeds) == 1:
        return []
    texts = [deed.warning.headline for deed in deeds if deed.warning]
    if len(texts) > _WARNINGS_SHOWN:
        texts[_WARNINGS_SHOWN:] = [f"and {len(texts) - _WARNINGS_SHOWN} more like these"]
    return texts


def message(deeds: list[Deed], words: Words, check_mode: bool, fatal: CloudflareError | None = None, nobody: str = "") -> Sentence:
    """The result's `msg`; nobody: what is said where there is no instance at all."""
    if not deeds:
        sentence = Sentence(nobody, "" if fatal else "nothing was sent")
    elif len(deeds) == 1:
        sentence = deeds[0].sentence or Sentence(f"{deeds[0].name} was not attempted")
    else:
        sentence = _many(deeds, words, check_mode)
    if fatal is None:
        return sentence
    why = sentence.why if fatal.message in sentence.why else "; ".join(part for part in (sentence.why, fatal.message) if part)
    do = ". ".join(dict.fromkeys(part for part in (fatal.advice or "Run again", sentence.do) if part))
    return sentence._replace(why=why, do=do)


def _many(deeds: list[Deed], words: Words, check_mode: bool) -> Sentence:
    whole = f"{len(deeds):,} instances of {words.workflow_name}"
    bad = [deed for deed in deeds if deed.outcome in (FAILED, UNKNOWN)]
    left = [deed for deed in deeds if deed.outcome == NOT_ATTEMPTED]
    done = [deed for deed in deeds if deed.outcome == CHANGED]
    unchanged = [deed for deed in deeds if deed.outcome == UNCHANGED]
    parts = []
    if bad:
        parts.append(f"{len(bad):,} of {whole} {'was' if len(bad) == 1 else 'were'} not {words.done}: {_grouped(bad)}")
    if left:
        parts.append(f"{len(left):,} {'' if parts else 'of ' + whole + ' '}{'was' if len(left) == 1 else 'were'} not attempted")
    if done or not parts:
        whose = "" if parts else f" of {whole}"
        if check_mode:
            parts.append(f"Would {words.would} {len(done):,}{whose}")
        elif len(done) == len(deeds):
            parts.append(f"All {whole} were {words.done}")
        else:
            parts.append(f"{len(done):,}{whose} {'was' if len(done) == 1 else 'were'} {words.done}")
    if unchanged:
        parts.append(f"{len(unchanged):,} left as {'it is' if len(unchanged) == 1 else 'they are'}: {_grouped(unchanged)}")
    remedies = dict.fromkeys(deed.sentence.do for deed in bad if deed.sentence and deed.sentence.do)
    return Sentence(". ".join(parts), do=". ".join(list(remedies)[:3]))


def _grouped(deeds: list[Deed]) -> str:
    return grouped(((deed.sentence.group if deed.sentence else "") or "other reasons", deed.id or "") for deed in deeds)
