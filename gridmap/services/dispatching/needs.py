"""The need of a call-out: its row, the places that are taken, and asking the worker to look at it again.

A call-out is reviewed by a timer, not by whoever changed something: an officer's phone may not touch the offers of
others, a crash between two steps is made good, and ten changes at once are one review.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, func, or_, select, text

from gridmap.db.tables import Callout, Dispatch
from gridmap.domain.response import Place, missing, need_from
from gridmap.errors import NotFound
from gridmap.services.timers import set_timer
from gridmap.services.transaction import Tx

CALLOUT_REVIEW = "callout.review"
LIVE_CALLOUTS = ("open", "met")
ON_THE_JOB = ("accepted", "en_route", "on_scene", "done")


def review_soon(tx: Tx, callout_id: UUID | None) -> None:
    """Have the worker look at the call-out as soon as this is committed; none is no error."""
    if callout_id is not None:
        set_timer(tx, CALLOUT_REVIEW, callout_id, tx.now)


def review_all_of(tx: Tx, incident_id: UUID) -> None:
    """The same for every call-out of an incident that may still ask somebody."""
    for callout_id in tx.session.scalars(
        select(Callout.id).where(Callout.incident_id == incident_id, Callout.status.in_(LIVE_CALLOUTS))
    ):
        review_soon(tx, callout_id)


def lock_callout(tx: Tx, callout_id: UUID) -> Callout:
    """The row, locked; the incident's lock comes first. Raises NotFound("callout_not_found")."""
    found = tx.session.scalars(
        select(Callout)
        .where(Callout.id == callout_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).first()
    if found is None:
        raise NotFound("callout_not_found")
    return found


def taken_places(tx: Tx, callout_id: UUID) -> Counter[str]:
    """How many are on the job, or did it, by the place they took."""
    # Who was let go from the scene did the job; who was recalled or diverted did not.
    came = or_(
        Dispatch.status.in_(ON_THE_JOB),
        and_(Dispatch.status == "cancelled", Dispatch.end_reason == "released"),
    )
    rows = tx.session.execute(
        select(Dispatch.need_key, func.count())
        .where(Dispatch.callout_id == callout_id, came)
        .group_by(Dispatch.need_key)
    )
    return Counter({str(key): count for key, count in rows})


def places_left(tx: Tx, callout: Callout) -> tuple[Place, ...]:
    return missing(need_from(callout.need), taken_places(tx, callout.id))


def offers_out(tx: Tx, callout_id: UUID) -> list[Dispatch]:
    """Who is asked now and has not answered, the longest waiting first."""
    return list(
        tx.session.scalars(
            select(Dispatch)
            .where(Dispatch.callout_id == callout_id, Dispatch.status == "offered")
            .order_by(Dispatch.offered_at, Dispatch.id)
        )
    )


def winners(tx: Tx, callout_id: UUID) -> list[dict[str, Any]]:
    """Who took the places and when, to tell it to who came second; read past the reader's own scope."""
    rows = tx.session.execute(
        text("select call_sign, accepted_at from callout_winners(:callout)"), {"callout": callout_id}
    )
    return [{"call_sign": call_sign, "at": _iso(at)} for call_sign, at in rows]


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
