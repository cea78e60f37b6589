"""The ground of a replay: leaf areas with their houses, and the crews that work on it."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from gridmap.domain.vocab import vocabulary_dir
from gridmap.simulate.streets import Floats, Ints


@dataclass(frozen=True, slots=True)
class Ground:
    """Leaf areas and houses.

    Attributes:
        codes: of the n areas. `shapes` (n,) polygons in WGS84 degrees.
        house: (h, 2) degrees; `house_weight` (h,) households or 1; `house_area` (h,) area number or -1.
        point: (n, 2) the house that stands for each area: nearest to the weighted middle of its houses.
        weight: (n,) sum of the houses' weights.
    """

    codes: tuple[str, ...]
    shapes: NDArray[np.object_]
    house: Floats
    house_weight: Floats
    house_area: Ints
    point: Floats
    weight: Floats

    def below(self, code: str) -> Ints:
        """Areas whose code starts with `code`."""
        return np.array([i for i, own in enumerate(self.codes) if own.startswith(code)], dtype=np.int64)

    def area_at(self, lonlat: Floats) -> Ints:
        """(k,) area number of each place (k, 2), -1 outside all; on a border the lower code."""
        return _area_at(self.codes, self.shapes, lonlat)


def make_ground(codes: Sequence[str], shapes: NDArray[np.object_], house: Floats, weight: Floats) -> Ground:
    """Sort areas by code and houses into them."""
    order = np.argsort(np.array(codes))
    kept = tuple(codes[i] for i in order)
    shapes = shapes[order]
    area = _area_at(kept, shapes, house)
    n = len(kept)
    inside = area >= 0
    total = np.bincount(area[inside], weight[inside], n).astype(float)
    return Ground(kept, shapes, house, weight, area, _points(shapes, house, weight, area), total)


def _area_at(codes: Sequence[str], shapes: NDArray[np.object_], lonlat: Floats) -> Ints:
    found = np.full(len(lonlat), len(codes))
    point, area = shapely.STRtree(shapes).query(shapely.points(lonlat), predicate="intersects")
    np.minimum.at(found, point, area)
    return np.where(found == len(codes), -1, found)


def _points(shapes: NDArray[np.object_], house: Floats, weight: Floats, area: Ints) -> Floats:
    """An area without houses is stood for by a point on its surface."""
    out: Floats = shapely.get_coordinates(shapely.point_on_surface(shapes))
    order = np.argsort(area, kind="stable")
    bounds = np.searchsorted(area[order], np.arange(len(shapes) + 1))
    for number in range(len(shapes)):
        mine = order[bounds[number] : bounds[number + 1]]
        if len(mine):
            middle = np.average(house[mine], axis=0, weights=weight[mine])
            scale = np.array([np.cos(np.radians(middle[1])), 1.0])
            out[number] = house[mine[np.argmin((((house[mine] - middle) * scale) ** 2).sum(axis=1))]]
    return out


@dataclass(frozen=True, slots=True)
class Crew:
    """One unit. `home` is the code of its area at any level; `hours` (24,) when it is on duty, local time.

    `post`: it waits at this place (lon, lat) instead of moving about its area.
    """

    ref: str
    kind: str
    mode: str
    capabilities: tuple[str, ...]
    home: str
    hours: tuple[bool, ...]
    post: tuple[float, float] | None = None


ROUND_THE_CLOCK = (True,) * 24


@dataclass(frozen=True, slots=True)
class Assumptions:
    """data/vocab/simulate.toml."""

    shifts: dict[str, tuple[int, int]]
    turnout_median_s: float
    turnout_sigma: float
    on_scene_median_min: tuple[float, ...]
    on_scene_sigma: float
    stand_places: int
    stand_min: float
    collect_s: float

    def hours(self, shift: str | None) -> tuple[bool, ...]:
        """When a shift is on duty; an unknown one always."""
        first, last = self.shifts.get(shift or "", (0, 24))
        return tuple(first <= hour < last for hour in range(24))


@cache
def assumptions() -> Assumptions:
    """The assumptions of this installation."""
    found: dict[str, Any] = tomllib.loads((vocabulary_dir() / "simulate.toml").read_text(encoding="utf-8"))
    return Assumptions(
        shifts={key: (int(first), int(last)) for key, (first, last) in found["shift"].items()},
        turnout_median_s=float(found["turnout"]["median_s"]),
        turnout_sigma=float(found["turnout"]["sigma"]),
        on_scene_median_min=tuple(float(x) for x in found["on_scene"]["median_min"]),
        on_scene_sigma=float(found["on_scene"]["sigma"]),
        stand_places=int(found["stand"]["places"]),
        stand_min=float(found["stand"]["minutes"]),
        collect_s=float(found["assignment"]["collect_s"]),
    )
