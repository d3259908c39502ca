# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looking at many by few calls: how many pages are asked for, and that nothing steady is missed while others move."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import (
    AnswerLost,
    AuthenticationError,
    NotSent,
    OptionError,
    Refused,
    TooManyMatched,
)
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet import gathering
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.selection import Selection
from ansible_collections.edgeops.cloudflare.plugins.module_utils.fleet.survey import MOST_PASSES, WORTH_A_TRY, Surveyor
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.pursuit import Pursuit
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.record import FAILED, Record
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.wanted import Wanted
from ansible_collections.edgeops.cloudflare.tests.unit.fakes import MIDNIGHT, FakeClock, FakeInstance, FakeWorkflow, http_date, many, stamp
from ansible_collections.edgeops.cloudflare.tests.unit.tables import each_row


def surveyor_of(workflow):
    return Surveyor(workflow, workflow.clock, lambda: http_date(workflow.clock.monotonic()))


def select(workflow, max_instances=100000, max_pages=None, **filters):
    return surveyor_of(workflow).select(Selection(**filters), max_instances, max_pages)


def pursuits_of(ids, **wanted):
    return [Pursuit(Record(instance_id, Wanted(**dict({"state": "paused"}, **wanted)), "orders")) for instance_id in ids]


# -- what a selection costs and finds -------------------------------------------------------------------------------


def mixed(**counts):
    """Instances of several statuses, mingled in the order of creation."""
    made = []
    for status, count in counts.items():
        made += many(count, status, prefix=status)
    return made


#: (instances by status, filters, pages asked for, passes)
COSTS = [
    ({}, {"statuses": ("running",)}, 1, 1),
    ({}, {"id_glob": "*"}, 1, 1),
    ({}, {"statuses": ("running", "waiting")}, 1, 1),
    ({"running": 1}, {"statuses": ("running",)}, 1, 1),
    ({"running": 100, "complete": 900}, {"statuses": ("running",)}, 1, 1),
    ({"running": 101, "complete": 900}, {"statuses": ("running",)}, 2, 1),
    ({"running": 1000}, {"statuses": ("running",)}, 10, 1),
    ({"running": 250, "complete": 250}, {"id_glob": "*"}, 5, 1),
    # Several statuses: one unfiltered listing where it is no longer than two passes over each status.
    ({"running": 50, "waiting": 50}, {"statuses": ("running", "waiting")}, 1, 1),
    ({"running": 50, "waiting": 50, "complete": 400}, {"statuses": ("running", "waiting")}, 5, 1),
    ({"running": 50, "waiting": 50, "complete": 500}, {"statuses": ("running", "waiting")}, 1 + 2 + 2, 2),
    ({"running": 50, "waiting": 50, "complete": 2900}, {"statuses": ("running", "waiting")}, 1 + 2 + 2, 2),
    ({"running": 150, "waiting": 50, "complete": 2800}, {"statuses": ("running", "waiting")}, 1 + 3 + 3, 2),
    ({"running": 1500, "waiting": 1500}, {"statuses": ("running", "waiting")}, 1 + 2 + 29, 1),
    ({"complete": 3000}, {"statuses": ("running", "waiting", "queued")}, 1 + 3 + 3, 2),
    # What the API can't filter costs whole listings.
    ({"running": 250, "complete": 250}, {"id_glob": "running0*"}, 5, 1),
    ({"running": 250, "complete": 250}, {"statuses": ("running",), "id_glob": "nothing"}, 3, 1),
    # What it can filter, it does.
    ({"running": 1000}, {"created_after": MIDNIGHT + timedelta(seconds=95)}, 1, 1),
    ({"running": 1000}, {"created_after": MIDNIGHT + timedelta(seconds=10), "created_before": MIDNIGHT + timedelta(seconds=25)}, 2, 1),
]


@each_row("counts, filters, pages, passes", COSTS)
def test_cost_of_a_selection(clock, counts, filters, pages, passes):
    clock.pass_by(1000)
    instances = mixed(**counts)
    workflow = FakeWorkflow(clock, *instances)
    found = select(workflow, **filters)
    assert (workflow.count("list"), found.passes, found.converged) == (pages, passes, True)
    selection = Selection(**filters)
    assert set(found.looks) == {instance.id for instance in instances if selection.matches(instance.item())}


def test_listings_are_filtered_by_the_server(clock):
    clock.pass_by(1000)
    workflow = FakeWorkflow(clock, *mixed(running=30, complete=3000))
    select(workflow, statuses=("running",), created_after=MIDNIGHT)
    assert workflow.calls == [("list", "running", 1)]


