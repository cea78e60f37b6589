"""Who is sent: rules over the free units that can meet a call's need."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from gridmap.domain.travel import USUAL_SPEED_KMH, Mode
from gridmap.optimise.assignment import assign
from gridmap.simulate.streets import Floats, Ints

_USUAL_KMH = np.array([USUAL_SPEED_KMH[mode] for mode in Mode])


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
    """All waiting calls and free units at once, as the platform's own joint recommendation does it."""
    calls = [call for call in waiting if len(now.able(free, call))]
    if not calls:
        return []
    seconds = np.full((len(calls), len(free)), np.inf)
    for row, call in enumerate(calls):
        able = now.able(free, call)
        seconds[row, np.searchsorted(free, able)] = now.road_s(able, call)
    found = assign(seconds, [now.severity(call) for call in calls])
    return [(calls[one.incident], int(free[one.unit])) for one in found.sent]


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
