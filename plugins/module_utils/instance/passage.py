# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether an instance has got past a step since it was sent on, by its log. Pure.

One look after a restart tells nothing of a step that is tried for seconds before it fails; its log does.
"""

from __future__ import annotations

import typing as t

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.types import Json
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.look import Look
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.steplog import Step, failed_step, has_succeeded, step_of


class Passage(t.NamedTuple):
    """What an instance is to get past.

    step: None where any step will do.
    known: the name and the start of each entry that had succeeded before, and so proves nothing.
    """

    step: Step | None
    known: frozenset[tuple[str, str]]


def passage_of(before: Look, action: str, step: Step | None) -> Passage:
    """What is to be passed after an action: the step that the restart names, else the one that had failed, else the next one.

    Args:
        before: the look that the action rests on, with its log.
        step: that a restart names.
    """
    log = list(before.log or ())
    if action == "restart" and step is None:
        step = failed_step({"steps": log, "error": before.error})
    return Passage(step, frozenset(_mark(entry) for entry in log if has_succeeded(entry)))


def is_passed(passage: Passage, log: t.Iterable[Json]) -> bool:
    """Whether the log shows that it has been passed."""
    return any(
        (step == passage.step if passage.step else step is not None) and has_succeeded(entry) and _mark(entry) not in passage.known
        for step, entry in ((step_of(entry), entry) for entry in log)
    )


def _mark(entry: Json) -> tuple[str, str]:
    return str(entry.get("name")), str(entry.get("start"))