def test_each_look_has_the_time_of_its_page(clock):
    clock.pass_by(1000)
    workflow = FakeWorkflow(clock, *many(250), latency=2.0)
    found = select(workflow, statuses=("running",))
    assert sorted({at for _item, at in found.looks.values()}) == [1000.0, 1002.0, 1004.0]


def test_max_instances(clock):
    """Too many are counted to the end, so that the number told is the number that matches; as many as allowed are fine."""
    clock.pass_by(1000)
    workflow = FakeWorkflow(clock, *many(950))
    with pytest.raises(TooManyMatched) as caught:
        select(workflow, max_instances=250, statuses=("running",))
    assert (caught.value.matched, caught.value.by_status, caught.value.is_complete) == (950, {"running": 950}, True)
    assert workflow.count("list") == 10
    assert len(select(workflow, max_instances=950, statuses=("running",)).looks) == 950


def test_what_is_far_too_much_is_counted_for_so_long(clock, monkeypatch):
    monkeypatch.setattr(gathering, "MOST_COUNTED", 3)
    clock.pass_by(1000)
    workflow = FakeWorkflow(clock, *many(950))
    with pytest.raises(TooManyMatched) as caught:
        select(workflow, max_instances=250)
    assert (caught.value.matched, caught.value.is_complete) == (300, False)
    assert workflow.count("list") == 3


@each_row("filters, matched", [({"statuses": ("running", "waiting")}, 30), ({"id_glob": "i000?"}, 10), ({"created_after": MIDNIGHT}, 30)])
def test_what_is_counted_is_what_all_filters_match(clock, filters, matched):
    clock.pass_by(1000)
    with pytest.raises(TooManyMatched) as caught:
        select(FakeWorkflow(clock, *many(30)), max_instances=5, **filters)
    assert caught.value.matched == matched


@each_row(
    "filters, pages, remarks",
    [
        ({"statuses": ("waitingForPause",)}, 2, 1),
        ({"statuses": ("running", "waitingForPause")}, 1, 0),
        ({"created_after": MIDNIGHT}, 1, 0),
    ],
)
def test_a_filter_that_the_server_refuses(clock, filters, pages, remarks):
    """An older server doesn't know this status: everything is listed instead, which is told."""
    clock.pass_by(1000)
    workflow = FakeWorkflow(clock, *many(50))
    workflow.fail(("list", "waitingForPause"), Refused("the API says: status is invalid"), times=9)
    found = select(workflow, **filters)
    assert workflow.count("list") == pages
    assert len(found.remarks) == remarks
    assert all("the server refuses a filter of select" in remark for remark in found.remarks)


def test_a_filter_that_the_server_refuses_and_that_would_cost_too_much(clock):
    clock.pass_by(1000)
    workflow = FakeWorkflow(clock, *many(2050))
    workflow.fail(("list", "waitingForPause"), Refused("the API says: status is invalid"), times=9)
    with pytest.raises(Refused) as caught:
        select(workflow, statuses=("waitingForPause",))
    assert caught.value.message == (
        "the server refuses a filter of select: the API says: status is invalid; listing everything instead would take 21 calls"
    )
    assert workflow.count("list") == 2


def test_the_first_page_overrules_a_clock_that_is_slow(clock):
    """What it shows existed before it was answered, whatever the Date header says."""
    clock.pass_by(50)
    workflow = FakeWorkflow(clock, *many(3), FakeInstance("ahead", created=3000))
    assert set(select(workflow, statuses=("running",)).looks) == {"i0000", "i0001", "i0002", "ahead"}


@each_row(
    "counts, filters, max_pages, pages, extent, matched",
    [
        ({"running": 250}, {"created_after": MIDNIGHT}, 2, 2, (200, 250, True), 200),
        ({"running": 250}, {"created_after": MIDNIGHT}, 3, 3, (250, 250, False), 250),
        ({"running": 250}, {"created_after": MIDNIGHT}, 9, 3, (250, 250, False), 250),
        ({"running": 200}, {"created_after": MIDNIGHT}, 2, 2, (200, 200, False), 200),
        ({}, {"created_after": MIDNIGHT}, 2, 1, (0, 0, False), 0),
        # The server filters by one status, and by no more.
        ({"running": 150, "waiting": 150}, {"statuses": ("running",)}, 1, 1, (100, 150, True), 100),
        ({"running": 150, "waiting": 150}, {"statuses": ("running", "paused")}, 2, 2, (200, 300, True), 100),
        ({"running": 250}, {"id_glob": "running000?"}, 2, 2, (200, 250, True), 0),
        ({"running": 250}, {"id_glob": "running000?"}, 3, 3, (250, 250, False), 10),
    ],
)
def test_the_newest_pages(clock, counts, filters, max_pages, pages, extent, matched):
    """No more than so many calls, whatever is asked for; how much of the listing that was is told."""
    clock.pass_by(1000)
    workflow = FakeWorkflow(clock, *mixed(**counts))
    found = select(workflow, max_pages=max_pages, **filters)
    assert (workflow.count("list"), found.extent, len(found.looks)) == (pages, extent, matched)


