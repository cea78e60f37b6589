"""`gridmap map export`."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import click

from gridmap.clock import SystemClock
from gridmap.db.cluster import ensure_running
from gridmap.db.engine import Database
from gridmap.services.transaction import system_transaction
from gridmap.settings import load_settings
from layers.folium_map import LAYERS, Language, folium_map


@click.group("map")
def map_() -> None:
    """Maps to hand on."""


@map_.command("export")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The HTML file.")
@click.option("--layer", "layers", type=click.Choice(LAYERS), multiple=True, help="Repeatable; else all.")
@click.option("--lang", type=click.Choice(["zh", "en"]), help="Else the deployment's language.")
def export(out: Path, layers: tuple[str, ...], lang: str | None) -> None:
    """One HTML file that needs no server: areas by open incidents, cameras in clusters."""
    settings = load_settings()
    if settings.embedded:
        ensure_running(settings)
    database = Database.from_settings(settings)
    with system_transaction(database, SystemClock()) as tx:
        page = folium_map(tx.session, layers or LAYERS, cast(Language, lang or settings.locale))
    out.write_text(page, encoding="utf-8")
    click.echo(f"{out}: {len(page.encode()) // 1024} kB")
