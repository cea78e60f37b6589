"""Value maps: a two-column file (CSV, XLSX) or a TOML file that says what a source's words mean here."""

from __future__ import annotations

import tomllib
from pathlib import Path

from gridmap.errors import Invalid
from ingest.ceilings import DEFAULT
from ingest.readers import open_table


def read_value_map(path: Path) -> dict[str, str]:
    """Value in the source -> vocabulary key. The first column is the source's value, the second ours.

    Raises Invalid: "value_map_broken" (file, reason), and what the readers raise.
    """
    if path.suffix.lower() == ".toml":
        return _from_toml(path)
    with open_table(path, DEFAULT) as table:
        if len(table.columns) < 2:
            raise Invalid("value_map_broken", file=path.name, reason="two_columns_needed")
        value, key = table.columns[:2]
        found: dict[str, str] = {}
        for chunk in table.chunks(10_000):
            pairs = zip(chunk.cells[value], chunk.cells[key], strict=True)
            found.update({text.strip(): meaning.strip() for text, meaning in pairs if text.strip()})
    return found


def _from_toml(path: Path) -> dict[str, str]:
    try:
        body = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Invalid("value_map_broken", file=path.name, reason=type(error).__name__) from error
    if not all(isinstance(meaning, str) for meaning in body.values()):
        raise Invalid("value_map_broken", file=path.name, reason="text_needed")
    return body
