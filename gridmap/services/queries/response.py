"""Reading what answers an incident: its call-outs with the places taken, plans, steps and hand-overs."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from gridmap.db.tables import Callout, HandOver, PlanRun, Task
from gridmap.errors import NotFound
from gridmap.services.dispatching.needs import taken_places
from gridmap.services.hand_overs import list_hand_overs
from gridmap.services.tasks import list_steps
from gridmap.services.transaction import Tx


@dataclass(frozen=True)
class CalloutState:
    """A call-out and how many took which place, by the place's key."""

    callout: Callout
    taken: Counter[str]


@dataclass(frozen=True)
class Response:
    """Everything beside the dispatches themselves, each list in the order of time."""

    callouts: tuple[CalloutState, ...]
    runs: tuple[PlanRun, ...]
    tasks: tuple[Task, ...]
    hand_overs: tuple[HandOver, ...]


def get_callout(tx: Tx, callout_id: UUID) -> CalloutState:
    """Raises NotFound("callout_not_found") when there is none in sight."""
    tx.session.flush()
    found = tx.session.get(Callout, callout_id)
    if found is None:
        raise NotFound("callout_not_found")
    return CalloutState(found, taken_places(tx, callout_id))


def read_response(tx: Tx, incident_id: UUID) -> Response:
    """What the actor may see of an incident's response; nothing where the incident is out of sight."""
    tx.session.flush()
    callouts = tx.session.scalars(
        select(Callout).where(Callout.incident_id == incident_id).order_by(Callout.opened_at, Callout.id)
    ).all()
    runs = tx.session.scalars(
        select(PlanRun).where(PlanRun.incident_id == incident_id).order_by(PlanRun.started_at, PlanRun.id)
    ).all()
    return Response(
        callouts=tuple(CalloutState(row, taken_places(tx, row.id)) for row in callouts),
        runs=tuple(runs),
        tasks=tuple(list_steps(tx, incident_id)),
        hand_overs=tuple(list_hand_overs(tx, incident_id)),
    )
