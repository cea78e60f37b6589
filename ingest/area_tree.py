"""From rows with codes to a tree of areas: levels, parents, and higher areas as the union of their
children."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from shapely import MultiPolygon

from gridmap.domain.coverage import AreaFault, coverage_faults, invalid_faults, repair, union_of
from gridmap.domain.crs import snap_1e9
from gridmap.domain.vocab import Vocabulary
from gridmap.errors import Invalid

NATIONAL = "national"


@dataclass(slots=True)
class AreaNode:
    """One area of the file, or one that is only named as a parent. `outline` is the file's own polygon."""

    code: str
    name: str
    level: str
    parent: str | None
    outline: Any | None
    children: list[AreaNode] = field(default_factory=list)
    shape: MultiPolygon | None = None

    @property
    def is_leaf(self) -> bool:
        return not self.children


@dataclass(frozen=True, slots=True)
class AreaRow:
    """One row of an area file, its geometry in WGS84."""

    code: str
    name: str | None
    level: str | None
    parent: str | None
    geometry: Any


class Levels:
    """The ladder of levels and how many digits a division code has on each (GB/T 2260 and what hangs
    below)."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        rows = sorted(vocabulary.lists["level"].values(), key=lambda term: term.extra["rank"])
        self.keys = [term.key for term in rows]
        self.digits = {term.key: int(term.extra["digits"]) for term in rows}

    def above(self, level: str) -> str:
        """The level right above. Raises Invalid("level_has_none_above")."""
        rank = self.keys.index(level)
        if rank == 0:
            raise Invalid("level_has_none_above", level=level)
        return self.keys[rank - 1]

    def of_code(self, code: str) -> str | None:
        """The level that a division code's length tells; trailing zeros of a 12-digit code are padding."""
        if not code.isdigit():
            return None
        plain = self.plain(code)
        return next((level for level, digits in self.digits.items() if digits == len(plain)), None)

    def plain(self, code: str) -> str:
        """A division code without the zeros that pad it to 12 digits."""
        if len(code) != 12 or not code.isdigit():
            return code
        for digits in (2, 4, 6, 9):
            if code[digits:] == "0" * (12 - digits):
                return code[:digits]
        return code

    def is_national(self, code: str, level: str) -> bool:
        return code.isdigit() and len(code) == self.digits[level]


def build_tree(rows: Sequence[AreaRow], levels: Levels, default_level: str | None) -> list[AreaNode]:
    """Nodes with parents before children.

    A parent that has no row of its own is made from its code, one level up. Where no parent is given, a
    division code is hung under the code that it starts with, if the file has it.

    Raises Invalid: "level_missing", "area_code_repeated", "areas_in_a_circle", "parent_not_above".
    """
    nodes: dict[str, AreaNode] = {}
    for row in rows:
        code = levels.plain(row.code)
        level = row.level or default_level or levels.of_code(code)
        if level is None:
            raise Invalid("level_missing", area=row.code)
        if code in nodes:
            raise Invalid("area_code_repeated", area=row.code)
        nodes[code] = AreaNode(code, row.name or row.code, level, row.parent, row.geometry)
    _name_parents(nodes, levels)
    return _in_order(nodes, levels)


def _name_parents(nodes: dict[str, AreaNode], levels: Levels) -> None:
    for node in list(nodes.values()):
        if node.parent is None:
            node.parent = _prefix_parent(node, nodes, levels)
            continue
        parent = levels.plain(node.parent)
        node.parent = parent
        if parent not in nodes:
            nodes[parent] = AreaNode(parent, parent, levels.above(node.level), None, None)


def _prefix_parent(node: AreaNode, nodes: Mapping[str, AreaNode], levels: Levels) -> str | None:
    if not levels.is_national(node.code, node.level):
        return None
    shorter = [digits for digits in levels.digits.values() if digits < len(node.code)]
    return next(
        (node.code[:digits] for digits in sorted(shorter, reverse=True) if node.code[:digits] in nodes), None
    )


def _in_order(nodes: Mapping[str, AreaNode], levels: Levels) -> list[AreaNode]:
    for node in nodes.values():
        if node.parent is None:
            continue
        parent = nodes[node.parent]
        if levels.keys.index(parent.level) >= levels.keys.index(node.level):
            raise Invalid("parent_not_above", area=node.code, parent=parent.code)
        parent.children.append(node)
    ordered: list[AreaNode] = []
    waiting = sorted((node for node in nodes.values() if node.parent is None), key=lambda node: node.code)
    while waiting:
        node = waiting.pop(0)
        ordered.append(node)
        waiting += sorted(node.children, key=lambda child: child.code)
    if len(ordered) != len(nodes):
        raise Invalid("areas_in_a_circle")
    return ordered


def shape_tree(ordered: Sequence[AreaNode], outline: Any | None = None) -> list[AreaFault]:
    """Give every area its shape, and list what keeps the leaves from being an exact coverage.

    Leaves are put on the 1e-9 degree lattice and repaired where invalid; every higher area is the union of
    its children. A higher area's own outline in the file is only compared: what it has beyond its children is
    a gap.

    Raises Invalid("leaf_without_geometry").
    """
    leaves = [node for node in ordered if node.is_leaf]
    without = [node.code for node in leaves if node.outline is None]
    if without:
        raise Invalid("leaf_without_geometry", areas=without[:20])
    snapped = {node.code: snap_1e9(node.outline) for node in leaves}
    faults = invalid_faults(snapped)
    for node in leaves:
        node.shape = repair(snapped[node.code])
        if node.shape is None:
            raise Invalid("leaf_without_geometry", areas=[node.code])
    for node in reversed(ordered):
        if not node.is_leaf:
            node.shape = union_of([child.shape for child in node.children])
    faults += _against_outlines(ordered)
    tops = [node for node in ordered if node.parent is None]
    whole = outline if outline is not None else _whole_outline(tops)
    return faults + coverage_faults(
        {node.code: node.shape for node in leaves if node.shape is not None}, whole
    )


def _against_outlines(ordered: Sequence[AreaNode]) -> list[AreaFault]:
    """Per higher area below the top: its outline against its children. The top is judged with the whole."""
    faults: list[AreaFault] = []
    for node in ordered:
        if node.is_leaf or node.outline is None or node.parent is None:
            continue
        outline = repair(snap_1e9(node.outline))
        shapes = {child.code: child.shape for child in node.children if child.shape is not None}
        found = coverage_faults(shapes, outline)
        faults += [
            AreaFault(
                fault.code, fault.areas or (node.code,), fault.size_m2, fault.lon, fault.lat, "children"
            )
            for fault in found
            if fault.code in ("gap", "outside_outline")
        ]
    return faults


def _whole_outline(tops: Sequence[AreaNode]) -> Any | None:
    if any(node.is_leaf or node.outline is None for node in tops):
        return None
    return union_of([repair(snap_1e9(node.outline)) for node in tops])
