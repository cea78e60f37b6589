"""Logging in and out, who am I, my sessions, my password."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from apiflask import APIBlueprint
from flask import Response, make_response, request

from gridmap.domain.actor import Actor
from gridmap.services import accounts, logging_in
from gridmap.services.queries.deployment import describe_deployment, find_own_unit
from gridmap.services.transaction import transaction
from web.auth import csrf_token, forget_session, session_token, set_session_cookie
from web.guards import actor, public, signed_in_with_old_password
from web.schemas import Body, Password, Secret, ShortText
from web.site import as_caller, site

session = APIBlueprint("session", __name__, url_prefix="/api", tag="session")


class LogIn(Body):
    login: ShortText
    password: Password


class ChangePassword(Body):
    current: Password
    new: Password


class ResetPassword(Body):
    token: Secret
    new: Password


@session.post("/login")
@session.input(LogIn, arg_name="body")
@public
def log_in(body: LogIn) -> Response:
    """Log in; the answer sets the session cookie."""
    here = site()
    logged_in = logging_in.log_in(
        here.database,
        here.clock,
        login=body.login,
        password=body.password,
        hours=here.settings.session_hours,
        address=request.remote_addr,
        user_agent=request.user_agent.string or None,
    )
    response = make_response(_me(logged_in.actor))
    set_session_cookie(response, logged_in)
    return response


@session.post("/logout")
@signed_in_with_old_password
def log_out() -> tuple[Response, int]:
    """End this session."""
    here = site()
    token = session_token()
    if token is not None:
        logging_in.log_out(here.database, here.clock, token)
    response = make_response("")
    forget_session(response)
    return response, 204


@session.get("/me")
@signed_in_with_old_password
def me() -> dict[str, Any]:
    """Who I am, what I may do and where, and what this deployment is."""
    return _me(actor())


@session.get("/me/sessions")
@signed_in_with_old_password
def list_sessions() -> dict[str, Any]:
    """My open sessions, the newest first."""
    who = actor()
    with as_caller() as tx:
        rows = accounts.list_sessions(tx)
    return {
        "items": [
            {
                "id": row.id,
                "created_at": row.created_at,
                "last_seen_at": row.last_seen_at,
                "ip": row.ip,
                "user_agent": row.user_agent,
                "current": row.id == who.session_id,
            }
            for row in rows
        ]
    }


@session.delete("/me/sessions/<uuid:session_id>")
@signed_in_with_old_password
def end_session(session_id: UUID) -> tuple[str, int]:
    """End one of my sessions."""
    with as_caller() as tx:
        accounts.revoke_session(tx, session_id)
    return "", 204


@session.post("/me/password")
@session.input(ChangePassword, arg_name="body")
@signed_in_with_old_password
def change_password(body: ChangePassword) -> tuple[str, int]:
    """Change my password; my other sessions end."""
    with as_caller() as tx:
        accounts.change_password(tx, current=body.current, new=body.new)
    return "", 204


@session.post("/password-reset")
@session.input(ResetPassword, arg_name="body")
@public
def reset_password(body: ResetPassword) -> tuple[str, int]:
    """Set a new password by a single-use reset; every session of the account ends."""
    here = site()
    logging_in.use_reset(here.database, here.clock, token=body.token, new=body.new)
    return "", 204


def _me(who: Actor) -> dict[str, Any]:
    here = site()
    with transaction(here.database, who, here.clock) as tx:
        deployment = describe_deployment(tx, here.settings)
        unit = find_own_unit(tx)
    return {
        "account": {
            "id": who.account_id or who.token_id,
            "login": who.login,
            "display_name": who.display_name,
            "must_change_password": who.must_change_password,
        },
        "roles": who.roles,
        "verbs": who.verbs,
        "csrf": csrf_token(here, who.session_id) if who.session_id else "",
        "grants": [
            {
                "role": grant.role,
                "area_id": grant.area_id,
                "area_name": grant.area_name,
                "path": grant.path,
                "department": grant.department,
            }
            for grant in who.grants
        ],
        "unit": unit,
        "deployment": deployment,
    }
