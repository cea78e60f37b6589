"""The positions process's own statements: bulk, by arrays, a handful a turn however many fixes there are."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from gridmap.db import arrays
from gridmap.positions.filters import Memory, Received, Spot
from gridmap.positions.fixes import RawFix
from gridmap.positions.packing import FIX_BYTES, pack_held, unpack_held
from gridmap.services.transaction import Tx


@dataclass(frozen=True, slots=True)
class Batch:
    """A raw batch as it was kept."""

    id: UUID
    received_at: datetime
    body: bytes

    def __len__(self) -> int:
        """How many fixes, about."""
        return len(self.body) // FIX_BYTES


@dataclass(frozen=True, slots=True)
class DeviceMemory:
    """A device of a unit in question: its rank, and what the filters know of it."""

    device_id: UUID
    unit_id: UUID
    priority: int
    memory: Memory


@dataclass(frozen=True, slots=True)
class UnitFix:
    """A fix of a known device, and whether the unit's place follows it."""

    device_id: UUID
    received: Received
    leads: bool = True


# Deleted in the transaction that stores its fixes: after a crash it is there again, or its fixes are.
_TAKE = text(
    """
    with oldest as (
      select id, received_at, octet_length(body) as size from fix_batch
       where set_aside_at is null and (shard = :shard or (:shard = 0 and shard >= :shards))
       order by received_at, id limit :most for update skip locked),
    taken as (
      select id, sum(size) over (order by received_at, id) - size as before_it from oldest)
    delete from fix_batch b using taken t where b.id = t.id and t.before_it < :bytes
     returning b.id, b.received_at, b.body
    """
)
_OWN_DEVICES = text(
    """
    insert into device (id, label, kind, unit_id, priority)
    select d, k, k, u, p
      from unnest(cast(:ids as uuid[]), cast(:kinds as text[]), cast(:units as uuid[]), cast(:ranks as int[]))
           as x(d, k, u, p)
     where exists (select from unit where unit.id = u)
    on conflict do nothing
    """
)
_MEMORIES = text(
    """
    select d.id, d.unit_id, d.priority, s.fixed_at, s.lon, s.lat, s.accuracy_m, s.pending
      from device d left join device_state s on s.device_id = d.id and s.unit_id = d.unit_id
     where d.unit_id = any(cast(:units as uuid[])) and d.revoked_at is null
    """
)
_SPOTS = text(
    """
    select f.device_id, st_x(f.geom), st_y(f.geom), f.fixed_at, f.accuracy_m
      from unnest(cast(:units as uuid[]), cast(:devices as uuid[]), cast(:since as timestamptz[]),
                  cast(:until as timestamptz[])) as x(u, d, since, until)
      join fix f on f.unit_id = x.u and f.device_id = x.d and f.fixed_at between x.since and x.until
     where f.fixed_at between :first and :last
     order by f.device_id, f.fixed_at
    """
)
_STORE = text(
    """
    insert into fix (unit_id, device_id, fixed_at, received_at, geom, accuracy_m, speed_mps, heading_deg, battery_pct,
                     leads)
    select u, d, f, r, st_setsrid(st_makepoint(x, y), 4326), a, s, h, b, l
      from unnest(cast(:units as uuid[]), cast(:devices as uuid[]), cast(:fixed as timestamptz[]),
                  cast(:received as timestamptz[]), cast(:lon as float8[]), cast(:lat as float8[]),
                  cast(:accuracy as float8[]), cast(:speed as float8[]), cast(:heading as float8[]),
                  cast(:battery as float8[]), cast(:leads as bool[])) as v(u, d, f, r, x, y, a, s, h, b, l)
    on conflict do nothing
    """
)
_REMEMBER = text(
    """
    insert into device_state (device_id, unit_id, fixed_at, lon, lat, accuracy_m, pending)
    select v.d, v.u, v.f, v.x, v.y, v.a, v.p
      from unnest(cast(:devices as uuid[]), cast(:units as uuid[]), cast(:fixed as timestamptz[]),
                  cast(:lon as float8[]), cast(:lat as float8[]), cast(:accuracy as float8[]),
                  cast(:pending as bytea[])) as v(d, u, f, x, y, a, p)
      join unit on unit.id = v.u and unit.status in ('free', 'busy')
     order by v.d
    on conflict (device_id) do update set unit_id = excluded.unit_id, fixed_at = excluded.fixed_at, lon = excluded.lon,
      lat = excluded.lat, accuracy_m = excluded.accuracy_m, pending = excluded.pending
    """
)
_COUNT = text(
    """
    insert into device_refusal as r (device_id, day, reason, count)
    select d, :day, x, n
      from unnest(cast(:devices as uuid[]), cast(:reasons as text[]), cast(:counts as int[])) as v(d, x, n)
     order by d, x
    on conflict (device_id, day, reason) do update set count = r.count + excluded.count
    """
)
# Who went off duty since is left out: no row of theirs comes back.
_LATEST = text(
    """
    insert into unit_latest (unit_id, geom, fixed_at, received_at, updated_at, accuracy_m, speed_mps, heading_deg,
                             area_id)
    select v.u, st_setsrid(st_makepoint(v.x, v.y), 4326), v.f, v.r, :now, v.a, v.s, v.h, v.g
      from unnest(cast(:units as uuid[]), cast(:fixed as timestamptz[]), cast(:received as timestamptz[]),
                  cast(:lon as float8[]), cast(:lat as float8[]), cast(:accuracy as float8[]), cast(:speed as float8[]),
                  cast(:heading as float8[]), cast(:areas as int[])) as v(u, f, r, x, y, a, s, h, g)
      join unit on unit.id = v.u and unit.status in ('free', 'busy')
     order by v.u
    on conflict (unit_id) do update set
      geom = excluded.geom, fixed_at = excluded.fixed_at, received_at = excluded.received_at,
      updated_at = excluded.updated_at, accuracy_m = excluded.accuracy_m, speed_mps = excluded.speed_mps,
      heading_deg = excluded.heading_deg, area_id = excluded.area_id
    where unit_latest.fixed_at < excluded.fixed_at
    """
)
# Of units whose devices differ in rank: a fix leads unless a better device had one within the last while.
_LEAD_AGAIN = text(
    """
    update fix f set leads = not f.leads
      from unnest(cast(:units as uuid[]), cast(:since as timestamptz[])) as x(u, since), device d
     where f.unit_id = x.u and f.fixed_at >= x.since and f.fixed_at >= :first and d.id = f.device_id
       and f.leads = exists (
         select from fix g join device e on e.id = g.device_id
          where g.unit_id = f.unit_id
            and g.fixed_at > f.fixed_at - cast(:fresh as interval) and g.fixed_at <= f.fixed_at
            and g.fixed_at >= :first - cast(:fresh as interval) and e.priority < d.priority)
    returning f.unit_id, f.fixed_at
    """
)
_LEADING = text(
    """
    select f.unit_id, f.device_id, f.fixed_at from fix f
      join unnest(cast(:units as uuid[]), cast(:since as timestamptz[])) as x(u, since)
        on f.unit_id = x.u and f.fixed_at >= x.since
     where f.leads and f.fixed_at >= :first
    """
)


