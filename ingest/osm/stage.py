"""Rows of one extract on their way into the tables: staged by COPY, then switched in.

Everything happens in short transactions: the live feed waits for the oldest open one. A run that dies half-way
leaves valid rows of both files; the next run makes it whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, text

from gridmap.db.faults import translated

_FLUSH_ROWS = 5_000
_BLOCK_ROWS = 10_000


@dataclass(frozen=True, kw_only=True)
class StageTable:
    """A table of ours and its stage.

    Attributes:
        columns: column name -> SQL type, in the order rows are given.
        key: the columns that name a row within the extract.
        owner: the column that holds the extract, and how it is spelled there.
        select: SQL expressions of the stage (alias s) for columns that are not copied as they are.
    """

    name: str
    columns: dict[str, str]
    key: tuple[str, ...]
    owner: tuple[str, str]
    select: dict[str, str] = field(default_factory=dict)
    never_updated: tuple[str, ...] = ()

    def create_sql(self) -> str:
        listed = ", ".join(f"{name} {kind}" for name, kind in self.columns.items())
        return f"create temporary table stage_{self.name} (n bigint generated always as identity, {listed})"

    def upsert_sql(self) -> str:
        owner, value = self.owner
        target = ", ".join([owner, *self.columns])
        source = ", ".join([value, *(self.select.get(name, f"s.{name}") for name in self.columns)])
        changing = [name for name in self.columns if name not in (*self.key, *self.never_updated)]
        assign = ", ".join(f"{name} = excluded.{name}" for name in changing)
        before = ", ".join(f"t.{name}" for name in changing)
        after = ", ".join(f"excluded.{name}" for name in changing)
        return (
            f"insert into {self.name} as t ({target}) select {source} from stage_{self.name} s"
            f" where s.n > :above and s.n <= :upto"
            f" on conflict ({owner}, {', '.join(self.key)}) do update set {assign}"
            f" where ({before}) is distinct from ({after})"
        )

    def delete_sql(self) -> str:
        owner, value = self.owner
        same = " and ".join(f"s.{name} = t.{name}" for name in self.key)
        return (
            f"delete from {self.name} t where t.{owner} = {value}"
            f" and not exists (select 1 from stage_{self.name} s where {same})"
        )


_BY_EXTRACT = ("extract", "cast(:extract as text)")
_BY_SOURCE = ("source", "'osm:' || cast(:extract as text)")
_IN_WGS84 = {"geom": "ST_SetSRID(s.geom, 4326)"}

ROAD = StageTable(
    name="road",
    columns={
        "osm_id": "bigint",
        "kind": "text",
        "name": "text",
        "oneway": "boolean",
        "bridge": "boolean",
        "maxspeed_kmh": "double precision",
        "geom": "geometry",
    },
    key=("osm_id",),
    owner=_BY_EXTRACT,
    select=_IN_WGS84,
)
GROUND = StageTable(
    name="ground",
    columns={"osm_id": "bigint", "layer": "text", "kind": "text", "name": "text", "geom": "geometry"},
    key=("osm_id",),
    owner=_BY_EXTRACT,
    select=_IN_WGS84,
)
BUILDING = StageTable(
    name="building",
    columns={
        "id": "uuid",
        "ref": "text",
        "name": "text",
        "kind": "text",
        "street": "text",
        "house_number": "text",
        "levels": "double precision",
        "height_m": "double precision",
        "households": "integer",
        "geom": "geometry",
    },
    key=("ref",),
    owner=_BY_SOURCE,
    select=_IN_WGS84,
    never_updated=("id",),
)
GAZETTEER = StageTable(
    name="gazetteer",
    columns={
        "id": "uuid",
        "ref": "text",
        "kind": "text",
        "name": "text",
        "name_en": "text",
        "name_norm": "text",
        "street_norm": "text",
        "house_number": "text",
        "weight": "double precision",
        "radius_m": "double precision",
        "geom": "geometry",
    },
    key=("ref",),
    owner=_BY_SOURCE,
    select={
        # A label point that lies inside, whatever the shape; the radius of a circle as large as the shape.
        "geom": "ST_SetSRID(ST_PointOnSurface(s.geom), 4326)",
        "radius_m": (
            "coalesce(s.radius_m, greatest(10, sqrt(ST_Area(ST_SetSRID(s.geom, 4326)::geography) / pi())))"
        ),
    },
    never_updated=("id",),
)
TABLES = (ROAD, GROUND, BUILDING, GAZETTEER)


class Stage:
    """The stages of one import on one connection; rows are buffered and copied a few thousand at a time."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._waiting: dict[str, list[tuple[Any, ...]]] = {table.name: [] for table in TABLES}
        self.counts: dict[str, int] = {table.name: 0 for table in TABLES}
        with connection.begin():
            for table in TABLES:
                connection.execute(text(f"drop table if exists pg_temp.stage_{table.name}"))
                connection.execute(text(table.create_sql()))

    def add(self, table: StageTable, *row: Any) -> None:
        """One row in the order of the table's columns; geometries as hex WKB."""
        waiting = self._waiting[table.name]
        waiting.append(row)
        self.counts[table.name] += 1
        if len(waiting) >= _FLUSH_ROWS:
            self._flush(table)

    def flush(self) -> None:
        """Copy what is still waiting."""
        for table in TABLES:
            self._flush(table)

    def finish(self) -> None:
        """Copy what is still waiting, and tell the planner what lies in the stages."""
        self.flush()
        with self._connection.begin():
            for table in TABLES:
                keys = ", ".join(table.key)
                self._connection.execute(text(f"create index on stage_{table.name} ({keys})"))
                self._connection.execute(text(f"analyze stage_{table.name}"))

    def list_rows(self, query: str) -> Sequence[Any]:
        """Read from the stages, in a transaction that writes nothing."""
        with self._connection.begin():
            return self._connection.execute(text(query)).all()

    def switch(self, table: StageTable, extract: str) -> None:
        """Make the table hold exactly the staged rows of `extract`: new and changed ones first, then gone ones."""
        total = self.counts[table.name]
        for above in range(0, total, _BLOCK_ROWS):
            window = {"above": above, "upto": above + _BLOCK_ROWS, "extract": extract}
            with translated(), self._connection.begin():
                self._connection.execute(text(table.upsert_sql()), window)
        with translated(), self._connection.begin():
            self._connection.execute(text(table.delete_sql()), {"extract": extract})
        with self._connection.begin():
            self._connection.execute(text(f"analyze {table.name}"))

    def drop(self) -> None:
        with self._connection.begin():
            for table in TABLES:
                self._connection.execute(text(f"drop table if exists pg_temp.stage_{table.name}"))

    def _flush(self, table: StageTable) -> None:
        rows, self._waiting[table.name] = self._waiting[table.name], []
        if not rows:
            return
        driver: Any = self._connection.connection.driver_connection
        columns = ", ".join(table.columns)
        with (
            self._connection.begin(),
            driver.cursor() as cursor,
            cursor.copy(f"copy stage_{table.name} ({columns}) from stdin") as copy,
        ):
            for row in rows:
                copy.write_row(row)
