"""People, grants, tokens and the audit trail."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from apiflask import APIBlueprint
from pydantic import Field

from gridmap.services import accounts
from gridmap.services.queries import administration as reading
from gridmap.services.queries.administration import AuditFilter
from web.guards import requires
from web.outputs import returns
from web.schemas import AreaId, Body, Key, Moment, Password, Query, ShortText
from web.site import as_caller

administration = APIBlueprint("administration", __name__, url_prefix="/api", tag="administration")
Json = dict[str, Any]


class WordsQuery(Query):
    q: ShortText | None = None


class NewAccount(Body):
    login: ShortText
    display_name: ShortText
    password: Password | None = None
    person_id: UUID | None = None


class ChangeAccount(Body):
    display_name: ShortText | None = None
    status: Literal["active", "disabled"] | None = None


class GrantQuery(Query):
    account: UUID | None = None


class NewGrant(Body):
    account_id: UUID
    role: Key
    area_id: AreaId | None = None
    department: Key | None = None
    valid_from: Moment | None = None
    valid_to: Moment | None = None


class NewToken(Body):
    name: ShortText
    role: Key
    area_id: AreaId | None = None
    source: Key | None = None
    device_id: UUID | None = None
    expires_at: Moment | None = None


class AuditQuery(Query):
    actor: ShortText | None = None
    verb: Key | None = None
    subject: ShortText | None = None
    since: Moment | None = Field(None, alias="from")
    until: Moment | None = Field(None, alias="to")
    cursor: Annotated[int, Field(ge=1, le=2**63 - 1)] | None = None
    limit: int = Field(100, ge=1, le=reading.MAX_AUDIT_PAGE)


@administration.get("/accounts")
@administration.input(WordsQuery, location="query", arg_name="query")
@returns(reading.AccountRow, many=True)
@requires("account.manage")
def list_accounts(query: WordsQuery) -> Json:
    """Accounts by log-in name, with the roles in force."""
    with as_caller() as tx:
        return {"items": reading.list_accounts(tx, words=query.q)}


@administration.post("/accounts")
@administration.input(NewAccount, arg_name="body")
@requires("account.manage")
def create_account(body: NewAccount) -> tuple[Json, int]:
    """Make an account. A password given here has to be changed at the first log-in."""
    with as_caller() as tx:
        made = accounts.create_account(
            tx,
            login=body.login,
            display_name=body.display_name,
            password=body.password,
            person_id=body.person_id,
        )
    return {"id": made}, 201


@administration.patch("/accounts/<uuid:account_id>")
@administration.input(ChangeAccount, arg_name="body")
@requires("account.manage")
def change_account(account_id: UUID, body: ChangeAccount) -> Json:
    """Rename, disable or re-enable; disabling ends every session."""
    with as_caller() as tx:
        if body.display_name is not None:
            accounts.rename_account(tx, account_id, body.display_name)
        if body.status is not None:
            accounts.set_account_status(tx, account_id, body.status)
    return {"id": account_id}


@administration.post("/accounts/<uuid:account_id>/password-reset")
@requires("account.manage")
def start_reset(account_id: UUID) -> tuple[Json, int]:
    """A single-use reset to hand over in person; shown once."""
    with as_caller() as tx:
        made = accounts.start_reset(tx, account_id)
    return {"token": made.secret, "expires_at": made.expires_at}, 201


@administration.get("/people")
@administration.input(WordsQuery, location="query", arg_name="query")
@returns(reading.PersonRow, many=True)
@requires("account.manage")
def list_people(query: WordsQuery) -> Json:
    """Staff by name, to bind an account to a person."""
    with as_caller() as tx:
        return {"items": reading.list_people(tx, words=query.q)}


@administration.get("/grants")
@administration.input(GrantQuery, location="query", arg_name="query")
@returns(reading.GrantRow, many=True)
@requires("grant.manage")
def list_grants(query: GrantQuery) -> Json:
    """Grants, those in force first."""
    with as_caller() as tx:
        return {"items": reading.list_grants(tx, account_id=query.account)}


@administration.post("/grants")
@administration.input(NewGrant, arg_name="body")
@requires("grant.manage")
def create_grant(body: NewGrant) -> tuple[Json, int]:
    """Give a role over a subtree, from now or from a date."""
    with as_caller() as tx:
        return {"id": accounts.grant_role(tx, **body.model_dump())}, 201


@administration.delete("/grants/<uuid:grant_id>")
@requires("grant.manage")
def revoke_grant(grant_id: UUID) -> tuple[str, int]:
    """End a grant now."""
    with as_caller() as tx:
        accounts.revoke_grant(tx, grant_id)
    return "", 204


@administration.get("/tokens")
@returns(reading.TokenRow, many=True)
@requires("token.manage")
def list_tokens() -> Json:
    """Tokens without their secrets."""
    with as_caller() as tx:
        return {"items": reading.list_tokens(tx)}


@administration.post("/tokens")
@administration.input(NewToken, arg_name="body")
@requires("token.manage")
def create_token(body: NewToken) -> tuple[Json, int]:
    """A credential of a machine or a device; its secret is shown once."""
    with as_caller() as tx:
        made = accounts.create_token(tx, **body.model_dump())
    return {"id": made.id, "secret": made.secret, "expires_at": made.expires_at}, 201


@administration.delete("/tokens/<uuid:token_id>")
@requires("token.manage")
def revoke_token(token_id: UUID) -> tuple[str, int]:
    """Revoke a token now."""
    with as_caller() as tx:
        accounts.revoke_token(tx, token_id)
    return "", 204


@administration.get("/audit")
@administration.input(AuditQuery, location="query", arg_name="query")
@returns(reading.AuditRow, many=True)
@requires("audit.read")
def list_audit(query: AuditQuery) -> Json:
    """Who did or saw what, the newest first; never the content."""
    wanted = AuditFilter(
        actor=query.actor,
        verb=query.verb,
        subject=query.subject,
        since=query.since,
        until=query.until,
        before_id=query.cursor,
    )
    with as_caller() as tx:
        rows = reading.list_audit(tx, wanted, limit=query.limit)
    return {"items": rows, "next": str(rows[-1].id) if len(rows) == query.limit else None}
