"""How one noun takes imported rows: the columns of its stage and the statements that move them in.

A statement reads `stage`, a table of the session's own that holds one block of rows, and is handed `:batch`,
`:source`, `:now` and what else the target names. A target never writes a field that the file did not give.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

ChangeSql = Callable[[Collection[str]], str]

# "is true" keeps the planner from scanning every area in force by time: the place is what narrows the search.
# Where a point lies: the current leaf of the admin tree whose area covers it, border included. On a border,
# or in several leaves of a set that overlaps, the lowest code wins; `hits` says how many there were.
POINT_GRID = """
left join lateral (
    select (array_agg(v.area_id order by a.code))[1] as area_id,
           (array_agg(v.id order by a.code))[1] as version_id,
           (array_agg(v.path order by a.code))[1] as path,
           count(*) as hits
    from area_version v join area a on a.id = v.area_id
    where a.tree = 'admin' and v.is_leaf and (v.valid @> cast(:now as timestamptz)) is true
      and st_covers(v.geom, s.geom)
) grid on true
"""

# A line or a polygon belongs to the lowest area above every leaf it meets.
SHAPE_GRID = """
left join lateral (
    select case when count(*) = 1 then min(v.area_id) end as area_id,
           case when count(*) = 1 then (array_agg(v.path))[1] else lca(array_agg(v.path)) end as path,
           count(*) as hits
    from area_version v join area a on a.id = v.area_id
    where a.tree = 'admin' and v.is_leaf and (v.valid @> cast(:now as timestamptz)) is true
      and st_intersects(v.geom, s.geom)
) grid on true
"""


@dataclass(frozen=True, slots=True)
class StageColumn:
    """One column of a stage: its name and PostgreSQL type."""

    name: str
    kind: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Marks:
    """Statements over `:refs`: gone at the source, back again, and never shown so dropped without a trace."""

    withdraw: str
    restore: str
    forget: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """Where a noun's rows go.

    `add` inserts the staged rows and returns (ref, hits) of those in no leaf or in several; `change` makes
    the update of staged rows that are known, for the fields that the file gives. `known_in` is the table whose
    refs are taken, where that is not the noun's own.
    """

    noun: str
    table: str
    layers: tuple[str, ...]
    columns: tuple[StageColumn, ...]
    add: str
    change: ChangeSql
    marks: Marks
    known_in: str | None = None
    known_where: str = "true"
    extra: dict[str, str] = field(default_factory=dict)

    def stage_sql(self) -> str:
        """The session's own table for one block of rows, emptied at every commit."""
        body = ", ".join(f"{column.name} {column.kind}" for column in self.columns)
        return f"create temp table if not exists stage ({body}) on commit delete rows"


COMMON = (
    StageColumn("id", "uuid"),
    StageColumn("ref", "text"),
    StageColumn("source_hash", "text"),
)


def simple_marks(table: str, where: str = "true") -> Marks:
    """The withdraw, restore and forget statements of a table without followers."""
    mine = f"source = :source and ref = any(:refs) and {where}"
    return Marks(
        withdraw=f"update {table} set withdrawn_at = :now where {mine} and withdrawn_at is null",
        restore=f"update {table} set withdrawn_at = null where {mine}",
        forget=f"delete from {table} where {mine} and batch_id = :batch",
    )


def set_clause(expressions: dict[str, str], given: Collection[str]) -> str:
    """`column = expression` for the columns whose field was given; the key is "field" or "field>column"."""
    parts = []
    for key, expression in expressions.items():
        field_name, _, column = key.partition(">")
        if field_name in given:
            parts.append(f"{column or field_name} = {expression}")
    return ", ".join(parts)
