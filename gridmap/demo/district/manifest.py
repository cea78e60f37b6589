"""What was generated: files in the order of import, their counts, sums and command lines."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

MANIFEST_NAME = "manifest.json"
NOTICE = "DEMO. Invented district, people and events; the code prefix 99 is assigned to no province."


@dataclass(frozen=True)
class DemoFile:
    """One file. `command` holds the words after `gridmap` that import it, with `{dir}` for the folder; empty for none."""

    name: str
    noun: str
    rows: int
    crs: str
    encoding: str
    sha256: str
    command: tuple[str, ...]


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

    def import_commands(self, folder: Path) -> list[list[str]]:
        """Arguments for `gridmap`, one list per file that is imported, in order."""
        return [[word.replace("{dir}", str(folder)) for word in f.command] for f in self.files if f.command]

    def save(self, folder: Path) -> None:
        """Write `manifest.json` into the folder."""
        text = json.dumps(asdict(self), ensure_ascii=False, indent=1)
        (folder / MANIFEST_NAME).write_text(text + "\n", encoding="utf-8")


def load_manifest(folder: Path) -> Manifest:
    """The manifest of a generated folder. Raises FileNotFoundError."""
    raw = json.loads((folder / MANIFEST_NAME).read_text(encoding="utf-8"))
    files = tuple(DemoFile(**{**f, "command": tuple(f["command"])}) for f in raw.pop("files"))
    return Manifest(**{**raw, "bounds": tuple(raw["bounds"]), "centre": tuple(raw["centre"]), "files": files})


def describe(path: Path, noun: str, rows: int, crs: str, encoding: str, options: tuple[str, ...] = ()) -> DemoFile:
    """Manifest entry of a written file; a noun of "-" is not imported."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    command = () if noun == "-" else ("import", noun, "{dir}/" + path.name, *options)
    return DemoFile(path.name, noun, rows, crs, encoding, digest, command)
