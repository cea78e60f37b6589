"""How far the replay's own travel times agree with the routing engine's, and the factor that brings them together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gridmap.adapters.valhalla import Valhalla
from gridmap.domain.travel import LonLat, Mode
from gridmap.errors import GridmapError
from gridmap.simulate.streets import Floats
from gridmap.simulate.travel import RoadTimes

_TARGETS = 24
_SOURCES = 12
# Trips that matter for who is sent; a longer one is never the fastest.
_LONGEST_S = 1_800.0


@dataclass(frozen=True, slots=True)
class Agreement:
    """One mode. `stretch` is the median of engine over ours, taken from one half of the pairs; errors are those of the
    other half after it: seconds ours less the engine's, median and 90th percentile of the size, and the mean.
    """

    pairs: int
    stretch: float
    median_s: float
    p90_s: float
    bias_s: float
    median_trip_s: float

    def as_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


def measure(
    times: RoadTimes, lonlat: Floats, modes: list[Mode], router: Valhalla, seed: int
) -> dict[Mode, Agreement]:
    """Compare on random pairs of the run's own places. Empty when the engine does not answer."""
    found: dict[Mode, Agreement] = {}
    for mode in modes:
        rng = np.random.default_rng([seed, 4])
        try:
            ours, theirs = _pairs(times, lonlat, mode, router, rng)
        except GridmapError:
            return {}
        if len(ours) >= 20:
            found[mode] = _compare(ours, theirs, rng)
    return found


def _pairs(
    times: RoadTimes, lonlat: Floats, mode: Mode, router: Valhalla, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    ours: list[float] = []
    theirs: list[float] = []
    everything = np.arange(len(lonlat))
    for target in rng.choice(everything, min(_TARGETS, len(everything)), replace=False).tolist():
        seconds = times.table(everything, mode, np.array([target]))[:, 0]
        near = np.flatnonzero((seconds > 0) & (seconds < _LONGEST_S))
        if len(near) == 0:
            continue
        sources = rng.choice(near, min(_SOURCES, len(near)), replace=False)
        trips = router.matrix([LonLat(*lonlat[s]) for s in sources], LonLat(*lonlat[target]), mode)
        for source, trip in zip(sources.tolist(), trips, strict=True):
            if trip.state == "ok" and trip.seconds:
                ours.append(float(seconds[source]))
                theirs.append(trip.seconds)
    return np.array(ours), np.array(theirs)


def _compare(ours: Floats, theirs: Floats, rng: np.random.Generator) -> Agreement:
    order = rng.permutation(len(ours))
    fit, test = order[: len(order) // 2], order[len(order) // 2 :]
    stretch = float(np.median(theirs[fit] / ours[fit]))
    error = ours[test] * stretch - theirs[test]
    return Agreement(
        pairs=len(test),
        stretch=round(stretch, 3),
        median_s=round(float(np.median(np.abs(error))), 1),
        p90_s=round(float(np.percentile(np.abs(error), 90)), 1),
        bias_s=round(float(error.mean()), 1),
        median_trip_s=round(float(np.median(theirs[test])), 1),
    )
