# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The loop, as tables of what is seen and answered → what is sent and what comes out of it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import InstanceNotFound
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet import account, report
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance import lifecycle
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.pursuit import DONE, MOST_SENDS, SEND, Pursuit
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.record import (
    CHANGED,
    FAILED,
    NOT_ATTEMPTED,
    UNCHANGED,
    UNKNOWN,
    Record,
)
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.steplog import Step
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.wanted import Wanted
from ansible_collections.edgeops.cloudflare.tests.unit.sentences import assert_is_a_sentence
from ansible_collections.edgeops.cloudflare.tests.unit.stories import (
    CHARGE,
    DECLINED,
    STEPS,
    again,
    bare,
    drive,
    gone,
    later,
    listed,
    lost,
    ok,
    refused,
    saw,
    stale,
    unseen,
    unsent,
)
from ansible_collections.edgeops.cloudflare.tests.unit.tables import each_row

PAUSE = {"state": "paused"}
RESUME = {"state": "running"}
TERMINATE = {"state": "terminated"}
ROLLBACK = {"state": "terminated", "rollback": True}
RESTART = {"state": "restarted"}
FROM_CHARGE = {"state": "restarted", "step": CHARGE}
FROM_FAILED = {"state": "restarted", "from_failed_step": True}
NO_WAIT = {"wait": False}
FINISHED = ("errored", "complete", "terminated")

