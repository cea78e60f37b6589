"""Things that fall due: rows moved by one ticker, each in the transaction of what it does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from gridmap.clock import Clock
from gridmap.db.engine import Database
from gridmap.db.tables import Timer
from gridmap.domain.ids import new_id
from gridmap.services.transaction import Tx, system_transaction

Handler = Callable[[Tx, UUID], None]


def set_timer(tx: Tx, kind: str, subject_id: UUID, due_at: datetime) -> None:
    """Start or move the one timer of this kind and subject."""
    statement = insert(Timer).values(id=new_id(), kind=kind, subject_id=subject_id, due_at=due_at)
    tx.session.execute(
        statement.on_conflict_do_update(index_elements=["kind", "subject_id"], set_={"due_at": due_at})
    )


def clear_timer(tx: Tx, kind: str, subject_id: UUID) -> None:
    """Stop it; none is no error."""
    tx.session.execute(delete(Timer).where(Timer.kind == kind, Timer.subject_id == subject_id))


def fire_due(database: Database, clock: Clock, handlers: Mapping[str, Handler], most: int = 100) -> int:
    """Fire what is due, each in its own transaction, and return how many fired.

    The row is locked and deleted with the effect, so two tickers never fire one timer twice and a crash fires it
    again. A kind without a handler here is left for a process that has one.
    """
    fired = 0
    while fired < most:
        with system_transaction(database, clock) as tx:
            timer = tx.session.scalars(
                select(Timer)
                .where(Timer.due_at <= tx.now, Timer.kind.in_(handlers))
                .order_by(Timer.due_at)
                .limit(1)
                .with_for_update(skip_locked=True)
            ).first()
            if timer is None:
                return fired
            tx.session.execute(delete(Timer).where(Timer.id == timer.id))
            handlers[timer.kind](tx, timer.subject_id)
        fired += 1
    return fired
