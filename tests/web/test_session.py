"""Logging in, staying in, being thrown out."""

from __future__ import annotations

from datetime import timedelta

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient

from gridmap.clock import FixedClock
from gridmap.db.engine import Database
from gridmap.settings import Settings
from tests.web.conftest import Browse, Browser
from tests.world import PASSWORD, World
from web.app import create_app
from web.auth import COOKIE, CSRF_HEADER

NEW = "seven-quiet-otters"


def code(answer: object) -> tuple[int, str]:
    status: int = answer.status_code  # type: ignore[attr-defined]
    return status, answer.get_json()["code"]  # type: ignore[attr-defined]


def test_log_in_says_who_i_am_and_where(browse: Browse) -> None:
    me = browse("operator.0").me
    assert me["roles"] == ["operator"]
    assert me["account"]["login"] == "operator.0"
    assert me["grants"][0]["area_name"] == "county-990101"
    west, south, east, north = me["deployment"]["bounds"]
    assert (round(west, 3), round(south, 3), round(east, 3), round(north, 3)) == (113.0, 28.2, 113.04, 28.21)
    assert me["csrf"]


def test_the_cookie_is_out_of_reach_of_scripts(browse: Browse) -> None:
    cookie = browse("operator.0").client.get_cookie(COOKIE)
    assert cookie is not None
    assert cookie.http_only
    assert cookie.same_site == "Lax"
    assert not cookie.secure, "plain HTTP could not send it back"


def test_the_cookie_is_secure_over_https(app: APIFlask, world: World) -> None:
    client = app.test_client()
    answer = client.post(
        "/api/login", json={"login": "operator.0", "password": PASSWORD}, base_url="https://gridmap.test"
    )
    assert "Secure" in answer.headers["Set-Cookie"]
    assert "Strict-Transport-Security" in answer.headers


def test_a_wrong_password_is_told_as_an_unknown_name(anonymous: FlaskClient, world: World) -> None:
    wrong = anonymous.post("/api/login", json={"login": "operator.0", "password": "no such thing"})
    unknown = anonymous.post("/api/login", json={"login": "nobody", "password": "no such thing"})
    assert code(wrong) == code(unknown) == (401, "login_failed")
    assert wrong.mimetype == "application/problem+json"
    assert wrong.get_json()["params"] == unknown.get_json()["params"] == {}


def test_guessing_is_slowed_across_processes(
    settings: Settings, database: Database, clock: FixedClock, world: World
) -> None:
    """Two web processes count in one table."""
    clients = [create_app(settings, database, clock).test_client() for _ in range(2)]
    bad = {"login": "operator.0", "password": "not the one"}
    answers = [clients[turn % 2].post("/api/login", json=bad) for turn in range(8)]
    assert [answer.status_code for answer in answers] == [401] * 6 + [429] * 2
    good = clients[0].post("/api/login", json={"login": "operator.0", "password": PASSWORD})
    assert code(good) == (429, "too_many_attempts")
    assert int(good.headers["Retry-After"]) == good.get_json()["params"]["retry_after_s"] > 0
    assert clients[1].post("/api/login", json={"login": "analyst.0", "password": PASSWORD}).status_code == 200
    clock.at += timedelta(minutes=16)
    assert (
        clients[1].post("/api/login", json={"login": "operator.0", "password": PASSWORD}).status_code == 200
    )


def test_a_change_needs_the_token_of_the_page(browse: Browse) -> None:
    browser = browse("operator.0")
    body = {"channel": "operator", "class_key": "S1.01", "text": "x"}
    for headers in ({}, {CSRF_HEADER: ""}, {CSRF_HEADER: "0" * 64}):
        assert code(browser.client.post("/api/reports", json=body, headers=headers)) == (403, "csrf_failed")
    other = browse("operator.0")
    foreign = browser.client.post("/api/reports", json=body, headers={CSRF_HEADER: other.me["csrf"]})
    assert code(foreign) == (403, "csrf_failed")
    assert browser.post("/api/reports", body).status_code == 201


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "https://elsewhere.test"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://localhost:81"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Origin": "http://localhost"}, 200),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({}, 200),
    ],
)
def test_another_site_cannot_even_log_in(
    anonymous: FlaskClient, world: World, headers: dict[str, str], status: int
) -> None:
    answer = anonymous.post("/api/login", json={"login": "operator.0", "password": PASSWORD}, headers=headers)
    assert answer.status_code == status


def test_sessions_are_listed_and_ended(browse: Browse) -> None:
    here, there = browse("operator.0"), browse("operator.0")
    items = here.get("/api/me/sessions").get_json()["items"]
    assert len(items) == 2
    (other,) = [item["id"] for item in items if not item["current"]]
    assert here.delete(f"/api/me/sessions/{other}").status_code == 204
    assert there.get("/api/me").status_code == 401
    assert here.get("/api/me").status_code == 200
    stranger = browse("operator.1")
    own = here.get("/api/me/sessions").get_json()["items"][0]["id"]
    assert stranger.delete(f"/api/me/sessions/{own}").status_code == 404


def test_logging_out_ends_the_session_on_the_server(browse: Browse) -> None:
    browser = browse("operator.0")
    cookie = browser.client.get_cookie(COOKIE)
    assert cookie is not None
    assert browser.post("/api/logout").status_code == 204
    browser.client.set_cookie(COOKIE, cookie.value)
    assert browser.get("/api/me").status_code == 401


def test_a_session_runs_out(browse: Browse, clock: FixedClock, settings: Settings) -> None:
    browser = browse("operator.0")
    clock.at += timedelta(hours=settings.session_hours, seconds=1)
    assert browser.get("/api/me").status_code == 401


