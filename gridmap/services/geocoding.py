"""From an address to a place: exact names of the gazetteer, with the method and how far off it may be."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class GeocodeResult:
    """A place in WGS84 degrees, how it was found, and the radius that holds the truth."""

    lon: float
    lat: float
    method: str
    radius_m: float
    matched: str


def geocode(session: Session, address: str, near: tuple[float, float] | None = None) -> GeocodeResult | None:
    """The place of an address, or None: never the middle of an area."""
    row = session.execute(
        text(
            "select st_x(geom) as lon, st_y(geom) as lat, kind, radius_m, name from gazetteer"
            " where name_norm = lower(:name) and kind in ('address', 'building', 'landmark', 'street', 'place')"
            " order by weight desc, id limit 1"
        ),
        {"name": address.strip()},
    ).first()
    if row is None:
        return None
    method = "house_number" if row.kind == "address" else row.kind
    return GeocodeResult(row.lon, row.lat, method, row.radius_m, row.name)
