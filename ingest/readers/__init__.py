"""Opening a file by what it is, not by what it is called."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gridmap.errors import Invalid, TooLarge
from ingest.base import Table
from ingest.ceilings import Ceilings
from ingest.readers.packed import check_zip, unpack_gzip
from ingest.readers.text_table import TextTable
from ingest.readers.vector import open_geojson, open_geopackage, open_shapefile
from ingest.readers.xlsx import SheetTable

_KNOWN = ["GeoJSON", "GeoPackage", "zipped Shapefile", "XLSX", "CSV"]
_SQLITE_MAGIC = b"SQLite format 3\x00"
_ZIP_MAGIC = b"PK\x03\x04"
_GZIP_MAGIC = b"\x1f\x8b"
_JSON_SPACE = b"\xef\xbb\xbf \t\r\n"


@contextmanager
def open_table(
    path: Path, ceilings: Ceilings, *, layer: str | None = None, encoding: str | None = None
) -> Iterator[Table]:
    """A file as a table: GeoJSON, GeoPackage, zipped Shapefile, XLSX or CSV; any of them gzipped.

    Raises:
        Invalid: "file_missing", "not_a_file", "file_empty", "file_type_unknown", and what the readers raise.
        TooLarge: "file_too_large", "zip_bomb", "rows_too_many".
    """
    _check_file(path, ceilings)
    with path.open("rb") as handle:
        head = handle.read(64)
    if head.startswith(_GZIP_MAGIC):
        with tempfile.TemporaryDirectory(prefix="gridmap-gz-") as folder:
            plain = Path(folder) / path.name.removesuffix(".gz")
            unpack_gzip(path, plain, ceilings)
            _check_file(plain, ceilings)
            with plain.open("rb") as handle:
                head = handle.read(64)
            yield _open_plain(plain, head, ceilings, layer, encoding)
    else:
        yield _open_plain(path, head, ceilings, layer, encoding)


def _open_plain(
    path: Path, head: bytes, ceilings: Ceilings, layer: str | None, encoding: str | None
) -> Table:
    if head.startswith(_SQLITE_MAGIC):
        return open_geopackage(path, ceilings, layer, encoding)
    if head.startswith(_ZIP_MAGIC):
        names = {member.filename for member in check_zip(path, ceilings)}
        if "[Content_Types].xml" in names:
            return SheetTable(path, ceilings, layer)
        return open_shapefile(path, ceilings, layer, encoding)
    if head.lstrip(_JSON_SPACE).startswith(b"{"):
        return open_geojson(path, ceilings, layer, encoding)
    if path.suffix.lower() in (".csv", ".txt", ".tsv"):
        return TextTable(path, ceilings, encoding)
    raise Invalid("file_type_unknown", file=path.name, known=_KNOWN)


def _check_file(path: Path, ceilings: Ceilings) -> None:
    if not path.exists():
        raise Invalid("file_missing", file=path.name)
    if not path.is_file():
        raise Invalid("not_a_file", file=path.name)
    size = path.stat().st_size
    if size == 0:
        raise Invalid("file_empty", file=path.name)
    if size > ceilings.file_bytes:
        raise TooLarge("file_too_large", file=path.name, bytes=size, ceiling=ceilings.file_bytes)
