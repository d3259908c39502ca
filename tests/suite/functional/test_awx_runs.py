# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every runbook as AWX runs it, on every ansible-core asked for: with a survey's answers, records from job to job, jobs that were cancelled.

A run takes its seconds: so each scene is played once on an ansible-core, and the tests look at what was seen. What is true of every job is
asserted where jobs end (awx_jobs.py): no secret in what is kept of it, and no result too long to be kept.
"""

from __future__ import annotations

import functools
import json
import socket
import subprocess
import time
from types import SimpleNamespace

import pytest
from awx_jobs import COLOURS, JOB, MAX_EVENT_RES, Api, Job, answers, environment_of, inputs
from flock import NOTHING, WORKFLOW, Flock, names, wait_for_calls
from plays import environment

#: As users may choose them, and as schedules make them, the longest kind too.
CRON = "*/30 * * * *-1786001400000"
LONGEST = ("0 " + ",".join(str(hour % 24) for hour in range(200)))[:250] + " * * *-1786001400000"
ODD = ["0123", "no", "null", "1e3", "2026-01-01", "order-1", CRON, LONGEST + "0" * (271 - len(LONGEST))]

MARK = "edgeops_record: "
AWX_TOKEN = "token-of-awx-0123456789abcdef"


class Stage:
    """Where a scene is played.

    Args:
        core: which ansible-core, str.
        flock: flock.Flock.
        folder: of the jobs' private folders, pathlib.Path.
    """

    def __init__(self, core, flock, folder):
        self.core = core
        self.flock = flock
        self.folder = folder
        self._number = JOB

    def start(self, runbook, given, *, answered=True, handed_on=None, **more):
        """Start a job. `given`: answers of its survey, or variables of its launch; `handed_on`: artifacts of the jobs before it in a workflow."""
        variables = answers(runbook, workflow_name=WORKFLOW, **given) if answered else {"workflow_name": WORKFLOW, **given}
        self._number += 1
        variables.update(handed_on or {})
        job = Job(self.core, self.flock.bench.engine, self.folder, runbook, variables, number=self._number, **more)
        self.flock.started.append(job.popen)
        return job

    def run(self, runbook, given, *, warns=False, **more):
        """Run a job to its end, and count the calls that it makes."""
        self.flock.forget_calls()
        return self.start(runbook, given, **more).finish(warns=warns)

    def run_all(self, jobs):
        """Run jobs, two at a time; each as the arguments of `start`, with a dict of more."""
        ended = []
        for begin in range(0, len(jobs), 2):
            running = [self.start(*arguments, **more) for *arguments, more in jobs[begin : begin + 2]]
            ended += [job.finish() for job in running]
        return ended

    def foretell(self, runbook, given, plain, **more):
        """Run a job of the type check, and the same on the command line beside it: (the job, what that said)."""
        self.flock.forget_calls()
        job = self.start(runbook, given, check=True, **more)
        said = self._typed(runbook, plain)
        job.finish()
        assert self.flock.patches() == []
        return job, said

    def _typed(self, runbook, variables):
        """What a runbook says that is run in check mode by an operator in a shell."""
        folder = self.folder / f"shell-{runbook}"
        folder.mkdir()
        venv = environment_of(self.core)
        command = [venv / "bin" / "ansible-playbook", f"edgeops.cloudflare.{runbook}", "--check", "--diff"]
        done = subprocess.run(
            [*command, "-e", json.dumps({"workflow_name": WORKFLOW, **variables})],
            env=environment(self.flock.bench.engine, venv, PWD=str(folder), ANSIBLE_CALLBACK_RESULT_FORMAT="json"),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout


@pytest.fixture(scope="module")
def scene(lasting_bench, tmp_path_factory):
    """Plays a scene, once on each ansible-core: scene(function, core) returns what the function, given a Stage, returns."""
    flock = Flock(lasting_bench)

    def clear():
        flock.control("POST", "/reset")
        flock.purge()

    @functools.cache
    def played(function, core):
        clear()
        try:
            return function(Stage(core, flock, tmp_path_factory.mktemp(function.__name__)))
        except Exception as error:
            return error
        finally:
            clear()

    def play(function, core):
        seen = played(function, core)
        if isinstance(seen, Exception):
            raise seen
        return seen

    return play


def assert_same_plan(job, said):
    """A job's plan is that of the command line, line by line."""
    assert len(job.plan) > 1 and [line for line in job.plan if json.dumps(line, ensure_ascii=False) not in said] == [], said


