"""Reading incidents: the queue, one case with its story, what is open nearby."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import TIMESTAMP, Integer, Select, TableValuedAlias, Uuid, cast, func, literal, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session, aliased

from gridmap.db.tables import (
    Account,
    AreaVersion,
    Dispatch,
    Incident,
    IncidentEvent,
    MajorEvent,
    Report,
    Unit,
)
from gridmap.domain.lifecycle import active_statuses, verbs_from
from gridmap.domain.vocab import vocabulary
from gridmap.errors import Invalid, NotFound
from gridmap.services.transaction import Tx

MAX_PAGE = 500
MAX_NEARBY_M = 2_000


@dataclass(frozen=True, kw_only=True)
class CaseFilter:
    """What a list shows. Empty means no limit of that kind; `bbox` is west, south, east, north."""

    statuses: tuple[str, ...] = ()
    class_keys: tuple[str, ...] = ()
    severities: tuple[int, ...] = ()
    area_path: str | None = None
    reported_from: datetime | None = None
    reported_to: datetime | None = None
    bbox: tuple[float, float, float, float] | None = None
    words: str | None = None
    unlocated: bool = False
    include_drills: bool = True


@dataclass(frozen=True)
class CaseRow:
    """One line of the queue."""

    incident: Incident
    lon: float | None
    lat: float | None
    area_name: str | None
    handler_name: str | None
    dispatches_open: int
    major_name: str | None


@dataclass(frozen=True)
class CasePage:
    """A page in order; `next_cursor` continues it, `total` counts all that match (capped, see `total_is_least`).

    `words_since`: words were looked for from then on only, see `WORDS_SPAN`.
    """

    rows: tuple[CaseRow, ...]
    next_cursor: str | None
    total: int
    total_is_least: bool
    words_since: datetime | None = None


@dataclass(frozen=True)
class CaseDetail:
    """A case with its reports, timeline, dispatches, and what this actor may do now."""

    row: CaseRow
    reports: tuple[Report, ...]
    events: tuple[IncidentEvent, ...]
    dispatches: tuple[tuple[Dispatch, str], ...]
    duplicate_of_number: str | None
    allowed: tuple[str, ...]


COUNT_CAP = 10_000
# How far back words are looked for at once in a large site's history; the end of the span is the reader's to choose.
WORDS_SPAN = timedelta(days=92)
_EXPORT_BLOCK = 1_000
# Written as the partial index is, so that it is used whatever the parameters are.
_ACTIVE = text("incident.status <> 'closed'")


def list_cases(tx: Tx, wanted: CaseFilter, *, limit: int = 100, cursor: str | None = None) -> CasePage:
    """The queue: active ones by severity, then the oldest first; lists with closed ones by the newest first."""
    if not 1 <= limit <= MAX_PAGE:
        raise Invalid("limit_out_of_range", most=MAX_PAGE)
    queue_order = _is_queue(wanted)
    words_since = find_words_since(tx, wanted)
    if words_since is not None:
        wanted = replace(wanted, reported_from=words_since)
    ids = _matching_ids(tx.session, wanted, queue_order, _decode(cursor) if cursor else None, limit + 1)
    rows = tuple(_in_order(tx.session, ids[:limit]))
    total = (
        tx.session.scalar(
            select(func.count()).select_from(_matching(wanted, queue_order, None, COUNT_CAP, in_order=False))
        )
        or 0
    )
    mark = _encode(rows[-1].incident) if len(ids) > limit and rows else None
    return CasePage(rows, mark, total, total >= COUNT_CAP, words_since)


def find_words_since(tx: Tx, wanted: CaseFilter) -> datetime | None:
    """From when on words are looked for; None where that is no narrower than what is asked.

    Open cases are few, a small scope or table is read as a whole: there words have no limit.
    """
    if not wanted.words or _is_queue(wanted):
        return None
    since = (wanted.reported_to or tx.now) - WORDS_SPAN
    if wanted.reported_from is not None and wanted.reported_from >= since:
        return None
    need = text("select incident_words_need_span(cast(:area as ltree))")
    return since if tx.session.scalar(need, {"area": wanted.area_path}) else None


def _is_queue(wanted: CaseFilter) -> bool:
    return bool(wanted.statuses) and "closed" not in wanted.statuses


def iterate_cases(session: Session, wanted: CaseFilter) -> Iterator[CaseRow]:
    """Every matching row for an export, newest first, streamed; restricted cases are left out of files."""
    ids = _matching_ids(session, wanted, False, None, None)
    for first in range(0, len(ids), _EXPORT_BLOCK):
        for row in _in_order(session, ids[first : first + _EXPORT_BLOCK]):
            if not row.incident.restricted:
                yield row


def get_case_row(tx: Tx, incident_id: UUID) -> CaseRow:
    """Raises NotFound when there is none in sight."""
    row = tx.session.execute(_rows().where(Incident.id == incident_id)).first()
    if row is None:
        raise NotFound("incident_not_found")
    return _case_row(row)


def get_case(tx: Tx, incident_id: UUID) -> CaseDetail:
    """The whole story of one case. Raises NotFound when there is none in sight."""
    row = get_case_row(tx, incident_id)
    reports = tx.session.scalars(
        select(Report).where(Report.incident_id == incident_id).order_by(Report.received_at, Report.id)
    )
    events = tx.session.scalars(
        select(IncidentEvent)
        .where(IncidentEvent.incident_id == incident_id)
        .order_by(IncidentEvent.at, IncidentEvent.id)
    )
    dispatches = tx.session.execute(
        select(Dispatch, func.coalesce(Unit.call_sign, literal("?")))
        .outerjoin(Unit, Unit.id == Dispatch.unit_id)
        .where(Dispatch.incident_id == incident_id)
        .order_by(Dispatch.offered_at)
    )
    original = row.incident.duplicate_of
    number = tx.session.scalar(select(Incident.number).where(Incident.id == original)) if original else None
    return CaseDetail(
        row=row,
        reports=tuple(reports),
        events=tuple(events),
        dispatches=tuple((row[0], row[1]) for row in dispatches),
        duplicate_of_number=number,
        allowed=_allowed(tx, row),
    )


def list_nearby(
    tx: Tx, lon: float, lat: float, *, radius_m: float, class_key: str | None = None, limit: int = 10
) -> list[tuple[CaseRow, float]]:
    """Active cases within `radius_m`, those of the same class first, then the nearest; with the distance in metres."""
    if not 0 < radius_m <= MAX_NEARBY_M:
        raise Invalid("radius_out_of_range", most_m=MAX_NEARBY_M)
    here = func.st_setsrid(func.st_makepoint(lon, lat), 4326)
    away = func.st_distance(func.geography(Incident.geom), func.geography(here))
    reach_deg = radius_m / 111_320.0 * 2.5
    statement = (
        _rows()
        .add_columns(away.label("away_m"))
        .where(
            _ACTIVE,
            Incident.geom.op("&&")(func.st_expand(here, reach_deg)),
            away <= radius_m,
        )
        .order_by((Incident.class_key == (class_key or "")).desc(), away)
        .limit(limit)
    )
    return [(_case_row(row), float(row.away_m)) for row in tx.session.execute(statement)]


@cache
def _rows() -> Select[Any]:
    handler = aliased(Account)
    dispatches = (
        select(func.count())
        .where(Dispatch.incident_id == Incident.id, Dispatch.status.in_(active_statuses("dispatch")))
        .correlate(Incident)
        .scalar_subquery()
    )
    major = (
        select(MajorEvent.name)
        .where(MajorEvent.id == Incident.major_id)
        .correlate(Incident)
        .scalar_subquery()
    )
    return (
        select(
            Incident,
            func.st_x(Incident.geom).label("lon"),
            func.st_y(Incident.geom).label("lat"),
            AreaVersion.name.label("area_name"),
            handler.display_name.label("handler_name"),
            dispatches.label("dispatches_open"),
            major.label("major_name"),
        )
        .outerjoin(AreaVersion, AreaVersion.id == Incident.area_version_id)
        .outerjoin(handler, handler.id == Incident.handler_account_id)
    )


def _matching(
    wanted: CaseFilter,
    queue_order: bool,
    mark: tuple[int, datetime, UUID] | None,
    most: int | None,
    *,
    in_order: bool = True,
) -> TableValuedAlias:
    severity, reported_at, incident_id = mark or (None, None, None)
    return func.list_incidents(
        cast(_as_json(wanted), JSONB),
        queue_order,
        cast(severity, Integer),
        cast(reported_at, TIMESTAMP(timezone=True)),
        cast(incident_id, Uuid),
        cast(most, Integer),
        in_order,
    ).table_valued("id", name="matching")


def _matching_ids(
    session: Session,
    wanted: CaseFilter,
    queue_order: bool,
    mark: tuple[int, datetime, UUID] | None,
    most: int | None,
) -> list[UUID]:
    found = _matching(wanted, queue_order, mark, most)
    return list(session.scalars(select(cast(found.c.id, Uuid))))


def _in_order(session: Session, ids: Sequence[UUID]) -> Iterator[CaseRow]:
    """The rows of these ids that are in sight, in the ids' order."""
    found = {row[0].id: row for row in session.execute(_rows().where(Incident.id.in_(ids)))}
    return (_case_row(found[key]) for key in ids if key in found)


