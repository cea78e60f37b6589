"""What a screen on the wall shows: counts and rough places, and nothing that names a case or a person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text

from gridmap.services.transaction import Tx

MAX_POINTS = 2_000
MAX_AREAS = 12
AREA_LEVEL = "township"
FLOW_SPAN = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class WallCount:
    """Open cases of one severity and status; `overdue` of them are past the time by which something was due."""

    severity: int
    status: str
    n: int
    overdue: int


@dataclass(frozen=True, slots=True)
class WallPoint:
    """An open case on a lattice of about 200 m (WGS84 degrees)."""

    class_key: str
    severity: int
    status: str
    reported_at: datetime
    lon: float
    lat: float


@dataclass(frozen=True, slots=True)
class WallArea:
    """Open cases of one area; `severe` of them are of severity 1 or 2."""

    area_id: int
    name: str
    n: int
    severe: int


@dataclass(frozen=True, slots=True)
class WallAlarms:
    kind: str
    n: int
    oldest: datetime


@dataclass(frozen=True, slots=True)
class Wall:
    """`reported` and `closed` are of the last 24 hours; `units` counts those on duty by status."""

    counts: list[WallCount]
    points: list[WallPoint]
    areas: list[WallArea]
    alarms: list[WallAlarms]
    units: dict[str, int]
    reported: int
    closed: int


def read_wall(tx: Tx) -> Wall:
    """The figures of the actor's areas; restricted cases and drills are in none of them.

    The database's own functions decide what is told (gridmap/db/sql/59_wall.sql). The points are the most severe and
    newest MAX_POINTS.
    """
    session = tx.session
    flow = session.execute(text("select * from wall_flow(:since)"), {"since": tx.now - FLOW_SPAN}).one()
    units = session.execute(
        text(
            "select status, count(*) as n from unit where withdrawn_at is null and status <> 'off_duty' group by 1"
        )
    )
    return Wall(
        counts=[
            WallCount(*row) for row in session.execute(text("select * from wall_counts() order by 1, 2"))
        ],
        points=[
            WallPoint(*row)
            for row in session.execute(text("select * from wall_points(:most)"), {"most": MAX_POINTS})
        ],
        areas=[
            WallArea(*row)
            for row in session.execute(
                text("select * from wall_areas(:level, :most)"), {"level": AREA_LEVEL, "most": MAX_AREAS}
            )
        ],
        alarms=[
            WallAlarms(*row)
            for row in session.execute(text("select * from wall_alarms() order by 2 desc, 1"))
        ],
        units={row.status: row.n for row in units},
        reported=flow.reported,
        closed=flow.closed,
    )