# -- every runbook, by a survey's answers ----------------------------------------------------------------------------------


def freeze_and_thaw(stage):
    """All answers are given by the survey, each by another way to write it; the record goes on as the artifact."""
    flock, seen = stage.flock, SimpleNamespace()
    mine, others, late = flock.create(ODD), flock.create_paused(names("other", 2)), flock.create(names("late", 1))
    given = {
        "statuses": '["running", "waiting"]',
        "id_glob": "[!l]*",
        "created_after": "2020-01-01T00:00:00Z",
        "created_before": "2100-01-01T00:00:00Z",
        "hold_for": "0",
        "max_instances": "20",
        "max_failures": "5",
        "batch_size": "3, 100",
        "wait": "true",
        "wait_timeout": "60",
        "requests_per_second": "50",
    }
    plain = {
        "id_glob": "[!l]*",
        "created_after": "2020-01-01T00:00:00Z",
        "created_before": "2100-01-01T00:00:00Z",
        "max_instances": 20,
        "max_failures": 5,
        "batch_size": [3, 100],
        "wait_timeout": 60,
        "requests_per_second": 50,
    }
    seen.told = stage.foretell("pause_all", given, plain)
    seen.frozen = stage.run("pause_all", {**given, "created_before": "2100-01-01T02:00:00+02:00"})
    seen.paused = flock.patches()
    seen.statuses = flock.statuses([*mine, *others, *late])

    given = {"created_after": "2020-01-01T00:00:00Z", "max_details": "5", "max_pages": "2", "requests_per_second": "50"}
    seen.report = stage.run("report", given, handed_on=seen.frozen.artifacts)
    seen.changed_by_report = flock.patches()

    given = {"everything_paused": "false", "batch_size": "4\n50", "batch_pause": "0", "max_failures": "5", "wait": "yes"}
    plain = {"edgeops_record": seen.frozen.artifacts["edgeops_record"], "batch_size": [4, 50], "batch_pause": 0}
    seen.told_again = stage.foretell("resume_paused", given, plain, handed_on=seen.frozen.artifacts)
    seen.thawed = stage.run("resume_paused", given, handed_on={**seen.frozen.artifacts, **seen.report.artifacts})
    seen.resumed = flock.patches()
    flock.wait_for(mine, "waiting")
    seen.statuses_again = flock.statuses(others)
    return seen


def test_freeze_as_on_the_command_line(core, scene):
    """Foretold with the same plan, and done to those that it names."""
    seen = scene(freeze_and_thaw, core)
    assert_same_plan(*seen.told)
    assert seen.told[0].code == 0 and seen.told[0].artifacts == {}
    assert seen.frozen.code == 0 and sorted(seen.paused) == sorted((name, "pause") for name in ODD)
    everyone = [*ODD, "other-000", "other-001"]
    assert seen.statuses == {**dict.fromkeys(everyone, "paused"), "late-000": "waiting"}
    assert seen.frozen.account[0] == "8 of 8 instances of fleet paused by this run, 0 unchanged"
    assert seen.frozen.account[-1].endswith(f"with workflow_name=fleet, record_job={seen.frozen.number}")


def test_report_between_them(core, scene):
    """It tells what became of those in the artifact, and changes nothing."""
    seen = scene(freeze_and_thaw, core)
    assert seen.report.code == 0 and seen.changed_by_report == []
    told = " ".join(seen.report.result("How the instances are")["msg"])
    assert f"job {seen.frozen.number}: 8 paused; by now   8 paused" in told, told