def test_the_newest_pages_hold_too_many(clock):
    clock.pass_by(1000)
    with pytest.raises(TooManyMatched) as caught:
        select(FakeWorkflow(clock, *many(950)), max_instances=150, max_pages=3)
    assert caught.value.matched == 300


def test_the_newest_pages_where_the_server_refuses_a_filter(clock):
    """Everything is listed instead, and no more pages of it."""
    clock.pass_by(1000)
    workflow = FakeWorkflow(clock, *many(2950))
    workflow.fail(("list", "waitingForPause"), Refused("the API says: status is invalid"), times=9)
    found = select(workflow, statuses=("waitingForPause",), max_pages=25)
    assert workflow.count("list") == 26 and found.extent == (2500, 2950, True) and len(found.remarks) == 1


def test_what_came_after_the_first_answer_is_left_out(clock):
    clock.pass_by(50)
    workflow = FakeWorkflow(clock, *many(150))
    late = FakeInstance("late", created=60)
    workflow.before(("list", "running", 2), lambda: workflow.instances.update(late=late))
    found = select(workflow, statuses=("running",))
    assert "late" not in found.looks
    # The oldest 150 were created within 15 seconds.
    assert len(found.looks) == 150


def test_the_newest_look_wins(clock):
    """One that moves on between two listings counts as it was seen last."""
    clock.pass_by(1000)
    workflow = FakeWorkflow(clock, *mixed(running=50, waiting=50, complete=2900))
    mover = workflow.instances["running0007"]
    workflow.before(("list", "waiting", 1), lambda: setattr(mover, "status", "waiting"))
    found = select(workflow, statuses=("running", "waiting"))
    assert found.looks["running0007"][0]["status"] == "waiting"
    assert len(found.looks) == 100


def test_what_no_longer_matches_by_its_newest_look_is_left_out(clock):
    clock.pass_by(1000)
    workflow = FakeWorkflow(clock, *mixed(running=50, waiting=50, complete=2900))
    # It is on the first unfiltered page; by the second pass it has ended and is errored no more.
    newest = max(workflow.instances.values(), key=lambda instance: (instance.item()["created_on"], instance.id))
    newest.status = "running"
    newest.fields["version_id"] = "v1"
    workflow.before(("list", "running", 1), lambda: newest.fields.update(version_id="v2"))
    found = select(workflow, statuses=("running", "waiting"), version_id="v1")
    assert newest.id not in found.looks


def test_passes_go_on_while_new_ones_appear(clock):
    clock.pass_by(10000)
    workflow = FakeWorkflow(clock, *mixed(running=20, waiting=20, complete=2960))
    spare = [f"complete{number:04d}" for number in range(20)]
    # With every other listing of running ones, another instance has begun to run.
    workflow.before(("list", "running", 1), lambda: setattr(workflow.instances[spare.pop()], "status", "running"), times=3)
    found = select(workflow, statuses=("running", "waiting"))
    assert (found.passes, found.converged, len(found.looks)) == (4, True, 43)
    workflow.before(("list", "running", 1), lambda: setattr(workflow.instances[spare.pop()], "status", "running"), times=100)
    found = select(workflow, statuses=("running", "waiting"))
    assert (found.passes, found.converged) == (MOST_PASSES, False)


def test_a_server_that_lists_too_little(clock):
    clock.pass_by(1000)
    instance = FakeInstance("a")
    bare = {"id": "a", "status": "running", "created_on": stamp(0)}
    instance.item = lambda: dict(bare)
    workflow = FakeWorkflow(clock, instance)
    assert set(select(workflow, statuses=("running",), id_glob="a*").looks) == {"a"}
    for option, value in (("version_id", "v1"), ("trigger_source", "api"), ("ended_after", MIDNIGHT), ("ended_before", MIDNIGHT)):
        with pytest.raises(OptionError) as caught:
            select(workflow, **{option: value})
        assert caught.value.message.startswith(f"select.{option} needs a listing that tells it")


