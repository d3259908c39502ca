# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an answer means: refused credentials, answers of something else than the API, the rate limit's names, plain refusals.

The answers are such as were seen in the field. Each is tried with others of its kind, and the calls are counted.
"""

from __future__ import annotations

import json
import re
from urllib.parse import urlsplit

import pytest
from answering import ACCOUNT, Answering, Rule, assert_plain, names, ok, page, refusal, run
from faulttable import SMALL_LIMIT
from flock import WORKFLOW as FLEET
from quickclock import quicken
from strangers import tunnel

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api import transport
from ansible_collections.edgeops.cloudflare.tests.unit.loopback import Reply, envelope

TOKEN = "abcdefghijklmnopqrstuvwxyz0123456789ABCD"
THREE = names(3)


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    """Waits pass at once."""
    return quicken(monkeypatch, pace=0.0)


def every(cases):
    """One test for each of these cases (dict of title: tuple or value)."""
    return pytest.mark.parametrize("case", cases.values(), ids=cases)


def assert_ended_at_once(api, result):
    """One call; nothing was changed, and nothing of the rest was tried."""
    assert_plain(result)
    assert result.get("failed") and not result["changed"]
    assert len(api.calls) == result["api_calls"]["total"] == 1
    assert [item["outcome"] for item in result["instances"]] == ["not_attempted"] * len(result["instances"])
    assert result["summary"]["not_attempted"] == len(result["instances"])


# -- refused credentials ------------------------------------------------------------------------------------------------

_BAD_HEADERS = "Invalid request headers"
_BAD_AUTHORIZATION = (6111, "Invalid format for Authorization header")

#: How credentials are refused: the answer, and what of it a sentence must quote.
NO_CREDENTIALS = {
    "6003, 6111 in the chain": (refusal(400, 6003, _BAD_HEADERS, [_BAD_AUTHORIZATION]), [_BAD_HEADERS, *map(str, _BAD_AUTHORIZATION)]),
    "6003, 6103 in the chain": (
        refusal(400, 6003, _BAD_HEADERS, [(6103, "Invalid format for X-Auth-Key header")]),
        ["6103", "Invalid format for X-Auth-Key header"],
    ),
    "6003, 6102 in the chain": (
        refusal(400, 6003, _BAD_HEADERS, [(6102, "Invalid format for X-Auth-Email header")]),
        ["6102", "Invalid format for X-Auth-Email header"],
    ),
    "6003, 6111 in the chain, 403": (refusal(403, 6003, _BAD_HEADERS, [_BAD_AUTHORIZATION]), ["6111"]),
    "another code, 6111 in the chain": (refusal(400, 10002, "bad request", [_BAD_AUTHORIZATION]), ["6111", _BAD_AUTHORIZATION[1]]),
    "6111 itself": (refusal(400, *_BAD_AUTHORIZATION), ["6111"]),
    "9106": (
        refusal(400, 9106, "Missing X-Auth-Key, X-Auth-Email or Authorization headers"),
        ["9106", "Missing X-Auth-Key, X-Auth-Email or Authorization headers"],
    ),
    "9109, 400": (refusal(400, 9109, "Invalid access token"), ["9109"]),
    "9109, 200": (refusal(200, 9109, "Invalid access token"), ["9109"]),
    "9103": (refusal(403, 9103, "Unknown X-Auth-Key or X-Auth-Email"), ["9103"]),
    "9103, 400": (refusal(400, 9103, "Unknown X-Auth-Key or X-Auth-Email"), ["9103"]),
    "10000, 400": (refusal(400, 10000, "Authentication error"), ["10000"]),
    "10000, 403": (refusal(403, 10000, "Authentication error"), ["10000"]),
    "10000, 200": (refusal(200, 10000, "Authentication error"), ["10000"]),
    "1000": (refusal(401, 1000, "Invalid API Token"), ["1000", "Invalid API Token"]),
    "1000, 400": (refusal(400, 1000, "Invalid API Token"), ["1000"]),
    "not the first of its errors": (
        Reply(400, envelope(errors=[{"code": 10002, "message": "bad request"}, {"code": 9109, "message": "Invalid access token"}])),
        ["9109"],
    ),
}


@every(NO_CREDENTIALS)
def test_refused_credentials(case):
    """Known by the code and by its chain, whatever the status: one call for all three, quoted, and traced to their origin."""
    answer, quoted = case
    with Answering(THREE, Rule(answer)) as api:
        result = run(instance_ids=THREE)
    assert_ended_at_once(api, result)
    for words in [*quoted, "api_token"]:
        assert words in result["msg"]


@pytest.mark.parametrize("state", ["paused", "running", "terminated", "restarted"])
def test_refused_credentials_in_every_state(state):
    """One instance: it was not attempted, by its name."""
    with Answering(["order-1"], Rule(NO_CREDENTIALS["6003, 6111 in the chain"][0])) as api:
        result = run(instance_id="order-1", state=state)
    assert_ended_at_once(api, result)
    assert "order-1 was not attempted" in result["msg"] and "1 not attempted" not in result["msg"]


def test_refused_credentials_of_a_selection():
    """The listing is the one call."""
    with Answering(THREE, Rule(NO_CREDENTIALS["6003, 6111 in the chain"][0])) as api:
        result = run(select={"status": ["running"]})
    assert_plain(result)
    assert len(api.calls) == 1 and result.get("failed") and "6111" in result["msg"]


@pytest.mark.parametrize(
    ("given", "environ", "origin"),
    [
        ({"api_token": None}, {"CLOUDFLARE_API_TOKEN": TOKEN}, "CLOUDFLARE_API_TOKEN"),
        ({"api_token": None, "api_email": "operator@edgeops.example", "api_key": "k" * 37}, {}, "api_key"),
        ({"api_token": None}, {"CLOUDFLARE_EMAIL": "operator@edgeops.example", "CLOUDFLARE_API_KEY": "k" * 37}, "CLOUDFLARE_API_KEY"),
    ],
    ids=["a token in the environment", "a key", "a key in the environment"],
)
def test_the_origin_of_refused_credentials(given, environ, origin):
    """Where they came from is said, so that one knows which to mend."""
    with Answering(THREE, Rule(NO_CREDENTIALS["6003, 6103 in the chain"][0])) as api:
        result = run(instance_ids=THREE, environ=environ, **given)
    assert_ended_at_once(api, result)
    assert origin in result["msg"] and "k" * 37 not in result.output and TOKEN not in result.output


def test_refused_credentials_on_the_way():
    """Revoked while the task runs: what was done is told, the rest was not attempted."""
    with Answering(names(20), Rule(NO_CREDENTIALS["6003, 6111 in the chain"][0], method="PATCH", skip=5)) as api:
        result = run(select={"status": ["running"]}, concurrency=1)
    assert_plain(result)
    assert (api.count("GET"), api.count("PATCH")) == (1, 6)
    assert (result["summary"]["changed"], result["summary"]["not_attempted"], result["summary"]["failed"]) == (5, 15, 0)


@pytest.mark.parametrize("status", [200, 400, 401, 403])
def test_the_guides_recipe_stays_red(status):
    """The guide's `failed_when` tolerates failures of instances, never a task that could do nothing."""
    with Answering(THREE, Rule(refusal(status, 6003, _BAD_HEADERS, [_BAD_AUTHORIZATION]))):
        result = run(instance_ids=THREE)
    summary = result["summary"]
    assert result.get("failed") and (summary["not_attempted"] > 0 or summary["failed"] + summary["unknown"] > 3)


