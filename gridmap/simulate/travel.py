"""Travel times between any two places of a replay, computed once per mode.

Every place is put on the nearest piece of road that belongs to the mode's connected network. A trip leaves its piece at
one of its two ends, goes on by the shortest way between junctions (Dijkstra, SciPy) and enters the target's
piece at one of its ends; all four combinations are compared, and a trip along one piece is taken directly.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components, dijkstra

from gridmap.domain.metric import LocalMetric
from gridmap.domain.travel import OFF_NETWORK_M, Mode
from gridmap.errors import Invalid, TooLarge
from gridmap.simulate.streets import Floats, Ints, Streets

# Half seconds in two bytes: up to nine hours.
_TICK_S = 0.5
_NO_WAY = np.iinfo(np.uint16).max
_MOST_BYTES = 4_000_000_000
_ROWS_AT_ONCE = 256
# Nobody is sent who needs longer than this; it also keeps the searches of slow modes short.
FARTHEST_S = 60 * 60.0

Progress = Callable[[str, int, int], None]


class Travel(Protocol):
    """What a replay asks of the roads. Places are numbers; `modes` are numbers of `Mode` in its order."""

    def seconds(self, origins: Ints, modes: Ints, target: int) -> Floats:
        """Seconds from each origin by its own mode to the target; infinite without a way."""
        ...


@dataclass(frozen=True, slots=True)
class _Attached:
    """Places on the pieces of one mode. Arrays over places; `*_s` (2, n) by the piece's start and end.

    `leave_s` from the place to that end, `enter_s` from that end to the place; `at` the share of the piece behind it.
    """

    piece: Ints
    at: Floats
    ends: Ints
    leave_s: Floats
    enter_s: Floats
    along_s: Floats
    against_s: Floats
    lost: NDArray[np.bool_]


class RoadTimes:
    """Times between `lonlat` (n, 2) places, for the modes that are used.

    Raises:
        TooLarge: "simulate_network_too_large" when the junctions' table would not fit.
        Invalid: "simulate_mode_without_roads".
    """

    def __init__(
        self,
        streets: Streets,
        lonlat: Floats,
        modes: list[Mode],
        metric: LocalMetric,
        progress: Progress,
    ) -> None:
        self._order = list(Mode)
        self._stretch: dict[Mode, float] = {}
        self._parts = {
            self._order.index(mode): _ModeTimes(streets, lonlat, mode, metric, progress) for mode in modes
        }

    def stretch_by(self, stretch: dict[Mode, float]) -> None:
        """Multiply the times of each mode: what the engine takes per second of ours."""
        self._stretch = stretch

    def seconds(self, origins: Ints, modes: Ints, target: int) -> Floats:
        """As `Travel` says; a mode that no unit of the run has is no mode of this table."""
        out = np.full(len(origins), np.inf)
        for number in np.unique(modes).tolist():
            mine = np.flatnonzero(modes == number)
            factor = self._stretch.get(self._order[number], 1.0)
            out[mine] = self._parts[number].between(origins[mine], np.array([target]))[:, 0] * factor
        return out

    def table(self, origins: Ints, mode: Mode, targets: Ints) -> Floats:
        """Seconds (origins, targets) of one mode."""
        factor = self._stretch.get(mode, 1.0)
        return self._parts[self._order.index(mode)].between(origins, targets) * factor

    def lost(self, mode: Mode) -> NDArray[np.bool_]:
        """Places more than OFF_NETWORK_M from every road of the mode."""
        return self._parts[self._order.index(mode)].attached.lost


class _ModeTimes:
    def __init__(
        self, streets: Streets, lonlat: Floats, mode: Mode, metric: LocalMetric, progress: Progress
    ) -> None:
        net = _Net(streets, mode)
        self.attached = net.attach(lonlat, metric)
        known = np.unique(
            self.attached.ends[np.isfinite(self.attached.leave_s) | np.isfinite(self.attached.enter_s)]
        )
        if len(known) ** 2 * 2 > _MOST_BYTES:
            raise TooLarge("simulate_network_too_large", mode=mode.value, junctions=len(known))
        self._row = np.full(net.size, -1, dtype=np.int64)
        self._row[known] = np.arange(len(known))
        self._table = np.empty((len(known), len(known)), dtype=np.uint16)
        for first in range(0, len(known), _ROWS_AT_ONCE):
            rows = known[first : first + _ROWS_AT_ONCE]
            found = dijkstra(net.graph, indices=rows, limit=FARTHEST_S)[:, known] / _TICK_S
            self._table[first : first + len(rows)] = np.minimum(np.rint(found), _NO_WAY)
            progress(mode.value, min(first + _ROWS_AT_ONCE, len(known)), len(known))

    def between(self, origins: Ints, targets: Ints) -> Floats:
        """Seconds (origins, targets)."""
        places = self.attached
        best = np.full((len(origins), len(targets)), np.inf)
        for out in (0, 1):
            rows = self._row[places.ends[out, origins]]
            for into in (0, 1):
                columns = self._row[places.ends[into, targets]]
                ticks = self._table[rows[:, None], columns[None, :]]
                way = np.where(ticks == _NO_WAY, np.inf, ticks * _TICK_S)
                way = way + places.leave_s[out, origins][:, None] + places.enter_s[into, targets][None, :]
                np.minimum(best, way, out=best)
        self._along_one_piece(best, origins, targets)
        best[places.lost[origins]] = np.inf
        best[:, places.lost[targets]] = np.inf
        return best

    def _along_one_piece(self, best: Floats, origins: Ints, targets: Ints) -> None:
        places = self.attached
        same = np.nonzero(places.piece[origins][:, None] == places.piece[targets][None, :])
        a, b = origins[same[0]], targets[same[1]]
        step = places.at[b] - places.at[a]
        # Standing at the very place takes no time, also where the piece is closed to one direction.
        with np.errstate(invalid="ignore"):
            direct = np.where(step >= 0, step * places.along_s[a], -step * places.against_s[a])
        direct[step == 0] = 0.0
        best[same] = np.minimum(best[same], direct)


class _Net:
    """The directed graph of one mode, cut down to the largest part in which everybody reaches everybody."""

    def __init__(self, streets: Streets, mode: Mode) -> None:
        self._streets = streets
        along, against = streets.speed_mps[mode]
        with np.errstate(divide="ignore"):
            self._along_s = np.where(along > 0, streets.length_m / along, np.inf)
            self._against_s = np.where(against > 0, streets.length_m / against, np.inf)
        self._start, self._end, self.size = _cut_at_barriers(streets, mode)
        self._used = self._main_part(mode)
        self._degree = np.bincount(np.r_[self._start[self._used], self._end[self._used]], minlength=self.size)
        # Dead ends lead nobody anywhere: without them the search is a quarter shorter.
        through = (self._degree[self._start[self._used]] > 1) & (self._degree[self._end[self._used]] > 1)
        self.graph = _fastest(self._edges(self._used[through]), self.size)

    def _edges(self, used: Ints) -> tuple[Ints, Ints, Floats]:
        start = np.r_[self._start[used], self._end[used]]
        end = np.r_[self._end[used], self._start[used]]
        seconds = np.r_[self._along_s[used], self._against_s[used]]
        open_ = np.isfinite(seconds)
        return start[open_], end[open_], np.maximum(seconds[open_], 1e-3)

    def _main_part(self, mode: Mode) -> Ints:
        passable = np.flatnonzero(np.isfinite(np.minimum(self._along_s, self._against_s)))
        if len(passable) == 0:
            raise Invalid("simulate_mode_without_roads", mode=mode.value)
        graph = _fastest(self._edges(passable), self.size)
        _, label = connected_components(graph, connection="strong")
        inside = passable[label[self._start[passable]] == label[self._end[passable]]]
        if len(inside) == 0:
            raise Invalid("simulate_mode_without_roads", mode=mode.value)
        main = np.bincount(label[self._start[inside]], self._streets.length_m[inside]).argmax()
        return np.asarray(inside[label[self._start[inside]] == main])

    def attach(self, lonlat: Floats, metric: LocalMetric) -> _Attached:
        """Put places (n, 2) on the nearest piece of the main part."""
        lines = [shapely.LineString(self._streets.lines[i]) for i in self._used]
        plane = metric.to_plane(np.array(lines, dtype=object))
        points = shapely.points(np.column_stack(metric.forward(lonlat[:, 0], lonlat[:, 1])))
        tree = shapely.STRtree(plane)
        nearest = tree.nearest(points)
        away_m = shapely.distance(points, plane[nearest])
        share = shapely.line_locate_point(plane[nearest], points, normalized=True)
        piece = self._used[nearest]
        along, against = self._along_s[piece], self._against_s[piece]
        ends = np.array([self._start[piece], self._end[piece]])
        # Nobody gains by turning at a dead end: such an end is no way out or in, and needs no row in the table.
        dead = self._degree[ends] < 2
        return _Attached(
            piece=piece,
            at=share,
            ends=ends,
            leave_s=np.where(dead, np.inf, [_part(share, against), _part(1 - share, along)]),
            enter_s=np.where(dead, np.inf, [_part(share, along), _part(1 - share, against)]),
            along_s=along,
            against_s=against,
            lost=away_m > OFF_NETWORK_M,
        )


def _part(share: Floats, seconds: Floats) -> Floats:
    """A share of a piece's time; nothing of a closed piece is no time, anything of it is none at all."""
    with np.errstate(invalid="ignore"):
        return np.where(share <= 0, 0.0, share * seconds)


def _cut_at_barriers(streets: Streets, mode: Mode) -> tuple[Ints, Ints, int]:
    """Ends of the pieces, with an end of its own for each piece that stops at a barrier."""
    start, end, size = streets.start.copy(), streets.end.copy(), len(streets.lonlat)
    for ends in (start, end):
        at = np.flatnonzero(np.isin(ends, streets.barred[mode]))
        ends[at] = size + np.arange(len(at))
        size += len(at)
    return start, end, size


def _fastest(edges: tuple[Ints, Ints, Floats], size: int) -> csr_matrix:
    """A sparse graph; of several pieces between two junctions the fastest counts."""
    start, end, seconds = edges
    order = np.lexsort((seconds, end, start))
    start, end, seconds = start[order], end[order], seconds[order]
    first = np.r_[True, (start[1:] != start[:-1]) | (end[1:] != end[:-1])]
    return csr_matrix((seconds[first], (start[first], end[first])), shape=(size, size))
