"""Fences: made from what somebody drew, changed, ended, listed; and what units did about one.

A change of anything that the engine judges by makes a new version that counts from now on: the positions processes see
it within two seconds, and what happened before was judged by what held then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from geoalchemy2 import WKTElement
from shapely.geometry import MultiPolygon
from shapely.geometry.base import BaseGeometry
from sqlalchemy import or_, select, text

from gridmap.db.tables import Fence, FenceEventRow, Incident, Unit
from gridmap.domain.ids import new_id
from gridmap.domain.metric import LocalMetric
from gridmap.domain.vocab import vocabulary
from gridmap.domain.workdays import workdays
from gridmap.errors import Conflict, Forbidden, Invalid, NotFound
from gridmap.positions import fence_shapes as shapes
from gridmap.positions.fence_calendar import read_calendar
from gridmap.services.areas import path_over
from gridmap.services.auditing import audit
from gridmap.services.fence_making import shape_of
from gridmap.services.transaction import Tx

EXIT_S = 300.0
MAX_STANDING = 30_000
MAX_EVENTS = 1_000
_LONGEST_S = 7 * 24 * 3600.0


@dataclass(frozen=True, kw_only=True)
class NewFence:
    """A fence to be. `source` is what `kind` is made from (see `fence_making`); None of `calendar` is always."""

    name: str
    kind: str
    source: Mapping[str, Any]
    dwell_s: float | None = None
    exit_s: float = EXIT_S
    buffer_m: float = 0.0
    calendar: Mapping[str, Any] | None = None
    unit_kinds: Sequence[str] = ()
    expires_at: datetime | None = None
    drill: bool = False


@dataclass(frozen=True)
class FenceLine:
    """A fence with its shape as GeoJSON, WGS84."""

    id: UUID
    name: str
    kind: str
    purpose: str
    source: dict[str, Any]
    geometry: dict[str, Any] | None
    dwell_s: float | None
    exit_s: float
    buffer_m: float
    calendar: dict[str, Any] | None
    unit_kinds: tuple[str, ...]
    version: int
    since: datetime
    expires_at: datetime | None
    archived_at: datetime | None
    incident_id: UUID | None
    drill: bool
    area_path: str


@dataclass(frozen=True)
class EventLine:
    """What a unit did about a fence, and why it was certain. A corrected event carries when."""

    id: UUID
    unit_id: UUID
    call_sign: str
    kind: str
    at: datetime
    sample_at: datetime
    visit_id: UUID
    reason: str
    superseded_at: datetime | None


def create_fence(tx: Tx, command: NewFence, metric: LocalMetric) -> Fence:
    """Draw a zone. Raises Forbidden("out_of_write_scope") where it reaches out of the actor's areas, Invalid."""
    tx.actor.require("fence.edit")
    _refuse_too_many(tx)
    made = shape_of(tx, command.kind, command.source, metric)
    path = path_over(tx, made)
    if not tx.actor.writes_in(path):
        raise Forbidden("out_of_write_scope")
    row = _row(tx, command, made, path)
    tx.session.add(row)
    tx.session.flush()
    audit(tx, "fence.create", "fence", row.id, kind=row.kind)
    return row


def open_callout_fence(
    tx: Tx,
    incident: Incident,
    shape: BaseGeometry,
    *,
    name: str,
    expires_at: datetime | None,
    exit_s: float = 60.0,
) -> UUID:
    """The ground (WGS84) of a call-out of `incident`: seen by whoever sees the incident, ended with `end_fence`."""
    row = _row(
        tx,
        NewFence(
            name=name,
            kind="polygon",
            source={"by": "callout"},
            exit_s=exit_s,
            expires_at=expires_at,
            drill=incident.drill,
        ),
        shapes.area_shape(shape),
        incident.scope_path,
    )
    row.purpose, row.incident_id = "callout", incident.id
    tx.session.add(row)
    tx.session.flush()
    return row.id


