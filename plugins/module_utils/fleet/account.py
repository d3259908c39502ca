# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The account of a task in words: the result's `msg` for one instance, for many, or for none. Pure.

AWX shows the `msg` of a failed task first, and a pager 120 characters of it: bad news first, states before verbs, each remedy once
and last. It is made of the sentences about the instances, by their groups.
"""

from __future__ import annotations

import typing as t

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import CloudflareError, InternalError, TooManyMatched
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.text import clean, shown_name
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.types import Json
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.grouping import grouped
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.selection import Selection
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance import phrases
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.lifecycle import (
    ACTION_OF,
    FINISHED,
    PARTICIPLE_OF,
    PENDING,
    decide,
)
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.record import (
    CHANGED,
    FAILED,
    NOT_ATTEMPTED,
    UNCHANGED,
    UNKNOWN,
    Record,
)
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.sentence import Sentence
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.wanted import Wanted

#: From where a restart goes, in a plan.
FROM_THE_BEGINNING, FROM_FAILED_STEP = "from the beginning", "from the step that failed"

_REMEDIES_SHOWN = 3
_BATCHES_SHOWN = 6


class Told(t.NamedTuple):
    """What the account is of.

    selection: what `select` asked for; None where ids were given.
    fatal: what ended the task early.
    estimate: what a real run would cost, in words; in check mode.
    batches: as in the result; batch_pause: seconds between two; has_canary: whether the first one is watched more closely.
    """

    records: list[Record]
    workflow_name: str
    wanted: Wanted
    max_instances: int
    check_mode: bool = False
    selection: Selection | None = None
    fatal: CloudflareError | None = None
    estimate: str | None = None
    batches: t.Sequence[Json] = ()
    batch_pause: float = 0.0
    has_canary: bool = False


def message(told: Told) -> str:
    """The result's `msg`."""
    if isinstance(told.fatal, TooManyMatched):
        return str(too_many(told.fatal, _workflow(told), told.max_instances, "nothing was changed"))
    if not told.records:
        return str(_nobody(told))
    if len(told.records) == 1:
        return str(_one(told, told.records[0]))
    return str(_plan(told) if told.check_mode and told.fatal is None else _many(told))


def nothing_matched(told: Told) -> Sentence:
    """A selection that matches nothing, with the filters that were in force."""
    filters = f" ({told.selection.told()})" if told.selection else ""
    return Sentence(f"No instance of {_workflow(told)} {'matches' + filters if told.selection else 'is asked for'}", phrases.NOTHING_SENT)


# -- none, one, too many --------------------------------------------------------------------------------------------------


def _nobody(told: Told) -> Sentence:
    if told.fatal is None:
        return nothing_matched(told)
    return Sentence(f"No instance of {_workflow(told)} was changed", why=told.fatal.message, do=_advice(told.fatal))


def _one(told: Told, record: Record) -> Sentence:
    """The instance's own sentence; what ended the task is added where it says nothing of that yet."""
    sentence = record.sentence or Sentence(phrases.being(record))
    if told.fatal is None:
        return sentence
    if told.fatal.message not in sentence.why:
        sentence = sentence._replace(why="; ".join(part for part in (sentence.why, told.fatal.message) if part))
    return sentence._replace(do=_remedies([told.fatal.advice, sentence.do]) or _advice(told.fatal))


def _advice(fatal: CloudflareError) -> str:
    """What to do about what ended the task; a mistake of our own says so itself."""
    return fatal.advice or ("" if isinstance(fatal, InternalError) else "Run again")


