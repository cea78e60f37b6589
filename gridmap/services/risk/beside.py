"""What is known of areas beside their incidents: open hazards, cameras and patrols there, and who could suffer."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import numpy as np
import shapely
from sqlalchemy import text

from gridmap.domain.lifecycle import active_statuses
from gridmap.domain.metric import LocalMetric
from gridmap.domain.patrol_legs import REACH_M, cut
from gridmap.domain.risk_rules import ExposureRule, RiskRules
from gridmap.domain.vocab import vocabulary_dir
from gridmap.errors import Misconfigured
from gridmap.services.risk.ground import RunGround
from gridmap.services.transaction import Tx

_HAZARDS = "S1"
_WALKED_D = 28
_WHOLE_CIRCLE = 360.0
_BLIND = ("offline", "fault")

_UNDER = "scope_path <@ cast(:path as ltree)"
_OPEN_HAZARDS = text(
    f"select scope_path::text as path, count(*) as n from incident where {_UNDER} and status = any(:open)"
    " and split_part(class_key, '.', 1) = :hazards and not restricted and not drill and withdrawn_at is null"
    " and (batch_id is null or batch_id <> all ((select hidden_batches())::uuid[])) group by 1"
)
_CAMERAS = text(
    "select scope_path::text as path, st_x(geom) as lon, st_y(geom) as lat, heading_deg, fov_deg, range_m, status"
    f" from camera where {_UNDER} and withdrawn_at is null order by id"
)
_ROUTES = text(
    "select f.id, st_asbinary(f.geom) as line, coalesce((f.props->>'reach_m')::float8, :reach) as reach_m"
    " from feature f join area_version v on v.path = cast(:path as ltree) and v.valid @> cast(:now as timestamptz)"
    " and st_intersects(f.geom, v.geom) where f.layer = 'routes' and f.withdrawn_at is null"
    " and st_dimension(f.geom) = 1 order by f.id"
)
_WALKED = text(
    "select feature_id, legs, covered from route_cover where day > :since and feature_id = any(:routes)"
)
_HOMES = text(
    "select v.path::text as path, sum(b.households) as n from building b"
    " join area_version v on v.is_leaf and v.path <@ cast(:path as ltree) and v.valid @> cast(:now as timestamptz)"
    " join area a on a.id = v.area_id and a.tree = 'admin'"
    " where b.withdrawn_at is null and b.households is not null and b.geom && v.geom"
    " and st_contains(v.geom, st_centroid(b.geom)) group by 1"
)


@dataclass(frozen=True, slots=True)
class Beside:
    """By area id. `exposure`, `camera_cover`, `route_cover` and `walked` have no entry where nobody knows."""

    hazards: Counter[int]
    cameras: Counter[int]
    routes: Counter[int]
    exposure: dict[int, float]
    camera_cover: dict[int, float]
    route_cover: dict[int, float]
    walked: dict[int, float]


def read_beside(tx: Tx, ground: RunGround, rules: RiskRules) -> Beside:
    """Everything of every listed area. Covers are shares of ground, without walls, hills or leaves between.

    Raises Misconfigured("risk_exposure_broken") where the named file does not read.
    """
    place = {"path": ground.area.path, "now": tx.now}
    hazards = tx.session.execute(
        _OPEN_HAZARDS, {**place, "open": sorted(active_statuses("incident")), "hazards": _HAZARDS}
    )
    cameras = tx.session.execute(_CAMERAS, place).all()
    routes = tx.session.execute(_ROUTES, {**place, "reach": REACH_M}).all()
    lines = [ground.metric.to_plane(shapely.from_wkb(bytes(row.line))) for row in routes]
    reached = [shapely.buffer(line, row.reach_m) for line, row in zip(lines, routes, strict=True)]
    legs = [cut(line) for line in lines]
    come_by = _come_by(tx, [row.id for row in routes], [len(one) for one in legs])
    route_count: Counter[int] = Counter()
    route_cover: dict[int, float] = {}
    walked: dict[int, float] = {}
    seen = _sights(cameras, ground.metric)
    camera_cover: dict[int, float] = {}
    for level in ground.levels:
        ids, shapes = [row.id for row in level.rows], level.areas.shapes
        route_count.update(ids[area] for area in _meeting(shapes, lines)[0])
        route_cover |= _shares(ids, shapes, reached) if reached else {}
        walked |= _walked(ids, shapes, legs, come_by)
        camera_cover |= _shares(ids, shapes, seen) if seen else {}
    return Beside(
        _rolled_up((row.path, row.n) for row in hazards),
        _rolled_up((row.path, 1) for row in cameras),
        route_count,
        _exposure(tx, ground, rules.exposure),
        camera_cover,
        route_cover,
        walked,
    )


def _rolled_up(rows: Iterable[tuple[str, int]]) -> Counter[int]:
    found: Counter[int] = Counter()
    for path, count in rows:
        for label in path.split(".") if path else ():
            found[int(label)] += count
    return found


def _meeting(shapes: Any, pieces: list[Any]) -> tuple[list[int], list[int]]:
    """Pairs of an area and a piece that touch."""
    if not pieces:
        return [], []
    piece, area = shapely.STRtree(shapes).query(np.array(pieces, dtype=object), predicate="intersects")
    return area.tolist(), piece.tolist()


def _shares(ids: list[int], shapes: Any, pieces: list[Any]) -> dict[int, float]:
    """Of each area, the share of its ground that lies in any of the pieces."""
    inside: dict[int, list[Any]] = {}
    for area, piece in zip(*_meeting(shapes, pieces), strict=True):
        inside.setdefault(area, []).append(pieces[piece])
    return {
        area_id: round(min(_area_of(inside.get(at, []), shapes[at]) / shapes[at].area, 1.0), 4)
        for at, area_id in enumerate(ids)
    }


def _area_of(pieces: list[Any], shape: Any) -> float:
    return (
        float(shapely.union_all(shapely.intersection(np.array(pieces, dtype=object), shape)).area)
        if pieces
        else 0.0
    )


def _sights(cameras: Any, metric: LocalMetric) -> list[Any]:
    """What each camera that works and states its range looks over: a circle, or the sector of its lens."""
    found = []
    for row in cameras:
        if not row.range_m or row.status in _BLIND:
            continue
        x_m, y_m = (float(value) for value in metric.forward(row.lon, row.lat))
        if row.heading_deg is None or row.fov_deg is None or row.fov_deg >= _WHOLE_CIRCLE:
            found.append(shapely.Point(x_m, y_m).buffer(row.range_m))
            continue
        turn = np.radians(row.heading_deg + np.linspace(-row.fov_deg / 2, row.fov_deg / 2, 13))
        edge = np.column_stack([x_m + row.range_m * np.sin(turn), y_m + row.range_m * np.cos(turn)])
        found.append(shapely.Polygon([(x_m, y_m), *edge]))
    return found


def _come_by(tx: Tx, routes: list[UUID], counts: list[int]) -> list[set[int]]:
    """The legs of each route that somebody on duty came by of late."""
    since = tx.now.astimezone(tx.zone).date() - timedelta(days=_WALKED_D)
    place = {route: at for at, route in enumerate(routes)}
    found: list[set[int]] = [set() for _ in routes]
    for row in tx.session.execute(_WALKED, {"since": since, "routes": routes}):
        at = place[row.feature_id]
        # A route that was drawn anew since has other legs.
        if row.legs == counts[at]:
            found[at] |= set(row.covered)
    return found


def _walked(ids: list[int], shapes: Any, legs: list[list[Any]], come_by: list[set[int]]) -> dict[int, float]:
    whole: Counter[int] = Counter()
    done: Counter[int] = Counter()
    flat = [
        (leg, number in come_by[route])
        for route, pieces in enumerate(legs)
        for number, leg in enumerate(pieces)
    ]
    for area, leg in zip(*_meeting(shapes, [piece for piece, _ in flat]), strict=True):
        length = float(shapely.intersection(flat[leg][0], shapes[area]).length)
        whole[ids[area]] += length  # type: ignore[assignment]
        done[ids[area]] += length if flat[leg][1] else 0  # type: ignore[assignment]
    return {area_id: round(done[area_id] / length, 4) for area_id, length in whole.items() if length > 0}


def _exposure(tx: Tx, ground: RunGround, rule: ExposureRule | None) -> dict[int, float]:
    if rule is None:
        return {}
    if rule.file is not None:
        told = _read_file(rule.file)
        return {row.id: told[row.code] for level in ground.levels for row in level.rows if row.code in told}
    homes = tx.session.execute(_HOMES, {"path": ground.area.path, "now": tx.now}).all()
    found = _rolled_up((row.path, int(row.n)) for row in homes)
    # Where not one building is counted there is nothing to divide by, and an area without homes has none.
    return {row.id: float(found[row.id]) for level in ground.levels for row in level.rows} if found else {}


def _read_file(name: str) -> dict[str, float]:
    """A CSV beside risk.toml: code of an area of any listed level, count."""
    path = vocabulary_dir() / name
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            told = {row["code"].strip(): float(row["count"]) for row in csv.DictReader(lines)}
    except (OSError, KeyError, ValueError, AttributeError) as error:
        raise Misconfigured("risk_exposure_broken", file=name, reason=repr(error)) from error
    if bad := [code for code, count in told.items() if not (np.isfinite(count) and count >= 0)]:
        raise Misconfigured("risk_exposure_broken", file=name, reason=f"{bad[0]}: {told[bad[0]]}")
    return told