#: Texts that no token can be.
NO_TOKENS = {
    "with its scheme": f"Bearer {TOKEN}",
    "with its scheme in small letters": f"bearer {TOKEN}",
    "with a blank inside": f"{TOKEN[:20]} {TOKEN[20:]}",
    "with a tab inside": f"{TOKEN[:20]}\t{TOKEN[20:]}",
    "on two lines": f"{TOKEN[:20]}\n{TOKEN[20:]}",
    "in double quotes": f'"{TOKEN}"',
    "in single quotes": f"'{TOKEN}'",
    "with a quote left over": f'{TOKEN}"',
}


@every(NO_TOKENS)
@pytest.mark.parametrize("where", ["option", "environment"])
def test_no_token_at_all(case, where):
    """Refused before any call, by the name of where it was given, and not shown."""
    given, environ = ({"api_token": case}, {}) if where == "option" else ({"api_token": None}, {"CLOUDFLARE_API_TOKEN": case})
    with Answering(THREE) as api:
        result = run(instance_ids=THREE, environ=environ, **given)
    assert result.get("failed") and api.calls == []
    assert ("api_token" if where == "option" else "CLOUDFLARE_API_TOKEN") in result["msg"]
    assert TOKEN not in result.output and TOKEN[:20] not in result.output


# -- a wrong account ----------------------------------------------------------------------------------------------------

