"""Fixes as bytes for the raw batches: 73 bytes each, an eighth of their JSON, and no parsing on either side."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

from gridmap.errors import Invalid
from gridmap.positions.filters import Received
from gridmap.positions.fixes import NO_DEVICE, Door, RawFix

# door, unit, device, microseconds since 1970, lon, lat, then four that may be NaN for "not given".
_RECORD = struct.Struct("<B16s16sqddffff")
FIX_BYTES = _RECORD.size
_MAGIC = b"gf1"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_NAN = math.nan
_NO_DEVICE = NO_DEVICE.bytes


def pack(fixes: Iterable[RawFix]) -> bytes:
    """The fixes as one body. Coordinates and times survive exactly, the rest to 24 bits."""
    parts = [_MAGIC]
    for fix in fixes:
        parts.append(
            _RECORD.pack(
                fix.door,
                fix.unit_id.bytes,
                fix.device_id.bytes,
                (fix.fixed_at - _EPOCH) // _MICROSECOND,
                fix.lon,
                fix.lat,
                _NAN if fix.accuracy_m is None else fix.accuracy_m,
                _NAN if fix.speed_mps is None else fix.speed_mps,
                _NAN if fix.heading_deg is None else fix.heading_deg,
                _NAN if fix.battery_pct is None else fix.battery_pct,
            )
        )
    return b"".join(parts)


def unpack(body: bytes) -> Iterator[RawFix]:
    """The fixes of a body. Raises Invalid("fix_batch_unknown") for bytes that `pack` did not make."""
    if body[:3] != _MAGIC or (len(body) - 3) % _RECORD.size:
        raise Invalid("fix_batch_unknown", length=len(body))
    for (
        door,
        unit,
        device,
        micros,
        lon,
        lat,
        accuracy_m,
        speed_mps,
        heading_deg,
        battery_pct,
    ) in _RECORD.iter_unpack(memoryview(body)[3:]):
        yield RawFix(
            unit_id=UUID(bytes=unit),
            device_id=NO_DEVICE if device == _NO_DEVICE else UUID(bytes=device),
            door=Door(door),
            fixed_at=_EPOCH + timedelta(microseconds=micros),
            lon=lon,
            lat=lat,
            accuracy_m=None if accuracy_m != accuracy_m else accuracy_m,
            speed_mps=None if speed_mps != speed_mps else speed_mps,
            heading_deg=None if heading_deg != heading_deg else heading_deg,
            battery_pct=None if battery_pct != battery_pct else battery_pct,
        )


def pack_held(held: Iterable[Received]) -> bytes | None:
    """Fixes with the time each was received; None for none."""
    kept = list(held)
    if not kept:
        return None
    times = struct.pack(
        f"<H{len(kept)}q", len(kept), *((one.received_at - _EPOCH) // _MICROSECOND for one in kept)
    )
    return times + pack(one.fix for one in kept)


def unpack_held(body: bytes | None) -> tuple[Received, ...]:
    """The reverse of `pack_held`."""
    if body is None:
        return ()
    (count,) = struct.unpack_from("<H", body)
    times = struct.unpack_from(f"<{count}q", body, 2)
    return tuple(
        Received(fix, _EPOCH + timedelta(microseconds=micros))
        for fix, micros in zip(unpack(body[2 + 8 * count :]), times, strict=True)
    )
