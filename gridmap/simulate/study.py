"""A study: one period's calls under several policies and changes, in one table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from gridmap.adapters.valhalla import Valhalla
from gridmap.domain.cover import cover_rules
from gridmap.domain.metric import LocalMetric
from gridmap.domain.travel import Mode
from gridmap.domain.vocab import vocabulary
from gridmap.errors import Invalid
from gridmap.simulate.agreement import Agreement, measure
from gridmap.simulate.cast import Places, cast_calls, cast_units, post_crew, settle
from gridmap.simulate.demand import Durations, Reports
from gridmap.simulate.figures import Difference, Figures, difference, figures_of
from gridmap.simulate.ground import ROUND_THE_CLOCK, Assumptions, Crew, Ground
from gridmap.simulate.policies import POLICIES, Policy
from gridmap.simulate.replay import Outcome, replay
from gridmap.simulate.scene import Calls, Period, Units
from gridmap.simulate.streets import Floats, Ints, Streets
from gridmap.simulate.travel import Progress, RoadTimes
from gridmap.simulate.watching import CoverWatch, PointTimes


class Source(Protocol):
    """Where a study's facts come from: a district's files or a site's database."""

    def ground(self) -> Ground: ...

    def crews(self) -> list[Crew]: ...

    def streets(self) -> Streets: ...

    def reports(self, period: Period) -> Reports: ...

    def durations(self, period: Period) -> Durations: ...


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked: the policies, and the changes that are each tried under `changed_policy`."""

    policies: tuple[str, ...]
    changed_policy: str = "road"
    plus: int = 0
    plus_kind: str = "patrol"
    posts: tuple[tuple[float, float, str], ...] = ()
    borders: Ground | None = None
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table; `against_first` is None for the first line."""

    label: str
    units: int
    figures: Figures
    against_first: Difference | None


@dataclass(frozen=True, slots=True)
class Study:
    """The answer with everything that it rests on."""

    rows: tuple[Row, ...]
    period: Period
    calls: int
    units: int
    off_network: int
    agreement: dict[Mode, Agreement]
    notes: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Variant:
    label: str
    policy: Policy
    crews: tuple[Crew, ...]
    ground: Ground
    units: Units


def run_study(
    source: Source,
    period: Period,
    plan: Plan,
    assumed: Assumptions,
    metric: LocalMetric,
    router: Valhalla | None,
    progress: Progress,
) -> Study:
    """Replay the period once for each policy and change, with the same calls and the same fate.

    Raises Invalid("simulate_no_calls") for a period without a located call.
    """
    ground, crews = source.ground(), source.crews()
    reports = source.reports(period)
    if len(reports) == 0:
        raise Invalid("simulate_no_calls", start=period.start.isoformat(), days=period.days)
    places = Places()
    points = places.add(ground.point)
    measured = source.durations(period)
    calls, needs = cast_calls(reports, ground, places, assumed, measured, plan.seed)

    def units_of(some: Sequence[Crew], where: Ground) -> Units:
        return cast_units(some, where, places, needs, assumed, plan.seed)

    base = units_of(crews, ground)
    changed = _crews_with_posts(crews, plan, units_of, ground)
    bordered = _crews_in(plan.borders, ground, crews, units_of)
    modes = sorted({Mode(crew.mode) for crew in crews}, key=list(Mode).index)
    times = RoadTimes(source.streets(), places.lonlat, modes, metric, progress)
    agreement: dict[Mode, Agreement] = {}
    if router is not None:
        agreement = measure(times, places.lonlat, modes, router, plan.seed)
        times.stretch_by({mode: found.stretch for mode, found in agreement.items()})
    variants = [_Variant(key, _policy(key, assumed), tuple(crews), ground, base) for key in plan.policies]
    changed_policy = _policy(plan.changed_policy, assumed)
    if plan.plus:
        more = _more_crews(plan, crews, ground, points, times, source.reports(_before(period)), base)
        label = f"{plan.changed_policy} +{plan.plus} {plan.plus_kind}"
        variants.append(
            _Variant(label, changed_policy, (*crews, *more), ground, units_of([*crews, *more], ground))
        )
    for label, some, units in changed:
        variants.append(_Variant(label, changed_policy, tuple(some), ground, units))
    if plan.borders is not None and bordered is not None:
        if "own_grid" not in plan.policies:
            variants.append(_Variant("own_grid", POLICIES["own_grid"], tuple(crews), ground, base))
        some, units = bordered
        variants.append(
            _Variant("own_grid new borders", POLICIES["own_grid"], tuple(some), plan.borders, units)
        )
    rows = _replay_all(variants, calls, places, points, times, period, plan, ground, progress)
    lost = np.all([times.lost(mode)[calls.place] for mode in modes], axis=0)
    history = {"turnout": len(measured.turnout_s), "on_scene": [len(known) for known in measured.work_s]}
    return Study(
        tuple(rows), period, len(calls), len(crews), int(lost.sum()), agreement, {"history": history}
    )


