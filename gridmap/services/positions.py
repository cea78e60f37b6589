"""The door of positions: whose they are, whether they were on duty, and the raw batch written before the answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC
from uuid import UUID

from sqlalchemy import text

from gridmap.db import arrays
from gridmap.db.faults import translated
from gridmap.domain.actor import Actor
from gridmap.errors import Forbidden, GridmapError, Invalid
from gridmap.positions.decoders.phone import PhoneBatch, PhoneFix
from gridmap.positions.filters import Refusal
from gridmap.positions.fixes import Door, RawFix, Reading
from gridmap.services.devices import KnownDevice
from gridmap.services.fix_intake import FixIntake
from gridmap.services.reports import checked_lonlat

_DEGREES = ("WGS84", "CGCS2000")


@dataclass(frozen=True)
class Taken:
    """How many were taken, and the index and code of each that was refused at the door."""

    accepted: int
    refused: tuple[tuple[int, str], ...] = ()


def receive_batch(intake: FixIntake, actor: Actor, batch: PhoneBatch) -> Taken:
    """Take our own form. A phone speaks for its own unit; a gateway token names the unit of each fix.

    Off duty is refused and not kept. Durable when this returns.
    """
    gateway = actor.can("position.gateway")
    reachable = _units_in_reach(intake, actor, batch.fixes) if gateway else frozenset()
    refused: list[tuple[int, str]] = []
    taken: list[tuple[int, RawFix]] = []
    for index, sent in enumerate(batch.fixes):
        try:
            if gateway and sent.unit_id is not None:
                if sent.unit_id not in reachable:
                    raise Forbidden("unit_is_not_yours")
                unit_id, door = sent.unit_id, Door.GATEWAY
            else:
                unit_id, door = _own_unit(actor, sent.unit_id), Door.PAGE
            taken.append((index, _raw(sent.reading(), sent.crs, unit_id, door=door)))
        except GridmapError as error:
            refused.append((index, error.code))
    return _take(intake, taken, refused)


@dataclass(frozen=True, slots=True)
class Sent:
    """What a decoder read of a device's payload. `faults` name what it could not read; they are counted."""

    device: KnownDevice
    readings: Sequence[Reading]
    faults: Sequence[str] = ()


def receive_many(intake: FixIntake, sent: Iterable[Sent]) -> Taken:
    """Take what devices sent, in the system that each was declared with; one write for all.

    What was wrong is counted with its device, but not what was sent off duty. Durable when this returns.
    """
    refused: list[tuple[int, str]] = []
    taken: list[tuple[int, RawFix]] = []
    wrong: dict[UUID, Counter[str]] = {}
    index = -1
    for one in sent:
        counts = Counter(one.faults)
        for reading in one.readings:
            index += 1
            try:
                device = one.device
                fix = _raw(reading, device.crs, device.unit_id, door=Door.DEVICE, device_id=device.device_id)
                taken.append((index, fix))
            except GridmapError as error:
                refused.append((index, error.code))
                counts[_REASON_OF_CODE.get(error.code, "malformed")] += 1
        if counts:
            wrong.setdefault(one.device.device_id, Counter()).update(counts)
    for device_id, counts in wrong.items():
        _count_refusals(intake, device_id, counts)
    return _take(intake, taken, refused)


_REASON_OF_CODE = {
    "coordinates_null_island": str(Refusal.NULL_ISLAND),
    "coordinates_out_of_range": "out_of_range",
}


def _take(intake: FixIntake, taken: list[tuple[int, RawFix]], refused: list[tuple[int, str]]) -> Taken:
    on_duty = intake.take([fix for _, fix in taken]) if taken else []
    refused += [(index, "off_duty") for (index, _), kept in zip(taken, on_duty, strict=True) if not kept]
    return Taken(sum(on_duty), tuple(sorted(refused)))


def _raw(reading: Reading, crs: str, unit_id: UUID, *, door: Door, device_id: UUID | None = None) -> RawFix:
    lon, lat = _lonlat(reading, crs)
    if reading.fixed_at.tzinfo is None:
        raise Invalid("time_without_zone")
    more = {} if device_id is None else {"device_id": device_id}
    return RawFix(
        unit_id=unit_id,
        lon=lon,
        lat=lat,
        fixed_at=reading.fixed_at.astimezone(UTC),
        door=door,
        accuracy_m=reading.accuracy_m,
        speed_mps=reading.speed_mps,
        heading_deg=reading.heading_deg,
        battery_pct=reading.battery_pct,
        **more,
    )


def _lonlat(reading: Reading, crs: str) -> tuple[float, float]:
    lon, lat = reading.lon, reading.lat
    if crs in _DEGREES and -180 <= lon <= 180 and -90 <= lat <= 90 and (lon or lat):
        # Nine in ten come so, and need no conversion.
        return lon, lat
    return checked_lonlat(lon, lat, crs)


def _own_unit(actor: Actor, named: UUID | None) -> UUID:
    if named is None and actor.unit_ids:
        return actor.unit_ids[0]
    if named is not None and named in actor.unit_ids:
        return named
    raise Forbidden("unit_is_not_yours")


def _units_in_reach(intake: FixIntake, actor: Actor, fixes: Iterable[PhoneFix]) -> Collection[UUID]:
    paths = tuple(sorted(grant.path for grant in actor.grants))
    known = intake.units_under(paths)
    missing = {fix.unit_id for fix in fixes if fix.unit_id is not None and fix.unit_id not in known}
    if missing:
        statement = text("select units_under(cast(:units as uuid[]), cast(:paths as ltree[]))")
        given = {"units": arrays.uuids(missing), "paths": list(paths)}
        with translated(), intake.connection() as connection:
            known.update(connection.scalar(statement, given) or ())
    return known


def _count_refusals(intake: FixIntake, device_id: UUID, wrong: Counter[str]) -> None:
    statement = text("select count_refusals(:device, :day, cast(:reasons as text[]), cast(:counts as int[]))")
    given = {
        "device": device_id,
        "day": intake.clock.now().date(),
        "reasons": list(wrong),
        "counts": list(wrong.values()),
    }
    with translated(), intake.connection() as connection:
        connection.execute(statement, given)
