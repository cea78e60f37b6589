"""The colour of an area and why, as codes with parameters: the screens make sentences of them."""

from __future__ import annotations

from typing import Any

from gridmap.domain.risk_rules import RiskLevel, RiskRules
from gridmap.risk.area_list import AreaRisk
from gridmap.services.risk.beside import Beside
from gridmap.services.risk.results import LevelList


def mean_density(listed: LevelList) -> float:
    """Expected incidents per km2 over all areas of the level."""
    return sum(row.expected for row in listed.rows) / max(float(listed.level.areas.km2.sum()), 1e-9)


def colour(row: AreaRisk, mean: float, rules: RiskRules) -> tuple[RiskLevel, float]:
    """The colour, and how many times the mean density of its level the area's is."""
    ratio = row.per_km2 / mean if mean > 0 else 0.0
    return rules.colour_of(ratio, row.expected), ratio


def reasons_of(row: AreaRisk, ratio: float, of: int, area_id: int, beside: Beside) -> list[dict[str, Any]]:
    """Why the area stands where it stands, the weightiest first."""
    found: list[dict[str, Any]] = [
        {"code": "density", "params": {"times": round(ratio, 2)}},
        {"code": "rank", "params": {"rank": row.rank, "of": of, "low": row.rank_low, "high": row.rank_high}},
    ]
    if row.trend.real:
        code = "rising" if row.trend.ratio > 1 else "falling"
        found.append(
            {"code": code, "params": {"recent": row.trend.recent, "usual": round(row.trend.expected, 1)}}
        )
    if row.top_hours:
        found.append({"code": "hours", "params": {"hours": list(row.top_hours)}})
    if beside.hazards[area_id]:
        found.append({"code": "hazards", "params": {"count": beside.hazards[area_id]}})
    if not beside.cameras[area_id]:
        found.append({"code": "no_camera", "params": {}})
    if not beside.routes[area_id]:
        found.append({"code": "no_route", "params": {}})
    if row.found_share > 0.3:
        found.append({"code": "found_by_patrol", "params": {"share": round(row.found_share, 2)}})
    if row.known == 0:
        found.append({"code": "no_history", "params": {}})
    return found
