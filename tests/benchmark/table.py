# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The results as Markdown, for the terminal and for the documentation alike."""

from __future__ import annotations

from contenders import EMPTY, FLOORS, MODULE, ONE_UNCHANGED, PING, TWENTY, TWENTY_PINGS, URI_LOOP

START, END = "<!-- results: start -->", "<!-- results: end -->"

# What the collection promises.
MOST_TIMES_FLOOR = {100: 1.0, 1000: 1.05}
LEAST_TIMES_URI = 20
MOST_TIMES_PING = 0.5
MOST_TIMES_TWENTY_PINGS = 0.2
LEAST_CALLS_SAVED = {1000: 20}


def floor_of(series):
    """The faster of the contenders that make the needed calls and do nothing else."""
    return min(FLOORS, key=lambda contender: series.seconds(contender).median)


def _seconds(spread):
    return f"{spread.median:.2f} ({spread.low:.2f}–{spread.high:.2f})"


def _milliseconds(spread):
    return f"{spread.median * 1000:.0f} ({spread.low * 1000:.0f}–{spread.high * 1000:.0f})"


def _calls(series, contender):
    totals = sorted({sum(measured.calls.values()) for measured in series.runs(contender)})
    return " or ".join(str(total) for total in totals)


def _table(head, rows):
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def fleet_table(series):
    """One fleet: every contender against the floor."""
    floor = floor_of(series)
    needed = sum(MODULE.calls(series.size).values())
    rows = []
    for contender in sorted(series.contenders, key=lambda one: series.seconds(one).median):
        ratio = series.beyond(contender).median / series.seconds(floor).median
        rows.append(
            [
                contender.title,
                _calls(series, contender),
                _seconds(series.seconds(contender)),
                "" if contender is EMPTY else _seconds(series.beyond(contender)),
                "" if contender in (EMPTY, PING) else f"{ratio:.2f}",
                f"{series.cpu(contender).median:.2f}",
                str(len(series.runs(contender))),
            ]
        )
    head = [f"{series.size} instances", f"calls ({needed} needed)", "seconds", "beyond an empty playbook", "÷ floor", "processor s", "runs"]
    return _table(head, rows)


def one_table(series):
    """One instance: a task against the least that a task costs."""
    ping = series.beyond(PING).median
    rows = []
    for contender in series.contenders:
        rows.append(
            [
                contender.title,
                _calls(series, contender),
                str(sum(contender.calls(1).values())) if contender.calls else "0",
                "" if contender is EMPTY else _milliseconds(series.beyond(contender)),
                "" if contender is EMPTY else f"{series.beyond(contender).median / ping:.2f}",
                f"{series.cpu(contender).median:.2f}",
                str(len(series.runs(contender))),
            ]
        )
    return _table(["one instance", "calls", "needed", "ms beyond an empty playbook", "÷ ping", "processor s", "runs"], rows)


def _verdict(ratio, promised):
    return "**kept**" if ratio <= promised else "**missed**"


def goals(fleets, one, ended, wrong):
    """The promises, and whether they are kept: list of sentences."""
    lines = ["calls exactly those needed, in every run: " + ("**no**" if wrong else "**yes**")]
    for series in fleets:
        floor = floor_of(series)
        lines.append(_against_floor(series, floor))
        if URI_LOOP in series.contenders:
            times = series.seconds(URI_LOOP).median / series.seconds(MODULE).median
            kept = "**kept**" if times >= LEAST_TIMES_URI else "**missed**"
            lines.append(
                f"{series.size} instances, whole playbook against that of the `uri` loop: {times:.1f} times as fast, "
                f"promised {LEAST_TIMES_URI}: {kept}"
            )
    lines += [_ended(size, measured) for size, measured in ended.items()]
    ratio = one.beyond(ONE_UNCHANGED).median / one.beyond(PING).median
    lines.append(
        f"one task, time beyond an empty playbook against `ping`: {ratio:.2f} times, promised at most {MOST_TIMES_PING}: "
        f"{_verdict(ratio, MOST_TIMES_PING)}"
    )
    ratio = one.cpu_beyond(TWENTY).median / one.cpu_beyond(TWENTY_PINGS).median
    lines.append(
        f"twenty tasks, processor time beyond an empty playbook against twenty `ping`: {ratio:.2f} times, promised at most "
        f"{MOST_TIMES_TWENTY_PINGS}: {_verdict(ratio, MOST_TIMES_TWENTY_PINGS)}"
    )
    return lines


def _ended(size, measured):
    made, needed = sum(measured.calls.values()), sum(MODULE.calls(size).values())
    line = f"{size} instances terminated with `bulk_terminate`: {made} calls instead of {needed}, in {measured.seconds:.1f} s"
    if size not in LEAST_CALLS_SAVED:
        return line
    most = needed / LEAST_CALLS_SAVED[size]
    return f"{line}, promised at most 1/{LEAST_CALLS_SAVED[size]} of them: {_verdict(made, most)}"


def _against_floor(series, floor):
    beyond, least = series.beyond(MODULE).median, series.seconds(floor).median
    ratio, promised = beyond / least, MOST_TIMES_FLOOR[series.size]
    verdict = "**kept**"
    if ratio > promised:
        verdict = f"**missed** by {beyond - promised * least:.2f} s"
    return (
        f"{series.size} instances, time beyond an empty playbook against {floor.title}: {ratio:.2f} times, promised at most {promised}: "
        f"{verdict}"
    )


def report(fleets, one, ended, wrong, facts):
    """All of it, Markdown.

    Args:
        fleets: list of Series; one: Series.
        ended: dict of size: Run, terminated by hundreds.
        wrong: list of str, see Series.wrong_calls.
        facts: dict of str, how and on what it was measured.
    """
    parts = ["\n".join(f"- {key}: {value}" for key, value in facts.items())]
    parts += [fleet_table(series) for series in fleets]
    parts.append(one_table(one))
    parts.append("\n".join("- " + line for line in goals(fleets, one, ended, wrong)))
    return "\n\n".join(parts) + "\n"


def replace_block(path, text):
    """Put the report between the two markers of a page."""
    page = path.read_text(encoding="utf-8")
    before, start, rest = page.partition(START)
    _old, end, after = rest.partition(END)
    if not (start and end):
        raise ValueError(f"{path} lacks the line {START} or {END}")
    path.write_text(f"{before}{START}\n\n{text}\n{END}{after}", encoding="utf-8")
