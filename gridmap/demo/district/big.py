"""The benchmark set: twenty-five copies of the district side by side, with their own cameras, crews and history.

Streets and houses are written for the first copy only. Copies are moved by whole OSM units, so every one is as
exact a coverage as the first.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import shapely
from numpy.typing import NDArray

from gridmap.demo.district.anchors import find_anchors
from gridmap.demo.district.areas import COUNTY_CODE, Area
from gridmap.demo.district.cameras import HEADER as CAMERA_HEADER
from gridmap.demo.district.cameras import Site, place_cameras
from gridmap.demo.district.city import City, build_city, write_osm
from gridmap.demo.district.class_models import CLASS_MODELS
from gridmap.demo.district.frame import to_lonlat
from gridmap.demo.district.history_files import minutes_between
from gridmap.demo.district.incidents import CHANNELS, OPEN, OUTCOMES, History, draw_history
from gridmap.demo.district.intensity import Truth, make_truth
from gridmap.demo.district.linework import Floats
from gridmap.demo.district.manifest import DemoFile, Manifest, describe
from gridmap.demo.district.scale import NORMAL, Scale
from gridmap.demo.district.staff import PEOPLE_HEADER, UNIT_HEADER, Member, Unit, hire_patrols
from gridmap.demo.district.tables import write_csv, write_geopackage, write_xlsx
from gridmap.domain.vocab import vocabulary

COPIES = 25
_COLUMNS = 5
_STEP_UNITS = np.array([2_900_000, 2_600_000])
"""Distance of neighbouring copies in 1e-7 degree (lon, lat): a little more than the district's size."""
_UNITS_PER_DEGREE = 10**7
# Reports that repeat another come on top; with them the rows reach the number asked for.
_ROWS_PER_INCIDENT = 1.13
Say = Callable[[str], object]


def shift_of(copy: int) -> Floats:
    """How far copy number `copy` lies from the first, in degrees (lon, lat)."""
    row, column = divmod(copy, _COLUMNS)
    return np.asarray(np.array([column, -row]) * _STEP_UNITS / _UNITS_PER_DEGREE)


def county_code(copy: int) -> str:
    """Six digits of the county of a copy: 990101, 990102, …"""
    return f"{COUNTY_CODE[:4]}{copy + 1:02d}"


def generate_big(
    out_dir: Path, seed: int, scale: Scale, start: datetime, end: datetime, say: Say
) -> Manifest:
    """Write the benchmark set: `scale.grids` grids, `scale.cameras` cameras, `scale.patrol_units` units, two million
    incidents. Cameras and incidents are plain WGS84 tables in UTF-8."""
    rng = np.random.default_rng([seed, 3])
    city = build_city(seed, NORMAL)
    say("district drawn")
    files = [_write_areas(out_dir, city), _write_extract(out_dir, city)]
    say(f"{COPIES} copies of {NORMAL.grids} grids written")
    files.append(_write_cameras(out_dir, city, scale, rng))
    files += _write_units(out_dir, city, scale, rng)
    say(f"{scale.cameras} cameras and {scale.patrol_units} units written")
    files.append(_write_history(out_dir, city, scale, start, end, rng))
    say(f"{files[-1].rows} incidents written")
    shifts = np.array([shift_of(copy) for copy in range(COPIES)])
    west, south, east, north = city.division.level("county")[0].geometry.bounds
    low, high = shifts.min(axis=0), shifts.max(axis=0)
    bounds = (float(west + low[0]), float(south + low[1]), float(east + high[0]), float(north + high[1]))
    centre = to_lonlat(np.array([[0.0, 0.0]]))[0]
    manifest = Manifest(
        seed, scale.name, start.isoformat(), end.isoformat(), COUNTY_CODE, bounds,
        (float(centre[0]), float(centre[1])), {f.name: f.rows for f in files}, tuple(files),
    )  # fmt: skip
    manifest.save(out_dir)
    return manifest


