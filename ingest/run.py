"""One import from file to switch: read, map, reproject, validate, dedupe, locate, and only then merge.

Everything up to the merge happens outside the database. A file that is refused has changed nothing; a run
that dies during the merge has shown nothing, and the next run completes it.
"""

from __future__ import annotations

import csv
import hashlib
import time
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from pyproj import CRS
from sqlalchemy import Connection, text

from gridmap.clock import Clock
from gridmap.db.engine import Database
from gridmap.domain.crs import Crs, parse_crs
from gridmap.domain.vocab import vocabulary
from gridmap.errors import Conflict, Invalid
from gridmap.services.importing.batches import BatchRun, Stray, batch_run
from gridmap.services.importing.names import has_names
from gridmap.settings import Settings
from ingest.base import Outcome, Table
from ingest.fields import Conversion
from ingest.gazetteer import sync_names
from ingest.mapping import ColumnMap, map_columns
from ingest.nouns.base import Draft, Noun
from ingest.nouns.registry import get_noun
from ingest.places import Bounds
from ingest.quarantine import Quarantine
from ingest.readers import open_table
from ingest.request import Context, Geocoder, ImportRequest, Progress
from ingest.spool import Spool, join_lines
from ingest.steps import STEPS

CHUNK_ROWS = 20_000
_LISTED = 50
_MARGIN_DEG = 0.5
_WITHDRAW_FEW = 10


def run_import(
    request: ImportRequest,
    database: Database,
    settings: Settings,
    clock: Clock,
    geocode: Geocoder,
    progress: Progress,
) -> Outcome:
    """Import one file.

    Raises:
        Invalid, TooLarge: the file is refused; nothing has changed.
        Conflict: "import_running", "withdraws_too_many".
    """
    started = time.perf_counter()
    noun = get_noun(request.noun)
    outcome = Outcome(noun.key, request.source, dry_run=request.dry_run)
    with open_table(request.path, request.ceilings, layer=request.layer, encoding=request.encoding) as table:
        mapped = map_columns(table, noun, request)
        outcome.ignored_columns, outcome.encoding = mapped.ignored, table.encoding
        crs = choose_crs(request.crs, table.crs_text) if has_place(mapped, table, noun) else None
        outcome.crs = crs.key if crs is not None else None
        zone = choose_zone(request.zone, settings.timezone, needed=noun.key == "incidents")
        with batch_run(database, noun.target, request.source, clock.now()) as batch, Spool() as spool:
            batch.find_unfinished()
            context = Context(
                request=request,
                noun=noun,
                columns=mapped.columns,
                given=mapped.given,
                conversion=Conversion(vocabulary(), request.value_maps),
                crs=crs,
                zone=zone,
                now=clock.now(),
                bounds=expected_bounds(batch.connection, settings, clock),
                geocode=geocode,
                known=batch.known_rows(),
                area_codes=current_area_codes(batch.connection, batch)
                if "area" in mapped.given
                else frozenset(),
                taken_codes=taken_codes(batch.connection, request.source) if "code" in mapped.given else {},
                outcome=outcome,
                progress=progress,
            )
            restored = _read(table, context, spool, settings.quarantine_dir)
            withdrawn = _missing(context)
            _refuse_or_pass(context, spool, withdrawn)
            if not request.dry_run:
                _merge(context, batch, spool, restored, withdrawn, settings.quarantine_dir)
    outcome.seconds = round(time.perf_counter() - started, 3)
    return outcome


def _read(table: Table, context: Context, spool: Spool, quarantine_dir: Path) -> list[str]:
    """Every chunk through the steps: good rows to the spool, bad ones to quarantine. Returns refs that came
    back."""
    outcome, request = context.outcome, context.request
    restored: list[str] = []
    with Quarantine(
        quarantine_dir, context.noun.key, request.source, context.now, table.columns, table.has_geometry
    ) as quarantine:
        for chunk in table.chunks(CHUNK_ROWS):
            draft = Draft(chunk, chunk.faults)
            for step in STEPS:
                step(draft, context)
            restored += _spool(draft, context, spool)
            outcome.read += len(chunk)
            outcome.repeated += len(draft.repeated)
            _quarantine(draft, quarantine, outcome)
            context.progress("read", outcome.read, table.rows_expected)
    outcome.quarantined = quarantine.count
    outcome.quarantine_file = str(quarantine.path) if quarantine.count else None
    return restored


