"""Word without a job: what happens on one's own ground and is done by somebody else."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from apiflask import APIBlueprint
from pydantic import Field
from typing_extensions import TypedDict

from gridmap.services.notices import list_notices, put_away
from web import shapes_response as shapes
from web.guards import signed_in
from web.outputs import returns
from web.schemas import Body, Query
from web.site import as_caller

notices = APIBlueprint("notices", __name__, url_prefix="/api/notices", tag="notices")


class NoticeQuery(Query):
    all: bool = False


class Seen(Body):
    notice_ids: Annotated[list[UUID], Field(max_length=100)]


class Counted(TypedDict):
    counted: int


@notices.get("")
@notices.input(NoticeQuery, location="query", arg_name="query")
@returns(shapes.NoticeLine, many=True)
@signed_in
def show_notices(query: NoticeQuery) -> dict[str, Any]:
    """What my units, or the seats of my areas, were told; with `all` what was put away too."""
    with as_caller() as tx:
        return {"items": [shapes.notice(row) for row in list_notices(tx, unseen_only=not query.all)]}


@notices.post("/seen")
@notices.input(Seen, arg_name="body")
@returns(Counted)
@signed_in
def seen(body: Seen) -> Counted:
    """My unit has read these."""
    with as_caller() as tx:
        return {"counted": put_away(tx, body.notice_ids)}