def _moved(geometry: Any, copy: int) -> Any:
    """A geometry moved in whole units, so that equal vertices stay equal."""
    row, column = divmod(copy, _COLUMNS)
    step = np.array([column, -row]) * _STEP_UNITS
    return shapely.transform(
        geometry, lambda xy: (np.rint(xy * _UNITS_PER_DEGREE) + step) / _UNITS_PER_DEGREE
    )


def _copied(area: Area, copy: int) -> Area:
    """The area's row in a copy: its code begins with the copy's county."""
    code = county_code(copy) + area.code[6:]
    parent = area.parent if area.level == "county" else county_code(copy) + area.parent[6:]
    name = f"{area.name}{copy + 1:02d}" if area.level == "county" else area.name
    return Area(code, area.level, parent, name, area.name_en, area.kind, _moved(area.geometry, copy))


def _write_areas(out_dir: Path, city: City) -> DemoFile:
    lower = [area for area in city.division.areas if area.level not in ("province", "city")]
    rows = [_copied(area, copy) for copy in range(COPIES) for area in lower]
    counties = [area.geometry for area in rows if area.level == "county"]
    whole = shapely.MultiPolygon([part for county in counties for part in shapely.get_parts(county)])
    top = [area for area in city.division.areas if area.level in ("province", "city")]
    rows = [Area(a.code, a.level, a.parent, a.name, a.name_en, a.kind, whole) for a in top] + rows
    columns = {
        "code": [a.code for a in rows], "name": [a.name for a in rows], "name_en": [a.name_en for a in rows],
        "level": [a.level for a in rows], "parent": [a.parent or None for a in rows], "kind": [a.kind for a in rows],
        "geometry": [shapely.MultiPolygon(list(shapely.get_parts(a.geometry))) for a in rows],
    }  # fmt: skip
    path = out_dir / "areas.gpkg"
    count = write_geopackage(path, "areas", columns, "EPSG:4490")
    return describe(path, "areas", count, "CGCS2000", "gpkg", ("--crs", "CGCS2000"))


def _write_extract(out_dir: Path, city: City) -> DemoFile:
    path = out_dir / "district.osm.pbf"
    return describe(path, "osm", write_osm(city, path)["ways"], "WGS84", "pbf")


def _write_cameras(out_dir: Path, city: City, scale: Scale, rng: np.random.Generator) -> DemoFile:
    """Sites are drawn once; each copy shakes them by some metres and gives them its own codes."""
    each = scale.cameras // COPIES
    sites = place_cameras(city, each, rng)
    path = out_dir / "cameras.csv"
    base = np.array([site.xy for site in sites])
    frames = [_camera_frame(copy, sites, base, each, rng) for copy in range(COPIES)]
    pandas.concat(frames).to_csv(path, index=False, header=list(CAMERA_HEADER), lineterminator="\r\n")
    return describe(path, "cameras", each * COPIES, "WGS84", "utf-8", ("--crs", "WGS84"))


def _camera_frame(
    copy: int, sites: list[Site], base: Floats, each: int, rng: np.random.Generator
) -> pandas.DataFrame:
    lonlat = to_lonlat(base + rng.normal(0, 3.0, base.shape)) + shift_of(copy)
    serial = np.arange(1, each + 1)
    turning = rng.random(each) < 0.35
    codes = [
        f"{county_code(copy)}0100{131 if t else 132}{n:07d}"
        for n, t in zip(serial.tolist(), turning, strict=True)
    ]
    return pandas.DataFrame(
        {
            "ref": [f"CAM-{copy + 1:02d}-{n:05d}" for n in serial.tolist()], "code": codes,
            "name": [site.name for site in sites], "kind": np.where(turning, "球机", "枪机"),
            "status": rng.choice(["在线", "离线", "故障"], each, p=[0.925, 0.05, 0.025]),
            "heading": np.round([site.heading_deg for site in sites], 1) % 360,
            "fov": rng.choice([62, 78, 90, 104], each), "range": rng.choice([45, 60, 80, 120], each),
            "height": np.round(rng.uniform(3.5, 8.5, each), 1),
            "lon": np.round(lonlat[:, 0], 7), "lat": np.round(lonlat[:, 1], 7),
        }
    )  # fmt: skip


