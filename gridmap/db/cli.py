"""`gridmap db`: the database of this deployment, our own cluster or the site's server."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from sqlalchemy.exc import OperationalError
from tqdm import tqdm

from gridmap.clock import SystemClock
from gridmap.db import backup, cluster, migrate
from gridmap.db.cluster_binaries import find_binaries
from gridmap.db.engine import Database
from gridmap.db.roles import site_script
from gridmap.errors import Misconfigured, Unavailable
from gridmap.settings import Settings, load_settings

as_json = click.option("--json", "as_json", is_flag=True, help="Answer with one JSON object.")
superuser_url = click.option(
    "--superuser-url",
    envvar="GRIDMAP_SUPERUSER_URL",
    show_envvar=True,
    help="libpq URL of a superuser, for a site's own server; row-level security binds everybody else.",
)


@click.group()
def db() -> None:
    """Start, stop, look at, back up, restore and migrate the database."""


@db.command()
@as_json
def start(as_json: bool) -> None:
    """Start the embedded cluster; make it first if there is none."""
    settings = _embedded_settings()
    found = cluster.ensure_running(settings)
    said = "made and started" if found.made else "started" if found.started else "was running already"
    answer = {"state": "running", "made": found.made, "started": found.started, "pid": found.pid}
    _answer(as_json, answer, f"database {said}: {found.data_dir} (process {found.pid})")


@db.command()
@as_json
def stop(as_json: bool) -> None:
    """Stop the embedded cluster in order."""
    stopped = cluster.stop(_embedded_settings())
    _answer(as_json, {"stopped": stopped}, "database stopped" if stopped else "database was not running")


@db.command()
@as_json
def status(as_json: bool) -> None:
    """Say whether the database runs, where it lies and whether its tables are up to date."""
    settings = load_settings()
    answer: dict[str, Any] = {"embedded": settings.embedded}
    if settings.embedded:
        answer |= asdict(cluster.status(settings))
        reachable = answer["state"] == "running"
    else:
        reachable = True
    answer["migrated"] = _find_migrated(settings) if reachable else None
    plain = "\n".join(f"{name}: {value}" for name, value in answer.items())
    _answer(as_json, answer, plain)


@db.command("migrate")
@as_json
def migrate_(as_json: bool) -> None:
    """Bring tables, functions and policies up to date."""
    settings = load_settings()
    if settings.embedded:
        cluster.ensure_running(settings)
    applied = _migrate(settings)
    plain = f"applied: {', '.join(applied)}" if applied else "nothing to apply"
    _answer(as_json, {"applied": applied}, plain)


@db.command()
def roles() -> None:
    """Print the SQL that prepares a site's own PostgreSQL server, for its superuser to run."""
    click.echo(site_script(), nl=False)


@db.command("backup")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@superuser_url
@as_json
def backup_(file: Path, superuser_url: str | None, as_json: bool) -> None:
    """Write the whole database with its roles to FILE, while it is in use.

    The secret key, base maps and routing tiles are not in it: keep the key elsewhere, build the rest again.
    """
    settings = load_settings()
    server = _server(settings, superuser_url)
    with _progress("backing up") as on_bytes:
        manifest = backup.back_up(
            server, file, SystemClock(), secret_key=_find_secret_key(settings), on_bytes=on_bytes
        )
    rows = sum(manifest.rows.values())
    answer = {"file": str(file), "bytes": file.stat().st_size, "tables": len(manifest.rows), "rows": rows}
    plain = f"{file}: {answer['tables']} tables, {rows:,} rows, {answer['bytes']:,} bytes"
    if settings.data_dir.joinpath("secret_key").exists():
        plain += f"\nnot in it, keep apart: {settings.data_dir / 'secret_key'}"
    _answer(as_json, answer, plain)


@db.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--replace", is_flag=True, help="Replace a database that holds data.")
@click.option("--yes", is_flag=True, help="Do not ask before replacing.")
@superuser_url
@as_json
def restore(file: Path, replace: bool, yes: bool, superuser_url: str | None, as_json: bool) -> None:
    """Put the backup FILE in the place of the database, then bring it up to date."""
    settings = load_settings()
    server = _server(settings, superuser_url)
    if replace and not yes:
        click.confirm("Everything in the present database will be lost. Replace it?", abort=True)
    with _progress("restoring") as on_bytes:
        manifest = backup.restore(server, file, replace=replace, on_bytes=on_bytes)
    applied = _migrate(settings)
    rows = sum(manifest.rows.values())
    same_key = _same_key(settings, manifest.secret_key_fingerprint)
    answer = {"rows": rows, "taken_at": manifest.created_at, "applied": applied, "same_secret_key": same_key}
    plain = f"restored {rows:,} rows as of {manifest.created_at}"
    if not same_key:
        plain += (
            f"\nWARNING: the secret key differs from the one in use at the backup. Put that one in place as"
            f" {settings.data_dir / 'secret_key'}, or encrypted contacts stay unreadable."
        )
    _answer(as_json, answer, plain)


def _answer(as_json: bool, answer: dict[str, Any], plain: str) -> None:
    click.echo(json.dumps(answer, default=str, ensure_ascii=False) if as_json else plain)


def _embedded_settings() -> Settings:
    settings = load_settings()
    if not settings.embedded:
        raise Misconfigured("database_is_the_sites_own")
    return settings


def _server(settings: Settings, superuser_url: str | None) -> backup.Server:
    if settings.embedded:
        cluster.ensure_running(settings)
        return backup.Server(cluster.superuser_conninfo(settings), cluster.binaries_for(settings))
    if superuser_url is None:
        raise Misconfigured("superuser_url_needed", variable="GRIDMAP_SUPERUSER_URL")
    return backup.Server(superuser_url, find_binaries(settings.data_dir / "postgres"))


def _migrate(settings: Settings) -> list[str]:
    database = Database.from_settings(settings)
    try:
        return migrate.upgrade(database.owner)
    except OperationalError as error:
        raise Unavailable("database_unreachable", reason=_first_line(error)) from None
    finally:
        database.dispose()


def _find_migrated(settings: Settings) -> bool | None:
    database = Database.from_settings(settings)
    try:
        return migrate.is_current(database.owner)
    except OperationalError:
        return None
    finally:
        database.dispose()


def _first_line(error: OperationalError) -> str:
    return str(error.orig).strip().splitlines()[0]


def _find_secret_key(settings: Settings) -> bytes | None:
    path = settings.data_dir / "secret_key"
    return path.read_bytes().strip() if path.exists() else None


def _same_key(settings: Settings, taken: str | None) -> bool:
    here = _find_secret_key(settings)
    return taken is None or (here is not None and backup.fingerprint(here) == taken)


@contextmanager
def _progress(verb: str) -> Iterator[Callable[[int], object]]:
    """Bytes as they pass; silent where nobody watches."""
    with tqdm(desc=verb, unit="B", unit_scale=True, unit_divisor=1024, disable=None, leave=False) as bar:
        yield bar.update
