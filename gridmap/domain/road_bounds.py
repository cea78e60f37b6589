"""The roads of a graph as plain arrays, with what is certain about them: the ground for times nobody can beat."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gridmap.domain.travel import Mode

FILE_NAME = "roads.npz"
MODES = tuple(Mode)

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class RoadLines:
    """Straight pieces between the points of the extract's ways, n points and m pieces of w ways.

    Attributes:
        lon, lat: (n,) WGS84 degrees.
        start, end: (m,) points of each piece, in the direction of its way.
        length_m: (m,) a length the engine's own, which is rounded, is never below.
        chain: (m,) the piece between two crossings that it is part of: what is closed is closed whole.
        way: (m,) its way.
        speed_kmh: (4, w) per mode the speed the engine never exceeds on the way; 0 where it never goes.
        sure: (4, w) the engine surely goes there, both ways, without asking for a reason.
        oneway: (w,) 1 along, -1 against, 0 both: for modes that keep to it.
        blocked: (4, n) points (gates, bollards) that may not let a mode through.
    """

    lon: Floats
    lat: Floats
    start: Ints
    end: Ints
    length_m: Floats
    chain: Ints
    way: Ints
    speed_kmh: Floats
    sure: Flags
    oneway: NDArray[np.int8]
    blocked: Flags

    def save(self, path: Path) -> None:
        np.savez(path, **{field.name: getattr(self, field.name) for field in fields(self)})

    @classmethod
    def load(cls, path: Path) -> RoadLines:
        with np.load(path, allow_pickle=False) as stored:
            return cls(**{field.name: stored[field.name] for field in fields(cls)})
