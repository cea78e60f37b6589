"""Accounts, sessions, grants and tokens: the verbs of the administrator and of everybody about themselves."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select, update

from gridmap.db.tables import AccessGrant, Account, AccountSession, ApiToken, AreaVersion, PasswordReset
from gridmap.domain.actor import is_below, paths_with
from gridmap.domain.ids import new_id
from gridmap.domain.vocab import vocabulary
from gridmap.errors import Conflict, Forbidden, Invalid, NotAuthenticated, NotFound
from gridmap.services.auditing import audit
from gridmap.services.logging_in import digest
from gridmap.services.passwords import check_rules, hash_password, matches
from gridmap.services.transaction import SYSTEM_ACTOR, Tx

RESET_HOURS = 24
MAX_NAME = 100


@dataclass(frozen=True)
class NewSecret:
    """A secret that is shown once."""

    id: UUID
    secret: str
    expires_at: datetime | None


def create_account(
    tx: Tx,
    *,
    login: str,
    display_name: str,
    password: str | None = None,
    must_change_password: bool = True,
    person_id: UUID | None = None,
) -> UUID:
    """Make an account; without a password it can only be opened by a reset.

    Raises Invalid on a malformed name or a broken password rule, Conflict("login_taken").
    """
    _require(tx, "account.manage")
    login, display_name = login.strip(), display_name.strip()
    if not 2 <= len(login) <= MAX_NAME or any(char.isspace() for char in login):
        raise Invalid("login_malformed")
    if not 1 <= len(display_name) <= MAX_NAME:
        raise Invalid("display_name_malformed")
    if password is not None:
        check_rules(password, login)
    account_id = new_id()
    tx.session.add(
        Account(
            id=account_id,
            login=login,
            display_name=display_name,
            password_hash=None if password is None else hash_password(password),
            must_change_password=must_change_password,
            person_id=person_id,
            created_at=tx.now,
        )
    )
    tx.session.flush()
    audit(tx, "account.create", "account", account_id)
    return account_id


def set_account_status(tx: Tx, account_id: UUID, status: str) -> None:
    """Disable or re-enable; disabling ends every session at once."""
    _require(tx, "account.manage")
    if status not in ("active", "disabled"):
        raise Invalid("account_status_unknown", given=status)
    if account_id == tx.actor.account_id:
        raise Conflict("not_your_own_account")
    account = _account(tx, account_id)
    account.status = status
    if status == "disabled":
        _end_sessions(tx, account_id)
    audit(tx, f"account.{status}", "account", account_id)


def rename_account(tx: Tx, account_id: UUID, display_name: str) -> None:
    _require(tx, "account.manage")
    if not 1 <= len(display_name.strip()) <= MAX_NAME:
        raise Invalid("display_name_malformed")
    _account(tx, account_id).display_name = display_name.strip()
    audit(tx, "account.rename", "account", account_id)


def change_password(tx: Tx, *, current: str, new: str) -> None:
    """One's own password; every other session of the account ends. Raises NotAuthenticated("password_wrong")."""
    account_id = tx.actor.account_id
    if account_id is None:
        raise Forbidden("no_account")
    account = _account(tx, account_id)
    if not matches(account.password_hash, current):
        raise NotAuthenticated("password_wrong")
    check_rules(new, account.login)
    if new == current:
        raise Invalid("password_unchanged")
    account.password_hash = hash_password(new)
    account.must_change_password = False
    _end_sessions(tx, account_id, but=tx.actor.session_id)
    audit(tx, "account.password_change", "account", account_id)


def start_reset(tx: Tx, account_id: UUID) -> NewSecret:
    """A single-use reset to hand over in person; earlier ones of the account lapse."""
    _require(tx, "account.manage")
    _account(tx, account_id)
    tx.session.execute(
        update(PasswordReset)
        .where(PasswordReset.account_id == account_id, PasswordReset.used_at.is_(None))
        .values(used_at=tx.now)
    )
    made = NewSecret(new_id(), secrets.token_urlsafe(24), tx.now + timedelta(hours=RESET_HOURS))
    tx.session.add(
        PasswordReset(
            id=made.id,
            account_id=account_id,
            token_hash=digest(made.secret),
            created_by=tx.actor.account_id,
            expires_at=made.expires_at,
        )
    )
    audit(tx, "account.password_reset", "account", account_id)
    return made


def list_sessions(tx: Tx) -> list[AccountSession]:
    """The actor's own open sessions, newest first."""
    return list(
        tx.session.scalars(
            select(AccountSession)
            .where(
                AccountSession.account_id == tx.actor.account_id,
                AccountSession.revoked_at.is_(None),
                AccountSession.expires_at > tx.now,
            )
            .order_by(AccountSession.last_seen_at.desc())
        )
    )


