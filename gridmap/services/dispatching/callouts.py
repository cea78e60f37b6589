"""Calling people out: a need is opened, changed and stopped; who enters its fence is asked, who leaves is not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import and_, false, or_, select, true

from gridmap.db.tables import Callout, Dispatch, Incident, PlanRun, Unit
from gridmap.domain.ids import new_id
from gridmap.domain.lifecycle import active_statuses, is_active
from gridmap.domain.response import (
    Place,
    Rules,
    check_need,
    check_rules,
    need_from,
    need_json,
    place_for,
)
from gridmap.errors import Conflict, Forbidden, Invalid, NotFound
from gridmap.positions.fence_model import FenceEvent
from gridmap.services.auditing import audit
from gridmap.services.dispatching.aid import reach_of
from gridmap.services.dispatching.needs import (
    CALLOUT_REVIEW,
    LIVE_CALLOUTS,
    lock_callout,
    offers_out,
    places_left,
    review_soon,
)
from gridmap.services.dispatching.offers import Ask, ask, withdraw
from gridmap.services.dispatching.rows import lock_unit, settle
from gridmap.services.gates import Gates, class_bars, gates_of, require_passed
from gridmap.services.incidents import lock_incident, touch
from gridmap.services.outbox import publish
from gridmap.services.timers import clear_timer, set_timer
from gridmap.services.transaction import Tx

CALLOUT_EXPIRES = "callout.expires"
MAX_NAMED = 20
MOST_AT_ONCE = 20
# An offer that ended so was no chance to say yes: the same unit may be asked again.
NOT_A_CHANCE = ("left_fence", "level_over", "need_met", "stopped")


@dataclass(frozen=True, kw_only=True)
class OpenCallout:
    """A need and how to meet it, by hand. `unit_ids` name whom the mode "named" asks, all at once."""

    incident_id: UUID
    mode: str
    need: tuple[Place, ...]
    rules: Rules
    unit_ids: tuple[UUID, ...] = ()
    reason: str | None = None
    override_reason: str | None = None


def open_callout(tx: Tx, command: OpenCallout) -> Callout:
    """Open a call-out at a seat.

    Named people are asked at once; else the worker asks within a second, since it must look at the roads first.
    Raises Conflict("incident_closed"), ("incident_not_located"), ("restricted_not_broadcast"), Invalid.
    """
    tx.actor.require("case.dispatch")
    incident = lock_incident(tx, command.incident_id)
    if not tx.actor.writes_in(incident.scope_path):
        raise Forbidden("out_of_write_scope")
    named = command.mode == "named"
    if named != bool(command.unit_ids) or len(command.unit_ids) > MAX_NAMED:
        raise Invalid("callout_units", most=MAX_NAMED)
    need = command.need or (Place("any", len(command.unit_ids) or 1),)
    check_need(need)
    check_rules(command.mode, command.rules)
    callout = write_callout(tx, incident, mode=command.mode, need=need, rules=command.rules)
    if named:
        _ask_named(tx, incident, callout, command)
    return callout


def write_callout(
    tx: Tx,
    incident: Incident,
    *,
    mode: str,
    need: Sequence[Place],
    rules: Rules,
    run: PlanRun | None = None,
    level: int = 1,
) -> Callout:
    """The row, its timer and its line on the timeline, under the incident's lock."""
    if not is_active("incident", incident.status):
        raise Conflict("incident_closed", number=incident.number)
    if incident.geom is None:
        raise Conflict("incident_not_located", number=incident.number)
    if incident.restricted and mode == "broadcast":
        raise Conflict("restricted_not_broadcast", number=incident.number)
    callout = Callout(
        id=new_id(),
        incident_id=incident.id,
        plan_run_id=run.id if run else None,
        plan_key=run.plan_key if run else None,
        plan_version=run.plan_version if run else None,
        level=level,
        mode=mode,
        need=need_json(need),
        rules=rules.as_json(),
        status="open",
        opened_at=tx.now,
        opened_by=tx.actor.account_id,
        expires_at=tx.now + timedelta(seconds=rules.level_s),
        fill_at=None if mode == "named" else tx.now,
        drill=incident.drill,
    )
    tx.session.add(callout)
    tx.session.flush()
    set_timer(tx, CALLOUT_EXPIRES, callout.id, callout.expires_at)
    told(tx, incident, callout, "callout_opened", mode=mode, need=need_json(need))
    return callout


def told(tx: Tx, incident: Incident, callout: Callout, kind: str, **params: Any) -> None:
    """A line on the timeline, and word to the screens, about a call-out."""
    tx.session.flush()
    publish(
        tx,
        "callout",
        {
            "id": str(callout.id),
            "incident_id": str(incident.id),
            "status": callout.status,
            "level": callout.level,
            "drill": callout.drill,
        },
        path=incident.scope_path,
        incident_id=incident.id,
        restricted=incident.restricted,
    )
    touch(
        tx,
        incident,
        kind,
        callout_id=str(callout.id),
        level=callout.level,
        plan_key=callout.plan_key,
        **params,
    )


