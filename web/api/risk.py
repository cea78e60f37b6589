"""Risk: runs that are kept, their heat pictures and lists, what came, and runs to be made."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from apiflask import APIBlueprint
from flask import Response, make_response
from pydantic import Field
from typing_extensions import TypedDict

from gridmap.domain.risk_rules import risk_rules
from gridmap.services.auditing import audit
from gridmap.services.risk import inspections, jobs, mutes, parts, reading, rung
from gridmap.services.risk.early_warning import answering
from gridmap.services.risk.early_warning.answering import RuleLine
from gridmap.services.risk.inspections import InspectionLine
from gridmap.services.risk.jobs import ask_area
from gridmap.services.risk.mutes import MuteLine
from gridmap.services.risk.reading import AreaLine, JobLine, RunLine, SurfaceLine
from gridmap.services.risk.release import LEVELS_OUT
from gridmap.services.risk.rung import RungLine
from gridmap.services.risk.store import Author
from layers.risk.products import write
from web.guards import actor, requires
from web.outputs import returns
from web.schemas import AreaId, Body, Empty, Key, Query, ShortText, WithReason
from web.site import as_caller, site

risk = APIBlueprint("risk", __name__, url_prefix="/api/risk", tag="risk")

_FAILED_SHOWN = timedelta(days=2)
_RUNG_SHOWN = timedelta(days=30)


class RunQuery(Query):
    area: AreaId | None = None
    horizon: Key | None = None


class ListQuery(Query):
    level: Key


class AskBody(Body):
    """`origin_on` in the past makes the run that could have been made that day."""

    area_id: AreaId
    horizons: list[Key] = Field(min_length=1, max_length=5)
    origin_on: date | None = None
    purpose: ShortText


class Words(TypedDict):
    """The groups, horizons, colours and levels of the site, in both languages."""

    groups: list[dict[str, Any]]
    horizons: list[dict[str, Any]]
    colours: list[dict[str, Any]]
    levels: list[str]
    ramp: list[str]
    patrols_outside: float
    export_days: int
    export_levels: list[str]


class Asked(TypedDict):
    """How many runs now wait to be made."""

    waiting: int


class Features(TypedDict):
    """GeoJSON."""

    type: str
    features: list[dict[str, Any]]


@risk.get("/words")
@returns(Words)
@requires("risk.read")
def show_words() -> Words:
    """What the site forecasts, how far ahead, and what the colours mean."""
    rules = risk_rules()
    return {
        "groups": [
            {"key": one.key, "name": {"zh": one.zh, "en": one.en}, "classes": list(one.classes)}
            for one in rules.groups
        ],
        "horizons": [
            {"key": one.key, "name": {"zh": one.zh, "en": one.en}, "days": one.days} for one in rules.horizons
        ],
        "colours": [
            {
                "key": one.key, "name": {"zh": one.zh, "en": one.en}, "color": one.color, "ratio": one.ratio,
                "expected": one.expected,
            }
            for one in rules.colours
        ],
        "levels": list(rules.levels),
        "ramp": list(rules.ramp),
        "patrols_outside": rules.patrols.outside,
        "export_days": rules.export_days,
        "export_levels": list(LEVELS_OUT),
    }  # fmt: skip


@risk.get("/runs")
@risk.input(RunQuery, location="query", arg_name="query")
@returns(RunLine, many=True)
@requires("risk.read")
def show_runs(query: RunQuery) -> dict[str, Any]:
    """Runs in my sight, the newest origin first; then those of which only the part in my grants is told."""
    with as_caller() as tx:
        whole = reading.list_runs(tx, area_id=query.area, horizon=query.horizon)
        return {"items": [*whole, *parts.list_runs(tx, area_id=query.area, horizon=query.horizon)]}


@risk.get("/runs/<uuid:run_id>/<group>")
@returns(SurfaceLine)
@requires("risk.read")
def show_surface(run_id: UUID, group: str) -> dict[str, Any]:
    """What a run says of a class group: totals, model and scores, hours, weeks, hot spots, warnings, what came."""
    with as_caller() as tx:
        read = parts.get_surface if parts.find_run(tx, run_id) else reading.get_surface
        return asdict(read(tx, run_id, group))


@risk.get("/runs/<uuid:run_id>/<group>/areas")
@risk.input(ListQuery, location="query", arg_name="query")
@returns(AreaLine, many=True)
@requires("risk.read")
def show_list(run_id: UUID, group: str, query: ListQuery) -> dict[str, Any]:
    """The risk list of one level, highest expected count first."""
    with as_caller() as tx:
        run = parts.get_told_run(tx, run_id)
        return {"items": reading.list_areas(tx, run_id, group, query.level, is_part=run.is_part)}


@risk.get("/runs/<uuid:run_id>/<group>/outlines")
@risk.input(ListQuery, location="query", arg_name="query")
@returns(Features)
@requires("risk.read")
def show_outlines(run_id: UUID, group: str, query: ListQuery) -> dict[str, Any]:
    """The areas of the list as GeoJSON, each with its colour."""
    with as_caller() as tx:
        run = parts.get_told_run(tx, run_id)
        return reading.outlines(tx, run_id, group, query.level, is_part=run.is_part)


@risk.get("/surface/<uuid:run_id>/<group>/<which>.png")
@risk.doc(responses={200: "A PNG; its bounds stand with the run"})
@requires("risk.read")
def show_picture(run_id: UUID, group: str, which: str) -> Response:
    """The heat picture: `forecast`, `weighted` by severity, or `came`."""
    with as_caller() as tx:
        png = reading.read_png(tx, run_id, group, which)
    response = make_response(png)
    response.mimetype = "image/png"
    # What a run says never changes; what came is counted once.
    response.headers["Cache-Control"] = "private, max-age=86400"
    return response


@risk.get("/jobs")
@returns(JobLine, many=True)
@requires("risk.read")
def show_jobs() -> dict[str, Any]:
    """Runs that wait or are being made, and what failed of late."""
    with as_caller() as tx:
        return {"items": reading.list_jobs(tx, tx.now - _FAILED_SHOWN)}


@risk.post("/jobs")
@risk.input(AskBody, arg_name="body")
@returns(Asked)
@requires("risk.run")
def ask(body: AskBody) -> Asked:
    """Ask for runs of an area; the worker makes them, county by county."""
    rules = risk_rules()
    who = actor()
    with as_caller() as tx:
        chosen = [rules.horizon(key) for key in body.horizons]
        author = Author(who.account_id, who.display_name, body.purpose)
        asked = jobs.ask(tx, ask_area(tx, body.area_id), chosen, author, origin_on=body.origin_on)
        audit(tx, "risk.run", "area", str(body.area_id), horizons=body.horizons, purpose=body.purpose)
    return {"waiting": len(asked)}


class ExportQuery(Query):
    """Both stand in the file."""

    purpose: ShortText
    days: int = Field(ge=1, le=366)
    lang: Literal["zh", "en"] | None = None


@risk.get("/export/<uuid:run_id>/<group>.<ending>")
@risk.input(ExportQuery, location="query", arg_name="query")
@risk.doc(responses={200: "An HTML map, GeoTIFF, GeoJSON, PNG, XLSX or PDF file"})
@requires("risk.export")
def export(run_id: UUID, group: str, ending: str, query: ExportQuery) -> Response:
    """A run as a file for outside: small numbers kept back, no points, author, purpose and expiry named."""
    with as_caller() as tx:
        content, mime = write(
            tx, run_id, group, ending, query.lang or site().settings.locale,
            purpose=query.purpose, days=query.days, author=actor().display_name,
        )  # fmt: skip
        stamp = tx.now.astimezone(tx.zone).strftime("%Y%m%d")
    response = make_response(content)
    response.mimetype = mime
    response.headers["Content-Disposition"] = f'attachment; filename="risk-{group}-{stamp}.{ending}"'
    response.headers["Cache-Control"] = "no-store"
    return response


class InspectionQuery(Query):
    all: bool = False


class InspectionBody(Body):
    """A line of a run's list, and what to look at there."""

    run_id: UUID
    group: Key
    area_id: AreaId
    note: ShortText


