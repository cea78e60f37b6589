"""Positions in two halves: take them durably and answer; then filter, place and spread them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from geoalchemy2.shape import to_shape
from sqlalchemy import delete, select, text
from sqlalchemy.dialects.postgresql import insert

from gridmap.db.tables import Dispatch, DispatchLeg, Fix, FixBatch, Incident, Unit
from gridmap.domain.ids import new_id
from gridmap.domain.metric import distance_m
from gridmap.errors import Forbidden, GridmapError, Invalid, TooLarge
from gridmap.positions.fixes import LastFix, RawFix, refusal
from gridmap.services.dispatching.steps import propose_arrival
from gridmap.services.reports import checked_lonlat
from gridmap.services.transaction import Tx

MAX_FIXES = 500
ARRIVAL_M = 50.0
ARRIVAL_MAX_ACCURACY_M = 60.0
_ON_THE_WAY = ("accepted", "en_route")
_ON_A_JOB = (*_ON_THE_WAY, "on_scene")


@dataclass(frozen=True, kw_only=True)
class SentFix:
    """A position as a sender gave it, in the system it names."""

    lon: float
    lat: float
    fixed_at: datetime
    crs: str = "WGS84"
    unit_id: UUID | None = None
    accuracy_m: float | None = None
    speed_mps: float | None = None
    heading_deg: float | None = None
    battery_pct: float | None = None


@dataclass(frozen=True)
class Received:
    """How many were taken, and the index and code of each that was refused at the door."""

    accepted: int
    refused: tuple[tuple[int, str], ...]


def receive_fixes(tx: Tx, fixes: Sequence[SentFix], protocol: str) -> Received:
    """Write down what came, before the sender is answered. Off duty is refused and not kept.

    A phone speaks for its own unit; a gateway token names the unit of each fix.
    """
    if len(fixes) > MAX_FIXES:
        raise TooLarge("too_many_fixes", most=MAX_FIXES)
    refused: list[tuple[int, str]] = []
    taken: list[tuple[int, RawFix]] = []
    for index, fix in enumerate(fixes):
        try:
            taken.append((index, _decoded(tx, fix)))
        except GridmapError as error:
            refused.append((index, error.code))
    on_duty = _on_duty(tx, [fix for _, fix in taken])
    kept = [fix for (_, fix), covered in zip(taken, on_duty, strict=True) if covered]
    refused += [
        (index, "off_duty") for (index, _), covered in zip(taken, on_duty, strict=True) if not covered
    ]
    if kept:
        tx.session.add(
            FixBatch(id=new_id(), received_at=tx.now, protocol=protocol, body=[_as_json(fix) for fix in kept])
        )
    return Received(len(kept), tuple(sorted(refused)))


def process_batches(tx: Tx, most: int = 50) -> int:
    """Filter and place what waits; run by the positions process alone. Returns how many batches it took."""
    batches = tx.session.scalars(
        select(FixBatch)
        .order_by(FixBatch.received_at, FixBatch.id)
        .limit(most)
        .with_for_update(skip_locked=True)
    ).all()
    if not batches:
        return 0
    received = [(batch.received_at, _from_json(item)) for batch in batches for item in batch.body]
    _place(tx, received)
    tx.session.execute(delete(FixBatch).where(FixBatch.id.in_([batch.id for batch in batches])))
    return len(batches)


def _decoded(tx: Tx, fix: SentFix) -> RawFix:
    unit_id = _speaks_for(tx, fix.unit_id)
    lon, lat = checked_lonlat(fix.lon, fix.lat, fix.crs)
    if fix.fixed_at.tzinfo is None:
        raise Invalid("time_without_zone")
    return RawFix(
        unit_id=unit_id,
        lon=lon,
        lat=lat,
        fixed_at=fix.fixed_at.astimezone(UTC),
        accuracy_m=fix.accuracy_m,
        speed_mps=fix.speed_mps,
        heading_deg=fix.heading_deg,
        battery_pct=fix.battery_pct,
    )


def _speaks_for(tx: Tx, named: UUID | None) -> UUID:
    if named is not None and tx.actor.can("position.gateway"):
        return named
    if named is None and tx.actor.unit_ids:
        return tx.actor.unit_ids[0]
    if named is not None and named in tx.actor.unit_ids:
        return named
    raise Forbidden("unit_is_not_yours")


def _on_duty(tx: Tx, fixes: Sequence[RawFix]) -> list[bool]:
    """Duty is looked up at each fix's own time, so that a late batch from a tunnel still counts."""
    if not fixes:
        return []
    return list(
        tx.session.scalar(
            text("select duty_covers(:units, :times)"),
            {
                "units": [fix.unit_id for fix in fixes],
                "times": [min(fix.fixed_at, tx.now) for fix in fixes],
            },
        )
        or []
    )


