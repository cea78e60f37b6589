"""Each refusal of a position has its name; a wrong fix that was believed does not shut the truth out."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridmap.domain.ids import new_id
from gridmap.domain.metric import distance_m, near_distance_m
from gridmap.positions.filters import Memory, Received, Refusal, Sifted, Spot, late_span, sift
from gridmap.positions.fixes import RawFix
from gridmap.positions.packing import pack, pack_held, unpack, unpack_held

NOW = datetime(2026, 6, 1, 4, 0, tzinfo=UTC)
FIX = RawFix(unit_id=new_id(), lon=113.0, lat=28.2, fixed_at=NOW, accuracy_m=10)
LAST = Memory(Spot(113.0, 28.2, NOW - timedelta(seconds=10), 10))
FAR_LON = 113.5


def at(seconds: float, lon: float = 113.0) -> Received:
    return Received(
        replace(FIX, lon=lon, fixed_at=NOW + timedelta(seconds=seconds)), NOW + timedelta(hours=1)
    )


@pytest.mark.parametrize(
    ("fix", "reason"),
    [
        (FIX, None),
        (replace(FIX, lon=0.0, lat=0.0), Refusal.NULL_ISLAND),
        (replace(FIX, fixed_at=NOW + timedelta(minutes=6)), Refusal.FUTURE),
        (replace(FIX, fixed_at=NOW - timedelta(hours=25)), Refusal.STALE),
        (replace(FIX, accuracy_m=800), Refusal.POOR_ACCURACY),
        (replace(FIX, fixed_at=NOW - timedelta(seconds=10)), Refusal.DUPLICATE),
        (replace(FIX, lon=113.005), None),
    ],
)
def test_reasons(fix: RawFix, reason: Refusal | None) -> None:
    found = sift(LAST, [Received(fix, NOW)])
    assert found.refused == Counter([reason] if reason else [])
    assert [one.fix for one in found.accepted] == ([] if reason else [fix])


def test_a_jump_is_held_and_counted_when_the_old_place_is_confirmed() -> None:
    held = sift(LAST, [at(0, FAR_LON)])
    assert (held.accepted, held.refused, len(held.memory.pending)) == ([], Counter(), 1)
    confirmed = sift(held.memory, [at(5)])
    assert len(confirmed.accepted) == 1
    assert confirmed.refused == Counter({Refusal.IMPOSSIBLE_SPEED: 1})
    assert confirmed.memory.pending == ()


def test_one_wrong_fix_that_was_believed_gives_way_to_a_chain_that_agrees() -> None:
    wrong = sift(Memory(), [at(0, FAR_LON)])
    assert len(wrong.accepted) == 1
    memory, accepted = wrong.memory, 0
    for seconds in (10, 20, 30):
        found = sift(memory, [at(seconds)])
        memory, accepted = found.memory, accepted + len(found.accepted)
        assert not found.refused
    assert accepted == 3, "all three of the chain are kept"
    assert memory.last is not None
    assert memory.last.lon == 113.0


def test_three_wrong_fixes_within_two_seconds_are_no_chain() -> None:
    found = sift(LAST, [at(0, FAR_LON), at(1, FAR_LON), at(2, FAR_LON), at(3)])
    assert [one.fix.lon for one in found.accepted] == [113.0]
    assert found.refused == Counter({Refusal.IMPOSSIBLE_SPEED: 3})


def test_a_late_fix_must_fit_between_its_neighbours() -> None:
    memory = Memory(Spot(113.0, 28.2, NOW + timedelta(seconds=60), 10))
    stored = [Spot(113.0, 28.2, NOW, 10), Spot(113.0, 28.2, NOW + timedelta(seconds=60), 10)]
    found = sift(memory, [at(30), at(0), at(40, FAR_LON), at(60)], stored)
    assert [one.fix.fixed_at for one in found.accepted] == [NOW + timedelta(seconds=30)]
    assert found.refused == Counter({Refusal.DUPLICATE: 2, Refusal.IMPOSSIBLE_SPEED: 1})
    assert found.memory == memory, "the newest stays the newest"


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 400), min_size=1, max_size=40, unique=True), st.integers(0, 2**32))
def test_shuffled_and_cut_as_it_may_be_a_sound_track_is_kept_whole(seconds: list[int], seed: int) -> None:
    dice = Random(seed)
    track = [at(second, 113.0 + second * 1e-5) for second in seconds]
    dice.shuffle(track)
    memory, kept = Memory(), []
    while track:
        size = dice.randint(1, 7)
        batch, track = track[:size], track[size:]
        span = late_span(memory, batch)
        stored = [
            Spot(one.fix.lon, one.fix.lat, one.fix.fixed_at, one.fix.accuracy_m)
            for one in sorted(kept, key=lambda one: one.fix.fixed_at)
            if span and span[0] <= one.fix.fixed_at <= span[1]
        ]
        found: Sifted = sift(memory, batch, stored)
        assert not found.refused
        memory, kept = found.memory, kept + found.accepted
    assert sorted(one.fix.fixed_at for one in kept) == [NOW + timedelta(seconds=s) for s in sorted(seconds)]
    assert memory.last is not None
    assert memory.last.at == max(one.fix.fixed_at for one in kept)


finite = st.floats(0, 1e6, width=32)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.builds(
            RawFix,
            unit_id=st.uuids(),
            device_id=st.uuids(),
            lon=st.floats(-180, 180),
            lat=st.floats(-90, 90),
            fixed_at=st.datetimes(datetime(1980, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
            accuracy_m=st.none() | finite,
            speed_mps=st.none() | finite,
            heading_deg=st.none() | finite,
            battery_pct=st.none() | finite,
        )
    )
)
def test_packing_loses_nothing(fixes: list[RawFix]) -> None:
    assert list(unpack(pack(fixes))) == fixes
    held = tuple(Received(fix, NOW) for fix in fixes)
    assert unpack_held(pack_held(held)) == held


def test_the_quick_distance_is_near_the_true_one() -> None:
    dice = Random(3)
    for _ in range(200):
        a = dice.uniform(-180, 180), dice.uniform(-80, 80)
        b = a[0] + dice.uniform(-0.5, 0.5), a[1] + dice.uniform(-0.5, 0.5)
        assert near_distance_m(*a, *b) == pytest.approx(float(distance_m(*a, *b)), rel=0.006)
