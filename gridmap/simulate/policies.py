"""Who is sent: rules over the free units that can meet a call's need."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.optimize import linear_sum_assignment

from gridmap.domain.travel import TOP_SPEED_KMH, USUAL_SPEED_KMH, Mode
from gridmap.simulate.streets import Floats, Ints

# What a second of a call is worth against one of a normal call, by severity 1 to 4.
URGENCY = np.array([4.0, 2.0, 1.0, 0.5])
_USUAL_KMH = np.array([USUAL_SPEED_KMH[mode] for mode in Mode])
assert list(TOP_SPEED_KMH) == list(Mode)


class Situation(Protocol):
    """The moment of a decision. Units and calls are numbers; `units` are free and can meet the call's need."""

    def road_s(self, units: Ints, call: int) -> Floats: ...

    def air_m(self, units: Ints, call: int) -> Floats: ...

    def mode(self, units: Ints) -> Ints: ...

    def own(self, units: Ints, call: int) -> Ints:
        """Those of the units that are bound to the call's area."""
        ...

    def able(self, units: Ints, call: int) -> Ints: ...

    def severity(self, call: int) -> int: ...


Pick = tuple[int, int]
Decide = Callable[[Situation, Sequence[int], Ints], list[Pick]]


@dataclass(frozen=True, slots=True)
class Policy:
    """A rule. `decide` gets the waiting calls, most urgent first, and the free units; answers (call, unit) pairs.

    `wait_s`: how long calls that are not critical are collected before they are decided together.
    """

    key: str
    decide: Decide
    wait_s: float = 0.0


def by_score(score: Callable[[Situation, Ints, int], Floats]) -> Decide:
    """One call after the other, each the unit with the lowest score; ties go to the lower number."""

    def decide(now: Situation, waiting: Sequence[int], free: Ints) -> list[Pick]:
        picks: list[Pick] = []
        left = free
        for call in waiting:
            able = now.able(left, call)
            if len(able) == 0:
                continue
            scores = score(now, able, call)
            best = int(np.argmin(scores))
            if np.isfinite(scores[best]):
                picks.append((call, int(able[best])))
                left = left[left != able[best]]
        return picks

    return decide


def _reachable(now: Situation, units: Ints, call: int, score: Floats) -> Floats:
    """Nobody is sent who cannot get there, whatever rule ranks them: a dispatcher would be told at once."""
    return np.where(np.isfinite(now.road_s(units, call)), score, np.inf)


def _air(now: Situation, units: Ints, call: int) -> Floats:
    return _reachable(now, units, call, now.air_m(units, call))


def _air_time(now: Situation, units: Ints, call: int) -> Floats:
    return _reachable(now, units, call, now.air_m(units, call) / _USUAL_KMH[now.mode(units)])


def _road(now: Situation, units: Ints, call: int) -> Floats:
    return now.road_s(units, call)


def _own_first(now: Situation, units: Ints, call: int) -> Floats:
    """By road, but a unit that is bound to the call's own grid before any other."""
    seconds = now.road_s(units, call)
    own = np.isin(units, now.own(units, call))
    return np.where(own, seconds, seconds + 1e6)


def _together(now: Situation, waiting: Sequence[int], free: Ints) -> list[Pick]:
    """All waiting calls and free units at once: the least sum of travel seconds, weighted by urgency.

    Rectangular assignment (Crouse 2016, as SciPy solves it). A pair that cannot be costs more than all others.
    """
    calls = [call for call in waiting if len(now.able(free, call))]
    if not calls or len(free) == 0:
        return []
    cost = np.full((len(calls), len(free)), np.inf)
    for row, call in enumerate(calls):
        able = now.able(free, call)
        column = np.searchsorted(free, able)
        cost[row, column] = now.road_s(able, call) * URGENCY[now.severity(call) - 1]
    possible = np.isfinite(cost)
    worst = cost[possible].max(initial=1.0) * (min(cost.shape) + 1)
    rows, columns = linear_sum_assignment(np.where(possible, cost, worst))
    return [(calls[r], int(free[c])) for r, c in zip(rows, columns, strict=True) if possible[r, c]]


POLICIES: dict[str, Policy] = {
    policy.key: policy
    for policy in (
        Policy("air", by_score(_air)),
        Policy("air_time", by_score(_air_time)),
        Policy("road", by_score(_road)),
        Policy("own_grid", by_score(_own_first)),
        Policy("assignment", _together),
    )
}