class ResultBody(Body):
    result: ShortText


class Made(TypedDict):
    """The id of what was made."""

    id: UUID


@risk.get("/inspections")
@risk.input(InspectionQuery, location="query", arg_name="query")
@returns(InspectionLine, many=True)
@requires("risk.read")
def show_inspections(query: InspectionQuery) -> dict[str, Any]:
    """Inspections in my sight that are open; with `all` the finished too."""
    with as_caller() as tx:
        return {"items": inspections.list_inspections(tx, open_only=not query.all)}


@risk.post("/inspections")
@risk.input(InspectionBody, arg_name="body")
@returns(Made)
@requires("risk.run", "case.handle")
def ask_inspection(body: InspectionBody) -> Made:
    """Ask for an inspection of an area of the list."""
    with as_caller() as tx:
        return {"id": inspections.ask_from_run(tx, body.run_id, body.group, body.area_id, body.note)}


@risk.post("/inspections/<uuid:task_id>/finish")
@risk.input(ResultBody, arg_name="body")
@returns(InspectionLine)
@requires("case.handle")
def finish_inspection(task_id: UUID, body: ResultBody) -> dict[str, Any]:
    """Say what was found there."""
    with as_caller() as tx:
        return asdict(inspections.finish(tx, task_id, body.result))


