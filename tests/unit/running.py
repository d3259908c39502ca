# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole module, run by the real AnsibleModule in this process, against a workflow in memory that speaks the API's HTTP."""

from __future__ import annotations

import contextlib
import json
import re
import typing as t
from unittest import mock
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from ansible.module_utils import basic
from ansible.module_utils.common import warnings

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api import transport as transport_module
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import CloudflareError, InstanceNotFound
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.steplog import Step
from ansible_collections.edgeops.cloudflare.plugins.module_utils.task import session as session_module
from ansible_collections.edgeops.cloudflare.plugins.modules import workflow_instance_status
from ansible_collections.edgeops.cloudflare.tests.unit.fakes import FakeController, http_date
from ansible_collections.edgeops.cloudflare.tests.unit.loopback import Reply, ScriptedAdapter, envelope, failure, mount

try:
    from ansible.module_utils import _internal as core
except ImportError:  # before ansible-core 2.19
    core = None

try:
    from ansible.module_utils.testing import patch_module_args
except ImportError:  # before ansible-core 2.19

    @contextlib.contextmanager
    def patch_module_args(args):
        """Give these arguments to the AnsibleModules that are made meanwhile."""
        with mock.patch.object(basic, "_ANSIBLE_ARGS", json.dumps({"ANSIBLE_MODULE_ARGS": args}).encode("utf-8")):
            yield


TOKEN = "token-0001-abcdefgh"
ACCOUNT = "0123456789abcdef"
CREDENTIALS = {"api_token": TOKEN, "account_id": ACCOUNT}

_PATH = re.compile(r"/client/v4/accounts/(?P<account>[^/]+)/workflows/(?P<workflow>[^/]+)/instances(/(?P<id>[^/]+)(?P<status>/status)?)?$")


class FakeApi(ScriptedAdapter):
    """Answers the requests of a session as the API does, for one FakeWorkflow.

    Args:
        workflow: fakes.FakeWorkflow.
        messages: list of dict, what the API sends along with every answer.
    """

    def __init__(self, workflow, messages=()):
        super().__init__(self._answer)
        self.workflow = workflow
        self.messages = messages

    def _answer(self, request):
        url = urlsplit(request.url)
        path = _PATH.match(url.path)
        if not path:
            return Reply(404, b"<html>not found</html>")
        if request.headers.get("Authorization") != "Bearer " + TOKEN or path["account"] != ACCOUNT:
            return failure(401, 10000, "Authentication error")
        if unquote(path["workflow"]) != self.workflow.name:
            return failure(404, 10200, "workflows.api.error.workflow.not_found")
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        try:
            result, info = self._work(path, query, json.loads(request.body) if request.body else None)
        except InstanceNotFound:
            return failure(404, 10400, "workflows.api.error.instance.not_found")
        except CloudflareError as error:
            return failure(error.http_status or 500, error.code, error.message)
        return Reply(
            200, envelope(result, messages=self.messages, result_info=info), {"Date": http_date(self.workflow.clock.monotonic() + 3600)}
        )

    def _work(self, path, query, body):
        if path["status"]:
            step = Step(**body["from"]) if "from" in body else None
            return self.workflow.change_status(unquote(path["id"]), body["status"], step, body.get("rollback", False)), None
        if path["id"]:
            return self.workflow.detail(unquote(path["id"]), steps="simple" not in query).detail, None
        number, last = json.loads(query.get("cursor", "[1, null]"))
        page, last = self.workflow.page(number, last and tuple(last), query.get("status"), query.get("date_start"), query.get("date_end"))
        info = {"total_count": page.total, "count": len(page.items), "per_page": 100}
        if last:
            info["cursor"] = json.dumps([number + 1, last])
        return page.items, info


class Ran(t.NamedTuple):
    """How a task ended: its result (dict), its exit code, and all that it printed or wrote to the system's log."""

    result: dict
    code: int
    printed: str
    log: str

    @property
    def warnings(self):
        """list of str, however this ansible-core puts them."""
        return [warning["event"]["msg"] if isinstance(warning, dict) else warning for warning in self.result.get("warnings", [])]


class TaskRunner:
    """Runs tasks, of `workflow_instance_status` unless another module is named.

    Args:
        monkeypatch, capfd: pytest's own fixtures.
        workflow: fakes.FakeWorkflow.
    """

    def __init__(self, monkeypatch, capfd, workflow):
        self._capfd = capfd
        self._log = []
        self.workflow = workflow
        self.api = FakeApi(workflow)
        self.controller = FakeController(workflow.clock)
        new_session = transport_module.new_session

        def session_on_fake_api(*args, **kwargs):
            session = new_session(*args, **kwargs)
            mount(session, self.api)
            return session

        if core:
            # Where a filter was imported before, this process counts as a controller, in which modules keep no warnings.
            monkeypatch.setattr(core, "is_controller", False, raising=False)
        monkeypatch.setattr(transport_module, "new_session", session_on_fake_api)
        monkeypatch.setattr(session_module, "Clock", lambda: workflow.clock)
        monkeypatch.setattr(session_module, "Controller", lambda clock, listener: self.controller)
        monkeypatch.setattr(basic.AnsibleModule, "log", lambda module, msg, log_args=None: self._log.append(str(msg)))

    def run(self, check_mode=False, diff=False, module=workflow_instance_status, **options):
        """Run one task of a module; the credentials are given unless the options say otherwise."""
        args = dict({"workflow_name": "orders"}, **CREDENTIALS)
        args.update(options, _ansible_check_mode=check_mode, _ansible_diff=diff)
        args = {name: value for name, value in args.items() if value is not None}
        self._log.clear()
        warnings._global_warnings.clear()  # a process runs one module, as a rule
        self._capfd.readouterr()
        with patch_module_args(args), pytest.raises(SystemExit) as ended:
            module.main()
        out, err = self._capfd.readouterr()
        return Ran(json.loads(out), ended.value.code, out + err, "\n".join(self._log))
