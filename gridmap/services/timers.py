"""Things that fall due: rows moved by one ticker, each in the transaction of what it does."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, select, text
from sqlalchemy.dialects.postgresql import insert

from gridmap.clock import Clock
from gridmap.db.engine import Database
from gridmap.db.tables import Timer
from gridmap.domain.ids import new_id
from gridmap.errors import Conflict
from gridmap.services.transaction import Tx, system_transaction

log = logging.getLogger(__name__)

Handler = Callable[[Tx, UUID], None]
_FIRING = 0x74696D65
_LONGEST_WAIT_S = 300


def set_timer(tx: Tx, kind: str, subject_id: UUID, due_at: datetime) -> None:
    """Start or move the one timer of this kind and subject. Each setting has an id of its own: see `fire_due`."""
    set_timers(tx, subject_id, {kind: due_at})


def set_timers(tx: Tx, subject_id: UUID, due_at: Mapping[str, datetime]) -> None:
    """The same for several kinds of one subject, in one statement."""
    rows = [
        {"id": new_id(), "kind": kind, "subject_id": subject_id, "due_at": due}
        for kind, due in due_at.items()
    ]
    statement = insert(Timer).values(rows)
    given = statement.excluded
    tx.session.execute(
        statement.on_conflict_do_update(
            index_elements=["kind", "subject_id"],
            set_={"id": given.id, "due_at": given.due_at, "attempts": 0},
        )
    )


def clear_timer(tx: Tx, kind: str, subject_id: UUID) -> None:
    """Stop it; none is no error."""
    tx.session.execute(delete(Timer).where(Timer.kind == kind, Timer.subject_id == subject_id))


def fire_due(database: Database, clock: Clock, handlers: Mapping[str, Handler], most: int = 100) -> int:
    """Fire what is due, each in its own transaction, and return how many fired.

    The row is deleted with the effect, so a crash fires it again, and an advisory lock keeps a second ticker off it.
    The row itself is locked only at the end: whoever holds the subject may stop or move its timer meanwhile, and then
    neither waits for the other in a circle. One that fails is put off and holds up nobody. A kind without a handler
    here is left for a process that has one.
    """
    with system_transaction(database, clock) as tx:
        due = tx.session.scalars(
            select(Timer.id)
            .where(Timer.due_at <= tx.now, Timer.kind.in_(handlers))
            .order_by(Timer.due_at, Timer.id)
            .limit(most)
        ).all()
    fired = 0
    for timer_id in due:
        try:
            fired += _fire(database, clock, handlers, timer_id)
        except Exception as error:
            log.exception("timer failed", extra={"timer": str(timer_id)})
            _put_off(database, clock, timer_id, error)
    return fired


def _fire(database: Database, clock: Clock, handlers: Mapping[str, Handler], timer_id: UUID) -> int:
    with system_transaction(database, clock) as tx:
        mine = tx.session.scalar(
            text("select pg_try_advisory_xact_lock(:space, hashtext(:id))"),
            {"space": _FIRING, "id": str(timer_id)},
        )
        timer = tx.session.get(Timer, timer_id) if mine else None
        if timer is None or timer.due_at > tx.now:
            return 0
        handlers[timer.kind](tx, timer.subject_id)
        # Set anew meanwhile, by the handler or by somebody else, it has another id and stays.
        tx.session.execute(delete(Timer).where(Timer.id == timer_id))
    return 1


def _put_off(database: Database, clock: Clock, timer_id: UUID, error: Exception) -> None:
    with system_transaction(database, clock) as tx:
        timer = tx.session.get(Timer, timer_id)
        if timer is None:
            return
        timer.attempts += 1
        # A lock that was not to be had is no fault of the timer: it comes again at once.
        busy = isinstance(error, Conflict) and error.code == "busy_try_again"
        wait_s = 0 if busy else min(_LONGEST_WAIT_S, 2**timer.attempts)
        timer.due_at = max(timer.due_at, tx.now + timedelta(seconds=wait_s))
