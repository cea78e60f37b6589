"""Fence events from stored positions: the same whatever the order in which they came, and over any crash."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import mapbox_vector_tile
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from shapely.geometry import Point, box, mapping
from sqlalchemy import text

from gridmap.clock import FixedClock
from gridmap.db.engine import Database
from gridmap.db.tables import Dispatch, Incident, Unit
from gridmap.domain.actor import Actor
from gridmap.domain.ids import new_id
from gridmap.domain.metric import LocalMetric
from gridmap.domain.vocab import vocabulary
from gridmap.errors import Conflict, Forbidden, GridmapError, Invalid, NotFound, TooLarge
from gridmap.positions.fence_engine import FenceBook, FenceEvent, Sample, UnitState
from gridmap.services import fences
from gridmap.services.fence_book import FenceShelf, load_book
from gridmap.services.fence_events import Followed, drop_old, follow
from gridmap.services.reports import TakeReport, take_report
from gridmap.services.transaction import Tx, system_transaction, transaction
from gridmap.services.vault import Vault
from gridmap.settings import Settings
from layers.registry import get_layer
from layers.tiles import tile
from tests.conftest import TEST_NOW, ClonedDatabase
from tests.world import SOUTH, WEST, World, make_world

METRIC = LocalMetric(4547)
LON, LAT = WEST + 0.015, SOUTH + 0.005  # in the middle of the second grid of county 0
START = TEST_NOW - timedelta(hours=2)

# East and north of the middle (m), accuracy (m), seconds since the fix before.
Step = tuple[float, float, float, int]


class BreakError(Exception):
    """A process dies before the commit."""


@dataclass
class Town:
    """A world with three zones around one place, and an operator and a planner."""

    world: World
    operator: Actor
    planner: Actor
    fence_ids: list[UUID] = field(default_factory=list)

    @property
    def database(self) -> Database:
        return self.world.database

    def book(self) -> FenceBook:
        with system_transaction(self.database, self.world.clock) as tx:
            return load_book(tx, METRIC)

    def unit(self, kind: str = "patrol") -> UUID:
        unit_id = new_id()
        with system_transaction(self.database, self.world.clock) as tx:
            path = self.world.county_paths[0]
            tx.session.add(
                Unit(id=unit_id, call_sign="U", kind=kind, mode="foot", scope_path=path, status="free")
            )
        return unit_id

    def feed(
        self, book: FenceBook, unit_id: UUID, fixes: Sequence[Fix], *, late: bool, breaks: bool = False
    ) -> Followed:
        """Store positions and follow them in one transaction, as the positions process does."""
        with system_transaction(self.database, self.world.clock) as tx:
            store(tx, unit_id, fixes)
            found = follow(
                tx,
                book,
                {unit_id: [fix.sample(unit_id) for fix in fixes]},
                {unit_id: min(fix.at for fix in fixes)} if late else {},
            )
            if breaks:
                raise BreakError
        return found

    def standing(self, unit_id: UUID) -> list[FenceEvent]:
        with system_transaction(self.database, self.world.clock) as tx:
            rows = tx.session.execute(
                text("select * from fence_event where unit_id = :unit and superseded_at is null"),
                {"unit": unit_id},
            )
            return ordered(
                FenceEvent(unit_id, row.fence_id, row.kind, row.at, row.visit_id, row.sample_at, row.reason)
                for row in rows
            )


@dataclass(frozen=True)
class Fix:
    lon: float
    lat: float
    at: datetime
    accuracy_m: float

    def sample(self, unit_id: UUID) -> Sample:
        x_m, y_m = METRIC.forward(self.lon, self.lat)
        return Sample(unit_id, float(x_m), float(y_m), self.at, self.accuracy_m)


def ordered(events: Iterator[FenceEvent] | Sequence[FenceEvent]) -> list[FenceEvent]:
    return sorted(events, key=lambda one: (one.sample_at, one.at, one.fence_id, one.kind))


def store(tx: Tx, unit_id: UUID, fixes: Sequence[Fix]) -> None:
    for day in {fix.at.date() for fix in fixes}:
        tx.session.execute(text("select make_fix_partition(:day)"), {"day": day})
    tx.session.execute(
        text(
            "insert into fix (unit_id, device_id, fixed_at, received_at, geom, accuracy_m) values"
            " (:unit, :unit, :at, :now, st_setsrid(st_makepoint(:lon, :lat), 4326), :accuracy)"
        ),
        [
            {
                "unit": unit_id,
                "at": fix.at,
                "now": tx.now,
                "lon": fix.lon,
                "lat": fix.lat,
                "accuracy": fix.accuracy_m,
            }
            for fix in fixes
        ],
    )


def track(steps: Sequence[Step], start: datetime = START) -> list[Fix]:
    east, north = METRIC.forward(LON, LAT)
    fixes, at = [], start
    for dx, dy, accuracy_m, gap_s in steps:
        at += timedelta(seconds=gap_s)
        lon, lat = METRIC.inverse(float(east) + dx, float(north) + dy)
        fixes.append(Fix(float(lon), float(lat), at, accuracy_m))
    return fixes


def straight(begin_m: float, end_m: float, every_s: int = 5) -> list[Step]:
    count = int(abs(end_m - begin_m) / 7) + 1
    way = 7 if end_m > begin_m else -7
    return [(begin_m + way * number, 0.0, 5.0, every_s) for number in range(count)]


def circle(radius_m: float) -> dict[str, object]:
    return {"geometry": mapping(Point(LON, LAT)), "crs": "WGS84", "radius_m": radius_m}


@pytest.fixture(scope="module")
def town(settings: Settings) -> Iterator[Town]:
    clock = FixedClock(START - timedelta(minutes=1))
    with ClonedDatabase(settings, "gridmap") as database:
        world = make_world(database, clock)
        made = Town(
            world, world.account("operator.0", "operator", 0), world.account("planner.0", "planner", 0)
        )
        with transaction(database, made.operator, clock) as tx:
            for command in (
                fences.NewFence(name="round", kind="buffer", source=circle(100), dwell_s=60),
                fences.NewFence(
                    name="loose", kind="buffer", source=circle(40), exit_s=60, buffer_m=40, dwell_s=20
                ),
                fences.NewFence(
                    name="hours", kind="buffer", source=circle(70), calendar={"hours": [["10:05", "10:20"]]}
                ),
            ):
                made.fence_ids.append(fences.create_fence(tx, command, METRIC).id)
        clock.at = TEST_NOW
        yield made


def test_a_walk_through_in_two_batches_is_one_visit(town: Town) -> None:
    unit_id, book = town.unit(), town.book()
    walk = track(straight(-200, 200))
    cut = len(walk) // 2
    town.feed(book, unit_id, walk[:cut], late=False)
    followed = town.feed(book, unit_id, walk[cut:], late=False)
    told = [event for event in town.standing(unit_id) if event.fence_id == town.fence_ids[0]]
    assert [event.kind for event in told] == ["enter", "dwell", "exit"]
    assert len({event.visit_id for event in told}) == 1
    assert followed.areas == {unit_id: town.world.grid_ids[0][1]}


def test_only_what_is_young_is_handed_on(town: Town) -> None:
    unit_id, book = town.unit(), town.book()
    assert town.feed(book, unit_id, track([(0.0, 0.0, 5.0, 1)]), late=False).events == []
    assert town.standing(unit_id) != []
    other = town.unit()
    (event, *_) = town.feed(
        book, other, track([(0.0, 0.0, 5.0, 1)], TEST_NOW - timedelta(seconds=5)), late=False
    ).events
    assert (event.unit_id, event.kind) == (other, "inside")


def test_a_batch_that_dies_before_its_commit_leaves_nothing_and_is_done_again(town: Town) -> None:
    unit_id, book = town.unit(), town.book()
    walk = track(straight(-200, 200))
    for start in range(0, len(walk), 9):
        batch = walk[start : start + 9]
        with pytest.raises(BreakError):
            town.feed(book, unit_id, batch, late=False, breaks=True)
        town.feed(book, unit_id, batch, late=False)
    assert town.standing(unit_id) == ordered(book.advance({}, [fix.sample(unit_id) for fix in walk]))


def test_a_late_way_out_corrects_the_visit_and_keeps_what_was_told(town: Town) -> None:
    """Ten minutes without a network: the unit left and came back, which is known afterwards only."""
    unit_id, book = town.unit(), town.book()
    before, away, after = straight(-200, 0), [*straight(0, 250), *straight(250, 0)], [(0.0, 0.0, 5.0, 5)] * 10
    whole = track([*before, *away, *after])
    missing = whole[len(before) : len(before) + len(away)]
    town.feed(book, unit_id, whole[: len(before)], late=False)
    town.feed(book, unit_id, whole[len(before) + len(away) :], late=False)
    first = [event.kind for event in town.standing(unit_id) if event.fence_id == town.fence_ids[0]]
    assert first == ["enter", "dwell"]
    town.feed(book, unit_id, missing, late=True)
    told = [event for event in town.standing(unit_id) if event.fence_id == town.fence_ids[0]]
    assert [event.kind for event in told] == ["enter", "exit", "enter"] or [event.kind for event in told] == [
        "enter",
        "dwell",
        "exit",
        "enter",
        "dwell",
    ]
    with system_transaction(town.database, town.world.clock) as tx:
        kept = tx.session.scalar(text("select count(*) from fence_event where unit_id = :u"), {"u": unit_id})
    assert kept is not None
    assert kept >= len(town.standing(unit_id))
    assert town.standing(unit_id) == ordered(book.advance({}, [fix.sample(unit_id) for fix in whole]))


steps = st.tuples(
    st.floats(-180, 180),
    st.floats(-60, 60),
    st.sampled_from([5.0, 15.0, 60.0]),
    st.sampled_from([1, 5, 30, 150]),
)


def test_any_order_and_delay_gives_the_events_of_the_track_in_order(town: Town) -> None:
    book = town.book()

    @hypothesis_settings(
        max_examples=15, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
    )
    @given(st.lists(steps, min_size=6, max_size=60), st.data())
    def check(wander: list[Step], data: st.DataObject) -> None:
        unit_id = town.unit()
        walk = track(wander)
        came = data.draw(st.permutations(walk)) if data.draw(st.booleans()) else delayed(walk, data)
        newest = START
        for start in range(0, len(came), 7):
            batch = came[start : start + 7]
            first = min(fix.at for fix in batch)
            town.feed(book, unit_id, batch, late=first <= newest and newest > START)
            newest = max(newest, *(fix.at for fix in batch))
        in_order = book.advance({unit_id: UnitState(kind="patrol")}, [fix.sample(unit_id) for fix in walk])
        assert town.standing(unit_id) == ordered(in_order)

    check()


def delayed(walk: list[Fix], data: st.DataObject) -> list[Fix]:
    """One stretch arrives after everything else, newest first."""
    begin = data.draw(st.integers(0, len(walk) - 1))
    end = data.draw(st.integers(begin, len(walk)))
    return walk[:begin] + walk[end:] + walk[begin:end][::-1]


def test_the_shelf_sees_a_new_fence_and_an_end(town: Town) -> None:
    seconds = [0.0]
    shelf = FenceShelf(METRIC, seconds=lambda: seconds[0])

    def known() -> FenceBook:
        with system_transaction(town.database, town.world.clock) as tx:
            return shelf.current(tx)

    first = known()
    assert len(first.cells) == 8
    with transaction(town.database, town.operator, town.world.clock) as tx:
        made = fences.create_fence(
            tx,
            fences.NewFence(name="new", kind="grid", source={"area_ids": [town.world.grid_ids[0][3]]}),
            METRIC,
        )
    assert known() is first  # asked within the same second
    seconds[0] += 1.0
    second = known()
    assert second.find_fence(made.id) is not None
    assert second.cells is first.cells
    with transaction(town.database, town.operator, town.world.clock) as tx:
        fences.change_fence(tx, made.id, {"dwell_s": 5.0}, 1, METRIC)
    seconds[0] += 1.0
    found = known().find_fence(made.id)
    assert found is not None
    assert (found.version, found.dwell_s) == (2, 5.0)
    with transaction(town.database, town.operator, town.world.clock) as tx:
        fences.archive_fence(tx, made.id)
    seconds[0] += 1.0
    assert known().find_fence(made.id) is None
    seconds[0] += 1.0
    assert known() is known()


def test_a_change_ends_what_was_told_and_late_fixes_leave_it(town: Town) -> None:
    unit_id = town.unit()
    with transaction(town.database, town.operator, FixedClock(START)) as tx:
        fence = fences.create_fence(tx, fences.NewFence(name="c", kind="buffer", source=circle(90)), METRIC)
    walk = track([(0.0, 0.0, 5.0, 10)] * 60)
    town.feed(town.book(), unit_id, walk[:20], late=False)
    with transaction(town.database, town.operator, FixedClock(START + timedelta(seconds=305))) as tx:
        fences.change_fence(tx, fence.id, {"source": circle(95)}, 1, METRIC)
    town.feed(town.book(), unit_id, walk[30:], late=False)

    def told() -> list[tuple[str, str, datetime]]:
        events = [event for event in town.standing(unit_id) if event.fence_id == fence.id]
        return [(event.kind, event.reason, event.at) for event in events]

    first = told()
    assert [(kind, reason) for kind, reason, _ in first] == [
        ("inside", "deep"),
        ("exit", "changed"),
        ("inside", "deep"),
    ]
    town.feed(town.book(), unit_id, walk[20:30], late=True)
    assert told() == first


def refused(town: Town, error: type[GridmapError], code: str, **command: object) -> GridmapError:
    with (
        transaction(town.database, town.operator, town.world.clock) as tx,
        pytest.raises(error) as caught,
    ):
        fences.create_fence(tx, fences.NewFence(name="x", **command), METRIC)  # type: ignore[arg-type]
    assert caught.value.code == code
    return caught.value


def drawn(shape: object, **more: object) -> dict[str, object]:
    return {"geometry": mapping(shape), "crs": "WGS84", **more}


def test_what_cannot_be_a_fence_is_refused_with_the_place(town: Town) -> None:
    bow = {"type": "Polygon", "coordinates": [[[WEST, SOUTH], [WEST + 1e-3, SOUTH + 1e-3], [WEST + 1e-3, SOUTH],
                                               [WEST, SOUTH + 1e-3], [WEST, SOUTH]]]}  # fmt: skip
    fault = refused(town, Invalid, "fence_geometry", kind="polygon", source={"geometry": bow, "crs": "WGS84"})
    assert fault.params["reason"] == "crosses_itself"
    assert fault.params["lon"] == pytest.approx(WEST + 5e-4, abs=1e-6)
    square = box(WEST + 0.001, SOUTH + 0.001, WEST + 0.002, SOUTH + 0.002)
    refused(town, Invalid, "crs_unknown", kind="polygon", source={"geometry": mapping(square), "crs": "moon"})
    refused(town, Invalid, "fence_source", kind="polygon", source={"geometry": mapping(square)})
    refused(town, Invalid, "fence_geometry", kind="corridor", source=drawn(square, half_width_m=5))
    refused(town, Invalid, "fence_radius", kind="buffer", source=drawn(Point(LON, LAT), radius_m=-1))
    refused(town, Invalid, "fence_kind_unknown", kind="cloud", source={})
    refused(town, NotFound, "area_not_found", kind="grid", source={"area_ids": [999999]})
    refused(
        town,
        Invalid,
        "fence_calendar",
        kind="polygon",
        source=drawn(square),
        calendar={"hours": [["25:00", "x"]]},
    )
    far = {"type": "Polygon", "coordinates": [[[WEST, SOUTH]] * 20_001]}
    refused(town, TooLarge, "fence_too_detailed", kind="polygon", source={"geometry": far, "crs": "WGS84"})
    other = box(WEST + 0.051, SOUTH + 0.001, WEST + 0.052, SOUTH + 0.002)
    refused(town, Forbidden, "out_of_write_scope", kind="polygon", source=drawn(other))


def test_a_grid_on_the_border_is_its_own_countys(town: Town) -> None:
    """A border that is only shared with the next county does not make the fence reach into it."""
    with transaction(town.database, town.operator, town.world.clock) as tx:
        made = fences.create_fence(
            tx,
            fences.NewFence(name="edge", kind="grid", source={"area_ids": [town.world.grid_ids[0][3]]}),
            METRIC,
        )
        assert made.scope_path.startswith(town.world.county_paths[0])
        fences.archive_fence(tx, made.id)


def test_events_tell_of_units_so_looking_is_recorded_and_a_planner_may_not(town: Town) -> None:
    unit_id = town.unit()
    town.feed(town.book(), unit_id, track([(0.0, 0.0, 5.0, 1)] * 2), late=False)
    fence_id = town.fence_ids[0]
    with transaction(town.database, town.operator, town.world.clock) as tx:
        told = fences.list_events(tx, fence_id, reason="N-1")
        assert unit_id in {line.unit_id for line in told}
    with transaction(town.database, town.planner, town.world.clock) as tx:
        with pytest.raises(Forbidden):
            fences.list_events(tx, fence_id, reason="curious")
        assert tx.session.scalar(text("select count(*) from fence_event")) == 0
        assert fence_id in {line.id for line in fences.list_fences(tx)}
    stranger = town.world.account(f"operator.{new_id().hex[:6]}", "operator", 1)
    with transaction(town.database, stranger, town.world.clock) as tx:
        assert fences.list_fences(tx) == []
        with pytest.raises(NotFound):
            fences.get_fence(tx, fence_id)
    with system_transaction(town.database, town.world.clock) as tx:
        reasons = tx.session.scalars(
            text("select reason from audit where verb = 'fence.events_viewed'")
        ).all()
    assert reasons == ["N-1"]


def test_a_change_seen_in_an_old_version_is_refused(town: Town) -> None:
    with transaction(town.database, town.operator, town.world.clock) as tx:
        made = fences.create_fence(tx, fences.NewFence(name="v", kind="buffer", source=circle(20)), METRIC)
        fences.change_fence(tx, made.id, {"name": "w"}, 1, METRIC)
        assert made.version == 1  # a name changes nothing that the engine judges by
        fences.change_fence(tx, made.id, {"dwell_s": 3.0}, 1, METRIC)
        with pytest.raises(Conflict, match="version_conflict"):
            fences.change_fence(tx, made.id, {"dwell_s": 4.0}, 1, METRIC)
        fences.archive_fence(tx, made.id, "not needed")
        with pytest.raises(Conflict, match="fence_over"):
            fences.archive_fence(tx, made.id)


def report(tx: Tx, class_key: str) -> UUID:
    taken = take_report(
        tx, TakeReport(channel="operator", class_key=class_key, text="x", lon=LON, lat=LAT), Vault(b"k" * 48)
    )
    return taken.incident_id


def test_events_age_as_positions_do_but_for_the_way_to_an_incident(town: Town) -> None:
    unit_id, other = town.unit(), town.unit()
    with transaction(town.database, town.operator, FixedClock(START - timedelta(minutes=1))) as tx:
        incident = tx.session.get_one(Incident, report(tx, "S1.01"))
        fence_id = fences.open_callout_fence(
            tx, incident, Point(LON, LAT).buffer(1e-3), name=incident.number, expires_at=None
        )
        tx.session.add(
            Dispatch(
                id=new_id(),
                incident_id=incident.id,
                unit_id=unit_id,
                status="accepted",
                offered_at=tx.now,
                accepted_at=tx.now,
                expires_at=tx.now,
                offer={},
            )
        )
    for one in (unit_id, other):
        town.feed(town.book(), one, track([(0.0, 0.0, 5.0, 10)] * 60), late=False)
    with system_transaction(town.database, FixedClock(TEST_NOW + timedelta(days=8))) as tx:
        drop_old(tx, timedelta(days=7))
        kept = tx.session.execute(text("select distinct unit_id, fence_id from fence_event")).all()
        assert [tuple(row) for row in kept] == [(unit_id, fence_id)]
        assert tx.session.scalar(text("select count(*) from fence_state")) == 0
        assert tx.session.scalar(text("select count(*) from fence_checkpoint")) == 0
    with transaction(town.database, town.operator, town.world.clock) as tx:
        fences.end_fence(tx, fence_id)
        assert fence_id not in {line.id for line in fences.list_fences(tx)}


def test_a_checkpoint_from_before_the_oldest_fix_that_may_come_stays(town: Town) -> None:
    unit_id = town.unit()
    town.feed(town.book(), unit_id, track([(0.0, 0.0, 5.0, 10)] * 5), late=False)
    town.feed(town.book(), unit_id, track([(0.0, 0.0, 5.0, 10)] * 5, START + timedelta(hours=1)), late=False)
    with system_transaction(town.database, FixedClock(TEST_NOW + timedelta(days=2))) as tx:
        drop_old(tx, timedelta(days=7))
        kept = tx.session.scalars(
            text("select at from fence_checkpoint where unit_id = :u"), {"u": unit_id}
        ).all()
        assert kept == [START + timedelta(hours=1, seconds=50)]


def test_the_ground_of_a_restricted_case_is_in_no_tile_and_hidden_from_who_may_not_read_it(
    town: Town,
) -> None:
    lead = town.world.account("lead.0", "shift_lead", 0)
    restricted = next(one.key for one in vocabulary().classes.values() if one.restricted and one.parent)
    with transaction(town.database, lead, town.world.clock) as tx:
        made = {}
        for class_key in (restricted, "S1.01"):
            incident = tx.session.get_one(Incident, report(tx, class_key))
            ground = Point(LON, LAT).buffer(1e-3)
            made[class_key] = fences.open_callout_fence(tx, incident, ground, name="n", expires_at=None)
    for actor, sees in ((lead, True), (town.operator, False)):
        with transaction(town.database, actor, town.world.clock) as tx:
            shown = {line.id for line in fences.list_fences(tx)}
            assert (made[restricted] in shown) is sees
            assert made["S1.01"] in shown
            column = int((LON + 180) / 360 * 2**9)
            drawn = [
                tile(tx.session, get_layer("fences"), actor, 9, column, row).data for row in range(212, 216)
            ]
            ids = {
                feature["properties"]["id"]
                for one in drawn
                if one
                for feature in mapbox_vector_tile.decode(one)["fences"]["features"]
            }
            assert str(made["S1.01"]) in ids
            assert str(made[restricted]) not in ids
