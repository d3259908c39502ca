# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a look at an instance adds to a sighting: its error, the step that failed, its end. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.types import Json
from ansible_collections.edgeops.cloudflare.plugins.module_utils.events.shape import (
    ERRORED,
    FINISHED,
    Sighting,
    can_be_handed_on,
    error_shown,
    normal_time,
)
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.look import has_status, text_of
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.names import LONGEST_STEP_NAME
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.steplog import failed_step

#: Seconds before each look: listings and messages can be ahead of what a look tells (API.md, 4).
PATIENCE = (0.0, 1.0, 2.0, 4.0)


class Insight(t.NamedTuple):
    """What a look told.

    sighting: with what it adds. holds: the instance is in the status of the sighting.
    is_ripe: there is nothing more to wait for.
    """

    sighting: Sighting
    holds: bool
    is_ripe: bool


def insight_of(sighting: Sighting, detail: Json) -> Insight:
    """What a detail adds to a sighting. The log is in the detail only where it is errored; where it isn't, no step is told."""
    status = detail.get("status") if has_status(detail) else None
    if status != sighting.status:
        return Insight(sighting, holds=False, is_ripe=False)
    ended_on = sighting.ended_on or normal_time(detail.get("end"))
    enriched = sighting._replace(
        ended_on=ended_on,
        moment=sighting.moment or ended_on,
        version_id=sighting.version_id or text_of(detail.get("versionId")),
    )
    is_ripe = ended_on is not None or status not in FINISHED
    if status == ERRORED:
        enriched = enriched._replace(error=error_shown(detail.get("error")), failed_step=_step(detail))
        is_ripe = is_ripe and enriched.error is not None
    return Insight(enriched, holds=True, is_ripe=is_ripe)


def _step(detail: Json) -> Json | None:
    step = failed_step(detail)
    # A name that can't be handed on as it is would be the name of another step.
    return step._asdict() if step and can_be_handed_on(step.name, LONGEST_STEP_NAME) else None


def sighting_of(workflow_name: str, item: Json) -> Sighting | None:
    """The sighting of an item of a listing; None for what is none, such as a phantom of the engine's."""
    if not has_status(item) or not can_be_handed_on(item.get("id")):
        return None
    ended_on = normal_time(item.get("ended_on")) if item["status"] in FINISHED else None
    return Sighting(
        workflow_name=workflow_name,
        id=item["id"],
        status=item["status"],
        ended_on=ended_on,
        moment=ended_on or normal_time(item.get("modified_on")),
        version_id=text_of(item.get("version_id")),
    )
