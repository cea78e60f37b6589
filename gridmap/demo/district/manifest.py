"""What was generated: files in the order of import, their counts, sums and command lines."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

MANIFEST_NAME = "manifest.json"
SOURCE = "demo"
"""Key of the source of every imported row."""
NOTICE = "DEMO. Invented district, people and events; the code prefix 99 is assigned to no province."


@dataclass(frozen=True)
class DemoFile:
    """One file. `imports` holds the words after `gridmap import`, the file named without folder; empty for none."""

    name: str
    noun: str
    rows: int
    crs: str
    encoding: str
    sha256: str
    imports: tuple[str, ...]


@dataclass(frozen=True)
class Manifest:
    """A generated data set. `files` are in the order in which they must be imported."""

    seed: int
    scale: str
    start: str
    until: str
    county_code: str
    bounds: tuple[float, float, float, float]
    centre: tuple[float, float]
    counts: dict[str, int]
    files: tuple[DemoFile, ...]
    notice: str = NOTICE

    @property
    def imports(self) -> list[list[str]]:
        """Arguments for `gridmap import`, run in this order with the data folder as the working folder."""
        return [list(f.imports) for f in self.files if f.imports]

    def save(self, folder: Path) -> None:
        """Write `manifest.json` into the folder."""
        text = json.dumps({**asdict(self), "imports": self.imports}, ensure_ascii=False, indent=1)
        (folder / MANIFEST_NAME).write_text(text + "\n", encoding="utf-8")


def load_manifest(folder: Path) -> Manifest:
    """The manifest of a generated folder. Raises FileNotFoundError."""
    raw = json.loads((folder / MANIFEST_NAME).read_text(encoding="utf-8"))
    del raw["imports"]
    files = tuple(DemoFile(**{**f, "imports": tuple(f["imports"])}) for f in raw.pop("files"))
    return Manifest(**{**raw, "bounds": tuple(raw["bounds"]), "centre": tuple(raw["centre"]), "files": files})


def describe(
    path: Path, noun: str, rows: int, crs: str, encoding: str, options: tuple[str, ...] = ()
) -> DemoFile:
    """Manifest entry of a written file; a noun of "-" is not imported."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    imports = (
        () if noun == "-" else (noun, path.name, *(() if noun == "osm" else ("--source", SOURCE)), *options)
    )
    return DemoFile(path.name, noun, rows, crs, encoding, digest, imports)
