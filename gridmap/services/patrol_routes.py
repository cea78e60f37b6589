"""Patrol routes as lines: which legs somebody on duty came by on a day. No mileage, no count, nobody's name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np
import shapely
from geoalchemy2.shape import to_shape
from shapely.geometry import LineString, MultiLineString, shape
from shapely.geometry.base import BaseGeometry
from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert

from gridmap.clock import Clock
from gridmap.db.engine import Database
from gridmap.db.tables import Feature, RouteCover, RouteCoverMark
from gridmap.domain.ids import new_id
from gridmap.domain.metric import LocalMetric
from gridmap.domain.patrol_legs import MAX_ACCURACY_M, REACH_M, Window, cut, legs_passed
from gridmap.errors import Conflict, Invalid, NotFound, TooLarge
from gridmap.services.areas import locate
from gridmap.services.auditing import audit
from gridmap.services.outbox import publish
from gridmap.services.transaction import Tx, system_transaction

LAYER = "routes"
DRAWN = "drawn"
MAX_ROUTES = 2_000
MAX_POINTS = 2_000
MAX_DAYS = 31
MAX_NAME = 100
MIN_LENGTH_DEG = 1e-4


@dataclass(frozen=True)
class DayCover:
    """How much of a route somebody came by on a day; `share` is of its length, 0 to 1."""

    day: date
    legs: int
    covered: int
    share: float


@dataclass(frozen=True)
class RouteRow:
    """A route with the days asked for, each of them listed, also those on which nobody came by."""

    id: UUID
    name: str | None
    window: str | None
    reach_m: float
    drawn: bool
    line: BaseGeometry
    days: tuple[DayCover, ...]


@dataclass(frozen=True)
class RouteLegs:
    """A route's legs on one day, WGS84, and which of them are covered."""

    legs: tuple[BaseGeometry, ...]
    covered: frozenset[int]


def list_routes(tx: Tx, metric: LocalMetric, *, since: date, until: date) -> list[RouteRow]:
    """Routes in sight by name. Raises Invalid("span_out_of_range") over a month."""
    days = (until - since).days + 1
    if not 1 <= days <= MAX_DAYS:
        raise Invalid("span_out_of_range", most_days=MAX_DAYS)
    routes = _routes(tx)
    found = {
        (row.feature_id, row.day): row
        for row in tx.session.scalars(
            select(RouteCover).where(
                RouteCover.day.between(since, until), RouteCover.feature_id.in_([row.id for row in routes])
            )
        )
    }
    return [_row(route, metric, [since + timedelta(days=n) for n in range(days)], found) for route in routes]


def get_legs(tx: Tx, metric: LocalMetric, route_id: UUID, day: date) -> RouteLegs:
    """Raises NotFound("route_not_found")."""
    route = _get(tx, route_id)
    legs = cut(metric.to_plane(_line(route)))
    cover = tx.session.get(RouteCover, (route_id, day))
    covered = cover.covered if cover is not None and cover.legs == len(legs) else []
    return RouteLegs(tuple(metric.to_degrees(leg) for leg in legs), frozenset(covered))


def draw(
    tx: Tx, *, name: str, geometry: dict[str, Any], window: str | None = None, reach_m: float = REACH_M
) -> Feature:
    """A new route. Raises Invalid for a shape that is no line, TooLarge, Conflict("outside_every_area")."""
    tx.actor.require("route.edit")
    if not name.strip() or len(name) > MAX_NAME:
        raise Invalid("name_length", max_length=MAX_NAME)
    Window.parse(window)
    line = _checked(geometry)
    middle = line.interpolate(0.5, normalized=True)
    place = locate(tx.session, middle.x, middle.y, tx.now)
    if not place.path:
        raise Conflict("outside_every_area")
    route = Feature(
        id=new_id(),
        layer=LAYER,
        source=DRAWN,
        ref=str(new_id()),
        name=name.strip(),
        area_id=place.area_id,
        scope_path=place.path,
        props={"kind": "patrol", "window": window, "reach_m": reach_m},
        geom=f"SRID=4326;{line.wkt}",
    )
    tx.session.add(route)
    tx.session.flush()
    tx.session.expire(route, ["geom"])
    audit(tx, "route.draw", "feature", route.id)
    _tell(tx)
    return route


def withdraw(tx: Tx, route_id: UUID) -> None:
    """A drawn route is walked no more; what was covered stays known. Raises Conflict("route_is_imported")."""
    tx.actor.require("route.edit")
    route = _get(tx, route_id)
    if route.source != DRAWN:
        raise Conflict("route_is_imported")
    route.withdrawn_at = tx.now
    tx.session.flush()
    audit(tx, "route.withdraw", "feature", route.id)
    _tell(tx)


