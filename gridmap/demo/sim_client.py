"""How the simulator talks to the server: like phones and call-takers, and patient while the server restarts."""

from __future__ import annotations

import logging
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from tenacity import (
    Retrying,
    retry_if_exception,
    sleep_using_event,
    stop_when_event_set,
    wait_random_exponential,
)

from gridmap.errors import GridmapError

_log = logging.getLogger(__name__)
_TIMEOUT_S = 20.0
_PASSING = {408, 425, 429, 500, 502, 503, 504}
_UNSAFE = {"POST", "PATCH", "PUT", "DELETE"}


class Refusal(GridmapError):
    """The server said no; trying again would not help. `code` is the server's own."""

    default_code = "server_refused"


class Stopped(GridmapError):
    """The simulator is to end."""

    default_code = "stopped"


def _passing(error: BaseException) -> bool:
    """Worth another try: the server is away, starting or overloaded."""
    if isinstance(error, httpx.HTTPStatusError):
        return error.response.status_code in _PASSING
    return isinstance(error, httpx.TransportError)


class Link:
    """One caller: a log-in session or a token. Not shared between threads.

    Args:
        url: address of the server, such as https://127.0.0.1:8420.
        ca_file: the only certificate authority to trust, or None for the system's.
        stop: when set, waiting ends and calls raise `Stopped`.
        token: bearer token of a machine; None for one who logs in.
    """

    def __init__(
        self, url: str, ca_file: Path | None, stop: threading.Event, token: str | None = None
    ) -> None:
        verify: ssl.SSLContext | bool = ssl.create_default_context(cafile=str(ca_file)) if ca_file else True
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._http = httpx.Client(
            base_url=url, verify=verify, headers=headers, trust_env=False, timeout=_TIMEOUT_S
        )
        self._stop = stop
        self._csrf: str | None = None
        self._retrying = Retrying(
            retry=retry_if_exception(_passing),
            wait=wait_random_exponential(multiplier=0.5, max=15),
            stop=stop_when_event_set(stop),
            sleep=sleep_using_event(stop),
            before_sleep=lambda state: _log.info("server not there, try %d", state.attempt_number),
            reraise=True,
        )

    def log_in(self, login: str, password: str) -> dict[str, Any]:
        """Open a session; returns Me."""
        me: dict[str, Any] = self.call("POST", "/api/login", {"login": login, "password": password})
        self._csrf = me["csrf"]
        return me

    def call(self, method: str, path: str, body: dict[str, Any] | None = None, **query: Any) -> Any:
        """Send until the server takes or refuses it. Raises Refusal, Stopped."""
        return self._send(method, path, json=body if method in _UNSAFE else None, params=query or None)

    def upload(self, path: str, file: tuple[str, bytes, str], **form: str) -> Any:
        """Send one file as a form. Raises Refusal, Stopped."""
        return self._send("POST", path, files={"file": file}, data=form)

    @contextmanager
    def events(self) -> Iterator[Iterator[str]]:
        """Lines of the live feed. Raises httpx.HTTPError when it breaks."""
        timeout = httpx.Timeout(_TIMEOUT_S, read=60.0)
        with self._http.stream("GET", "/api/live", timeout=timeout) as response:
            response.raise_for_status()
            yield response.iter_lines()

    def close(self) -> None:
        """Let the connections go."""
        self._http.close()

    def _send(self, method: str, path: str, **what: Any) -> Any:
        def once() -> Any:
            if self._stop.is_set():
                raise Stopped
            headers = {"X-CSRF-Token": self._csrf} if self._csrf and method in _UNSAFE else {}
            answer = self._http.request(method, path, headers=headers, **what)
            answer.raise_for_status()
            return answer.json() if answer.content else None

        try:
            return self._retrying(once)
        except httpx.HTTPStatusError as error:
            raise Refusal(
                _code_of(error.response), request=f"{method} {path}", status=error.response.status_code
            ) from None
        except httpx.TransportError:
            raise Stopped from None


def _code_of(answer: httpx.Response) -> str:
    try:
        return str(answer.json().get("code") or Refusal.default_code)
    except (ValueError, AttributeError):
        return Refusal.default_code
