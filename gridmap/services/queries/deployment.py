"""What a signed-in screen has to know of the deployment and of its own unit."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select, text

from gridmap.basemap.style import BasemapExtract
from gridmap.db.tables import OsmExtract, Unit
from gridmap.services.transaction import Tx
from gridmap.settings import Settings


@dataclass(frozen=True, slots=True)
class Deployment:
    """`bounds` is west, south, east, north and `center` lon, lat, in WGS84 degrees; None before any area is there."""

    name: str
    demo: bool
    timezone: str
    locale: str
    bounds: tuple[float, float, float, float] | None
    center: tuple[float, float] | None
    area_set_version: int
    basemap: bool


@dataclass(frozen=True, slots=True)
class OwnUnit:
    """The unit whose crew the caller is on."""

    id: UUID
    call_sign: str
    mode: str


# What the caller's own areas span; where those are everything, the roots.
_BOUNDS = text(
    """
    select min(st_xmin(v.geom)), min(st_ymin(v.geom)), max(st_xmax(v.geom)), max(st_ymax(v.geom))
    from area_version v join area a on a.id = v.area_id
    where a.tree = 'admin' and v.valid @> cast(:at as timestamptz)
      and case when cast(:everywhere as boolean) then v.parent_id is null
          else v.path::text = any(:roots) end
    """
)


def describe_deployment(tx: Tx, settings: Settings) -> Deployment:
    """The deployment as the caller's screen shows it, opened on the caller's own areas."""
    roots = [path for path in tx.actor.map_paths if path]
    everywhere = "" in tx.actor.map_paths or not roots
    row = tx.session.execute(_BOUNDS, {"at": tx.now, "everywhere": everywhere, "roots": roots}).one()
    bounds = None if row[0] is None else (row[0], row[1], row[2], row[3])
    version = tx.session.scalar(text("select coalesce(sum(version), 0)::bigint from area_set"))
    return Deployment(
        name=settings.name,
        demo=settings.demo,
        timezone=settings.timezone,
        locale=settings.locale,
        bounds=bounds,
        center=None if bounds is None else ((bounds[0] + bounds[2]) / 2, (bounds[1] + bounds[3]) / 2),
        area_set_version=version or 0,
        basemap=any(settings.basemap_dir.glob("*.pmtiles")),
    )


def find_own_unit(tx: Tx) -> OwnUnit | None:
    if not tx.actor.unit_ids:
        return None
    unit = tx.session.scalars(select(Unit).where(Unit.id == tx.actor.unit_ids[0])).first()
    return None if unit is None else OwnUnit(unit.id, unit.call_sign, unit.mode)


def list_basemaps(tx: Tx, settings: Settings) -> list[BasemapExtract]:
    """The extracts whose file is there, in the order of their names."""
    rows = tx.session.scalars(select(OsmExtract).order_by(OsmExtract.name))
    return [
        BasemapExtract(
            name=row.name, version=row.file_sha256[:12], attribution=row.attribution, demo=row.demo
        )
        for row in rows
        if (settings.basemap_dir / f"{row.name}.pmtiles").is_file()
    ]
