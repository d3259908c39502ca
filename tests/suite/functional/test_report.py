# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`report`: what it tells of real instances, what it costs, and what it does not tell; and its page in a browser."""

from __future__ import annotations

import json
import re
import stat

import browser
import pytest
from flock import NAP, NOTHING, names
from runbooks import run

#: What an error may hold that others have written.
HOSTILE = "<script>alert('owned')</script><img src=x onerror=alert(1)> & {{ 7 * 7 }} \x1b[31mred \u202e " + "long" * 200

RIGHT_TO_LEFT = "الدفع مرفوض للطلب رقم 4711"


def failing(step, message):
    """Params of an instance that fails in a step."""
    return {"steps": [{"do": step, "fail": message}]}


def report(flock, folder, *arguments, **variables):
    """Run it. It changes nothing, and the calls that it tells are those that the gateway saw."""
    done = run(flock, "report", folder, *arguments, **variables)
    if done.code == 0:
        total = flock.calls()["total"]
        assert f"by {total:,} call{'' if total == 1 else 's'} of the API." in done.said and "changed=0" in done.said
    assert flock.patches() == []
    return done


def lines(done):
    """What it shows, line by line."""
    shown = re.search(
        r"TASK \[edgeops\.cloudflare\.runbook : How the instances are\] \*+\n.*?msg:\n(.*?)\n\n", done.output, re.DOTALL
    ).group(1)
    return [line.strip().removeprefix("- ").strip("'") for line in shown.splitlines()]


def handed_on(done):
    """What it hands on to the jobs that come after."""
    assert "edgeops_report:" in done.output.partition("CUSTOM STATS")[2]
    return done.said.partition("CUSTOM STATS")[2]


def of_all_kinds(flock):
    """Instances in four statuses, of which five have failed with two errors, one of them in two steps."""
    flock.create(names("done", 3), NOTHING, "complete")
    flock.create(names("declined", 3), failing("charge", "card 4711 declined"), "errored")
    flock.create(["late-000"], failing("charge", "no answer within 30000 ms"), "errored")
    flock.create(["late-001"], failing("refund", "no answer within 20000 ms"), "errored")
    flock.create(names("nap", 2), NAP)
    flock.create_paused(["held-000"])


def test_it(flock, tmp_path):
    """A sentence first, bad news first; the most frequent error first, with examples and where to look; by seven calls."""
    of_all_kinds(flock)
    done = report(flock, tmp_path)
    shown = lines(done)
    assert re.match(
        r"fleet: 5 errored \(last at \S+Z\), 1 paused, 2 waiting, 3 complete; 11 instances created since \S+Z\.",
        done.task("How the instances are").partition("'")[2],
    )
    assert "Errors of all 5 failed instances." in shown
    assert flock.cost() == (1 + 5, 1, 0)

    at = shown.index("STATUS    LISTED  ALL  OLDEST  MEDIAN AGE")
    assert [re.split(r"  +", line)[:3] for line in shown[at + 1 : at + 5]] == [
        ["errored", "5", "5"],
        ["paused", "1", "1"],
        ["waiting", "2", "2"],
        ["complete", "3", "3"],
    ]
    by_error = "\n".join(shown[at + 6 : at + 15])
    assert re.search(
        r"  3  Error: card # declined\n +in charge 3\n +declined-\d+, declined-\d+, declined-\d+\nhttps://\S+/declined-\d+\n", by_error
    )
    assert re.search(r"  2  Error: no answer within # ms\n +in refund 1, charge 1\n +late-001, late-000\nhttps://\S+/late-001", by_error)
    account = flock.bench.engine.account_id
    assert f"https://dash.cloudflare.com/{account}/workers/workflows/fleet/instance/late-001" in shown
    assert re.search(
        r"  4  charge\n +with Error: card # declined 3,\n +Error: no answer within # ms 1\n.*  1  refund\n +with Error: no answer within # ms 1\n",
        "\n".join(shown),
        re.DOTALL,
    )

    hours = [re.split(r"  +", line) for line in shown[next(i for i, line in enumerate(shown) if line.startswith("HOUR (UTC)")) + 1 : -2]]
    assert 24 <= len(hours) <= 26 and [sum(int(row[kind]) for row in hours) for kind in (1, 2, 3, 4)] == [11, 3, 5, 0]
    assert all(len(line) <= 80 for line in shown if not line.startswith(("https:", "fleet:")))
    assert "errored: 5" in handed_on(done) and "message: 'card # declined'" in handed_on(done)