def _place(tx: Tx, received: Iterable[tuple[datetime, RawFix]]) -> None:
    ordered = sorted(received, key=lambda pair: pair[1].fixed_at)
    units = {fix.unit_id for _, fix in ordered}
    latest = _latest(tx, units)
    accepted: list[tuple[datetime, RawFix]] = []
    newest: dict[UUID, tuple[datetime, RawFix]] = {}
    for received_at, fix in ordered:
        if refusal(fix, received_at, latest.get(fix.unit_id)) is not None:
            continue
        accepted.append((received_at, fix))
        last = latest.get(fix.unit_id)
        if last is None or fix.fixed_at > last.fixed_at:
            latest[fix.unit_id] = LastFix(fix.lon, fix.lat, fix.fixed_at, fix.accuracy_m)
            newest[fix.unit_id] = (received_at, fix)
    if accepted:
        _store(tx, accepted)
        _store_latest(tx, newest)
        _follow_jobs(tx, units, [fix for _, fix in accepted])


def _latest(tx: Tx, units: set[UUID]) -> dict[UUID, LastFix]:
    rows = tx.session.execute(
        text(
            "select unit_id, st_x(geom), st_y(geom), fixed_at, accuracy_m from unit_latest where unit_id = any(:units)"
        ),
        {"units": list(units)},
    )
    return {row[0]: LastFix(*row[1:]) for row in rows}


def _store(tx: Tx, accepted: Sequence[tuple[datetime, RawFix]]) -> None:
    for day in {fix.fixed_at.astimezone(UTC).date() for _, fix in accepted}:
        tx.session.execute(text("select make_fix_partition(:day)"), {"day": day})
    tx.session.execute(
        insert(Fix),
        [
            {
                "id": new_id(),
                "unit_id": fix.unit_id,
                "fixed_at": fix.fixed_at,
                "received_at": received_at,
                "geom": _wkt(fix),
                "accuracy_m": fix.accuracy_m,
                "speed_mps": fix.speed_mps,
                "heading_deg": fix.heading_deg,
                "battery_pct": fix.battery_pct,
            }
            for received_at, fix in accepted
        ],
    )


_UPSERT_LATEST = text(
    """
    insert into unit_latest (unit_id, geom, fixed_at, received_at, updated_at, accuracy_m, speed_mps, heading_deg,
                             area_id)
    select u.id, st_setsrid(st_makepoint(:lon, :lat), 4326), :fixed_at, :received_at, :now, :accuracy_m, :speed_mps,
           :heading_deg,
           (select v.area_id from area_version v join area a on a.id = v.area_id
             where v.is_leaf and a.tree = 'admin' and v.valid @> cast(:now as timestamptz)
               and st_covers(v.geom, st_setsrid(st_makepoint(:lon, :lat), 4326)) order by a.code limit 1)
    from unit u where u.id = :unit_id and u.status in ('free', 'busy')
    on conflict (unit_id) do update set
      geom = excluded.geom, fixed_at = excluded.fixed_at, received_at = excluded.received_at,
      updated_at = excluded.updated_at, accuracy_m = excluded.accuracy_m, speed_mps = excluded.speed_mps,
      heading_deg = excluded.heading_deg, area_id = excluded.area_id
    where unit_latest.fixed_at < excluded.fixed_at
    """
)