def take_batches(tx: Tx, shard: int, shards: int, *, batches: int, fixes: int) -> list[Batch]:
    """The oldest batches that wait, taken out of the queue for as long as the transaction lasts: so many at most, and
    no more once they hold so many fixes."""
    given = {"shard": shard, "shards": shards, "most": batches, "bytes": fixes * FIX_BYTES}
    rows = tx.session.execute(_TAKE, given)
    return sorted((Batch(*row) for row in rows), key=lambda batch: (batch.received_at, batch.id))


def make_own_devices(tx: Tx, made: Mapping[UUID, tuple[str, UUID, int]]) -> None:
    """Devices that stand for a unit's page or gateway: id -> (kind, unit, priority). Existing ones stay as they are."""
    given = list(made.items())
    tx.session.execute(
        _OWN_DEVICES,
        {
            "ids": arrays.uuids(device_id for device_id, _ in given),
            "kinds": arrays.texts(kind for _, (kind, _, _) in given),
            "units": arrays.uuids(unit_id for _, (_, unit_id, _) in given),
            "ranks": arrays.numbers(rank for _, (_, _, rank) in given),
        },
    )


def read_memories(tx: Tx, units: Collection[UUID]) -> dict[UUID, DeviceMemory]:
    """Every device bound to the units, by its id."""
    found = {}
    for device_id, unit_id, rank, at, lon, lat, accuracy_m, pending in tx.session.execute(
        _MEMORIES, {"units": arrays.uuids(units)}
    ):
        last = None if at is None else Spot(lon, lat, at, accuracy_m)
        found[device_id] = DeviceMemory(device_id, unit_id, rank, Memory(last, unpack_held(pending)))
    return found


