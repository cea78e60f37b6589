"""Reading the feed from the database: rows in an order that hides no late commit, and who may hear them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from web.live_audience import NOBODY_ELSE, Audience, Notice, Position

_AFTER = text("select * from outbox_after(cast(:xid as xid8), :id, :most)")
_START = text("select * from outbox_start(:seconds, :most)")
_AUDIENCE = text("select * from feed_audience(:incidents, :at)")
_UNITS = text("select * from feed_units(:since)")
_CALLERS = text("select * from feed_callers(:sessions, :tokens, :at)")


@dataclass(frozen=True, slots=True)
class UnitMove:
    """The newest place of a unit, WGS84 degrees."""

    unit_id: UUID
    path: str
    lon: float
    lat: float
    status: str
    fixed_at: datetime
    updated_at: datetime


def read_epoch(connection: Connection) -> str:
    """Which history the positions belong to."""
    found: str = connection.scalar(text("select feed_epoch()")) or ""
    return found


def read_mark(connection: Connection) -> Position:
    """The place behind everything that is settled now."""
    return Position(int(connection.scalar(text("select outbox_mark()")) or 0), 0)


def read_start(connection: Connection, seconds: int, most: int) -> Position | None:
    """The place before the first settled row of the last seconds; None when there is none."""
    row = connection.execute(_START, {"seconds": seconds, "most": most}).first()
    return None if row is None else Position(int(row.xid), row.id)


def read_oldest_xid(connection: Connection) -> int | None:
    """The transaction of the oldest row that is still kept."""
    found = connection.scalar(text("select outbox_oldest()"))
    return None if found is None else int(found)


def read_after(connection: Connection, position: Position, most: int, at: datetime) -> list[Notice]:
    """The settled rows behind `position`, in order, each with who may hear it at the time `at`."""
    rows = connection.execute(_AFTER, {"xid": str(position.xid), "id": position.id, "most": most}).all()
    audiences = _audiences(connection, {row.incident_id for row in rows if row.incident_id}, at)
    return [_notice(row, audiences) for row in rows]


@dataclass(frozen=True, slots=True)
class _Seen:
    restricted: bool
    current: Audience
    lapsed: Audience


def _notice(row: Any, audiences: dict[UUID, _Seen]) -> Notice:
    seen = audiences.get(row.incident_id)
    return Notice(
        position=Position(int(row.xid), row.id),
        at_s=row.at.timestamp(),
        topic=row.topic,
        body=row.body,
        path=row.path or "",
        old_path=row.old_path,
        # What was open when it was written and is restricted now is not told late.
        restricted=row.restricted or (seen is not None and seen.restricted),
        audience=seen.current if seen else NOBODY_ELSE,
        lapsed=seen.lapsed if seen else NOBODY_ELSE,
    )


def _audiences(connection: Connection, incidents: set[UUID], at: datetime) -> dict[UUID, _Seen]:
    if not incidents:
        return {}
    found: dict[UUID, list[Any]] = {}
    for row in connection.execute(_AUDIENCE, {"incidents": list(incidents), "at": at}):
        found.setdefault(row.incident_id, []).append(row)
    return {
        incident_id: _Seen(
            restricted=rows[0].restricted,
            current=_audience(row for row in rows if not row.lapsed),
            lapsed=_audience(row for row in rows if row.lapsed),
        )
        for incident_id, rows in found.items()
    }


def _audience(rows: Iterable[Any]) -> Audience:
    kept = list(rows)
    return Audience(
        accounts=frozenset(row.account_id for row in kept if row.account_id),
        units=frozenset(row.unit_id for row in kept if row.unit_id),
        area_paths=tuple(row.area_path for row in kept if row.area_path is not None),
    )


def read_units(connection: Connection, since: datetime) -> list[UnitMove]:
    """Units whose newest place was written after `since`."""
    return [UnitMove(*row) for row in connection.execute(_UNITS, {"since": since})]


def read_callers(
    connection: Connection, sessions: Sequence[UUID], tokens: Sequence[UUID], at: datetime
) -> dict[UUID, str]:
    """Of these sessions and tokens the ones still good, each with a digest of what it reaches."""
    rows = connection.execute(_CALLERS, {"sessions": list(sessions), "tokens": list(tokens), "at": at})
    return {row.id: row.reach for row in rows}
