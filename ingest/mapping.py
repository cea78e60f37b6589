"""Which column fills which field: what was said with --map, else columns named like the field or a known
header."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from gridmap.errors import Invalid
from ingest.base import Table
from ingest.fields import Field
from ingest.nouns.base import Noun
from ingest.request import ImportRequest

LEAVE_OUT = "-"
PLACE_FIELDS = (
    Field(name="lon", kind="number", aliases=("lng", "longitude", "经度", "x", "横坐标")),
    Field(name="lat", kind="number", aliases=("latitude", "纬度", "y", "纵坐标")),
    Field(name="wkt", most_chars=50_000_000, aliases=("geom_wkt",)),
)


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """field -> column, the fields the file gives (with defaults and "geometry"), and what was not used."""

    columns: Mapping[str, str]
    given: frozenset[str]
    ignored: tuple[str, ...]


def map_columns(table: Table, noun: Noun, request: ImportRequest) -> ColumnMap:
    """Raises Invalid: "map_unknown_column", "map_unknown_field", "field_mapped_twice", "field_missing",
    "no_coordinates"."""
    columns = map_fields_of(
        table, noun.fields, request.mapping, with_place=noun.shape != "none", defaults=request.defaults
    )
    known = {spec.name for spec in noun.fields}
    for name in (*request.defaults, *request.value_maps):
        if name not in known:
            raise Invalid("map_unknown_field", field=name, known=sorted(known))
    for column in request.keep:
        if column not in table.columns:
            raise Invalid("map_unknown_column", column=column, known=list(table.columns))
    place = _has_place(table, noun, columns)
    used = {*columns.values(), *request.keep}
    given = {*columns, *request.defaults, *({"geometry"} if place or noun.geocoded else ())}
    if noun.key == "incidents" and {"occurred", "reported"} & given:
        given.add("occurred")
    ignored = tuple(column for column in table.columns if column not in used)
    return ColumnMap(columns, frozenset(given), ignored)


def map_fields_of(
    table: Table,
    fields: Sequence[Field],
    said: Mapping[str, str],
    *,
    with_place: bool,
    defaults: Collection[str] = (),
) -> dict[str, str]:
    """field -> column. Raises as `map_columns` does."""
    specs = {spec.name: spec for spec in (*fields, *(PLACE_FIELDS if with_place else ()))}
    columns = _said(table, specs, said)
    for name, spec in specs.items():
        if name not in columns:
            column = _by_name(spec, table, said, set(columns.values()))
            if column is not None:
                columns[name] = column
    for spec in fields:
        if spec.required and spec.name not in columns and spec.name not in defaults:
            raise Invalid("field_missing", field=spec.name, columns=list(table.columns))
    return columns


def _said(table: Table, specs: Mapping[str, Field], said: Mapping[str, str]) -> dict[str, str]:
    columns: dict[str, str] = {}
    for column, name in said.items():
        if column not in table.columns:
            raise Invalid("map_unknown_column", column=column, known=list(table.columns))
        if name == LEAVE_OUT:
            continue
        if name not in specs:
            raise Invalid("map_unknown_field", field=name, known=sorted(specs))
        if name in columns:
            raise Invalid("field_mapped_twice", field=name)
        columns[name] = column
    return columns


def _by_name(spec: Field, table: Table, said: Mapping[str, str], taken: set[str]) -> str | None:
    free = [column for column in table.columns if column not in said and column not in taken]
    for wanted in (spec.name, *spec.aliases):
        for column in free:
            if column.casefold() == wanted.casefold():
                return column
    return None


def _has_place(table: Table, noun: Noun, columns: Mapping[str, str]) -> bool:
    if noun.shape == "none":
        return False
    pair = {"lon", "lat"} & set(columns)
    if len(pair) == 1 and not table.has_geometry and "wkt" not in columns:
        raise Invalid("no_coordinates", columns=list(table.columns))
    place = table.has_geometry or "wkt" in columns or len(pair) == 2
    if noun.geometry_needed and not place:
        raise Invalid("no_coordinates", columns=list(table.columns))
    return place
