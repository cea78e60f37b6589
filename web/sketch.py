"""A map sketch without a map: ways, fences, closures and the scene as SVG paths in metres, with a scale bar."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import shapely

from gridmap.domain.metric import LocalMetric
from gridmap.services.replay import Replay

WIDTH_PX = 760
HEIGHT_PX = 460
_MARGIN_PX = 28
_MIN_SPAN_M = 200.0
# Okabe and Ito's colours, told apart by colour-blind eyes too.
LINE_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00")


@dataclass(frozen=True)
class Path:
    """One SVG path; `label` stands in the legend."""

    d: str
    kind: str
    label: str
    colour: str


@dataclass(frozen=True)
class Sketch:
    """What the template draws. The scale bar is `bar_px` long and stands for `bar_m` metres."""

    width: int
    height: int
    paths: tuple[Path, ...]
    scene: tuple[float, float] | None
    bar_m: int
    bar_px: float


def sketch(replay: Replay, metric: LocalMetric) -> Sketch | None:
    """None when there is no place to draw."""
    ways = [
        (leg.call_sign, metric.to_plane(shapely.LineString([(p.lon, p.lat) for p in leg.points])))
        for leg in replay.legs
        if len(leg.points) > 1
    ]
    shapes = [(shape.kind, shape.label, metric.to_plane(shape.geometry)) for shape in replay.shapes]
    row = replay.row
    scene = metric.to_plane(shapely.Point(row.lon, row.lat)) if row.lon is not None else None
    drawn = [way for _, way in ways] + ([scene] if scene is not None else [])
    drawn += [shape for kind, _, shape in shapes if kind == "fence"]
    if not drawn:
        return None
    frame = _Frame.around(drawn)
    paths = [Path(frame.d(shape), kind, label, "") for kind, label, shape in shapes]
    paths += [
        Path(frame.d(way), "way", call_sign, LINE_COLOURS[n % len(LINE_COLOURS)])
        for n, (call_sign, way) in enumerate(ways)
    ]
    bar_m = frame.bar_m()
    return Sketch(
        WIDTH_PX,
        HEIGHT_PX,
        tuple(paths),
        frame.place(scene.x, scene.y) if scene is not None else None,
        bar_m,
        bar_m * frame.px_per_m,
    )


@dataclass(frozen=True)
class _Frame:
    west_m: float
    north_m: float
    px_per_m: float

    @classmethod
    def around(cls, drawn: Iterable[Any]) -> _Frame:
        west, south, east, north = shapely.total_bounds(list(drawn)).tolist()
        middle_x, middle_y = (west + east) / 2, (south + north) / 2
        width_m, height_m = max(east - west, _MIN_SPAN_M), max(north - south, _MIN_SPAN_M)
        scale = min((WIDTH_PX - 2 * _MARGIN_PX) / width_m, (HEIGHT_PX - 2 * _MARGIN_PX) / height_m)
        return cls(middle_x - WIDTH_PX / 2 / scale, middle_y + HEIGHT_PX / 2 / scale, scale)

    def place(self, x_m: float, y_m: float) -> tuple[float, float]:
        return round((x_m - self.west_m) * self.px_per_m, 1), round((self.north_m - y_m) * self.px_per_m, 1)

    def d(self, shape: Any) -> str:
        """The `d` of an SVG path for a line or an area of any number of parts."""
        pieces: list[str] = []
        for part in shapely.get_parts(shape):
            rings = [part.exterior, *part.interiors] if part.geom_type == "Polygon" else [part]
            for ring in rings:
                places = (self.place(x, y) for x, y in shapely.get_coordinates(ring).tolist())
                pieces.append("M" + "L".join(f"{x} {y}" for x, y in places))
        return "".join(pieces)

    def bar_m(self) -> int:
        """The longest round length that fits a fifth of the width."""
        most = WIDTH_PX / 5 / self.px_per_m
        steps = [lead * 10**power for power in range(1, 6) for lead in (1, 2, 5)]
        return max((step for step in steps if step <= most), default=10)
