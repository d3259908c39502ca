# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report as data: for the page that a template writes, and for the jobs that come after. Pure.

All of it is text and numbers that may be shown as they are, once the template has escaped them.
"""

from __future__ import annotations

import typing as t

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.text import clean, shown_id
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.types import Json
from ansible_collections.edgeops.cloudflare.plugins.plugin_utils.runbook import hours
from ansible_collections.edgeops.cloudflare.plugins.plugin_utils.runbook.failures import Group
from ansible_collections.edgeops.cloudflare.plugins.plugin_utils.runbook.fates import Fate
from ansible_collections.edgeops.cloudflare.plugins.plugin_utils.runbook.report import Report
from ansible_collections.edgeops.cloudflare.plugins.plugin_utils.runbook.screen import duration, moment
from ansible_collections.edgeops.cloudflare.plugins.plugin_utils.runbook.statuses import STATUSES

#: Groups of failures on the page, and in what is handed on; ids of a record's errored instances.
MOST_ON_PAGE = 25
MOST_HANDED_ON = 10
MOST_IDS = 100

#: The pictures' own units: they are stretched to the width that there is.
WIDTH = 1000
HEIGHT = 100

#: What is drawn of the smallest number, so that it can be seen.
_LEAST_WIDTH = 6.0
_LEAST_HEIGHT = 1.5

#: The part of a span that its two bars take.
_BAR = 0.4


def page(report: Report) -> Json:
    """What the page shows."""
    kinds = hours.KINDS if report.tells_ends else (hours.CREATED,)
    return {
        "name": report.name,
        "headline": _without_name(report),
        "now": _legible(report.now),
        "since": _legible(report.since),
        "calls": report.calls,
        "remarks": report.remarks,
        "tells_all": any(row.all is not None for row in report.rows),
        "statuses": [
            {
                "status": row.status,
                "listed": row.listed,
                "all": row.all,
                "oldest": duration(row.age.oldest) if row.age else "",
                "median": duration(row.age.median) if row.age else "",
                "colour": _colour(row.status),
            }
            for row in report.rows
        ],
        "strip": strip([(row.status, row.listed) for row in report.rows if row.listed]),
        "span_hours": report.throughput.hours,
        "kinds": list(kinds),
        "spans": [
            {"title": moment(span.begin), "begin": span.begin, "counts": [span.counts[kind] for kind in kinds]}
            for span in report.throughput.spans
        ],
        "bars": bars(report.throughput.spans, kinds),
        "highest": max((_height_of(span, kinds) for span in report.throughput.spans), default=0),
        "errors": [_group(report, group) for group in report.errors[:MOST_ON_PAGE]],
        "more_errors": len(report.errors[MOST_ON_PAGE:]),
        "steps": [_group(report, group) for group in report.steps[:MOST_ON_PAGE]],
        "more_steps": len(report.steps[MOST_ON_PAGE:]),
        "fates": None if report.fates is None else [_fate(report, fate) for fate in report.fates],
    }


def handed_on(report: Report) -> Json:
    """What the jobs that come after get; small, whatever the report is of."""
    throughput = report.throughput
    return {
        "workflow_name": report.name,
        "made_at": report.now,
        "since": report.since,
        "headline": report.headline,
        "remarks": report.remarks,
        "listed": report.listed,
        "errored": report.errored,
        "errors_read": report.read,
        "statuses": [{"status": row.status, "listed": row.listed, "all": row.all} for row in report.rows],
        "errors": [_handed_on(group) for group in report.errors[:MOST_HANDED_ON]],
        "steps": [_handed_on(group) for group in report.steps[:MOST_HANDED_ON]],
        "hours": {
            "each": throughput.hours,
            "since": throughput.spans[0].begin,
            **{kind: [span.counts[kind] for span in throughput.spans] for kind in hours.KINDS},
        },
        "record": None
        if report.fates is None
        else [
            {
                **fate._asdict(),
                "by_status": [{"status": one, "count": count} for one, count in fate.by_status.items()],
                "errored": len(fate.errored),
            }
            for fate in report.fates
        ],
        "api_calls": report.calls,
    }


def strip(counts: t.Sequence[tuple[str, int]]) -> list[Json]:
    """One bar of all statuses, side by side: x and width in WIDTH, and a colour of each. The smallest can be seen."""
    total = sum(count for _status, count in counts)
    widths = [max(_LEAST_WIDTH, WIDTH * count / total) for _status, count in counts]
    scale = WIDTH / sum(widths) if widths else 1
    found, x = [], 0.0
    for (status, count), width in zip(counts, widths):
        found.append({"status": status, "count": count, "x": round(x, 2), "width": round(width * scale, 2), "colour": _colour(status)})
        x += width * scale
    return found


def bars(spans: t.Sequence[hours.Span], kinds: t.Sequence[str]) -> list[Json]:
    """For each span the bar of those created, and beside it a pile of those ended: x, y, width and height in WIDTH and HEIGHT."""
    highest = max((_height_of(span, kinds) for span in spans), default=0)
    room = WIDTH / len(spans) if spans else 0
    found = []
    for number, span in enumerate(spans):
        left = number * room + room * (0.5 - _BAR)
        if span.counts[hours.CREATED]:
            found.append(_bar(hours.CREATED, left, room * _BAR, 0, span.counts[hours.CREATED], highest))
        below = 0
        for kind in (kind for kind in hours.ENDED if kind in kinds and span.counts[kind]):
            found.append(_bar(kind, left + room * _BAR, room * _BAR, below, span.counts[kind], highest))
            below += span.counts[kind]
    return found


def _height_of(span: hours.Span, kinds: t.Sequence[str]) -> int:
    return max(span.counts[hours.CREATED], sum(span.counts[kind] for kind in kinds if kind != hours.CREATED))


def _bar(kind: str, x: float, width: float, below: int, count: int, highest: int) -> Json:
    height = max(_LEAST_HEIGHT, HEIGHT * count / highest)
    bottom = HEIGHT * below / highest
    return {
        "kind": kind,
        "x": round(x, 2),
        "y": round(max(0.0, HEIGHT - bottom - height), 2),
        "width": round(width, 2),
        "height": round(height, 2),
    }


def _colour(status: str) -> str:
    """The name of a status's colour: its own, or that of words not known yet."""
    return status if status in STATUSES else "unknown"


