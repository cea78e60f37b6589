"""`gridmap risk backtest`: any CSV of incidents, every model, scored on what came afterwards."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click
import numpy as np

from gridmap.clock import SystemClock
from gridmap.errors import Invalid
from gridmap.forecasting.backtest_report import as_json, lines_of
from gridmap.forecasting.case_file import Cases, read_cases
from gridmap.forecasting.ground import Ground, plane, read_ground
from gridmap.forecasting.progress import Bars
from gridmap.risk.backtest import LEAST_EVENTS, scored_origins
from gridmap.risk.backtest import backtest as replay
from gridmap.risk.events import Events

_FILE = click.Path(dir_okay=False, path_type=Path)
# A wall clock somewhere may be as far ahead of UTC.
_FURTHEST_ZONE_D = 14 / 24


@click.command()
@click.option("--incidents", type=_FILE, required=True, help="CSV (or .csv.gz) of t, lon, lat, type (WGS84).")
@click.option(
    "--areas", type=_FILE, help="GeoJSON of polygons: the area that counts, and intervals per polygon."
)
@click.option(
    "--cell-m", type=click.FloatRange(10, 20_000), default=250.0, show_default=True, help="Side of a cell."
)
@click.option(
    "--horizon-days", type=click.IntRange(1, 366), default=28, show_default=True, help="Length of a window."
)
@click.option("--type", "only", multiple=True, help="Only this type; repeat for several.")
@click.option(
    "--tz", "zone", help="Bring times that name an offset to this zone; else the clock stays as written."
)
@click.option(
    "--json", "wants_json", is_flag=True, help="Print the report as JSON and nothing else on stdout."
)
def backtest(
    incidents: Path, areas: Path | None, cell_m: float, horizon_days: int, only: tuple[str, ...], zone: str | None,
    wants_json: bool,
) -> None:  # fmt: skip
    """Forecast the past from what was known then, and score it by what came.

    A column recorded_at, where there is one, limits what a forecast may see to rows that were recorded before it.
    """
    cases = _only(read_cases(incidents, _zone(zone)), only)
    _refuse_future(cases)
    if len(cases.lon) < LEAST_EVENTS:
        raise Invalid("risk_too_few_events", events=len(cases.lon), least=LEAST_EVENTS)
    early = _known_early(cases, horizon_days)
    ground = read_ground(cases.lon[early], cases.lat[early], cell_m, areas)
    events = events_of(cases, ground)
    with Bars() as bars:
        report = replay(ground.grid, events, horizon_days, areas=ground.areas, tell=bars.show)
    if not wants_json:
        for line in lines_of(report):
            click.echo(line)
        return
    click.echo(
        json.dumps(
            {**as_json(report), **_conditions(cases, ground, events, horizon_days)}, ensure_ascii=False
        )
    )


def events_of(cases: Cases, ground: Ground) -> Events:
    """The rows in metres of the ground."""
    x_m, y_m = plane(ground.metric, cases.lon, cases.lat)
    return Events.of(
        x_m, y_m, cases.occurred.day, recorded_d=cases.recorded, precision=cases.occurred.precision,
        class_index=cases.type_index, classes=cases.types,
    )  # fmt: skip


def _zone(name: str | None) -> ZoneInfo | None:
    if name is None:
        return None
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise Invalid("time_zone_unknown", name=name) from error


def _only(cases: Cases, names: tuple[str, ...]) -> Cases:
    for name in names:
        if name not in cases.types:
            raise Invalid("risk_class_unknown", name=name, known=list(cases.types[:50]))
    return cases.of_types(names) if names else cases


def _refuse_future(cases: Cases) -> None:
    now = SystemClock().now().astimezone(UTC).replace(tzinfo=None) - datetime(1970, 1, 1)  # noqa: DTZ001
    ahead = cases.occurred.day > now / timedelta(days=1) + _FURTHEST_ZONE_D
    if ahead.any():
        latest = str(np.datetime64(0, "s") + np.timedelta64(int(cases.occurred.day.max() * 86_400), "s"))
        raise Invalid("risk_dates_in_future", rows=int(ahead.sum()), latest=latest)


def _known_early(cases: Cases, horizon_d: float) -> Any:
    """Rows that were known before the first scored forecast: nothing later may shape the ground."""
    known = np.fmax(cases.recorded, cases.occurred.day)
    end = float(np.floor(cases.occurred.day.max()) + 1)
    first = scored_origins(cases.occurred.day, horizon_d, end)[0]
    if not (known < first).any():
        raise Invalid("risk_too_few_events", events=0, least=LEAST_EVENTS)
    return known < first


def _conditions(cases: Cases, ground: Ground, events: Events, horizon_days: int) -> dict[str, Any]:
    day = np.datetime64(0, "D") + np.floor([events.occurred_d.min(), events.occurred_d.max()]).astype(
        "timedelta64[D]"
    )
    found: dict[str, Any] = {
        "horizon_days": horizon_days, "cell_m": ground.grid.cell_m, "crs": ground.crs,
        "cells": int((ground.grid.inside > 0).sum()), "area_km2": round(ground.grid.area_km2, 3),
        "first": str(day[0]), "last": str(day[1]), "rows": cases.rows, "without_place": cases.without_place,
        "without_time": cases.without_time, "recorded_at": bool(np.isfinite(cases.recorded).any()),
    }  # fmt: skip
    if ground.areas is not None:
        where = ground.areas.locate(events.x_m, events.y_m)
        empty = np.setdiff1d(np.arange(len(ground.areas)), where)
        found["areas"] = len(ground.areas)
        found["areas_without_history"] = [ground.areas.codes[number] for number in empty.tolist()]
    return found