def test_thaw_by_the_artifact(core, scene):
    """Exactly those are resumed that were paused, whatever their ids look like; what others have paused stays paused."""
    seen = scene(freeze_and_thaw, core)
    (entry,) = seen.frozen.record["records"]
    assert set(entry["ids"]) == set(ODD) and str(entry["job"]) == str(seen.frozen.number)
    assert list(seen.frozen.artifacts) == ["edgeops_record"] and isinstance(seen.frozen.artifacts["edgeops_record"], str)
    assert_same_plan(*seen.told_again)
    assert f"(job {seen.frozen.number}), which holds 8 instances" in " ".join(seen.told_again[0].plan)
    assert seen.thawed.code == 0 and sorted(seen.resumed) == sorted((name, "resume") for name in ODD)
    assert seen.thawed.account[0] == "8 of 8 instances of fleet resumed by this run, 0 unchanged"
    assert set(seen.statuses_again.values()) == {"paused"}
    assert {entry["state"]: set(entry["ids"]) for entry in seen.thawed.record["records"]} == {"paused": set(), "running": set(ODD)}


def restart(stage):
    flock, seen = stage.flock, SimpleNamespace()
    failed = flock.create_errored(names("failed", 4))
    flock.create(names("done", 1), NOTHING, "complete")
    given = {
        "ended_after": "2020-01-01T00:00:00Z",
        "error_glob": "*two*",
        "from_failed_step": "true",
        "while_paused": "false",
        "max_instances": "5",
        "batch_size": "[1, 50]",
        "batch_pause": "0",
        "canary_timeout": "60",
        "canary_failures": "0",
    }
    plain = {"ended_after": "2020-01-01T00:00:00Z", "error_glob": "*two*", "max_instances": 5, "batch_size": [1, 50]}
    plain.update(canary_timeout=60, ended_before="2100-01-01T00:00:00Z")
    seen.told = stage.foretell("restart_failed", {**given, "ended_before": "2100-01-01T00:00:00Z"}, plain)
    seen.done = stage.run("restart_failed", given)
    seen.patches = flock.patches()
    flock.wait_for(failed, "waiting")
    seen.ran = [flock.ran(name) for name in failed]
    return seen


def test_restart_as_on_the_command_line(core, scene):
    seen = scene(restart, core)
    assert_same_plan(*seen.told)
    assert "Step found in 4 of 4: two (1) 4" in seen.told[0].plan
    assert seen.done.code == 0 and sorted(seen.patches) == [(name, "restart") for name in names("failed", 4)]
    assert seen.done.account[0] == "4 of 4 instances of fleet restarted by this run, 0 unchanged"
    assert seen.ran == [{"one": 1, "two": 2}] * 4
    assert set(seen.done.record["records"][0]["ids"]) == set(names("failed", 4))


def terminate(stage):
    flock, seen = stage.flock, SimpleNamespace()
    doomed, spared = flock.create(["0123", "no", "doomed-1"]), flock.create(names("spared", 2))
    given = {
        "instance_ids": '"0123"\n"no"\ndoomed-1',
        "rollback": "false",
        "allow_partial": "no",
        "bulk_terminate": "false",
        "max_failures": "5",
        "batch_size": "50",
        "wait": "true",
    }
    seen.told = stage.foretell("terminate", given, {"instance_ids": doomed})
    # A blank number is no number: nothing is ended by it.
    seen.refused = stage.run("terminate", given)
    seen.patches = flock.patches()
    seen.done = stage.run("terminate", {**given, "confirm": "3"})
    seen.statuses = flock.statuses([*doomed, *spared])
    return seen


def test_terminate_as_on_the_command_line(core, scene):
    seen = scene(terminate, core)
    assert_same_plan(*seen.told)
    assert seen.told[0].plan[-1] == "To do it, run it with confirm=3"
    assert seen.done.code == 0 and seen.done.account[0] == "3 of 3 instances of fleet terminated WITHOUT rollback by this run, 0 unchanged"
    ended = dict.fromkeys(["0123", "no", "doomed-1"], "terminated")
    assert seen.statuses == {**ended, **dict.fromkeys(names("spared", 2), "waiting")}


def test_nothing_is_terminated_unconfirmed(core, scene):
    """The answer left blank."""
    seen = scene(terminate, core)
    assert (seen.refused.status, seen.refused.code) == ("failed", 2) and seen.patches == []
    assert "nothing says that it is meant; nothing was changed. Set confirm=3" in seen.refused.refusal


