"""Who is meant to be on duty when: spans, leave, vehicle and partner."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import or_, select, text

from gridmap.db.tables import Person, RosterEntry, Unit
from gridmap.domain.ids import new_id
from gridmap.errors import Conflict, Invalid, NotFound
from gridmap.services.auditing import audit
from gridmap.services.outbox import publish
from gridmap.services.transaction import Tx

ON_DUTY = ("duty", "swap")
# Duty may start a little before the roster says, and ends by itself a little after.
EARLY = timedelta(minutes=30)
AFTER = timedelta(minutes=30)
MAX_SPAN = timedelta(hours=24)
MAX_LEAVE = timedelta(days=400)
MAX_LISTED = timedelta(days=62)
MAX_ROWS = 5_000
# Whoever has no span at all in this reach is not run by a roster.
KEPT_WITHIN = timedelta(days=14)


@dataclass(frozen=True, kw_only=True)
class NewEntry:
    """A span to plan. `kind` is duty or leave."""

    unit_id: UUID
    starts_at: datetime
    ends_at: datetime
    kind: str = "duty"
    person_id: UUID | None = None
    vehicle: str | None = None
    partner_person_id: UUID | None = None
    reason: str | None = None


@dataclass(frozen=True)
class RosterRow:
    """A span with its names; those of persons only where the actor may know them."""

    entry: RosterEntry
    call_sign: str
    person_name: str | None
    partner_name: str | None


@dataclass(frozen=True)
class Planned:
    """The span, and the spans of duty that a leave took out: they need somebody else."""

    entry: RosterEntry
    uncovered: tuple[RosterEntry, ...]


def list_entries(tx: Tx, *, since: datetime, until: datetime, unit_id: UUID | None = None) -> list[RosterRow]:
    """Spans that touch the time asked for, by their start; those of colleagues too, MAX_ROWS at most.

    Raises Invalid("span_out_of_range") over two months.
    """
    if not timedelta(0) < until - since <= MAX_LISTED:
        raise Invalid("span_out_of_range", most_days=MAX_LISTED.days)
    statement = (
        select(RosterEntry)
        .where(RosterEntry.starts_at < until, RosterEntry.ends_at > since)
        .order_by(RosterEntry.starts_at, RosterEntry.id)
        .limit(MAX_ROWS)
    )
    if unit_id is not None:
        statement = statement.where(RosterEntry.unit_id == unit_id)
    return with_names(tx, list(tx.session.scalars(statement)))


def with_names(tx: Tx, entries: list[RosterEntry]) -> list[RosterRow]:
    units = {entry.unit_id for entry in entries}
    signs: dict[UUID, str] = {
        row.id: row.call_sign
        for row in tx.session.execute(select(Unit.id, Unit.call_sign).where(Unit.id.in_(units)))
    }
    signs |= {row.unit_id: row.call_sign for row in list_colleagues(tx)}
    names = {
        row.entry_id: (row.person_name, row.partner_name)
        for row in tx.session.execute(
            text("select * from roster_names(:ids)"), {"ids": [entry.id for entry in entries]}
        )
    }
    return [
        RosterRow(entry, signs.get(entry.unit_id, "?"), *names.get(entry.id, (None, None)))
        for entry in entries
    ]


@dataclass(frozen=True, slots=True)
class Colleague:
    """A unit that one may swap with."""

    unit_id: UUID
    call_sign: str


def list_colleagues(tx: Tx) -> list[Colleague]:
    """Units of the same kind nearby, the own among them, by call sign."""
    rows = tx.session.execute(text("select unit_id, call_sign from colleague_units() order by call_sign"))
    return [Colleague(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class CrewPerson:
    """Somebody who may be planned as a partner."""

    person_id: UUID
    name: str
    job: str | None


def list_people(tx: Tx) -> list[CrewPerson]:
    """The staff in sight by name, for who makes the roster; MAX_ROWS at most."""
    tx.actor.require("roster.edit")
    rows = tx.session.execute(
        select(Person.id, Person.name, Person.job).order_by(Person.name).limit(MAX_ROWS)
    )
    return [CrewPerson(*row) for row in rows]


def plan(tx: Tx, command: NewEntry) -> Planned:
    """Write a span. Leave takes out the duty it covers and says which, so that none of it is lost unseen.

    Raises Invalid for a span that is no span, Conflict("roster_overlaps").
    """
    tx.actor.require("roster.edit")
    _check(command)
    if tx.session.get(Unit, command.unit_id) is None:
        raise NotFound("unit_not_found")
    touching = overlapping(
        tx, command.unit_id, command.starts_at, command.ends_at, person_id=command.person_id
    )
    uncovered: list[RosterEntry] = []
    for other in touching:
        if command.kind == "leave" and other.kind in ON_DUTY:
            other.status, other.reason = "cancelled", "leave"
            uncovered.append(other)
        else:
            raise Conflict("roster_overlaps", starts_at=other.starts_at.isoformat(), kind=other.kind)
    entry = RosterEntry(
        id=new_id(),
        unit_id=command.unit_id,
        person_id=command.person_id,
        starts_at=command.starts_at,
        ends_at=command.ends_at,
        kind=command.kind,
        status="planned",
        vehicle=(command.vehicle or "").strip() or None,
        partner_person_id=command.partner_person_id,
        reason=(command.reason or "").strip() or None,
        created_at=tx.now,
        created_by=tx.actor.account_id,
    )
    tx.session.add(entry)
    tx.session.flush()
    audit(tx, "roster.plan", "unit", entry.unit_id, kind=entry.kind, uncovered=len(uncovered))
    tell_unit(tx, entry.unit_id)
    return Planned(entry, tuple(uncovered))


def cancel(tx: Tx, entry_id: UUID, *, reason: str) -> RosterEntry:
    """Take a span out; it stays in the books with its reason."""
    entry = _to_change(tx, entry_id)
    entry.status, entry.reason = "cancelled", reason.strip()
    audit(tx, "roster.cancel", "unit", entry.unit_id, reason=entry.reason)
    tx.session.flush()
    tell_unit(tx, entry.unit_id)
    return entry


def set_crew(tx: Tx, entry_id: UUID, *, vehicle: str | None, partner_person_id: UUID | None) -> RosterEntry:
    """Another vehicle or partner for a span that is planned."""
    entry = _to_change(tx, entry_id)
    entry.vehicle, entry.partner_person_id = (vehicle or "").strip() or None, partner_person_id
    audit(tx, "roster.crew", "unit", entry.unit_id)
    tx.session.flush()
    tell_unit(tx, entry.unit_id)
    return entry


def find_current(tx: Tx, unit_id: UUID) -> RosterEntry | None:
    """The span of duty that runs now or begins within half an hour; None on leave."""
    entries = overlapping(tx, unit_id, tx.now, tx.now + EARLY)
    if any(entry.kind == "leave" and entry.starts_at <= tx.now for entry in entries):
        return None
    duties = [entry for entry in entries if entry.kind in ON_DUTY]
    return min(duties, key=lambda entry: (entry.starts_at > tx.now, -entry.ends_at.timestamp()), default=None)


def find_next(tx: Tx, unit_id: UUID) -> RosterEntry | None:
    """The next span of duty that has not begun."""
    return tx.session.scalars(
        select(RosterEntry)
        .where(
            RosterEntry.unit_id == unit_id,
            RosterEntry.status == "planned",
            RosterEntry.kind.in_(ON_DUTY),
            RosterEntry.starts_at > tx.now,
        )
        .order_by(RosterEntry.starts_at)
        .limit(1)
    ).first()


def is_rostered(tx: Tx, unit_id: UUID) -> bool:
    """Whether anybody keeps a roster for this unit at all."""
    return bool(overlapping(tx, unit_id, tx.now - KEPT_WITHIN, tx.now + KEPT_WITHIN))


def overlapping(
    tx: Tx,
    unit_id: UUID,
    starts_at: datetime,
    ends_at: datetime,
    *,
    person_id: UUID | None = None,
    besides: UUID | None = None,
) -> list[RosterEntry]:
    """Planned spans of the unit that touch a time. With `person_id` those of other persons on the crew are left out."""
    statement = select(RosterEntry).where(
        RosterEntry.unit_id == unit_id,
        RosterEntry.status == "planned",
        RosterEntry.starts_at < ends_at,
        RosterEntry.ends_at > starts_at,
    )
    if person_id is not None:
        statement = statement.where(or_(RosterEntry.person_id.is_(None), RosterEntry.person_id == person_id))
    if besides is not None:
        statement = statement.where(RosterEntry.id != besides)
    return list(tx.session.scalars(statement.order_by(RosterEntry.starts_at)))


def tell_unit(tx: Tx, unit_id: UUID) -> None:
    """Let the unit's phone and the seats know that its roster changed."""
    row = tx.session.execute(
        text("select status, scope_path::text from unit where id = :id"), {"id": unit_id}
    ).first()
    status, path = (row[0], row[1]) if row else (None, "")
    body = {"id": str(unit_id), "unit_id": str(unit_id), "kind": "roster", "status": status}
    publish(tx, "unit", body, path=path)


def _check(command: NewEntry) -> None:
    if command.kind not in ("duty", "leave"):
        raise Invalid("roster_kind_unknown", given=command.kind)
    if command.starts_at.tzinfo is None or command.ends_at.tzinfo is None:
        raise Invalid("time_without_zone")
    most = MAX_LEAVE if command.kind == "leave" else MAX_SPAN
    if not timedelta(0) < command.ends_at - command.starts_at <= most:
        raise Invalid("span_out_of_range", most_hours=most.total_seconds() / 3_600)


def _to_change(tx: Tx, entry_id: UUID) -> RosterEntry:
    tx.actor.require("roster.edit")
    entry = tx.session.scalars(
        select(RosterEntry).where(RosterEntry.id == entry_id).with_for_update(key_share=True)
    ).first()
    if entry is None:
        raise NotFound("roster_entry_not_found")
    if entry.status != "planned":
        raise Conflict("roster_entry_over", status=entry.status)
    return entry
