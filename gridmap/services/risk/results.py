"""What a run says, before it is kept: one result a class group."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from gridmap.domain.risk_rules import ClassGroup
from gridmap.risk.area_list import AreaRisk
from gridmap.risk.arrays import Bools, Floats
from gridmap.risk.forecast import Forecast
from gridmap.services.risk.ground import RunLevel
from gridmap.services.risk.pictures import Picture, Step


@dataclass(frozen=True)
class LevelList:
    """The list of one level; `weighted` expected incidents of average severity by code, {} without weights."""

    level: RunLevel
    rows: tuple[AreaRisk, ...]
    weighted: dict[str, float]
    top_classes: dict[str, list[dict[str, Any]]]


@dataclass(frozen=True)
class Patrols:
    """Proposed patrols by code of an area of `level`: "hot" or "outside"; the lot's `seed` and the share it served."""

    level: str
    outside_share: float
    seed: int
    areas: dict[str, str]

    def as_json(self) -> dict[str, Any]:
        return {
            "level": self.level, "outside_share": self.outside_share, "seed": self.seed, "count": len(self.areas),
            "outside": sum(one == "outside" for one in self.areas.values()),
        }  # fmt: skip


@dataclass(frozen=True)
class GroupResult:
    """What a run says of one class group; without a forecast `refused` says why and all else is empty."""

    group: ClassGroup
    refused: dict[str, Any] | None = None
    found: Forecast | None = None
    per_km2_week: Floats | None = None
    shown: Bools | None = None
    weighted: Floats | None = None
    picture: Picture | None = None
    weighted_picture: Picture | None = None
    legend: tuple[Step, ...] = ()
    hot: dict[str, Any] | None = None
    scores: dict[str, Any] = field(default_factory=dict)
    lists: tuple[LevelList, ...] = ()
    patrols: Patrols | None = None
    figures: dict[str, Any] = field(default_factory=dict)
    cautions: tuple[dict[str, Any], ...] = ()