def stop_callout(tx: Tx, callout_id: UUID, *, reason: str | None) -> Callout:
    """Ask nobody any more; who has not answered is told why. Who is on the way stays on the way."""
    tx.actor.require("case.dispatch")
    words = (reason or "").strip()
    if not words:
        raise Invalid("reason_needed", verb="stop")
    incident, callout = lock_with_incident(tx, callout_id)
    if callout.status not in LIVE_CALLOUTS:
        raise Conflict("not_allowed_in_status", noun="callout", status=callout.status, verb="stop")
    end_callout(tx, incident, callout, "stopped", "stopped", reason=words)
    return callout


def change_need(tx: Tx, callout_id: UUID, *, need: tuple[Place, ...], reason: str | None) -> Callout:
    """More or fewer people, or others. The worker then asks more, or takes offers back."""
    tx.actor.require("case.dispatch")
    check_need(need)
    if not need or not (reason or "").strip():
        raise Invalid("reason_needed" if need else "need_broken", verb="need")
    incident, callout = lock_with_incident(tx, callout_id)
    if callout.status not in LIVE_CALLOUTS:
        raise Conflict("not_allowed_in_status", noun="callout", status=callout.status, verb="need")
    before, callout.need = callout.need, need_json(need)
    review_soon(tx, callout.id)
    told(tx, incident, callout, "callout_need_changed", old=before, need=callout.need, reason=reason)
    return callout


def lock_with_incident(tx: Tx, callout_id: UUID) -> tuple[Incident, Callout]:
    """Both rows, in the order in which everybody locks them. Raises NotFound."""
    incident_id = tx.session.scalar(select(Callout.incident_id).where(Callout.id == callout_id))
    if incident_id is None:
        raise NotFound("callout_not_found")
    incident = lock_incident(tx, incident_id)
    return incident, lock_callout(tx, callout_id)


def end_callout(
    tx: Tx, incident: Incident, callout: Callout, status: str, why: str, *, event: bool = True, **params: Any
) -> None:
    """The end of asking: clocks stopped, unanswered offers taken back with the reason, the queue settled."""
    callout.status, callout.ended_at, callout.end_reason = status, tx.now, why
    callout.fill_at = callout.nobody_since = None
    clear_timer(tx, CALLOUT_EXPIRES, callout.id)
    clear_timer(tx, CALLOUT_REVIEW, callout.id)
    tx.session.flush()
    left = need_json(places_left(tx, callout))
    take_back(tx, incident, callout, why)
    if callout.fence_id is not None:
        review_soon(tx, callout.id)
    if event:
        told(tx, incident, callout, f"callout_{status}", why=why, left=left, **params)
    audit(tx, f"callout.{status}", "callout", callout.id, why=why)


def take_back(tx: Tx, incident: Incident, callout: Callout, why: str, **params: Any) -> None:
    """Withdraw the unanswered offers, so many at once that the transaction stays short; the rest by the next review."""
    waiting = offers_out(tx, callout.id)
    for dispatch in waiting[:MOST_AT_ONCE]:
        withdraw(tx, incident, dispatch, why, **params)
    if len(waiting) > MOST_AT_ONCE:
        review_soon(tx, callout.id)
    else:
        # Each step asks for a review; of what has just been looked at there is none needed.
        clear_timer(tx, CALLOUT_REVIEW, callout.id)
    if waiting:
        settle(tx, incident)


def _ask_named(tx: Tx, incident: Incident, callout: Callout, command: OpenCallout) -> None:
    need = need_from(callout.need)
    for unit_id in command.unit_ids:
        unit = tx.session.get(Unit, unit_id)
        if unit is None:
            raise NotFound("unit_not_found")
        require_passed(tx, incident, unit, command.override_reason)
        place = place_for(need, unit.kind, unit.capabilities) or need[0]
        wanted = Ask(
            unit_id=unit_id,
            expires_s=command.rules.offer_s,
            deliver_s=command.rules.deliver_s,
            callout_id=callout.id,
            need_key=place.key,
            reason=command.reason,
        )
        ask(tx, incident, wanted)


