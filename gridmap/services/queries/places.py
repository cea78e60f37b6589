"""Units, cameras and areas as lists and single rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from gridmap.errors import NotFound
from gridmap.services.transaction import Tx

Box = tuple[float, float, float, float]
MAX_UNITS = 10_000
MAX_CAMERAS = 2_000


def area_path(tx: Tx, area_id: int) -> str:
    """The path of an area that is in force now. Raises NotFound("area_not_found")."""
    found: str | None = tx.session.scalar(
        text(
            "select path::text from area_version"
            " where area_id = :id and valid @> cast(:at as timestamptz) limit 1"
        ),
        {"id": area_id, "at": tx.now},
    )
    if found is None:
        raise NotFound("area_not_found", area_id=area_id)
    return found


@dataclass(frozen=True, slots=True)
class UnitRow:
    """A unit and where it is (WGS84 degrees), None while nothing is known of that."""

    id: UUID
    call_sign: str
    kind: str
    mode: str
    status: str
    lon: float | None
    lat: float | None
    fixed_at: datetime | None
    accuracy_m: float | None
    heading_deg: float | None
    area_id: int | None
    dispatch_id: UUID | None
    capabilities: list[str]
    home_area_id: int | None


_UNITS = text(
    """
    select u.id, u.call_sign, u.kind, u.mode, u.status, st_x(l.geom) as lon, st_y(l.geom) as lat, l.fixed_at,
           l.accuracy_m, l.heading_deg, l.area_id, d.id as dispatch_id, u.capabilities, u.home_area_id
    from unit u
    left join unit_latest l on l.unit_id = u.id
    left join lateral (
      select d.id from dispatch d
      where d.unit_id = u.id and u.status = 'busy' and d.status in ('accepted', 'en_route', 'on_scene')
      order by d.accepted_at desc limit 1) d on true
    where u.withdrawn_at is null
      and (cast(:statuses as text[]) is null or u.status = any(:statuses))
      and (cast(:has_box as boolean) is not true
           or l.geom && st_makeenvelope(:west, :south, :east, :north, 4326))
    order by u.call_sign, u.id
    limit :most
    """
)


def list_units(tx: Tx, *, statuses: tuple[str, ...] = (), bbox: Box | None = None) -> list[UnitRow]:
    """Units in the actor's sight by call sign; without `statuses` those on duty. At most MAX_UNITS."""
    west, south, east, north = bbox or (0.0, 0.0, 0.0, 0.0)
    rows = tx.session.execute(
        _UNITS,
        {
            "statuses": list(statuses) or ["free", "busy", "break"],
            "has_box": bbox is not None,
            "west": west,
            "south": south,
            "east": east,
            "north": north,
            "most": MAX_UNITS,
        },
    )
    return [UnitRow(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class CameraRow:
    """A public camera; angles clockwise from north, lengths in metres."""

    id: UUID
    code: str | None
    name: str
    kind: str
    status: str
    lon: float
    lat: float
    area_id: int | None
    area_name: str | None
    heading_deg: float | None
    fov_deg: float | None
    range_m: float | None
    height_m: float | None


_CAMERA_COLUMNS = """
    c.id, c.code, c.name, c.kind, c.status, st_x(c.geom) as lon, st_y(c.geom) as lat, c.area_id,
    v.name as area_name, c.heading_deg, c.fov_deg, c.range_m, c.height_m
"""
_AREA_NAME = "left join area_version v on v.area_id = c.area_id and v.valid @> cast(:at as timestamptz)"


@dataclass(frozen=True, slots=True)
class Cameras:
    """Cameras by name; `is_cut` when there are more than were asked for."""

    items: list[CameraRow]
    is_cut: bool


def list_cameras(tx: Tx, *, bbox: Box, statuses: tuple[str, ...] = (), limit: int = 200) -> Cameras:
    """The cameras in a box of the actor's sight."""
    west, south, east, north = bbox
    statement = (
        f"select {_CAMERA_COLUMNS} from cameras_in_box(:west, :south, :east, :north, null, :statuses, :most) c"
        f" {_AREA_NAME} order by c.name, c.id"
    )
    found = tx.session.execute(
        text(statement),
        {
            "west": west,
            "south": south,
            "east": east,
            "north": north,
            "statuses": list(statuses) or None,
            "most": limit,
            "at": tx.now,
        },
    ).all()
    return Cameras([CameraRow(*row) for row in found[:limit]], len(found) > limit)


def get_camera(tx: Tx, camera_id: UUID) -> CameraRow:
    """Raises NotFound("camera_not_found") when there is none in sight."""
    row = tx.session.execute(
        text(
            f"select {_CAMERA_COLUMNS} from camera c {_AREA_NAME} where c.id = :id and c.withdrawn_at is null"
        ),
        {"id": camera_id, "at": tx.now},
    ).first()
    if row is None:
        raise NotFound("camera_not_found")
    return CameraRow(*row)