def read_spots(
    tx: Tx, spans: Mapping[tuple[UUID, UUID], tuple[datetime, datetime]]
) -> dict[UUID, list[Spot]]:
    """Accepted positions by device, in time order, within the span asked for each (unit, device)."""
    if not spans:
        return {}
    found: dict[UUID, list[Spot]] = {}
    for device_id, *spot in tx.session.execute(
        _SPOTS,
        {
            "units": arrays.uuids(unit_id for unit_id, _ in spans),
            "devices": arrays.uuids(device_id for _, device_id in spans),
            "since": arrays.moments(since for since, _ in spans.values()),
            "until": arrays.moments(until for _, until in spans.values()),
            "first": min(since for since, _ in spans.values()),
            "last": max(until for _, until in spans.values()),
        },
    ):
        found.setdefault(device_id, []).append(Spot(*spot))
    return found


def store_fixes(tx: Tx, fixes: Sequence[UnitFix]) -> None:
    """Add accepted fixes; one that is there already (same unit, device and time) stays as it is."""
    raws = [one.received.fix for one in fixes]
    tx.session.execute(
        _STORE,
        {
            "units": arrays.uuids(fix.unit_id for fix in raws),
            "devices": arrays.uuids(one.device_id for one in fixes),
            "fixed": arrays.moments(fix.fixed_at for fix in raws),
            "received": arrays.moments(one.received.received_at for one in fixes),
            **_columns(raws),
            "battery": arrays.numbers(fix.battery_pct for fix in raws),
            "leads": arrays.flags(one.leads for one in fixes),
        },
    )


def remember(tx: Tx, memories: Iterable[DeviceMemory]) -> None:
    """Keep what the filters know, of units on duty only."""
    kept = list(memories)
    spots = [one.memory.last for one in kept]
    tx.session.execute(
        _REMEMBER,
        {
            "devices": arrays.uuids(one.device_id for one in kept),
            "units": arrays.uuids(one.unit_id for one in kept),
            "fixed": arrays.moments(spot.at if spot else None for spot in spots),
            "lon": arrays.numbers(spot.lon if spot else None for spot in spots),
            "lat": arrays.numbers(spot.lat if spot else None for spot in spots),
            "accuracy": arrays.numbers(spot.accuracy_m if spot else None for spot in spots),
            "pending": arrays.blobs(pack_held(one.memory.pending) for one in kept),
        },
    )


def count_refused(tx: Tx, counts: Mapping[tuple[UUID, str], int]) -> None:
    """Add to each device's tally of today."""
    if not counts:
        return
    day: date = tx.now.date()
    tx.session.execute(
        _COUNT,
        {
            "day": day,
            "devices": arrays.uuids(device_id for device_id, _ in counts),
            "reasons": arrays.texts(reason for _, reason in counts),
            "counts": arrays.numbers(counts.values()),
        },
    )


def store_latest(tx: Tx, newest: Sequence[UnitFix], areas: Mapping[UUID, int | None]) -> None:
    """Move the newest place of units forward, never back; `areas` is the leaf grid each stands in."""
    if not newest:
        return
    raws = [one.received.fix for one in newest]
    tx.session.execute(
        _LATEST,
        {
            "now": tx.now,
            "units": arrays.uuids(fix.unit_id for fix in raws),
            "fixed": arrays.moments(fix.fixed_at for fix in raws),
            "received": arrays.moments(one.received.received_at for one in newest),
            **_columns(raws),
            "areas": arrays.numbers(areas.get(fix.unit_id) for fix in raws),
        },
    )


def lead_again(tx: Tx, since: Mapping[UUID, datetime], fresh_s: float) -> dict[UUID, datetime]:
    """Settle anew which fixes lead, from a moment on; the first moment of each unit at which that changed anything."""
    changed: dict[UUID, datetime] = {}
    for unit_id, at in tx.session.execute(_LEAD_AGAIN, {**_since(since), "fresh": f"{fresh_s} seconds"}):
        changed[unit_id] = min(at, changed.get(unit_id, at))
    return changed


def read_leading(tx: Tx, since: Mapping[UUID, datetime]) -> set[tuple[UUID, UUID, datetime]]:
    """(unit, device, time) of the fixes that lead from a moment on."""
    return {(row[0], row[1], row[2]) for row in tx.session.execute(_LEADING, _since(since))}


def _since(since: Mapping[UUID, datetime]) -> dict[str, Any]:
    return {
        "units": arrays.uuids(since),
        "since": arrays.moments(since.values()),
        "first": min(since.values()),
    }


def _columns(raws: Sequence[RawFix]) -> dict[str, str]:
    return {
        "lon": arrays.numbers(fix.lon for fix in raws),
        "lat": arrays.numbers(fix.lat for fix in raws),
        "accuracy": arrays.numbers(fix.accuracy_m for fix in raws),
        "speed": arrays.numbers(fix.speed_mps for fix in raws),
        "heading": arrays.numbers(fix.heading_deg for fix in raws),
    }
