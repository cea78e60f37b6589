"""How often fences are wrong: units that stand still, and units that really cross, with the noise of real receivers.

Every track is judged twice: by our engine, and by the plain rule (in or out at each fix, and a cross when the way
between two fixes outside meets the fence) that Tile38 and Traccar follow, restated here. Both see the same fixes.

A receiver's accuracy N is the radius that holds 68 % of its fixes; it tells N with each. Errors are drawn round and
normal with that radius, in two ways, each half of all trials: white (each fix errs anew), and drifting as receivers do,
four fifths of the variance being a Gauss-Markov process that forgets in a minute.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import Polygon, box

from gridmap.bench.late_fences import late_equal
from gridmap.positions.fence_engine import Fence, FenceBook, Sample
from gridmap.positions.fence_rule import SURE

NOISES_M = (5, 15, 50)
SPEEDS_MPS = {"walk": 1.4, "ebike": 5.0, "car": 12.0}
STANDS_M = (10.0, 20.0, 50.0, 100.0, 200.0)
EVERY_S = 5.0
_RADIUS_SD = float(np.sqrt(-2.0 * np.log(0.32)))
_FORGETS_S = 60.0
_DRIFT_SHARE = 0.8
_UNIT = UUID(int=1)
_FENCE = UUID(int=2)
_BEGIN = datetime(2026, 1, 5, tzinfo=UTC)
_SIDE_M = 600.0
_PASSES = 12
_RUN_UP_M = 500.0

Track = NDArray[np.float64]
Told = tuple[str, float, float]  # kind, at, told at: seconds after the track's begin


@dataclass(frozen=True)
class Trials:
    """By rule ("ours", "plain") and noise in metres.

    flaps_per_hour: false events of a unit that stands, for each hour it stands.
    missed: share of true passages of which nothing was told, neither coming in nor passing.
    late_s: seconds from the true crossing of the border (in or out) to the fix at which it was told, p50 and p95.
    bound_s: what the rule promises for a border that lies deep enough, by noise and way to move.
    """

    flaps_per_hour: dict[str, dict[str, float]]
    missed: dict[str, dict[str, float]]
    late_s: dict[str, dict[str, dict[str, float]]]
    bound_s: dict[str, dict[str, float]]
    hours: float
    passages: int


def run_fence_trials(seed: int = 1, hours: float = 4.0) -> dict[str, Any]:
    """Everything of `run_trials` and whether late fixes change anything, as the report has it."""
    found = run_trials(seed, hours)
    return {
        "flaps_per_hour": found.flaps_per_hour,
        "missed": found.missed,
        "late_s": found.late_s,
        "late_bound_s": found.bound_s,
        "late_equal": late_equal(seed),
    }


def run_trials(seed: int, hours: float) -> Trials:
    """Stand and cross; `hours` is how long each of the standing units stands."""
    rng = np.random.default_rng(seed)
    flaps = {rule: {str(noise): 0.0 for noise in NOISES_M} for rule in _RULES}
    missed = {rule: {str(noise): 0.0 for noise in NOISES_M} for rule in _RULES}
    late: dict[str, dict[str, dict[str, float]]] = {rule: {} for rule in _RULES}
    stood_h, passages = 0.0, 0
    for noise in NOISES_M:
        stands = list(_stands(hours, noise, rng))
        crossings = list(_crossings(noise, rng))
        stood_h, passages = stood_h + len(stands) * hours, passages + len(crossings)
        for rule, judge in _RULES.items():
            false_events = sum(_false(judge(track, noise, shape), inside) for track, shape, inside in stands)
            flaps[rule][str(noise)] = round(false_events / (len(stands) * hours), 3)
            outcomes = [
                _outcome(judge(track, noise, shape), came_s, left_s)
                for track, shape, came_s, left_s in crossings
            ]
            missed[rule][str(noise)] = round(sum(not seen for seen, _ in outcomes) / len(outcomes), 4)
            late[rule][str(noise)] = _quantiles([one for _, found in outcomes for one in found])
    bound = {
        str(noise): {way: round(SURE * noise / speed + 2 * EVERY_S, 1) for way, speed in SPEEDS_MPS.items()}
        for noise in NOISES_M
    }
    return Trials(flaps, missed, late, bound, stood_h, passages)


def _errors(count: int, noise_m: float, rng: np.random.Generator, *, drifting: bool) -> Track:
    """Errors of a receiver's fixes, EVERY_S apart, of shape (count, 2) in metres."""
    white = rng.normal(0.0, noise_m / _RADIUS_SD, (count, 2))
    if not drifting:
        return white
    keeps = float(np.exp(-EVERY_S / _FORGETS_S))
    drift = np.empty_like(white)
    drift[0] = rng.normal(0.0, 1.0, 2)
    for at, push in enumerate(rng.normal(0.0, np.sqrt(1.0 - keeps**2), (count - 1, 2)), start=1):
        drift[at] = keeps * drift[at - 1] + push
    scaled = drift * (np.sqrt(_DRIFT_SHARE) * noise_m / _RADIUS_SD)
    return np.asarray(scaled + white * np.sqrt(1.0 - _DRIFT_SHARE))


