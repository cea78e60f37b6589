"""`gridmap simulate`: a period replayed under policies and plans, and the table of what each would have done."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click
from tqdm import tqdm

from gridmap.adapters.valhalla import Valhalla
from gridmap.clock import SystemClock
from gridmap.db.engine import Database
from gridmap.domain.metric import LocalMetric
from gridmap.errors import Invalid
from gridmap.settings import Settings, load_settings
from gridmap.simulate.borders import read_borders
from gridmap.simulate.ground import assumptions
from gridmap.simulate.policies import POLICIES
from gridmap.simulate.scene import Period
from gridmap.simulate.sources import DatabaseSource, DistrictSource
from gridmap.simulate.study import Plan, Study, run_study
from gridmap.simulate.table import lines_of


class _Post(click.ParamType[tuple[float, float, str]]):
    """LON,LAT,KIND."""

    name = "lon,lat,kind"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[float, float, str]:
        parts = str(value).split(",")
        try:
            lon, lat, kind = float(parts[0]), float(parts[1]), parts[2].strip()
        except (ValueError, IndexError):
            self.fail(f"{value} is not LON,LAT,KIND", param, ctx)
        return lon, lat, kind


@click.command()
@click.option("--from", "since", type=click.DateTime(), help="Start of the period, local time.")
@click.option(
    "--to", "until", type=click.DateTime(), help="Its end; the last report's day when neither is given."
)
@click.option(
    "--days", type=click.FloatRange(0.05, 400), default=30.0, show_default=True, help="Length without both."
)
@click.option(
    "--policy", "policies", multiple=True, type=click.Choice(list(POLICIES)), help="Repeat for several."
)
@click.option(
    "--changes", "changed", default="road", type=click.Choice(list(POLICIES)), help="Policy of the changes."
)
@click.option(
    "--plus", type=click.IntRange(0, 500), default=0, help="So many more units, put where they save most."
)
@click.option("--plus-kind", default="patrol", show_default=True, help="Of this kind.")
@click.option("--post", "posts", multiple=True, type=_Post(), help="A new post, manned round the clock.")
@click.option(
    "--areas", type=click.Path(dir_okay=False, path_type=Path), help="A plan's grids, with their codes."
)
@click.option("--calls", type=click.Path(dir_okay=False, path_type=Path), help="Incidents of this CSV file.")
@click.option(
    "--district", type=click.Path(file_okay=False, path_type=Path), help="A generated district's folder."
)
@click.option("--generate", is_flag=True, help="With --district: fresh calls from its known intensity.")
@click.option(
    "--engine/--no-engine", default=True, help="Fit travel times to the routing engine where it runs."
)
@click.option(
    "--seed", type=click.IntRange(0), default=1, show_default=True, help="Same seed, same calls and fate."
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON and nothing else on stdout.")
def simulate(**options: Any) -> None:
    """Replay a period's incidents under other rules, units or borders, and compare how soon help came."""
    settings = load_settings()
    zone = ZoneInfo(settings.timezone)
    if options["generate"] and options["district"] is None:
        raise click.UsageError("--generate needs --district")
    source = _source(settings, zone, **options)
    period = _period(source.newest_report, zone, options["since"], options["until"], options["days"])
    plan = Plan(
        policies=tuple(options["policies"]) or ("air", "road", "assignment"),
        changed_policy=options["changed"],
        plus=options["plus"],
        plus_kind=options["plus_kind"],
        posts=tuple(options["posts"]),
        borders=read_borders(options["areas"], source.ground()) if options["areas"] else None,
        seed=options["seed"],
    )
    router = Valhalla(settings.routing_url, timeout_s=60.0) if options["engine"] else None
    with _Bars() as bars:
        metric = LocalMetric(settings.local_crs)
        study = run_study(source, period, plan, assumptions(), metric, router, bars.show)
    _tell(study, plan, as_json=options["as_json"])


def _source(settings: Settings, zone: ZoneInfo, **options: Any) -> DistrictSource | DatabaseSource:
    if options["district"] is not None:
        return DistrictSource(
            options["district"], zone, options["calls"], options["generate"], options["seed"]
        )
    return DatabaseSource(Database.from_settings(settings), settings, SystemClock(), options["calls"])


def _period(
    newest: Callable[[], datetime],
    zone: ZoneInfo,
    since: datetime | None,
    until: datetime | None,
    days: float,
) -> Period:
    """Local times; a missing end is the midnight after the newest report or `days` after the start."""
    start = None if since is None else since.replace(tzinfo=zone)
    end = None if until is None else until.replace(tzinfo=zone)
    if end is None and start is not None:
        end = start + timedelta(days=days)
    if end is None:
        end = newest().astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    start = start or end - timedelta(days=days)
    if start >= end:
        raise Invalid("simulate_period_empty", start=start.isoformat(), end=end.isoformat())
    return Period(start, (end - start) / timedelta(days=1))


def _tell(study: Study, plan: Plan, *, as_json: bool) -> None:
    if not as_json:
        for line in lines_of(study):
            click.echo(line)
        return
    report = {
        "start": study.period.start.isoformat(),
        "days": study.period.days,
        "seed": plan.seed,
        "calls": study.calls,
        "units": study.units,
        "off_network": study.off_network,
        "engine_agreement": {mode.value: found.as_json() for mode, found in study.agreement.items()},
        "assumptions": asdict(assumptions()),
        **study.notes,
        "rows": [
            {
                "policy": row.label,
                "units": row.units,
                **row.figures.as_json(),
                "against_first": row.against_first.as_json() if row.against_first else None,
            }
            for row in study.rows
        ],
    }
    click.echo(json.dumps(report, ensure_ascii=False))


class _Bars:
    """A progress bar on a terminal, a plain line for each finished step elsewhere; on stderr."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._step = ""

    def __enter__(self) -> _Bars:
        return self

    def __exit__(self, *_error: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def show(self, step: str, done: int, total: int) -> None:
        if not sys.stderr.isatty():
            if done == total:
                click.echo(f"{step}: {total}", err=True)
            return
        if step != self._step:
            if self._bar is not None:
                self._bar.close()
            self._bar, self._step = tqdm(total=total, desc=step, file=sys.stderr), step
        self._bar.update(done - self._bar.n)
