"""A set of areas from outside: prepared out of sight, then switched to in one transaction.

New versions are written with an empty span of validity, so nothing sees them. The switch ends the old
versions and starts the new ones at one moment; nothing is overwritten, and an area that did not change keeps
its version. A run that dies before the switch leaves nothing that anybody sees, and the next run clears it
away.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from gridmap.db.faults import translated
from gridmap.domain.ids import new_id
from gridmap.errors import Conflict
from gridmap.services.importing.batches import BatchRun, announce_layers
from gridmap.services.importing.targets import Marks, Target

_BLOCK = 200

# Areas take the lock and the batch of an import, and bring statements of their own.
AREAS = Target(
    noun="areas",
    table="area",
    layers=("areas",),
    columns=(),
    add="",
    change=lambda _given: "",
    marks=Marks(withdraw="", restore="", forget=""),
)


@dataclass(frozen=True, slots=True)
class AreaDraft:
    """One area as it shall be from now on. `wkb` is a valid MultiPolygon in WGS84 on the 1e-9 degree
    lattice."""

    code: str
    name: str
    level: str
    scheme: str
    ref: str
    parent_code: str | None
    is_leaf: bool
    wkb: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class AreaSetDraft:
    """A whole set, parents before children. `root_path` is the path of the area that the set hangs under."""

    tree: str
    name: str
    source: str
    verified: bool
    faults: Sequence[Mapping[str, Any]]
    areas: Sequence[AreaDraft]
    root_id: int | None = None
    root_path: str = ""
    partial: bool = False


@dataclass(slots=True)
class AreaCounts:
    """How many areas the switch touched."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    ended: int = 0
    relocated: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Current:
    version_id: UUID
    area_id: int
    parent_id: int | None
    name: str
    is_leaf: bool
    path: str
    wkb: bytes


def put_in_force(batch: BatchRun, draft: AreaSetDraft) -> AreaCounts:
    """Make the set the current one of its source in its tree.

    Raises Conflict("area_code_taken") when a code names an area of another tree, level or source.
    """
    connection = batch.connection
    with translated():
        _clear_unfinished(connection, draft)
        ids = _ensure_areas(connection, draft)
        current = _current_versions(connection, draft, batch)
        paths = _paths(draft, ids)
        counts = AreaCounts()
        fresh: list[dict[str, Any]] = []
        kept: list[UUID] = []
        set_id = new_id()
        for area in draft.areas:
            row = _version_row(area, draft, ids, paths, set_id)
            before = current.get(area.code)
            if before is not None and _same(before, row):
                kept.append(before.version_id)
                counts.unchanged += 1
            else:
                fresh.append(row)
                counts.added += before is None
                counts.changed += before is not None
        listed = {area.code for area in draft.areas}
        ended = (
            [] if draft.partial else [row.version_id for code, row in current.items() if code not in listed]
        )
        counts.ended = len(ended)
        if fresh or ended or _set_changed(connection, draft):
            _prepare(connection, batch, draft, set_id, fresh)
            _switch(connection, batch, draft, set_id, fresh, kept, ended)
        return counts


def _clear_unfinished(connection: Connection, draft: AreaSetDraft) -> None:
    """What a run that died had prepared: versions that were never in force, and their set."""
    with connection.begin():
        key = {"tree": draft.tree, "source": draft.source}
        dead = (
            "select s.id from area_set s join import_batch b on b.id = s.batch_id"
            " where s.tree = :tree and s.source = :source and b.visible_at is null"
        )
        connection.execute(text(f"delete from area_version where area_set_id in ({dead})"), key)
        connection.execute(text(f"delete from area_set where id in ({dead})"), key)


def _ensure_areas(connection: Connection, draft: AreaSetDraft) -> dict[str, int]:
    ids: dict[str, int] = {}
    for start in range(0, len(draft.areas), _BLOCK):
        block = draft.areas[start : start + _BLOCK]
        rows = [
            {
                "tree": draft.tree,
                "level": area.level,
                "scheme": area.scheme,
                "code": area.code,
                "source": draft.source,
                "ref": area.ref,
            }
            for area in block
        ]
        with connection.begin():
            connection.execute(
                text(
                    "insert into area (tree, level, scheme, code, source, ref)"
                    " values (:tree, :level, :scheme, :code, :source, :ref) on conflict (code) do nothing"
                ),
                rows,
            )
            found = connection.execute(
                text("select code, id, tree, level, source from area where code = any(:codes)"),
                {"codes": [area.code for area in block]},
            ).all()
        levels = {area.code: area.level for area in block}
        for row in found:
            if (row.tree, row.level, row.source) != (draft.tree, levels[row.code], draft.source):
                raise Conflict("area_code_taken", area=row.code, tree=row.tree, level=row.level)
            ids[row.code] = row.id
    return ids


def _current_versions(connection: Connection, draft: AreaSetDraft, batch: BatchRun) -> dict[str, _Current]:
    with connection.begin():
        rows = connection.execute(
            text(
                "select a.code, v.id, v.area_id, v.parent_id, v.name, v.is_leaf, v.path::text as path,"
                " st_asbinary(v.geom) as wkb from area_version v join area a on a.id = v.area_id"
                " where a.tree = :tree and a.source = :source and v.valid @> cast(:now as timestamptz)"
            ),
            {"tree": draft.tree, "source": draft.source, "now": batch.now},
        )
        return {
            row.code: _Current(
                row.id, row.area_id, row.parent_id, row.name, row.is_leaf, row.path, bytes(row.wkb)
            )
            for row in rows
        }


