"""Cover: which areas have a free unit within their minutes, and who could move up without opening another gap.

Pure rules over arrays: U units, P demand points (houses stand behind them), A areas.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridmap.domain.vocab import vocabulary, vocabulary_dir
from gridmap.errors import Misconfigured

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
ROUNDING = 1e-9
# So many rings the routing engine draws at a time.
MOST_MINUTES = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class Requirement:
    """One row of cover.toml."""

    key: str
    zh: str
    en: str
    level: str
    kinds: tuple[str, ...]
    capability: str | None
    minutes: float
    share: float
    hours: tuple[int, int]
    areas: tuple[str, ...]
    exempt: tuple[str, ...]
    severity: int

    def counts(self, kind: str, capabilities: Sequence[str]) -> bool:
        """Whether a unit of this kind and these capabilities gives this cover."""
        if self.capability is not None:
            return self.capability in capabilities
        return kind in self.kinds

    def holds_at(self, hour: int) -> bool:
        """Whether it is asked for in this local hour; from 20 to 6 goes over midnight."""
        first, last = self.hours
        return first <= hour < last if first < last else hour >= first or hour < last

    def is_for(self, code: str) -> bool:
        """Whether an area of its level with this code must have it."""
        if any(code.startswith(prefix) for prefix in self.exempt):
            return False
        return not self.areas or any(code.startswith(prefix) for prefix in self.areas)


@dataclass(frozen=True, slots=True)
class CoverRules:
    """The whole file."""

    requirements: tuple[Requirement, ...]
    rings_min: tuple[float, ...]
    stands_s: float


@dataclass(frozen=True, slots=True)
class Cover:
    """One requirement over A areas.

    Attributes:
        reached: (U, P) which unit reaches which point in time.
        share: (A,) part of the weight that some unit reaches; 1 for an area without weight.
        units: (A,) units that reach any of it.
        gap: (A,) share below what is asked.
    """

    reached: Bools
    share: Floats
    units: Ints
    gap: Bools


@dataclass(frozen=True, slots=True)
class Demand:
    """Points and the areas they stand for: `area` (P,) from 0 to `areas` - 1 or -1 for none, `weight` (P,) >= 0."""

    area: Ints
    weight: Floats
    areas: int
    _total: Floats = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_total", self._sum(self.weight))

    def _sum(self, weight: Floats) -> Floats:
        known = self.area >= 0
        return np.bincount(self.area[known], weight[known], self.areas).astype(float)

    def share(self, reached: Bools) -> Floats:
        """(A,) part of each area's weight at the points marked in `reached` (P,)."""
        got = self._sum(self.weight * reached)
        return np.divide(got, self._total, out=np.ones(self.areas), where=self._total > 0)


def assess(reached: Bools, demand: Demand, share: float) -> Cover:
    """Judge one requirement.

    Args:
        reached: (U, P) which of the units that count reaches which point in time.
        share: what must be reached of each area's weight.
    """
    got = demand.share(np.asarray(reached.any(axis=0)))
    touched = np.zeros((len(reached), demand.areas), dtype=bool)
    known = demand.area >= 0
    unit, point = np.nonzero(reached[:, known])
    touched[unit, demand.area[known][point]] = True
    # Sums of houses, so a hair of rounding is no gap.
    return Cover(reached, got, touched.sum(axis=0), got < share - ROUNDING)


def spare_units(covers: Sequence[tuple[Cover, Ints, float]], demand: Sequence[Demand], units: int) -> Bools:
    """Units whose leaving opens no gap in any requirement.

    Args:
        covers: per requirement its Cover, the numbers of the units in its rows, and the share asked for.
        demand: per requirement its demand.
        units: U of all requirements together.
    """
    spare = np.ones(units, dtype=bool)
    for (cover, members, share), points in zip(covers, demand, strict=True):
        times = cover.reached.sum(axis=0)
        for row, unit in enumerate(members.tolist()):
            if not spare[unit]:
                continue
            alone = cover.reached[row] & (times == 1)
            if alone.any():
                left = points.share((times > 0) & ~alone)
                spare[unit] = not ((left < share - ROUNDING) & ~cover.gap).any()
    return spare


def closes(cover: Cover, from_post: Bools, demand: Demand, area: int, share: float) -> bool:
    """Whether a unit at a post from which it reaches the points `from_post` (P,) would close `area`'s gap."""
    reached = np.asarray(cover.reached.any(axis=0)) | from_post
    return bool(demand.share(reached)[area] >= share - ROUNDING)


def best_post(demand: Demand, lonlat: Floats, area: int, uncovered: Bools) -> int:
    """The point of `area` to move up to: the one nearest to the weighted middle of those that nobody reaches."""
    mine = np.flatnonzero((demand.area == area) & (demand.weight > 0))
    if len(mine) == 0:
        mine = np.flatnonzero(demand.area == area)
    open_ = mine[uncovered[mine]] if uncovered[mine].any() else mine
    middle = np.average(lonlat[open_], axis=0, weights=np.maximum(demand.weight[open_], 1e-9))
    scale = np.array([np.cos(np.radians(middle[1])), 1.0])
    away = ((lonlat[mine] - middle) * scale) ** 2
    return int(mine[np.argmin(away.sum(axis=1))])


@cache
def cover_rules() -> CoverRules:
    """The rules of this installation. Raises Misconfigured when the file is broken."""
    return load_cover_rules(vocabulary_dir() / "cover.toml")


def load_cover_rules(path: Path) -> CoverRules:
    """Read and check a file like data/vocab/cover.toml."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        rules = CoverRules(
            requirements=tuple(_requirement(row) for row in content.get("requirement", ())),
            rings_min=tuple(float(minutes) for minutes in content["rings_min"]),
            stands_s=float(content["alarm"]["stands_s"]),
        )
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise Misconfigured("cover_rules_broken", file=path.name, reason=str(error)) from error
    _check(rules)
    return rules


def _requirement(row: Mapping[str, Any]) -> Requirement:
    first, last = row.get("hours", (0, 24))
    return Requirement(
        key=row["key"],
        zh=row["name"]["zh"],
        en=row["name"]["en"],
        level=row["level"],
        kinds=tuple(row.get("kinds", ())),
        capability=row.get("capability"),
        minutes=float(row["minutes"]),
        share=float(row.get("share", 1.0)),
        hours=(int(first), int(last)),
        areas=tuple(row.get("areas", ())),
        exempt=tuple(row.get("exempt", ())),
        severity=int(row.get("severity", 2)),
    )


def _check(rules: CoverRules) -> None:
    words = vocabulary()
    if len({rule.minutes for rule in rules.requirements}) > MOST_MINUTES:
        raise Misconfigured(
            "cover_rules_broken", file="cover.toml", reason="more than four different minutes"
        )
    keys = [requirement.key for requirement in rules.requirements]
    for rule in rules.requirements:
        known = (
            rule.level in words.lists["level"]
            and set(rule.kinds) <= set(words.lists["unit_kind"])
            and (rule.capability is None or rule.capability in words.lists["capability"])
            and bool(rule.kinds) != (rule.capability is not None)
        )
        if rule.hours[0] == rule.hours[1]:
            raise Misconfigured("cover_rules_broken", file="cover.toml", reason=f"{rule.key}: no hours")
        if not known or rule.minutes <= 0 or not 0 < rule.share <= 1 or keys.count(rule.key) > 1:
            raise Misconfigured("cover_rules_broken", file="cover.toml", reason=rule.key)
