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
from numpy.typing import NDArray

from gridmap.demo.district.class_models import (
    CLASS_MODELS,
    FAMILIES,
    HOURS,
    SPRING_FESTIVAL,
    WEEKDAY,
    ClassModel,
    Family,
)
from gridmap.demo.district.linework import Floats, Ints

CELL_M = 250.0
HOT_SPOTS = 5


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
    share: NDArray[np.float32]
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


def _shares(anchors: Anchors, spots: Floats, months: int) -> NDArray[np.float32]:
    """(F, M, A): land use mixed with hot spots as they stand in the middle of each month."""
    share = np.empty((len(FAMILIES), months, len(anchors.xy)), dtype=np.float32)
    for f, family in enumerate(FAMILIES):
        base = _land_use(family, anchors)
        near = np.flatnonzero(base > 0)
        xy, land = anchors.xy[near], base[near]
        for month in range(months):
            day = 30.4 * (month + 0.5)
            hot = np.zeros(len(near))
            for x, y, vx, vy, period, phase in spots[f]:
                centre = np.array([x + vx * day / 365, y + vy * day / 365])
                squared = (xy[:, 0] - centre[0]) ** 2 + (xy[:, 1] - centre[1]) ** 2
                bump = land * np.exp(-squared / (2 * family.hot_radius_m**2))
                hot += bump / max(bump.sum(), 1e-12) * (1 + 0.7 * np.sin(2 * np.pi * day / period + phase))
            mixed = (1 - family.hot_share) * base
            mixed[near] += family.hot_share * hot / hot.sum()
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
    eves = [date(year, *month_day) for year, month_day in SPRING_FESTIVAL.items()]
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
        week = np.array(WEEKDAY.get(model.day, (1, 1, 1, 1, 1.05, 1.02, 0.95)))
        course = factors[model.season] * week[weekday] / week.mean() * trend
        course = course * np.where(
            holiday, 0.6 if model.day in ("office", "school", "commute") else 1.15, 1.0
        )
        rows.append(per_day * model.weight / total * (1 - model.branching) * course / course.mean())
    return np.array(rows)


def make_truth(anchors: Anchors, start: date, days: int, per_day: float, rng: np.random.Generator) -> Truth:
    """The model of a history of `days` days with `per_day` incidents (without duplicates) on an average day."""
    months = int(np.ceil(days / 30.4))
    spots = _hot_spots(anchors, rng)
    share = _shares(anchors, spots, months)
    rate = _rates(start, days, per_day, rng)
    hours = np.array([[HOURS[m.day]] * 7 for m in CLASS_MODELS], dtype=np.float64)
    hours /= hours.sum(axis=2, keepdims=True)
    origin = np.floor(anchors.xy.min(axis=0) / CELL_M) * CELL_M
    index = np.floor((anchors.xy - origin) / CELL_M).astype(np.int64)
    rows, columns = int(index[:, 1].max()) + 1, int(index[:, 0].max()) + 1
    month_of_day = np.minimum(np.arange(days) / 30.4, months - 1).astype(np.int64)
    return Truth(
        start, CLASS_MODELS, rate, share, month_of_day, hours, anchors.xy, index[:, 1] * columns + index[:, 0],
        (float(origin[0]), float(origin[1])), (rows, columns), spots,
    )  # fmt: skip