def _paths(draft: AreaSetDraft, ids: Mapping[str, int]) -> dict[str, str]:
    paths: dict[str, str] = {}
    for area in draft.areas:
        above = paths[area.parent_code] if area.parent_code is not None else draft.root_path
        paths[area.code] = f"{above}.{ids[area.code]}" if above else str(ids[area.code])
    return paths


def _version_row(
    area: AreaDraft, draft: AreaSetDraft, ids: Mapping[str, int], paths: Mapping[str, str], set_id: UUID
) -> dict[str, Any]:
    return {
        "id": new_id(),
        "area_id": ids[area.code],
        "parent_id": ids[area.parent_code] if area.parent_code is not None else draft.root_id,
        "set_id": set_id,
        "path": paths[area.code],
        "name": area.name,
        "is_leaf": area.is_leaf,
        "wkb": area.wkb,
    }


def _same(before: _Current, row: Mapping[str, Any]) -> bool:
    was = (before.parent_id, before.name, before.is_leaf, before.path, before.wkb)
    return was == (row["parent_id"], row["name"], row["is_leaf"], row["path"], row["wkb"])


def _set_changed(connection: Connection, draft: AreaSetDraft) -> bool:
    """Whether the newest set of this source says something else about its own soundness."""
    with connection.begin():
        row = connection.execute(
            text(
                "select status, faults from area_set where tree = :tree and source = :source"
                " order by version desc limit 1"
            ),
            {"tree": draft.tree, "source": draft.source},
        ).first()
    status = "verified" if draft.verified else "unverified"
    return row is None or (row.status, row.faults) != (status, [dict(fault) for fault in draft.faults])


def _prepare(
    connection: Connection, batch: BatchRun, draft: AreaSetDraft, set_id: UUID, rows: Sequence[dict[str, Any]]
) -> None:
    with connection.begin():
        connection.execute(
            text(
                "insert into area_set (id, tree, name, status, faults, version, source, batch_id, created_at)"
                " values (:id, :tree, :name, :status, cast(:faults as jsonb),"
                " (select coalesce(max(version), 0) + 1 from area_set where tree = :tree), :source, :batch, :now)"
            ),
            {
                "id": set_id,
                "tree": draft.tree,
                "name": draft.name,
                "status": "verified" if draft.verified else "unverified",
                "faults": json.dumps([dict(fault) for fault in draft.faults]),
                "source": draft.source,
                "batch": batch.batch_id,
                "now": batch.now,
            },
        )
    insert = text(
        "insert into area_version (id, area_id, parent_id, area_set_id, path, name, is_leaf, geom, valid)"
        " values (:id, :area_id, :parent_id, :set_id, cast(:path as ltree), :name, :is_leaf,"
        " st_geomfromwkb(:wkb, 4326), 'empty')"
    )
    for start in range(0, len(rows), _BLOCK):
        with connection.begin():
            connection.execute(insert, list(rows[start : start + _BLOCK]))


def _switch(
    connection: Connection,
    batch: BatchRun,
    draft: AreaSetDraft,
    set_id: UUID,
    fresh: Sequence[Mapping[str, Any]],
    kept: Sequence[UUID],
    ended: Sequence[UUID],
) -> None:
    key = {"now": batch.now, "set_id": set_id, "tree": draft.tree, "batch": batch.batch_id}
    with connection.begin():
        connection.execute(
            text(
                "update area_version set valid = tstzrange(lower(valid), cast(:now as timestamptz))"
                " where (area_id = any(:areas) or id = any(:ended)) and valid @> cast(:now as timestamptz)"
            ),
            {**key, "areas": [row["area_id"] for row in fresh], "ended": list(ended)},
        )
        connection.execute(
            text("update area_version set area_set_id = :set_id where id = any(:kept)"),
            {**key, "kept": list(kept)},
        )
        connection.execute(
            text(
                "update area_version set valid = tstzrange(cast(:now as timestamptz), null)"
                " where area_set_id = :set_id and isempty(valid)"
            ),
            key,
        )
        if draft.tree != "admin":
            _join_leaves(connection, key)
        connection.execute(text("update import_batch set visible_at = :now where id = :batch"), key)
        announce_layers(connection, AREAS.layers, batch.now)
        batch.record()


def _join_leaves(connection: Connection, key: Mapping[str, Any]) -> None:
    """A grouping is a tree over the same leaves: a leaf grid belongs where a point surely inside it lies."""
    connection.execute(text("delete from area_leaf where tree = :tree"), key)
    connection.execute(
        text(
            "insert into area_leaf (area_id, leaf_id, tree, valid)"
            " select g.area_id, l.area_id, :tree, tstzrange(cast(:now as timestamptz), null)"
            " from area_version l join area la on la.id = l.area_id and la.tree = 'admin'"
            " join area_version g on st_covers(g.geom, st_pointonsurface(l.geom))"
            " join area ga on ga.id = g.area_id and ga.tree = :tree"
            " where l.is_leaf and l.valid @> cast(:now as timestamptz) and g.valid @> cast(:now as timestamptz)"
            " on conflict (area_id, leaf_id) do nothing"
        ),
        key,
    )
