# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Arguments of the event sources: rendered text is read as what it means, and what can't be meant is told in a sentence."""

from __future__ import annotations

import pytest

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import OptionError
from ansible_collections.edgeops.cloudflare.plugins.module_utils.events.arguments import (
    BOUNDS,
    poll_settings,
    poll_spec,
    queue_settings,
    queue_spec,
)
from ansible_collections.edgeops.cloudflare.tests.unit.sentences import assert_is_a_sentence
from ansible_collections.edgeops.cloudflare.tests.unit.tables import each_row

TOKEN = "token-0001-abcdefgh"
OWN = {"api_token": TOKEN, "account_id": "0123"}
POLL = {**OWN, "workflow_name": "orders"}
QUEUE = {**OWN, "queue_name": "events"}


def test_defaults():
    settings = poll_settings(POLL, {})
    assert settings.workflow_names == ("orders",) and settings.statuses == ("errored",) and settings.state_path is None
    assert (settings.interval, settings.sweep_interval, settings.lookback, settings.budget) == (30, 600, 86400, 60)
    assert (settings.initial, settings.catch_up, settings.replay) == ("ignore", 3600, 900)
    assert settings.connection.credentials.token == TOKEN and settings.connection.verify is None
    settings = queue_settings(QUEUE, {})
    assert (settings.queue_id, settings.queue_name, settings.workflow_names) == (None, "events", ())
    assert (settings.poll_interval, settings.batch_size, settings.ack_delay, settings.budget) == (2, 100, 60, 60)


@each_row(
    "args, name, value",
    [
        ({"interval": "60"}, "interval", 60.0),
        ({"interval": " 1.5 "}, "interval", 1.5),
        ({"interval": None}, "interval", 30.0),
        ({"interval": ""}, "interval", 30.0),
        ({"budget": "120"}, "budget", 120),
        ({"budget": 120.0}, "budget", 120),
        ({"workflow_name": "", "workflow_names": "orders, invoices\nreturns"}, "workflow_names", ("orders", "invoices", "returns")),
        ({"workflow_name": None, "workflow_names": '["orders", "invoices"]'}, "workflow_names", ("orders", "invoices")),
        ({"workflow_name": None, "workflow_names": ["orders", "orders"]}, "workflow_names", ("orders",)),
        ({"workflow_name": 2026}, "workflow_names", ("2026",)),
        ({"workflow_name": None, "workflow_names": [2026, "orders"]}, "workflow_names", ("2026", "orders")),
        ({"statuses": "paused"}, "statuses", ("paused",)),
        ({"statuses": ["errored", "complete"]}, "statuses", ("errored", "complete")),
        ({"initial": "report"}, "initial", "report"),
        ({"eda_feedback_queue": object()}, "initial", "ignore"),
    ],
)
def test_what_is_meant(args, name, value):
    assert getattr(poll_settings({**POLL, **args}, {}), name) == value


@each_row("text, value", [("false", False), ("No", False), (False, False), ("0", False), ("true", None), (True, None), ("yes", None)])
def test_truth(text, value):
    assert poll_settings({**POLL, "validate_certs": text}, {}).connection.verify is value


def test_the_environment_is_read_as_by_the_modules():
    environ = {"CLOUDFLARE_API_TOKEN": TOKEN, "CLOUDFLARE_ACCOUNT_ID": "4567", "CLOUDFLARE_BASE_URL": "https://example.com/v4"}
    connection = poll_settings({"workflow_name": "orders", "api_token": "", "account_id": None}, environ).connection
    assert (connection.credentials.token, connection.account_id, connection.api_url) == (TOKEN, "4567", "https://example.com/v4")


