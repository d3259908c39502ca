# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Production's face: details, refusals, credentials, creation, workflows, TLS."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request

import pytest
from engine import OPENER, EngineError
from engine_helpers import CRON_ID, detail, error_of, listed, make, patch, path_of, raw_call, reach


def test_details(engine):
    make(engine, "one", [{"do": "a"}, {"do": "b", "fail": "boom"}], "errored", trigger_source="cron", version_id="v-1")
    whole, simple = detail(engine, "one"), detail(engine, "one", "?simple=true")
    assert [step["name"] for step in whole.pop("steps")] == ["a-1", "b-1"]
    assert whole == simple
    assert simple["error"] == {"name": "Error", "message": "boom"} and simple["success"] is False and simple["step_count"] == 2
    assert simple["trigger"] == {"source": "cron"} and simple["versionId"] == "v-1"
    item = listed(engine, "", "lab")[0][0]
    assert (item["started_on"], item["ended_on"]) == (simple["start"], simple["end"])
    assert sorted(item) == sorted(
        ["id", "created_on", "modified_on", "started_on", "ended_on", "status", "version_id", "workflow_id", "trigger_source"]
    )
    assert engine.api("GET", path_of("one", "/step?name=b-1&type=step"))[2]["result"]["error"]["message"] == "boom"
    assert error_of(engine.api("GET", path_of("one", "/step?name=c-1"))) == (404, 10400)


def test_unknown_things_and_no_phantoms(engine):
    assert error_of(engine.api("GET", path_of("ghost"))) == (404, 10400)
    assert error_of(patch(engine, "ghost", {"status": "pause"})) == (404, 10400)
    assert error_of(engine.api("POST", path_of("ghost", "/events/x"), {})) == (404, 10400)
    assert error_of(engine.api("GET", path_of(".."))) == (404, 10400)
    assert error_of(engine.api("GET", "/ghost/instances/ghost")) == (404, 10200)
    assert error_of(engine.api("GET", "/lab/ghosts")) == (404, 7003)
    assert error_of(engine.api("PUT", "/lab/instances")) == (405, 7001)
    # A development session leaves a phantom; the gateway knows better.
    with pytest.raises(urllib.error.HTTPError):
        OPENER.open(engine.dev_url + "/workflows/lab/instances/ghost", timeout=10)
    with OPENER.open(engine.dev_url + "/workflows/lab/instances", timeout=10) as response:
        assert len(json.loads(response.read().decode())["result"]) == 1
    assert listed(engine, "", "lab") == ([], {"count": 0, "per_page": 50, "total_count": 0})
    engine.control("POST", "/purge", {"workflow": "lab"})
    with OPENER.open(engine.dev_url + "/workflows/lab/instances", timeout=10) as response:
        assert json.loads(response.read().decode())["result"] == []


def test_refusals_of_actions(engine):
    make(engine, "one", [], "complete")
    assert error_of(patch(engine, "one", {"status": "terminate"})) == (409, 10401)
    answer = patch(engine, "one", {"status": "restart", "from": {"name": "ghost"}})
    assert answer[0] == 409 and "cannot_restart" in answer[2]["errors"][0]["message"]
    for bad in (
        {"status": "dance"},
        {},
        [],
        "pause",
        {"status": "pause", "rollback": True},
        {"status": "restart", "from": {"name": ""}},
        {"status": "restart", "from": {"name": "a", "count": 0}},
        {"status": "restart", "from": {"name": "a", "type": "step"}},
    ):
        assert error_of(patch(engine, "one", bad)) == (400, 10002), bad


def test_creation_and_deletion(engine):
    def create(body):
        return engine.api("POST", "/lab/instances", body)

    status, _headers, body = create({"instance_id": "one", "params": json.dumps({"steps": [], "output": {"n": 1}})})
    assert status == 200 and body["result"]["id"] == "one" and body["result"]["status"] == "queued"
    reach(engine, "one", "complete")
    assert detail(engine, "one")["output"] == {"n": 1} and detail(engine, "one")["params"]["output"] == {"n": 1}
    assert error_of(create({"instance_id": "one"})) == (409, 10405)
    assert error_of(create({"instance_id": "a b"})) == (400, 10002)
    assert error_of(create({"instance_id": "two", "params": {"steps": []}})) == (400, 10002)
    batch = [{"instance_id": "one"}, {"instance_id": "two"}]
    assert [made["id"] for made in engine.api("POST", "/lab/instances/batch", batch)[2]["result"]] == ["two"]
    assert error_of(engine.api("POST", "/lab/instances/batch", [{"instance_id": "x"}] * 2)) == (400, 10415)
    assert engine.api("DELETE", path_of("one"))[2]["result"]["instanceId"] == "one"
    assert error_of(engine.api("GET", path_of("one"))) == (404, 10400)
    assert error_of(engine.api("DELETE", path_of("one"))) == (404, 10400)
    result = engine.api("POST", "/lab/instances/batch/delete", {"instances": ["one", "two"]})[2]["result"]
    assert result["deleted"] == [{"id": "two"}] and result["errors"][0]["code"] == 10400
    assert create({"instance_id": "one"})[0] == 200, "a deleted id can be used again"