def _spool(draft: Draft, context: Context, spool: Spool) -> list[str]:
    assert draft.refs is not None
    columns = dict(draft.encoded)
    columns["source_hash"] = draft.hashes
    columns["ref"] = [ref.translate(_REF_ESCAPES) for ref in draft.refs]
    ordered = [columns[column.name] for column in context.noun.target.columns]
    lines = join_lines(ordered)
    added, changed, restored = [], [], []
    for row in np.flatnonzero(draft.good()):
        known = context.known.get(draft.refs[row])
        if known is None:
            added.append(lines[row])
        elif known.through_api:
            context.outcome.unchanged += 1
        elif known.source_hash != draft.hashes[row]:
            changed.append(lines[row])
        elif known.withdrawn:
            restored.append(draft.refs[row])
        else:
            context.outcome.unchanged += 1
    spool.write("add", added)
    spool.write("change", changed)
    return restored


_REF_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def _quarantine(draft: Draft, quarantine: Quarantine, outcome: Outcome) -> None:
    for row, faults in sorted(draft.faults.by_row.items()):
        quarantine.write(draft.chunk, row, faults)
    outcome.reasons.update(draft.faults.count_codes())


def _missing(context: Context) -> list[str]:
    """Refs that stand here and that the file does not list any more."""
    if context.request.partial:
        return []
    return [
        ref
        for ref, row in context.known.items()
        if not (row.withdrawn or row.through_api) and ref not in context.seen
    ]


def _refuse_or_pass(context: Context, spool: Spool, missing: list[str]) -> None:
    request, outcome = context.request, context.outcome
    counted = context.conversion.unmapped.items()
    unmapped = {name: dict(counts.most_common(_LISTED)) for name, counts in counted}
    if unmapped:
        outcome.lists["unmapped_values"] = unmapped
        if request.unmapped == "refuse" and not request.dry_run:
            raise Invalid("values_unmapped", values=unmapped)
    outcome.added, outcome.changed = spool.counts["add"], spool.counts["change"]
    outcome.withdrawn = len(missing)
    passed = outcome.read - outcome.quarantined
    if passed == 0 and not request.dry_run:
        raise Invalid(
            "no_row_passed",
            rows=outcome.read,
            reasons=dict(outcome.reasons.most_common(_LISTED)),
            quarantine_file=outcome.quarantine_file,
        )
    live = sum(not row.withdrawn for row in context.known.values())
    if (
        len(missing) > _WITHDRAW_FEW
        and len(missing) * 2 > live
        and not (request.withdraw_most or request.dry_run)
    ):
        raise Conflict("withdraws_too_many", missing=len(missing), known=live)


def _merge(
    context: Context, batch: BatchRun, spool: Spool, restored: list[str], missing: list[str], folder: Path
) -> None:
    outcome, target = context.outcome, context.noun.target
    batch.begin(context.request.path.name, sha256_of(context.request.path))
    exact = {
        "day_only": not context.exactness.any_time,
        "hour_only": context.exactness.precision("minute") == "hour",
    }
    total = spool.counts["add"] + spool.counts["change"]
    done = 0

    def report(rows: int) -> None:
        nonlocal done
        done += rows
        context.progress("merge", done, total)

    strays = batch.move(target.add, spool.lines("add"), exact, report)
    if spool.counts["change"]:
        batch.move(target.change(context.given), spool.lines("change"), exact, report)
    # Rows of a run that died were never shown: what the file no longer lists goes without a trace.
    batch.mark(target.marks.forget, [ref for ref in missing if context.known[ref].hidden])
    batch.mark(target.marks.withdraw, [ref for ref in missing if not context.known[ref].hidden])
    batch.mark(target.marks.restore, restored)
    outcome.restored = len(restored)
    outcome.longest_block_s = round(batch.longest_s, 3)
    _list_strays(strays, context, folder)
    batch.finish(outcome.as_json())
    if has_names(target.noun):
        sync_names(batch)


