"""From tagged nodes, ways and areas to rows of the tables and entries of the gazetteer."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import osmium

from gridmap.domain.addresses import normal_house_number, normal_text
from gridmap.domain.ids import new_id
from ingest.osm import tags as rules
from ingest.osm.names import search_text
from ingest.osm.pbf import Progress
from ingest.osm.stage import BUILDING, GAZETTEER, GROUND, ROAD, Stage

_NODE_KEYS = (
    "place",
    "addr:housenumber",
    "name",
)
_WAY_KEYS = ("highway", "waterway")
_AREA_KEYS = (
    "building",
    "natural",
    "waterway",
    "landuse",
    "leisure",
    "amenity",
    "place",
    "name",
    "addr:housenumber",
)
_NAMED_GROUNDS = {"residential", "commercial", "industrial", "retail"}
_PROGRESS_EVERY = 20_000
_ADDRESS_RADIUS_M = 15.0
_LANDMARK_RADIUS_M = 30.0


class Reader:
    """One pass over an extract. `skipped` counts what had no usable geometry, by the table it was meant for."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._wkb = osmium.geom.WKBFactory()
        self.skipped: Counter[str] = Counter()
        self.street_names: dict[str, str | None] = {}

    def read(self, path: Path, objects: int, progress: Progress) -> None:
        """Stage every row of the file. `objects` is how many things it holds, for the progress."""
        areas = osmium.filter.KeyFilter(*_AREA_KEYS)
        wanted = osmium.filter.KeyFilter(*{*_NODE_KEYS, *_WAY_KEYS, *_AREA_KEYS})
        processor = osmium.FileProcessor(str(path)).with_areas(areas).with_filter(wanted)
        item: Any
        for number, item in enumerate(processor, 1):
            if item.is_node():
                self._node(item)
            elif item.is_way():
                self._way(item)
            elif item.is_area():
                self._area(item)
            if number % _PROGRESS_EVERY == 0:
                progress("read", min(number, objects), objects)
        progress("read", objects, objects)

    def _node(self, node: Any) -> None:
        tags = dict(node.tags)
        try:
            point = self._wkb.create_point(node)
        except (RuntimeError, ValueError):
            self.skipped["gazetteer"] += 1
            return
        self._names(f"n{node.id}", tags, point, is_building=False)

    def _way(self, way: Any) -> None:
        tags = dict(way.tags)
        if kind := rules.road_kind(tags):
            self._road(way, tags, kind)
        elif not way.is_closed() and (kind := rules.water_line_kind(tags)):
            line = self._line(way, 0, "ground")
            if line is not None:
                # Lines and areas share the key: an area's id is even for a way and odd for a relation.
                self._stage.add(GROUND, -way.id, "water", kind, rules.clean(tags.get("name")), line)

    def _road(self, way: Any, tags: dict[str, str], kind: str) -> None:
        direction = rules.one_way(tags)
        line = self._line(way, direction, "road")
        if line is None:
            return
        name = rules.clean(tags.get("name"))
        if name:
            self.street_names.setdefault(name, rules.clean(tags.get("name:en")))
        self._stage.add(
            ROAD, way.id, kind, name, direction != 0, rules.is_bridge(tags), rules.max_speed_kmh(tags), line
        )

    def _line(self, way: Any, direction: int, table: str) -> str | None:
        order = osmium.geom.direction.BACKWARD if direction < 0 else osmium.geom.direction.FORWARD
        try:
            line: str = self._wkb.create_linestring(way, direction=order)
        except (RuntimeError, ValueError):
            self.skipped[table] += 1
            return None
        return line

    def _area(self, area: Any) -> None:
        tags = dict(area.tags)
        ref = f"w{area.orig_id()}" if area.from_way() else f"r{area.orig_id()}"
        building = rules.building_kind(tags)
        found = rules.ground(tags)
        try:
            shape = self._wkb.create_multipolygon(area)
        except (RuntimeError, ValueError):
            self.skipped["building" if building else "ground"] += 1
            return
        if building:
            self._building(ref, tags, building, shape)
        elif found:
            layer, kind = found
            self._stage.add(GROUND, area.id, layer, kind, rules.clean(tags.get("name")), shape)
        if "highway" not in tags:
            self._names(ref, tags, shape, is_building=building is not None)

    def _building(self, ref: str, tags: dict[str, str], kind: str, shape: str) -> None:
        self._stage.add(
            BUILDING,
            new_id(),
            ref,
            rules.clean(tags.get("name")),
            kind,
            rules.clean(tags.get("addr:street") or tags.get("addr:place")),
            rules.clean(tags.get("addr:housenumber")),
            rules.levels(tags),
            rules.height_m(tags),
            rules.households(tags),
            shape,
        )

    def _names(self, ref: str, tags: dict[str, str], shape: str, *, is_building: bool) -> None:
        self._address(ref, tags, shape)
        name = rules.clean(tags.get("name"))
        if name is None:
            return
        known = rules.landmark_weight(tags)
        if place := rules.PLACES.get(tags.get("place", "")):
            self._entry(ref, "place", name, tags, *place, shape)
        elif known is not None:
            self._entry(ref, "landmark", name, tags, known, _radius_m(ref, _LANDMARK_RADIUS_M), shape)
        elif is_building:
            self._entry(ref, "building", name, tags, 1.5, None, shape)
        elif rules.ground(tags) or tags.get("landuse") in _NAMED_GROUNDS:
            self._entry(ref, "landmark", name, tags, 1.5, None, shape)

    def _entry(
        self,
        ref: str,
        kind: str,
        name: str,
        tags: dict[str, str],
        weight: float,
        radius_m: float | None,
        shape: str,
    ) -> None:
        english = rules.clean(tags.get("name:en"))
        others = (rules.clean(tags.get(key)) for key in ("name:en", "name:zh", "alt_name", "old_name"))
        found = search_text(name, *others)
        self._stage.add(
            GAZETTEER, new_id(), ref, kind, name, english, found, None, None, weight, radius_m, shape
        )

    def _address(self, ref: str, tags: dict[str, str], shape: str) -> None:
        street = rules.clean(tags.get("addr:street") or tags.get("addr:place"))
        written = rules.clean(tags.get("addr:housenumber"))
        number = normal_house_number(written) if written else None
        if street is None or written is None or number is None:
            return
        if any("\u3400" <= char <= "\u9fff" for char in street):
            name = f"{street}{written}" if not written[-1].isdigit() else f"{street}{written}号"
        else:
            name = f"{street} {written}"
        radius_m = _radius_m(ref, _ADDRESS_RADIUS_M)
        self._stage.add(
            GAZETTEER,
            new_id(),
            f"{ref}:address",
            "address",
            name,
            None,
            normal_text(name),
            normal_text(street),
            number,
            1.0,
            radius_m,
            shape,
        )


def _radius_m(ref: str, of_a_point_m: float) -> float | None:
    """A node's radius is a guess; an area's is measured where the row is switched in."""
    return of_a_point_m if ref.startswith("n") else None
