"""Putting a replay together: places, units with their stands, calls with their fate."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from gridmap.domain.travel import Mode
from gridmap.errors import Invalid
from gridmap.simulate.demand import Durations, Reports, draw_fate, needs_of
from gridmap.simulate.ground import ROUND_THE_CLOCK, Assumptions, Crew, Ground
from gridmap.simulate.scene import Calls, Units
from gridmap.simulate.streets import Floats, Ints

_MODES = list(Mode)


class Places:
    """Every place of a run under one number; equal places have one."""

    def __init__(self) -> None:
        self._known: dict[tuple[float, float], int] = {}

    def add(self, lonlat: Floats) -> Ints:
        """Numbers of places (k, 2), new ones added."""
        rows = np.round(lonlat, 7).tolist()
        return np.array(
            [self._known.setdefault((lon, lat), len(self._known)) for lon, lat in rows], dtype=np.int64
        )

    @property
    def lonlat(self) -> Floats:
        return np.array(list(self._known))


def cast_calls(
    reports: Reports, ground: Ground, places: Places, assumed: Assumptions, measured: Durations, seed: int
) -> tuple[Calls, list[frozenset[str]]]:
    """Calls with numbers for places and areas, and the needs that `Calls.need` counts."""
    needs, need = needs_of(reports.class_key)
    turnout, work = draw_fate(reports.severity, assumed, measured, np.random.default_rng([seed, 1]))
    calls = Calls(
        at_s=reports.at_s,
        place=places.add(reports.lonlat),
        severity=reports.severity,
        need=need,
        turnout_s=turnout,
        work_s=work,
        area=ground.area_at(reports.lonlat),
        lonlat=reports.lonlat,
    )
    return calls, needs


def cast_units(
    crews: Sequence[Crew],
    ground: Ground,
    places: Places,
    needs: Sequence[frozenset[str]],
    assumed: Assumptions,
    seed: int,
) -> Units:
    """Units; where each stands while free is drawn from its reference, so it is the same in every variant.

    Raises Invalid("simulate_unit_without_area") for a crew whose area holds no leaf of the ground.
    """
    stands = [places.add(_stands(crew, ground, assumed.stand_places, seed)) for crew in crews]
    number = {code: i for i, code in enumerate(ground.codes)}
    skills = [frozenset(crew.capabilities) for crew in crews]
    kinds = sorted({crew.kind for crew in crews})
    return Units(
        kind=np.array([kinds.index(crew.kind) for crew in crews], dtype=np.int64),
        mode=np.array([_MODES.index(Mode(crew.mode)) for crew in crews], dtype=np.int64),
        able=np.array([[need <= has for has in skills] for need in needs], dtype=bool).reshape(
            len(needs), len(crews)
        ),
        on_duty=np.array([crew.hours for crew in crews], dtype=bool),
        stands=np.array(stands),
        area=np.array([number.get(crew.home, -1) for crew in crews], dtype=np.int64),
        lonlat=np.empty((0, 2)),
        stand_s=assumed.stand_min * 60,
    )


def settle(units: Units, places: Places) -> Units:
    """The same units once all places are known."""
    return replace(units, lonlat=places.lonlat)


def _stands(crew: Crew, ground: Ground, count: int, seed: int) -> Floats:
    if crew.post is not None:
        return np.tile(np.array([crew.post]), (count, 1))
    mine = ground.below(crew.home)
    if len(mine) == 0:
        raise Invalid("simulate_unit_without_area", unit=crew.ref, area=crew.home)
    rng = np.random.default_rng([seed, 2, *crew.ref.encode()])
    houses = np.flatnonzero(np.isin(ground.house_area, mine))
    if len(houses) == 0:
        return np.asarray(ground.point[rng.choice(mine, count)])
    weight = ground.house_weight[houses]
    return np.asarray(ground.house[rng.choice(houses, count, p=weight / weight.sum())])


def post_crew(number: int, lon: float, lat: float, kind: str, crews: Sequence[Crew]) -> Crew:
    """A crew at a new post round the clock, otherwise as most of its kind. Raises Invalid("simulate_kind_unknown")."""
    alike = [crew for crew in crews if crew.kind == kind]
    if not alike:
        raise Invalid("simulate_kind_unknown", kind=kind, known=sorted({crew.kind for crew in crews}))
    mode, _ = Counter(crew.mode for crew in alike).most_common(1)[0]
    skills, _ = Counter(crew.capabilities for crew in alike if crew.mode == mode).most_common(1)[0]
    return Crew(f"post-{number}", kind, mode, skills, "", ROUND_THE_CLOCK, (lon, lat))
