"""Rosters for the demo's crews: two weeks ahead by their shift, filled up at every start."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import func, insert, select

from gridmap.clock import Clock
from gridmap.db.engine import Database
from gridmap.db.tables import RosterEntry, Unit, UnitMember
from gridmap.demo.shifts import hours_of
from gridmap.domain.ids import new_id
from gridmap.services.transaction import Tx, system_transaction

DAYS_BEFORE = 1
DAYS_AHEAD = 14
_ON_WHEELS = ("car", "emergency_car")
_BLOCK = 5_000


def ensure_rosters(database: Database, clock: Clock) -> int:
    """Plan the days that no span of a crew reaches yet. Returns how many spans were written."""
    with system_transaction(database, clock) as tx:
        rows = list(_missing(tx))
    for first in range(0, len(rows), _BLOCK):
        with system_transaction(database, clock) as tx:
            tx.session.execute(insert(RosterEntry), rows[first : first + _BLOCK])
    return len(rows)


def _missing(tx: Tx) -> Iterator[dict[str, Any]]:
    today = tx.now.astimezone(tx.zone).date()
    until = _planned_until(tx)
    crews = _crews(tx)
    units = tx.session.execute(
        select(Unit.id, Unit.ref, Unit.shift, Unit.mode, Unit.call_sign)
        .where(Unit.shift.is_not(None), Unit.withdrawn_at.is_(None))
        .order_by(Unit.ref)
    )
    for unit in units:
        crew = crews.get(unit.id, [])
        for number in range(-DAYS_BEFORE, DAYS_AHEAD + 1):
            starts_at, ends_at = _span(today + timedelta(days=number), unit.shift, unit.ref or "", tx.zone)
            if unit.id in until and starts_at < until[unit.id]:
                continue
            yield {
                "id": new_id(),
                "unit_id": unit.id,
                "person_id": None,
                "starts_at": starts_at,
                "ends_at": ends_at,
                "kind": "duty",
                "status": "planned",
                "vehicle": f"{unit.call_sign}号车" if unit.mode in _ON_WHEELS else None,
                "partner_person_id": crew[1] if len(crew) > 1 else None,
                "created_at": tx.now,
            }


def _span(day: date, shift: str, ref: str, zone: ZoneInfo) -> tuple[datetime, datetime]:
    first, last = hours_of(shift, ref)
    midnight = datetime.combine(day, time(), zone)
    return midnight + timedelta(hours=first), midnight + timedelta(hours=last)


def _planned_until(tx: Tx) -> dict[UUID, datetime]:
    """Up to when each unit is planned, whatever became of the spans: what was cancelled is not planned anew."""
    found = tx.session.execute(
        select(RosterEntry.unit_id, func.max(RosterEntry.ends_at)).group_by(RosterEntry.unit_id)
    )
    return {row[0]: row[1] for row in found}


def _crews(tx: Tx) -> dict[UUID, list[UUID]]:
    crews: dict[UUID, list[UUID]] = {}
    rows = tx.session.execute(
        select(UnitMember.unit_id, UnitMember.person_id).order_by(UnitMember.unit_id, UnitMember.person_id)
    )
    for row in rows:
        crews.setdefault(row.unit_id, []).append(row.person_id)
    return crews