def test_phantoms_are_passed_over(clock):
    clock.pass_by(1000)
    workflow = FakeWorkflow(clock, FakeInstance("a"), FakeInstance("phantom", status=None), FakeInstance("odd", status=3))
    assert set(select(workflow, id_glob="*").looks) == {"a"}


STATUSES = ("running", "waiting", "paused", "errored", "complete")


@settings(max_examples=25)
@given(st.data(), st.lists(st.sampled_from(STATUSES), min_size=1, max_size=3, unique=True), st.sampled_from([30, 150, 450]))
def test_steady_ones_are_found_whatever_the_others_do(data, wanted, count):
    """Instances move between statuses, are deleted and created with every single call; those that hold a status are found once."""
    random = data.draw(st.randoms(use_true_random=False))
    clock = FakeClock(10000.0)
    instances = many(count)
    for instance in instances:
        instance.status = random.choice(STATUSES)
    workflow = FakeWorkflow(clock, *instances, latency=1.0)
    steady = {instance.id: instance.status for instance in instances if random.random() < 0.7}

    def move():
        for instance in list(workflow.instances.values()):
            if instance.id not in steady and random.random() < 0.3:
                instance.status = random.choice(STATUSES)
            elif instance.id not in steady and random.random() < 0.02:
                del workflow.instances[instance.id]
        created = f"new{len(workflow.calls)}"
        workflow.instances[created] = FakeInstance(created, random.choice(STATUSES), created=clock.monotonic() + 2)

    workflow.before(("list",), move, times=10**6)
    found = select(workflow, statuses=tuple(wanted))
    assert {name for name, status in steady.items() if status in wanted} <= set(found.looks)
    assert not [name for name in found.looks if name.startswith("new") and name != "new0"], "the first page may show that one"
    assert all(item["status"] in wanted for item, _at in found.looks.values())
    assert 1 <= found.passes <= MOST_PASSES


# -- looking at known ones --------------------------------------------------------------------------------------------

#: (instances in the workflow, which are asked for, pages asked for, how many are left to be looked at one by one)
KNOWN = [
    (1000, range(WORTH_A_TRY), 0, WORTH_A_TRY),
    (WORTH_A_TRY + 1, range(WORTH_A_TRY + 1), 1, 0),
    (100, range(11), 1, 0),
    # The first page tells that a listing would take longer than asking one by one.
    (5000, range(11), 1, 11),
    (1300, range(11), 1, 11),
    # It goes on as long as that is cheaper.
    (1000, range(11), 10, 0),
    (1000, range(60), 10, 0),
    (1000, range(940, 1000), 1, 0),
    (1000, [*list(range(940, 1000)), 0], 1, 1),
    (300, range(120), 3, 0),
    (300, range(300), 3, 0),
]


@each_row("count, asked, pages, left", KNOWN)
def test_cost_of_looking_at_known_ones(clock, count, asked, pages, left):
    workflow = FakeWorkflow(clock, *many(count))
    pursuits = pursuits_of(f"i{place:04d}" for place in asked)
    alone = surveyor_of(workflow).survey(pursuits)
    assert (workflow.count("list"), len(alone)) == (pages, left)
    assert {pursuit.record.id for pursuit in pursuits if pursuit.record.look is None} == {pursuit.record.id for pursuit in alone}
    assert all(pursuit.record.look.status == "running" for pursuit in pursuits if pursuit.record.look)


@each_row("total", [None, 0, 100])
@each_row("asked, pages, left", [(range(60), 1, 60), (range(4820, 5000), 2, 0), ([*list(range(4780, 5000)), 0], 4, 1)])
def test_a_listing_whose_length_is_not_told_goes_on_while_it_is_of_use(clock, total, asked, pages, left):
    workflow = FakeWorkflow(clock, *many(5000))
    listed = workflow.pages
    workflow.pages = lambda *filters: (page._replace(total=total) for page in listed(*filters))
    pursuits = pursuits_of(f"i{place:04d}" for place in asked)
    alone = surveyor_of(workflow).survey(pursuits)
    assert (workflow.count("list"), len(alone)) == (pages, left)


def test_the_first_page_is_only_tried_once(clock):
    """By then the length is known, and the listing is not tried again for so few."""
    workflow = FakeWorkflow(clock, *many(5000))
    surveyor = surveyor_of(workflow)
    for pages in (1, 1):
        surveyor.survey(pursuits_of(f"i{place:04d}" for place in range(30)))
        assert workflow.count("list") == pages
    # More than its pages: worth it.
    surveyor.survey(pursuits_of(f"i{place:04d}" for place in range(60)))
    assert workflow.count("list") == 51


