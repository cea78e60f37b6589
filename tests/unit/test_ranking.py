"""The ranking against brute force, with invented roads that lie as far as they are allowed to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from gridmap.domain.ranking import Outlook, rank_fastest
from gridmap.domain.travel import OFF_NETWORK, UNREACHABLE, Trip


@dataclass(frozen=True)
class Person:
    """`missed` is a trip that only the second opinion finds."""

    optimistic_s: float
    tighter_s: float
    true_s: float | None
    guess_s: float | None
    off_network: bool
    missed: bool


@st.composite
def people(draw: st.DrawFn) -> Person:
    optimistic_s = draw(st.integers(0, 50))
    tighter_s = optimistic_s + draw(st.integers(0, 20))
    return Person(
        optimistic_s=optimistic_s,
        tighter_s=tighter_s,
        true_s=draw(st.none() | st.integers(0, 40).map(lambda more: tighter_s + more)),
        guess_s=draw(st.none() | st.integers(0, 200)),
        off_network=draw(st.booleans()) and draw(st.booleans()),
        missed=draw(st.booleans()) and draw(st.booleans()),
    )


@dataclass
class InventedRoads:
    people: Sequence[Person]
    confirmed: list[int] = field(default_factory=list)

    def look(self, indices: Sequence[int]) -> list[Outlook]:
        return [
            Outlook(0.0, off_network=OFF_NETWORK)
            if self.people[index].off_network
            else Outlook(self.people[index].tighter_s, self.people[index].guess_s)
            for index in indices
        ]

    def trips(self, indices: Sequence[int]) -> list[Trip]:
        return [UNREACHABLE if self.people[index].missed else self._true(index) for index in indices]

    def confirm(self, index: int) -> Trip:
        self.confirmed.append(index)
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
def test_it_equals_asking_everybody(crowd: list[Person], k: int, first_batch: int) -> None:
    roads = InventedRoads(crowd)
    ranking = rank_fastest(
        [person.optimistic_s for person in crowd],
        roads,
        k=k,
        first_batch=first_batch,
        most_confirmed=len(crowd),
    )
    assert [item.index for item in ranking.fastest] == brute_force(crowd, k)
    assert all(item.trip.state == "ok" for item in ranking.fastest)
    assert all(item.trip.state != "ok" for item in ranking.without_trip)
    seen = {item.index for item in ranking.fastest} | {item.index for item in ranking.without_trip}
    assert len(seen) == len(ranking.fastest) + len(ranking.without_trip)


def test_far_people_are_never_looked_at() -> None:
    crowd = [Person(second, second, second, second, False, False) for second in range(2000)]
    ranking = rank_fastest([person.optimistic_s for person in crowd], InventedRoads(crowd), k=5)
    assert [item.index for item in ranking.fastest] == [0, 1, 2, 3, 4]
    assert ranking.looked_at == 30
    assert ranking.exact <= 8


def test_second_opinions_are_bounded() -> None:
    crowd = [Person(1, 1, None, None, False, False) for _ in range(500)]
    roads = InventedRoads(crowd)
    ranking = rank_fastest([person.optimistic_s for person in crowd], roads, k=5, most_confirmed=7)
    assert ranking.fastest == ()
    assert len(ranking.without_trip) == 500
    assert len(roads.confirmed) == 7
