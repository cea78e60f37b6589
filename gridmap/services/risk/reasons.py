"""The colour of an area and why, as codes with parameters: the screens make sentences of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from gridmap.domain.lifecycle import active_statuses
from gridmap.domain.risk_rules import RiskLevel, RiskRules
from gridmap.risk.area_list import AreaRisk
from gridmap.services.risk.compute import LevelList
from gridmap.services.risk.ground import RunGround
from gridmap.services.transaction import Tx

_HAZARDS = "S1"

_UNDER = "scope_path <@ cast(:path as ltree)"
_OPEN_HAZARDS = text(
    f"select scope_path::text as path, count(*) as n from incident where {_UNDER} and status = any(:open)"
    " and split_part(class_key, '.', 1) = :hazards and not restricted and not drill and withdrawn_at is null"
    " and (batch_id is null or batch_id <> all ((select hidden_batches())::uuid[])) group by 1"
)
_CAMERAS = text(
    f"select scope_path::text as path, count(*) as n from camera where {_UNDER} and withdrawn_at is null group by 1"
)
_ROUTES = text(
    "select v.area_id, count(*) as n from feature f join area_version v"
    " on st_intersects(f.geom, v.geom) and v.path <@ cast(:path as ltree) and v.valid @> cast(:now as timestamptz)"
    " where f.layer = 'routes' and f.withdrawn_at is null group by 1"
)


@dataclass(frozen=True, slots=True)
class Ground:
    """What is known of areas beside their incidents, by area id."""

    hazards: Counter[int]
    cameras: Counter[int]
    routes: Counter[int]


def read_beside(tx: Tx, ground: RunGround) -> Ground:
    """Open hazards, cameras and patrol routes of every area below the run's."""
    place = {"path": ground.area.path, "now": tx.now}
    hazards = tx.session.execute(
        _OPEN_HAZARDS, {**place, "open": sorted(active_statuses("incident")), "hazards": _HAZARDS}
    )
    cameras = tx.session.execute(_CAMERAS, place)
    routes = tx.session.execute(_ROUTES, place)
    return Ground(_rolled_up(hazards), _rolled_up(cameras), Counter({row.area_id: row.n for row in routes}))


def _rolled_up(rows: Any) -> Counter[int]:
    found: Counter[int] = Counter()
    for row in rows:
        for label in row.path.split(".") if row.path else ():
            found[int(label)] += row.n
    return found


def mean_density(listed: LevelList) -> float:
    """Expected incidents per km2 over all areas of the level."""
    return sum(row.expected for row in listed.rows) / max(float(listed.level.areas.km2.sum()), 1e-9)


def colour(row: AreaRisk, mean: float, rules: RiskRules) -> tuple[RiskLevel, float]:
    """The colour, and how many times the mean density of its level the area's is."""
    ratio = row.per_km2 / mean if mean > 0 else 0.0
    return rules.colour_of(ratio, row.expected), ratio


def reasons_of(row: AreaRisk, ratio: float, of: int, area_id: int, beside: Ground) -> list[dict[str, Any]]:
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
