# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is wanted of a queue, as it was meant. Pure.

Names of events: subscriptions take the short ones (`instance.errored`), although messages carry the long ones (API.md, section 4).
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import OptionError
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.text import clean
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance import names

#: All that workflows tell of their instances, and what of it is told where nothing is said: the others come with every instance.
EVENTS = tuple(f"instance.{event}" for event in ("queued", "started", "paused", "errored", "terminated", "completed"))
DEFAULT_EVENTS = ["instance.errored", "instance.paused", "instance.terminated"]

#: Of a consumer that is made. More tries than these the API does not allow; a message that was pulled comes again after this many seconds.
DEFAULT_MAX_RETRIES = 100
DEFAULT_VISIBILITY_TIMEOUT = 120

_PREFIX = "cf.workflows.workflow."
_QUEUE_NAME = re.compile(r"[A-Za-z0-9_-]{1,63}")


class Wanted(t.NamedTuple):
    """What is wanted.

    workflows: their names, each once.
    events: short names; None where nothing was said, as for the three that follow.
    visibility_timeout: seconds.
    """

    workflows: list[str]
    queue_name: str
    events: list[str] | None
    max_retries: int | None
    visibility_timeout: int | None
    dead_letter_queue: str | None
    is_absent: bool


def wanted(inputs: t.Mapping[str, t.Any]) -> Wanted:
    """Read what is wanted from the inputs, whose types are known to be right. Raises OptionError for what can't be meant."""
    workflows = list(dict.fromkeys(inputs["workflow_names"]))
    if not workflows:
        raise OptionError("workflow_names is an empty list: name at least one workflow")
    for name in workflows:
        names.check_workflow_name(name)
    queue_name, dead_letter_queue = inputs["queue_name"], inputs["dead_letter_queue"]
    for option, name in (("queue_name", queue_name), ("dead_letter_queue", dead_letter_queue)):
        if name is not None and not _QUEUE_NAME.fullmatch(name):
            raise OptionError(f"{option} must have 1 to 63 letters, digits, hyphens or underscores; it is {clean(repr(name), 80)}")
    if dead_letter_queue == queue_name:
        raise OptionError(f"dead_letter_queue is {queue_name}, the queue itself; name another one, or none")
    events = inputs["events"]
    if events == []:
        raise OptionError(f"events is an empty list: a subscription needs at least one of {', '.join(EVENTS)}")
    return Wanted(
        workflows=workflows,
        queue_name=queue_name,
        events=None if events is None else sorted({_event(event) for event in events}),
        max_retries=inputs["max_retries"],
        visibility_timeout=inputs["visibility_timeout"],
        dead_letter_queue=dead_letter_queue,
        is_absent=inputs["state"] == "absent",
    )


def _event(name: str) -> str:
    """The short name of an event, however it was written."""
    bare = name.removeprefix(_PREFIX)
    short = bare if "." in bare else f"instance.{bare}"
    if short not in EVENTS:
        raise OptionError(f"events must be of {', '.join(EVENTS)}; it holds {clean(repr(name), 80)}")
    return short
