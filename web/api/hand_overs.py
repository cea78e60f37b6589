"""Hand-overs to and from 110, 119, 120 and 12345."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from apiflask import APIBlueprint

from gridmap.services import hand_overs as service
from web import shapes_response as shapes
from web.guards import requires
from web.outputs import returns
from web.schemas import Body, Key, Reason, ShortText, WithReason
from web.site import as_caller

hand_overs = APIBlueprint("hand_overs", __name__, url_prefix="/api", tag="hand-overs")


class HandOver(Body):
    """`direction` "in" notes that the agency handed it to us, with their number."""

    agency: Key
    direction: Literal["out", "in"] = "out"
    their_number: ShortText | None = None
    note: Reason | None = None


class Acknowledge(Body):
    their_number: ShortText


@hand_overs.post("/incidents/<uuid:incident_id>/hand-overs")
@hand_overs.input(HandOver, arg_name="body")
@returns(shapes.HandOverLine, status=201)
@requires("case.dispatch")
def hand_over(incident_id: UUID, body: HandOver) -> tuple[shapes.HandOverLine, int]:
    """Hand a case over, or note that one was handed to us."""
    with as_caller() as tx:
        if body.direction == "in":
            row = service.take_in(
                tx, incident_id, agency=body.agency, their_number=body.their_number, note=body.note
            )
        else:
            row = service.hand_over(tx, incident_id, agency=body.agency, note=body.note)
        return shapes.hand_over(row), 201


@hand_overs.post("/hand-overs/<uuid:hand_over_id>/acknowledge")
@hand_overs.input(Acknowledge, arg_name="body")
@returns(shapes.HandOverLine)
@requires("case.dispatch")
def acknowledge(hand_over_id: UUID, body: Acknowledge) -> shapes.HandOverLine:
    """The agency took it, under this number of theirs."""
    with as_caller() as tx:
        return shapes.hand_over(service.acknowledge(tx, hand_over_id, their_number=body.their_number))


@hand_overs.post("/hand-overs/<uuid:hand_over_id>/return")
@hand_overs.input(WithReason, arg_name="body")
@returns(shapes.HandOverLine)
@requires("case.dispatch")
def give_back(hand_over_id: UUID, body: WithReason) -> shapes.HandOverLine:
    """The agency gave it back, and why."""
    with as_caller() as tx:
        return shapes.hand_over(service.take_back(tx, hand_over_id, reason=body.reason))
