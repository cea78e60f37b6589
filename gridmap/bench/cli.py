"""`gridmap bench map`, `gridmap bench feed`, `gridmap bench dispatch`, `gridmap bench positions`,
`gridmap bench risk`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from gridmap.bench.dispatch import UNITS, demo_extract, run_dispatch_bench
from gridmap.bench.feed import LONGEST_S, run_feed_bench
from gridmap.bench.map import run_map_bench
from gridmap.bench.positions import FENCES, PER_SECOND, run_positions_bench
from gridmap.bench.risk import POINTS, run_risk_bench
from gridmap.settings import load_settings


@click.group()
def bench() -> None:
    """Measure on this machine what the platform promises."""


@bench.command("map")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON and nothing else on stdout.")
@click.option("--scale", type=click.FloatRange(0.001, 2.0), default=1.0, help="Share of the big data set.")
@click.option("--tipg/--no-tipg", default=True, help="Measure tipg on the same tables beside it.")
def map_(as_json: bool, scale: float, tipg: bool) -> None:
    """Tile times, sizes and counts over a recorded pan-and-zoom, with log-in and scope."""
    _tell(run_map_bench(load_settings(), scale, _say, with_tipg=tipg), as_json)


@bench.command("feed")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON and nothing else on stdout.")
@click.option("--scale", type=click.FloatRange(0.001, 2.0), default=1.0, help="Share of the rows to import.")
@click.option("--streams", type=click.IntRange(1, 5_000), default=500, help="Open event streams.")
@click.option("--per-second", type=click.FloatRange(0.1, 200), default=20.0, help="Reports a second.")
@click.option(
    "--seconds", type=click.FloatRange(60, 86_400), default=LONGEST_S, help="Stop the import after this."
)
def feed(as_json: bool, scale: float, streams: int, per_second: float, seconds: float) -> None:
    """From a report's commit to 500 screens, during an import and across a restart of the web."""
    _tell(run_feed_bench(load_settings(), scale, streams, per_second, _say, longest_s=seconds), as_json)


@bench.command("dispatch")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON and nothing else on stdout.")
@click.option(
    "--osm",
    "extract",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="An .osm.pbf of your own; without it the demo district, drawn when it is not there yet.",
)
@click.option("--incidents", type=click.IntRange(1, 10_000), default=40, help="How many are looked at.")
@click.option("--units", type=click.IntRange(5, 20_000), default=UNITS, help="Units on duty.")
def dispatch(as_json: bool, extract: Path | None, incidents: int, units: int) -> None:
    """Whether the fastest by road is named, what another choice costs, and how long naming takes."""
    source = extract or demo_extract(load_settings(), _say)
    _tell(run_dispatch_bench(source, incidents, _say, units=units), as_json)


@bench.command("positions")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON and nothing else on stdout.")
@click.option("--seconds", type=click.FloatRange(2, 3_600), default=60.0, help="How long each run lasts.")
@click.option(
    "--rate", type=click.FloatRange(20, 100_000), default=PER_SECOND, help="Fixes offered a second."
)
@click.option(
    "--fences",
    type=click.IntRange(0, 100_000),
    multiple=True,
    default=FENCES,
    help="Drawn zones beside the 15,000 grids; once for each run.",
)
def positions(as_json: bool, seconds: float, rate: float, fences: tuple[int, ...]) -> None:
    """Fixes a second against fences, from fix to event, flaps and missed crossings, and kill -9 under load."""
    _tell(run_positions_bench(load_settings(), seconds, rate, fences, _say), as_json)


@bench.command("risk")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON and nothing else on stdout.")
@click.option(
    "--points", type=click.IntRange(10_000, 20_000_000), default=POINTS, help="Points of the surface."
)
@click.option("--rivals/--no-rivals", default=True, help="Measure scipy, scikit-learn and KDEpy beside it.")
def risk(as_json: bool, points: int, rivals: bool) -> None:
    """A risk surface of a million points against other programs and the direct sum, and a city's nightly run."""
    _tell(run_risk_bench(load_settings(), points, _say, with_rivals=rivals), as_json)


def _say(message: str) -> None:
    click.echo(message, err=True)


def _tell(report: dict[str, Any], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(report))
        return
    for name, value in report.items():
        click.echo(f"{name}: {json.dumps(value)}")