def test_sizes_and_times_are_checked(engine):
    def create(body):
        return engine.api("POST", "/lab/instances", body)

    for reserved in ("batch", "terminate", "terminateAll", "cf_" + "0" * 64):
        assert error_of(create({"instance_id": reserved})) == (400, 10002), reserved
    for bad in ({"success_retention": "3days"}, {"error_retention": 1.5}, {"retention": 1}, []):
        assert error_of(create({"instance_id": "kept", "instance_retention": bad})) == (400, 10002), bad
    assert create({"instance_id": "kept", "instance_retention": {"success_retention": "3 days", "error_retention": 1000}})[0] == 200
    assert error_of(create({"instance_id": "other", "retention": {}})) == (400, 10002), "nothing that nobody knows is passed over"
    large = json.dumps({"x": "y" * (1024 * 1024)})
    assert error_of(create({"instance_id": "large", "params": large})) == (400, 10002)
    assert error_of(engine.api("POST", path_of("kept", "/events/go"), {"x": "y" * (1024 * 1024)})) == (400, 10002)
    half = json.dumps({"x": "y" * (512 * 1024)})
    batch = [{"instance_id": name, "params": half} for name in ("a", "b")]
    assert error_of(engine.api("POST", "/lab/instances/batch", batch)) == (400, 10002)
    late, early = "2026-02-01T00:00:00Z", "2026-01-01T00:00:00Z"
    assert error_of(engine.api("GET", f"/lab/instances?date_start={late}&date_end={early}")) == (400, 10502)
    assert error_of(engine.api("GET", "/lab/versions/none")) == (404, 10300)


def test_settings(engine):
    retention = engine.api("GET", "/settings")[2]["result"]["default_retention"]
    assert set(retention) == {"success_retention", "error_retention"}
    changed = engine.api("PATCH", "/settings", {"default_retention": {"error_retention": "3 days"}})[2]["result"]["default_retention"]
    assert changed == {**retention, "error_retention": "3 days"}
    assert error_of(engine.api("PATCH", "/settings", {"default_retention": {"error_retention": "soon"}})) == (400, 10002)
    engine.api("PATCH", "/settings", {"default_retention": retention})


def test_what_nobody_knows_of_creations_and_events(engine):
    def batch(*names):
        return engine.api("POST", "/lab/instances/batch", [{"instance_id": name} for name in names])

    make(engine, "one", [], "complete")
    engine.control("POST", "/unknowns", {"exists_status": 400, "batch_existing": "refused"})
    assert error_of(engine.api("POST", "/lab/instances", {"instance_id": "one"})) == (400, 10405)
    assert error_of(batch("one", "two")) == (400, 10405)
    assert error_of(engine.api("GET", path_of("two"))) == (404, 10400), "nothing was made"
    engine.control("POST", "/reset")
    engine.control("POST", "/unknowns", {"batch_form": "object", "batch_omits": ["three"], "batch_forgets": ["four"]})
    result = batch("one", "two", "three", "four")[2]["result"]
    assert [row["id"] for row in result["created"]] == ["two"] and [(row["id"], row["code"]) for row in result["errors"]] == [
        ("one", 10405)
    ]
    assert engine.api("GET", path_of("three"))[0] == 200 and error_of(engine.api("GET", path_of("four"))) == (404, 10400)
    assert engine.api("POST", path_of("one", "/events/go"), {})[0] == 200
    engine.control("POST", "/unknowns", {"events_to_finished": "refused"})
    assert engine.api("POST", path_of("one", "/events/go"), {})[0] == 409


