"""How work looks from outside: the JSON of incidents, dispatches, alarms and what belongs to them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

# pydantic needs this one to read types of TypedDict on 3.11.
from typing_extensions import TypedDict

from gridmap.db.tables import Alarm, Dispatch, Incident, IncidentEvent, Report, Unit
from gridmap.services.case_queries import CaseDetail, CaseRow
from gridmap.services.queries.response import Response
from gridmap.services.recommending import Pick, Recommendation
from gridmap.services.transaction import Tx
from web import shapes_response

Params = dict[str, Any]


class Named(TypedDict):
    id: UUID
    name: str | None


class IncidentSummary(TypedDict):
    """One line of the queue."""

    id: UUID
    number: str
    class_key: str
    severity: int
    status: str
    title: str
    address: str | None
    lon: float | None
    lat: float | None
    located: bool
    area_id: int | None
    area_name: str | None
    drill: bool
    restricted: bool
    channel: str
    reported_at: datetime
    occurred_at: datetime
    occurred_to: datetime | None
    occurred_precision: str
    handler: Named | None
    major: Named | None
    dispatches_open: int
    due_at: datetime | None
    due_kind: str | None
    outcome: str | None
    closed_at: datetime | None
    version: int


class NearbyIncident(IncidentSummary):
    """An active case near a place."""

    distance_m: float
    minutes_ago: int


class ReportLine(TypedDict):
    id: UUID
    channel: str
    source: str | None
    source_ref: str | None
    class_key: str
    text: str
    address: str | None
    received_at: datetime
    reporter_has_contact: bool


class TimelineEvent(TypedDict):
    """What happened: a code and its parameters, never prose.

    `at` is when it was recorded; `occurred_at`, when it happened, is null unless a phone told it later.
    """

    id: UUID
    at: datetime
    occurred_at: datetime | None
    actor: str | None
    kind: str
    params: Params


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


class Location(TypedDict):
    method: str
    radius_m: float | None


class Numbered(TypedDict):
    id: UUID
    number: str | None


class IncidentDetail(IncidentSummary):
    """A case with its reports, timeline and dispatches; `allowed` is what the caller may do with it now."""

    reports: list[ReportLine]
    timeline: list[TimelineEvent]
    dispatches: list[DispatchLine]
    location: Location
    duplicate_of: Numbered | None
    allowed: tuple[str, ...]
    callouts: list[shapes_response.CalloutLine]
    plan: list[shapes_response.RunLine]
    tasks: list[shapes_response.TaskLine]
    hand_overs: list[shapes_response.HandOverLine]


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


class AlarmLine(TypedDict):
    id: UUID
    kind: str
    severity: int
    status: str
    raised_at: datetime
    acknowledged_at: datetime | None
    incident_id: UUID | None
    unit_id: UUID | None
    subject_kind: str | None
    subject_id: UUID | None
    params: Params
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


def summary(row: CaseRow) -> IncidentSummary:
    incident = row.incident
    due_at, due_kind = due(incident)
    handler: Named | None = None
    if incident.handler_account_id is not None:
        handler = {"id": incident.handler_account_id, "name": row.handler_name}
    return {
        "id": incident.id,
        "number": incident.number,
        "class_key": incident.class_key,
        "severity": incident.severity,
        "status": incident.status,
        "title": incident.title,
        "address": incident.address,
        "lon": row.lon,
        "lat": row.lat,
        "located": row.lon is not None,
        "area_id": incident.area_id,
        "area_name": row.area_name,
        "drill": incident.drill,
        "restricted": incident.restricted,
        "channel": incident.channel,
        "reported_at": incident.reported_at,
        "occurred_at": incident.occurred_from,
        "occurred_to": incident.occurred_to,
        "occurred_precision": incident.occurred_precision,
        "handler": handler,
        "major": {"id": incident.major_id, "name": row.major_name} if incident.major_id else None,
        "dispatches_open": row.dispatches_open,
        "due_at": due_at,
        "due_kind": due_kind,
        "outcome": incident.outcome,
        "closed_at": incident.closed_at,
        "version": incident.version,
    }


def due(incident: Incident) -> tuple[datetime | None, str | None]:
    """The clock that runs now: until somebody is sent, then until the work is finished."""
    if incident.status in ("open", "returned"):
        return incident.dispatch_due_at, "dispatch"
    if incident.status == "closed":
        return None, None
    return incident.finish_due_at, "finish"


def detail(found: CaseDetail, response: Response) -> IncidentDetail:
    incident = found.row.incident
    original: Numbered | None = None
    if incident.duplicate_of is not None:
        original = {"id": incident.duplicate_of, "number": found.duplicate_of_number}
    return {
        **summary(found.row),
        "reports": [_report(row) for row in found.reports],
        "timeline": [timeline_event(row) for row in found.events],
        "dispatches": [dispatch(row, call_sign) for row, call_sign in found.dispatches],
        "location": {"method": incident.location_method, "radius_m": incident.location_radius_m},
        "duplicate_of": original,
        "allowed": found.allowed,
        **shapes_response.response(response),
    }


def _report(row: Report) -> ReportLine:
    return {
        "id": row.id,
        "channel": row.channel,
        "source": row.source,
        "source_ref": row.ref,
        "class_key": row.class_key,
        "text": row.body,
        "address": row.address,
        "received_at": row.received_at,
        "reporter_has_contact": row.has_contact,
    }


def timeline_event(row: IncidentEvent) -> TimelineEvent:
    return {
        "id": row.id,
        "at": row.at,
        "occurred_at": row.occurred_at,
        "actor": row.actor_name,
        "kind": row.kind,
        "params": row.params,
    }


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


def alarm(row: Alarm) -> AlarmLine:
    return {
        "id": row.id,
        "kind": row.kind,
        "severity": row.severity,
        "status": row.status,
        "raised_at": row.raised_at,
        "acknowledged_at": row.acknowledged_at,
        "incident_id": row.incident_id,
        "unit_id": row.subject_id if row.subject_kind == "unit" else None,
        "subject_kind": row.subject_kind,
        "subject_id": row.subject_id,
        "params": row.params,
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
