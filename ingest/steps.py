"""What happens to every chunk of rows, in this order. Each step adds faults and never stops at the first."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable

import numpy as np
import shapely

from gridmap.domain.ids import new_id
from ingest.base import Objects, objects, only
from ingest.fields import convert, storable
from ingest.mapping import PLACE_FIELDS
from ingest.nouns.base import Draft
from ingest.places import geometries_from_wkb, geometries_from_wkt, points_from_columns
from ingest.request import Context
from ingest.spool import encode_column, encode_geometries

Step = Callable[[Draft, Context], None]
_MOST_KEPT_CHARS = 2_000
# A camera list may hold stream addresses with log-ins; a secret never reaches a row that people read.
_SECRET = re.compile(r"://[^/\s:@]+:[^/\s@]+@")


def map_fields(draft: Draft, context: Context) -> None:
    """Text cells to typed fields, with defaults where the file has nothing."""
    for spec in context.noun.fields:
        texts = _cells(draft, context, spec.name)
        draft.values[spec.name] = convert(spec, texts, context.conversion, draft.faults)
    _keep_columns(draft, context)


def reproject(draft: Draft, context: Context) -> None:
    """The row's geometry in WGS84, from the file's own geometry, a WKT column or two columns of numbers."""
    noun, crs = context.noun, context.crs
    if noun.shape == "none" or crs is None:
        return
    bounds, ceilings = context.bounds, context.request.ceilings
    if draft.chunk.wkb is not None:
        draft.geometry = geometries_from_wkb(draft.chunk.wkb, noun.shape, crs, bounds, ceilings, draft.faults)
    elif "wkt" in context.columns:
        texts = draft.chunk.cells[context.columns["wkt"]]
        filled = objects(text.strip() or None for text in texts)
        draft.geometry = geometries_from_wkt(filled, noun.shape, crs, bounds, ceilings, draft.faults)
    else:
        lon, lat = (
            convert(spec, _cells(draft, context, spec.name), context.conversion, draft.faults)
            for spec in PLACE_FIELDS[:2]
        )
        draft.geometry = points_from_columns(lon, lat, crs, bounds, draft.faults)


def validate(draft: Draft, context: Context) -> None:
    """The noun's own rules, and a place where the noun cannot do without."""
    context.noun.check(draft, context)
    if context.noun.geometry_needed:
        assert draft.geometry is not None
        placed_faults = {"geometry", "lon,lat", "lon", "lat"}
        silent = [
            int(row)
            for row in np.flatnonzero(shapely.is_missing(draft.geometry))
            if not any(fault.field in placed_faults for fault in draft.faults.by_row.get(int(row), ()))
        ]
        draft.faults.add(silent, "geometry", "missing")
    if context.noun.shape == "polygon" and draft.geometry is not None:
        broken = ~shapely.is_missing(draft.geometry) & ~shapely.is_valid(draft.geometry)
        draft.geometry[broken] = _mended(draft.geometry[broken])
    _check_codes(draft, context)


def dedupe(draft: Draft, context: Context) -> None:
    """A ref for every row; a row that says the same again is dropped, one that says otherwise is a fault."""
    _stage(draft, context)
    draft.refs = _refs(draft, context)
    bad = draft.faults.mask(len(draft))
    for row, ref in enumerate(draft.refs):
        if bad[row]:
            # Not taken, and yet not gone at the source: its earlier version here must not count as withdrawn.
            context.seen.setdefault(ref, None)
            continue
        before = context.seen.get(ref)
        if before is None:
            context.seen[ref] = draft.hashes[row]
        elif before == draft.hashes[row]:
            draft.repeated.append(row)
        else:
            draft.faults.add([row], "ref", "repeated_with_other_content", draft.refs)