def revoke_session(tx: Tx, session_id: UUID) -> None:
    """End one of one's own sessions (an administrator: anybody's). Raises NotFound."""
    row = tx.session.get(AccountSession, session_id)
    own = row is not None and row.account_id == tx.actor.account_id
    if row is None or not (own or tx.actor.can("account.manage")):
        raise NotFound("session_not_found")
    row.revoked_at = row.revoked_at or tx.now
    audit(tx, "session.revoke", "session", session_id)


def grant_role(
    tx: Tx,
    *,
    account_id: UUID,
    role: str,
    area_id: int | None,
    department: str | None = None,
    valid_from: datetime | None = None,
    valid_to: datetime | None = None,
) -> UUID:
    """Give a role over a subtree. Nobody grants to themselves, nor outside their own subtree."""
    _require(tx, "grant.manage")
    known = vocabulary().roles.get(role)
    if known is None or known.machine:
        raise Invalid("role_unknown", given=role)
    if account_id == tx.actor.account_id:
        raise Conflict("no_grant_to_yourself")
    if valid_to is not None and valid_to <= (valid_from or tx.now):
        raise Invalid("grant_ends_before_it_starts")
    _account(tx, account_id)
    _require_reach(tx, area_id)
    grant_id = new_id()
    tx.session.add(
        AccessGrant(
            id=grant_id,
            account_id=account_id,
            role=role,
            area_id=area_id,
            department=department,
            valid_from=valid_from or tx.now,
            valid_to=valid_to,
            granted_by=tx.actor.account_id,
        )
    )
    audit(tx, "grant.create", "account", account_id, role=role, area_id=area_id)
    return grant_id


def revoke_grant(tx: Tx, grant_id: UUID) -> None:
    """End a grant now. The row stays, so that the past can be read."""
    _require(tx, "grant.manage")
    row = tx.session.get(AccessGrant, grant_id)
    if row is None:
        raise NotFound("grant_not_found")
    _require_reach(tx, row.area_id)
    if row.valid_to is None or row.valid_to > tx.now:
        row.valid_to = tx.now
    audit(tx, "grant.revoke", "account", row.account_id, role=row.role, area_id=row.area_id)


def create_token(
    tx: Tx,
    *,
    name: str,
    role: str,
    area_id: int | None = None,
    source: str | None = None,
    device_id: UUID | None = None,
    expires_at: datetime | None = None,
) -> NewSecret:
    """A credential of a machine or a device, shown once. `source` names the channel it reports for."""
    _require(tx, "token.manage")
    known = vocabulary().roles.get(role)
    if known is None or not known.machine:
        raise Invalid("machine_role_unknown", given=role)
    if not 1 <= len(name.strip()) <= MAX_NAME:
        raise Invalid("token_name_malformed")
    _require_reach(tx, area_id)
    made = NewSecret(new_id(), "gm_" + secrets.token_urlsafe(32), expires_at)
    tx.session.add(
        ApiToken(
            id=made.id,
            name=name.strip(),
            token_hash=digest(made.secret),
            role=role,
            source=source,
            area_id=area_id,
            device_id=device_id,
            created_by=tx.actor.account_id,
            created_at=tx.now,
            expires_at=expires_at,
        )
    )
    audit(tx, "token.create", "token", made.id, role=role, name=name)
    return made


def revoke_token(tx: Tx, token_id: UUID) -> None:
    _require(tx, "token.manage")
    row = tx.session.get(ApiToken, token_id)
    if row is None:
        raise NotFound("token_not_found")
    row.revoked_at = row.revoked_at or tx.now
    audit(tx, "token.revoke", "token", token_id)


def _require(tx: Tx, verb: str) -> None:
    if tx.actor is not SYSTEM_ACTOR:
        tx.actor.require(verb)


def _require_reach(tx: Tx, area_id: int | None) -> None:
    """The area must lie in what the actor administers; everywhere only for who administers everything."""
    if tx.actor is SYSTEM_ACTOR:
        return
    path = ""
    if area_id is not None:
        found = tx.session.scalar(
            select(AreaVersion.path).where(AreaVersion.area_id == area_id, AreaVersion.valid.contains(tx.now))
        )
        if found is None:
            raise Invalid("area_unknown", area_id=area_id)
        path = found
    roots = paths_with(tx.actor.grants, "grant.manage")
    if not any(is_below(path, root) if path else root == "" for root in roots):
        raise Forbidden("area_out_of_reach", area_id=area_id)


def _account(tx: Tx, account_id: UUID) -> Account:
    account = tx.session.get(Account, account_id)
    if account is None:
        raise NotFound("account_not_found")
    return account


def _end_sessions(tx: Tx, account_id: UUID, *, but: UUID | None = None) -> None:
    statement = update(AccountSession).where(
        AccountSession.account_id == account_id, AccountSession.revoked_at.is_(None)
    )
    if but is not None:
        statement = statement.where(AccountSession.id != but)
    tx.session.execute(statement.values(revoked_at=tx.now))