#: (what it is about, what is wanted, script, actions sent, outcome, changed, status in the end)
CASES = [
    # Calls: an unchanged instance one; pause and terminate two; resume and restart three.
    ("satisfied", PAUSE, [saw("paused")], [], UNCHANGED, False, "paused"),
    ("satisfied by the listing", PAUSE, [listed("paused")], [], UNCHANGED, False, "paused"),
    ("pause", PAUSE, [saw("running"), ok("paused")], ["pause"], CHANGED, True, "paused"),
    ("terminate", TERMINATE, [saw("running"), ok("terminated")], ["terminate"], CHANGED, True, "terminated"),
    ("resume", RESUME, [saw("paused"), ok("running"), saw("running")], ["resume"], CHANGED, True, "running"),
    ("restart", RESTART, [saw("running"), ok(), saw("running", run=1)], ["restart"], CHANGED, True, "running"),
    ("not found", PAUSE, [gone()], [], FAILED, False, None),
    ("could not be looked at", PAUSE, [unseen()], [], FAILED, False, None),

    # A 200 proves nothing.
    ("pause: the step under way ends", PAUSE, [saw("running"), ok("waitingForPause"), saw("waitingForPause", after=5), saw("paused", after=5)],
     ["pause"], CHANGED, True, "paused"),
    ("pause: queued ignores it, and it is sent again when it runs",
     PAUSE, [saw("queued"), ok("queued"), saw("queued", after=5), saw("running", after=5), ok("paused")], ["pause", "pause"], CHANGED, True, "paused"),
    ("pause: queued ignores it until the timeout", PAUSE, [saw("queued"), ok("queued"), saw("queued", after=150), saw("queued", after=150)],
     ["pause"], FAILED, False, "queued"),
    ("pause: queued ignores it, and nobody waits", dict(PAUSE, **NO_WAIT), [saw("queued"), ok("queued")], ["pause"], FAILED, False, "queued"),
    ("pause: the answer tells nothing, the next look does", PAUSE, [saw("running"), ok(None), saw("paused", after=2)], ["pause"], CHANGED, True, "paused"),
    ("resume: the answer tells nothing, and nobody waits", dict(RESUME, **NO_WAIT), [saw("paused"), ok(None), saw("running")],
     ["resume"], CHANGED, True, "running"),
    ("restart: the answer tells nothing, and nobody waits", dict(RESTART, **NO_WAIT), [saw("errored"), ok(None), saw("running", run=1)],
     ["restart"], CHANGED, True, "running"),
    ("restart: neither the answer nor a look tells anything, and nobody waits", dict(RESTART, **NO_WAIT),
     [saw("errored"), ok(None), unseen(after=15), unseen(after=15)], ["restart"], FAILED, True, "errored"),
    ("pause: it completes meanwhile", PAUSE, [saw("running"), ok("waitingForPause"), saw("complete", after=2)], ["pause"], FAILED, True, "complete"),
    ("pause: it completes meanwhile, unnoticed", PAUSE, [saw("running"), ok("running"), saw("complete", after=2)], ["pause"], FAILED, False, "complete"),
    ("pause: it completes meanwhile, and finished ones are skipped", dict(PAUSE, skip_finished=True),
     [saw("running"), ok("running"), saw("complete", after=2)], ["pause"], UNCHANGED, False, "complete"),
    ("pause: it completes while about to pause, and finished ones are skipped", dict(PAUSE, skip_finished=True),
     [saw("running"), ok("waitingForPause"), saw("complete", after=2)], ["pause"], UNCHANGED, False, "complete"),
    ("pause: it completes after a lost answer, and finished ones are skipped", dict(PAUSE, skip_finished=True),
     [saw("running"), lost(), saw("complete", after=2)], ["pause"], UNCHANGED, False, "complete"),
    ("resume: it fails after a lost answer, and finished ones are skipped", dict(RESUME, skip_finished=True),
     [saw("waitingForPause"), lost(), saw("errored", after=2)], ["resume"], CHANGED, True, "errored"),
    ("terminate: it completes after a lost answer", TERMINATE, [saw("running"), lost(), saw("complete", after=2)],
     ["terminate"], UNCHANGED, False, "complete"),
    ("pause refused, and it can't be looked at", PAUSE, [saw("running"), refused(), unseen(after=20), unseen(after=20)],
     ["pause"], FAILED, False, "running"),
    ("pause: not in time", PAUSE, [saw("running"), ok("waitingForPause"), saw("waitingForPause", after=299), saw("waitingForPause", after=1)],
     ["pause"], FAILED, True, "waitingForPause"),
    ("pause: reached by the last look", PAUSE, [saw("running"), ok("waitingForPause"), saw("paused", after=1000)], ["pause"], CHANGED, True, "paused"),
    ("pause: nobody waits", dict(PAUSE, **NO_WAIT), [saw("running"), ok("waitingForPause")], ["pause"], CHANGED, True, "waitingForPause"),
    ("resume: queued while the account is full", RESUME, [saw("paused"), ok("queued"), saw("queued")], ["resume"], CHANGED, True, "queued"),
    ("resume: nobody waits", dict(RESUME, **NO_WAIT), [saw("paused"), ok("running")], ["resume"], CHANGED, True, "running"),
    ("resume: it calls a pause off", RESUME, [saw("waitingForPause"), ok("running"), saw("running")], ["resume"], CHANGED, True, "running"),
    ("resume: still paused, still paused, running", RESUME,
     [saw("paused"), ok("paused"), saw("paused"), saw("paused", after=2), saw("running", after=2)], ["resume"], CHANGED, True, "running"),
    ("resume: the answer tells that it has ended", RESUME, [saw("paused"), ok("terminated")], ["resume"], FAILED, False, "terminated"),
    ("resume: over before it is answered", RESUME, [saw("paused"), ok("complete")], ["resume"], CHANGED, True, "complete"),
    ("resume: it ended by itself instead of pausing", RESUME, [saw("waitingForPause"), ok("complete")], ["resume"], FAILED, False, "complete"),
    ("resume: terminated by somebody else, once it ran", RESUME, [saw("paused"), ok("running"), saw("terminated")], ["resume"], CHANGED, True, "terminated"),
    ("terminate: still running, then terminated", TERMINATE, [saw("running"), ok("running"), saw("terminated", after=2)],
     ["terminate"], CHANGED, True, "terminated"),
    ("an unknown status", PAUSE, [saw("hibernating"), ok("paused")], ["pause"], CHANGED, True, "paused"),
    ("an unknown status: the API decides that nothing happens", dict(PAUSE, **NO_WAIT), [saw("hibernating"), ok("hibernating")],
     ["pause"], FAILED, False, "hibernating"),

    # Pending.
    ("pending, then satisfied", PAUSE, [saw("waitingForPause"), saw("waitingForPause", after=2), saw("paused", after=2)], [], UNCHANGED, False, "paused"),
    ("pending until the timeout, from the first look on", PAUSE, [saw("waitingForPause"), saw("waitingForPause", after=299), saw("waitingForPause", after=1)],
     [], FAILED, False, "waitingForPause"),
    ("pending, and nobody waits", dict(PAUSE, **NO_WAIT), [saw("waitingForPause")], [], UNCHANGED, False, "waitingForPause"),
    ("pending, but it runs on", PAUSE, [saw("waitingForPause"), saw("running", after=2), ok("paused")], ["pause"], CHANGED, True, "paused"),
    ("pending, and gone", PAUSE, [saw("waitingForPause"), gone(after=2)], [], FAILED, False, None),
    ("rolling back", TERMINATE, [saw("rollingBack"), saw("rollingBack", after=5), saw("terminated", after=5)], [], UNCHANGED, False, "terminated"),
    ("pending: a look that fails is made up for", PAUSE, [saw("waitingForPause"), unseen(after=2), saw("paused", after=2)], [], UNCHANGED, False, "paused"),

    # At most one PATCH for each status observed, and three in all.
    ("something else keeps changing it", PAUSE, [
        saw("running"), ok("paused-not"), saw("queued", after=1), ok("queued"), saw("running", after=1), ok("running"), saw("queued", after=1),
    ], ["pause"] * 3, FAILED, False, "queued"),
    ("resumed by somebody else, paused again by us", PAUSE, [
        saw("running"), ok("waitingForPause"), saw("waitingForPause", after=1), saw("running", after=1), ok("paused"),
    ], ["pause"] * 2, CHANGED, True, "paused"),
    ("the same status as before is no reason to send again", PAUSE,
     [saw("running"), ok("running"), saw("running", after=1), saw("running", after=1), saw("paused", after=1)], ["pause"], CHANGED, True, "paused"),
    ("what only the answer told counts after two looks", PAUSE,
     [saw("running"), ok("waitingForPause"), saw("running", after=2), saw("running", after=3), ok("paused")], ["pause"] * 2, CHANGED, True, "paused"),
    ("waiting after running is another status", PAUSE,
     [saw("running"), ok("running"), saw("waiting", after=1), ok("paused")], ["pause"] * 2, CHANGED, True, "paused"),
    ("the wait begins anew with each accepted PATCH", PAUSE,
     [saw("queued"), ok("queued"), saw("running", after=299), ok("waitingForPause"), saw("paused", after=299)], ["pause"] * 2, CHANGED, True, "paused"),

    # Refusals are followed by one look.
    ("terminate refused: it is terminated already", TERMINATE, [saw("running"), refused(), saw("terminated")], ["terminate"], UNCHANGED, False, "terminated"),
    ("terminate refused: it has completed", TERMINATE, [saw("running"), refused(), saw("complete")], ["terminate"], UNCHANGED, False, "complete"),
    ("terminate refused: it runs", TERMINATE, [saw("running"), refused(), saw("running")], ["terminate"], FAILED, False, "running"),
    ("terminate refused after a lost answer: ours", TERMINATE,
     [saw("running"), refused(lost=True), saw("terminated")], ["terminate"], CHANGED, True, "terminated"),
    ("pause refused: paused by somebody else", PAUSE, [saw("running"), refused(), saw("paused")], ["pause"], UNCHANGED, False, "paused"),
    ("pause refused: about to pause by somebody else", PAUSE, [saw("running"), refused(), saw("waitingForPause"), saw("paused", after=2)],
     ["pause"], UNCHANGED, False, "paused"),
    ("pause refused: it has moved, so it is tried again", PAUSE,
     [saw("queued"), refused(), saw("running"), ok("paused")], ["pause"] * 2, CHANGED, True, "paused"),
    ("resume refused: it runs", RESUME, [saw("paused"), refused(), saw("running")], ["resume"], UNCHANGED, False, "running"),
    ("resume refused: it is paused", RESUME, [saw("paused"), refused(), saw("paused")], ["resume"], FAILED, False, "paused"),
    ("restart refused", RESTART, [saw("errored"), refused(), saw("errored")], ["restart"], FAILED, False, "errored"),
    ("restart refused: somebody else restarted it", RESTART, [saw("errored"), refused(), saw("running", run=1)], ["restart"], UNCHANGED, False, "running"),
    ("a refusal, and it is gone", TERMINATE, [saw("running"), refused(), gone()], ["terminate"], FAILED, False, None),
    ("gone when the PATCH comes", PAUSE, [saw("running"), gone()], ["pause"], FAILED, False, None),

    # Lost answers.
    ("pause lost: it pauses", PAUSE, [saw("running"), lost(), saw("waitingForPause"), saw("paused", after=2)], ["pause"], CHANGED, True, "paused"),
    ("pause lost: paused by the first look", PAUSE, [saw("running"), lost(), saw("paused")], ["pause"], CHANGED, True, "paused"),
    ("pause lost: no effect within 30 seconds", PAUSE, [saw("running"), lost(), saw("running"), saw("running", after=29), saw("running", after=1)],
     ["pause"], FAILED, True, "running"),
    ("pause lost: no effect, and nobody waits", dict(PAUSE, **NO_WAIT), [saw("running"), lost(), saw("running"), saw("running", after=30)],
     ["pause"], FAILED, True, "running"),
    ("pause lost: moved, so it is sent again", PAUSE, [saw("queued"), lost(), saw("running"), ok("paused"), saw("paused")],
     ["pause"] * 2, CHANGED, True, "paused"),
    ("terminate lost", TERMINATE, [saw("running"), lost(), saw("running"), saw("terminated", after=2)], ["terminate"], CHANGED, True, "terminated"),
    ("resume lost", RESUME, [saw("paused"), lost(), saw("running")], ["resume"], CHANGED, True, "running"),
    ("resume lost: finished again", RESUME, [saw("paused"), lost(), saw("errored", error=DECLINED)], ["resume"], CHANGED, True, "errored"),
    ("resume lost: terminated, by whomever", RESUME, [saw("paused"), lost(), saw("terminated")], ["resume"], FAILED, True, "terminated"),
    ("an effect ends the 30 seconds", PAUSE, [saw("running"), lost(), saw("waitingForPause"), saw("waitingForPause", after=200), saw("paused", after=90)],
     ["pause"], CHANGED, True, "paused"),

    # Restarting at most once.
    ("restart: not seen at once", RESTART, [saw("running"), ok(), saw("running"), saw("running", after=2), saw("running", run=1, after=2)],
     ["restart"], CHANGED, True, "running"),
    ("restart: never seen", RESTART, [saw("running"), ok(), saw("running"), saw("running", after=300)], ["restart"], FAILED, True, "running"),
    ("restart: nobody waits", dict(RESTART, **NO_WAIT), [saw("errored"), ok()], ["restart"], CHANGED, True, "running"),
    ("restart lost: it was done", RESTART, [saw("errored"), lost(), saw("running", run=1)], ["restart"], CHANGED, True, "running"),
    ("restart lost: it was done late", RESTART, [saw("running"), lost(), saw("running"), saw("running", after=20), saw("queued", run=1, after=5)],
     ["restart"], CHANGED, True, "queued"),
    ("restart lost: nothing to see for 30 seconds", RESTART, [saw("errored"), lost(), saw("errored"), saw("errored", after=29), saw("errored", after=1)],
     ["restart"], UNKNOWN, True, "errored"),
    ("restart lost: nothing to see, and nobody waits", dict(RESTART, **NO_WAIT), [saw("errored"), lost(), saw("errored"), saw("errored", after=30)],
     ["restart"], UNKNOWN, True, "errored"),
    ("restart lost: what starts by itself proves nothing", RESTART, [saw("queued"), lost(), saw("running"), saw("running", after=31)],
     ["restart"], UNKNOWN, True, "running"),
    ("restart lost: what ends by itself proves nothing", RESTART, [saw("running"), lost(), saw("complete"), saw("complete", after=31)],
     ["restart"], UNKNOWN, True, "complete"),
    ("restart lost: looks that lack the timestamps prove nothing", RESTART,
     [saw("errored"), lost(), bare("errored"), bare("errored", after=31)], ["restart"], UNKNOWN, True, "errored"),
    ("restart lost: looks that lack the timestamps, then the proof", RESTART,
     [saw("running"), lost(), bare("running"), saw("running", run=1, after=5)], ["restart"], CHANGED, True, "running"),
    ("restart: a look that lacks the timestamps is no proof", RESTART,
     [saw("running"), ok(), bare("running"), saw("running", run=1, after=5)], ["restart"], CHANGED, True, "running"),
    ("from a step lost: a look without a log proves nothing", FROM_CHARGE,
     [saw("running", steps=STEPS), lost(), saw("running"), saw("running", after=31)], ["restart"], UNKNOWN, True, "running"),
    ("from a step lost: an empty log proves it", FROM_CHARGE,
     [saw("running", steps=STEPS), lost(), saw("running", steps=[])], ["restart"], CHANGED, True, "running"),
    ("restart lost: a finished one that runs proves it", RESTART, [saw("errored"), lost(), saw("running", ended=9)], ["restart"], CHANGED, True, "running"),
    ("restart lost: looks that fail, then the proof", RESTART, [saw("errored"), lost(), unseen(after=5), unseen(after=5), saw("running", run=1, after=5)],
     ["restart"], CHANGED, True, "running"),
    ("restart held back: decided anew", RESTART, [saw("errored"), stale(), saw("errored"), ok(), saw("running", run=1)], ["restart"], CHANGED, True, "running"),
    ("restart not sent: decided anew", RESTART, [saw("errored"), unsent(), saw("errored"), ok(), saw("running", run=1)], ["restart"], CHANGED, True, "running"),
    ("restart: gone before it", RESTART, [saw("errored"), stale(), gone()], [], FAILED, False, None),
    ("restart: an old listing is looked at again", RESTART, [listed("errored"), later(2.1), saw("errored"), ok(), saw("running", run=1)],
     ["restart"], CHANGED, True, "running"),
    ("a stranded one is cured by a restart", RESTART, [saw("queued"), ok(), saw("queued", run=1)], ["restart"], CHANGED, True, "queued"),

    # Finished again is green.
    ("restart: errored again", RESTART, [saw("errored"), ok(), saw("errored", run=1, error=DECLINED)], ["restart"], CHANGED, True, "errored"),
    ("restart: complete again", RESTART, [saw("complete"), ok(), saw("complete", run=1)], ["restart"], CHANGED, True, "complete"),
    ("resume: errored at once", RESUME, [saw("paused"), ok("running"), saw("errored", error=DECLINED)], ["resume"], CHANGED, True, "errored"),
    ("resume: complete by a later look", RESUME, [saw("paused"), ok("paused"), saw("paused"), saw("complete", after=2)], ["resume"], CHANGED, True, "complete"),

    # when_status and select.status, tested on the look before the PATCH.
    ("not in when_status", dict(PAUSE, when_status=frozenset(["running"])), [saw("waiting")], [], UNCHANGED, False, "waiting"),
    ("in when_status", dict(PAUSE, when_status=frozenset(["running"])), [saw("running"), ok("paused")], ["pause"], CHANGED, True, "paused"),
    ("not in when_status, unreachable all the same", dict(PAUSE, when_status=frozenset(["running"])), [saw("complete")], [], UNCHANGED, False, "complete"),
    ("restart by when_status: listed so, but no longer", dict(RESTART, when_status=frozenset(["errored"])), [listed("errored"), stale(), saw("running", run=1)],
     [], UNCHANGED, False, "running"),
    ("has left the selection while it was held back", dict(PAUSE, selected=frozenset(["running"])), [listed("running"), stale(), listed("waiting")],
     [], UNCHANGED, False, "waiting"),
    ("the selection holds for the look before the PATCH alone", dict(PAUSE, selected=frozenset(["running"])),
     [listed("running"), ok("waitingForPause"), listed("waitingForPause", after=2), listed("paused", after=2)], ["pause"], CHANGED, True, "paused"),
    ("pending and selected, then satisfied", dict(PAUSE, selected=frozenset(["waitingForPause"])), [listed("waitingForPause"), listed("paused", after=2)],
     [], UNCHANGED, False, "paused"),
    ("not found, whatever when_status says", dict(PAUSE, when_status=frozenset(["running"])), [gone()], [], FAILED, False, None),

    # skip_finished.
    ("skipped", dict(PAUSE, skip_finished=True), [saw("complete")], [], UNCHANGED, False, "complete"),
    ("not skipped: it goes on", dict(PAUSE, skip_finished=True), [saw("rollingBack")], [], FAILED, False, "rollingBack"),
    ("not skipped", PAUSE, [saw("complete")], [], FAILED, False, "complete"),
    ("restarts are none of it", dict(RESTART, skip_finished=True), [saw("complete"), ok(), saw("running", run=1)], ["restart"], CHANGED, True, "running"),

    # Terminate with rollback.
    ("rollback", ROLLBACK, [saw("running"), ok("terminated"), saw("terminated", rollback={"outcome": "complete", "error": None})],
     ["terminate"], CHANGED, True, "terminated"),
    ("rollback: the handlers take their time", ROLLBACK,
     [saw("running"), ok("rollingBack"), saw("rollingBack", after=5), saw("terminated", after=5, rollback={"outcome": "complete", "error": None})],
     ["terminate"], CHANGED, True, "terminated"),
    ("rollback: a handler fails", ROLLBACK, [saw("running"), ok("terminated"), saw("terminated", rollback={"outcome": "failed", "error": DECLINED})],
     ["terminate"], FAILED, True, "terminated"),
    ("rollback: nothing reported", ROLLBACK, [saw("running"), ok("terminated"), saw("terminated")], ["terminate"], CHANGED, True, "terminated"),
    ("rollback: nobody waits", dict(ROLLBACK, **NO_WAIT), [saw("running"), ok("rollingBack")], ["terminate"], CHANGED, True, "rollingBack"),
    ("rollback lost: looking and waiting", ROLLBACK,
     [saw("running"), lost(), saw("running"), saw("waiting", after=100), saw("terminated", after=100, rollback={"outcome": "complete", "error": None})],
     ["terminate"], CHANGED, True, "terminated"),
    ("rollback lost: terminated, and no rollback reported", ROLLBACK, [saw("running"), lost(), saw("terminated")], ["terminate"], UNKNOWN, True, "terminated"),
    ("rollback lost: never sent again, not even when it moves", ROLLBACK, [saw("running"), lost(), saw("waiting"), saw("running", after=300)],
     ["terminate"], UNKNOWN, True, "running"),
    ("rollback accepted: never sent again", ROLLBACK, [saw("running"), ok("running"), saw("waiting", after=1), saw("running", after=300)],
     ["terminate"], FAILED, True, "running"),
    ("rollback: finished before without one", ROLLBACK, [saw("complete")], [], FAILED, False, "complete"),
    ("rollback: finished before with one", ROLLBACK, [saw("terminated", rollback={"outcome": "complete", "error": None})], [], UNCHANGED, False, "terminated"),
    ("rollback: finished before with a failed one", ROLLBACK, [saw("terminated", rollback={"outcome": "failed", "error": DECLINED})],
     [], FAILED, False, "terminated"),
    ("rollback: finished before, and skipped", dict(ROLLBACK, skip_finished=True), [saw("complete")], [], UNCHANGED, False, "complete"),
    ("rollback: a listing can't tell how it ended", ROLLBACK, [listed("terminated"), saw("terminated", rollback={"outcome": "complete", "error": None})],
     [], UNCHANGED, False, "terminated"),
    ("rollback: nor after the PATCH", ROLLBACK,
     [listed("running"), ok("rollingBack"), listed("terminated", after=2), saw("terminated", rollback={"outcome": "complete", "error": None})],
     ["terminate"], CHANGED, True, "terminated"),
    ("rollback under way: a look at how it ended fails", ROLLBACK,
     [listed("rollingBack"), listed("terminated", after=2), unseen(after=5), saw("terminated", after=5, rollback={"outcome": "complete", "error": None})],
     [], UNCHANGED, False, "terminated"),
    ("rollback under way: no look tells how it ended", ROLLBACK,
     [listed("rollingBack"), listed("terminated", after=2), unseen(after=200), unseen(after=200)], [], FAILED, False, "terminated"),
    ("rollback under way and selected: a listing can't tell how it ended", dict(ROLLBACK, selected=frozenset(["rollingBack"])),
     [listed("rollingBack"), listed("terminated", after=2), saw("terminated", rollback={"outcome": "complete", "error": None})],
     [], UNCHANGED, False, "terminated"),
    ("rollback refused: it has completed", ROLLBACK, [saw("running"), refused(), saw("complete")], ["terminate"], FAILED, False, "complete"),

    # Steps.
    ("from a step", FROM_CHARGE, [saw("errored", error=DECLINED, steps=STEPS), ok(), saw("running", steps=again(), ended=None, end=None)],
     ["restart"], CHANGED, True, "running"),
    ("from a step: a running instance, by the step's own start", FROM_CHARGE,
     [saw("running", steps=STEPS), ok(), saw("running", steps=STEPS), saw("running", after=2, steps=again())], ["restart"], CHANGED, True, "running"),
    ("from a step that is not in the log", FROM_CHARGE, [saw("errored", steps=STEPS[:1])], [], FAILED, False, "errored"),
    ("from a step that the log had", FROM_CHARGE, [saw("errored", steps=STEPS), refused(), saw("errored", steps=STEPS)],
     ["restart"], FAILED, False, "errored"),
    ("from a step of one rolled back", FROM_CHARGE,
     [saw("errored", steps=STEPS, rollback={"outcome": "complete", "error": None})], [], FAILED, False, "errored"),
    ("from a step lost: it was done", FROM_CHARGE, [saw("errored", steps=STEPS), lost(), saw("errored", ended=60, steps=again())],
     ["restart"], CHANGED, True, "errored"),
    ("from a step lost: no effect", FROM_CHARGE, [saw("running", steps=STEPS), lost(), saw("running", steps=STEPS), saw("running", after=30, steps=STEPS)],
     ["restart"], UNKNOWN, True, "running"),
    ("from the failed step", FROM_FAILED, [saw("errored", error=DECLINED, steps=STEPS), ok(), saw("running", end=None, steps=again())],
     ["restart"], CHANGED, True, "running"),
    ("from the failed step: not errored", FROM_FAILED, [listed("complete")], [], UNCHANGED, False, "complete"),
    ("from the failed step: no longer errored", FROM_FAILED, [listed("errored"), saw("running", steps=STEPS)], [], UNCHANGED, False, "running"),
    ("from the failed step: outside any step", FROM_FAILED, [saw("errored", error=DECLINED, steps=STEPS[:1])], [], FAILED, False, "errored"),
    ("from the failed step: rolled back", FROM_FAILED, [saw("errored", error=DECLINED, steps=STEPS, rollback={"outcome": "failed", "error": None})],
     [], FAILED, False, "errored"),
    ("from the failed step: listed, then its log", FROM_FAILED,
     [listed("errored"), saw("errored", error=DECLINED, steps=STEPS), ok(), listed("running", after=1)], ["restart"], CHANGED, True, "running"),
    ("unreachable before any log is read", FROM_CHARGE, [listed("rollingBack")], [], FAILED, False, "rollingBack"),

    # Deadlines and looks that fail.
    ("a timeout of zero still takes the look after", dict(RESUME, wait_timeout=0), [saw("paused"), ok("running"), saw("running")],
     ["resume"], CHANGED, True, "running"),
    ("a timeout of zero", dict(PAUSE, wait_timeout=0), [saw("running"), ok("waitingForPause"), saw("waitingForPause")],
     ["pause"], FAILED, True, "waitingForPause"),
    ("it can't be looked at until the timeout", PAUSE, [saw("running"), ok("waitingForPause"), unseen(after=200), unseen(after=200)],
     ["pause"], FAILED, True, "waitingForPause"),
    ("it is deleted while it waits", PAUSE, [saw("running"), ok("waitingForPause"), gone(after=5)], ["pause"], FAILED, True, None),

    # Held back by the rate limit.
    ("held back: decided anew", PAUSE, [saw("running"), stale(), saw("running"), ok("paused")], ["pause"], CHANGED, True, "paused"),
    ("held back: reached by itself", PAUSE, [saw("running"), stale(), saw("paused")], [], UNCHANGED, False, "paused"),
    ("held back: finished", PAUSE, [saw("running"), stale(), saw("complete")], [], FAILED, False, "complete"),
    ("held back after a lost answer: it was ours", PAUSE, [saw("running"), stale(was_lost=True), saw("paused")], ["pause"], CHANGED, True, "paused"),
    ("held back after a lost answer: repeated", PAUSE, [saw("running"), stale(was_lost=True), saw("running"), ok("paused"), saw("paused")],
     ["pause"] * 2, CHANGED, True, "paused"),
    ("held back after a lost answer: not repeated outside of when_status", dict(TERMINATE, when_status=frozenset(["running"])),
     [saw("running"), stale(was_lost=True), saw("paused"), saw("paused", after=30)], ["terminate"], FAILED, True, "paused"),
    ("held back after a lost answer: repeated within the selection", dict(TERMINATE, selected=frozenset(["running", "paused"])),
     [saw("running"), stale(was_lost=True), saw("paused"), ok("terminated"), saw("terminated")], ["terminate"] * 2, CHANGED, True, "terminated"),
    ("held back, sent, moved, held back again", PAUSE,
     [saw("queued"), stale(), saw("queued"), ok("queued"), saw("running", after=1), stale(), saw("running"), ok("paused")],
     ["pause"] * 2, CHANGED, True, "paused"),
    ("pending, undone, held back: a look that fails is made up for", PAUSE,
     [saw("waitingForPause"), saw("running", after=2), stale(), unseen(after=5), saw("running", after=5), ok("paused")],
     ["pause"], CHANGED, True, "paused"),
    ("pending, undone, held back: it can't be looked at until the timeout", PAUSE,
     [saw("waitingForPause"), saw("running", after=2), stale(), unseen(after=200), unseen(after=200)], [], FAILED, False, "running"),
]  # fmt: skip


