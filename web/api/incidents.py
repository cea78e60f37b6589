"""Incidents: the queue, one case, what a seat does with it, and whom to send."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from apiflask import APIBlueprint
from pydantic import Field
from shapely.geometry import mapping
from typing_extensions import TypedDict

from gridmap.services import case_queries, incidents, recommending
from gridmap.services.case_queries import CaseFilter
from gridmap.services.dispatching import offers
from gridmap.services.queries.places import area_path
from gridmap.services.queries.response import read_response
from gridmap.services.transaction import Tx
from web import shapes, shapes_jobs
from web.guards import requires, signed_in
from web.outputs import returns
from web.schemas import (
    Abscissa,
    AreaId,
    Bbox,
    Body,
    Key,
    Keys,
    Lat,
    Lon,
    Moment,
    OptionalText,
    Ordinate,
    Query,
    Reason,
    Severities,
    Severity,
    ShortText,
    Text,
)
from web.site import as_caller, site

cases = APIBlueprint("incidents", __name__, url_prefix="/api/incidents", tag="incidents")
Json = dict[str, Any]
Version = Annotated[int, Field(ge=1, le=2**31 - 1)] | None


class CaseQuery(Query):
    """The filters that lists and exports share."""

    status: Keys = ()
    classes: Keys = Field((), alias="class")
    severity: Severities = ()
    area: AreaId | None = None
    since: Moment | None = Field(None, alias="from")
    until: Moment | None = Field(None, alias="to")
    q: ShortText | None = None
    bbox: Bbox | None = None
    unlocated: bool = False
    drills: bool = True

    def as_filter(self, tx: Tx) -> CaseFilter:
        return CaseFilter(
            statuses=self.status,
            class_keys=self.classes,
            severities=self.severity,
            area_path=None if self.area is None else area_path(tx, self.area),
            reported_from=self.since,
            reported_to=self.until,
            bbox=self.bbox,
            words=self.q,
            unlocated=self.unlocated,
            include_drills=self.drills,
        )


class PageQuery(CaseQuery):
    limit: int = Field(100, ge=1, le=case_queries.MAX_PAGE)
    cursor: Annotated[str, Field(max_length=400)] | None = None


class NearbyQuery(Query):
    lon: Lon
    lat: Lat
    class_key: Key | None = None
    radius_m: float = Field(250, gt=0, le=case_queries.MAX_NEARBY_M)


class LimitQuery(Query):
    limit: int = Field(5, ge=1, le=50)


class RecommendationQuery(LimitQuery):
    own_grid_first: bool = False
    divert: bool = True


class RouteQuery(Query):
    unit: UUID


class PageEnd(TypedDict):
    """`next` continues the list; `total` counts all that match, up to a ceiling that `total_is_least` tells of.

    `words_since`: in a large history words were looked for from then on only (92 days up to `to`), else null.
    """

    next: str | None
    total: int
    total_is_least: bool
    words_since: datetime | None


class RouteLine(TypedDict):
    """The way to draw, GeoJSON."""

    geometry: Json
    seconds: float
    distance_m: float
    method: str
    why: str | None


class Handle(Body):
    take_over: bool = False
    reason: Reason | None = None
    version: Version = None


class Reclassify(Body):
    class_key: Key
    severity: Severity | None = None
    reason: Reason
    version: Version = None


class Move(Body):
    lon: Abscissa
    lat: Ordinate
    crs: ShortText = "WGS84"
    reason: Reason | None = None
    version: Version = None


class Duplicate(Body):
    of: UUID
    reason: Reason
    version: Version = None


class VersionedReason(Body):
    reason: Reason
    version: Version = None


class Verify(Body):
    outcome: Key
    note: OptionalText | None = None
    version: Version = None


class Note(Body):
    text: Text
    version: Version = None


class OfferJob(Body):
    unit_id: UUID
    expires_s: Annotated[int, Field(ge=10, le=3_600)] | None = None
    reason: Reason | None = None
    override_reason: Reason | None = None


@cases.get("")
@cases.input(PageQuery, location="query", arg_name="query")
@returns(shapes.IncidentSummary, many=True, more=PageEnd)
@signed_in
def list_incidents(query: PageQuery) -> Json:
    """The queue (by severity, then the oldest first), or with closed ones the newest first."""
    with as_caller() as tx:
        page = case_queries.list_cases(tx, query.as_filter(tx), limit=query.limit, cursor=query.cursor)
        return {
            "items": [shapes.summary(row) for row in page.rows],
            "next": page.next_cursor,
            "total": page.total,
            "total_is_least": page.total_is_least,
            "words_since": page.words_since,
        }


@cases.get("/nearby")
@cases.input(NearbyQuery, location="query", arg_name="query")
@returns(shapes.NearbyIncident, many=True)
@signed_in
def list_nearby(query: NearbyQuery) -> Json:
    """Active incidents around a place: perhaps the same."""
    with as_caller() as tx:
        found = case_queries.list_nearby(
            tx, query.lon, query.lat, radius_m=query.radius_m, class_key=query.class_key
        )
        return {
            "items": [
                {
                    **shapes.summary(row),
                    "distance_m": round(away_m, 1),
                    "minutes_ago": max(0, int((tx.now - row.incident.reported_at).total_seconds() // 60)),
                }
                for row, away_m in found
            ]
        }


@cases.get("/<uuid:incident_id>")
@returns(shapes.IncidentDetail)
@signed_in
def show_incident(incident_id: UUID) -> shapes.IncidentDetail:
    """One case with its reports, timeline, dispatches, and what I may do with it now."""
    with as_caller() as tx:
        return _detail(tx, incident_id)


@cases.post("/<uuid:incident_id>/handle")
@cases.input(Handle, arg_name="body")
@returns(shapes.IncidentDetail)
@requires("case.handle")
def handle(incident_id: UUID, body: Handle) -> shapes.IncidentDetail:
    """Take it to my seat; from another seat only with a reason."""
    with as_caller() as tx:
        incidents.take_handling(
            tx, incident_id, take_over=body.take_over, reason=body.reason, version=body.version
        )
        return _detail(tx, incident_id)


@cases.post("/<uuid:incident_id>/reclassify")
@cases.input(Reclassify, arg_name="body")
@returns(shapes.IncidentDetail)
@requires("case.handle")
def reclassify(incident_id: UUID, body: Reclassify) -> shapes.IncidentDetail:
    """Give it another class or severity."""
    with as_caller() as tx:
        incidents.reclassify(
            tx,
            incident_id,
            class_key=body.class_key,
            severity=body.severity,
            reason=body.reason,
            version=body.version,
        )
        return _detail(tx, incident_id)


@cases.post("/<uuid:incident_id>/move")
@cases.input(Move, arg_name="body")
@returns(shapes.IncidentDetail)
@requires("case.handle")
def move(incident_id: UUID, body: Move) -> shapes.IncidentDetail:
    """Move the pin. Whoever moves it out of their own area answers without the case's detail."""
    with as_caller() as tx:
        incidents.move_pin(
            tx,
            incident_id,
            lon=body.lon,
            lat=body.lat,
            crs=body.crs,
            reason=body.reason,
            version=body.version,
        )
        return _detail(tx, incident_id)


