"""Who should go: the units on duty, gated with a reason each, then ranked by travel time on the road.

Reading the candidates takes a transaction; asking the routing engine does not hold one.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from geoalchemy2.shape import to_shape
from sqlalchemy import select, text

from gridmap.adapters.valhalla import Valhalla
from gridmap.db.tables import Incident, Unit, UnitLatest
from gridmap.domain.closures import ALL_OPEN, Closures
from gridmap.domain.travel import LonLat, Mode
from gridmap.errors import Conflict, NotFound
from gridmap.services import closures
from gridmap.services.gates import (
    MAX_FIX_AGE,
    Away,
    Barred,
    Gates,
    UnitFacts,
    bars,
    diverted_from,
    gates_of,
    list_jobs,
    list_last_ends,
)
from gridmap.services.routing import Arrival, Candidate, Method, RoadRanking, Way, rank_by_road, way_to
from gridmap.services.transaction import Tx

__all__ = ["MAX_FIX_AGE", "Candidates", "OnDuty", "Pick", "Recommendation", "list_candidates", "recommend"]

# How many without a way are told beside the picks.
_WITHOUT_WAY_TOLD = 3


@dataclass(frozen=True, slots=True)
class OnDuty:
    """A unit that could go; `leaves` is the lesser job it would be called away from, and by which rule."""

    unit_id: UUID
    call_sign: str
    kind: str
    mode: str
    place: LonLat
    fixed_at: datetime
    accuracy_m: float | None
    own_grid: bool
    capabilities: tuple[str, ...]
    leaves: Away | None = None


@dataclass(frozen=True, slots=True)
class Shortfall:
    """What cannot be had, and why: a code with its parameters, and how many are missing."""

    code: str
    params: dict[str, Any]
    missing: int


@dataclass(frozen=True, slots=True)
class Candidates:
    """Who passed the gates for an incident, how many did not by reason, what is short, and which roads are closed."""

    incident_id: UUID
    place: LonLat
    units: tuple[OnDuty, ...]
    excluded: dict[str, int]
    at: datetime
    severity: int = 3
    shortfalls: tuple[Shortfall, ...] = ()
    closures: Closures = ALL_OPEN


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
    shortfalls: tuple[Shortfall, ...] = ()
    asked: int = 0


def list_candidates(
    tx: Tx, incident_id: UUID, gates: Gates | None = None, *, divert: bool = False
) -> Candidates:
    """Gate every unit in the actor's sight; without `gates` by what the incident's class asks for.

    `divert`: units too that a rule lets be called away while they are still on their way to something lesser.

    Raises NotFound, Conflict("incident_not_located").
    """
    incident = tx.session.get(Incident, incident_id)
    if incident is None:
        raise NotFound("incident_not_found")
    if incident.geom is None:
        raise Conflict("incident_not_located", number=incident.number)
    gates = gates or gates_of(tx, incident, divert=divert)
    jobs, ends = list_jobs(tx), list_last_ends(tx, gates.rest_min_s)
    wanted = gates.capabilities | gates.powers
    units: list[OnDuty] = []
    barred: list[tuple[UnitFacts, list[Barred]]] = []
    for row in tx.session.execute(_UNITS):
        facts = UnitFacts(
            kind=row.kind,
            status=row.status,
            capabilities=frozenset(row.capabilities),
            crew_size=row.crew_size,
            scope_path=row.scope_path,
            fixed_at=row.fixed_at,
            jobs=jobs.get(row.id, ()),
            last_job_ended_at=ends.get(row.id),
        )
        if found := bars(gates, facts, tx.now, incident.severity):
            barred.append((facts, found))
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
                capabilities=tuple(sorted(wanted & facts.capabilities)),
                leaves=diverted_from(gates, facts, tx.now, incident.severity)
                if facts.status == "busy"
                else None,
            )
        )
    point = to_shape(incident.geom)
    return Candidates(
        incident_id=incident.id,
        place=LonLat(point.x, point.y),
        units=tuple(units),
        excluded=dict(Counter(found[0].code for _, found in barred)),
        at=tx.now,
        severity=incident.severity,
        shortfalls=() if units else tuple(_shortfalls(wanted, barred)),
        closures=closures.active(tx),
    )


_UNITS = text(
    "select u.id, u.call_sign, u.kind, u.mode, u.status, u.capabilities, u.crew_size, u.scope_path::text,"
    " u.home_area_id, st_x(l.geom) as lon, st_y(l.geom) as lat, l.fixed_at, l.accuracy_m"
    " from unit u left join unit_latest l on l.unit_id = u.id where u.withdrawn_at is null"
)


def _shortfalls(
    wanted: Iterable[str], barred: Sequence[tuple[UnitFacts, list[Barred]]]
) -> Iterable[Shortfall]:
    """Why nobody passed: for each skill or power that is asked for, and for the crew."""
    on_duty = [(facts, found) for facts, found in barred if facts.status != "off_duty"]
    for key in sorted(wanted):
        holders = [found for facts, found in on_duty if key in facts.capabilities]
        if not holders:
            yield Shortfall("nobody_has", {"key": key}, 1)
        else:
            by = Counter(bar.code for found in holders for bar in found)
            yield Shortfall("holders_barred", {"key": key, "of": len(holders), "by": dict(by)}, 1)
    skilled = [found for facts, found in on_duty if facts.capabilities >= frozenset(wanted)]
    alone = sum(any(bar.code in ("lone", "crew_too_small") for bar in found) for found in skilled)
    if alone:
        yield Shortfall("lacks_partner", {"of": len(skilled), "barred": alone}, 1)
    if not on_duty:
        yield Shortfall("nobody_on_duty", {}, 1)


def recommend(
    candidates: Candidates, router: Valhalla, limit: int = 5, *, own_grid_first: bool = False
) -> Recommendation:
    """The `limit` fastest of the candidates, by roads that are open; the grid's own before all where the plan says so.

    Holds no transaction.
    """
    began = time.perf_counter()
    own = [unit for unit in candidates.units if unit.own_grid] if own_grid_first else []
    others = [unit for unit in candidates.units if not (own_grid_first and unit.own_grid)]
    groups = [group for group in (own, others) if group] or [others]
    rankings = [_rank(group, candidates, router, limit) for group in groups]
    reached = [arrival for ranking in rankings for arrival in ranking.fastest][:limit]
    stranded = [arrival for ranking in rankings for arrival in ranking.without_trip][:_WITHOUT_WAY_TOLD]
    by_id = {unit.unit_id: unit for unit in candidates.units}
    picks = [
        _pick(by_id[arrival.candidate.key], arrival, candidates.at, rank)
        for rank, arrival in enumerate((*reached, *stranded))
    ]
    if own_grid_first and picks and picks[0].unit.own_grid:
        picks[0] = replace(picks[0], reasons=(*picks[0].reasons, {"code": "own_grid_first", "params": {}}))
    short = list(candidates.shortfalls)
    if candidates.units and not reached:
        short.append(Shortfall("no_way", {"units": len(candidates.units)}, 1))
    worst = next((one for one in rankings if one.method == "straight_line"), rankings[0])
    return Recommendation(
        method=worst.method,
        why=worst.reason,
        computed_ms=round((time.perf_counter() - began) * 1000, 1),
        candidates=len(candidates.units),
        picks=tuple(picks),
        excluded=candidates.excluded,
        shortfalls=tuple(short),
        asked=sum(ranking.asked for ranking in rankings),
    )


def _rank(units: Sequence[OnDuty], candidates: Candidates, router: Valhalla, limit: int) -> RoadRanking[UUID]:
    going = [Candidate(unit.unit_id, unit.place, Mode(unit.mode)) for unit in units]
    return rank_by_road(router, going, candidates.place, k=limit, closures=candidates.closures)


@dataclass(frozen=True, slots=True)
class Trip:
    """Where a unit starts, where it has to go, how, and what is closed."""

    start: LonLat
    target: LonLat
    mode: Mode
    closures: Closures = ALL_OPEN


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
    return Trip(LonLat(start.x, start.y), LonLat(target.x, target.y), Mode(unit.mode), closures.active(tx))


def find_way(router: Valhalla, trip: Trip) -> Way:
    """The way to draw. Holds no transaction."""
    return way_to(router, trip.start, trip.target, trip.mode, trip.closures)


def _pick(unit: OnDuty, arrival: Arrival[UUID], at: datetime, rank: int) -> Pick:
    trip = arrival.trip
    reasons: list[dict[str, Any]] = []
    if trip.state == "ok":
        reasons.append({"code": "fastest" if rank == 0 else "rank", "params": {"rank": rank + 1}})
    if unit.own_grid:
        reasons.append({"code": "own_grid", "params": {}})
    if unit.capabilities:
        reasons.append({"code": "capabilities", "params": {"keys": list(unit.capabilities)}})
    if unit.leaves is not None:
        left = unit.leaves
        told = {"dispatch_id": str(left.job.dispatch_id), **left.by.as_params()}
        reasons.append({"code": "divert", "params": told})
    return Pick(
        unit=unit,
        state=trip.state,
        seconds=trip.seconds,
        distance_m=trip.distance_m,
        fix_age_s=max(0.0, (at - unit.fixed_at).total_seconds()),
        reasons=tuple(reasons),
    )