@each_row("wanted, script, actions, outcome, changed, status", [pytest.param(*case[1:], id=case[0]) for case in CASES])
def test_loop(wanted, script, actions, outcome, changed, status):
    record, sent = drive(script, **wanted)
    assert [action for action, _at in sent] == actions
    assert (record.outcome, record.changed, record.look.status if record.look else None) == (outcome, changed, status)
    assert record.failed == (outcome in (FAILED, UNKNOWN, NOT_ATTEMPTED))
    assert record.sends <= MOST_SENDS
    if record.failed:
        assert record.msg


#: (what is wanted, script, what the operator reads)
SENTENCES = [
    (PAUSE, [gone()], "order-1 was not found in workflow orders: nothing was sent. Check the id; a finished instance is deleted after its "
     "retention."),
    (PAUSE, [saw("complete")],
     "order-1 is complete, so there is nothing to pause. skip_finished=true leaves such instances alone."),
    (PAUSE, [saw("paused")], "order-1 is already paused: nothing was sent."),
    (RESUME, [saw("waiting")], "order-1 is waiting: nothing was sent."),
    (TERMINATE, [saw("complete")], "order-1 is already complete: nothing was sent; it ended by itself, and nothing was terminated or undone."),
    (TERMINATE, [saw("terminated")], "order-1 is already terminated: nothing was sent."),
    (PAUSE, [saw("running"), ok("paused")], "order-1 is paused (was running): pause accepted 03:02:07Z."),
    (RESTART, [saw("errored"), ok(), saw("running", run=1)], "order-1 is running (was errored): restart accepted 03:02:07Z."),
    (FROM_CHARGE, [saw("errored", steps=STEPS), ok(), saw("running", end=None, steps=again())],
     "order-1 is running (was errored): restart from charge (1) accepted 03:02:07Z."),
    (RESTART, [saw("errored"), ok(), saw("errored", run=1, error=DECLINED)],
     "order-1 is errored since 2026-08-06T00:01:49Z: restart accepted 03:02:07Z (was errored); it ran and failed with Error:"
     " card declined. Find out why before it is restarted once more."),
    (RESUME, [saw("paused"), ok("running"), saw("complete")], "order-1 is complete: resume accepted 03:02:07Z (was paused); it is over already."),
    (dict(RESUME, **NO_WAIT), [saw("paused"), ok("complete")], "order-1 is complete: resume accepted 03:02:07Z (was paused); it is over already."),
    (dict(PAUSE, skip_finished=True), [saw("complete")], "order-1 is complete: nothing was sent; left as it is (skip_finished)."),
    (dict(RESTART, when_status=frozenset(["errored", "complete"])), [saw("running")],
     "order-1 is running, not complete or errored: nothing was sent."),
    (dict(RESTART, when_status=frozenset(["errored"])), [listed("errored"), stale(), saw("running", run=1)],
     "order-1 is no longer errored (running): nothing was sent."),
    (FROM_FAILED, [saw("complete", steps=STEPS)], "order-1 is complete: nothing was sent; from_failed_step restarts errored instances only."),
    (FROM_FAILED, [saw("errored", steps=STEPS, rollback={"outcome": "complete"})],
     "order-1 is errored and has been rolled back: nothing was sent; the results of its earlier steps no longer hold. "
     "Restart it without a step; that runs every step again."),
    (dict(PAUSE, **NO_WAIT), [saw("waitingForPause")],
     "order-1 is waitingForPause: nothing was sent; it will pause when the step under way ends. wait=true waits for it."),
    (dict(TERMINATE, **NO_WAIT), [saw("rollingBack")],
     "order-1 is rollingBack: nothing was sent; it will be terminated when its handlers have run. wait=true waits for it."),
    (dict(PAUSE, **NO_WAIT), [saw("running"), ok("waitingForPause")],
     "order-1 is waitingForPause: pause accepted 03:02:07Z; it will pause when the step under way ends. wait=true waits for "
     "it."),
    (TERMINATE, [saw("running"), refused(), saw("terminated")], "order-1 is terminated: something else terminated it first."),
    (TERMINATE, [saw("running"), refused(), saw("complete")], "order-1 is complete: it ended before it could be terminated; nothing was undone."),
    (TERMINATE, [saw("running"), refused(), saw("running")],
     "order-1 is running: terminate was refused: the API says: workflows.api.error.instance.cannot_terminate (code 10401). "
     "See what the API objects to; nothing was changed."),
    (PAUSE, [saw("running"), lost(), saw("paused")],
     "order-1 is paused: pause sent, answer lost (no answer within 30 s (api_timeout)); it was done, by this task or "
     "another."),
    (RESTART, [saw("errored"), lost(), saw("errored"), saw("errored", after=30)],
     "order-1 is errored: restart sent, answer lost (no answer within 30 s (api_timeout)); no effect seen; NOT sent again. "
     "Check it, then run again with when_status: [errored]."),
    (ROLLBACK, [saw("running"), ok("terminated"), saw("terminated")],
     "order-1 is terminated, but the API reports no rollback: terminate accepted 03:02:07Z; it may have registered no "
     "handlers. Look first whether anything is to be undone."),
    (ROLLBACK, [saw("running"), ok("terminated"), saw("terminated", rollback={"outcome": "complete"})],
     "order-1 is terminated and its rollback is complete (was running): terminate accepted 03:02:07Z."),
    (ROLLBACK, [saw("terminated", rollback={"outcome": "complete"})],
     "order-1 is already terminated and its rollback is complete: nothing was sent."),
    (ROLLBACK, [saw("terminated", rollback={"outcome": "failed", "error": DECLINED})],
     "order-1 is terminated, not rolled back: nothing was sent; its rollback failed with Error: card declined. Undo by hand "
     "what its steps did."),
    (dict(ROLLBACK, skip_finished=True), [saw("terminated", rollback={"outcome": "failed", "error": DECLINED})],
     "order-1 is terminated: nothing was sent; left as it is (skip_finished); its rollback failed with Error: card declined."),
    (ROLLBACK, [saw("running"), ok("terminated"), saw("terminated", rollback={"outcome": "failed", "error": DECLINED})],
     "order-1 is terminated, not rolled back: terminate accepted 03:02:07Z; its rollback failed with Error: card declined. "
     "Undo by hand what its steps did."),
    (PAUSE, [unseen()],
     "order-1 could not be looked at: nothing was sent; no answer within 30 s (api_timeout). Run again."),
    (PAUSE, [saw("running"), gone()], "order-1 is gone: it was deleted before pause reached it. Trigger it anew if it is needed."),
    (PAUSE, [saw("running"), ok("waitingForPause"), gone(after=5)],
     "order-1 is gone: pause accepted 03:02:07Z; it was deleted after pause was sent. Trigger it anew if it is needed."),
]  # fmt: skip


