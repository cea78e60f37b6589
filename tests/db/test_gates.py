"""Who may be sent, who not and why; what a shift lead's reason opens, and what stays written of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, text

from gridmap.adapters.valhalla import Valhalla
from gridmap.clock import FixedClock
from gridmap.db.tables import Audit, IncidentEvent
from gridmap.domain.actor import Actor
from gridmap.domain.ids import new_id
from gridmap.errors import Conflict, Forbidden
from gridmap.services.assigning import list_all_candidates, recommend_jointly
from gridmap.services.dispatching import offers, steps
from gridmap.services.recommending import Candidates, list_candidates, recommend
from gridmap.services.reports import TakeReport, take_report
from gridmap.services.transaction import system_transaction, transaction
from gridmap.services.vault import Vault
from tests.world import World

VAULT = Vault(b"k" * 48)


@pytest.fixture
def no_engine() -> Iterator[Valhalla]:
    """Nobody listens there: what is tested here is who is asked, not the way."""
    router = Valhalla("http://127.0.0.1:9")
    yield router
    router.close()


def report(world: World, actor: Actor, class_key: str, *, county: int = 0, grid: int = 0) -> UUID:
    lon, lat = world.point_in(county, grid)
    command = TakeReport(channel="operator", class_key=class_key, text="x", lon=lon, lat=lat)
    with transaction(world.database, actor, world.clock) as tx:
        return take_report(tx, command, VAULT).incident_id


def candidates(world: World, actor: Actor, incident_id: UUID, *, divert: bool = False) -> Candidates:
    with transaction(world.database, actor, world.clock) as tx:
        return list_candidates(tx, incident_id, divert=divert)


def change(world: World, unit_id: UUID, **values: object) -> None:
    with system_transaction(world.database, world.clock) as tx:
        for column, value in values.items():
            tx.session.execute(
                text(f"update unit set {column} = :value where id = :id"), {"value": value, "id": unit_id}
            )


def offered(world: World, actor: Actor, incident_id: UUID, unit_id: UUID, why: str | None = None) -> UUID:
    with transaction(world.database, actor, world.clock) as tx:
        command = offers.Offer(incident_id=incident_id, unit_id=unit_id, expires_s=60, override_reason=why)
        return offers.offer(tx, command).id


def test_each_gate_bars_with_its_own_reason(world: World, clock: FixedClock) -> None:
    desk = world.account("olivia", "operator", None)
    fight = report(world, desk, "S2.01")
    _, fit = world.officer("fit", 0, capabilities=["police_powers"])
    change(world, fit, crew_size=2)
    world.officer("powerless", 0)
    _, alone = world.officer("alone", 0, capabilities=["police_powers"])
    world.officer("asleep", 0, on_duty=False, capabilities=["police_powers"])
    _, resting = world.officer("resting", 0, capabilities=["police_powers"])
    change(world, resting, status="break", crew_size=2)
    _, stale = world.officer("stale", 0, capabilities=["police_powers"])
    change(world, stale, crew_size=2)
    with system_transaction(world.database, clock) as tx:
        tx.session.execute(
            text("update unit_latest set fixed_at = :old where unit_id = :id"),
            {"old": clock.at - timedelta(minutes=16), "id": stale},
        )
    _, foreign = world.officer("foreign", 1, capabilities=["police_powers"])
    change(world, foreign, crew_size=2)
    found = candidates(world, desk, fight)
    assert [unit.unit_id for unit in found.units] == [fit]
    assert found.units[0].capabilities == ("police_powers",)
    assert found.excluded == {
        "lacks_powers": 1,
        "lone": 1,
        "off_duty": 1,
        "break": 1,
        "fix_too_old": 1,
        "other_jurisdiction": 1,
    }
    change(world, fit, crew_size=1)
    short = candidates(world, desk, fight).shortfalls
    assert {one.code for one in short} == {"holders_barred", "lacks_partner"}
    [partner] = [one for one in short if one.code == "lacks_partner"]
    assert partner.params == {"of": 5, "barred": 2}
    assert alone


def test_nobody_with_the_skill_is_said(world: World, no_engine: Valhalla) -> None:
    desk = world.account("olivia", "operator", 0)
    world.officer("paul", 0)
    found = recommend(candidates(world, desk, report(world, desk, "S1.01")), no_engine)
    assert found.picks == ()
    assert [(one.code, one.params) for one in found.shortfalls] == [("nobody_has", {"key": "firefighting"})]


def test_a_barred_unit_goes_only_with_a_shift_leads_reason(world: World, clock: FixedClock) -> None:
    desk, lead = world.account("olivia", "operator", 0), world.account("lea", "shift_lead", 0)
    _, unit_id = world.officer("paul", 0)
    fight = report(world, desk, "S2.01")
    with pytest.raises(Conflict, match="unit_barred") as refused:
        offered(world, desk, fight, unit_id)
    assert refused.value.params["gates"] == ["lacks_powers", "lone"]
    with pytest.raises(Forbidden, match=r"case\.override"):
        offered(world, desk, fight, unit_id, "他就在门口")
    with pytest.raises(Conflict, match="unit_barred"):
        offered(world, lead, fight, unit_id, "  ")
    offered(world, lead, fight, unit_id, "他就在门口")
    with system_transaction(world.database, clock) as tx:
        [event] = tx.session.scalars(select(IncidentEvent).where(IncidentEvent.kind == "gates_overridden"))
        assert (event.incident_id, event.params["reason"]) == (fight, "他就在门口")
        [entry] = tx.session.scalars(select(Audit).where(Audit.verb == "gates.override"))
        assert entry.params["gates"] == ["lacks_powers", "lone"]


def test_a_severe_case_may_call_somebody_away_and_says_from_what(
    world: World, clock: FixedClock, no_engine: Valhalla
) -> None:
    desk = world.account("olivia", "operator", 0)
    officer, unit_id = world.officer("paul", 0)
    noise = report(world, desk, "S5.02")
    dispatch_id = offered(world, desk, noise, unit_id)
    with transaction(world.database, officer, clock) as tx:
        offers.accept(tx, dispatch_id)
        steps.depart(tx, dispatch_id)
    severe = report(world, desk, "S1.04", grid=1)
    assert candidates(world, desk, severe).excluded == {"busy": 1}
    found = candidates(world, desk, severe, divert=True)
    [reason] = [one for one in recommend(found, no_engine).picks[0].reasons if one["code"] == "divert"]
    assert reason["params"]["dispatch_id"] == str(dispatch_id)
    assert reason["params"]["rule"] == "urgent_first"
    assert reason["params"]["left_severity"] == 3
    assert reason["params"]["grades"] == 1
    assert reason["params"]["remaining_s"] is None, "nobody knows yet when it arrives"
    with system_transaction(world.database, clock) as tx:
        tx.session.execute(text("update dispatch set eta_at = :at"), {"at": tx.now + timedelta(seconds=119)})
    assert candidates(world, desk, severe, divert=True).units == (), "who is nearly there goes on"
    with system_transaction(world.database, clock) as tx:
        tx.session.execute(text("update dispatch set eta_at = :at"), {"at": tx.now + timedelta(seconds=300)})
    [unit] = candidates(world, desk, severe, divert=True).units
    assert unit.leaves is not None
    assert unit.leaves.by.remaining_s == 300
    lesser = report(world, desk, "S5.03", grid=1)
    assert candidates(world, desk, lesser, divert=True).units == (), "not for something lesser"
    with transaction(world.database, officer, clock) as tx:
        steps.arrive(tx, dispatch_id)
    assert candidates(world, desk, severe, divert=True).units == (), "who is on scene stays"


def test_rest_is_asked_for_where_nothing_burns(world: World, clock: FixedClock) -> None:
    desk = world.account("olivia", "operator", 0)
    officer, unit_id = world.officer("paul", 0)
    dispatch_id = offered(world, desk, report(world, desk, "S5.02"), unit_id)
    with transaction(world.database, officer, clock) as tx:
        offers.accept(tx, dispatch_id)
        steps.arrive(tx, dispatch_id)
        steps.report_done(tx, dispatch_id, code="solved", note="", photo_ids=[])
    low, urgent = report(world, desk, "S5.03"), report(world, desk, "S1.04")
    clock.at += timedelta(seconds=299)
    assert candidates(world, desk, low).excluded == {"resting": 1}
    assert len(candidates(world, desk, urgent).units) == 1
    clock.at += timedelta(seconds=1)
    assert len(candidates(world, desk, low).units) == 1


def test_the_own_grids_worker_first_where_the_plan_says_so(world: World, no_engine: Valhalla) -> None:
    desk = world.account("olivia", "operator", 0)
    lon, lat = world.point_in(0, 0)
    world.officer("nearer", 0, grid=1, at=(lon + 0.0001, lat))
    world.officer("own", 0, grid=0, at=(lon + 0.003, lat))
    found = candidates(world, desk, report(world, desk, "S5.02"))
    plain = [pick.unit.call_sign for pick in recommend(found, no_engine).picks]
    first = recommend(found, no_engine, own_grid_first=True).picks
    assert plain == ["NEARER", "OWN"]
    assert [pick.unit.call_sign for pick in first] == ["OWN", "NEARER"]
    assert "own_grid_first" in {reason["code"] for reason in first[0].reasons}


def test_two_incidents_are_solved_together(world: World, clock: FixedClock, no_engine: Valhalla) -> None:
    desk = world.account("olivia", "operator", 0)
    lon, lat = world.point_in(0, 1)
    west, east = report(world, desk, "S5.02", grid=1), report(world, desk, "S5.02", grid=2)
    _, between = world.officer("between", 0, at=(lon + 0.001, lat))
    _, outside = world.officer("outside", 0, at=(lon - 0.002, lat))
    with transaction(world.database, desk, clock) as tx:
        all_of_them = list_all_candidates(tx, [west, east])
    joint = recommend_jointly(all_of_them, no_engine)
    sent = {one.incident_id: one.pick.unit.unit_id for one in joint.going if one.pick}
    assert sent == {west: outside, east: between}
    assert joint.gain_s > 0
    assert joint.seconds < joint.one_by_one_seconds
    third = report(world, desk, "S5.02", grid=3)
    with transaction(world.database, desk, clock) as tx:
        joint = recommend_jointly(list_all_candidates(tx, [west, east, third]), no_engine)
    assert [one.why for one in joint.going if one.pick is None] == ["all_taken"]


def test_an_unknown_incident_is_not_found(world: World, clock: FixedClock) -> None:
    desk = world.account("olivia", "operator", 0)
    with pytest.raises(Exception, match="incident_not_found"):
        candidates(world, desk, new_id())
