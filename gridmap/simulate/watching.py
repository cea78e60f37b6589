"""Cover during a replay: the requirements of cover.toml, judged at the free units' places once an hour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gridmap.domain.cover import Demand, Requirement
from gridmap.domain.travel import Mode
from gridmap.simulate.ground import Crew, Ground
from gridmap.simulate.scene import Period, Units
from gridmap.simulate.streets import Floats, Ints
from gridmap.simulate.travel import RoadTimes

_MODES = list(Mode)


@dataclass(frozen=True, slots=True)
class _Watched:
    rule: Requirement
    counts: Ints
    demand: Demand


class CoverWatch:
    """Adds up, for each requirement, the share of area-hours that had their cover.

    Args:
        points: numbers of the places that stand for the ground's areas.
        digits: by level how long an area code is.
    """

    def __init__(
        self,
        rules: Sequence[Requirement],
        crews: Sequence[Crew],
        units: Units,
        ground: Ground,
        points: Ints,
        travel: RoadTimes,
        period: Period,
        digits: dict[str, int],
    ) -> None:
        self._units, self._points, self._travel, self._period = units, points, travel, period
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
            best_s = self._best_s(self._units.mode[free[mine]], places[mine])
            held = watched.demand.share(best_s <= rule.minutes * 60) >= rule.share - 1e-9
            self._held[rule.key] += float(held.sum())
            self._asked[rule.key] += watched.demand.areas

    def shares(self) -> dict[str, float]:
        """By requirement the share of area-hours with cover."""
        return {key: round(self._held[key] / asked, 4) for key, asked in self._asked.items() if asked}

    def _best_s(self, modes: Ints, places: Ints) -> Floats:
        best = np.full(len(self._points), np.inf)
        for number in np.unique(modes).tolist():
            table = self._travel.table(places[modes == number], _MODES[number], self._points)
            best = np.minimum(best, table.min(axis=0))
        return best


def _demand(rule: Requirement, ground: Ground, digits: int) -> Demand:
    parents = [code[:digits] for code in ground.codes]
    asked = sorted({code for code in parents if rule.is_for(code)})
    number = {code: i for i, code in enumerate(asked)}
    area = np.array([number.get(code, -1) for code in parents], dtype=np.int64)
    return Demand(area, ground.weight, len(asked))
