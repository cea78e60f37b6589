"""Alarms: one list, each acknowledged by a named seat."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from apiflask import APIBlueprint

from gridmap.services.alarms import acknowledge, list_alarms
from web import shapes
from web.guards import requires
from web.outputs import returns
from web.schemas import Empty, Query
from web.site import as_caller

alarms = APIBlueprint("alarms", __name__, url_prefix="/api/alarms", tag="alarms")


class AlarmQuery(Query):
    all: bool = False


@alarms.get("")
@alarms.input(AlarmQuery, location="query", arg_name="query")
@returns(shapes.AlarmLine, many=True)
@requires("alarm.acknowledge", "case.read")
def show_alarms(query: AlarmQuery) -> dict[str, Any]:
    """Alarms that stand, the most severe and newest first; with `all` the acknowledged too."""
    with as_caller() as tx:
        return {"items": [shapes.alarm(row) for row in list_alarms(tx, raised_only=not query.all)]}


@alarms.post("/<uuid:alarm_id>/acknowledge")
@alarms.input(Empty, arg_name="body")
@returns(shapes.AlarmLine)
@requires("alarm.acknowledge")
def take_note(alarm_id: UUID, body: Empty) -> shapes.AlarmLine:
    """Take note of an alarm, by name."""
    with as_caller() as tx:
        return shapes.alarm(acknowledge(tx, alarm_id))
