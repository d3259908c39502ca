# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Looking at the instances that something is to be done to, by as few calls as possible."""

from __future__ import annotations

import typing as t

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.clock import Clock
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.workflows import Workflow
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.crew import Crew
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.inspection import Dossier, dossier_of
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.survey import Surveyor, last_statuses
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.deed import NOTHING_SENT, Deed
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.pursuit import Pursuit
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.sentence import Sentence


class Lookout:
    """Looks at the instances of deeds.

    Args:
        workflow_name: for what is said of them.
    """

    def __init__(self, surveyor: Surveyor, crew: Crew, workflow_name: str) -> None:
        self._surveyor = surveyor
        self._crew = crew
        self._workflow_name = workflow_name

    def look(
        self, deeds: t.Sequence[Deed], statuses: t.Sequence[str] = (), is_waiting: bool = False, is_selection_enough: bool = False
    ) -> dict[str, Dossier]:
        """A look at each, by listing where that is cheaper: what was seen, by id.

        Args:
            statuses: those that they are expected in, likeliest first.
            is_selection_enough: those that a selection has listed need no newer look.
            is_waiting: what may pass is no reason to end the task: the next look may fare better.

        Raises:
            CloudflareError: what would meet all of them.
        """
        pursuits = [self._pursuit(deed, is_waiting) for deed in deeds if deed.id is not None]
        unseen = [pursuit for pursuit in pursuits if not is_selection_enough or pursuit.record.look is None]
        alone = self._surveyor.survey(unseen, statuses or last_statuses(unseen))
        self._crew.each(self._surveyor.look_at, alone)
        return {pursuit.record.id: dossier_of(pursuit) for pursuit in pursuits}

    def _pursuit(self, deed: Deed, is_waiting: bool) -> Pursuit:
        dossier = Dossier(deed.id or "", self._workflow_name)
        if deed.listed is not None:
            dossier.see_listed(*deed.listed)  # when it was created bounds the listing
            dossier.expire()
        if is_waiting:
            dossier.waiting_since = 0.0
        return Pursuit(dossier)


class Field(t.NamedTuple):
    """Where something is done to instances, and by whom.

    ensure_heard: raises where nobody listens any more.
    """

    workflow: Workflow
    lookout: Lookout
    crew: Crew
    clock: Clock
    ensure_heard: t.Callable[[], None]
    check_mode: bool = False


def is_left_alone(deed: Deed, dossier: Dossier, selected: frozenset[str] | None) -> bool:
    """Whether a look ends it, since it failed, or since the instance has left the statuses that were selected."""
    if dossier.look_error is not None:
        error = dossier.look_error
        if deed.lost_by is not None:
            deed.abandon(f"it could not be looked at: {error.message}")
            return True
        deed.fail(
            Sentence(f"{deed.name} could not be looked at", NOTHING_SENT, error.message, error.advice or "Run again", group="not readable")
        )
        return True
    if selected is not None and dossier.status is not None and dossier.status not in selected:
        deed.status = dossier.status
        deed.left(Sentence(f"{deed.name} is no longer {' or '.join(sorted(selected))} ({dossier.status})", NOTHING_SENT, group="moved on"))
        return True
    return False
