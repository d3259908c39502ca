# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel: situations in which an operator reads a sentence at three in the morning, each made on the engine.

What is said in each is in panel.yml, as a whole. test_panel.py says how to write it anew.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import typing as t

from faulttable import SMALL_LIMIT
from requests.adapters import HTTPAdapter
from strangers import closed_port

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api import transport

WORKFLOW = "orders"

#: Params of an order that waits for its approval, of one whose card is declined, and of one that the bank keeps waiting.
WAITS = {"approval": True}
DECLINED = {"steps": {"charge": {"fail_while": "declining", "message": "card declined"}}}
HELD = {"steps": {"charge": {"gate": "bank"}}}

_OPEN_BANK = {"op": "gate", "name": "bank", "open": True}
_FIREWALL = (
    "<!DOCTYPE html><html><head><title>Attention Required! | Cloudflare</title></head>"
    "<body><h1>Sorry, you have been blocked</h1></body></html>"
)
_TIME = r"\d\d:\d\d:\d\dZ"

#: What differs from run to run, and how it is written down instead.
_VARIABLE = [
    (re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z"), "YYYY-MM-DDThh:mm:ssZ"),
    (re.compile(r"\b" + _TIME), "hh:mm:ssZ"),
    (re.compile(r"\b\d\d:\d\d(?=\D)(?!:)"), "hh:mm"),
    (re.compile(r"\b[0-9a-f]{16}-LOC\b"), "RAY"),
    (re.compile(r"(127\.0\.0\.1|localhost):\d+"), r"\1:PORT"),
    (re.compile(r"Supported parameters include: .*?\.(?= |$)"), "Supported parameters include: (all of them)."),
]


class Situation(t.NamedTuple):
    """One situation, and what holds of its sentence however it is worded.

    title: str.
    arrange: callable(Stage) that makes it, and returns the task's options.
    subject, status: str, what a pager must show: of whom, and what is true now.
    says, never: regular expressions that the sentence must and must not match.
    warns: regular expressions that the warnings must match; is_quiet: bool, whether there must be none.
    typed: dict of a regular expression, advice as it must be in the sentence, to the options that it is when it is typed (a number in it, its
        group, is what counts); and
    then: str, what running the task with it does: "green", "changed" or "red".
    check_mode: bool. green: bool, whether the task is.
    is_own: bool, whether the sentence is this collection's and not ansible-core's.
    """

    title: str
    arrange: t.Callable
    subject: str = "order-7"
    status: str | None = None
    says: tuple = ()
    never: tuple = ()
    warns: tuple = ()
    is_quiet: bool = False
    typed: dict = {}  # noqa: RUF012
    then: str = "green"
    check_mode: bool = False
    green: bool = False
    is_own: bool = True


#: dict of title: Situation, in the order of the page.
PANEL: dict[str, Situation] = {}


def situation(title, **facts):
    """Enter the function into the panel as the one that makes this situation."""

    def enter(arrange):
        PANEL[title] = Situation(title, arrange, **facts)
        return arrange

    return enter


class Stage:
    """Where a situation is made: the engine's workflow `orders`, without any instances at first.

    Args:
        bench: conftest.Bench.
        monkeypatch: pytest's own.
    """

    def __init__(self, bench, monkeypatch):
        self.bench = bench
        self.monkeypatch = monkeypatch
        self.contexts = contextlib.ExitStack()
        #: dict, environment variables of the task.
        self.environ = {}
        resolve = socket.getaddrinfo

        def resolve_here(host, *arguments, **options):
            if str(host).endswith(".invalid"):
                raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
            return resolve(host, *arguments, **options)

        monkeypatch.setattr(socket, "getaddrinfo", resolve_here)
        self.clear()

    def clear(self):
        """End and delete all orders."""
        self.bench.control("POST", "/idle")
        self.bench.control("POST", "/purge", {"workflow": WORKFLOW})

    def orders(self, *ids, params=None, status="waiting"):
        """Make orders, and wait until they are in this status."""
        if params is DECLINED:
            self.switch(True)
        self.bench.create(WORKFLOW, list(ids), WAITS if params is None else params, status)

    def held(self, *ids, params=None):
        """Orders that the bank keeps waiting in the step `charge`."""
        self.orders(*ids, params=HELD if params is None else params, status="running")
        self.bench.control("POST", "/await", {"gate": "bank", "waiting": len(ids)})

    def switch(self, declining):
        """Whether the bank declines cards."""
        self.bench.control("POST", "/switch", {"name": "declining", "value": declining})

    def op(self, instance, name, status):
        """Do something on the engine, past the gateway, and wait for the status that follows."""
        self.bench.control("POST", "/op", {"workflow": WORKFLOW, "instance": instance, "op": name})
        self.bench.control("POST", "/await", {"workflow": WORKFLOW, "instance": instance, "status": status})

    def meet(self, kind=None, fault=None, **rule):
        """Let calls of a kind (None: all) meet a fault, or operations."""
        match = {"kind": kind} if kind else {}
        self.bench.control("POST", "/faults", {"match": match, "fault": fault, **rule})

    def meanwhile(self, *operations, status):
        """Let this happen before the first look after the change."""
        self.meet("read", skip=1, times=1, before=[*operations, {"op": "await", "statuses": [status]}])

    def run(self, task, check_mode=False):
        """Run the task; None in it stands for an option that is not given."""
        options = {"workflow_name": WORKFLOW, **task}
        return self.bench.module(check_mode=check_mode, environ=self.environ, **options)


def normal(sentence):
    """A sentence without what differs from run to run."""
    for pattern, instead in _VARIABLE:
        sentence = pattern.sub(instead, sentence)
    return sentence


def one(state, instance="order-7", **options):
    """A task that is about one order."""
    return {"instance_id": instance, "state": state, **options}


# -- statuses from which a state can't be reached -----------------------------------------------------------------------


@situation(
    "complete, asked to pause",
    status="complete",
    says=(r"^order-7 is complete, so there is nothing to pause\. skip_finished=true leaves such instances alone\.$",),
    never=("restart",),
    typed={"skip_finished=true": {"skip_finished": True}},
)
def complete_asked_to_pause(stage):
    stage.orders("order-7", params={}, status="complete")
    return one("paused")


@situation("errored, asked to pause", status="errored", says=("card declined", _TIME), never=("restart",))
def errored_asked_to_pause(stage):
    stage.orders("order-7", params=DECLINED, status="errored")
    return one("paused")


@situation(
    "errored, asked to resume",
    status="errored",
    says=("card declined",),
    typed={"state=restarted, from_failed_step=true": {"state": "restarted", "from_failed_step": True}},
    then="changed",
)
def errored_asked_to_resume(stage):
    stage.orders("order-7", params=DECLINED, status="errored")
    stage.switch(False)
    return one("running")


@situation("terminated, asked to run", status="terminated", never=(r"restart(?!.*runs every step again)",))
def terminated_asked_to_run(stage):
    stage.orders("order-7")
    stage.op("order-7", "terminate", "terminated")
    return one("running")


@situation("rolling back, asked to restart", status="rollingBack", never=("(?i)run (?:it )?again",))
def rolling_back_asked_to_restart(stage):
    stage.bench.control("POST", "/overlay", {"workflow": WORKFLOW, "instance": "order-7", "status": "rollingBack"})
    stage.orders("order-7")
    return one("restarted")


@situation("finished, and left alone", status="complete", green=True, says=("skip_finished",))
def finished_and_left_alone(stage):
    stage.orders("order-7", params={}, status="complete")
    return one("paused", skip_finished=True)


@situation(
    "terminated although it had ended first",
    status="complete",
    green=True,
    warns=("order-7", "ended (?:first|by itself)|nothing was.* undone"),
)
def terminated_although_it_had_ended_first(stage):
    stage.orders("order-7", params={}, status="complete")
    return one("terminated")


# -- others at work -----------------------------------------------------------------------------------------------------


@situation(
    "paused, then terminated by hand",
    subject="order-33",
    status="terminated",
    says=(
        rf"^order-33 is terminated: something else ended it after our pause was accepted \({_TIME}\)"
        rf"[;.] [Ss]ee the account's audit log from (?:then|{_TIME}) on\.$",
    ),
)
def paused_then_terminated_by_hand(stage):
    stage.held("order-33")
    stage.meanwhile({"op": "terminate"}, status="terminated")
    return one("paused", "order-33")


@situation("paused, then complete by itself", status="complete", says=("by itself", "pause", _TIME), never=("something else", "restart"))
def paused_then_complete_by_itself(stage):
    stage.held("order-7")
    stage.meanwhile({"op": "resume"}, _OPEN_BANK, status="complete")
    return one("paused")


@situation("deleted in between", says=("deleted", "pause"), status="gone")
def deleted_in_between(stage):
    stage.orders("order-7")
    stage.meet("patch", before=[{"op": "delete"}])
    return one("paused")


@situation("unknown instance", status="not found", subject="order-8", says=(WORKFLOW,))
def unknown_instance(stage):
    stage.orders("order-7")
    return one("paused", "order-8")


# -- rollbacks ----------------------------------------------------------------------------------------------------------


@situation(
    "a rollback cuts a step off",
    status="terminated",
    green=True,
    says=(rf"charge\b.{{1,3}}started {_TIME}", "(?i)check .*by hand", "rollback is complete"),
    never=("(?i)run again",),
)
def a_rollback_cuts_a_step_off(stage):
    stage.held("order-7", params={**HELD, "rollback": ["reserve"]})
    return one("terminated", rollback=True)


@situation(
    "a rollback fails",
    status="terminated",
    says=("charge", "reserve", "inventory is down", "by hand"),
    never=("(?i)run again", "restart"),
)
def a_rollback_fails(stage):
    handlers = {"rollback": ["reserve", "charge"], "rollback_options": {"reserve": {"fail": "inventory is down"}}}
    stage.orders("order-7", params={**WAITS, **handlers})
    return one("terminated", rollback=True)


@situation("finished, and asked to roll back", status="complete", never=("(?i)run again", "restart"))
def finished_and_asked_to_roll_back(stage):
    stage.orders("order-7", params={}, status="complete")
    return one("terminated", rollback=True)


@situation("the answer to a rollback is lost", status="waiting", says=("lost", "(?i)look first"), never=("(?i)run again",))
def the_answer_to_a_rollback_is_lost(stage):
    stage.orders("order-7", params={**WAITS, "rollback": True})
    stage.meet("patch", {"reset": "before"})
    return one("terminated", rollback=True)


# -- steps --------------------------------------------------------------------------------------------------------------


@situation(
    "unknown step",
    subject="order-1",
    status="errored",
    says=(
        r"^order-1 is errored; it has no step charge-1\. Its steps: reserve, charge\. "
        r'"-1" is the log\'s count: use from_step: \{name: charge\}\.$',
    ),
    typed={r"from_step: \{name: charge\}": {"from_step": {"name": "charge"}}},
    then="changed",
)
def unknown_step(stage):
    stage.orders("order-1", params=DECLINED, status="errored")
    stage.switch(False)
    return one("restarted", "order-1", from_step={"name": "charge-1"})


@situation(
    "failed outside any step",
    status="errored",
    says=("out of stock",),
    typed={"from_failed_step=false": {"from_failed_step": False}},
    then="changed",
)
def failed_outside_any_step(stage):
    stage.bench.control("POST", "/purge", {"workflow": "scratch-6"})
    stage.bench.create("scratch-6", ["order-7"], {"steps": [{"do": "reserve"}, {"throw": "out of stock"}]}, "errored")
    return one("restarted", from_failed_step=True, workflow_name="scratch-6")


# -- credentials, account, workflow -------------------------------------------------------------------------------------


@situation(
    "unknown token",
    status="was not attempted",
    says=("9109", "Invalid access token", "api_token"),
    never=("1 not attempted", "permission"),
)
def unknown_token(stage):
    stage.orders("order-7")
    return one("paused", api_token="revoked-token-0123456789abcdef")


@situation("expired token", status="was not attempted", says=("9109", "CLOUDFLARE_API_TOKEN", "expired"))
def expired_token(stage):
    stage.orders("order-7")
    stage.environ["CLOUDFLARE_API_TOKEN"] = "expired-token-0123456789abcdef"
    stage.bench.control("POST", "/credentials", {"token": stage.environ["CLOUDFLARE_API_TOKEN"], "status": "expired"})
    return one("paused", api_token=None)


@situation("no permission in this account", status="was not attempted", says=("10000", "00000000000000000000000000000001", "account_id"))
def no_permission_in_this_account(stage):
    stage.orders("order-7")
    return one("paused", account_id="0" * 31 + "1")


@situation("no credentials", subject="credentials", says=("api_token", "CLOUDFLARE_API_TOKEN"))
def no_credentials(stage):
    stage.environ.update(CLOUDFLARE_API_TOKEN="", CLOUDFLARE_EMAIL="", CLOUDFLARE_API_KEY="")
    return one("paused", api_token=None, api_url="https://api.nowhere.invalid/client/v4")


@situation("unknown workflow", subject="odrers", status="not found", says=("workflow_name",))
def unknown_workflow(stage):
    return one("paused", workflow_name="odrers")


# -- what stands between ------------------------------------------------------------------------------------------------


@situation(
    "a firewall in the way",
    status="was not attempted",
    says=("403", r"Attention Required! \| Cloudflare", r"CF-RAY [0-9a-f]{16}-LOC"),
    never=("credential", "token"),
)
def a_firewall_in_the_way(stage):
    stage.orders("order-7")
    stage.meet(fault={"status": 403, "body": _FIREWALL, "headers": {"Content-Type": "text/html"}})
    return one("paused")


@situation("a name that does not resolve", status="was not attempted", says=(r"api\.nowhere\.invalid", "did not resolve"))
def a_name_that_does_not_resolve(stage):
    stage.environ.update(HTTPS_PROXY="", https_proxy="", ALL_PROXY="", all_proxy="")
    return one("paused", api_url="https://api.nowhere.invalid/client/v4")


@situation("a proxy that refuses", status="was not attempted", says=("proxy", r"127\.0\.0\.1:\d+", "refused"), never=("pass-word",))
def a_proxy_that_refuses(stage):
    url = stage.contexts.enter_context(closed_port()).replace("://", "://user:pass-word@")
    stage.environ.update(HTTPS_PROXY=url, https_proxy=url, NO_PROXY="", no_proxy="")
    return one("paused", api_url="https://api.nowhere.invalid/client/v4")


@situation("a redirect", status="was not attempted", says=("302", "redirect", "api_url"))
def a_redirect(stage):
    stage.orders("order-7")
    stage.meet(fault={"redirect": "https://login.edgeops.example/"})
    return one("paused")


@situation(
    "a certificate that does not verify",
    status="was not attempted",
    says=("certificate", "ca_path"),
)
def a_certificate_that_does_not_verify(stage):
    return one("paused", api_url=stage.bench.engine.tls_url)


# -- answers ------------------------------------------------------------------------------------------------------------


@situation("not implemented", status="waiting", says=("Not implemented yet", "10001"), never=("lost",))
def not_implemented(stage):
    stage.orders("order-7")
    stage.meet("patch", {"status": 500, "code": 10001, "message": "Error: Not implemented yet"})
    return one("paused")


@situation("a log too large to read", says=("1 MiB", "from_step"), never=("lost",), status="not attempted|was not seen|nothing was sent")
def a_log_too_large_to_read(stage):
    stage.monkeypatch.setattr(transport, "LARGEST_ANSWER", SMALL_LIMIT)
    stage.orders("order-7", params=DECLINED, status="errored")
    stage.meet("read", {"huge_mb": 2})
    return one("restarted", from_failed_step=True)


@situation(
    "the answer to a restart is lost",
    status="errored",
    says=("lost", "(?i)not sent again"),
    typed={r"when_status(?:: |=)\[?errored": {"when_status": ["errored"]}},
    then="changed",
)
def the_answer_to_a_restart_is_lost(stage):
    stage.orders("order-7", params=DECLINED, status="errored")
    stage.switch(False)
    stage.meet("patch", {"reset": "before"}, times=1)
    return one("restarted")


@situation("every answer to a pause is lost", status="waiting", says=("pause", "lost"))
def every_answer_to_a_pause_is_lost(stage):
    stage.orders("order-7")
    stage.meet("patch", {"reset": "before"})
    return one("paused")


@situation("the answer to a restart is lost, and it was done", status="waiting", green=True, says=("lost",), warns=("order-7", "lost"))
def the_answer_to_a_restart_is_lost_and_it_was_done(stage):
    stage.orders("order-7")
    stage.meet("patch", {"reset": "after"}, times=1)
    stage.meanwhile({"op": "await", "step": "charge", "count": 2}, status="waiting")
    return one("restarted")


@situation("restarted, and complete by now", status="complete", green=True, is_quiet=True)
def restarted_and_complete_by_now(stage):
    stage.orders("order-7", params={}, status="complete")
    stage.meet("read", skip=1, times=1, before=[{"op": "await", "step": "notify", "count": 2}, {"op": "await", "status": "complete"}])
    return one("restarted")


@situation("restarted, and errored by now", status="errored", green=True, says=("card declined",), warns=("order-7", "card declined"))
def restarted_and_errored_by_now(stage):
    stage.orders("order-7", params=DECLINED, status="errored")
    stage.meet("read", skip=1, times=1, before=[{"op": "await", "step": "charge", "count": 2}, {"op": "await", "status": "errored"}])
    return one("restarted")


# -- waiting ------------------------------------------------------------------------------------------------------------


@situation("blocked for longer than allowed", status="waiting|was not attempted", says=("rate limit", r"\d\d:\d\d", "rate_limit_timeout"))
def blocked_for_longer_than_allowed(stage):
    stage.orders("order-7")
    stage.meet("patch", {"status": 429, "retry_after": 600})
    return one("paused")


@situation("not paused in time", status="waitingForPause", says=("20 s", _TIME, "(?i)run again"))
def not_paused_in_time(stage):
    stage.held("order-7")
    return one("paused", wait_timeout=20)


@situation("queued, and deaf to a pause", status="queued", says=("ignores a pause until",))
def queued_and_deaf_to_a_pause(stage):
    stage.orders("order-7")
    stage.bench.control("POST", "/strand", {"workflow": WORKFLOW, "instance": "order-7"})
    return one("paused", wait_timeout=20)


@situation("not waited for", status="waitingForPause", green=True, typed={"wait=true": {"wait": True, "wait_timeout": 5}}, then="red")
def not_waited_for(stage):
    stage.held("order-7")
    return one("paused", wait=False)


@situation("stopped on the way", subject=WORKFLOW, status="[15] of 6", says=("SIGTERM", "nothing more"))
def stopped_on_the_way(stage):
    stage.orders(*(f"order-{number}" for number in range(6)))
    send = HTTPAdapter.send

    def send_and_stop(adapter, request, **settings):
        response = send(adapter, request, **settings)
        if request.method == "PATCH":
            os.kill(os.getpid(), signal.SIGTERM)
        return response

    stage.monkeypatch.setattr(HTTPAdapter, "send", send_and_stop)
    return {"select": {"status": ["waiting"]}, "state": "paused", "concurrency": 1}


# -- many ---------------------------------------------------------------------------------------------------------------


@situation(
    "too many",
    subject=WORKFLOW,
    status=r"^5 instances of orders match \(waiting 5\), more than max_instances=3; nothing was changed\.",
    says=(r"Narrow select, or set max_instances=\d+\.$",),
    typed={r"set max_instances=(\d+)": {"max_instances": 5}},
    then="changed",
)
def too_many(stage):
    stage.orders(*(f"order-{number}" for number in range(5)))
    return {"select": {"status": ["waiting"]}, "state": "paused", "max_instances": 3}


@situation(
    "some can't be paused",
    subject=WORKFLOW,
    status=(
        r"^5 of 20 instances of orders can't be paused: 3 complete \(done-0, done-1, done-2\), 1 errored \(failed-0\), "
        r"1 not found \(gone-0\)\. The other 15 are paused \(0 by this task\)\."
    ),
    typed={"skip_finished=true": {"skip_finished": True}},
    then="red",
)
def some_cant_be_paused(stage):
    groups = {"paused": 15, "done": 3, "failed": 1, "gone": 1}
    ids = {name: [f"{name}-{number}" for number in range(count)] for name, count in groups.items()}
    stage.orders(*ids["paused"])
    for instance in ids["paused"]:
        stage.op(instance, "pause", "paused")
    stage.orders(*ids["done"], params={}, status="complete")
    stage.orders(*ids["failed"], params=DECLINED, status="errored")
    return {"instance_ids": [instance for group in ids.values() for instance in group], "state": "paused"}


@situation("max_failures is reached", subject=WORKFLOW, status="2 of 6", says=("max_failures", "4", "no pause today"))
def max_failures_is_reached(stage):
    stage.orders(*(f"order-{number}" for number in range(6)))
    stage.meet("patch", {"status": 400, "code": 10002, "message": "no pause today"})
    return {"select": {"status": ["waiting"]}, "state": "paused", "max_failures": 2, "concurrency": 1}


@situation("nothing matches", subject=WORKFLOW, green=True, status="^(?:0|[Nn]o|[Nn]one)", warns=("id_glob", r"ordr-\*", "waiting"))
def nothing_matches(stage):
    stage.orders("order-7")
    return {"select": {"status": ["waiting"], "id_glob": "ordr-*"}, "state": "paused"}


# -- plans --------------------------------------------------------------------------------------------------------------


@situation("a plan with rollback", status="waiting", green=True, check_mode=True, says=("with rollback", "would"), never=("WITHOUT",))
def a_plan_with_rollback(stage):
    stage.orders("order-7", params={**WAITS, "rollback": True})
    return one("terminated", rollback=True)


@situation("a plan without rollback", status="waiting", green=True, check_mode=True, says=("WITHOUT rollback", "would"))
def a_plan_without_rollback(stage):
    stage.orders("order-7", params={**WAITS, "rollback": True})
    return one("terminated")


@situation("a plan to restart", status="errored", green=True, check_mode=True, says=("from the beginning", "would"))
def a_plan_to_restart(stage):
    stage.orders("order-7", params=DECLINED, status="errored")
    return one("restarted")


# -- options ------------------------------------------------------------------------------------------------------------


@situation("an option that is misspelt", subject="wait_timout", is_own=False, says=("(?i)did you mean wait_timeout",))
def an_option_that_is_misspelt(stage):
    return one("paused", wait_timout=5)


@situation("a selection without filters", subject="select", says=("status",))
def a_selection_without_filters(stage):
    return {"select": {}, "state": "paused"}
