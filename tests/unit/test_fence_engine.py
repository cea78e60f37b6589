"""The fence engine: what is told of a track, and that neither batches nor storing the state between them changes it."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import LineString, MultiPolygon, Point, Polygon, box

from gridmap.bench.fence_trials import run_trials
from gridmap.bench.late_fences import late_equal
from gridmap.domain.workdays import Workdays
from gridmap.positions import fence_engine
from gridmap.positions.fence_calendar import read_calendar
from gridmap.positions.fence_engine import Fence, FenceBook, FenceEvent, Sample, UnitState

UNIT = UUID(int=1)
ZONE = UUID(int=7)
T0 = datetime(2026, 6, 1, 0, 0, tzinfo=UTC)
SQUARE = box(0, 0, 200, 200)

Fixes = Sequence[tuple[float, float, float]]


def samples(fixes: Fixes, *, every_s: float = 5.0, accuracy_m: float = 5.0) -> list[Sample]:
    """(x, y) or (x, y, accuracy) five seconds apart."""
    return [
        Sample(UNIT, fix[0], fix[1], T0 + timedelta(seconds=number * every_s), (*fix, accuracy_m)[2])
        for number, fix in enumerate(fixes)
    ]


def told(book: FenceBook, track: Sequence[Sample], kind: str = "patrol") -> list[FenceEvent]:
    return book.advance({UNIT: UnitState(kind=kind)}, track)


def kinds(events: Sequence[FenceEvent]) -> list[str]:
    return [event.kind for event in events]


def book_of(shape: Polygon | MultiPolygon = SQUARE, **more: object) -> FenceBook:
    return FenceBook.build([Fence(ZONE, "drawn", shape, **more)])  # type: ignore[arg-type]


def walk(start: float, stop: float, step: float = 7.0, y: float = 100.0) -> list[tuple[float, float]]:
    count = int(abs(stop - start) / step) + 1
    return [(start + math.copysign(step, stop - start) * number, y) for number in range(count)]


def test_a_walk_through_is_one_visit_with_one_id() -> None:
    events = told(book_of(dwell_s=60), samples(walk(-100, 300)))
    assert kinds(events) == ["enter", "dwell", "exit"]
    assert len({event.visit_id for event in events}) == 1
    enter, dwell, leave = events
    first_inside = 15  # -100 + 15 * 7 = 5 m
    assert enter.at == T0 + timedelta(seconds=5 * first_inside)
    assert dwell.at == enter.at + timedelta(seconds=60)
    # 2 x 5 m deep at 1.4 m/s and two fixes: the stated bound.
    assert enter.sample_at - enter.at <= timedelta(seconds=10 / 1.4 + 10)
    assert leave.sample_at - leave.at <= timedelta(seconds=10 / 1.4 + 10)


def test_a_wild_fix_neither_enters_nor_crosses() -> None:
    outside = [(-60.0, 100.0)] * 10
    assert told(book_of(), samples([*outside, (100.0, 100.0), *outside])) == []


def test_a_vague_fix_does_not_throw_a_unit_out() -> None:
    inside = [(20.0, 100.0, 8.0)] * 10
    events = told(book_of(), samples([*inside, (-40.0, 100.0, 60.0), *inside, (-40.0, 100.0, 60.0), *inside]))
    assert kinds(events) == ["inside"]


def test_the_first_fix_inside_is_told_as_inside() -> None:
    (event,) = told(book_of(), samples([(100.0, 100.0)]))
    assert (event.kind, event.at, event.sample_at) == ("inside", T0, T0)


def test_a_hole_is_outside_and_every_part_counts() -> None:
    ring = SQUARE.difference(box(50, 50, 150, 150))
    assert told(book_of(ring), samples([(100.0, 100.0)] * 5)) == []
    two = MultiPolygon([SQUARE, box(1000, 0, 1200, 200)])
    assert kinds(told(book_of(two), samples([(1100.0, 100.0)] * 2))) == ["inside"]


def test_between_two_fixes_right_through_is_a_cross() -> None:
    fence = LineString([(0, -500), (0, 500)]).buffer(20, cap_style="flat")
    (event,) = told(book_of(fence), samples([(-300.0, 3.0), (-150.0, 0.0), (150.0, 0.0), (300.0, 2.0)]))
    assert event.kind == "cross"
    assert T0 + timedelta(seconds=5) < event.at < T0 + timedelta(seconds=10)


def test_past_a_corner_is_no_cross() -> None:
    assert told(book_of(), samples([(-30.0, 32.0), (33.0, -28.0)])) == []


def test_one_fix_inside_on_the_way_through_is_a_cross_and_back_again_is_not() -> None:
    through = samples([(-150.0, 100.0), (-60.0, 100.0), (100.0, 100.0), (260.0, 100.0), (400.0, 100.0)])
    assert kinds(told(book_of(), through)) == ["cross"]


def test_leaving_is_measured_from_the_buffer() -> None:
    fixes = [*walk(100, 240), *[(240.0, 100.0)] * 200, *walk(240, 320)]
    events = told(book_of(buffer_m=50), samples(fixes))
    assert kinds(events) == ["inside", "exit"]
    assert events[1].at > T0 + timedelta(seconds=5 * 220)


def test_who_lingers_outside_has_left_after_exit_s() -> None:
    fixes = [(100.0, 100.0)] * 5 + [(202.0, 100.0)] * 80
    events = told(book_of(exit_s=120), samples(fixes))
    assert kinds(events) == ["inside", "exit"]
    assert events[1].reason in ("held", "steady")
    assert events[1].at == T0 + timedelta(seconds=25)


def test_only_the_named_kinds_of_units_count() -> None:
    book = book_of(unit_kinds=frozenset({"police"}))
    track = samples(walk(-100, 300))
    assert told(book, track) == []
    assert kinds(told(book, track, kind="police")) == ["enter", "exit"]


def test_a_schedule_tells_who_is_inside_when_it_begins_and_ends_their_visit() -> None:
    zone = ZoneInfo("Asia/Shanghai")
    nine_to_ten = read_calendar({"hours": [["09:00", "10:00"]]}, zone, Workdays())
    track = samples([(100.0, 100.0)] * 130, every_s=60)  # from 08:00 in Shanghai
    events = told(book_of(active=nine_to_ten, dwell_s=600), track)
    assert kinds(events) == ["inside", "dwell", "exit"]
    assert [(event.at - T0) / timedelta(minutes=1) for event in events] == [60, 70, 120]


def test_a_fence_that_is_new_tells_who_is_inside() -> None:
    since = T0 + timedelta(seconds=52)
    events = told(book_of(since=since), samples([(100.0, 100.0)] * 20))
    assert [(event.kind, event.at) for event in events] == [("inside", T0 + timedelta(seconds=55))]


def test_an_end_of_life_ends_the_visit() -> None:
    until = T0 + timedelta(seconds=52)
    events = told(book_of(until=until), samples([(100.0, 100.0)] * 20))
    assert [(event.kind, event.at) for event in events] == [("inside", T0), ("exit", until)]


def test_a_changed_fence_begins_anew() -> None:
    states = {UNIT: UnitState()}
    track = samples([(100.0, 100.0)] * 20)
    before = book_of()
    since = track[10].at
    after = book_of(box(50, 50, 300, 300), version=2, since=since)
    events = before.advance(states, track[:10]) + after.advance(states, track[10:])
    assert [(event.kind, event.reason) for event in events] == [
        ("inside", "deep"),
        ("exit", "changed"),
        ("inside", "deep"),
    ]


def test_after_a_long_silence_nothing_is_taken_for_granted() -> None:
    first, *_ = samples([(100.0, 100.0)])
    later = Sample(UNIT, 100.0, 100.0, T0 + timedelta(hours=9), 5.0)
    events = told(book_of(), [first, later])
    assert [(event.kind, event.at) for event in events] == [
        ("inside", T0),
        ("exit", T0),
        ("inside", later.at),
    ]


def test_the_grid_follows_without_flapping() -> None:
    cells = [
        Fence(
            UUID(int=100 + number), "grid", box(number * 300, 0, number * 300 + 300, 300), area_id=number + 1
        )
        for number in range(3)
    ]
    book = FenceBook.build(cells)
    states = {UNIT: UnitState()}
    seen = []
    for sample in samples(
        [(290.0, 150.0, 20.0), (310.0, 150.0, 20.0), (280.0, 150.0, 20.0), *walk(300, 700)]
    ):
        assert book.advance(states, [sample]) == []
        seen.append(states[UNIT].area_id)
    assert seen[:3] == [1, 1, 1]
    assert sorted(set(seen)) == [1, 2, 3]
    assert seen == sorted(seen)


steps = st.tuples(
    st.floats(-40, 40),
    st.floats(-40, 40),
    st.sampled_from([4.0, 12.0, 50.0]),
    st.sampled_from([1, 5, 25, 200]),
)


@st.composite
def tracks(draw: st.DrawFn) -> list[Sample]:
    """A wandering unit, its fixes with changing accuracy at uneven intervals."""
    x, y, at = draw(st.floats(-150, 350)), draw(st.floats(-150, 350)), T0
    track = []
    for dx, dy, accuracy_m, gap_s in draw(st.lists(steps, min_size=2, max_size=60)):
        x, y, at = x + dx, y + dy, at + timedelta(seconds=gap_s)
        track.append(Sample(UNIT, x, y, at, accuracy_m))
    return track


CALENDAR = read_calendar(
    {"hours": [["08:02", "08:09"], ["08:15", "09:00"]]}, ZoneInfo("Asia/Shanghai"), Workdays()
)
MANY = FenceBook.build(
    [
        Fence(ZONE, "drawn", SQUARE, dwell_s=60),
        Fence(UUID(int=8), "buffer", Point(250, 100).buffer(60), dwell_s=30, exit_s=40, buffer_m=30),
        Fence(UUID(int=9), "corridor", LineString([(-50, 150), (300, 180)]).buffer(15), active=CALENDAR),
        Fence(
            UUID(int=10), "drawn", SQUARE.difference(box(20, 20, 120, 180)), until=T0 + timedelta(seconds=900)
        ),
        Fence(UUID(int=11), "drawn", box(-500, -500, 150, 900), since=T0 + timedelta(seconds=100)),
        *(
            Fence(UUID(int=100 + number), "grid", box(x, -1000, x + 100, 1000), area_id=number + 1)
            for number, x in enumerate(range(-1000, 1000, 100))
        ),
    ]
)


@settings(max_examples=60, deadline=None)
@given(tracks(), st.data())
def test_batches_storing_and_the_early_out_change_nothing(track: list[Sample], data: st.DataObject) -> None:
    whole = {UNIT: UnitState()}
    at_once = MANY.advance(whole, track)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(track)), max_size=8)))
    stored = UnitState()
    piecemeal: list[FenceEvent] = []
    for start, end in zip([0, *cuts], [*cuts, len(track)], strict=True):
        states = {UNIT: UnitState.from_json("", json.loads(json.dumps(stored.as_json())))}
        piecemeal += MANY.advance(states, track[start:end])
        stored = states[UNIT]
    each_looked_up: list[FenceEvent] = []
    looked = {UNIT: UnitState()}
    for sample in track:
        looked[UNIT].clear = None
        each_looked_up += MANY.advance(looked, [sample])
    assert piecemeal == at_once
    assert each_looked_up == at_once
    assert stored.memory() == whole[UNIT].memory() == looked[UNIT].memory()


@settings(max_examples=40, deadline=None)
@given(tracks())
def test_events_of_a_visit_make_sense(track: list[Sample]) -> None:
    inside: dict[UUID, UUID] = {}
    for event in MANY.advance({UNIT: UnitState()}, track):
        assert event.at <= event.sample_at
        if event.kind in ("enter", "inside"):
            assert event.fence_id not in inside
            inside[event.fence_id] = event.visit_id
        elif event.kind == "exit":
            assert inside.pop(event.fence_id) == event.visit_id
        elif event.kind == "dwell":
            assert inside[event.fence_id] == event.visit_id
        else:
            assert event.fence_id not in inside


def test_no_fences_is_no_trouble() -> None:
    assert told(FenceBook.build([]), samples(walk(0, 100))) == []
    assert fence_engine.FenceBook.build([]).advance({}, []) == []


@pytest.mark.parametrize("accuracy_m", [0.0, -1.0, math.nan])
def test_an_unknown_accuracy_counts_as_poor(accuracy_m: float) -> None:
    book = book_of()
    assert told(book, samples([(20.0, 100.0, accuracy_m)])) == []
    assert kinds(told(book, samples([(100.0, 100.0, accuracy_m)]))) == ["inside"]


def test_standing_still_tells_nothing_and_crossing_is_told_also_with_poor_fixes() -> None:
    found = run_trials(seed=5, hours=0.5)
    assert max(found.flaps_per_hour["ours"].values()) <= 0.1
    assert found.flaps_per_hour["plain"]["50"] > 20
    assert found.missed["ours"]["5"] == found.missed["ours"]["15"] == 0
    assert found.missed["ours"]["50"] < 0.08


def test_shuffled_and_delayed_fixes_give_the_events_of_the_track() -> None:
    assert late_equal(7)
