"""The phone's side: duty, the offers and jobs of one's own unit, the day's list."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, select, text

from gridmap.db.tables import (
    Dispatch,
    Duty,
    Incident,
    Report,
    RosterEntry,
    SosCall,
    Task,
    Unit,
    UnitLatest,
    WelfareQuestion,
)
from gridmap.domain.ids import new_id
from gridmap.domain.lifecycle import active_statuses
from gridmap.errors import Conflict, Forbidden, Invalid, NotFound
from gridmap.services.auditing import audit
from gridmap.services.devices import forget_device_places
from gridmap.services.dispatching.offers import decline, mark_seen
from gridmap.services.dispatching.sos import find_own_call
from gridmap.services.dispatching.watching import find_question
from gridmap.services.outbox import publish
from gridmap.services.rosters import AFTER, RosterRow, find_current, find_next, is_rostered, with_names
from gridmap.services.tasks import list_steps
from gridmap.services.timers import clear_timer, set_timer
from gridmap.services.transaction import Tx

DUTY_HOURS = 12
MOST_ENDED = 50
DUTY_ENDS = "duty.ends"
JOB_LOOKED_AT_AGAIN = timedelta(minutes=5)
MAX_REASON = 500


@dataclass(frozen=True)
class Job:
    """A job that the unit took, with the incident it may now see and the words of the reports."""

    dispatch: Dispatch
    incident: Incident
    texts: tuple[str, ...]
    steps: tuple[Task, ...]


@dataclass(frozen=True)
class Places:
    """How many a call-out wants, and how many places nobody has taken yet; `mode` as the call-out has it."""

    mode: str
    wanted: int
    left: int


@dataclass(frozen=True)
class OwnReport:
    """A report of the actor's own, by the number it is kept under."""

    id: UUID
    class_key: str
    number: str
    received_at: datetime


@dataclass(frozen=True)
class PatrolState:
    """Everything the phone shows."""

    unit: Unit
    duty: Duty | None
    offers: tuple[Dispatch, ...]
    places: dict[UUID, Places]
    jobs: tuple[Job, ...]
    done_today: tuple[Job, ...]
    ended_today: tuple[Dispatch, ...]
    reports_today: tuple[OwnReport, ...]
    latest: UnitLatest | None
    question: WelfareQuestion | None
    sos: SosCall | None
    roster: RosterRow | None
    next_roster: RosterRow | None


def own_unit(tx: Tx) -> Unit:
    """The unit that the actor is on the crew of. Raises Forbidden("no_unit")."""
    tx.actor.require("job.work")
    if not tx.actor.unit_ids:
        raise Forbidden("no_unit")
    unit = tx.session.get(Unit, tx.actor.unit_ids[0])
    if unit is None:
        raise NotFound("unit_not_found")
    return unit


def get_state(tx: Tx) -> PatrolState:
    """What the phone shows now. Offers read here count as delivered."""
    unit = own_unit(tx)
    live = tx.session.scalars(
        select(Dispatch)
        .where(Dispatch.unit_id == unit.id, Dispatch.status.in_(active_statuses("dispatch")))
        .order_by(Dispatch.offered_at)
    ).all()
    offers = tuple(row for row in live if row.status == "offered" and row.expires_at > tx.now)
    mark_seen(tx, [row.id for row in offers if row.delivered_at is None], delivered_only=True)
    ended = tx.session.scalars(
        select(Dispatch)
        .where(Dispatch.unit_id == unit.id, Dispatch.status == "done", Dispatch.done_at >= _day_began(tx))
        .order_by(Dispatch.done_at.desc())
    ).all()
    return PatrolState(
        unit=unit,
        duty=_open_duty(tx, unit.id),
        offers=offers,
        places=_places(tx, [row.id for row in offers if row.callout_id is not None]),
        jobs=tuple(_job(tx, row) for row in live if row.status != "offered"),
        done_today=tuple(_job(tx, row) for row in ended if tx.session.get(Incident, row.incident_id)),
        ended_today=_ended(tx, unit.id),
        reports_today=_own_reports(tx),
        latest=tx.session.get(UnitLatest, unit.id),
        question=find_question(tx, unit.id),
        sos=find_own_call(tx),
        roster=_named(tx, find_current(tx, unit.id)),
        next_roster=_named(tx, find_next(tx, unit.id)),
    )