def test_termination_by_hundreds(engine):
    def terminate(ids):
        return engine.api("POST", "/lab/instances/batch/terminate", ids)

    def statuses():
        return {item["id"]: item["status"] for item in listed(engine, "", "lab")[0]}

    for name in ("one", "two", "three", "four"):
        make(engine, name, [{"wait": "w"}], "waiting")
    make(engine, "done", [], "complete")
    for bad in ([], ["one"] * 101, {"instances": ["one"]}, [1], [""]):
        assert error_of(terminate(bad)) == (400, 10002), bad
    engine.control("POST", "/unknowns", {"terminate_already_running": 1})
    assert terminate(["one"])[2]["result"] == {"status": "already_running", "instancesTerminated": 0}
    assert statuses()["one"] == "waiting", "nothing was processed"
    assert terminate(["one", "one", "done", "ghost"])[2]["result"] == {"status": "ok", "instancesTerminated": 1}
    engine.control("POST", "/unknowns", {"terminate_leaves": ["two"], "terminate_late": ["three"], "terminate_late_ms": 300})
    engine.control("POST", "/unknowns", {"terminate_miscounts": 5})
    assert terminate(["two", "three", "four"])[2]["result"] == {"status": "ok", "instancesTerminated": 7}
    assert statuses() == {"one": "terminated", "two": "waiting", "three": "waiting", "four": "terminated", "done": "complete"}
    reach(engine, "three", "terminated")
    assert engine.control("GET", "/calls")["by_kind"]["batches"] == 8
    engine.control("POST", "/reset")
    assert terminate(["two"])[2]["result"] == {"status": "ok", "instancesTerminated": 1}
    with pytest.raises(EngineError):
        engine.control("POST", "/unknowns", {"nonsense": 1})


def test_ids_that_cron_triggers_make(engine):
    make(engine, CRON_ID, [{"wait": "w"}], "waiting")
    assert detail(engine, CRON_ID)["status"] == "waiting"
    assert patch(engine, CRON_ID, {"status": "pause"})[2]["result"]["status"] in ("paused", "waitingForPause")
    assert listed(engine, "", "lab")[0][0]["id"] == CRON_ID


def test_credentials(engine):
    def status_of(path, **headers):
        request = urllib.request.Request(engine.api_url + path, headers=headers)
        try:
            with OPENER.open(request, timeout=10) as response:
                return response.status, json.loads(response.read().decode())["result"]
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read().decode())["errors"][0]["code"]

    workflows = f"/accounts/{engine.account_id}/workflows?per_page=1"
    bearer = "Bearer " + engine.api_token
    assert min(len(engine.api_token), len(engine.api_key)) >= 40
    assert status_of(workflows, Authorization=bearer)[0] == 200
    assert status_of(workflows, **{"X-Auth-Email": engine.api_email, "X-Auth-Key": engine.api_key})[0] == 200
    assert status_of(workflows) == (401, 10000)
    assert status_of(workflows, Authorization=bearer + "x") == (401, 9109)
    assert status_of(workflows, **{"X-Auth-Email": engine.api_email, "X-Auth-Key": "wrong"}) == (403, 9103)
    assert status_of("/accounts/%s/workflows" % ("0" * 32), Authorization=bearer) == (403, 10000)
    assert status_of("/user/tokens/verify", Authorization=bearer)[1]["status"] == "active"
    assert status_of(f"/accounts/{engine.account_id}/tokens/verify", Authorization="Bearer x") == (401, 1000)
    odd = 'a"\\b$(c)[d]{e}|f*+?.^' + "0" * 40
    engine.control("POST", "/credentials", {"token": odd})
    engine.control("POST", "/credentials", {"token": "y" * 40, "status": "expired"})
    assert status_of(workflows, Authorization="Bearer " + odd)[0] == 200
    assert status_of(workflows, Authorization="Bearer " + "y" * 40) == (401, 9109)
    assert status_of("/user/tokens/verify", Authorization="Bearer " + "y" * 40)[1]["status"] == "expired"
    engine.control("POST", "/reset")
    assert status_of(workflows, Authorization="Bearer " + odd) == (401, 9109)


def test_workflows_and_versions(engine):
    make(engine, "one", [{"wait": "w"}], "waiting")
    status, _headers, body = engine.api("GET", "?search=la&per_page=5")
    assert status == 200 and [one["name"] for one in body["result"]] == ["lab"]
    assert body["result"][0]["instances"]["waiting"] == 1
    whole = engine.api("GET", "/lab")[2]["result"]
    versions = engine.api("GET", "/lab/versions")[2]["result"]
    assert whole["name"] == "lab" and len(versions) == 2
    assert engine.api("GET", "/lab/versions/" + versions[0]["id"])[2]["result"] == versions[0]
    assert listed(engine, "", "lab")[0][0]["version_id"] == versions[0]["id"]


def test_tls(engine):
    make(engine, "one", [], "complete")
    trusted = ssl.create_default_context(cafile=engine.tls_ca)
    response, _body = raw_call(engine, "GET", path_of("one"), url=engine.tls_url, context=trusted)
    assert response.status == 200
    with pytest.raises(ssl.SSLCertVerificationError):
        raw_call(engine, "GET", path_of("one"), url=engine.tls_url, context=ssl.create_default_context())
    engine.control("POST", "/faults", {"match": {"tls": True}, "fault": {"reset": "after"}})
    with pytest.raises((ConnectionResetError, ssl.SSLError)):
        raw_call(engine, "GET", path_of("one"), url=engine.tls_url, context=trusted)
    assert raw_call(engine, "GET", path_of("one"))[0].status == 200