def test_in_check_mode(flock, tmp_path):
    """The same, page and all."""
    flock.create(names("nap", 2), NAP)
    page = tmp_path / "page.html"
    told = [line for line in lines(report(flock, tmp_path, "--check", "--diff", html_file="page.html")) if "As of" not in line]
    assert "2 waiting" in told[0] and stat.S_IMODE(page.stat().st_mode) == 0o600 and "<h1" in page.read_text()
    assert told[-1] == f"As a page: {page}"


def test_a_record(flock, tmp_path):
    """What became of what was paused: resumed, failed since, gone, and still there; what was listed is not looked at again."""
    paused = flock.create_paused(names("mine", 4))
    text = {
        "version": 1,
        "account_id": flock.bench.engine.account_id,
        "api_url": flock.bench.engine.api_url,
        "records": [
            {
                "workflow_name": "fleet",
                "state": "paused",
                "made_at": "2026-08-06T03:24:10Z",
                "job": "4711",
                "ids": [*paused, "failed-000", "gone-000"],
                "on_their_way": ["held-000"],
                "unknown": [],
            }
        ],
    }
    flock.create(["failed-000"], failing("charge", "card declined"), "errored")
    flock.create(["held-000"], NAP)
    flock.op({"op": "resume", "instance": "mine-000"})
    flock.wait_for(["mine-000"], "waiting")
    (tmp_path / "record.json").write_text(json.dumps(text))
    shown = lines(report(flock, tmp_path, record_file="record.json"))
    at = next(number for number, line in enumerate(shown) if "RECORD OF 2026-08-06T03:24:10Z, job 4711" in line)
    assert shown[at].endswith("6 paused; by now") and shown[at + 1].strip() == "3 paused, 1 waiting, 1 errored, 1 gone"
    assert shown[at + 2].strip() == "errored: failed-000"
    assert shown[at + 3].endswith("1 on their way to be paused; by now") and shown[at + 4].strip() == "1 waiting"
    assert flock.cost() == (1 + 1 + 1, 1, 0), "the workflow, the failed one, and the one that was not listed"

    other = report(flock, tmp_path, edgeops_record=json.dumps({**text, "account_id": "f" * 32}), expect=2)
    assert "the record is of account ffff" in other.refusal
    none = report(flock, tmp_path, record_file="another.json", expect=2)
    assert "there is no record in record_file" in none.refusal and flock.calls()["total"] == 0


def test_bounds(flock, tmp_path):
    """No more pages and no more logs than that, and of how many they are."""
    flock.create([f"nap-{number:03d}" for number in range(60)], NAP)
    flock.create(names("failed", 60), failing("charge", "card declined"), "errored")
    done = report(flock, tmp_path, max_pages="1", max_details=3)
    assert "Only the newest 100 of 120 instances were listed: max_pages=2 lists all." in done.said
    assert "Errors of 3 of 60 failed instances, the newest (max_details=60 reads all)." in done.said
    assert flock.cost() == (1 + 3, 1, 0)
    few = report(flock, tmp_path, max_details=0, id_glob="nap-00?", created_after="2020-01-01T00:00:00Z")
    assert "nothing errored, 10 waiting; 10 instances with ids like nap-00? created since 2020-01-01T00:00:00Z." in few.said
    assert flock.cost() == (1, 2, 0)


def test_what_could_not_be_read(flock, tmp_path):
    """The rest is told all the same, and why that is not all."""
    flock.create(names("failed", 3), failing("charge", "card declined"), "errored")
    flock.meet("read", {"status": 404, "code": 10400, "message": "instance.not_found"}, match={"instance": "failed-001"})
    gone = report(flock, tmp_path)
    assert "Errors of 2 of 3 failed instances. " in gone.said and "Not all" not in gone.said
    flock.meet("read", {"status": 400, "message": "not today"}, match={"instance": "failed-002"})
    done = report(flock, tmp_path)
    assert "Errors of 1 of 3 failed instances. " in done.said
    assert (
        "Not all errors could be read: 1 instance of fleet: 1 errored; not found: failed-001; 1 could not be read as asked for: "
        "the API says: not today"
    ) in done.said


