"""Rows that were not taken, as they came, each with every reason: to be mended and imported again."""

from __future__ import annotations

import csv
import json
import os
import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

import numpy as np
import shapely

from ingest.base import Chunk, Fault

_BIGGEST_KEPT_BYTES = 1_000_000


class Quarantine:
    """A file that appears once it holds a row: CSV for tables, GeoJSON where the source has geometry.

    Only its owner may read it: it can hold what a reporter wrote.
    """

    def __init__(
        self, folder: Path, noun: str, source: str, now: datetime, columns: Sequence[str], spatial: bool
    ) -> None:
        safe = re.sub(r"[^A-Za-z0-9_-]", "_", source)[:40]
        suffix = "geojson" if spatial else "csv"
        self.path = folder / f"{noun}-{safe}-{now:%Y%m%dT%H%M%SZ}.{suffix}"
        self._columns = list(columns)
        self._spatial = spatial
        self._handle: TextIO | None = None
        self.count = 0

    def __enter__(self) -> Quarantine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._handle is not None:
            if self._spatial:
                self._handle.write("\n]}\n")
            self._handle.close()

    def write(self, chunk: Chunk, row: int, faults: Sequence[Fault]) -> None:
        """Add one row of the chunk."""
        handle = self._handle or self._open()
        cells = {name: chunk.cells[name][row] for name in self._columns}
        reasons = "; ".join(str(fault) for fault in faults)
        if self._spatial:
            handle.write("" if self.count == 0 else ",\n")
            handle.write(
                _feature(cells, int(chunk.rows[row]), reasons, None if chunk.wkb is None else chunk.wkb[row])
            )
        else:
            csv.writer(handle).writerow([*cells.values(), int(chunk.rows[row]), reasons])
        self.count += 1

    def _open(self) -> TextIO:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        # The mark lets a spreadsheet program read Chinese; a reader of ours knows it.
        self._handle = os.fdopen(
            descriptor, "w", encoding="utf-8" if self._spatial else "utf-8-sig", newline=""
        )
        if self._spatial:
            self._handle.write('{"type": "FeatureCollection", "features": [\n')
        else:
            csv.writer(self._handle).writerow([*self._columns, "_row", "_reasons"])
        return self._handle


def _feature(cells: dict[str, Any], row: int, reasons: str, wkb: bytes | None) -> str:
    properties = {**cells, "_row": row, "_reasons": reasons}
    return json.dumps(
        {"type": "Feature", "properties": properties, "geometry": _geometry(wkb)},
        ensure_ascii=False,
        allow_nan=False,
    )


def _geometry(wkb: bytes | None) -> Any:
    """The geometry as it came, None where JSON cannot hold it."""
    if wkb is None or len(wkb) > _BIGGEST_KEPT_BYTES:
        return None
    shape = shapely.from_wkb(wkb, on_invalid="ignore")
    if shape is None or not np.isfinite(shapely.get_coordinates(shape)).all():
        return None
    return json.loads(shapely.to_geojson(shape))
