"""Call-outs: the next in line, broadcasts, named people; one place, one winner; nothing unmet stays silent."""

from __future__ import annotations

from functools import partial
from uuid import UUID

import pytest

from gridmap.domain.response import FenceRule, Place
from gridmap.errors import Conflict
from gridmap.services.dispatching import callouts, steps
from gridmap.services.transaction import transaction
from tests.callouts import Centre
from tests.races import at_once
from tests.world import World


@pytest.fixture
def centre(world: World) -> Centre:
    return Centre(world)


def test_the_next_in_line_is_asked_after_a_no_and_after_silence(centre: Centre) -> None:
    for name, grid in (("near", 0), ("second", 1), ("third", 2)):
        centre.officer(name, grid)
    incident = centre.report()
    callout = centre.call_out(incident, offer_s=30, level_s=600)
    centre.work()
    assert centre.offered(incident) == ["near"]
    centre.decline("near", incident)
    centre.work()
    assert centre.offered(incident) == ["second"]
    centre.wait(31)
    assert centre.offered(incident) == ["third"], "who was silent is not asked again"
    centre.accept("third", incident)
    centre.work()
    assert centre.callout(callout).status == "met"
    assert centre.jobs(incident) == [("near", "declined"), ("second", "expired"), ("third", "accepted")]
    assert centre.alarms("callout_unmet") == []
    assert centre.alarms("offer_unheard") == [], "the next was asked: that is no alarm"


def test_nobody_left_to_ask_is_an_alarm_and_somebody_new_is_asked(centre: Centre) -> None:
    centre.officer("only", 0)
    incident = centre.report()
    callout = centre.call_out(incident, offer_s=30, level_s=600)
    centre.work()
    centre.decline("only", incident)
    centre.work()
    (alarm,) = centre.alarms("callout_unmet")
    assert alarm.params["why"] == "nobody_left"
    centre.officer("late", 1)
    centre.wait(16)
    assert centre.offered(incident) == ["late"]
    centre.wait(600)
    assert centre.callout(callout).status == "unmet"
    assert len(centre.alarms("callout_unmet")) == 1


def test_a_broadcast_asks_all_in_the_fence_and_the_first_yes_ends_it(centre: Centre) -> None:
    for name, grid in (("a", 0), ("b", 0), ("c", 1), ("far", 3)):
        centre.officer(name, grid)
    incident = centre.report()
    callout = centre.call_out(incident, "broadcast", fence=FenceRule("neighbours"), level_s=300)
    centre.work()
    assert sorted(centre.offered(incident)) == ["a", "b", "c"]
    centre.accept("b", incident)
    with pytest.raises(Conflict) as refused:
        centre.accept("c", incident)
    assert refused.value.code == "need_met"
    assert refused.value.params["taken"][0]["call_sign"] == "B"
    centre.work()
    assert centre.callout(callout).status == "met"
    assert sorted(centre.jobs(incident)) == [("a", "cancelled"), ("b", "accepted"), ("c", "cancelled")]
    assert centre.job_of("a", incident).end_reason == "need_met"
    with pytest.raises(Conflict, match="need_met"):
        centre.accept("a", incident)


def _status_of_accept(centre: Centre, name: str, incident: UUID) -> str:
    return centre.accept(name, incident).status


def test_two_who_accept_at_the_same_instant(centre: Centre) -> None:
    names = ["a", "b", "c", "d"]
    for name in names:
        centre.officer(name, 0)
    for _ in range(3):
        incident = centre.report()
        centre.call_out(incident, "broadcast", [Place("any", 2)], fence=FenceRule("grid"))
        centre.work()
        jobs = [name for name in names if name in centre.offered(incident)]
        results = at_once([partial(_status_of_accept, centre, name, incident) for name in jobs])
        assert results.count("accepted") == 2
        losers = [result for result in results if isinstance(result, Conflict)]
        assert {loser.code for loser in losers} == {"need_met"}
        assert all(len(loser.params["taken"]) == 2 for loser in losers)
        centre.work()
        for name, status in centre.jobs(incident):
            if status == "accepted":
                with transaction(centre.world.database, centre.operator, centre.clock) as tx:
                    steps.cancel(tx, centre.job_of(name, incident).id, reason="x")
        (callout,) = centre.callouts(incident)
        with transaction(centre.world.database, centre.operator, centre.clock) as tx:
            callouts.stop_callout(tx, callout.id, reason="试验结束")
        centre.work()


def test_who_leaves_the_job_gives_the_place_back(centre: Centre) -> None:
    for name, grid in (("near", 0), ("second", 1)):
        centre.officer(name, grid)
    incident = centre.report()
    callout = centre.call_out(incident)
    centre.work()
    centre.accept("near", incident)
    centre.work()
    assert centre.callout(callout).status == "met"
    with transaction(centre.world.database, centre.operator, centre.clock) as tx:
        steps.cancel(tx, centre.job_of("near", incident).id, reason="改派")
    centre.work()
    assert centre.callout(callout).status == "open"
    assert centre.offered(incident) == ["second"]


def test_named_people_all_say_no(centre: Centre) -> None:
    for name in ("a", "b", "other"):
        centre.officer(name, 0)
    incident = centre.report()
    callout = centre.call_out(incident, "named", [Place("any", 1)], units=["a", "b"])
    assert sorted(centre.offered(incident)) == ["a", "b"]
    centre.decline("a", incident)
    centre.work()
    assert centre.callout(callout).status == "open"
    centre.decline("b", incident)
    centre.work()
    assert centre.callout(callout).status == "unmet"
    assert centre.alarms("callout_unmet")[0].params["why"] == "all_answered"
    assert centre.offered(incident) == []


def test_more_are_needed_and_then_fewer(centre: Centre) -> None:
    for name in ("a", "b", "c"):
        centre.officer(name, 0)
    incident = centre.report()
    callout = centre.call_out(incident)
    centre.work()
    (first,) = centre.offered(incident)
    centre.accept(first, incident)
    with transaction(centre.world.database, centre.operator, centre.clock) as tx:
        callouts.change_need(tx, callout, need=(Place("any", 3),), reason="火势扩大")
    centre.work()
    assert len(centre.offered(incident)) == 2
    with transaction(centre.world.database, centre.operator, centre.clock) as tx:
        callouts.change_need(tx, callout, need=(Place("any", 1),), reason="已控制")
    centre.work()
    assert centre.offered(incident) == []
    assert centre.callout(callout).status == "met"


def test_closing_the_case_stops_the_asking(centre: Centre) -> None:
    incident = centre.report()
    callout = centre.call_out(incident)
    centre.work()
    assert centre.callout(callout).status == "open"
    assert centre.events(incident)[-1] == "callout_nobody"
