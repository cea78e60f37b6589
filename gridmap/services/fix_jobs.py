"""What positions mean for a unit on a job: its leg is copied into the incident, and its arrival is proposed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert

from gridmap.db import arrays
from gridmap.db.tables import DispatchLeg
from gridmap.domain.metric import near_distance_m
from gridmap.positions.fixes import RawFix
from gridmap.services.dispatching.steps import propose_arrival
from gridmap.services.fix_rows import UnitFix
from gridmap.services.transaction import Tx

ARRIVAL_M = 50.0
# Passing by at a red light is no arrival.
ARRIVAL_DWELL = timedelta(seconds=15)
ARRIVAL_MAX_ACCURACY_M = 60.0
_LOOK_BACK = timedelta(minutes=10)
_ON_THE_WAY = ("accepted", "en_route")

_JOBS = text(
    """
    select d.id, d.unit_id, d.incident_id, d.status, d.accepted_at, d.arrival_proposed_at, st_x(i.geom) as lon,
           st_y(i.geom) as lat
      from dispatch d join incident i on i.id = d.incident_id
     where d.unit_id = any(cast(:units as uuid[])) and d.status in ('accepted', 'en_route', 'on_scene')
    """
)
_TRAIL = text(
    "select st_x(geom), st_y(geom), fixed_at, accuracy_m from fix"
    " where unit_id = :unit and leads and fixed_at between :since and :until order by fixed_at desc limit 200"
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a unit was, as far as arrival asks."""

    lon: float
    lat: float
    at: datetime
    accuracy_m: float | None


def follow_jobs(tx: Tx, leading: Sequence[UnitFix]) -> None:
    """Copy the legs of assigned units into their incidents, and propose arrival where one got there and stayed."""
    by_unit: dict[UUID, list[RawFix]] = {}
    for one in leading:
        by_unit.setdefault(one.received.fix.unit_id, []).append(one.received.fix)
    if not by_unit:
        return
    jobs = tx.session.execute(_JOBS, {"units": arrays.uuids(by_unit)}).all()
    legs = {job.id: [fix for fix in by_unit[job.unit_id] if fix.fixed_at >= job.accepted_at] for job in jobs}
    # Arrivals lock incidents, so they come before the legs' rows take hold of the dispatches.
    for job in sorted(jobs, key=lambda job: job.incident_id):
        if (
            legs[job.id]
            and job.status in _ON_THE_WAY
            and job.arrival_proposed_at is None
            and job.lon is not None
        ):
            _propose(tx, job, legs[job.id][-1])
    rows = [
        {"dispatch_id": job_id, "fixed_at": fix.fixed_at, "geom": _wkt(fix), "accuracy_m": fix.accuracy_m}
        for job_id, leg in legs.items()
        for fix in leg
    ]
    if rows:
        tx.session.execute(insert(DispatchLeg).on_conflict_do_nothing(), rows)


def _propose(tx: Tx, job: Any, newest: RawFix) -> None:
    here = Place(newest.lon, newest.lat, newest.fixed_at, newest.accuracy_m)
    if not is_there(here, job.lon, job.lat):
        return
    since = max(job.accepted_at, newest.fixed_at - _LOOK_BACK)
    given = {"unit": job.unit_id, "since": since, "until": newest.fixed_at}
    trail = [Place(*row) for row in tx.session.execute(_TRAIL, given)]
    if stayed(trail, job.lon, job.lat) >= ARRIVAL_DWELL:
        away_m = near_distance_m(newest.lon, newest.lat, job.lon, job.lat)
        propose_arrival(tx, job.id, away_m, newest.accuracy_m)


def stayed(trail: Sequence[Place], lon: float, lat: float) -> timedelta:
    """For how long, up to the newest of `trail` (newest first), every fix that can be trusted was at the scene."""
    first: datetime | None = None
    for place in trail:
        if (place.accuracy_m or 0.0) > ARRIVAL_MAX_ACCURACY_M:
            continue
        if not is_there(place, lon, lat):
            break
        first = place.at
    return trail[0].at - first if first is not None else timedelta(0)


def is_there(place: Place, lon: float, lat: float) -> bool:
    """Within 50 m, or within what the fix cannot tell apart; a poor fix proves nothing."""
    accuracy_m = place.accuracy_m or 0.0
    if accuracy_m > ARRIVAL_MAX_ACCURACY_M:
        return False
    return near_distance_m(place.lon, place.lat, lon, lat) <= max(ARRIVAL_M, accuracy_m)


def _wkt(fix: RawFix) -> str:
    return f"SRID=4326;POINT({fix.lon!r} {fix.lat!r})"