def test_changing_the_password_ends_the_other_sessions(browse: Browse, app: APIFlask) -> None:
    here, there = browse("operator.0"), browse("operator.0")
    change = {"current": PASSWORD, "new": NEW}
    assert code(here.post("/api/me/password", {**change, "current": "wrong"})) == (401, "password_wrong")
    assert code(here.post("/api/me/password", {**change, "new": "short"})) == (422, "password_too_short")
    assert here.post("/api/me/password", change).status_code == 204
    assert here.get("/api/me").status_code == 200
    assert there.get("/api/me").status_code == 401
    assert Browser(app.test_client(), "operator.0", NEW).me["account"]["login"] == "operator.0"


def test_a_reset_works_once_and_ends_every_session(
    browse: Browse, app: APIFlask, anonymous: FlaskClient
) -> None:
    admin, desk = browse("administrator"), browse("operator.0")
    (account,) = admin.get("/api/accounts?q=operator.0").get_json()["items"]
    made = admin.post(f"/api/accounts/{account['id']}/password-reset")
    token = made.get_json()["token"]
    assert code(anonymous.post("/api/password-reset", json={"token": token, "new": "short"}))[0] == 422
    assert anonymous.post("/api/password-reset", json={"token": token, "new": NEW}).status_code == 204
    assert code(anonymous.post("/api/password-reset", json={"token": token, "new": NEW})) == (
        422,
        "reset_not_valid",
    )
    assert desk.get("/api/me").status_code == 401
    assert Browser(app.test_client(), "operator.0", NEW).me["roles"] == ["operator"]
    assert desk.get("/api/accounts").status_code == 401


def test_a_first_password_has_to_be_changed(browse: Browse, app: APIFlask) -> None:
    admin = browse("administrator")
    made = admin.post(
        "/api/accounts", {"login": "new.one", "display_name": "New One", "password": "first-of-many-9"}
    )
    assert made.status_code == 201
    browser = Browser(app.test_client(), "new.one", "first-of-many-9")
    assert browser.me["account"]["must_change_password"]
    assert code(browser.get("/api/areas")) == (403, "password_change_required")
    assert code(browser.get("/api/live")) == (403, "password_change_required")
    assert browser.post("/api/me/password", {"current": "first-of-many-9", "new": NEW}).status_code == 204
    assert code(browser.get("/api/areas")) == (403, "forbidden"), "no grant yet"
    assert not browser.get("/api/me").get_json()["account"]["must_change_password"]


def test_a_disabled_account_is_out_at_once(browse: Browse, app: APIFlask) -> None:
    admin, desk = browse("administrator"), browse("operator.0")
    (account,) = admin.get("/api/accounts?q=operator.0").get_json()["items"]
    assert admin.patch(f"/api/accounts/{account['id']}", {"status": "disabled"}).status_code == 200
    assert desk.get("/api/me").status_code == 401
    answer = app.test_client().post("/api/login", json={"login": "operator.0", "password": PASSWORD})
    assert code(answer) == (403, "account_disabled")


def test_a_token_speaks_for_its_machine_alone(browse: Browse, app: APIFlask, world: World) -> None:
    admin = browse("administrator")
    made = admin.post("/api/tokens", {"name": "hotline", "role": "intake", "source": "hotline-12345"})
    assert made.status_code == 201
    secret = made.get_json()["secret"]
    assert secret not in admin.get("/api/tokens").text
    machine = app.test_client()
    headers = {"Authorization": f"Bearer {secret}"}
    lon, lat = world.point_in(0)
    message = {
        "channel": "call_12345",
        "class_key": "S1.01",
        "text": "x",
        "source_ref": "1",
        "lon": lon,
        "lat": lat,
    }
    first = machine.post("/api/reports", json=message, headers=headers)
    assert first.status_code == 201, "a machine needs no token of a page"
    again = machine.post("/api/reports", json=message, headers=headers)
    assert again.status_code == 200
    assert again.get_json()["incident"]["number"] == first.get_json()["incident"]["number"]
    stolen = machine.post("/api/reports", json={**message, "source": "another"}, headers=headers)
    assert code(stolen) == (403, "source_is_not_yours")
    assert machine.get("/api/accounts", headers=headers).status_code == 403
    assert machine.get("/api/incidents", headers=headers).get_json()["items"] == []
    token_id = made.get_json()["id"]
    assert admin.delete(f"/api/tokens/{token_id}").status_code == 204
    assert machine.post("/api/reports", json=message, headers=headers).status_code == 401


def test_the_administrator_grants_and_the_trail_tells(browse: Browse, world: World) -> None:
    admin = browse("administrator")
    (account,) = admin.get("/api/accounts?q=analyst.1").get_json()["items"]
    grant = {"account_id": account["id"], "role": "operator", "area_id": world.county_ids[0]}
    made = admin.post("/api/grants", grant)
    assert made.status_code == 201
    analyst = browse("analyst.1")
    assert analyst.me["roles"] == ["analyst", "operator"]
    assert admin.delete(f"/api/grants/{made.get_json()['id']}").status_code == 204
    assert analyst.get("/api/me").get_json()["roles"] == ["analyst"]
    trail = admin.get("/api/audit?verb=grant.").get_json()["items"]
    assert [row["verb"] for row in trail] == ["grant.revoke", "grant.create"]
    assert trail[0]["actor"] == "administrator"
    own = admin.post("/api/grants", {**grant, "account_id": admin.me["account"]["id"]})
    assert code(own) == (409, "no_grant_to_yourself")
