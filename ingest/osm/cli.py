"""`gridmap import osm FILE.osm.pbf`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from gridmap.clock import SystemClock
from gridmap.db.engine import Database
from gridmap.settings import load_settings
from ingest.osm.run import OsmOutcome, extract_name, import_extract
from ingest.progress import TerminalProgress


@click.command("osm")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--extract", "name", help="Key of the extract; importing again replaces its rows. Default: file name."
)
@click.option("--demo/--real", default=None, help="Mark it as invented or real; by default its ids tell.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
def osm(file: Path, name: str | None, demo: bool | None, as_json: bool) -> None:
    """Fill roads, buildings, water, green, names and addresses from an OpenStreetMap extract; build the base
    map and the road graph."""
    settings = load_settings()
    database = Database.from_settings(settings)
    with TerminalProgress(quiet=as_json) as progress:
        outcome = import_extract(
            file, extract_name(file, name), database, settings, SystemClock(), progress, demo=demo
        )
    _print(outcome, as_json)


def _print(outcome: OsmOutcome, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(outcome.as_json(), ensure_ascii=False, indent=2))
        return
    click.echo(
        f"{outcome.extract}: {outcome.nodes} nodes, {outcome.ways} ways, {outcome.relations} relations"
    )
    for table, count in outcome.rows.items():
        click.echo(f"  {table:12} {count}")
    for table, count in outcome.skipped.items():
        click.echo(f"  without usable geometry, left out of {table}: {count}")
    click.echo(f"  base map     {outcome.basemap_bytes} bytes")
    click.echo(f"  road graph   {outcome.routing_version or 'none: no extract has roads'}")
