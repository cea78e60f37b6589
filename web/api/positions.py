"""Positions from phones and gateways."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from apiflask import APIBlueprint
from pydantic import AwareDatetime, Field

from gridmap.services.positions import MAX_FIXES, SentFix, receive_fixes
from web.guards import requires
from web.schemas import Abscissa, Body, Ordinate, ShortText
from web.site import as_caller

positions = APIBlueprint("positions", __name__, url_prefix="/api/positions", tag="positions")


class Fix(Body):
    """One position. A gateway names the unit; a phone speaks for its own."""

    lon: Abscissa
    lat: Ordinate
    fixed_at: AwareDatetime
    id: ShortText | None = None
    crs: ShortText = "WGS84"
    unit_id: UUID | None = None
    accuracy_m: Annotated[float, Field(ge=0, le=1_000_000)] | None = None
    speed_mps: Annotated[float, Field(ge=0, le=400)] | None = None
    heading_deg: Annotated[float, Field(ge=0, le=360)] | None = None
    battery_pct: Annotated[float, Field(ge=0, le=100)] | None = None


class Fixes(Body):
    fixes: Annotated[list[Fix], Field(max_length=MAX_FIXES)]


@positions.post("")
@positions.input(Fixes, arg_name="body")
@requires("job.work", "position.gateway")
def receive(body: Fixes) -> dict[str, Any]:
    """Take fixes of units on duty; those of units off duty are refused and not kept."""
    sent = [SentFix(**fix.model_dump(exclude={"id"})) for fix in body.fixes]
    with as_caller() as tx:
        received = receive_fixes(tx, sent, "http")
    return {
        "accepted": received.accepted,
        "refused": [{"index": index, "code": code} for index, code in received.refused],
    }
