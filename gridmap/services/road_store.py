"""The bounds of the road graph in use, read once a process and anew when an import has built another graph."""

from __future__ import annotations

import logging
from pathlib import Path
from threading import Lock

from gridmap.adapters.valhalla_tiles import current_version, graph_dir
from gridmap.domain.road_bounds import FILE_NAME, RoadLines
from gridmap.optimise.road_bounds import RoadBounds

log = logging.getLogger(__name__)

_lock = Lock()
_kept: dict[Path, tuple[str, RoadBounds | None]] = {}


def current_bounds(routing_dir: Path | None) -> RoadBounds | None:
    """None where there is no graph, or one without bounds: the straight line then bounds alone, and asks for more."""
    version = None if routing_dir is None else current_version(routing_dir)
    if routing_dir is None or version is None:
        return None
    with _lock:
        kept = _kept.get(routing_dir)
        if kept is None or kept[0] != version:
            kept = (version, _read(graph_dir(routing_dir, version) / FILE_NAME))
            _kept[routing_dir] = kept
        return kept[1]


def _read(path: Path) -> RoadBounds | None:
    try:
        return RoadBounds(RoadLines.load(path))
    except FileNotFoundError:
        log.warning("the road graph has no bounds; import the extract again to rank faster")
        return None
