# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a report says in sentences: what is true, and what it does not tell. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.text import clean
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.types import Json
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.workflows import PAGE_SIZE
from ansible_collections.edgeops.cloudflare.plugins.plugin_utils.runbook import failures, hours
from ansible_collections.edgeops.cloudflare.plugins.plugin_utils.runbook.advice import followable
from ansible_collections.edgeops.cloudflare.plugins.plugin_utils.runbook.statuses import Row

#: The most that can be asked for, as the inputs have it.
_MOST_PAGES = 1000
_MOST_DETAILS = 1000


def headline(name: str, rows: list[Row], errored: list[failures.Failure], select: t.Mapping[str, str], listed: int) -> str:
    """What is true, in one sentence, bad news first.

    Args:
        errored: the newest first.
        listed: how many instances it rests on.
    """
    when = f" since {select['created_after']}"
    if "created_before" in select:
        when = f" from {select['created_after']} to {select['created_before']}"
    whose = f" with ids like {clean(select['id_glob'], 80)}" if "id_glob" in select else ""
    if not listed:
        return f"{name}: no instance{whose} was created{when}."
    parts = [f"{row.listed:,} {row.status}" for row in rows if row.listed]
    if not errored:
        parts.insert(0, "nothing errored")
    elif errored[0].at:
        parts[0] += f" (last at {errored[0].at[:16]}Z)" if errored[0].at.endswith("Z") else f" (last at {errored[0].at})"
    return f"{name}: {', '.join(parts)}; {listed:,} instance{'' if listed == 1 else 's'}{whose} created{when}."


def remarks(
    listed: Json,
    looked: Json,
    recorded: Json,
    rows: list[Row],
    errors_read: str,
    select: t.Mapping[str, str],
) -> list[str]:
    """What the report does not tell, and how to have it told, a sentence each.

    Args:
        listed, looked, recorded: the results of the listing, of the looks at those that failed, and at those of a record.
        errors_read: by of_how_many.
    """
    found = []
    summary = listed.get("summary") or {}
    if summary.get("truncated"):
        total = summary.get("total")
        needed = -(-total // PAGE_SIZE) if total else None
        remedy = f"max_pages={needed} lists all" if needed and needed <= _MOST_PAGES else "a later created_after lists all since then"
        found.append(f"Only the newest {summary['listed']:,}{f' of {total:,}' if total else ''} instances were listed: {remedy}.")
    found += [errors_read] if errors_read else []
    for result, what in ((looked, "errors"), (recorded, "instances of the record")):
        if _fell_short(result):
            found.append(f"Not all {what} could be read: {followable(result.get('msg', ''))}")
    older = sum(max(0, row.all - row.listed) for row in rows if row.all is not None and row.status not in hours.ENDED)
    if older and not summary.get("truncated") and set(select) == {"created_after"} and listed:
        found.append(f"{older:,} that {'has' if older == 1 else 'have'} not ended {'was' if older == 1 else 'were'} created before that.")
    if not hours.tells_ends(listed.get("instances") or []):
        found.append("When instances ended is not told by this server (a development session): the hours tell what was created.")
    return found


def _fell_short(result: Json) -> bool:
    """Whether a look at some instances did not tell of all that are there; the role has every such task pass."""
    summary = result.get("summary")
    if summary is None:
        return "msg" in result and not result.get("skipped")
    return bool(summary.get("matched", 0) > summary.get("read", 0))


def of_how_many(errored: int, read: int, most: int) -> str:
    """How many errors it rests on; "" where nothing failed."""
    if not errored:
        return ""
    if read >= errored:
        return f"Errors of {'all ' if errored > 1 else ''}{errored:,} failed instance{'' if errored == 1 else 's'}."
    newest = "" if most >= errored else ", the newest" + (f" (max_details={errored} reads all)" if errored <= _MOST_DETAILS else "")
    return f"Errors of {read:,} of {errored:,} failed instance{'' if errored == 1 else 's'}{newest}."