@risk.post("/inspections/<uuid:task_id>/cancel")
@risk.input(WithReason, arg_name="body")
@returns(InspectionLine)
@requires("risk.run", "case.handle")
def cancel_inspection(task_id: UUID, body: WithReason) -> dict[str, Any]:
    """Take an inspection back, and say why: by who asked, or who handles cases there."""
    with as_caller() as tx:
        return asdict(inspections.cancel(tx, task_id, body.reason))


class MuteBody(Body):
    """Silence in an area and all below it."""

    area_id: AreaId
    hours: float = Field(gt=0, le=24 * 30)
    reason: ShortText


class Muted(TypedDict):
    """Until when a rule is silent."""

    until: datetime


class NoteBody(Body):
    note: ShortText


@risk.get("/warnings")
@returns(RuleLine, many=True)
@requires("risk.read")
def show_rules() -> dict[str, Any]:
    """The rules of early warning in the counties in my sight, each with how often it would have rung in vain."""
    with as_caller() as tx:
        return {"items": answering.list_rules(tx, risk_rules())}


@risk.post("/warnings/<rule>/mute")
@risk.input(MuteBody, arg_name="body")
@returns(Muted)
@requires("alarm.acknowledge")
def mute_rule(rule: str, body: MuteBody) -> Muted:
    """Keep a rule silent for a while, by name and with a reason."""
    with as_caller() as tx:
        until = answering.mute(tx, risk_rules(), rule, body.area_id, hours=body.hours, reason=body.reason)
        return {"until": until}


@risk.get("/mutes")
@returns(MuteLine, many=True)
@requires("risk.read")
def show_mutes() -> dict[str, Any]:
    """Rules that are silent in my sight, until when, by whom and why."""
    with as_caller() as tx:
        return {"items": mutes.list_mutes(tx)}


@risk.post("/mutes/<uuid:mute_id>/end")
@risk.input(Empty, arg_name="body")
@returns(MuteLine, many=True)
@requires("alarm.acknowledge")
def unmute(mute_id: UUID, body: Empty) -> dict[str, Any]:
    """Let a rule be heard again from now on; answers what is still silent."""
    with as_caller() as tx:
        mutes.end_mute(tx, mute_id)
        return {"items": mutes.list_mutes(tx)}


@risk.get("/warnings/alarms")
@returns(RungLine, many=True)
@requires("risk.read")
def show_rung() -> dict[str, Any]:
    """Warnings that stand in my sight, and those of the last 30 days, each with its rule's record."""
    with as_caller() as tx:
        return {"items": rung.list_rung(tx, tx.now - _RUNG_SHOWN)}


@risk.post("/warnings/alarms/<uuid:alarm_id>/task")
@risk.input(NoteBody, arg_name="body")
@returns(Made)
@requires("alarm.acknowledge")
def make_task(alarm_id: UUID, body: NoteBody) -> Made:
    """Turn a warning into an inspection; the alarm is taken note of with it."""
    with as_caller() as tx:
        return {"id": answering.to_task(tx, alarm_id, body.note)}
