"""The exactly fastest k of many candidates, asking the road network for as few exact trips as possible.

Candidates are taken in the order of a time they cannot beat. As soon as the next such time is above the k-th
best trip found, nobody left out can be among the k fastest (the stopping rule of Fagin, Lotem and Naor's
threshold algorithm, J. Comput. Syst. Sci. 66, 2003, with one sorted list). A cheap look at a batch gives
tighter times and a guess; the guess only decides who is asked first, never who is left out.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from gridmap.domain.travel import Trip

FIRST_BATCH = 30
EXACT_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a cheap look tells about a candidate.

    Attributes:
        bound_s: a time in seconds the trip cannot beat.
        guess_s: about how long it may take; None when the look found no way. It may be wrong.
        off_network: the answer for a candidate that lies on no road and needs no further asking.
    """

    bound_s: float
    guess_s: float | None = None
    off_network: Trip | None = None


class Roads(Protocol):
    """What the ranking asks; candidates are indices into the caller's list."""

    def look(self, indices: Sequence[int]) -> Sequence[Outlook]:
        """Cheap outlooks of a batch, in one request."""
        ...

    def trips(self, indices: Sequence[int]) -> Sequence[Trip]:
        """Exact trips, in one request."""
        ...

    def confirm(self, index: int) -> Trip:
        """A second opinion on one candidate that `trips` found unreachable."""
        ...


@dataclass(frozen=True, slots=True)
class Ranked:
    """A candidate (its index in the caller's list) and its trip."""

    index: int
    trip: Trip


@dataclass(frozen=True, slots=True)
class Ranking:
    """The k fastest, best first, ties by index; those without a trip, as met; how many were looked at and how
    many exact trips were asked for."""

    fastest: tuple[Ranked, ...]
    without_trip: tuple[Ranked, ...]
    looked_at: int
    exact: int


class _Search:
    def __init__(self, roads: Roads, k: int, most_confirmed: int) -> None:
        self.roads = roads
        self.k = k
        self.confirmations_left = most_confirmed
        self.exact = 0
        self.without_trip: list[Ranked] = []
        self._best: list[tuple[float, int]] = []
        self._trips: dict[int, Trip] = {}

    def can_improve(self, bound_s: float) -> bool:
        """Equal times count: a tie is decided by index, so whoever could tie must be asked."""
        return len(self._best) < self.k or bound_s <= -self._best[0][0]

    def settle_batch(self, indices: Sequence[int]) -> None:
        bounds: dict[int, float] = {}
        guesses: dict[int, float] = {}
        for index, outlook in zip(indices, self.roads.look(indices), strict=True):
            if outlook.off_network is not None:
                self.without_trip.append(Ranked(index, outlook.off_network))
                continue
            bounds[index] = outlook.bound_s
            guesses[index] = float("inf") if outlook.guess_s is None else outlook.guess_s
        waiting = sorted(bounds, key=lambda index: (guesses[index], bounds[index], index))
        while waiting := [index for index in waiting if self.can_improve(bounds[index])]:
            self._settle(waiting[:EXACT_AT_ONCE], bounds)
            waiting = waiting[EXACT_AT_ONCE:]

    def _settle(self, indices: Sequence[int], bounds: dict[int, float]) -> None:
        self.exact += len(indices)
        doubtful: list[tuple[int, Trip]] = []
        for index, trip in zip(indices, self.roads.trips(indices), strict=True):
            if not self._keep(index, trip):
                doubtful.append((index, trip))
        for index, trip in doubtful:
            worth = trip.state == "unreachable" and self.can_improve(bounds[index])
            if worth and self.confirmations_left > 0:
                self.confirmations_left -= 1
                if self._keep(index, self.roads.confirm(index)):
                    continue
            self.without_trip.append(Ranked(index, trip))

    def _keep(self, index: int, trip: Trip) -> bool:
        if trip.state != "ok" or trip.seconds is None:
            return False
        self._trips[index] = trip
        heapq.heappush(self._best, (-trip.seconds, -index))
        if len(self._best) > self.k:
            heapq.heappop(self._best)
        return True

    def fastest(self) -> tuple[Ranked, ...]:
        best = sorted((-seconds, -index) for seconds, index in self._best)
        return tuple(Ranked(index, self._trips[index]) for _, index in best)


def rank_fastest(
    optimistic_s: Sequence[float],
    roads: Roads,
    *,
    k: int = 5,
    first_batch: int = FIRST_BATCH,
    most_confirmed: int = 40,
) -> Ranking:
    """The k candidates with the shortest trips.

    Args:
        optimistic_s: for each candidate a time in seconds that its trip cannot beat.
        roads: looks, exact trips and second opinions. Batches of looks double from `first_batch`, so that a
            far-flung set costs few requests.
        most_confirmed: how many second opinions may be asked for. Each is a search of its own; they are asked
            only about candidates who could still be among the best.

    Returns:
        A Ranking. Candidates that were never looked at appear nowhere: they are provably not among the k.
    """
    order = sorted(range(len(optimistic_s)), key=lambda index: (optimistic_s[index], index))
    search = _Search(roads, k, most_confirmed)
    looked_at = 0
    batch = first_batch
    while k > 0 and looked_at < len(order) and search.can_improve(optimistic_s[order[looked_at]]):
        indices = order[looked_at : looked_at + batch]
        search.settle_batch(indices)
        looked_at += len(indices)
        batch *= 2
    return Ranking(search.fastest(), tuple(search.without_trip), looked_at, search.exact)
