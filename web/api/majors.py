"""Major events: many incidents under one name."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from apiflask import APIBlueprint
from pydantic import Field
from typing_extensions import TypedDict

from gridmap.services import majors as service
from gridmap.services.case_queries import get_case_row
from web import shapes
from web.guards import requires
from web.outputs import returns
from web.schemas import Body, Query, Reason
from web.site import as_caller

majors = APIBlueprint("majors", __name__, url_prefix="/api/majors", tag="majors")
Ids = Annotated[list[UUID], Field(min_length=1, max_length=service.MAX_AT_ONCE)]


class MajorQuery(Query):
    all: bool = False


class OpenMajor(Body):
    name: Annotated[str, Field(min_length=1, max_length=service.MAX_NAME)]
    incident_ids: Ids


class Members(Body):
    incident_ids: Ids


class RemoveMember(Body):
    incident_id: UUID
    reason: Reason


class CloseMajor(Body):
    note: Annotated[str, Field(max_length=service.MAX_NOTE)] | None = None


class MajorLine(TypedDict):
    """`members` and `gravest` are of those in my sight."""

    id: UUID
    name: str
    drill: bool
    opened_at: datetime
    closed_at: datetime | None
    note: str | None
    members: int
    open_members: int
    gravest: int | None


class MajorDetail(MajorLine):
    incidents: list[shapes.IncidentSummary]


@majors.get("")
@majors.input(MajorQuery, location="query", arg_name="query")
@returns(MajorLine, many=True)
@requires("case.read")
def list_majors(query: MajorQuery) -> dict[str, Any]:
    """Open major events, the newest first; with `all` the closed too."""
    with as_caller() as tx:
        return {"items": [_line(row) for row in service.list_majors(tx, open_only=not query.all)]}


@majors.get("/<uuid:major_id>")
@returns(MajorDetail)
@requires("case.read")
def show_major(major_id: UUID) -> MajorDetail:
    """One, with its members."""
    with as_caller() as tx:
        found = service.get_major(tx, major_id)
        rows = [get_case_row(tx, key) for key in service.list_members(tx, major_id)]
        return {**_line(found), "incidents": [shapes.summary(row) for row in rows]}


@majors.post("")
@majors.input(OpenMajor, arg_name="body")
@returns(MajorLine, status=201)
@requires("case.handle")
def open_major(body: OpenMajor) -> tuple[MajorLine, int]:
    """Name what some incidents have in common."""
    with as_caller() as tx:
        return _line(service.open_major(tx, name=body.name, incident_ids=body.incident_ids)), 201


@majors.post("/<uuid:major_id>/incidents")
@majors.input(Members, arg_name="body")
@returns(MajorLine)
@requires("case.handle")
def add_members(major_id: UUID, body: Members) -> MajorLine:
    """Add incidents."""
    with as_caller() as tx:
        return _line(service.add(tx, major_id, body.incident_ids))


@majors.post("/<uuid:major_id>/remove")
@majors.input(RemoveMember, arg_name="body")
@returns(MajorLine)
@requires("case.handle")
def remove_member(major_id: UUID, body: RemoveMember) -> MajorLine:
    """Take one out that does not belong."""
    with as_caller() as tx:
        return _line(service.remove(tx, major_id, body.incident_id, reason=body.reason))


@majors.post("/<uuid:major_id>/close")
@majors.input(CloseMajor, arg_name="body")
@returns(MajorLine)
@requires("case.handle")
def close_major(major_id: UUID, body: CloseMajor) -> MajorLine:
    """Close it when every member is closed."""
    with as_caller() as tx:
        return _line(service.close(tx, major_id, note=body.note))


def _line(row: service.MajorRow) -> MajorLine:
    major = row.major
    return {
        "id": major.id,
        "name": major.name,
        "drill": major.drill,
        "opened_at": major.opened_at,
        "closed_at": major.closed_at,
        "note": major.note,
        "members": row.members,
        "open_members": row.open_members,
        "gravest": row.gravest,
    }
