"""Importing a set of areas: read, check against the area law, list every fault, and put it in force.

Only an exact coverage becomes `verified`. Anything else is kept `unverified` with its faults: invalid
outlines are repaired (see `gridmap.domain.coverage.repair`), overlaps and gaps stay as they are. A point on a
border or in several leaves belongs to the leaf with the lowest code.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import shapely
from sqlalchemy import Connection, text

from gridmap.clock import Clock
from gridmap.db.engine import Database
from gridmap.domain.coverage import AreaFault
from gridmap.domain.vocab import vocabulary
from gridmap.errors import Invalid
from gridmap.services.importing.areas import AREAS, AreaDraft, AreaSetDraft, put_in_force
from gridmap.services.importing.batches import BatchRun, batch_run
from gridmap.services.importing.relocating import relocate
from gridmap.settings import Settings
from ingest.area_tree import NATIONAL, AreaNode, AreaRow, Levels, build_tree, shape_tree
from ingest.base import Outcome, objects
from ingest.ceilings import DEFAULT, Ceilings
from ingest.fields import Conversion, Field, convert
from ingest.mapping import map_fields_of
from ingest.nouns.base import Draft
from ingest.places import geometries_from_wkb, geometries_from_wkt
from ingest.quarantine import Quarantine
from ingest.readers import open_table
from ingest.request import Progress
from ingest.run import CHUNK_ROWS, choose_crs, expected_bounds, sha256_of

_MOST_FAULTS = 2_000
_MOST_AREAS = 200_000
FIELDS = (
    Field(
        name="code",
        kind="code",
        required=True,
        most_chars=60,
        aliases=("编码", "代码", "区划代码", "网格编码"),
    ),
    Field(name="name", aliases=("名称", "网格名称")),
    Field(name="level", kind="term", vocabulary="level", aliases=("级别", "层级")),
    Field(name="parent", kind="code", most_chars=60, aliases=("上级编码", "上级代码")),
)


@dataclass(frozen=True, kw_only=True)
class AreaRequest:
    """One file of areas. `parent` is the code of the area in force that the set hangs under."""

    path: Path
    source: str
    tree: str = "admin"
    level: str | None = None
    parent: str | None = None
    crs: str | None = None
    mapping: Mapping[str, str] = field(default_factory=dict)
    value_maps: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    layer: str | None = None
    encoding: str | None = None
    partial: bool = False
    dry_run: bool = False
    ceilings: Ceilings = DEFAULT


def import_areas(
    request: AreaRequest, database: Database, settings: Settings, clock: Clock, progress: Progress
) -> Outcome:
    """Import one file of areas.

    Raises:
        Invalid, TooLarge: the file is refused; nothing has changed.
        Conflict: "import_running", "area_code_taken".
    """
    started = time.perf_counter()
    if request.level is not None:
        vocabulary().term("level", request.level)
    outcome = Outcome("areas", request.source, dry_run=request.dry_run)
    with batch_run(database, AREAS, request.source, clock.now()) as batch:
        rows = _read(request, batch, settings, clock, outcome, progress)
        levels = Levels(vocabulary())
        ordered = build_tree(rows, levels, request.level)
        progress("check", 0, None)
        faults = shape_tree(ordered)
        verified = not faults and not outcome.quarantined
        _describe(outcome, ordered, faults, verified)
        root_id, root_path = _root(batch.connection, request, batch)
        draft = AreaSetDraft(
            tree=request.tree,
            name=request.path.stem,
            source=request.source,
            verified=verified,
            faults=_listed(faults, outcome.quarantined),
            areas=_drafts(ordered, levels, request.source),
            root_id=root_id,
            root_path=root_path,
            partial=request.partial,
        )
        if not request.dry_run:
            _put_in_force(batch, draft, request, outcome)
    outcome.seconds = round(time.perf_counter() - started, 3)
    return outcome


def _put_in_force(batch: BatchRun, draft: AreaSetDraft, request: AreaRequest, outcome: Outcome) -> None:
    batch.find_unfinished()
    batch.begin(request.path.name, sha256_of(request.path))
    counts = put_in_force(batch, draft)
    outcome.added, outcome.changed = counts.added, counts.changed
    outcome.unchanged, outcome.withdrawn = counts.unchanged, counts.ended
    if request.tree == "admin":
        # Also when nothing changed: an earlier run may have died between its switch and this.
        outcome.lists["relocated"] = relocate(batch)
    batch.close(outcome.as_json())


def _read(
    request: AreaRequest,
    batch: BatchRun,
    settings: Settings,
    clock: Clock,
    outcome: Outcome,
    progress: Progress,
) -> list[AreaRow]:
    rows: list[AreaRow] = []
    with open_table(request.path, request.ceilings, layer=request.layer, encoding=request.encoding) as table:
        columns = map_fields_of(table, FIELDS, request.mapping, with_place=True)
        if not table.has_geometry and "wkt" not in columns:
            raise Invalid("no_geometry", columns=list(table.columns))
        crs = choose_crs(request.crs, table.crs_text)
        outcome.crs, outcome.encoding = crs.key, table.encoding
        bounds = expected_bounds(batch.connection, settings, clock)
        conversion = Conversion(vocabulary(), request.value_maps)
        with Quarantine(
            settings.quarantine_dir, "areas", request.source, clock.now(), table.columns, table.has_geometry
        ) as quarantine:
            for chunk in table.chunks(CHUNK_ROWS):
                draft = Draft(chunk, chunk.faults)
                _fill(draft, columns, conversion)
                if chunk.wkb is not None:
                    shapes = geometries_from_wkb(
                        chunk.wkb, "polygon", crs, bounds, request.ceilings, draft.faults
                    )
                else:
                    texts = objects(text or None for text in chunk.cells[columns["wkt"]])
                    shapes = geometries_from_wkt(
                        texts, "polygon", crs, bounds, request.ceilings, draft.faults
                    )
                rows += _good_rows(draft, shapes, quarantine, outcome)
                outcome.read += len(chunk)
                progress("read", outcome.read, table.rows_expected)
    if outcome.read > _MOST_AREAS:
        raise Invalid("rows_too_many", ceiling=_MOST_AREAS)
    outcome.quarantined = quarantine.count
    outcome.quarantine_file = str(quarantine.path) if quarantine.count else None
    if not rows:
        reasons = dict(outcome.reasons.most_common(50))
        raise Invalid(
            "no_row_passed", rows=outcome.read, reasons=reasons, quarantine_file=outcome.quarantine_file
        )
    return rows


def _fill(draft: Draft, columns: Mapping[str, str], conversion: Conversion) -> None:
    for spec in FIELDS:
        column = columns.get(spec.name)
        cells = draft.chunk.cells[column] if column is not None else objects([""] * len(draft))
        draft.values[spec.name] = convert(spec, cells, conversion, draft.faults)


def _good_rows(draft: Draft, shapes: Any, quarantine: Quarantine, outcome: Outcome) -> list[AreaRow]:
    for row, faults in sorted(draft.faults.by_row.items()):
        quarantine.write(draft.chunk, row, faults)
    outcome.reasons.update(draft.faults.count_codes())
    good = draft.good()
    values = draft.values
    cells = zip(values["code"], values["name"], values["level"], values["parent"], shapes, strict=True)
    return [AreaRow(*cell) for cell, keep in zip(cells, good, strict=True) if keep]


def _describe(
    outcome: Outcome, ordered: Sequence[AreaNode], faults: Sequence[AreaFault], verified: bool
) -> None:
    by_level: dict[str, int] = {}
    for node in ordered:
        by_level[node.level] = by_level.get(node.level, 0) + 1
    by_code: dict[str, int] = {}
    for fault in faults:
        by_code[fault.code] = by_code.get(fault.code, 0) + 1
    outcome.lists["status"] = "verified" if verified else "unverified"
    outcome.lists["levels"] = by_level
    outcome.lists["faults"] = by_code
    outcome.lists["fault_list"] = [fault.as_json() for fault in faults[:50]]


def _listed(faults: Sequence[AreaFault], quarantined: int) -> list[dict[str, Any]]:
    listed = [fault.as_json() for fault in faults[:_MOST_FAULTS]]
    if len(faults) > _MOST_FAULTS:
        listed.append({"code": "more_faults", "count": len(faults) - _MOST_FAULTS})
    if quarantined:
        listed.append({"code": "rows_quarantined", "count": quarantined})
    return listed


def _drafts(ordered: Sequence[AreaNode], levels: Levels, source: str) -> list[AreaDraft]:
    """A division code stands for itself; any other code is made unique by its source."""
    full: dict[str, str] = {}
    drafts = []
    for node in ordered:
        national = levels.is_national(node.code, node.level)
        full[node.code] = node.code if national else f"{source}:{node.code}"
        drafts.append(
            AreaDraft(
                code=full[node.code],
                name=node.name,
                level=node.level,
                scheme=NATIONAL if national else source,
                ref=node.code,
                parent_code=full[node.parent] if node.parent is not None else None,
                is_leaf=node.is_leaf,
                wkb=shapely.to_wkb(node.shape),
            )
        )
    return drafts


def _root(connection: Connection, request: AreaRequest, batch: BatchRun) -> tuple[int | None, str]:
    if request.parent is None:
        return None, ""
    with connection.begin():
        row = connection.execute(
            text(
                "select v.area_id, v.path::text as path from area a join area_version v on v.area_id = a.id"
                " where a.code = :code and a.tree = :tree and v.valid @> cast(:now as timestamptz)"
            ),
            {"code": request.parent, "tree": request.tree, "now": batch.now},
        ).first()
    if row is None:
        raise Invalid("parent_unknown", area=request.parent)
    return int(row.area_id), str(row.path)
