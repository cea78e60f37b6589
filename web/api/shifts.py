"""Handing a seat over: what is open, who signs for it, and the history."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from apiflask import APIBlueprint
from pydantic import Field
from typing_extensions import TypedDict

from gridmap.services import shifts as service
from web.guards import requires
from web.outputs import returns
from web.schemas import Body, Empty
from web.site import as_caller

shifts = APIBlueprint("shifts", __name__, url_prefix="/api/shifts", tag="shifts")


class StartHandover(Body):
    note: Annotated[str, Field(max_length=service.MAX_NOTE)] | None = None


class HandoverLine(TypedDict):
    """A handover with everything it lists; once signed, with the owner of each from then on.

    `total` and `counts` (by kind) are of all it covers. In the list of handovers only those that wait carry `items`.
    """

    id: UUID
    status: str
    from_account_id: UUID
    from_name: str
    note: str | None
    started_at: datetime
    signed_at: datetime | None
    signed_by: UUID | None
    signed_name: str | None
    total: int
    counts: dict[str, int]
    items: list[service.OpenItem]


@shifts.get("/open")
@returns(service.OpenItem, many=True)
@requires("case.handle")
def list_open() -> dict[str, Any]:
    """Everything open that is mine or nobody's."""
    with as_caller() as tx:
        return {"items": service.list_open(tx)}


@shifts.get("/handovers")
@returns(HandoverLine, many=True)
@requires("case.handle")
def list_handovers() -> dict[str, Any]:
    """What waits to be signed, then the newest."""
    with as_caller() as tx:
        return {"items": [_line(row, brief=row.row.status != "open") for row in service.list_handovers(tx)]}


@shifts.post("/handover/start")
@shifts.input(StartHandover, arg_name="body")
@returns(HandoverLine, status=201)
@requires("case.handle")
def start_handover(body: StartHandover) -> tuple[HandoverLine, int]:
    """List what is open and wait for the next seat."""
    with as_caller() as tx:
        return _line(service.start(tx, note=body.note)), 201


@shifts.get("/handover/<uuid:handover_id>")
@returns(HandoverLine)
@requires("case.handle")
def show_handover(handover_id: UUID) -> HandoverLine:
    """One handover."""
    with as_caller() as tx:
        return _line(service.get_handover(tx, handover_id))


@shifts.post("/handover/<uuid:handover_id>/sign")
@shifts.input(Empty, arg_name="body")
@returns(HandoverLine)
@requires("case.handle")
def sign_handover(handover_id: UUID, body: Empty) -> HandoverLine:
    """Take everything over; another person than the one who hands over."""
    with as_caller() as tx:
        return _line(service.sign(tx, handover_id))


@shifts.post("/handover/<uuid:handover_id>/withdraw")
@shifts.input(Empty, arg_name="body")
@returns(HandoverLine)
@requires("case.handle")
def withdraw_handover(handover_id: UUID, body: Empty) -> HandoverLine:
    """Stay after all."""
    with as_caller() as tx:
        return _line(service.withdraw(tx, handover_id))


def _line(found: service.Handover, *, brief: bool = False) -> HandoverLine:
    row = found.row
    return {
        "id": row.id,
        "status": row.status,
        "from_account_id": row.from_account_id,
        "from_name": found.from_name,
        "note": row.note,
        "started_at": row.started_at,
        "signed_at": row.signed_at,
        "signed_by": row.signed_by,
        "signed_name": found.signed_name,
        "total": len(row.items),
        "counts": dict(Counter(item["kind"] for item in row.items)),
        "items": [] if brief else [service.OpenItem(**item) for item in row.items],
    }
