"""Rosters: who is meant to be on duty when, leave, vehicle and partner, and swaps."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from apiflask import APIBlueprint
from pydantic import Field
from typing_extensions import TypedDict

from gridmap.db.tables import RosterEntry, RosterSwap
from gridmap.services import roster_swaps as swapping
from gridmap.services import rosters as service
from gridmap.services.transaction import Tx
from web import shapes_watch
from web.guards import requires
from web.outputs import IsCut, returns
from web.schemas import Body, Empty, Moment, Query, Reason, ShortText, WithReason
from web.site import as_caller

rosters = APIBlueprint("rosters", __name__, url_prefix="/api/rosters", tag="rosters")


class RosterQuery(Query):
    """Without times: from yesterday for nine days."""

    since: Moment | None = Field(None, alias="from")
    until: Moment | None = Field(None, alias="to")
    unit: UUID | None = None


class NewSpan(Body):
    unit_id: UUID
    starts_at: Moment
    ends_at: Moment
    kind: Literal["duty", "leave"] = "duty"
    person_id: UUID | None = None
    vehicle: ShortText | None = None
    partner_person_id: UUID | None = None
    reason: Reason | None = None


class Crew(Body):
    vehicle: Annotated[str, Field(max_length=200)] | None = None
    partner_person_id: UUID | None = None


class AskSwap(Body):
    to_unit_id: UUID
    back_entry_id: UUID | None = None
    reason: Reason | None = None


class SwapAnswer(Body):
    accept: bool


class SwapDecision(Body):
    confirm: bool


class Uncovered(TypedDict):
    """The span, and those that a leave took out and that now need somebody."""

    entry: shapes_watch.RosterLine
    uncovered: list[shapes_watch.RosterLine]


@rosters.get("")
@rosters.input(RosterQuery, location="query", arg_name="query")
@returns(shapes_watch.RosterLine, many=True, more=IsCut)
@requires("roster.edit", "unit.read", "job.work")
def list_rosters(query: RosterQuery) -> dict[str, Any]:
    """Spans that touch the time asked for; a phone sees its own unit's and its colleagues'."""
    with as_caller() as tx:
        since = query.since or tx.now - timedelta(days=1)
        until = query.until or since + timedelta(days=9)
        found = service.list_entries(tx, since=since, until=until, unit_id=query.unit)
        lines = [shapes_watch.roster(row) for row in found]
        return {"items": lines, "is_cut": len(lines) >= service.MAX_ROWS}


@rosters.post("")
@rosters.input(NewSpan, arg_name="body")
@returns(Uncovered, status=201)
@requires("roster.edit")
def plan_span(body: NewSpan) -> tuple[Uncovered, int]:
    """Plan duty or leave; leave names the duty that it takes out."""
    command = service.NewEntry(
        unit_id=body.unit_id,
        starts_at=body.starts_at,
        ends_at=body.ends_at,
        kind=body.kind,
        person_id=body.person_id,
        vehicle=body.vehicle,
        partner_person_id=body.partner_person_id,
        reason=body.reason,
    )
    with as_caller() as tx:
        made = service.plan(tx, command)
        rows = service.with_names(tx, [made.entry, *made.uncovered])
        lines = [shapes_watch.roster(row) for row in rows]
        return {"entry": lines[0], "uncovered": lines[1:]}, 201


@rosters.post("/<uuid:entry_id>/cancel")
@rosters.input(WithReason, arg_name="body")
@returns(shapes_watch.RosterLine)
@requires("roster.edit")
def cancel_span(entry_id: UUID, body: WithReason) -> shapes_watch.RosterLine:
    """Take a span out; it stays in the books."""
    with as_caller() as tx:
        return _line(tx, service.cancel(tx, entry_id, reason=body.reason))


@rosters.post("/<uuid:entry_id>/crew")
@rosters.input(Crew, arg_name="body")
@returns(shapes_watch.RosterLine)
@requires("roster.edit")
def set_crew(entry_id: UUID, body: Crew) -> shapes_watch.RosterLine:
    """Another vehicle or partner."""
    with as_caller() as tx:
        changed = service.set_crew(
            tx, entry_id, vehicle=body.vehicle, partner_person_id=body.partner_person_id
        )
        return _line(tx, changed)


@rosters.get("/colleagues")
@returns(service.Colleague, many=True)
@requires("job.work")
def list_colleagues() -> dict[str, Any]:
    """Units that mine may swap with, my own among them."""
    with as_caller() as tx:
        return {"items": service.list_colleagues(tx)}


@rosters.get("/people")
@returns(service.CrewPerson, many=True)
@requires("roster.edit")
def list_people() -> dict[str, Any]:
    """Who may be planned as a partner."""
    with as_caller() as tx:
        return {"items": service.list_people(tx)}


@rosters.get("/swaps")
@returns(shapes_watch.SwapLine, many=True)
@requires("roster.edit", "job.work")
def list_swaps() -> dict[str, Any]:
    """Swaps that I have to do with, those that wait for somebody first."""
    with as_caller() as tx:
        return {"items": shapes_watch.swaps(tx, swapping.list_swaps(tx))}


@rosters.post("/<uuid:entry_id>/swap")
@rosters.input(AskSwap, arg_name="body")
@returns(shapes_watch.SwapLine, status=201)
@requires("job.work")
def ask_swap(entry_id: UUID, body: AskSwap) -> tuple[shapes_watch.SwapLine, int]:
    """Ask a colleague to take a span of mine."""
    with as_caller() as tx:
        asked = swapping.ask(
            tx, entry_id, to_unit_id=body.to_unit_id, back_entry_id=body.back_entry_id, reason=body.reason
        )
        return _swap(tx, asked), 201


@rosters.post("/swaps/<uuid:swap_id>/answer")
@rosters.input(SwapAnswer, arg_name="body")
@returns(shapes_watch.SwapLine)
@requires("job.work")
def answer_swap(swap_id: UUID, body: SwapAnswer) -> shapes_watch.SwapLine:
    """Yes or no to a swap that I was asked for."""
    with as_caller() as tx:
        return _swap(tx, swapping.answer(tx, swap_id, accept=body.accept))


@rosters.post("/swaps/<uuid:swap_id>/withdraw")
@rosters.input(Empty, arg_name="body")
@returns(shapes_watch.SwapLine)
@requires("job.work")
def withdraw_swap(swap_id: UUID, body: Empty) -> shapes_watch.SwapLine:
    """Take back what I asked for."""
    with as_caller() as tx:
        return _swap(tx, swapping.withdraw(tx, swap_id))


@rosters.post("/swaps/<uuid:swap_id>/decide")
@rosters.input(SwapDecision, arg_name="body")
@returns(shapes_watch.SwapLine)
@requires("roster.edit")
def decide_swap(swap_id: UUID, body: SwapDecision) -> shapes_watch.SwapLine:
    """Confirm or refuse an accepted swap."""
    with as_caller() as tx:
        return _swap(tx, swapping.decide(tx, swap_id, confirm=body.confirm))


def _line(tx: Tx, entry: RosterEntry) -> shapes_watch.RosterLine:
    return shapes_watch.roster(service.with_names(tx, [entry])[0])


def _swap(tx: Tx, swap: RosterSwap) -> shapes_watch.SwapLine:
    tx.session.flush()
    return shapes_watch.swaps(tx, [swap])[0]