def set_duty(tx: Tx, action: str, *, reason: str | None = None) -> Unit:
    """start, stop, break or resume. Off duty nothing is kept of where the unit is.

    Raises Conflict("already_on_duty"), Conflict("not_on_duty"), Conflict("job_open") while a job is not reported,
    Conflict("outside_roster") for a start that the roster does not know, unless a reason is given.
    """
    unit_id = own_unit(tx).id
    if action in ("stop", "break"):
        _turn_down_offers(tx, unit_id)
    unit = tx.session.scalars(select(Unit).where(Unit.id == unit_id).with_for_update(key_share=True)).one()
    duty = _open_duty(tx, unit.id)
    if action == "start":
        if duty is not None:
            raise Conflict("already_on_duty")
        _start(tx, unit, (reason or "").strip())
        return unit
    if duty is None:
        raise Conflict("not_on_duty")
    if action == "stop":
        end_duty(tx, unit, duty)
    elif action == "break":
        _refuse_with_job(tx, unit)
        _forget_place(tx, unit)
        _set_status(tx, unit, "break")
    elif action == "resume":
        if unit.status != "break":
            raise Conflict("not_on_break")
        _set_status(tx, unit, "free")
    else:
        raise Invalid("duty_action_unknown", given=action)
    return unit


def _start(tx: Tx, unit: Unit, reason: str) -> None:
    """Within the roster until half an hour after it; outside with a reason; without any roster for half a day."""
    if len(reason) > MAX_REASON:
        raise Invalid("reason_too_long", max_length=MAX_REASON)
    entry = find_current(tx, unit.id)
    if entry is None and not reason and is_rostered(tx, unit.id):
        coming = find_next(tx, unit.id)
        raise Conflict("outside_roster", next_starts_at=coming.starts_at.isoformat() if coming else None)
    duty = Duty(
        id=new_id(),
        unit_id=unit.id,
        started_at=tx.now,
        ends_at=entry.ends_at + AFTER if entry else tx.now + timedelta(hours=DUTY_HOURS),
        started_by=tx.actor.account_id,
        roster_entry_id=entry.id if entry else None,
        outside_reason=None if entry else reason or None,
    )
    tx.session.add(duty)
    tx.session.flush()
    if duty.ends_at is not None:
        set_timer(tx, DUTY_ENDS, duty.id, duty.ends_at)
    if duty.outside_reason:
        audit(tx, "duty.outside_roster", "unit", unit.id, reason=duty.outside_reason)
    _set_status(tx, unit, "free")


def duty_is_over(tx: Tx, duty_id: UUID) -> None:
    """The roster ended half an hour ago: duty ends by itself, unless a job is open or the next span has begun."""
    duty = tx.session.get(Duty, duty_id)
    if duty is None or duty.ended_at is not None:
        return
    following = find_current(tx, duty.unit_id)
    if following is not None and (
        following.ends_at + AFTER <= tx.now or following.id == duty.roster_entry_id
    ):
        following = None
    if following is None and not _has_job(tx, duty.unit_id):
        _turn_down_offers(tx, duty.unit_id)
    unit = tx.session.scalars(
        select(Unit).where(Unit.id == duty.unit_id).with_for_update(key_share=True)
    ).one()
    if following is not None:
        duty.roster_entry_id, duty.ends_at = following.id, following.ends_at + AFTER
        set_timer(tx, DUTY_ENDS, duty.id, duty.ends_at)
    elif _has_job(tx, unit.id):
        set_timer(tx, DUTY_ENDS, duty.id, tx.now + JOB_LOOKED_AT_AGAIN)
    else:
        end_duty(tx, unit, duty)


