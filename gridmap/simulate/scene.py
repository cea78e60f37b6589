"""What a replay works on: calls, units and places, as plain arrays."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from gridmap.simulate.streets import Floats, Ints

Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Calls:
    """What happens, in order of time. Arrays of n.

    Attributes:
        at_s: seconds from the period's start.
        place: number of the place.
        severity: 1 (critical) to 4.
        need: row of `Units.able`.
        turnout_s, work_s: from sending to leaving, and on the scene; drawn beforehand, so that every policy meets
            the same fate.
        area: number of the leaf area, -1 outside.
        lonlat: (n, 2) degrees.
    """

    at_s: Floats
    place: Ints
    severity: Ints
    need: Ints
    turnout_s: Floats
    work_s: Floats
    area: Ints
    lonlat: Floats

    def __len__(self) -> int:
        return len(self.at_s)


@dataclass(frozen=True, slots=True)
class Units:
    """Who can be sent. Arrays of m.

    Attributes:
        kind: number of the unit kind. mode: number of `Mode` in its order.
        able: (needs, m) whether the unit meets each need.
        on_duty: (m, 24) by local hour.
        stands: (m, k) places where it is while free, one after the other, each for `stand_s`.
        area: number of the leaf area it is bound to, -1 for none.
        lonlat: (places, 2) degrees of all places, for the straight line.
    """

    kind: Ints
    mode: Ints
    able: Bools
    on_duty: Bools
    stands: Ints
    area: Ints
    lonlat: Floats
    stand_s: float = 1800.0

    def __len__(self) -> int:
        return len(self.kind)


@dataclass(frozen=True, slots=True)
class Period:
    """The time replayed. `start` is aware, in the site's zone; `starts_at_hour` is its local hour of the day."""

    start: datetime
    days: float

    @property
    def starts_at_hour(self) -> float:
        return self.start.hour + self.start.minute / 60 + self.start.second / 3600

    @property
    def length_s(self) -> float:
        return self.days * 86_400.0