def too_many(error: TooManyMatched, name: str, max_instances: int, so: str) -> Sentence:
    """A selection that is too large; name: the workflow's, as it is shown; so: what follows from it."""
    counted = f"{error.matched:,}" if error.is_complete else f"At least {error.matched:,}"
    statuses = ", ".join(f"{clean(status, 40)} {count:,}" for status, count in error.by_status.items())
    roomy = -(-error.matched // 100) * 100
    return Sentence(
        f"{counted} instances of {name} match ({statuses}), more than max_instances={max_instances}; {so}",
        do=f"Narrow select, or set max_instances={roomy}" + ("" if error.is_complete else " or more"),
    )


# -- many -----------------------------------------------------------------------------------------------------------------


def _many(told: Told) -> Sentence:
    """What became of many: what went wrong, what is as wanted, what was not attempted, why, and every remedy once."""
    records = told.records
    bad = [record for record in records if record.outcome in (FAILED, UNKNOWN) and not record.errored_again]
    left = [record for record in records if record.outcome == NOT_ATTEMPTED]
    again = [record for record in records if record.errored_again]
    good = [record for record in records if record.outcome in (CHANGED, UNCHANGED) and record not in again]
    parts = []
    if bad:
        verb = (
            f"can't be {_participle(told)}" if all(_is_hopeless(record) for record in bad) else f"{_are(told, len(bad))} not {_state(told)}"
        )
        parts.append(f"{len(bad):,} of {_all(told)} {verb}: {_grouped(bad)}")
    if again:
        whose = "" if parts else f"of {_all(told)} "
        have = "has" if len(again) == 1 else "have"
        parts.append(
            f"{len(again):,} {whose}{_were(len(again))} {_participle(told)} and {have} errored again: {_listed(again, _its_error)}"
        )
    if left:
        reason = f" ({left[0].sentence.why})" if told.fatal is None and left[0].sentence else ""
        parts.append(f"{len(left):,} {'of ' + _all(told) + ' ' if not parts else ''}{_were(len(left))} not attempted{reason}")
    parts.append(_good(told, good, is_all=len(good) == len(records), is_first=not parts))
    text = ". ".join(_capital(part) for part in parts if part)
    concerned = [*bad, *again]
    remedies = [record.sentence.do for record in concerned if record.sentence]
    if told.fatal is not None:
        return Sentence(text, why=told.fatal.message, do=_remedies([_advice(told.fatal), *remedies]))
    return Sentence(text, do=_remedies(remedies))


def _good(told: Told, good: list[Record], is_all: bool, is_first: bool) -> str:
    """What is as wanted, what is on its way there, and what was left alone."""
    if not good:
        return "" if not is_first else f"None of {_all(told)} was {_participle(told)}"
    there = [record for record in good if _is_there(record)]
    rest = [record for record in good if not _is_there(record)]
    whose = f"{_all(told)}" if is_all else f"{len(good):,} of {_all(told)}"
    subject = f"The other {len(good):,}" if not is_first else f"All {whose}" if is_all and not rest else whose
    changed = sum(record.outcome == CHANGED for record in there)
    if not there:
        return f"{subject} {_were(len(good))} left as they are: {_left_alone(rest)}"
    if rest:
        return f"{subject}: {len(there):,} {_are(told, len(there))} {_state(told)} ({changed:,} by this task), {_left_alone(rest)}"
    return f"{subject} {_are(told, len(there))} {_state(told)} ({changed:,} by this task)"


def _left_alone(records: list[Record]) -> str:
    """Groups of those that are neither as wanted nor failed."""
    return _listed(records, _why_left_alone)


def _why_left_alone(record: Record) -> str:
    if _is_on_its_way(record):
        return f"still {record.status}"
    if record.wanted.state == "terminated" and record.status in FINISHED:
        return f"{record.status} before this task could terminate it"
    if record.status in FINISHED and record.wanted.skip_finished:
        return f"{record.status} (skip_finished)"
    if record.status == "errored" and record.wanted.error_glob is not None:
        return "errored with another error"
    if record.first_status != record.status:
        return f"no longer {record.first_status} ({record.status})"
    return f"left alone ({record.status})"


def _is_there(record: Record) -> bool:
    if record.wanted.state == "restarted":
        return record.outcome == CHANGED
    if record.wanted.state == "running" and record.outcome == CHANGED:
        return True
    if record.wanted.state == "terminated":
        return record.status == "terminated"
    return decide(record.status or "", record.wanted.state).kind == "satisfied"


def _is_on_its_way(record: Record) -> bool:
    """It was left heading for the state, since nobody waits: by the task's wish, or in check mode."""
    return decide(record.status or "", record.wanted.state).kind == PENDING


def _is_hopeless(record: Record) -> bool:
    """Nothing could have been sent: its status admits of no way, or it isn't there."""
    return record.outcome == FAILED and not record.sends and (record.status is None or record.status in (*FINISHED, "rollingBack"))


# -- check mode -----------------------------------------------------------------------------------------------------------


def _plan(told: Told) -> Sentence:
    """What a run would do, with what can't be taken back."""
    records = told.records
    acts = [record for record in records if record.outcome == CHANGED]
    bad = [record for record in records if record.outcome == FAILED]
    left = [record for record in records if record.outcome == NOT_ATTEMPTED]
    others = [record for record in records if record.outcome == UNCHANGED]
    parts = []
    if bad:
        parts.append(f"{len(bad):,} of {_all(told)} can't be {_participle(told)}: {_grouped(bad)}")
    if left:
        parts.append(f"{len(left):,} would not be attempted ({left[0].sentence.why if left[0].sentence else ''})")
    waits = ", and wait" if told.wanted.wait else ", and not wait"
    extent = f" {_extent(told.wanted)}" if _extent(told.wanted) else ""
    action = ACTION_OF[told.wanted.state]
    statuses = f" ({_listed(acts, lambda record: str(record.status), ids=False)})" if acts else ""
    parts.append(f"Would {action} {len(acts):,} of {_all(told)}{extent}{waits if acts else ''}{statuses}{_in_batches(told)}")
    if others:
        there = sum(_is_there(record) for record in others)
        rest = [record for record in others if not _is_there(record)]
        shown = ([f"{there:,} {_state(told)} already"] if there else []) + ([_left_alone(rest)] if rest else [])
        parts.append(", ".join(shown))
    if told.estimate:
        parts.append(told.estimate)
    remedies = [record.sentence.do for record in bad if record.sentence]
    return Sentence(". ".join(_capital(part) for part in parts), do=_remedies(remedies))


def _in_batches(told: Told) -> str:
    """The batches, by their sizes."""
    sizes = [f"{batch['matched']:,}" for batch in told.batches]
    if len(sizes) < 2:
        return ""
    shown = sizes if len(sizes) <= _BATCHES_SHOWN else [*sizes[: _BATCHES_SHOWN - 1], "…", sizes[-1]]
    pause = f", {told.batch_pause:g} s apart" if told.batch_pause else ""
    canary = ", the first of them a canary" if told.has_canary else ""
    return f" in {len(sizes):,} batches of {', '.join(shown)}{pause}{canary}"


def _extent(wanted: Wanted) -> str:
    if wanted.state == "terminated":
        return "with rollback" if wanted.rollback else "WITHOUT rollback"
    if wanted.state != "restarted":
        return ""
    if wanted.from_failed_step:
        return FROM_FAILED_STEP
    return f"from {shown_name(wanted.step, 80)}" if wanted.step else FROM_THE_BEGINNING


# -- parts ----------------------------------------------------------------------------------------------------------------


def _workflow(told: Told) -> str:
    return shown_name(told.workflow_name)


def _all(told: Told) -> str:
    return f"{len(told.records):,} instances of {_workflow(told)}"


def _participle(told: Told) -> str:
    return PARTICIPLE_OF[ACTION_OF[told.wanted.state]]


def _state(told: Told) -> str:
    return told.wanted.state


def _are(told: Told, count: int) -> str:
    """A restart is an event, the other states last."""
    if told.wanted.state == "restarted":
        return _were(count)
    return "is" if count == 1 else "are"


def _were(count: int) -> str:
    return "was" if count == 1 else "were"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _its_error(record: Record) -> str:
    error = phrases.error_text(record.look.error) if record.look else ""
    return f"with {error}" if error else "with an error that was not read"


def _grouped(records: list[Record]) -> str:
    """The reasons, the most frequent first, each with the first few ids."""
    return _listed(records, lambda record: (record.sentence.group if record.sentence else "") or "other reasons")


def _listed(records: list[Record], name_of: t.Callable[[Record], str], ids: bool = True) -> str:
    return grouped(((name_of(record), record.id) for record in records), ids)


def _remedies(remedies: t.Iterable[str]) -> str:
    """Each once, in the order of what they are for."""
    return ". ".join(list(dict.fromkeys(filter(None, remedies)))[:_REMEDIES_SHOWN])
