"""Streets of a built-up area: a bent lattice with main, secondary and small streets, cut at the river."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import shapely

from gridmap.demo.district.linework import Floats, LineClass, LineSet
from gridmap.demo.district.terrain import Settlement, Terrain


@dataclass(frozen=True)
class Street:
    """One named street to be. `axis` is 0 (runs west-east), 1 (south-north), 2 (ring), 3 (levee), 4 (country)."""

    settlement: int
    axis: int
    rank: LineClass
    index: int
    side: str = ""


@dataclass
class StreetRegister:
    """Numbers streets; equal descriptions give the same number."""

    streets: list[Street] = field(default_factory=list)
    _numbers: dict[Street, int] = field(default_factory=dict)

    def number(self, street: Street) -> int:
        """The street's number, newly given when it was not seen before."""
        if street not in self._numbers:
            self._numbers[street] = len(self.streets)
            self.streets.append(street)
        return self._numbers[street]


def _ticks(radius_m: float, spacing_m: float, rng: np.random.Generator) -> Floats:
    """Uneven distances between parallel streets: dense in the middle, wider outside. Ascending, about zero."""
    sides = []
    for _ in range(2):
        at, out = 0.0, []
        while at < radius_m:
            at += spacing_m * rng.uniform(0.72, 1.22) * (0.82 + 0.55 * (at / radius_m) ** 1.5)
            out.append(at)
        sides.append(np.array(out))
    return np.concatenate([-sides[0][::-1], [0.0], sides[1]])


def _rank(index: int, settlement: Settlement) -> LineClass:
    if settlement.kind != "city":
        return (
            LineClass.SECONDARY
            if index == 0
            else (LineClass.TERTIARY if index % 2 == 0 else LineClass.RESIDENTIAL)
        )
    if index % 4 == 0:
        return LineClass.PRIMARY
    if index % 4 == 2:
        return LineClass.SECONDARY
    return LineClass.TERTIARY if index % 8 in (1, 7) else LineClass.RESIDENTIAL


@dataclass(frozen=True)
class _Warp:
    """Bends straight lattice lines: a turn plus slow waves, so that streets curve as grown ones do."""

    settlement: Settlement
    waves: Floats

    def __call__(self, ab: Floats) -> Floats:
        a, b = ab[:, 0], ab[:, 1]
        east, north = a.copy(), b.copy()
        for amplitude, ka, kb, phase, turn in self.waves:
            shift = amplitude * np.sin(ka * a + kb * b + phase)
            east += shift * np.cos(turn)
            north += shift * np.sin(turn)
        cos, sin = np.cos(self.settlement.angle_rad), np.sin(self.settlement.angle_rad)
        cx, cy = self.settlement.centre
        return np.column_stack([cx + east * cos - north * sin, cy + east * sin + north * cos])


def _make_warp(settlement: Settlement, rng: np.random.Generator) -> _Warp:
    scale = settlement.radius_m
    waves = [
        (
            0.055 * scale * rng.uniform(0.6, 1.2),
            *(rng.uniform(-3.2, 3.2, 2) / scale),
            *rng.uniform(0, 2 * np.pi, 2),
        )
        for _ in range(5)
    ]
    return _Warp(settlement, np.array(waves))


def draw_settlement(
    number: int, terrain: Terrain, register: StreetRegister, rng: np.random.Generator
) -> LineSet:
    """Lattice, ring street and bridges of settlement `number`, clipped to its outline."""
    settlement = terrain.settlements[number]
    warp = _make_warp(settlement, rng)
    ticks = (
        _ticks(settlement.radius_m, settlement.spacing_m, rng),
        _ticks(settlement.radius_m, settlement.spacing_m, rng),
    )
    out = LineSet()
    for axis in (0, 1):
        for i, fixed in enumerate(ticks[1 - axis]):
            index = i - int(np.searchsorted(ticks[1 - axis], 0.0))
            rank = _rank(index, settlement)
            along = ticks[axis]
            wobble = rng.normal(0, 9.0 if rank <= LineClass.TERTIARY else 0.0, len(along))
            skip = rng.random(len(along)) < _gap_share(rank, settlement)
            for j in range(len(along) - 1):
                if skip[j]:
                    continue
                line = _piece(warp, axis, along[j], along[j + 1], fixed, wobble[j], wobble[j + 1])
                _add_cut(out, line, rank, number, axis, index, terrain, register, settlement)
    ring_rank = LineClass.TRUNK if settlement.kind == "city" else LineClass.TERTIARY
    ring = shapely.LineString(shapely.get_coordinates(settlement.outline.exterior))
    street = register.number(Street(number, 2, ring_rank, 0))
    out.add(shapely.difference(ring, terrain.levees), ring_rank, street)
    out.add(shapely.intersection(ring, terrain.levees), ring_rank, street, bridge=True)
    return out


def _gap_share(rank: LineClass, settlement: Settlement) -> float:
    """How often a stretch of such a street is missing, which makes large blocks (大院) and staggered crossings."""
    if rank >= LineClass.SECONDARY:
        return 0.0
    if settlement.kind != "city":
        return 0.08
    return 0.13 if rank == LineClass.TERTIARY else 0.27


def _piece(warp: _Warp, axis: int, a0: float, a1: float, fixed: float, w0: float, w1: float) -> Any:
    t = np.linspace(0, 1, 5)
    along = a0 + t * (a1 - a0)
    across = fixed + w0 + t * (w1 - w0)
    return shapely.LineString(warp(np.column_stack([along, across] if axis == 0 else [across, along])))


def _add_cut(
    out: LineSet,
    line: Any,
    rank: LineClass,
    number: int,
    axis: int,
    index: int,
    terrain: Terrain,
    register: StreetRegister,
    settlement: Settlement,
) -> None:
    """Clip to the outline; across the river only every second main street goes on, as a bridge."""
    inside = shapely.intersection(line, settlement.outline)
    if inside.is_empty:
        return
    wet = shapely.intersection(inside, terrain.levees)
    dry = shapely.difference(inside, terrain.levees)
    middle = line.interpolate(0.5, normalized=True)
    bank = _bank(terrain, (middle.x, middle.y))
    out.add(dry, rank, register.number(Street(number, axis, rank, index, bank)))
    if not wet.is_empty and axis == 1 and rank == LineClass.PRIMARY:
        out.add(wet, rank, register.number(Street(number, axis, rank, index, "bridge")), bridge=True)


def _bank(terrain: Terrain, xy: tuple[float, float]) -> str:
    """Which side of the river a point lies on: north or south."""
    axis = terrain.river_axis
    distance = axis.project(shapely.Point(xy))
    at, ahead = axis.interpolate(distance), axis.interpolate(distance + 50)
    cross = (ahead.x - at.x) * (xy[1] - at.y) - (ahead.y - at.y) * (xy[0] - at.x)
    return "north" if cross > 0 else "south"
