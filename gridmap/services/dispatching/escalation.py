"""What becomes of a call-out: met, taken up again, carried to the next level, or an alarm. All by timers.

`review` looks at the rows as they are and does what is due, so it may run at any time and any number of times.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from gridmap.db.tables import Callout, Incident, PlanRun, PlanVersion, Unit
from gridmap.domain.lifecycle import is_active
from gridmap.domain.response import (
    Level,
    Place,
    Rules,
    add_up,
    missing,
    need_from,
    need_json,
    place_for,
    plan_from,
)
from gridmap.services.alarms import raise_about
from gridmap.services.dispatching.callouts import (
    CALLOUT_EXPIRES,
    end_callout,
    lock_with_incident,
    take_back,
    told,
    write_callout,
)
from gridmap.services.dispatching.copies import tell_others
from gridmap.services.dispatching.needs import (
    LIVE_CALLOUTS,
    lock_callout,
    offers_out,
    places_left,
    review_soon,
    winners,
)
from gridmap.services.dispatching.offers import withdraw
from gridmap.services.dispatching.rows import settle
from gridmap.services.fences import end_fence
from gridmap.services.timers import clear_timer, set_timer
from gridmap.services.transaction import Tx

# While an incident is in one of these, somebody is still wanted.
WORK_GOES_ON = ("open", "assigned", "returned")


def review(tx: Tx, callout_id: UUID) -> None:
    """Something about the call-out changed: count the places and go on from there."""
    if tx.session.get(Callout, callout_id) is None:
        return
    incident, callout = lock_with_incident(tx, callout_id)
    tell_others(tx, incident, callout)
    if callout.status != "open" and callout.fence_id is not None:
        end_fence(tx, callout.fence_id)
    if callout.status in ("stopped", "unmet"):
        take_back(tx, incident, callout, callout.end_reason or callout.status)
        if callout.status == "unmet" and incident.status in WORK_GOES_ON:
            _carry_on(tx, incident, callout)
        return
    if not is_active("incident", incident.status):
        if callout.status == "open":
            end_callout(tx, incident, callout, "stopped", "incident_closed")
        return
    left = places_left(tx, callout)
    if not left:
        _met(tx, incident, callout)
    elif incident.status == "awaiting_verification":
        if callout.status == "open":
            end_callout(tx, incident, callout, "stopped", "work_done")
    else:
        if callout.status == "met":
            _take_up_again(tx, incident, callout)
        _go_on(tx, incident, callout, left)


def level_over(tx: Tx, callout_id: UUID) -> None:
    """The level's time is over: to the next one, or to an alarm."""
    if tx.session.get(Callout, callout_id) is None:
        return
    incident, callout = lock_with_incident(tx, callout_id)
    if callout.status == "open" and places_left(tx, callout):
        give_up(tx, incident, callout, "level_over")


def give_up(tx: Tx, incident: Incident, callout: Callout, why: str) -> None:
    """The level did not meet its need: what is left goes to the next level, and of the last one to an alarm."""
    left = _part_with(tx, callout)
    following = _next_level(tx, callout)
    end_callout(tx, incident, callout, "unmet", why, event=False)
    if following is None:
        told(tx, incident, callout, "callout_unmet", why=why, left=need_json(left))
        alarm_unmet(tx, incident, callout, why)
        return
    run, level = following
    above = open_level(tx, incident, run, level, callout.level + 1, carried=left)
    callout.next_id = above.id
    told(tx, incident, callout, "callout_escalated", why=why, left=need_json(left), next_level=above.level)


def open_level(
    tx: Tx, incident: Incident, run: PlanRun, level: Level, number: int, carried: tuple[Place, ...] = ()
) -> Callout:
    """Open the call-out of one level of a plan, with what the level below left unmet."""
    mode = level.mode
    if mode == "broadcast" and incident.restricted:
        # A restricted case is known to the assigned only: one after the other, never to all.
        mode = "next_in_line"
    need = add_up(carried, level.need)
    return write_callout(tx, incident, mode=mode, need=need, rules=level.rules, run=run, level=number)


