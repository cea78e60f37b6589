"""`generate`: from a seed to a folder of files that the import verbs take."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import shapely

from gridmap.demo.district import extras, frame, history_files
from gridmap.demo.district.anchors import find_anchors
from gridmap.demo.district.areas import COUNTY, COUNTY_CODE, Area, Division
from gridmap.demo.district.big import generate_big
from gridmap.demo.district.cameras import HEADER as CAMERA_HEADER
from gridmap.demo.district.cameras import camera_rows, place_cameras
from gridmap.demo.district.city import City, build_city, write_osm
from gridmap.demo.district.class_models import CLASS_MODELS
from gridmap.demo.district.incidents import draw_history
from gridmap.demo.district.intensity import make_truth
from gridmap.demo.district.manifest import DemoFile, Manifest, describe
from gridmap.demo.district.scale import BIG, Scale
from gridmap.demo.district.staff import PEOPLE_HEADER, UNIT_HEADER, Staff, hire
from gridmap.demo.district.street_graph import build_street_graph, save_street_graph
from gridmap.demo.district.tables import write_csv, write_geojson, write_geopackage, write_xlsx
from gridmap.domain.crs import from_wgs84
from gridmap.domain.vocab import vocabulary

ZONE = ZoneInfo("Asia/Shanghai")
_log = logging.getLogger(__name__)
Say = Callable[[str], object]


def generate(
    out_dir: Path, seed: int, scale: Scale, say: Say = _log.info, until: datetime | None = None
) -> Manifest:
    """Write the demo district into `out_dir` and return its manifest (also saved there as manifest.json).

    Args:
        out_dir: created when missing; files in it are replaced.
        seed: same seed, scale and `until` give the same bytes.
        scale: `NORMAL` (the demo), `SMALL` (tests), `BIG` (benchmarks: other files, see `generate_big`).
        say: hears what is going on, one line at a time.
        until: aware end of the history; None = the last full hour of the machine's clock. Incidents whose
            closing would come later stay open, so the queue of a fresh demo is alive.
    """
    out_dir.mkdir(parents=True, exist_ok=True)
    end = (until or datetime.now(ZONE).replace(minute=0, second=0, microsecond=0)).astimezone(ZONE)
    start = datetime.combine((end - timedelta(days=scale.days)).date(), datetime.min.time(), ZONE)
    if scale.name == BIG.name:
        return generate_big(out_dir, seed, scale, start, end, say)
    streams = [np.random.default_rng(s) for s in np.random.SeedSequence([seed, 2]).spawn(6)]
    city = build_city(seed, scale)
    say(f"{len(city.drawing.buildings)} houses, {len(city.fabric.cells)} blocks, {scale.grids} grids drawn")
    files = [_write_areas(out_dir, city.division), _write_osm_file(out_dir, city)]
    files += [_write_cameras(out_dir, city, scale, streams[0])]
    staff = hire(city.division, scale.patrol_units, scale.vacant_grids, streams[1])
    files += _write_staff(out_dir, staff)
    files += _write_extras(out_dir, city, streams[2])
    files += _write_history(out_dir, city, staff, scale, seed, start, end, streams[3])
    say(f"{files[-4].rows} incidents drawn")
    graph = save_street_graph(build_street_graph(city), out_dir)
    files.append(describe(graph, "-", 0, "WGS84", "npz"))
    county = city.division.level("county")[0].geometry
    centre = frame.to_lonlat(np.array([[0.0, 0.0]]))[0]
    counts = {f.name: f.rows for f in files} | {
        "households": int(city.fabric.cell_households.sum()), "buildings": len(city.drawing.buildings),
        "vacant_grids": len(staff.vacant), "compounds": len(city.drawing.compounds),
    }  # fmt: skip
    west, south, east, north = (float(v) for v in county.bounds)
    manifest = Manifest(
        seed, scale.name, start.isoformat(), end.isoformat(), COUNTY_CODE, (west, south, east, north),
        (float(centre[0]), float(centre[1])), counts, tuple(files),
    )  # fmt: skip
    manifest.save(out_dir)
    return manifest


def _write_areas(out_dir: Path, division: Division) -> DemoFile:
    """All six levels as a GeoPackage in CGCS2000 degrees (EPSG:4490, equal to WGS84 here)."""
    rows = division.areas
    frame_columns = {
        "code": [a.code for a in rows], "name": [a.name for a in rows], "name_en": [a.name_en for a in rows],
        "level": [a.level for a in rows], "parent": [a.parent or None for a in rows], "kind": [a.kind for a in rows],
        "geometry": [_multi(a) for a in rows],
    }  # fmt: skip
    path = out_dir / "areas.gpkg"
    count = write_geopackage(path, "areas", frame_columns, "EPSG:4490")
    return describe(path, "areas", count, "CGCS2000", "gpkg", ("--crs", "CGCS2000"))


def _multi(area: Area) -> shapely.MultiPolygon:
    return shapely.MultiPolygon(list(shapely.get_parts(area.geometry)))


def _write_osm_file(out_dir: Path, city: City) -> DemoFile:
    path = out_dir / "district.osm.pbf"
    counts = write_osm(city, path)
    return describe(path, "osm", counts["ways"], "WGS84", "pbf")


def _write_cameras(out_dir: Path, city: City, scale: Scale, rng: np.random.Generator) -> DemoFile:
    """Cameras as a vendor would hand them over: GBK, Chinese headers, GCJ-02."""
    sites = place_cameras(city, scale.cameras, rng)
    lonlat = frame.to_lonlat(np.array([s.xy for s in sites]))
    shifted = np.column_stack(from_wgs84(lonlat[:, 0], lonlat[:, 1], "GCJ-02"))
    towns = city.division.level("township")
    tree = shapely.STRtree(np.array([t.geometry for t in towns], dtype=object))
    base_units = tree.nearest(shapely.points(lonlat)) + 1
    path = out_dir / "cameras.csv"
    count = write_csv(path, CAMERA_HEADER, camera_rows(sites, shifted, base_units, rng), "gbk")
    return describe(path, "cameras", count, "GCJ-02", "gbk", ("--crs", "GCJ-02"))


def _write_staff(out_dir: Path, staff: Staff) -> list[DemoFile]:
    """People (UTF-8 CSV), units (XLSX), and which person crews which unit (for the demo's accounts)."""
    people = out_dir / "people.csv"
    count = write_csv(people, PEOPLE_HEADER, ((m.ref, m.name, m.job, m.area) for m in staff.members))
    units = out_dir / "units.xlsx"
    rows = (
        (u.ref, u.call_sign, u.kind, u.mode, ",".join(u.capabilities), u.crew, u.shift, u.area)
        for u in staff.units
    )
    unit_count = write_xlsx(units, UNIT_HEADER, rows)
    crew = out_dir / "crews.csv"
    crew_rows = [(m.unit, m.ref, m.job) for m in staff.members if m.unit]
    crew_count = write_csv(crew, ("unit_ref", "person_ref", "job"), crew_rows)
    return [
        describe(people, "people", count, "-", "utf-8"),
        describe(units, "units", unit_count, "-", "xlsx"),
        describe(crew, "-", crew_count, "-", "utf-8"),
    ]


def _write_extras(out_dir: Path, city: City, rng: np.random.Generator) -> list[DemoFile]:
    """Resources and patrol lines (GeoJSON), street furniture (Gauss-Krüger metres), places (BD-09)."""
    resource_path, route_path = out_dir / "resources.geojson", out_dir / "routes.geojson"
    resources = write_geojson(resource_path, extras.resources(city, rng))
    routes = write_geojson(route_path, extras.patrol_lines(city))
    rows = extras.furniture(city, rng)
    lonlat = frame.to_lonlat(np.array([(r[3], r[4]) for r in rows]))
    x, y = from_wgs84(lonlat[:, 0], lonlat[:, 1], frame.LOCAL_CRS)
    furniture_path = out_dir / "components.csv"
    listed = [(r[0], r[1], r[2], f"{e:.3f}", f"{n:.3f}") for r, e, n in zip(rows, x, y, strict=True)]
    furniture = write_csv(furniture_path, ("编号", "名称", "类型", "横坐标", "纵坐标"), listed)
    places_path = out_dir / "places.csv"
    named = extras.named_places(city)
    lonlat = frame.to_lonlat(np.array([p[3] for p in named]))
    lon, lat = from_wgs84(lonlat[:, 0], lonlat[:, 1], "BD-09")
    listed_places = [
        (p[0], p[1], p[2], f"{a:.7f}", f"{b:.7f}") for p, a, b in zip(named, lon, lat, strict=True)
    ]
    places = write_csv(places_path, ("编号", "名称", "类型", "经度", "纬度"), listed_places)
    return [
        describe(resource_path, "resources", resources, "WGS84", "utf-8", ("--crs", "WGS84")),
        describe(
            furniture_path, "components", furniture, frame.LOCAL_CRS, "utf-8", ("--crs", frame.LOCAL_CRS)
        ),
        describe(route_path, "routes", routes, "WGS84", "utf-8", ("--crs", "WGS84")),
        describe(places_path, "places", places, "BD-09", "utf-8", ("--crs", "BD-09")),
    ]


def _write_history(
    out_dir: Path, city: City, staff: Staff, scale: Scale, seed: int, start: datetime, end: datetime,
    rng: np.random.Generator,
) -> list[DemoFile]:  # fmt: skip
    """Incidents and the truth they were drawn from."""
    anchors = find_anchors(city)
    days = (end.date() - start.date()).days + 1
    truth = make_truth(anchors, start.date(), days, scale.incidents_per_day, rng)
    classes = vocabulary().classes
    severity = np.array([classes[m.key].severity for m in CLASS_MODELS])
    history = draw_history(truth, severity, history_files.minutes_between(start, end), rng)
    patrols = [u.ref for u in staff.units if u.kind in ("patrol", "police", "city_management")]
    path = out_dir / "incidents.csv"
    rows = history_files.write_incidents(path, history, anchors, start, "DEMO-", patrols, rng)
    truth_files = history_files.write_truth(out_dir, truth, history, seed)
    scenes = out_dir / history_files.SCENES_NAME
    scene_rows = history_files.write_scenes(scenes, history, anchors, 4_000, rng)
    options = ("--crs", "WGS84", "--tz", "Asia/Shanghai")
    return [
        describe(path, "incidents", rows, "WGS84", "utf-8", options),
        describe(scenes, "-", scene_rows, "WGS84", "utf-8"),
        *(describe(p, "-", 0, "-", p.suffix[1:]) for p in truth_files),
    ]


__all__ = ["COUNTY", "ZONE", "generate"]
