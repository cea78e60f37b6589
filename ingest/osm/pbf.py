"""Looking at an .osm.pbf before anything is changed: is it one, is it whole, is it in order, what is in it.

The file is a row of blobs, each after a small header that tells its length
(https://wiki.openstreetmap.org/wiki/PBF_Format), so a cut-off file shows without unpacking anything.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import osmium

from gridmap.errors import Invalid

# Real ids stand near 1.4e10 and grow by 1e9 a year; our own generated districts start here.
FIRST_INVENTED_ID = 10**12
_LONGEST_BLOB_HEADER = 64 * 1024
_PROGRESS_EVERY = 100_000

Progress = Callable[[str, int, int | None], None]


@dataclass(frozen=True, slots=True)
class ExtractFacts:
    """What an extract holds. Bounds are WGS84 degrees of its nodes.

    `demo` is true when every id is one that OpenStreetMap does not use.
    """

    sha256: str
    nodes: int
    ways: int
    relations: int
    roads: int
    west: float
    south: float
    east: float
    north: float
    demo: bool

    @property
    def objects(self) -> int:
        return self.nodes + self.ways + self.relations


def inspect_extract(path: Path, progress: Progress) -> ExtractFacts:
    """Read the whole file once.

    Raises:
        Invalid: "file_not_found", "osm_not_pbf", "osm_truncated", "osm_unreadable", "osm_unsorted" (with the
            first id out of order), "osm_extract_empty".
    """
    if not path.is_file():
        raise Invalid("file_not_found", file=path.name)
    _check_blobs(path)
    with path.open("rb") as handle:
        sha256 = hashlib.file_digest(handle, "sha256").hexdigest()
    try:
        return _count(path, sha256, progress)
    except RuntimeError as error:
        raise Invalid("osm_unreadable", file=path.name, reason=str(error)[:200]) from None


def _check_blobs(path: Path) -> None:
    size = path.stat().st_size
    with path.open("rb") as handle:
        first = True
        while (position := handle.tell()) < size:
            header_length = int.from_bytes(handle.read(4), "big")
            if header_length == 0 or header_length > _LONGEST_BLOB_HEADER:
                raise Invalid("osm_not_pbf" if first else "osm_truncated", file=path.name, at_byte=position)
            header = handle.read(header_length)
            if first and b"OSMHeader" not in header:
                raise Invalid("osm_not_pbf", file=path.name)
            end = handle.tell() + _blob_length(header)
            if len(header) < header_length or end > size:
                raise Invalid("osm_truncated", file=path.name, at_byte=position, bytes=size)
            handle.seek(end)
            first = False
    if first:
        raise Invalid("osm_not_pbf", file=path.name)


def _blob_length(header: bytes) -> int:
    """Field 3 (datasize) of the protocol buffer BlobHeader; 0 when the header is garbage."""
    position = 0
    while position < len(header):
        key, position = _varint(header, position)
        value, position = _varint(header, position)
        if key == 0x18:
            return value
        if key & 7 == 2:
            position += value
    return 0


def _varint(data: bytes, position: int) -> tuple[int, int]:
    value, shift = 0, 0
    while position < len(data):
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            break
        shift += 7
    return value, position


def _count(path: Path, sha256: str, progress: Progress) -> ExtractFacts:
    counts = {"n": 0, "w": 0, "r": 0}
    roads = 0
    lowest = FIRST_INVENTED_ID
    west, south, east, north = 180.0, 90.0, -180.0, -90.0
    kind_before, id_before = "n", -1
    item: Any
    for number, item in enumerate(osmium.FileProcessor(str(path)), 1):
        kind = item.type_str()
        if kind != kind_before:
            if counts[kind] or "nwr".index(kind) < "nwr".index(kind_before):
                raise Invalid("osm_unsorted", file=path.name, kind=kind, id=item.id)
            kind_before, id_before = kind, -1
        if item.id <= id_before:
            raise Invalid("osm_unsorted", file=path.name, kind=kind, id=item.id, after=id_before)
        id_before = item.id
        counts[kind] += 1
        lowest = min(lowest, item.id)
        if kind == "n":
            place = item.location
            if place.valid():
                west, east = min(west, place.lon), max(east, place.lon)
                south, north = min(south, place.lat), max(north, place.lat)
        elif kind == "w" and "highway" in item.tags:
            roads += 1
        if number % _PROGRESS_EVERY == 0:
            progress("check", number, None)
    if counts["n"] == 0 or counts["w"] == 0 or west > east:
        raise Invalid("osm_extract_empty", file=path.name, nodes=counts["n"], ways=counts["w"])
    progress("check", sum(counts.values()), sum(counts.values()))
    return ExtractFacts(
        sha256=sha256,
        nodes=counts["n"],
        ways=counts["w"],
        relations=counts["r"],
        roads=roads,
        west=west,
        south=south,
        east=east,
        north=north,
        demo=lowest >= FIRST_INVENTED_ID,
    )
