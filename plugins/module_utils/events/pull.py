# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a message of a queue says: bodies in every encoding that was seen, and the six events of Workflows. Pure.

Documented is base64 for the content types `json` and `bytes`; live tests have read plain JSON (API.md, 4). So the content type says
what is tried first, and the rest is tried as well.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import typing as t

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.types import Json
from ansible_collections.edgeops.cloudflare.plugins.module_utils.events.arguments import OF_EVENTS
from ansible_collections.edgeops.cloudflare.plugins.module_utils.events.shape import FINISHED, Sighting, can_be_handed_on, normal_time
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.look import text_of
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.names import LONGEST_WORKFLOW_NAME

_OURS = "cf.workflows.workflow.instance."

#: Content types of which bodies are documented to be encoded.
_ENCODED = ("json", "bytes")


class Message(t.NamedTuple):
    """An event of Workflows as a message tells it.

    status: None where the event is of a kind that is not known here.
    at: when it happened, normalised; None where the message doesn't tell.
    """

    workflow_name: str
    instance_id: str
    status: str | None
    version_id: str | None
    at: str | None
    kind: str

    @property
    def key(self) -> str:
        """The same for all deliveries of an event: it has no id of its own."""
        told = (self.workflow_name, self.instance_id, self.version_id or "", self.kind, self.at or "")
        return hashlib.sha256("\n".join(told).encode()).hexdigest()[:24]

    def sighting(self) -> Sighting:
        """What the message alone tells of the instance."""
        status = self.status or ""
        ended_on = self.at if status in FINISHED else None
        return Sighting(self.workflow_name, self.instance_id, status, ended_on, self.at, self.version_id, occasion=self.at)


def message_of(raw: Json) -> Message | None:
    """The event of a message; None for what is no message of Workflows."""
    metadata = raw.get("metadata")
    content_type = metadata.get("CF-Content-Type") if isinstance(metadata, dict) else None
    for body in _bodies(raw.get("body"), content_type):
        message = _message(body)
        if message is not None:
            return message
    return None


def _bodies(body: t.Any, content_type: t.Any) -> t.Iterator[Json]:
    """The objects that a body can be read as, the likeliest first."""
    if isinstance(body, dict):
        yield body
    if not isinstance(body, str):
        return
    readers = [_decoded, _plain] if content_type in _ENCODED else [_plain, _decoded]
    for reader in readers:
        try:
            value = json.loads(reader(body))
            # Text that is JSON of a text that is JSON: encoded once more than documented.
            value = json.loads(value) if isinstance(value, str) else value
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict):
            yield value


def _plain(body: str) -> str:
    return body


def _decoded(body: str) -> str:
    try:
        return base64.b64decode(body, validate=True).decode("utf-8")
    except binascii.Error as error:
        raise ValueError("no base64") from error


def _message(body: Json) -> Message | None:
    kind, source, payload, metadata = (body.get(name) for name in ("type", "source", "payload", "metadata"))
    if not isinstance(kind, str) or not kind.startswith(_OURS) or not isinstance(source, dict) or not isinstance(payload, dict):
        return None
    workflow_name, instance_id = source.get("workflowName"), payload.get("instanceId")
    if not isinstance(workflow_name, str) or not isinstance(instance_id, str):
        return None
    if not can_be_handed_on(workflow_name, LONGEST_WORKFLOW_NAME) or not can_be_handed_on(instance_id):
        return None
    kind = kind[len(_OURS) :]
    at = metadata.get("eventTimestamp") if isinstance(metadata, dict) else None
    return Message(workflow_name, instance_id, OF_EVENTS.get(kind), text_of(payload.get("versionId")), normal_time(at), kind)