def blank(stage):
    """Every runbook that there is, each a job of the type check with nothing but the workflow."""
    flock = stage.flock
    flock.create(names("ok", 2))
    flock.create_paused(names("other", 2))
    flock.create_errored(names("failed", 2))
    flock.forget_calls()
    jobs = dict(zip(inputs(), stage.run_all([(name, {}, {"check": True}) for name in inputs()]), strict=True))
    return SimpleNamespace(jobs=jobs, patches=flock.patches())


def test_a_survey_left_blank(core, scene):
    """It widens nothing: what acts by an explicit scope alone refuses to act, and says what is missing."""
    seen = scene(blank, core)
    assert seen.patches == [] and set(seen.jobs) == {"pause_all", "resume_paused", "restart_failed", "terminate", "report"}
    for name, job in seen.jobs.items():
        if name in ("resume_paused", "restart_failed", "terminate"):
            assert job.code == 2 and "none is given, and nothing is not everything" in job.refusal, job.output
        else:
            assert job.code == 0, job.output
    assert "Would pause 2 of 2 instances of fleet" in seen.jobs["pause_all"].plan[0]


# -- records that don't fit ------------------------------------------------------------------------------------------------


def whole_record(stage, **changes):
    """The artifact that a job would hand on."""
    engine = stage.flock.bench.engine
    entry = {"workflow_name": WORKFLOW, "state": "paused", "made_at": "2026-11-01T00:00:00Z", "job": "4710", "ids": ["0123", "no"]}
    entry.update(on_their_way=[], unknown=[], **changes.pop("entry", {}))
    whole = {"version": 1, "account_id": engine.account_id, "api_url": engine.api_url, "records": [entry], **changes}
    return " " + json.dumps(whole, separators=(",", ":"))


#: What is wrong with a record → what is said of it.
MISFITS = {
    "account": "the record is of account ffffffffffffffffffffffffffffffff, and this task speaks to",
    "workflow": "the record tells of no instance of fleet that was paused (it holds: orders paused)",
    "state": "the record tells of no instance of fleet that was paused (it holds: fleet terminated)",
    "version": "the record is of version 2, and this collection reads version 1",
    "cut off": "the record is cut off, or was changed: it is no JSON",
    "numbers": "ids[0] of the record for fleet is 83 and not text, so that something on its way has rewritten it",
}


def misfits(stage):
    """Jobs that get one as the artifact of another, by what is wrong with it."""
    stage.flock.create_paused(["0123", "no"])
    records = {
        "account": whole_record(stage, account_id="f" * 32),
        "workflow": whole_record(stage, entry={"workflow_name": "orders"}),
        "state": whole_record(stage, entry={"state": "terminated"}),
        "version": whole_record(stage, version=2),
        "cut off": whole_record(stage)[:-7],
        "numbers": whole_record(stage, entry={"ids": [83, False]}),
    }
    stage.flock.forget_calls()
    jobs = stage.run_all([("resume_paused", {}, {"handed_on": {"edgeops_record": text}}) for text in records.values()])
    return SimpleNamespace(jobs=dict(zip(records, jobs, strict=True)), patches=stage.flock.patches())


def test_records_that_do_not_fit(core, scene):
    """Refused by what does not fit, in one sentence with what to do; and nothing was changed by any of them."""
    seen = scene(misfits, core)
    assert seen.patches == []
    for misfit, says in MISFITS.items():
        job = seen.jobs[misfit]
        assert (job.status, job.code) == ("failed", 2) and says in job.refusal and "\n" not in job.refusal, (misfit, job.refusal)
        assert job.artifacts == {} and job.result("Resume them") is None


def pasted(stage):
    """Jobs of the type check that get the record as it may be copied: what its file or the API holds, and the artifacts of a job's page."""
    stage.flock.create_paused(["0123", "no"])
    record = whole_record(stage)
    texts = (record.strip(), json.dumps({"edgeops_record": record}, indent=4))
    return stage.run_all([("resume_paused", {"edgeops_record": text}, {"check": True}) for text in texts])


def test_a_record_that_is_pasted(core, scene):
    """It begins with a brace then, of which ansible-core before 2.19 makes a dictionary."""
    for job in scene(pasted, core):
        assert job.code == 0 and "Would resume 2 of 2 instances of fleet" in job.plan[0], job.output


# -- a job that is cancelled -----------------------------------------------------------------------------------------------


