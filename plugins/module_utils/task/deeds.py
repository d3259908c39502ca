# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What tasks have in common that do something to instances once: trigger, delete, send an event."""

from __future__ import annotations

import collections
import functools
import typing as t

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.connection import Connection
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import TooManyMatched
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.text import shown_name
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.workflows import Workflow
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet import bounds, deeds, report
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.account import too_many
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.crew import Crew
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.deeds import Words
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.gathering import Found
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.lookout import Field, Lookout
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.survey import Surveyor
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.deed import Deed
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.record import CHANGED, FAILED, NOT_ATTEMPTED, UNCHANGED, UNKNOWN
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.host import Host, Result
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.options import Pacing
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.progress import Snapshot
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.reporter import reported
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.session import Session
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.target import Target


class DeedTask:
    """One task: its workers, and its result.

    Args:
        kinds: of the calls that it makes, for the result.
    """

    def __init__(self, host: Host, connection: Connection, workflow_name: str, pacing: Pacing, kinds: t.Sequence[str]) -> None:
        self._host = host
        self._kinds = kinds
        self.session = Session(host, connection, pacing)
        self.workflow = Workflow(self.session.client, workflow_name)
        self.crew = Crew(pacing.concurrency)
        self._surveyor = Surveyor(self.workflow, self.session.clock, server_date=lambda: self.session.client.server_date)
        lookout = Lookout(self._surveyor, self.crew, workflow_name)
        self.field = Field(self.workflow, lookout, self.crew, self.session.clock, self.session.ensure_heard, host.check_mode)
        self._found: Found | None = None
        #: The workflow's name, as it may stand in a sentence.
        self.name = shown_name(workflow_name)

    def deeds(self, action: str, target: Target | None, max_instances: int) -> list[Deed]:
        """One deed for each instance of the target, newest first where it is a selection.

        Raises:
            CloudflareError: what ends the task.
        """
        if target is None or target.selection is None:
            return [Deed(instance_id, action) for instance_id in (target.instance_ids if target else None) or ()]
        self._found = self._surveyor.select(target.selection, max_instances)
        made = []
        for instance_id, look in sorted(self._found.looks.items(), key=lambda pair: str(pair[1][0].get("created_on")), reverse=True):
            deed = Deed(instance_id, action)
            deed.listed = look
            made.append(deed)
        return made

    def nobody(self, target: Target | None) -> str:
        """What is said where there is no instance at all."""
        if target is None or target.selection is None:
            return f"No instance of {self.name} is asked for"
        return f"No instance of {self.name} matches ({target.selection.told()})"

    def run(self, work: t.Callable[[], None], done: list[Deed], participle: str) -> None:
        """Do the work; afterwards each of `done` has an outcome, whatever ended it.

        Args:
            participle: what is done to them, for the lines of progress: `deleted`.
        """
        look = functools.partial(self._snapshot, done)
        try:
            lines = reported(self._host, self.workflow.name, participle, self._host.params["progress"], look, self.session.glance)
            with lines, self.crew.at_work(len(done) or 64):
                work()
        except Exception as error:  # noqa: BLE001  whatever was done is told
            self.crew.stop(error)
        for deed in done:
            if deed.outcome is None:
                deed.abandon(self.crew.fatal.message if self.crew.fatal else "the task ended")

    def _snapshot(self, done: list[Deed]) -> Snapshot:
        """Where the work is, as far as can be seen from another thread while it goes on."""
        deeds_ = list(done)
        outcomes = collections.Counter(deed.outcome for deed in deeds_)
        changed = tuple(deed.id or "" for deed in deeds_ if deed.outcome == CHANGED)
        failed = outcomes[FAILED] + outcomes[UNKNOWN] + outcomes[NOT_ATTEMPTED]
        return self.session.snapshot(len(deeds_) or None, changed, outcomes[UNCHANGED], failed)

    def result(
        self, done: list[Deed], words: Words, nobody: str, is_single: bool, with_details: bool = False, max_instances: int = 0
    ) -> Result:
        """The module's result."""
        fatal, client = self.crew.fatal, self.session.client
        failed = fatal is not None or any(deed.failed for deed in done)
        if isinstance(fatal, TooManyMatched):
            msg = str(too_many(fatal, self.name, max_instances, "nothing was changed"))
        else:
            msg = str(deeds.message(done, words, self._host.check_mode, fatal, nobody))
        matched = fatal.matched if isinstance(fatal, TooManyMatched) else None
        result: Result = {
            "msg": msg,
            "changed": any(deed.changed for deed in done),
            "failed": failed,
            "instances": deeds.items(done, with_details),
            "ids": deeds.ids(done),
            "summary": deeds.summary(done, matched, self.session.duration()),
            "api_calls": self.session.api_calls(self._kinds),
            "messages": report.messages(client.messages),
        }
        if is_single:
            result["instance"] = deeds.items(done, with_details)[0] if done else None
        if self._host.diff_mode:
            result["diff"] = self._diff(done)
        if self._found is not None and not done and not failed:
            self._host.warn(f"{nobody}.")
        news = report.news(client.messages, self._found, self.session.gate.held_seconds())
        for text in [*bounds.fit_deeds(result), *deeds.warnings(done, failed), *news]:
            self._host.warn(text)
        return result

    def _diff(self, done: list[Deed]) -> dict[str, dict[str, str | None]]:
        """Which instances there were, and are; nothing of what they are given or sent."""
        changed = [deed for deed in done if deed.changed]
        before = {"create": "absent", "delete": "present", "event": "not sent"}
        after = {"create": "present", "delete": "absent", "event": "sent"}
        return {
            "before": {deed.id or "(a new one)": before[deed.action] for deed in changed},
            "after": {deed.id or "(a new one)": after[deed.action] for deed in changed},
        }
