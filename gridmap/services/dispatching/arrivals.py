"""When the units on the way will be there, asked of the roads again while they drive."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, text

from gridmap.adapters.valhalla import Valhalla
from gridmap.clock import Clock
from gridmap.db.engine import Database
from gridmap.db.tables import Dispatch, Incident
from gridmap.domain.closures import ALL_OPEN, Closures
from gridmap.domain.metric import distance_m
from gridmap.domain.travel import LonLat, Mode
from gridmap.errors import NotFound
from gridmap.services import closures
from gridmap.services.outbox import publish
from gridmap.services.routing import way_to
from gridmap.services.transaction import Tx, system_transaction

ASKED_AGAIN_AFTER = timedelta(seconds=30)
MOVED_M = 30.0
MOST_AT_ONCE = 50
# Screens hear of it only when it is news: a clock that jumps by seconds helps nobody.
NEWS = timedelta(seconds=20)

_ON_THE_WAY = text(
    """
    select d.id, d.unit_id, u.mode, st_x(l.geom) as lon, st_y(l.geom) as lat, l.fixed_at,
           st_x(i.geom) as to_lon, st_y(i.geom) as to_lat
    from dispatch d join incident i on i.id = d.incident_id join unit u on u.id = d.unit_id
    join unit_latest l on l.unit_id = d.unit_id
    where d.status = 'en_route' and i.geom is not null and d.arrival_proposed_at is null
    order by d.id
    """
)


@dataclass(frozen=True, slots=True)
class _Asked:
    place: LonLat
    at: datetime


@dataclass(frozen=True, slots=True)
class _Found:
    dispatch_id: UUID
    arrives_at: datetime


@dataclass
class ArrivalTimes:
    """Keeps when each unit was last asked about; a restart only asks once more.

    `refresh` reads in one transaction, asks the roads in none, and writes in a last short one.
    """

    database: Database
    clock: Clock
    router: Valhalla
    _asked: dict[UUID, _Asked] = field(default_factory=dict)

    def refresh(self) -> int:
        """Ask about units that moved, each at most every 30 s. Returns how many arrival times changed."""
        with system_transaction(self.database, self.clock) as tx:
            rows = tx.session.execute(_ON_THE_WAY).all()
            now, closed = tx.now, closures.active(tx) if rows else ALL_OPEN
        self._asked = {row.id: self._asked[row.id] for row in rows if row.id in self._asked}
        due = [row for row in rows if self._is_due(row, now)][:MOST_AT_ONCE]
        found = [answer for row in due if (answer := self._ask(row, now, closed)) is not None]
        if not found:
            return 0
        with system_transaction(self.database, self.clock) as tx:
            return _write(tx, found)

    def _is_due(self, row: Any, now: datetime) -> bool:
        last = self._asked.get(row.id)
        if last is None:
            return True
        moved_m = float(distance_m(row.lon, row.lat, last.place.lon, last.place.lat))
        return now - last.at >= ASKED_AGAIN_AFTER and moved_m >= MOVED_M

    def _ask(self, row: Any, now: datetime, closed: Closures) -> _Found | None:
        place = LonLat(row.lon, row.lat)
        self._asked[row.id] = _Asked(place, now)
        try:
            way = way_to(self.router, place, LonLat(row.to_lon, row.to_lat), Mode(row.mode), closed)
        except NotFound:
            # No way from just here (a courtyard, a bridge seen from below): the last time stands.
            return None
        return _Found(row.id, row.fixed_at + timedelta(seconds=way.seconds))


def _write(tx: Tx, found: list[_Found]) -> int:
    """One note for each incident, whatever the number of units on their way to it."""
    arrives = {item.dispatch_id: item.arrives_at for item in found}
    rows = tx.session.execute(
        select(Dispatch, Incident)
        .join(Incident, Incident.id == Dispatch.incident_id)
        .where(Dispatch.id.in_(arrives), Dispatch.status == "en_route")
        .order_by(Dispatch.id)
        # Whoever is just being moved on by a verb is left out this time: this never waits with a row in hand.
        .with_for_update(key_share=True, of=Dispatch, skip_locked=True)
    ).all()
    news: dict[UUID, tuple[Incident, list[Dispatch]]] = {}
    for row in rows:
        dispatch, incident = row[0], row[1]
        dispatch.eta_at = arrives[dispatch.id]
        told = dispatch.eta_told_at
        if told is None or abs(dispatch.eta_at - told) >= NEWS:
            dispatch.eta_told_at = dispatch.eta_at
            news.setdefault(incident.id, (incident, []))[1].append(dispatch)
    tx.session.flush()
    for incident, dispatches in news.values():
        publish(
            tx,
            "dispatch",
            {
                "id": str(dispatches[0].id),
                "incident_id": str(incident.id),
                "kind": "eta",
                "etas": [
                    {"id": str(row.id), "eta_at": row.eta_at.isoformat()}
                    for row in dispatches
                    if row.eta_at is not None
                ],
            },
            path=incident.scope_path,
            incident_id=incident.id,
            restricted=incident.restricted,
        )
    return len(rows)