def _members(keys: Sequence[str]) -> list[str]:
    """The keys, and for a group the classes in it."""
    classes = vocabulary().classes.values()
    return sorted({*keys, *(row.key for row in classes if row.parent in keys)})


def _as_json(wanted: CaseFilter) -> dict[str, Any]:
    """As the database's list_incidents reads it: what is not asked for is not there."""
    asked: dict[str, Any] = {
        "statuses": list(wanted.statuses),
        "classes": _members(wanted.class_keys),
        "severities": list(wanted.severities),
        "area": wanted.area_path,
        "since": wanted.reported_from and wanted.reported_from.isoformat(),
        "until": wanted.reported_to and wanted.reported_to.isoformat(),
        "box": wanted.bbox and list(wanted.bbox),
        "words": wanted.words,
    }
    return {
        **{name: value for name, value in asked.items() if value},
        "unlocated": wanted.unlocated,
        "drills": wanted.include_drills,
    }


def _case_row(row: Any) -> CaseRow:
    return CaseRow(
        row[0], row.lon, row.lat, row.area_name, row.handler_name, row.dispatches_open, row.major_name
    )


def _allowed(tx: Tx, row: CaseRow) -> tuple[str, ...]:
    """Verbs that both the status and this actor's rights allow now: what a screen offers."""
    incident, actor = row.incident, tx.actor
    if not actor.writes_in(incident.scope_path):
        return ()
    ways = verbs_from("incident", incident.status)
    found: set[str] = set()
    if actor.can("case.handle"):
        found |= {"note"} | (ways & {"reopen"})
        if incident.status != "closed":
            found |= {"handle", "reclassify", "move"}
            if row.dispatches_open == 0:
                found |= ways & {"void", "duplicate"}
    if actor.can("case.dispatch") and "offer" in ways and incident.geom is not None:
        found.add("offer")
    if actor.can("case.verify"):
        found |= ways & {"return"}
        if row.dispatches_open == 0:
            found |= ways & {"close"}
    return tuple(sorted(found))


def _encode(incident: Incident) -> str:
    mark = [incident.severity, incident.reported_at.isoformat(), str(incident.id)]
    return base64.urlsafe_b64encode(json.dumps(mark).encode()).decode()


def _decode(cursor: str) -> tuple[int, datetime, UUID]:
    try:
        severity, reported_at, incident_id = json.loads(base64.urlsafe_b64decode(cursor))
        return int(severity), datetime.fromisoformat(reported_at), UUID(incident_id)
    except (ValueError, TypeError) as error:
        raise Invalid("cursor_not_valid") from error
