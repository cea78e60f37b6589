"""Fences: drawn, tried out, changed, ended; and what units did about one."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from apiflask import APIBlueprint
from pydantic import Field
from shapely.geometry import mapping
from typing_extensions import TypedDict

from gridmap.domain.metric import area_m2
from gridmap.domain.travel import LonLat, Mode
from gridmap.errors import Invalid
from gridmap.services import closures as closing
from gridmap.services import fences as services
from gridmap.services.fence_making import shape_of
from gridmap.services.reports import checked_lonlat
from web.encoding import fields_of
from web.guards import requires
from web.outputs import IsCut, returns
from web.schemas import (
    Abscissa,
    AreaId,
    Body,
    Key,
    Keys,
    Moment,
    OptionalText,
    Ordinate,
    Query,
    Reason,
    ShortText,
)
from web.site import as_caller, local_metric, site

fences = APIBlueprint("fences", __name__, url_prefix="/api/fences", tag="fences")

Kind = Literal["polygon", "grid", "buffer", "isochrone", "corridor"]
Clock = Annotated[str, Field(pattern=r"^([01]?\d|2[0-4]):[0-5]\d$")]
Day = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]
Seconds = Annotated[float, Field(ge=0, le=7 * 24 * 3600)]
_MAY_BE_EMPTY = frozenset({"dwell_s", "calendar", "expires_at"})
Metres = Annotated[float, Field(ge=0, le=50_000)]


class Schedule(Body):
    """When a fence is active, in the site's time zone; an empty part does not limit it. 0 is Monday."""

    weekdays: list[Annotated[int, Field(ge=0, le=6)]] = Field(default_factory=list, max_length=7)
    hours: list[tuple[Clock, Clock]] = Field(default_factory=list, max_length=12)
    first_day: Day | None = Field(None, alias="from")
    last_day: Day | None = Field(None, alias="to")
    days: Literal["any", "workdays", "days_off"] = "any"


class Source(Body):
    """What a fence is made from: which fields count goes with its kind."""

    geometry: dict[str, Any] | None = None
    crs: Key | None = None
    radius_m: Metres | None = None
    half_width_m: Metres | None = None
    area_ids: Annotated[list[AreaId], Field(max_length=500)] | None = None
    neighbours: bool | None = None
    lon: Abscissa | None = None
    lat: Ordinate | None = None
    mode: Mode | None = None
    minutes: Annotated[float, Field(gt=0, le=120)] | None = None


class Trial(Body):
    kind: Kind
    source: Source


class NewFence(Trial):
    name: ShortText
    dwell_s: Seconds | None = None
    exit_s: Seconds = services.EXIT_S
    buffer_m: Metres = 0.0
    calendar: Schedule | None = None
    unit_kinds: list[Key] = Field(default_factory=list, max_length=50)
    expires_at: Moment | None = None
    drill: bool = False


class FenceChange(Body):
    """What is given is changed; `version` is the one that was seen."""

    version: Annotated[int, Field(ge=1)]
    name: ShortText | None = None
    kind: Kind | None = None
    source: Source | None = None
    dwell_s: Seconds | None = None
    exit_s: Seconds | None = None
    buffer_m: Metres | None = None
    calendar: Schedule | None = None
    unit_kinds: Annotated[list[Key], Field(max_length=50)] | None = None
    expires_at: Moment | None = None


class Ending(Body):
    reason: OptionalText | None = None


class ListQuery(Query):
    purpose: Keys = ()
    over: bool = False


class EventQuery(Query):
    reason: Reason
    since: Moment | None = Field(None, alias="from")
    until: Moment | None = Field(None, alias="to")
    corrected: bool = False


class Preview(TypedDict):
    """The shape that a fence would have (GeoJSON, WGS84) and its size."""

    geometry: dict[str, Any]
    area_m2: float


@fences.get("")
@fences.input(ListQuery, location="query", arg_name="query")
@returns(services.FenceLine, many=True, more=IsCut)
@requires("fence.read")
def list_fences(query: ListQuery) -> dict[str, Any]:
    """Fences in my sight by name, without their shapes; with `over` also those that ended."""
    with as_caller() as tx:
        found = services.list_fences(tx, purposes=query.purpose, include_over=query.over)
    return {"items": found, "is_cut": len(found) >= services.MAX_STANDING}