def end_fence(tx: Tx, fence_id: UUID) -> None:
    """End the fence of a call-out; one that is over already stays so."""
    row = tx.session.scalars(
        select(Fence).where(Fence.id == fence_id).with_for_update(key_share=True)
    ).first()
    if row is not None and row.archived_at is None:
        row.archived_at = tx.now
        tx.session.flush()


def change_fence(
    tx: Tx, fence_id: UUID, changes: Mapping[str, Any], version: int, metric: LocalMetric
) -> Fence:
    """Change a fence that the caller saw in `version`.

    Args:
        changes: fields of NewFence; `kind` and `source` go together.

    Raises:
        NotFound("fence_not_found"), Conflict("version_conflict"), Conflict("fence_over"), Forbidden, Invalid.
    """
    row = _for_change(tx, fence_id)
    if row.version != version:
        raise Conflict("version_conflict")
    now_is = {one.name: getattr(row, one.name) for one in fields(NewFence)}
    wanted = NewFence(**{**now_is, **changes})
    made = None
    if (wanted.kind, dict(wanted.source)) != (row.kind, row.source):
        made = shape_of(tx, wanted.kind, wanted.source, metric)
        path = path_over(tx, made)
        if not tx.actor.writes_in(path):
            raise Forbidden("out_of_write_scope")
        row.geom, row.scope_path = WKTElement(made.wkt, srid=4326), path
    judged = made is not None or any(
        _plain(changes[name]) != _plain(now_is[name])
        for name in changes
        if name not in ("name", "source", "kind")
    )
    _check(tx, wanted)
    for name in changes:
        setattr(row, name, _plain(getattr(wanted, name)))
    if judged:
        row.version, row.since = row.version + 1, tx.now
    tx.session.flush()
    audit(tx, "fence.change", "fence", row.id, fields=sorted(changes), version=row.version)
    return row


def archive_fence(tx: Tx, fence_id: UUID, reason: str | None = None) -> None:
    """Take a fence out of use; its events stay as long as they are kept."""
    row = _for_change(tx, fence_id)
    row.archived_at, row.version = tx.now, row.version + 1
    tx.session.flush()
    audit(tx, "fence.archive", "fence", row.id, reason=reason)


def list_fences(tx: Tx, *, purposes: Sequence[str] = (), include_over: bool = False) -> list[FenceLine]:
    """Fences in the actor's sight by name, without their shapes."""
    tx.actor.require("fence.read")
    statement = select(Fence).order_by(Fence.name, Fence.id).limit(MAX_STANDING)
    if purposes:
        statement = statement.where(Fence.purpose.in_(purposes))
    if not include_over:
        statement = statement.where(
            Fence.archived_at.is_(None), or_(Fence.expires_at.is_(None), Fence.expires_at > tx.now)
        )
    return [_line(row, None) for row in tx.session.scalars(statement)]


def get_fence(tx: Tx, fence_id: UUID) -> FenceLine:
    """One fence with its shape. Raises NotFound("fence_not_found")."""
    row = tx.session.scalars(select(Fence).where(Fence.id == fence_id)).first()
    if row is None:
        raise NotFound("fence_not_found")
    outline = tx.session.scalar(
        text("select st_asgeojson(geom, 9)::jsonb from fence where id = :id"), {"id": fence_id}
    )
    return _line(row, outline)


