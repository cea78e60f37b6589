"""The risk list: for each area what to expect, how sure its rank is, whether it really changed, and when."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import binom, norm

from gridmap.errors import Invalid
from gridmap.risk.arrays import Floats, Ints
from gridmap.risk.counts import Counts
from gridmap.risk.events import Events
from gridmap.risk.forecast import Forecast
from gridmap.risk.grid import Areas
from gridmap.risk.hours import hour_profile

_DRAWS = 2_000
_TREND_D = 28.0
_LEAST_HOUR_ROWS = 20
_LEAST_TREND_ROWS = 3


@dataclass(frozen=True)
class Trend:
    """The last four weeks of an area against what its share of the eight before leads to expect.

    Attributes:
        recent, expected: incidents, and how many the same course as in the whole area would have brought.
        ratio: recent over expected, drawn to one where both are small.
        p_value: two-sided. q_value: false-discovery rate if this and all clearer ones are called real
            (Benjamini, Hochberg 1995).
        real: q_value under the rate asked for, and no break of recording in the span.
    """

    recent: int
    expected: float
    ratio: float
    p_value: float
    q_value: float
    real: bool


@dataclass(frozen=True)
class AreaRisk:
    """One area. `rank` 1 is the highest by expected count; the true rank lies in [rank_low, rank_high] with the
    forecast's coverage. `density_rank` goes by expected per km2. `top_hours` are hours of the day, () where thin.
    `known` rows in its past; 0 means that its figure is the surface's alone. `found_share` of them by patrols."""

    code: str
    expected: float
    low: float
    high: float
    per_km2: float
    rank: int
    rank_low: int
    rank_high: int
    density_rank: int
    trend: Trend
    top_hours: tuple[int, ...]
    known: int
    found_share: float


def list_areas(
    areas: Areas, found: Forecast, events: Events, *, false_discovery: float = 0.1, seed: int = 1
) -> tuple[AreaRisk, ...]:
    """Figures of every area, highest expected count first.

    Args:
        found: a forecast with `areas`. Raises Invalid("risk_no_areas") without.
        events: the rows it was made from.
        false_discovery: how many of the trends called real may be noise, as a share.
    """
    if found.areas is None:
        raise Invalid("risk_no_areas")
    known = events.known_at(found.origin_d)
    where = areas.locate(known.x_m, known.y_m)
    expected = found.areas.expected
    past = np.bincount(where[where >= 0], minlength=len(areas))
    low, high = _rank_span(found.areas, past, seed)
    rank, dense = _ranks(expected), _ranks(expected / areas.km2)
    trends = _trends(known, where, len(areas), found, false_discovery)
    out = []
    for index in np.argsort(rank).tolist():
        mine = known.take(where == index)
        profile = hour_profile(mine)
        out.append(
            AreaRisk(
                areas.codes[index], float(expected[index]), float(found.areas.low[index]),
                float(found.areas.high[index]), float(expected[index] / areas.km2[index]), int(rank[index]),
                int(low[index]), int(high[index]), int(dense[index]), trends[index],
                profile.top() if profile.rows >= _LEAST_HOUR_ROWS else (), len(mine),
                float(mine.found.mean()) if len(mine) else 0.0,
            )
        )  # fmt: skip
    return tuple(out)


def _ranks(values: Floats) -> Ints:
    rank = np.empty(len(values), dtype=np.int64)
    rank[np.argsort(-values, kind="stable")] = np.arange(1, len(values) + 1)
    return rank


def _rank_span(counts: Counts, past: Ints, seed: int) -> tuple[Ints, Ints]:
    """5 % and 95 % of each area's rank among the true means, which are known no better than their past allows.

    A mean drawn from `past` events has a relative variance of 1 / past, and the forecast's dispersion beside it.
    """
    rng = np.random.default_rng(seed)
    mean = np.maximum(counts.expected, 1e-9)
    size = 1.0 / (counts.dispersion + 1.0 / (past + 1.0))
    drawn = rng.gamma(size, mean / size, (_DRAWS, len(mean)))
    order = np.argsort(-drawn, axis=1)
    rank = np.empty_like(order)
    np.put_along_axis(rank, order, np.broadcast_to(np.arange(1, len(mean) + 1), order.shape), axis=1)
    low, high = np.quantile(rank, [0.05, 0.95], axis=0, method="nearest")
    # The rank that is told must not lie outside: draws are rounded, and means near nothing are raised above.
    told = _ranks(counts.expected)
    return np.minimum(low, told).astype(np.int64), np.maximum(high, told).astype(np.int64)


def _trends(known: Events, where: Ints, count: int, found: Forecast, rate: float) -> list[Trend]:
    """Of the incidents of the last twelve weeks in an area, did too many fall into the last four?

    Clumps make every area scatter more than a coin does. How much more is read off the middle area (genomic control,
    Devlin, Roeder 1999, Biometrics 55), which a few real changes do not move as they would a mean.
    """
    now = found.origin_d
    used = ~known.found & (where >= 0)
    late = used & (known.occurred_d >= now - _TREND_D)
    before = used & (known.occurred_d < now - _TREND_D) & (known.occurred_d >= now - 3 * _TREND_D)
    recent = np.bincount(where[late], minlength=count).astype(np.int64)
    earlier = np.bincount(where[before], minlength=count).astype(np.int64)
    whole = recent + earlier
    calm = np.ones(count, dtype=bool)
    # What really changed must not be what the others are measured by.
    for _ in range(3):
        share = (recent[calm].sum() + 0.5) / (whole[calm].sum() + 1.5)
        p_value = _two_sided(recent, whole, share)
        q_value = false_discovery_rates(p_value)
        calm = q_value > rate
    expected = whole * share
    broken = any(change.day_d >= now - 3 * _TREND_D for change in found.changes)
    ratio = (recent + 2.0) / (expected + 2.0)
    return [
        Trend(int(recent[i]), float(expected[i]), float(ratio[i]), float(p_value[i]), float(q_value[i]),
              bool(q_value[i] <= rate and not broken))
        for i in range(count)
    ]  # fmt: skip


def _two_sided(recent: Ints, whole: Ints, share: float) -> Floats:
    step = binom.pmf(recent, whole, share)
    # Half of the own step: a count's tail must neither always nor never hold it.
    upper, lower = binom.sf(recent, whole, share) + step / 2, binom.cdf(recent, whole, share) - step / 2
    distance = norm.isf(np.minimum(np.minimum(upper, lower), 0.5).clip(1e-300))
    spread = _spread(distance[whole >= _LEAST_TREND_ROWS])
    return np.where(whole > 0, 2 * norm.sf(distance / spread), 1.0)


def _spread(distance: Floats) -> float:
    """How many times wider than a normal's the distances lie, at least once."""
    if not len(distance):
        return 1.0
    return max(1.0, float(np.median(distance) / norm.isf(0.25)))


def false_discovery_rates(p_value: Floats) -> Floats:
    """The Benjamini-Hochberg adjusted values, in the order given."""
    count = len(p_value)
    order = np.argsort(p_value)
    scaled = p_value[order] * count / np.arange(1, count + 1)
    adjusted = np.empty(count)
    adjusted[order] = np.minimum.accumulate(scaled[::-1])[::-1].clip(max=1.0)
    return adjusted
