"""The audit trail: who did or saw what, and why, sealed into a chain of digests."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from sqlalchemy import func, insert, select, text

from gridmap.db.tables import Audit
from gridmap.services.transaction import Tx

_SEAL_LOCK = 0x61756469
_SEAL_MOST = 2_000
GENESIS = b"\0" * 32


def audit(
    tx: Tx,
    verb: str,
    subject_kind: str | None = None,
    subject_id: object = None,
    *,
    reason: str | None = None,
    **params: Any,
) -> None:
    """Record an act in the caller's transaction. No content, contact or position goes into `params`."""
    row = insert(Audit).values(
        at=tx.now,
        actor_account_id=tx.actor.account_id,
        actor_name=tx.actor.login,
        verb=verb,
        subject_kind=subject_kind,
        subject_id=None if subject_id is None else str(subject_id),
        reason=reason,
        params=params,
    )
    # Inline: everybody may add to the trail, few may read it.
    tx.session.execute(row.inline())


@dataclass(frozen=True)
class ChainState:
    """Whether every seal still fits; `broken_at` is the first seal number that does not."""

    sealed: int
    broken_at: int | None


def seal(tx: Tx) -> int:
    """Chain what was recorded since the last call; run by the worker. Returns how many rows were sealed.

    Sealing apart from recording keeps writers from waiting for one another. Rows are sealed in the order in which
    they become visible here, so a slow transaction's rows come later and are never left out.
    """
    tx.session.execute(text("select pg_advisory_xact_lock(:key)"), {"key": _SEAL_LOCK})
    last = tx.session.execute(
        select(Audit.seal_no, Audit.hash)
        .where(Audit.seal_no.is_not(None))
        .order_by(Audit.seal_no.desc())
        .limit(1)
    ).first()
    number, digest = (last.seal_no, last.hash) if last else (0, GENESIS)
    rows = tx.session.scalars(
        select(Audit).where(Audit.hash.is_(None)).order_by(Audit.id).limit(_SEAL_MOST).with_for_update()
    ).all()
    for seal_no, row in enumerate(rows, start=number + 1):
        digest = link(digest, seal_no, row)
        row.seal_no, row.hash = seal_no, digest
    return len(rows)


def verify_chain(tx: Tx) -> ChainState:
    """Walk the whole chain and recompute each digest."""
    digest = GENESIS
    sealed = select(Audit).where(Audit.seal_no.is_not(None)).order_by(Audit.seal_no)
    with tx.session.scalars(sealed.execution_options(yield_per=1_000)) as rows:
        for number, row in enumerate(rows, start=1):
            digest = link(digest, number, row)
            if row.seal_no != number or row.hash != digest:
                return ChainState(sealed=number, broken_at=number)
    total = tx.session.scalar(select(func.count()).where(Audit.seal_no.is_not(None))) or 0
    return ChainState(sealed=total, broken_at=None)


def link(previous: bytes, number: int, row: Audit) -> bytes:
    """SHA-256 over the previous digest and the row's content in a canonical form."""
    content = {
        "no": number,
        "at": row.at.astimezone(UTC).isoformat(),
        "actor": str(row.actor_account_id),
        "name": row.actor_name,
        "verb": row.verb,
        "kind": row.subject_kind,
        "id": row.subject_id,
        "reason": row.reason,
        "params": row.params,
    }
    canonical = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(previous + canonical.encode()).digest()