def locate(draft: Draft, context: Context) -> None:
    """An address without coordinates is looked up, and says how well it was found; else the row waits."""
    if not context.noun.geocoded:
        return
    encoded, refs = draft.encoded, draft.refs
    assert refs is not None
    given = draft.geometry is not None
    missing = shapely.is_missing(draft.geometry) if given else np.ones(len(draft), dtype=bool)
    radius = draft.values["radius_m"]
    encoded["location_method"] = ["none" if gone else "given" for gone in missing]
    encoded["location_radius_m"] = encode_column(only(~missing, radius))
    places: dict[int, shapely.Point] = {}
    for row in np.flatnonzero(missing & draft.good()).tolist():
        if context.is_unchanged(refs[row], draft.hashes[row]):
            continue
        address = draft.values["address"][row]
        found = context.geocode(address) if address else None
        if found is None:
            context.outcome.to_locate += 1
            continue
        context.outcome.geocoded += 1
        places[row] = shapely.Point(found.lon, found.lat)
        encoded["location_method"][row] = found.method
        encoded["location_radius_m"][row] = encode_column([found.radius_m])[0]
    points = objects(places.values())
    for row, text in zip(places, encode_geometries(points), strict=True):
        encoded["geom"][row] = text


STEPS: tuple[Step, ...] = (map_fields, reproject, validate, dedupe, locate)


def _cells(draft: Draft, context: Context, name: str) -> Objects:
    column = context.columns.get(name)
    texts = draft.chunk.cells[column] if column is not None else np.full(len(draft), "", dtype=object)
    default = context.request.defaults.get(name)
    return texts if default is None else objects(text.strip() or default for text in texts)


def _keep_columns(draft: Draft, context: Context) -> None:
    columns = {name: draft.chunk.cells[name] for name in context.request.keep}
    kept = [
        {name: storable(cells[row]) for name, cells in columns.items() if cells[row]}
        for row in range(len(draft))
    ]
    draft.kept = objects(kept)
    for name, cells in columns.items():
        long = [row for row, text in enumerate(cells) if len(text) > _MOST_KEPT_CHARS]
        draft.faults.add(long, name, "too_long")
        draft.faults.add(
            [row for row, text in enumerate(cells) if _SECRET.search(text)], name, "secret_in_cell"
        )


def _mended(shapes: Objects) -> Objects:
    """Valid polygons from self-crossing ones by GEOS's structure rule, without the lines and points it may
    leave."""
    made = shapely.make_valid(shapes, method="structure", keep_collapsed=False)
    return objects(None if shape.is_empty else shape for shape in made)


def _check_codes(draft: Draft, context: Context) -> None:
    codes = draft.values.get("code")
    if codes is None:
        return
    refs = draft.values["ref"]
    clash = [
        row
        for row, (code, ref) in enumerate(zip(codes, refs, strict=True))
        if code is not None and context.taken_codes.setdefault(code, ref or code) != (ref or code)
    ]
    draft.faults.add(clash, "code", "code_taken", codes)


def _stage(draft: Draft, context: Context) -> None:
    staged = context.noun.stage(draft, context)
    draft.encoded = {name: encode_column(values) for name, values in staged.items()}
    if context.noun.shape != "none":
        shapes = draft.geometry if draft.geometry is not None else np.full(len(draft), None, dtype=object)
        draft.encoded["geom"] = encode_geometries(shapes)
    columns = list(draft.encoded.values())
    contents = ("\t".join(cells) for cells in zip(*columns, strict=True))
    draft.hashes = [hashlib.blake2b(text.encode(), digest_size=12).hexdigest() for text in contents]
    draft.encoded |= {
        name: [new_id().hex for _ in range(len(draft))] for name in ("id", *context.noun.fresh_ids)
    }


def _refs(draft: Draft, context: Context) -> Objects:
    """The source's own ref; without one the row's content and how many times it came before name it."""
    given = draft.values["ref"]
    if "code" in draft.values:
        given = objects(ref or code for ref, code in zip(given, draft.values["code"], strict=True))
    refs = given.copy()
    columns = [draft.chunk.cells[name] for name in draft.chunk.cells]
    for row, ref in enumerate(given):
        if ref is not None:
            continue
        content = "\x1f".join(column[row] for column in columns).encode()
        if draft.chunk.wkb is not None and draft.chunk.wkb[row] is not None:
            content += draft.chunk.wkb[row]
        digest = hashlib.blake2b(content, digest_size=12).hexdigest()
        context.repeats[digest] += 1
        refs[row] = f"row:{digest}:{context.repeats[digest]}"
    return refs
