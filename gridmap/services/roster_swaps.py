"""Swapping duty: asked by one, accepted by the other, confirmed by the shift lead; until then nothing moves."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from gridmap.db.tables import RosterEntry, RosterSwap
from gridmap.domain.ids import new_id
from gridmap.errors import Conflict, Forbidden, Invalid, NotFound
from gridmap.services.auditing import audit
from gridmap.services.rosters import ON_DUTY, list_colleagues, overlapping, tell_unit
from gridmap.services.transaction import Tx

MAX_REASON = 500


def ask(
    tx: Tx, entry_id: UUID, *, to_unit_id: UUID, back_entry_id: UUID | None = None, reason: str | None = None
) -> RosterSwap:
    """Ask a colleague to take a span of one's own unit, perhaps for one of theirs.

    Raises Conflict("roster_entry_over"), Conflict("swap_asked_already"), Invalid("not_a_colleague").
    """
    tx.actor.require("job.work")
    if len(reason or "") > MAX_REASON:
        raise Invalid("reason_too_long", max_length=MAX_REASON)
    entry = _open_span(tx, entry_id)
    if entry.unit_id not in tx.actor.unit_ids:
        raise Forbidden("not_your_roster")
    if to_unit_id == entry.unit_id or to_unit_id not in {row.unit_id for row in list_colleagues(tx)}:
        raise Invalid("not_a_colleague")
    if back_entry_id is not None and _open_span(tx, back_entry_id).unit_id != to_unit_id:
        raise Invalid("not_a_colleague")
    waiting = tx.session.scalar(
        select(RosterSwap.id).where(
            RosterSwap.entry_id == entry.id, RosterSwap.status.in_(("asked", "accepted"))
        )
    )
    if waiting is not None:
        raise Conflict("swap_asked_already")
    swap = RosterSwap(
        id=new_id(),
        entry_id=entry.id,
        back_entry_id=back_entry_id,
        from_unit_id=entry.unit_id,
        to_unit_id=to_unit_id,
        status="asked",
        reason=(reason or "").strip() or None,
        asked_at=tx.now,
        asked_by=tx.actor.account_id,
    )
    tx.session.add(swap)
    tx.session.flush()
    _tell(tx, swap)
    return swap


def answer(tx: Tx, swap_id: UUID, *, accept: bool) -> RosterSwap:
    """The colleague's yes or no."""
    swap = _lock(tx, swap_id, "asked")
    if swap.to_unit_id not in tx.actor.unit_ids:
        raise Forbidden("not_your_roster")
    swap.status = "accepted" if accept else "refused"
    swap.answered_at, swap.answered_by = tx.now, tx.actor.account_id
    _tell(tx, swap)
    return swap


def withdraw(tx: Tx, swap_id: UUID) -> RosterSwap:
    """Whoever asked thinks better of it, as long as it is not confirmed."""
    swap = _lock(tx, swap_id, "asked", "accepted")
    if swap.from_unit_id not in tx.actor.unit_ids:
        raise Forbidden("not_your_roster")
    swap.status = "withdrawn"
    _tell(tx, swap)
    return swap


def decide(tx: Tx, swap_id: UUID, *, confirm: bool) -> RosterSwap:
    """The shift lead confirms or refuses; then the spans change hands, each kept beside what took its place.

    Raises Conflict("decider_is_party") for somebody of the two units, Conflict("roster_overlaps") when one of them
    is planned elsewhere at the time.
    """
    tx.actor.require("roster.edit")
    swap = _lock(tx, swap_id, "accepted")
    if {swap.from_unit_id, swap.to_unit_id} & set(tx.actor.unit_ids):
        raise Conflict("decider_is_party")
    swap.status = "confirmed" if confirm else "refused"
    swap.decided_at, swap.decided_by = tx.now, tx.actor.account_id
    if confirm:
        entry = _open_span(tx, swap.entry_id)
        back = _open_span(tx, swap.back_entry_id) if swap.back_entry_id else None
        _give(tx, entry, swap.to_unit_id, leaving=back)
        if back is not None:
            _give(tx, back, swap.from_unit_id, leaving=None)
    audit(tx, "roster.swap", "unit", swap.from_unit_id, to_unit=str(swap.to_unit_id), confirmed=confirm)
    _tell(tx, swap)
    return swap


def list_swaps(tx: Tx) -> list[RosterSwap]:
    """Swaps in sight, those that wait for somebody first."""
    return list(
        tx.session.scalars(
            select(RosterSwap)
            .order_by(RosterSwap.status.not_in(("asked", "accepted")), RosterSwap.asked_at.desc())
            .limit(200)
        )
    )


def _give(tx: Tx, entry: RosterEntry, to_unit_id: UUID, *, leaving: RosterEntry | None) -> None:
    touching = overlapping(
        tx, to_unit_id, entry.starts_at, entry.ends_at, besides=leaving.id if leaving else None
    )
    if touching:
        raise Conflict("roster_overlaps", starts_at=touching[0].starts_at.isoformat(), kind=touching[0].kind)
    entry.status = "replaced"
    tx.session.add(
        RosterEntry(
            id=new_id(),
            unit_id=to_unit_id,
            starts_at=entry.starts_at,
            ends_at=entry.ends_at,
            kind="swap",
            status="planned",
            vehicle=entry.vehicle,
            replaces_id=entry.id,
            created_at=tx.now,
            created_by=tx.actor.account_id,
        )
    )
    tx.session.flush()


def _open_span(tx: Tx, entry_id: UUID) -> RosterEntry:
    entry = tx.session.get(RosterEntry, entry_id)
    if entry is None:
        raise NotFound("roster_entry_not_found")
    if entry.status != "planned" or entry.kind not in ON_DUTY or entry.ends_at <= tx.now:
        raise Conflict("roster_entry_over", status=entry.status)
    return entry


def _lock(tx: Tx, swap_id: UUID, *statuses: str) -> RosterSwap:
    swap = tx.session.scalars(
        select(RosterSwap).where(RosterSwap.id == swap_id).with_for_update(key_share=True)
    ).first()
    if swap is None:
        raise NotFound("swap_not_found")
    if swap.status not in statuses:
        raise Conflict("not_allowed_in_status", noun="swap", status=swap.status)
    return swap


def _tell(tx: Tx, swap: RosterSwap) -> None:
    tx.session.flush()
    for unit_id in (swap.from_unit_id, swap.to_unit_id):
        tell_unit(tx, unit_id)