def cancelled(stage):
    """In the middle of a batch, and gone on with by what it has printed, pasted and asked for."""
    flock, seen = stage.flock, SimpleNamespace()
    everyone, others = flock.create(names("ok", 9)), flock.create_paused(names("other", 2))
    flock.meet("patch", {"hang_ms": 8_000, "work": "before"}, skip=5, times=1)
    flock.forget_calls()
    seen.job = stage.start("pause_all", {"batch_size": "[3, 3]", "wait_timeout": "60"})
    wait_for_calls(flock, "patches", 6)
    seen.job.cancel()
    seen.job.finish(timeout=60)
    flock.control("POST", "/idle")
    time.sleep(1)
    seen.late = flock.cost()[2]
    seen.paused = {name for name, status in flock.statuses(everyone).items() if status == "paused"}

    seen.thawed = stage.run("resume_paused", {"edgeops_record": seen.job.output, "batch_pause": "0"})
    seen.resumed = flock.patches()
    flock.wait_for(everyone, "waiting")
    seen.others = flock.statuses(others)

    # The same once more, by the number of the job.
    flock.op(*({"op": "pause", "instance": name} for name in seen.paused))
    with Api(AWX_TOKEN, {seen.job.number: seen.job}).running() as api:
        given, more = _by_number(seen.job.number, api.url, AWX_TOKEN)
        seen.asked = stage.run("resume_paused", given, verbosity=4, **more)
        seen.resumed_again = flock.patches()
        seen.paths = list(api.asked)
        flock.forget_calls()
        nobody = f"http://127.0.0.1:{_free_port()}"
        jobs = {
            "wrong token": _by_number(seen.job.number, api.url, "another-token-0123456789"),
            "unknown job": _by_number(1, api.url, AWX_TOKEN),
            "no answer": _by_number(seen.job.number, nobody, AWX_TOKEN),
            "in the clear": _by_number(seen.job.number, "http://awx.example.com", AWX_TOKEN),
        }
        seen.refused = dict(zip(jobs, stage.run_all([("resume_paused", *job) for job in jobs.values()]), strict=True))
        seen.refused_calls = flock.calls()["total"]
    return seen


def _by_number(number, host, token):
    """Answers that name a job; and what AWX's credential for itself injects, everything of it."""
    injected = {"CONTROLLER_HOST": host, "CONTROLLER_USERNAME": "", "CONTROLLER_PASSWORD": "", "CONTROLLER_VERIFY_SSL": "True"}
    return {"record_job": str(number), "batch_pause": "0"}, {"settings": {**injected, "CONTROLLER_OAUTH_TOKEN": token}}


def _free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def test_nothing_is_left_but_its_output(core, scene):
    """It ends at once and sends nothing more. Nothing is handed on; all that it may have paused is in what it has printed."""
    seen = scene(cancelled, core)
    assert seen.job.status == "canceled" and seen.job.artifacts is None
    assert seen.late == 6 and 3 < len(seen.paused) <= 6
    lines = [line for line in COLOURS.sub("", seen.job.output).splitlines() if line.startswith(MARK)]
    told = set()
    for line in lines:
        (entry,) = json.loads(line[len(MARK) :])["records"]
        told |= {*entry["ids"], *entry["unknown"]}
    assert seen.paused <= told and len(told) == 6
    assert "\x1b[" in seen.job.output


def test_gone_on_with_by_its_output(core, scene):
    """Pasted with its colours: exactly those are resumed that it has paused."""
    seen = scene(cancelled, core)
    assert seen.thawed.code == 0 and {name for name, action in seen.resumed if action == "resume"} == seen.paused
    assert len(seen.resumed) == len(seen.paused) and set(seen.others.values()) == {"paused"}


def test_gone_on_with_by_its_number(core, scene):
    """AWX is asked for its artifacts, and for its output since it has none; at any verbosity, that shows no token."""
    seen = scene(cancelled, core)
    assert seen.asked.code == 0 and {name for name, _action in seen.resumed_again} == seen.paused
    job = f"/api/v2/jobs/{seen.job.number}/"
    assert seen.paths[0] == job and seen.paths[1].startswith(f"{job}stdout/?format=txt") and len(seen.paths) == 2
    assert f"(job {seen.job.number}), which holds" in " ".join(seen.asked.plan)


