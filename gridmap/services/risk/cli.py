"""`gridmap risk run`, `list`, `work`: runs on explicit demand, what is kept, and a worker that makes what waits."""

from __future__ import annotations

import getpass
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime

import click

from gridmap.clock import SystemClock
from gridmap.db.cluster import ensure_running
from gridmap.db.engine import Database
from gridmap.domain.metric import LocalMetric
from gridmap.domain.risk_rules import risk_rules
from gridmap.errors import Conflict, NotFound
from gridmap.services.risk import jobs, outcomes, reading
from gridmap.services.risk.store import Author
from gridmap.services.transaction import system_transaction
from gridmap.settings import Settings, load_settings

as_json = click.option("--json", "json_", is_flag=True, help="Print JSON.")
_NICE = 15


@contextmanager
def opened() -> Iterator[tuple[Settings, Database]]:
    """The deployment of this checkout, its database running."""
    settings = load_settings()
    if settings.embedded:
        ensure_running(settings)
    database = Database.from_settings(settings)
    try:
        yield settings, database
    finally:
        database.dispose()


@click.command()
@click.option("--area", "code", help="Code of the area; every county by default.")
@click.option(
    "--horizon", "horizons", multiple=True, type=click.Choice([one.key for one in risk_rules().horizons]),
    help="Repeatable; all by default.",
)  # fmt: skip
@click.option(
    "--as-of", type=click.DateTime(["%Y-%m-%d"]), help="Make the run that could have been made that day."
)
@click.option("--purpose", default="explicit", show_default=True, help="Kept with the run.")
@click.option(
    "--check/--no-check", default=True, help="Replay the past too, to say how good such forecasts were."
)
@as_json
def run(
    code: str | None,
    horizons: tuple[str, ...],
    as_of: datetime | None,
    purpose: str,
    check: bool,
    json_: bool,
) -> None:
    """Forecast an area, county by county, and keep the runs. Other workers may take a share of the counties."""
    rules = risk_rules()
    chosen = [rules.horizon(key) for key in horizons] or list(rules.horizons)
    author = Author(None, f"{getpass.getuser()}@cli", purpose)
    clock = SystemClock()
    with opened() as (settings, database):
        metric = LocalMetric(settings.local_crs)
        with system_transaction(database, clock) as tx:
            codes = [code] if code else jobs.top_areas(tx)
            if not codes:
                raise NotFound("risk_no_areas")
            origin = as_of.date() if as_of else None
            begun = tx.now
            asked = [
                job
                for one in codes
                for job in jobs.ask(tx, one, chosen, author, origin_on=origin, checked=check)
            ]
        if not json_:
            click.echo(f"{len(asked)} runs to make")
        made = jobs.work(database, clock, metric, rules, only=asked)
        outcomes.close_ended(database, clock, metric, rules)
        with system_transaction(database, clock) as tx:
            runs = [reading.get_run(tx, run_id) for run_id in made]
            failed = [line for line in reading.list_jobs(tx, begun) if line.id in set(asked) and line.error]
        for line in runs:
            _say(line, json_)
    if failed:
        raise Conflict("risk_runs_failed", errors=[line.error for line in failed])


@click.command("list")
@click.option("--horizon", help="Only of this horizon.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 1000))
@as_json
def list_(horizon: str | None, limit: int, json_: bool) -> None:
    """The runs that are kept, newest origin first."""
    with opened() as (_, database), system_transaction(database, SystemClock()) as tx:
        for line in reading.list_runs(tx, horizon=horizon, limit=limit):
            _say(line, json_)


@click.command()
def work() -> None:
    """Make every run that waits, then end. `gridmap serve` starts one by itself; more hosts share the counties."""
    # Heavy work must not take the processor from whoever waits for a screen.
    os.nice(_NICE)
    clock = SystemClock()
    with opened() as (settings, database):
        metric = LocalMetric(settings.local_crs)
        made = closed = 0
        while True:
            # What came is counted between the runs: the queue of a province lasts for hours.
            closed += len(outcomes.close_ended(database, clock, metric, risk_rules()))
            done = jobs.work(database, clock, metric, risk_rules(), most=1)
            made += len(done)
            if not done:
                break
    click.echo(f"{made} runs made, {closed} closed")


def _say(line: reading.RunLine, json_: bool) -> None:
    if json_:
        click.echo(json.dumps(asdict(line), ensure_ascii=False, default=str))
        return
    when = f"{line.origin_on} +{line.horizon_days} d"
    back = " (looks back)" if line.looks_back else ""
    click.echo(
        f"{line.id}  {line.area_code} {line.area_name}  {when}{back}"
        f"  {line.snapshot['rows']:,} rows, {line.seconds:.0f} s"
    )
