"""What a search should find of imported places and buildings: their names, and addresses with a house number."""

from __future__ import annotations

from collections.abc import Iterator

from gridmap.domain.addresses import normal_house_number, normal_text
from gridmap.services.importing.batches import BatchRun
from gridmap.services.importing.names import Entry, NamedRow, named_rows, put_names
from ingest.osm.names import search_text

_PLACE_RADIUS_M = 30.0
_BUILDING_RADIUS_M = 25.0


def sync_names(batch: BatchRun) -> None:
    """Bring the gazetteer up to what is in force. Safe to repeat, so a run that died is made good by the next."""
    kind = "landmark" if batch.target.noun == "places" else "building"
    put_names(batch, (entry for row in named_rows(batch) for entry in _entries(row, kind)))


def _entries(row: NamedRow, kind: str) -> Iterator[Entry]:
    radius_m = _PLACE_RADIUS_M if kind == "landmark" else _BUILDING_RADIUS_M
    if row.name:
        words = search_text(row.name)
        yield Entry(f"name:{row.ref}", kind, row.name, words, None, None, radius_m, row.lon, row.lat)
    number = normal_house_number(row.house_number) if row.house_number else None
    if row.street and number:
        label = f"{row.street}{row.house_number}"
        street = normal_text(row.street)
        words = search_text(label)
        yield Entry(f"address:{row.ref}", "address", label, words, street, number, radius_m, row.lon, row.lat)