@fences.post("")
@fences.input(NewFence, arg_name="body")
@returns(services.FenceLine, status=201)
@requires("fence.edit")
def create_fence(body: NewFence) -> tuple[dict[str, Any], int]:
    """Draw a fence: an area, grids, a buffer, an isochrone or a corridor. It counts within two seconds."""
    command = services.NewFence(**{**_given(body), "source": _source(body.kind, body.source)})
    with as_caller() as tx:
        made = services.create_fence(tx, command, local_metric())
        return fields_of(services.get_fence(tx, made.id)), 201


@fences.post("/preview")
@fences.input(Trial, arg_name="body")
@returns(Preview)
@requires("fence.edit")
def try_out(body: Trial) -> Preview:
    """The shape that a fence would have, nothing is kept. An isochrone needs lon, lat, crs, mode and minutes."""
    source = _source(body.kind, body.source)
    with as_caller() as tx:
        made = shape_of(tx, body.kind, source, local_metric())
    return {"geometry": mapping(made), "area_m2": round(area_m2(made), 1)}


@fences.get("/<uuid:fence_id>")
@returns(services.FenceLine)
@requires("fence.read")
def show_fence(fence_id: UUID) -> dict[str, Any]:
    """One fence with its shape."""
    with as_caller() as tx:
        return fields_of(services.get_fence(tx, fence_id))


@fences.patch("/<uuid:fence_id>")
@fences.input(FenceChange, arg_name="body")
@returns(services.FenceLine)
@requires("fence.edit")
def change_fence(fence_id: UUID, body: FenceChange) -> dict[str, Any]:
    """Change what is given. A new shape, time or schedule makes a new version that counts from now on."""
    wanted = body.model_fields_set - {"version"}
    changes = {name: value for name, value in _given(body).items() if name in wanted}
    if empty := [name for name in sorted(changes) if changes[name] is None and name not in _MAY_BE_EMPTY]:
        raise Invalid("invalid_fields", fields=dict.fromkeys(empty, "none_required"))
    if body.kind is not None and body.source is not None:
        changes["source"] = _source(body.kind, body.source)
    elif {"kind", "source"} & wanted:
        raise Invalid("fence_source", field="kind" if body.kind is None else "source")
    with as_caller() as tx:
        services.change_fence(tx, fence_id, changes, body.version, local_metric())
        return fields_of(services.get_fence(tx, fence_id))


@fences.post("/<uuid:fence_id>/archive")
@fences.input(Ending, arg_name="body")
@requires("fence.edit")
def archive_fence(fence_id: UUID, body: Ending) -> tuple[str, int]:
    """Take a fence out of use."""
    with as_caller() as tx:
        services.archive_fence(tx, fence_id, body.reason)
    return "", 204


@fences.get("/<uuid:fence_id>/events")
@fences.input(EventQuery, location="query", arg_name="query")
@returns(services.EventLine, many=True, more=IsCut)
@requires("fence.read")
def list_events(fence_id: UUID, query: EventQuery) -> dict[str, Any]:
    """What units did about it, newest first. `reason` says why you look, and is recorded."""
    with as_caller() as tx:
        found = services.list_events(
            tx,
            fence_id,
            reason=query.reason,
            since=query.since,
            until=query.until,
            corrected=query.corrected,
        )
    return {"items": found, "is_cut": len(found) >= services.MAX_EVENTS}


def _given(body: Body) -> dict[str, Any]:
    """The fields by the names that the service knows."""
    told = {name: getattr(body, name) for name in type(body).model_fields}
    schedule = told.get("calendar")
    if isinstance(schedule, Schedule):
        told["calendar"] = schedule.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return told


def _source(kind: Kind, source: Source) -> dict[str, Any]:
    told = source.model_dump(mode="json", exclude_none=True)
    return _reached(source, told) if kind == "isochrone" and source.geometry is None else told


def _reached(source: Source, told: dict[str, Any]) -> dict[str, Any]:
    """What is reached in some minutes as a drawn area: from then on it stays as it is, whatever is closed later."""
    for name in ("lon", "lat", "crs", "mode", "minutes"):
        if name not in told:
            raise Invalid("fence_source", field=name)
    mode, minutes = source.mode or Mode.FOOT, source.minutes or 1.0
    place = checked_lonlat(told["lon"], told["lat"], told["crs"])
    with as_caller() as tx:
        barred = closing.active(tx).by_mode[mode]
    (shape,) = site().router.isochrone(LonLat(*place), mode, [minutes], barred)
    return {**told, "geometry": mapping(shape), "crs": "WGS84", "lon": place[0], "lat": place[1]}
