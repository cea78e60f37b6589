"""House numbers, estate names and names of public places."""

from __future__ import annotations

from collections import Counter

import numpy as np
import shapely

from gridmap.demo.district.blocks import Block
from gridmap.demo.district.drawing import Drawing, centres_of
from gridmap.demo.district.linework import Floats, Ints, LineClass, Mesh
from gridmap.demo.district.names import Name, NameBook

METRES_PER_NUMBER = 8.0


class _Numbering:
    """Odd numbers on one side, even on the other, counted from a street's western or northern end."""

    def __init__(self, mesh: Mesh) -> None:
        self._start: dict[int, Floats] = {}
        self._along: dict[int, Floats] = {}
        named = np.flatnonzero(mesh.streets >= 0)
        for street in np.unique(mesh.streets[named]):
            xy = shapely.get_coordinates(mesh.lines[named[mesh.streets[named] == street]])
            spread = xy.max(axis=0) - xy.min(axis=0)
            first = np.argmin(xy[:, 0]) if spread[0] >= spread[1] else np.argmax(xy[:, 1])
            last = np.argmax(xy[:, 0]) if spread[0] >= spread[1] else np.argmin(xy[:, 1])
            step = xy[last] - xy[first]
            self._start[int(street)] = xy[first]
            self._along[int(street)] = step / max(float(np.hypot(*step)), 1.0)

    def number(self, street: int, xy: Floats, foot: Floats) -> int:
        """House number at `xy`, whose nearest point on the street is `foot`."""
        along = self._along[street]
        offset = xy - foot
        left = along[0] * offset[1] - along[1] * offset[0] > 0
        steps = int(max(float((xy - self._start[street]) @ along), 0.0) / METRES_PER_NUMBER)
        return 2 * steps + (1 if left else 2)


def _nearest_named(mesh: Mesh, points: Floats) -> tuple[Ints, Floats]:
    """Street number and foot point of the nearest named street for each point."""
    named = np.flatnonzero((mesh.streets >= 0) & (mesh.classes >= LineClass.UNCLASSIFIED) & ~mesh.bridges)
    geoms = shapely.points(points)
    nearest = named[shapely.STRtree(mesh.lines[named]).nearest(geoms)]
    lines = mesh.lines[nearest]
    feet = shapely.line_interpolate_point(lines, shapely.line_locate_point(lines, geoms))
    return mesh.streets[nearest], shapely.get_coordinates(feet)


def give_addresses(mesh: Mesh, drawing: Drawing, book: NameBook) -> None:
    """Street and number for every building; houses of an estate are counted within it (128号3栋)."""
    numbering = _Numbering(mesh)
    for compound in drawing.compounds:
        if compound.kind in ("slabs", "towers"):
            name = book.estate()
        elif compound.kind == "campus":
            name = book.with_suffix("学院", "College")
        else:
            name = book.with_suffix("工业园", "Industrial Park")
        compound.name, compound.name_en = name.zh, name.en
    gates = np.array([c.gates[0] for c in drawing.compounds])
    gate_street, gate_foot = _nearest_named(mesh, gates)
    centres = centres_of(drawing.buildings)
    streets, feet = _nearest_named(mesh, centres)
    inside: Counter[int] = Counter()
    taken: Counter[tuple[int, int]] = Counter()
    for i, building in enumerate(drawing.buildings):
        compound_number = building.compound
        if compound_number >= 0:
            inside[compound_number] += 1
            compound = drawing.compounds[compound_number]
            building.street = int(gate_street[compound_number])
            base = numbering.number(building.street, gates[compound_number], gate_foot[compound_number])
            building.number = f"{base}号{inside[compound_number]}栋"
            building.name = f"{compound.name}{inside[compound_number]}栋"
            building.name_en = f"{compound.name_en} Block {inside[compound_number]}"
            continue
        building.street = int(streets[i])
        base = numbering.number(building.street, centres[i], feet[i])
        taken[(building.street, base)] += 1
        again = taken[(building.street, base)]
        building.number = f"{base}号" if again == 1 else f"{base}号-{again - 1}"


_PUBLIC = {
    "school": (("小学", "Primary School"), ("中学", "Middle School"), ("幼儿园", "Kindergarten")),
    "hospital": (("医院", "Hospital"), ("社区卫生服务中心", "Community Health Centre")),
    "marketplace": (("农贸市场", "Farmers' Market"), ("批发市场", "Wholesale Market")),
    "townhall": (("政务服务中心", "Government Service Centre"), ("法院", "Court"), ("税务所", "Tax Office")),
    "park": (("公园", "Park"),),
    "garden": (("游园", "Garden"),),
}
_SHOPS = (
    ("supermarket", "shop", "超市", "Supermarket"), ("pharmacy", "amenity", "大药房", "Pharmacy"),
    ("restaurant", "amenity", "饭店", "Restaurant"), ("bank", "amenity", "银行", "Bank"),
    ("hotel", "tourism", "宾馆", "Hotel"), ("internet_cafe", "amenity", "网咖", "Internet Cafe"),
    ("convenience", "shop", "便利店", "Convenience Store"), ("bakery", "shop", "面包房", "Bakery"),
    ("kindergarten", "amenity", "幼儿园", "Kindergarten"), ("fuel", "amenity", "加油站", "Fuel Station"),
)  # fmt: skip


def name_places(
    blocks: list[Block], drawing: Drawing, book: NameBook, rng: np.random.Generator
) -> list[tuple[str, Name, tuple[float, float], int]]:
    """Names schools, hospitals, markets, parks and shops; returns (kind, name, place, block) of each."""
    found: list[tuple[str, Name, tuple[float, float], int]] = []
    for block in blocks:
        kind = {"market": "marketplace", "government": "townhall", "green": "garden"}.get(
            block.use, block.use
        )
        if kind not in _PUBLIC or block.parcel.is_empty:
            continue
        words = _PUBLIC[kind]
        zh, en = words[int(rng.integers(len(words)))]
        name = book.with_suffix(zh, en)
        centre = block.parcel.point_on_surface()
        found.append((kind, name, (centre.x, centre.y), block.number))
    frontage = [b for b in drawing.buildings if b.kind in ("retail", "commercial")]
    for building in frontage:
        if rng.random() < 0.6:
            value, key, zh, en = _SHOPS[int(rng.integers(len(_SHOPS)))]
            name = book.with_suffix(zh, en)
            middle = building.ring[:-1].mean(axis=0)
            found.append((f"{key}={value}", name, (float(middle[0]), float(middle[1])), building.block))
    return found