def _policy(key: str, assumed: Assumptions) -> Policy:
    found = POLICIES[key]
    return replace(found, wait_s=assumed.collect_s) if key == "assignment" else found


def _replay_all(
    variants: Sequence[_Variant],
    calls: Calls,
    places: Places,
    points: Ints,
    times: RoadTimes,
    period: Period,
    plan: Plan,
    ground: Ground,
    progress: Progress,
) -> list[Row]:
    digits = {term.key: int(term.extra["digits"]) for term in vocabulary().lists["level"].values()}
    rows: list[Row] = []
    first: Outcome | None = None
    to_points = PointTimes(times, len(places.lonlat), points)
    for number, variant in enumerate(variants):
        progress("replay", number, len(variants))
        units = settle(variant.units, places)
        watch = CoverWatch(
            cover_rules().requirements, variant.crews, units, ground, to_points, period, digits
        )
        own = calls
        if variant.ground is not ground:
            own = replace(calls, area=variant.ground.area_at(calls.lonlat))
        outcome = replay(own, units, times, period, variant.policy, watch)
        against = None if first is None else difference(calls, outcome, first, plan.seed)
        first = first or outcome
        rows.append(Row(variant.label, len(units), figures_of(calls, outcome, watch.shares()), against))
    progress("replay", len(variants), len(variants))
    return rows


def _crews_with_posts(
    crews: Sequence[Crew], plan: Plan, units_of: Callable[[Sequence[Crew], Ground], Units], ground: Ground
) -> list[tuple[str, list[Crew], Units]]:
    found = []
    for number, (lon, lat, kind) in enumerate(plan.posts, 1):
        some = [*crews, post_crew(number, lon, lat, kind, crews)]
        found.append((f"{plan.changed_policy} +post {kind}", some, units_of(some, ground)))
    return found


def _crews_in(
    borders: Ground | None,
    ground: Ground,
    crews: Sequence[Crew],
    units_of: Callable[[Sequence[Crew], Ground], Units],
) -> tuple[list[Crew], Units] | None:
    """Crews under a plan's borders; the heir of a code that the plan lacks is the area that holds its middle."""
    if borders is None:
        return None
    heir = dict(zip(ground.codes, borders.area_at(ground.point).tolist(), strict=True))
    moved = []
    for crew in crews:
        if len(borders.below(crew.home)) == 0:
            heirs = [heir[ground.codes[i]] for i in ground.below(crew.home).tolist()]
            known = [number for number in heirs if number >= 0]
            if not known:
                raise Invalid("simulate_unit_without_area", unit=crew.ref, area=crew.home)
            crew = replace(crew, home=borders.codes[known[0]])
        moved.append(crew)
    return moved, units_of(moved, borders)


def _before(period: Period) -> Period:
    """The thirty days before: what a planner knows when deciding where more crews go."""
    start = period.start.fromtimestamp(period.start.timestamp() - 30 * 86_400, period.start.tzinfo)
    return Period(start, 30)


def _more_crews(
    plan: Plan,
    crews: Sequence[Crew],
    ground: Ground,
    points: Ints,
    times: RoadTimes,
    past: Reports,
    base: Units,
) -> list[Crew]:
    """Crews one after the other where they save most seconds over the past calls, against the nearest of their kind.

    The greedy step of the p-median problem over the areas' points; on duty round the clock.
    """
    example = post_crew(0, 0.0, 0.0, plan.plus_kind, crews)
    mode = Mode(example.mode)
    table = times.table(points, mode, points)
    alike = np.array([crew.kind == plan.plus_kind for crew in crews])
    now_s = times.table(np.unique(base.stands[alike]), mode, points).min(axis=0)
    area = ground.area_at(past.lonlat) if len(past) else np.empty(0, dtype=np.int64)
    weight: Floats = np.bincount(area[area >= 0], minlength=len(points)).astype(float)
    if not weight.any():
        weight = ground.weight
    # An area nobody reaches at all counts as an hour away: infinity would swallow every other reason.
    table, now_s = np.minimum(table, 3600.0), np.minimum(now_s, 3600.0)
    found: list[Crew] = []
    for number in range(1, plan.plus + 1):
        saved = (np.maximum(now_s[None, :] - table, 0) * weight).sum(axis=1)
        best = int(saved.argmax())
        now_s = np.minimum(now_s, table[best])
        lon, lat = ground.point[best].tolist()
        found.append(replace(example, ref=f"plus-{number}", hours=ROUND_THE_CLOCK, post=(lon, lat)))
    return found
