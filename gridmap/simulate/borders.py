"""A plan's borders: the grids of a file, with the houses of the ground as it is."""

from __future__ import annotations

from pathlib import Path

import pyogrio

from gridmap.errors import Invalid
from gridmap.simulate.ground import Ground, make_ground

_CODE_HEADS = ("code", "编码", "网格编码")


def read_borders(path: Path, ground: Ground) -> Ground:
    """The polygons of a GeoJSON, GeoPackage or shapefile with their codes; a `level` column is cut down to grids.

    Raises Invalid: "file_not_found", "simulate_areas_without_code", "simulate_areas_without_crs",
    "simulate_areas_empty".
    """
    if not path.is_file():
        raise Invalid("file_not_found", file=path.name)
    frame = pyogrio.read_dataframe(path)
    head = next((name for name in _CODE_HEADS if name in frame.columns), None)
    if head is None:
        raise Invalid("simulate_areas_without_code", file=path.name, known=list(frame.columns)[:20])
    if frame.crs is None:
        raise Invalid("simulate_areas_without_crs", file=path.name)
    if "level" in frame.columns:
        frame = frame[frame["level"] == "grid"]
    if len(frame) == 0:
        raise Invalid("simulate_areas_empty", file=path.name)
    shapes = frame.to_crs("EPSG:4326").geometry.to_numpy()
    return make_ground([str(code) for code in frame[head]], shapes, ground.house, ground.house_weight)
