"""The exactly fastest k of many candidates, asking the road network about as few of them as possible.

Candidates are asked in the order of a time they cannot beat. As soon as the next such time is above the k-th
best trip found, nobody left out can be among the k fastest (the stopping rule of Fagin, Lotem and Naor's
threshold algorithm, J. Comput. Syst. Sci. 66, 2003, with one sorted list). The time may be rough at first and is
made tighter only for those whose turn comes, as A* does with a costly estimate.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gridmap.domain.travel import Trip

FIRST_BATCH = 12
BATCH = 60
TIGHTEN_AT_ONCE = 120

Ask = Callable[[Sequence[int]], Sequence[Trip]]
Times = NDArray[np.float64]
# (indices, how far to look) -> for each a time it cannot beat, and whether that is the last word on it.
Tighten = Callable[[NDArray[np.intp], float], tuple[Times, NDArray[np.bool_]]]


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

    @property
    def is_full(self) -> bool:
        return len(self._heap) >= self._k

    @property
    def worst_s(self) -> float:
        """Whoever cannot beat this is out. Equal times count: a tie is decided by index, so who could tie is asked."""
        return -self._heap[0][0] if self.is_full else float("inf")

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


class _Waiting:
    """Who was not asked yet, each with the best bound known."""

    def __init__(self, optimistic_s: Sequence[float] | Times, tighten: Tighten | None) -> None:
        self._bound_s = np.array(optimistic_s, dtype=float)
        self._is_out = np.zeros(len(self._bound_s), dtype=bool)
        self._is_tight = np.full(len(self._bound_s), tighten is None)
        self._tighten = tighten

    def next_to_ask(self, worst_s: float, most: int) -> list[int]:
        """The `most` with the smallest bounds up to `worst_s`, after tightening as many as that takes."""
        while True:
            order = self._order(worst_s)
            loose = np.flatnonzero(~self._is_tight[order[:most]])
            if self._tighten is None or not len(loose):
                return [int(index) for index in order[:most]]
            nearby = order[: max(most, TIGHTEN_AT_ONCE)]
            self._make_tight(nearby[~self._is_tight[nearby]], order[loose[-1]])

    def take_out(self, indices: Sequence[int]) -> None:
        self._is_out[list(indices)] = True

    def _order(self, worst_s: float) -> NDArray[np.intp]:
        candidates = np.flatnonzero(~self._is_out & (self._bound_s <= worst_s))
        return candidates[np.argsort(self._bound_s[candidates], kind="stable")]

    def _make_tight(self, indices: NDArray[np.intp], furthest: np.intp) -> None:
        assert self._tighten is not None
        bound_s, is_final = self._tighten(indices, float(self._bound_s[furthest]))
        self._bound_s[indices] = np.maximum(self._bound_s[indices], bound_s)
        self._is_tight[indices] = is_final


def rank_fastest(
    optimistic_s: Sequence[float] | Times,
    ask: Ask,
    *,
    k: int = 5,
    tighten: Tighten | None = None,
    first: int = FIRST_BATCH,
    batch: int = BATCH,
) -> Ranking:
    """The k candidates with the shortest trips.

    Args:
        optimistic_s: for each candidate a time in seconds that its trip cannot beat.
        ask: trips of the candidates with these indices, in one request.
        tighten: better such times for some candidates. It is told up to what time it must look; where the better
            time is only known to lie beyond, it says so and is asked again further out.
        first, batch: how many are asked at first, and at most in each request after.

    Returns:
        A Ranking. Candidates that were never asked appear nowhere: they are provably not among the k.
    """
    waiting = _Waiting(optimistic_s, tighten)
    best = _Best(k)
    without_trip: list[Ranked] = []
    asked, most = 0, max(first, k)
    while k > 0 and (indices := waiting.next_to_ask(best.worst_s, most)):
        waiting.take_out(indices)
        asked += len(indices)
        for index, trip in zip(indices, ask(indices), strict=True):
            if not best.keep(index, trip):
                without_trip.append(Ranked(index, trip))
        most = batch
    return Ranking(best.ordered(), tuple(without_trip), asked)
