"""Our own form: a batch of fixes, each with its time and system. Spoken by the phone page and by gateways."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from gridmap.positions.fixes import Reading

MAX_FIXES = 500
_Key = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class PhoneFix(BaseModel):
    """One position. A gateway names the unit; a phone speaks for its own. `id` is the sender's, for its own queue."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, str_strip_whitespace=True)

    lon: Annotated[float, Field(ge=-1e9, le=1e9)]
    lat: Annotated[float, Field(ge=-1e9, le=1e9)]
    fixed_at: AwareDatetime
    id: _Key | None = None
    crs: _Key = "WGS84"
    unit_id: UUID | None = None
    accuracy_m: Annotated[float, Field(ge=0, le=1_000_000)] | None = None
    speed_mps: Annotated[float, Field(ge=0, le=400)] | None = None
    heading_deg: Annotated[float, Field(ge=0, le=360)] | None = None
    battery_pct: Annotated[float, Field(ge=0, le=100)] | None = None

    def reading(self) -> Reading:
        return Reading(
            lon=self.lon,
            lat=self.lat,
            fixed_at=self.fixed_at,
            accuracy_m=self.accuracy_m,
            speed_mps=self.speed_mps,
            heading_deg=self.heading_deg,
            battery_pct=self.battery_pct,
        )


class PhoneBatch(BaseModel):
    """Up to 500 fixes, in any order."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    fixes: Annotated[list[PhoneFix], Field(max_length=MAX_FIXES)]


def decode(payload: bytes) -> PhoneBatch:
    """A batch of a JSON body. Raises pydantic's ValidationError, which names each wrong field."""
    return PhoneBatch.model_validate_json(payload, strict=True)