def end_duty(tx: Tx, unit: Unit, duty: Duty) -> None:
    """Close the span; the newest position goes with it."""
    _refuse_with_job(tx, unit)
    duty.ended_at = tx.now
    clear_timer(tx, DUTY_ENDS, duty.id)
    _forget_place(tx, unit)
    _set_status(tx, unit, "off_duty")


def _set_status(tx: Tx, unit: Unit, status: str) -> None:
    unit.status, unit.status_at = status, tx.now
    audit(tx, f"duty.{status}", "unit", unit.id)
    publish(tx, "unit", {"id": str(unit.id), "unit_id": str(unit.id), "status": status}, path=unit.scope_path)


def _turn_down_offers(tx: Tx, unit_id: UUID) -> None:
    """Whoever goes gives back what they were asked, at once: nobody waits for their answer. Before the unit's lock."""
    offered = tx.session.scalars(
        select(Dispatch.id)
        .where(Dispatch.unit_id == unit_id, Dispatch.status == "offered")
        .order_by(Dispatch.incident_id)
    ).all()
    for dispatch_id in offered:
        decline(tx, dispatch_id, reason="off_duty")


def _refuse_with_job(tx: Tx, unit: Unit) -> None:
    if _has_job(tx, unit.id):
        raise Conflict("job_open")


def _has_job(tx: Tx, unit_id: UUID) -> bool:
    job = tx.session.scalar(
        select(Dispatch.id)
        .where(Dispatch.unit_id == unit_id, Dispatch.status.in_(active_statuses("dispatch") - {"offered"}))
        .limit(1)
    )
    return job is not None


def _forget_place(tx: Tx, unit: Unit) -> None:
    tx.session.execute(delete(UnitLatest).where(UnitLatest.unit_id == unit.id))
    forget_device_places(tx, unit.id)


def _open_duty(tx: Tx, unit_id: UUID) -> Duty | None:
    return tx.session.scalars(select(Duty).where(Duty.unit_id == unit_id, Duty.ended_at.is_(None))).first()


def _named(tx: Tx, entry: RosterEntry | None) -> RosterRow | None:
    return with_names(tx, [entry])[0] if entry is not None else None


def _job(tx: Tx, dispatch: Dispatch) -> Job:
    incident = tx.session.get_one(Incident, dispatch.incident_id)
    texts = tx.session.scalars(
        select(Report.body).where(Report.incident_id == incident.id).order_by(Report.received_at)
    )
    return Job(dispatch, incident, tuple(texts), tuple(list_steps(tx, incident.id)))


def _places(tx: Tx, dispatch_ids: list[UUID]) -> dict[UUID, Places]:
    if not dispatch_ids:
        return {}
    rows = tx.session.execute(text("select * from callout_places(:ids)"), {"ids": dispatch_ids})
    return {row.dispatch_id: Places(row.mode, row.places, row.places_left) for row in rows}


def _ended(tx: Tx, unit_id: UUID) -> tuple[Dispatch, ...]:
    """What was asked of the unit today and ended without its result: the phone tells it where a late tap is refused."""
    return tuple(
        tx.session.scalars(
            select(Dispatch)
            .where(
                Dispatch.unit_id == unit_id,
                Dispatch.status.in_(("declined", "expired", "cancelled")),
                Dispatch.ended_at >= _day_began(tx),
            )
            .order_by(Dispatch.ended_at.desc())
            .limit(MOST_ENDED)
        )
    )


def _own_reports(tx: Tx) -> tuple[OwnReport, ...]:
    rows = tx.session.execute(text("select * from own_reports(:since)"), {"since": _day_began(tx)})
    return tuple(OwnReport(row.report_id, row.class_key, row.number, row.received_at) for row in rows)


def _day_began(tx: Tx) -> datetime:
    return tx.now.astimezone(tx.zone).replace(hour=0, minute=0, second=0, microsecond=0)