@each_row("wanted, script, sentence", SENTENCES)
def test_sentences(wanted, script, sentence):
    record, _sent = drive(script, **wanted)
    told = report.items([record])[0]["msg"]
    assert told == sentence
    assert "order-1" in told


#: (what is wanted, script, what the operator reads where something went wrong)
TELLING = [
    (PAUSE, [saw("running"), ok("waitingForPause"), saw("waitingForPause", after=300)],
     "order-1 is still waitingForPause after 300 s (wait_timeout): pause accepted 03:02:07Z; it will pause when the step "
     "under way ends. Run again to wait for it, or raise wait_timeout."),
    (PAUSE, [saw("queued"), ok("queued"), saw("queued", after=300)],
     "order-1 is still queued after 300 s (wait_timeout): pause accepted 03:02:07Z; the API ignores a pause until the "
     "instance starts. Run again when it has started."),
    (dict(PAUSE, **NO_WAIT), [saw("queued"), ok("queued")],
     "order-1 is queued all the same: pause accepted 03:02:07Z; the API ignores a pause until the instance starts. Run again"
     " when it has started."),
    (PAUSE, [saw("running"), ok("x"), saw("queued", after=1), ok("x"), saw("running", after=1), ok("x"), saw("queued", after=1)],
     "order-1 is queued: pause was sent 3 times; something else keeps changing it. Find out what, by the account's audit "
     "log, then run again."),
    (PAUSE, [saw("running"), ok("waitingForPause"), unseen(after=300)],
     "order-1 is still waitingForPause after 300 s (wait_timeout), as last seen: pause accepted 03:02:07Z; it can't be "
     "looked at now: no answer within 30 s (api_timeout). Run again."),
    (dict(RESTART, **NO_WAIT), [saw("errored"), ok(None), unseen(after=15), unseen(after=15)],
     "order-1 was errored when last seen: restart accepted 03:02:07Z; not waited for: no answer within 30 s (api_timeout). "
     "Look first, before restart is sent once more."),
    (PAUSE, [saw("running"), lost(), saw("running"), saw("running", after=30)],
     "order-1 is running: pause sent, answer lost (no answer within 30 s (api_timeout)); no effect is seen. Run again."),
    (ROLLBACK, [saw("running"), lost(), saw("running"), saw("running", after=300)],
     "order-1 is running: terminate sent, answer lost (no answer within 30 s (api_timeout)); no effect seen; NOT sent again."
     " Look first whether its rollback handlers ran, and undo by hand what they would have."),
    (FROM_FAILED, [saw("errored", error=DECLINED, steps=STEPS[:1])],
     "order-1 is errored outside any step (Error: card declined): nothing was sent; its log names no step that failed with "
     "this error. from_failed_step=false runs every step again; from_step can name one of its steps: reserve."),
    (FROM_CHARGE, [saw("errored", steps=STEPS[:1])],
     "order-1 is errored; it has no step charge. Its steps: reserve. Check from_step."),
]  # fmt: skip