def _without_name(report: Report) -> str:
    """The headline below one that is the workflow's name."""
    sentence = report.headline[len(report.name) + 2 :]
    return sentence[:1].upper() + sentence[1:]


def _legible(timestamp: str) -> str:
    """A time of the API without its `T`, fractions and `Z`."""
    return clean(timestamp, 30)[:19].replace("T", " ")


def _group(report: Report, group: Group) -> Json:
    return {
        "title": group.title,
        "example": group.example if group.message and group.example != group.message else "",
        "total": group.total,
        "newest": _legible(group.newest),
        "kinds": [{"name": name, "count": count} for name, count in group.steps[:MOST_HANDED_ON]],
        "more_kinds": len(group.steps[MOST_HANDED_ON:]),
        "examples": [{"id": shown_id(one), "link": report.link(one)} for one in group.ids],
    }


def _fate(report: Report, fate: Fate) -> Json:
    return {
        **fate._asdict(),
        "made_at": _legible(fate.made_at),
        "by_status": [{"status": one, "count": count, "colour": _colour(one)} for one, count in fate.by_status.items()],
        "errored": [{"id": shown_id(one), "link": report.link(one)} for one in fate.errored[:MOST_IDS]],
        "more_errored": len(fate.errored[MOST_IDS:]),
    }


def _handed_on(group: Group) -> Json:
    return {
        "name": group.name,
        "message": group.message,
        "count": group.total,
        "newest": group.newest,
        "ids": [shown_id(one) for one in group.ids],
    }