def _stands(hours: float, noise_m: float, rng: np.random.Generator) -> Iterator[tuple[Track, Polygon, bool]]:
    """Units that stand 10 to 200 m to either side of a border of a zone of 600 m."""
    count = int(hours * 3600 / EVERY_S)
    zone = box(0.0, 0.0, _SIDE_M, _SIDE_M)
    for drifting in (False, True):
        for away_m in STANDS_M:
            for inside in (False, True):
                place = np.array([away_m if inside else -away_m, _SIDE_M / 2])
                yield place + _errors(count, noise_m, rng, drifting=drifting), zone, inside


def _crossings(noise_m: float, rng: np.random.Generator) -> Iterator[tuple[Track, Polygon, float, float]]:
    """Straight ways right through grids of 200 m and zones of 500 m, and when the unit truly came in and left."""
    for drifting in (False, True):
        for speed in SPEEDS_MPS.values():
            for side_m in (200.0, 500.0):
                for _ in range(_PASSES):
                    y = rng.uniform(0.2, 0.8) * side_m
                    phase_s = rng.uniform(0.0, EVERY_S)
                    count = int((side_m + 2 * _RUN_UP_M) / speed / EVERY_S)
                    at_s = phase_s + np.arange(count) * EVERY_S
                    true = np.column_stack([at_s * speed - _RUN_UP_M, np.full(count, y)])
                    track = true + _errors(count, noise_m, rng, drifting=drifting)
                    came_s = _RUN_UP_M / speed - phase_s
                    yield track, box(0.0, 0.0, side_m, side_m), came_s, came_s + side_m / speed


def _ours(track: Track, noise_m: float, shape: Polygon) -> list[Told]:
    book = FenceBook.build([Fence(_FENCE, "polygon", shape)])
    samples = [
        Sample(_UNIT, x, y, _BEGIN + timedelta(seconds=EVERY_S * number), noise_m)
        for number, (x, y) in enumerate(track.tolist())
    ]
    return [
        (event.kind, (event.at - _BEGIN).total_seconds(), (event.sample_at - _BEGIN).total_seconds())
        for event in book.advance({}, samples)
    ]


def _plain(track: Track, _noise_m: float, shape: Polygon) -> list[Told]:
    inside = shapely.contains_xy(shape, track[:, 0], track[:, 1])
    ways = shapely.linestrings(np.stack([track[:-1], track[1:]], axis=1))
    meets = shapely.intersects(shape, ways)
    told: list[Told] = [("inside", 0.0, 0.0)] if inside[0] else []
    for number in range(1, len(track)):
        at_s = EVERY_S * number
        if inside[number] != inside[number - 1]:
            told.append(("enter" if inside[number] else "exit", at_s, at_s))
        elif not inside[number] and meets[number - 1]:
            told.append(("cross", at_s, at_s))
    return told


_RULES = {"ours": _ours, "plain": _plain}


def _false(told: Sequence[Told], inside: bool) -> int:
    """Events of a unit that did nothing; that it stands inside may be told once."""
    true_ones = 1 if inside and told and told[0][0] in ("inside", "enter") else 0
    return len(told) - true_ones


def _outcome(told: Sequence[Told], came_s: float, left_s: float) -> tuple[bool, list[float]]:
    """Whether a passage was noticed, and how late its two borders were told (by the last of each kind)."""
    came = [at for kind, _, at in told if kind in ("enter", "inside")]
    left = [at for kind, _, at in told if kind == "exit"]
    crossed = [at for kind, _, at in told if kind == "cross"]
    late = [at - true_s for found, true_s in ((came, came_s), (left, left_s)) if found for at in found[-1:]]
    late += [at - left_s for at in crossed[-1:] if not came]
    return bool(came or crossed), late


def _quantiles(values: Sequence[float]) -> dict[str, float]:
    if not values:
        return {}
    p50, p95 = np.quantile(np.array(values), [0.5, 0.95]).tolist()
    return {"p50": round(p50, 1), "p95": round(p95, 1)}
