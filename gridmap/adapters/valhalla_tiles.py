"""The road graph on disk: built from all stored extracts together, switched in one step.

routing_dir/graphs/<version>/   the tiles of one build; the version is a digest of what went in
routing_dir/valhalla.json       what the service starts with; names the tiles of the newest build
routing_dir/version             written last: whoever runs the service restarts it when this changes
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import httpx

from gridmap.adapters.processes import clean_environment, run, wait_until
from gridmap.adapters.road_lines import read_road_lines
from gridmap.adapters.valhalla_bin import valhalla_bin
from gridmap.adapters.valhalla_config import engine_config
from gridmap.domain.road_bounds import FILE_NAME
from gridmap.errors import Unavailable

_BUILD_TIMEOUT_S = 6 * 3600.0
_OUTPUT_TAIL = 400
_START_S = 20.0
# Raise it when what is stored beside the tiles changes: old graphs are then built anew at the next import.
_BOUNDS_VERSION = 2

log = logging.getLogger(__name__)


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


def graph_dir(routing_dir: Path, version: str) -> Path:
    """The folder of one build's tiles."""
    return routing_dir / "graphs" / version


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
        _write_bounds(extracts, tiles, Path(folder), socket_dir)
        tiles.rename(target)


def _write_bounds(extracts: Sequence[Path], tiles: Path, folder: Path, socket_dir: Path) -> None:
    """Store the graph's roads beside its tiles, as the engine tells them. Without them rankings are as exact, and
    slower: no reason to do without routing."""
    port = _free_port()
    config = folder / "serve.json"
    config.write_text(json.dumps(engine_config(tiles, socket_dir, port)), encoding="utf-8")
    with subprocess.Popen(
        [valhalla_bin("valhalla_service"), config, "1"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=clean_environment(),
        start_new_session=True,
    ) as service:
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_until_up(url, service)
            read_road_lines(extracts, url).save(tiles / FILE_NAME)
        except (httpx.HTTPError, RuntimeError) as error:
            log.warning("no bounds for this road graph: %s", error)
        finally:
            service.kill()


def _wait_until_up(url: str, service: subprocess.Popen[bytes]) -> None:
    def answers() -> bool:
        try:
            return service.poll() is not None or httpx.get(f"{url}/status", trust_env=False).is_success
        except httpx.HTTPError:
            return False

    wait_until(answers, timeout_s=_START_S, pause_s=0.05)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _digest(extracts: Sequence[Path]) -> str:
    """The builder's version counts too: tiles of another one may not be readable."""
    try:
        engine = version("pyvalhalla")
    except PackageNotFoundError:
        engine = str(valhalla_bin("valhalla_build_tiles").stat().st_size)
    digest = hashlib.sha256(f"{engine} {_BOUNDS_VERSION}".encode())
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
