"""The road graph on disk: built from all stored extracts together, switched in one step.

routing_dir/graphs/<version>/   the tiles of one build; the version is a digest of what went in
routing_dir/valhalla.json       what the service starts with; names the tiles of the newest build
routing_dir/version             written last: whoever runs the service restarts it when this changes
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from gridmap.adapters.processes import run
from gridmap.adapters.valhalla_bin import valhalla_bin
from gridmap.adapters.valhalla_config import engine_config
from gridmap.errors import Unavailable

_BUILD_TIMEOUT_S = 6 * 3600.0
_OUTPUT_TAIL = 400


def build_graph(extracts: Sequence[Path], routing_dir: Path, *, socket_dir: Path, port: int) -> str:
    """Build the graph of all `extracts` (.osm.pbf) and make it the one the service uses.

    The same extracts again are not built again. A build that is killed leaves the old graph in place.

    Returns:
        The version now written in routing_dir/version.

    Raises:
        Unavailable: "routing_engine_missing", or "routing_build_failed" when the builder ends with an error
            or without tiles, as it does for an extract without a single road.
    """
    graphs = routing_dir / "graphs"
    graphs.mkdir(parents=True, exist_ok=True)
    built = _digest(extracts)
    target = graphs / built
    if not target.is_dir():
        _build(extracts, graphs, target, socket_dir, port)
    before = current_version(routing_dir)
    _write_config(routing_dir, target, socket_dir, port)
    _write_atomically(routing_dir / "version", built)
    _remove_all_but(graphs, {built, before})
    return built


def remove_graph(routing_dir: Path) -> None:
    """Forget the graph: without extracts there is nothing to route on."""
    for name in ("version", "valhalla.json"):
        (routing_dir / name).unlink(missing_ok=True)
    shutil.rmtree(routing_dir / "graphs", ignore_errors=True)


def current_version(routing_dir: Path) -> str | None:
    """The version the service should have loaded, None when no graph was ever built."""
    try:
        return (routing_dir / "version").read_text(encoding="ascii").strip() or None
    except FileNotFoundError:
        return None


def write_service_config(routing_dir: Path, *, socket_dir: Path, port: int) -> Path | None:
    """Write valhalla.json for the current graph and this port; None when there is no graph."""
    built = current_version(routing_dir)
    if built is None or not (routing_dir / "graphs" / built).is_dir():
        return None
    return _write_config(routing_dir, routing_dir / "graphs" / built, socket_dir, port)


def _write_config(routing_dir: Path, tiles: Path, socket_dir: Path, port: int) -> Path:
    path = routing_dir / "valhalla.json"
    _write_atomically(path, json.dumps(engine_config(tiles, socket_dir, port), indent=1))
    return path


def _build(extracts: Sequence[Path], graphs: Path, target: Path, socket_dir: Path, port: int) -> None:
    with tempfile.TemporaryDirectory(prefix=".building-", dir=graphs) as folder:
        tiles = Path(folder) / "tiles"
        tiles.mkdir(mode=0o755)
        config = Path(folder) / "build.json"
        config.write_text(json.dumps(engine_config(tiles, socket_dir, port)), encoding="utf-8")
        command: list[str | Path] = [valhalla_bin("valhalla_build_tiles"), "-c", config, *extracts]
        done = run(command, timeout_s=_BUILD_TIMEOUT_S)
        if done.status != 0 or not any(tiles.rglob("*.gph")):
            raise Unavailable(
                "routing_build_failed", status=done.status, output=done.output[-_OUTPUT_TAIL:].strip()
            )
        tiles.rename(target)


def _digest(extracts: Sequence[Path]) -> str:
    """The builder's version counts too: tiles of another one may not be readable."""
    try:
        engine = version("pyvalhalla")
    except PackageNotFoundError:
        engine = str(valhalla_bin("valhalla_build_tiles").stat().st_size)
    digest = hashlib.sha256(engine.encode())
    for extract in sorted(extracts):
        with extract.open("rb") as handle:
            digest.update(extract.name.encode())
            digest.update(hashlib.file_digest(handle, "sha256").digest())
    return digest.hexdigest()[:16]


def _write_atomically(path: Path, text: str) -> None:
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    scratch.write_text(text, encoding="utf-8")
    scratch.replace(path)


def _remove_all_but(graphs: Path, kept: set[str | None]) -> None:
    for folder in graphs.iterdir():
        if folder.name not in kept:
            shutil.rmtree(folder, ignore_errors=True)
