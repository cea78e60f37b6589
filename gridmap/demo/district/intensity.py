"""The known truth: how many incidents of each class are to be expected where and when.

The background of class c at anchor a (a house or a stretch of street) on day d and hour h is

    rate[c, d] * share[family(c), month(d), a] * hours[c, weekday(d), h]

and every incident raises, on average, `branching[c]` more of its class nearby: a Gaussian of `near_m` around it, after
an exponential delay of mean `near_days` (the form of Mohler et al. 2011, JASA 106). `share` sums to one over
all anchors: a part of it follows land use, the rest hot spots that drift and swell. See `Truth.expected_week`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from gridmap.demo.district.linework import Floats, Ints

CELL_M = 250.0
HOT_SPOTS = 5


@dataclass(frozen=True)
class Family:
    """Classes that share a geography. The five weights say what draws them."""

    key: str
    homes: float
    shops: float
    works: float
    main_streets: float
    small_streets: float
    hot_share: float
    hot_radius_m: float


FAMILIES = (
    Family("property", 0.55, 0.25, 0.06, 0.04, 0.10, 0.38, 330),
    Family("order", 0.25, 0.50, 0.05, 0.12, 0.08, 0.42, 260),
    Family("traffic", 0.02, 0.06, 0.02, 0.75, 0.15, 0.30, 280),
    Family("appearance", 0.25, 0.15, 0.04, 0.21, 0.35, 0.22, 420),
    Family("street_order", 0.05, 0.55, 0.02, 0.28, 0.10, 0.35, 240),
    Family("utilities", 0.40, 0.10, 0.08, 0.27, 0.15, 0.18, 500),
    Family("people", 0.82, 0.08, 0.04, 0.02, 0.04, 0.16, 450),
    Family("environment", 0.15, 0.10, 0.40, 0.10, 0.25, 0.28, 520),
)


@dataclass(frozen=True)
class ClassModel:
    """Behaviour of one class. `weight` is its part of all incidents; `day` names its course over the day."""

    key: str
    family: str
    weight: float
    day: str
    season: str = "flat"
    branching: float = 0.0
    near_m: float = 110.0
    near_days: float = 5.0


# One row per class of the vocabulary that the history holds.
CLASS_MODELS = tuple(
    ClassModel(*row)
    for row in (
        ("S1.01", "utilities", 0.012, "evening", "dry"), ("S1.02", "utilities", 0.008, "meals"),
        ("S1.03", "people", 0.020, "office"), ("S1.04", "people", 0.004, "office", "rain"),
        ("S1.05", "environment", 0.002, "office"), ("S1.06", "utilities", 0.014, "commute", "rain"),
        ("S1.07", "utilities", 0.012, "flat", "rain"), ("S1.08", "people", 0.030, "evening"),
        ("S2.01", "order", 0.016, "night", "summer", 0.10, 90.0, 3.0), ("S2.02", "order", 0.030, "late_day", "spring_festival", 0.12),
        ("S2.03", "property", 0.014, "small_hours", "spring_festival", 0.24, 140.0, 6.0),
        ("S2.04", "property", 0.022, "small_hours", "flat", 0.18, 160.0, 5.0), ("S2.05", "property", 0.016, "night"),
        ("S2.06", "people", 0.006, "office"), ("S2.07", "people", 0.020, "office"), ("S2.08", "order", 0.004, "office"),
        ("S2.09", "order", 0.004, "school"), ("S2.10", "traffic", 0.062, "commute"),
        ("S3.01", "people", 0.034, "evening"), ("S3.02", "people", 0.014, "evening"), ("S3.03", "people", 0.008, "office"),
        ("S3.04", "people", 0.008, "office"), ("S3.05", "environment", 0.012, "office", "spring_festival"),
        ("S3.06", "people", 0.028, "office"), ("S4.01", "people", 0.016, "morning", "winter"), ("S4.02", "people", 0.003, "flat"),
        ("S4.03", "people", 0.002, "evening"), ("S4.04", "people", 0.002, "night"), ("S4.05", "people", 0.006, "night"),
        ("S5.01", "utilities", 0.034, "meals", "summer"), ("S5.02", "order", 0.060, "night", "summer", 0.15, 70.0, 2.0),
        ("S5.03", "street_order", 0.050, "commute"), ("S5.04", "people", 0.025, "office"), ("S5.05", "people", 0.004, "office"),
        ("S6.01", "street_order", 0.014, "meals", "summer"), ("S6.02", "street_order", 0.010, "office"),
        ("S7.01", "environment", 0.012, "small_hours", "rain", 0.15, 200.0, 4.0),
        ("S7.02", "environment", 0.012, "late_day", "dry"), ("S7.03", "environment", 0.016, "office", "dry"),
        ("C1.01", "appearance", 0.072, "morning", "summer", 0.12, 60.0, 4.0), ("C1.02", "appearance", 0.046, "morning"),
        ("C1.03", "appearance", 0.040, "office"), ("C1.04", "appearance", 0.014, "office"), ("C1.05", "appearance", 0.012, "office"),
        ("C1.06", "appearance", 0.004, "morning"), ("C2.01", "appearance", 0.034, "morning", "flat", 0.20, 90.0, 3.0),
        ("C2.02", "street_order", 0.008, "office"), ("C3.01", "order", 0.018, "night"), ("C3.02", "traffic", 0.010, "office"),
        ("C3.03", "traffic", 0.004, "office"), ("C4.01", "street_order", 0.044, "late_day", "summer", 0.15, 80.0, 2.0),
        ("C4.02", "street_order", 0.040, "late_day"), ("C4.03", "street_order", 0.034, "late_day"),
        ("C4.04", "street_order", 0.040, "commute"), ("C5.01", "utilities", 0.006, "flat", "winter"),
        ("C5.02", "traffic", 0.001, "flat", "rain"), ("C5.03", "traffic", 0.010, "flat", "rain"),
        ("C5.04", "utilities", 0.004, "flat", "rain"), ("C5.05", "traffic", 0.002, "morning", "winter"),
        ("C5.06", "people", 0.003, "office", "rain"), ("C6.01", "traffic", 0.030, "night"), ("C6.02", "traffic", 0.008, "commute", "rain"),
        ("C6.03", "traffic", 0.010, "flat"), ("X.01", "people", 0.012, "office"),
    )
)  # fmt: skip

_HOURS = {
    "flat": [1] * 24,
    "office": [1, 1, 1, 1, 1, 1, 2, 4, 9, 12, 12, 10, 6, 6, 10, 11, 10, 8, 5, 4, 3, 3, 2, 1],
    "commute": [2, 1, 1, 1, 1, 2, 5, 11, 12, 7, 5, 5, 6, 5, 5, 6, 8, 12, 11, 7, 5, 4, 3, 2],
    "evening": [3, 2, 1, 1, 1, 1, 2, 3, 4, 4, 4, 5, 6, 5, 4, 5, 6, 8, 10, 12, 12, 10, 7, 5],
    "night": [10, 8, 5, 3, 2, 1, 1, 1, 1, 1, 2, 2, 3, 3, 2, 2, 3, 4, 5, 7, 9, 12, 13, 12],
    "small_hours": [8, 10, 12, 12, 9, 5, 3, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3, 3, 4, 4, 4, 5, 6],
    "late_day": [2, 1, 1, 1, 1, 1, 3, 5, 6, 6, 6, 7, 8, 7, 6, 7, 9, 11, 12, 11, 9, 7, 5, 3],
    "morning": [1, 1, 1, 1, 2, 4, 8, 12, 12, 10, 8, 6, 5, 5, 5, 5, 5, 4, 3, 3, 2, 2, 1, 1],
    "meals": [1, 1, 1, 1, 1, 2, 5, 7, 5, 4, 6, 10, 10, 6, 4, 5, 8, 12, 12, 9, 6, 4, 2, 1],
    "school": [0.1, 0.1, 0.1, 0.1, 0.1, 0.2, 3, 12, 6, 2, 2, 6, 7, 4, 2, 5, 14, 12, 5, 2, 1, 0.5, 0.2, 0.1],
}
_WEEKDAY = {
    "office": (1.15, 1.1, 1.08, 1.05, 1.05, 0.72, 0.62), "school": (1.3, 1.25, 1.2, 1.2, 1.3, 0.3, 0.2),
    "commute": (1.1, 1.03, 1.02, 1.03, 1.12, 0.9, 0.8), "night": (0.85, 0.85, 0.9, 0.95, 1.2, 1.3, 0.95),
}  # fmt: skip
_SPRING_FESTIVAL = {2023: (1, 21), 2024: (2, 9), 2025: (1, 28), 2026: (2, 16), 2027: (2, 5), 2028: (1, 25)}
"""Eve of the first day of the lunar year."""


@dataclass(frozen=True)
class Truth:
    """The model behind a history. Shapes: families F, classes C, months M, anchors A, days D.

    Attributes:
        start: first local day. `rate` (C, D): expected background incidents of a class on a day.
        share: (F, M, A), sums to one over A. `month_of_day` (D,). `hours` (C, 7, 24), sums to one over hours.
        branching, near_m, near_days: (C,) of the near-repeat part.
        anchor_xy: (A, 2) district metres. `anchor_cell` (A,): cell number of `CELL_M` squares, row by row
        from the south-west corner `grid_origin`; `grid_shape` is (rows, columns).
    """

    start: date
    classes: tuple[ClassModel, ...]
    rate: Floats
    share: Floats
    month_of_day: Ints
    hours: Floats
    anchor_xy: Floats
    anchor_cell: Ints
    grid_origin: tuple[float, float]
    grid_shape: tuple[int, int]
    hot_spots: Floats

    @property
    def family_of(self) -> Ints:
        """Family number of each class."""
        keys = [family.key for family in FAMILIES]
        return np.array([keys.index(model.family) for model in self.classes])

    def expected_week(self, class_number: int, week: int) -> Floats:
        """Expected incidents per cell (rows, columns) in week `week` from `start`, near repeats included.

        The near-repeat part is taken at its long-run mean, where offspring lie in the parent's cell:
        background / (1 - branching). For single weeks add the excitation of the weeks before instead.
        """
        days = np.arange(7 * week, min(7 * week + 7, self.rate.shape[1]))
        family = self.family_of[class_number]
        total = np.zeros(self.grid_shape[0] * self.grid_shape[1])
        for day in days:
            weight = self.share[family, self.month_of_day[day]] * self.rate[class_number, day]
            total += np.bincount(self.anchor_cell, weight, len(total))
        model = self.classes[class_number]
        return np.asarray(total.reshape(self.grid_shape) / (1 - model.branching))


@dataclass(frozen=True)
class Anchors:
    """Where incidents can happen. `weights` (5, A): homes, shops, works, main and small streets."""

    xy: Floats
    weights: Floats
    street: Ints
    label: list[str]


def _hot_spots(anchors: Anchors, rng: np.random.Generator) -> Floats:
    """(F, K, 6): centre x, y; drift x, y in metres a year; swell period in days; phase."""
    spots = np.empty((len(FAMILIES), HOT_SPOTS, 6))
    for f, family in enumerate(FAMILIES):
        weight = _land_use(family, anchors)
        centre = rng.choice(len(weight), HOT_SPOTS, replace=False, p=weight)
        spots[f, :, :2] = anchors.xy[centre]
        spots[f, :, 2:4] = rng.normal(0, 330, (HOT_SPOTS, 2))
        spots[f, :, 4] = rng.uniform(240, 700, HOT_SPOTS)
        spots[f, :, 5] = rng.uniform(0, 2 * np.pi, HOT_SPOTS)
    return spots


def _land_use(family: Family, anchors: Anchors) -> Floats:
    mix = np.array([family.homes, family.shops, family.works, family.main_streets, family.small_streets])
    sums = anchors.weights.sum(axis=1)
    scaled = mix / np.where(sums > 0, sums, 1.0)
    weight = scaled @ anchors.weights
    return np.asarray(weight / weight.sum())


def _shares(anchors: Anchors, spots: Floats, months: int) -> Floats:
    """(F, M, A): land use mixed with hot spots as they stand in the middle of each month."""
    share = np.empty((len(FAMILIES), months, len(anchors.xy)), dtype=np.float32)
    for f, family in enumerate(FAMILIES):
        base = _land_use(family, anchors)
        for month in range(months):
            day = 30.4 * (month + 0.5)
            hot = np.zeros(len(base))
            for x, y, vx, vy, period, phase in spots[f]:
                centre = np.array([x + vx * day / 365, y + vy * day / 365])
                squared = ((anchors.xy - centre) ** 2).sum(axis=1)
                bump = base * np.exp(-squared / (2 * family.hot_radius_m**2))
                hot += bump / max(bump.sum(), 1e-12) * (1 + 0.7 * np.sin(2 * np.pi * day / period + phase))
            mixed = (1 - family.hot_share) * base + family.hot_share * hot / hot.sum()
            share[f, month] = mixed / mixed.sum()
    return share


def _day_factors(start: date, days: int, rng: np.random.Generator) -> dict[str, Floats]:
    """Course over the year of each season word, (D,) with mean near one. Rain comes as drawn wet days."""
    dates = [start + timedelta(days=i) for i in range(days)]
    turn = np.array([2 * np.pi * (d.timetuple().tm_yday - 1) / 365.25 for d in dates])
    summer = 1 + 0.45 * np.cos(turn - 2 * np.pi * 200 / 365)
    wet_chance = 0.12 + 0.16 * np.clip(np.cos(turn - 2 * np.pi * 165 / 365), 0, None)
    wet = rng.random(days) < wet_chance
    rain = np.where(wet, rng.gamma(2.0, 2.2, days), 0.35)
    festival = np.array([_festival_distance(d) for d in dates])
    before = np.where((festival >= -24) & (festival < 0), 1.8, 1.0)
    return {
        "flat": np.ones(days), "summer": summer, "winter": 2 - summer, "rain": rain,
        "dry": np.where(wet, 0.4, 1.15) * (1 + 0.25 * np.cos(turn)), "spring_festival": before,
    }  # fmt: skip


def _festival_distance(day: date) -> int:
    """Days since the nearest known Spring Festival eve (negative before it)."""
    eves = [date(year, *month_day) for year, month_day in _SPRING_FESTIVAL.items()]
    return min(((day - eve).days for eve in eves), key=abs)


def _is_holiday(day: date) -> bool:
    return 0 <= _festival_distance(day) <= 7 or (day.month, day.day) in {(10, d) for d in range(1, 8)} | {
        (5, d) for d in range(1, 6)
    } | {(1, 1)}


def _rates(start: date, days: int, per_day: float, rng: np.random.Generator) -> Floats:
    """(C, D): background per class and day; with near repeats the mean over all classes is `per_day`."""
    factors = _day_factors(start, days, rng)
    dates = [start + timedelta(days=i) for i in range(days)]
    weekday = np.array([d.weekday() for d in dates])
    holiday = np.array([_is_holiday(d) for d in dates])
    total = sum(model.weight for model in CLASS_MODELS)
    trend = 1 + 0.09 * (np.arange(days) / 365.25 - 1)
    rows = []
    for model in CLASS_MODELS:
        week = np.array(_WEEKDAY.get(model.day, (1, 1, 1, 1, 1.05, 1.02, 0.95)))
        course = factors[model.season] * week[weekday] / week.mean() * trend
        course = course * np.where(holiday, 0.6 if model.day in ("office", "school", "commute") else 1.15, 1.0)
        rows.append(per_day * model.weight / total * (1 - model.branching) * course / course.mean())
    return np.array(rows)


def make_truth(anchors: Anchors, start: date, days: int, per_day: float, rng: np.random.Generator) -> Truth:
    """The model of a history of `days` days with `per_day` incidents (without duplicates) on an average day."""
    months = int(np.ceil(days / 30.4))
    spots = _hot_spots(anchors, rng)
    share = _shares(anchors, spots, months)
    rate = _rates(start, days, per_day, rng)
    hours = np.array([[_HOURS[m.day]] * 7 for m in CLASS_MODELS], dtype=np.float64)
    hours /= hours.sum(axis=2, keepdims=True)
    origin = np.floor(anchors.xy.min(axis=0) / CELL_M) * CELL_M
    index = np.floor((anchors.xy - origin) / CELL_M).astype(np.int64)
    rows, columns = int(index[:, 1].max()) + 1, int(index[:, 0].max()) + 1
    month_of_day = np.minimum(np.arange(days) / 30.4, months - 1).astype(np.int64)
    return Truth(
        start, CLASS_MODELS, rate, share, month_of_day, hours, anchors.xy, index[:, 1] * columns + index[:, 0],
        (float(origin[0]), float(origin[1])), (rows, columns), spots,
    )  # fmt: skip
