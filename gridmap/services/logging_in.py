"""Who is there: logging in and out, and the actor behind a cookie or a token. Runs before anybody is known."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from gridmap.clock import Clock
from gridmap.db.engine import Database
from gridmap.db.faults import translated
from gridmap.domain.actor import Actor, Grant, paths_with, roles_of
from gridmap.domain.ids import new_id
from gridmap.errors import Forbidden, Invalid, NotAuthenticated, TooMany
from gridmap.services.passwords import check_rules, hash_password, matches

WINDOW_S = 15 * 60
MOST_PER_LOGIN_AND_ADDRESS = 6
MOST_PER_LOGIN = 30
MOST_PER_ADDRESS = 60


@dataclass(frozen=True)
class LoggedIn:
    """The secret for the cookie (kept nowhere else) and who it stands for."""

    token: str
    actor: Actor
    expires_at: datetime


def digest(secret: str) -> bytes:
    """How a random secret is kept: it has 256 bits, so a plain SHA-256 is enough."""
    return hashlib.sha256(secret.encode()).digest()


def log_in(
    database: Database,
    clock: Clock,
    *,
    login: str,
    password: str,
    hours: int,
    address: str | None,
    user_agent: str | None,
) -> LoggedIn:
    """Open a session.

    Raises TooMany("too_many_attempts", retry_after_s) and NotAuthenticated("login_failed"), which does not tell an
    unknown name from a wrong password; Forbidden("account_disabled") only to who knows the password.
    """
    now = clock.now()
    buckets = _buckets(login, address)
    with translated(), database.app.begin() as connection:
        wait_s = max(
            connection.scalar(
                text("select auth_login_wait_s(:buckets, :at, :most, :window)"),
                {"buckets": [bucket], "at": now, "most": most, "window": WINDOW_S},
            )
            or 0
            for bucket, most in buckets.items()
        )
        if wait_s:
            raise TooMany(retry_after_s=wait_s)
        found = connection.execute(
            text("select * from auth_account_by_login(:login)"), {"login": login}
        ).first()
    if not matches(found.password_hash if found else None, password) or found is None:
        _count_failure(database, list(buckets), now)
        raise NotAuthenticated("login_failed")
    if found.status != "active":
        raise Forbidden("account_disabled")
    token, expires_at = secrets.token_urlsafe(32), now + timedelta(hours=hours)
    with translated(), database.app.begin() as connection:
        connection.execute(
            text("select auth_open_session(:id, :account, :digest, :at, :until, :address, :agent)"),
            {
                "id": new_id(),
                "account": found.id,
                "digest": digest(token),
                "at": now,
                "until": expires_at,
                "address": address,
                "agent": user_agent,
            },
        )
        connection.execute(text("select auth_login_cleared(:bucket)"), {"bucket": next(iter(buckets))})
    actor = actor_of_session(database, clock, token)
    assert actor is not None
    return LoggedIn(token=token, actor=actor, expires_at=expires_at)


def log_out(database: Database, clock: Clock, token: str) -> None:
    """End the session of a cookie; an unknown one is no error."""
    with translated(), database.app.begin() as connection:
        connection.execute(
            text("select auth_close_session(:digest, :at)"), {"digest": digest(token), "at": clock.now()}
        )


def actor_of_session(database: Database, clock: Clock, token: str) -> Actor | None:
    """The actor behind a session cookie, or None when it is not (or no longer) good."""
    return _actor(database, clock, "select auth_session_actor(:digest, :at)", token)


def actor_of_token(database: Database, clock: Clock, token: str) -> Actor | None:
    """The machine or device behind a bearer token, or None."""
    return _actor(database, clock, "select auth_token_actor(:digest, :at)", token)


def use_reset(database: Database, clock: Clock, *, token: str, new: str) -> None:
    """Set a new password by a single-use reset. Raises Invalid("reset_not_valid") or a broken rule."""
    key, now = digest(token), clock.now()
    with translated(), database.app.begin() as connection:
        login = connection.scalar(text("select auth_reset_login(:digest, :at)"), {"digest": key, "at": now})
        if login is None:
            raise Invalid("reset_not_valid")
        check_rules(new, login)
        done = connection.scalar(
            text("select auth_use_reset(:digest, :hash, :at)"),
            {"digest": key, "hash": hash_password(new), "at": now},
        )
        if done is None:
            raise Invalid("reset_not_valid")


def _buckets(login: str, address: str | None) -> dict[str, int]:
    name, place = login.strip().lower()[:100], address or "-"
    return {
        f"pair:{name}|{place}": MOST_PER_LOGIN_AND_ADDRESS,
        f"login:{name}": MOST_PER_LOGIN,
        f"address:{place}": MOST_PER_ADDRESS,
    }


def _count_failure(database: Database, buckets: list[str], now: datetime) -> None:
    with translated(), database.app.begin() as connection:
        connection.execute(
            text("select auth_login_failed(:ids, :buckets, :at)"),
            {"ids": [new_id() for _ in buckets], "buckets": buckets, "at": now},
        )


def _actor(database: Database, clock: Clock, statement: str, token: str) -> Actor | None:
    with translated(), database.app.begin() as connection:
        found: dict[str, Any] | None = connection.scalar(
            text(statement), {"digest": digest(token), "at": clock.now()}
        )
    return None if found is None else actor_from(found)


def actor_from(found: dict[str, Any]) -> Actor:
    """Build the actor from what the database says of a session or token."""
    grants = tuple(Grant(**grant) for grant in found["grants"])
    roles = roles_of(grants)
    return Actor(
        account_id=_uuid(found.get("account_id")),
        login=found.get("login") or f"token:{found.get('name')}",
        display_name=found.get("display_name") or found.get("name") or "",
        verbs=frozenset().union(*(role.verbs for role in roles.values())),
        case_paths=paths_with(grants, "case.read"),
        map_paths=paths_with(grants, "area.read"),
        write_paths=paths_with(grants, "case.handle"),
        wall_paths=paths_with(grants, "case.wall", "case.read"),
        person_id=_uuid(found.get("person_id")),
        session_id=_uuid(found.get("session_id")),
        token_id=_uuid(found.get("token_id")),
        unit_ids=tuple(UUID(unit) for unit in found.get("units", ())),
        roles=tuple(sorted(roles)),
        grants=grants,
        must_change_password=bool(found.get("must_change_password")),
        token_source=found.get("source"),
    )


def _uuid(value: str | None) -> UUID | None:
    return UUID(value) if value else None
