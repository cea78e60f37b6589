"""Writes tables and feature files that come out the same byte for byte on every run."""

from __future__ import annotations

import csv
import json
import sqlite3
import zipfile
from collections.abc import Iterable, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import geopandas
from openpyxl import Workbook

_ZIP_EPOCH = (2020, 1, 1, 0, 0, 0)


def write_csv(
    path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]], encoding: str = "utf-8"
) -> int:
    """Comma-separated with CRLF line ends; returns the number of rows."""
    count = 0
    with path.open("w", encoding=encoding, newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(header)
        for row in rows:
            writer.writerow(row)
            count += 1
    return count


def write_xlsx(path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """One sheet; the time stamps that a workbook carries are fixed, so that equal content is equal bytes."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Sheet1")
    sheet.append(list(header))
    count = 0
    for row in rows:
        sheet.append(list(row))
        count += 1
    raw = BytesIO()
    book.save(raw)
    with zipfile.ZipFile(raw) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            content = _CORE_PROPERTIES if name == "docProps/core.xml" else source.read(name)
            target.writestr(zipfile.ZipInfo(name, _ZIP_EPOCH), content, zipfile.ZIP_DEFLATED)
    return count


_CORE_PROPERTIES = (
    b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
    b'<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties" '
    b'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:creator>gridmap demo</dc:creator></cp:coreProperties>'
)


def write_geojson(path: Path, features: Iterable[tuple[dict[str, Any], dict[str, Any]]]) -> int:
    """FeatureCollection in WGS84 of (geometry, properties) pairs."""
    items = [{"type": "Feature", "geometry": g, "properties": p} for g, p in features]
    text = json.dumps(
        {"type": "FeatureCollection", "features": items}, ensure_ascii=False, separators=(",", ":")
    )
    path.write_text(text, encoding="utf-8")
    return len(items)


def write_geopackage(path: Path, layer: str, frame: Any, crs: str) -> int:
    """One layer in the coordinate system `crs`, in which the frame's numbers already are."""
    path.unlink(missing_ok=True)
    table = geopandas.GeoDataFrame(frame, crs=crs)
    table.to_file(path, layer=layer, driver="GPKG")
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE gpkg_contents SET last_change = '2020-01-01T00:00:00.000Z'")
    connection.close()
    return len(table)