@cases.post("/<uuid:incident_id>/duplicate")
@cases.input(Duplicate, arg_name="body")
@returns(shapes.IncidentDetail)
@requires("case.handle")
def duplicate(incident_id: UUID, body: Duplicate) -> shapes.IncidentDetail:
    """Close it as the same as another."""
    with as_caller() as tx:
        incidents.mark_duplicate(tx, incident_id, of=body.of, reason=body.reason, version=body.version)
        return _detail(tx, incident_id)


@cases.post("/<uuid:incident_id>/void")
@cases.input(VersionedReason, arg_name="body")
@returns(shapes.IncidentDetail)
@requires("case.handle")
def void(incident_id: UUID, body: VersionedReason) -> shapes.IncidentDetail:
    """Take a wrong entry out of the work."""
    with as_caller() as tx:
        incidents.void(tx, incident_id, reason=body.reason, version=body.version)
        return _detail(tx, incident_id)


@cases.post("/<uuid:incident_id>/reopen")
@cases.input(VersionedReason, arg_name="body")
@returns(shapes.IncidentDetail)
@requires("case.handle")
def reopen(incident_id: UUID, body: VersionedReason) -> shapes.IncidentDetail:
    """Open a closed one again."""
    with as_caller() as tx:
        incidents.reopen(tx, incident_id, reason=body.reason, version=body.version)
        return _detail(tx, incident_id)