@each_row(
    "args, sentence",
    [
        ({"workflow_name": None}, "no workflow is named: give workflow_name, or workflow_names"),
        ({"workflow_names": ["invoices"]}, "workflow_name and workflow_names are both given; give one of them"),
        ({"workflow_name": None, "workflow_names": []}, "workflow_names is an empty list; name at least one, or leave it out"),
        ({"workflow_name": None, "workflow_names": " , "}, "workflow_names is an empty list; name at least one, or leave it out"),
        (
            {"workflow_name": None, "workflow_names": "[orders"},
            "workflow_names begins with [ and is no JSON list; give a list, or names with commas between them",
        ),
        ({"workflow_name": True}, "workflow_name is a truth value; quote it, or give text"),
        ({"workflow_name": ["orders"]}, "workflow_name is a list; quote it, or give text"),
        ({"workflow_name": 1.5}, "workflow_name is 1.5 and no text; quote it, or give text"),
        ({"api_token": 1.5}, "api_token is no text; quote it, or give text"),
        ({"workflow_name": "settings"}, "workflow_name is 'settings', which a path of the API takes up"),
        ({"workflow_name": "a\0b"}, "workflow_name contains a NUL"),
        ({"statuses": ["error"]}, "statuses[0] is 'error', which it can't be; did you mean errored"),
        ({"statuses": "running"}, "statuses[0] is 'running', which it can't be; give one of errored, terminated, complete, paused"),
        ({"initial": "nothing"}, "initial is 'nothing', which it can't be; give one of ignore, report"),
        ({"interval": "soon"}, "interval must be a number from 1 to 3600; it is soon"),
        ({"interval": 0}, "interval must be a number from 1 to 3600; it is 0"),
        ({"interval": "nan"}, "interval must be a number from 1 to 3600; it is nan"),
        ({"interval": True}, "interval must be a number from 1 to 3600; it is True"),
        ({"interval": [30]}, "interval must be a number from 1 to 3600; it is [30]"),
        ({"budget": 5}, "budget must be a whole number from 10 to 1200; it is 5"),
        ({"budget": "60.5"}, "budget must be a whole number from 10 to 1200; it is 60.5"),
        ({"budget": "1" * 400}, "budget must be a whole number from 10 to 1200; it is 11111111111111111111111…"),
        ({"interval": 700}, "sweep_interval is 600 s and interval 700 s"),
        ({"validate_certs": "maybe"}, "validate_certs must be true or false; it is 'maybe'"),
        ({"intervall": 5}, "intervall is no argument of this source; did you mean interval"),
        ({"xyz": 5}, "xyz is no argument of this source; there are api_token, api_email"),
        ({"account_id": ""}, "account_id is missing: give the option account_id or set CLOUDFLARE_ACCOUNT_ID"),
        ({"api_token": "Bearer " + TOKEN}, "api_token begins with 'Bearer', which is no part of a token"),
        ({"api_url": "http://example.com"}, "api_url must use https"),
        ({"state_path": "/no/such/folder/state.json"}, "state_path can't be written: /no/such/folder is no folder"),
        ({"state_path": "/tmp"}, "state_path is /tmp, which is a folder; name a file in it"),
        ({"ca_path": "/no/such/file"}, "ca_path names nothing that exists here"),
    ],
)
def test_what_can_not_be_meant(args, sentence):
    with pytest.raises(OptionError) as error:
        poll_settings({**POLL, **args}, {})
    text = error.value.text
    assert text.startswith(sentence), text
    assert_is_a_sentence(text + ".")
    assert TOKEN not in text


@each_row(
    "args, sentence",
    [
        ({"queue_name": None}, "no queue is named: give one of queue_id and queue_name"),
        ({"queue_id": "0123"}, "queue_id and queue_name are both given: give one of queue_id and queue_name"),
        ({"statuses": "completed"}, "statuses[0] is 'completed', which it can't be; did you mean complete"),
        ({"account_id": None, "api_url": "http://localhost:8787"}, "account_id is missing: queues belong to an account"),
        ({"queue": "events"}, "queue is no argument of this source; did you mean queue_id"),
        ({"interval": 30}, "interval is no argument of this source"),
    ],
)
def test_what_can_not_be_meant_of_a_queue(args, sentence):
    with pytest.raises(OptionError) as error:
        queue_settings({**QUEUE, **args}, {})
    assert error.value.text.startswith(sentence), error.value.text


def test_every_number_has_bounds_and_its_default_is_within():
    for spec in (poll_spec(), queue_spec()):
        for name, rules in spec.items():
            if rules["type"] in ("int", "float"):
                lowest, highest = BOUNDS[name]
                assert lowest <= rules["default"] <= highest, name


def test_paths_are_expanded(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert poll_settings({**POLL, "state_path": "~/state.json"}, {}).state_path == str(tmp_path / "state.json")
