"""`gridmap risk map`: a run as a file to hand on."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import cast
from uuid import UUID

import click

from gridmap.clock import SystemClock
from gridmap.domain.risk_rules import risk_rules
from gridmap.errors import NotFound
from gridmap.services.risk import reading
from gridmap.services.risk.cli import opened
from gridmap.services.transaction import Tx, system_transaction
from layers.risk.products import ENDINGS, write
from layers.risk.texts import Language

_KEYS = [one.key for one in risk_rules().groups]


@click.command("map")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="Ending: " + ", ".join(ENDINGS),
)
@click.option("--run", "run_id", type=click.UUID, help="Which run; the newest by default.")
@click.option("--area", "code", help="Code of its area, where several have runs.")
@click.option(
    "--horizon",
    type=click.Choice([one.key for one in risk_rules().horizons]),
    default="4weeks",
    show_default=True,
)
@click.option("--group", type=click.Choice(_KEYS), default=_KEYS[0], show_default=True)
@click.option("--purpose", required=True, help="What the file is for; it stands in the file.")
@click.option(
    "--days",
    type=click.IntRange(1, 366),
    default=risk_rules().export_days,
    show_default=True,
    help="Good for.",
)
@click.option("--weighted", is_flag=True, help="Heat and raster by severity (weights in risk.toml).")
@click.option("--lang", type=click.Choice(["zh", "en"]), help="Else the deployment's language.")
def map_(
    out: Path,
    run_id: UUID | None,
    code: str | None,
    horizon: str,
    group: str,
    purpose: str,
    days: int,
    weighted: bool,
    lang: str | None,
) -> None:
    """Write a run as one file: an HTML map that needs no network, GeoTIFF, GeoJSON, picture, spreadsheet or PDF."""
    with opened() as (settings, database), system_transaction(database, SystemClock()) as tx:
        chosen = run_id or _newest(tx, horizon, code)
        content, _ = write(
            tx, chosen, group, out.suffix.lstrip(".").lower(), cast(Language, lang or settings.locale),
            purpose=purpose, days=days, author=getpass.getuser(), weighted=weighted,
        )  # fmt: skip
    out.write_bytes(content)
    click.echo(f"{out}: {max(len(content) // 1024, 1)} kB")


def _newest(tx: Tx, horizon: str, code: str | None) -> UUID:
    for run in reading.list_runs(tx, horizon=horizon):
        if code is None or run.area_code == code:
            return run.id
    raise NotFound("risk_run_not_found", horizon=horizon, area_code=code)
