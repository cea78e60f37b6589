"""What the builders of blocks hand over: buildings, small ways, points and joints with the street network."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gridmap.demo.district.linework import Floats


@dataclass
class Building:
    """One house. `ring` (5, 2): four corners, closed, district metres; `flats` is the number of households."""

    ring: Floats
    kind: str
    levels: int
    flats: int
    block: int
    compound: int = -1
    name: str = ""
    name_en: str = ""
    street: int = -1
    number: str = ""
    amenity: str = ""


def centres_of(buildings: list[Building]) -> Floats:
    """Middle of each house, (n, 2)."""
    return np.asarray(np.stack([b.ring for b in buildings])[:, :4].mean(axis=1))


@dataclass
class Compound:
    """A walled estate (小区): its block, its gates and the inner street that may divide it into grids."""

    number: int
    block: int
    kind: str
    gates: list[tuple[float, float]]
    name: str = ""
    name_en: str = ""


@dataclass(frozen=True)
class Division:
    """Where a populous block may be cut into grids: the crossing of its inner streets and their direction."""

    block: int
    crossing: tuple[float, float]
    angle_rad: float


@dataclass
class Way:
    """A line or closed area with OSM tags; coordinates (n, 2) in district metres."""

    xy: Floats
    tags: dict[str, str]


@dataclass
class Drawing:
    """Everything inside the blocks. `joints`: points that must become vertices of a street edge (edge -> points)."""

    buildings: list[Building] = field(default_factory=list)
    compounds: list[Compound] = field(default_factory=list)
    ways: list[Way] = field(default_factory=list)
    points: list[tuple[tuple[float, float], dict[str, str]]] = field(default_factory=list)
    divisions: list[Division] = field(default_factory=list)
    joints: dict[int, list[tuple[float, float]]] = field(default_factory=dict)

    def way(self, xy: Any, **tags: str) -> None:
        """Add a way; tag keys write ':' as '__'."""
        self.ways.append(
            Way(np.asarray(xy, dtype=np.float64), {k.replace("__", ":"): v for k, v in tags.items()})
        )

    def point(self, xy: tuple[float, float], **tags: str) -> None:
        """Add a tagged point; equal coordinates merge with a way's vertex."""
        self.points.append(((float(xy[0]), float(xy[1])), {k.replace("__", ":"): v for k, v in tags.items()}))
