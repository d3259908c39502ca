# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where AWX tells of a job, and what of its answers is the job's record."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import OptionError
from ansible_collections.edgeops.cloudflare.plugins.plugin_utils.runbook.jobs import job_url, record_of_job
from ansible_collections.edgeops.cloudflare.tests.unit.tables import each_row

RECORD = ' {"version":1}'
PRINTED = 'TASK [Pause them]\nedgeops_record: {"version":1}\n'


def said(function, *args):
    """The sentence of an error."""
    with pytest.raises(OptionError) as caught:
        function(*args)
    return caught.value.text


@each_row(
    "host, url",
    [
        ("https://awx.example.com", "https://awx.example.com/api/v2/jobs/7/"),
        ("awx.example.com", "https://awx.example.com/api/v2/jobs/7/"),
        (" https://awx.example.com/ \n", "https://awx.example.com/api/v2/jobs/7/"),
        ("https://awx.example.com:8443", "https://awx.example.com:8443/api/v2/jobs/7/"),
        ("https://example.com/awx/", "https://example.com/awx/api/v2/jobs/7/"),
        ("https://awx.example.com/api", "https://awx.example.com/api/v2/jobs/7/"),
        ("https://awx.example.com/api/v2/", "https://awx.example.com/api/v2/jobs/7/"),
        ("https://aap.example.com/api/controller", "https://aap.example.com/api/controller/v2/jobs/7/"),
        ("https://aap.example.com/api/controller/v2", "https://aap.example.com/api/controller/v2/jobs/7/"),
        ("https://awx.example.com/#/jobs/playbook/7/output", "https://awx.example.com/api/v2/jobs/7/"),
        ("http://localhost:8052", "http://localhost:8052/api/v2/jobs/7/"),
        ("http://127.0.0.1:8052", "http://127.0.0.1:8052/api/v2/jobs/7/"),
        ("http://[::1]:8052", "http://[::1]:8052/api/v2/jobs/7/"),
    ],
)
def test_job_url(host, url):
    assert job_url(host, 7) == url


@each_row(
    "host, says",
    [
        (None, "record_job needs controller_host, or CONTROLLER_HOST in the environment"),
        ("  ", "record_job needs controller_host, or CONTROLLER_HOST in the environment"),
        ("ftp://awx.example.com", "controller_host must be an address such as https://awx.example.com; it is 'ftp://awx.example.com'"),
        ("https://", "controller_host must be an address"),
        ("https://[::1", "controller_host must be an address"),
        ("https://awx.example.com:port", "controller_host must be an address"),
        ("https://awx.example.com/?next=/", "controller_host must be an address"),
        ("http://awx.example.com", "controller_host must begin with https://, so that the credentials of AWX are not sent in the clear"),
        ("http://localhost.example.com", "controller_host must begin with https://"),
    ],
)
def test_hosts_that_are_none(host, says):
    assert said(job_url, host, 7).startswith(says)


@each_row("host", ["https://admin:hunter2@awx.example.com", "https://:hunter2@awx.example.com", "admin:hunter2@awx.example.com"])
def test_no_password_is_repeated(host):
    assert said(job_url, host, 7).startswith("controller_host must hold no credentials") and "hunter2" not in said(job_url, host, 7)


@given(st.text() | st.text("htps:/@[]?#.0aé\n ", max_size=20))
def test_whatever_the_host(host):
    try:
        assert job_url(host, 7).endswith("/jobs/7/")
    except OptionError as error:
        assert "\n" not in error.text


@each_row(
    "looked, output, record",
    [
        ({"status": 200, "json": {"artifacts": {"edgeops_record": RECORD}}}, {}, RECORD),
        ({"status": 200, "json": {"artifacts": {"edgeops_record": RECORD}}}, {"status": 500}, RECORD),
        ({"status": 200, "json": {"artifacts": {}}}, {"status": 200, "content": PRINTED}, PRINTED),
        ({"status": 200, "json": {"artifacts": {"edgeops_record": ""}}}, {"status": 200, "content": PRINTED}, PRINTED),
        ({"status": 200, "json": {"artifacts": {"edgeops_record": {}}}}, {"status": 200, "content": PRINTED}, PRINTED),
        ({"status": 200, "json": {"artifacts": "$hidden due to Ansible no_log flag$"}}, {"status": 200, "content": PRINTED}, PRINTED),
        ({"status": 200, "json": {"artifacts": None}}, {"status": 200, "content": PRINTED}, PRINTED),
        ({"status": 200, "json": ["a", "login page"]}, {"status": 200, "content": PRINTED}, PRINTED),
        ({"status": 200}, {"status": 200, "content": PRINTED}, PRINTED),
    ],
)
def test_record_of_job(looked, output, record):
    assert record_of_job(7, looked, output) == record


@each_row(
    "looked, output, says",
    [
        ({"status": 401}, {}, "AWX refuses the credentials; give CONTROLLER_OAUTH_TOKEN, or CONTROLLER_USERNAME with CONTROLLER_PASSWORD"),
        ({"status": 403}, {}, "AWX refuses the credentials"),
        ({"status": 404}, {}, "AWX has no job 7 that these credentials may see; check record_job"),
        ({"status": 502}, {}, "AWX answered 502, so the record of job 7 was not read; paste the job's output as edgeops_record instead"),
        ({"status": -1, "msg": "refused"}, {}, "AWX did not answer (refused), so the record of job 7 was not read"),
        ({"failed": True, "msg": "no such module\n\x1b[31m"}, {}, "AWX did not answer (no such module), so"),
        ({"status": None}, {}, "AWX did not answer, so"),
        ({"status": 200, "json": {}}, {"status": 502}, "AWX answered 502, so"),
        (
            {"status": 200, "json": {}},
            {"status": 200},
            "job 7 has left no record, neither as its artifact nor in its output; check record_job",
        ),
        ({"status": 200, "json": {}}, {"status": 200, "content": "PLAY RECAP"}, "job 7 has left no record"),
        ({"status": 200, "json": {}}, {"skipped": True}, "AWX did not answer, so"),
    ],
)
def test_no_record_of_job(looked, output, says):
    assert said(record_of_job, 7, looked, output).startswith(says)
