"""A seat says a step for a unit, as it came over the radio; and what only a seat may do to a job under way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from gridmap.db.tables import Dispatch, Incident, Unit
from gridmap.domain.diverting import DivertedBy
from gridmap.domain.lifecycle import next_status
from gridmap.errors import Conflict, Invalid
from gridmap.services.dispatching import offers, steps
from gridmap.services.dispatching.rows import (
    end_unit_share,
    find_dispatch,
    lock_dispatch,
    lock_unit,
    note_step,
    set_free,
    settle,
)
from gridmap.services.gates import Job
from gridmap.services.incidents import lock_incident
from gridmap.services.transaction import Tx

DIVERT_EXPIRES_S = 60
_END_EVENT = {"recall": "recalled", "divert": "diverted", "release": "released"}


@dataclass(frozen=True, kw_only=True)
class Said:
    """What the seat heard: one step, with what the step itself asks for."""

    step: str
    reason: str | None = None
    code: str | None = None
    note: str = ""
    photo_follows: bool = False


def say_step(tx: Tx, dispatch_id: UUID, said: Said) -> Dispatch:
    """Do a step for the unit. Row and timeline carry that it came by radio, and which seat wrote it.

    Raises Forbidden without the verb, Invalid("step_unknown"), and whatever the step itself refuses.
    """
    tx.actor.require("case.dispatch")
    unit_id = find_dispatch(tx, dispatch_id).unit_id
    # The seat stands in for the crew; the database still holds it to its own scope.
    crew = replace(tx, actor=replace(tx.actor, unit_ids=(*tx.actor.unit_ids, unit_id)), via=steps.RADIO)
    verbs: dict[str, Callable[[], Dispatch]] = {
        "accept": lambda: offers.accept(crew, dispatch_id),
        "decline": lambda: offers.decline(crew, dispatch_id, reason=said.reason),
        "depart": lambda: steps.depart(crew, dispatch_id),
        "arrive": lambda: steps.arrive(crew, dispatch_id),
        "done": lambda: steps.report_done(
            crew,
            dispatch_id,
            code=said.code or "",
            note=said.note,
            photo_ids=[],
            photo_follows=said.photo_follows,
        ),
    }
    if said.step not in verbs:
        raise Invalid("step_unknown", given=said.step, known=sorted(verbs))
    dispatch = verbs[said.step]()
    dispatch.radio_steps = [*dispatch.radio_steps, said.step]
    tx.session.flush()
    return dispatch


def recall(tx: Tx, dispatch_id: UUID, *, reason: str) -> Dispatch:
    """Bring a unit back before it has arrived."""
    return _end(tx, dispatch_id, "recall", reason)


def release(tx: Tx, dispatch_id: UUID, *, reason: str) -> Dispatch:
    """Let a unit go from the scene without a result of its own."""
    return _end(tx, dispatch_id, "release", reason)


@dataclass(frozen=True, kw_only=True)
class Divert:
    """End one job and give the unit another, in one go. `assign` says that the unit took it over the radio.

    `override_reason` takes the unit past the new incident's gates, as for any offer. Without a `reason` a rule must
    allow it, and is the reason.
    """

    to_incident_id: UUID
    reason: str = ""
    assign: bool = False
    override_reason: str | None = None
    expires_s: int = DIVERT_EXPIRES_S
    travel_s: float | None = None
    distance_m: float | None = None
    travel_method: str | None = None


def divert(tx: Tx, dispatch_id: UUID, command: Divert) -> Dispatch:
    """Send a unit elsewhere; both happen or neither. Returns the new dispatch.

    Where a rule allows it both timelines name the rule, whoever decided; otherwise the seat's own reason stands alone.

    Raises Conflict("divert_to_itself"), Conflict("divert_by_no_rule") when neither a rule nor a reason speaks for it,
    and whatever ending the old job or offering the new one refuses.
    """
    tx.actor.require("case.dispatch")
    old = find_dispatch(tx, dispatch_id)
    if old.incident_id == command.to_incident_id:
        raise Conflict("divert_to_itself")
    # Two incidents are locked in the order of their ids, so that two diversions across each other never stand still.
    for incident_id in sorted((old.incident_id, command.to_incident_id)):
        lock_incident(tx, incident_id)
    target = lock_incident(tx, command.to_incident_id)
    tx.session.refresh(old)
    by = _rule_for(tx, old, target)
    reason = command.reason.strip() or None
    if reason is None and by is None:
        raise Conflict("divert_by_no_rule", number=target.number)
    _end(tx, dispatch_id, "divert", reason, to=target.number, **(by.as_params() if by else {}))
    made = offers.offer(
        tx,
        offers.Offer(
            incident_id=target.id,
            unit_id=old.unit_id,
            expires_s=command.expires_s,
            travel_s=command.travel_s,
            distance_m=command.distance_m,
            travel_method=command.travel_method,
            reason=reason,
            override_reason=command.override_reason,
            diverted_by=by,
        ),
    )
    if command.assign:
        return say_step(tx, made.id, Said(step="accept"))
    return made


def _rule_for(tx: Tx, old: Dispatch, target: Incident) -> DivertedBy | None:
    left = tx.session.get_one(Incident, old.incident_id)
    job = Job(old.id, left.id, left.number, left.class_key, left.severity, old.status, old.eta_at)
    return job.called_by(target.severity, tx.now)


def _end(tx: Tx, dispatch_id: UUID, verb: str, reason: str | None, **params: Any) -> Dispatch:
    tx.actor.require("case.dispatch")
    incident, dispatch = lock_dispatch(tx, find_dispatch(tx, dispatch_id))
    dispatch.status = next_status("dispatch", dispatch.status, verb, reason=reason or params.get("rule"))
    dispatch.ended_at, dispatch.end_reason = tx.now, _END_EVENT[verb]
    unit: Unit = lock_unit(tx, dispatch.unit_id)
    set_free(tx, unit)
    note_step(
        tx, incident, dispatch, _END_EVENT[verb], unit, reason=reason.strip() if reason else None, **params
    )
    settle(tx, incident)
    end_unit_share(tx, dispatch, timedelta(0))
    return dispatch
