"""XLSX: one sheet with a header row, read row by row; formulas count by their stored value."""

from __future__ import annotations

import datetime as dt
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl

from gridmap.errors import Invalid
from ingest.base import Chunk
from ingest.ceilings import Ceilings
from ingest.readers.packed import check_zip
from ingest.readers.text_table import check_rows, read_header, to_chunk


class SheetTable:
    """The first sheet, or the one named by `layer`."""

    crs_text: str | None = None
    has_geometry = False
    encoding: str | None = None

    def __init__(self, path: Path, ceilings: Ceilings, layer: str | None = None) -> None:
        self._ceilings = ceilings
        check_zip(path, ceilings)
        self._sheet = self._open_sheet(path, layer)
        first = next(self._sheet.iter_rows(values_only=True), ())
        self.columns: tuple[str, ...] = read_header(_trim([cell_text(value) for value in first]))
        self.rows_expected: int | None = self._sheet.max_row - 1 if self._sheet.max_row else None

    def _open_sheet(self, path: Path, layer: str | None) -> Any:
        try:
            with warnings.catch_warnings():
                # It warns about styling it does not keep; we read values only.
                warnings.simplefilter("ignore")
                book = openpyxl.load_workbook(path, read_only=True, data_only=True)
        except Exception as error:  # openpyxl lets any parser's error through
            raise Invalid("xlsx_broken", file=path.name, reason=type(error).__name__) from error
        if layer is not None and layer not in book.sheetnames:
            raise Invalid("layer_unknown", layer=layer, known=book.sheetnames)
        if not book.sheetnames:
            raise Invalid("file_empty", file=path.name)
        return book[layer or book.sheetnames[0]]

    def chunks(self, size: int) -> Iterator[Chunk]:
        lines: list[list[str]] = []
        numbers: list[int] = []
        total = 0
        width = len(self.columns)
        for number, values in enumerate(self._sheet.iter_rows(min_row=2, values_only=True), start=2):
            line = [cell_text(value) for value in values]
            if not any(line):
                continue
            # A sheet has no ragged rows: what is missing at the end is empty.
            lines.append(line + [""] * (width - len(line)))
            numbers.append(number)
            if len(lines) == size:
                total = check_rows(total + size, self._ceilings)
                yield to_chunk(self.columns, lines, numbers)
                lines, numbers = [], []
        check_rows(total + len(lines), self._ceilings)
        if lines:
            yield to_chunk(self.columns, lines, numbers)


def cell_text(value: Any) -> str:
    """A typed value as the text a person sees: no ".0" on whole numbers, ISO dates without an empty time."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, dt.datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    return str(value).strip()


def _trim(names: list[str]) -> list[str]:
    while names and not names[-1]:
        names.pop()
    return names