def _part_with(tx: Tx, callout: Callout) -> tuple[Place, ...]:
    """Move the places that are left from the need to what was unmet, so that each is carried on once."""
    left = places_left(tx, callout)
    if left:
        callout.unmet = need_json(add_up(need_from(callout.unmet), left))
        callout.need = need_json(missing(need_from(callout.need), {place.key: place.count for place in left}))
        tx.session.flush()
    return left


def _carry_on(tx: Tx, incident: Incident, callout: Callout) -> None:
    """Somebody left the job of a level that is over: the place goes where that level's others went."""
    left = _part_with(tx, callout)
    if not left:
        return
    last = callout
    while last.next_id is not None:
        last = lock_callout(tx, last.next_id)
    if last.status in LIVE_CALLOUTS:
        last.need = need_json(add_up(need_from(last.need), left))
        review_soon(tx, last.id)
    elif last.status == "unmet":
        if last is not callout:
            last.unmet = need_json(add_up(need_from(last.unmet), left))
        alarm_unmet(tx, incident, last, "gave_back")
    told(tx, incident, callout, "callout_reopened", left=need_json(left), next_level=last.level)


def alarm_unmet(tx: Tx, incident: Incident, callout: Callout, why: str) -> None:
    """A need that nobody meets is never silent."""
    raise_about(
        tx,
        incident,
        "callout_unmet",
        subject_kind="callout",
        subject_id=callout.id,
        level=callout.level,
        left=callout.unmet or need_json(places_left(tx, callout)),
        why=why,
    )


def has_next_level(tx: Tx, callout: Callout) -> bool:
    """True when the plan knows another level above this one."""
    return _next_level(tx, callout) is not None


def _next_level(tx: Tx, callout: Callout) -> tuple[PlanRun, Level] | None:
    if callout.plan_run_id is None:
        return None
    run = tx.session.get_one(PlanRun, callout.plan_run_id)
    levels = plan_from(tx.session.get_one(PlanVersion, run.plan_version_id).body).levels
    if run.ended_at is not None or callout.level >= len(levels):
        return None
    return run, levels[callout.level]


def _met(tx: Tx, incident: Incident, callout: Callout) -> None:
    taken = winners(tx, callout.id)
    if callout.status == "open":
        callout.status, callout.fill_at, callout.nobody_since = "met", None, None
        clear_timer(tx, CALLOUT_EXPIRES, callout.id)
        if callout.fence_id is not None:
            end_fence(tx, callout.fence_id)
        told(tx, incident, callout, "callout_met", taken=taken)
    take_back(tx, incident, callout, "need_met", taken=taken)


def _take_up_again(tx: Tx, incident: Incident, callout: Callout) -> None:
    """Somebody gave a place back after the need was met."""
    callout.status, callout.fence_id = "open", None
    callout.expires_at = tx.now + timedelta(seconds=Rules.from_json(callout.rules).level_s)
    set_timer(tx, CALLOUT_EXPIRES, callout.id, callout.expires_at)
    told(tx, incident, callout, "callout_reopened", left=need_json(places_left(tx, callout)))


def _go_on(tx: Tx, incident: Incident, callout: Callout, left: tuple[Place, ...]) -> None:
    """Take back what fits no place any more, and have the worker look for more people."""
    if callout.mode == "named":
        if not offers_out(tx, callout.id):
            give_up(tx, incident, callout, "all_answered")
        return
    for dispatch in offers_out(tx, callout.id):
        unit = tx.session.get_one(Unit, dispatch.unit_id)
        if place_for(left, unit.kind, unit.capabilities, dispatch.need_key) is None:
            withdraw(tx, incident, dispatch, "need_met", taken=winners(tx, callout.id))
    settle(tx, incident)
    callout.fill_at = tx.now
    tx.session.flush()