#: How the API says that there is no such account, or none for these credentials.
WRONG_ACCOUNTS = {
    "7003": refusal(404, 7003, f"Could not route to /client/v4/accounts/{ACCOUNT}/workflows, perhaps your object identifier is invalid?"),
    "7003, 400": refusal(400, 7003, "Could not route to /accounts, perhaps your object identifier is invalid?", [(7000, "No route")]),
    "7000": refusal(400, 7000, "No route for that URI"),
    "10000, 403": refusal(403, 10000, "Authentication error"),
}


@every(WRONG_ACCOUNTS)
@pytest.mark.parametrize("origin", ["account_id", "CLOUDFLARE_ACCOUNT_ID"])
def test_a_wrong_account(case, origin):
    """The sentence shows the account, and where it came from."""
    given, environ = ({}, {}) if origin == "account_id" else ({"account_id": None}, {origin: ACCOUNT})
    with Answering(THREE, Rule(case)) as api:
        result = run(instance_ids=THREE, concurrency=1, environ=environ, **given)
    assert_ended_at_once(api, result)
    assert ACCOUNT in result["msg"] and origin in result["msg"]


# -- not the API's word -------------------------------------------------------------------------------------------------

_CHALLENGE = (
    '<!DOCTYPE html><html lang="en-US"><head><title>Just a moment...</title></head>'
    "<body>Enable JavaScript and cookies to continue</body></html>"
)
_BLOCKED = (
    "<!DOCTYPE html><html><head><title>Attention Required! | Cloudflare</title></head>"
    "<body><h1>Sorry, you have been blocked</h1></body></html>"
)
_RAY = "8f00aa11bb22cc33-AMS"
_LOGIN = "<html><head>\n<title>\n  Sign in &middot; Corporate SSO\n</title></head><body><form method=post></form></body></html>"
_JSON = "application/json"

#: Answers of what stands between: the answer, and what of it the sentence must show.
STRANGERS = {
    "a challenge, 403": (page(_CHALLENGE, 403, cf_mitigated="challenge"), ["403", "Just a moment..."]),
    "a firewall's page, 403": (page(_BLOCKED, 403, CF_RAY=_RAY), ["403", "Attention Required! | Cloudflare", _RAY]),
    "a line of text, 403": (page("error code: 1010", 403, "text/plain; charset=UTF-8"), ["403"]),
    "a firewall's page, 401": (page(_BLOCKED, 401, CF_RAY=_RAY), ["401", "Attention Required! | Cloudflare", _RAY]),
    "basic auth, 401": (
        page("<html><head><title>401 Authorization Required</title></head></html>", 401, WWW_Authenticate='Basic realm="proxy"'),
        ["401 Authorization Required"],
    ),
    "a gateway's JSON, 404": (page('{"message":"no Route matched with those values"}', 404, _JSON), ["404"]),
    "another gateway's JSON, 404": (
        page('{"timestamp":"2026-11-26T03:00:00Z","status":404,"error":"Not Found","path":"/client/v4"}', 404, _JSON),
        ["404"],
    ),
    "a gateway's JSON, 403": (page('{"message":"Forbidden"}', 403, _JSON), ["403"]),
    "a gateway's JSON, 401": (page('{"error":"unauthorized"}', 401, _JSON), ["401"]),
    "a page, 404": (page("<html><head><title>404 Not Found</title></head><body>nginx</body></html>", 404), ["404 Not Found"]),
    "a page, 400": (page("<html><head><title>400 Bad Request</title></head><body>nginx</body></html>", 400), ["400 Bad Request"]),
    "a page, 405": (page("<html><head><title>405 Not Allowed</title></head></html>", 405), ["405 Not Allowed"]),
    "nothing, 403": (page("", 403, CF_RAY=_RAY), ["403", _RAY]),
    "JSON that is a list, 403": (page("[]", 403, _JSON), ["403"]),
}

#: The same, with a status that says it went well.
SMILING_STRANGERS = {
    "a Worker": (page("Hello World!", content_type="text/plain;charset=UTF-8"), ["200"]),
    "a login page": (page(_LOGIN), ["200", "Sign in"]),
    "a gateway's JSON": (page('{"status":"ok"}', content_type=_JSON), ["200"]),
    "a proxy's page, 203": (page("<html><head><title>Notice</title></head></html>", 203), ["203", "Notice"]),
    "JSON that is a list": (page("[1, 2]", content_type=_JSON), ["200"]),
    "nothing": (page(""), ["200"]),
}

