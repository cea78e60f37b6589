"""A client of the public endpoints, as a browser or a phone is one: cookie, CSRF header, event stream."""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx

from gridmap.errors import GridmapError

_TIMEOUT_S = 20.0
_UNSAFE = {"POST", "PATCH", "PUT", "DELETE"}


class Refused(GridmapError):
    """The server answered with an error; `params` hold the request, the status and the problem's own code."""

    default_code = "server_refused"


class ApiClient:
    """One signed-in browser or phone. `ca_file` is the only certificate authority it trusts."""

    def __init__(self, url: str, ca_file: Path | None) -> None:
        verify = ssl.create_default_context(cafile=str(ca_file)) if ca_file else True
        self._http = httpx.Client(base_url=url, verify=verify, trust_env=False, timeout=_TIMEOUT_S)
        self._csrf: str | None = None

    def log_in(self, login: str, password: str) -> dict[str, Any]:
        """Log in and keep the session; returns Me."""
        me: dict[str, Any] = self.call("POST", "/api/login", {"login": login, "password": password})
        self._csrf = me["csrf"]
        return me

    def get(self, path: str, **query: Any) -> Any:
        return self.call("GET", path, query=query)

    def post(self, path: str, body: dict[str, Any] | None = None) -> Any:
        return self.call("POST", path, body or {})

    def call(
        self, method: str, path: str, body: dict[str, Any] | None = None, query: dict[str, Any] | None = None
    ) -> Any:
        """Send a request; returns the JSON answer, or None where there is no content. Raises Refused."""
        answer = self._send(method, path, body, query)
        return answer.json() if answer.content else None

    def fetch(self, path: str) -> bytes:
        """The bytes of a tile or a file."""
        return self._send("GET", path, None, None).content

    def listen(self) -> EventStream:
        """Open the live feed as this client."""
        return EventStream(self._http)

    def close(self) -> None:
        self._http.close()

    def _send(
        self, method: str, path: str, body: dict[str, Any] | None, query: dict[str, Any] | None
    ) -> httpx.Response:
        headers = {"X-CSRF-Token": self._csrf} if method in _UNSAFE and self._csrf else {}
        try:
            answer = self._http.request(method, path, json=body, params=query or None, headers=headers)
        except httpx.HTTPError as error:
            raise Refused("server_unreachable", request=f"{method} {path}", reason=str(error)) from None
        if answer.is_error:
            raise Refused(request=f"{method} {path}", status=answer.status_code, problem=_problem(answer))
        return answer


class EventStream:
    """The live feed, read in a thread of its own; events are kept with the moment they came."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http
        self._events: list[tuple[float, str, dict[str, Any]]] = []
        self._news = threading.Condition()
        self._open = threading.Event()
        self._response: httpx.Response | None = None
        self._thread = threading.Thread(target=self._read, daemon=True)

    def __enter__(self) -> EventStream:
        self._thread.start()
        if not self._open.wait(_TIMEOUT_S):
            raise Refused("stream_not_open")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._response is not None:
            self._response.close()

    def wait_for(self, wanted: Callable[[str, dict[str, Any]], bool], timeout_s: float) -> float | None:
        """The moment (time.monotonic) an event came for which `wanted(topic, body)` holds, None if none did."""
        deadline = time.monotonic() + timeout_s
        with self._news:
            while True:
                for at, topic, body in self._events:
                    if wanted(topic, body):
                        return at
                if not self._news.wait(max(0.0, deadline - time.monotonic())) and time.monotonic() > deadline:
                    return None

    def _read(self) -> None:
        try:
            with self._http.stream(
                "GET", "/api/live", timeout=httpx.Timeout(_TIMEOUT_S, read=None)
            ) as response:
                self._response = response
                if response.is_success:
                    self._open.set()
                    self._take(response)
        except (httpx.HTTPError, httpx.StreamError, OSError):
            # Closed by us at the end, or by the server; whoever waits for an event sees that none came.
            return

    def _take(self, response: httpx.Response) -> None:
        topic, data = "message", ""
        for line in response.iter_lines():
            name, _, value = line.partition(":")
            if name == "event":
                topic = value.strip()
            elif name == "data":
                data += value.strip()
            elif not line:
                if data:
                    with self._news:
                        self._events.append((time.monotonic(), topic, json.loads(data)))
                        self._news.notify_all()
                topic, data = "message", ""


def _problem(answer: httpx.Response) -> str:
    try:
        return str(answer.json().get("code", ""))
    except (ValueError, AttributeError):
        return answer.text[:200]
