"""Who is told of an acceptance without a job of their own: skipped levels, the grid's own workers, a lending area.

Flat command (扁平指挥) goes straight to whoever is nearest; the levels between the commanding seat and that unit are
not asked, and are told. A unit from across the border comes by agreement, and its own seats then see the case.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, text

from gridmap.db.tables import Callout, Dispatch, Incident, Notice, Share, Unit
from gridmap.domain.actor import is_below
from gridmap.domain.ids import new_id
from gridmap.domain.response import Rules
from gridmap.services.auditing import audit
from gridmap.services.dispatching.aid import JURISDICTION_LEVEL, Lender, reach_of
from gridmap.services.dispatching.needs import ON_THE_JOB
from gridmap.services.notices import areas_above, give_notice
from gridmap.services.timeline import note_event
from gridmap.services.transaction import Tx

SKIPPED_LEVELS = (JURISDICTION_LEVEL, "township", "community")
AID_SEEN = timedelta(hours=24)

_HOME = text(
    "select path::text from area_version where area_id = :area and valid @> cast(:at as timestamptz)"
)
_COMMAND = text(
    "select v.path::text from access_grant g"
    " join area_version v on v.area_id = g.area_id and v.valid @> cast(:at as timestamptz)"
    " where g.account_id = :account and v.path @> cast(:path as ltree) order by nlevel(v.path) limit 1"
)


def tell_others(tx: Tx, incident: Incident, callout: Callout) -> None:
    """Write what is owed for everybody who has accepted; what was told already is not told again."""
    rules = Rules.from_json(callout.rules)
    if not rules.flat and not rules.mutual_aid:
        return
    reach = reach_of(tx, incident, mutual_aid=rules.mutual_aid)
    on_it = tx.session.execute(
        select(Dispatch, Unit)
        .join(Unit, Unit.id == Dispatch.unit_id)
        .where(Dispatch.callout_id == callout.id, Dispatch.status.in_(ON_THE_JOB))
        .order_by(Dispatch.accepted_at)
    ).all()
    for dispatch, unit in on_it:
        lender = reach.lender_of(unit.kind, unit.scope_path)
        if lender is not None and not _told(tx, dispatch.id, "mutual_aid"):
            _tell_lender(tx, incident, dispatch, unit, lender)
        if rules.flat and not _told(tx, dispatch.id, "flat_command"):
            _tell_skipped(tx, incident, callout, dispatch, unit)


def _tell_lender(tx: Tx, incident: Incident, dispatch: Dispatch, unit: Unit, lender: Lender) -> None:
    give_notice(
        tx,
        incident,
        "mutual_aid",
        area_path=lender.path,
        callout_id=dispatch.callout_id,
        dispatch_id=dispatch.id,
        call_sign=unit.call_sign,
    )
    if not incident.restricted:
        tx.session.add(
            Share(
                id=new_id(),
                incident_id=incident.id,
                area_path=lender.path,
                reason="mutual_aid",
                created_at=tx.now,
                expires_at=tx.now + AID_SEEN,
            )
        )
    audit(
        tx,
        "share.mutual_aid",
        "incident",
        incident.id,
        area=lender.area_id,
        agreement=str(lender.agreement_id),
        unit=str(unit.id),
    )
    note_event(tx, incident.id, "mutual_aid", call_sign=unit.call_sign, area=lender.name)


def _tell_skipped(tx: Tx, incident: Incident, callout: Callout, dispatch: Dispatch, unit: Unit) -> None:
    home = tx.session.scalar(_HOME, {"area": unit.home_area_id, "at": tx.now}) or unit.scope_path
    seat = _commanding(tx, incident, callout.opened_by)
    # Of a unit from elsewhere every level was passed over.
    root = seat if is_below(home, seat) else ""
    copies: list[dict[str, Any]] = []
    for area in areas_above(tx, home, SKIPPED_LEVELS):
        if area.path == root or not is_below(area.path, root):
            continue
        give_notice(
            tx,
            incident,
            "flat_command",
            area_path=area.path,
            callout_id=callout.id,
            dispatch_id=dispatch.id,
            call_sign=unit.call_sign,
        )
        copies.append({"level": area.level, "name": area.name})
    for other in _own_workers(tx, incident, unit.id):
        give_notice(
            tx,
            incident,
            "flat_command",
            unit_id=other.id,
            callout_id=callout.id,
            dispatch_id=dispatch.id,
            call_sign=unit.call_sign,
        )
        copies.append({"level": "unit", "name": other.call_sign})
    if copies:
        dispatch.copies = copies
        note_event(tx, incident.id, "copied", call_sign=unit.call_sign, copies=copies)


def _commanding(tx: Tx, incident: Incident, account_id: UUID | None) -> str:
    """The area of the commanding seat: what lies between it and the unit was skipped. A plan commands from the top."""
    values = {"account": account_id, "path": incident.scope_path, "at": tx.now}
    found: str | None = tx.session.scalar(_COMMAND, values) if account_id is not None else None
    return found or ""


def _own_workers(tx: Tx, incident: Incident, but: UUID) -> list[Unit]:
    """Those on duty whose own grid it is; of a restricted case nobody is told."""
    if incident.restricted or incident.area_id is None:
        return []
    return list(
        tx.session.scalars(
            select(Unit)
            .where(Unit.home_area_id == incident.area_id, Unit.status.in_(("free", "busy")), Unit.id != but)
            .order_by(Unit.call_sign)
            .limit(10)
        )
    )


def _told(tx: Tx, dispatch_id: UUID, reason: str) -> bool:
    return bool(
        tx.session.scalar(
            select(Notice.id).where(Notice.dispatch_id == dispatch_id, Notice.reason == reason).limit(1)
        )
    )