@each_row("wanted, script, sentence", TELLING)
def test_sentences_of_failures(wanted, script, sentence):
    record, _sent = drive(script, **wanted)
    assert record.msg == sentence


# -- check mode ---------------------------------------------------------------------------------------------------

#: (what is wanted, look, what would be sent, outcome)
PREDICTIONS = [
    (PAUSE, [saw("running")], "pause", CHANGED),
    (PAUSE, [listed("running")], "pause", CHANGED),
    (PAUSE, [saw("paused")], None, UNCHANGED),
    (PAUSE, [saw("waitingForPause")], None, UNCHANGED),
    (PAUSE, [saw("complete")], None, FAILED),
    (dict(PAUSE, skip_finished=True), [saw("complete")], None, UNCHANGED),
    (PAUSE, [gone()], None, FAILED),
    (RESTART, [saw("running")], "restart", CHANGED),
    (RESTART, [listed("errored")], "restart", CHANGED),
    (dict(RESTART, when_status=frozenset(["errored"])), [listed("complete")], None, UNCHANGED),
    (FROM_CHARGE, [saw("errored", steps=STEPS)], "restart", CHANGED),
    (FROM_FAILED, [listed("errored"), saw("errored", error=DECLINED, steps=STEPS)], "restart", CHANGED),
    (FROM_FAILED, [saw("errored", error=DECLINED, steps=STEPS[:1])], None, FAILED),
    (TERMINATE, [saw("rollingBack")], None, UNCHANGED),
    (ROLLBACK, [saw("running")], "terminate", CHANGED),
    (ROLLBACK, [saw("complete")], None, FAILED),
]