@pytest.mark.parametrize(
    ("why", "says"),
    [
        ("wrong token", "AWX refuses the credentials; give CONTROLLER_OAUTH_TOKEN"),
        ("unknown job", "AWX has no job 1 that these credentials may see; check record_job"),
        ("no answer", "paste the job's output as edgeops_record instead"),
        ("in the clear", "controller_host must begin with https://"),
    ],
)
def test_a_job_that_can_not_be_asked_for(core, scene, why, says):
    """The reason in one sentence, and nothing is asked of Cloudflare."""
    job = scene(cancelled, core).refused[why]
    assert job.code == 2 and says in job.refusal and "\n" not in job.refusal, job.refusal
    assert scene(cancelled, core).refused_calls == 0


# -- many ------------------------------------------------------------------------------------------------------------------

CROWD = 300


def crowd(stage):
    """Three hundred at once, by what the launch asks for alone; one of them is refused."""
    flock, seen = stage.flock, SimpleNamespace()
    flock.create(names("ok", CROWD))
    flock.meet("patch", {"status": 400, "message": "no pause today"}, match={"instance": "ok-123"})
    seen.job = stage.run("pause_all", {}, answered=False, template={"batch_size": "{{ [50, 100 + 50] }}", "wait_timeout": 60})
    seen.statuses = flock.statuses(names("ok", CROWD))
    return seen


def test_a_failed_job_hands_on_its_record(core, scene):
    """Its exit code is 2; what it has paused is in its artifact, and what it has not, told."""
    seen = scene(crowd, core)
    paused = {name for name, status in seen.statuses.items() if status == "paused"}
    assert len(paused) == CROWD - 1
    assert (seen.job.status, seen.job.code) == ("failed", 2) and "no pause today" in seen.job.refusal
    assert seen.job.account[0] == f"1 failed, {CROWD - 1} of {CROWD} instances of fleet paused by this run, 0 unchanged"
    assert set(seen.job.record["records"][0]["ids"]) == paused


def test_templates_of_the_template(core, scene):
    """What a job template sets itself may be a template."""
    assert "in 3 batches of 50, 150, 100" in scene(crowd, core).job.plan[0]


def test_events_of_a_crowd(core, scene):
    """Their number does not grow with the instances. What of a result grows still fits where there are as many as are told one by one."""
    job = scene(crowd, core).job
    assert len(job.events) < 120
    assert max(job.sizes) * 1000 / CROWD < MAX_EVENT_RES


#: As many as one freeze has come to; each a different one.
MANY = [
    *ODD,
    "y",
    "~",
    "0x1f",
    *(f"*/{hour} 1,2 * * *-1786001400000" for hour in range(300)),
    *(f"{number:04d}" for number in range(124, 4125)),
]


def many(stage):
    """From job to job, and into a plan."""
    record = whole_record(stage, entry={"ids": MANY})
    first = stage.run("pause_all", {"instance_ids": "[]"}, handed_on={"edgeops_record": record})
    told = stage.run("resume_paused", {"max_instances": "5000"}, handed_on=first.artifacts, check=True, warns=True)
    return SimpleNamespace(first=first, told=told, log=stage.flock.calls()["log"])


def test_many_ids_pass_whole(core, scene):
    """None is lost or rewritten, whatever it looks like: the next job looks at exactly these."""
    seen = scene(many, core)
    assert len(MANY) == len(set(MANY)) == 4312
    assert (seen.first.code, seen.told.code) == (0, 0) and seen.first.record["records"][0]["ids"] == MANY
    assert sorted(entry["instance"] for entry in seen.log if entry["kind"] == "read") == sorted(MANY)
    assert "which holds 4,312 instances" in " ".join(seen.told.plan)


# -- what is kept of a job -------------------------------------------------------------------------------------------------


def test_secrets_are_where_awx_has_put_them(core, scene):
    """The token was given to the job, and runner's own note of its environment is the only file below `artifacts` that has it."""
    job = scene(freeze_and_thaw, core).frozen
    (token,) = job.secrets
    assert token in (job.folder / "artifacts" / str(job.number) / "command").read_text(encoding="utf-8")
