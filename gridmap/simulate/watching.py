"""Cover during a replay: the requirements of cover.toml, judged at the free units' places once an hour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gridmap.domain.cover import ROUNDING, Demand, Requirement
from gridmap.domain.travel import Mode
from gridmap.simulate.ground import Crew, Ground
from gridmap.simulate.scene import Period, Units
from gridmap.simulate.streets import Floats, Ints
from gridmap.simulate.travel import RoadTimes

_MODES = list(Mode)


class PointTimes:
    """Seconds from places to the ground's points, kept once asked: units come back to the same places all month.

    Args:
        places: how many there are. points: numbers of the places that stand for the ground's areas.
    """

    def __init__(self, travel: RoadTimes, places: int, points: Ints) -> None:
        self._travel, self._places, self._points = travel, places, points
        self._known = np.zeros((len(_MODES), places), dtype=bool)
        self._seconds: dict[int, np.ndarray[tuple[int, int], np.dtype[np.float32]]] = {}

    def best_s(self, modes: Ints, places: Ints) -> Floats:
        """(points,) the least seconds from any of the places, each by its own mode; infinite from none."""
        best = np.full(len(self._points), np.inf)
        for number in np.unique(modes).tolist():
            mine = np.unique(places[modes == number])
            best = np.minimum(best, self._rows(number, mine).min(axis=0))
        return best

    def _rows(self, number: int, places: Ints) -> Floats:
        if number not in self._seconds:
            self._seconds[number] = np.empty((self._places, len(self._points)), dtype=np.float32)
        fresh = places[~self._known[number, places]]
        if len(fresh):
            self._seconds[number][fresh] = self._travel.table(fresh, _MODES[number], self._points)
            self._known[number, fresh] = True
        return np.asarray(self._seconds[number][places], dtype=np.float64)


@dataclass(frozen=True, slots=True)
class _Watched:
    rule: Requirement
    counts: Ints
    demand: Demand


class CoverWatch:
    """Adds up, for each requirement, the share of area-hours that had their cover.

    Args:
        digits: by level how long an area code is.
    """

    def __init__(
        self,
        rules: Sequence[Requirement],
        crews: Sequence[Crew],
        units: Units,
        ground: Ground,
        times: PointTimes,
        period: Period,
        digits: dict[str, int],
    ) -> None:
        self._units, self._times, self._period = units, times, period
        self._watched = [
            _Watched(
                rule,
                np.array([rule.counts(crew.kind, crew.capabilities) for crew in crews]),
                _demand(rule, ground, digits[rule.level]),
            )
            for rule in rules
        ]
        self._held = {rule.key: 0.0 for rule in rules}
        self._asked = {rule.key: 0.0 for rule in rules}

    def __call__(self, now_s: float, free: Ints, places: Ints) -> None:
        hour = int(self._period.starts_at_hour + now_s / 3600) % 24
        for watched in self._watched:
            rule = watched.rule
            if not rule.holds_at(hour):
                continue
            mine = watched.counts[free].astype(bool)
            best_s = self._times.best_s(self._units.mode[free[mine]], places[mine])
            held = watched.demand.share(best_s <= rule.minutes * 60) >= rule.share - ROUNDING
            self._held[rule.key] += float(held.sum())
            self._asked[rule.key] += watched.demand.areas

    def shares(self) -> dict[str, float]:
        """By requirement the share of area-hours with cover."""
        return {key: round(self._held[key] / asked, 4) for key, asked in self._asked.items() if asked}


def _demand(rule: Requirement, ground: Ground, digits: int) -> Demand:
    parents = [code[:digits] for code in ground.codes]
    asked = sorted({code for code in parents if rule.is_for(code)})
    number = {code: i for i, code in enumerate(asked)}
    area = np.array([number.get(code, -1) for code in parents], dtype=np.int64)
    return Demand(area, ground.weight, len(asked))
