# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The record in a file: there before anything is sent, and true after each batch, whatever ends the task."""

from __future__ import annotations

import os

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import OptionError
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.files import read_text, replace_text
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.text import clean
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.ledger import Ledger, read
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.logbook import Heading, Placed

#: Bytes of a record at most; ten thousand ids of the longest kind are a quarter of it.
_LARGEST = 16 * 1024 * 1024


class LedgerFile:
    """A record's file; it is read when this is made.

    Raises:
        OptionError: it can't be read or written, or its record is not of this account.
    """

    def __init__(self, path: str, heading: Heading) -> None:
        path = os.path.realpath(path)  # a link stays one
        self._path = path
        self._heading = heading
        self._ledger = _load(path) or Ledger(heading.account_id, heading.api_url)
        self._ledger.check_origin(heading.account_id, heading.api_url)
        earlier = self._ledger.entry(heading.workflow_name, heading.state)
        #: Where the ids of an earlier run lie: what this one leaves alone stays there.
        self._earlier = dict(earlier.placed) if earlier else {}
        folder = os.path.dirname(path)
        if not os.path.isdir(folder) or not os.access(folder, os.W_OK | os.X_OK):
            raise OptionError(
                f"record_file can't be written: {clean(folder, 120)} is no folder that this user may write to; name another file"
            )

    def note(self, made_at: str, placed: list[Placed]) -> None:
        """See logbook.Outlet. Raises OptionError where the file can't be written."""
        self._ledger.note(self._heading, made_at, [(self._group(group, instance_id), instance_id) for group, instance_id in placed])
        try:
            replace_text(self._path, self._ledger.text() + "\n")
        except OSError as error:
            raise OptionError(f"record_file can't be written ({clean(error.strerror, 80)})", "Make room, or name another file") from None

    def _group(self, group: str, instance_id: str) -> str:
        # What an earlier run has changed stays in the record, whether this one changes it again or not.
        return group if group in ("ids", "on_their_way") else self._earlier.get(instance_id, group)


def _load(path: str) -> Ledger | None:
    """The record of a file; None where there is no such file, or nothing in it yet."""
    if os.path.exists(path) and not os.path.isfile(path):
        raise OptionError(f"record_file {clean(path, 120)} is no ordinary file; name another file")
    text = read_text(path, "record_file", _LARGEST)
    if text is None:
        return None
    try:
        return read(text) if text.strip() else None
    except OptionError as error:
        raise OptionError(f"record_file {clean(path, 120)}: {error.message}") from None
