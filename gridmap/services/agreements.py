"""Mutual aid: which area's units may be called out for which other area's incidents, and from when to when."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import Range

from gridmap.db.tables import Agreement
from gridmap.domain.ids import new_id
from gridmap.domain.vocab import vocabulary
from gridmap.errors import Conflict, Invalid, NotFound
from gridmap.services.auditing import audit
from gridmap.services.transaction import Tx

MAX_NOTE = 500


def list_agreements(tx: Tx) -> list[Agreement]:
    """Those in force now or later."""
    return list(
        tx.session.scalars(
            select(Agreement)
            .where(func.coalesce(func.upper(Agreement.valid), func.now()) >= tx.now)
            .order_by(func.lower(Agreement.valid), Agreement.id)
        )
    )


def agree(
    tx: Tx,
    *,
    lender_area_id: int,
    borrower_area_id: int,
    unit_kinds: tuple[str, ...] = (),
    valid_from: datetime | None = None,
    valid_to: datetime | None = None,
    note: str | None = None,
) -> Agreement:
    """Record an agreement. Raises Invalid for equal areas, unknown kinds, an end before the beginning."""
    tx.actor.require("agreement.edit")
    for kind in unit_kinds:
        vocabulary().term("unit_kind", kind)
    begins = valid_from or tx.now
    if lender_area_id == borrower_area_id:
        raise Invalid("agreement_needs_two_areas")
    if valid_to is not None and valid_to <= begins:
        raise Invalid("agreement_ends_before_it_begins")
    row = Agreement(
        id=new_id(),
        lender_area_id=lender_area_id,
        borrower_area_id=borrower_area_id,
        unit_kinds=list(unit_kinds),
        valid=Range(begins, valid_to),
        note=(note or "").strip()[:MAX_NOTE] or None,
        created_at=tx.now,
        created_by=tx.actor.account_id,
    )
    tx.session.add(row)
    tx.session.flush()
    audit(tx, "agreement.add", "agreement", row.id, lender=lender_area_id, borrower=borrower_area_id)
    return row


def end_agreement(tx: Tx, agreement_id: UUID) -> Agreement:
    """From now on nobody is called by it; who is on the way stays on the way. Raises NotFound, Conflict."""
    tx.actor.require("agreement.edit")
    row = tx.session.scalars(select(Agreement).where(Agreement.id == agreement_id).with_for_update()).first()
    if row is None:
        raise NotFound("agreement_not_found")
    if row.valid.upper is not None and row.valid.upper <= tx.now:
        raise Conflict("agreement_over")
    begins = row.valid.lower
    row.valid = Range(begins, max(tx.now, begins) if begins is not None else tx.now)
    audit(tx, "agreement.end", "agreement", row.id)
    return row