def list_events(
    tx: Tx,
    fence_id: UUID,
    *,
    reason: str,
    since: datetime | None = None,
    until: datetime | None = None,
    corrected: bool = False,
) -> list[EventLine]:
    """What units did about a fence, newest first; `reason` (an incident's number, why one looks) goes to the trail.

    Events tell where units were, so they are kept as long as positions are, and looking is recorded.
    """
    tx.actor.require("fence.read")
    tx.actor.require("unit.read")
    get_fence(tx, fence_id)
    statement = (
        select(FenceEventRow, Unit.call_sign)
        .join(Unit, Unit.id == FenceEventRow.unit_id)
        .where(FenceEventRow.fence_id == fence_id)
        .order_by(FenceEventRow.at.desc(), FenceEventRow.id.desc())
        .limit(MAX_EVENTS)
    )
    if since is not None:
        statement = statement.where(FenceEventRow.at >= since)
    if until is not None:
        statement = statement.where(FenceEventRow.at < until)
    if not corrected:
        statement = statement.where(FenceEventRow.superseded_at.is_(None))
    audit(tx, "fence.events_viewed", "fence", fence_id, reason=reason)
    return [
        EventLine(
            id=row.id,
            unit_id=row.unit_id,
            call_sign=call_sign,
            kind=row.kind,
            at=row.at,
            sample_at=row.sample_at,
            visit_id=row.visit_id,
            reason=row.reason,
            superseded_at=row.superseded_at,
        )
        for row, call_sign in tx.session.execute(statement)
    ]


def _row(tx: Tx, command: NewFence, made: MultiPolygon, path: str) -> Fence:
    _check(tx, command)
    return Fence(
        id=new_id(),
        name=command.name,
        kind=command.kind,
        source=dict(command.source),
        geom=WKTElement(made.wkt, srid=4326),
        dwell_s=command.dwell_s,
        exit_s=command.exit_s,
        buffer_m=command.buffer_m,
        calendar=_plain(command.calendar),
        unit_kinds=sorted(set(command.unit_kinds)),
        scope_path=path,
        version=1,
        since=tx.now,
        expires_at=command.expires_at,
        drill=command.drill,
        created_at=tx.now,
        created_by=tx.actor.account_id,
    )


def _check(tx: Tx, command: NewFence) -> None:
    for name, value, most in (
        ("dwell_s", command.dwell_s, _LONGEST_S),
        ("exit_s", command.exit_s, _LONGEST_S),
        ("buffer_m", command.buffer_m, shapes.MAX_RADIUS_M),
    ):
        if value is not None and not 0.0 <= value <= most:
            raise Invalid("fence_number", field=name, most=most)
    for kind in command.unit_kinds:
        vocabulary().term("unit_kind", kind)
    read_calendar(command.calendar, tx.zone, workdays())
    if command.expires_at is not None and command.expires_at <= tx.now:
        raise Invalid("fence_expired")


def _refuse_too_many(tx: Tx) -> None:
    standing = tx.session.scalar(text("select count(*) from fence where archived_at is null")) or 0
    if standing >= MAX_STANDING:
        raise Conflict("too_many_fences", most=MAX_STANDING)


def _for_change(tx: Tx, fence_id: UUID) -> Fence:
    tx.actor.require("fence.edit")
    row = tx.session.scalars(
        select(Fence).where(Fence.id == fence_id).with_for_update(key_share=True)
    ).first()
    if row is None:
        seen = tx.session.scalar(select(Fence.id).where(Fence.id == fence_id))
        raise NotFound("fence_not_found") if seen is None else Forbidden("out_of_write_scope")
    if row.archived_at is not None:
        raise Conflict("fence_over")
    return row


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    return sorted(set(value)) if isinstance(value, list | tuple) else value


def _line(row: Fence, outline: dict[str, Any] | None) -> FenceLine:
    return FenceLine(
        id=row.id,
        name=row.name,
        kind=row.kind,
        purpose=row.purpose,
        source=row.source,
        geometry=outline,
        dwell_s=row.dwell_s,
        exit_s=row.exit_s,
        buffer_m=row.buffer_m,
        calendar=row.calendar,
        unit_kinds=tuple(row.unit_kinds),
        version=row.version,
        since=row.since,
        expires_at=row.expires_at,
        archived_at=row.archived_at,
        incident_id=row.incident_id,
        drill=row.drill,
        area_path=row.scope_path,
    )
