"""Places where incidents happen: every house, and a point every 70 m of street, with what draws incidents there."""

from __future__ import annotations

import numpy as np
import shapely

from gridmap.demo.district.city import City
from gridmap.demo.district.drawing import centres_of
from gridmap.demo.district.intensity import Anchors
from gridmap.demo.district.linework import LineClass

STREET_STEP_M = 70.0
_SHOP_KINDS = {
    "retail": 6.0,
    "commercial": 9.0,
    "office": 3.0,
    "school": 2.5,
    "hospital": 6.0,
    "government": 2.0,
}
_WORK_KINDS = {"industrial": 6.0, "construction": 5.0}


def find_anchors(city: City) -> Anchors:
    """Houses first, then street points. Weights are relative within their row."""
    houses = city.drawing.buildings
    xy = [centres_of(houses)]
    weights = [np.zeros((5, len(houses)))]
    for i, house in enumerate(houses):
        weights[0][:, i] = (
            house.flats,
            _SHOP_KINDS.get(house.kind, 0.0),
            _WORK_KINDS.get(house.kind, 0.0),
            0.0,
            0.0,
        )
    street = [np.array([b.street for b in houses])]
    label = [
        f"{city.street_names[b.street].zh}{b.number}" + (f"（{b.name}）" if b.name else "")
        if b.street >= 0
        else b.name
        for b in houses
    ]
    mesh = city.mesh
    drivable = np.flatnonzero((mesh.classes >= LineClass.UNCLASSIFIED) & (mesh.streets >= 0))
    for edge in drivable.tolist():
        line = mesh.lines[edge]
        at = np.arange(min(STREET_STEP_M / 2, line.length / 2), line.length, STREET_STEP_M)
        points = shapely.get_coordinates(shapely.line_interpolate_point(line, at))
        rank = int(mesh.classes[edge])
        main = float(max(rank - LineClass.RESIDENTIAL, 0)) ** 1.2
        small = 1.0 if rank in (LineClass.RESIDENTIAL, LineClass.TERTIARY) else 0.15
        xy.append(points)
        weights.append(np.tile(np.array([[0.0], [0.0], [0.0], [main], [small]]), len(points)))
        street.append(np.full(len(points), mesh.streets[edge]))
        name = city.street_names[int(mesh.streets[edge])].zh
        label += [name] * len(points)
    return Anchors(np.vstack(xy), np.hstack(weights), np.concatenate(street), label)
