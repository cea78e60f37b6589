"""What the simulator knows of the units: how they move and where they belong."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from openpyxl import load_workbook


@dataclass(frozen=True)
class UnitCard:
    """`mode` is foot, ebike, car or emergency_car; `area` the code of the grid or township it works in."""

    mode: str
    area: str


def load_cards(district: Path) -> dict[str, UnitCard]:
    """Cards by unit reference, from the district's own workbook of units."""
    book = load_workbook(district / "units.xlsx", read_only=True)
    rows = book.worksheets[0].iter_rows(min_row=2, values_only=True)
    cards = {str(row[0]): UnitCard(str(row[3]), str(row[7])) for row in rows}
    book.close()
    return cards
