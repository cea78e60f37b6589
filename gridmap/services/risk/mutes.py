"""Rules of early warning that are kept silent for a while: where, until when, by whom and why, and the end of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text

from gridmap.db.tables import RiskMute
from gridmap.domain.actor import is_below
from gridmap.errors import Conflict, Forbidden, NotFound
from gridmap.services.auditing import audit
from gridmap.services.transaction import Tx

_MUTES = text(
    "select m.id, m.rule, m.area_id, coalesce(v.name, a.code) as area_name, m.scope_path::text as path, m.until,"
    " m.reason, m.muted_at, c.display_name as muted_by"
    " from risk_mute m join area a on a.id = m.area_id"
    " left join area_version v on v.area_id = m.area_id and v.valid @> cast(:now as timestamptz)"
    " left join account c on c.id = m.muted_by"
    " where m.until > cast(:now as timestamptz) order by m.until, m.id"
)


@dataclass(frozen=True, slots=True)
class MuteLine:
    """A silence that holds; `can_end` by the reader, who may also only lie under it."""

    id: UUID
    rule: str
    area_id: int
    area_name: str
    until: datetime
    reason: str
    muted_at: datetime
    muted_by: str | None
    can_end: bool


def list_mutes(tx: Tx) -> list[MuteLine]:
    """Silences that hold now and reach into the actor's sight, the first to end first."""
    return [
        MuteLine(
            id=row.id, rule=row.rule, area_id=row.area_id, area_name=row.area_name, until=row.until,
            reason=row.reason, muted_at=row.muted_at, muted_by=row.muted_by, can_end=_may_end(tx, row.path),
        )
        for row in tx.session.execute(_MUTES, {"now": tx.now})
    ]  # fmt: skip


def end_mute(tx: Tx, mute_id: UUID) -> None:
    """Let the rule be heard again from now on.

    Raises NotFound("risk_mute_not_found") out of sight; Forbidden("out_of_write_scope") for one set further up;
    Conflict("risk_mute_over") when it ended by itself.
    """
    tx.actor.require("alarm.acknowledge")
    seen = tx.session.scalars(select(RiskMute).where(RiskMute.id == mute_id)).one_or_none()
    if seen is None:
        raise NotFound("risk_mute_not_found")
    if not _may_end(tx, seen.scope_path):
        raise Forbidden("out_of_write_scope")
    held = tx.session.scalars(
        select(RiskMute)
        .where(RiskMute.id == mute_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
    if held.until <= tx.now:
        raise Conflict("risk_mute_over")
    held.until = tx.now
    audit(tx, "alarm.unmute", "risk_rule", held.rule, area_id=held.area_id)


def _may_end(tx: Tx, path: str) -> bool:
    return tx.actor.can("alarm.acknowledge") and any(is_below(path, root) for root in tx.actor.case_paths)
