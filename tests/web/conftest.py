"""An app over a real database, and browsers that are logged in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from gridmap.clock import FixedClock
from gridmap.db.engine import Database
from gridmap.settings import Settings
from tests.world import PASSWORD, World, make_world
from web.app import create_app
from web.auth import CSRF_HEADER
from web.outputs import answer_of
from web.site import EXTENSION


class Browser:
    """A logged-in client that sends the CSRF token as our pages do."""

    def __init__(self, client: FlaskClient, login: str, password: str = PASSWORD) -> None:
        self.client = client
        answer = client.post("/api/login", json={"login": login, "password": password})
        assert answer.status_code == 200, answer.text
        self.me: dict[str, Any] = answer.get_json()

    @property
    def headers(self) -> dict[str, str]:
        return {CSRF_HEADER: self.me["csrf"]}

    def get(self, path: str, **kwargs: Any) -> TestResponse:
        return self._checked(self.client.get(path, buffered=True, **kwargs))

    def post(self, path: str, body: Any = None, **kwargs: Any) -> TestResponse:
        sent = body if body is not None else {}
        headers = self.headers | kwargs.pop("headers", {})
        return self._checked(self.client.post(path, json=sent, headers=headers, **kwargs))

    def _checked(self, answer: TestResponse) -> TestResponse:
        """Whatever a test asks, the answer has the form that the API's description tells."""
        if answer.status_code in (200, 201) and answer.is_json:
            app = self.client.application
            endpoint, _ = app.url_map.bind("").match(answer.request.path, answer.request.method)
            told = answer_of(app.view_functions[endpoint])
            if told is not None and "gzip" not in answer.headers.get("Content-Encoding", ""):
                told.check(answer.get_json())
        return answer

    def patch(self, path: str, body: Any) -> TestResponse:
        return self.client.patch(path, json=body, headers=self.headers)

    def delete(self, path: str) -> TestResponse:
        return self.client.delete(path, headers=self.headers)


Browse = Callable[[str], Browser]


@pytest.fixture
def world(database: Database, clock: FixedClock) -> World:
    """Two counties, each with an operator, a shift lead and an analyst (named role.number), and an administrator."""
    made = make_world(database, clock)
    for number in (0, 1):
        for role in ("operator", "shift_lead", "analyst"):
            made.account(f"{role}.{number}", role, number)
    made.account("administrator", "administrator", None)
    return made


@pytest.fixture
def app(settings: Settings, database: Database, clock: FixedClock) -> Iterator[APIFlask]:
    made = create_app(settings, database, clock)
    made.testing = True
    yield made
    made.extensions[EXTENSION].live.close()


@pytest.fixture
def anonymous(app: APIFlask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def browse(app: APIFlask, world: World) -> Browse:
    """Log somebody of the world in, in a browser of their own."""
    return lambda login: Browser(app.test_client(), login)
