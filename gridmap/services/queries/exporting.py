"""The rows of a file that leaves the house, in one language; restricted cases never leave in a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import text

from gridmap.domain.vocab import vocabulary
from gridmap.errors import Invalid
from gridmap.services.case_queries import WORDS_SPAN, CaseFilter, CaseRow, find_words_since, iterate_cases
from gridmap.services.queries.places import UnitRow, list_units
from gridmap.services.transaction import Tx

Language = Literal["zh", "en"]
Value = str | int | float | None
_FETCHED = 1_000


@dataclass(frozen=True)
class Sheet:
    """A table to be written: its headings, and its rows in order."""

    name: str
    headings: tuple[str, ...]
    rows: Iterator[tuple[Value, ...]]


@dataclass(frozen=True)
class _Column:
    zh: str
    en: str
    value: Callable[[Any], Value]


def incident_sheet(tx: Tx, wanted: CaseFilter, language: Language) -> Sheet:
    """Incidents of the actor's sight, the newest first. Raises Invalid("words_span_too_long")."""
    tx.actor.require("case.export")
    if find_words_since(tx, wanted) is not None:
        # A file that ends early looks whole.
        raise Invalid("words_span_too_long", most_days=WORDS_SPAN.days)
    return _sheet("incidents", _incident_columns(tx, language), iterate_cases(tx.session, wanted), language)


def unit_sheet(tx: Tx, statuses: tuple[str, ...], language: Language) -> Sheet:
    """Units of the actor's sight by call sign. Where they are stays out of files."""
    tx.actor.require("unit.read")
    every = tuple(vocabulary().keys("unit_status"))
    columns = (
        _Column("呼号", "Call sign", lambda row: row.call_sign),
        _Column("类别", "Kind", lambda row: _term("unit_kind", row.kind, language)),
        _Column("方式", "Mode", lambda row: _term("mode", row.mode, language)),
        _Column("状态", "Status", lambda row: _term("unit_status", row.status, language)),
        _Column("能力", "Capabilities", lambda row: _terms(row, language)),
    )
    return _sheet("units", columns, list_units(tx, statuses=statuses or every), language)


def camera_sheet(
    tx: Tx, bbox: tuple[float, float, float, float] | None, statuses: tuple[str, ...], language: Language
) -> Sheet:
    """Cameras of the actor's sight by name."""
    tx.actor.require("camera.read")
    columns = (
        _Column("名称", "Name", lambda row: row.name),
        _Column("编码", "Code", lambda row: row.code),
        _Column("类型", "Kind", lambda row: row.kind),
        _Column("状态", "Status", lambda row: _term("camera_status", row.status, language)),
        _Column("经度", "Longitude", lambda row: row.lon),
        _Column("纬度", "Latitude", lambda row: row.lat),
        _Column("网格", "Area", lambda row: row.area_name),
        _Column("朝向（度）", "Heading (deg)", lambda row: row.heading_deg),
        _Column("视角（度）", "Field of view (deg)", lambda row: row.fov_deg),
        _Column("距离（米）", "Range (m)", lambda row: row.range_m),
        _Column("高度（米）", "Height (m)", lambda row: row.height_m),
    )
    west, south, east, north = bbox or (-180.0, -90.0, 180.0, 90.0)
    rows = tx.session.execute(
        _CAMERAS,
        {
            "at": tx.now,
            "statuses": list(statuses) or None,
            "west": west,
            "south": south,
            "east": east,
            "north": north,
        },
    )
    return _sheet("cameras", columns, rows, language)


_CAMERAS = text(
    """
    select c.name, c.code, c.kind, c.status, round(st_x(c.geom)::numeric, 7)::float8 as lon,
           round(st_y(c.geom)::numeric, 7)::float8 as lat, v.name as area_name,
           c.heading_deg, c.fov_deg, c.range_m, c.height_m
    from camera c
    left join area_version v on v.area_id = c.area_id and v.valid @> cast(:at as timestamptz)
    where c.withdrawn_at is null and (cast(:statuses as text[]) is null or c.status = any(:statuses))
      and c.geom && st_makeenvelope(:west, :south, :east, :north, 4326)
    order by c.name, c.id
    """
).execution_options(yield_per=_FETCHED)


def _incident_columns(tx: Tx, language: Language) -> tuple[_Column, ...]:
    def local(at: datetime | None) -> str | None:
        return None if at is None else at.astimezone(tx.zone).strftime("%Y-%m-%d %H:%M:%S")

    def event_class(row: CaseRow) -> str:
        found = vocabulary().classes.get(row.incident.class_key)
        return row.incident.class_key if found is None else getattr(found, language)

    statuses = vocabulary().lifecycles["incident"].statuses
    yes, no = ("是", "否") if language == "zh" else ("yes", "no")
    return (
        _Column("编号", "Number", lambda row: row.incident.number),
        _Column("类别", "Class", event_class),
        _Column("类别码", "Class key", lambda row: row.incident.class_key),
        _Column("等级", "Severity", lambda row: _term("severity", str(row.incident.severity), language)),
        _Column("状态", "Status", lambda row: getattr(statuses[row.incident.status], language)),
        _Column("结果", "Outcome", lambda row: _term("outcome", row.incident.outcome, language)),
        _Column("标题", "Title", lambda row: row.incident.title),
        _Column("地址", "Address", lambda row: row.incident.address),
        _Column("网格", "Area", lambda row: row.area_name),
        _Column("经度", "Longitude", lambda row: row.lon),
        _Column("纬度", "Latitude", lambda row: row.lat),
        _Column("渠道", "Channel", lambda row: _term("channel", row.incident.channel, language)),
        _Column("发生时间", "Occurred", lambda row: local(row.incident.occurred_from)),
        _Column("报告时间", "Reported", lambda row: local(row.incident.reported_at)),
        _Column("结案时间", "Closed", lambda row: local(row.incident.closed_at)),
        _Column("受理人", "Handler", lambda row: row.handler_name),
        _Column("演练", "Drill", lambda row: yes if row.incident.drill else no),
    )


def _sheet(name: str, columns: tuple[_Column, ...], rows: Any, language: Language) -> Sheet:
    headings = tuple(getattr(column, language) for column in columns)
    return Sheet(name, headings, (tuple(column.value(row) for column in columns) for row in rows))


def _term(vocabulary_list: str, key: str | None, language: Language) -> str | None:
    found = vocabulary().lists[vocabulary_list].get(key or "")
    return key if found is None else str(getattr(found, language))


def _terms(row: UnitRow, language: Language) -> str:
    return "、".join(_term("capability", key, language) or "" for key in row.capabilities)
