"""What an administrator or an auditor reads: accounts, grants, tokens and the audit trail."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, text

from gridmap.db.tables import AccessGrant, Account, ApiToken, Area, AreaVersion, Audit, Person
from gridmap.services.transaction import Tx

MAX_AUDIT_PAGE = 500


@dataclass(frozen=True, slots=True)
class AccountRow:
    id: UUID
    login: str
    display_name: str
    status: str
    must_change_password: bool
    has_password: bool
    person_id: UUID | None
    person_name: str | None
    created_at: datetime
    last_seen_at: datetime | None
    roles: list[str]


def list_accounts(tx: Tx, *, words: str | None = None, limit: int = 500) -> list[AccountRow]:
    """Accounts by log-in name, each with the roles in force."""
    tx.actor.require("account.manage")
    rows = tx.session.execute(
        text(
            """
            select a.id, a.login::text, a.display_name, a.status, a.must_change_password,
                   a.password_hash is not null, a.person_id, p.name, a.created_at,
                   (select max(s.last_seen_at) from account_session s where s.account_id = a.id),
                   array(select distinct g.role from access_grant g where g.account_id = a.id
                         and g.valid_from <= :at and (g.valid_to is null or g.valid_to > :at) order by 1)
            from account a left join person p on p.id = a.person_id
            where cast(:q as text) is null
               or a.login::text ilike like_pattern(:q) or a.display_name ilike like_pattern(:q)
            order by a.login, a.id limit :most
            """
        ),
        {"at": tx.now, "q": words or None, "most": limit},
    )
    return [AccountRow(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class GrantRow:
    id: UUID
    account_id: UUID
    login: str
    display_name: str
    role: str
    area_id: int | None
    area_name: str | None
    department: str | None
    valid_from: datetime
    valid_to: datetime | None
    in_force: bool


def list_grants(tx: Tx, *, account_id: UUID | None = None) -> list[GrantRow]:
    """Grants, those in force first; of one account or of all."""
    tx.actor.require("grant.manage")
    statement = (
        select(
            AccessGrant.id,
            AccessGrant.account_id,
            Account.login,
            Account.display_name,
            AccessGrant.role,
            AccessGrant.area_id,
            AreaVersion.name,
            AccessGrant.department,
            AccessGrant.valid_from,
            AccessGrant.valid_to,
        )
        .join(Account, Account.id == AccessGrant.account_id)
        .outerjoin(Area, Area.id == AccessGrant.area_id)
        .outerjoin(AreaVersion, (AreaVersion.area_id == Area.id) & AreaVersion.valid.contains(tx.now))
        .order_by(Account.login, AccessGrant.valid_from)
        .limit(5_000)
    )
    if account_id is not None:
        statement = statement.where(AccessGrant.account_id == account_id)
    found = [_grant_row(row, tx.now) for row in tx.session.execute(statement)]
    return sorted(found, key=lambda row: not row.in_force)


def _grant_row(row: Any, now: datetime) -> GrantRow:
    return GrantRow(
        id=row.id,
        account_id=row.account_id,
        login=row.login,
        display_name=row.display_name,
        role=row.role,
        area_id=row.area_id,
        area_name=row.name,
        department=row.department,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        in_force=row.valid_from <= now and (row.valid_to is None or row.valid_to > now),
    )


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A credential without its secret, which nobody has but its holder."""

    id: UUID
    name: str
    role: str
    source: str | None
    area_id: int | None
    device_id: UUID | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None


def list_tokens(tx: Tx) -> list[TokenRow]:
    """Tokens, the newest first."""
    tx.actor.require("token.manage")
    rows = tx.session.scalars(select(ApiToken).order_by(ApiToken.created_at.desc()).limit(2_000))
    return [
        TokenRow(
            row.id,
            row.name,
            row.role,
            row.source,
            row.area_id,
            row.device_id,
            row.created_at,
            row.expires_at,
            row.revoked_at,
            row.last_used_at,
        )
        for row in rows
    ]


@dataclass(frozen=True, slots=True)
class PersonRow:
    id: UUID
    name: str
    job: str | None
    area_id: int | None


def list_people(tx: Tx, *, words: str | None = None, limit: int = 50) -> list[PersonRow]:
    """Staff by name, to bind an account to a person."""
    tx.actor.require("account.manage")
    statement = select(Person).where(Person.withdrawn_at.is_(None)).order_by(Person.name).limit(limit)
    if words:
        statement = statement.where(Person.name.icontains(words, autoescape=True))
    return [PersonRow(row.id, row.name, row.job, row.area_id) for row in tx.session.scalars(statement)]


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditFilter:
    """What part of the trail; empty means all. `before_id` continues a page."""

    actor: str | None = None
    verb: str | None = None
    subject: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    before_id: int | None = None


@dataclass(frozen=True, slots=True)
class AuditRow:
    id: int
    at: datetime
    actor: str | None
    actor_account_id: UUID | None
    verb: str
    subject_kind: str | None
    subject_id: str | None
    reason: str | None
    params: dict[str, Any]
    seal_no: int | None


def list_audit(tx: Tx, wanted: AuditFilter, *, limit: int = 100) -> list[AuditRow]:
    """The trail, the newest first. `verb` matches its beginning, `subject` a kind or an id."""
    tx.actor.require("audit.read")
    statement = select(Audit).order_by(Audit.id.desc()).limit(min(limit, MAX_AUDIT_PAGE))
    if wanted.actor:
        statement = statement.where(Audit.actor_name == wanted.actor)
    if wanted.verb:
        statement = statement.where(Audit.verb.startswith(wanted.verb, autoescape=True))
    if wanted.subject:
        statement = statement.where(
            (Audit.subject_kind == wanted.subject) | (Audit.subject_id == wanted.subject)
        )
    if wanted.since:
        statement = statement.where(Audit.at >= wanted.since)
    if wanted.until:
        statement = statement.where(Audit.at < wanted.until)
    if wanted.before_id:
        statement = statement.where(Audit.id < wanted.before_id)
    return [
        AuditRow(
            row.id,
            row.at,
            row.actor_name,
            row.actor_account_id,
            row.verb,
            row.subject_kind,
            row.subject_id,
            row.reason,
            row.params,
            row.seal_no,
        )
        for row in tx.session.scalars(statement)
    ]
