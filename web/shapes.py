"""How work looks from outside: the JSON of incidents, alarms and what belongs to them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

# pydantic needs this one to read types of TypedDict on 3.11.
from typing_extensions import TypedDict

from gridmap.db.tables import Alarm, Incident, IncidentEvent, Report
from gridmap.services.case_queries import CaseDetail, CaseRow
from gridmap.services.queries.response import Response
from web import shapes_jobs, shapes_response

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
    dispatches: list[shapes_jobs.DispatchLine]
    location: Location
    duplicate_of: Numbered | None
    allowed: tuple[str, ...]
    callouts: list[shapes_response.CalloutLine]
    plan: list[shapes_response.RunLine]
    tasks: list[shapes_response.TaskLine]
    hand_overs: list[shapes_response.HandOverLine]


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
        "dispatches": [shapes_jobs.dispatch(row, call_sign) for row, call_sign in found.dispatches],
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