def _list_strays(strays: list[Stray], context: Context, folder: Path) -> None:
    outcome = context.outcome
    outcome.outside_areas = sum(stray.hits == 0 for stray in strays)
    outcome.in_several_areas = sum(stray.hits > 1 for stray in strays)
    if not strays:
        return
    path = folder / f"{context.noun.key}-{context.now:%Y%m%dT%H%M%SZ}-outside-or-several.csv"
    folder.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8-sig", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(["ref", "leaf_areas"])
        writer.writerows([stray.ref, stray.hits] for stray in strays)
    outcome.lists["outside_or_several_file"] = str(path)
    outcome.lists["outside_areas"] = [stray.ref for stray in strays if stray.hits == 0][:_LISTED]
    outcome.lists["in_several_areas"] = [stray.ref for stray in strays if stray.hits > 1][:_LISTED]


def has_place(mapped: ColumnMap, table: Table, noun: Noun) -> bool:
    """Whether the file gives this noun coordinates, so that a coordinate system must be known."""
    if noun.shape == "none":
        return False
    return table.has_geometry or "wkt" in mapped.columns or "lon" in mapped.columns


def choose_crs(said: str | None, in_file: str | None) -> Crs:
    """The system to believe: what was said, else what the file names; a contradiction is refused.

    The Chinese offsets have no code, so files in them are labelled as something geographic: there what was
    said wins.

    Raises Invalid: "crs_missing", "crs_unknown", "crs_refused", "crs_conflict".
    """
    if said is None:
        if in_file is None:
            raise Invalid("crs_missing", known=["WGS84", "CGCS2000", "GCJ-02", "BD-09", "EPSG:<code>"])
        return parse_crs(in_file)
    wanted = parse_crs(said)
    if in_file is None or in_file.startswith("unnamed "):
        return wanted
    named = parse_crs(in_file)
    both_plain = {wanted.family, named.family} <= {"WGS84", "CGCS2000"}
    offset_labelled = wanted.family in ("GCJ-02", "BD-09") and named.family in ("WGS84", "CGCS2000")
    if wanted.key != named.key and not both_plain and not offset_labelled:
        raise Invalid("crs_conflict", said=wanted.key, in_file=named.key)
    return wanted


def choose_zone(said: str | None, deployment: str, *, needed: bool) -> ZoneInfo | None:
    """The zone of the file's local times; the deployment's own where nothing was said.

    Raises Invalid("timezone_unknown").
    """
    if not needed and said is None:
        return None
    try:
        return ZoneInfo(said or deployment)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise Invalid("timezone_unknown", timezone=said) from error


def expected_bounds(connection: Connection, settings: Settings, clock: Clock) -> Bounds | None:
    """Where this deployment's things lie: around its areas, else where its local system may be used."""
    with connection.begin():
        box = connection.execute(
            text(
                "select st_xmin(e), st_ymin(e), st_xmax(e), st_ymax(e) from (select st_extent(geom) as e"
                " from area_version where valid @> cast(:now as timestamptz)) as extent"
            ),
            {"now": clock.now()},
        ).one()
    if box[0] is not None:
        return Bounds(box[0] - _MARGIN_DEG, box[1] - _MARGIN_DEG, box[2] + _MARGIN_DEG, box[3] + _MARGIN_DEG)
    use = CRS.from_user_input(settings.local_crs).area_of_use
    return None if use is None else Bounds(use.west, use.south, use.east, use.north)


def current_area_codes(connection: Connection, batch: BatchRun) -> frozenset[str]:
    with connection.begin():
        rows = connection.execute(
            text(
                "select a.code from area a join area_version v on v.area_id = a.id"
                " where v.valid @> cast(:now as timestamptz)"
            ),
            {"now": batch.now},
        )
        return frozenset(row.code for row in rows)


def taken_codes(connection: Connection, source: str) -> dict[str, str]:
    """Device codes in use and whose they are: this source's own rows by ref, all others by a name no ref can
    have."""
    with connection.begin():
        rows = connection.execute(
            text(
                "select code, case when source = :source then ref else chr(1) end as owner"
                " from camera where code is not null"
            ),
            {"source": source},
        )
        return {row.code: row.owner for row in rows}


def sha256_of(path: Path) -> bytes:
    digest = hashlib.sha256()
    with path.open("rb") as handle:
        for block in iter(lambda: handle.read(1 << 20), b""):
            digest.update(block)
    return digest.digest()
