"""How jobs look from outside: dispatches, offers, and who is recommended."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

# pydantic needs this one to read types of TypedDict on 3.11.
from typing_extensions import TypedDict

from gridmap.db.tables import Dispatch, Unit
from gridmap.services.recommending import Pick, Recommendation
from gridmap.services.transaction import Tx

Params = dict[str, Any]


class UnitName(TypedDict):
    id: UUID
    call_sign: str


class DispatchLine(TypedDict):
    """One job of one unit, with every step's time."""

    id: UUID
    incident_id: UUID
    unit: UnitName
    status: str
    offered_at: datetime
    expires_at: datetime
    delivered_at: datetime | None
    seen_at: datetime | None
    accepted_at: datetime | None
    en_route_at: datetime | None
    arrival_proposed_at: datetime | None
    on_scene_at: datetime | None
    done_at: datetime | None
    seconds_est: float | None
    distance_m: float | None
    method: str | None
    result: Params | None
    decline_reason: str | None
    end_reason: str | None
    radio_steps: list[str]
    eta_at: datetime | None
    callout_id: UUID | None
    need_key: str | None
    sent_at: datetime | None
    via: str | None
    unreachable_at: datetime | None
    copies: list[Params]
    drill: bool


class Circle(TypedDict):
    lon: float
    lat: float
    radius_m: float


class OfferLine(TypedDict):
    """What a unit sees before it accepts: class, severity and a circle, never an address or a contact."""

    dispatch_id: UUID
    class_key: str
    severity: int
    area_name: str | None
    circle: Circle
    seconds_est: float | None
    distance_m: float | None
    offered_at: datetime
    expires_at: datetime
    drill: bool


class PickLine(TypedDict):
    """A recommended unit. Without a way (`state` other than "ok") it has no time."""

    unit_id: UUID
    call_sign: str
    kind: str
    mode: str
    seconds: float | None
    distance_m: float | None
    state: str
    fix_age_s: float
    accuracy_m: float | None
    lon: float
    lat: float
    busy: bool
    reasons: tuple[Params, ...]


class LeftOut(TypedDict):
    code: str
    count: int


class ShortfallLine(TypedDict):
    """What cannot be had and why: a code with its parameters."""

    code: str
    params: Params
    missing: int


class RecommendationLine(TypedDict):
    """Who should go, best first; who was left out, by reason."""

    method: str
    why: str | None
    computed_ms: float
    candidates: int
    items: list[PickLine]
    excluded: list[LeftOut]
    shortfalls: list[ShortfallLine]
    asked: int


def dispatch(row: Dispatch, call_sign: str) -> DispatchLine:
    return {
        "id": row.id,
        "incident_id": row.incident_id,
        "unit": {"id": row.unit_id, "call_sign": call_sign},
        "status": row.status,
        "offered_at": row.offered_at,
        "expires_at": row.expires_at,
        "delivered_at": row.delivered_at,
        "seen_at": row.seen_at,
        "accepted_at": row.accepted_at,
        "en_route_at": row.en_route_at,
        "arrival_proposed_at": row.arrival_proposed_at,
        "on_scene_at": row.on_scene_at,
        "done_at": row.done_at,
        "seconds_est": row.travel_s,
        "distance_m": row.distance_m,
        "method": row.travel_method,
        "result": row.result,
        "decline_reason": row.decline_reason,
        "end_reason": row.end_reason,
        "radio_steps": row.radio_steps or [],
        "eta_at": row.eta_at,
        "callout_id": row.callout_id,
        "need_key": row.need_key,
        "sent_at": row.sent_at,
        "via": row.via,
        "unreachable_at": row.unreachable_at,
        "copies": row.copies or [],
        "drill": row.drill,
    }


def dispatch_in(tx: Tx, row: Dispatch) -> DispatchLine:
    """The same, with the unit's call sign looked up."""
    unit = tx.session.get(Unit, row.unit_id)
    return dispatch(row, unit.call_sign if unit is not None else "?")


def offer(row: Dispatch) -> OfferLine:
    return {
        "dispatch_id": row.id,
        "class_key": row.offer["class_key"],
        "severity": row.offer["severity"],
        "area_name": row.offer["area_name"],
        "circle": row.offer["circle"],
        "seconds_est": row.travel_s,
        "distance_m": row.distance_m,
        "offered_at": row.offered_at,
        "expires_at": row.expires_at,
        "drill": row.drill,
    }


def recommendation(found: Recommendation) -> RecommendationLine:
    return {
        "method": found.method,
        "why": found.why,
        "computed_ms": found.computed_ms,
        "candidates": found.candidates,
        "items": [pick_line(pick) for pick in found.picks],
        "excluded": [{"code": code, "count": count} for code, count in sorted(found.excluded.items())],
        "shortfalls": [
            {"code": short.code, "params": short.params, "missing": short.missing}
            for short in found.shortfalls
        ],
        "asked": found.asked,
    }


def pick_line(pick: Pick) -> PickLine:
    unit = pick.unit
    return {
        "unit_id": unit.unit_id,
        "call_sign": unit.call_sign,
        "kind": unit.kind,
        "mode": unit.mode,
        "seconds": pick.seconds,
        "distance_m": pick.distance_m,
        "state": pick.state,
        "fix_age_s": pick.fix_age_s,
        "accuracy_m": unit.accuracy_m,
        "lon": unit.place.lon,
        "lat": unit.place.lat,
        "busy": unit.leaves is not None,
        "reasons": pick.reasons,
    }
