"""From a cookie or a bearer token to an actor, before any handler runs."""

from __future__ import annotations

import hashlib
import hmac
import time
from threading import Lock
from urllib.parse import urlsplit
from uuid import UUID

from flask import Flask, Response, current_app, g, request

from gridmap.domain.actor import Actor
from gridmap.errors import Forbidden
from gridmap.services.logging_in import LoggedIn, actor_of_session, actor_of_token
from web.guards import Guard, check_guard, this_guard
from web.site import Site, site

COOKIE = "gridmap_session"
CSRF_HEADER = "X-CSRF-Token"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_MEMORY_S = 5.0
_MEMORY_MOST = 5_000
_LONGEST_SECRET = 200


class BriefMemory:
    """Callers seen within the last seconds, so that a screen full of tiles does not ask the database each time."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[float, Actor]] = {}
        self._lock = Lock()

    def find(self, secret: str) -> Actor | None:
        found = self._seen.get(_key(secret))
        return found[1] if found and found[0] > time.monotonic() else None

    def keep(self, secret: str, who: Actor) -> None:
        with self._lock:
            if len(self._seen) >= _MEMORY_MOST:
                self._seen.clear()
            self._seen[_key(secret)] = (time.monotonic() + _MEMORY_S, who)

    def forget(self, secret: str) -> None:
        with self._lock:
            self._seen.pop(_key(secret), None)


def _key(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def register_auth(app: Flask) -> None:
    """Make `app` refuse whoever the matched route's guard does not let pass."""
    app.extensions["gridmap_memory"] = BriefMemory()
    app.before_request(_authenticate)


def _memory() -> BriefMemory:
    found: BriefMemory = current_app.extensions["gridmap_memory"]
    return found


def _authenticate() -> None:
    guard = this_guard(current_app)
    if guard is None:
        return
    unsafe = request.method not in SAFE_METHODS
    if unsafe:
        _check_origin()
    if guard.is_public or guard.by_device:
        return
    who = _bearer(guard) or _cookie(guard)
    check_guard(guard, who)
    assert who is not None
    if unsafe and who.session_id is not None:
        _check_csrf(who.session_id)
    g.actor = who


def _bearer(guard: Guard) -> Actor | None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not 0 < len(token) <= _LONGEST_SECRET:
        return None
    found = _memory().find("bearer " + token) if guard.brief_memory else None
    if found is None:
        here = site()
        found = actor_of_token(here.database, here.clock, token)
        if found is not None:
            _memory().keep("bearer " + token, found)
    return found


def _cookie(guard: Guard) -> Actor | None:
    token = session_token()
    if token is None:
        return None
    found = _memory().find("cookie " + token) if guard.brief_memory else None
    if found is None:
        here = site()
        found = actor_of_session(here.database, here.clock, token)
        if found is not None:
            _memory().keep("cookie " + token, found)
    return found


def session_token() -> str | None:
    """The session cookie's secret, if one of a sensible length was sent."""
    token = request.cookies.get(COOKIE, "")
    return token if 0 < len(token) <= _LONGEST_SECRET else None


def csrf_token(here: Site, session_id: UUID) -> str:
    """What a page of this session must send with every change: only our pages can read it."""
    return hmac.new(here.settings.secret_key, b"csrf:" + session_id.bytes, hashlib.sha256).hexdigest()


def _check_csrf(session_id: UUID) -> None:
    given = request.headers.get(CSRF_HEADER, "")
    if not hmac.compare_digest(given.encode(), csrf_token(site(), session_id).encode()):
        raise Forbidden("csrf_failed")


def _check_origin() -> None:
    """A browser says where a change comes from; another site is refused even at the log-in."""
    origin = request.headers.get("Origin")
    if origin is None:
        if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
            raise Forbidden("origin_refused")
        return
    public_url = site().settings.public_url
    own = {urlsplit(request.host_url)[:2]}
    if public_url:
        own.add(urlsplit(public_url)[:2])
    if urlsplit(origin)[:2] not in own:
        raise Forbidden("origin_refused")


def set_session_cookie(response: Response, logged_in: LoggedIn) -> None:
    """The cookie of a fresh log-in; scripts cannot read it, other sites cannot send it with a change."""
    response.set_cookie(
        COOKIE,
        logged_in.token,
        expires=logged_in.expires_at,
        httponly=True,
        samesite="Lax",
        secure=request.is_secure,
        path="/",
    )


def forget_session(response: Response) -> None:
    """Take the cookie back, and forget the caller at once in this process."""
    token = session_token()
    if token is not None:
        _memory().forget("cookie " + token)
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="Lax", secure=request.is_secure)
