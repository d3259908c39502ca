# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The memory of a source, and its file where there is one: read at the start, written when it has changed."""

from __future__ import annotations

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.connection import Connection
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import CloudflareError, OptionError
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.text import clean
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.types import Json
from ansible_collections.edgeops.cloudflare.plugins.module_utils.events.memory import Memory
from ansible_collections.edgeops.cloudflare.plugins.module_utils.events.source import Surroundings, Trouble
from ansible_collections.edgeops.cloudflare.plugins.module_utils.events.state_file import Heading, State, StateFile

#: Seconds between two writings where nothing has changed: so well is known until when a source that was killed had lived.
_HEARTBEAT = 60.0


class Keeper:
    """Keeps what a source remembers.

    Args:
        state_path: None where nothing outlives the source.

    Raises:
        OptionError: the file is another's, broken, in use, or can't be written.
    """

    def __init__(self, surroundings: Surroundings, source: str, connection: Connection, state_path: str | None) -> None:
        self._surroundings = surroundings
        self._trouble = Trouble("the state can't be kept")
        self._again_at = 0.0
        self._saved_at = surroundings.clock.monotonic()
        self._file = StateFile(state_path, Heading(source, connection.account_id, connection.api_url)) if state_path else None
        #: What has to be written; set by whoever changes the memory.
        self.has_changed = False
        #: Seconds since 1970 until when the source that wrote the file had lived.
        self.lived_until = 0.0
        self.memory = Memory()
        #: What else is kept, JSON-able.
        self.more: Json = {}
        try:
            self._load(state_path or "")
        except BaseException:
            self.close()
            raise

    @property
    def is_kept(self) -> bool:
        """What is remembered outlives the source."""
        return self._file is not None

    def _load(self, path: str) -> None:
        if self._file is None:
            return
        state = self._file.load()
        if state is not None:
            try:
                self.memory = Memory.from_json(state.content.get("memory"))
            except ValueError:
                raise OptionError(f"state_path {clean(path, 120)} is broken", "Name another file, or remove it to begin anew") from None
            more = state.content.get("more")
            self.more = more if isinstance(more, dict) else {}
            self.lived_until = state.saved_at
        try:
            # Whether it can be written; it has lived no longer for that, lest nothing be told again where it is killed at once.
            self._file.save(State(self.lived_until, self._content()))
        except CloudflareError as error:
            raise OptionError(error.message, "Make room, or name another file") from None

    def _content(self) -> Json:
        return {"memory": self.memory.as_json(), "more": self.more}

    def save_if_due(self) -> None:
        """Write it where it has changed, and now and then where it hasn't."""
        now = self._surroundings.clock.monotonic()
        if self._file is None or now < self._again_at or not (self.has_changed or now - self._saved_at >= _HEARTBEAT):
            return
        try:
            self._file.save(State(self._surroundings.now(), self._content()))
        except CloudflareError as error:
            # Reported and not kept is reported again after a restart, and nothing is lost.
            wait, line = self._trouble.met(error, now, self._surroundings.clock.time_of_day)
            self._again_at = now + wait
        else:
            self.has_changed, self._saved_at = False, now
            line = self._trouble.over(now)
        if line:
            self._surroundings.log.warning("%s", line)

    def save_finally(self) -> None:
        """Write it at the end of the source, whatever has changed."""
        if self._file is not None:
            self._again_at, self.has_changed = 0.0, True
            self.save_if_due()

    def close(self) -> None:
        """Let another source use the file."""
        if self._file is not None:
            self._file.close()
            self._file = None
