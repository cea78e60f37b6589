"""What is remembered of one unit between its positions."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from gridmap.positions.fence_index import Sight
from gridmap.positions.fence_model import Sample
from gridmap.positions.fence_rule import Run
from gridmap.positions.fence_visits import Visit


@dataclass(frozen=True, slots=True)
class Clear:
    """A place around which no border lies within `radius_m`, and the fences (numbers of that book) that hold it."""

    x_m: float
    y_m: float
    radius_m: float
    inside: tuple[int, ...]
    stamp: str

    def covers(self, x_m: float, y_m: float, reach_m: float) -> bool:
        return math.hypot(x_m - self.x_m, y_m - self.y_m) + reach_m < self.radius_m

    def sight(self) -> Sight:
        return Sight(dict.fromkeys(self.inside, (True, math.inf)), self.radius_m)


@dataclass(slots=True)
class UnitState:
    """All that is remembered of one unit; plain values in and out, so that it can be stored between batches.

    Attributes:
        kind: the unit's kind, against `Fence.unit_kinds`.
        last: the newest sample.
        area_id: the grid (leaf of the area tree) the unit is taken to be in.
        wake_at: until when nothing is told of a unit that stays clear; None while something is in doubt.
    """

    kind: str = ""
    last: Sample | None = None
    area_id: int | None = None
    visits: dict[UUID, Visit] = field(default_factory=dict)
    area_run: Run | None = None
    clear: Clear | None = None
    wake_at: datetime | None = None

    def memory(self) -> dict[str, Any]:
        """What the rule rests on, as plain values: all but the hints that save looking up. Two states of equal memory
        are followed by equal events."""
        told = self.as_json()
        return {name: told[name] for name in ("last", "area", "area_run", "visits")}

    def as_json(self) -> dict[str, Any]:
        last, run, clear = self.last, self.area_run, self.clear
        return {
            "last": None
            if last is None
            else [last.unit_id.hex, last.x_m, last.y_m, last.at.isoformat(), last.accuracy_m],
            "area": self.area_id,
            "area_run": None if run is None else [run.since.isoformat(), run.fixes, run.total, run.last],
            "visits": [visit.as_json() for _, visit in sorted(self.visits.items())],
            "clear": None
            if clear is None
            else [clear.x_m, clear.y_m, clear.radius_m, list(clear.inside), clear.stamp],
            "wake": None if self.wake_at is None else self.wake_at.isoformat(),
        }

    @classmethod
    def from_json(cls, kind: str, told: dict[str, Any]) -> UnitState:
        last, run, clear, wake = told["last"], told["area_run"], told["clear"], told["wake"]
        visits = [Visit.from_json(row) for row in told["visits"]]
        return cls(
            kind=kind,
            last=None
            if last is None
            else Sample(UUID(last[0]), last[1], last[2], datetime.fromisoformat(last[3]), last[4]),
            area_id=told["area"],
            visits={visit.fence_id: visit for visit in visits},
            area_run=None if run is None else Run(datetime.fromisoformat(run[0]), *run[1:]),
            clear=None if clear is None else Clear(clear[0], clear[1], clear[2], tuple(clear[3]), clear[4]),
            wake_at=None if wake is None else datetime.fromisoformat(wake),
        )
