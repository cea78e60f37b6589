"""`gridmap accounts`, `gridmap areas`, `gridmap audit`: what an administrator does at the machine itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click
from sqlalchemy import select, text

from gridmap.clock import SystemClock
from gridmap.db.cluster import ensure_running
from gridmap.db.engine import Database
from gridmap.db.tables import Account, Area
from gridmap.domain.vocab import vocabulary
from gridmap.errors import NotFound
from gridmap.services import accounts as account_verbs
from gridmap.services.areas import locate
from gridmap.services.auditing import verify_chain
from gridmap.services.passwords import generate_password
from gridmap.services.reports import checked_lonlat
from gridmap.services.transaction import Tx, system_transaction
from gridmap.settings import load_settings

as_json = click.option("--json", "json_", is_flag=True, help="Print JSON.")


@contextmanager
def _tx() -> Iterator[Tx]:
    settings = load_settings()
    if settings.embedded:
        ensure_running(settings)
    database = Database.from_settings(settings)
    try:
        with system_transaction(database, SystemClock()) as tx:
            yield tx
    finally:
        database.dispose()


def _say(record: dict[str, Any], json_: bool) -> None:
    if json_:
        click.echo(json.dumps(record, ensure_ascii=False, default=str))
        return
    for name, value in record.items():
        click.echo(f"{name}: {value}")


@click.group()
def accounts() -> None:
    """Accounts: make the first administrator, reset a password, list."""


@accounts.command()
@click.argument("login")
@click.option("--name", help="How screens call the person; the log-in by default.")
@click.option("--role", required=True, type=click.Choice(sorted(vocabulary().roles)), help="What it may do.")
@click.option("--area", "area_code", help="Code of the area it holds for; everywhere by default.")
@as_json
def create(login: str, name: str | None, role: str, area_code: str | None, json_: bool) -> None:
    """Make an account with one role and print its first password, which must be changed at the first log-in."""
    password = generate_password()
    with _tx() as tx:
        account_id = account_verbs.create_account(
            tx, login=login, display_name=name or login, password=password
        )
        account_verbs.grant_role(tx, account_id=account_id, role=role, area_id=_area_id(tx, area_code))
    _say({"login": login, "role": role, "password": password}, json_)


@accounts.command("reset")
@click.argument("login")
@as_json
def reset_(login: str, json_: bool) -> None:
    """Print a single-use code with which LOGIN sets a new password on the log-in page."""
    with _tx() as tx:
        account_id = tx.session.scalar(select(Account.id).where(Account.login == login))
        if account_id is None:
            raise NotFound("account_not_found", login=login)
        made = account_verbs.start_reset(tx, account_id)
    _say({"login": login, "reset_code": made.secret, "expires_at": made.expires_at}, json_)


@accounts.command("list")
@as_json
def list_(json_: bool) -> None:
    """Who can log in, with roles."""
    with _tx() as tx:
        rows = tx.session.execute(
            text(
                "select a.login, a.display_name, a.status, auth_grants(a.id, :now) as grants"
                " from account a order by a.login"
            ),
            {"now": tx.now},
        ).all()
    for row in rows:
        held = ", ".join(f"{grant['role']}@{grant['area_name'] or '*'}" for grant in row.grants)
        if json_:
            click.echo(
                json.dumps(
                    {"login": row.login, "status": row.status, "grants": row.grants}, ensure_ascii=False
                )
            )
        else:
            click.echo(f"{row.login:24} {row.status:9} {held}")


@click.group()
def areas() -> None:
    """Areas: what is loaded, and which one holds a point."""


@areas.command("list")
@as_json
def list_areas(json_: bool) -> None:
    """Trees and levels with their counts, and whether the set is a proved coverage."""
    with _tx() as tx:
        rows = tx.session.execute(
            text(
                "select a.tree, a.level, s.name as set_name, s.status, count(*) as areas,"
                " jsonb_array_length(s.faults) as faults"
                " from area_version v join area a on a.id = v.area_id join area_set s on s.id = v.area_set_id"
                " where v.valid @> cast(:now as timestamptz)"
                " group by a.tree, a.level, s.name, s.status, s.faults order by 1, min(nlevel(v.path)), 3"
            ),
            {"now": tx.now},
        ).mappings()
        found = [dict(row) for row in rows]
    if not found:
        click.echo("no areas yet: load some with `gridmap import areas FILE`", err=True)
    for row in found:
        if json_:
            click.echo(json.dumps(row, ensure_ascii=False))
        else:
            click.echo(
                f"{row['tree']:10} {row['level']:10} {row['areas']:7}  {row['set_name']} "
                f"({row['status']}, {row['faults']} faults)"
            )


@areas.command("locate")
@click.argument("lon", type=float)
@click.argument("lat", type=float)
@click.option("--crs", default="WGS84", show_default=True, help="System of the coordinates.")
@click.option("--tree", default="admin", show_default=True)
@as_json
def locate_(lon: float, lat: float, crs: str, tree: str, json_: bool) -> None:
    """The leaf area that holds a point."""
    with _tx() as tx:
        x, y = checked_lonlat(lon, lat, crs)
        found = locate(tx.session, x, y, tx.now, tree)
        if found.area_id is None:
            raise NotFound("outside_every_area", lon=x, lat=y)
        code = tx.session.scalar(select(Area.code).where(Area.id == found.area_id))
    _say({"code": code, "name": found.name, "path": found.path}, json_)


@click.group()
def audit() -> None:
    """The audit trail."""


@audit.command()
@as_json
def verify(json_: bool) -> None:
    """Recompute the chain of seals; exit status 1 when a sealed row was changed or removed."""
    with _tx() as tx:
        state = verify_chain(tx)
    _say({"sealed": state.sealed, "broken_at": state.broken_at}, json_)
    if state.broken_at is not None:
        raise SystemExit(1)


def _area_id(tx: Tx, code: str | None) -> int | None:
    if code is None:
        return None
    area_id = tx.session.scalar(select(Area.id).where(Area.code == code))
    if area_id is None:
        raise NotFound("area_unknown", area_code=code)
    return area_id
