"""One blueprint per noun; a handler is parse, one call, reply."""

from __future__ import annotations

from apiflask import APIBlueprint

from web.api.health import health
from web.api.live import live
from web.api.session import session

BLUEPRINTS: tuple[APIBlueprint, ...] = (session, live, health)