_OF_CREDENTIALS = re.compile(r"credential|token|permission|may edit|account_id|api_key", re.IGNORECASE)
_TO_LOOK_AT = re.compile(r"api_url|proxy|firewall", re.IGNORECASE)


def assert_tells_stranger(result, shown):
    """The sentence says what answered and what to look at, and nothing of credentials."""
    assert_plain(result)
    assert result.get("failed") and not result["changed"]
    for words in shown:
        assert words in result["msg"]
    assert _TO_LOOK_AT.search(result["msg"]) and not _OF_CREDENTIALS.search(result["msg"]), result["msg"]
    assert "<" not in result["msg"]


@every(STRANGERS)
def test_not_the_apis_word(case):
    """Before anything has succeeded it is fatal: the first ends the task."""
    answer, shown = case
    with Answering(THREE, Rule(answer)) as api:
        result = run(instance_ids=THREE, concurrency=1)
    assert_ended_at_once(api, result)
    assert_tells_stranger(result, shown)


@every(SMILING_STRANGERS)
@pytest.mark.parametrize("target", ["one", "selection"])
def test_not_the_apis_word_with_a_smile(case, target):
    """A 2xx that is no envelope is no fault that passes: one look more, not five."""
    answer, shown = case
    with Answering(["order-1"], Rule(answer)) as api:
        result = run(**({"instance_id": "order-1"} if target == "one" else {"select": {"status": ["running"]}}))
    assert len(api.calls) == 2
    assert_tells_stranger(result, shown)
    assert "lost" not in result["msg"]


@every(SMILING_STRANGERS)
def test_a_stranger_who_passes(case):
    """The one look more is enough, where it was the API's."""
    with Answering(["order-1"], Rule(case[0], times=1)) as api:
        result = run(instance_id="order-1")
    assert (result["instance"]["outcome"], api.count("GET"), api.count("PATCH")) == ("changed", 2, 1), result["msg"]


@pytest.mark.parametrize("status", [502, 503, 520])
def test_a_broken_gateways_page(status):
    """May pass, so it is tried five times; then the sentence tells of the page."""
    answer = page(f"<html><head><title>{status}: Bad gateway</title></head></html>", status, CF_RAY=_RAY)
    with Answering(["order-1"], Rule(answer)) as api:
        result = run(instance_id="order-1")
    assert len(api.calls) == 5
    assert_tells_stranger(result, [str(status), "Bad gateway", _RAY])


@every({name: STRANGERS[name] for name in ("a firewall's page, 403", "a line of text, 403", "a gateway's JSON, 404", "basic auth, 401")})
def test_a_stranger_for_one_of_sixty(case):
    """After a success it is that instance's failure: the other 59 are paused."""
    answer, shown = case
    sixty = names(60)
    with Answering(sixty, Rule(answer, method="PATCH", path="/instances/order-7/status")) as api:
        result = run(select={"status": ["running"]})
    assert_plain(result)
    summary = result["summary"]
    assert (summary["changed"], summary["failed"], summary["unknown"], summary["not_attempted"]) == (59, 1, 0, 0), result["msg"]
    assert api.count("PATCH", "/instances/order-(?!7/)") == 59 and api.count("GET", r"/instances\?") == 1
    assert result.get("failed") and [item["id"] for item in result["instances"] if item["failed"]] == ["order-7"]
    assert "order-7" in result["msg"] and all(words in result["msg"] for words in shown)


def test_five_strangers_in_a_row():
    """Five without a success between them: whatever stands between now stands between for all."""
    with Answering(names(60), Rule(STRANGERS["a firewall's page, 403"][0], path="/instances/")) as api:
        result = run(select={"status": ["running"]}, concurrency=1)
    assert_plain(result)
    assert len(api.calls) == 1 + 5
    assert result["summary"]["changed"] == 0 and result["summary"]["not_attempted"] >= 55
    assert _RAY in result["msg"]


