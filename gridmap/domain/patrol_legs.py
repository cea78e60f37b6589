"""A patrol route cut into legs, and which of them somebody came by. Where, never who or how far."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import LineString
from shapely.ops import substring

from gridmap.errors import Invalid

LEG_M = 100.0
REACH_M = 30.0
# A position that may be a street away proves nothing.
MAX_ACCURACY_M = 50.0


@dataclass(frozen=True, slots=True)
class Window:
    """The hours of a day in which walking counts; from later than until goes over midnight."""

    since: time
    until: time

    @classmethod
    def parse(cls, text: str | None) -> Window | None:
        """From "08:00-20:00"; None stands for the whole day. Raises Invalid("window_not_valid")."""
        if not text:
            return None
        try:
            first, last = (time.fromisoformat(part.strip()) for part in text.split("-"))
        except ValueError as error:
            raise Invalid("window_not_valid", given=text) from error
        return cls(first, last)

    def holds(self, at: datetime, zone: ZoneInfo) -> bool:
        local = at.astimezone(zone).time()
        if self.since <= self.until:
            return self.since <= local < self.until
        return local >= self.since or local < self.until


def cut(line_m: Any, leg_m: float = LEG_M) -> list[LineString]:
    """Legs of equal length, at most `leg_m`, of a line or its parts in metres, in their order."""
    legs: list[LineString] = []
    for part in shapely.get_parts(line_m):
        count = max(1, int(np.ceil(part.length / leg_m)))
        step = part.length / count
        legs += [substring(part, n * step, (n + 1) * step) for n in range(count)]
    return legs


def legs_passed(
    legs: NDArray[Any], reach_m: NDArray[np.float64], points_m: NDArray[Any]
) -> NDArray[np.int64]:
    """Pairs (2, n) of point and leg where the point lies within the leg's reach. All in metres of one plane."""
    if len(legs) == 0 or len(points_m) == 0:
        return np.empty((2, 0), dtype=np.int64)
    tree = shapely.STRtree(legs)
    pairs = tree.query(points_m, predicate="dwithin", distance=float(reach_m.max()))
    near = shapely.distance(points_m[pairs[0]], legs[pairs[1]]) <= reach_m[pairs[1]]
    return np.asarray(pairs[:, near], dtype=np.int64)