@dataclass
class RouteWatch:
    """Compares new positions with the routes; run by the worker. The work is outside the writing transaction."""

    database: Database
    clock: Clock
    metric: LocalMetric
    most: int = 200_000

    def turn(self) -> int:
        """Take up what was received since the last turn. Returns how many positions were looked at."""
        with system_transaction(self.database, self.clock) as tx:
            mark = tx.session.get(RouteCoverMark, 1)
            if mark is None:
                # What came before anybody watched is not looked up afterwards.
                tx.session.add(RouteCoverMark(id=1, received_until=tx.now))
                return 0
            until = _settled(tx)
            since = mark.received_until
            if until <= since:
                return 0
            routes, zone = _routes(tx, everywhere=True), tx.zone
            rows = tx.session.execute(
                _FIXES, {"since": since, "until": until, "most_m": MAX_ACCURACY_M, "most": self.most}
            ).all()
        passed: dict[tuple[UUID, date], set[int]] = {}
        counts: dict[UUID, int] = {}
        if routes and rows:
            legs, reach_m, owners = _cut_all(routes, self.metric, counts)
            x_m, y_m = self.metric.forward([row.lon for row in rows], [row.lat for row in rows])
            windows = {route.id: Window.parse(route.props.get("window")) for route in routes}
            for point, leg in legs_passed(legs, reach_m, shapely.points(x_m, y_m)).T.tolist():
                route_id, number = owners[leg]
                at: datetime = rows[point].fixed_at
                window = windows[route_id]
                if window is None or window.holds(at, zone):
                    passed.setdefault((route_id, at.astimezone(zone).date()), set()).add(number)
        with system_transaction(self.database, self.clock) as tx:
            for (route_id, day), numbers in sorted(passed.items()):
                _add(tx, route_id, day, counts[route_id], numbers)
            tx.session.get_one(RouteCoverMark, 1).received_until = until
        return len(rows)


_FIXES = text(
    "select st_x(geom) as lon, st_y(geom) as lat, fixed_at from fix"
    " where received_at > :since and received_at <= :until and coalesce(accuracy_m, 0) <= :most_m limit :most"
)
# Positions wait in batches first; what is younger than the oldest that waits may still be on its way here.
_SETTLED = text(
    "select least(cast(:now as timestamptz) - interval '10 seconds',"
    " (select min(received_at) - interval '1 millisecond' from fix_batch where set_aside_at is null))"
)


def _settled(tx: Tx) -> datetime:
    until: datetime = tx.session.execute(_SETTLED, {"now": tx.now}).scalar_one()
    return until


def _cut_all(
    routes: Sequence[Feature], metric: LocalMetric, counts: dict[UUID, int]
) -> tuple[Any, Any, list[tuple[UUID, int]]]:
    legs: list[LineString] = []
    reach_m: list[float] = []
    owners: list[tuple[UUID, int]] = []
    for route in routes:
        own = cut(metric.to_plane(_line(route)))
        counts[route.id] = len(own)
        legs += own
        reach_m += [_reach_m(route)] * len(own)
        owners += [(route.id, number) for number in range(len(own))]
    return np.array(legs, dtype=object), np.array(reach_m), owners


def _add(tx: Tx, route_id: UUID, day: date, legs: int, numbers: set[int]) -> None:
    before = tx.session.get(RouteCover, (route_id, day))
    if before is not None and before.legs == legs:
        numbers = numbers | set(before.covered)
    row = {"legs": legs, "covered": sorted(numbers), "updated_at": tx.now}
    statement = insert(RouteCover).values(feature_id=route_id, day=day, **row)
    tx.session.execute(statement.on_conflict_do_update(index_elements=["feature_id", "day"], set_=row))


def _row(
    route: Feature, metric: LocalMetric, days: Sequence[date], found: dict[tuple[UUID, date], RouteCover]
) -> RouteRow:
    line = _line(route)
    legs = len(cut(metric.to_plane(line)))
    covers = []
    for day in days:
        cover = found.get((route.id, day))
        covered = len(cover.covered) if cover is not None and cover.legs == legs else 0
        covers.append(DayCover(day, legs, covered, round(covered / legs, 4)))
    return RouteRow(
        id=route.id,
        name=route.name,
        window=route.props.get("window"),
        reach_m=_reach_m(route),
        drawn=route.source == DRAWN,
        line=line,
        days=tuple(covers),
    )


def _routes(tx: Tx, *, everywhere: bool = False) -> list[Feature]:
    statement = (
        select(Feature)
        .where(Feature.layer == LAYER, Feature.withdrawn_at.is_(None))
        .order_by(Feature.name, Feature.id)
    )
    found = list(tx.session.scalars(statement if everywhere else statement.limit(MAX_ROUTES)))
    return [route for route in found if isinstance(_line(route), LineString | MultiLineString)]


def _get(tx: Tx, route_id: UUID) -> Feature:
    route = tx.session.get(Feature, route_id)
    if route is None or route.layer != LAYER or route.withdrawn_at is not None:
        raise NotFound("route_not_found")
    return route


def _line(route: Feature) -> BaseGeometry:
    return to_shape(route.geom)


def _reach_m(route: Feature) -> float:
    return float(route.props.get("reach_m") or REACH_M)


def _checked(geometry: dict[str, Any]) -> LineString:
    if geometry.get("type") != "LineString" or not isinstance(geometry.get("coordinates"), list):
        raise Invalid("geometry_not_a_line")
    if len(geometry["coordinates"]) > MAX_POINTS:
        raise TooLarge("too_many_points", most=MAX_POINTS)
    try:
        line = shape(geometry)
    except (ValueError, TypeError, shapely.errors.GEOSException) as error:
        raise Invalid("geometry_not_a_line") from error
    west, south, east, north = line.bounds if not line.is_empty else (0.0, 0.0, 0.0, 0.0)
    if (
        line.has_z
        or line.length < MIN_LENGTH_DEG
        or not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90)
    ):
        raise Invalid("geometry_not_a_line")
    return line


def _tell(tx: Tx) -> None:
    version = tx.session.scalar(text("select routes_changed()"))
    publish(tx, "layer_changed", {"layer": LAYER, "version": version}, path="")
