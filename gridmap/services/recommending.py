"""Who should go: the units on duty, gated with a reason each, then ranked by travel time on the road.

Reading the candidates takes a transaction; asking the routing engine does not hold one.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from geoalchemy2.shape import to_shape
from sqlalchemy import select, text

from gridmap.adapters.valhalla import Valhalla
from gridmap.db.tables import Incident, Unit, UnitLatest
from gridmap.domain.travel import LonLat, Mode
from gridmap.domain.vocab import vocabulary
from gridmap.errors import Conflict, NotFound
from gridmap.services.routing import Arrival, Candidate, Method, Way, rank_by_road, way_to
from gridmap.services.transaction import Tx

MAX_FIX_AGE = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class OnDuty:
    """A unit that could go."""

    unit_id: UUID
    call_sign: str
    kind: str
    mode: str
    place: LonLat
    fixed_at: datetime
    accuracy_m: float | None
    own_grid: bool
    capabilities: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Candidates:
    """Who passed the gates for an incident, and how many did not, by reason."""

    incident_id: UUID
    place: LonLat
    units: tuple[OnDuty, ...]
    excluded: dict[str, int]
    at: datetime


@dataclass(frozen=True, slots=True)
class Pick:
    """One recommended unit. `state` other than "ok" has no time: it is stated, never guessed as 0."""

    unit: OnDuty
    state: str
    seconds: float | None
    distance_m: float | None
    fix_age_s: float
    reasons: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Recommendation:
    """The fastest first; `method` is "straight_line" only while no road graph answers, and `why` says so."""

    method: Method
    why: str | None
    computed_ms: float
    candidates: int
    picks: tuple[Pick, ...]
    excluded: dict[str, int]


def list_candidates(tx: Tx, incident_id: UUID) -> Candidates:
    """Gate every unit in the actor's sight. Raises NotFound, Conflict("incident_not_located")."""
    incident = tx.session.get(Incident, incident_id)
    if incident is None:
        raise NotFound("incident_not_found")
    if incident.geom is None:
        raise Conflict("incident_not_located", number=incident.number)
    point = to_shape(incident.geom)
    needed = frozenset(vocabulary().event_class(incident.class_key).capabilities)
    rows = tx.session.execute(
        text(
            "select u.id, u.call_sign, u.kind, u.mode, u.status, u.capabilities, u.home_area_id,"
            " st_x(l.geom) as lon, st_y(l.geom) as lat, l.fixed_at, l.accuracy_m"
            " from unit u left join unit_latest l on l.unit_id = u.id where u.withdrawn_at is null"
        )
    )
    units: list[OnDuty] = []
    excluded: Counter[str] = Counter()
    for row in rows:
        barred = _barred(row, needed, tx.now)
        if barred is not None:
            excluded[barred] += 1
            continue
        units.append(
            OnDuty(
                unit_id=row.id,
                call_sign=row.call_sign,
                kind=row.kind,
                mode=row.mode,
                place=LonLat(row.lon, row.lat),
                fixed_at=row.fixed_at,
                accuracy_m=row.accuracy_m,
                own_grid=row.home_area_id is not None and row.home_area_id == incident.area_id,
                capabilities=tuple(sorted(needed & set(row.capabilities))),
            )
        )
    return Candidates(incident.id, LonLat(point.x, point.y), tuple(units), dict(excluded), tx.now)


def recommend(candidates: Candidates, router: Valhalla, limit: int = 5) -> Recommendation:
    """The `limit` fastest of the candidates. Holds no transaction."""
    began = time.perf_counter()
    ranking = rank_by_road(
        router,
        [Candidate(unit.unit_id, unit.place, Mode(unit.mode)) for unit in candidates.units],
        candidates.place,
        k=limit,
    )
    by_id = {unit.unit_id: unit for unit in candidates.units}
    arrivals: Sequence[Arrival[UUID]] = (*ranking.fastest, *ranking.without_trip)
    picks = tuple(
        _pick(by_id[arrival.candidate.key], arrival, candidates.at, rank)
        for rank, arrival in enumerate(arrivals[: limit + 3])
    )
    return Recommendation(
        method=ranking.method,
        why=ranking.reason,
        computed_ms=round((time.perf_counter() - began) * 1000, 1),
        candidates=len(candidates.units),
        picks=picks,
        excluded=candidates.excluded,
    )


@dataclass(frozen=True, slots=True)
class Trip:
    """Where a unit starts, where it has to go, and how."""

    start: LonLat
    target: LonLat
    mode: Mode


def find_trip(tx: Tx, incident_id: UUID, unit_id: UUID) -> Trip:
    """Raises NotFound("incident_not_found"), NotFound("unit_not_found"), Conflict("unit_without_position")."""
    incident = tx.session.get(Incident, incident_id)
    unit = tx.session.get(Unit, unit_id)
    if incident is None or incident.geom is None:
        raise NotFound("incident_not_found")
    if unit is None:
        raise NotFound("unit_not_found")
    latest = tx.session.scalars(select(UnitLatest).where(UnitLatest.unit_id == unit_id)).first()
    if latest is None:
        raise Conflict("unit_without_position", call_sign=unit.call_sign)
    start, target = to_shape(latest.geom), to_shape(incident.geom)
    return Trip(LonLat(start.x, start.y), LonLat(target.x, target.y), Mode(unit.mode))


def find_way(router: Valhalla, trip: Trip) -> Way:
    """The way to draw. Holds no transaction."""
    return way_to(router, trip.start, trip.target, trip.mode)


def _barred(row: Any, needed: frozenset[str], now: datetime) -> str | None:
    if row.status != "free":
        return str(row.status)
    if row.lon is None:
        return "no_fix"
    if now - row.fixed_at > MAX_FIX_AGE:
        return "fix_too_old"
    if needed - set(row.capabilities):
        return "lacks_capability"
    return None


def _pick(unit: OnDuty, arrival: Arrival[UUID], at: datetime, rank: int) -> Pick:
    trip = arrival.trip
    reasons: list[dict[str, Any]] = []
    if trip.state == "ok":
        reasons.append({"code": "fastest" if rank == 0 else "rank", "params": {"rank": rank + 1}})
    if unit.own_grid:
        reasons.append({"code": "own_grid", "params": {}})
    if unit.capabilities:
        reasons.append({"code": "capabilities", "params": {"keys": list(unit.capabilities)}})
    return Pick(
        unit=unit,
        state=trip.state,
        seconds=trip.seconds,
        distance_m=trip.distance_m,
        fix_age_s=max(0.0, (at - unit.fixed_at).total_seconds()),
        reasons=tuple(reasons),
    )
