# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runbooks as AWX runs them: its private folder, its arguments of ansible-runner, its events; and AWX's API, as far as runbooks ask it.

By awx/main/tasks/jobs.py, and what AWX keeps of a job by awx/main/tasks/callback.py. Only the container around it is left out.
"""

from __future__ import annotations

import contextlib
import functools
import http.server
import json
import re
import signal
import subprocess
import threading

import awx
import environments
import yaml

#: The first job's number.
JOB = 4711

#: Characters of a task's result that AWX keeps: of a longer one it keeps nothing.
MAX_EVENT_RES = 700_000

#: What AWX answers where the output says so, with nothing where no credential has it.
PROMPTS = (
    r"Enter passphrase for .*:\s*?$",
    r"Bad passphrase, try again for .*:\s*?$",
    r"sudo password.*:\s*?$",
    r"SUDO password.*:\s*?$",
    r"BECOME password.*:\s*?$",
    r"SSH password:\s*?$",
    r"Password:\s*?$",
    r"Vault password:\s*?$",
)

#: Bytes of output that the API shows where it is not downloaded.
MAX_SHOWN = 1_048_576

COLOURS = re.compile(r"\x1b\[[0-9;]*m")

#: By ansible-runner of the environment whose Python runs it. Its arguments come by standard input: no secret is in a file by them.
_RUN = "import ansible_runner, json, sys; ansible_runner.interface.run(**json.load(sys.stdin))"


@functools.cache
def environment_of(core):
    """The folder of an environment, made once."""
    return environments.ensure("core-" + core)


@functools.cache
def inputs():
    """The names of the inputs of each runbook, dict of lists."""
    specs = yaml.safe_load((environments.ROOT / "roles" / "runbook" / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))
    return {runbook: list(spec["options"]) for runbook, spec in specs["argument_specs"].items()}


def answers(runbook, **given):
    """A survey that asks for every input of a runbook, filled in: what is not given is left blank."""
    options = inputs()[runbook]
    assert set(given) <= set(options)
    return {**dict.fromkeys(options, ""), **given}


def _command_line(check, verbosity):
    """The arguments of a job, as they are written; what changes nothing shows the difference that it would make."""
    return " ".join(
        [*(["--check"] if check else []), "-u", "root", *(["--diff"] if check else []), *(["-" + verbosity * "v"] if verbosity else [])]
    )


class Job:
    """A job that runs; what is known of it once it has ended is below `finish`.

    Args:
        core: which ansible-core, str.
        engine: engine.Engine.
        folder: where its private folder is made, pathlib.Path.
        runbook: str.
        variables: extra variables by survey, launch and artifacts, dict.
        number: of the job, int.
        check: whether it is a job of the type check.
        verbosity: of the template, int.
        template: extra variables of the template, which may hold templates of Jinja, dict.
        settings: more environment variables, as other credentials inject them, dict.
    """

    def __init__(self, core, engine, folder, runbook, variables, *, number=JOB, check=False, verbosity=0, template=None, settings=None):
        self.number = number
        #: What nobody may read in anything that is kept of the job, list of str.
        self.secrets = [
            engine.api_token,
            *(value for name, value in (settings or {}).items() if value and name.endswith(("TOKEN", "PASSWORD"))),
        ]
        self.folder = folder / f"awx_{number}_{runbook}"
        for part in ("project", "inventory", "env", "cp", "requirements_collections"):
            (self.folder / part).mkdir(parents=True, mode=0o700)
        self._write_files(runbook, variables, template or {}, _command_line(check, verbosity))
        venv = environment_of(core)
        arguments = {
            "ident": str(number),
            "private_data_dir": str(self.folder),
            "playbook": f"{runbook}.yml",
            "inventory": str(self.folder / "inventory" / "hosts"),
            "passwords": dict.fromkeys(PROMPTS, ""),
            "suppress_env_files": True,
            "fact_cache_type": "",
            "envvars": {**self._environment(engine), **(settings or {})},
        }
        environ = environments.child_environment(venv)
        # No shell has changed into a folder of a container.
        environ.pop("PWD", None)
        self.popen = subprocess.Popen(
            [venv / "bin" / "python", "-c", _RUN],
            env=environ,
            cwd=self.folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.popen.stdin.write(json.dumps(arguments))
        self.popen.stdin.close()
        self.popen.stdin = None

    def _write_files(self, runbook, variables, template, command_line):
        play = f"- ansible.builtin.import_playbook: edgeops.cloudflare.{runbook}\n"
        host = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
        inventory = {
            "all": {"hosts": ["localhost"]},
            "_meta": {"hostvars": {"localhost": {**host, "remote_tower_enabled": "true", "remote_tower_id": 1}}},
        }
        script = f"#! /usr/bin/env python3\n# -*- coding: utf-8 -*-\nprint({json.dumps(inventory)!r})\n"
        settings = {"job_timeout": 0, "suppress_ansible_output": True, "suppress_output_file": True}
        trusted = "".join(yaml.safe_dump({name: value}) for name, value in template.items() if name not in variables)
        for name, text, mode in (
            (f"project/{runbook}.yml", play, 0o600),
            ("inventory/hosts", script, 0o700),
            ("env/extravars", trusted + awx.extra_variables({**variables, **self._own_variables(runbook)}), 0o600),
            ("env/settings", json.dumps(settings), 0o600),
            ("env/cmdline", command_line, 0o600),
        ):
            path = self.folder / name
            path.touch(mode)
            path.write_text(text, encoding="utf-8")

    def _own_variables(self, runbook):
        """What AWX tells each job of itself, by both of its names."""
        told = {
            "job_id": self.number,
            "job_launch_type": "manual",
            "job_template_id": 7,
            "job_template_name": f"Cloudflare Workflows: {runbook}",
            "project_revision": "0123456789abcdef0123456789abcdef01234567",
            "project_scm_branch": "",
            "execution_node": "node-1",
            "user_id": 1,
            "user_name": "operator",
            "user_email": "operator@example.com",
            "inventory_id": 2,
            "inventory_name": "localhost",
        }
        return {f"{prefix}_{name}": value for prefix in ("awx", "tower") for name, value in told.items()}

    def _environment(self, engine):
        (kind,) = awx.load(awx.FOLDER / "credential_types.yml")["controller_credential_types"]
        values = {"api_token": engine.api_token, "account_id": engine.account_id, "api_url": engine.api_url}
        injected, _shown = awx.inject(kind, self.folder, **values)
        return {
            "ANSIBLE_FORCE_COLOR": "True",
            "ANSIBLE_HOST_KEY_CHECKING": "False",
            "ANSIBLE_INVENTORY_UNPARSED_FAILED": "True",
            "ANSIBLE_PARAMIKO_RECORD_HOST_KEYS": "False",
            "ANSIBLE_RETRY_FILES_ENABLED": "False",
            "ANSIBLE_SSH_CONTROL_PATH_DIR": str(self.folder / "cp"),
            "ANSIBLE_COLLECTIONS_PATH": f"{self.folder / 'requirements_collections'}:{environments.linked_collections()}",
            "AWX_PRIVATE_DATA_DIR": str(self.folder),
            "AWX_HOST": "https://awx.example.com",
            "JOB_ID": str(self.number),
            "INVENTORY_ID": "2",
            "PROJECT_REVISION": "0123456789abcdef0123456789abcdef01234567",
            "MAX_EVENT_RES": str(MAX_EVENT_RES),
            **injected,
        }

    def cancel(self):
        """As AWX does: ansible-runner is told, and kills the playbook and all its group."""
        self.popen.send_signal(signal.SIGTERM)

    def finish(self, timeout=300, warns=False):
        """Wait for its end; returns itself. It warns of something where that is expected only.

        One that hangs is killed, and subprocess.TimeoutExpired raised.
        """
        try:
            said = self.popen.communicate(timeout=timeout)[0]
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.communicate()
            raise
        kept = self.folder / "artifacts" / str(self.number)
        assert not said and (kept / "rc").is_file(), said
        #: successful, failed or canceled; and the playbook's exit code.
        self.status, self.code = (kept / "status").read_text(), int((kept / "rc").read_text())
        paths = [path for path in (kept / "job_events").glob("*.json") if not path.name.endswith("-partial.json")]
        #: What AWX keeps, list of dict.
        self.events = sorted((json.loads(path.read_text(encoding="utf-8")) for path in paths), key=lambda event: event["counter"])
        for event in self.events:
            event.setdefault("event_data", {})  # a line that belongs to no task has none
        self._check(warns)
        return self

    def _check(self, warns):
        """What is true of every job: nothing broke, nothing was left out of an event, and no secret is anywhere but where AWX put it."""
        assert "Traceback" not in self.said and ("WARNING" in self.said) is warns, self.output
        left_out = [event["event_data"]["task"] for event in self.events if event["event_data"].get("res", "something") == {}]
        assert left_out == []
        own = [self.folder / "env", self.folder / "artifacts" / str(self.number) / "command"]
        for path in self.folder.rglob("*"):
            if path.is_file() and not any(path.is_relative_to(one) for one in own):
                text = path.read_text(encoding="utf-8", errors="replace")
                assert not [secret for secret in self.secrets if secret in text], path

    # -- what is known of it once it has ended --------------------------------------------------------------------

    @property
    def output(self):
        """Its output, as the API tells it and its page shows it, with colours."""
        return "".join(f"{event['stdout']}\n" for event in self.events if event["stdout"]).replace("\r\n", "\n")

    @property
    def said(self):
        """The same without colours and line breaks."""
        return re.sub(r"\s+", " ", COLOURS.sub("", self.output))

    @property
    def artifacts(self):
        """What it hands on, dict; None where it was killed before its end."""
        ends = [event["event_data"].get("artifact_data", {}) for event in self.events if event["event"] == "playbook_on_stats"]
        return ends[0] if ends else None

    @property
    def record(self):
        """The record that it hands on, dict."""
        return json.loads(self.artifacts["edgeops_record"])

    def result(self, task):
        """The result of a task, dict; None where it did not run."""
        results = [
            event["event_data"]["res"]
            for event in self.events
            if event["event"] in ("runner_on_ok", "runner_on_failed") and event["event_data"]["task"] == task
        ]
        return results[-1] if results else None

    @property
    def plan(self):
        """The plan, list of str."""
        return self.result("The plan")["msg"]

    @property
    def account(self):
        """The account, list of str."""
        return self.result("What was done")["msg"]

    @property
    def refusal(self):
        """The one sentence that it ended with."""
        (failed,) = [event for event in self.events if event["event"] == "runner_on_failed"]
        return failed["event_data"]["res"]["msg"]

    @property
    def sizes(self):
        """How many characters of each task's result AWX would keep, list of int."""
        return [len(str(event["event_data"]["res"])) for event in self.events if "res" in event["event_data"]]


