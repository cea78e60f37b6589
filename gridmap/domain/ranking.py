"""The exactly fastest k of many candidates, asking the road network about as few of them as possible.

Candidates are asked in the order of a time they cannot beat. As soon as the next such time is above the k-th
best trip found, nobody left out can be among the k fastest (the stopping rule of Fagin, Lotem and Naor's
threshold algorithm, J. Comput. Syst. Sci. 66, 2003, with one sorted list).
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gridmap.domain.travel import Trip

BATCH = 30

Ask = Callable[[Sequence[int]], Sequence[Trip]]


@dataclass(frozen=True, slots=True)
class Ranked:
    """A candidate (its index in the caller's list) and its trip."""

    index: int
    trip: Trip


@dataclass(frozen=True, slots=True)
class Ranking:
    """The k fastest, best first, ties by index; those without a trip, as asked; how many were asked."""

    fastest: tuple[Ranked, ...]
    without_trip: tuple[Ranked, ...]
    asked: int


class _Best:
    """The k smallest (seconds, index) seen so far."""

    def __init__(self, k: int) -> None:
        self._k = k
        self._heap: list[tuple[float, int]] = []
        self._trips: dict[int, Trip] = {}

    def can_improve(self, bound_s: float) -> bool:
        """Equal times count: a tie is decided by index, so whoever could tie must be asked."""
        return len(self._heap) < self._k or bound_s <= -self._heap[0][0]

    def keep(self, index: int, trip: Trip) -> bool:
        """Take a trip in if there is one; says whether there is."""
        if trip.state != "ok" or trip.seconds is None:
            return False
        self._trips[index] = trip
        heapq.heappush(self._heap, (-trip.seconds, -index))
        if len(self._heap) > self._k:
            heapq.heappop(self._heap)
        return True

    def ordered(self) -> tuple[Ranked, ...]:
        best = sorted((-seconds, -index) for seconds, index in self._heap)
        return tuple(Ranked(index, self._trips[index]) for _, index in best)


def rank_fastest(optimistic_s: Sequence[float], ask: Ask, *, k: int = 5, batch: int = BATCH) -> Ranking:
    """The k candidates with the shortest trips.

    Args:
        optimistic_s: for each candidate a time in seconds that its trip cannot beat.
        ask: trips of the candidates with these indices, in one request.

    Returns:
        A Ranking. Candidates that were never asked appear nowhere: they are provably not among the k.
    """
    order = sorted(range(len(optimistic_s)), key=lambda index: (optimistic_s[index], index))
    best = _Best(k)
    without_trip: list[Ranked] = []
    asked = 0
    while k > 0 and asked < len(order) and best.can_improve(optimistic_s[order[asked]]):
        indices = order[asked : asked + batch]
        asked += len(indices)
        for index, trip in zip(indices, ask(indices), strict=True):
            if not best.keep(index, trip):
                without_trip.append(Ranked(index, trip))
    return Ranking(best.ordered(), tuple(without_trip), asked)
