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
    "/patrol/icon-<int:size_px>.png",
    "/patrol/maskable-<int:size_px>.png",
    "/patrol/manifest.webmanifest",
    "/patrol/worker.js",
    "/admin",
    "/risk",
    "/trust",
    "/trust/ca.crt",
    "/static/dist/<path:name>",
    "/healthz",
    "/api/docs",
    "/api/openapi.json",
    "/api/login",
    "/api/password-reset",
}


# These ask for a device's own key, each in the way of its protocol.
BY_DEVICE = {"/api/trackers/owntracks", "/api/trackers/osmand"}


def addresses(app: APIFlask) -> list[tuple[str, str]]:
    """(method, address) of every route, its variables filled in."""
    samples = {"uuid": str(uuid4()), "int": "1", "path": "x", "string": "x", "default": "x"}

    def fill(found: re.Match[str]) -> str:
        return samples.get(found.group(1) or "default", "x")

    return [
        (method, re.sub(r"<(?:([a-z]+)(?:\([^)]*\))?:)?[a-z_]+>", fill, rule.rule))
        for rule in app.url_map.iter_rules()
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
        if rule.rule not in PUBLIC | BY_DEVICE
    ]


def test_every_route_says_who_may_pass(app: APIFlask) -> None:
    assert unguarded(app) == []
    open_to_all = {
        rule.rule
        for rule in app.url_map.iter_rules()
        if (guard := guard_of(app, rule.endpoint)) and guard.is_public
    }
    assert open_to_all == PUBLIC
    own = {
        rule.rule for rule in app.url_map.iter_rules() if (g := guard_of(app, rule.endpoint)) and g.by_device
    }
    assert own == BY_DEVICE


def test_nobody_gets_in_without_logging_in(app: APIFlask, anonymous: FlaskClient) -> None:
    asked = addresses(app)
    assert len(asked) > 5
    for method, address in asked:
        answer = anonymous.open(address, method=method, json={} if method != "GET" else None)
        assert answer.status_code == 401, (method, address, answer.status_code, answer.text[:200])
        assert answer.get_json()["code"] == "not_authenticated"


def test_a_tracker_without_a_good_key_is_refused(app: APIFlask, anonymous: FlaskClient) -> None:
    place = {"_type": "location", "lat": 28.2, "lon": 113.0, "tst": 1_780_000_000}
    assert anonymous.post("/api/trackers/owntracks", json=place).status_code == 401
    made_up = {"Authorization": "Basic ZHg6Z21kX3g="}
    assert anonymous.post("/api/trackers/owntracks", json=place, headers=made_up).status_code == 401
    assert anonymous.get("/api/trackers/osmand?lat=28.2&lon=113").status_code == 400
    assert anonymous.get("/api/trackers/osmand?id=gmd_x&lat=28.2&lon=113").status_code == 400
    unknown = {"device_id": "gmd_x", "location": {}}
    assert anonymous.post("/api/trackers/osmand", json=unknown).status_code == 404


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
