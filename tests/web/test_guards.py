"""Every door is closed until it says who may pass."""

from __future__ import annotations

import re
from uuid import uuid4

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient

from gridmap.clock import FixedClock
from gridmap.db.engine import Database
from gridmap.errors import Misconfigured
from gridmap.settings import Settings
from web.app import create_app
from web.guards import guard_of, refuse_unguarded, unguarded

# Who is open to everybody, by name: a longer list is a decision, not an accident.
PUBLIC = {
    "/",
    "/login",
    "/patrol",
    "/patrol/icon.svg",
    "/patrol/manifest.webmanifest",
    "/patrol/worker.js",
    "/admin",
    "/trust",
    "/trust/ca.crt",
    "/static/dist/<path:name>",
    "/healthz",
    "/api/docs",
    "/api/openapi.json",
    "/api/login",
    "/api/password-reset",
}


def addresses(app: APIFlask) -> list[tuple[str, str]]:
    """(method, address) of every route, its variables filled in."""
    samples = {"uuid": str(uuid4()), "int": "1", "path": "x", "string": "x", "default": "x"}

    def fill(found: re.Match[str]) -> str:
        return samples.get(found.group(1) or "default", "x")

    return [
        (method, re.sub(r"<(?:([a-z]+)(?:\([^)]*\))?:)?[a-z_]+>", fill, rule.rule))
        for rule in app.url_map.iter_rules()
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
        if rule.rule not in PUBLIC
    ]


def test_every_route_says_who_may_pass(app: APIFlask) -> None:
    assert unguarded(app) == []
    open_to_all = {
        rule.rule
        for rule in app.url_map.iter_rules()
        if (guard := guard_of(app, rule.endpoint)) and guard.is_public
    }
    assert open_to_all == PUBLIC


def test_nobody_gets_in_without_logging_in(app: APIFlask, anonymous: FlaskClient) -> None:
    asked = addresses(app)
    assert len(asked) > 5
    for method, address in asked:
        answer = anonymous.open(address, method=method, json={} if method != "GET" else None)
        assert answer.status_code == 401, (method, address, answer.status_code, answer.text[:200])
        assert answer.get_json()["code"] == "not_authenticated"


def test_a_made_up_cookie_or_token_opens_nothing(app: APIFlask, anonymous: FlaskClient) -> None:
    anonymous.set_cookie("gridmap_session", "x" * 43)
    assert anonymous.get("/api/me").status_code == 401
    assert app.test_client().get("/api/me", headers={"Authorization": "Bearer gm_x"}).status_code == 401


def test_a_route_without_a_guard_is_found_and_refused(
    settings: Settings, database: Database, clock: FixedClock
) -> None:
    app = create_app(settings, database, clock)

    @app.get("/api/forgotten")
    def forgotten() -> str:
        return "open"

    assert unguarded(app) == ["/api/forgotten"]
    with pytest.raises(Misconfigured, match="route_without_guard"):
        refuse_unguarded(app)
    answer = app.test_client().get("/api/forgotten")
    assert answer.status_code == 403
    assert "open" not in answer.text
