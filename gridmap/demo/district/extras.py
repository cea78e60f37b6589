"""Resources, street furniture, patrol lines and named places."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely

from gridmap.demo.district.city import City
from gridmap.demo.district.frame import to_lonlat
from gridmap.demo.district.linework import Floats, LineClass

Feature = tuple[dict[str, Any], dict[str, Any]]


def _point(xy: Any) -> dict[str, Any]:
    lon, lat = to_lonlat(np.asarray(xy, dtype=np.float64).reshape(1, 2))[0]
    return {"type": "Point", "coordinates": [float(lon), float(lat)]}


def resources(city: City, rng: np.random.Generator) -> list[Feature]:
    """Fire posts, police posts, shelters and emergency stores, at least one of each per township."""
    kinds = (
        ("fire_post", "微型消防站", 3),
        ("police_post", "警务室", 3),
        ("shelter", "应急避难场所", 2),
        ("store", "应急物资库", 1),
    )
    features: list[Feature] = []
    cells = {area.code: area for area in city.division.level("township")}
    for town in cells.values():
        communities = [a for a in city.division.level("community") if a.parent == town.code]
        for kind, word, count in kinds:
            for k in range(count):
                home = communities[int(rng.integers(len(communities)))]
                point = shapely.point_on_surface(home.geometry)
                shift = rng.normal(0, 0.0006, 2)
                lon, lat = round(point.x + float(shift[0]), 7), round(point.y + float(shift[1]), 7)
                if not home.geometry.covers(shapely.Point(lon, lat)):
                    lon, lat = round(point.x, 7), round(point.y, 7)
                ref = f"RES-{len(features) + 1:04d}"
                props = {
                    "ref": ref,
                    "name": f"{home.name}{word}{k + 1}",
                    "kind": kind,
                    "people": int(rng.integers(4, 16)),
                }
                features.append(({"type": "Point", "coordinates": [lon, lat]}, props))
    return features


def furniture(city: City, rng: np.random.Generator) -> list[tuple[str, str, str, float, float]]:
    """Street lamps and manhole covers: rows (ref, name, kind, east, north), district metres.

    Lamps stand every 60 m on alternating sides of main streets and carry the pole number people read out.
    """
    mesh = city.mesh
    rows: list[tuple[str, str, str, float, float]] = []
    counter: dict[int, int] = {}
    main = np.flatnonzero((mesh.classes >= LineClass.TERTIARY) & (mesh.streets >= 0) & ~mesh.bridges)
    for edge in main.tolist():
        line, street = mesh.lines[edge], int(mesh.streets[edge])
        name = city.street_names[street]
        for n, at in enumerate(np.arange(20.0, line.length - 10.0, 60.0)):
            a, b = line.interpolate(at), line.interpolate(at + 1)
            side = 9.0 if n % 2 else -9.0
            xy = (a.x - side * (b.y - a.y), a.y + side * (b.x - a.x))
            counter[street] = counter.get(street, 0) + 1
            rows.append(
                (
                    f"L{street:04d}-{counter[street]:03d}",
                    f"{name.zh}灯杆{counter[street]:03d}",
                    "street_lamp",
                    *xy,
                )
            )
        if rng.random() < 0.8:
            a = line.interpolate(float(rng.uniform(0.2, 0.8)) * line.length)
            kind = str(rng.choice(["manhole_storm", "manhole_sewage", "manhole_power", "manhole_telecom"]))
            rows.append((f"M{edge:05d}", f"{name.zh}井盖{edge:05d}", kind, a.x + 2.0, a.y + 1.0))
    return rows


def patrol_lines(city: City) -> list[Feature]:
    """Closed rounds along the streets around the smallest communities of each township, none along the river."""
    features: list[Feature] = []
    axis = shapely.LineString(to_lonlat(shapely.get_coordinates(city.terrain.river_axis)))
    for n, town in enumerate(city.division.level("township"), 1):
        communities = [a for a in city.division.level("community") if a.parent == town.code]
        communities = [a for a in communities if a.geometry.distance(axis) > 0.0005] or communities
        for k, home in enumerate(sorted(communities, key=lambda a: a.geometry.area)[:3], 1):
            ring = max(shapely.get_parts(home.geometry), key=lambda p: p.area).exterior
            xy = [[float(x), float(y)] for x, y in ring.coords]
            props = {"ref": f"RT-{n:02d}{k}", "name": f"{home.name}巡逻线", "kind": "patrol"}
            features.append(({"type": "LineString", "coordinates": xy}, props))
    return features


def named_places(city: City) -> list[tuple[str, str, str, Floats]]:
    """Landmarks that callers name: (ref, name, kind, xy) of estates, villages and public places."""
    rows: list[tuple[str, str, str, Floats]] = []
    for place in city.places:
        kind = place.kind.partition("=")[2] or place.kind
        rows.append((f"PL-{len(rows) + 1:05d}", place.name.zh, kind, np.array(place.xy)))
    for compound in city.drawing.compounds:
        rows.append((f"PL-{len(rows) + 1:05d}", compound.name, "estate", np.array(compound.gates[0])))
    for name, xy in zip(city.village_names, city.villages, strict=True):
        rows.append((f"PL-{len(rows) + 1:05d}", name.zh, "village", xy))
    return rows
