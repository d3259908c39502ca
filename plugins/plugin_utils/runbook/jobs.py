# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where AWX tells of a job, and what of its answers is the job's record. Pure."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import OptionError
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.text import clean
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.types import Json
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.ledger import NAME
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task.logbook import MARK


def job_url(host: str | None, job: int) -> str:
    """The address of a job in AWX's API, with a slash at its end; `host` is its address, or that of its API.

    Raises:
        OptionError: it is none, or a password would go there in the clear.
    """
    if not host or not host.strip():
        raise OptionError("record_job needs controller_host, or CONTROLLER_HOST in the environment: the address of AWX")
    address = host.strip()
    try:
        parts = urlsplit(address if "://" in address else f"https://{address}")
        is_one = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0 and not parts.query
    except ValueError:
        is_one = False
    if "@" in address:
        raise OptionError(
            "controller_host must hold no credentials; give CONTROLLER_OAUTH_TOKEN, or CONTROLLER_USERNAME with CONTROLLER_PASSWORD"
        )
    if not is_one:
        raise OptionError(f"controller_host must be an address such as https://awx.example.com; it is {clean(repr(host), 80)}")
    if parts.scheme == "http" and not _is_loopback(parts.hostname or ""):
        raise OptionError("controller_host must begin with https://, so that the credentials of AWX are not sent in the clear")
    path = parts.path.rstrip("/")
    if not path.endswith("/v2"):
        path += "/v2" if "/api/" in f"{path}/" else "/api/v2"
    return f"{parts.scheme}://{parts.netloc}{path}/jobs/{job}/"


def record_of_job(job: int, looked: Json, output: Json) -> str:
    """The record that a job has left: its artifact, or else what it has printed.

    Args:
        looked, output: what the task that asked for the job, and for its output, has registered.

    Raises:
        OptionError: there is none, or AWX didn't tell.
    """
    _check(job, looked)
    told = looked.get("json")
    # They are a text where AWX hides them.
    artifacts = told.get("artifacts") if isinstance(told, dict) else None
    artifact = artifacts.get(NAME) if isinstance(artifacts, dict) else None
    if isinstance(artifact, str) and artifact.strip():
        return artifact
    _check(job, output)
    text = str(output.get("content") or "")
    if MARK not in text:
        raise OptionError(f"job {job} has left no record, neither as its artifact nor in its output; check record_job")
    return text


def _check(job: int, answer: Json) -> None:
    status = answer.get("status") or -1
    if status == 200:
        return
    if status in (401, 403):
        raise OptionError("AWX refuses the credentials; give CONTROLLER_OAUTH_TOKEN, or CONTROLLER_USERNAME with CONTROLLER_PASSWORD")
    if status == 404:
        raise OptionError(f"AWX has no job {job} that these credentials may see; check record_job")
    why = clean(answer.get("msg") or "", 120)
    told = f"answered {status}" if status > 0 else "did not answer" + (f" ({why})" if why else "")
    raise OptionError(f"AWX {told}, so the record of job {job} was not read; paste the job's output as edgeops_record instead")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