def _store_latest(tx: Tx, newest: dict[UUID, tuple[datetime, RawFix]]) -> None:
    """Who went off duty since is left out: no row of theirs comes back."""
    if not newest:
        return
    tx.session.execute(
        _UPSERT_LATEST,
        [
            {
                "unit_id": unit_id,
                "lon": fix.lon,
                "lat": fix.lat,
                "fixed_at": fix.fixed_at,
                "received_at": received_at,
                "now": tx.now,
                "accuracy_m": fix.accuracy_m,
                "speed_mps": fix.speed_mps,
                "heading_deg": fix.heading_deg,
            }
            for unit_id, (received_at, fix) in sorted(newest.items())
        ],
    )


def _follow_jobs(tx: Tx, units: set[UUID], accepted: Sequence[RawFix]) -> None:
    """Copy the leg of an assigned unit into its incident, and propose arrival where it got there."""
    jobs = tx.session.execute(
        select(
            Dispatch.id,
            Dispatch.unit_id,
            Dispatch.incident_id,
            Dispatch.status,
            Dispatch.accepted_at,
            Incident.geom,
        )
        .join(Incident, Incident.id == Dispatch.incident_id)
        .join(Unit, Unit.id == Dispatch.unit_id)
        .where(Dispatch.unit_id.in_(units), Dispatch.status.in_(_ON_A_JOB))
    ).all()
    legs = {
        job.id: [fix for fix in accepted if fix.unit_id == job.unit_id and fix.fixed_at >= job.accepted_at]
        for job in jobs
    }
    # Arrivals lock incidents, so they come before the legs' rows take hold of the dispatches.
    for job in sorted(jobs, key=lambda job: job.incident_id):
        if legs[job.id] and job.status in _ON_THE_WAY and job.geom is not None:
            _propose(tx, job.id, legs[job.id][-1], job.geom)
    rows = [
        {"dispatch_id": job_id, "fixed_at": fix.fixed_at, "geom": _wkt(fix), "accuracy_m": fix.accuracy_m}
        for job_id, leg in legs.items()
        for fix in leg
    ]
    if rows:
        tx.session.execute(insert(DispatchLeg).on_conflict_do_nothing(), rows)


def _propose(tx: Tx, dispatch_id: UUID, fix: RawFix, geom: Any) -> None:
    accuracy_m = fix.accuracy_m or 0.0
    if accuracy_m > ARRIVAL_MAX_ACCURACY_M:
        return
    scene = to_shape(geom)
    away_m = float(distance_m(fix.lon, fix.lat, scene.x, scene.y))
    if away_m <= max(ARRIVAL_M, accuracy_m):
        propose_arrival(tx, dispatch_id, away_m, fix.accuracy_m)


def _wkt(fix: RawFix) -> str:
    return f"SRID=4326;POINT({fix.lon!r} {fix.lat!r})"


def _as_json(fix: RawFix) -> dict[str, Any]:
    return {
        "unit_id": str(fix.unit_id),
        "lon": fix.lon,
        "lat": fix.lat,
        "fixed_at": fix.fixed_at.isoformat(),
        "accuracy_m": fix.accuracy_m,
        "speed_mps": fix.speed_mps,
        "heading_deg": fix.heading_deg,
        "battery_pct": fix.battery_pct,
    }


def _from_json(item: dict[str, Any]) -> RawFix:
    return RawFix(
        **{**item, "unit_id": UUID(item["unit_id"]), "fixed_at": datetime.fromisoformat(item["fixed_at"])}
    )
