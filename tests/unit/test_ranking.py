"""The ranking against brute force, with invented roads that lie as far as they are allowed to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from gridmap.domain.ranking import FIRST_BATCH, rank_fastest
from gridmap.domain.travel import OFF_NETWORK, UNREACHABLE, Trip


@dataclass(frozen=True)
class Person:
    """Somebody with a trip that takes `true_s` seconds, None for none."""

    optimistic_s: float
    true_s: float | None
    off_network: bool


@st.composite
def people(draw: st.DrawFn) -> Person:
    optimistic_s = draw(st.integers(0, 50))
    return Person(
        optimistic_s=optimistic_s,
        true_s=draw(st.none() | st.integers(0, 40).map(lambda more: optimistic_s + more)),
        off_network=draw(st.booleans()) and draw(st.booleans()),
    )


@dataclass
class InventedRoads:
    people: Sequence[Person]

    def trips(self, indices: Sequence[int]) -> list[Trip]:
        return [self._first_answer(index) for index in indices]

    def _first_answer(self, index: int) -> Trip:
        if self.people[index].off_network:
            return OFF_NETWORK
        return self._true(index)

    def _true(self, index: int) -> Trip:
        seconds = self.people[index].true_s
        return UNREACHABLE if seconds is None else Trip("ok", seconds, seconds * 5)


def brute_force(crowd: Sequence[Person], k: int) -> list[int]:
    there = [
        (person.true_s, index)
        for index, person in enumerate(crowd)
        if person.true_s is not None and not person.off_network
    ]
    return [index for _, index in sorted(there)[:k]]


@given(st.lists(people(), max_size=60), st.integers(0, 7), st.integers(1, 10))
def test_it_equals_asking_everybody(crowd: list[Person], k: int, batch: int) -> None:
    roads = InventedRoads(crowd)
    ranking = rank_fastest(
        [person.optimistic_s for person in crowd],
        roads.trips,
        k=k,
        batch=batch,
    )
    assert [item.index for item in ranking.fastest] == brute_force(crowd, k)
    assert all(item.trip.state == "ok" for item in ranking.fastest)
    assert all(item.trip.state != "ok" for item in ranking.without_trip)
    seen = {item.index for item in ranking.fastest} | {item.index for item in ranking.without_trip}
    assert len(seen) == len(ranking.fastest) + len(ranking.without_trip)


def test_far_people_are_never_asked() -> None:
    crowd = [Person(second, second, False) for second in range(2000)]
    roads = InventedRoads(crowd)
    ranking = rank_fastest([person.optimistic_s for person in crowd], roads.trips, k=5)
    assert [item.index for item in ranking.fastest] == [0, 1, 2, 3, 4]
    assert ranking.asked == FIRST_BATCH


@given(st.lists(st.tuples(people(), st.integers(0, 40)), max_size=60), st.integers(0, 7), st.integers(1, 40))
def test_bounds_that_grow_tighter_change_nothing(
    crowd: list[tuple[Person, int]], k: int, first_limit: int
) -> None:
    """Rough bounds lie below the tight ones, which a search tells only up to how far it has come."""
    everybody = [person for person, _ in crowd]
    limit = 0.0

    def tighten(indices: NDArray[np.intp], enough_s: float) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        nonlocal limit
        if enough_s >= limit:
            limit = max(float(first_limit), 2 * enough_s)
        tight = np.array([everybody[index].optimistic_s for index in indices], dtype=float)
        return np.minimum(tight, limit), tight < limit

    rough = [max(0, person.optimistic_s - looser) for person, looser in crowd]
    roads = InventedRoads(everybody)
    ranking = rank_fastest(rough, roads.trips, k=k, tighten=tighten, first=2, batch=5)
    assert [item.index for item in ranking.fastest] == brute_force(everybody, k)
