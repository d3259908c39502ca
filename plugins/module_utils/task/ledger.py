# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The record over several runs: read from wherever it was handed on, checked, and added to. Pure.

It is one JSON document, a file's text or an artifact of AWX; what a job has printed, line by line, reads as the same.
"""

from __future__ import annotations

import json
import re
import typing as t

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import OptionError
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.text import clean, shown_name
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.types import Json
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.names import check_instance_id
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.logbook import GROUPS, MARK, VERSION, Heading, Placed

#: Where an id can be in a record; what is untouched is in none.
KEPT = GROUPS[:3]

#: By which name a record is handed on.
NAME = MARK.partition(":")[0]

#: What a terminal obeys: colours, and AWX's marks of its events.
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")

_BROKEN = "is cut off, or was changed: it is no JSON; give the whole of"


class Entry:
    """What was brought to one state of one workflow; `placed`: id → one of KEPT."""

    def __init__(self, workflow_name: str, state: str, made_at: str = "", job: str | None = None) -> None:
        self.workflow_name = workflow_name
        self.state = state
        self.made_at = made_at
        self.job = job
        self.placed: dict[str, str] = {}

    def group(self, name: str) -> list[str]:
        """The ids that lie in one of KEPT."""
        return [instance_id for instance_id, group in self.placed.items() if group == name]

    def told(self) -> Json:
        """The entry as the document has it."""
        head: Json = {"workflow_name": self.workflow_name, "state": self.state, "made_at": self.made_at, "job": self.job}
        return {**head, **{name: self.group(name) for name in KEPT}}


class Ledger:
    """A whole record: of one account at one server."""

    def __init__(self, account_id: str | None, api_url: str) -> None:
        self.account_id = account_id
        self.api_url = api_url
        self.entries: list[Entry] = []

    def entry(self, workflow_name: str, state: str) -> Entry | None:
        """The entry of a workflow and a state, if there is one."""
        return next((one for one in self.entries if (one.workflow_name, one.state) == (workflow_name, state)), None)

    def of_workflow(self, workflow_name: str) -> list[Entry]:
        """All entries of a workflow."""
        return [one for one in self.entries if one.workflow_name == workflow_name]

    def note(self, heading: Heading, made_at: str, placed: t.Iterable[Placed]) -> None:
        """Instances lie where the pairs say. What has come to this state for certain is in no other one any more."""
        placed = list(placed)
        entry = self.put(heading, made_at, placed)
        for other in self.of_workflow(heading.workflow_name):
            for group, instance_id in placed:
                if other is not entry and group == KEPT[0]:
                    other.placed.pop(instance_id, None)

    def put(self, heading: Heading, made_at: str, placed: t.Iterable[Placed]) -> Entry:
        """Instances lie where the pairs say, wherever else they lie."""
        entry = self.entry(heading.workflow_name, heading.state)
        if entry is None:
            entry = Entry(heading.workflow_name, heading.state)
            self.entries.append(entry)
        entry.made_at, entry.job = made_at, heading.job
        for group, instance_id in placed:
            entry.placed.pop(instance_id, None)
            if group in KEPT:
                entry.placed[instance_id] = group
        return entry

    def text(self) -> str:
        """The document.

        It begins with a blank: ansible-core before 2.19 makes something else of a text that begins as a dictionary does.
        """
        told = {"version": VERSION, "account_id": self.account_id, "api_url": self.api_url, "records": [one.told() for one in self.entries]}
        return " " + json.dumps(told, separators=(",", ":"))

    def check_origin(self, account_id: str | None, api_url: str) -> None:
        """Raise OptionError where the record is of another account or another server."""
        for what, recorded, here in (("account", self.account_id, account_id), ("API", self.api_url, api_url)):
            if recorded != here:
                of, to = (f"{what} {clean(one, 120)}" if one else f"no {what}" for one in (recorded, here))
                raise OptionError(
                    f"the record is of {of}, and this task speaks to {to}; use the credentials that it was made with, or another record"
                )


def read(text: str) -> Ledger:
    """The record that a text holds: the document itself, what a job has printed, or a job's artifacts.

    Raises:
        OptionError: it holds none, or one that can't be trusted.
    """
    documents = [_checked(document) for document in _documents(text)]
    account_id, api_url = documents[0].get("account_id"), documents[0]["api_url"]
    ledger = Ledger(account_id, api_url)
    for document in documents:
        if (document.get("account_id"), document["api_url"]) != (account_id, api_url):
            raise OptionError("the records are of several accounts or APIs; give those of one")
        # What a document holds side by side lies side by side; a line, which holds one entry, is news to the lines before it.
        take_in = ledger.note if len(document["records"]) == 1 else ledger.put
        for told in document["records"]:
            take_in(*_noted(told, ledger))
    return ledger


def _checked(document: t.Any) -> Json:
    """A document that is a record of the version known here, and tells where it is from."""
    if not isinstance(document, dict) or not isinstance(document.get("records"), list):
        raise OptionError(f"the record is not one: {_EXPECTED}")
    if document.get("version") != VERSION:
        raise OptionError(
            f"the record is of version {clean(document.get('version'), 20)}, and this collection reads version {VERSION}; "
            "use the collection that it was made with"
        )
    if not isinstance(document.get("api_url"), str) or not isinstance(document.get("account_id"), (str, type(None))):
        raise OptionError(f"the record does not tell its account and API: {_EXPECTED}")
    return document


_EXPECTED = f'give the text that begins with {{"version": {VERSION}, or a job\'s output with the lines that begin with {MARK.strip()}'


def _noted(told: t.Any, ledger: Ledger) -> tuple[Heading, str, list[Placed]]:
    """An entry of a document, for Ledger.note."""
    if not isinstance(told, dict) or not all(isinstance(told.get(name), str) for name in ("workflow_name", "state", "made_at")):
        raise OptionError(f"an entry of the record is not one: {_EXPECTED}")
    job = told.get("job")
    heading = Heading(ledger.account_id, ledger.api_url, told["workflow_name"], told["state"], None if job is None else str(job))
    placed: list[Placed] = []
    for group in GROUPS:
        ids = told.get(group, [])
        if not isinstance(ids, list):
            raise OptionError(f"{group} of the record for {shown_name(told['workflow_name'])} is no list; {_EXPECTED}")
        for number, instance_id in enumerate(ids):
            if not isinstance(instance_id, str):
                raise OptionError(
                    f"{group}[{number}] of the record for {shown_name(told['workflow_name'])} is {clean(json.dumps(instance_id), 40)} and not "
                    "text, so that something on its way has rewritten it; hand the record on as one text"
                )
            check_instance_id(f"{group}[{number}] of the record", instance_id)
            placed.append((group, instance_id))
    return heading, told["made_at"], placed


def _documents(text: str) -> list[t.Any]:
    """All JSON documents that a text holds."""
    text = _ESCAPES.sub("", text).strip()
    if text.startswith("{"):
        try:
            whole = json.loads(text)
        except (ValueError, RecursionError):
            raise OptionError(f"the record {_BROKEN} it") from None
        artifact = whole.get(NAME) if "records" not in whole else None
        return _documents(artifact) if isinstance(artifact, str) else [artifact or whole]
    pieces = text.split(MARK)[1:]
    if not pieces:
        raise OptionError(f"there is no record in what was given; {_EXPECTED}")
    return [_printed(number, piece) for number, piece in enumerate(pieces, 1)]


def _printed(number: int, piece: str) -> t.Any:
    """The document that a printed line begins with, though a terminal has broken the line, or YAML has put it into quotes."""
    piece = piece.lstrip()
    if piece.startswith("'"):
        piece = piece[1:].replace("''", "'").lstrip()
    for candidate in (piece, re.sub(r"[ \t]*\r?\n", "", piece)):
        try:
            return json.JSONDecoder().raw_decode(candidate)[0]
        except (ValueError, RecursionError):
            continue
    raise OptionError(f"line {number} of the record {_BROKEN} the job's output")
