"""Call-outs at a seat: open one, change what it needs, stop it; and the agreements that lend people across a border."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from apiflask import APIBlueprint
from pydantic import Field

from gridmap.domain.response import DELIVER_S, LEVEL_S, OFFER_S, FenceRule, Place, Rules, places_from
from gridmap.services import agreements as agreed
from gridmap.services.dispatching import callouts as service
from gridmap.services.dispatching.previewing import preview_asked, read_callout_preview
from gridmap.services.queries.response import get_callout, read_response
from web import shapes_response as shapes
from web.guards import requires, signed_in
from web.outputs import returns
from web.schemas import AreaId, Body, Empty, Key, Moment, Reason, WithReason
from web.site import as_caller, site

callouts = APIBlueprint("callouts", __name__, url_prefix="/api", tag="callouts")
Json = dict[str, Any]


class PlaceBody(Body):
    """Places of one kind: a capability, a kind of unit, or neither for anybody."""

    count: Annotated[int, Field(ge=1, le=50)] = 1
    capability: Key | None = None
    unit_kind: Key | None = None


class FenceBody(Body):
    """`value` is metres for buffer_m and minutes for minutes; grid and neighbours have none.

    `mode` is the way to travel that a broadcast's minutes are cut out by, a car where none is named.
    """

    kind: Literal["grid", "neighbours", "buffer_m", "minutes"]
    value: Annotated[float, Field(gt=0, le=20_000)] | None = None
    mode: Key | None = None


Needs = Annotated[list[PlaceBody], Field(max_length=20)]


class OpenCallout(Body):
    """Seconds: `offer_s` to answer, `deliver_s` for the phone to have it, `level_s` until the need is called unmet."""

    mode: Literal["named", "next_in_line", "broadcast"]
    need: Needs = Field(default_factory=list)
    unit_ids: Annotated[list[UUID], Field(max_length=service.MAX_NAMED)] = Field(default_factory=list)
    fence: FenceBody | None = None
    offer_s: Annotated[int, Field(ge=10, le=3_600)] = OFFER_S
    deliver_s: Annotated[int, Field(ge=5, le=600)] = DELIVER_S
    level_s: Annotated[int, Field(ge=10, le=86_400)] = LEVEL_S
    undelivered: Literal["next", "sms", "voice"] = "next"
    own_grid_first: bool = False
    flat: bool = False
    mutual_aid: bool = False
    ask_again: bool = False
    reason: Reason | None = None
    override_reason: Reason | None = None


class ChangeNeed(Body):
    need: Annotated[list[PlaceBody], Field(min_length=1, max_length=20)]
    reason: Reason


class Agree(Body):
    lender_area_id: AreaId
    borrower_area_id: AreaId
    unit_kinds: Annotated[list[Key], Field(max_length=20)] = Field(default_factory=list)
    valid_from: Moment | None = None
    valid_to: Moment | None = None
    note: Reason | None = None


@callouts.post("/incidents/<uuid:incident_id>/callouts")
@callouts.input(OpenCallout, arg_name="body")
@returns(shapes.CalloutLine, status=201)
@requires("case.dispatch")
def open_callout(incident_id: UUID, body: OpenCallout) -> tuple[shapes.CalloutLine, int]:
    """Call people out: named ones, the best and then the next, or everybody free inside a fence."""
    command = service.OpenCallout(
        incident_id=incident_id,
        mode=body.mode,
        need=_places(body.need),
        rules=_rules(body),
        unit_ids=tuple(dict.fromkeys(body.unit_ids)),
        reason=body.reason,
        override_reason=body.override_reason,
    )
    with as_caller() as tx:
        made = service.open_callout(tx, command)
        return shapes.callout(get_callout(tx, made.id)), 201


@callouts.post("/incidents/<uuid:incident_id>/callouts/preview")
@callouts.input(OpenCallout, arg_name="body")
@returns(shapes.CalloutPreview)
@requires("case.dispatch")
def preview_callout(incident_id: UUID, body: OpenCallout) -> shapes.CalloutPreview:
    """Whom this call-out would ask at once; nobody is asked and nothing is written."""
    with as_caller() as tx:
        preview = read_callout_preview(
            tx, incident_id, mode=body.mode, need=_places(body.need), rules=_rules(body)
        )
    who = preview_asked(preview, site().router)
    return {"who": [shapes.asked(one) for one in who], "wanted": preview.wanted}


@callouts.get("/incidents/<uuid:incident_id>/callouts")
@returns(shapes.CalloutLine, many=True)
@signed_in
def list_callouts(incident_id: UUID) -> Json:
    """The call-outs of one case, the first opened first."""
    with as_caller() as tx:
        return {"items": [shapes.callout(row) for row in read_response(tx, incident_id).callouts]}


@callouts.post("/callouts/<uuid:callout_id>/stop")
@callouts.input(WithReason, arg_name="body")
@returns(shapes.CalloutLine)
@requires("case.dispatch")
def stop(callout_id: UUID, body: WithReason) -> shapes.CalloutLine:
    """Ask nobody any more; who is on the way stays on the way."""
    with as_caller() as tx:
        service.stop_callout(tx, callout_id, reason=body.reason)
        return shapes.callout(get_callout(tx, callout_id))


@callouts.post("/callouts/<uuid:callout_id>/need")
@callouts.input(ChangeNeed, arg_name="body")
@returns(shapes.CalloutLine)
@requires("case.dispatch")
def change_need(callout_id: UUID, body: ChangeNeed) -> shapes.CalloutLine:
    """More or fewer people, or others."""
    with as_caller() as tx:
        service.change_need(tx, callout_id, need=_places(body.need), reason=body.reason)
        return shapes.callout(get_callout(tx, callout_id))


@callouts.get("/agreements")
@returns(shapes.AgreementLine, many=True)
@requires("case.dispatch", "agreement.edit")
def list_agreements() -> Json:
    """Mutual aid in force now or later."""
    with as_caller() as tx:
        return {"items": shapes.agreements(tx, agreed.list_agreements(tx))}


@callouts.post("/agreements")
@callouts.input(Agree, arg_name="body")
@returns(shapes.AgreementLine, status=201)
@requires("agreement.edit")
def agree(body: Agree) -> tuple[shapes.AgreementLine, int]:
    """Record that one area lends its units to another."""
    with as_caller() as tx:
        made = agreed.agree(
            tx,
            lender_area_id=body.lender_area_id,
            borrower_area_id=body.borrower_area_id,
            unit_kinds=tuple(body.unit_kinds),
            valid_from=body.valid_from,
            valid_to=body.valid_to,
            note=body.note,
        )
        return shapes.agreements(tx, [made])[0], 201


@callouts.post("/agreements/<uuid:agreement_id>/end")
@callouts.input(Empty, arg_name="body")
@returns(shapes.AgreementLine)
@requires("agreement.edit")
def end_agreement(agreement_id: UUID, body: Empty) -> shapes.AgreementLine:
    """From now on nobody is called by it."""
    with as_caller() as tx:
        return shapes.agreements(tx, [agreed.end_agreement(tx, agreement_id)])[0]


def _rules(body: OpenCallout) -> Rules:
    return Rules(
        fence=FenceRule(body.fence.kind, body.fence.value, body.fence.mode) if body.fence else None,
        offer_s=body.offer_s,
        deliver_s=body.deliver_s,
        level_s=body.level_s,
        undelivered=body.undelivered,
        own_grid_first=body.own_grid_first,
        flat=body.flat,
        mutual_aid=body.mutual_aid,
        ask_again=body.ask_again,
    )


def _places(need: list[PlaceBody]) -> tuple[Place, ...]:
    return places_from([place.model_dump() for place in need])
