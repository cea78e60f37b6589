"""The base map's tiles: tilemaker turns an extract into MBTiles, which become one PMTiles file."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from pmtiles.convert import mbtiles_to_pmtiles

from gridmap.adapters.processes import run
from gridmap.errors import Unavailable

_BASEMAP = Path(__file__).resolve().parent.parent / "basemap"
_BUILD_TIMEOUT_S = 6 * 3600.0
_OUTPUT_TAIL = 400
MAX_ZOOM = 16

BBox = tuple[float, float, float, float]


def build_basemap(extract: Path, name: str, basemap_dir: Path, bounds: BBox) -> Path:
    """Write basemap_dir/<name>.pmtiles from an .osm.pbf and return it; an old one is replaced in one step.

    Args:
        bounds: west, south, east, north in WGS84 degrees, for files that do not say.

    Raises:
        Unavailable: "basemap_builder_missing", or "basemap_build_failed" when tilemaker ends with an error or
            without a single tile.
    """
    tilemaker = shutil.which("tilemaker")
    if tilemaker is None:
        raise Unavailable("basemap_builder_missing", program="tilemaker")
    basemap_dir.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(basemap_dir, name)
    with tempfile.TemporaryDirectory(prefix=f".building-{name}-", dir=basemap_dir) as folder:
        tiles = Path(folder) / "tiles.mbtiles"
        command: list[str | Path] = [
            tilemaker,
            "--input",
            extract.resolve(),
            "--output",
            tiles,
            "--bbox",
            ",".join(f"{degrees:.7f}" for degrees in bounds),
            "--config",
            _BASEMAP / "tiles.json",
            "--process",
            _BASEMAP / "process.lua",
        ]
        done = run(command, timeout_s=_BUILD_TIMEOUT_S)
        if done.status != 0 or _count_tiles(tiles) == 0:
            raise Unavailable(
                "basemap_build_failed", status=done.status, output=done.output[-_OUTPUT_TAIL:].strip()
            )
        packed = Path(folder) / "tiles.pmtiles"
        mbtiles_to_pmtiles(str(tiles), str(packed), MAX_ZOOM)  # type: ignore[no-untyped-call]
        packed.chmod(0o644)
        return packed.replace(basemap_dir / f"{name}.pmtiles")


def _count_tiles(tiles: Path) -> int:
    if not tiles.is_file():
        return 0
    try:
        with closing(sqlite3.connect(tiles)) as connection:
            (count,) = connection.execute("select count(*) from tiles").fetchone()
    except sqlite3.Error:
        return 0
    return int(count)


def _remove_leftovers(basemap_dir: Path, name: str) -> None:
    """Folders of builds that were killed."""
    for folder in basemap_dir.glob(f".building-{name}-*"):
        shutil.rmtree(folder, ignore_errors=True)
