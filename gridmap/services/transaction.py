"""One short transaction with a scope: who acts, what they may see and write."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from gridmap.clock import Clock
from gridmap.db.engine import Database
from gridmap.db.faults import translated
from gridmap.domain.actor import Actor

_SET_SCOPE = text(
    "select set_config('gridmap.actor', :actor, true), set_config('gridmap.account', :account, true),"
    " set_config('gridmap.units', :units, true), set_config('gridmap.verbs', :verbs, true),"
    " set_config('gridmap.case_paths', :case_paths, true), set_config('gridmap.map_paths', :map_paths, true),"
    " set_config('gridmap.write_paths', :write_paths, true), set_config('gridmap.wall_paths', :wall_paths, true),"
    " set_config('gridmap.now', :now, true)"
)

SYSTEM_ACTOR = Actor(
    account_id=None,
    login="system",
    display_name="system",
    verbs=frozenset(),
    case_paths=("",),
    map_paths=("",),
    write_paths=("",),
)


@dataclass(frozen=True, slots=True)
class Tx:
    """An open transaction: the session, who acts, and the one `now` of everything in it, the site's zone.

    `via` is "radio" where a seat says a step for a unit; it then stands on the timeline. `acted_at` is when the actor
    did it, where a phone without a line tells it later.
    """

    session: Session
    actor: Actor
    now: datetime
    zone: ZoneInfo
    via: str | None = None
    acted_at: datetime | None = None


@contextmanager
def transaction(database: Database, actor: Actor, clock: Clock) -> Iterator[Tx]:
    """A transaction as `actor` under row-level security; commits at the end, rolls back on any error.

    Driver errors come out as GridmapError where a constraint's name tells what happened.
    """
    with _session(database.app) as session:
        now = clock.now()
        set_scope(session, actor, now)
        yield Tx(session, actor, now, database.zone)


@contextmanager
def system_transaction(database: Database, clock: Clock, actor: Actor = SYSTEM_ACTOR) -> Iterator[Tx]:
    """A transaction of the worker, the importer or a verb that must look across scopes; sees all."""
    with _session(database.system) as session:
        now = clock.now()
        set_scope(session, actor, now)
        yield Tx(session, actor, now, database.zone)


@contextmanager
def _session(engine: Engine) -> Iterator[Session]:
    with translated(), Session(engine, expire_on_commit=False) as session, session.begin():
        yield session


def set_scope(session: Session, actor: Actor, now: datetime) -> None:
    """Tell the database who acts, until the transaction ends."""
    session.execute(_SET_SCOPE, scope_settings(actor, now))


def scope_settings(actor: Actor, now: datetime) -> dict[str, str]:
    """What the database is told of an actor: the values of the settings gridmap.<name>, by name."""
    return {
        "now": now.isoformat(),
        "actor": actor.login,
        "account": str(actor.account_id or ""),
        "units": _array(str(unit) for unit in actor.unit_ids),
        "verbs": ",".join(sorted(actor.verbs)),
        "case_paths": _array(actor.case_paths),
        "map_paths": _array(actor.map_paths),
        "write_paths": _array(actor.write_paths),
        "wall_paths": _array(actor.wall_paths),
    }


def _array(items: Sequence[str] | Iterator[str]) -> str:
    """A PostgreSQL array literal of labels or ids, which hold no quote and no backslash."""
    return "{" + ",".join(f'"{item}"' for item in items) + "}"
