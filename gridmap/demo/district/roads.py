"""Streets as OSM ways: names, one-way rules, speeds, and chains that run through crossings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gridmap.demo.district.fabric import Fabric
from gridmap.demo.district.frame import to_units
from gridmap.demo.district.linework import Ints, LineClass, Mesh
from gridmap.demo.district.names import Name, NameBook
from gridmap.demo.district.streets import Street, StreetRegister
from gridmap.demo.district.terrain import Terrain

HIGHWAY = {
    LineClass.TRACK: "track", LineClass.UNCLASSIFIED: "unclassified", LineClass.RESIDENTIAL: "residential",
    LineClass.TERTIARY: "tertiary", LineClass.SECONDARY: "secondary", LineClass.PRIMARY: "primary",
    LineClass.TRUNK: "trunk",
}  # fmt: skip
MAXSPEED_KMH = {
    LineClass.TRACK: 20, LineClass.UNCLASSIFIED: 40, LineClass.RESIDENTIAL: 30, LineClass.TERTIARY: 40,
    LineClass.SECONDARY: 50, LineClass.PRIMARY: 60, LineClass.TRUNK: 80,
}  # fmt: skip
LANES = {LineClass.TERTIARY: 2, LineClass.SECONDARY: 4, LineClass.PRIMARY: 6, LineClass.TRUNK: 6}


@dataclass(frozen=True)
class RoadWay:
    """One way: integer units (n, 2), in driving direction when one-way."""

    units: Ints
    rank: LineClass
    street: int
    bridge: bool
    oneway: bool


def name_streets(register: StreetRegister, terrain: Terrain, book: NameBook) -> list[Name]:
    """A name for every street number; both banks of one avenue share the stem (枫林北路, 枫林南路)."""
    stems: dict[tuple[int, int, int], Name] = {}
    return [_street_name(street, terrain, book, stems) for street in register.streets]


def _street_name(
    street: Street, terrain: Terrain, book: NameBook, stems: dict[tuple[int, int, int], Name]
) -> Name:
    if street.axis == 2:
        return (
            Name("环城公路", "Ring Highway")
            if street.settlement == 0
            else book.with_suffix("环路", "Ring Road")
        )
    if street.axis == 3:
        side = ("北", "North") if street.index == 0 else ("南", "South")
        word = ("沿江大道", "Riverside Avenue") if street.settlement == 0 else ("江堤路", "Levee Road")
        return Name(f"{word[0]}{side[0]}段", f"{side[1]} {word[1]}")
    if street.axis == 4:
        if street.rank == LineClass.UNCLASSIFIED:
            return book.with_suffix("村道", "Village Road")
        zh = {LineClass.PRIMARY: "公路", LineClass.SECONDARY: "公路", LineClass.TERTIARY: "县道"}[street.rank]
        return book.with_suffix(zh, "Highway" if street.rank > LineClass.TERTIARY else "County Road")
    if street.side == "bridge":
        return book.with_suffix("大桥", "Bridge")
    key = (street.settlement, street.axis, street.index)
    if key not in stems:
        stems[key] = book.place()
    stem = stems[key]
    zh, en = {
        LineClass.PRIMARY: ("大道", "Avenue"), LineClass.SECONDARY: ("路", "Road"), LineClass.TERTIARY: ("路", "Road"),
        LineClass.RESIDENTIAL: ("街", "Street") if street.index % 2 else ("巷", "Lane"),
    }[street.rank]  # fmt: skip
    if street.settlement == 0 and street.axis == 1 and street.rank >= LineClass.SECONDARY:
        side_zh, side_en = ("北", "North") if street.side == "north" else ("南", "South")
        return Name(f"{stem.zh}{side_zh}{zh}", f"{side_en} {stem.en} {en}")
    return Name(f"{stem.zh}{zh}", f"{stem.en} {en}")


def _oneway_sign(street: Street) -> int:
    """+1 / -1: traffic runs with / against the lattice axis; 0: both ways. Neighbouring streets form pairs."""
    if (
        street.settlement != 0
        or street.axis > 1
        or street.rank not in (LineClass.RESIDENTIAL, LineClass.TERTIARY)
    ):
        return 0
    return {1: 1, 3: -1}.get(street.index % 12, 0)


def chain_roads(mesh: Mesh, fabric: Fabric, register: StreetRegister) -> list[RoadWay]:
    """Join edges of one street, rank and kind end to end."""
    signs = np.array([_oneway_sign(s) for s in register.streets] + [0])
    drivable = np.flatnonzero(mesh.classes >= LineClass.TRACK)
    car = drivable[mesh.classes[drivable] >= LineClass.UNCLASSIFIED]
    degree = np.bincount(np.r_[mesh.start[car], mesh.end[car]], minlength=len(mesh.nodes))
    dead_ends = {tuple(unit) for unit in to_units(mesh.nodes[degree < 2]).tolist()}
    groups: dict[tuple[int, int, bool], list[int]] = {}
    for edge in drivable.tolist():
        groups.setdefault(
            (int(mesh.streets[edge]), int(mesh.classes[edge]), bool(mesh.bridges[edge])), []
        ).append(edge)
    out = []
    for (street, rank, bridge), edges in sorted(groups.items()):
        for chain in _chains(mesh, edges):
            units = _concatenate(mesh, fabric, chain)
            sign = int(signs[street])
            if tuple(units[0].tolist()) in dead_ends or tuple(units[-1].tolist()) in dead_ends:
                sign = 0
            if sign:
                step = units[-1] - units[0]
                axis = register.streets[street].axis
                if np.sign(step[axis]) != sign:
                    units = units[::-1]
            out.append(RoadWay(units, LineClass(rank), street, bridge, sign != 0))
    return out


def _chains(mesh: Mesh, edges: list[int]) -> list[list[int]]:
    """Edge numbers in walking order, one list per unbroken line."""
    at: dict[int, list[int]] = {}
    for edge in edges:
        at.setdefault(int(mesh.start[edge]), []).append(edge)
        at.setdefault(int(mesh.end[edge]), []).append(edge)
    left = dict.fromkeys(edges)
    starts = [n for n, e in at.items() if len(e) != 2] + list(at)
    chains = []
    for node in starts:
        for first in at[node]:
            if first not in left:
                continue
            chain, here, edge = [], node, first
            while True:
                del left[edge]
                chain.append(edge)
                here = int(mesh.end[edge]) if int(mesh.start[edge]) == here else int(mesh.start[edge])
                following = [e for e in at[here] if e in left]
                if len(at[here]) != 2 or not following or len(chain) >= 40:
                    break
                edge = following[0]
            chains.append(chain)
    return chains


def _concatenate(mesh: Mesh, fabric: Fabric, chain: list[int]) -> Ints:
    parts: list[Ints] = []
    if len(chain) == 1:
        return fabric.edges[chain[0]]
    shared = {int(mesh.start[chain[1]]), int(mesh.end[chain[1]])}
    here = int(mesh.start[chain[0]])
    if here in shared and int(mesh.end[chain[0]]) not in shared:
        here = int(mesh.end[chain[0]])
    for edge in chain:
        units = fabric.edges[edge]
        if int(mesh.start[edge]) != here:
            units = units[::-1]
            here = int(mesh.start[edge])
        else:
            here = int(mesh.end[edge])
        parts.append(units if not parts else units[1:])
    return np.vstack(parts)


def road_tags(road: RoadWay, name: Name | None, number: int) -> dict[str, str]:
    """OSM tags of a street."""
    tags = {"highway": HIGHWAY[road.rank], "maxspeed": str(MAXSPEED_KMH[road.rank])}
    if name is not None:
        tags |= {"name": name.zh, "name:zh": name.zh, "name:en": name.en}
    if road.rank in LANES:
        tags["lanes"] = str(1 if road.oneway else LANES[road.rank])
    if road.oneway:
        tags["oneway"] = "yes"
    if road.bridge:
        tags |= {"bridge": "yes", "layer": "1"}
    if (
        road.street >= 0
        and name is not None
        and name.zh.endswith("公路")
        and road.rank >= LineClass.SECONDARY
    ):
        tags["ref"] = f"X{990 + number % 9}"
    return tags