class Api(http.server.ThreadingHTTPServer):
    """What AWX tells of its jobs.

    Args:
        token: who may ask, str.
        jobs: finished ones by their numbers, dict of Job.
    """

    def __init__(self, token, jobs):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.token = token
        self.jobs = jobs
        self.url = f"http://127.0.0.1:{self.server_port}"
        #: Paths asked for.
        self.asked = []

    @contextlib.contextmanager
    def running(self):
        """It answers until the end."""
        thread = threading.Thread(target=self.serve_forever, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self.shutdown()
            self.server_close()
            thread.join()


class _Handler(http.server.BaseHTTPRequestHandler):
    """By the answers of AWX's API, version 2."""

    def do_GET(self):
        self.server.asked.append(self.path)
        found = re.fullmatch(r"/api/v2/jobs/(\d+)/(?:stdout/\?format=(txt|txt_download))?", self.path)
        job = self.server.jobs.get(int(found.group(1))) if found else None
        if self.headers["Authorization"] != f"Bearer {self.server.token}":
            self._answer(401, {"detail": "Authentication credentials were not provided. To establish a login session, visit /api/login/."})
        elif job is None:
            self._answer(404, {"detail": "Not found."})
        elif found.group(2):
            text = COLOURS.sub("", job.output)
            if found.group(2) == "txt" and len(text) > MAX_SHOWN:
                text = (
                    f"Standard Output too large to display ({len(text)} bytes), only download supported for sizes over {MAX_SHOWN} bytes."
                )
            self._send(200, "text/plain; charset=utf-8", text)
        else:
            self._answer(200, {"id": job.number, "type": "job", "status": job.status, "artifacts": job.artifacts or {}})

    def _answer(self, status, body):
        self._send(status, "application/json", json.dumps(body))

    def _send(self, status, content_type, text):
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments):
        """Nothing on the screen."""
