"""The phone's button for help, and its answer to the question whether the officer is all right."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from apiflask import APIBlueprint
from pydantic import Field

from gridmap.services.dispatching import sos as service
from gridmap.services.dispatching import watching
from web import shapes_watch
from web.guards import requires
from web.outputs import returns
from web.schemas import Body, Lat, Lon
from web.site import as_caller

welfare = APIBlueprint("welfare", __name__, url_prefix="/api/patrol", tag="patrol")


class CallForHelp(Body):
    """Where the officer is, as far as the phone knows; without it the last position on duty counts."""

    lon: Lon | None = None
    lat: Lat | None = None
    accuracy_m: Annotated[float, Field(ge=0, le=1e6)] | None = None


class ByMistake(Body):
    note: Annotated[str, Field(max_length=500)] | None = None


class Answer(Body):
    question_id: UUID
    answer: Literal["ok", "help"]


@welfare.post("/sos")
@welfare.input(CallForHelp, arg_name="body")
@returns(shapes_watch.SosLine, status=201)
@requires("job.work")
def call_sos(body: CallForHelp) -> tuple[shapes_watch.SosLine, int]:
    """The highest alarm, with or without a job; only a named seat puts it to rest."""
    with as_caller() as tx:
        call = service.call_sos(tx, lon=body.lon, lat=body.lat, accuracy_m=body.accuracy_m)
        tx.session.flush()
        return shapes_watch.sos_call(tx, call), 201


@welfare.post("/sos/false-alarm")
@welfare.input(ByMistake, arg_name="body")
@returns(shapes_watch.SosLine)
@requires("job.work")
def say_false(body: ByMistake) -> shapes_watch.SosLine:
    """Pressed by mistake: written down; the alarm stands until a seat takes note of it."""
    with as_caller() as tx:
        return shapes_watch.sos_call(tx, service.say_false(tx, note=body.note))


@welfare.post("/answer")
@welfare.input(Answer, arg_name="body")
@returns(shapes_watch.QuestionLine)
@requires("job.work")
def answer(body: Answer) -> shapes_watch.QuestionLine:
    """All right, or not: `help` raises the alarm at once."""
    with as_caller() as tx:
        return shapes_watch.question(watching.answer(tx, body.question_id, body.answer))
