"""Writes the district as one .osm.pbf: nodes, then ways, then relations, ids ascending from 10^12.

Points with equal coordinates are one node, which is how ways are connected.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import osmium
from osmium.osm.mutable import Node, Relation, Way

from gridmap.demo.district.frame import to_units, units_to_lonlat
from gridmap.demo.district.linework import Floats, Ints

FIRST_ID = 10**12


@dataclass
class OsmFile:
    """Collects features; all coordinates as integer units (1e-7 degree)."""

    ways: list[tuple[Ints, dict[str, str]]] = field(default_factory=list)
    nodes: list[tuple[tuple[int, int], dict[str, str]]] = field(default_factory=list)
    relations: list[tuple[list[tuple[int, str]], dict[str, str]]] = field(default_factory=list)

    def way(self, units: Ints, tags: dict[str, str]) -> int:
        """Add a way, repeated points dropped; returns its position for use in a relation."""
        keep = np.ones(len(units), dtype=bool)
        keep[1:] = (np.diff(units, axis=0) != 0).any(axis=1)
        self.ways.append((units[keep], tags))
        return len(self.ways) - 1

    def ways_in_metres(self, lines: list[tuple[Floats, dict[str, str]]]) -> None:
        """Add many ways given in district metres; projected in one go."""
        if not lines:
            return
        units = to_units(np.vstack([xy for xy, _ in lines]))
        parts = np.split(units, np.cumsum([len(xy) for xy, _ in lines])[:-1])
        for part, (_, tags) in zip(parts, lines, strict=True):
            self.way(part, tags)

    def point(self, xy_m: tuple[float, float], tags: dict[str, str]) -> None:
        """Add a tagged node given in district metres."""
        unit = to_units(np.array([xy_m]))[0]
        self.nodes.append(((int(unit[0]), int(unit[1])), tags))

    def write(self, path: Path) -> dict[str, int]:
        """Write and return counts. An existing file is replaced (the writer itself refuses to overwrite)."""
        path.unlink(missing_ok=True)
        sizes = [len(units) for units, _ in self.ways]
        every = np.vstack(
            [units for units, _ in self.ways]
            + [np.array([xy for xy, _ in self.nodes], dtype=np.int64).reshape(-1, 2)]
        )
        unique, inverse = np.unique(every[:, ::-1], axis=0, return_inverse=True)
        inverse = inverse.reshape(-1)
        refs = (inverse + FIRST_ID).tolist()
        tags: dict[int, dict[str, str]] = {}
        start = int(sum(sizes))
        for i, (_, node_tags) in enumerate(self.nodes):
            tags.setdefault(refs[start + i], {}).update(node_tags)
        writer = osmium.SimpleWriter(str(path))
        try:
            places = units_to_lonlat(unique[:, ::-1]).tolist()
            for number, location in enumerate(places, FIRST_ID):
                writer.add_node(Node(id=number, version=1, location=tuple(location), tags=tags.get(number)))
            at = 0
            for number, ((_, way_tags), size) in enumerate(zip(self.ways, sizes, strict=True), FIRST_ID):
                writer.add_way(Way(id=number, version=1, nodes=refs[at : at + size], tags=way_tags))
                at += size
            for number, (members, relation_tags) in enumerate(self.relations, FIRST_ID):
                refs_in = [("w", FIRST_ID + position, role) for position, role in members]
                writer.add_relation(Relation(id=number, version=1, members=refs_in, tags=relation_tags))
        finally:
            writer.close()
        return {"nodes": len(places), "ways": len(self.ways), "relations": len(self.relations)}
