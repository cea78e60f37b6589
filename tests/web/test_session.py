"""Logging in, staying in, being thrown out."""

from __future__ import annotations

from tests.web.conftest import Browse
from web.auth import COOKIE


def test_log_in_says_who_i_am_and_where(browse: Browse) -> None:
    me = browse("operator.0").me
    assert me["roles"] == ["operator"]
    assert me["account"]["login"] == "operator.0"
    assert me["grants"][0]["area_name"] == "county-990101"
    west, south, east, north = me["deployment"]["bounds"]
    assert (round(west, 3), round(south, 3), round(east, 3), round(north, 3)) == (113.0, 28.2, 113.04, 28.21)
    assert me["csrf"]


def test_the_cookie_is_out_of_reach_of_scripts(browse: Browse) -> None:
    browser = browse("operator.0")
    cookie = browser.client.get_cookie(COOKIE)
    assert cookie is not None
    assert cookie.http_only
    assert cookie.same_site == "Lax"