@cases.post("/<uuid:incident_id>/verify")
@cases.input(Verify, arg_name="body")
@returns(shapes.IncidentDetail)
@requires("case.verify")
def verify(incident_id: UUID, body: Verify) -> shapes.IncidentDetail:
    """Verify what was done and close."""
    with as_caller() as tx:
        incidents.verify_and_close(
            tx, incident_id, outcome=body.outcome, note=body.note, version=body.version
        )
        return _detail(tx, incident_id)


@cases.post("/<uuid:incident_id>/return")
@cases.input(VersionedReason, arg_name="body")
@returns(shapes.IncidentDetail)
@requires("case.verify")
def send_back(incident_id: UUID, body: VersionedReason) -> shapes.IncidentDetail:
    """Back to work, with the reason."""
    with as_caller() as tx:
        incidents.return_incident(tx, incident_id, reason=body.reason, version=body.version)
        return _detail(tx, incident_id)


@cases.post("/<uuid:incident_id>/note")
@cases.input(Note, arg_name="body")
@returns(shapes.IncidentDetail)
@requires("case.handle")
def note(incident_id: UUID, body: Note) -> shapes.IncidentDetail:
    """A remark on the timeline."""
    with as_caller() as tx:
        incidents.add_note(tx, incident_id, body.text)
        return _detail(tx, incident_id)


@cases.get("/<uuid:incident_id>/recommendation")
@cases.input(RecommendationQuery, location="query", arg_name="query")
@returns(shapes_jobs.RecommendationLine)
@requires("case.dispatch")
def recommend(incident_id: UUID, query: RecommendationQuery) -> shapes_jobs.RecommendationLine:
    """Who is there first, by road; each with reasons, who was left out and why, and what cannot be had."""
    with as_caller() as tx:
        candidates = recommending.list_candidates(tx, incident_id, divert=query.divert)
    return shapes_jobs.recommendation(
        recommending.recommend(candidates, site().router, query.limit, own_grid_first=query.own_grid_first)
    )


@cases.get("/<uuid:incident_id>/route")
@cases.input(RouteQuery, location="query", arg_name="query")
@returns(RouteLine)
@requires("case.dispatch", "job.work")
def show_route(incident_id: UUID, query: RouteQuery) -> RouteLine:
    """The way of one unit to the incident."""
    with as_caller() as tx:
        trip = recommending.find_trip(tx, incident_id, query.unit)
    way = recommending.find_way(site().router, trip)
    return {
        "geometry": mapping(way.geometry),
        "seconds": way.seconds,
        "distance_m": way.distance_m,
        "method": way.method,
        "why": way.reason,
    }


@cases.post("/<uuid:incident_id>/dispatches")
@cases.input(OfferJob, arg_name="body")
@returns(shapes_jobs.DispatchLine, status=201)
@requires("case.dispatch")
def offer_job(incident_id: UUID, body: OfferJob) -> tuple[shapes_jobs.DispatchLine, int]:
    """Offer the job to a unit; what the road says it takes is kept with the offer."""
    here = site()
    with as_caller() as tx:
        trip = recommending.find_trip(tx, incident_id, body.unit_id)
    way = recommending.find_way(here.router, trip)
    command = offers.Offer(
        incident_id=incident_id,
        unit_id=body.unit_id,
        expires_s=body.expires_s or here.settings.offer_expires_s,
        travel_s=way.seconds,
        distance_m=way.distance_m,
        travel_method=way.method,
        reason=body.reason,
        override_reason=body.override_reason,
    )
    with as_caller() as tx:
        return shapes_jobs.dispatch_in(tx, offers.offer(tx, command)), 201


def _detail(tx: Tx, incident_id: UUID) -> shapes.IncidentDetail:
    tx.session.flush()
    return shapes.detail(case_queries.get_case(tx, incident_id), read_response(tx, incident_id))