#: (what is wanted, look, what check mode says)
PLANS = [
    (PAUSE, [saw("running")], "order-1 is running: would send pause and wait."),
    (PAUSE, [saw("queued")], "order-1 is queued: would send pause and wait; the API ignores a pause until the instance starts."),
    (dict(PAUSE, **NO_WAIT), [saw("running")], "order-1 is running: would send pause and not wait."),
    (RESTART, [saw("running")], "order-1 is running: would send restart from the beginning and wait."),
    (
        FROM_CHARGE,
        [saw("errored", steps=STEPS)],
        "order-1 is errored: would send restart from charge (1) and wait; succeeded later steps run again: notify (1).",
    ),
    (TERMINATE, [saw("running")], "order-1 is running: would send terminate WITHOUT rollback and wait."),
    (ROLLBACK, [saw("running")], "order-1 is running: would send terminate with rollback and wait."),
    (
        PAUSE,
        [saw("waitingForPause")],
        "order-1 is waitingForPause: nothing was sent; it will pause when the step under way ends, and a run would wait for it.",
    ),
]


@each_row("wanted, script, sentence", PLANS)
def test_check_mode_tells_what_can_not_be_taken_back(wanted, script, sentence):
    assert drive(script, check_mode=True, **wanted)[0].msg == sentence


