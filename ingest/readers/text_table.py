"""CSV: delimited text in UTF-8 (with or without a mark), UTF-16 with a mark, or GBK.

The encoding is tried strictly in that order and never guessed from frequencies: Chinese text in GBK is
practically never well-formed UTF-8, so the first that decodes the whole file is the right one. GB18030 reads
all of GBK.
"""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TextIO

import numpy as np

from gridmap.errors import Invalid, TooLarge
from ingest.base import Chunk, Faults, Objects, objects
from ingest.ceilings import Ceilings

_BLOCK = 1024 * 1024
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_DELIMITERS = ",;\t|"


class TextTable:
    """A delimited text file with a header line."""

    crs_text: str | None = None
    has_geometry = False
    rows_expected: int | None = None

    def __init__(self, path: Path, ceilings: Ceilings, encoding: str | None = None) -> None:
        self._path = path
        self._ceilings = ceilings
        self.encoding: str | None = encoding or detect_encoding(path)
        with self._open() as handle:
            first = handle.readline(ceilings.cell_chars)
        self._delimiter = max(_DELIMITERS, key=first.count)
        self._header = read_header(next(csv.reader([first.rstrip("\r\n")], delimiter=self._delimiter), []))
        self.columns: tuple[str, ...] = self._header

    def chunks(self, size: int) -> Iterator[Chunk]:
        # The standard reader gives exact line numbers and sees ragged lines; faster ones repair in silence.
        csv.field_size_limit(self._ceilings.cell_chars)
        with self._open() as handle:
            reader = csv.reader(handle, delimiter=self._delimiter)
            next(reader, None)
            lines: list[list[str]] = []
            numbers: list[int] = []
            total = 0
            try:
                for line in reader:
                    if not any(line):
                        continue
                    lines.append(line)
                    numbers.append(reader.line_num)
                    if len(lines) == size:
                        total = check_rows(total + size, self._ceilings)
                        yield to_chunk(self._header, lines, numbers)
                        lines, numbers = [], []
            except csv.Error as error:
                raise Invalid(
                    "csv_broken", file=self._path.name, line=reader.line_num, reason=str(error)
                ) from error
            check_rows(total + len(lines), self._ceilings)
            if lines:
                yield to_chunk(self._header, lines, numbers)

    def _open(self) -> TextIO:
        return self._path.open(encoding=self.encoding, newline="")


def detect_encoding(path: Path) -> str:
    """The first of UTF-8, GB18030 that decodes every byte; a byte-order mark decides at once.

    Raises Invalid: "not_text" (zero bytes), "encoding_unknown".
    """
    with path.open("rb") as handle:
        head = handle.read(_BLOCK)
    for mark, name in _MARKS:
        if head.startswith(mark):
            return name
    if b"\x00" in head:
        raise Invalid("not_text", file=path.name)
    for name in ("utf-8", "gb18030"):
        if _decodes(path, name):
            return name
    raise Invalid("encoding_unknown", file=path.name, tried=["utf-8", "gb18030"])


def _decodes(path: Path, name: str) -> bool:
    decoder = codecs.getincrementaldecoder(name)("strict")
    try:
        with path.open("rb") as handle:
            while block := handle.read(_BLOCK):
                decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def read_header(names: Sequence[str]) -> tuple[str, ...]:
    """Clean column names. Raises Invalid: "header_missing", "header_repeated"."""
    header = tuple(name.strip().lstrip("\ufeff") for name in names)
    if not any(header):
        raise Invalid("header_missing")
    filled = [name for name in header if name]
    repeated = sorted({name for name in filled if filled.count(name) > 1})
    if repeated:
        raise Invalid("header_repeated", columns=repeated)
    return tuple(name or f"column_{position}" for position, name in enumerate(header, start=1))


def check_rows(total: int, ceilings: Ceilings) -> int:
    """Raises TooLarge("rows_too_many")."""
    if total > ceilings.rows:
        raise TooLarge("rows_too_many", ceiling=ceilings.rows)
    return total


def to_chunk(header: Sequence[str], lines: list[list[str]], numbers: Sequence[int]) -> Chunk:
    """Lines as columns; a line of the wrong length keeps what it has and is marked."""
    faults = Faults()
    width = len(header)
    for position, line in enumerate(lines):
        if len(line) == width:
            continue
        if len(line) > width and any(line[width:]):
            faults.add([position], "", "columns_too_many", {position: len(line)})
        elif len(line) < width:
            faults.add([position], "", "columns_too_few", {position: len(line)})
        lines[position] = (line + [""] * width)[:width]
    columns = zip(*lines, strict=True)
    cells: dict[str, Objects] = {name: objects(column) for name, column in zip(header, columns, strict=True)}
    return Chunk(np.array(numbers, dtype=np.int64), cells, None, faults)
