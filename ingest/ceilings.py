"""How much of a file is taken in before it is refused. Checked before any geometry is built."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1024 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class Ceilings:
    """Sizes in bytes, counts in pieces, text in characters; generous for a province, far below what hurts."""

    file_bytes: int = 2048 * MIB
    unpacked_bytes: int = 4096 * MIB
    pack_ratio: int = 200
    pack_members: int = 200
    rows: int = 5_000_000
    columns: int = 500
    cell_chars: int = 100_000
    vertices: int = 250_000


DEFAULT = Ceilings()
