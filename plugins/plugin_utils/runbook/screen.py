# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report on a screen: a sentence, and tables of aligned columns. Pure."""

from __future__ import annotations

import typing as t
import unicodedata

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.text import clean, shown_id
from ansible_collections.edgeops.cloudflare.plugins.plugin_utils.runbook import hours
from ansible_collections.edgeops.cloudflare.plugins.plugin_utils.runbook.failures import Group
from ansible_collections.edgeops.cloudflare.plugins.plugin_utils.runbook.fates import Fate
from ansible_collections.edgeops.cloudflare.plugins.plugin_utils.runbook.report import Report

#: Columns of a line: ansible-core puts up to twelve around it, and breaks those of YAML behind the eightieth.
WIDEST = 73

#: Groups of failures, groups of a record, and ids in a line that are shown.
MOST_GROUPS = 10
MOST_IDS = 10

#: Steps of an error, or errors of a step, that are shown, and the columns of each.
_MOST_KINDS = 3
_WIDEST_KIND = 40

#: Lines of an error.
_MOST_LINES = 2

#: Above the errors.
ERROR = "ERROR"

_GAP = "  "


def lines(report: Report, html_file: str | None = None) -> list[str]:
    """The report, line by line; `html_file`: where it is written as a page."""
    told = [report.headline, *report.remarks]
    if report.rows:
        told += ["", *_statuses(report)]
    if report.errors:
        told += ["", *_failures(report, ERROR, report.errors)]
    if report.steps:
        told += ["", *_failures(report, "FAILED STEP", report.steps)]
    if report.fates is not None:
        told += ["", *_fates(report.fates)]
    if report.listed:
        told += ["", *_hours(report)]
    told += ["", f"As of {report.now}, by {report.calls:,} call{'' if report.calls == 1 else 's'} of the API."]
    return told + ([f"As a page: {clean(html_file, 300)}"] if html_file else [])


def table(head: t.Sequence[str], rows: t.Sequence[t.Sequence[str]], left: t.Collection[int] = (0,)) -> list[str]:
    """Aligned columns; `left`: those that are aligned to the left. Wide characters take the room of two."""
    widths = [max(width(row[number]) for row in [head, *rows]) for number in range(len(head))]

    def cell(number: int, text: str) -> str:
        blanks = " " * (widths[number] - width(text))
        return text + blanks if number in left else blanks + text

    return [_GAP.join(cell(number, text) for number, text in enumerate(row)).rstrip() for row in [head, *rows]]


