"""Times that no trip on a road graph can beat: one search backwards from the target over what the engine may use.

Three facts make them certain. Every trip of the engine runs over pieces of `RoadLines` at no more than their speed.
The engine places a position on the nearest road it may use, or, when that leads nowhere, on the nearest one that is
well connected: either lies no further away than the nearest `sure` piece of a large piece of network. And a place on
a piece has the time of one of its ends at least. Closed roads only make trips longer; they count when it is asked
which roads are sure.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_matrix, csr_matrix
from scipy.sparse.csgraph import connected_components, dijkstra
from shapely import STRtree

from gridmap.domain.road_bounds import MODES, Flags, Floats, Ints, RoadLines
from gridmap.domain.travel import KMH, OFF_NETWORK_M, LonLat, Mode

# The engine asks for 50 pieces that can be reached; a crossing joins up to four.
WELL_CONNECTED_CHAINS = 200
# How much further the engine's own measure of "nearest" may see than ours, and its tolerance at crossings.
_NEAREST_FACTOR, _NEAREST_PLUS_M = 1.02, 6.0
# A search begins with minutes and ends with a day on foot; whatever lies beyond has no way at all.
_FIRST_LIMIT_S, _LAST_LIMIT_S = 240.0, 86_400.0
_EARTH_M = 6_378_137.0
_KEPT_NETWORKS = 12


@dataclass(frozen=True)
class _SureRoads:
    """The pieces of one mode that can be relied on while some roads are closed."""

    tree: STRtree | None


class RoadBounds:
    """Lower bounds over one road graph, for all modes. Safe to share between threads."""

    def __init__(self, lines: RoadLines) -> None:
        self._lines = lines
        x, y = _conformal(lines.lon, lines.lat)
        ends = np.stack([np.column_stack([x, y])[lines.start], np.column_stack([x, y])[lines.end]], axis=1)
        self._pieces = shapely.linestrings(ends) if len(ends) else np.empty(0, dtype=object)
        self._usable = [np.flatnonzero(lines.speed_kmh[row][lines.way] > 0) for row in range(len(MODES))]
        self._trees = [STRtree(self._pieces[usable]) for usable in self._usable]
        self._backwards = [self._reversed(row) for row in range(len(MODES))]
        self._sure: OrderedDict[tuple[Mode, bytes], _SureRoads] = OrderedDict()
        self._lock = Lock()

    def search(self, mode: Mode, target: LonLat, closed: Sequence[object] = ()) -> Search:
        """The bounds of one mode to one target; `closed` are WGS84 polygons."""
        return Search(self, mode, target, self._sure_roads(mode, closed))

    def reach_m(self, sure: _SureRoads, lon: Floats, lat: Floats, most_m: float) -> Floats:
        """How far at most the road lies that the engine places each point on; `most_m` where nothing is sure."""
        if sure.tree is None or not len(lon):
            return np.full(len(lon), most_m)
        points = shapely.points(*_conformal(lon, lat))
        found, away = sure.tree.query_nearest(points, return_distance=True, all_matches=False)
        away_m = np.full(len(lon), np.inf)
        away_m[found[0]] = away * np.cos(np.radians(np.asarray(lat)[found[0]]))
        return np.minimum(away_m * _NEAREST_FACTOR + _NEAREST_PLUS_M, most_m)

    def pieces_within(self, mode: Mode, lon: Floats, lat: Floats, reach_m: Floats) -> tuple[Ints, Ints]:
        """(index of point, piece) of every usable piece within reach."""
        row = MODES.index(mode)
        points = shapely.points(*_conformal(lon, lat))
        # The projection is conformal: around a point a metre is 1 / cos(latitude) of its units.
        distance = reach_m / np.cos(np.radians(lat))
        whose, which = self._trees[row].query(points, predicate="dwithin", distance=distance)
        return whose.astype(np.int32), self._usable[row][which].astype(np.int32)

    def ends(self, pieces: Ints) -> tuple[Ints, Ints]:
        return self._lines.start[pieces], self._lines.end[pieces]

    def backwards(self, mode: Mode) -> csr_matrix:
        return self._backwards[MODES.index(mode)]

    def _reversed(self, row: int) -> csr_matrix:
        """Seconds over each piece, from its far end to its near one: a search runs from the target out."""
        lines, usable = self._lines, self._usable[row]
        start, end = lines.start[usable], lines.end[usable]
        # A zero would be read as "no way": the sparse matrix keeps it out.
        seconds = np.maximum(lines.length_m[usable] / (lines.speed_kmh[row][lines.way[usable]] * KMH), 1e-6)
        direction = (
            lines.oneway[lines.way[usable]] if MODES[row] == Mode.CAR else np.zeros(len(usable), np.int8)
        )
        along, against = direction >= 0, direction <= 0
        arcs = (
            np.r_[end[along], start[against]],
            np.r_[start[along], end[against]],
            np.r_[seconds[along], seconds[against]],
        )
        return _cheapest(*arcs, len(lines.lon))

    def _sure_roads(self, mode: Mode, closed: Sequence[object]) -> _SureRoads:
        key = (mode, b"".join(sorted(shapely.to_wkb(shape) for shape in closed)))
        with self._lock:
            if key in self._sure:
                self._sure.move_to_end(key)
                return self._sure[key]
        made = self._find_sure(MODES.index(mode), closed)
        with self._lock:
            self._sure[key] = made
            while len(self._sure) > _KEPT_NETWORKS:
                self._sure.popitem(last=False)
        return made

    def _find_sure(self, row: int, closed: Sequence[object]) -> _SureRoads:
        lines = self._lines
        gates = lines.blocked[row]
        sure = lines.sure[row][lines.way] & ~gates[lines.start] & ~gates[lines.end]
        if closed:
            touched = self._touched(row, closed)
            sure &= ~np.isin(lines.chain, np.unique(lines.chain[touched]))
        pieces = np.flatnonzero(sure)
        if not len(pieces):
            return _SureRoads(None)
        joined = coo_matrix(
            (np.ones(len(pieces), dtype=np.int8), (lines.start[pieces], lines.end[pieces])),
            shape=(len(lines.lon), len(lines.lon)),
        )
        _, label = connected_components(joined, directed=False)
        of_piece = label[lines.start[pieces]]
        pairs = np.unique(np.column_stack([of_piece, lines.chain[pieces]]), axis=0)
        chains = np.bincount(pairs[:, 0], minlength=label.max() + 1)
        kept = pieces[chains[of_piece] >= WELL_CONNECTED_CHAINS]
        return _SureRoads(STRtree(self._pieces[kept]) if len(kept) else None)

    def _touched(self, row: int, closed: Sequence[object]) -> Ints:
        shapes = [shapely.transform(shape, _conformal_of) for shape in closed]
        margin = [shapely.buffer(shape, 2 * _NEAREST_PLUS_M) for shape in shapes]
        _, which = self._trees[row].query(margin, predicate="intersects")
        touched: Ints = self._usable[row][which].astype(np.int32)
        return touched


class Search:
    """Bounds of one mode to one target, searched further out as they are asked for."""

    def __init__(self, roads: RoadBounds, mode: Mode, target: LonLat, sure: _SureRoads) -> None:
        self._roads, self._mode, self._sure = roads, mode, sure
        lon, lat = np.array([target.lon]), np.array([target.lat])
        # The target is placed on a road however far that is; past this nothing is known of it.
        reach_m = roads.reach_m(sure, lon, lat, np.inf)
        self.target_away_m = float(reach_m[0])
        self.is_known = bool(np.isfinite(reach_m[0]))
        self._sources: Ints = np.empty(0, np.int32)
        if self.is_known:
            _, pieces = roads.pieces_within(mode, lon, lat, reach_m)
            self._sources = np.unique(np.concatenate(roads.ends(pieces))).astype(np.int32)
        self._limit_s = 0.0
        self._node_s: Floats = np.empty(0)

    def bounds_s(self, lon: Floats, lat: Floats, enough_s: float) -> tuple[Floats, Flags]:
        """A time no trip from each place beats, and whether it is final.

        Times above the search's present limit, which is more than `enough_s`, are that limit, and not final. Infinite
        ones are final: no way leads there.
        """
        if not self.is_known:
            return np.zeros(len(lon)), np.ones(len(lon), dtype=bool)
        self._search_to(enough_s)
        most_m = OFF_NETWORK_M + _NEAREST_PLUS_M
        reach_m = self._roads.reach_m(self._sure, lon, lat, most_m)
        whose, pieces = self._roads.pieces_within(self._mode, lon, lat, reach_m)
        start, end = self._roads.ends(pieces)
        best = np.full(len(lon), np.inf)
        np.minimum.at(best, whose, np.minimum(self._node_s[start], self._node_s[end]))
        # With nothing sure near, the engine may look for other roads at both ends: nothing is known of such a trip.
        best[reach_m >= most_m] = 0.0
        if self._limit_s >= _LAST_LIMIT_S:
            return best, np.ones(len(lon), dtype=bool)
        return np.minimum(best, self._limit_s), best < self._limit_s

    def _search_to(self, enough_s: float) -> None:
        if enough_s < self._limit_s or self._limit_s >= _LAST_LIMIT_S:
            return
        self._limit_s = min(max(_FIRST_LIMIT_S, 2 * enough_s), _LAST_LIMIT_S)
        self._node_s = dijkstra(
            self._roads.backwards(self._mode), indices=self._sources, limit=self._limit_s, min_only=True
        )


def _cheapest(source: Ints, target: Ints, seconds: Floats, size: int) -> csr_matrix:
    """Of parallel pieces the quickest: a sparse matrix would add them up."""
    order = np.lexsort((seconds, target, source))
    source, target, seconds = source[order], target[order], seconds[order]
    first = np.r_[True, (source[1:] != source[:-1]) | (target[1:] != target[:-1])] if len(source) else []
    return csr_matrix((seconds[first], (source[first], target[first])), shape=(size, size))


def _conformal(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    """A conformal plane to look for neighbours in; never measured in without the local scale."""
    return _EARTH_M * np.radians(lon), _EARTH_M * np.arcsinh(np.tan(np.radians(lat)))


def _conformal_of(corners: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.column_stack(_conformal(corners[:, 0], corners[:, 1]))
