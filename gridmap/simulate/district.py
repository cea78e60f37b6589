"""A generated demo district as ground, crews and calls: files only, no database."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import osmium
import pyogrio
from openpyxl import load_workbook

from gridmap.demo.district.frame import to_lonlat
from gridmap.demo.sim_crews import Officer, is_on_shift
from gridmap.domain.vocab import vocabulary
from gridmap.simulate.demand import Reports, cut
from gridmap.simulate.ground import Crew, Ground, make_ground
from gridmap.simulate.scene import Period
from gridmap.simulate.streets import Floats


def read_ground(folder: Path) -> Ground:
    """The grids and houses of a generated district."""
    frame = pyogrio.read_dataframe(folder / "areas.gpkg")
    grids = frame[frame["level"] == "grid"]
    house, weight = _houses(folder / "district.osm.pbf")
    return make_ground([str(code) for code in grids["code"]], grids.geometry.to_numpy(), house, weight)


def _houses(extract: Path) -> tuple[Floats, Floats]:
    """Middles of all buildings and their households (1 where none are told)."""
    middles: list[tuple[float, float]] = []
    weights: list[float] = []
    item: Any
    for item in osmium.FileProcessor(str(extract)).with_locations():
        if item.type_str() == "w" and "building" in item.tags:
            corners = [(node.location.lon, node.location.lat) for node in item.nodes]
            lon, lat = np.mean(corners[:-1], axis=0)
            middles.append((float(lon), float(lat)))
            weights.append(max(1.0, float(item.tags.get("building:flats", "1"))))
    return np.array(middles), np.array(weights)


def read_crews(folder: Path) -> list[Crew]:
    """The units of a generated district, on duty as the demo's own people are."""
    book = load_workbook(folder / "units.xlsx", read_only=True)
    rows = list(book.worksheets[0].iter_rows(min_row=2, values_only=True))
    book.close()
    return [_crew(row) for row in rows]


def _crew(row: tuple[Any, ...]) -> Crew:
    ref, call_sign, kind, mode, skills, _, shift, home = (str(value or "") for value in row)
    officer = Officer("", "", ref, call_sign, kind, shift)
    hours = tuple(is_on_shift(officer, datetime(2000, 1, 1, hour, tzinfo=UTC)) for hour in range(24))
    return Crew(ref, kind, mode, tuple(s for s in skills.split(",") if s), home, hours)


def draw_calls(folder: Path, period: Period, rng: np.random.Generator) -> Reports:
    """A fresh month from the demo's known intensity: Poisson counts per class, day, hour and 250 m cell.

    Near repeats are taken at their long-run mean (see `truth.json`). Days of the period outside the intensity's own
    have no calls.
    """
    told = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    with np.load(folder / "truth.npz") as arrays:
        share, rate, hours = arrays["share"], arrays["rate"], arrays["hours"]
        month_of_day, family = arrays["month_of_day"], arrays["family_of_class"]
    start = datetime.fromisoformat(told["start"]).replace(tzinfo=period.start.tzinfo)
    first = (period.start.date() - start.date()).days
    last = (period.start + timedelta(days=period.days)).date() - start.date()
    cell_m, (west, south) = told["grid"]["cell_m"], told["grid"]["south_west_corner"]
    columns = told["grid"]["columns"]
    parts: list[tuple[Floats, Floats, list[str]]] = [(np.empty(0), np.empty((0, 2)), [])]
    for day in range(max(first, 0), min(last.days + 1, rate.shape[1])):
        for number, row in enumerate(told["classes"]):
            count = int(rng.poisson(rate[number, day] / (1 - row["branching"])))
            where = np.cumsum(share[family[number], month_of_day[day]].ravel(), dtype=np.float64)
            cell = np.searchsorted(where, rng.random(count) * where[-1], side="right")
            course = hours[number, (start.weekday() + day) % 7].astype(float)
            hour = rng.choice(24, count, p=course / course.sum())
            xy = np.column_stack([west + cell % columns * cell_m, south + cell // columns * cell_m])
            xy = xy + rng.uniform(0, cell_m, (count, 2))
            midnight = (start + timedelta(days=day) - period.start).total_seconds()
            parts.append((midnight + (hour + rng.random(count)) * 3600, xy, [row["key"]] * count))
    keys = [key for _, _, some in parts for key in some]
    severity = np.array([vocabulary().event_class(key).severity for key in keys], dtype=np.int64)
    at_s, xy = np.concatenate([p[0] for p in parts]), np.vstack([p[1] for p in parts])
    return cut(Reports(at_s, to_lonlat(xy), severity, tuple(keys)), period)