def width(text: str) -> int:
    """The columns that a text takes on a terminal."""
    return sum(0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def fitted(text: str, columns: int) -> str:
    """A text that takes no more columns, with `…` where it was cut."""
    if width(text) <= columns:
        return text
    kept = ""
    for character in text:
        if width(kept + character) > columns - 1:
            break
        kept += character
    return kept.rstrip() + "…"


def duration(seconds: float) -> str:
    """How long ago, in the two largest units."""
    units = [("d", 86400), ("h", 3600), ("min", 60), ("s", 1)]
    left = int(seconds)
    parts: list[str] = []
    for unit, length in units:
        if left >= length or (unit == "s" and not parts):
            parts.append(f"{left // length} {unit}")
            left %= length
        elif parts:
            break
        if len(parts) == 2:
            break
    return " ".join(parts)


def moment(timestamp: str) -> str:
    """A time of the API without its year and seconds, `08-06 03:12`."""
    return f"{timestamp[5:10]} {timestamp[11:16]}" if len(timestamp) >= 16 else clean(timestamp or "?", 11)


def span_title(throughput: hours.Throughput) -> str:
    """What a span is called."""
    return "HOUR" if throughput.hours == 1 else f"{throughput.hours} HOURS"


def _statuses(report: Report) -> list[str]:
    tells_all = any(row.all is not None for row in report.rows)
    head = ["STATUS", "LISTED", *(["ALL"] if tells_all else []), "OLDEST", "MEDIAN AGE"]
    rows = [
        [
            row.status,
            f"{row.listed:,}",
            *([f"{row.all or 0:,}"] if tells_all else []),
            duration(row.age.oldest) if row.age else "",
            duration(row.age.median) if row.age else "",
        ]
        for row in report.rows
    ]
    return table(head, rows)


def _failures(report: Report, title: str, groups: t.Sequence[Group]) -> list[str]:
    shown = groups[:MOST_GROUPS]
    counts = [f"{group.total:,}" for group in shown]
    behind = 11 + len(_GAP) + max(5, *map(len, counts)) + len(_GAP)
    room = WIDEST - behind - 1
    titles = [wrapped(group.title.split(), room)[:_MOST_LINES] for group in shown]
    for lines_ in titles:
        lines_[-1] = fitted(lines_[-1], room)
    head, *rows = table(
        ["LAST (UTC)", "COUNT", title],
        [(moment(group.newest), count, lines_[0]) for group, count, lines_ in zip(shown, counts, titles)],
        left=(0, 2),
    )
    found = [head]
    for group, row, lines_ in zip(shown, rows, titles):
        more = lines_[1:]
        if group.steps:
            more += wrapped(_kinds(group, "in" if title == ERROR else "with"), room)
        more += wrapped(_listed(map(shown_id, group.ids)), room)
        found += [row, *(" " * behind + part for part in more)]
        link = report.link(group.ids[0])
        if link and title == ERROR:
            found.append(link)
    found = [line if line.startswith("https:") else " " + line for line in found]  # YAML quotes all of them alike then
    return found + _and_more(groups)


def _kinds(group: Group, preposition: str) -> list[str]:
    """In which steps, or with which errors."""
    kinds = [f"{fitted(name, _WIDEST_KIND)} {count:,}" for name, count in group.steps[:_MOST_KINDS]]
    more = f"and {len(group.steps) - _MOST_KINDS:,} more" if len(group.steps) > _MOST_KINDS else ""
    return _listed([f"{preposition} {kinds[0]}", *kinds[1:]], more)


def _and_more(groups: t.Sequence[Group]) -> list[str]:
    rest = groups[MOST_GROUPS:]
    if not rest:
        return []
    return [f"… and {len(rest):,} more of these, with {sum(group.total for group in rest):,} failures"]


def _fates(fates: t.Sequence[Fate]) -> list[str]:
    found = []
    for fate in fates:
        job = f", job {fate.job}" if fate.job else ""
        found.append(f"RECORD OF {fate.made_at}{job}: {fate.total:,} {fate.title}; by now")
        parts = [f"{count:,} {status}" for status, count in fate.by_status.items()]
        parts += [f"{fate.gone:,} gone"] if fate.gone else []
        parts += [f"{fate.unread:,} not looked at"] if fate.unread else []
        found.append(fitted("  " + (", ".join(parts) or "nothing is known of them"), WIDEST))
        if fate.errored:
            more = f"and {len(fate.errored) - MOST_IDS:,} more" if len(fate.errored) > MOST_IDS else ""
            found += [f"  errored: {part}" for part in wrapped(_listed(map(shown_id, fate.errored[:MOST_IDS]), more), WIDEST - 11)]
    return found or ["THE RECORD holds no instance"]


def wrapped(words: t.Iterable[str], columns: int) -> list[str]:
    """Words in as many lines as it takes; one that is longer than a line is cut."""
    found = [""]
    for word in words:
        if found[-1] and width(found[-1]) + 1 + width(word) > columns:
            found.append("")
        found[-1] = fitted(f"{found[-1]} {word}".strip(), columns)
    return found


def _listed(words: t.Iterable[str], more: str = "") -> list[str]:
    """Words with commas between them, and `more` behind."""
    first = list(words)
    return [*(word + "," for word in first[:-1]), *first[-1:], *([more] if more else [])]


def _hours(report: Report) -> list[str]:
    kinds = hours.KINDS if report.tells_ends else (hours.CREATED,)
    return table(
        [f"{span_title(report.throughput)} (UTC)", *(kind.upper() for kind in kinds)],
        [[moment(span.begin), *(f"{span.counts[kind]:,}" for kind in kinds)] for span in report.throughput.spans],
    )
