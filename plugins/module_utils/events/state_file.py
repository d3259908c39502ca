# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The state of a source in a file: what it is bound to (pure), and how it is read and written: whole or not at all, for its owner alone."""

from __future__ import annotations

import fcntl
import json
import os
import threading
import typing as t

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import CloudflareError, OptionError
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.files import read_text, replace_text
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.text import clean
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.types import Json

VERSION = 1

_KIND = "edgeops.cloudflare event source"

#: Bytes; fifty thousand instances are a tenth of it.
_LARGEST = 128 * 1024 * 1024


class Heading(t.NamedTuple):
    """Whose state it is. account_id: None in a development session."""

    source: str
    account_id: str | None
    api_url: str


class State(t.NamedTuple):
    """saved_at: seconds since 1970: the source lived until then, at least. content: the source's own."""

    saved_at: float
    content: Json


def written(heading: Heading, state: State) -> str:
    """A state as text."""
    head = {"kind": _KIND, "version": VERSION, **heading._asdict()}
    return json.dumps({**head, "saved_at": round(state.saved_at, 3), "content": state.content}, separators=(",", ":"))


def read(text: str, heading: Heading) -> State:
    """The state of a text. Raises OptionError: it is none, or another's; the sentence goes on after the file's name."""
    try:
        kept = json.loads(text)
    except (ValueError, RecursionError):
        kept = None
    if not isinstance(kept, dict) or kept.get("kind") != _KIND:
        raise OptionError("is no state of an event source, or is broken", "Name another file, or remove it to begin anew")
    if kept.get("version") != VERSION:
        raise OptionError(
            f"has version {clean(kept.get('version'), 20)}, and this source reads version {VERSION}",
            "Name another file, or remove it to begin anew",
        )
    for name, ours in heading._asdict().items():
        theirs = kept.get(name)
        if theirs != ours:
            raise OptionError(
                f"is of {name} {clean(theirs or '(none)', 100)}, and this source is of {clean(ours or '(none)', 100)}", "Name another file"
            )
    saved_at, content = kept.get("saved_at"), kept.get("content")
    if not isinstance(saved_at, (int, float)) or isinstance(saved_at, bool) or not isinstance(content, dict):
        raise OptionError("is broken", "Name another file, or remove it to begin anew")
    return State(float(saved_at), content)


class StateFile:
    """A file that one source alone uses, as long as it runs.

    Raises:
        OptionError: another source uses it, or it can't be written.
    """

    def __init__(self, path: str, heading: Heading) -> None:
        self._path = path
        self._heading = heading
        self._writing = threading.Lock()
        self._newest = 0
        try:
            self._lock = os.open(path + ".lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise OptionError(f"state_path can't be written ({clean(error.strerror, 80)}); name another file") from None
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._lock)
            raise OptionError(f"state_path {clean(path, 120)} is in use by another source; give each a file of its own") from None

    def load(self) -> State | None:
        """The state; None where there is none yet. Raises OptionError."""
        name = f"state_path {clean(self._path, 120)}"
        text = read_text(self._path, name, _LARGEST)
        if text is None:
            return None
        try:
            return read(text, self._heading) if text.strip() else None
        except OptionError as error:
            raise OptionError(f"{name} {error.message}", error.advice) from None

    def save(self, state: State, number: int) -> None:
        """Write it, whole or not at all, unless a newer one was written meanwhile.

        Args:
            number: the newer the state, the higher.

        Raises:
            CloudflareError: it can't be written.
        """
        with self._writing:
            if number < self._newest:
                return
            try:
                replace_text(self._path, written(self._heading, state))
            except OSError as error:
                raise CloudflareError(f"state_path {clean(self._path, 120)} can't be written ({clean(error.strerror, 80)})") from None
            self._newest = number

    def close(self) -> None:
        """Let others use it."""
        os.close(self._lock)