@each_row("wanted, script, action, outcome", PREDICTIONS)
def test_check_mode(wanted, script, action, outcome):
    record, sent = drive(script, check_mode=True, **wanted)
    assert sent == []
    assert (record.action, record.outcome, record.changed, record.sends) == (action, outcome, outcome == CHANGED, 0)
    assert record.timestamp is None
    assert action is None or f"order-1 is {record.status}: would send {action}" in record.msg


def test_check_mode_tells_what_reruns():
    record, _sent = drive([saw("errored", error=DECLINED, steps=STEPS)], check_mode=True, **FROM_FAILED)
    assert record.step == CHARGE
    assert record.reruns == [Step("notify", 1, "do")]


# -- what needs a look, and of which kind ---------------------------------------------------------------------------

#: (what is wanted, the look so far, its age, whether another is needed first)
NEEDS = [
    (PAUSE, None, 0, True),
    (PAUSE, listed("running"), 1000, False),
    (RESUME, listed("paused"), 1000, False),
    (TERMINATE, listed("running"), 1000, False),
    (TERMINATE, listed("terminated"), 0, False),
    (ROLLBACK, listed("running"), 1000, False),
    (ROLLBACK, listed("terminated"), 0, True),
    (ROLLBACK, listed("complete"), 0, True),
    (ROLLBACK, saw("complete"), 1000, False),
    (RESTART, listed("errored"), 2, False),
    (RESTART, listed("errored"), 2.1, True),
    (RESTART, saw("errored"), 2, False),
    (RESTART, saw("errored"), 2.1, True),
    (RESTART, listed("queued"), 0, True),  # a listing tells nothing of what has not started
    (RESTART, listed("rollingBack"), 1000, False),
    (FROM_CHARGE, listed("errored"), 0, True),
    (FROM_FAILED, listed("errored"), 0, True),
    (FROM_FAILED, listed("running"), 1000, False),
    (dict(RESTART, when_status=frozenset(["errored"])), listed("running"), 1000, False),
    (dict(RESTART, selected=frozenset(["errored"])), listed("errored"), 3, True),
    (PAUSE, gone(), 1000, False),
]


@each_row("wanted, event, age, is_needed", NEEDS)
def test_look_needed(wanted, event, age, is_needed):
    pursuit = Pursuit(Record("order-1", Wanted(**wanted), "orders"))
    if event is not None:
        if event.kind == "listed":
            pursuit.record.see_listed(event.value, 10.0)
        elif event.kind == "missing":
            pursuit.record.see_missing(10.0)
        else:
            pursuit.record.see_detail(event.value, 10.0, with_log=pursuit.reads_log)
    assert pursuit.look_needed(10.0 + age) is is_needed


# -- when the task ends early -------------------------------------------------------------------------------------


def stopped(script, **wanted):
    """A pursuit that is abandoned as the script ends."""
    pursuit = Pursuit(Record("order-1", Wanted(**wanted), "orders"))
    for event in script:
        if event.kind == "detail":
            pursuit.record.see_detail(event.value, 0.0, with_log=pursuit.reads_log)
        elif event.kind == "ok":
            pursuit.record.accepted(pursuit.next_move(0.0).action, event.value, 0.0)
        else:
            pursuit.record.answer_lost(pursuit.next_move(0.0).action, event.value, 0.0)
    pursuit.abandon("stopped by SIGTERM")
    return pursuit


@each_row(
    "wanted, script, outcome, changed",
    [
        (PAUSE, [], NOT_ATTEMPTED, False),
        (PAUSE, [saw("running")], NOT_ATTEMPTED, False),
        (PAUSE, [saw("running"), ok("waitingForPause")], FAILED, True),
        (PAUSE, [saw("queued"), ok("queued")], FAILED, False),
        (PAUSE, [saw("running"), lost()], FAILED, True),
        (RESTART, [saw("running"), ok()], FAILED, True),
        (RESTART, [saw("running"), lost()], UNKNOWN, True),
        (ROLLBACK, [saw("running"), lost()], UNKNOWN, True),
        (ROLLBACK, [saw("running"), ok("rollingBack")], FAILED, True),
    ],
)
def test_abandoned(wanted, script, outcome, changed):
    pursuit = stopped(script, **wanted)
    assert (pursuit.record.outcome, pursuit.record.changed, pursuit.record.failed) == (outcome, changed, True)
    assert "order-1" in pursuit.record.msg
    assert "stopped by SIGTERM" in pursuit.record.msg or outcome == UNKNOWN


# -- any life at all ----------------------------------------------------------------------------------------------

