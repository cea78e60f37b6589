"""Cameras at crossings, gates, public places and along streets, with GB/T 28181 device codes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from gridmap.demo.district.areas import COUNTY_CODE
from gridmap.demo.district.city import City
from gridmap.demo.district.linework import Floats, Ints, LineClass

HEADER = (
    "编号",
    "国标编码",
    "名称",
    "类型",
    "状态",
    "方位角",
    "视场角",
    "可视距离",
    "安装高度",
    "经度",
    "纬度",
)


@dataclass(frozen=True)
class Site:
    """A camera before it gets a code. `xy` district metres; `heading_deg` clockwise from north."""

    xy: tuple[float, float]
    heading_deg: float
    name: str
    setting: str


def device_code(base_unit: int, kind: int, serial: int) -> str:
    """20 digits: 6 area, 2 base unit, 2 industry (00 road and public order), 3 type, 7 serial (GB/T 28181)."""
    return f"{COUNTY_CODE}{base_unit:02d}00{kind:03d}{serial:07d}"


def _crossings(city: City) -> tuple[Floats, list[set[int]], Floats]:
    """Crossings of named streets: place, street numbers, and the direction of one arm each."""
    mesh = city.mesh
    main = np.flatnonzero((mesh.classes >= LineClass.RESIDENTIAL) & (mesh.streets >= 0))
    streets: dict[int, set[int]] = {}
    arms: dict[int, list[float]] = {}
    for edge in main.tolist():
        xy = shapely.get_coordinates(mesh.lines[edge])
        for node, a, b in ((mesh.start[edge], xy[0], xy[1]), (mesh.end[edge], xy[-1], xy[-2])):
            streets.setdefault(int(node), set()).add(int(mesh.streets[edge]))
            arms.setdefault(int(node), []).append(
                float(np.degrees(np.arctan2(b[0] - a[0], b[1] - a[1])) % 360)
            )
    chosen = [n for n in sorted(streets) if len(arms[n]) >= 3 and len(streets[n]) >= 2]
    rank = np.array([len(arms[n]) for n in chosen])
    order = np.argsort(-rank, kind="stable")
    nodes = [chosen[i] for i in order]
    return mesh.nodes[nodes], [streets[n] for n in nodes], np.array([arms[n][0] for n in nodes])


def _crossing_sites(city: City, count: int, rng: np.random.Generator) -> list[Site]:
    places, streets, arms = _crossings(city)
    weight = np.linspace(1.6, 0.4, len(places))
    pick = np.sort(rng.choice(len(places), count, p=weight / weight.sum()))
    corners: dict[int, int] = {}
    sites = []
    for i in pick.tolist():
        corner = corners.get(i, 0)
        corners[i] = corner + 1
        heading = (arms[i] + 90 * corner + rng.normal(0, 6)) % 360
        side = np.radians(heading + 180 + 35)
        xy = places[i] + rng.uniform(9, 15) * np.array([np.sin(side), np.cos(side)])
        names = sorted(city.street_names[s].zh for s in streets[i])[:2]
        label = f"{'与'.join(names)}路口{'东南西北'[corner % 4]}"
        sites.append(Site((float(xy[0]), float(xy[1])), heading, label, "crossing"))
    return sites


def _gate_sites(city: City, count: int, rng: np.random.Generator) -> list[Site]:
    gates = [(g, c) for c in city.drawing.compounds for g in c.gates]
    pick = rng.choice(len(gates), min(count, len(gates)), replace=False)
    sites = []
    for i in np.sort(pick).tolist():
        gate, compound = gates[i]
        centre = city.blocks[compound.block].centre
        heading = float(np.degrees(np.arctan2(gate[0] - centre[0], gate[1] - centre[1])) % 360)
        sites.append(Site(gate, heading, f"{compound.name}大门", "gate"))
    return sites


def _place_sites(city: City, count: int, rng: np.random.Generator) -> list[Site]:
    places = [p for p in city.places if "=" not in p.kind]
    pick = rng.choice(len(places), min(count, len(places)), replace=False)
    return [
        Site(
            (places[i].xy[0] + float(rng.normal(0, 9)), places[i].xy[1] + float(rng.normal(0, 9))),
            float(rng.uniform(0, 360)), f"{places[i].name.zh}广场", "place",
        )
        for i in np.sort(pick).tolist()
    ]  # fmt: skip


def _street_sites(city: City, count: int, rng: np.random.Generator) -> list[Site]:
    mesh = city.mesh
    named = np.flatnonzero((mesh.streets >= 0) & (mesh.classes >= LineClass.UNCLASSIFIED))
    length = shapely.length(mesh.lines[named])
    pick = np.sort(rng.choice(named, count, p=length / length.sum()))
    sites = []
    for n, edge in enumerate(pick.tolist()):
        line = mesh.lines[edge]
        at = float(rng.uniform(0.1, 0.9)) * line.length
        a, b = line.interpolate(at), line.interpolate(at + 2)
        along = np.arctan2(b.x - a.x, b.y - a.y)
        xy = (a.x + 8 * np.cos(along), a.y - 8 * np.sin(along))
        name = city.street_names[int(mesh.streets[edge])].zh
        sites.append(Site(xy, float(np.degrees(along) % 360), f"{name}路段{n + 1:04d}", "street"))
    return sites


def place_cameras(city: City, count: int, rng: np.random.Generator) -> list[Site]:
    """`count` sites: half at crossings, the rest at gates, public places and along streets."""
    sites = _gate_sites(city, count // 5, rng) + _place_sites(city, count // 15, rng)
    sites += _crossing_sites(city, count // 2, rng)
    sites += _street_sites(city, count - len(sites), rng)
    return sites


def camera_rows(
    sites: list[Site], lonlat: Floats, base_units: Ints, rng: np.random.Generator
) -> list[tuple[str | float, ...]]:
    """Rows for `HEADER`; `lonlat` (n, 2) in the system the file is meant to be in; `base_units` per site."""
    status = rng.choice(["在线", "离线", "故障"], len(sites), p=[0.925, 0.05, 0.025])
    turning = rng.random(len(sites)) < 0.35
    rows: list[tuple[str | float, ...]] = []
    for i, site in enumerate(sites):
        kind = 131 if turning[i] else 132
        fov = 360.0 if turning[i] and rng.random() < 0.3 else float(rng.choice([62.0, 78.0, 90.0, 104.0]))
        reach = float(rng.choice([45, 60, 80, 120] if site.setting != "street" else [80, 120, 150]))
        height = round(float(rng.uniform(3.5, 7.5 if site.setting != "crossing" else 8.5)), 1)
        word = "球机" if turning[i] else "枪机"
        rows.append(
            (
                f"CAM-{i + 1:05d}", device_code(int(base_units[i]), kind, i + 1), site.name + word, word,
                str(status[i]),
                round(site.heading_deg, 1) % 360, fov, reach, height,
                f"{lonlat[i, 0]:.7f}", f"{lonlat[i, 1]:.7f}",
            )
        )  # fmt: skip
    return rows
