# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The credential type for AWX: what its API takes, what its own injector makes of it, and what a task does with that."""

from __future__ import annotations

import re

import awx
import pytest
from flock import WORKFLOW, names

FIELDS = ("id", "label", "type", "format", "choices", "help_text", "multiline", "secret", "ask_at_runtime", "default")

#: Names that AWX refuses, besides those that begin with ANSIBLE_.
BLOCKED = ("JOB_ID", "PATH", "PYTHONPATH", "VIRTUAL_ENV", "INVENTORY_ID", "AWX_HOST", "MAX_EVENT_RES", "CACHE", "REST_API_TOKEN")


@pytest.fixture
def credential_type():
    (found,) = awx.load(awx.FOLDER / "credential_types.yml")["controller_credential_types"]
    return found


def test_the_api_takes_it(credential_type):
    """By the rules of AWX's own fields."""
    assert set(credential_type) == {"name", "description", "kind", "inputs", "injectors"} and credential_type["kind"] in ("cloud", "net")
    assert set(credential_type["inputs"]) == {"fields"} and set(credential_type["injectors"]) == {"env"}
    ids = []
    for field in credential_type["inputs"]["fields"]:
        assert set(field) <= set(FIELDS) and field["label"] and field["help_text"]
        assert re.fullmatch(r"[a-zA-Z_]\w*", field["id"]) and field["id"] != "tower" and field["type"] == "string"
        # AWX refuses a blank one of any format.
        assert "format" not in field
        ids.append(field["id"])
    for name, template in credential_type["injectors"]["env"].items():
        assert not name.startswith("ANSIBLE_") and name not in BLOCKED and template.isascii()
        assert re.fullmatch(r"\{\{ (\w+) \}\}", template).group(1) in ids
    assert len(credential_type["injectors"]["env"]) == len(set(ids)) == 5


def test_what_a_job_gets(credential_type, tmp_path):
    """Every variable is set, a blank one too, and no secret is on the job's page."""
    environment, shown = awx.inject(credential_type, tmp_path, api_token="token-of-a-test-0123456789", account_id="0123")
    assert environment == {
        "CLOUDFLARE_API_TOKEN": "token-of-a-test-0123456789",
        "CLOUDFLARE_ACCOUNT_ID": "0123",
        "CLOUDFLARE_EMAIL": "",
        "CLOUDFLARE_API_KEY": "",
        "CLOUDFLARE_BASE_URL": "",
    }
    assert "token-of-a-test-0123456789" not in str(shown)


@pytest.mark.parametrize("kind", ["token", "key"])
def test_a_task_with_it(credential_type, flock, tmp_path, kind):
    """The blank half hides nothing of the other."""
    engine = flock.bench.engine
    flock.create(names("ok", 1))
    values = {"api_token": engine.api_token} if kind == "token" else {"email": engine.api_email, "api_key": engine.api_key}
    environment, _shown = awx.inject(credential_type, tmp_path, account_id=engine.account_id, api_url=engine.api_url, **values)
    nothing = {"api_url": None, "account_id": None, "api_token": None}
    result = flock.bench.module(environ=environment, workflow_name=WORKFLOW, instance_id="ok-000", state="paused", **nothing)
    assert result["changed"] and not result.get("failed"), result["msg"]


def test_a_credential_without_anything(credential_type, flock, tmp_path):
    """What is missing is told before any call, and both ways to give it."""
    flock.forget_calls()
    nothing = {"api_url": None, "account_id": None, "api_token": None}
    for given, missing in (({}, "CLOUDFLARE_ACCOUNT_ID"), ({"account_id": "0123"}, "CLOUDFLARE_API_TOKEN")):
        environment, _shown = awx.inject(credential_type, tmp_path, **given)
        result = flock.bench.module(environ=environment, workflow_name=WORKFLOW, instance_id="a", state="paused", **nothing)
        assert result["failed"] and missing in result["msg"] and flock.calls()["total"] == 0
