"""Province, city, county, townships, communities and grids: an exact coverage with proper codes.

Code ranges: GB/T 2260 places 1-6 (99.... is assigned to no province), township 001-099 街道, 100-199 镇,
200-399 乡; community 001-199 居委会, 200-399 村委会; grid = 12 digits + 3, counted west to east within bands
from north to south.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from scipy.sparse.csgraph import connected_components, dijkstra

from gridmap.demo.district.blocks import Block
from gridmap.demo.district.fabric import INNER, Fabric
from gridmap.demo.district.frame import to_lonlat, to_metres
from gridmap.demo.district.linework import Floats, Ints, LineClass
from gridmap.demo.district.names import NameBook
from gridmap.demo.district.partition import affinity_matrix, apportion, split
from gridmap.demo.district.terrain import Terrain

PROVINCE = ("990000000000", "岚川省（演示）", "Lanchuan Province (demo)")
CITY = ("990100000000", "沅岚市（演示）", "Yuanlan City (demo)")
COUNTY = ("990101000000", "青岚区（演示）", "Qinglan District (demo)")
COUNTY_CODE = "990101"
STREET_COUNT = 7

_HOLD = {
    int(LineClass.OUTLINE): 1.0,
    int(LineClass.RIVER): 0.01, int(LineClass.CROSSCUT): 1.6, int(LineClass.FIELD): 1.0, int(LineClass.TRACK): 0.8,
    int(LineClass.UNCLASSIFIED): 0.6, int(LineClass.RESIDENTIAL): 0.8, int(LineClass.TERTIARY): 0.40,
    int(LineClass.SECONDARY): 0.16, int(LineClass.PRIMARY): 0.05, int(LineClass.TRUNK): 0.05, INNER: 1.3,
}  # fmt: skip


@dataclass(frozen=True)
class Area:
    """One area of any level. `geometry` is in WGS84 degrees, every coordinate a multiple of 1e-7."""

    code: str
    level: str
    parent: str
    name: str
    name_en: str
    kind: str
    geometry: Any


@dataclass(frozen=True)
class Division:
    """All areas, and for every cell the number (0-based, in code order) of its grid."""

    areas: list[Area]
    cell_grid: Ints
    grid_codes: list[str]

    def level(self, level: str) -> list[Area]:
        """Areas of one level in code order."""
        return [area for area in self.areas if area.level == level]


def _cell_weight(fabric: Fabric, grids: int) -> Floats:
    """How many grids a cell is worth: mostly by households, partly by land."""
    homes = fabric.cell_households / fabric.cell_households.sum()
    land = fabric.cell_area_m2 / fabric.cell_area_m2.sum()
    return np.asarray(grids * (0.77 * homes + 0.23 * land))


def _townships(fabric: Fabric, blocks: list[Block], terrain: Terrain, hold: Any, weight: Floats) -> Ints:
    """Township number of each cell: the core in seven parts (0-6), then what lies nearest to each rural town (7-11)."""
    settlement = np.array([blocks[b].settlement for b in fabric.cell_block])
    centre = to_metres(shapely.get_coordinates(shapely.centroid(fabric.cells)))
    a, b = fabric.pair_a, fabric.pair_b
    step = np.hypot(*(centre[a] - centre[b]).T)
    step *= np.where(fabric.pair_class == LineClass.RIVER, 6.0, 1.0)
    step *= np.where((settlement[a] == settlement[b]) & (settlement[a] >= 0), 0.01, 1.0)
    graph = affinity_matrix(a, b, step, len(fabric.cells))
    reach = []
    for number in range(len(terrain.settlements)):
        members = np.flatnonzero(settlement == number)
        head_start = 2_600.0 if number == 0 else 0.0
        reach.append(dijkstra(graph, indices=members, min_only=True) + head_start)
    nearest = _connected(hold, np.argmin(np.array(reach), axis=0))
    out = nearest + STREET_COUNT - 1
    core = np.flatnonzero(nearest == 0)
    out[core] = split(hold[core][:, core], weight[core], STREET_COUNT, centre[core])
    return out


def _hold(fabric: Fabric, blocks: list[Block]) -> Any:
    """How strongly neighbouring cells belong together: weakly across rivers and main streets."""
    wet = np.array([blocks[b].use == "river" for b in fabric.cell_block])
    factor = np.array([_HOLD[int(kind)] for kind in fabric.pair_class])
    ashore = wet[fabric.pair_a] ^ wet[fabric.pair_b]
    factor[ashore & (fabric.pair_class != LineClass.RIVER)] = 6.0
    both = wet[fabric.pair_a] & wet[fabric.pair_b] & (fabric.pair_class != LineClass.RIVER)
    factor[both] = 0.4
    tiny = fabric.cell_area_m2 < 6_000
    factor[tiny[fabric.pair_a] | tiny[fabric.pair_b]] *= 40.0
    strength = fabric.pair_m * factor
    # No cell may hang on by a thread: it would be the cheapest cut of all and nothing else would be found.
    for ends in (fabric.pair_a, fabric.pair_b):
        order = np.lexsort((strength, ends))
        strongest = order[np.r_[np.flatnonzero(np.diff(ends[order])), len(order) - 1]]
        strength[strongest] = np.maximum(strength[strongest], 90.0)
    return affinity_matrix(fabric.pair_a, fabric.pair_b, strength, len(fabric.cells))


def _connected(hold: Any, label: Ints) -> Ints:
    """Move splinters of a label to the neighbouring label that holds them most strongly."""
    for _ in range(10):
        moved = False
        for value in np.unique(label):
            members = np.flatnonzero(label == value)
            count, part = connected_components(hold[members][:, members], directed=False)
            if count == 1:
                continue
            main = np.bincount(part).argmax()
            for splinter in range(count):
                if splinter == main:
                    continue
                cells = members[part == splinter]
                pull = np.asarray(hold[cells].sum(axis=0)).ravel()
                pull[label == value] = 0
                label[cells] = label[int(np.argmax(pull))]
                moved = True
        if not moved:
            break
    return label


def _west_to_east(centres: Floats, band_m: float) -> Ints:
    """Counting order: bands from north to south, west to east within a band."""
    return np.lexsort((centres[:, 0], -np.floor(centres[:, 1] / band_m)))


def _split_each(hold: Any, weight: Floats, label: Ints, parts: Ints, centre: Floats) -> Ints:
    """Split every labelled set into its number of parts; new labels count on through the old ones."""
    out = np.zeros_like(label)
    base = 0
    for value, count in enumerate(parts):
        members = np.flatnonzero(label == value)
        out[members] = base + split(hold[members][:, members], weight[members], int(count), centre[members])
        base += int(count)
    return out


def _renumber(label: Ints, parent: Ints, centre: Floats, weight: Floats, band_m: float) -> Ints:
    """Same sets, numbered parent by parent and west to east, north to south inside each."""
    count = int(label.max()) + 1
    share = np.maximum(np.bincount(label, weight, count), 1e-12)
    mean = np.column_stack([np.bincount(label, weight * centre[:, k], count) / share for k in (0, 1)])
    owner = np.zeros(count, dtype=np.int64)
    owner[label] = parent
    rank = np.empty(count, dtype=np.int64)
    order = np.lexsort((mean[:, 0], -np.floor(mean[:, 1] / band_m), owner))
    rank[order] = np.arange(count)
    return np.asarray(rank[label])


def divide(
    fabric: Fabric, blocks: list[Block], terrain: Terrain, book: NameBook, communities: int, grids: int
) -> Division:
    """Cut the cells into townships, communities and grids and give them codes and names."""
    hold = _hold(fabric, blocks)
    weight = _cell_weight(fabric, grids)
    centre = to_metres(shapely.get_coordinates(shapely.centroid(fabric.cells)))
    area = fabric.cell_area_m2
    town = _connected(hold, _townships(fabric, blocks, terrain, hold, weight))
    streets = town < STREET_COUNT
    town[streets] = _renumber(
        town[streets], np.zeros(int(streets.sum()), dtype=np.int64), centre[streets], area[streets], 3_000
    )
    town = _order_rural(town, terrain)
    town_count = int(town.max()) + 1
    share = np.asarray(np.bincount(town, weight, town_count), dtype=np.float64)
    per_town = apportion(share, communities, 3, np.full(town_count, 14))
    community = _split_each(hold, weight, town, per_town, centre)
    community = _renumber(community, town, centre, area, 1_800)
    in_community = np.asarray(np.bincount(community, weight, communities), dtype=np.float64)
    cells_in = np.bincount(community, minlength=communities)
    per_community = apportion(in_community, grids, 2, cells_in)
    grid = _split_each(hold, weight + 1e-6, community, per_community, centre)
    grid = _renumber(grid, community, centre, area, 350)
    return _name_all(fabric, terrain, book, town, community, grid)


def _order_rural(town: Ints, terrain: Terrain) -> Ints:
    """Rural towns in code order: 镇 before 乡."""
    kinds = [s.kind for s in terrain.settlements[1:]]
    order = [i for i, k in enumerate(kinds) if k == "town"] + [
        i for i, k in enumerate(kinds) if k == "township"
    ]
    place = np.arange(STREET_COUNT + len(kinds))
    for position, number in enumerate(order):
        place[STREET_COUNT + number] = STREET_COUNT + position
    return np.asarray(place[town])


def _name_all(
    fabric: Fabric, terrain: Terrain, book: NameBook, town: Ints, community: Ints, grid: Ints
) -> Division:
    """Codes, names and geometries, bottom up: every higher area is the union of its children."""
    towns = sum(s.kind == "town" for s in terrain.settlements)
    town_areas, community_areas, grid_areas = [], [], []
    in_town = terrain.settlements
    for t in range(int(town.max()) + 1):
        kind, digits = _town_kind(t, towns)
        zh, en = {"街道": ("街道", "Subdistrict"), "镇": ("镇", "Town"), "乡": ("乡", "Township")}[kind]
        name = book.with_suffix(zh, en)
        town_code = f"{COUNTY_CODE}{digits:03d}000"
        villages = urban = 0
        members = []
        for c in np.unique(community[town == t]):
            cells = np.flatnonzero(community == c)
            is_urban = (kind == "街道" and _is_urban(fabric, cells)) or (
                kind != "街道" and _holds_centre(fabric, cells, in_town)
            )
            if is_urban:
                urban += 1
                number, word, word_en = urban, "社区居委会", "Community"
            else:
                villages += 1
                number, word, word_en = 200 + villages, "村委会", "Village"
            code = f"{COUNTY_CODE}{digits:03d}{number:03d}"
            own = book.with_suffix("社区" if is_urban else "村", word_en)
            grids = []
            for n, g in enumerate(np.unique(grid[cells]), 1):
                label = f"{own.zh}第{n}网格"
                shape = shapely.coverage_union_all(fabric.cells[grid == g])
                grids.append(Area(f"{code}{n:03d}", "grid", code, label, f"{own.en} grid {n}", "网格", shape))
            union = shapely.coverage_union_all([g.geometry for g in grids])
            members.append(Area(code, "community", town_code, own.zh, own.en, word, union))
            grid_areas += grids
        union = shapely.coverage_union_all([m.geometry for m in members])
        town_areas.append(Area(town_code, "township", COUNTY[0], name.zh, name.en, kind, union))
        community_areas += members
    whole = shapely.coverage_union_all([t.geometry for t in town_areas])
    top = [
        Area(PROVINCE[0], "province", "", PROVINCE[1], PROVINCE[2], "省", whole),
        Area(CITY[0], "city", PROVINCE[0], CITY[1], CITY[2], "市", whole),
        Area(COUNTY[0], "county", CITY[0], COUNTY[1], COUNTY[2], "区", whole),
    ]
    # Grids were built in ascending number, community by community, so the n-th built is grid n.
    codes = sorted(area.code for area in grid_areas)
    rank = {code: i for i, code in enumerate(codes)}
    in_code_order = np.array([rank[area.code] for area in grid_areas])
    community_areas.sort(key=lambda area: area.code)
    grid_areas.sort(key=lambda area: area.code)
    return Division([*top, *town_areas, *community_areas, *grid_areas], in_code_order[grid], codes)


def _town_kind(number: int, towns: int) -> tuple[str, int]:
    if number < STREET_COUNT:
        return "街道", number + 1
    if number < STREET_COUNT + towns:
        return "镇", 100 + number - STREET_COUNT
    return "乡", 200 + number - STREET_COUNT - towns


def _is_urban(fabric: Fabric, cells: Ints) -> bool:
    """Dense enough for a residents' committee: more than 900 households per square kilometre."""
    return bool(fabric.cell_households[cells].sum() / fabric.cell_area_m2[cells].sum() > 900e-6)


def _holds_centre(fabric: Fabric, cells: Ints, settlements: tuple[Any, ...]) -> bool:
    """Whether the seat of a rural town lies in these cells."""
    seats = shapely.points(to_lonlat(np.array([s.centre for s in settlements[1:]])))
    return bool(shapely.intersects(shapely.union_all(fabric.cells[cells]), seats).any())