STATUS = st.sampled_from((*lifecycle.STATUSES, "hibernating"))
ANY_LOOK = st.one_of(
    st.builds(
        saw,
        STATUS,
        run=st.integers(0, 2),
        after=st.sampled_from([0.0, 1.0, 20.0, 90.0]),
        ended=st.sampled_from([None, 5, 9]),
        steps=st.sampled_from([STEPS, STEPS[:1], again(), []]),
        error=st.sampled_from([None, DECLINED]),
        rollback=st.sampled_from([None, None, {"outcome": "complete", "error": None}, {"outcome": "failed", "error": DECLINED}]),
    ),
    st.builds(listed, STATUS, run=st.integers(0, 2), after=st.sampled_from([0.0, 1.0, 20.0, 90.0])),
    st.builds(unseen, after=st.sampled_from([1.0, 40.0])),
    st.just(gone(after=1.0)),
)
ANY_ANSWER = st.one_of(
    st.builds(ok, st.one_of(STATUS, st.none())),
    st.just(lost()),
    st.just(stale()),
    st.just(unsent()),
    st.builds(refused, st.booleans()),
    st.just(stale(was_lost=True)),
    st.just(gone()),
)
WANTED = st.builds(
    lambda state, extra, wait, when, skip, timeout: Wanted(
        state=state, wait=wait, when_status=when, skip_finished=skip, wait_timeout=timeout, **extra.get(state, {})
    ),
    st.sampled_from(lifecycle.STATES),
    st.sampled_from([{}, {"terminated": {"rollback": True}, "restarted": {"step": CHARGE}}, {"restarted": {"from_failed_step": True}}]),
    st.booleans(),
    st.one_of(st.none(), st.none(), st.frozensets(STATUS, min_size=1)),
    st.booleans(),
    st.sampled_from([0.0, 10.0, 300.0]),
)


class Walk:
    """A pursuit through any life at all, with an account of what it saw and sent, kept apart from its own."""

    def __init__(self, wanted, data, check_mode):
        self.pursuit = Pursuit(Record("order-1", wanted, "orders"))
        self.wanted = wanted
        self.data = data
        self.check_mode = check_mode
        self.now = 0.0
        self.sends = []  # (action, status before, whether it can have had an effect) of each PATCH that went out
        self.moved = True  # since the last PATCH
        self.answered = None  # the status in its answer
        self.looks = 0  # since then
        self.effect = self.accepted_once = self.lost = False

    def run(self):
        pursuit = self.pursuit
        for _round in range(400):
            if pursuit.record.outcome is not None:
                return
            if pursuit.look_needed(pursuit.record.look.at if self.check_mode and pursuit.record.look else self.now):
                self.look()
                continue
            move = pursuit.next_move(self.now)
            if move.kind == DONE:
                continue
            if self.check_mode:
                pursuit.predict(move)
            elif move.kind == SEND:
                self.send(move.action)
            else:
                self.look()
                self.now += 1.0
        raise AssertionError("it never ends")

    def look(self):
        event = self.data.draw(ANY_LOOK)
        self.now += event.after
        pursuit = self.pursuit
        if event.kind == "listed" and not pursuit.listing_will_do:
            event = saw(event.value["status"])
        if event.kind == "detail":
            self.see(event.value["status"])
            pursuit.record.see_detail(event.value, self.now, with_log=pursuit.reads_log)
        elif event.kind == "listed":
            self.see(event.value["status"])
            pursuit.record.see_listed(event.value, self.now)
        elif event.kind == "missing":
            self.see(None)
            pursuit.record.see_missing(self.now)
        else:
            pursuit.see_nothing(event.value)

    def see(self, status):
        if not self.sends:
            return
        self.looks += 1
        before = self.sends[-1][1]
        # A status that only the answer told counts when two looks show the former one: the first may be older than the answer.
        self.moved = self.moved or status != before or (self.looks > 1 and self.answered not in (None, before))
        if status != before:
            self.note(status)

    def note(self, status):
        action, before, is_effective = self.sends[-1]
        shown = {
            "pause": status in ("paused", "waitingForPause"),
            "resume": status not in ("paused", "waitingForPause", "rollingBack", *FINISHED),
            "terminate": status in ("terminated", "rollingBack"),
            "restart": False,
        }[action]
        self.effect = self.effect or (is_effective and shown and status not in (None, before))

    def send(self, action):
        event = self.data.draw(ANY_ANSWER)
        pursuit = self.pursuit
        # A call that is made once never lost an answer before it was refused or held back.
        if self.wanted.is_once_only and event.kind in ("stale", "refused") and event.value.after_lost_answer:
            event = lost()
        assert action == lifecycle.ACTION_OF[self.wanted.state]
        assert self.moved or not self.sends, "sent again although the status has not moved"
        went_out = event.kind in ("ok", "lost", "refused", "missing") or (event.kind == "stale" and event.value.after_lost_answer)
        if went_out:
            is_effective = event.kind in ("ok", "lost") or (event.kind != "missing" and event.value.after_lost_answer)
            self.sends.append((action, pursuit.record.look.status, is_effective))
            self.answered, self.looks = None, 0
            # What lost its answer and was then held back may be repeated: it is one call still.
            self.moved = event.kind == "stale"
        if event.kind == "lost" or (event.kind in ("stale", "refused") and event.value.after_lost_answer):
            self.lost = True
        if event.kind == "ok":
            self.accepted_once = self.accepted_once or self.wanted.is_once_only
            self.answered = event.value["status"]
            self.note(event.value["status"])
            pursuit.record.accepted(action, event.value, self.now)
        elif event.kind == "refused":
            pursuit.record.refused(action, event.value, self.now)
        elif event.kind == "lost":
            pursuit.record.answer_lost(action, event.value, self.now)
        elif event.kind == "missing":
            pursuit.record.refused(action, InstanceNotFound("the API says: instance.not_found"), self.now)
            self.see(None)
            pursuit.record.see_missing(self.now)
        else:
            self.now += 1.0
            pursuit.record.held_back(action, event.value, self.now)


@settings(max_examples=300)
@given(WANTED, st.booleans(), st.data())
def test_any_life(wanted, check_mode, data):
    walk = Walk(wanted, data, check_mode)
    walk.run()
    pursuit = walk.pursuit
    assert len(walk.sends) == pursuit.record.sends <= MOST_SENDS
    assert pursuit.record.sends <= 1 or not wanted.is_once_only, "sent twice what must be sent once"
    assert pursuit.record.outcome in (UNCHANGED, CHANGED, FAILED, UNKNOWN)
    assert pursuit.record.failed == (pursuit.record.outcome in (FAILED, UNKNOWN))
    if check_mode:
        assert not walk.sends
    else:
        # A resume that is accepted and found finished has run on; it may never have been seen as running.
        may_have_changed = walk.effect or walk.lost or walk.accepted_once or pursuit.record.finished_again
        assert may_have_changed or not pursuit.record.changed, "changed without an effect"
        # What has ended by itself was neither paused nor terminated.
        came_to_nothing = (
            pursuit.record.outcome == UNCHANGED
            and pursuit.record.action in ("pause", "terminate")
            and pursuit.record.look.status in FINISHED
        )
        assert pursuit.record.changed or came_to_nothing or not (walk.effect or walk.lost), "an effect that is not told"
    if pursuit.record.outcome == UNKNOWN:
        assert wanted.is_once_only and walk.lost and not walk.effect
    if pursuit.record.outcome == UNCHANGED:
        assert not pursuit.record.changed
    item = report.items([pursuit.record])[0]
    assert item["msg"] and "order-1" in item["msg"]
    assert item["outcome"] == pursuit.record.outcome
    for count in (1, 2):
        assert_is_a_sentence(account.message(account.Told([pursuit.record] * count, "orders", wanted, 1000, check_mode)))