def test_missing_from_a_listing_proves_nothing(clock):
    workflow = FakeWorkflow(clock, *many(50))
    pursuits = pursuits_of([f"i{place:04d}" for place in range(20)] + ["elsewhere"])
    alone = surveyor_of(workflow).survey(pursuits)
    assert [pursuit.record.id for pursuit in alone] == ["elsewhere"]
    assert workflow.count("list") == 1


def test_a_listing_is_no_use_for_logs(clock):
    workflow = FakeWorkflow(clock, *many(50))
    pursuits = pursuits_of((f"i{place:04d}" for place in range(20)), state="restarted", from_failed_step=True)
    assert surveyor_of(workflow).survey(pursuits) == pursuits
    assert workflow.calls == []


def seen(pursuits, workflow, status):
    """Have all of them been seen by a listing, in this status."""
    for pursuit in pursuits:
        pursuit.record.see_listed(dict(workflow.instances[pursuit.record.id].item(), status=status), workflow.clock.monotonic())
    return pursuits


def test_the_listing_is_bounded_by_creation(clock):
    """Of instances seen before it is known when they were created: older and newer ones aren't listed."""
    workflow = FakeWorkflow(clock, *many(3000))
    pursuits = seen(pursuits_of(f"i{place:04d}" for place in range(1500, 1580)), workflow, "running")
    assert surveyor_of(workflow).survey(pursuits) == []
    assert workflow.count("list") == 1


def test_pending_statuses_are_listed(clock):
    """Where a listing of everything is too long, those of the expected statuses may not be."""
    workflow = FakeWorkflow(clock, *many(5000))
    asked = [f"i{place:04d}" for place in range(0, 5000, 250)]
    for number, instance_id in enumerate(asked):
        workflow.instances[instance_id].status = "waitingForPause" if number < 15 else "paused"
    pursuits = seen(pursuits_of(asked), workflow, "running")
    alone = surveyor_of(workflow).survey(pursuits, ("waitingForPause", "paused"))
    # The newest of them is on the first page of everything.
    assert [pursuit.record.id for pursuit in alone] == asked[15:-1]
    assert workflow.calls == [("list", None, 1), ("list", "waitingForPause", 1)]


# -- looking at one ---------------------------------------------------------------------------------------------------


def looked_at(workflow, is_waiting=False, **wanted):
    pursuit = pursuits_of(["i0000"], **wanted)[0]
    if is_waiting:
        pursuit.record.see_detail({"status": "waitingForPause"}, 0.0)
        pursuit.next_move(0.0)
    surveyor_of(workflow).look_at(pursuit)
    return pursuit


def test_one(clock):
    workflow = FakeWorkflow(clock, *many(1), latency=3.0)
    pursuit = looked_at(workflow)
    assert (pursuit.record.look.status, pursuit.record.look.at) == ("running", 0.0), "a look is as old as its request"
    assert workflow.calls == [("detail", "i0000")]
    assert looked_at(workflow, state="restarted", from_failed_step=True).record.look.source == "log"
    assert workflow.calls[1:] == [("log", "i0000")]


def test_one_that_is_not_there(clock):
    pursuit = looked_at(FakeWorkflow(clock))
    assert (pursuit.record.look.status, pursuit.record.outcome) == (None, None)


@each_row("detail", [{}, {"status": None}, {"status": 3}])
def test_one_without_a_status(clock, detail):
    workflow = FakeWorkflow(clock, *many(1))
    workflow.instances["i0000"].detail = lambda steps: detail
    pursuit = looked_at(workflow)
    assert pursuit.record.outcome == FAILED
    assert "the API's answer tells no status" in pursuit.record.msg


@each_row(
    "error, is_waiting, stops",
    [
        (AnswerLost("no answer"), False, False),
        (AnswerLost("no answer"), True, False),
        (Refused("no"), False, False),
        (NotSent("no connection"), False, True),
        (NotSent("no connection"), True, False),
        (AuthenticationError("no"), False, True),
        (AuthenticationError("no"), True, True),
    ],
)
def test_one_that_can_not_be_looked_at(clock, error, is_waiting, stops):
    """What meets all alike stops the task, but a network that fails may pass while one waits; the rest fails this one alone."""
    workflow = FakeWorkflow(clock, *many(1))
    workflow.fail(("detail",), error)
    if stops:
        with pytest.raises(type(error)):
            looked_at(workflow, is_waiting)
    else:
        assert looked_at(workflow, is_waiting).record.outcome == (None if is_waiting else FAILED)