def on_fence_events(tx: Tx, events: Sequence[FenceEvent]) -> None:
    """Who enters the fence of an open broadcast is asked, who leaves loses the offer; events are under a minute old."""
    fences = {event.fence_id for event in events}
    if not fences:
        return
    found = tx.session.execute(
        select(Callout.fence_id, Callout.id, Callout.incident_id).where(
            Callout.fence_id.in_(fences), Callout.status == "open", Callout.mode == "broadcast"
        )
    ).all()
    by_fence = {row.fence_id: row for row in found}
    concerned = [event for event in events if event.fence_id in by_fence]
    for event in sorted(concerned, key=lambda one: (by_fence[one.fence_id].incident_id, one.at)):
        row = by_fence[event.fence_id]
        if event.kind in ("enter", "inside"):
            entered(tx, row.incident_id, row.id, event.unit_id)
        elif event.kind == "exit":
            left_fence(tx, row.incident_id, row.id, event.unit_id)


def entered(tx: Tx, incident_id: UUID, callout_id: UUID, unit_id: UUID) -> None:
    """A unit came into the fence of a broadcast."""
    incident = lock_incident(tx, incident_id)
    callout = lock_callout(tx, callout_id)
    unit = tx.session.get(Unit, unit_id)
    if callout.status != "open" or unit is None:
        return
    gates = gates_for(tx, incident, callout)
    if gates.jurisdiction is not None and gates.jurisdiction.holds(unit.kind, unit.scope_path):
        ask_if_free(tx, incident, callout, unit, places_left(tx, callout), gates)


def gates_for(tx: Tx, incident: Incident, callout: Callout) -> Gates:
    """What the incident's class asks of people, and from where they may come for this call-out."""
    rules = Rules.from_json(callout.rules)
    return replace(gates_of(tx, incident), jurisdiction=reach_of(tx, incident, mutual_aid=rules.mutual_aid))


def may_take(place: Place, unit: Unit, gates: Gates) -> bool:
    """True when the unit fits the place and the class lets it go.

    A place that names a skill or a kind of unit says so instead of the class; whether somebody may go alone, and the
    least crew, stays the class's word.
    """
    if not place.fits(unit.kind, unit.capabilities):
        return False
    if place.capability is not None or place.unit_kind is not None:
        gates = replace(gates, capabilities=frozenset(), powers=frozenset())
    return not class_bars(gates, unit.capabilities, unit.crew_size)


def ask_if_free(
    tx: Tx,
    incident: Incident,
    callout: Callout,
    unit: Unit,
    among: Sequence[Place],
    gates: Gates,
    **travel: Any,
) -> Dispatch | None:
    """Offer one of the places to a unit that may have it; None when it may not, or none of them fits it."""
    rules = Rules.from_json(callout.rules)
    unit = lock_unit(tx, unit.id)
    place = next((place for place in among if may_take(place, unit, gates)), None)
    if place is None or unit.status != "free" or is_asked(tx, callout, unit.id, again=rules.ask_again):
        return None
    wanted = Ask(
        unit_id=unit.id,
        expires_s=rules.offer_s,
        deliver_s=rules.deliver_s,
        callout_id=callout.id,
        need_key=place.key,
        **travel,
    )
    callout.nobody_since = None
    return ask(tx, incident, wanted)


def is_asked(tx: Tx, callout: Callout, unit_id: UUID, *, again: bool) -> bool:
    """True while the unit has an offer or a job here, and (unless `again`) after it had its chance.

    A chance that ended because the unit left the fence, or because its level was over, does not count.
    """
    return unit_id in asked_units(tx, callout, again=again, unit_id=unit_id)


def asked_units(tx: Tx, callout: Callout, *, again: bool, unit_id: UUID | None = None) -> set[UUID]:
    """The units that `is_asked` is true of: on any job here, or asked by this call-out or the plan's levels below."""
    chain = (
        Callout.plan_run_id == callout.plan_run_id
        if callout.plan_run_id is not None
        else Callout.id == callout.id
    )
    had_chance = and_(
        chain,
        or_(Dispatch.end_reason.is_(None), Dispatch.end_reason.not_in(NOT_A_CHANCE)),
        false() if again else true(),
    )
    statement = (
        select(Dispatch.unit_id)
        .outerjoin(Callout, Callout.id == Dispatch.callout_id)
        .where(
            Dispatch.incident_id == callout.incident_id,
            or_(Dispatch.status.in_(active_statuses("dispatch")), had_chance),
        )
    )
    if unit_id is not None:
        statement = statement.where(Dispatch.unit_id == unit_id)
    return set(tx.session.scalars(statement))


def left_fence(tx: Tx, incident_id: UUID, callout_id: UUID, unit_id: UUID) -> None:
    """A unit went out of the fence of a broadcast before it answered."""
    incident = lock_incident(tx, incident_id)
    lock_callout(tx, callout_id)
    dispatch = tx.session.scalars(
        select(Dispatch)
        .where(Dispatch.callout_id == callout_id, Dispatch.unit_id == unit_id, Dispatch.status == "offered")
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).first()
    if dispatch is not None:
        withdraw(tx, incident, dispatch, "left_fence")
        settle(tx, incident)