def test_in_a_development_session(flock, tmp_path):
    """It does not tell when instances ended, and has no dashboard."""
    of_all_kinds(flock)
    settings = {"CLOUDFLARE_BASE_URL": flock.bench.engine.dev_gateway_url, "CLOUDFLARE_ACCOUNT_ID": "", "CLOUDFLARE_API_TOKEN": ""}
    done = report(flock, tmp_path, settings=settings, warns=True)
    assert "When instances ended is not told by this server (a development session): the hours tell what was created." in done.said
    assert "dash.cloudflare.com" not in done.said and "Error: card # declined" in done.said
    shown = lines(done)
    hours = shown[next(number for number, line in enumerate(shown) if line.startswith("HOUR (UTC)")) :]
    assert re.fullmatch(r"HOUR \(UTC\) +CREATED", hours[0])


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({"workflow_name": "odrers"}, "workflow odrers was not found in account"),
        ({"created_after": "yesterday"}, "created_after must be a time with its offset"),
        ({"workflow_name": ""}, "workflow_name is missing"),
        ({"max_page": 3}, "max_page is no input of this runbook; did you mean max_pages?"),
        ({"max_pages": 0}, "max_pages must be a number from 1 to 1000; it is 0"),
    ],
)
def test_what_can_not_be_told(flock, tmp_path, variables, says):
    done = report(flock, tmp_path, expect=2, **variables)
    assert says in done.refusal and done.task("How the instances are") == ""


# -- the page --------------------------------------------------------------------------------------------------------------

WIDE, NARROW = 1280, 360


@pytest.fixture
def seen(flock, tmp_path):
    """The page of instances with what others may write into their errors, in four views."""
    of_all_kinds(flock)
    flock.create(["hostile-000"], failing("charge", HOSTILE), "errored")
    flock.create(["rtl-000"], failing("شحن", RIGHT_TO_LEFT), "errored")
    flock.create(["*".replace("*", "w") * 100], failing("charge", "one-word-" * 60), "errored")
    report(flock, tmp_path, html_file=str(tmp_path / "report.html"))
    views = [{"width": width, "scheme": scheme} for width in (WIDE, NARROW) for scheme in ("light", "dark")]
    return browser.views(tmp_path / "report.html", *views)


def test_the_page(seen, flock):
    for view in seen:
        # Nothing lies outside, or is cut; it can be read; nothing is loaded, runs or complains.
        assert view["scrollWidth"] <= view["innerWidth"] and view["outside"] == []
        assert view["contrast"] >= 4.5
        assert view["requests"] == [] and view["complaints"] == []
        assert not {"script", "img", "iframe", "link", "object", "form"} & set(view["elements"])
        # It can be listened to.
        assert view["headings"][0] == "h1 fleet" and view["unnamed"] == 0
        assert all(view["pictures"]) and view["pictures"][0].startswith("Instances by status: 8 errored, 1 paused, 2 waiting, 3 complete")
        assert "h3 Error: card # declined" in view["headings"] and "h3 شحن" in view["headings"]
    assert [view["innerWidth"] for view in seen] == [WIDE, WIDE, NARROW, NARROW]
    assert seen[0]["ground"] != seen[1]["ground"] and seen[0]["ground"] == seen[2]["ground"]
    text = seen[0]["text"]
    assert (
        "<script>alert('owned')</script><img src=x onerror=alert(1)> & { { 7 * 7 } } red longlong" in text
        and "49" not in text.partition("{ { ")[2][:9]
    )
    assert RIGHT_TO_LEFT in text and "\u202e" not in text and "\x1b" not in text
    prefix = f"https://dash.cloudflare.com/{flock.bench.engine.account_id}/workers/workflows/fleet/instance/"
    assert seen[0]["links"] and all(link.startswith(prefix) for link in seen[0]["links"])


def test_what_the_browser_would_catch(tmp_path):
    """A page that is wrong in each of these ways is caught."""
    page = tmp_path / "wrong.html"
    page.write_text(
        "<!doctype html><meta charset=utf-8><body style='background: #fff; width: 900px'>"
        "<p style='color: #ccc'>pale</p><p style='width: 9em; overflow: hidden; white-space: nowrap'>cut off since it is too long</p>"
        "<p style='position: absolute; left: -50px'>to the left</p><img src='picture.png'><script>alert(1)</script>"
        "<table><tr><th>head</th></tr></table><svg></svg>"
    )
    (view,) = browser.views(page, {"width": NARROW, "scheme": "light"})
    assert view["scrollWidth"] > view["innerWidth"] and view["contrast"] < 4.5
    assert view["outside"] == ["cut off since it is too long", "to the left"]
    assert view["requests"][0].endswith("picture.png") and "dialog: 1" in view["complaints"]
    assert view["unnamed"] == 1 and view["pictures"] == [""] and "script" in view["elements"]
