"""Names of imported places and buildings for search and geocoding, kept equal to the rows in force."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from gridmap.domain.ids import new_id
from gridmap.services.importing.batches import BatchRun

_BLOCK = 500

_ROWS = {
    "places": "select ref, name, null as street, null as house_number, st_x(geom) as lon, st_y(geom) as lat"
    " from feature where layer = 'places' and source = :source and withdrawn_at is null",
    "buildings": "select ref, name, street, house_number, st_x(c) as lon, st_y(c) as lat from (select *,"
    " st_pointonsurface(geom) as c from building where source = :source and withdrawn_at is null) as b",
}


@dataclass(frozen=True, slots=True)
class NamedRow:
    """A row in force that may have a name or an address, its point in WGS84 degrees."""

    ref: str
    name: str | None
    street: str | None
    house_number: str | None
    lon: float
    lat: float


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the gazetteer as it shall be; `name_norm` is the text a search looks through."""

    ref: str
    kind: str
    name: str
    name_norm: str
    street_norm: str | None
    house_number: str | None
    radius_m: float
    lon: float
    lat: float


def has_names(noun: str) -> bool:
    return noun in _ROWS


def named_rows(batch: BatchRun) -> list[NamedRow]:
    """The rows in force of the batch's noun and source."""
    with batch.connection.begin():
        rows = batch.connection.execute(text(_ROWS[batch.target.noun]), {"source": batch.source})
        return [NamedRow(row.ref, row.name, row.street, row.house_number, row.lon, row.lat) for row in rows]


def put_names(batch: BatchRun, entries: Iterable[Entry]) -> None:
    """Make the gazetteer's lines of this noun and source exactly `entries`; only what differs is written."""
    key = f"{batch.target.noun}:{batch.source}"
    wanted = {entry.ref: entry for entry in entries}
    known = _known(batch, key)
    gone = [ref for ref in known if ref not in wanted]
    changed = [entry for ref, entry in wanted.items() if known.get(ref) != entry]
    delete = text("delete from gazetteer where source = :key and ref = any(:refs)")
    for block in _blocks(gone):
        with batch.connection.begin():
            batch.connection.execute(delete, {"key": key, "refs": block})
    for entries_block in _blocks(changed):
        with batch.connection.begin():
            batch.connection.execute(_UPSERT, [_values(key, entry) for entry in entries_block])


_UPSERT = text(
    "insert into gazetteer (id, source, ref, kind, name, name_norm, street_norm, house_number, radius_m, geom)"
    " values (:id, :key, :ref, :kind, :name, :name_norm, :street_norm, :house_number, :radius_m,"
    " st_setsrid(st_makepoint(:lon, :lat), 4326))"
    " on conflict (source, ref) do update set kind = excluded.kind, name = excluded.name,"
    " name_norm = excluded.name_norm, street_norm = excluded.street_norm,"
    " house_number = excluded.house_number, radius_m = excluded.radius_m, geom = excluded.geom"
)


def _known(batch: BatchRun, key: str) -> dict[str, Entry]:
    with batch.connection.begin():
        rows = batch.connection.execute(
            text(
                "select ref, kind, name, name_norm, street_norm, house_number, radius_m, st_x(geom) as lon,"
                " st_y(geom) as lat from gazetteer where source = :key"
            ),
            {"key": key},
        )
        return {row.ref: Entry(*row) for row in rows}


def _values(key: str, entry: Entry) -> dict[str, Any]:
    names = Entry.__dataclass_fields__
    return {"id": new_id(), "key": key, **{name: getattr(entry, name) for name in names}}


def _blocks(items: Sequence[Any]) -> Iterable[list[Any]]:
    return (list(items[start : start + _BLOCK]) for start in range(0, len(items), _BLOCK))
