"""Every route is closed until it says who may pass: `@public`, `@signed_in` or `@requires(verb)`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from flask import Flask, g, request

from gridmap.domain.actor import Actor
from gridmap.errors import Forbidden, Misconfigured, NotAuthenticated

View = TypeVar("View", bound=Callable[..., Any])
_MARK = "gridmap_guard"


@dataclass(frozen=True)
class Guard:
    """Who may pass. `verbs`: any one of them is enough; none of them means that being known is enough.

    `with_old_password` lets through who must change the password first; `brief_memory` lets a process take a
    caller it saw some seconds ago for granted (tiles, which a screen asks for by the dozen). `by_device`: the handler
    itself asks for the device's own key, in the way of the device's protocol.
    """

    is_public: bool = False
    verbs: tuple[str, ...] = ()
    with_old_password: bool = False
    brief_memory: bool = False
    by_device: bool = False


def public(view: View) -> View:
    """Open to everybody; nothing about anybody is known in it."""
    return _mark(view, Guard(is_public=True))


def signed_in(view: View) -> View:
    """Open to every account and token."""
    return _mark(view, Guard())


def signed_in_with_old_password(view: View) -> View:
    """As `signed_in`, and also while the password has to be changed first."""
    return _mark(view, Guard(with_old_password=True))


def by_device(view: View) -> View:
    """Open to a device with a key of its own: the first line of the view asks for it (web.device_door)."""
    return _mark(view, Guard(by_device=True))


def requires(*verbs: str) -> Callable[[View], View]:
    """Open to who holds at least one of `verbs`; the service checks where."""
    if not verbs:
        raise ValueError("name a verb")
    return lambda view: _mark(view, Guard(verbs=verbs))


def briefly_remembered(view: View) -> View:
    """Put above a guard: see `Guard.brief_memory`."""
    return _mark(view, replace(getattr(view, _MARK), brief_memory=True))


def _mark(view: View, guard: Guard) -> View:
    setattr(view, _MARK, guard)
    return view


def guard_of(app: Flask, endpoint: str) -> Guard | None:
    found = getattr(app.view_functions.get(endpoint), _MARK, None)
    return found if isinstance(found, Guard) else None


def unguarded(app: Flask) -> list[str]:
    """The addresses that nobody guards, in order."""
    return sorted(rule.rule for rule in app.url_map.iter_rules() if guard_of(app, rule.endpoint) is None)


def refuse_unguarded(app: Flask) -> None:
    """Stop the start of an app that has an open door. Raises Misconfigured("route_without_guard")."""
    if found := unguarded(app):
        raise Misconfigured("route_without_guard", routes=found)


def actor() -> Actor:
    """Who asks. Raises NotAuthenticated when nobody is known."""
    found = g.get("actor")
    if not isinstance(found, Actor):
        raise NotAuthenticated()
    return found


def check_guard(guard: Guard, who: Actor | None) -> None:
    """Raises NotAuthenticated, Forbidden("password_change_required") or Forbidden(verb)."""
    if guard.is_public:
        return
    if who is None:
        raise NotAuthenticated()
    if who.must_change_password and not guard.with_old_password:
        raise Forbidden("password_change_required")
    if guard.verbs and not any(who.can(verb) for verb in guard.verbs):
        raise Forbidden(verb=guard.verbs[0])


def this_guard(app: Flask) -> Guard | None:
    """The guard of the route that was matched; None when no route was."""
    if request.endpoint is None:
        return None
    found = guard_of(app, request.endpoint)
    if found is None:
        raise Forbidden("route_without_guard")
    return found
