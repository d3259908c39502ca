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


def job_url(host: str | None, job: int) -> str:
    """The address of a job in AWX's API, with a slash at its end; `host` is its address, or that of its API.

    Raises:
        OptionError: it is none, or a password would go there in the clear.
    """
    if not host or not host.strip():
        raise OptionError("record_job needs controller_host, or CONTROLLER_HOST in the environment: the address of AWX")
    address = host.strip().rstrip("/")
    parts = urlsplit(address if "://" in address else f"https://{address}")
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query:
        raise OptionError(f"controller_host must be an address such as https://awx.example.com; it is {clean(repr(host), 80)}")
    if parts.scheme == "http" and not _is_loopback(parts.hostname):
        raise OptionError("controller_host must begin with https://, so that the credentials of AWX are not sent in the clear")
    base = f"{parts.scheme}://{parts.netloc}{parts.path}"
    return f"{base if '/api/' in parts.path else base + '/api/v2'}/jobs/{job}/"


def record_of_job(job: int, looked: Json, output: Json) -> str:
    """The record that a job has left: its artifact, or else what it has printed.

    Args:
        looked, output: what the task that asked for the job, and for its output, has registered.

    Raises:
        OptionError: there is none, or AWX didn't tell.
    """
    _check(job, looked)
    artifact = ((looked.get("json") or {}).get("artifacts") or {}).get(NAME)
    if isinstance(artifact, str) and artifact.strip():
        return artifact
    _check(job, output)
    return str(output.get("content") or "")


def _check(job: int, answer: Json) -> None:
    status = answer.get("status", -1)
    if status == 200:
        return
    if status in (401, 403):
        raise OptionError("AWX refuses the credentials; give CONTROLLER_OAUTH_TOKEN, or CONTROLLER_USERNAME with CONTROLLER_PASSWORD")
    if status == 404:
        raise OptionError(f"AWX has no job {job} that these credentials may see; check record_job")
    told = f"answered {status}" if status and status > 0 else f"did not answer ({clean(answer.get('msg', ''), 120)})"
    raise OptionError(f"AWX {told}, so the record of job {job} was not read; paste the job's output as edgeops_record instead")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