def test_strangers_with_successes_between():
    """They are never five in a row: what can be paused is."""
    with Answering(names(60), Rule(STRANGERS["a firewall's page, 403"][0], method="PATCH", path=r"/instances/order-\d*[05]/status")):
        result = run(select={"status": ["running"]}, concurrency=1)
    summary = result["summary"]
    assert (summary["changed"], summary["failed"], summary["not_attempted"]) == (48, 12, 0), result["msg"]


def test_a_404_of_something_else_is_no_missing_instance():
    """Only the API's own word tells that an instance is gone."""
    with Answering(THREE, Rule(STRANGERS["a gateway's JSON, 404"][0], path="order-1")):
        result = run(instance_ids=THREE, concurrency=1)
    assert "not found" not in result["msg"].lower()
    assert [item["outcome"] for item in result["instances"]] == ["changed", "failed", "changed"]


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 403, "body": _BLOCKED, "headers": {"Content-Type": "text/html", "CF-RAY": _RAY}},
        {"raw": "Hello World!", "content_type": "text/plain"},
        {"status": 400, "body": json.loads(NO_CREDENTIALS["6003, 6111 in the chain"][0].content())},
    ],
    ids=["a firewall's page", "a Worker", "6003"],
)
@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_by_way_of_a_proxy(bench, fault):
    """The same by a real connection, through a proxy's tunnel and TLS, as production is reached."""
    bench.create(FLEET, THREE, {"steps": [{"sleep": "nap", "ms": 3_600_000}]}, status="waiting")
    bench.control("POST", "/calls/reset")
    bench.control("POST", "/faults", {"match": {"tls": True}, "fault": fault})
    with tunnel(urlsplit(bench.engine.tls_url).port) as proxy:
        result = bench.module(
            workflow_name=FLEET,
            instance_ids=THREE,
            state="paused",
            concurrency=8 if "6003" in str(fault) else 1,
            api_url="https://api.nowhere.invalid/client/v4",
            validate_certs=False,
            environ={"HTTPS_PROXY": proxy.url, "NO_PROXY": "", "no_proxy": ""},
        )
    bench.control("POST", "/purge", {"workflow": FLEET})
    assert_plain(result)
    assert bench.calls()["total"] == (2 if "raw" in fault else 1)
    assert result.get("failed") and result["summary"]["not_attempted"] == 3, result["msg"]


# -- the rate limit's names ---------------------------------------------------------------------------------------------

_THROTTLE = "Please wait and consider throttling your request speed"
throttles = pytest.mark.parametrize("code", [971, 10100, 10429])
statuses = pytest.mark.parametrize("status", [200, 400, 403, 429, 500, 503])


@throttles
@statuses
def test_throttled_looks(code, status):
    """Waited for, and looked again."""
    with Answering(["order-1"], Rule(refusal(status, code, _THROTTLE), method="GET", times=2)) as api:
        result = run(instance_id="order-1")
    assert (result["instance"]["outcome"], api.count("GET"), api.count("PATCH")) == ("changed", 3, 1), result["msg"]
    assert result["api_calls"]["retries"] == 2 and result["api_calls"]["rate_limited_seconds"] > 0


@throttles
@statuses
def test_throttled_pauses(code, status):
    """Never processed, so sent again."""
    with Answering(["order-1"], Rule(refusal(status, code, _THROTTLE), method="PATCH", times=1)) as api:
        result = run(instance_id="order-1")
    assert (result["instance"]["outcome"], api.count("PATCH")) == ("changed", 2), result["msg"]
    assert "lost" not in result["msg"]


@throttles
@statuses
@pytest.mark.parametrize("options", [{"state": "restarted"}, {"state": "terminated", "rollback": True}], ids=["restart", "rollback"])
def test_throttled_changes_that_are_made_once(code, status, options):
    """Sent again only where the status, too, says that it was refused."""
    start = "errored" if options["state"] == "restarted" else "running"
    with Answering({"order-1": start}, Rule(refusal(status, code, _THROTTLE), method="PATCH", times=1)) as api:
        result = run(instance_id="order-1", **options)
    if 400 <= status < 500:
        assert (result["instance"]["outcome"], api.count("PATCH")) == ("changed", 2), result["msg"]
    else:
        assert api.count("PATCH") == 1 and result.get("failed"), result["msg"]
        assert api.statuses == {"order-1": start}


@throttles
def test_throttled_for_good(code):
    """It ends as a 429 does: what is left was not attempted, and the sentence names the rate limit."""
    with Answering(THREE, Rule(refusal(400, code, _THROTTLE))):
        result = run(instance_ids=THREE, concurrency=1, rate_limit_timeout=30)
    assert_plain(result)
    assert result.get("failed") and result["summary"]["not_attempted"] == 3 and "rate limit" in result["msg"]


