"""One position: as it was decoded, and as the door and the filters hand it on. WGS84, UTC, metres, seconds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from uuid import UUID

NO_DEVICE = UUID(int=0)


class Door(IntEnum):
    """Who spoke: our phone page for its own unit, a gateway for the units of its area, a device by its own key."""

    PAGE = 0
    GATEWAY = 1
    DEVICE = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """What a decoder makes of a payload: coordinates still in the sender's own system, which the caller knows.

    lon, lat in that system's units; metres, metres a second, degrees clockwise from north, percent.
    """

    lon: float
    lat: float
    fixed_at: datetime
    accuracy_m: float | None = None
    speed_mps: float | None = None
    heading_deg: float | None = None
    battery_pct: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class RawFix:
    """A position at the door, degrees WGS84. `device_id` is NO_DEVICE for a page or a gateway."""

    unit_id: UUID
    lon: float
    lat: float
    fixed_at: datetime
    device_id: UUID = NO_DEVICE
    door: Door = Door.PAGE
    accuracy_m: float | None = None
    speed_mps: float | None = None
    heading_deg: float | None = None
    battery_pct: float | None = None
