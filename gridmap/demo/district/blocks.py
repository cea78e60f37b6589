"""City blocks: the faces of the network, what each is used for, and the frame in which it is built up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from gridmap.demo.district.linework import Floats, Ints, LineClass, Mesh
from gridmap.demo.district.terrain import Terrain

USES = (
    "river", "green", "park", "oldtown", "slabs", "towers", "village_in_city", "commercial", "office", "school",
    "hospital", "market", "government", "industrial", "campus", "building_site", "station",
    "village", "farmland", "orchard", "forest", "lake",
)  # fmt: skip


@dataclass(frozen=True)
class Block:
    """One face. `parcel` may be built on; `angle_rad` is the direction of its rows; `settlement` -1 is open country."""

    number: int
    polygon: Any
    parcel: Any
    use: str
    settlement: int
    angle_rad: float

    @property
    def centre(self) -> tuple[float, float]:
        """Centre of the face, district metres."""
        point = self.polygon.centroid
        return point.x, point.y

    def to_local(self, geometry: Any) -> Any:
        """Turned about the centre so that rows run along x."""
        return shapely.transform(geometry, lambda xy: self._turn(xy - np.array(self.centre), -self.angle_rad))

    def to_world(self, xy: Floats) -> Floats:
        """Back to district metres; shape (..., 2)."""
        return np.asarray(self._turn(xy, self.angle_rad) + np.array(self.centre))

    @staticmethod
    def _turn(xy: Floats, angle: float) -> Floats:
        cos, sin = np.cos(angle), np.sin(angle)
        return np.stack([xy[..., 0] * cos - xy[..., 1] * sin, xy[..., 0] * sin + xy[..., 1] * cos], axis=-1)


def _setback_m(mesh: Mesh, face: int, edges: Ints) -> float:
    """Half the width of the streets around a face plus the pavement, averaged over its border."""
    length = shapely.length(mesh.lines[edges])
    rank = np.clip(mesh.classes[edges], LineClass.TRACK, LineClass.TRUNK)
    return float(np.average(5.0 + 3.0 * (rank - LineClass.TRACK), weights=length))


def _row_angle(polygon: Any, preferred: float) -> float:
    """Direction of the face's box that is nearest to the settlement's west-east axis: houses face south."""
    box = shapely.get_coordinates(shapely.minimum_rotated_rectangle(polygon))
    step = box[1] - box[0]
    angle = float(np.arctan2(step[1], step[0]))
    quarter = np.pi / 2
    turned = angle - np.round((angle - preferred) / quarter) * quarter
    return float(np.clip(turned, preferred - 0.6, preferred + 0.6))


def _city_use(
    xy: tuple[float, float], area_m2: float, to_ring_m: float, north: bool, rng: np.random.Generator
) -> str:
    """Use of a block of the core by place: old town north of the river, new centre south, works in the east."""
    x, y = xy
    if area_m2 < 13_000:
        return str(rng.choice(["green", "commercial", "oldtown"], p=[0.4, 0.4, 0.2]))
    draw = rng.random()
    for share, use in (
        (0.055, "school"),
        (0.066, "hospital"),
        (0.10, "park"),
        (0.118, "market"),
        (0.135, "government"),
    ):
        if draw < share:
            return use if area_m2 > 20_000 or use in ("park", "market") else "commercial"
    if north and np.hypot(x + 350, y - 350) < 1_150:
        return str(rng.choice(["oldtown", "commercial", "slabs", "green"], p=[0.60, 0.22, 0.15, 0.03]))
    if not north and np.hypot(x - 500, y + 1_900) < 950:
        return str(rng.choice(["office", "commercial", "towers", "park"], p=[0.34, 0.28, 0.30, 0.08]))
    if x > 2_350 and y > -900:
        return str(
            rng.choice(
                ["industrial", "towers", "slabs", "village_in_city", "building_site"],
                p=[0.66, 0.1, 0.1, 0.06, 0.08],
            )
        )
    if x < -1_700 and y < -1_400:
        return str(rng.choice(["campus", "towers", "slabs", "commercial"], p=[0.34, 0.3, 0.26, 0.1]))
    if to_ring_m < 700:
        return str(
            rng.choice(
                ["village_in_city", "towers", "industrial", "building_site", "green", "slabs"],
                p=[0.16, 0.25, 0.15, 0.12, 0.12, 0.20],
            )
        )
    shares = [0.50, 0.22, 0.13, 0.06, 0.05, 0.04] if north else [0.22, 0.52, 0.13, 0.04, 0.05, 0.04]
    return str(rng.choice(["slabs", "towers", "commercial", "village_in_city", "office", "green"], p=shares))


def _town_use(distance_m: float, area_m2: float, kind: str, rng: np.random.Generator) -> str:
    if distance_m < 200:
        return str(rng.choice(["commercial", "government", "market", "school"], p=[0.4, 0.25, 0.2, 0.15]))
    if kind == "town":
        return str(
            rng.choice(
                ["slabs", "oldtown", "industrial", "school", "village_in_city", "green", "hospital"],
                p=[0.36, 0.28, 0.14, 0.06, 0.06, 0.06, 0.04],
            )
        )
    return str(
        rng.choice(
            ["oldtown", "village_in_city", "school", "green", "slabs"], p=[0.55, 0.16, 0.07, 0.1, 0.12]
        )
    )


def _country_use(point: Any, terrain: Terrain, has_village: bool, rng: np.random.Generator) -> str:
    if has_village:
        return "village"
    if shapely.intersects(terrain.hills, point).any():
        return "forest"
    return str(rng.choice(["farmland", "orchard", "forest"], p=[0.78, 0.12, 0.10]))


def plan_blocks(mesh: Mesh, terrain: Terrain, villages: Floats, rng: np.random.Generator) -> list[Block]:
    """A use and a frame for every face, in face order."""
    centres = shapely.point_on_surface(mesh.faces)
    member = np.full(len(mesh.faces), -1)
    for number, settlement in enumerate(terrain.settlements):
        member[shapely.covers(settlement.outline.buffer(1.0), centres)] = number
    wet = shapely.covers(terrain.levees, centres)
    lakes = shapely.union_all(terrain.lakes)
    lake_share = shapely.area(shapely.intersection(mesh.faces, lakes)) / shapely.area(mesh.faces)
    settled = set(shapely.STRtree(mesh.faces).query(shapely.points(villages), predicate="within")[1].tolist())
    axis = terrain.river_axis
    around: dict[int, list[int]] = {}
    for edge, (a, b) in enumerate(zip(mesh.left.tolist(), mesh.right.tolist(), strict=True)):
        around.setdefault(a, []).append(edge)
        around.setdefault(b, []).append(edge)
    blocks = []
    for face, polygon in enumerate(mesh.faces):
        number, point = int(member[face]), centres[face]
        angle = terrain.settlements[number].angle_rad if number >= 0 else 0.0
        if wet[face]:
            use = "river"
        elif number < 0:
            use = "lake" if lake_share[face] > 0.6 else _country_use(point, terrain, face in settled, rng)
        elif number == 0:
            at = axis.interpolate(axis.project(point))
            to_ring = terrain.settlements[0].outline.exterior.distance(point)
            use = _city_use((point.x, point.y), polygon.area, to_ring, point.y > at.y, rng)
        else:
            town = terrain.settlements[number]
            use = _town_use(
                float(np.hypot(point.x - town.centre[0], point.y - town.centre[1])),
                polygon.area,
                town.kind,
                rng,
            )
        setback = _setback_m(mesh, face, np.array(around[face]))
        parcel = polygon.buffer(-setback, join_style="mitre")
        if parcel.geom_type == "MultiPolygon":
            parcel = max(parcel.geoms, key=lambda part: part.area)
        parcel = parcel.difference(lakes.buffer(12)) if lake_share[face] > 0.01 else parcel
        blocks.append(Block(face, polygon, parcel, use, number, _row_angle(polygon, angle)))
    return blocks