def test_retry_after_of_a_503(clock):
    """A look is made again when the server wants it, not before."""
    unavailable = refusal(503, 10001, "unavailable")._replace(headers={"Retry-After": "17"})
    with Answering(["order-1"], Rule(unavailable, method="GET", times=1)) as api:
        result = run(instance_id="order-1", wait=False)
    assert result["instance"]["outcome"] == "changed"
    assert (api.count("GET"), api.count("PATCH")) == (2, 1)
    assert 17 <= clock.newest.monotonic() < 30


@pytest.mark.parametrize("value", ["86400", "Thu, 26 Nov 2099 03:06:00 GMT", "99999999999999999999"])
def test_retry_after_of_a_503_is_bounded(clock, value):
    """Not for a day."""
    with Answering(["order-1"], Rule(refusal(503, 10001, "unavailable")._replace(headers={"Retry-After": value}), method="GET", times=1)):
        run(instance_id="order-1")
    assert clock.newest.monotonic() <= 330


# -- an answer that says no ---------------------------------------------------------------------------------------------

NOES = {
    "not implemented": refusal(500, 10001, "Error: Not implemented yet"),
    "501": refusal(501, 10001, "Not implemented"),
    "an internal error": refusal(500, 10001, "workflows.api.error.internal_server"),
    "another code": refusal(503, 10252, "workflows are disabled"),
}


@every(NOES)
@pytest.mark.parametrize("state", ["paused", "terminated"])
def test_an_answer_that_says_no(clock, case, state):
    """What was answered, and how often it was tried; nothing was lost."""
    with Answering(["order-1"], Rule(case, method="PATCH")) as api:
        result = run(instance_id="order-1", state=state)
    assert_plain(result)
    tried = api.count("PATCH")
    said = case.body["errors"][0]
    assert 1 <= tried <= 5 and len(api.calls) <= tried + 2
    assert clock.newest.monotonic() < 30
    assert result.get("failed") and said["message"] in result["msg"] and str(said["code"]) in result["msg"]
    assert "lost" not in result["msg"]
    assert tried == 1 or re.search(rf"\b(?:{tried}|{['twice', 'three', 'four', 'five'][tried - 2]})\b", result["msg"]), result["msg"]


@every(NOES)
@pytest.mark.parametrize("options", [{"state": "restarted"}, {"state": "terminated", "rollback": True}], ids=["restart", "rollback"])
def test_an_answer_that_says_no_to_what_is_made_once(case, options):
    """Sent once, and what was answered is said; "lost" is what nothing readable came of."""
    start = "errored" if options["state"] == "restarted" else "running"
    with Answering({"order-1": start}, Rule(case, method="PATCH")) as api:
        result = run(instance_id="order-1", **options)
    assert_plain(result)
    assert api.count("PATCH") == 1 and result.get("failed")
    assert case.body["errors"][0]["message"] in result["msg"] and "lost" not in result["msg"]


def test_a_log_too_large_to_read(monkeypatch):
    """Read once, since reading it again can't mend it, and the way that needs no log is named."""
    monkeypatch.setattr(transport, "LARGEST_ANSWER", SMALL_LIMIT)
    steps = [{"name": "charge-1", "type": "step", "success": False, "output": "x" * (2 * SMALL_LIMIT)}]
    with Answering({"order-1": "errored"}) as api:
        api.details["order-1"] = {"steps": steps}
        result = run(instance_id="order-1", state="restarted", from_failed_step=True)
    assert_plain(result)
    assert api.count("GET", r"/order-1(?!.*simple=true)") == 1 and api.count("PATCH") == 0
    assert result.get("failed") and "MiB" in result["msg"] and "from_step" in result["msg"]


def test_a_page_too_large_to_read(monkeypatch):
    """Nor is a listing read again that is too large."""
    monkeypatch.setattr(transport, "LARGEST_ANSWER", SMALL_LIMIT)
    with Answering(THREE, Rule(ok([], messages=["x" * (2 * SMALL_LIMIT)]), path=r"/instances\?")) as api:
        result = run(select={"status": ["running"]})
    assert_plain(result)
    assert len(api.calls) == 1 and result.get("failed") and "MiB" in result["msg"]
