"""Tables as files: CSV that Excel reads as UTF-8, and XLSX. A cell is never a formula."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from typing import IO

from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

from gridmap.errors import TooLarge
from gridmap.services.queries.exporting import Sheet, Value

# What XLSX can hold, less the heading.
MAX_ROWS = 1_048_575
CSV_MIME = "text/csv"
XLSX_MIME = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# A cell that begins so would be run by the spreadsheet that opens it; full-width forms count in some locales.
_STARTS_FORMULA = re.compile(r"^[\s]*[=+\-@＝＋－＠\t\r]")


def write_csv(sheet: Sheet, out: IO[bytes]) -> int:
    """Write the table; returns how many rows. Raises TooLarge when there are more than a file may hold."""
    words = io.TextIOWrapper(out, encoding="utf-8-sig", newline="", write_through=False)
    try:
        writer = csv.writer(words)
        writer.writerow(sheet.headings)
        rows = _Counted(sheet.rows)
        writer.writerows([_cell(value) for value in row] for row in rows)
        words.flush()
        return rows.count
    finally:
        words.detach()


def write_xlsx(sheet: Sheet, out: IO[bytes]) -> int:
    """As write_csv."""
    book = Workbook(write_only=True)
    page = book.create_sheet(sheet.name)
    page.append(list(sheet.headings))
    rows = _Counted(sheet.rows)
    for row in rows:
        page.append([_cell(value) for value in row])
    book.save(out)
    return rows.count


class _Counted:
    """Rows, and how many of them have passed."""

    def __init__(self, rows: Iterable[tuple[Value, ...]]) -> None:
        self._rows = rows
        self.count = 0

    def __iter__(self) -> Iterator[tuple[Value, ...]]:
        for row in self._rows:
            if self.count >= MAX_ROWS:
                raise TooLarge("export_too_large", most_rows=MAX_ROWS)
            self.count += 1
            yield row


def _cell(value: Value) -> Value:
    """A number stays a number; text that a spreadsheet would run is led by an apostrophe."""
    if not isinstance(value, str):
        return value
    clean: str = ILLEGAL_CHARACTERS_RE.sub("", value)
    return "'" + clean if _STARTS_FORMULA.match(clean) else clean
