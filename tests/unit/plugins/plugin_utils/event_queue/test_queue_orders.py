# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wanted of a queue: names, events, and what is not given."""

from __future__ import annotations

import pytest

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import OptionError
from ansible_collections.edgeops.cloudflare.plugins.plugin_utils.event_queue.orders import EVENTS, wanted

INPUTS = {
    "workflow_names": ["orders"],
    "queue_name": "events",
    "events": None,
    "max_retries": None,
    "visibility_timeout": None,
    "dead_letter_queue": None,
    "state": "present",
}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["errored"], ["instance.errored"]),
        (["instance.errored", "cf.workflows.workflow.instance.errored", "errored"], ["instance.errored"]),
        (["terminated", "cf.workflows.workflow.instance.completed"], ["instance.completed", "instance.terminated"]),
        (list(EVENTS), sorted(EVENTS)),
        (None, None),
    ],
)
def test_events(given, expected):
    """By their short names, each once, in an order that can be compared."""
    assert wanted({**INPUTS, "events": given}).events == expected


def test_the_rest():
    """As it was given; workflows once."""
    told = wanted({**INPUTS, "workflow_names": ["b", "a", "b"], "max_retries": 0, "state": "absent"})
    assert told.workflows == ["b", "a"] and told.max_retries == 0 and told.is_absent and told.visibility_timeout is None


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"workflow_names": []}, "workflow_names is an empty list"),
        ({"workflow_names": ["orders", ".."]}, "must not be '..'"),
        ({"workflow_names": ["x" * 65]}, "1 to 64 characters"),
        ({"events": []}, "events is an empty list"),
        ({"events": ["instance.exploded"]}, "it holds 'instance.exploded'"),
        ({"events": ["cf.workflows.workflow.errored.errored"]}, "events must be of"),
        ({"queue_name": ""}, "queue_name must have 1 to 63"),
        ({"queue_name": "x" * 64}, "queue_name must have 1 to 63"),
        ({"queue_name": "a/b"}, "queue_name must have"),
        ({"dead_letter_queue": "a b"}, "dead_letter_queue must have"),
        ({"dead_letter_queue": "events"}, "dead_letter_queue is events, the queue itself"),
    ],
)
def test_what_cannot_be_meant(change, says):
    """Refused, by the input's name."""
    with pytest.raises(OptionError) as caught:
        wanted({**INPUTS, **change})
    assert says in caught.value.message