def _write_units(out_dir: Path, city: City, scale: Scale, rng: np.random.Generator) -> list[DemoFile]:
    """Patrols of every copy; people and crews for those of the first, which can log in."""
    each = scale.patrol_units // COPIES
    units: list[Unit] = []
    members: list[Member] = []
    for copy in range(COPIES):
        towns = [_copied(area, copy) for area in city.division.level("township")]
        crew_units, crew = hire_patrols(towns, each, rng, first=len(units) + 1)
        units += crew_units
        members += crew if copy == 0 else []
    unit_path, people_path, crew_path = out_dir / "units.xlsx", out_dir / "people.csv", out_dir / "crews.csv"
    rows = (
        (u.ref, u.call_sign, u.kind, u.mode, ",".join(u.capabilities), u.crew, u.shift, u.area) for u in units
    )
    unit_count = write_xlsx(unit_path, UNIT_HEADER, rows)
    people = write_csv(people_path, PEOPLE_HEADER, ((m.ref, m.name, m.job, m.area) for m in members))
    crews = write_csv(crew_path, ("unit_ref", "person_ref", "job"), ((m.unit, m.ref, m.job) for m in members))
    return [
        describe(people_path, "people", people, "-", "utf-8"),
        describe(unit_path, "units", unit_count, "-", "xlsx"),
        describe(crew_path, "-", crews, "-", "utf-8"),
    ]


def _write_history(
    out_dir: Path, city: City, scale: Scale, start: datetime, end: datetime, rng: np.random.Generator
) -> DemoFile:
    """The same truth in every copy, drawn anew; no addresses, short texts."""
    anchors = find_anchors(city)
    days = (end.date() - start.date()).days + 1
    rows_each = round(scale.incidents_per_day * scale.days / COPIES)
    per_day = scale.incidents_per_day / COPIES / _ROWS_PER_INCIDENT * 1.03
    truth = make_truth(anchors, start.date(), days, per_day, rng)
    classes = vocabulary().classes
    severity = np.array([classes[m.key].severity for m in CLASS_MODELS])
    path = out_dir / "incidents.csv"
    written = 0
    for copy in range(COPIES):
        history = draw_history(truth, severity, minutes_between(start, end), rng)
        frame = _incident_frame(copy, truth, history, start).tail(rows_each)
        frame.to_csv(
            path, index=False, mode="w" if copy == 0 else "a", header=copy == 0, lineterminator="\r\n"
        )
        written += len(frame)
    return describe(path, "incidents", written, "WGS84", "utf-8", ("--crs", "WGS84", "--tz", "Asia/Shanghai"))


def _incident_frame(copy: int, truth: Truth, history: History, start: datetime) -> pandas.DataFrame:
    keys = np.array([m.key for m in truth.classes])
    names = np.array([f"{vocabulary().classes[m.key].zh}（演示）" for m in truth.classes])
    lonlat = to_lonlat(history.xy) + shift_of(copy)
    base = np.datetime64(start.replace(tzinfo=None), "m")
    outcome = np.array([*OUTCOMES, ""])[np.where(history.outcome == OPEN, len(OUTCOMES), history.outcome)]

    def moment(minutes: Floats) -> NDArray[np.str_]:
        return np.asarray((base + np.floor(minutes).astype("timedelta64[m]")).astype("U16"))

    return pandas.DataFrame(
        {
            "流水号": [f"BIG-{copy + 1:02d}-{n:06d}" for n in range(1, len(outcome) + 1)],
            "来源渠道": np.array(CHANNELS)[history.channel], "事件类别": keys[history.class_number],
            "事件描述": names[history.class_number], "发生时间": moment(history.occurred_min),
            "上报时间": moment(history.reported_min), "结果": outcome,
            "结案时间": np.where(outcome == "", "", moment(history.closed_min)),
            "经度": np.round(lonlat[:, 0], 7), "纬度": np.round(lonlat[:, 1], 7),
        }
    )  # fmt: skip
